//! What a format writes, its reader reads back: schemas, values and order, wherever reading begins and
//! however the bytes come. Damage costs an error.

mod csv;

use std::sync::Arc;

use bytes::Bytes;
use lakeward_api::ErrorClass;
use lakeward_api::batch::Values;
use lakeward_api::rows::{ColumnWriter, value_at};
use lakeward_api::schema::{Field, Kind, Logical, Schema};
use lakeward_api::value::Value;

use super::{Content, Packing, ReadOptions, Step, open};
use crate::FormatError;
use crate::file::{
    AvroCodec, AvroFormat, AvroOptions, ByteLinesFormat, ByteLinesOptions, CompressedFormat, FileCompression,
    FileFormat, JsonLinesFormat, JsonLinesOptions, LineCompression, ParquetFormat, ParquetOptions,
};
use crate::random::Random;

fn options(content: Content) -> ReadOptions {
    ReadOptions { content, packing: Packing::None }
}

/// Rows of an object with their schemas.
type Rows = Vec<(Option<Arc<Schema>>, Value)>;

fn push(rows: &mut Rows, values: &Values) {
    match values {
        Values::Typed { schema, array } => {
            rows.extend((0..array.len()).map(|row| (Some(Arc::clone(schema)), value_at(schema, array, row))));
        }
        Values::Null { rows: nulls } => rows.extend((0..*nulls).map(|_| (None, Value::Null))),
        other => rows.extend(other.dynamic().unwrap().iter().map(|value| (None, value.clone()))),
    }
}

fn read(options: &ReadOptions, file: &[u8], skip: u64, rows_max: usize) -> Result<Rows, FormatError> {
    let mut rows = Rows::new();
    read_into(&mut rows, options, file, skip, rows_max).map(|()| rows)
}

fn read_into(
    rows: &mut Rows,
    options: &ReadOptions,
    file: &[u8],
    skip: u64,
    rows_max: usize,
) -> Result<(), FormatError> {
    let mut reader = open(options, file.len() as u64, skip)?;
    loop {
        match reader.next(rows_max)? {
            Step::End => return Ok(()),
            Step::Need(ranges) => {
                let piece = |range: &std::ops::Range<u64>| {
                    assert!(range.start < range.end, "an empty range");
                    Bytes::copy_from_slice(&file[range.start as usize..range.end as usize])
                };
                reader.feed(ranges.iter().map(piece).collect())?;
            }
            Step::Rows(parts) => {
                assert!(!parts.is_empty() && parts.iter().all(|part| (1..=rows_max).contains(&part.rows())));
                parts.iter().for_each(|part| push(rows, part));
            }
        }
    }
}

fn write(format: &dyn FileFormat, batches: &[Values]) -> Vec<u8> {
    let mut part = format.new_part(batches.first().and_then(Values::schema)).unwrap();
    let mut file = Vec::new();
    for batch in batches {
        part.write(batch).unwrap();
        part.flush_early().unwrap();
        file.extend(part.take_ready());
    }
    file.extend(part.finish().unwrap());
    file.concat()
}

fn field(name: &str, schema: Schema) -> Field {
    Field { name: name.into(), schema: Arc::new(schema) }
}

fn array(item: Schema) -> Schema {
    Schema::optional(Kind::Array(Arc::new(item)))
}

fn map(key: Schema, value: Schema) -> Schema {
    Schema::new(Kind::Map { key: Arc::new(key), value: Arc::new(value) })
}

fn with(mut schema: Schema, parameters: &[(&str, &str)]) -> Schema {
    for (key, value) in parameters {
        schema.parameters.insert((*key).to_owned(), (*value).to_owned());
    }
    schema
}

