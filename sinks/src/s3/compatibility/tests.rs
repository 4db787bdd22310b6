//! The rules one by one, and rows before and after projection.

use lakeward_api::batch::Values;
use lakeward_api::rows::{ColumnWriter, value_at};
use lakeward_api::schema::{Field, Kind, Logical};
use lakeward_api::value::Value;

use super::*;

fn field(name: &str, schema: Schema) -> Field {
    Field { name: name.into(), schema: Arc::new(schema) }
}

fn record(version: i32, fields: Vec<Field>) -> Arc<Schema> {
    let schema = Schema::new(Kind::Struct(fields)).named("r");
    Arc::new(Schema { version: Some(version), ..schema })
}

fn with_default(schema: Schema, default: Value) -> Schema {
    Schema { default: Some(default), ..schema }
}

fn id(kind: Kind) -> Field {
    field("id", Schema::new(kind))
}

#[test]
fn versions_say_which_records_start_a_new_file() {
    let old = record(1, vec![id(Kind::Int32)]);
    let new = record(2, vec![id(Kind::Int32), field("x", Schema::optional(Kind::String))]);
    let verdict = |name: &str, record: &Arc<Schema>, file: &Arc<Schema>| {
        Compatibility::named(name).verdict(Some(record), Some(file))
    };
    for (mode, old_after_new, new_after_old) in [
        ("BACKWARD", Verdict::Fits, Verdict::Rotates),
        ("FORWARD", Verdict::Rotates, Verdict::Fits),
        ("FULL", Verdict::Fits, Verdict::Rotates),
        ("NONE", Verdict::Rotates, Verdict::Rotates),
        ("backward", Verdict::Rotates, Verdict::Rotates),
    ] {
        assert_eq!(verdict(mode, &old, &new), old_after_new, "{mode}");
        assert_eq!(verdict(mode, &new, &old), new_after_old, "{mode}");
        let same = Arc::new((*old).clone());
        assert_eq!(verdict(mode, &old, &same), Verdict::Fits, "{mode}");
    }
}

#[test]
fn schemas_without_a_version_are_refused_unless_they_are_equal() {
    let versioned = record(1, vec![id(Kind::Int32)]);
    let bare = Arc::new(Schema { version: None, ..(*versioned).clone() });
    for (record, file) in [(&bare, &versioned), (&versioned, &bare)] {
        assert_eq!(Compatibility::Full.verdict(Some(record), Some(file)), Verdict::Refused);
    }
    assert_eq!(Compatibility::Full.verdict(Some(&bare), Some(&bare)), Verdict::Fits);
    assert_eq!(Compatibility::Full.refusal().to_string(), "Schema version required for FULL compatibility");
    assert_eq!(Compatibility::Full.verdict(None, Some(&bare)), Verdict::Rotates);
    assert_eq!(Compatibility::Full.verdict(None, None), Verdict::Fits);
}

