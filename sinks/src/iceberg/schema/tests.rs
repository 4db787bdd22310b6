//! Columns for records, without a catalog.

use arrow_array::{ArrayRef, StructArray, new_null_array};
use lakeward_api::decimal::Decimal;
use lakeward_api::schema::Logical;

use super::*;

const EXACT: Rules = Rules { names: Names { ignore_case: false }, force_optional: false };
const ANY_CASE: Rules = Rules { names: Names { ignore_case: true }, force_optional: false };

fn map(entries: &[(&str, Value)]) -> Value {
    Value::Map(entries.iter().map(|(key, value)| (Value::String((*key).into()), value.clone())).collect())
}

fn text(text: &str) -> Value {
    Value::String(text.into())
}

fn field(name: &str, schema: connect::Schema) -> Field {
    Field { name: name.into(), schema: Arc::new(schema) }
}

/// One record of these fields. What it holds does not matter.
fn typed(fields: Vec<Field>) -> Values {
    let schema = Arc::new(connect::Schema::new(Kind::Struct(fields)));
    let columns: Vec<ArrayRef> =
        schema.arrow_fields().iter().map(|field| new_null_array(field.data_type(), 1)).collect();
    let fields: arrow_schema::Fields =
        schema.arrow_fields().iter().map(|field| Arc::new((**field).clone().with_nullable(true))).collect();
    let array = StructArray::new(fields, columns, None);
    Values::Typed { schema, array: Arc::new(array) }
}

fn schemaless(entries: &[(&str, Value)]) -> Values {
    Values::Dynamic(vec![map(entries)])
}

/// Names, types and which are required (`!`), as the specification writes them.
fn told(schema: &Schema) -> Vec<String> {
    let one = |field: &NestedFieldRef| {
        let required = if field.required { "!" } else { "" };
        format!("{} {}{required} {}", field.id, field.name, field.field_type)
    };
    schema.as_struct().fields().iter().map(one).collect()
}

fn new_table(rules: Rules, values: &Values) -> Vec<String> {
    let mut draft = Draft::of_new_table(rules);
    draft.see(values).unwrap();
    told(&draft.schema(0).unwrap())
}

/// A table with one column of each form.
fn table() -> SchemaRef {
    let mut draft = Draft::of_new_table(EXACT);
    let inner = |name: &str| connect::Schema::new(Kind::Struct(vec![field(name, number(Kind::Int32))]));
    draft
        .see(&typed(vec![
            field("id", number(Kind::Int32)),
            field("ratio", number(Kind::Float32)),
            field("place", inner("lat")),
            field("tags", connect::Schema::new(Kind::Array(Arc::new(inner("k"))))),
            field("more", map_to(inner("a"))),
        ]))
        .unwrap();
    Arc::new(draft.schema(0).unwrap())
}

fn number(kind: Kind) -> connect::Schema {
    connect::Schema::new(kind)
}

fn map_to(value: connect::Schema) -> connect::Schema {
    let key = Arc::new(connect::Schema::new(Kind::String));
    connect::Schema::new(Kind::Map { key, value: Arc::new(value) })
}

fn changed(values: &Values) -> Option<Vec<String>> {
    let mut draft = Draft::of_table(&table(), EXACT);
    draft.see(values).unwrap();
    draft.has_changes().then(|| told(&draft.schema(50).unwrap()))
}

#[test]
fn a_schema_becomes_columns_of_its_types() {
    let fields = || {
        vec![
            field("i", number(Kind::Int16)),
            field("l", connect::Schema::optional(Kind::Int64)),
            field("d", connect::Schema::logical_of(Logical::Date)),
            field("t", connect::Schema::logical_of(Logical::Time)),
            field("at", connect::Schema::logical_of(Logical::Timestamp)),
            field("p", connect::Schema::logical_of(Logical::Decimal { scale: 3 })),
            field("s", number(Kind::Struct(vec![field("x", number(Kind::Bytes))]))),
            field("a", number(Kind::Array(Arc::new(connect::Schema::optional(Kind::String))))),
            field("m", map_to(number(Kind::Boolean))),
        ]
    };
    let expected =
        ["1 i! int", "2 l long", "3 d! date", "4 t! time", "5 at! timestamptz", "6 p! decimal(38, 3)"];
    let made = new_table(EXACT, &typed(fields()));
    assert_eq!(made[..6], expected, "columns come before what is inside them");
    assert!(
        made[6].starts_with("7 s!") && made[7].starts_with("8 a!") && made[8].starts_with("9 m!"),
        "{made:?}"
    );
    let mut draft = Draft::of_new_table(EXACT);
    draft.see(&typed(fields())).unwrap();
    let schema = draft.schema(0).unwrap();
    let inner = |name: &str| schema.field_by_name(name).map(|field| (field.id, field.required)).unwrap();
    let found = ["s.x", "a.element", "m.key", "m.value"].map(inner);
    assert_eq!(found, [(10, true), (11, false), (12, true), (13, true)]);
    let forced = Rules { force_optional: true, ..EXACT };
    let mut draft = Draft::of_new_table(forced);
    draft.see(&typed(fields())).unwrap();
    let schema = draft.schema(0).unwrap();
    let required: Vec<&str> = schema
        .field_id_to_fields()
        .values()
        .filter(|field| field.required)
        .map(|field| &*field.name)
        .collect();
    assert_eq!(required, ["key"]);
}