/// One field of every type; with optional items lists have another layout in Parquet.
fn schema(optional_items: bool) -> Arc<Schema> {
    let optional = |schema| Schema { optional: true, ..schema };
    let color = "io.confluent.connect.avro.Enum";
    let color = [(color, "shop.Color"), (&format!("{color}.RED"), "RED"), (&format!("{color}.BLUE"), "BLUE")];
    let item = Schema { optional: optional_items, ..Schema::new(Kind::String) };
    let price = Schema::logical_of(Logical::Decimal { scale: 2 });
    let inner = Schema::optional(Kind::Struct(vec![
        field("x", Schema::new(Kind::Int32)),
        field("names", array(item)),
    ]));
    let fields = vec![
        field("b", Schema::new(Kind::Int8)),
        field("s", Schema::optional(Kind::Int16)),
        field("i", Schema::optional(Kind::Int32)),
        field("l", Schema::new(Kind::Int64)),
        field("f", Schema::optional(Kind::Float32)),
        field("d", Schema::new(Kind::Float64)),
        field("flag", Schema::optional(Kind::Boolean)),
        field("text", Schema::optional(Kind::String)),
        field("bytes", Schema::optional(Kind::Bytes)),
        field("price", optional(price.clone())),
        field("exact", with(price, &[("connect.decimal.precision", "9")])),
        field("id", with(Schema::new(Kind::Bytes).named("shop.Id"), &[("connect.fixed.size", "4")])),
        field("color", with(Schema::optional(Kind::String).named("shop.Color"), &color)),
        field("date", Schema::logical_of(Logical::Date)),
        field("time", optional(Schema::logical_of(Logical::Time))),
        field("ts", optional(Schema::logical_of(Logical::Timestamp))),
        field("inner", inner.clone().named("shop.Inner")),
        field("inners", array(Schema { optional: false, ..inner }.named("shop.Other"))),
        field("counts", map(Schema::new(Kind::String), Schema::new(Kind::Int64))),
        field("by_number", map(Schema::new(Kind::Int32), Schema::optional(Kind::String))),
    ];
    Arc::new(Schema::new(Kind::Struct(fields)).named("shop.Order"))
}

/// A value of `schema`.
fn value(schema: &Schema, random: &mut Random) -> Value {
    if schema.optional && random.below(4) == 0 {
        return Value::Null;
    }
    let bits = random.next();
    let text = |random: &mut Random| Value::String(random.json(0).into());
    match (schema.logical(), &schema.kind) {
        (Some(Logical::Date), _) => Value::Date(((bits % 40_000) as i64 - 20_000) * 86_400_000),
        (Some(Logical::Time), _) => Value::Date((bits % 86_400_000) as i64),
        (Some(Logical::Timestamp), _) => Value::Date(bits as i64 >> 20),
        (Some(Logical::Decimal { .. }), _) => {
            let text = format!("{}.{:02}", bits as i16, bits >> 32 & 63);
            Value::Decimal(lakeward_api::decimal::Decimal::parse(&text).unwrap())
        }
        (None, Kind::Int8) => Value::Int8(bits as i8),
        (None, Kind::Int16) => Value::Int16(bits as i16),
        (None, Kind::Int32) => Value::Int32(bits as i32),
        (None, Kind::Int64) => Value::Int64(bits as i64),
        (None, Kind::Float32) => Value::Float32(bits as i16 as f32 / 8.0),
        (None, Kind::Float64) => Value::Float64(bits as i32 as f64 / 8.0),
        (None, Kind::Boolean) => Value::Boolean(bits & 1 == 1),
        (None, Kind::String) if !schema.parameters.is_empty() => {
            Value::String(["RED", "BLUE"][random.below(2)].into())
        }
        (None, Kind::String) => text(random),
        (None, Kind::Bytes) => Value::Bytes(Bytes::copy_from_slice(&bits.to_be_bytes()[..4])),
        (None, Kind::Array(item)) => {
            Value::Array((0..random.below(3)).map(|_| value(item, random)).collect())
        }
        (None, Kind::Map { key, value: of }) => {
            let key = |place: usize| match key.kind {
                Kind::Int32 => Value::Int32(place as i32),
                _ => Value::String(format!("k{place}").into()),
            };
            Value::Map((0..random.below(3)).map(|place| (key(place), value(of, random))).collect())
        }
        (None, Kind::Struct(fields)) => {
            Value::Struct(fields.iter().map(|field| value(&field.schema, random)).collect())
        }
        (None, Kind::Recursive(_)) => panic!("no recursion here"),
    }
}

