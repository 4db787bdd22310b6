//! From columns to what writes them: by schema, and by shape.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    Time32MillisecondType, TimestampMillisecondType,
};
use arrow_array::{Array, ArrayRef, StructArray};
use arrow_schema::DataType;
use lakeward_api::schema::{Field, Kind, Logical, Schema};

use super::block::Text;
use super::cells::{
    AnyColumn, Binaries, Cells, Column, Decimals, Doubles, Flags, Floats, Integers, NullText, Nulls, Refused,
    hash_of_day, hash_of_word,
};
use super::nested::{List, Map, StructParts, Union};
use super::recursive::Recursives;
use super::sparse::Sparse;
use super::texts::Texts;
use super::{Form, NullForm, Untyped, hash, value};
use crate::FormatError;

/// A column of any type.
pub(super) type Any<'a> = Box<dyn AnyColumn + 'a>;

/// A column whose values have `schema`.
///
/// # Errors
/// Class `Record` when the array does not have the type of the schema.
pub(super) fn typed<'a>(schema: &'a Schema, array: &'a ArrayRef, form: Form) -> Result<Any<'a>, FormatError> {
    let wrong = || FormatError::data(format!("A column of {} does not fit its schema.", array.data_type()));
    let bind = Bind { array, null: null_text(schema, array, form)? };
    Ok(match (schema.logical(), &schema.kind) {
        (Some(Logical::Date), _) => {
            bind.column(Integers { numbers: numbers::<Date32Type>(array)?, hash: hash_of_day })
        }
        (Some(Logical::Time), _) => {
            bind.column(Integers { numbers: numbers::<Time32MillisecondType>(array)?, hash: hash_of_word })
        }
        (Some(Logical::Timestamp), _) => bind
            .column(Integers { numbers: numbers::<TimestampMillisecondType>(array)?, hash: hash::of_long }),
        (Some(Logical::Decimal { scale }), _) => {
            let unscaled = array.as_binary_opt().ok_or_else(wrong)?;
            bind.column(Decimals { unscaled, scale, format: form.decimals })
        }
        (_, Kind::Boolean) => bind.column(Flags(array.as_boolean_opt().ok_or_else(wrong)?)),
        (_, Kind::Bytes) => bind.column(Binaries(array.as_binary_opt().ok_or_else(wrong)?)),
        (_, Kind::Float32) => bind.column(Floats(numbers::<Float32Type>(array)?)),
        (_, Kind::Float64) => bind.column(Doubles(numbers::<Float64Type>(array)?)),
        (_, Kind::Int16) => {
            bind.column(Integers { numbers: numbers::<Int16Type>(array)?, hash: hash_of_word })
        }
        (_, Kind::Int32) => {
            bind.column(Integers { numbers: numbers::<Int32Type>(array)?, hash: hash_of_word })
        }
        (_, Kind::Int64) => {
            bind.column(Integers { numbers: numbers::<Int64Type>(array)?, hash: hash::of_long })
        }
        (_, Kind::Int8) => bind.column(Integers { numbers: numbers::<Int8Type>(array)?, hash: hash_of_word }),
        (_, Kind::String) => bind.column(Texts::new(array.as_string_opt().ok_or_else(wrong)?)),
        (_, Kind::Array(item)) => {
            let list = array.as_list_opt::<i32>().ok_or_else(wrong)?;
            bind.list(list.value_offsets(), list.values(), typed(item, list.values(), form)?)
        }
        (_, Kind::Map { key, value }) => {
            let map = array.as_map_opt().ok_or_else(wrong)?;
            let (keys, values) = (typed(key, map.keys(), form)?, typed(value, map.values(), form)?);
            let (form, offsets) = (form.dialect.map_form(key), map.value_offsets());
            match (plain_texts(map.keys()), plain_texts(map.values())) {
                (Some(keys), Some(values)) => bind.column(Map::new(form, offsets, keys, values)),
                (Some(keys), None) => bind.column(Map::new(form, offsets, keys, values)),
                _ => bind.column(Map::new(form, offsets, keys, values)),
            }
        }
        (_, Kind::Recursive(recursive)) => {
            let cells = array.as_binary_opt().ok_or_else(wrong)?;
            bind.column(Recursives::new(cells, *recursive, schema.optional, form))
        }
        (_, Kind::Struct(fields)) => {
            let inner = array.as_struct_opt().ok_or_else(wrong)?;
            let columns = fields.iter().zip(inner.columns());
            if form.dialect.is_union(schema) {
                let fields = columns.map(|(field, column)| typed(&field.schema, column, form));
                let fields = fields.collect::<Result<_, FormatError>>()?;
                return Ok(bind.column(Union { fields, is_optional: schema.optional }));
            }
            if is_sparse(schema, form) {
                return Ok(bind.column(sparse(columns, form)?));
            }
            let mut parts = StructParts::default();
            add_typed(&mut parts, schema, inner, form)?;
            bind.column(parts.finish())
        }
    })
}

/// Adds the fields of a STRUCT, and those of STRUCTs inside that are never null.
fn add_typed<'a>(
    parts: &mut StructParts<'a>,
    schema: &'a Schema,
    columns: &'a StructArray,
    form: Form,
) -> Result<(), FormatError> {
    let Kind::Struct(fields) = &schema.kind else { return Ok(()) };
    parts.push(b'{');
    for (position, (field, column)) in fields.iter().zip(columns.columns()).enumerate() {
        parts.name(position, &field.name);
        let inner = column.as_struct_opt().filter(|inner| inner.null_count() == 0);
        match inner {
            Some(inner) if is_object(&field.schema, form) => add_typed(parts, &field.schema, inner, form)?,
            _ => parts.column(typed(&field.schema, column, form)?),
        }
    }
    parts.push(b'}');
    Ok(())
}

