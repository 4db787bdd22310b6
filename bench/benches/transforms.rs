//! What does a record cost in each transform and predicate, flat and nested, with and without nulls?
//!
//! Each case is measured twice, per record and per byte of its value as JSON. `cargo xtask bench transforms`
//! has Java's figures for the same work.

use std::hint::black_box;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BatchSize, BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use lakeward_api::batch::{SinkBatch, Values};
use lakeward_api::config::ConfigMap;
use lakeward_api::header::HeaderRows;
use lakeward_api::plugin::PluginRegistry;
use lakeward_api::record::TopicPartition;
use lakeward_bench::rows::{flat, json_bytes, nested, outbox, row_changes, schemaless};

const ROWS: u64 = 4096;

/// A class behind the package of Kafka's transforms, or a whole one, and its settings.
type Case = (&'static str, &'static [(&'static str, &'static str)]);

/// For flat and nested values.
const PLAIN: [Case; 21] = [
    ("Cast$Value", &[("spec", "id:string,price:float32")]),
    ("DropHeaders", &[("headers", "trace")]),
    ("ExtractField$Value", &[("field", "customer")]),
    ("Filter", &[]),
    ("Flatten$Value", &[]),
    ("HeaderFrom$Value", &[("fields", "customer"), ("headers", "c"), ("operation", "move")]),
    ("HoistField$Value", &[("field", "all")]),
    ("InsertField$Value", &[("topic.field", "t"), ("static.field", "s"), ("static.value", "berlin")]),
    ("InsertHeader", &[("header", "h"), ("value.literal", "berlin")]),
    ("MaskField$Value", &[("fields", "customer"), ("replacement", "xxx")]),
    ("RegexRouter", &[("regex", "(.*)-eu"), ("replacement", "eu.$1")]),
    ("ReplaceField$Value", &[("exclude", "price"), ("renames", "id:key")]),
    ("SetSchemaMetadata$Value", &[("schema.name", "n"), ("schema.version", "2")]),
    (
        "TimestampConverter$Value",
        &[("field", "created_ms"), ("target.type", "string"), ("format", "yyyy-MM-dd'T'HH:mm:ss.SSSX")],
    ),
    ("TimestampRouter", &[]),
    ("ValueToKey", &[("fields", "id,customer")]),
    ("io.aiven.kafka.connect.transforms.ConcatFields$Value", &CONCAT),
    ("io.aiven.kafka.connect.transforms.ExtractTimestamp$Value", &[("field.name", "id")]),
    ("io.confluent.connect.transforms.ExtractTopic$Value", &[("field", "region")]),
    ("io.confluent.connect.transforms.Filter$Value", &FILTER),
    ("io.confluent.connect.transforms.TombstoneHandler", &[]),
];
const CONCAT: [(&str, &str); 3] =
    [("field.names", "customer,region"), ("output.field.name", "both"), ("delimiter", "-")];
const FILTER: [(&str, &str); 3] = [
    ("filter.condition", "$[?(@.id > 10)]"),
    ("filter.type", "include"),
    ("missing.or.null.behavior", "include"),
];

/// For values without a schema.
const SCHEMALESS: [Case; 1] =
    [("io.confluent.connect.transforms.MessageTimestampRouter", &[("message.timestamp.keys", "updated")])];

/// For row changes of a database.
const CHANGES: [Case; 2] = [
    ("io.debezium.transforms.ExtractNewRecordState", &[("add.fields", "op,ts_ms")]),
    (
        "io.debezium.transforms.ByLogicalTableRouter",
        &[
            ("topic.regex", "(.*)orders(.*)"),
            ("topic.replacement", "$1all$2"),
            ("key.enforce.uniqueness", "false"),
        ],
    ),
];

/// For changes of an outbox table.
const OUTBOX: [Case; 1] = [("io.debezium.transforms.outbox.EventRouter", &[])];

const PREDICATES: [Case; 3] = [
    ("HasHeaderKey", &[("name", "trace")]),
    ("RecordIsTombstone", &[]),
    ("TopicNameMatches", &[("pattern", "orders-.*")]),
];

