//! Records in blocks, as long as they look alike.
//!
//! Which records are worth trying together is found out by trying: a record that ends a block is read in the
//! general way, and what it looks like is learned. Where that does not help, records are left to the general
//! way for a while, so that records which never look alike cost little more than without blocks.

use super::assembly::Table;
use super::checked;
use super::column::{BLOCK_ROWS, Block, JOINED_BYTES, PADDING, Reading};
use super::fault::{Fault, Parsed};

/// Reads records in blocks.
///
/// # Memory
/// A copy of the records of one block: about [`BLOCK_BYTES`], or one record when that is larger.
#[derive(Debug)]
pub(super) struct Blocks {
    /// The records of a block, zeros after each.
    text: Vec<u8>,
    /// Where each stands in `text`.
    ranges: Vec<(usize, usize)>,
    joined: Box<[u8; JOINED_BYTES]>,
    pace: Pace,
    /// Records that were read in the general way.
    #[cfg(test)]
    pub(super) general: usize,
}

impl Blocks {
    pub(super) fn new() -> Self {
        Self {
            text: Vec::new(),
            ranges: Vec::new(),
            joined: Box::new([0; JOINED_BYTES]),
            pace: Pace { size: 1, rest: 0, pause: 0 },
            #[cfg(test)]
            general: 0,
        }
    }

    /// Appends `payloads` to `table`; `failed` is told the number of each that leaves no row, and why.
    pub(super) fn read<'p>(
        &mut self,
        table: &mut Table,
        reading: Reading,
        payloads: impl Iterator<Item = &'p [u8]>,
        mut failed: impl FnMut(usize, Box<Fault>),
    ) {
        let mut payloads = payloads.peekable();
        let mut batch: Vec<&[u8]> = Vec::with_capacity(BLOCK_ROWS);
        let mut number = 0;
        while payloads.peek().is_some() {
            self.take(&mut payloads, &mut batch);
            let mut done = 0;
            while done < batch.len() {
                let size = self.pace.size(batch.len() - done);
                let ranges = &self.ranges[done..done + size];
                let taken =
                    Block::new(&self.text, ranges, &mut self.joined, reading).append_to(&mut table.root);
                done += taken;
                let is_like_others = size > 0 && taken == size;
                if size > 0 {
                    self.pace.note(taken, size);
                }
                if is_like_others {
                    continue;
                }
                #[cfg(test)]
                {
                    self.general += 1;
                }
                if let Err(fault) = read_one(table, reading, batch[done], size > 0) {
                    failed(number + done, fault);
                }
                done += 1;
            }
            number += batch.len();
        }
    }

    /// Copies the next payloads, as many as make a block.
    fn take<'p>(&mut self, payloads: &mut impl Iterator<Item = &'p [u8]>, batch: &mut Vec<&'p [u8]>) {
        batch.clear();
        self.ranges.clear();
        self.text.clear();
        if self.text.capacity() > 2 * BLOCK_BYTES {
            self.text.shrink_to(BLOCK_BYTES);
        }
        while batch.len() < BLOCK_ROWS
            && self.text.len() < BLOCK_BYTES
            && let Some(payload) = payloads.next()
        {
            let start = self.text.len();
            self.text.extend_from_slice(payload);
            self.ranges.push((start, self.text.len()));
            self.text.extend_from_slice(&[0; PADDING]);
            batch.push(payload);
        }
    }
}

/// Reads one record in the general way, and learns from it when it `is_news`.
fn read_one(table: &mut Table, reading: Reading, payload: &[u8], is_news: bool) -> Parsed<()> {
    let mut cursor = checked(payload)?;
    let mut again = cursor.clone();
    table.append_row(|root| {
        root.append_value(&mut cursor, reading)?;
        cursor.end_of_record()
    })?;
    if is_news && let Err(_too_odd) = table.root.learn(&mut again) {
        return Ok(());
    }
    Ok(())
}

/// How many records to try together.
#[derive(Clone, Copy, Debug)]
struct Pace {
    size: usize,
    /// Records to leave to the general way.
    rest: usize,
    /// How many that were the last time.
    pause: usize,
}

impl Pace {
    fn size(&mut self, left: usize) -> usize {
        if self.rest > 0 {
            self.rest -= 1;
            return 0;
        }
        self.size.min(left)
    }

    /// Of `size` records that were tried, the first `taken` were like the ones before.
    fn note(&mut self, taken: usize, size: usize) {
        if taken == size {
            self.size = (self.size * 2).min(BLOCK_ROWS);
            self.pause /= 2;
        } else if taken >= WORTH_WHILE {
            self.size = taken;
            self.pause = 0;
        } else {
            self.size = WORTH_WHILE;
            self.rest = self.pause;
            self.pause = (self.pause * 2 + 1).min(PAUSE_MAX);
        }
    }
}

/// Payloads that are copied together.
const BLOCK_BYTES: usize = 256 * 1024;

/// Records that must be alike to be worth the trouble.
const WORTH_WHILE: usize = 4;

/// Records that are left to the general way at most.
const PAUSE_MAX: usize = 63;
