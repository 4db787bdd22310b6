//! Types that contain themselves, and blocks of records beside records read one by one.

use std::sync::Arc;

use arrow_array::Array;
use lakeward_api::recursion::Definitions;
use lakeward_api::rows;
use lakeward_api::schema::{Field, Kind, Schema};

use super::super::super::registry_framing::dump;
use super::super::mapping::{Mapping, ToConnect, from_connect};
use super::super::read::{Outcome, Reader, space};
use super::super::schema::{parse, print};
use super::super::write::{Writer, write_long};
use crate::random::Random;

const TREE: &str = r#"{"type":"record","name":"a.Tree","fields":[{"name":"n","type":"int"},
    {"name":"left","type":["null","Tree"],"default":null},
    {"name":"more","type":{"type":"array","items":"Tree"}},
    {"name":"named","type":{"type":"map","values":["string","Tree"]}}]}"#;

/// Two records that contain each other, and later fields of their types.
const MUTUAL: &str = r#"{"type":"record","name":"Top","fields":[{"name":"a","type":{"type":"record",
    "name":"A","fields":[{"name":"b","type":["null",{"type":"record","name":"B","fields":[
    {"name":"a","type":["null","A"],"default":null}]}],"default":null}]}},
    {"name":"again","type":"A"},{"name":"b","type":["null","B"],"default":null}]}"#;

fn schema_of(avro: &str) -> Schema {
    let avro = parse(avro, std::iter::empty()).unwrap();
    ToConnect::new(&avro, Mapping::default(), &mut 0).schema(None).unwrap()
}

fn reader(avro: &str) -> Reader {
    let schema = Arc::new(schema_of(avro));
    Reader::new(&parse(avro, std::iter::empty()).unwrap(), schema, Mapping::default()).unwrap()
}

fn tree(number: i64, left: Option<&[u8]>, more: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::new();
    write_long(&mut out, number);
    out.push(if left.is_some() { 2 } else { 0 });
    out.extend(left.unwrap_or_default());
    write_long(&mut out, more.len() as i64);
    if !more.is_empty() {
        more.iter().for_each(|tree| out.extend(tree));
        out.push(0);
    }
    out.push(0);
    out
}

/// A record written back with the schema made of its Connect schema.
fn recoded(avro: &str, payload: &[u8]) -> Vec<u8> {
    let mut reader = reader(avro);
    assert_eq!(reader.read(payload), Ok(Outcome::Value));
    let array = reader.finish();
    let made = parse(&print(&from_connect(&reader.schema, Mapping::default()).unwrap()), std::iter::empty());
    let writer = Writer::new(&made.unwrap(), &reader.schema, Mapping::default()).unwrap();
    let mut out = Vec::new();
    writer.write(&writer.bind(&array), 0, &mut out).unwrap();
    out
}

#[test]
fn a_type_within_itself_refers_to_the_record_around_it() {
    let schema = schema_of(TREE);
    let (_, left) = schema.field("left").unwrap();
    let Kind::Recursive(recursive) = left.schema.kind else { panic!("{left:?}") };
    assert!(left.schema.optional);
    assert_eq!(left.schema.name.as_deref(), Some("a.Tree"));
    assert_eq!(*recursive.resolve(), schema);
    assert_eq!(schema_of(TREE), schema, "the same text makes the same schema");
}

#[test]
fn later_fields_refer_to_a_record_that_contains_itself() {
    let schema = schema_of(MUTUAL);
    let is_recursive = |name: &str| matches!(schema.field(name).unwrap().1.schema.kind, Kind::Recursive(_));
    assert_eq!(["a", "again", "b"].map(is_recursive), [false, true, false]);
}

#[test]
fn values_are_read_and_written_back() {
    let leaf = |number| tree(number, None, &[]);
    let payload =
        tree(1, Some(&tree(-2, Some(&leaf(3)), &[leaf(4)])), &[leaf(5), tree(6, Some(&leaf(7)), &[])]);
    assert_eq!(recoded(TREE, &payload), payload);
    // a.b is null; again has a b with an a without b; b is null.
    for payload in [[0, 0, 0].as_slice(), &[0, 2, 2, 0, 0], &[2, 2, 2, 2, 0, 0, 2, 2, 0]] {
        assert_eq!(recoded(MUTUAL, payload), payload, "{payload:?}");
    }
    let mut reader = reader(TREE);
    reader.read(&payload).unwrap();
    let array = reader.finish();
    let shown = dump::value(&rows::value_at(&reader.schema, &array, 0));
    assert!(shown.contains('5') && shown.contains('7'), "{shown}");
}

