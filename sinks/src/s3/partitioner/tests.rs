//! Encoded partitions of whole batches.

use std::sync::Arc;

use arrow_array::{Array, TimestampMillisecondArray};
use arrow_array::{ArrayRef, BooleanArray, Float64Array, Int32Array, Int64Array, StringArray, StructArray};
use lakeward_api::ErrorClass;
use lakeward_api::batch::{SinkBatch, Values};
use lakeward_api::config::ConfigMap;
use lakeward_api::header::HeaderRows;
use lakeward_api::record::TopicPartition;
use lakeward_api::recursion::Definitions;
use lakeward_api::rows::ColumnWriter;
use lakeward_api::schema::{Field, Kind, Logical, Schema};
use lakeward_api::value::Value;

use super::{Encoded, Ids, Partitioner, Times};
use crate::s3::config::S3Config;
use crate::s3::error::S3SinkError;

const PACKAGE: &str = "io.confluent.connect.storage.partitioner";

fn partitioner(class: &str, pairs: &[(&str, &str)]) -> Partitioner {
    let class = format!("{PACKAGE}.{class}");
    let base = [
        ("format.class", "JsonFormat"),
        ("flush.size", "3"),
        ("s3.bucket.name", "bucket"),
        ("storage.class", "S3Storage"),
        ("partitioner.class", class.as_str()),
        ("locale", "en"),
        ("timezone", "UTC"),
    ];
    let props: ConfigMap =
        base.iter().chain(pairs).map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Partitioner::new(&S3Config::parse(&props).unwrap().settings).unwrap()
}

fn batch(values: Values, timestamps_ms: Vec<Option<i64>>) -> SinkBatch {
    let rows = timestamps_ms.len();
    SinkBatch {
        partition: TopicPartition::new("orders", 7),
        topic: "orders".into(),
        headers: HeaderRows::default(),
        offsets: (0..rows as i64).collect(),
        timestamps_ms,
        keys: Values::Null { rows },
        values,
    }
}

fn field(name: &str, schema: Schema) -> Field {
    Field { name: name.into(), schema: Arc::new(schema) }
}

fn records(columns: Vec<(Field, ArrayRef)>) -> SinkBatch {
    let (fields, arrays): (Vec<Field>, Vec<ArrayRef>) = columns.into_iter().unzip();
    let schema = Schema::new(Kind::Struct(fields));
    let array = StructArray::new(schema.arrow_fields(), arrays, None);
    let timestamps = vec![None; array.len()];
    batch(Values::Typed { schema: Arc::new(schema), array: Arc::new(array) }, timestamps)
}

fn names(encoded: &Encoded, rows: usize) -> Vec<&str> {
    (0..rows)
        .map(|row| match &encoded.ids {
            Ids::PerRow(ids) => &*encoded.names[ids[row] as usize],
            Ids::Uniform => &*encoded.names[0],
        })
        .collect()
}

fn at(text: &str) -> i64 {
    chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis()
}

fn by_record(partitioner: &mut Partitioner, times: &[i64]) -> Vec<String> {
    let timestamps = times.iter().map(|time| Some(*time)).collect();
    let batch = batch(Values::Dynamic(vec![Value::Boolean(true); times.len()]), timestamps);
    let encoded = partitioner.encode(&batch, 0).unwrap();
    names(&encoded, times.len()).into_iter().map(str::to_owned).collect()
}

#[test]
fn the_default_partitioner_names_the_kafka_partition() {
    let batch = batch(Values::Dynamic(vec![Value::Boolean(true)]), vec![None]);
    let encoded = partitioner("DefaultPartitioner", &[]).encode(&batch, 0).unwrap();
    assert_eq!(names(&encoded, 1), ["partition=7"]);
    assert!(matches!(encoded.times, Times::None));
}

