//! Columns to payloads: a tree of writers per schema, bound to the columns of a batch.
//!
//! Source: Avro 1.12 specification, "Binary encoding"; `GenericDatumWriter`, `BinaryEncoder`.

mod bind;
mod build;
mod row;

use arrow_array::Array;
use lakeward_api::schema::Schema;

use super::fault::Converted;
use super::mapping::Mapping;
use super::schema::{AvroSchema, Shape};

pub(super) use bind::Bound;

/// Writes values of one Connect schema with one Avro schema.
pub(super) struct Writer {
    root: Node,
    /// Bytes that are the whole payload, without a length in front.
    is_raw: bool,
}

impl Writer {
    /// A writer of values of `schema` with `avro`.
    ///
    /// # Errors
    /// A `DataException` when `avro` is no schema for such values.
    pub(super) fn new(avro: &AvroSchema, schema: &Schema, mapping: Mapping) -> Converted<Self> {
        let root = build::node(avro, avro.root, schema, mapping)?;
        Ok(Self { root, is_raw: matches!(avro.root_type().shape, Shape::Bytes) })
    }

    /// The writer, bound to a column of the schema's Arrow type.
    ///
    /// # Panics
    /// When the column is of another type: columns and schemas are made together.
    pub(super) fn bind<'a>(&'a self, array: &'a dyn Array) -> Bound<'a> {
        Bound::new(&self.root, array)
    }

    /// Appends row `row`, which is not null.
    #[inline]
    pub(super) fn write(&self, bound: &Bound<'_>, row: usize, out: &mut Vec<u8>) -> Converted<()> {
        if self.is_raw { bound.write_raw(row, out) } else { bound.write(row, out) }
    }
}

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
    Integer,
    List(Box<Node>),
    Map {
        key: Box<Node>,
        value: Box<Node>,
    },
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
pub(super) fn write_long(out: &mut Vec<u8>, number: i64) {
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