#[test]
fn values_say_their_columns_and_what_says_nothing_has_none() {
    let decimal = |text: &str| Value::Decimal(Decimal::parse(text).unwrap());
    let record = schemaless(&[
        ("l", Value::Int64(1)),
        ("d", Value::Float64(0.5)),
        ("b", Value::Boolean(true)),
        ("s", text("x")),
        ("at", Value::Date(5)),
        ("p", decimal("-12.345")),
        ("q", decimal("0.001")),
        ("null", Value::Null),
        ("bytes", Value::Bytes(bytes::Bytes::from_static(b"x"))),
        ("none", Value::Array(Vec::new())),
        ("first is null", Value::Array(vec![Value::Null, Value::Int64(1)])),
        ("empty", map(&[])),
        ("all null", map(&[("x", Value::Null)])),
        ("in", map(&[("x", Value::Null), ("y", text("z"))])),
        ("a", Value::Array(vec![map(&[("x", Value::Int64(1))]), map(&[("y", Value::Int64(1))])])),
    ]);
    let made = new_table(EXACT, &record);
    let expected = [
        "1 l long",
        "2 d double",
        "3 b boolean",
        "4 s string",
        "5 at timestamptz",
        "6 p decimal(5, 3)",
        "7 q decimal(3, 3)",
    ];
    assert_eq!(made[..7], expected);
    let mut draft = Draft::of_new_table(EXACT);
    draft.see(&record).unwrap();
    let schema = draft.schema(0).unwrap();
    assert_eq!((made.len(), schema.highest_field_id()), (9, 13));
    for name in ["in.y", "a.element.x", "a.element.y"] {
        assert!(schema.field_by_name(name).is_some_and(|field| !field.required), "{name}");
    }
}

#[test]
fn a_typed_record_adds_widens_and_frees_columns_at_every_depth() {
    let inner = |old: &str, new: &str| {
        let fields = vec![field(old, number(Kind::Int64)), field(new, number(Kind::String))];
        connect::Schema::optional(Kind::Struct(fields))
    };
    let made = changed(&typed(vec![
        field("id", connect::Schema::optional(Kind::Int32)),
        field("ratio", number(Kind::Float64)),
        field("place", inner("lat", "lon")),
        field("tags", connect::Schema::new(Kind::Array(Arc::new(inner("k", "v"))))),
        field("more", map_to(inner("a", "b"))),
        field("new", number(Kind::Int8)),
    ]));
    let made = made.unwrap();
    assert_eq!(made[..2], ["1 id int", "2 ratio! double"]);
    assert_eq!(made[5], "51 new int", "what is new is optional");
    let mut draft = Draft::of_table(&table(), EXACT);
    draft
        .see(&typed(vec![field("place", inner("lat", "lon")), field("more", map_to(inner("a", "b")))]))
        .unwrap();
    let schema = draft.schema(50).unwrap();
    let found = ["place", "place.lat", "place.lon", "more.value", "more.value.b"].map(|name| {
        let field = schema.field_by_name(name).unwrap();
        (field.required, field.id > 50)
    });
    // Values of maps cannot be freed, as in Java.
    assert_eq!(found, [(false, false), (true, false), (false, true), (true, false), (false, true)]);
    assert_eq!(schema.field_by_name("place.lat").unwrap().field_type.to_string(), "long");
}