#[test]
fn deep_values_fail_alone() {
    let nested = |levels: usize| (0..levels).fold(tree(0, None, &[]), |inner, _| tree(1, Some(&inner), &[]));
    let mut reader = reader(TREE);
    assert!(reader.read(&nested(200)).is_ok());
    for levels in [300, 3_000] {
        let failed = format!("{:?}", reader.read(&nested(levels)).unwrap_err());
        assert!(failed.contains("nested more than"), "{failed}");
    }
    assert!(reader.read(&tree(2, None, &[])).is_ok());
    assert_eq!(reader.finish().len(), 2);
}

#[test]
fn entries_of_maps_that_contain_themselves_are_refused_by_name() {
    let avro = r#"{"type":"record","name":"R","fields":[{"name":"m","type":{"type":"array","items":
        {"type":"record","name":"MapEntry","namespace":"io.confluent.connect.avro","fields":[
        {"name":"key","type":"int"},{"name":"value","type":{"type":"array","items":"MapEntry"}}]}}}]}"#;
    let avro = parse(avro, std::iter::empty()).unwrap();
    let refused = ToConnect::new(&avro, Mapping::default(), &mut 0).schema(None).unwrap_err();
    assert!(format!("{refused:?}").contains("MapEntry contains itself"));
}

/// Every kind of column, nullable or not, under structs, lists and maps.
const WIDE: &str = r#"{"type":"record","name":"W","fields":[{"name":"i","type":"int"},
    {"name":"l","type":["null","long"]},{"name":"s","type":["string","null"]},{"name":"t","type":"string"},
    {"name":"b","type":["null","bytes"]},{"name":"z","type":["null","boolean"]},{"name":"y","type":"boolean"},
    {"name":"d","type":["null","double"]},{"name":"f","type":"float"},
    {"name":"r","type":["null",{"type":"record","name":"I","fields":[{"name":"x","type":"double"},
        {"name":"s","type":["null","string"]},{"name":"e","type":{"type":"enum","name":"E",
        "symbols":["A","B"]}},
        {"name":"n","type":["null",{"type":"record","name":"J","fields":[{"name":"l","type":"long"}]}]}]}]},
    {"name":"a","type":{"type":"array","items":"string"}},{"name":"o","type":["null",{"type":"array","items":
        ["null","int"]}]},{"name":"m","type":{"type":"map","values":"string"}},
    {"name":"u","type":["null","string","long"]},{"name":"p","type":{"type":"map","values":["null","long"]}},
    {"name":"k","type":["null","string"]}]}"#;

fn text(random: &mut Random, out: &mut Vec<u8>) {
    let length = [0, 1, 3, 9, 15, 31, 32, 33, 70, 300][random.below(10)];
    write_long(out, length as i64);
    out.extend((0..length).map(|_| b'a' + random.below(26) as u8));
}

fn union(random: &mut Random, out: &mut Vec<u8>, value: u8) -> bool {
    let is_value = random.below(4) > 0;
    out.push(if is_value { value } else { 2 - value });
    is_value
}

fn number(random: &mut Random) -> i64 {
    (random.next() as i64) >> random.below(64)
}

fn items(random: &mut Random, out: &mut Vec<u8>, mut item: impl FnMut(&mut Random, &mut Vec<u8>, usize)) {
    let count = random.below(4);
    write_long(out, count as i64);
    (0..count).for_each(|at| item(random, out, at));
    if count > 0 {
        out.push(0);
    }
}

fn wide(random: &mut Random) -> Vec<u8> {
    let mut row = Vec::new();
    let out = &mut row;
    write_long(out, i64::from(number(random) as i32));
    if union(random, out, 2) {
        write_long(out, number(random));
    }
    if union(random, out, 0) {
        text(random, out);
    }
    text(random, out);
    if union(random, out, 2) {
        text(random, out);
    }
    if union(random, out, 2) {
        out.push(random.below(2) as u8);
    }
    out.push(random.below(2) as u8);
    if union(random, out, 2) {
        out.extend(1.5_f64.to_le_bytes());
    }
    out.extend(2.5_f32.to_le_bytes());
    if union(random, out, 2) {
        out.extend((random.below(100) as f64).to_le_bytes());
        if union(random, out, 2) {
            text(random, out);
        }
        out.push(2 * random.below(2) as u8);
        if union(random, out, 2) {
            write_long(out, number(random));
        }
    }
    items(random, out, |random, out, _| text(random, out));
    if union(random, out, 2) {
        items(random, out, |random, out, _| {
            if union(random, out, 2) {
                write_long(out, i64::from(number(random) as i32));
            }
        });
    }
    items(random, out, |random, out, at| {
        out.extend([2, b'a' + at as u8]);
        text(random, out);
    });
    out.push([0, 4][random.below(2)]);
    if out.last() == Some(&4) {
        write_long(out, number(random));
    }
    items(random, out, |random, out, at| {
        out.extend([2, b'a' + at as u8]);
        if union(random, out, 2) {
            write_long(out, number(random));
        }
    });
    if union(random, out, 2) {
        text(random, out);
    }
    row
}

