//! Columns to payloads: a tree of writers per schema, bound to the columns of a batch.
//!
//! Source: Avro 1.12 specification, "Binary encoding"; `GenericDatumWriter`, `BinaryEncoder`.

mod bind;
mod block;
mod build;
mod row;
mod tree;

use std::ops::Range;

use arrow_array::Array;
use lakeward_api::schema::Schema;

use super::super::around::BLOCK_ROWS;
use super::super::registry_framing::Frame;
use super::fault::Converted;
use super::mapping::Mapping;
use super::schema::{AvroSchema, Shape};

use block::{Block, SLACK};

pub(super) use bind::Bound;

/// Writes values of one Connect schema with one Avro schema.
pub(super) struct Writer {
    root: Node,
    /// The writers of what places of recursion stand for.
    places: Vec<Node>,
    /// Bytes that are the whole payload, without a length in front.
    is_raw: bool,
}

impl Writer {
    /// A writer of values of `schema` with `avro`.
    ///
    /// # Errors
    /// A `DataException` when `avro` is no schema for such values.
    pub(super) fn new(avro: &AvroSchema, schema: &Schema, mapping: Mapping) -> Converted<Self> {
        let (root, places) = build::all(avro, schema, mapping)?;
        Ok(Self { root, places, is_raw: matches!(avro.root_type().shape, Shape::Bytes) })
    }

    /// The writer, bound to a column of the schema's Arrow type.
    ///
    /// # Panics
    /// When the column is of another type: columns and schemas are made together.
    pub(super) fn bind<'a>(&'a self, array: &'a dyn Array) -> Bound<'a> {
        Bound::new(&self.root, array, &self.places)
    }

    /// Appends row `row` as a file holds it: null where the schema has one, bytes with their length.
    #[inline]
    pub(super) fn write_datum(&self, bound: &Bound<'_>, row: usize, out: &mut Vec<u8>) -> Converted<()> {
        bound.write(row, out)
    }

    /// Appends row `row`, which is not null.
    #[inline]
    pub(super) fn write(&self, bound: &Bound<'_>, row: usize, out: &mut Vec<u8>) -> Converted<()> {
        if self.is_raw { bound.write_raw(row, out) } else { bound.write(row, out) }
    }

    /// Writes all rows.
    pub(super) fn write_all(&self, bound: &Bound<'_>, frame: &mut Frame<'_>) {
        if self.is_raw {
            return frame.each(|row, out| self.write(bound, row, out));
        }
        let valid = frame.valid().map(|valid| valid.inner().bit_chunks().iter_padded().collect());
        let valid: Vec<u64> = valid.unwrap_or_default();
        let mut spare = Vec::new();
        for first in (0..frame.rows()).step_by(BLOCK_ROWS) {
            let rows = first..frame.rows().min(first + BLOCK_ROWS);
            let live = valid.get(first / BLOCK_ROWS).copied().unwrap_or(u64::MAX) & all(rows.len());
            if !write_block(bound, frame, rows.clone(), live, &mut spare) {
                rows.for_each(|row| frame.push(row, |out| self.write(bound, row, out)));
            }
        }
    }
}

/// Writes `rows` side by side, or answers false: then they have to be written one by one.
fn write_block(
    bound: &Bound<'_>,
    frame: &mut Frame<'_>,
    rows: Range<usize>,
    live: u64,
    spare: &mut Vec<u8>,
) -> bool {
    let mut rooms = [bound.width + SLACK; BLOCK_ROWS];
    let rooms = &mut rooms[..rows.len()];
    bound.add_rooms(rows.start, rooms);
    let first = rows.start;
    rooms.iter().sum::<usize>() <= BLOCK_BYTES_MAX
        && frame.block(rows, rooms, |out, at| {
            bound.write_block(&mut Block { out, at, first, spare }, live).is_ok()
        })
}

/// The bits of `rows` rows, 1 to 64.
fn all(rows: usize) -> u64 {
    u64::MAX >> (BLOCK_ROWS - rows)
}

/// Memory that the slots of a block may take.
const BLOCK_BYTES_MAX: usize = 1 << 20;

/// How values of one type are written.
struct Node {
    union: Option<Branch>,
    /// What stands in for null in a field with a default, encoded with its branch.
    default: Option<Box<[u8]>>,
    form: Form,
}

/// The union of null and a type.
#[derive(Clone, Copy)]
struct Branch {
    /// The encoded index of the type.
    value: u8,
    /// The encoded index of null; `None` when there is none.
    null: Option<u8>,
}

/// The form of values that are not null.
enum Form {
    Boolean,
    Bytes,
    Decimal,
    DecimalFixed {
        size: usize,
    },
    Double,
    Entries {
        key: Box<Node>,
        value: Box<Node>,
        value_first: bool,
    },
    Enum {
        symbols: std::collections::HashMap<Box<[u8]>, i64>,
    },
    Fixed {
        size: usize,
    },
    Float,
    /// Of any width, also dates and times.
    Integer {
        /// Trees of values hold it as milliseconds.
        is_date: bool,
    },
    List(Box<Node>),
    Map {
        key: Box<Node>,
        value: Box<Node>,
    },
    /// A place of recursion: the number of its writer.
    Recursive(usize),
    String,
    /// Members as `(column, writer)`, in Avro's order.
    Struct(Vec<(usize, Node)>),
    /// Fields of the STRUCT as `(branch, writer)`.
    Union {
        null: Option<i64>,
        branches: Vec<(i64, Node)>,
    },
}

/// Appends a zigzag number.
#[inline]
pub(crate) fn write_long(out: &mut Vec<u8>, number: i64) {
    let mut rest = (number.cast_unsigned() << 1) ^ (number >> 63).cast_unsigned();
    if rest < 0x80 {
        out.push(rest as u8);
        return;
    }
    let mut bytes = [0; 10];
    let mut length = 0;
    while rest >= 0x80 {
        bytes[length] = rest as u8 | 0x80;
        rest >>= 7;
        length += 1;
    }
    bytes[length] = rest as u8;
    out.extend_from_slice(&bytes[..=length]);
}

/// Appends a length and as many bytes.
#[inline]
pub(super) fn write_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    write_long(out, i64::try_from(bytes.len()).unwrap_or(i64::MAX));
    out.extend_from_slice(bytes);
}
