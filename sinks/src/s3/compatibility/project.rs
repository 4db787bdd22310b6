//! Columns of one schema as columns of another.
//!
//! Fields are found by name, numbers widened, defaults filled in, fields that the file lacks left out. Only
//! called for schemas that [`super::check::can_project`] allows.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type};
use arrow_array::{
    Array, ArrayRef, ArrowPrimitiveType, BooleanArray, ListArray, MapArray, PrimitiveArray, StructArray,
    new_null_array,
};
use arrow_schema::{ArrowError, DataType};
use arrow_select::zip::zip;
use lakeward_api::ConnectError;
use lakeward_api::batch::Values;
use lakeward_api::rows;
use lakeward_api::schema::{Kind, Schema};
use lakeward_api::value::Value;

use super::projector_error;

/// `values` under the schema `to`.
///
/// # Errors
/// Class `Record` (`SchemaProjectorException`) when a value has no form there, `Fatal` beyond Arrow's limits.
pub(crate) fn project(values: &Values, to: &Arc<Schema>) -> Result<Values, ConnectError> {
    match values {
        Values::Typed { schema, array } if !Arc::ptr_eq(schema, to) && schema != to => {
            let array = column(array, schema, to)?;
            Ok(Values::Typed { schema: Arc::clone(to), array })
        }
        other => Ok(other.clone()),
    }
}

fn column(array: &ArrayRef, from: &Schema, to: &Schema) -> Result<ArrayRef, ConnectError> {
    let array = match (&from.kind, &to.kind) {
        (Kind::Struct(_), Kind::Struct(_)) => structs(array.as_struct(), from, to)?,
        (Kind::Array(from), Kind::Array(to)) => lists(array.as_list(), from, to)?,
        (Kind::Map { key, value }, Kind::Map { key: to_key, value: to_value }) => {
            maps(array.as_map(), (key, value), (to_key, to_value), to)?
        }
        _ if array.data_type() == &to.arrow_type() => Arc::clone(array),
        _ => promoted(array, to)?,
    };
    match &to.default {
        Some(default) if from.optional && !to.optional => filled(&array, to, default),
        _ => Ok(array),
    }
}

fn structs(array: &StructArray, from: &Schema, to: &Schema) -> Result<ArrayRef, ConnectError> {
    let mut columns = Vec::with_capacity(to.fields().len());
    for field in to.fields() {
        let to = &*field.schema;
        columns.push(match from.field(&field.name) {
            Some((at, field)) => {
                let from = &*field.schema;
                let mut cells = Arc::clone(array.column(at));
                // Java reads a null as the field's own default before it looks at the file's.
                if let Some(default) = &from.default {
                    cells = filled(&cells, from, default)?;
                }
                column(&cells, from, to)?
            }
            None if to.optional => new_null_array(&to.arrow_type(), array.len()),
            None => {
                let default = to.default.as_ref().ok_or_else(|| {
                    projector_error(format!("Required field `{}` is missing from source schema", field.name))
                })?;
                rows::constant(to, default, array.len())?
            }
        });
    }
    if columns.is_empty() {
        return Ok(Arc::new(StructArray::new_empty_fields(array.len(), array.nulls().cloned())));
    }
    let built = StructArray::try_new(to.arrow_fields(), columns, array.nulls().cloned());
    Ok(Arc::new(built.map_err(|err| failed(&err))?))
}

fn lists(array: &ListArray, from: &Schema, to: &Schema) -> Result<ArrayRef, ConnectError> {
    let items = column(array.values(), from, to)?;
    let field = Arc::new(to.arrow_field("item"));
    let built = ListArray::try_new(field, array.offsets().clone(), items, array.nulls().cloned());
    Ok(Arc::new(built.map_err(|err| failed(&err))?))
}

fn maps(
    array: &MapArray,
    (key, value): (&Schema, &Schema),
    (to_key, to_value): (&Schema, &Schema),
    to: &Schema,
) -> Result<ArrayRef, ConnectError> {
    let columns = vec![column(array.keys(), key, to_key)?, column(array.values(), value, to_value)?];
    let DataType::Map(entries, _) = to.arrow_type() else { unreachable!("a MAP is a Map") };
    let DataType::Struct(fields) = entries.data_type() else { unreachable!("Map entries") };
    let built = StructArray::try_new(fields.clone(), columns, None).and_then(|columns| {
        MapArray::try_new(
            Arc::clone(&entries),
            array.offsets().clone(),
            columns,
            array.nulls().cloned(),
            false,
        )
    });
    Ok(Arc::new(built.map_err(|err| failed(&err))?))
}

/// Numbers, widened. Source: `SchemaProjector#projectPrimitive`.
fn promoted(array: &ArrayRef, to: &Schema) -> Result<ArrayRef, ConnectError> {
    let widened = match array.data_type() {
        DataType::Int8 => widen::<Int8Type>(array, to),
        DataType::Int16 => widen::<Int16Type>(array, to),
        DataType::Int32 => widen::<Int32Type>(array, to),
        DataType::Int64 => long(array, to),
        DataType::Float32 => match to.kind {
            Kind::Float64 => Some(unary::<Float32Type, Float64Type>(array, f64::from)),
            _ => None,
        },
        _ => None,
    };
    widened.ok_or_else(|| projector_error("Not promotable type.".to_owned()))
}

fn widen<T>(array: &ArrayRef, to: &Schema) -> Option<ArrayRef>
where
    T: ArrowPrimitiveType,
    T::Native: Into<i32>,
{
    Some(match to.kind {
        Kind::Int16 => unary::<T, Int16Type>(array, |number| {
            let number: i32 = number.into();
            number as i16
        }),
        Kind::Int32 => unary::<T, Int32Type>(array, Into::into),
        Kind::Int64 => unary::<T, Int64Type>(array, |number| i64::from(number.into())),
        Kind::Float32 => unary::<T, Float32Type>(array, |number| {
            let number: i32 = number.into();
            number as f32
        }),
        Kind::Float64 => unary::<T, Float64Type>(array, |number| f64::from(number.into())),
        _ => return None,
    })
}

fn long(array: &ArrayRef, to: &Schema) -> Option<ArrayRef> {
    Some(match to.kind {
        Kind::Float32 => unary::<Int64Type, Float32Type>(array, |number| number as f32),
        Kind::Float64 => unary::<Int64Type, Float64Type>(array, |number| number as f64),
        _ => return None,
    })
}

fn unary<F: ArrowPrimitiveType, T: ArrowPrimitiveType>(
    array: &ArrayRef,
    convert: impl Fn(F::Native) -> T::Native,
) -> ArrayRef {
    let widened: PrimitiveArray<T> = array.as_primitive::<F>().unary(convert);
    Arc::new(widened)
}

/// The cells with `default` in place of nulls.
///
/// # Errors
/// Class `Fatal` beyond Arrow's limits, `Record` when the default is no value of its schema.
pub(crate) fn filled(array: &ArrayRef, schema: &Schema, default: &Value) -> Result<ArrayRef, ConnectError> {
    if array.null_count() == 0 || default.is_null() {
        return Ok(Arc::clone(array));
    }
    let nulls: BooleanArray = (0..array.len()).map(|row| Some(array.is_null(row))).collect();
    let defaults = rows::constant(schema, default, array.len())?;
    zip(&nulls, &defaults, array).map_err(|err| failed(&err))
}

fn failed(err: &ArrowError) -> ConnectError {
    ConnectError::fatal(format!("rows could not be brought to the schema of their file: {err}"))
}
