//! Files are taken apart by a reader of their own, and their rows compared with what the Avro converter
//! writes. Java's reader looks at them in the black-box tests.

use std::io::Read;

use arrow_array::{ArrayRef, Int64Array, StringArray, StructArray};
use lakeward_api::schema::{Field, Kind};
use lakeward_api::value::Value;

use super::*;

/// A file taken apart.
#[derive(Debug, PartialEq)]
struct File {
    schema: String,
    codec: String,
    /// Rows and plain bytes per block.
    blocks: Vec<(i64, Vec<u8>)>,
}

struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(length);
        self.0 = rest;
        taken
    }

    fn long(&mut self) -> i64 {
        let (mut zigzag, mut shift) = (0_u64, 0);
        loop {
            let byte = self.take(1)[0];
            zigzag |= u64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                return (zigzag >> 1).cast_signed() ^ -(zigzag & 1).cast_signed();
            }
        }
    }

    fn text(&mut self) -> &'a [u8] {
        let length = usize::try_from(self.long()).unwrap();
        self.take(length)
    }
}

fn read(file: &[u8]) -> File {
    let mut cursor = Cursor(file);
    assert_eq!(cursor.take(4), b"Obj\x01");
    assert_eq!(cursor.long(), 2);
    let mut pair = |key: &str| {
        assert_eq!(cursor.text(), key.as_bytes());
        String::from_utf8(cursor.text().to_vec()).unwrap()
    };
    let (schema, codec) = (pair("avro.schema"), pair("avro.codec"));
    assert_eq!(cursor.long(), 0);
    let marker = cursor.take(16);
    let mut blocks = Vec::new();
    while !cursor.0.is_empty() {
        let rows = cursor.long();
        let plain = plain(&codec, cursor.text());
        assert_eq!(cursor.take(16), marker);
        blocks.push((rows, plain));
    }
    File { schema, codec, blocks }
}

fn plain(codec: &str, stored: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    match codec {
        "null" => plain.extend_from_slice(stored),
        "deflate" => {
            flate2::read::DeflateDecoder::new(stored).read_to_end(&mut plain).unwrap();
        }
        "bzip2" => {
            bzip2::read::BzDecoder::new(stored).read_to_end(&mut plain).unwrap();
        }
        "snappy" => {
            let (block, checksum) = stored.split_at(stored.len() - 4);
            plain = snap::raw::Decoder::new().decompress_vec(block).unwrap();
            assert_eq!(checksum, crc32fast::hash(&plain).to_be_bytes());
        }
        other => panic!("{other}"),
    }
    plain
}

fn write(options: AvroOptions, schema: Option<&Arc<Schema>>, batches: &[Values]) -> Vec<u8> {
    let mut part = AvroFormat::new(options).new_part(schema).unwrap();
    let mut file = Vec::new();
    for batch in batches {
        part.write(batch).unwrap();
        file.extend(part.take_ready());
    }
    file.extend(part.finish().unwrap());
    file.concat()
}

fn schema() -> Arc<Schema> {
    let field = |name: &str, schema| Field { name: name.into(), schema: Arc::new(schema) };
    let fields = vec![field("id", Schema::new(Kind::Int64)), field("t", Schema::optional(Kind::String))];
    Arc::new(Schema::new(Kind::Struct(fields)).named("demo.Order"))
}

/// Rows `from .. to`.
fn rows(from: i64, to: i64) -> Values {
    let text = |id: i64| (id % 3 != 0).then(|| format!("text {id}"));
    let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(from..to));
    let texts: ArrayRef = Arc::new(StringArray::from_iter((from..to).map(text)));
    let array = StructArray::new(schema().arrow_fields(), vec![ids, texts], None);
    Values::Typed { schema: schema(), array: Arc::new(array) }
}

