//! Unions that hold nothing: null where they may be, otherwise no value at all.

use std::sync::Arc;

use lakeward_api::batch::Values;
use lakeward_api::config::ConfigMap;
use lakeward_api::converter::Converter as _;
use lakeward_api::plugin::ConverterRole;
use lakeward_api::recursion::Definitions;
use lakeward_api::rows::ColumnWriter;
use lakeward_api::schema::{Field, Kind, Schema};
use lakeward_api::value::Value;
use lakeward_registry::{Writing, local};

use super::super::JsonSchemaConverter;
use super::super::members::{ID, ONE_OF};

fn structure(fields: Vec<(&str, Schema)>) -> Schema {
    let field = |(name, schema): (&str, Schema)| Field { name: name.into(), schema: Arc::new(schema) };
    Schema::new(Kind::Struct(fields.into_iter().map(field).collect()))
}

/// A choice between a text and a number.
fn union(optional: bool) -> Schema {
    let fields = vec![("s", Schema::optional(Kind::String)), ("n", Schema::optional(Kind::Int32))];
    Schema { optional, ..structure(fields).named(ONE_OF) }
}

fn nothing() -> Value {
    Value::Struct(vec![Value::Null, Value::Null])
}

fn number(number: i32) -> Value {
    Value::Struct(vec![Value::Null, Value::Int32(number)])
}

/// What is written behind the id of the schema; `None` is Kafka's null.
fn written(schema: Schema, rows: &[Value]) -> Vec<Option<String>> {
    let settings = ConfigMap::from([("schema.registry.url".to_owned(), "http://registry".to_owned())]);
    let registry = local(Arc::default(), Writing::default());
    let mut converter = JsonSchemaConverter::over(registry, ConverterRole::Value, &settings).unwrap();
    let mut column = ColumnWriter::new(&schema);
    rows.iter().for_each(|row| column.append(row).unwrap());
    let values = Values::Typed { schema: Arc::new(schema), array: column.finish().unwrap() };
    assert!(converter.poll_encode_ready("t", &values).unwrap().is_ready());
    let encoded = converter.encode("t", &values).unwrap();
    assert!(encoded.errors.is_empty(), "{:?}", encoded.errors);
    let text = |row| Some(String::from_utf8_lossy(&encoded.payload(row)?[5..]).into_owned());
    (0..encoded.rows()).map(text).collect()
}

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn an_object_leaves_out_a_required_union_that_holds_nothing() {
    let schema = structure(vec![
        ("first", union(false)),
        ("x", Schema::new(Kind::Int8)),
        ("may", union(true)),
        ("inner", structure(vec![("only", union(false))])),
    ]);
    let row = |first, may, only| Value::Struct(vec![first, Value::Int8(1), may, Value::Struct(vec![only])]);
    let rows = [
        row(nothing(), nothing(), nothing()),
        row(number(2), Value::Null, number(3)),
        row(nothing(), number(4), number(5)),
    ];
    let expected = [
        r#"{"x":1,"may":null,"inner":{}}"#,
        r#"{"first":2,"x":1,"may":null,"inner":{"only":3}}"#,
        r#"{"x":1,"may":4,"inner":{"only":5}}"#,
    ];
    assert_eq!(written(schema, &rows), expected.map(text));
}

#[test]
fn lists_and_maps_show_null_for_a_union_that_holds_nothing() {
    let list = Schema::new(Kind::Array(Arc::new(union(false))));
    assert_eq!(written(list, &[Value::Array(vec![nothing(), number(1)])]), [text("[null,1]")]);
    let map = |key| Kind::Map { key: Arc::new(Schema::new(key)), value: Arc::new(union(false)) };
    let rows = [Value::Map(vec![(Value::String("k".into()), nothing())])];
    assert_eq!(written(Schema::new(map(Kind::String)), &rows), [text(r#"{"k":null}"#)]);
    let rows = [Value::Map(vec![(Value::Int32(7), nothing())])];
    assert_eq!(written(Schema::new(map(Kind::Int32)), &rows), [text(r#"[{"key":7,"value":null}]"#)]);
}

#[test]
fn a_record_that_is_such_a_union_is_a_tombstone() {
    assert_eq!(written(union(false), &[nothing(), number(1), nothing()]), [None, text("1"), None]);
    assert_eq!(written(union(true), &[nothing(), Value::Null]), [text("null"), text("null")]);
}

#[test]
fn a_union_is_left_out_with_the_one_that_it_holds() {
    let fields = vec![("b", Schema::optional(Kind::Boolean)), ("u", union(false))];
    let outer = Schema { optional: true, ..structure(fields).named(ONE_OF) };
    let schema = structure(vec![("o", outer)]);
    let row = |flag, inner| Value::Struct(vec![Value::Struct(vec![flag, inner])]);
    let rows =
        [row(Value::Null, nothing()), row(Value::Null, number(1)), row(Value::Boolean(true), nothing())];
    assert_eq!(written(schema, &rows), [r"{}", r#"{"o":1}"#, r#"{"o":true}"#].map(text));
}

#[test]
fn values_below_a_place_of_recursion_leave_it_out_too() {
    let mut definitions = Definitions::new("json schema unions");
    let next = definitions.reserve().unwrap();
    let fields = vec![("u", union(false)), ("next", next.place(true, Some("N")))];
    let mut schema = structure(fields).named("N");
    schema.parameters.insert(ID.to_owned(), "#n".to_owned());
    next.define(&Arc::new(schema.clone()));
    let node = |held, next| Value::Struct(vec![held, next]);
    let rows = [node(nothing(), node(nothing(), node(number(1), Value::Null)))];
    assert_eq!(written(schema, &rows), [text(r#"{"next":{"next":{"u":1,"next":null}}}"#)]);
}
