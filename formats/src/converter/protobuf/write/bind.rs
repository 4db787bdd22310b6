//! Designs with the columns they read.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, Time32MillisecondType,
    TimestampMillisecondType,
};
use arrow_array::{Array, ArrayRef, BooleanArray};
use arrow_buffer::NullBuffer;
use arrow_schema::DataType;
use lakeward_api::rows;

use super::super::fault::{Converted, data};
use super::super::mapping::{FieldDesign, Form, MessageDesign, Presence};

/// A field and its column.
pub(in super::super) struct Bound<'a> {
    pub(super) number: u32,
    pub(super) form: &'a Form,
    pub(super) is_implicit: bool,
    /// Nulls of the STRUCT that a oneof is, and its other members up to this one: the first with a value
    /// counts.
    pub(super) before: Vec<Option<&'a NullBuffer>>,
    pub(super) union: Option<Union<'a>>,
    pub(super) nulls: Option<&'a NullBuffer>,
    pub(super) cells: Cells<'a>,
    /// The field as it is written for null.
    pub(super) default: Option<Vec<u8>>,
}

/// The STRUCT that a oneof is.
pub(super) struct Union<'a> {
    pub(super) nulls: Option<&'a NullBuffer>,
    /// All members, for the check that one has a value; only at the first of them.
    pub(super) members: Vec<Option<&'a NullBuffer>>,
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
    List { offsets: &'a [i32], item: Box<Bound<'a>> },
    Map { offsets: &'a [i32], key: Box<Bound<'a>>, value: Box<Bound<'a>> },
    Message(Vec<Bound<'a>>),
    Var { offsets: &'a [i32], data: &'a [u8] },
}

/// The fields of a message. Recursion is bounded by the depth of the schema.
pub(super) fn message<'a>(design: &'a MessageDesign, array: &'a dyn Array) -> Converted<Vec<Bound<'a>>> {
    let columns = array.as_struct().columns();
    design.fields.iter().map(|field| bind(field, design, columns)).collect()
}

fn bind<'a>(
    field: &'a FieldDesign,
    around: &'a MessageDesign,
    columns: &'a [ArrayRef],
) -> Converted<Bound<'a>> {
    let column = &columns[field.column];
    let Some(member) = field.member else { return Bound::new(field, around, column) };
    let members = column.as_struct().columns();
    let mut bound = Bound::new(field, around, &members[member])?;
    bound.before = members[..member].iter().map(|other| other.nulls()).collect();
    let members = if member == 0 { members.iter().map(|other| other.nulls()).collect() } else { Vec::new() };
    bound.union = Some(Union { nulls: column.nulls(), members });
    Ok(bound)
}

impl<'a> Bound<'a> {
    fn new(field: &'a FieldDesign, around: &'a MessageDesign, array: &'a ArrayRef) -> Converted<Self> {
        let mut bound = Self::of_value_or_list(&field.form, Some(around), array, field.is_list)?;
        bound.number = field.number;
        bound.is_implicit = field.presence == Presence::Implicit;
        if let Cells::List { item, .. } = &mut bound.cells {
            item.number = field.number;
        }
        if let Some((schema, value)) = &field.default {
            let column: ArrayRef = rows::constant(schema, value, 1)
                .map_err(|error| data(format!("The default of a field does not fit it: {error}")))?;
            let mut inner = Bound::of_value_or_list(&field.form, Some(around), &*column, field.is_list)?;
            (inner.number, inner.is_implicit) = (field.number, bound.is_implicit);
            if let Cells::List { item, .. } = &mut inner.cells {
                item.number = field.number;
            }
            let mut encoded = Vec::new();
            inner.write_value(0, &mut encoded)?;
            bound.default = Some(encoded);
        }
        Ok(bound)
    }

    /// A value without a field around it.
    pub(super) fn of_value(form: &'a Form, array: &'a dyn Array) -> Converted<Self> {
        Self::of_value_or_list(form, None, array, false)
    }

    fn of_value_or_list(
        form: &'a Form,
        around: Option<&'a MessageDesign>,
        array: &'a dyn Array,
        is_list: bool,
    ) -> Converted<Self> {
        let cells = if is_list {
            let list = array.as_list::<i32>();
            let item = Box::new(Self::of_value_or_list(form, around, list.values(), false)?);
            Cells::List { offsets: list.value_offsets(), item }
        } else {
            cells(form, around, array)?
        };
        Ok(Self {
            number: 0,
            form,
            is_implicit: false,
            before: Vec::new(),
            union: None,
            nulls: array.nulls().filter(|nulls| nulls.null_count() > 0),
            cells,
            default: None,
        })
    }
}

fn cells<'a>(
    form: &'a Form,
    around: Option<&'a MessageDesign>,
    array: &'a dyn Array,
) -> Converted<Cells<'a>> {
    Ok(match (form, array.data_type()) {
        (Form::Map { key, value }, _) => {
            let map = array.as_map();
            let around = around.unwrap_or(&NONE);
            let (key, value) =
                (Bound::new(key, around, map.keys())?, Bound::new(value, around, map.values())?);
            Cells::Map { offsets: map.value_offsets(), key: Box::new(key), value: Box::new(value) }
        }
        (Form::Message(design), _) => Cells::Message(message(design, array)?),
        // Without any value it has not been taken apart.
        (Form::Recursive(_), DataType::Struct(_)) => Cells::Message(message(around.unwrap_or(&NONE), array)?),
        (_, DataType::Boolean) => Cells::Boolean(array.as_boolean()),
        (_, DataType::Float64) => Cells::Double(array.as_primitive::<Float64Type>().values()),
        (_, DataType::Float32) => Cells::Float(array.as_primitive::<Float32Type>().values()),
        (_, DataType::Int8) => Cells::Int8(array.as_primitive::<Int8Type>().values()),
        (_, DataType::Int16) => Cells::Int16(array.as_primitive::<Int16Type>().values()),
        (_, DataType::Int32) => Cells::Int32(array.as_primitive::<Int32Type>().values()),
        (_, DataType::Date32) => Cells::Int32(array.as_primitive::<Date32Type>().values()),
        (_, DataType::Time32(_)) => Cells::Int32(array.as_primitive::<Time32MillisecondType>().values()),
        (_, DataType::Int64) => Cells::Int64(array.as_primitive::<Int64Type>().values()),
        (_, DataType::Timestamp(..)) => {
            Cells::Int64(array.as_primitive::<TimestampMillisecondType>().values())
        }
        (_, DataType::Utf8) => {
            let texts = array.as_string::<i32>();
            Cells::Var { offsets: texts.value_offsets(), data: texts.value_data() }
        }
        _ => {
            let bytes = array.as_binary::<i32>();
            Cells::Var { offsets: bytes.value_offsets(), data: bytes.value_data() }
        }
    })
}

/// The message around values that are in none.
static NONE: MessageDesign = MessageDesign { fields: Vec::new(), has_cycle: false };