#[test]
fn what_has_no_form_in_the_file_starts_a_new_one() {
    let text = || Schema::new(Kind::String);
    let parameters = |name: &str, value: &str| {
        let mut schema = text();
        schema.parameters.insert(name.to_owned(), value.to_owned());
        schema
    };
    let of = |schema: Schema| field("x", schema);
    let enum_of = |symbol: &str| {
        let mut schema = parameters("io.confluent.connect.avro.Enum", "E");
        schema.parameters.insert("io.confluent.connect.avro.Enum.A".to_owned(), "A".to_owned());
        schema.parameters.insert(format!("io.confluent.connect.avro.Enum.{symbol}"), symbol.to_owned());
        schema
    };
    let default = |schema| with_default(schema, Value::String("d".into()));
    let fits = [
        (of(Schema::new(Kind::Int8)), of(Schema::new(Kind::Float64))),
        (of(text()), of(Schema::optional(Kind::String))),
        (of(Schema::optional(Kind::String)), of(default(text()))),
        (of(parameters("connect.record.doc", "a")), of(parameters("connect.record.doc", "b"))),
        (of(parameters("io.confluent.connect.avro.field.doc.f", "a")), of(text())),
        (of(enum_of("A")), of(enum_of("B"))),
        (field("y", text()), of(default(text()))),
        (field("y", text()), of(Schema::optional(Kind::String))),
    ];
    for (record_field, file_field) in fits {
        let (one, other) = (record(1, vec![record_field]), record(1, vec![file_field]));
        assert!(check::can_project(&one, &other), "{one:?} {other:?}");
    }
    let rotates = [
        (of(Schema::new(Kind::Float64)), of(Schema::new(Kind::Int8))),
        (of(text()), of(Schema::new(Kind::Bytes))),
        (of(text().named("a")), of(text().named("b"))),
        (of(parameters("p", "a")), of(parameters("p", "b"))),
        (of(enum_of("B")), of(enum_of("A"))),
        (of(Schema::optional(Kind::String)), of(text())),
        (field("y", text()), of(text())),
        (
            of(Schema::new(Kind::Array(Arc::new(Schema::optional(Kind::String))))),
            of(Schema::new(Kind::Array(Arc::new(text())))),
        ),
        (
            of(Schema::logical_of(Logical::Decimal { scale: 1 })),
            of(Schema::logical_of(Logical::Decimal { scale: 2 })),
        ),
    ];
    for (record_field, file_field) in rotates {
        let (one, other) = (record(1, vec![record_field]), record(1, vec![file_field]));
        assert!(!check::can_project(&one, &other), "{one:?} {other:?}");
    }
}

/// `row` of `from` after projection to `to`.
fn projected(from: &Arc<Schema>, to: &Arc<Schema>, row: &[Value]) -> Value {
    let mut column = ColumnWriter::new(from);
    column.append(&Value::Struct(row.to_vec())).unwrap();
    let values = Values::Typed { schema: Arc::clone(from), array: column.finish().unwrap() };
    let Values::Typed { schema, array } = project(&values, to).unwrap() else { panic!("typed") };
    assert_eq!((&schema, array.data_type()), (to, &to.arrow_type()));
    value_at(to, &array, 0)
}

#[test]
fn fields_are_found_by_name_and_filled_in() {
    let inner = |kind: Kind| Arc::new(Schema::new(Kind::Struct(vec![id(kind)])));
    let list = |kind: Kind| Schema::optional(Kind::Array(inner(kind)));
    let map = |kind: Kind| {
        Schema::optional(Kind::Map { key: Arc::new(Schema::new(Kind::String)), value: inner(kind) })
    };
    let from = record(
        1,
        vec![
            field("gone", Schema::new(Kind::String)),
            field("n", Schema::new(Kind::Int8)),
            field("l", list(Kind::Int16)),
            field("m", map(Kind::Int32)),
            field("own", with_default(Schema::optional(Kind::Int32), Value::Int32(7))),
            field("o", Schema::optional(Kind::String)),
        ],
    );
    let to = record(
        2,
        vec![
            field("new", Schema::optional(Kind::Int64)),
            field("filled", with_default(Schema::new(Kind::String), Value::String("f".into()))),
            field("o", with_default(Schema::new(Kind::String), Value::String("d".into()))),
            field("own", Schema::optional(Kind::Float64)),
            field("m", map(Kind::Float64)),
            field("l", list(Kind::Int64)),
            field("n", Schema::new(Kind::Float32)),
        ],
    );
    assert_eq!(Compatibility::Backward.verdict(Some(&from), Some(&to)), Verdict::Fits);
    let entry = |value| Value::Map(vec![(Value::String("k".into()), Value::Struct(vec![value]))]);
    let row = [
        Value::String("g".into()),
        Value::Int8(-3),
        Value::Array(vec![Value::Struct(vec![Value::Int16(4)])]),
        entry(Value::Int32(5)),
        Value::Null,
        Value::Null,
    ];
    assert_eq!(
        projected(&from, &to, &row),
        Value::Struct(vec![
            Value::Null,
            Value::String("f".into()),
            Value::String("d".into()),
            Value::Float64(7.0),
            entry(Value::Float64(5.0)),
            Value::Array(vec![Value::Struct(vec![Value::Int64(4)])]),
            Value::Float32(-3.0),
        ])
    );
}

