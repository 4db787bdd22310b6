//! How fast are Avro payloads decoded to columns and encoded from them, flat and nested?

use std::hint::black_box;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use lakeward_api::batch::Values;
use lakeward_api::config::ConfigMap;
use lakeward_api::converter::Converter;
use lakeward_api::plugin::ConverterRole;
use lakeward_formats::converter::avro::AvroConverter;
use lakeward_registry::{SchemaText, SchemaType, Store, Writing, local};

/// Thirteen required columns: about 186 bytes.
const FLAT: &str = r#"{"type":"record","name":"Order","fields":[
    {"name":"order_id","type":"long"},{"name":"customer","type":"string"},{"name":"sku","type":"string"},
    {"name":"quantity","type":"int"},{"name":"price","type":"double"},{"name":"discount","type":"double"},
    {"name":"currency","type":"string"},{"name":"paid","type":"boolean"},
    {"name":"created","type":{"type":"long","logicalType":"timestamp-millis"}},
    {"name":"updated","type":{"type":"long","logicalType":"timestamp-millis"}},
    {"name":"warehouse","type":"string"},{"name":"note","type":"string"},{"name":"trace","type":"string"}]}"#;

/// Nullable members, a nested record, a list and a map: about 150 bytes.
const NESTED: &str = r#"{"type":"record","name":"Event","fields":[
    {"name":"id","type":"string"},{"name":"time","type":{"type":"long","logicalType":"timestamp-millis"}},
    {"name":"user","type":["null","string"]},{"name":"country","type":["null","string"]},
    {"name":"latency","type":["null","double"]},{"name":"status","type":["null","int"]},
    {"name":"client","type":["null",{"type":"record","name":"Client","fields":[
        {"name":"os","type":"string"},{"name":"version","type":["null","string"]},
        {"name":"mobile","type":"boolean"}]}]},
    {"name":"tags","type":{"type":"array","items":"string"}},
    {"name":"labels","type":{"type":"map","values":"string"}},
    {"name":"referrer","type":["null","string"]}]}"#;

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

/// An Avro value under construction.
struct Payload(Vec<u8>);

impl Payload {
    fn long(&mut self, number: u64) -> &mut Self {
        let mut rest = number << 1;
        while rest >= 0x80 {
            self.0.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        self.0.push(rest as u8);
        self
    }

    fn text(&mut self, text: &str) -> &mut Self {
        self.long(text.len() as u64).0.extend_from_slice(text.as_bytes());
        self
    }

    fn double(&mut self, number: f64) -> &mut Self {
        self.0.extend_from_slice(&number.to_le_bytes());
        self
    }
}

fn flat(random: &mut Random, row: u64) -> Payload {
    let (small, wide) = (random.below(1000), random.below(1 << 40));
    let mut payload = Payload(vec![0, 0, 0, 0, 1]);
    payload
        .long(row)
        .text(&format!("customer-{:06}", wide % 50_000))
        .text(&format!("SKU-{:05}", wide % 3000));
    payload.long(small % 20).double(small as f64 / 7.0).double(0.25).text("EUR").0.push(1);
    let time = 1_700_000_000_000 + wide % 1_000_000_000;
    payload.long(time).long(time + small).text(&format!("berlin-{}", small % 8));
    payload
        .text(&format!("handle with care {small:03}, leave at the door of the neighbour, second floor left"));
    payload.text(&format!("{wide:016x}{:016x}", wide ^ small));
    payload
}

fn nested(random: &mut Random, nulls_percent: u64) -> Payload {
    let (small, wide) = (random.below(1000), random.below(1 << 40));
    let mut payload = Payload(vec![0, 0, 0, 0, 1]);
    payload.text(&format!("{wide:020x}")).long(1_700_000_000_000 + wide % 86_400_000);
    let mut present = || random.below(100) >= nulls_percent;
    for text in [format!("user-{:06}", wide % 100_000), "DE".to_owned()] {
        if present() {
            payload.long(1).text(&text)
        } else {
            payload.long(0)
        };
    }
    if present() {
        payload.long(1).double(small as f64 / 3.0)
    } else {
        payload.long(0)
    };
    if present() {
        payload.long(1).long(200)
    } else {
        payload.long(0)
    };
    if present() {
        payload.long(1).text("linux").long(1).text("12.3").0.push(1);
    } else {
        payload.long(0);
    }
    payload.long(2).text("web").text(&format!("tag-{}", small % 50)).long(0);
    payload.long(2).text("region").text("eu-central-1").text("tier").text("gold").long(0);
    if present() {
        payload.long(1).text(&format!("campaign-{}", small % 40))
    } else {
        payload.long(0)
    };
    payload
}

fn converter(schema: &str) -> AvroConverter {
    let mut store = Store::new();
    let text = SchemaText { kind: SchemaType::Avro, text: schema.into(), references: Vec::new() };
    store.register("bench-value", text.into(), false, None).expect("the schema is valid");
    let registry = local(Arc::new(Mutex::new(store)), Writing::default());
    let settings = ConfigMap::from([("schema.registry.url".to_owned(), "http://registry".to_owned())]);
    AvroConverter::over(registry, ConverterRole::Value, &settings).expect("the settings are valid")
}

fn avro(criterion: &mut Criterion) {
    let mut random = Random(1);
    let mut samples = vec![("flat", FLAT, (0..ROWS).map(|row| flat(&mut random, row).0).collect::<Vec<_>>())];
    for (name, nulls) in [("nested_0_nulls", 0), ("nested_20_nulls", 20), ("nested_80_nulls", 80)] {
        samples.push((name, NESTED, (0..ROWS).map(|_| nested(&mut random, nulls).0).collect()));
    }
    let mut group = criterion.benchmark_group("avro");
    group.sample_size(20).warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(2));
    for (name, schema, records) in &samples {
        let payloads: Vec<Option<&[u8]>> = records.iter().map(|record| Some(record.as_slice())).collect();
        let bytes = records.iter().map(|record| record.len() as u64).sum::<u64>() / ROWS;
        let mut converter = converter(schema);
        group.throughput(Throughput::Elements(ROWS));
        group.bench_function(BenchmarkId::new(format!("decode_{name}"), format!("{bytes}B")), |bencher| {
            bencher.iter(|| {
                assert!(converter.poll_decode_ready("bench", &payloads).is_ok_and(|ready| ready.is_ready()));
                let decoded = converter.decode("bench", black_box(&payloads)).expect("the samples decode");
                assert!(decoded.errors.is_empty());
                decoded
            });
        });
        let decoded = converter.decode("bench", &payloads).expect("the samples decode");
        let values: Values = decoded.runs.into_iter().next().expect("one run").values;
        group.bench_function(BenchmarkId::new(format!("encode_{name}"), format!("{bytes}B")), |bencher| {
            bencher.iter(|| {
                assert!(converter.poll_encode_ready("bench", &values).is_ok_and(|ready| ready.is_ready()));
                let encoded = converter.encode("bench", black_box(&values)).expect("the samples encode");
                assert!(encoded.errors.is_empty());
                encoded
            });
        });
    }
    group.finish();
}

criterion_group!(benches, avro);
criterion_main!(benches);
