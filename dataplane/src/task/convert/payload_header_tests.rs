//! Converters that look at a header beside their payloads.

use lakeward_api::config::ConfigMap;
use lakeward_api::converter::{Decoded, Encoded};
use lakeward_api::plugin::PluginRegistry;
use lakeward_api::value::Value;
use lakeward_transforms::Chain;

use super::*;

/// Answers the header and the payload as one text; `x` cannot be read.
struct Beside {
    name: &'static str,
}

fn text(bytes: Option<&[u8]>) -> String {
    bytes.map_or_else(|| "-".to_owned(), |bytes| String::from_utf8_lossy(bytes).into_owned())
}

impl Converter for Beside {
    fn decode(&mut self, topic: &str, payloads: &[Option<&[u8]>]) -> Result<Decoded, ConnectError> {
        self.decode_with(topic, payloads, &vec![None; payloads.len()])
    }

    fn payload_header(&self) -> Option<&'static str> {
        Some(self.name)
    }

    fn poll_decode_ready_with(
        &mut self,
        _topic: &str,
        _payloads: &[Option<&[u8]>],
        headers: &[Option<&[u8]>],
    ) -> Result<Poll<()>, ConnectError> {
        // The plain call would be ready.
        Ok(if headers.iter().any(Option::is_some) { Poll::Pending } else { Poll::Ready(()) })
    }

    fn decode_with(
        &mut self,
        _topic: &str,
        payloads: &[Option<&[u8]>],
        headers: &[Option<&[u8]>],
    ) -> Result<Decoded, ConnectError> {
        assert_eq!(payloads.len(), headers.len());
        let mut decoded = Decoded::default();
        let mut run = Run { rows: Vec::new(), values: Values::Dynamic(Vec::new()) };
        for (row, (payload, header)) in payloads.iter().zip(headers).enumerate() {
            if *payload == Some(b"x") {
                decoded.errors.push((row, ConnectError::data("x")));
                continue;
            }
            run.rows.push(row_number(row));
            let Values::Dynamic(values) = &mut run.values else { unreachable!() };
            values.push(Value::String((text(*header) + "/" + &text(*payload)).into()));
        }
        decoded.runs.push(run);
        Ok(decoded)
    }

    fn encode(&mut self, _topic: &str, _values: &Values) -> Result<Encoded, ConnectError> {
        unreachable!("sinks do not encode")
    }
}

/// Takes headers as they are.
struct Plain;

impl HeaderConverter for Plain {
    fn can_fail(&self) -> bool {
        false
    }

    fn decode(
        &mut self,
        _topic: &str,
        _name: &str,
        _payload: Option<&[u8]>,
    ) -> Result<(Option<Arc<lakeward_api::schema::Schema>>, Value), ConnectError> {
        unreachable!("nothing looks at converted headers")
    }

    fn encode(
        &mut self,
        _topic: &str,
        _name: &str,
        _schema: Option<&lakeward_api::schema::Schema>,
        _value: &Value,
    ) -> Result<Option<bytes::Bytes>, ConnectError> {
        unreachable!("a sink only reads")
    }
}

fn converters() -> Converters {
    Converters {
        key: Box::new(Beside { name: "k" }),
        value: Box::new(Beside { name: "v" }),
        header: Box::new(Plain),
        chain: Chain::from_config(&ConfigMap::new(), &PluginRegistry::default()).unwrap(),
        classes: crate::task::settings::ConverterClasses::default(),
        for_sink: Default::default(),
    }
}

#[test]
fn a_converter_sees_the_last_header_of_its_name_beside_each_payload() {
    let record = |offset, key: &'static str| RawRecord {
        offset,
        timestamp_ms: None,
        key: Some(key.as_bytes()),
        value: Some(b"value"),
    };
    let records = [record(5, "a"), record(6, "x"), record(7, "c")];
    let header = |name: &'static str, value: &'static str| RawHeader {
        name: name.as_bytes(),
        value: Some(value.as_bytes()),
    };
    let headers = [
        vec![header("v", "old"), header("k", "k5"), header("v", "v5")],
        vec![header("v", "v6")],
        vec![header("other", "v7")],
    ];
    let mut converters = converters();
    assert!(converters.look_for_headers() && !converters.use_headers());
    converters.for_sink = crate::task::settings::ForSink::Headers;
    assert!(converters.use_headers(), "the sink looks at them");
    converters.for_sink = Default::default();
    let partition = TopicPartition::new("t", 0);
    let run = RawRun { records: &records, headers: &headers };
    assert!(poll_ready(&mut converters, &partition, &run).unwrap().is_pending());
    let converted = convert(&mut converters, &partition, &run).unwrap();
    let texts = |values: &Values| -> Vec<String> {
        let Values::Dynamic(values) = values else { panic!("schemaless") };
        values.iter().map(|value| value.as_str().unwrap().to_owned()).collect()
    };
    let batch = &converted.batches[0];
    assert_eq!(texts(&batch.keys), ["k5/a", "-/c"]);
    assert_eq!(texts(&batch.values), ["v5/value", "-/value"], "the header of a refused row is left out");
    assert_eq!(converted.bad[0].offset, 6);
    assert!(batch.headers.is_empty());
}

#[test]
fn records_without_headers_are_read_as_ever() {
    let records = [RawRecord { offset: 5, timestamp_ms: None, key: None, value: Some(b"value") }];
    let run = RawRun { records: &records, headers: &[] };
    let mut converters = converters();
    let partition = TopicPartition::new("t", 0);
    assert!(poll_ready(&mut converters, &partition, &run).unwrap().is_ready(), "the plain call is made");
    let converted = convert(&mut converters, &partition, &run).unwrap();
    let Values::Dynamic(values) = &converted.batches[0].values else { panic!("schemaless") };
    assert_eq!(values[0].as_str(), Some("-/value"));
}
