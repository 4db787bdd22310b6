//! Null values that are written.

use arrow_array::StringArray;
use lakeward_api::batch::{SinkBatch, Values};
use lakeward_api::schema::{Kind, Schema};

use super::companions::{numbered, text_keys};
use super::*;

const WRITE: [(&str, &str); 3] =
    [("behavior.on.null.values", "write"), ("store.kafka.keys", "true"), ("keys.format.class", "JsonFormat")];

fn rig(extra: &[(&str, &str)]) -> Rig {
    let mut rig = Rig::new(&[&WRITE, extra].concat());
    rig.open(&[0]);
    rig
}

/// Rows of texts, null where `None`, with keys `k<offset>`.
fn mixed(first: i64, values: &[Option<&str>]) -> SinkBatch {
    let offsets: Vec<i64> = (0i64..).zip(values).map(|(row, _)| first + row).collect();
    let keys: Vec<String> = offsets.iter().map(|offset| format!("k{offset}")).collect();
    let keys: Vec<Option<&str>> = keys.iter().map(|key| Some(key.as_str())).collect();
    let values = values.iter().map(|value| value.map_or(Value::Null, |text| Value::String(text.into())));
    SinkBatch { keys: text_keys(&keys), ..dynamic(0, offsets, values.collect()) }
}

fn object(name: &str, text: &str) -> (String, String) {
    (format!("topics/t/{name}"), text.to_owned())
}

#[test]
fn tombstones_are_keys_in_a_directory_of_their_own() {
    let mut rig = rig(&[("flush.size", "5")]);
    rig.task.put(mixed(0, &[Some("a"), None, Some("c"), None, None]), rig.now).unwrap();
    rig.turn().unwrap();
    assert_eq!(
        rig.objects(),
        [
            object("partition=0/t+0+0000000000.json", "\"a\"\n\"c\"\n"),
            object("partition=0/t+0+0000000000.keys.json", "\"k0\"\n\"k2\"\n"),
            object("tombstone/t+0+0000000001.keys.json", "\"k1\"\n\"k3\"\n\"k4\"\n"),
        ]
    );
    assert_eq!(rig.durable(), [(0, 5)]);
}

#[test]
fn tombstones_alone_make_a_position_durable() {
    let mut rig = rig(&[("tombstone.encoded.partition", "gone"), ("store.kafka.headers", "true")]);
    let nulls = |first: i64| {
        let batch = mixed(first, &[None, None, None]);
        let headers = numbered(&batch.offsets);
        SinkBatch { values: Values::Null { rows: 3 }, headers, ..batch }
    };
    let gate = Arc::new(Semaphore::new(0));
    rig.set_mood(Mood::Holding(".keys", Arc::clone(&gate)));
    rig.task.put(nulls(7), rig.now).unwrap();
    rig.turn().unwrap();
    assert!(rig.durable().is_empty());
    gate.add_permits(1);
    rig.turn().unwrap();
    assert_eq!(rig.durable(), [(0, 10)]);
    let names: Vec<String> = rig.objects().into_iter().map(|(name, _)| name).collect();
    assert_eq!(
        names,
        ["topics/t/gone/t+0+0000000007.headers.avro", "topics/t/gone/t+0+0000000007.keys.json"]
    );
}

#[test]
fn a_tombstone_without_key_is_refused() {
    let mut rig = rig(&[("errors.deadletterqueue.topic.name", "dlq")]);
    let batch = mixed(0, &[None, None, None, None]);
    let keys = text_keys(&[None, Some("b"), Some("c"), Some("d")]);
    rig.task.put(SinkBatch { keys, ..batch }, rig.now).unwrap();
    rig.turn().unwrap();
    assert_eq!(rig.rejected().len(), 1);
    assert_eq!(rig.objects(), [object("tombstone/t+0+0000000001.keys.json", "\"b\"\n\"c\"\n\"d\"\n")]);
    assert_eq!(rig.durable(), [(0, 4)]);
}

#[test]
fn values_with_a_schema_may_be_null_and_need_not_fit_the_format() {
    let mut rig = rig(&[("format.class", "ParquetFormat")]);
    let schema = Arc::new(Schema::optional(Kind::String));
    let array = Arc::new(StringArray::from(vec![None::<&str>; 3]));
    let values = Values::Typed { schema, array };
    rig.task.put(SinkBatch { values, ..mixed(0, &[None, None, None]) }, rig.now).unwrap();
    rig.turn().unwrap();
    assert_eq!(rig.durable(), [(0, 3)]);
    assert_eq!(rig.objects().len(), 1);
}

