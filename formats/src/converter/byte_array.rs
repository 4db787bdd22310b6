//! `ByteArrayConverter`: the bytes are the value.
//!
//! Source: `org.apache.kafka.connect.converters.ByteArrayConverter`, Kafka 4.1.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, BinaryArray};
use lakeward_api::ConnectError;
use lakeward_api::batch::Values;
use lakeward_api::config::ConfigDef;
use lakeward_api::converter::{Converter, Decoded, Encoded, Run};
use lakeward_api::plugin::{ConverterContext, ConverterPlugin};
use lakeward_api::schema::{Kind, Schema};
use lakeward_api::value::Value;

/// `org.apache.kafka.connect.converters.ByteArrayConverter`.
#[derive(Clone, Copy, Debug)]
pub struct ByteArrayConverterPlugin;

impl ConverterPlugin for ByteArrayConverterPlugin {
    fn class(&self) -> &'static str {
        "org.apache.kafka.connect.converters.ByteArrayConverter"
    }

    fn version(&self) -> &str {
        super::VERSION
    }

    fn config_def(&self) -> ConfigDef {
        ConfigDef::default()
    }

    fn new_converter(&self, _context: &ConverterContext<'_>) -> Result<Box<dyn Converter>, ConnectError> {
        Ok(Box::new(ByteArrayConverter { schema: Arc::new(Schema::optional(Kind::Bytes)) }))
    }
}

struct ByteArrayConverter {
    schema: Arc<Schema>,
}

/// BYTES without a logical type: their column is the payloads.
fn plain_column(values: &Values) -> Option<BinaryArray> {
    let Values::Typed { schema, array } = values else { return None };
    let is_plain = schema.kind == Kind::Bytes && schema.logical().is_none();
    if is_plain { array.as_binary_opt::<i32>().cloned() } else { None }
}

impl Converter for ByteArrayConverter {
    fn decode(&mut self, topic: &str, payloads: &[Option<&[u8]>]) -> Result<Decoded, ConnectError> {
        self.decode_column(topic, &payloads.iter().copied().collect())
    }

    fn takes_columns(&self) -> bool {
        true
    }

    /// The column is shared.
    fn decode_column(&mut self, _topic: &str, payloads: &BinaryArray) -> Result<Decoded, ConnectError> {
        if payloads.is_empty() {
            return Ok(Decoded::default());
        }
        let array = Arc::new(payloads.clone());
        let rows = (0..).take(payloads.len()).collect();
        let run = Run { rows, values: Values::Typed { schema: Arc::clone(&self.schema), array } };
        Ok(Decoded { runs: vec![run], errors: Vec::new() })
    }

    fn encode(&mut self, _topic: &str, values: &Values) -> Result<Encoded, ConnectError> {
        if let Some(column) = plain_column(values) {
            return Ok(Encoded::of_column(column));
        }
        let mut encoded = Encoded::with_capacity(values.rows(), 64);
        match &*values.apart() {
            Values::Null { rows } => (0..*rows).for_each(|_| encoded.push_null()),
            Values::Dynamic(values) => {
                for value in values {
                    match value {
                        Value::Null => encoded.push_null(),
                        Value::Bytes(bytes) => push(&mut encoded, bytes),
                        other => encoded.push(|_| Err(wrong_class(other.java_class()))),
                    }
                }
            }
            Values::Shaped(_) => unreachable!("just taken apart"),
            Values::Typed { schema, array } => {
                let kind = schema.kind.name();
                let is_plain = schema.logical().is_none();
                match array.as_binary_opt::<i32>() {
                    Some(cells) if schema.kind == Kind::Bytes => {
                        for cell in cells {
                            match cell {
                                None => encoded.push_null(),
                                Some(bytes) if is_plain => push(&mut encoded, bytes),
                                Some(_) => encoded.push(|_| Err(wrong_class(schema.java_class()))),
                            }
                        }
                    }
                    _ => (0..array.len()).for_each(|_| {
                        let message = format!("Invalid schema type for ByteArrayConverter: {kind}");
                        encoded.push(|_| Err(ConnectError::data(message)));
                    }),
                }
            }
        }
        Ok(encoded)
    }
}

fn push(encoded: &mut Encoded, bytes: &[u8]) {
    encoded.push(|out| {
        out.extend_from_slice(bytes);
        Ok(())
    });
}

fn wrong_class(class: &str) -> ConnectError {
    ConnectError::data(format!("ByteArrayConverter is not compatible with objects of type class {class}"))
}

#[cfg(test)]
mod tests {
    use lakeward_api::config::ConfigMap;
    use lakeward_api::plugin::ConverterRole;

    use super::*;

    #[test]
    fn bytes_and_nulls_pass_unchanged() {
        let mut converter = ByteArrayConverterPlugin
            .new_converter(&ConverterContext {
                role: ConverterRole::Value,
                settings: &ConfigMap::new(),
                connector: &ConfigMap::new(),
                network: None,
            })
            .unwrap();
        let decoded = converter.decode("t", &[Some(b"\x00\xff"), None]).unwrap();
        let [run] = decoded.runs.as_slice() else { panic!("one run expected") };
        let Values::Typed { schema, array } = &run.values else { panic!("not typed") };
        assert_eq!(**schema, Schema::optional(Kind::Bytes));
        assert_eq!(array.as_binary::<i32>().value(0), b"\x00\xff");
        assert!(array.is_null(1));
        let encoded = converter.encode("t", &run.values).unwrap();
        assert_eq!((encoded.payload(0), encoded.payload(1)), (Some(b"\x00\xff".as_slice()), None));
        assert!(converter.decode("t", &[]).unwrap().runs.is_empty());
    }

    #[test]
    fn other_types_are_refused_by_schema_then_by_class() {
        let mut converter = ByteArrayConverter { schema: Arc::new(Schema::optional(Kind::Bytes)) };
        let strings = Values::Typed {
            schema: Arc::new(Schema::optional(Kind::String)),
            array: Arc::new(arrow_array::StringArray::new_null(1)),
        };
        let encoded = converter.encode("t", &strings).unwrap();
        assert_eq!(encoded.errors[0].1.to_string(), "Invalid schema type for ByteArrayConverter: STRING");
        let encoded = converter.encode("t", &Values::Dynamic(vec![Value::Int32(1), Value::Null])).unwrap();
        let expected = "ByteArrayConverter is not compatible with objects of type class java.lang.Integer";
        assert_eq!(encoded.errors[0].1.to_string(), expected);
        assert_eq!((encoded.errors.len(), encoded.payload(1)), (1, None));
    }
}