#[test]
fn daily_and_hourly_override_format_and_duration() {
    let times = [at("2024-12-31T23:59:59.999Z"), at("2025-01-01T00:00:00Z"), at("2024-12-31T22:00:00Z")];
    let mine = [("timestamp.extractor", "Record"), ("path.format", "YYYY"), ("partition.duration.ms", "7")];
    assert_eq!(
        by_record(&mut partitioner("DailyPartitioner", &mine), &times),
        ["year=2024/month=12/day=31", "year=2025/month=01/day=01", "year=2024/month=12/day=31"]
    );
    assert_eq!(
        by_record(&mut partitioner("HourlyPartitioner", &mine), &times),
        [
            "year=2024/month=12/day=31/hour=23",
            "year=2025/month=01/day=01/hour=00",
            "year=2024/month=12/day=31/hour=22"
        ]
    );
}

#[test]
fn buckets_follow_the_zone_over_clock_changes() {
    let settings = [
        ("timestamp.extractor", "Record"),
        ("path.format", "MM-dd-HH-mm/"),
        ("partition.duration.ms", "3600000"),
        ("timezone", "Europe/Paris"),
    ];
    let mut paris = partitioner("TimeBasedPartitioner", &settings);
    let spring = [at("2024-03-31T00:59:59Z"), at("2024-03-31T01:00:00Z")];
    assert_eq!(by_record(&mut paris, &spring), ["03-31-01-00", "03-31-03-00"]);
    let autumn = [at("2024-10-27T00:30:00Z"), at("2024-10-27T01:30:00Z"), at("2024-10-27T02:30:00Z")];
    assert_eq!(by_record(&mut paris, &autumn), ["10-27-02-00", "10-27-02-00", "10-27-03-00"]);
}

#[test]
fn times_before_1970_round_up() {
    let settings = [
        ("timestamp.extractor", "Record"),
        ("path.format", "yyyy-MM-dd-HH"),
        ("partition.duration.ms", "3600000"),
    ];
    let mut partitioner = partitioner("TimeBasedPartitioner", &settings);
    let times = [-1, -3_600_000, -3_600_001, 0];
    assert_eq!(
        by_record(&mut partitioner, &times),
        ["1970-01-01-00", "1969-12-31-23", "1969-12-31-23", "1970-01-01-00"]
    );
}

#[test]
fn cached_stretches_agree_with_single_rows() {
    let settings = [
        ("timestamp.extractor", "Record"),
        ("path.format", "yyyy-MM-dd-HH-mm"),
        ("partition.duration.ms", "1500000"),
        ("timezone", "Australia/Lord_Howe"),
    ];
    let start = at("2024-10-05T10:00:00Z");
    let times: Vec<i64> = (0..2000).map(|step| start + step * 60_000).collect();
    let together = by_record(&mut partitioner("TimeBasedPartitioner", &settings), &times);
    for (time, expected) in times.iter().zip(&together).step_by(13) {
        let alone = by_record(&mut partitioner("TimeBasedPartitioner", &settings), &[*time]);
        assert_eq!(&alone[0], expected, "{time}");
    }
}

#[test]
fn wallclock_is_one_time_for_the_batch() {
    let mut daily = partitioner("DailyPartitioner", &[]);
    let batch = batch(Values::Dynamic(vec![Value::Null; 3]), vec![None; 3]);
    let encoded = daily.encode(&batch, at("2024-02-29T12:00:00Z")).unwrap();
    assert_eq!(names(&encoded, 3), ["year=2024/month=02/day=29"; 3]);
    assert!(matches!((encoded.ids, encoded.times), (Ids::Uniform, Times::Uniform(_))));
}

