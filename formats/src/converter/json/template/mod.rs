//! Records that look alike: columns for the shape of the first one, which later ones are read straight
//! into.
//!
//! A template knows the keys in their order, how they are spelled, and the kind of each value. A record is
//! read on the assumption that it is the same again; the first thing that differs takes the row back, and
//! the record is read in the general way. Nothing is learned but spellings and the kind of what was null so
//! far, so whatever a template takes over is what the general way would have made of it.
//!
//! # Memory
//! The values of one run, plus after [`Template::finish`] empty allocations of the same size for the next
//! one. At most [`COLUMNS_MAX`] columns.

mod append;
mod node;

use arrow_array::ArrayRef;
use lakeward_api::value::Value;

use append::{Encoding, PADDING, Record};
use node::{Cells, Node, Object, Room};

/// Columns for records of one shape.
#[derive(Debug)]
pub(super) struct Template {
    root: Node,
    rows: usize,
    room: Room,
    /// The record being read, with zeros after it.
    text: Vec<u8>,
    /// Grows with each record that was read where it stands, and falls faster; at zero none is tried.
    in_place: u8,
}

/// Whether a record was taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    Appended,
    /// The record leaves no trace. It may have another shape, or be no JSON at all.
    Misfit,
}

impl Template {
    /// An empty template for records like `value`; `None` when they have no shape, or too large a one.
    pub(super) fn of(value: &Value) -> Option<Self> {
        let mut room = Room { columns: COLUMNS_MAX };
        let root = Node::of(value, DEPTH_MAX, 0, &mut room)?;
        Some(Self { root, rows: 0, room, text: Vec::new(), in_place: IN_PLACE_MAX })
    }

    /// Appends a record if it has the shape. Records that are null have none.
    #[inline]
    pub(super) fn append(&mut self, payload: &[u8]) -> Fit {
        if self.in_place > 0 {
            if self.append_in_place(payload).is_some() {
                self.in_place = (self.in_place + 1).min(IN_PLACE_MAX);
                self.rows += 1;
                return Fit::Appended;
            }
            self.in_place = self.in_place.saturating_sub(4);
            self.root.truncate(self.rows);
        }
        self.append_copy(payload)
    }

    /// Reads an object that is spelled as the one before where it stands. `None` leaves traces.
    #[inline]
    fn append_in_place(&mut self, payload: &[u8]) -> Option<()> {
        let Cells::Object(object) = &mut self.root.cells else { return None };
        let mut record = Record { encoding: Encoding::Ascii, room: self.room };
        let rest_bytes = read_in_place(object, &mut record, payload);
        self.room = record.room;
        let is_complete = super::are_blanks(&payload[payload.len().checked_sub(rest_bytes?)?..]);
        let is_utf8 = record.encoding == Encoding::Ascii || simdutf8::basic::from_utf8(payload).is_ok();
        (is_complete && is_utf8).then_some(())
    }

    /// Reads a record from a copy, which has zeros after it.
    fn append_copy(&mut self, payload: &[u8]) -> Fit {
        self.text.clear();
        self.text.extend_from_slice(payload);
        self.text.extend_from_slice(&[0; PADDING]);
        let mut record = Record { encoding: Encoding::Ascii, room: self.room };
        let rest = self.root.append(&mut record, &self.text);
        self.room = record.room;
        let is_complete = |rest: &[u8]| {
            rest.len() >= PADDING
                && super::are_blanks(&rest[..rest.len() - PADDING])
                && self.root.has_no_null()
        };
        // Names are compared with names that are UTF-8; texts are all else that is taken over.
        let is_utf8 = || record.encoding == Encoding::Ascii || simdutf8::basic::from_utf8(payload).is_ok();
        if rest.is_some_and(is_complete) && is_utf8() {
            self.rows += 1;
            return Fit::Appended;
        }
        self.root.truncate(self.rows);
        Fit::Misfit
    }

    /// Takes the rows out as a shaped column.
    pub(super) fn finish(&mut self) -> ArrayRef {
        self.rows = 0;
        // Another time, perhaps.
        self.in_place = self.in_place.max(1);
        self.root.finish()
    }
}

/// Appends an object where it stands, its end alone from a copy with zeros after it. Returns how many bytes
/// of the payload are left.
#[inline]
fn read_in_place(object: &mut Object, record: &mut Record, payload: &[u8]) -> Option<usize> {
    let mut tail = [0; TAIL_BYTES + PADDING];
    tail[..TAIL_BYTES].copy_from_slice(payload.last_chunk::<TAIL_BYTES>()?);
    let (mut rest, mut tail) = (payload, Some(&tail));
    for member in &mut object.members {
        if rest.len() < TAIL_BYTES
            && let Some(tail) = tail.take()
        {
            rest = &tail[TAIL_BYTES - rest.len()..];
        }
        rest = member.node.append(record, member.lead.pass(rest)?)?;
    }
    if let Some(tail) = tail {
        rest = &tail[TAIL_BYTES.checked_sub(rest.len())?..];
    }
    object.rows += 1;
    object.close.pass(rest)?.len().checked_sub(PADDING)
}

/// Bytes of a record's end that are copied.
const TAIL_BYTES: usize = 64;

/// What [`Template::in_place`] begins with and does not exceed.
const IN_PLACE_MAX: u8 = 64;

/// Levels of maps and lists: as many as shaped columns may have.
const DEPTH_MAX: usize = 64;

/// Columns at all levels. Wider records are rather maps whose keys are data.
const COLUMNS_MAX: usize = 1024;