fn transforms(criterion: &mut Criterion) {
    let mut registry = PluginRegistry::default();
    lakeward_transforms::register(&mut registry);
    let mut group = criterion.benchmark_group("transforms");
    group
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_millis(500));
    for (nulls, every) in [("no_nulls", 0), ("half_null", 2)] {
        for (shape, values) in [("flat", flat(ROWS, every)), ("nested", nested(ROWS, every))] {
            for case in PLAIN {
                transform(&mut group, &registry, case, &format!("{shape}/{nulls}"), &batch(values.clone()));
            }
            for case in PREDICATES {
                predicate(&mut group, &registry, case, &format!("{shape}/{nulls}"), &batch(values.clone()));
            }
        }
        for case in
            PLAIN.into_iter().filter(|(class, _)| *class != "SetSchemaMetadata$Value").chain(SCHEMALESS)
        {
            let values = schemaless(ROWS, every);
            transform(&mut group, &registry, case, &format!("schemaless/{nulls}"), &batch(values));
        }
        for case in CHANGES {
            transform(&mut group, &registry, case, nulls, &batch(row_changes(ROWS, every)));
        }
    }
    for case in OUTBOX {
        transform(&mut group, &registry, case, "outbox", &batch(outbox(ROWS)));
    }
    group.finish();
}

fn transform(
    group: &mut BenchmarkGroup<'_, WallTime>,
    registry: &PluginRegistry,
    (class, settings): Case,
    shape: &str,
    batch: &SinkBatch,
) {
    let plugin = registry.transform(&full(class, "transforms")).expect("a class of ours");
    let mut transform = plugin.new_transform(&config(settings)).expect("valid settings");
    let once = transform.apply(batch.clone()).expect("the batch can be transformed");
    assert!(once.errors.is_empty(), "{class}: {:?}", once.errors.first());
    for (unit, throughput) in throughputs(batch) {
        group.throughput(throughput);
        group.bench_function(format!("{}/{shape}/{unit}", short(class)), |bencher| {
            let apply = |batch| transform.apply(black_box(batch)).expect("the batch can be transformed");
            bencher.iter_batched(|| batch.clone(), apply, BatchSize::SmallInput);
        });
    }
}

fn predicate(
    group: &mut BenchmarkGroup<'_, WallTime>,
    registry: &PluginRegistry,
    (class, settings): Case,
    shape: &str,
    batch: &SinkBatch,
) {
    let plugin = registry.predicate(&full(class, "transforms.predicates")).expect("a class of ours");
    let mut predicate = plugin.new_predicate(&config(settings)).expect("valid settings");
    for (unit, throughput) in throughputs(batch) {
        group.throughput(throughput);
        group.bench_function(format!("{class}/{shape}/{unit}"), |bencher| {
            bencher.iter(|| predicate.test(black_box(batch)));
        });
    }
}

fn full(class: &str, package: &str) -> String {
    if class.contains('.') { class.to_owned() } else { format!("org.apache.kafka.connect.{package}.{class}") }
}

/// The name of a class; of classes that Kafka does not have with whose they are.
fn short(class: &str) -> String {
    let mut parts = class.split('.');
    let owner = parts.nth(1).map_or(String::new(), |owner| format!("{owner}_"));
    format!("{owner}{}", class.rsplit('.').next().unwrap_or(class))
}

fn config(settings: &[(&str, &str)]) -> ConfigMap {
    settings.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned())).collect()
}

fn throughputs(batch: &SinkBatch) -> [(&'static str, Throughput); 2] {
    [("records", Throughput::Elements(ROWS)), ("bytes", Throughput::Bytes(json_bytes(&batch.values)))]
}

fn batch(values: Values) -> SinkBatch {
    let rows = i64::try_from(values.rows()).expect("a small batch");
    SinkBatch {
        partition: TopicPartition::new("orders-eu", 3),
        topic: "orders-eu".into(),
        offsets: (0..rows).collect(),
        timestamps_ms: (0..rows).map(|row| Some(1_760_000_000_000 + row)).collect(),
        keys: Values::Null { rows: values.rows() },
        values,
        headers: HeaderRows::default(),
    }
}

criterion_group!(benches, transforms);
criterion_main!(benches);
