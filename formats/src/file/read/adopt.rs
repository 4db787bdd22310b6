//! Columns of a Parquet file as Connect's own, where the two differ: small numbers, decimals, fixed bytes,
//! enums, and maps that are lists of entries. Fields are found by their place: the file's types and the Avro
//! schema beside them were made of one schema.
//!
//! Source: `AvroData#toConnectData`; the table of `file::parquet::schema`, read from right to left.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Decimal256Type, Int32Type};
use arrow_array::{
    Array, ArrayRef, BinaryArray, Int8Array, Int16Array, ListArray, MapArray, StringArray, StructArray,
};
use arrow_schema::{ArrowError, DataType};
use lakeward_api::schema::{Kind, Logical, Schema};

use crate::FormatError;

/// The rows of `array` as values of `schema`, of type `schema.arrow_type()`.
///
/// # Errors
/// Class `Record` when the column is none of this schema.
pub(super) fn column(array: &dyn Array, schema: &Schema) -> Result<ArrayRef, FormatError> {
    let wanted = schema.arrow_type();
    let is_nested = matches!(schema.kind, Kind::Array(_) | Kind::Map { .. } | Kind::Struct(_));
    if *array.data_type() == wanted && !is_nested {
        return Ok(arrow_array::make_array(array.to_data()));
    }
    Ok(match (&schema.kind, array.data_type()) {
        (Kind::Int8, DataType::Int32) => {
            let cells = array.as_primitive::<Int32Type>();
            let small: Int8Array =
                cells.try_unary(|cell| i8::try_from(cell).map_err(small_number)).map_err(broken)?;
            Arc::new(small)
        }
        (Kind::Int16, DataType::Int32) => {
            let cells = array.as_primitive::<Int32Type>();
            let small: Int16Array =
                cells.try_unary(|cell| i16::try_from(cell).map_err(small_number)).map_err(broken)?;
            Arc::new(small)
        }
        (Kind::Bytes, _) if matches!(schema.logical(), Some(Logical::Decimal { .. })) => {
            decimal(array, schema)?
        }
        (Kind::Bytes, DataType::FixedSizeBinary(_)) => {
            Arc::new(array.as_fixed_size_binary().iter().collect::<BinaryArray>())
        }
        (Kind::Bytes, DataType::Utf8) => Arc::new(BinaryArray::from(array.as_string::<i32>().clone())),
        (Kind::String, DataType::Binary) => {
            Arc::new(StringArray::try_from_binary(array.as_binary::<i32>().clone()).map_err(broken)?)
        }
        (Kind::Array(item), DataType::List(_)) => {
            let DataType::List(field) = wanted else { return Err(unexpected(array, schema)) };
            let list = array.as_list::<i32>();
            let items = column(list.values(), item)?;
            let (offsets, nulls) = (list.offsets().clone(), list.nulls().cloned());
            Arc::new(ListArray::try_new(field, offsets, items, nulls).map_err(broken)?)
        }
        (Kind::Map { key, value }, DataType::Map(..) | DataType::List(_)) => map(array, schema, key, value)?,
        (Kind::Struct(fields), DataType::Struct(_)) => {
            let record = array.as_struct();
            if record.num_columns() != fields.len() {
                return Err(unexpected(array, schema));
            }
            let columns = record.columns().iter().zip(fields);
            let columns =
                columns.map(|(array, field)| column(array, &field.schema)).collect::<Result<_, _>>()?;
            let nulls = record.nulls().cloned();
            let built = StructArray::try_new_with_length(schema.arrow_fields(), columns, nulls, record.len());
            Arc::new(built.map_err(broken)?)
        }
        _ => return Err(unexpected(array, schema)),
    })
}

/// Maps, and lists of entries.
fn map(array: &dyn Array, schema: &Schema, key: &Schema, value: &Schema) -> Result<ArrayRef, FormatError> {
    let DataType::Map(field, sorted) = schema.arrow_type() else { return Err(unexpected(array, schema)) };
    let DataType::Struct(entry_fields) = field.data_type() else { return Err(unexpected(array, schema)) };
    let (entries, offsets) = match array.data_type() {
        DataType::Map(..) => {
            let map = array.as_map();
            (map.entries(), map.offsets())
        }
        _ => {
            let list = array.as_list::<i32>();
            let Some(entries) = list.values().as_struct_opt() else { return Err(unexpected(array, schema)) };
            (entries, list.offsets())
        }
    };
    let [keys, values] = entries.columns() else { return Err(unexpected(array, schema)) };
    let columns = vec![column(keys, key)?, column(values, value)?];
    let entries = StructArray::try_new(entry_fields.clone(), columns, None).map_err(broken)?;
    let nulls = array.nulls().cloned();
    Ok(Arc::new(MapArray::try_new(field, offsets.clone(), entries, nulls, sorted).map_err(broken)?))
}

/// Unscaled numbers, as short as Java keeps them.
fn decimal(array: &dyn Array, schema: &Schema) -> Result<ArrayRef, FormatError> {
    let cells: BinaryArray = match array.data_type() {
        DataType::Decimal128(..) => {
            let cells = array.as_primitive::<Decimal128Type>();
            cells.iter().map(|cell| cell.map(|cell| shortest(&cell.to_be_bytes()).to_vec())).collect()
        }
        DataType::Decimal256(..) => {
            let cells = array.as_primitive::<Decimal256Type>();
            cells.iter().map(|cell| cell.map(|cell| shortest(&cell.to_be_bytes()).to_vec())).collect()
        }
        DataType::FixedSizeBinary(_) => {
            array.as_fixed_size_binary().iter().map(|cell| cell.map(shortest)).collect()
        }
        _ => return Err(unexpected(array, schema)),
    };
    Ok(Arc::new(cells))
}

use crate::converter::avro::shortest;

fn small_number(_: std::num::TryFromIntError) -> ArrowError {
    ArrowError::CastError("a number is larger than its type".to_owned())
}

fn unexpected(array: &dyn Array, schema: &Schema) -> FormatError {
    let (kind, found) = (schema.kind.name(), array.data_type());
    FormatError::data(format!("The Parquet file has a column of {found} where its Avro schema has {kind}"))
}

fn broken(source: ArrowError) -> FormatError {
    FormatError::data(format!("The Parquet file cannot be read: {source}"))
}