#[test]
fn blocks_hold_what_single_records_hold_and_damage_gives_them_up() {
    let mut random = Random(7);
    let (mut single, mut blocks) = (reader(WIDE), reader(WIDE));
    let mut space = space();
    for round in 0..300 {
        let count = 1 + random.below(64);
        let mut payloads: Vec<Vec<u8>> = (0..count).map(|_| wide(&mut random)).collect();
        if round % 3 == 2 {
            let (row, damage) = (random.below(count), random.below(3));
            let bytes = &mut payloads[row];
            let at = random.below(bytes.len());
            match damage {
                0 => bytes.truncate(at),
                1 => bytes[at] ^= 1 << random.below(8),
                _ => bytes[at] = 0xff,
            }
        }
        let mut left: Vec<&[u8]> = payloads.iter().map(Vec::as_slice).collect();
        let mut all_read = true;
        while !left.is_empty() {
            let read = blocks.read_block(&mut space, &left);
            assert!(read > 0 || round % 3 == 2, "round {round}");
            all_read &= read > 0;
            let done = if read == 0 { left.len() } else { read };
            if read == 0 {
                left.iter().for_each(|payload| drop(blocks.read(payload)));
            }
            left.drain(..done);
        }
        let outcomes: Vec<bool> = payloads.iter().map(|payload| single.read(payload).is_ok()).collect();
        assert!(!all_read || outcomes.iter().all(|is_ok| *is_ok), "round {round}");
        let (expected, found) = (single.finish(), blocks.finish());
        assert_eq!(found.len(), expected.len());
        for row in 0..found.len() {
            let value = |array: &dyn Array| format!("{:?}", rows::value_at(&single.schema, array, row));
            assert_eq!(value(&found), value(&expected), "round {round} row {row}");
        }
    }
}

/// The text is that of Java's `AvroData`.
#[test]
fn a_struct_without_a_name_is_written_out_again_down_to_one_with_a_name() {
    let mut definitions = Definitions::new("avro unnamed");
    let (one, two) = (definitions.reserve().unwrap(), definitions.reserve().unwrap());
    let field = |name: &str, schema: Schema| Field { name: name.into(), schema: Arc::new(schema) };
    let inner = vec![
        field("up", one.place(true, None)),
        field("same", two.place(true, Some("demo.Two"))),
        field("b", Schema::optional(Kind::Bytes)),
    ];
    let inner = Schema::optional(Kind::Struct(inner)).named("demo.Two");
    two.define(&Arc::new(inner.clone()));
    let fields = vec![field("two", inner), field("flag", Schema::new(Kind::Boolean))];
    let schema = Schema::new(Kind::Struct(fields));
    one.define(&Arc::new(schema.clone()));

    let expected = concat!(
        r#"{"type":"record","name":"ConnectDefault","namespace":"io.confluent.connect.avro","fields":["#,
        r#"{"name":"two","type":["null",{"type":"record","name":"Two","namespace":"demo","fields":["#,
        r#"{"name":"up","type":["null",{"type":"record","name":"ConnectDefault2","#,
        r#""namespace":"io.confluent.connect.avro","fields":[{"name":"two","type":["null","demo.Two"],"#,
        r#""default":null},{"name":"flag","type":"boolean"}]}],"default":null},"#,
        r#"{"name":"same","type":["null","Two"],"default":null},"#,
        r#"{"name":"b","type":["null","bytes"],"default":null}],"connect.name":"demo.Two"}],"#,
        r#""default":null},{"name":"flag","type":"boolean"}]}"#
    );
    assert_eq!(print(&from_connect(&schema, Mapping::default()).unwrap()), expected);
}
