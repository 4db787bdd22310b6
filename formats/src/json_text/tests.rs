//! Columns written a block at a time: the same bytes as value by value, and the same refusals.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef};
use lakeward_api::batch::Values;
use lakeward_api::decimal::Decimal;
use lakeward_api::rows::ColumnWriter;
use lakeward_api::schema::{Field, Kind, Schema};
use lakeward_api::shaped;
use lakeward_api::value::Value;

use super::{ColumnText, DecimalFormat, Form, Untyped, append_object, append_schemaless, append_typed};
use crate::FormatError;
use crate::random::Random;

type Texts = Vec<Result<String, String>>;

fn lines(column: ColumnText<'_>) -> Texts {
    let mut all = Vec::new();
    let done: Result<(), ()> = column.each(|row| {
        let text = |row: super::column::RowText<'_>| {
            let mut out = Vec::new();
            row.append_to(&mut out);
            String::from_utf8(out).unwrap()
        };
        all.push(row.map(text).map_err(|error| error.to_string()));
        Ok(())
    });
    assert_eq!(done, Ok(()));
    all
}

fn one_by_one(rows: &[Value], append: impl Fn(&mut Vec<u8>, &Value) -> Result<(), FormatError>) -> Texts {
    let one = |value: &Value| {
        let mut out = Vec::new();
        append(&mut out, value).map(|()| String::from_utf8(out).unwrap()).map_err(|error| error.to_string())
    };
    rows.iter().map(one).collect()
}

fn column(schema: &Arc<Schema>, rows: &[Value]) -> ArrayRef {
    let mut writer = ColumnWriter::new(schema);
    rows.iter().for_each(|row| writer.append(row).unwrap());
    writer.finish().unwrap()
}

fn check(schema: &Arc<Schema>, rows: &[Value]) -> Texts {
    let array = column(schema, rows);
    let mut all = Vec::new();
    for decimals in [DecimalFormat::Base64, DecimalFormat::Numeric] {
        let form = Form { decimals, ..Form::default() };
        let expected = one_by_one(rows, |out, value| append_typed(out, schema, value, form));
        for start in [0, 1, rows.len() / 2, rows.len()] {
            let slice = array.slice(start, rows.len() - start);
            assert_eq!(lines(ColumnText::new(schema, &slice, form).unwrap()), expected[start..]);
        }
        all = expected;
    }
    all
}

fn optional(kind: Kind) -> Arc<Schema> {
    Arc::new(Schema { optional: true, ..Schema::new(kind) })
}

fn structure(fields: Vec<(&str, Arc<Schema>)>) -> Kind {
    Kind::Struct(fields.into_iter().map(|(name, schema)| Field { name: name.into(), schema }).collect())
}

fn text(text: &str) -> Value {
    Value::String(text.into())
}

/// One text in five is null, one in three has characters that are escaped.
fn some_text(random: &mut Random) -> Value {
    match random.below(5) {
        0 => Value::Null,
        1 => text(&"a \"quoted\" text\n\u{1}\u{1f600}é".repeat(random.below(9))),
        _ => text(&"plain ".repeat(random.below(40))),
    }
}