#[test]
fn record_field_reads_typed_columns_and_maps() {
    let noon = at("2024-06-15T12:00:00Z");
    let timestamp = Schema::logical_of(Logical::Timestamp);
    let columns: Vec<(Field, ArrayRef)> = vec![
        (field("ts", timestamp), Arc::new(TimestampMillisecondArray::from(vec![noon]).with_timezone("UTC"))),
        (field("ms", Schema::new(Kind::Int64)), Arc::new(Int64Array::from(vec![noon]))),
        (field("small", Schema::new(Kind::Int32)), Arc::new(Int32Array::from(vec![86_400_000]))),
        (field("text", Schema::new(Kind::String)), Arc::new(StringArray::from(vec!["2024-06-15T12:00Z"]))),
        (field("flag", Schema::new(Kind::Boolean)), Arc::new(BooleanArray::from(vec![true]))),
        (field("gone", Schema::optional(Kind::Int64)), Arc::new(Int64Array::from(vec![None]))),
    ];
    let typed = records(columns);
    let map = Value::Map(vec![(
        Value::String("a".into()),
        Value::Map(vec![(Value::String("b".into()), Value::Float64(noon as f64))]),
    )]);
    let dynamic = batch(Values::Dynamic(vec![map]), vec![None]);
    let daily = |path: &str, batch: &SinkBatch| {
        let pairs = [("timestamp.extractor", "RecordField"), ("timestamp.field", path)];
        let encoded = partitioner("DailyPartitioner", &pairs).encode(batch, 0)?;
        Ok::<_, S3SinkError>(encoded.names[0].to_string())
    };
    for path in ["ts", "ms", "text"] {
        assert_eq!(daily(path, &typed).unwrap(), "year=2024/month=06/day=15", "{path}");
    }
    assert_eq!(daily("small", &typed).unwrap(), "year=1970/month=01/day=02");
    assert_eq!(daily("a.b", &dynamic).unwrap(), "year=2024/month=06/day=15");
    // Java fails the task for all of these, whatever errors.tolerance says.
    for (path, batch) in
        [("flag", &typed), ("gone", &typed), ("none", &typed), ("a", &dynamic), ("a.c", &dynamic)]
    {
        assert_eq!(daily(path, batch).unwrap_err().class(), ErrorClass::Fatal, "{path}");
    }
}

/// Java notices it in the guarded step, so such a record may be left out.
#[test]
fn a_record_without_timestamp_has_no_directory() {
    let batch = batch(Values::Dynamic(vec![Value::Null; 3]), vec![Some(1), None, None]);
    let mut daily = partitioner("DailyPartitioner", &[("timestamp.extractor", "Record")]);
    assert_eq!(daily.encode(&batch, 0).unwrap_err().class(), ErrorClass::Record);
    assert_eq!(daily.timeless_rows(&batch), [1, 2]);
    assert!(partitioner("DailyPartitioner", &[]).timeless_rows(&batch).is_empty());
    assert!(partitioner("DefaultPartitioner", &[]).timeless_rows(&batch).is_empty());
}

/// `Struct#get` answers the default.
#[test]
fn a_null_in_a_field_with_a_default_counts_as_the_default() {
    let noon = at("2024-06-15T12:00:00Z");
    let defaulted = |kind, default| Schema { default: Some(default), ..Schema::optional(kind) };
    let city = field("city", defaulted(Kind::String, Value::String("Rome".into())));
    let inner = Schema::optional(Kind::Struct(vec![city]));
    let cities: ArrayRef = Arc::new(StringArray::from(vec![None, Some("Oslo"), None]));
    let places = StructArray::new(inner.arrow_fields(), vec![cities], Some(vec![true, true, false].into()));
    let batch = records(vec![
        (
            field("n", defaulted(Kind::Int32, Value::Int32(5))),
            Arc::new(Int32Array::from(vec![None, Some(1), None])),
        ),
        (field("place", inner), Arc::new(places)),
        (
            field("ms", defaulted(Kind::Int64, Value::Int64(noon))),
            Arc::new(Int64Array::from(vec![None, Some(0), None])),
        ),
    ]);
    let mut by_field = partitioner("FieldPartitioner", &[("partition.field.name", "n,place.city")]);
    let encoded = by_field.encode(&batch, 0).unwrap();
    let expected = ["n=5/place.city=Rome", "n=1/place.city=Oslo", "n=5/place.city=null"];
    assert_eq!(names(&encoded, 3), expected);
    let by_time = [("timestamp.extractor", "RecordField"), ("timestamp.field", "ms")];
    let encoded = partitioner("DailyPartitioner", &by_time).encode(&batch, 0).unwrap();
    let (june, january) = ("year=2024/month=06/day=15", "year=1970/month=01/day=01");
    assert_eq!(names(&encoded, 3), [june, january, june]);
}