#[test]
fn a_schemaless_record_only_adds() {
    let record = [
        ("id", Value::Int64(i64::MAX)),
        ("ratio", Value::Float64(0.1)),
        ("place", map(&[("lat", Value::Null), ("lon", text("x"))])),
        ("tags", Value::Array(vec![Value::Null, map(&[("v", text("x"))])])),
        ("more", map(&[("any", map(&[("b", text("x"))])), ("other", Value::Null)])),
    ];
    let mut draft = Draft::of_table(&table(), EXACT);
    draft.see(&schemaless(&record)).unwrap();
    let schema = draft.schema(50).unwrap();
    let made = told(&schema);
    assert_eq!((made.len(), &made[0][..], &made[1][..]), (5, "1 id! int", "2 ratio! float"));
    for name in ["place.lon", "tags.element.v", "more.value.b"] {
        assert!(schema.field_by_name(name).is_some_and(|field| !field.required && field.id > 50), "{name}");
    }
    assert_eq!(changed(&schemaless(&[("id", text("no number")), ("place", text("no struct"))])), None);
    assert_eq!(changed(&schemaless(&[("new", Value::Null)])), None);
}

#[test]
fn names_may_be_compared_in_any_case() {
    let record = schemaless(&[
        ("A", Value::Int64(1)),
        ("a", Value::Int64(1)),
        ("É", Value::Int64(1)),
        ("é", text("x")),
    ]);
    assert_eq!(new_table(EXACT, &record).len(), 4);
    assert_eq!(new_table(ANY_CASE, &record), ["1 A long", "2 É long"]);
}

#[test]
fn what_somebody_else_did_meanwhile_stays() {
    let mut wanted = Draft::of_table(&table(), EXACT);
    wanted
        .see(&typed(vec![
            field("id", connect::Schema::optional(Kind::Int64)),
            field("ratio", number(Kind::Float64)),
            field(
                "new",
                number(Kind::Struct(vec![field("x", number(Kind::Int8)), field("y", number(Kind::Int8))])),
            ),
        ]))
        .unwrap();
    // Meanwhile `id` has another name, `ratio` is gone, and `new` is there with one field.
    let before = table();
    let mut fields: Vec<NestedFieldRef> = before.as_struct().fields()[2..].to_vec();
    fields.push(Arc::new(NestedField::required(1, "key", Type::Primitive(PrimitiveType::Int))));
    let inner = Arc::new(NestedField::optional(41, "x", Type::Primitive(PrimitiveType::String)));
    fields.push(Arc::new(NestedField::optional(40, "new", Type::Struct(StructType::new(vec![inner])))));
    let now = Arc::new(Schema::builder().with_schema_id(7).with_fields(fields).build().unwrap());
    let mut draft = wanted.of_same_rules(&now);
    draft.adopt(&wanted);
    let schema = draft.schema(60).unwrap();
    let made = told(&schema);
    assert_eq!((schema.schema_id(), made.len(), &made[3][..]), (8, 5, "1 key long"));
    assert_eq!(schema.field_by_name("new.x").unwrap().field_type.to_string(), "string");
    assert_eq!(schema.field_by_name("new.y").map(|field| field.id), Some(61));
    let mut again = wanted.of_same_rules(&Arc::new(schema));
    again.adopt(&wanted);
    assert!(!again.has_changes());
}

#[test]
fn a_record_whose_columns_cannot_be_leaves_nothing_behind() {
    let mut draft = Draft::of_table(&table(), EXACT);
    let ambiguous = schemaless(&[("fine", Value::Int64(1)), ("place.lat", Value::Int64(1))]);
    assert!(draft.see(&ambiguous).is_err());
    assert!(!draft.has_changes());
    let many: Vec<(String, Value)> = (0..=COLUMNS_MAX).map(|n| (format!("c{n}"), Value::Int64(1))).collect();
    let many: Vec<(&str, Value)> = many.iter().map(|(name, value)| (&**name, value.clone())).collect();
    let said = draft.see(&schemaless(&many)).unwrap_err().to_string();
    assert!(said.contains("more than 10000 columns") && !draft.has_changes(), "{said}");
    assert!(draft.see(&Values::Dynamic(vec![text("no map")])).is_err());
    let own = table();
    let id = [own.field_by_name("id").unwrap().id];
    let own = Schema::builder().with_fields(own.as_struct().fields().to_vec()).with_identifier_field_ids(id);
    let mut draft = Draft::of_table(&Arc::new(own.build().unwrap()), EXACT);
    let freed = typed(vec![field("id", connect::Schema::optional(Kind::Int32))]);
    assert!(draft.see(&freed).is_err(), "a column that identifies rows is required");
}