#[test]
fn rows_of_many_columns_are_those_of_single_values() {
    let inner = optional(structure(vec![("a", optional(Kind::String)), ("b", optional(Kind::Float64))]));
    let required = Arc::new(Schema::new(structure(vec![
        ("empty", Arc::new(Schema::new(structure(Vec::new())))),
        ("inner", Arc::clone(&inner)),
        ("a name that is longer than a chunk of sixteen bytes", optional(Kind::Boolean)),
    ])));
    let defaulted = Schema { default: Some(Value::Int32(-7)), ..(*optional(Kind::Int32)).clone() };
    let list = optional(Kind::Array(Arc::clone(&inner)));
    let map = optional(Kind::Map { key: Arc::new(Schema::new(Kind::String)), value: optional(Kind::String) });
    let pairs = Kind::Map { key: Arc::new(Schema::new(Kind::Int64)), value: optional(Kind::Bytes) };
    let schema = optional(structure(vec![
        ("struct", required),
        ("text \"", optional(Kind::String)),
        ("int", Arc::new(defaulted)),
        ("list", list),
        ("map", map),
        ("pairs", Arc::new(Schema::new(pairs))),
    ]));
    let mut random = Random(1);
    let inner = |random: &mut Random| match random.below(4) {
        0 => Value::Null,
        _ => Value::Struct(vec![some_text(random), Value::Float64(random.below(1000) as f64 / 8.0)]),
    };
    let rows: Vec<Value> = (0..200)
        .map(|row: i64| {
            if random.below(9) == 0 {
                return Value::Null;
            }
            let flag = Value::Boolean(row % 2 == 0);
            let outer = Value::Struct(vec![Value::Struct(Vec::new()), inner(&mut random), flag]);
            let items = (0..random.below(4)).map(|_| inner(&mut random)).collect();
            let entry = |at: usize| (text(&format!("key{}", at * row as usize)), some_text(&mut random));
            let entries = (0..row as usize % 20).map(entry).collect();
            let pair = |at: i64| (Value::Int64(at * row), Value::Bytes(vec![0xff; at as usize].into()));
            let int = if row % 3 == 0 { Value::Null } else { Value::Int32(row as i32 * 1_000_003) };
            Value::Struct(vec![
                outer,
                some_text(&mut random),
                int,
                if row % 7 == 0 { Value::Null } else { Value::Array(items) },
                if row % 5 == 0 { Value::Null } else { Value::Map(entries) },
                Value::Map((1..row % 4 + 1).map(pair).collect()),
            ])
        })
        .collect();
    let texts = check(&schema, &rows);
    assert!(texts.iter().all(Result::is_ok));
}

#[test]
fn numbers_are_those_of_single_values() {
    let decimal = Schema {
        name: Some("org.apache.kafka.connect.data.Decimal".into()),
        parameters: [("scale".to_owned(), "3".to_owned())].into_iter().collect(),
        ..(*optional(Kind::Bytes)).clone()
    };
    let kinds =
        [Kind::Float32, Kind::Float64, Kind::Int8, Kind::Int16, Kind::Int32, Kind::Int64].map(optional);
    let named = kinds.into_iter().zip(["a", "b", "c", "d", "e", "f"]).map(|(kind, name)| (name, kind));
    let schema = named.chain([("g", Arc::new(decimal))]).collect();
    let schema = Arc::new(Schema::new(structure(schema)));
    let mut random = Random(2);
    let rows: Vec<Value> = (0..300_i64)
        .map(|row| {
            let bits = (random.below(1 << 31) as u64) << 33 ^ (random.below(1 << 31) as u64) << 8;
            let wide = bits.cast_signed() >> (row % 64);
            let unscaled = wide.to_be_bytes().repeat(1 + row as usize % 4).into();
            Value::Struct(vec![
                Value::Float32(f32::from_bits((bits >> 20) as u32)),
                if row % 2 == 0 { Value::Float64(f64::from_bits(bits)) } else { Value::Float64(wide as f64) },
                Value::Int8(wide as i8),
                Value::Int16(wide as i16),
                Value::Int32(wide as i32),
                if row % 9 == 0 { Value::Int64(i64::MIN) } else { Value::Int64(wide) },
                Value::Decimal(Decimal { unscaled, scale: 3 }),
            ])
        })
        .collect();
    check(&schema, &rows);
}

