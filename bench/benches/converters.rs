//! What does a record cost in each built-in converter, in both directions, flat and nested, with and without
//! nulls?
//!
//! Each case is measured twice, per record and per byte of its payloads.

use std::hint::black_box;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use lakeward_api::batch::Values;
use lakeward_api::config::ConfigMap;
use lakeward_api::converter::{Converter, Encoded};
use lakeward_api::plugin::{ConverterContext, ConverterPlugin, ConverterRole};
use lakeward_api::rows::ColumnWriter;
use lakeward_api::schema::{Field, Kind, Schema};
use lakeward_api::value::Value;
use lakeward_bench::records::Sample;

const ROWS: usize = 4096;

/// Values and the converter that writes and reads them.
struct Subject {
    name: String,
    converter: Box<dyn Converter>,
    values: Values,
}

fn converters(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("converters");
    group.sample_size(20).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(1));
    for mut subject in subjects() {
        let encoded = subject.converter.encode("bench", &subject.values).expect("the values can be written");
        assert!(encoded.errors.is_empty(), "{}", subject.name);
        for throughput in throughputs(&encoded) {
            group.throughput(throughput.clone());
            let unit = if matches!(throughput, Throughput::Bytes(_)) { "bytes" } else { "records" };
            measure(&mut group, &mut subject, &encoded, unit);
        }
    }
    group.finish();
}

fn measure(group: &mut BenchmarkGroup<'_, WallTime>, subject: &mut Subject, encoded: &Encoded, unit: &str) {
    let Subject { name, converter, values } = subject;
    group.bench_function(format!("encode/{name}/{unit}"), |bencher| {
        bencher.iter(|| converter.encode("bench", black_box(values)).expect("the values can be written"));
    });
    let payloads: Vec<Option<&[u8]>> = (0..encoded.rows()).map(|row| encoded.payload(row)).collect();
    group.bench_function(format!("decode/{name}/{unit}"), |bencher| {
        bencher.iter(|| converter.decode("bench", black_box(&payloads)).expect("the payloads can be read"));
    });
}

fn throughputs(encoded: &Encoded) -> [Throughput; 2] {
    let bytes: usize = (0..encoded.rows()).filter_map(|row| encoded.payload(row)).map(<[u8]>::len).sum();
    [Throughput::Elements(encoded.rows() as u64), Throughput::Bytes(bytes as u64)]
}

fn subjects() -> Vec<Subject> {
    let mut all = Vec::new();
    for (nulls, every) in [("no_nulls", 0), ("half_null", 2)] {
        let mut add = |class: &str, kind: Kind, value: &dyn Fn(u64) -> Value| {
            let values = column(Schema::optional(kind), every, value);
            all.push(Subject { name: format!("{class}/{nulls}"), converter: converter(class, ""), values });
        };
        let text = |row: u64| Value::String(format!("customer-{row:06}").into());
        add("StringConverter", Kind::String, &text);
        add("ByteArrayConverter", Kind::Bytes, &|row| Value::Bytes(format!("{row:064x}").into()));
        add("BooleanConverter", Kind::Boolean, &|row| Value::Boolean(row % 3 == 0));
        add("DoubleConverter", Kind::Float64, &|row| Value::Float64(row as f64 * 0.37));
        add("FloatConverter", Kind::Float32, &|row| Value::Float32(row as f32 * 0.37));
        add("IntegerConverter", Kind::Int32, &|row| Value::Int32(row as i32));
        add("LongConverter", Kind::Int64, &|row| Value::Int64(row as i64));
        add("ShortConverter", Kind::Int16, &|row| Value::Int16(row as i16));
        for (form, enable) in [("bare", "false"), ("envelope", "true")] {
            let name = format!("JsonConverter/flat_{form}/{nulls}");
            all.push(Subject { name, converter: converter("JsonConverter", enable), values: flat(every) });
        }
    }
    for sample in Sample::all(ROWS) {
        let form = match sample.name {
            "event_envelope" => "nested_envelope",
            "event_dynamic" => "nested_schemaless",
            _ => continue,
        };
        let name = format!("JsonConverter/{form}");
        let (converter, values) = (sample.converter(), sample.decoded());
        all.push(Subject { name, converter, values });
    }
    all
}

/// Eight columns of numbers and texts; every `every`th cell is null, none when it is 0.
fn flat(every: u64) -> Values {
    let kinds = [Kind::Int64, Kind::String, Kind::Int32, Kind::Float64];
    let fields = (0..8).map(|at| Field {
        name: format!("column_{at}").into(),
        schema: Schema::optional(kinds[at % 4].clone()).into(),
    });
    column(Schema::new(Kind::Struct(fields.collect())), 0, &|row| {
        let cell = |at: u64| match at % 4 {
            _ if every > 0 && (row + at).is_multiple_of(every) => Value::Null,
            0 => Value::Int64((row * 7919) as i64),
            1 => Value::String(format!("customer-{row:06}").into()),
            2 => Value::Int32((row % 1000) as i32),
            _ => Value::Float64(row as f64 * 0.01),
        };
        Value::Struct((0..8).map(cell).collect())
    })
}

fn column(schema: Schema, every: u64, value: &dyn Fn(u64) -> Value) -> Values {
    let mut writer = ColumnWriter::new(&schema);
    for row in 0..ROWS as u64 {
        let is_null = every > 0 && row.is_multiple_of(every);
        let cell = if is_null { Value::Null } else { value(row) };
        writer.append(&cell).expect("the values fit their schema");
    }
    let array = writer.finish().expect("a small column");
    Values::Typed { schema: schema.into(), array }
}

/// The converter whose class ends like that; `schemas` is its `schemas.enable`, empty for none.
fn converter(class: &str, schemas: &str) -> Box<dyn Converter> {
    let is_class = |plugin: &&std::sync::Arc<dyn ConverterPlugin>| plugin.class().ends_with(class);
    let all = lakeward_formats::converters();
    let plugin = all.iter().find(is_class).expect("a built-in converter");
    let mut settings = ConfigMap::new();
    if !schemas.is_empty() {
        settings.insert("schemas.enable".to_owned(), schemas.to_owned());
    }
    let connector = ConfigMap::new();
    let context = ConverterContext {
        role: ConverterRole::Value,
        settings: &settings,
        connector: &connector,
        network: None,
    };
    plugin.new_converter(&context).expect("valid settings")
}

criterion_group!(benches, converters);
criterion_main!(benches);