/// Batches of random rows.
fn batches(schema: &Arc<Schema>, seed: u64, sizes: &[usize]) -> Vec<Values> {
    let mut random = Random(seed);
    let batch = |rows: &usize| {
        let mut column = ColumnWriter::new(schema);
        (0..*rows).for_each(|_| column.append(&value(schema, &mut random)).unwrap());
        Values::Typed { schema: Arc::clone(schema), array: column.finish().unwrap() }
    };
    sizes.iter().map(batch).collect()
}

fn rows_of(batches: &[Values]) -> Rows {
    let mut rows = Rows::new();
    batches.iter().for_each(|batch| push(&mut rows, batch));
    rows
}

/// The file gives `expected` back from every beginning.
fn assert_same(options: &ReadOptions, file: &[u8], expected: &Rows) {
    for rows_max in [1, 7, 1000] {
        assert_eq!(&read(options, file, 0, rows_max).unwrap(), expected, "by {rows_max}");
    }
    for skip in [1, 9, 10, 11, expected.len() - 1, expected.len(), expected.len() + 5] {
        let rest = &expected[skip.min(expected.len())..];
        assert_eq!(read(options, file, skip as u64, 7).unwrap(), rest, "behind {skip}");
    }
}

#[test]
fn parquet_gives_schemas_and_values_back() {
    for optional_items in [false, true] {
        let batches = batches(&schema(optional_items), 7, &[10, 200, 3]);
        let file = write(&ParquetFormat::new(ParquetOptions::default()), &batches);
        assert_same(&options(Content::Parquet), &file, &rows_of(&batches));
    }
}

#[test]
fn avro_gives_schemas_and_values_back_with_every_codec() {
    let batches = batches(&schema(true), 8, &[10, 200, 3]);
    for codec in [AvroCodec::Null, AvroCodec::Deflate, AvroCodec::Snappy, AvroCodec::Bzip2] {
        let format = AvroFormat::new(AvroOptions { codec, ..AvroOptions::default() });
        assert_same(&options(Content::Avro), &write(&format, &batches), &rows_of(&batches));
    }
}

#[test]
fn avro_files_of_bare_values_and_of_schemaless_ones_are_read() {
    let schema = Arc::new(Schema::optional(Kind::Bytes));
    let batches = batches(&schema, 9, &[40]);
    let file = write(&AvroFormat::new(AvroOptions::default()), &batches);
    assert_eq!(read(&options(Content::Avro), &file, 0, 7).unwrap(), rows_of(&batches));
    let map = Value::Map(vec![(Value::String("a".into()), Value::Int64(5))]);
    let schemaless = [Values::Dynamic(vec![map, Value::Null, Value::String("x".into())])];
    let file = write(&AvroFormat::new(AvroOptions::default()), &schemaless);
    assert_eq!(read(&options(Content::Avro), &file, 0, 2).unwrap(), rows_of(&schemaless));
}

#[test]
fn json_lines_come_back_in_order_whatever_their_shapes() {
    let mut random = Random(10);
    let texts: Vec<String> = (0..300).map(|_| random.json(3)).filter(|text| !text.contains("e999")).collect();
    let file = texts.join("\n");
    let options = options(Content::Json { envelope: false });
    let rows = read(&options, file.as_bytes(), 0, 1000).unwrap();
    assert_eq!(rows.len(), texts.len());
    assert_same(&options, file.as_bytes(), &rows);
    let blanks = format!("\n \r\n{}\n\n\n", texts.join("\r\n\n"));
    assert_eq!(read(&options, blanks.as_bytes(), 0, 3).unwrap(), rows);
    // What is read is what the format writes of the same values, but for the order of keys in maps.
    let format = JsonLinesFormat::new(JsonLinesOptions {
        compression: LineCompression::Gzip { level: None },
        ..JsonLinesOptions::default()
    });
    let values = |rows: &Rows| rows.iter().map(|(_, value)| value.clone()).collect();
    let file = write(&format, &[Values::Dynamic(values(&rows))]);
    let packed = ReadOptions { packing: Packing::Gzip, ..options };
    let rows = read(&packed, &file, 0, 1000).unwrap();
    assert_same(&packed, &file, &rows);
    assert_eq!(write(&format, &[Values::Dynamic(values(&rows))]), file);
}