fn is_object(schema: &Schema, form: Form) -> bool {
    let is_struct = matches!(schema.kind, Kind::Struct(_)) && schema.logical().is_none();
    is_struct && !form.dialect.is_union(schema) && !is_sparse(schema, form)
}

/// The columns of fields of which some may be left out.
fn sparse<'a>(
    columns: impl Iterator<Item = (&'a Field, &'a ArrayRef)>,
    form: Form,
) -> Result<Sparse<'a>, FormatError> {
    let mut sparse = Sparse::default();
    for (field, column) in columns {
        sparse.push(&field.name, typed(&field.schema, column, form)?);
    }
    Ok(sparse)
}

/// Whether fields of a STRUCT may be left out.
fn is_sparse(schema: &Schema, form: Form) -> bool {
    schema.fields().iter().any(|field| form.dialect.may_be_absent(&field.schema))
}

fn null_text(schema: &Schema, array: &ArrayRef, form: Form) -> Result<NullText, FormatError> {
    Ok(match &schema.default {
        Some(default) if form.nulls == NullForm::Default && array.null_count() > 0 => {
            let mut text = Vec::new();
            value::append_typed(&mut text, schema, default, form)?;
            NullText::Default(Text::new(&text), text.len())
        }
        _ if schema.optional => NullText::Null,
        _ => NullText::Refuse,
    })
}

/// A column of schemaless values. What the types mean: [`lakeward_api::shaped`].
///
/// # Panics
/// When the type of `array` is no shape.
pub(super) fn shaped(array: &ArrayRef, untyped: Untyped) -> Any<'_> {
    let bind = Bind { array, null: NullText::Null };
    match array.data_type() {
        DataType::Null => bind.column(Nulls),
        DataType::Boolean => bind.column(Flags(array.as_boolean())),
        DataType::Int8 => bind.column(shape_numbers::<Int8Type>(array)),
        DataType::Int16 => bind.column(shape_numbers::<Int16Type>(array)),
        DataType::Int32 => bind.column(shape_numbers::<Int32Type>(array)),
        DataType::Int64 => bind.column(shape_numbers::<Int64Type>(array)),
        DataType::Float32 => bind.column(Floats(array.as_primitive::<Float32Type>().values())),
        DataType::Float64 => bind.column(Doubles(array.as_primitive::<Float64Type>().values())),
        DataType::Utf8 => bind.column(Texts::new(array.as_string())),
        DataType::Binary => bind.column(Binaries(array.as_binary())),
        DataType::Timestamp(..) if untyped == Untyped::Refuse => bind.column(Refused("java.util.Date")),
        DataType::Timestamp(..) => bind.column(shape_numbers::<TimestampMillisecondType>(array)),
        DataType::List(_) => {
            let list = array.as_list::<i32>();
            bind.list(list.value_offsets(), list.values(), shaped(list.values(), untyped))
        }
        DataType::Struct(_) => {
            let mut parts = StructParts::default();
            add_shaped(&mut parts, array.as_struct(), untyped);
            bind.column(parts.finish())
        }
        other => unreachable!("{other} is no shape"),
    }
}

/// Adds the entries of a map, in the order of Java's `HashMap`, and those of maps inside that are never null.
fn add_shaped<'a>(parts: &mut StructParts<'a>, columns: &'a StructArray, untyped: Untyped) {
    let names = columns.fields();
    parts.push(b'{');
    let sorted: Result<(), ()> = hash::in_order(
        names.len(),
        |index| hash::of_text(names[index].name()),
        |position, index| {
            parts.name(position, names[index].name());
            let column = columns.column(index);
            match column.as_struct_opt().filter(|inner| inner.null_count() == 0) {
                Some(inner) => add_shaped(parts, inner, untyped),
                None => parts.column(shaped(column, untyped)),
            }
            Ok(())
        },
    );
    debug_assert_eq!(sorted, Ok(()), "nothing fails here");
    parts.push(b'}');
}

/// Numbers of a shape; nothing asks for their hash, because keys of maps are names.
fn shape_numbers<T: ArrowPrimitiveType>(array: &ArrayRef) -> Integers<'_, T::Native>
where
    T::Native: Into<i64>,
{
    Integers { numbers: array.as_primitive::<T>().values(), hash: hash_of_word }
}

fn numbers<T: ArrowPrimitiveType>(array: &ArrayRef) -> Result<&[T::Native], FormatError> {
    let numbers = array.as_primitive_opt::<T>().ok_or_else(|| {
        FormatError::data(format!("A column of {} does not fit its schema.", array.data_type()))
    })?;
    Ok(numbers.values())
}

/// Texts without nulls, the most usual items of lists and maps: known here, so that none needs a call.
fn plain_texts(array: &ArrayRef) -> Option<Texts<'_>> {
    array.as_string_opt().filter(|_| array.null_count() == 0).map(Texts::new)
}

/// A column and what its nulls become.
struct Bind<'a> {
    array: &'a ArrayRef,
    null: NullText,
}

impl<'a> Bind<'a> {
    fn column<C: Cells + 'a>(self, cells: C) -> Any<'a> {
        Box::new(Column::new(self.array.nulls(), self.null, cells))
    }

    /// A list of `items`, which are made of `column`.
    fn list(self, offsets: &'a [i32], column: &'a ArrayRef, items: Any<'a>) -> Any<'a> {
        match plain_texts(column) {
            Some(items) => self.column(List { offsets, items }),
            None => self.column(List { offsets, items }),
        }
    }
}