#[test]
fn a_row_that_is_refused_leaves_the_others_alone() {
    let nullable = optional(Kind::String);
    let schema = Arc::new(Schema::new(structure(vec![("a", Arc::clone(&nullable)), ("b", nullable)])));
    let rows: Vec<Value> = (0..130)
        .map(|row| Value::Struct(vec![text("x"), if row % 64 == 1 { Value::Null } else { text("y") }]))
        .collect();
    let array = column(&schema, &rows);
    let strict = Arc::new(Schema::new(Kind::String));
    let strict = Schema::new(structure(vec![("a", Arc::clone(&strict)), ("b", strict)]));
    let texts = lines(ColumnText::new(&strict, &array, Form::default()).unwrap());
    for (row, text) in texts.iter().enumerate() {
        match row % 64 {
            1 => assert!(text.as_ref().unwrap_err().contains("null value for field that is required")),
            _ => assert_eq!(text.as_deref(), Ok(r#"{"a":"x","b":"y"}"#)),
        }
    }
    assert_eq!(texts.len(), 130);
}

#[test]
fn rows_longer_than_a_block_are_written() {
    let schema = optional(Kind::String);
    let rows: Vec<Value> = (0..5).map(|row| text(&"long \" ".repeat(100_000 * (row % 3)))).collect();
    check(&schema, &rows);
}

#[test]
fn shapes_are_written_as_their_rows() {
    let map = |entries: &[(&str, Value)]| {
        Value::Map(entries.iter().map(|(key, value)| (text(key), value.clone())).collect())
    };
    let some = |row: i64, value: Value| if row % 3 == 0 { Value::Null } else { value };
    let rows: Vec<Value> = (0..150)
        .map(|row| {
            let place = map(&[("lat", Value::Float64(row as f64 / 8.0)), ("lon", Value::Null)]);
            let many: Vec<(String, Value)> =
                (0..20).map(|at| (format!("key {at} \""), Value::Int64(row * at))).collect();
            let many: Vec<(&str, Value)> =
                many.iter().map(|(key, value)| (key.as_str(), value.clone())).collect();
            some(
                row % 11 + 1,
                map(&[
                    ("many", map(&many)),
                    ("zulu", some(row, text("a\"b"))),
                    ("place", some(row + 1, place)),
                    ("empty", map(&[])),
                    ("list", some(row, Value::Array(vec![text("x"), some(row, text("y"))]))),
                    ("bytes", Value::Bytes(vec![1, 2].into())),
                    ("when", if row % 10 == 0 { Value::Date(row) } else { Value::Null }),
                ]),
            )
        })
        .collect();
    let Values::Shaped(array) = Values::of_shape(shaped::from_values(&rows).unwrap()) else {
        panic!("the rows have a shape")
    };
    for start in [0, 1, 70] {
        let slice: ArrayRef = array.slice(start, rows.len() - start);
        let strict = lines(ColumnText::of_shape(&slice, Untyped::Refuse));
        assert_eq!(strict, one_by_one(&rows[start..], append_schemaless));
        assert!(strict.iter().any(Result::is_err) && strict.iter().any(Result::is_ok));
        let free = lines(ColumnText::of_shape(&slice, Untyped::Write));
        assert_eq!(free, one_by_one(&rows[start..], append_object));
    }
}

#[test]
fn maps_with_the_keys_of_the_one_before_are_written_as_single_values() {
    let long = "a key that is longer than any chunk of bytes ".repeat(3);
    let sets: [&[&str]; 6] = [&["page", "campaign"], &["a\"b", "é", ""], &[&long, "x"], &[], &["x"], &["y"]];
    let schema =
        optional(Kind::Map { key: Arc::new(Schema::new(Kind::String)), value: optional(Kind::Int64) });
    let rows: Vec<Value> = (0..400)
        .map(|row: usize| {
            // The same keys for some rows, over the ends of blocks too, then others of equal lengths.
            let keys = sets[row / 5 % sets.len()];
            Value::Map(keys.iter().map(|key| (text(key), Value::Int64(row as i64))).collect())
        })
        .collect();
    check(&schema, &rows);
    let twelve: Vec<(Value, Value)> = (0..12).map(|at| (text(&format!("k{at}")), Value::Int64(at))).collect();
    let thirteen: Vec<(Value, Value)> = (0..13).map(|at| (text(&format!("k{at}")), Value::Null)).collect();
    check(&schema, &vec![Value::Map(twelve); 3]);
    check(&schema, &vec![Value::Map(thirteen); 3]);
}
