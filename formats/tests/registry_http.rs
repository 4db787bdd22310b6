//! Converters over HTTP: schemas named in headers, subjects that the registry associates with topics.

use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use lakeward_api::ConnectError;
use lakeward_api::batch::Values;
use lakeward_api::bridge::{Bridge, BridgeFuture, Waker};
use lakeward_api::config::ConfigMap;
use lakeward_api::converter::{Converter, Decoded, Encoded};
use lakeward_api::plugin::{ConverterContext, ConverterPlugin, ConverterRole, Network};
use lakeward_api::rows;
use lakeward_api::schema::{Field, Kind, Schema};
use lakeward_api::value::Value;
use lakeward_formats::converter::{AvroConverterPlugin, JsonSchemaConverterPlugin, ProtobufConverterPlugin};
use lakeward_registry::{SchemaText, SchemaType, Store, server};
use tokio::net::TcpListener;
use tokio::runtime::{Handle, Runtime};

/// Longest wait for an answer; every test ends far earlier.
const PATIENCE: Duration = Duration::from_secs(20);
const TOPIC: &str = "t";
const IDS: &str = "io.confluent.kafka.serializers.schema.id.";

const PLUGINS: [&dyn ConverterPlugin; 3] =
    [&AvroConverterPlugin, &JsonSchemaConverterPlugin, &ProtobufConverterPlugin];

/// A registry that is served.
struct Rig {
    runtime: Runtime,
    store: Arc<Mutex<Store>>,
    url: String,
}

struct OnRuntime(Handle);

impl Bridge for OnRuntime {
    fn spawn(&self, future: BridgeFuture) {
        drop(self.0.spawn(future));
    }
}

impl Rig {
    fn new() -> Self {
        let runtime = Runtime::new().expect("tests may make a runtime");
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("a bound socket has an address"));
        let store: Arc<Mutex<Store>> = Arc::default();
        runtime.spawn(server::serve(listener, Arc::clone(&store)));
        Self { runtime, store, url }
    }

    /// A converter of values that asks this registry.
    fn converter(&self, plugin: &dyn ConverterPlugin, more: &[(&str, &str)]) -> Waiting {
        let given = more.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let mut settings: ConfigMap = given.collect();
        settings.insert("schema.registry.url".to_owned(), self.url.clone());
        let (sender, woken) = channel();
        // The receiver may be gone when a late answer wakes.
        let waker = Waker::new(move || {
            let _woken = sender.send(());
        });
        let network = Network { bridge: Arc::new(OnRuntime(self.runtime.handle().clone())), waker };
        let context = ConverterContext {
            role: ConverterRole::Value,
            settings: &settings,
            connector: &settings,
            network: Some(&network),
        };
        Waiting { converter: plugin.new_converter(&context).expect("valid settings"), woken }
    }

    fn writing_headers(&self, plugin: &dyn ConverterPlugin) -> Waiting {
        let class = format!("{IDS}HeaderSchemaIdSerializer");
        self.converter(plugin, &[("value.schema.id.serializer", &class)])
    }
}

/// A converter whose answers are waited for.
struct Waiting {
    converter: Box<dyn Converter>,
    woken: Receiver<()>,
}

impl Waiting {
    fn wait(&mut self, mut ask: impl FnMut(&mut dyn Converter) -> Result<Poll<()>, ConnectError>) {
        while ask(&mut *self.converter).expect("the settings are right").is_pending() {
            self.woken.recv_timeout(PATIENCE).expect("the task is woken when the answer is there");
        }
    }

    fn encode(&mut self, values: &Values) -> Encoded {
        self.wait(|converter| converter.poll_encode_ready(TOPIC, values));
        self.converter.encode(TOPIC, values).expect("the settings are right")
    }

    fn decode(&mut self, payloads: &[Option<&[u8]>], headers: &[Option<&[u8]>]) -> Decoded {
        self.wait(|converter| converter.poll_decode_ready_with(TOPIC, payloads, headers));
        let decoded = self.converter.decode_with(TOPIC, payloads, headers).expect("the settings are right");
        let rows: usize = decoded.runs.iter().map(|run| run.rows.len()).sum();
        assert_eq!(rows + decoded.errors.len(), payloads.len(), "rows were lost or doubled");
        decoded
    }
}

