//! Converters of keys and values as header converters: one payload at a time through the batch converter.
//!
//! Source: the classes of Kafka 4.1 that implement `Converter` and `HeaderConverter`.

use std::sync::Arc;

use bytes::Bytes;
use lakeward_api::ConnectError;
use lakeward_api::batch::Values;
use lakeward_api::config::ConfigDef;
use lakeward_api::converter::{Converter, Encoded, HeaderConverter, decode_rows};
use lakeward_api::header::HeaderValues;
use lakeward_api::plugin::{ConverterContext, ConverterPlugin, HeaderConverterPlugin};
use lakeward_api::rows;
use lakeward_api::schema::Schema;
use lakeward_api::shaped;
use lakeward_api::value::Value;

/// The header converter of the same class as a converter.
#[derive(Clone, Copy, Debug)]
pub struct HeaderAdapterPlugin<P>(pub P);

impl<P: ConverterPlugin> HeaderConverterPlugin for HeaderAdapterPlugin<P> {
    fn class(&self) -> &'static str {
        self.0.class()
    }

    fn version(&self) -> &str {
        self.0.version()
    }

    fn config_def(&self) -> ConfigDef {
        self.0.config_def()
    }

    fn new_converter(
        &self,
        context: &ConverterContext<'_>,
    ) -> Result<Box<dyn HeaderConverter>, ConnectError> {
        let can_fail = !NEVER_FAIL.contains(&self.0.class());
        Ok(Box::new(HeaderAdapter { converter: self.0.new_converter(context)?, can_fail }))
    }
}

/// Converters that read every payload.
const NEVER_FAIL: [&str; 2] = [
    "org.apache.kafka.connect.converters.ByteArrayConverter",
    "org.apache.kafka.connect.storage.StringConverter",
];

struct HeaderAdapter {
    converter: Box<dyn Converter>,
    can_fail: bool,
}

impl HeaderConverter for HeaderAdapter {
    fn can_fail(&self) -> bool {
        self.can_fail
    }

    fn decode(
        &mut self,
        topic: &str,
        _name: &str,
        payload: Option<&[u8]>,
    ) -> Result<(Option<Arc<Schema>>, Value), ConnectError> {
        let decoded = self.converter.decode(topic, &[payload])?;
        if let Some((_, error)) = decoded.errors.into_iter().next() {
            return Err(error);
        }
        let Some(run) = decoded.runs.into_iter().next() else { return Ok((None, Value::Null)) };
        Ok(match run.values {
            Values::Dynamic(values) => (None, values.into_iter().next().unwrap_or(Value::Null)),
            Values::Null { .. } => (None, Value::Null),
            Values::Shaped(array) => (None, shaped::value_at(&array, 0)),
            Values::Typed { schema, array } => {
                let value = rows::value_at(&schema, &array, 0);
                (Some(schema), value)
            }
        })
    }

    /// One call for all payloads; what does not make one run is read one by one.
    fn decode_column(
        &mut self,
        topic: &str,
        name: &str,
        payloads: &[Option<&[u8]>],
    ) -> (HeaderValues, Vec<(usize, ConnectError)>) {
        if let Ok(mut decoded) = self.converter.decode(topic, payloads)
            && let ([_], []) = (&*decoded.runs, &*decoded.errors)
            && let Some(run) = decoded.runs.pop()
        {
            return (HeaderValues::Rows(run.values), Vec::new());
        }
        decode_rows(self, topic, name, payloads)
    }

    fn encode(
        &mut self,
        topic: &str,
        _name: &str,
        schema: Option<&Schema>,
        value: &Value,
    ) -> Result<Option<Bytes>, ConnectError> {
        let values = match schema {
            Some(schema) => {
                let array = rows::constant(schema, value, 1)?;
                Values::Typed { schema: Arc::new(schema.clone()), array }
            }
            None if value.is_null() => Values::Null { rows: 1 },
            None => Values::Dynamic(vec![value.clone()]),
        };
        let encoded = self.converter.encode(topic, &values)?;
        let payload = payload(&encoded);
        match encoded.errors.into_iter().next() {
            Some((_, error)) => Err(error),
            None => Ok(payload),
        }
    }
}

fn payload(encoded: &Encoded) -> Option<Bytes> {
    encoded.payload(0).map(Bytes::copy_from_slice)
}
