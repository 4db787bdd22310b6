//! Payloads to columns: a tree of column builders per message type. A payload is read once from front to
//! back; a field is found by its number, goes straight into its column, and takes the place of the same field
//! before it. What a message does not have is filled in when it ends.
//!
//! Reading is bounded by the payload: lengths are checked against the bytes that are left, recursion is
//! bounded by the limit of protobuf-java for messages in messages and for unknown groups.
//!
//! Source: Protobuf's encoding; `DynamicMessage`, `MessageReflection` and `CodedInputStream` of
//! protobuf-java.

mod append;
pub(super) mod build;
mod cells;
mod check;
mod cursor;
mod fill;
mod finish;
mod in_order;
mod logical;
mod map;
mod merge;
mod message;
mod nested;

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_schema::{FieldRef, Fields};
use lakeward_api::schema::Schema;
use lakeward_api::value::Value;

use super::descriptor::Pool;
use super::fault::{Converted, Fault, is_of_a_value};
use super::mapping::{Mapping, to_connect};

use cells::{Marks, VarCells};
use check::Whole;
use cursor::Cursor;
use logical::Parts;
pub(super) use logical::digits_of;
use map::MapCells;
pub(super) use message::{MessageCells, Target};
use nested::Types;

/// Reads payloads of one message type.
pub(super) struct Reader {
    /// The schema of the outcome.
    pub(super) schema: Arc<Schema>,
    root: Column,
    /// The messages inside that contain themselves.
    types: Types,
}

impl Reader {
    /// A reader of the message `id` of `pool`.
    ///
    /// # Errors
    /// A `DataException` for types that have no columns.
    pub(super) fn new(pool: &Pool, id: usize, mapping: Mapping, version: Option<i32>) -> Converted<Self> {
        let (schema, root, types) = to_connect(pool, id, mapping, version)?;
        Ok(Self { schema: Arc::new(schema), root, types: Types::new(types) })
    }

    /// Appends the value of `payload`. On an error no row is left behind.
    #[inline]
    pub(super) fn read(&mut self, payload: &[u8]) -> Converted<()> {
        let rows = self.root.rows;
        let appended = self.root.append_root(&mut Cursor::new(payload, &self.types), rows);
        let Err(fault) = appended else { return Ok(()) };
        self.root.truncate(rows);
        self.read_merged(payload, fault)
    }

    /// Reads a payload that failed with `fault` once more, pieces of messages put together.
    #[cold]
    fn read_merged(&mut self, payload: &[u8], fault: Box<Fault>) -> Converted<()> {
        let Cells::Message(message) = &self.root.cells else { return Err(fault) };
        if !is_of_a_value(&fault) {
            return Err(fault);
        }
        // Java reads all of a message before it looks at values: broken bytes behind a bad date come first.
        message.check(Whole::Piece, &mut Cursor::new(payload, &self.types))?;
        let merged = message.merged(payload, &self.types)?;
        message.check(Whole::Message, &mut Cursor::new(&merged, &self.types))?;
        if merged == payload {
            return Err(fault);
        }
        let rows = self.root.rows;
        let appended = self.root.append_root(&mut Cursor::new(&merged, &self.types), rows);
        if appended.is_err() {
            self.root.truncate(rows);
        }
        appended
    }

    /// Takes the rows read so far.
    pub(super) fn finish(&mut self) -> ArrayRef {
        self.root.finish()
    }
}

/// A column under construction.
#[derive(Clone)]
pub(super) struct Column {
    cells: Cells,
    /// Rows so far.
    rows: usize,
    /// Whether the last row holds something a payload had.
    is_set: bool,
    /// Which rows are null; only where the schema is optional.
    nulls: Option<Marks>,
    /// The wire type of one value.
    pub(super) wire: u8,
    /// The value is the one field of a message.
    pub(super) is_wrapper: bool,
    /// A message without it is refused.
    pub(super) is_required: bool,
    pub(super) absent: Absent,
    constant: Constant,
    /// Cells that a row without a value takes, with those of the columns inside.
    width: usize,
}

/// What stands for a field that a message does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Absent {
    /// The default of the field.
    Default,
    /// Null.
    Null,
    /// Nothing: the record fails with this message.
    Refused(String),
}

/// A default; the member that fits the column counts.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Constant {
    pub(super) number: i64,
    pub(super) double: f64,
    pub(super) bytes: Box<[u8]>,
}

/// How whole numbers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    Fixed32,
    Fixed64,
    Sfixed32,
    /// `int32`, `int64`, `uint64` and booleans.
    Varint,
    Uint32,
    Zigzag32,
    Zigzag64,
}

/// Cells of one type.
#[derive(Clone)]
enum Cells {
    Boolean(Marks),
    Bytes(VarCells),
    Date {
        cells: Vec<i32>,
        parts: Parts,
    },
    Decimal {
        cells: VarCells,
        scale: i32,
        parts: Parts,
        unscaled: Vec<u8>,
    },
    Double(Vec<f64>),
    EnumNumber {
        cells: Vec<i32>,
        names: Box<Names>,
    },
    EnumText {
        cells: VarCells,
        names: Box<Names>,
    },
    Float(Vec<f32>),
    Int16(Vec<i16>, Number),
    Int32(Vec<i32>, Number),
    Int64(Vec<i64>, Number),
    Int8(Vec<i8>, Number),
    List {
        offsets: Vec<i32>,
        item: Box<Column>,
        field: FieldRef,
    },
    Map(Box<MapCells>),
    Message(Box<MessageCells>),
    /// Messages that contain themselves, of the type `target`.
    Packed {
        cells: VarCells,
        target: usize,
    },
    Text {
        cells: VarCells,
        strict: bool,
    },
    Time {
        cells: Vec<i32>,
        parts: Parts,
    },
    Timestamp {
        cells: Vec<i64>,
        parts: Parts,
    },
    /// A STRUCT of which one field has a value: `chosen`, in the last row.
    Union {
        members: Vec<Column>,
        fields: Fields,
        chosen: Option<usize>,
    },
    /// As `Packed`, inside of such a message.
    Values {
        values: Vec<Value>,
        target: usize,
    },
}

/// The names of an enum's numbers.
#[derive(Clone)]
struct Names {
    /// Ascending.
    by_number: Vec<(i32, Box<[u8]>)>,
    enum_name: String,
    /// Numbers without a name are unknown fields.
    is_closed: bool,
}
