//! Every format with every partitioner, rotation and compatibility: objects in a local directory are those
//! that a model of the contract lists, names, schemas and rows.
//!
//! The model (`model`) takes records one by one and knows nothing of batches, columns or encoders; files are
//! read (`read`) by code of their own.

mod model;
mod read;

use arrow_array::{ArrayRef, Int64Array, StringArray, StructArray};
use lakeward_api::batch::{SinkBatch, Values};
use lakeward_api::header::{Header, HeaderRows};
use lakeward_api::schema::{Field, Kind, Schema};

use super::companions::text_keys;
use super::*;
use model::{Listing, Model, Record, Settings};

const FORMATS: [&str; 4] = ["AvroFormat", "ByteArrayFormat", "JsonFormat", "ParquetFormat"];
const PARTITIONERS: [&str; 5] = [
    "DefaultPartitioner",
    "FieldPartitioner",
    "DailyPartitioner",
    "HourlyPartitioner",
    "TimeBasedPartitioner",
];
const COMPATIBILITIES: [&str; 4] = ["NONE", "BACKWARD", "FORWARD", "FULL"];

/// Rotations: settings that have an effect on when files end.
const ROTATIONS: [&[(&str, &str)]; 5] = [
    &[("flush.size", "3")],
    &[("flush.size", "7")],
    &[("flush.size", "1000"), ("rotate.interval.ms", "5400000")],
    &[("flush.size", "9"), ("rotate.interval.ms", "5400000"), ("rotate.file.on.partition.change", "false")],
    &[("flush.size", "1000"), ("partitioner.max.open.files", "2")],
];

/// A small generator of numbers, so that a combination is always the same.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// Records whose times go on, now and then back; schemas change in both directions.
fn records(random: &mut Random, has_schemas: bool) -> Vec<Record> {
    let (mut offset, mut time_ms, mut version) = (random.below(50) as i64, 1_700_000_000_000, 1);
    let mut records = Vec::new();
    for _ in 0..40 {
        offset += 1 + i64::from(random.below(9) == 0);
        time_ms += random.below(1_500_000) as i64 - 300_000;
        if has_schemas && random.below(8) == 0 {
            version = 3 - version;
        }
        let city = ["Oslo", "Rome", "a b"][random.below(3) as usize];
        records.push(Record { offset, time_ms, city, version });
    }
    records
}

fn schema(version: i32) -> Arc<Schema> {
    let field = |name: &str, schema: Schema| Field { name: name.into(), schema: Arc::new(schema) };
    let mut fields = vec![field("city", Schema::new(Kind::String)), field("n", Schema::new(Kind::Int64))];
    if version == 2 {
        fields.push(field("extra", Schema::optional(Kind::String)));
    }
    let mut schema = Schema::new(Kind::Struct(fields)).named("shop.Order");
    schema.version = Some(version);
    Arc::new(schema)
}

/// A batch of records of one schema, with a STRING key and a header each.
fn batch(records: &[Record], format: &str) -> SinkBatch {
    let offsets: Vec<i64> = records.iter().map(|record| record.offset).collect();
    let keys: Vec<String> = offsets.iter().map(|offset| format!("k{offset}")).collect();
    let keys: Vec<Option<&str>> = keys.iter().map(|key| Some(key.as_str())).collect();
    let header = |offset: &i64| vec![Header { key: "o".into(), schema: None, value: Value::Int64(*offset) }];
    let headers = HeaderRows::new(offsets.iter().map(header).collect());
    let values = match format {
        "ByteArrayFormat" => {
            let row = |record: &Record| Value::Bytes(record.row(1).into_bytes().into());
            Values::Dynamic(records.iter().map(row).collect())
        }
        _ => {
            let schema = schema(records[0].version);
            let mut columns: Vec<ArrayRef> = vec![
                Arc::new(StringArray::from_iter_values(records.iter().map(|record| record.city))),
                Arc::new(Int64Array::from(offsets.clone())),
            ];
            if records[0].version == 2 {
                columns.push(Arc::new(StringArray::from_iter(records.iter().map(Record::extra))));
            }
            let array = Arc::new(StructArray::new(schema.arrow_fields(), columns, None));
            Values::Typed { schema, array }
        }
    };
    let timestamps_ms = records.iter().map(|record| Some(record.time_ms)).collect();
    SinkBatch { keys: text_keys(&keys), values, headers, timestamps_ms, ..texts(0, offsets) }
}

/// What is in the directory after `records` came in batches of chance, and the position that is durable.
fn stored(settings: &Settings, records: &[Record], random: &mut Random) -> (Listing, Option<i64>) {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("file://{}", dir.path().display());
    let pairs: Vec<(&str, &str)> = settings.pairs.iter().copied().chain([("store.url", &*url)]).collect();
    let mut rig = Rig::with_configured_store(&pairs);
    rig.open(&[0]);
    let mut rest = records;
    while let Some(first) = rest.first() {
        let most = 1 + random.below(20) as usize;
        let rows = rest.iter().take(most).take_while(|record| record.version == first.version).count();
        let (head, tail) = rest.split_at(rows);
        rig.task.put(batch(head, settings.format), rig.now).unwrap();
        rest = tail;
    }
    rig.settle(&[0]);
    let durable = rig.durable().last().map(|(_, offset)| *offset);
    (read::listing(&dir.path().join("bucket")), durable)
}

fn check(seed: u64, settings: &Settings) {
    let mut random = Random(seed);
    let records = records(&mut random, settings.format != "ByteArrayFormat");
    let mut model = Model::new(settings);
    records.iter().for_each(|record| model.take(record));
    let (listing, durable) = stored(settings, &records, &mut random);
    let expected = model.listing();
    let names = |listing: &Listing| listing.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&listing), names(&expected), "{settings:?}");
    for (name, file) in &expected {
        assert_eq!(listing[name], *file, "{name} of {settings:?}");
    }
    assert_eq!(durable, model.durable(), "{settings:?}");
}

fn check_format(format: &'static str) {
    let mut seed = 0;
    for partitioner in PARTITIONERS {
        for rotation in ROTATIONS {
            for compatibility in COMPATIBILITIES {
                // Bytes are neither records nor of a schema.
                let is_plain = format == "ByteArrayFormat";
                if is_plain && (partitioner == "FieldPartitioner" || compatibility != "NONE") {
                    continue;
                }
                seed += 1;
                check(seed, &Settings::new(format, partitioner, rotation, compatibility, seed % 2 == 0));
            }
        }
    }
    assert!(seed >= 20, "{seed}");
}

#[test]
fn avro_files_are_those_of_the_contract() {
    check_format(FORMATS[0]);
}

#[test]
fn files_of_bytes_are_those_of_the_contract() {
    check_format(FORMATS[1]);
}

#[test]
fn json_files_are_those_of_the_contract() {
    check_format(FORMATS[2]);
}

#[test]
fn parquet_files_are_those_of_the_contract() {
    check_format(FORMATS[3]);
}
