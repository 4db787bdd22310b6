//! Records side by side: a column takes the values of many records before the next column takes its own.
//!
//! That is worth it because the records of a topic look alike: what stands before a value is spelled as in
//! the record before, so a record is read by passing known bytes and scanning values, and records that do not
//! wait for each other keep a processor busy. The first record that does not look like the others ends the
//! block; it is taken back and read in the general way ([`super::append`]), which knows what to make of it.
//! So whatever a block takes over is what the general way would have made of it.

use super::super::cursor::Cursor;
use super::super::lead::Lead;
use super::nulls::Nulls;
use super::{Cells, Column, NullRule, Reading, Runs, quick};

/// Records in one block: one bit each.
pub(in super::super) const BLOCK_ROWS: usize = 64;

/// Bytes of the texts of a block that are put together.
pub(in super::super) const JOINED_BYTES: usize = BLOCK_ROWS * quick::SHORT_BYTES;

/// Zeros that follow a record's text, so that chunks of bytes can be looked at wherever a value may start.
pub(in super::super) const PADDING: usize = 32;

/// Records that are read together.
#[derive(Debug)]
pub(in super::super) struct Block<'t> {
    /// All of them, [`PADDING`] zeros after each.
    pub(super) text: &'t [u8],
    /// Where each goes on.
    pub(super) at: [usize; BLOCK_ROWS],
    /// Where each ends.
    ends: [usize; BLOCK_ROWS],
    /// Where the object begins that each is in.
    pub(super) opened: [usize; BLOCK_ROWS],
    /// How many are like the ones before; nobody looks at those behind.
    pub(super) rows: usize,
    /// A bit for each that is UTF-8 from here to its end.
    checked: u64,
    /// Room to put the texts of a block together.
    joined: &'t mut [u8],
    pub(super) reading: Reading,
}

/// What there is to know about the record that a value belongs to.
pub(super) struct Scan<'b> {
    /// Where the record ends.
    pub(super) end: usize,
    /// The bits of its block, and its own.
    checked: &'b mut u64,
    row: usize,
    pub(super) reading: Reading,
}

impl Scan<'_> {
    /// Reads one value in the general way; returns where it ends.
    #[inline(never)]
    pub(super) fn general(
        &mut self,
        text: &[u8],
        at: usize,
        read: impl FnOnce(&mut Cursor<'_>) -> super::Parsed<()>,
    ) -> Option<usize> {
        // Who reads in the general way relies on it; what was passed before is known to be UTF-8.
        if *self.checked >> self.row & 1 == 0 {
            simdutf8::basic::from_utf8(&text[at..self.end]).ok()?;
            *self.checked |= 1 << self.row;
        }
        let mut cursor = Cursor { bytes: &text[..self.end], pos: at };
        read(&mut cursor).ok()?;
        Some(cursor.pos)
    }
}

impl<'t> Block<'t> {
    /// A block of the records in `text` that stand at `ranges`, with [`PADDING`] zeros after each.
    ///
    /// # Panics
    /// When there are more than [`BLOCK_ROWS`].
    pub(in super::super) fn new(
        text: &'t [u8],
        ranges: &[(usize, usize)],
        joined: &'t mut [u8; JOINED_BYTES],
        reading: Reading,
    ) -> Self {
        let (mut at, mut ends) = ([0; BLOCK_ROWS], [0; BLOCK_ROWS]);
        for (row, (start, end)) in ranges.iter().enumerate() {
            (at[row], ends[row]) = (*start, *end);
        }
        let opened = [usize::MAX; BLOCK_ROWS];
        Self { text, at, ends, opened, rows: ranges.len(), checked: 0, joined, reading }
    }

    /// Appends the records to `root`, as far as they are like the ones before; returns how many.
    pub(in super::super) fn append_to(mut self, root: &mut Column) -> usize {
        let (first, count) = (root.rows(), self.rows);
        root.fill(&mut self, &Lead::none(), u64::MAX);
        for row in 0..count.min(self.rows) {
            let text = &self.text[..self.ends[row]];
            let is_complete = text.get(self.at[row]..).is_some_and(super::super::are_blanks);
            if !is_complete {
                self.rows = row;
                break;
            }
        }
        if self.rows < count {
            root.truncate(first + self.rows);
        }
        self.rows
    }

