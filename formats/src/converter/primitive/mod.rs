//! `DoubleConverter`, `FloatConverter`, `IntegerConverter`, `LongConverter`, `ShortConverter` and
//! `BooleanConverter`: one big-endian number, or one byte that is 0 or 1.
//!
//! Source: `org.apache.kafka.connect.converters.NumberConverter` and `BooleanConverter`, and the serializers
//! of the Kafka clients, Kafka 4.1.

mod decode;
mod encode;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use arrow_array::BinaryArray;
use lakeward_api::ConnectError;
use lakeward_api::batch::Values;
use lakeward_api::config::ConfigDef;
use lakeward_api::converter::{Converter, Decoded, Encoded};
use lakeward_api::plugin::{ConverterContext, ConverterPlugin};
use lakeward_api::schema::{Kind, Schema};

use encode::Ends;

/// A converter of numbers or booleans.
#[derive(Clone, Copy, Debug)]
pub struct PrimitiveConverterPlugin {
    primitive: Primitive,
}

/// The types that have a converter of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Primitive {
    Boolean,
    Double,
    Float,
    Integer,
    Long,
    Short,
}

impl PrimitiveConverterPlugin {
    /// Every converter of this kind, by class name.
    pub const ALL: [Self; 6] = [
        Self { primitive: Primitive::Boolean },
        Self { primitive: Primitive::Double },
        Self { primitive: Primitive::Float },
        Self { primitive: Primitive::Integer },
        Self { primitive: Primitive::Long },
        Self { primitive: Primitive::Short },
    ];
}

impl ConverterPlugin for PrimitiveConverterPlugin {
    fn class(&self) -> &'static str {
        match self.primitive {
            Primitive::Boolean => "org.apache.kafka.connect.converters.BooleanConverter",
            Primitive::Double => "org.apache.kafka.connect.converters.DoubleConverter",
            Primitive::Float => "org.apache.kafka.connect.converters.FloatConverter",
            Primitive::Integer => "org.apache.kafka.connect.converters.IntegerConverter",
            Primitive::Long => "org.apache.kafka.connect.converters.LongConverter",
            Primitive::Short => "org.apache.kafka.connect.converters.ShortConverter",
        }
    }

    fn version(&self) -> &str {
        super::VERSION
    }

    fn config_def(&self) -> ConfigDef {
        ConfigDef::default()
    }

    fn new_converter(&self, _context: &ConverterContext<'_>) -> Result<Box<dyn Converter>, ConnectError> {
        let schema = Arc::new(Schema::optional(self.primitive.kind()));
        Ok(Box::new(PrimitiveConverter { primitive: self.primitive, schema, ends: Ends::new() }))
    }
}

struct PrimitiveConverter {
    primitive: Primitive,
    schema: Arc<Schema>,
    ends: Ends,
}

impl Converter for PrimitiveConverter {
    fn decode(&mut self, _topic: &str, payloads: &[Option<&[u8]>]) -> Result<Decoded, ConnectError> {
        Ok(decode::decode(self.primitive, &self.schema, payloads))
    }

    fn takes_columns(&self) -> bool {
        true
    }

    fn decode_column(&mut self, topic: &str, payloads: &BinaryArray) -> Result<Decoded, ConnectError> {
        if let Some(decoded) = decode::regular(self.primitive, &self.schema, payloads) {
            return Ok(decoded);
        }
        let payloads: Vec<Option<&[u8]>> = payloads.iter().collect();
        self.decode(topic, &payloads)
    }

    fn encode(&mut self, _topic: &str, values: &Values) -> Result<Encoded, ConnectError> {
        Ok(encode::encode(self.primitive, &mut self.ends, values))
    }
}

impl Primitive {
    fn kind(self) -> Kind {
        match self {
            Self::Boolean => Kind::Boolean,
            Self::Double => Kind::Float64,
            Self::Float => Kind::Float32,
            Self::Integer => Kind::Int32,
            Self::Long => Kind::Int64,
            Self::Short => Kind::Int16,
        }
    }

    /// Bytes of a payload.
    fn bytes(self) -> usize {
        match self {
            Self::Boolean => 1,
            Self::Short => 2,
            Self::Float | Self::Integer => 4,
            Self::Double | Self::Long => 8,
        }
    }

    /// Java's word for the type.
    fn word(self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::Double => "double",
            Self::Float => "float",
            Self::Integer => "integer",
            Self::Long => "long",
            Self::Short => "short",
        }
    }
}
