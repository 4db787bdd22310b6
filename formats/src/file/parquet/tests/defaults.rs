//! Fields with defaults: Java's `Struct#get` answers the default where a field is null, so its files never
//! have a null there.

use arrow_array::StringArray;
use lakeward_api::rows::ColumnWriter;
use lakeward_api::value::Value;

use super::*;

fn defaulted(schema: Schema, default: Value) -> Schema {
    Schema { optional: true, default: Some(default), ..schema }
}

fn text(text: &str) -> Value {
    Value::String(text.into())
}

/// The file of `rows`, as the texts of its rows.
fn rows(schema: &Arc<Schema>, rows: &[Value]) -> Vec<String> {
    let mut column = ColumnWriter::new(schema);
    rows.iter().for_each(|row| column.append(row).unwrap());
    let values = Values::Typed { schema: Arc::clone(schema), array: column.finish().unwrap() };
    let file = write(ParquetOptions::default(), schema, &[values]);
    let reader = SerializedFileReader::new(file).unwrap();
    reader.get_row_iter(None).unwrap().map(|row| row.unwrap().to_string()).collect()
}

#[test]
fn a_null_in_a_field_with_a_default_is_the_default() {
    let line = Schema::new(Kind::Struct(vec![
        field("n", defaulted(Schema::new(Kind::Int64), Value::Int64(7))),
        field("plain", Schema::optional(Kind::Int64)),
    ]));
    let schema = record(vec![
        field("s", defaulted(Schema::new(Kind::String), text("d"))),
        field("nothing", defaulted(Schema::new(Kind::String), Value::Null)),
        field("inner", Schema { optional: true, ..line.clone() }),
        field("lines", list(line)),
    ]);
    let struct_of = |values: &[Value]| Value::Struct(values.to_vec());
    let nulls = struct_of(&[Value::Null, Value::Null]);
    let found = rows(
        &schema,
        &[
            struct_of(&[Value::Null, Value::Null, nulls.clone(), Value::Array(vec![nulls.clone()])]),
            struct_of(&[text("x"), text("y"), Value::Null, Value::Null]),
        ],
    );
    assert_eq!(
        found,
        [
            "{s: \"d\", nothing: null, inner: {n: 7, plain: null}, lines: [[{n: 7, plain: null}]]}",
            "{s: \"x\", nothing: \"y\", inner: null, lines: null}",
        ]
    );
}

#[test]
fn a_default_in_the_form_of_the_file_is_that_of_its_schema() {
    let mut id = Schema::new(Kind::Bytes).named("shop.Id");
    id.parameters.insert("connect.fixed.size".to_owned(), "2".to_owned());
    let schema = record(vec![field("id", defaulted(id, Value::Bytes(Bytes::from_static(b"ab"))))]);
    let found = rows(&schema, &[Value::Struct(vec![Value::Null])]);
    assert_eq!(found, ["{id: [97, 98]}"]);
}

/// One branch of a union has a value: another one's default is no value.
#[test]
fn defaults_of_branches_are_no_values() {
    let branches = vec![
        field("string", defaulted(Schema::new(Kind::String), text("d"))),
        field("long", Schema::optional(Kind::Int64)),
    ];
    let union = Schema::optional(Kind::Struct(branches)).named("io.confluent.connect.avro.Union");
    let schema = record(vec![field("u", union)]);
    let found = rows(&schema, &[Value::Struct(vec![Value::Struct(vec![Value::Null, Value::Int64(1)])])]);
    assert_eq!(found, ["{u: {member0: null, member1: 1}}"]);
}

#[test]
fn schemas_with_defaults_take_every_value() {
    let schema = record(vec![field("s", defaulted(Schema::new(Kind::String), text("d")))]);
    assert!(ParquetFormat::new(ParquetOptions::default()).takes_all(&schema));
    let written = typed(&schema, vec![Arc::new(StringArray::from(vec![Some("x")])) as ArrayRef]);
    assert_eq!(read(&write(ParquetOptions::default(), &schema, &[written]))[0].num_rows(), 1);
}
