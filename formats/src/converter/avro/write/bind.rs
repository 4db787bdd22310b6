//! Writers with the columns they read.

use arrow_array::Array;
use arrow_array::BooleanArray;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, Time32MillisecondType,
    TimestampMillisecondType,
};
use arrow_buffer::NullBuffer;
use arrow_schema::DataType;

use super::{Form, Node, block};

/// A writer and its column.
pub(in super::super) struct Bound<'a> {
    pub(super) node: &'a Node,
    /// The writers of what places of recursion stand for.
    pub(super) places: &'a [Node],
    pub(super) nulls: Option<&'a NullBuffer>,
    /// The same by 64 rows; nothing when there are no nulls.
    pub(super) valid: Vec<u64>,
    pub(super) cells: Cells<'a>,
    /// Bytes that a cell takes at most besides those of texts, bytes and items.
    pub(super) width: usize,
    /// What `block` writes by itself.
    pub(super) is_quick: bool,
}

/// The content of a column.
pub(super) enum Cells<'a> {
    Boolean(&'a BooleanArray),
    Double(&'a [f64]),
    Float(&'a [f32]),
    Int16(&'a [i16]),
    Int32(&'a [i32]),
    Int64(&'a [i64]),
    Int8(&'a [i8]),
    List {
        offsets: &'a [i32],
        item: Box<Bound<'a>>,
    },
    Map {
        offsets: &'a [i32],
        key: Box<Bound<'a>>,
        value: Box<Bound<'a>>,
    },
    /// One per writer of the record or union.
    Struct(Vec<Bound<'a>>),
    Var {
        offsets: &'a [i32],
        data: &'a [u8],
    },
}

impl<'a> Bound<'a> {
    /// Binds `node` to `array`. Recursion is bounded by the depth of the schema.
    pub(super) fn new(node: &'a Node, array: &'a dyn Array, places: &'a [Node]) -> Self {
        let cells = match (&node.form, array.data_type()) {
            (Form::Boolean, _) => Cells::Boolean(array.as_boolean()),
            (Form::Double, _) => Cells::Double(array.as_primitive::<Float64Type>().values()),
            (Form::Float, _) => Cells::Float(array.as_primitive::<Float32Type>().values()),
            (Form::Integer { .. }, kind) => integers(array, kind),
            (Form::String | Form::Enum { .. }, _) => {
                let texts = array.as_string::<i32>();
                Cells::Var { offsets: texts.value_offsets(), data: texts.value_data() }
            }
            (
                Form::Bytes
                | Form::Decimal
                | Form::DecimalFixed { .. }
                | Form::Fixed { .. }
                | Form::Recursive(_),
                _,
            ) => {
                let bytes = array.as_binary::<i32>();
                Cells::Var { offsets: bytes.value_offsets(), data: bytes.value_data() }
            }
            (Form::List(item), _) => {
                let list = array.as_list::<i32>();
                let item = Box::new(Self::new(item, list.values(), places));
                Cells::List { offsets: list.value_offsets(), item }
            }
            (Form::Map { key, value } | Form::Entries { key, value, .. }, _) => {
                let map = array.as_map();
                let (key, value) =
                    (Self::new(key, map.keys(), places), Self::new(value, map.values(), places));
                Cells::Map { offsets: map.value_offsets(), key: Box::new(key), value: Box::new(value) }
            }
            (Form::Struct(members), _) => {
                let columns = array.as_struct().columns();
                Cells::Struct(
                    members.iter().map(|(at, node)| Self::new(node, &columns[*at], places)).collect(),
                )
            }
            (Form::Union { branches, .. }, _) => {
                let columns = array.as_struct().columns().iter();
                Cells::Struct(
                    branches
                        .iter()
                        .zip(columns)
                        .map(|((_, node), column)| Self::new(node, column, places))
                        .collect(),
                )
            }
        };
        let nulls = array.nulls().filter(|nulls| nulls.null_count() > 0);
        let valid = nulls.map(|nulls| nulls.inner().bit_chunks().iter_padded().collect());
        let width = 1 + block::width(&node.form, &cells);
        let width = node.default.as_ref().map_or(width, |default| width.max(default.len()));
        let is_quick = !matches!(
            node.form,
            Form::Decimal
                | Form::DecimalFixed { .. }
                | Form::Entries { .. }
                | Form::Enum { .. }
                | Form::Fixed { .. }
                | Form::Recursive(_)
                | Form::Union { .. }
        );
        Self { node, places, nulls, valid: valid.unwrap_or_default(), cells, width, is_quick }
    }
}

fn integers<'a>(array: &'a dyn Array, kind: &DataType) -> Cells<'a> {
    match kind {
        DataType::Int8 => Cells::Int8(array.as_primitive::<Int8Type>().values()),
        DataType::Int16 => Cells::Int16(array.as_primitive::<Int16Type>().values()),
        DataType::Date32 => Cells::Int32(array.as_primitive::<Date32Type>().values()),
        DataType::Time32(_) => Cells::Int32(array.as_primitive::<Time32MillisecondType>().values()),
        DataType::Timestamp(..) => Cells::Int64(array.as_primitive::<TimestampMillisecondType>().values()),
        DataType::Int64 => Cells::Int64(array.as_primitive::<Int64Type>().values()),
        _ => Cells::Int32(array.as_primitive::<Int32Type>().values()),
    }
}
