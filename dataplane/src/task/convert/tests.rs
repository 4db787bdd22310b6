//! Runs after the converters: what stays together, what is refused.

use lakeward_api::config::ConfigMap;
use lakeward_api::converter::{Decoded, Encoded};
use lakeward_api::plugin::PluginRegistry;
use lakeward_api::schema::Schema;
use lakeward_api::value::Value;
use lakeward_transforms::Chain;

use super::*;
use crate::task::settings::ConverterClasses;

/// Fails rows whose payload is `x`, starts a new run at every payload that begins with `|`.
struct Picky;

impl Converter for Picky {
    fn decode(&mut self, _topic: &str, payloads: &[Option<&[u8]>]) -> Result<Decoded, ConnectError> {
        let mut decoded = Decoded::default();
        for (row, payload) in payloads.iter().enumerate() {
            let text = std::str::from_utf8(payload.unwrap_or_default()).unwrap();
            if text == "x" {
                decoded.errors.push((row, ConnectError::data("x")));
                continue;
            }
            if decoded.runs.is_empty() || text.starts_with('|') {
                decoded.runs.push(Run { rows: Vec::new(), values: Values::Dynamic(Vec::new()) });
            }
            let run = decoded.runs.last_mut().unwrap();
            run.rows.push(u32::try_from(row).unwrap());
            let Values::Dynamic(values) = &mut run.values else { unreachable!() };
            values.push(Value::String(text.into()));
        }
        Ok(decoded)
    }

    fn encode(&mut self, _topic: &str, _values: &Values) -> Result<Encoded, ConnectError> {
        unreachable!("sinks do not encode")
    }
}

/// Fails headers whose value is `x`.
struct Texts;

impl HeaderConverter for Texts {
    fn decode(
        &mut self,
        _topic: &str,
        _name: &str,
        payload: Option<&[u8]>,
    ) -> Result<(Option<Arc<Schema>>, Value), ConnectError> {
        match std::str::from_utf8(payload.unwrap_or_default()).unwrap() {
            "x" => Err(ConnectError::data("x")),
            text => Ok((None, Value::String(text.into()))),
        }
    }

    fn encode(
        &mut self,
        _topic: &str,
        _name: &str,
        _schema: Option<&Schema>,
        _value: &Value,
    ) -> Result<Option<bytes::Bytes>, ConnectError> {
        unreachable!("a sink only reads")
    }
}

#[test]
fn keys_values_and_headers_stay_together_through_runs_and_failures() {
    let texts = [
        ("k0", "v0", "h0"),
        ("|k1", "v1", "h1"),
        ("k2", "x", "h2"),
        ("x", "|v3", "h3"),
        ("k4", "v4", "x"),
        ("k5", "v5", "h5"),
        ("|k6", "v6", "h6"),
    ];
    let record = |((key, value, _), offset): (&(&'static str, &'static str, &'static str), i64)| RawRecord {
        offset,
        timestamp_ms: Some(offset),
        key: Some(key.as_bytes()),
        value: Some(value.as_bytes()),
    };
    let records: Vec<RawRecord<'_>> = texts.iter().zip(10..).map(record).collect();
    let header = |(_, _, text): &(&str, &str, &'static str)| {
        vec![RawHeader { name: b"h", value: Some(text.as_bytes()) }]
    };
    let headers: Vec<Vec<RawHeader<'_>>> = texts.iter().map(header).collect();
    let mut converters = Converters {
        key: Box::new(Picky),
        value: Box::new(Picky),
        header: Box::new(Texts),
        chain: Chain::from_config(&ConfigMap::new(), &PluginRegistry::default()).unwrap(),
        classes: ConverterClasses { key: "K", value: "V", header: "H" },
        for_sink: Default::default(),
    };
    let run = RawRun { records: &records, headers: &headers };
    let mut converted = convert(&mut converters, &TopicPartition::new("t", 0), &run).unwrap();
    let mut offsets = Vec::new();
    for batch in &converted.batches {
        let (Values::Dynamic(keys), Values::Dynamic(values)) = (&batch.keys, &batch.values) else { panic!() };
        for (row, offset) in batch.offsets.iter().enumerate() {
            let sent = texts[usize::try_from(offset - 10).unwrap()];
            assert_eq!((keys[row].as_str(), values[row].as_str()), (Some(sent.0), Some(sent.1)));
            assert_eq!(batch.headers.row(row)[0].value, Value::String(sent.2.into()));
            offsets.push(*offset);
        }
    }
    assert_eq!(offsets, [10, 11, 15, 16]);
    let bad: Vec<(i64, Stage, &str)> =
        converted.bad.iter().map(|bad| (bad.offset, bad.stage, bad.class)).collect();
    let expected =
        [(12, Stage::ValueConverter, "V"), (13, Stage::KeyConverter, "K"), (14, Stage::HeaderConverter, "H")];
    assert_eq!(bad, expected);
    // What comes before a record that is tried again goes on; the rest is converted once more.
    converted.truncate(13).unwrap();
    let offsets: Vec<i64> = converted.batches.iter().flat_map(|batch| batch.offsets.clone()).collect();
    assert_eq!((offsets, converted.bad.len()), (vec![10, 11], 1));
}