#[test]
fn every_codec_stores_the_same_rows() {
    let plain = read(&write(AvroOptions::default(), Some(&schema()), &[rows(0, 20_000)]));
    assert_eq!(
        plain.schema,
        "{\"type\":\"record\",\"name\":\"Order\",\"namespace\":\"demo\",\"fields\":[\
         {\"name\":\"id\",\"type\":\"long\"},\
         {\"name\":\"t\",\"type\":[\"null\",\"string\"],\"default\":null}],\
         \"connect.name\":\"demo.Order\"}"
    );
    assert_eq!(plain.blocks.iter().map(|(rows, _)| rows).sum::<i64>(), 20_000);
    for (rows, block) in &plain.blocks[..plain.blocks.len() - 1] {
        assert!((64_000..64_100).contains(&block.len()), "{rows} rows in {} bytes", block.len());
    }
    assert!(plain.blocks[0].1.starts_with(b"\x00\x00\x02\x02\x0ctext 1\x04\x02\x0ctext 2\x06\x00"));
    for codec in [AvroCodec::Deflate, AvroCodec::Snappy, AvroCodec::Bzip2] {
        assert_eq!(AvroCodec::named(codec.name()), Some(codec));
        let file =
            write(AvroOptions { codec, ..AvroOptions::default() }, Some(&schema()), &[rows(0, 20_000)]);
        let stored = read(&file);
        assert_eq!((stored.codec.as_str(), &stored.blocks), (codec.name(), &plain.blocks));
    }
}

#[test]
fn the_same_records_make_the_same_file_however_they_are_batched() {
    let options = AvroOptions { codec: AvroCodec::Deflate, ..AvroOptions::default() };
    let whole = write(options, Some(&schema()), &[rows(0, 9000)]);
    let pieces: Vec<_> = (0..90).map(|piece| rows(piece * 100, piece * 100 + 100)).collect();
    assert_eq!(write(options, Some(&schema()), &pieces), whole);
    let other = write(options, Some(&schema()), &[rows(1, 9000)]);
    assert_ne!(other[other.len() - 16..], whole[whole.len() - 16..], "the marker is the file's own");
}

#[test]
fn memory_can_be_given_back_early_and_the_rows_stay() {
    let mut part = AvroFormat::new(AvroOptions::default()).new_part(Some(&schema())).unwrap();
    part.write(&rows(0, 10)).unwrap();
    part.flush_early().unwrap();
    let mut file = part.take_ready();
    assert!(part.buffered_bytes() < 1024, "{}", part.buffered_bytes());
    part.write(&rows(10, 20)).unwrap();
    file.extend(part.finish().unwrap());
    let blocks: Vec<i64> = read(&file.concat()).blocks.iter().map(|(rows, _)| *rows).collect();
    assert_eq!(blocks, [10, 10]);
}

#[test]
fn bytes_and_nulls_are_stored_as_the_schema_says() {
    let schema = Arc::new(Schema::optional(Kind::Bytes));
    let array = Arc::new(arrow_array::BinaryArray::from_opt_vec(vec![Some(b"ab".as_slice()), None]));
    let values = Values::Typed { schema: Arc::clone(&schema), array };
    let file = read(&write(AvroOptions::default(), Some(&schema), &[values]));
    assert_eq!(file.schema, r#"["null","bytes"]"#);
    assert_eq!(file.blocks, [(2, b"\x02\x04ab\x00".to_vec())]);
}

#[test]
fn schemaless_rows_are_of_type_anything() {
    let values = vec![Value::Int64(5), Value::String("x".into())];
    let file = read(&write(AvroOptions::default(), None, &[Values::schemaless(values.clone())]));
    assert!(file.schema.contains("\"name\":\"Anything\""), "{}", file.schema);
    assert_eq!(file.blocks.len(), 1);
    assert_eq!(file, read(&write(AvroOptions::default(), None, &[Values::Dynamic(values)])));
}

#[test]
fn a_refused_batch_leaves_no_rows() {
    let mut part = AvroFormat::new(AvroOptions::default()).new_part(None).unwrap();
    let bad = vec![Value::Int64(1), Value::Date(0)];
    let err = part.write(&Values::Dynamic(bad)).unwrap_err();
    assert_eq!(err.class(), lakeward_api::ErrorClass::Record);
    part.write(&Values::Dynamic(vec![Value::Int64(2)])).unwrap();
    let rows: Vec<i64> =
        read(&part.finish().unwrap().concat()).blocks.iter().map(|(rows, _)| *rows).collect();
    assert_eq!(rows, [1]);
}

#[test]
fn a_file_without_rows_is_a_file() {
    let file = read(&write(AvroOptions::default(), Some(&schema()), &[]));
    assert!(file.blocks.is_empty());
}
