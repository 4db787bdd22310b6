//! `SimpleHeaderConverter`: headers as text that shows their type.
//!
//! Source: `org.apache.kafka.connect.storage.SimpleHeaderConverter`, Kafka 4.1.

mod column;

use std::sync::Arc;

use bytes::Bytes;
use lakeward_api::config::ConfigDef;
use lakeward_api::converter::{Encoded, HeaderConverter, encode_rows};
use lakeward_api::header::HeaderValues;
use lakeward_api::plugin::{ConverterContext, HeaderConverterPlugin};
use lakeward_api::schema::{Kind, Schema};
use lakeward_api::value::Value;
use lakeward_api::{ConnectError, literal};

use super::utf8;

/// `org.apache.kafka.connect.storage.SimpleHeaderConverter`.
#[derive(Clone, Copy, Debug)]
pub struct SimpleHeaderConverterPlugin;

impl HeaderConverterPlugin for SimpleHeaderConverterPlugin {
    fn class(&self) -> &'static str {
        "org.apache.kafka.connect.storage.SimpleHeaderConverter"
    }

    fn version(&self) -> &str {
        super::VERSION
    }

    fn config_def(&self) -> ConfigDef {
        ConfigDef::default()
    }

    fn new_converter(
        &self,
        _context: &ConverterContext<'_>,
    ) -> Result<Box<dyn HeaderConverter>, ConnectError> {
        Ok(Box::new(SimpleHeaderConverter::default()))
    }
}

#[derive(Default)]
struct SimpleHeaderConverter {
    schemas: column::Schemas,
}

/// What a payload says, alone.
fn decode(payload: Option<&[u8]>) -> (Option<Arc<Schema>>, Value) {
    let Some(bytes) = payload else { return (None, Value::Null) };
    // What the parser cannot bear is kept as it came.
    literal::parse(&utf8::text(bytes)).unwrap_or_else(|_| {
        (Some(Arc::new(Schema::new(Kind::Bytes))), Value::Bytes(Bytes::copy_from_slice(bytes)))
    })
}

impl HeaderConverter for SimpleHeaderConverter {
    /// A few texts that end within an element make Java refuse the record. Where nothing looks at headers the
    /// record is worth more than that.
    fn can_fail(&self) -> bool {
        false
    }

    fn decode(
        &mut self,
        _topic: &str,
        _name: &str,
        payload: Option<&[u8]>,
    ) -> Result<(Option<Arc<Schema>>, Value), ConnectError> {
        Ok(decode(payload))
    }

    fn decode_column(
        &mut self,
        _topic: &str,
        _name: &str,
        payloads: &[Option<&[u8]>],
    ) -> (HeaderValues, Vec<(usize, ConnectError)>) {
        (column::decode_column(&self.schemas, payloads), Vec::new())
    }

    fn encode_column(&mut self, topic: &str, name: &str, values: &HeaderValues, rows: usize) -> Encoded {
        match column::encode_column(values) {
            Some(column) => Encoded::of_column(column),
            None => encode_rows(self, topic, name, values, rows),
        }
    }

    fn encode(
        &mut self,
        _topic: &str,
        _name: &str,
        schema: Option<&Schema>,
        value: &Value,
    ) -> Result<Option<Bytes>, ConnectError> {
        if value.is_null() {
            return Ok(None);
        }
        literal::to_text(schema, value).map(|text| Some(text.into()))
    }
}

#[cfg(test)]
mod tests {
    use lakeward_api::config::ConfigMap;
    use lakeward_api::plugin::ConverterRole;

    use super::*;

    #[test]
    fn headers_are_typed_by_their_text() {
        let settings = ConfigMap::new();
        let context = ConverterContext {
            role: ConverterRole::Header,
            settings: &settings,
            connector: &settings,
            network: None,
        };
        let mut converter = SimpleHeaderConverterPlugin.new_converter(&context).unwrap();
        let mut read = |bytes: Option<&[u8]>| {
            let (schema, value) = converter.decode("t", "h", bytes).unwrap();
            (schema.map(|schema| schema.kind.clone()), value)
        };
        assert_eq!(read(None), (None, Value::Null));
        assert_eq!(read(Some(b"")), (Some(Kind::String), Value::String("".into())));
        assert_eq!(read(Some(b"300")), (Some(Kind::Int16), Value::Int16(300)));
        assert_eq!(read(Some(b"null")), (None, Value::Null));
        let deep = "[".repeat(5000);
        assert_eq!(read(Some(deep.as_bytes())).0, Some(Kind::Bytes));
        let written = converter.encode("t", "h", None, &Value::Float64(1.0)).unwrap();
        assert_eq!(written.as_deref(), Some(b"1.0".as_slice()));
        assert_eq!(converter.encode("t", "h", None, &Value::Null).unwrap(), None);
    }
}
