//! The Parquet schema of a Connect schema, as parquet-avro would write it.
//!
//! Built here and not by the Arrow converter, because the names and list forms differ. Definition and
//! repetition levels are the ones Arrow computes: items of two-level lists are required, so both forms have
//! the same levels.
//!
//! Source: `AvroData#fromConnectSchema` and `AvroSchemaConverter`, table in the S3 sink's Parquet format. Not
//! reproduced: ENUM and FIXED_LEN_BYTE_ARRAY annotations of Avro-born schemas, which are stored as their
//! base type.

use std::sync::Arc;

use lakeward_api::schema::{Kind, Logical, Schema};
use parquet::basic::{LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::errors::ParquetError;
use parquet::schema::types::{PrimitiveTypeBuilder, SchemaDescriptor, Type, TypePtr};

use crate::FormatError;

/// The schema of a file whose records are the STRUCT `schema`.
///
/// # Errors
/// Class `Record` when a STRUCT occurs that has no fields or contains itself: Parquet has no such groups.
pub(super) fn parquet_schema(schema: &Schema) -> Result<SchemaDescriptor, FormatError> {
    let lists = if has_optional_items(schema) { ListForm::ThreeLevels } else { ListForm::TwoLevels };
    let fields = struct_fields(schema, "record", lists)?;
    let name = schema.name.as_deref().unwrap_or(UNNAMED_RECORD);
    let root = Type::group_type_builder(name).with_fields(fields).build().map_err(encode)?;
    Ok(SchemaDescriptor::new(Arc::new(root)))
}

/// How ARRAYs are laid out; one form for the whole file.
#[derive(Clone, Copy)]
enum ListForm {
    ThreeLevels,
    TwoLevels,
}

fn struct_fields(schema: &Schema, path: &str, lists: ListForm) -> Result<Vec<TypePtr>, FormatError> {
    if schema.fields().is_empty() {
        return Err(FormatError::data(format!(
            "Parquet cannot store {path}: it is a STRUCT without fields. Remove it or give it a field."
        )));
    }
    let field = |field: &lakeward_api::schema::Field| {
        let path = format!("{path}.{}", field.name);
        value_type(&field.name, &field.schema, repetition(&field.schema), &path, lists)
    };
    schema.fields().iter().map(field).collect()
}

fn value_type(
    name: &str,
    schema: &Schema,
    repetition: Repetition,
    path: &str,
    lists: ListForm,
) -> Result<TypePtr, FormatError> {
    let group = |annotation: Option<LogicalType>, fields| {
        Type::group_type_builder(name)
            .with_repetition(repetition)
            .with_logical_type(annotation)
            .with_fields(fields)
            .build()
            .map(Arc::new)
            .map_err(encode)
    };
    match &schema.kind {
        Kind::Array(item) => {
            let item = |name: &str, repetition| value_type(name, item, repetition, path, lists);
            group(Some(LogicalType::List), vec![list_items(lists, schema_repetition(schema), item)?])
        }
        Kind::Map { key, value } => {
            let plain_keys = matches!(key.kind, Kind::String) && !key.optional;
            let entry = vec![
                value_type("key", key, Repetition::REQUIRED, path, lists)?,
                value_type("value", value, self::repetition(value), path, lists)?,
            ];
            if plain_keys {
                let entries = repeated_group("key_value", entry)?;
                return group(Some(LogicalType::Map), vec![entries]);
            }
            let entries = match lists {
                ListForm::TwoLevels => repeated_group("array", entry)?,
                ListForm::ThreeLevels => {
                    let element = Type::group_type_builder("element")
                        .with_repetition(Repetition::REQUIRED)
                        .with_fields(entry)
                        .build()
                        .map_err(encode)?;
                    repeated_group("list", vec![Arc::new(element)])?
                }
            };
            group(Some(LogicalType::List), vec![entries])
        }
        Kind::Recursive(_) => {
            let record = schema.name.as_deref().unwrap_or(UNNAMED_RECORD);
            Err(FormatError::data(format!(
                "Recursive Avro schemas are not supported by parquet-avro: {record}"
            )))
        }
        Kind::Struct(_) => group(None, struct_fields(schema, path, lists)?),
        _ => {
            let built = primitive(name, schema).with_repetition(repetition).build();
            built.map(Arc::new).map_err(encode)
        }
    }
}

/// The repeated child of a LIST group; `item` builds the item type under a name and repetition.
fn list_items(
    lists: ListForm,
    item_repetition: Repetition,
    item: impl Fn(&str, Repetition) -> Result<TypePtr, FormatError>,
) -> Result<TypePtr, FormatError> {
    match lists {
        ListForm::TwoLevels => item("array", Repetition::REPEATED),
        ListForm::ThreeLevels => repeated_group("list", vec![item("element", item_repetition)?]),
    }
}

fn repeated_group(name: &str, fields: Vec<TypePtr>) -> Result<TypePtr, FormatError> {
    let built =
        Type::group_type_builder(name).with_repetition(Repetition::REPEATED).with_fields(fields).build();
    built.map(Arc::new).map_err(encode)
}

fn primitive<'a>(name: &'a str, schema: &Schema) -> PrimitiveTypeBuilder<'a> {
    let physical = match schema.kind {
        Kind::Boolean => Physical::BOOLEAN,
        Kind::Float32 => Physical::FLOAT,
        Kind::Float64 => Physical::DOUBLE,
        Kind::Int8 | Kind::Int16 | Kind::Int32 => Physical::INT32,
        Kind::Int64 => Physical::INT64,
        Kind::Bytes
        | Kind::String
        | Kind::Array(_)
        | Kind::Map { .. }
        | Kind::Recursive(_)
        | Kind::Struct(_) => Physical::BYTE_ARRAY,
    };
    let builder = Type::primitive_type_builder(name, physical);
    match schema.logical() {
        Some(Logical::Date) => builder.with_logical_type(Some(LogicalType::Date)),
        Some(Logical::Time) => builder.with_logical_type(Some(LogicalType::time(true, TimeUnit::MILLIS))),
        Some(Logical::Timestamp) => {
            builder.with_logical_type(Some(LogicalType::timestamp(true, TimeUnit::MILLIS)))
        }
        Some(Logical::Decimal { scale }) => {
            let precision = decimal_precision(schema);
            if scale < 0 || scale > precision {
                return builder;
            }
            builder
                .with_logical_type(Some(LogicalType::decimal(scale, precision)))
                .with_precision(precision)
                .with_scale(scale)
        }
        None if schema.is_json_text() => builder.with_logical_type(Some(LogicalType::Json)),
        None if matches!(schema.kind, Kind::String) => builder.with_logical_type(Some(LogicalType::String)),
        None => builder,
    }
}

