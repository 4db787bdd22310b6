//! How fast are Protobuf payloads decoded to columns and encoded from them, flat and nested?

use std::hint::black_box;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use lakeward_api::batch::Values;
use lakeward_api::config::ConfigMap;
use lakeward_api::converter::Converter;
use lakeward_api::plugin::ConverterRole;
use lakeward_formats::converter::protobuf::ProtobufConverter;
use lakeward_registry::{SchemaText, SchemaType, Store, Writing, local};

/// Thirteen scalars: about 200 bytes.
const FLAT: &str =
    "syntax = \"proto3\"; message Order { int64 order_id = 1; string customer = 2; string sku = 3;
    int32 quantity = 4; double price = 5; double discount = 6; string currency = 7; bool paid = 8;
    fixed64 created = 9; sint64 updated = 10; string warehouse = 11; string note = 12; string trace = 13; }";

/// Optional members, an embedded message, a list, a map and a oneof: about 150 bytes.
const NESTED: &str = "syntax = \"proto3\"; import \"google/protobuf/timestamp.proto\";
    message Event { message Client { string os = 1; optional string version = 2; bool mobile = 3; }
    string id = 1; google.protobuf.Timestamp time = 2; optional string user = 3; optional double latency = 4;
    Client client = 5; repeated string tags = 6; map<string, string> labels = 7; repeated int32 scores = 8;
    oneof referrer { string campaign = 9; int64 page = 10; } }";

const ROWS: u64 = 4096;

/// Splitmix64.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (mixed ^ (mixed >> 31)) % limit
    }
}

/// A message under construction.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, number: u64) -> &mut Self {
        let mut rest = number;
        while rest >= 0x80 {
            self.0.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        self.0.push(rest as u8);
        self
    }

    fn number(&mut self, field: u64, number: u64) -> &mut Self {
        self.varint(field << 3).varint(number)
    }

    fn bytes(&mut self, field: u64, bytes: &[u8]) -> &mut Self {
        self.varint(field << 3 | 2).varint(bytes.len() as u64).0.extend_from_slice(bytes);
        self
    }

    fn fixed(&mut self, field: u64, bytes: [u8; 8]) -> &mut Self {
        self.varint(field << 3 | 1).0.extend_from_slice(&bytes);
        self
    }
}

fn flat(random: &mut Random, row: u64) -> Message {
    let (small, wide) = (random.below(1000), random.below(1 << 40));
    let mut message = Message::default();
    message.number(1, row).bytes(2, format!("customer-{:06}", wide % 50_000).as_bytes());
    message.bytes(3, format!("SKU-{:05}", wide % 3000).as_bytes()).number(4, small % 20);
    message.fixed(5, (small as f64 / 7.0).to_le_bytes()).fixed(6, 0.25_f64.to_le_bytes()).bytes(7, b"EUR");
    let time = 1_700_000_000_000 + wide % 1_000_000_000;
    message.number(8, 1).fixed(9, time.to_le_bytes()).number(10, time << 1);
    message.bytes(11, format!("berlin-{}", small % 8).as_bytes());
    let note = format!("handle with care {small:03}, leave at the door of the neighbour, second floor left");
    message.bytes(12, note.as_bytes()).bytes(13, format!("{wide:016x}{:016x}", wide ^ small).as_bytes());
    message
}

fn nested(random: &mut Random, _row: u64) -> Message {
    let (small, wide) = (random.below(1000), random.below(1 << 40));
    let mut time = Message::default();
    time.number(1, 1_700_000_000 + wide % 86_400).number(2, small * 1_000_000);
    let mut client = Message::default();
    client.bytes(1, b"linux").bytes(2, b"12.3").number(3, 1);
    let mut message = Message::default();
    message.bytes(1, format!("{wide:020x}").as_bytes()).bytes(2, &time.0);
    if !small.is_multiple_of(5) {
        message.bytes(3, format!("user-{:06}", wide % 100_000).as_bytes());
    }
    message.fixed(4, (small as f64 / 3.0).to_le_bytes()).bytes(5, &client.0);
    message.bytes(6, b"web").bytes(6, format!("tag-{}", small % 50).as_bytes());
    for (key, value) in [("region", "eu-central-1"), ("tier", "gold")] {
        let mut entry = Message::default();
        entry.bytes(1, key.as_bytes()).bytes(2, value.as_bytes());
        message.bytes(7, &entry.0);
    }
    message.bytes(8, &[1, 2, 3, 4, (small % 100) as u8]);
    message.bytes(9, format!("campaign-{}", small % 40).as_bytes());
    message
}

fn converter(schema: &str) -> ProtobufConverter {
    let store: Arc<Mutex<Store>> = Arc::default();
    let text = SchemaText { kind: SchemaType::Protobuf, text: schema.into(), references: Vec::new() };
    let registered = store
        .lock()
        .expect("one thread")
        .register("bench-value", text.into(), false, None)
        .expect("a schema");
    assert_eq!(registered.id, 1);
    let settings = ConfigMap::from([("schema.registry.url".to_owned(), "http://registry".to_owned())]);
    // What is written has another schema, which is not compatible.
    store.lock().expect("one thread").set_level(None, lakeward_registry::CompatibilityLevel::None);
    let registry = local(store, Writing::default());
    ProtobufConverter::over(registry, ConverterRole::Value, &settings).expect("the settings are right")
}

fn protobuf(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("protobuf");
    group.sample_size(20).warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(3));
    type Make = fn(&mut Random, u64) -> Message;
    let samples: [(&str, &str, Make); 2] = [("flat", FLAT, flat), ("nested", NESTED, nested)];
    for (name, schema, make) in samples {
        let mut random = Random(1);
        let payload = |row| [&[0, 0, 0, 0, 1, 0], make(&mut random, row).0.as_slice()].concat();
        let payloads: Vec<Vec<u8>> = (0..ROWS).map(payload).collect();
        let bytes: usize = payloads.iter().map(Vec::len).sum();
        let payloads: Vec<Option<&[u8]>> = payloads.iter().map(|payload| Some(payload.as_slice())).collect();
        let size = format!("{}B", bytes as u64 / ROWS);
        let mut converter = converter(schema);
        assert!(converter.poll_decode_ready("bench", &payloads).expect("registered").is_ready());
        group.throughput(Throughput::Elements(ROWS));
        group.bench_function(BenchmarkId::new(format!("decode_{name}"), &size), |bencher| {
            bencher.iter(|| {
                let decoded = converter.decode("bench", black_box(&payloads)).expect("the samples decode");
                assert!(decoded.errors.is_empty());
                decoded
            });
        });
        let mut decoded = converter.decode("bench", &payloads).expect("the samples decode");
        let values: Values = decoded.runs.remove(0).values;
        assert!(converter.poll_encode_ready("bench", &values).expect("registered").is_ready());
        group.bench_function(BenchmarkId::new(format!("encode_{name}"), &size), |bencher| {
            bencher.iter(|| {
                let encoded = converter.encode("bench", black_box(&values)).expect("the samples encode");
                assert!(encoded.errors.is_empty());
                encoded
            });
        });
    }
    group.finish();
}

criterion_group!(benches, protobuf);
criterion_main!(benches);