#[test]
fn refused_values_do_not_take_tombstones_along() {
    let dlq = ("errors.deadletterqueue.topic.name", "dlq");
    let by_field = [("partitioner.class", "FieldPartitioner"), ("partition.field.name", "city")];
    let bytes = [("format.class", "ByteArrayFormat")];
    for extra in [&by_field[..], &bytes] {
        let mut rig = rig(&[extra, &[dlq, ("flush.size", "2")]].concat());
        let schema = Arc::new(Schema::optional(Kind::String));
        let array = Arc::new(StringArray::from(vec![Some("a"), None, Some("c"), None]));
        let values = Values::Typed { schema, array };
        let texts = [Some("a"), None, Some("c"), None];
        rig.task.put(SinkBatch { values, ..mixed(0, &texts) }, rig.now).unwrap();
        rig.turn().unwrap();
        let offsets: Vec<i64> = rig.rejected().iter().map(|(offset, _)| *offset).collect();
        assert_eq!(offsets, [0, 2], "{extra:?}");
        assert_eq!(rig.objects(), [object("tombstone/t+0+0000000001.keys.json", "\"k1\"\n\"k3\"\n")]);
        assert_eq!(rig.durable(), [(0, 4)]);
    }
}

const BY_TIME: [(&str, &str); 7] = [
    ("partitioner.class", "TimeBasedPartitioner"),
    ("path.format", "'minute'=mm"),
    ("partition.duration.ms", "60000"),
    ("timestamp.extractor", "Record"),
    ("locale", "en"),
    ("timezone", "UTC"),
    ("flush.size", "1000"),
];

/// What was stored after values and tombstones at seconds `seconds` (negative: tombstones).
fn cuts(extra: &[(&str, &str)], seconds: &[i64]) -> Vec<(i32, i64)> {
    let mut rig = rig(&[&BY_TIME, extra].concat());
    let mut durable = Vec::new();
    for (offset, second) in (0i64..).zip(seconds) {
        let mut batch = mixed(offset, &[(*second >= 0).then_some("x")]);
        batch.timestamps_ms = vec![Some(second.abs() * 1000)];
        rig.task.put(batch, rig.now).unwrap();
        rig.turn().unwrap();
        durable.extend(rig.durable());
    }
    durable
}

#[test]
fn to_go_to_the_tombstones_and_back_is_no_change_of_the_partition() {
    let interval = [("rotate.interval.ms", "600000")];
    assert_eq!(cuts(&interval, &[1, 2, 61, 62]), [(0, 2)]);
    assert_eq!(cuts(&interval, &[1, -2, 3, -61, 62, 63]), []);
    // The record's own time counts for tombstones, whatever the extractor is.
    assert_eq!(cuts(&interval, &[1, -2, -602, 3, 1203]), [(0, 2), (0, 4)]);
    assert_eq!(cuts(&[], &[1, -2, 61, -602, 3]), []);
}

#[test]
fn a_tombstone_without_time_rotates_nothing() {
    let mut rig = rig(&[&BY_TIME[..], &[("rotate.interval.ms", "1000")]].concat());
    for offset in 0..3 {
        let mut batch = mixed(offset, &[None]);
        batch.timestamps_ms = vec![None];
        rig.task.put(batch, rig.now).unwrap();
    }
    rig.turn().unwrap();
    assert!(rig.durable().is_empty() && rig.objects().is_empty());
}

#[test]
fn affixes_and_time_paths_are_for_values_only() {
    let mut rig = rig(&[("s3.schema.partition.affix.type", "PREFIX"), ("flush.size", "2")]);
    rig.task.put(mixed(0, &[Some("a"), None]), rig.now).unwrap();
    rig.turn().unwrap();
    let names: Vec<String> = rig.objects().into_iter().map(|(name, _)| name).collect();
    assert_eq!(
        names,
        [
            "topics/t/schema_name=null/partition=0/t+0+0000000000.json",
            "topics/t/schema_name=null/partition=0/t+0+0000000000.keys.json",
            "topics/t/tombstone/t+0+0000000001.keys.json",
        ]
    );
}

#[test]
fn a_value_in_the_place_of_tombstones_fails_the_task() {
    let by_time = [("path.format", "'tombstone'")];
    let mut rig = rig(&[&BY_TIME[..], &by_time].concat());
    let err = rig.task.put(mixed(0, &[Some("a")]), rig.now).unwrap_err();
    assert_eq!(err.class(), ErrorClass::Fatal);
    assert!(err.to_string().starts_with("Value writer not configured for SinkRecord"), "{err}");
}