    /// Reads the value behind `lead` of each row from `from` on into `cells`, as long as `read` takes them or
    /// they are nulls that stay ones. Belongs into a function of its own, so that all it needs stays in
    /// registers.
    #[inline(always)]
    fn each<T: Copy>(
        &mut self,
        lead: &Lead,
        wanted: Wanted,
        cells: &mut [T; BLOCK_ROWS],
        mut read: impl FnMut(&[u8], usize) -> Option<(T, usize)>,
    ) -> Taken {
        let start = lead.start();
        let text = self.text;
        let mut nulls = 0;
        let count = wanted.end(self.rows);
        let mut row = wanted.from;
        while row < count.min(BLOCK_ROWS) {
            let Some(value) = start.end(text, self.at[row]) else { break };
            if start.has_more() && !lead.goes_on(text, value) {
                break;
            }
            match read(text, value) {
                Some((cell, end)) => (cells[row], self.at[row]) = (cell, end),
                // A null is the value that most often is none of the kind.
                None if wanted.keeps_null && quick::is_null(text, value) => {
                    self.at[row] = value + 4;
                    nulls |= 1 << row;
                }
                None => break,
            }
            row += 1;
        }
        Taken { from: wanted.from, to: row, nulls }
    }

    /// Appends the value behind `lead` of each row from `from` on, as long as `append` takes them; returns
    /// the first row that is left.
    #[inline(always)]
    fn each_scan(
        &mut self,
        lead: &Lead,
        live: u64,
        from: usize,
        mut append: impl FnMut(&[u8], usize, &mut Scan<'_>) -> Option<usize>,
    ) -> usize {
        for row in from..self.rows {
            let value = if live >> row & 1 == 1 { lead.end(self.text, self.at[row]) } else { None };
            let text = self.text;
            match value.and_then(|value| append(text, value, &mut self.scan(row))) {
                Some(end) => self.at[row] = end,
                None => return row,
            }
        }
        self.rows
    }

    pub(super) fn scan(&mut self, row: usize) -> Scan<'_> {
        Scan { end: self.ends[row], checked: &mut self.checked, row, reading: self.reading }
    }

    /// Where the member behind `lead` has its value: also when it is the first of its object, though it was
    /// another one that came first before, or the other way round.
    #[inline(always)]
    pub(super) fn value_at(&self, lead: &Lead, row: usize) -> Option<usize> {
        let at = self.at[row];
        if let Some(value) = lead.end(self.text, at) {
            return Some(value);
        }
        self.first_value_at(lead, row)
    }

    #[inline(never)]
    fn first_value_at(&self, lead: &Lead, row: usize) -> Option<usize> {
        let at = self.at[row];
        let (b',', rest) = lead.spelling().split_first()? else { return None };
        let is_first = at == self.opened[row] && self.text[at + 1..].starts_with(rest);
        is_first.then_some(at + 1 + rest.len())
    }
}

impl Column {
    /// Appends a row per record of `block`: the value behind `lead` where `live` has a bit, else a hole.
    /// Recursion is bounded by the depth of the schema.
    pub(super) fn fill(&mut self, block: &mut Block<'_>, lead: &Lead, live: u64) {
        if let Cells::Struct(_) = &self.cells {
            return self.fill_struct(block, lead, live);
        }
        let mut row = 0;
        loop {
            row = self.fill_plain(block, lead, live, row);
            if row >= block.rows {
                return;
            }
            if self.fill_other(block, lead, live, row).is_none() {
                block.rows = row;
                return;
            }
            row += 1;
        }
    }

    /// Appends values as long as they are what they mostly are; returns the first row that is not.
    #[inline]
    fn fill_plain(&mut self, block: &mut Block<'_>, lead: &Lead, live: u64, from: usize) -> usize {
        let wanted = Wanted { live, from, keeps_null: self.keeps_null(block.reading) };
        let nulls = &mut self.nulls;
        match &mut self.cells {
            Cells::Boolean(flags) => fill_flags(flags, nulls, block, lead, wanted),
            Cells::Float64(numbers) => fill_doubles(numbers, nulls, block, lead, wanted),
            Cells::Int32(numbers) => fill_ints(numbers, nulls, block, lead, wanted),
            Cells::Int64(numbers) | Cells::Timestamp(numbers) => {
                fill_longs(numbers, nulls, block, lead, wanted)
            }
            Cells::List { offsets, item } => {
                block.each_scan(lead, live, from, |text, at, scan| quick::list(offsets, item, text, at, scan))
            }
            Cells::Map { offsets, entries } => block
                .each_scan(lead, live, from, |text, at, scan| quick::map(offsets, entries, text, at, scan)),
            Cells::String(texts) => fill_texts(texts, nulls, block, lead, wanted),
            _ => from,
        }
    }

    /// Appends one row of any kind. `None` when the record must be read in the general way.
    #[inline(never)]
    fn fill_other(&mut self, block: &mut Block<'_>, lead: &Lead, live: u64, row: usize) -> Option<()> {
        if live >> row & 1 == 0 {
            self.push_hole();
            return Some(());
        }
        let reading = block.reading;
        let Some(value) = block.value_at(lead, row) else {
            // If it is not absent but spelled in another way, the end of its object will not be found.
            return self.append_absent(reading).ok();
        };
        block.at[row] = if self.is_plain_null(block.text, value, reading) {
            self.push_hole();
            value + 4
        } else {
            let text = block.text;
            self.quick(text, value, &mut block.scan(row))?
        };
        Some(())
    }

