//! The Connect schema of a Parquet file that declares no Avro schema: what its own types say.
//!
//! Source: `AvroSchemaConverter#convert` of parquet-avro, then `AvroData#toConnectSchema`.

use std::sync::Arc;

use arrow_schema::{DataType, Field as ArrowField, Fields, TimeUnit};
use lakeward_api::schema::{Field, Kind, Logical, Schema};

use crate::FormatError;

/// The STRUCT of `fields`.
///
/// # Errors
/// Class `Record` for types that Connect does not have.
pub(super) fn schema(fields: &Fields) -> Result<Schema, FormatError> {
    Ok(Schema::new(Kind::Struct(members(fields)?)))
}

fn members(fields: &Fields) -> Result<Vec<Field>, FormatError> {
    let member = |field: &Arc<ArrowField>| {
        Ok(Field { name: field.name().as_str().into(), schema: Arc::new(of_field(field)?) })
    };
    fields.iter().map(member).collect()
}

fn of_field(field: &ArrowField) -> Result<Schema, FormatError> {
    let schema = match field.data_type() {
        DataType::Boolean => Schema::new(Kind::Boolean),
        DataType::Int8 => Schema::new(Kind::Int8),
        DataType::Int16 => Schema::new(Kind::Int16),
        DataType::Int32 => Schema::new(Kind::Int32),
        DataType::Int64 => Schema::new(Kind::Int64),
        DataType::Float32 => Schema::new(Kind::Float32),
        DataType::Float64 => Schema::new(Kind::Float64),
        DataType::Utf8 => Schema::new(Kind::String),
        DataType::Binary | DataType::FixedSizeBinary(_) => Schema::new(Kind::Bytes),
        DataType::Date32 => Schema::logical_of(Logical::Date),
        DataType::Time32(TimeUnit::Millisecond) => Schema::logical_of(Logical::Time),
        DataType::Timestamp(TimeUnit::Millisecond, Some(_)) => Schema::logical_of(Logical::Timestamp),
        DataType::Decimal128(_, scale) | DataType::Decimal256(_, scale) => {
            Schema::logical_of(Logical::Decimal { scale: i32::from(*scale) })
        }
        DataType::List(item) => Schema::new(Kind::Array(Arc::new(of_field(item)?))),
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(entry) if entry.len() == 2 => {
                let (key, value) = (Arc::new(of_field(&entry[0])?), Arc::new(of_field(&entry[1])?));
                Schema::new(Kind::Map { key, value })
            }
            other => return Err(unknown(field, other)),
        },
        DataType::Struct(fields) => Schema::new(Kind::Struct(members(fields)?)),
        other => return Err(unknown(field, other)),
    };
    Ok(Schema { optional: field.is_nullable(), ..schema })
}

fn unknown(field: &ArrowField, kind: &DataType) -> FormatError {
    FormatError::data(format!(
        "The Parquet file has a column {} of type {kind}, which Connect does not have",
        field.name()
    ))
}