fn row(number: i32, text: &str) -> Value {
    Value::Struct(vec![Value::Int32(number), Value::String(text.into())])
}

/// Rows of one STRUCT.
fn batch(rows: &[Value]) -> Values {
    let field = |name: &str, kind| Field { name: name.into(), schema: Arc::new(Schema::new(kind)) };
    let fields = vec![field("number", Kind::Int32), field("text", Kind::String)];
    let schema = Schema { name: Some("demo.Row".into()), ..Schema::new(Kind::Struct(fields)) };
    let mut column = rows::ColumnWriter::new(&schema);
    rows.iter().for_each(|row| column.append(row).expect("the row fits"));
    let array = column.finish().expect("rows were appended");
    Values::Typed { schema: Arc::new(schema), array }
}

fn values(decoded: &Decoded) -> Vec<Value> {
    let of_run = |values: &Values| match values {
        Values::Typed { schema, array } => {
            (0..array.len()).map(|row| rows::value_at(schema, array, row)).collect()
        }
        other => vec![Value::Null; other.rows()],
    };
    decoded.runs.iter().flat_map(|run| of_run(&run.values)).collect()
}

#[test]
fn a_header_names_the_schema_by_its_guid_and_payloads_come_back() {
    for plugin in PLUGINS {
        let rig = Rig::new();
        let given = [row(7, "seven"), row(8, "eight")];
        let encoded = rig.writing_headers(plugin).encode(&batch(&given));
        let (name, header) = encoded.header.clone().unwrap();
        assert_eq!((name, header[0]), ("__value_schema_id", 1));
        // The path of a Protobuf message is part of the name.
        assert_eq!(header.len(), if plugin.class().contains("protobuf") { 18 } else { 17 });
        let plain = rig.converter(plugin, &[]).encode(&batch(&given));
        assert!(plain.header.is_none());
        let prefix = plain.payload(0).unwrap().len() - encoded.payload(0).unwrap().len();
        assert_eq!(plain.payload(0).unwrap()[prefix..], *encoded.payload(0).unwrap());

        let mut reader = rig.converter(plugin, &[]);
        assert_eq!(reader.converter.payload_header(), Some("__value_schema_id"));
        let by_guid: &[u8] = &header;
        let by_id = &plain.payload(0).unwrap()[..prefix];
        let guid_in_front = [by_guid, encoded.payload(1).unwrap()].concat();
        let payloads = [
            encoded.payload(0),
            encoded.payload(1),
            None,
            plain.payload(0),
            encoded.payload(1),
            Some(&*guid_in_front),
        ];
        let headers = [Some(by_guid), Some(by_guid), Some(by_guid), None, Some(by_id), None];
        let decoded = reader.decode(&payloads, &headers);
        let expected = [&given[0], &given[1], &Value::Null, &given[0], &given[1], &given[1]];
        assert_eq!(values(&decoded).iter().collect::<Vec<_>>(), expected, "{}", plugin.class());
    }
}

#[test]
fn a_header_wins_over_what_looks_like_a_schema_id_in_front() {
    let rig = Rig::new();
    // As plain Avro this text starts like a schema id: a number 0, and a text of zero bytes.
    let given = [row(0, "\0\0\0\x01")];
    let encoded = rig.writing_headers(&AvroConverterPlugin).encode(&batch(&given));
    assert_eq!(encoded.payload(0).unwrap()[0], 0);
    let (_, header) = encoded.header.clone().unwrap();
    let decoded =
        rig.converter(&AvroConverterPlugin, &[]).decode(&[encoded.payload(0)], &[Some(header.as_ref())]);
    assert_eq!(values(&decoded), given);
}

#[test]
fn headers_that_name_no_schema_fail_their_record_only() {
    for plugin in PLUGINS {
        let rig = Rig::new();
        let encoded = rig.writing_headers(plugin).encode(&batch(&[row(1, "a")]));
        let (_, header) = encoded.header.clone().unwrap();
        let mut unknown = header.to_vec();
        unknown[5] ^= 0xff;
        let payload = encoded.payload(0);
        let headers: [&[u8]; 5] = [&[], &[1, 2, 3], &[9; 17], &unknown, &header];
        let decoded = rig.converter(plugin, &[]).decode(&[payload; 5], &headers.map(Some));
        assert_eq!(values(&decoded), [row(1, "a")], "{}", plugin.class());
        let traces: Vec<String> = decoded.errors.iter().map(|(_, error)| error.trace()).collect();
        let causes =
            ["Unknown magic byte!", "shorter than a schema GUID", "Unknown magic byte!", "error code: 40403"];
        for (trace, cause) in traces.iter().zip(causes) {
            assert!(trace.contains("DataException") && trace.contains(cause), "{trace}");
        }
        assert_eq!(traces.len(), causes.len());
    }
}