#[test]
fn every_number_is_widened_as_java_does() {
    let cases = [
        (Kind::Int8, Value::Int8(-8), [Value::Int16(-8), Value::Int32(-8), Value::Int64(-8)]),
        (Kind::Int16, Value::Int16(300), [Value::Int16(300), Value::Int32(300), Value::Int64(300)]),
    ];
    for (kind, value, widened) in cases {
        for (to, expected) in [Kind::Int16, Kind::Int32, Kind::Int64].into_iter().zip(widened) {
            let (from, to) = (record(1, vec![id(kind.clone())]), record(1, vec![id(to)]));
            let row = projected(&from, &to, std::slice::from_ref(&value));
            assert_eq!(row, Value::Struct(vec![expected]));
        }
    }
    let floats =
        |kind, value: Value, to| projected(&record(1, vec![id(kind)]), &record(1, vec![id(to)]), &[value]);
    let row = |value| Value::Struct(vec![value]);
    assert_eq!(
        floats(Kind::Int64, Value::Int64(i64::MAX), Kind::Float32),
        row(Value::Float32(i64::MAX as f32))
    );
    assert_eq!(
        floats(Kind::Float32, Value::Float32(0.1), Kind::Float64),
        row(Value::Float64(0.1_f32.into()))
    );
}

#[test]
fn merging_loses_no_value_and_gives_up_where_it_would() {
    let kind = |one: Kind, other: Kind| {
        let (one, other) = (record(1, vec![id(one)]), record(1, vec![id(other)]));
        let both = merged(&one, &other);
        assert_eq!(both.is_some(), merged(&other, &one).is_some(), "{one:?} {other:?}");
        both.map(|both| both.fields()[0].schema.kind.clone())
    };
    assert_eq!(kind(Kind::Int8, Kind::Int64), Some(Kind::Int64));
    assert_eq!(kind(Kind::Int16, Kind::Float32), Some(Kind::Float32));
    assert_eq!(kind(Kind::Int32, Kind::Float32), Some(Kind::Float64));
    assert_eq!(kind(Kind::Float32, Kind::Float64), Some(Kind::Float64));
    for (one, other) in
        [(Kind::Int64, Kind::Float64), (Kind::Int32, Kind::String), (Kind::Bytes, Kind::String)]
    {
        assert_eq!(kind(one, other), None);
    }
    let day = field("id", Schema::logical_of(Logical::Date));
    assert!(merged(&record(1, vec![day]), &record(1, vec![id(Kind::Int32)])).is_none(), "names differ");
    let old =
        record(1, vec![id(Kind::Int32), field("x", with_default(Schema::new(Kind::Int8), Value::Int8(1)))]);
    let both =
        merged(&old, &record(3, vec![field("y", Schema::new(Kind::String)), id(Kind::Int32)])).unwrap();
    let names: Vec<&str> = both.fields().iter().map(|field| &*field.name).collect();
    assert_eq!((names, both.version), (vec!["id", "x", "y"], Some(3)));
    let (_, x) = both.field("x").unwrap();
    assert!(x.schema.optional && x.schema.default.is_none(), "what is missing is null");
    assert!(Arc::ptr_eq(&merged(&both, &old).unwrap(), &both), "nothing is new");
    let wide = record(1, (0..2001).map(|at| field(&format!("f{at}"), Schema::new(Kind::Int8))).collect());
    assert!(merged(&record(1, vec![id(Kind::Int8)]), &wide).is_none(), "a file has so many columns");
}
