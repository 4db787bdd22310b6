//! `ByteArrayConverter`: the bytes are the value.
//!
//! Source: `org.apache.kafka.connect.converters.ByteArrayConverter`, Kafka 4.1.

use std::sync::Arc;

use arrow_array::BinaryArray;
use lakeward_api::ConnectError;
use lakeward_api::batch::Values;
use lakeward_api::config::ConfigDef;
use lakeward_api::converter::{Converter, Decoded, Run};
use lakeward_api::plugin::{ConverterContext, ConverterPlugin};
use lakeward_api::schema::{Kind, Schema};

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

impl Converter for ByteArrayConverter {
    fn decode(&mut self, _topic: &str, payloads: &[Option<&[u8]>]) -> Result<Decoded, ConnectError> {
        if payloads.is_empty() {
            return Ok(Decoded::default());
        }
        let array = Arc::new(payloads.iter().copied().collect::<BinaryArray>());
        let rows = (0..).take(payloads.len()).collect();
        let run = Run { rows, values: Values::Typed { schema: Arc::clone(&self.schema), array } };
        Ok(Decoded { runs: vec![run], errors: Vec::new() })
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::Array;
    use arrow_array::cast::AsArray;

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
        assert!(converter.decode("t", &[]).unwrap().runs.is_empty());
    }
}
