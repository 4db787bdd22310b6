//! Names of Java classes and Connect types, for messages that users compare with Java's.

use lakeward_api::schema::{Kind, Logical, Schema};
use lakeward_api::value::Value;

/// The class of the object that Java has for `value`.
pub(crate) fn class_of_value(value: &Value) -> &'static str {
    match value {
        Value::Array(_) => "java.util.ArrayList",
        Value::Boolean(_) => "java.lang.Boolean",
        Value::Bytes(_) => "[B",
        Value::Date(_) => "java.util.Date",
        Value::Decimal(_) => "java.math.BigDecimal",
        Value::Float32(_) => "java.lang.Float",
        Value::Float64(_) => "java.lang.Double",
        Value::Int16(_) => "java.lang.Short",
        Value::Int32(_) => "java.lang.Integer",
        Value::Int64(_) => "java.lang.Long",
        Value::Int8(_) => "java.lang.Byte",
        Value::Map(_) => "java.util.HashMap",
        Value::Null => "null",
        Value::String(_) => "java.lang.String",
        Value::Struct(_) => "org.apache.kafka.connect.data.Struct",
    }
}

/// The class of the objects that have `schema`.
pub(crate) fn class_of_schema(schema: &Schema) -> &'static str {
    match (schema.logical(), &schema.kind) {
        (Some(Logical::Decimal { .. }), _) => "java.math.BigDecimal",
        (Some(_), _) => "java.util.Date",
        (None, Kind::Array(_)) => "java.util.ArrayList",
        (None, Kind::Boolean) => "java.lang.Boolean",
        (None, Kind::Bytes) => "[B",
        (None, Kind::Float32) => "java.lang.Float",
        (None, Kind::Float64) => "java.lang.Double",
        (None, Kind::Int16) => "java.lang.Short",
        (None, Kind::Int32) => "java.lang.Integer",
        (None, Kind::Int64) => "java.lang.Long",
        (None, Kind::Int8) => "java.lang.Byte",
        (None, Kind::Map { .. }) => "java.util.HashMap",
        (None, Kind::String) => "java.lang.String",
        (None, Kind::Struct(_)) => "org.apache.kafka.connect.data.Struct",
    }
}

/// The Connect name of a type.
pub(crate) fn type_name(kind: &Kind) -> &'static str {
    match kind {
        Kind::Array(_) => "ARRAY",
        Kind::Boolean => "BOOLEAN",
        Kind::Bytes => "BYTES",
        Kind::Float32 => "FLOAT32",
        Kind::Float64 => "FLOAT64",
        Kind::Int16 => "INT16",
        Kind::Int32 => "INT32",
        Kind::Int64 => "INT64",
        Kind::Int8 => "INT8",
        Kind::Map { .. } => "MAP",
        Kind::String => "STRING",
        Kind::Struct(_) => "STRUCT",
    }
}
