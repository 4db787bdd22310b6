//! How fast are JSON Schema payloads decoded to columns and encoded from them?

use std::hint::black_box;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use lakeward_api::batch::Values;
use lakeward_api::config::ConfigMap;
use lakeward_api::converter::Converter;
use lakeward_api::plugin::ConverterRole;
use lakeward_formats::converter::json_schema::JsonSchemaConverter;
use lakeward_registry::{SchemaText, SchemaType, Store, Writing, local};

/// Seven required columns: about 150 bytes.
const FLAT: &str = r#"{"type":"object","title":"Order","properties":{
    "order_id":{"type":"integer","connect.index":0},"customer":{"type":"string","connect.index":1},
    "quantity":{"type":"integer","connect.type":"int32","connect.index":2},
    "price":{"type":"number","connect.index":3},"paid":{"type":"boolean","connect.index":4},
    "created":{"type":"integer","connect.type":"int64","connect.version":1,"connect.index":5,
        "title":"org.apache.kafka.connect.data.Timestamp"},
    "note":{"type":"string","connect.index":6}}}"#;

/// Nullable members, a union, a list and a map: about 150 bytes.
const NESTED: &str = r#"{"type":"object","title":"Event","properties":{
    "id":{"type":"string","connect.index":0},
    "user":{"connect.index":1,"oneOf":[{"type":"null"},{"type":"string"}]},
    "client":{"connect.index":2,"oneOf":[{"type":"null"},
        {"type":"object","properties":{"os":{"type":"string"},"mobile":{"type":"boolean"}}}]},
    "cause":{"connect.index":3,"oneOf":[{"type":"string"},{"type":"integer"},
        {"type":"object","properties":{"code":{"type":"integer"}}}]},
    "tags":{"type":"array","items":{"type":"string"},"connect.index":4},
    "labels":{"type":"object","connect.type":"map","additionalProperties":{"type":"string"},
        "connect.index":5}}}"#;

const ROWS: usize = 4096;

/// Name, schema text and generator of a payload.
type Sample = (&'static str, &'static str, fn(usize) -> String);

fn flat(row: usize) -> String {
    format!(
        "{{\"order_id\":{row},\"customer\":\"customer-{:06}\",\"quantity\":{},\"price\":{}.25,\"paid\":true,\
         \"created\":{},\"note\":\"leave at the door of the neighbour, second floor left {row}\"}}",
        row * 7919 % 50_000,
        row % 20,
        row % 1000,
        1_700_000_000_000 + row as u64 * 977,
    )
}

fn nested(row: usize) -> String {
    let user = if row.is_multiple_of(5) { "null".to_owned() } else { format!("\"user-{row:06}\"") };
    let cause = ["\"campaign\"", "17", "{\"code\":404}"][row % 3];
    format!(
        "{{\"id\":\"{row:020x}\",\"user\":{user},\"client\":{{\"os\":\"linux\",\"mobile\":false}},\
         \"cause\":{cause},\"tags\":[\"web\",\"tag-{}\"],\"labels\":{{\"region\":\"eu-central-1\",\
         \"tier\":\"gold\"}}}}",
        row % 50,
    )
}

fn converter(schema: &str) -> JsonSchemaConverter {
    let mut store = Store::new();
    let text = SchemaText { kind: SchemaType::Json, text: schema.into(), references: Vec::new() };
    store.register("bench-value", text.into(), false, None).expect("the schema is valid");
    store.set_level(None, lakeward_registry::CompatibilityLevel::None);
    let registry = local(Arc::new(Mutex::new(store)), Writing::default());
    let settings = ConfigMap::from([("schema.registry.url".to_owned(), "http://registry".to_owned())]);
    JsonSchemaConverter::over(registry, ConverterRole::Value, &settings).expect("the settings are valid")
}

fn json_schema(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("json_schema");
    group.sample_size(20).warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(2));
    let samples: [Sample; 2] = [("flat", FLAT, flat), ("nested", NESTED, nested)];
    for (name, schema, record) in samples {
        let records: Vec<Vec<u8>> =
            (0..ROWS).map(|row| [b"\0\0\0\0\x01", record(row).as_bytes()].concat()).collect();
        let payloads: Vec<Option<&[u8]>> = records.iter().map(|record| Some(record.as_slice())).collect();
        let mut converter = converter(schema);
        group.throughput(Throughput::Elements(ROWS as u64));
        group.bench_function(format!("decode_{name}"), |bencher| {
            bencher.iter(|| {
                assert!(converter.poll_decode_ready("bench", &payloads).is_ok_and(|ready| ready.is_ready()));
                let decoded = converter.decode("bench", black_box(&payloads)).expect("the samples decode");
                assert!(decoded.errors.is_empty());
                decoded
            });
        });
        let decoded = converter.decode("bench", &payloads).expect("the samples decode");
        let values: Values = decoded.runs.into_iter().next().expect("one run").values;
        group.bench_function(format!("encode_{name}"), |bencher| {
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

criterion_group!(benches, json_schema);
criterion_main!(benches);