/// Digits of a Decimal column. Source: `AvroData`, `CONNECT_AVRO_DECIMAL_PRECISION_DEFAULT`.
fn decimal_precision(schema: &Schema) -> i32 {
    let given = schema.parameters.get("connect.decimal.precision").and_then(|text| text.parse().ok());
    given.filter(|digits| *digits > 0).unwrap_or(64)
}

fn repetition(schema: &Schema) -> Repetition {
    if schema.optional { Repetition::OPTIONAL } else { Repetition::REQUIRED }
}

fn has_optional_items(schema: &Schema) -> bool {
    match &schema.kind {
        Kind::Array(item) => item.optional || has_optional_items(item),
        Kind::Map { key, value } => has_optional_items(key) || has_optional_items(value),
        Kind::Struct(fields) => fields.iter().any(|field| has_optional_items(&field.schema)),
        _ => false,
    }
}

fn schema_repetition(list: &Schema) -> Repetition {
    match &list.kind {
        Kind::Array(item) => repetition(item),
        _ => Repetition::REQUIRED,
    }
}

fn encode(source: ParquetError) -> FormatError {
    FormatError::Encode { source }
}

/// Message name of structs without a name. Source: `AvroData`, `DEFAULT_SCHEMA_FULL_NAME`.
const UNNAMED_RECORD: &str = "io.confluent.connect.avro.ConnectDefault";