#[test]
fn json_envelopes_bring_their_schemas() {
    let options = options(Content::Json { envelope: true });
    let line = |kind: &str, payload: &str| {
        format!("{{\"schema\":{{\"type\":\"{kind}\",\"optional\":false}},\"payload\":{payload}}}\n")
    };
    let file = line("int32", "1") + &line("string", "\"a\"") + &line("int32", "2");
    let rows = read(&options, file.as_bytes(), 0, 10).unwrap();
    let kinds: Vec<&str> = rows.iter().map(|(schema, _)| schema.as_ref().unwrap().kind.name()).collect();
    assert_eq!(kinds, ["INT32", "STRING", "INT32"]);
    assert_eq!(rows[2].1, Value::Int32(2));
}

#[test]
fn the_rows_before_a_damaged_line_are_given_out() {
    let file = "{\"a\":1}\n{\"a\":2}\n{junk\n{\"a\":3}\n";
    for rows_max in [1, 10] {
        let mut rows = Rows::new();
        let options = options(Content::Json { envelope: false });
        let err = read_into(&mut rows, &options, file.as_bytes(), 0, rows_max).unwrap_err();
        assert_eq!((rows.len(), err.class()), (2, ErrorClass::Record), "{err}");
    }
}

#[test]
fn bytes_come_back_between_their_separators_and_in_pieces() {
    let schema = Arc::new(Schema::optional(Kind::Bytes));
    let mut random = Random(11);
    let texts: Vec<Vec<u8>> = (0..200).map(|_| random.json(2).into_bytes()).collect();
    let array = arrow_array::BinaryArray::from_iter_values(&texts);
    let values = [Values::Typed { schema, array: Arc::new(array) }];
    for (separator, compression, packing) in [
        (b"\n".to_vec(), LineCompression::None, Packing::None),
        (b"<end>".to_vec(), LineCompression::Gzip { level: Some(1) }, Packing::Gzip),
    ] {
        let format = ByteLinesFormat::new(ByteLinesOptions {
            separator: separator.clone(),
            compression,
            ..ByteLinesOptions::default()
        });
        let file = write(&format, &values);
        let content = Content::Records { separator };
        assert_same(&ReadOptions { content, packing }, &file, &rows_of(&values));
    }
    let file = texts.concat();
    let rows = read(&options(Content::Chunks(100)), &file, 0, 3).unwrap();
    assert_eq!(rows.len(), file.len().div_ceil(100));
    assert_same(&options(Content::Chunks(100)), &file, &rows);
}

#[test]
fn objects_without_rows_are_read() {
    let empty = |content| read(&options(content), b"", 0, 5).unwrap();
    assert!(empty(Content::Avro).is_empty() && empty(Content::Parquet).is_empty());
    assert!(empty(Content::Json { envelope: false }).is_empty() && empty(Content::Chunks(5)).is_empty());
    let gzip = ReadOptions { packing: Packing::Gzip, ..options(Content::Json { envelope: false }) };
    assert!(read(&gzip, b"", 0, 5).unwrap().is_empty());
}

#[test]
fn damage_is_an_error_or_other_rows_and_never_more() {
    let batches = batches(&schema(true), 12, &[60, 60]);
    let deflated = AvroFormat::new(AvroOptions { codec: AvroCodec::Deflate, ..AvroOptions::default() });
    let files = [
        (Content::Avro, write(&AvroFormat::new(AvroOptions::default()), &batches)),
        (Content::Avro, write(&deflated, &batches)),
        (Content::Parquet, write(&ParquetFormat::new(ParquetOptions::default()), &batches)),
    ];
    let mut random = Random(13);
    let mut refused = 0;
    for (content, file) in files {
        let options = options(content);
        for round in 0..300 {
            let mut file = file.clone();
            match round % 3 {
                0 => file.truncate(random.below(file.len())),
                1 => (0..3).for_each(|_| {
                    let place = random.below(file.len());
                    file[place] ^= 1 << random.below(8);
                }),
                _ => {
                    let place = random.below(file.len());
                    file.splice(place..place, (0..random.below(20)).map(|byte| byte as u8 * 13));
                }
            }
            if let Err(err) = read(&options, &file, 0, 50) {
                assert_eq!(err.class(), ErrorClass::Record, "{err}");
                refused += 1;
            }
        }
    }
    assert!(refused > 500, "{refused}");
}

