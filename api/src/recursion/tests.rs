//! Numbers of recursive schemas, and their columns.

use super::*;
use crate::rows;

/// `Node(name: STRING, next: Node?)` under a key of the test's own.
fn node(key: &str) -> (Recursive, Arc<Schema>) {
    let mut definitions = Definitions::new(key);
    let recursive = definitions.reserve().unwrap();
    let field = |name: &str, schema: Schema| Field { name: name.into(), schema: Arc::new(schema) };
    let fields = vec![
        field("name", Schema::new(Kind::String)),
        field("next", recursive.place(true, Some("demo.Node"))),
    ];
    let schema = Arc::new(Schema::new(Kind::Struct(fields)).named("demo.Node"));
    recursive.define(&schema);
    (recursive, schema)
}

/// A list of `levels` nodes within a first one.
fn list(levels: usize) -> Value {
    let node = |next| Value::Struct(vec![Value::String("n".into()), next]);
    (0..levels).fold(node(Value::Null), |next, _| node(next))
}

#[test]
fn the_same_key_gets_the_same_numbers_and_another_key_others() {
    let (first, schema) = node("same");
    let (again, equal) = node("same");
    assert_eq!(first, again);
    assert_eq!(schema, equal);
    let (other, unequal) = node("other");
    assert_ne!(first, other);
    assert_ne!(schema, unequal);
    assert_eq!(first.resolve(), schema);
}

#[test]
fn rows_come_back_from_columns_that_hold_themselves() {
    let (_, schema) = node("rows");
    let deepest = packed::DEPTH_MAX;
    let rows = [list(0), list(1), list(50), list(deepest)];
    let mut column = ColumnWriter::new(&schema);
    rows.iter().for_each(|row| column.append(row).unwrap());
    let array = column.finish().unwrap();
    assert_eq!(array.data_type(), &schema.arrow_type());
    for (at, row) in rows.iter().enumerate() {
        assert_eq!(&rows::value_at(&schema, &array, at), row);
    }
    let refused = ColumnWriter::new(&schema).append(&list(deepest + 1)).unwrap_err();
    assert_eq!(refused.class(), crate::ErrorClass::Record);
}

#[test]
fn an_opened_place_is_a_column_of_what_it_stands_for() {
    let (recursive, schema) = node("open");
    let place = Arc::clone(&schema.fields()[1].schema);
    let mut column = ColumnWriter::new(&place);
    let rows = [list(0), Value::Null, list(3)];
    rows.iter().for_each(|row| column.append(row).unwrap());
    let cells = column.finish().unwrap();
    assert_eq!(cells.data_type(), &place.arrow_type());

    let shown = opened(&place).unwrap();
    assert!(shown.optional && shown.kind == schema.kind && shown.name == schema.name);
    let array = open(&cells.slice(1, 2), recursive).unwrap();
    assert_eq!(array.data_type(), &shown.arrow_type());
    assert_eq!(rows::value_at(&shown, &array, 0), Value::Null);
    assert_eq!(rows::value_at(&shown, &array, 1), rows[2]);
    assert!(opened(&schema).is_none());
}

#[test]
fn values_of_another_form_are_refused() {
    let (_, schema) = node("form");
    let place = &schema.fields()[1].schema;
    for wrong in [
        Value::Int8(1),
        Value::Struct(vec![Value::String("n".into())]),
        Value::Struct(vec![Value::Int8(1), Value::Null]),
        Value::Struct(vec![Value::String("n".into()), Value::Map(Vec::new())]),
    ] {
        assert!(ColumnWriter::new(place).append(&wrong).is_err(), "{wrong:?}");
    }
}

#[test]
fn schemas_in_arrow_metadata_come_back_in_the_same_process() {
    let (_, schema) = node("metadata");
    let field = crate::arrow_metadata::annotated_field("value", &schema);
    assert_eq!(crate::arrow_metadata::schema_of(&field).unwrap(), *schema);
    assert!(field.data_type().equals_datatype(&schema.arrow_type()));
}