#[test]
fn who_reads_prefixes_only_asks_for_no_header() {
    let rig = Rig::new();
    let class = format!("{IDS}PrefixSchemaIdDeserializer");
    for plugin in PLUGINS {
        let reader = rig.converter(plugin, &[("value.schema.id.deserializer", &class)]);
        assert_eq!(reader.converter.payload_header(), None);
    }
}

#[test]
fn a_topic_has_the_subject_that_the_registry_associates_with_it() {
    let strategy = "io.confluent.kafka.serializers.subject.AssociatedNameStrategy";
    let associated = ("value.subject.name.strategy", strategy);
    for plugin in PLUGINS {
        let rig = Rig::new();
        let subjects = || rig.store.lock().unwrap().subjects(false);
        let rows = batch(&[row(1, "a")]);
        // Without an association the fallback counts.
        let by_topic = rig.converter(plugin, &[associated]).encode(&rows);
        assert_eq!((by_topic.errors.len(), subjects()), (0, vec!["t-value".to_owned()]));
        let none = ("subject.name.strategy.fallback.type", "NONE");
        let refused = rig.converter(plugin, &[associated, none]).encode(&rows);
        let trace = refused.errors[0].1.trace();
        assert!(trace.contains("No associated subject found for topic t"), "{trace}");
        let unread = rig.converter(plugin, &[associated, none]).decode(&[by_topic.payload(0)], &[]);
        assert!(unread.errors[0].1.trace().contains("No associated subject found for topic t"));

        rig.store.lock().unwrap().associate(TOPIC, false, "orders");
        let encoded = rig.converter(plugin, &[associated, none]).encode(&rows);
        assert_eq!(subjects(), ["orders", "t-value"], "{}", plugin.class());
        let decoded = rig.converter(plugin, &[associated, none]).decode(&[encoded.payload(0)], &[]);
        assert_eq!(values(&decoded), [row(1, "a")]);
        // Its version is that under the associated subject.
        let Values::Typed { schema, .. } = &decoded.runs[0].values else { panic!("typed") };
        assert_eq!(schema.version, Some(1));
    }
}

#[test]
fn the_latest_version_is_asked_for_once_per_schema_that_payloads_were_written_with() {
    let rig = Rig::new();
    let latest = [("use.latest.version", "true"), ("auto.register.schemas", "true")];
    let given = [row(7, "seven")];
    let first = rig.converter(&AvroConverterPlugin, &[]).encode(&batch(&given));
    let old: Vec<Option<&[u8]>> = vec![first.payload(0)];
    let mut reader = rig.converter(&AvroConverterPlugin, &latest);
    assert_eq!(values(&reader.decode(&old, &[])), given);

    let text = r#"{"type":"record","name":"demo.Row","fields":[{"name":"text","type":"string"}]}"#;
    let schema = SchemaText { kind: SchemaType::Avro, text: text.into(), references: Vec::new() };
    let second = rig.store.lock().unwrap().register("t-value", schema.into(), false, None).unwrap().id;
    // What was answered stays without `latest.cache.ttl.sec`, but a new schema is a new question.
    assert_eq!(values(&reader.decode(&old, &[])), given);
    let new = [&[0], second.to_be_bytes().as_slice(), b"\x02x"].concat();
    let of_text = |text: &str| Value::Struct(vec![Value::String(text.into())]);
    assert_eq!(values(&reader.decode(&[Some(&new), old[0]], &[])), [of_text("x"), given[0].clone()]);
    let mut other = rig.converter(&AvroConverterPlugin, &latest);
    assert_eq!(values(&other.decode(&[old[0], Some(&new)], &[])), [of_text("seven"), of_text("x")]);
    let mut as_written = rig.converter(&AvroConverterPlugin, &[]);
    assert_eq!(values(&as_written.decode(&old, &[])), given);
}
