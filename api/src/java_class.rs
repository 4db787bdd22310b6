//! Names of Java's classes, for messages that users compare with Java's.

use crate::schema::{Kind, Logical, Schema};
use crate::value::Value;

impl Value {
    /// The class of the object that Java has for this value; `null` for null.
    pub fn java_class(&self) -> &'static str {
        match self {
            Self::Array(_) => "java.util.ArrayList",
            Self::Boolean(_) => "java.lang.Boolean",
            Self::Bytes(_) => "[B",
            Self::Date(_) => "java.util.Date",
            Self::Decimal(_) => "java.math.BigDecimal",
            Self::Float32(_) => "java.lang.Float",
            Self::Float64(_) => "java.lang.Double",
            Self::Int16(_) => "java.lang.Short",
            Self::Int32(_) => "java.lang.Integer",
            Self::Int64(_) => "java.lang.Long",
            Self::Int8(_) => "java.lang.Byte",
            Self::Map(_) => "java.util.HashMap",
            Self::Null => "null",
            Self::String(_) => "java.lang.String",
            Self::Struct(_) => "org.apache.kafka.connect.data.Struct",
        }
    }
}

impl Schema {
    /// The class of the objects that have this schema.
    pub fn java_class(&self) -> &'static str {
        match (self.logical(), &self.kind) {
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
            (None, Kind::Recursive(recursive)) => recursive.resolve().java_class(),
            (None, Kind::String) => "java.lang.String",
            (None, Kind::Struct(_)) => "org.apache.kafka.connect.data.Struct",
        }
    }
}

impl Kind {
    /// Connect's name of the type, upper case. The place of a recursion has that of what it stands for.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Array(_) => "ARRAY",
            Self::Boolean => "BOOLEAN",
            Self::Bytes => "BYTES",
            Self::Float32 => "FLOAT32",
            Self::Float64 => "FLOAT64",
            Self::Int16 => "INT16",
            Self::Int32 => "INT32",
            Self::Int64 => "INT64",
            Self::Int8 => "INT8",
            Self::Map { .. } => "MAP",
            Self::Recursive(recursive) => recursive.resolve().kind.name(),
            Self::String => "STRING",
            Self::Struct(_) => "STRUCT",
        }
    }
}
