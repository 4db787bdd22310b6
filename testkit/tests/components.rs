//! The real components start, do their work, and are gone afterwards.

use lakeward_testkit::broker::KafkaBroker;
use lakeward_testkit::child::RunFolder;
use lakeward_testkit::python;
use lakeward_testkit::records::{Record, produce, read_topic};
use lakeward_testkit::store::Versitygw;
use serde_json::json;

#[test]
fn a_broker_keeps_what_was_produced() {
    let broker = KafkaBroker::shared();
    let topic = broker.create_topic("kept", 2).unwrap();
    let mut sent: Vec<Record> = (0..100)
        .map(|id| {
            Record::of(format!("value {id}")).in_partition(id % 2).at(1_700_000_000_000 + i64::from(id))
        })
        .collect();
    sent.push(Record { key: Some(b"key".to_vec()), timestamp_ms: Some(5), ..Record::default() });
    produce(broker, &topic, &sent).unwrap();
    let mut read = read_topic(broker, &topic).unwrap();
    read.sort_by_key(|record| (record.timestamp_ms, record.partition));
    for record in &mut read {
        record.offset = 0;
    }
    sent.sort_by_key(|record| (record.timestamp_ms, record.partition));
    assert_eq!(read, sent);
    assert_eq!(broker.committed_offset("nobody", &topic, 0).unwrap(), None);
}

#[test]
fn a_store_starts_with_empty_buckets_of_its_own() {
    let store = Versitygw::shared();
    let first = store.create_bucket("first").unwrap();
    let second = store.create_bucket("second").unwrap();
    assert_ne!(first.bucket(), second.bucket());
    assert_eq!(first.names().unwrap(), Vec::<String>::new());
}

/// Writes a Parquet file of one row to the path it is given.
const WRITE_PARQUET: &str = r"
import datetime, decimal, json, sys
import pyarrow as pa
import pyarrow.parquet as parquet
table = pa.table({
    'id': pa.array([7], pa.int64()),
    'price': pa.array([decimal.Decimal('-1.25')], pa.decimal256(64, 2)),
    'day': pa.array([datetime.date(2022, 1, 8)]),
    'tags': pa.array([['a', None]]),
    'counts': pa.array([[('x', 1)]], pa.map_(pa.string(), pa.int32())),
    'raw': pa.array([b'\x00\xff']),
})
parquet.write_table(table, sys.argv[1], compression='zstd')
json.dump(None, sys.stdout)
";

#[test]
fn parquet_objects_are_read_by_pyarrow() {
    let folder = RunFolder::new("components").unwrap();
    let file = folder.file("written.parquet");
    python::run(WRITE_PARQUET, &[file.display().to_string()]).unwrap();
    let objects = Versitygw::shared().create_bucket("parquet").unwrap();
    objects.write("a/b.parquet", std::fs::read(&file).unwrap()).unwrap();
    objects.write("a/c.json", b"{\"x\":1}\n[2]\n".to_vec()).unwrap();
    assert_eq!(objects.names().unwrap(), ["a/b.parquet", "a/c.json"]);
    assert_eq!(objects.json_rows("a/c.json").unwrap(), [json!({"x": 1}), json!([2])]);
    let files = objects.parquet_files(&["a/b.parquet".to_owned()]).unwrap();
    assert_eq!(files[0].codec, "ZSTD");
    assert_eq!(files[0].columns[0], ("id".to_owned(), "int64".to_owned()));
    let row = json!({
        "id": 7, "price": "-1.25", "day": "2022-01-08", "tags": ["a", null], "counts": [["x", 1]],
        "raw": "00ff",
    });
    assert_eq!(objects.parquet_rows().unwrap(), [row]);
}
