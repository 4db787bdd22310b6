//! `StringConverter`: the bytes are a text.
//!
//! Source: `org.apache.kafka.connect.storage.StringConverter`, Kafka 4.1.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
};
use arrow_array::{Array, ArrayRef, BinaryArray, StringArray};
use lakeward_api::batch::Values;
use lakeward_api::config::{ConfigDef, ConfigKey, ConfigType, DefaultValue, Importance, Width};
use lakeward_api::converter::{Converter, Decoded, Encoded, Run};
use lakeward_api::plugin::{ConverterContext, ConverterPlugin};
use lakeward_api::rows::value_at;
use lakeward_api::schema::{Kind, Schema};
use lakeward_api::value::Value;
use lakeward_api::{ConnectError, java_text};

use super::charset::Charset;
use super::java_string;
use super::utf8;

/// `org.apache.kafka.connect.storage.StringConverter`.
#[derive(Clone, Copy, Debug)]
pub struct StringConverterPlugin;

impl ConverterPlugin for StringConverterPlugin {
    fn class(&self) -> &'static str {
        "org.apache.kafka.connect.storage.StringConverter"
    }

    fn version(&self) -> &str {
        super::VERSION
    }

    fn config_def(&self) -> ConfigDef {
        ConfigDef::new(vec![ConfigKey {
            documentation: "The name of the Java character set to use for encoding strings as byte arrays."
                .to_owned(),
            width: Width::Medium,
            display_name: "Encoding".to_owned(),
            ..ConfigKey::new(
                "converter.encoding",
                ConfigType::String,
                DefaultValue::Text("UTF-8".to_owned()),
                Importance::High,
            )
        }])
    }

    fn new_converter(&self, context: &ConverterContext<'_>) -> Result<Box<dyn Converter>, ConnectError> {
        let settings = context.settings;
        let encoding = settings.get("converter.encoding").map_or("UTF-8", |text| text.trim());
        let Some(charset) = Charset::named(encoding) else {
            return Err(ConnectError::config(format!(
                "Invalid value {encoding} for configuration converter.encoding: UTF-8, UTF-16, UTF-16BE, \
                 UTF-16LE, ISO-8859-1, windows-1252 and US-ASCII are supported"
            )));
        };
        Ok(Box::new(StringConverter { schema: Arc::new(Schema::optional(Kind::String)), charset }))
    }
}

struct StringConverter {
    schema: Arc<Schema>,
    charset: Charset,
}

impl Converter for StringConverter {
    fn decode(&mut self, topic: &str, payloads: &[Option<&[u8]>]) -> Result<Decoded, ConnectError> {
        self.decode_column(topic, &payloads.iter().copied().collect())
    }

    fn takes_columns(&self) -> bool {
        true
    }

    /// A column of valid UTF-8 is shared.
    fn decode_column(&mut self, _topic: &str, payloads: &BinaryArray) -> Result<Decoded, ConnectError> {
        if payloads.is_empty() {
            return Ok(Decoded::default());
        }
        let array = Arc::new(match self.charset {
            Charset::Utf8 => StringArray::try_from_binary(payloads.clone())
                .unwrap_or_else(|_| payloads.iter().map(|payload| payload.map(utf8::text)).collect()),
            other => payloads.iter().map(|payload| payload.map(|bytes| other.decode(bytes))).collect(),
        });
        let rows = (0..).take(payloads.len()).collect();
        let run = Run { rows, values: Values::Typed { schema: Arc::clone(&self.schema), array } };
        Ok(Decoded { runs: vec![run], errors: Vec::new() })
    }

    fn encode(&mut self, _topic: &str, values: &Values) -> Result<Encoded, ConnectError> {
        if self.charset == Charset::Utf8
            && let Some(column) = text_column(values)
        {
            return Ok(Encoded::of_column(column));
        }
        let mut encoded = Encoded::with_capacity(values.rows(), 32);
        match &*values.apart() {
            Values::Null { rows } => (0..*rows).for_each(|_| encoded.push_null()),
            Values::Dynamic(values) => {
                for value in values {
                    match value {
                        Value::Null => encoded.push_null(),
                        value => push(&mut encoded, |out| java_string::append(out, None, value)),
                    }
                }
            }
            Values::Shaped(_) => unreachable!("just taken apart"),
            Values::Typed { schema, array } => push_column(&mut encoded, schema, array),
        }
        Ok(if self.charset == Charset::Utf8 { encoded } else { transcoded(&encoded, self.charset) })
    }
}