    /// Whether the value at `at` is a null that stays one.
    #[inline]
    pub(super) fn is_plain_null(&self, text: &[u8], at: usize, reading: Reading) -> bool {
        self.keeps_null(reading) && quick::is_null(text, at)
    }

    /// Whether a null stays one.
    pub(super) fn keeps_null(&self, reading: Reading) -> bool {
        self.optional && (self.default.is_none() || reading.nulls == NullRule::Keep)
    }
}

#[inline(never)]
fn fill_flags(
    flags: &mut Vec<bool>,
    nulls: &mut Nulls,
    block: &mut Block<'_>,
    lead: &Lead,
    wanted: Wanted,
) -> usize {
    let mut cells = [false; BLOCK_ROWS];
    block.each(lead, wanted, &mut cells, quick::boolean).append(&cells, flags, nulls)
}

#[inline(never)]
fn fill_doubles(
    numbers: &mut Vec<f64>,
    nulls: &mut Nulls,
    block: &mut Block<'_>,
    lead: &Lead,
    wanted: Wanted,
) -> usize {
    let mut cells = [0.0; BLOCK_ROWS];
    block.each(lead, wanted, &mut cells, quick::float64).append(&cells, numbers, nulls)
}

#[inline(never)]
fn fill_ints(
    numbers: &mut Vec<i32>,
    nulls: &mut Nulls,
    block: &mut Block<'_>,
    lead: &Lead,
    wanted: Wanted,
) -> usize {
    let mut cells = [0; BLOCK_ROWS];
    let read = |text: &[u8], at| quick::integer(text, at).map(|(number, end)| (number as i32, end));
    block.each(lead, wanted, &mut cells, read).append(&cells, numbers, nulls)
}

#[inline(never)]
fn fill_longs(
    numbers: &mut Vec<i64>,
    nulls: &mut Nulls,
    block: &mut Block<'_>,
    lead: &Lead,
    wanted: Wanted,
) -> usize {
    let mut cells = [0; BLOCK_ROWS];
    block.each(lead, wanted, &mut cells, quick::integer).append(&cells, numbers, nulls)
}

/// [`Column::fill_plain`] of texts: short ones are put together before they are appended.
#[inline(never)]
fn fill_texts(
    texts: &mut Runs<u8>,
    nulls: &mut Nulls,
    block: &mut Block<'_>,
    lead: &Lead,
    wanted: Wanted,
) -> usize {
    let mut cells = [0; BLOCK_ROWS];
    let joined = std::mem::take(&mut block.joined);
    let mut bytes = 0;
    let taken = block.each(lead, wanted, &mut cells, |text, at| {
        let (length, end) = quick::short_text(text, at, joined, bytes)?;
        bytes += length;
        Some((bytes, end))
    });
    let base = texts.items.len();
    texts.items.extend_from_slice(&joined[..bytes]);
    block.joined = joined;
    if i32::try_from(base + bytes).is_err() {
        texts.items.truncate(base);
        return wanted.from;
    }
    let first = texts.rows();
    let mut end = base;
    if taken.nulls == 0 {
        texts.offsets.extend(cells[taken.from..taken.to].iter().map(|cell| (base + cell) as i32));
        return taken.to;
    }
    texts.offsets.reserve(taken.to - taken.from);
    for (row, cell) in cells.iter().enumerate().take(taken.to).skip(taken.from) {
        if taken.nulls >> row & 1 == 1 {
            nulls.push(first + row - taken.from);
        } else {
            end = base + cell;
        }
        texts.offsets.push(end as i32);
    }
    taken.to
}

/// Which values of a block are wanted.
#[derive(Clone, Copy)]
struct Wanted {
    /// A bit for each row that has one.
    live: u64,
    /// The first row.
    from: usize,
    keeps_null: bool,
}

impl Wanted {
    /// The row behind the first rows that all have a value, of `rows`.
    #[inline]
    fn end(&self, rows: usize) -> usize {
        let live = self.live.checked_shr(self.from as u32).map_or(0, u64::trailing_ones) as usize;
        rows.min(BLOCK_ROWS).min(self.from + live)
    }
}

/// The rows that were read.
struct Taken {
    from: usize,
    /// The row after the last.
    to: usize,
    /// A bit for each null.
    nulls: u64,
}

impl Taken {
    /// Appends `cells` to `all`; returns the first row that is left.
    #[inline]
    fn append<T: Copy>(&self, cells: &[T; BLOCK_ROWS], all: &mut Vec<T>, nulls: &mut Nulls) -> usize {
        let mut left = self.nulls;
        while left != 0 {
            nulls.push(all.len() + left.trailing_zeros() as usize - self.from);
            left &= left - 1;
        }
        all.extend_from_slice(&cells[self.from..self.to]);
        self.to
    }
}
