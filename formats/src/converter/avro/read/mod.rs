//! Payloads to columns: a tree of column builders per schema, which follows the schema's own order, so that a
//! payload is read once from front to back and nothing is built besides the columns.
//!
//! Reading is bounded by the payload: lengths and item counts are checked against the bytes that are left,
//! recursion is bounded by the schema, which does not contain itself.
//!
//! Source: Avro 1.12 specification, "Binary encoding"; `GenericDatumReader`, `BinaryDecoder`.

mod append;
mod bits;
mod block;
mod build;
mod cursor;
mod finish;
mod map;
mod number;
mod tree;
mod var;

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_schema::{FieldRef, Fields};
use lakeward_api::schema::Schema;

use super::fault::Converted;
use super::mapping::Mapping;
use super::schema::{AvroSchema, Shape};
use bits::Bits;
use block::Block;
use tree::Tree;
use var::VarCells;

pub(super) use block::{BLOCK_ROWS, Space, space};
pub(super) use cursor::Cursor;

/// Reads payloads of one Avro schema.
pub(super) struct Reader {
    /// The schema of the outcome.
    pub(super) schema: Arc<Schema>,
    root: Column,
    /// Bytes that are the whole payload, without a length in front.
    is_raw: bool,
}

/// What a payload holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Null of a nullable type; no row was appended.
    Null,
    /// A row was appended.
    Value,
}

impl Reader {
    /// A reader of `avro`, whose Connect schema is `schema`.
    ///
    /// # Errors
    /// A `DataException` for types that cannot be read.
    pub(super) fn new(avro: &AvroSchema, schema: Arc<Schema>, mapping: Mapping) -> Converted<Self> {
        let root = build::column(&Arc::new(avro.clone()), avro.root, &schema, mapping)?;
        Ok(Self { schema, root, is_raw: matches!(avro.root_type().shape, Shape::Bytes) })
    }

    /// Appends the value of `payload`. On an error no row is left behind.
    #[inline]
    pub(super) fn read(&mut self, payload: &[u8]) -> Converted<Outcome> {
        let rows = self.root.rows();
        let appended = if self.is_raw {
            self.root.append_raw(payload).map(|()| Outcome::Value)
        } else {
            self.root.append_root(&mut Cursor::new(payload))
        };
        if appended.is_err() {
            self.root.truncate(rows);
        }
        appended
    }

    /// Appends the value that `bytes` begin with, null included, and answers how many bytes follow it. On an
    /// error no row is left behind.
    pub(super) fn read_next(&mut self, bytes: &[u8]) -> Converted<usize> {
        let rows = self.root.rows();
        let mut cursor = Cursor::new(bytes);
        let appended = self.root.append(&mut cursor);
        if appended.is_err() {
            self.root.truncate(rows);
        }
        appended.map(|()| cursor.rest().len())
    }

    /// Appends the values of the first of up to [`BLOCK_ROWS`] payloads and answers how many; none when they
    /// have to be read one by one.
    pub(super) fn read_block(&mut self, space: &mut Space, payloads: &[&[u8]]) -> usize {
        let is_record = matches!(self.root.cells, Cells::Struct { .. }) && self.root.union == Presence::Plain;
        let mut block = Block::new(space, payloads);
        if !is_record || block.rows() == 0 {
            return 0;
        }
        let (rows, all) = (self.root.rows(), block.all());
        if self.root.append_block(&mut block, all).is_ok() && block.is_sound() {
            return block.rows();
        }
        self.root.truncate(rows);
        0
    }

    /// Takes the rows read so far.
    pub(super) fn finish(&mut self) -> ArrayRef {
        self.root.finish()
    }
}

/// A column under construction.
struct Column {
    cells: Cells,
    /// The index of null when the type is a union with null.
    union: Presence,
    /// Which rows are null; only where the schema is optional.
    nulls: Option<Bits>,
    /// Cells that a null takes, with those of the columns inside.
    width: usize,
    /// Bytes that a value takes at least.
    bytes_min: usize,
}

/// What precedes a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Presence {
    /// The value itself.
    Plain,
    /// The index in a union of null and the type.
    Nullable { null: u8 },
    /// The index in a union of the type alone.
    Single,
}

/// Cells of one type.
enum Cells {
    Boolean(Bits),
    Bytes(VarCells),
    Date(Vec<i32>),
    Decimal(VarCells),
    Double(Vec<f64>),
    Enum {
        symbols: Box<[Box<[u8]>]>,
        texts: VarCells,
    },
    Fixed {
        size: usize,
        cells: VarCells,
    },
    FixedDecimal {
        size: usize,
        cells: VarCells,
    },
    Float(Vec<f32>),
    Int16(Vec<i16>),
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    Int8(Vec<i8>),
    List {
        offsets: Vec<i32>,
        item: Box<Column>,
        field: FieldRef,
    },
    Map(Box<map::MapCells>),
    /// Values of a type that contains itself, packed.
    Recursive {
        tree: Box<Tree>,
        /// The value at hand.
        packed: Vec<u8>,
        cells: VarCells,
    },
    String(VarCells),
    Struct {
        columns: Vec<Column>,
        fields: Fields,
        rows: usize,
    },
    Time(Vec<i32>),
    Timestamp(Vec<i64>),
    /// Values that Java refuses one by one; nulls and what stands under null parents is all there is.
    Refused {
        /// Why, as a `DataException`.
        why: Box<str>,
        /// Holds the nulls.
        cells: Box<Column>,
    },
    /// A STRUCT of which one field has a value; `branches` says which, `None` for null.
    Union {
        branches: Vec<Option<usize>>,
        columns: Vec<Column>,
        fields: Fields,
        rows: usize,
    },
}

/// The shortest two's complement of the same number: what Java's `BigInteger` keeps.
pub(crate) fn shortest(bytes: &[u8]) -> &[u8] {
    let mut bytes = bytes;
    while let [sign, next, ..] = bytes
        && ((*sign == 0 && *next < 0x80) || (*sign == 0xff && *next >= 0x80))
    {
        bytes = &bytes[1..];
    }
    bytes
}