/// STRINGs without a logical type: the bytes of their column are the payloads.
fn text_column(values: &Values) -> Option<BinaryArray> {
    let Values::Typed { schema, array } = values else { return None };
    let is_plain = schema.kind == Kind::String && schema.logical().is_none();
    if is_plain { array.as_string_opt::<i32>().map(|texts| texts.clone().into()) } else { None }
}

/// The payloads, which are UTF-8, in another character set.
fn transcoded(encoded: &Encoded, charset: Charset) -> Encoded {
    let mut other = Encoded::with_capacity(encoded.rows(), 32);
    for row in 0..encoded.rows() {
        match encoded.payload(row) {
            Some(bytes) => push(&mut other, |out| charset.encode(&String::from_utf8_lossy(bytes), out)),
            None => other.push_null(),
        }
    }
    other
}

fn push_column(encoded: &mut Encoded, schema: &Schema, array: &ArrayRef) {
    let kind = if schema.logical().is_some() { None } else { Some(&schema.kind) };
    match kind {
        Some(Kind::String) => {
            push_cells(encoded, array.as_string::<i32>(), |out, text| out.extend_from_slice(text.as_bytes()));
        }
        Some(Kind::Int8) => push_integers::<Int8Type>(encoded, array),
        Some(Kind::Int16) => push_integers::<Int16Type>(encoded, array),
        Some(Kind::Int32) => push_integers::<Int32Type>(encoded, array),
        Some(Kind::Int64) => push_integers::<Int64Type>(encoded, array),
        Some(Kind::Float32) => {
            push_cells(encoded, array.as_primitive::<Float32Type>(), java_text::append_f32);
        }
        Some(Kind::Float64) => {
            push_cells(encoded, array.as_primitive::<Float64Type>(), java_text::append_f64);
        }
        _ => {
            for row in 0..array.len() {
                match value_at(schema, array, row) {
                    Value::Null => encoded.push_null(),
                    value => push(encoded, |out| java_string::append(out, Some(schema), &value)),
                }
            }
        }
    }
}

fn push_integers<T: ArrowPrimitiveType<Native: Into<i64>>>(encoded: &mut Encoded, array: &ArrayRef) {
    push_cells(encoded, array.as_primitive::<T>(), |out, number| {
        java_string::append_integer(out, number.into());
    });
}

fn push_cells<T>(
    encoded: &mut Encoded,
    cells: impl IntoIterator<Item = Option<T>>,
    append: impl Fn(&mut Vec<u8>, T),
) {
    for cell in cells {
        match cell {
            Some(cell) => push(encoded, |out| append(out, cell)),
            None => encoded.push_null(),
        }
    }
}

fn push(encoded: &mut Encoded, append: impl FnOnce(&mut Vec<u8>)) {
    encoded.push(|out| {
        append(out);
        Ok(())
    });
}

#[cfg(test)]
mod tests {
    use lakeward_api::config::ConfigMap;
    use lakeward_api::plugin::ConverterRole;

    use super::*;

    #[test]
    fn nulls_stay_in_the_run_and_broken_bytes_are_replaced() {
        let mut converter = StringConverterPlugin
            .new_converter(&ConverterContext {
                role: ConverterRole::Key,
                settings: &ConfigMap::new(),
                connector: &ConfigMap::new(),
                network: None,
            })
            .unwrap();
        let decoded = converter.decode("t", &[Some(b"a\xffb"), None, Some(b"")]).unwrap();
        let [run] = decoded.runs.as_slice() else { panic!("one run expected") };
        assert_eq!(run.rows, [0, 1, 2]);
        let Values::Typed { schema, array } = &run.values else { panic!("not typed") };
        assert_eq!(**schema, Schema::optional(Kind::String));
        let texts = array.as_string::<i32>();
        assert_eq!(texts.value(0), "a\u{fffd}b");
        assert!(texts.is_null(1));
        assert_eq!(texts.value(2), "");
    }

    #[test]
    fn unknown_encodings_are_refused() {
        let settings = ConfigMap::from([("converter.encoding".to_owned(), "EBCDIC".to_owned())]);
        let err = StringConverterPlugin
            .new_converter(&ConverterContext {
                role: ConverterRole::Value,
                settings: &settings,
                connector: &ConfigMap::new(),
                network: None,
            })
            .err()
            .unwrap();
        assert!(err.to_string().contains("converter.encoding"), "{err}");
    }
}
