//! The Parquet schema of a Connect schema, as parquet-avro would write it.
//!
//! Built here and not by the Arrow converter, because the names and list forms differ. Definition and
//! repetition levels are the ones Arrow computes for the columns of `columns`: items of two-level lists are
//! required, so both forms have the same levels.
//!
//! Source: `AvroData#fromConnectSchema` and `AvroSchemaConverter`, table in the S3 sink's Parquet format.

use std::sync::Arc;

use lakeward_api::schema::{Field, Kind, Logical, Schema};
use parquet::basic::{ConvertedType, LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::errors::ParquetError;
use parquet::schema::types::{PrimitiveTypeBuilder, SchemaDescriptor, Type, TypePtr};

use super::options::ParquetOptions;
use crate::FormatError;
use crate::converter::avro::{AvroOnly, DatumOptions, is_avro_map};

/// The schema of a file whose records are the STRUCT `schema`.
///
/// # Errors
/// Class `Record` when a STRUCT occurs that has no fields or contains itself: Parquet has no such groups.
pub(super) fn parquet_schema(
    schema: &Schema,
    options: &ParquetOptions,
) -> Result<SchemaDescriptor, FormatError> {
    let two_levels = options.two_level_lists && !has_optional_items(schema);
    let lists = if two_levels { ListForm::TwoLevels } else { ListForm::ThreeLevels };
    let layout = Layout { lists, datum: options.datum() };
    let fields = layout.struct_fields(schema, "record")?;
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

/// The choices of one file.
#[derive(Clone, Copy)]
struct Layout {
    lists: ListForm,
    datum: DatumOptions,
}

impl Layout {
    fn struct_fields(self, schema: &Schema, path: &str) -> Result<Vec<TypePtr>, FormatError> {
        if schema.fields().is_empty() {
            return Err(FormatError::data(format!(
                "Parquet cannot store {path}: it is a STRUCT without fields. Remove it or give it a field."
            )));
        }
        let is_union = AvroOnly::of(schema, self.datum) == Some(AvroOnly::Union);
        let field = |(place, field): (usize, &Field)| {
            let path = format!("{path}.{}", field.name);
            if is_union {
                // Branches have no names in Avro.
                let member = format!("member{place}");
                return self.value_type(&member, &field.schema, repetition(&field.schema), &path);
            }
            self.value_type(&field.name, &field.schema, repetition(&field.schema), &path)
        };
        schema.fields().iter().enumerate().map(field).collect()
    }

    fn value_type(
        self,
        name: &str,
        schema: &Schema,
        repetition: Repetition,
        path: &str,
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
                let items = self.list_items(self::repetition(item), |name, repetition| {
                    self.value_type(name, item, repetition, path)
                })?;
                group(Some(LogicalType::List), vec![items])
            }
            Kind::Map { key, value } if is_avro_map(key, self.datum) => {
                let entry = vec![
                    self.value_type("key", key, Repetition::REQUIRED, path)?,
                    self.value_type("value", value, self::repetition(value), path)?,
                ];
                // parquet-java still marks entries as it did before there was a type for maps.
                let entries = Type::group_type_builder("key_value")
                    .with_repetition(Repetition::REPEATED)
                    .with_converted_type(ConvertedType::MAP_KEY_VALUE)
                    .with_fields(entry);
                let entries = entries.build().map_err(encode)?;
                group(Some(LogicalType::Map), vec![Arc::new(entries)])
            }
            Kind::Map { key, value } => {
                let items = self.list_items(Repetition::REQUIRED, |name, repetition| {
                    let entry = vec![
                        self.value_type("key", key, self::repetition(key), path)?,
                        self.value_type("value", value, self::repetition(value), path)?,
                    ];
                    let built = Type::group_type_builder(name).with_repetition(repetition).with_fields(entry);
                    built.build().map(Arc::new).map_err(encode)
                })?;
                group(Some(LogicalType::List), vec![items])
            }
            Kind::Recursive(_) => {
                let record = schema.name.as_deref().unwrap_or(UNNAMED_RECORD);
                Err(FormatError::data(format!(
                    "Recursive Avro schemas are not supported by parquet-avro: {record}"
                )))
            }
            Kind::Struct(_) => group(None, self.struct_fields(schema, path)?),
            _ => {
                let built = primitive(name, schema, self.datum).with_repetition(repetition).build();
                built.map(Arc::new).map_err(|err| FormatError::data(format!("{path}: {err}")))
            }
        }
    }

    /// The repeated child of a LIST group; `item` builds the item type under a name and repetition.
    fn list_items(
        self,
        item_repetition: Repetition,
        item: impl Fn(&str, Repetition) -> Result<TypePtr, FormatError>,
    ) -> Result<TypePtr, FormatError> {
        match self.lists {
            ListForm::TwoLevels => item("array", Repetition::REPEATED),
            ListForm::ThreeLevels => repeated_group("list", vec![item("element", item_repetition)?]),
        }
    }
}

fn repeated_group(name: &str, fields: Vec<TypePtr>) -> Result<TypePtr, FormatError> {
    let built =
        Type::group_type_builder(name).with_repetition(Repetition::REPEATED).with_fields(fields).build();
    built.map(Arc::new).map_err(encode)
}

fn primitive<'a>(name: &'a str, schema: &Schema, datum: DatumOptions) -> PrimitiveTypeBuilder<'a> {
    let avro = AvroOnly::of(schema, datum);
    let physical = match schema.kind {
        Kind::Boolean => Physical::BOOLEAN,
        Kind::Float32 => Physical::FLOAT,
        Kind::Float64 => Physical::DOUBLE,
        Kind::Int8 | Kind::Int16 | Kind::Int32 => Physical::INT32,
        Kind::Int64 => Physical::INT64,
        Kind::Bytes if matches!(avro, Some(AvroOnly::Fixed(_))) => Physical::FIXED_LEN_BYTE_ARRAY,
        Kind::Bytes
        | Kind::String
        | Kind::Array(_)
        | Kind::Map { .. }
        | Kind::Recursive(_)
        | Kind::Struct(_) => Physical::BYTE_ARRAY,
    };
    let mut builder = Type::primitive_type_builder(name, physical);
    if let Some(AvroOnly::Fixed(size)) = avro {
        builder = builder.with_length(i32::try_from(size).unwrap_or(i32::MAX));
    }
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
        None if avro == Some(AvroOnly::Enum) => builder.with_logical_type(Some(LogicalType::Enum)),
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

/// Source: `ParquetRecordWriterProvider#schemaHasArrayOfOptionalItems`, which does not look at keys of maps.
fn has_optional_items(schema: &Schema) -> bool {
    match &schema.kind {
        Kind::Array(item) => item.optional || has_optional_items(item),
        Kind::Map { value, .. } => has_optional_items(value),
        Kind::Struct(fields) => fields.iter().any(|field| has_optional_items(&field.schema)),
        _ => false,
    }
}

fn encode(source: ParquetError) -> FormatError {
    FormatError::Encode { source }
}

/// Message name of structs without a name. Source: `AvroData`, `DEFAULT_SCHEMA_FULL_NAME`.
const UNNAMED_RECORD: &str = "io.confluent.connect.avro.ConnectDefault";