#[test]
fn a_gzip_that_is_cut_short_is_damage() {
    let gzip = ByteLinesOptions { compression: LineCompression::Gzip { level: None }, ..Default::default() };
    let array = arrow_array::BinaryArray::from_iter_values([b"abc"; 900]);
    let schema = Arc::new(Schema::optional(Kind::Bytes));
    let file = write(&ByteLinesFormat::new(gzip), &[Values::Typed { schema, array: Arc::new(array) }]);
    let options =
        ReadOptions { content: Content::Records { separator: b"\n".to_vec() }, packing: Packing::Gzip };
    assert_eq!(read(&options, &file, 0, 5000).unwrap().len(), 900);
    assert!(read(&options, &file[..file.len() - 5], 0, 5000).is_err());
    assert!(read(&options, b"no gzip at all", 0, 5000).is_err());
}

#[test]
fn what_a_packed_object_unfolds_to_does_not_matter() {
    let content = Content::Records { separator: b"\n".to_vec() };
    let options = ReadOptions { content, packing: Packing::Gzip };
    let err = read(&options, &packed_bomb(b""), 0, 10).unwrap_err();
    assert!(err.to_string().contains("longer than"), "{err}");
}

/// A gzip of `start` and more zeros than a reader holds.
fn packed_bomb(start: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(start).unwrap();
    let zeros = vec![0; 1 << 20];
    (0..70).for_each(|_| packer.write_all(&zeros).unwrap());
    packer.finish().unwrap()
}

#[test]
fn packed_files_are_unpacked_wherever_pieces_end_and_damage_is_told() {
    let row = |number: u64| {
        let mut random = Random(number + 1);
        let text: String = (0..1000).map(|_| format!("{:016x}", random.next())).collect();
        Value::Bytes(format!("{number}-{text}").into_bytes().into())
    };
    let schema = Arc::new(Schema::new(Kind::Bytes));
    let mut column = ColumnWriter::new(&schema);
    (0..400).for_each(|number| column.append(&row(number)).unwrap());
    let values = Values::Typed { schema, array: column.finish().unwrap() };
    for (compression, packing) in [
        (FileCompression::Gzip, Packing::Gzip),
        (FileCompression::Snappy, Packing::Snappy),
        (FileCompression::Zstd, Packing::Zstd),
    ] {
        let lines = Box::new(ByteLinesFormat::new(ByteLinesOptions::default()));
        let file = write(&CompressedFormat::new(lines, compression), std::slice::from_ref(&values));
        assert!(file.len() > 2 << 20, "more than one piece: {packing:?} has {} bytes", file.len());
        let options = ReadOptions { content: Content::Records { separator: b"\n".to_vec() }, packing };
        let rows = read(&options, &file, 3, 100).unwrap();
        let found: Vec<Value> = rows.into_iter().map(|(_, value)| value).collect();
        assert!(found == (3..400).map(row).collect::<Vec<_>>(), "{packing:?}");
        // Streams that stand behind each other are one.
        let twice = [file.as_slice(), &file].concat();
        assert_eq!(read(&options, &twice, 0, 100).unwrap().len(), 800, "{packing:?}");
        let name = format!("{packing:?}").to_lowercase();
        for damaged in
            [&file[..file.len() - 5], b"neither of them", b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01\x7f\0\0\0"]
        {
            let err = read(&options, damaged, 0, 100).unwrap_err();
            assert!(err.to_string().contains(&format!("no {name} or is damaged")), "{packing:?}: {err}");
            assert_eq!(err.class(), ErrorClass::Record);
        }
    }
}