#[test]
fn field_values_are_directories() {
    let inner = Schema::optional(Kind::Struct(vec![field("city", Schema::new(Kind::String))]));
    let cities: ArrayRef = Arc::new(StringArray::from(vec!["Oslo", "a/../b", "x y"]));
    let valid = vec![true, true, false].into();
    let nested = StructArray::new(inner.arrow_fields(), vec![cities], Some(valid));
    let batch = records(vec![
        (
            field("n", Schema::optional(Kind::Int32)),
            Arc::new(Int32Array::from(vec![Some(-5), None, Some(5)])),
        ),
        (field("ok", Schema::new(Kind::Boolean)), Arc::new(BooleanArray::from(vec![true, false, true]))),
        (field("place", inner), Arc::new(nested)),
        (field("f", Schema::new(Kind::Float64)), Arc::new(Float64Array::from(vec![0.5; 3]))),
    ]);
    let encode = |fields: &str| {
        let encoded =
            partitioner("FieldPartitioner", &[("partition.field.name", fields)]).encode(&batch, 0)?;
        Ok::<_, S3SinkError>(names(&encoded, 3).join(" | "))
    };
    assert_eq!(encode("n, ok").unwrap(), "n=-5/ok=true | n=null/ok=false | n=5/ok=true");
    assert_eq!(encode("place.city").unwrap(), "place.city=Oslo | place.city=a/%2E%2E/b | place.city=null");
    for refused in ["f", "missing", "place"] {
        assert_eq!(encode(refused).unwrap_err().class(), ErrorClass::Record, "{refused}");
    }
}

#[test]
fn records_that_are_no_structs_have_no_fields() {
    let batch = batch(Values::Dynamic(vec![Value::Boolean(true)]), vec![None]);
    let mut by_field = partitioner("FieldPartitioner", &[("partition.field.name", "a")]);
    assert_eq!(by_field.encode(&batch, 0).unwrap_err().class(), ErrorClass::Record);
}

#[test]
fn paths_lead_through_places_where_a_schema_contains_itself() {
    let mut definitions = Definitions::new("partitioner demo.Node");
    let next = definitions.reserve().unwrap();
    let fields =
        vec![field("id", Schema::new(Kind::Int64)), field("next", next.place(true, Some("demo.Node")))];
    let schema = Arc::new(Schema::new(Kind::Struct(fields)).named("demo.Node"));
    next.define(&schema);
    let node = |id, next| Value::Struct(vec![Value::Int64(id), next]);
    let mut column = ColumnWriter::new(&schema);
    column.append(&node(1, node(2, node(3, Value::Null)))).unwrap();
    column.append(&node(4, Value::Null)).unwrap();
    let values = Values::Typed { schema, array: column.finish().unwrap() };
    let batch = batch(values, vec![None; 2]);
    let encode = |path| {
        let mut partitioner = partitioner("FieldPartitioner", &[("partition.field.name", path)]);
        let encoded = partitioner.encode(&batch, 0)?;
        Ok::<_, S3SinkError>(names(&encoded, 2).into_iter().map(str::to_owned).collect::<Vec<_>>())
    };
    assert_eq!(encode("next.id").unwrap(), ["next.id=2", "next.id=null"]);
    assert_eq!(encode("next.next.id").unwrap(), ["next.next.id=3", "next.next.id=null"]);
    assert!(encode("next").is_err() && encode("next.other").is_err());
}
