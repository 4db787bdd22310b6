//! Exact names and contents of objects.

use std::io::Read as _;
use std::sync::Arc;

use lakeward_api::batch::Values;
use lakeward_api::sink::SinkTask as _;
use lakeward_api::value::Value;
use object_store::memory::InMemory;

use super::fixture::{Fixture, batch, now, structs};

fn memory(extra: &[(&str, &str)]) -> Fixture {
    Fixture::over(Arc::new(InMemory::new()), extra).opened()
}

#[test]
fn gzip_objects_hold_the_same_lines() {
    let mut fixture = memory(&[("s3.compression.type", "gzip"), ("s3.compression.level", "9")]);
    fixture.put(0..2);
    assert!(fixture.task.buffered_bytes() > 0, "the header of an open file counts");
    fixture.put(2..3);
    fixture.settle().unwrap();
    let name = "topics/orders/partition=0/orders+0+0000000000.json.gz";
    assert_eq!(fixture.names(), [name]);
    let mut text = String::new();
    flate2::read::GzDecoder::new(&*fixture.bytes(name)).read_to_string(&mut text).unwrap();
    assert_eq!(text, "{\"n\":0}\n{\"n\":1}\n{\"n\":2}\n");
    assert_eq!((fixture.in_flight.used_bytes(), fixture.task.buffered_bytes()), (0, 0));
}

#[test]
fn byte_files_use_the_extension_and_the_untrimmed_separator() {
    let format = "io.confluent.connect.s3.format.bytearray.ByteArrayFormat";
    let mut fixture = memory(&[
        ("format.class", format),
        ("format.bytearray.separator", " ; "),
        ("format.bytearray.extension", ".raw"),
    ]);
    let value = |text: &'static str| Value::Bytes(text.as_bytes().into());
    let values = Values::Dynamic(vec![value("a"), value(""), value("c")]);
    fixture.task.put(batch(vec![0, 1, 2], values), now(0)).unwrap();
    fixture.settle().unwrap();
    assert_eq!(fixture.text("topics/orders/partition=0/orders+0+0000000000.raw"), "a ;  ; c ; ");
}

#[test]
fn field_partitions_split_a_batch_into_objects_that_close_together() {
    let class = "io.confluent.connect.storage.partitioner.FieldPartitioner";
    let mut fixture =
        memory(&[("partitioner.class", class), ("partition.field.name", "text"), ("flush.size", "4")]);
    let values = structs(&[1, 2, 3, 4, 5], &["a", "b", "a", "../b", "b"]);
    fixture.task.put(batch(vec![10, 11, 12, 13, 14], values), now(0)).unwrap();
    fixture.settle().unwrap();
    let [a, climbing, b] = [
        "topics/orders/text=a/orders+0+0000000010.json",
        "topics/orders/text=../b/orders+0+0000000013.json",
        "topics/orders/text=b/orders+0+0000000011.json",
    ];
    assert_eq!(fixture.names(), [climbing, a, b]);
    assert_eq!(fixture.text(a), "{\"id\":1,\"text\":\"a\"}\n{\"id\":3,\"text\":\"a\"}\n");
    assert_eq!(fixture.text(b), "{\"id\":2,\"text\":\"b\"}\n");
    assert_eq!(fixture.durable(), [14]);
}

#[test]
fn parquet_objects_hold_every_row_under_the_codecs_name() {
    let format = "io.confluent.connect.s3.format.parquet.ParquetFormat";
    let mut fixture = memory(&[("format.class", format), ("parquet.codec", "zstd")]);
    fixture.task.put(batch(vec![0, 1, 2], structs(&[1, 2, 3], &["a", "b", "c"])), now(0)).unwrap();
    fixture.settle().unwrap();
    let name = "topics/orders/partition=0/orders+0+0000000000.zstd.parquet";
    assert_eq!(fixture.names(), [name]);
    let bytes = fixture.bytes(name);
    assert_eq!((&bytes[..4], &bytes[bytes.len() - 4..]), (&b"PAR1"[..], &b"PAR1"[..]));
    assert_eq!((fixture.in_flight.used_bytes(), fixture.task.buffered_bytes()), (0, 0));
}

#[test]
fn files_written_again_after_a_restart_replace_themselves() {
    let store = Arc::new(InMemory::new());
    let run = |rows: std::ops::Range<i64>| {
        let mut fixture = Fixture::over(Arc::clone(&store) as _, &[]).opened();
        fixture.put(rows);
        fixture.settle().unwrap();
        fixture.names().into_iter().map(|name| (fixture.text(&name), name)).collect::<Vec<_>>()
    };
    // The first task dies between the upload of its second file and the commit; the next begins at 3.
    let before = run(0..6);
    assert_eq!(run(3..8), before);
}
