//! Transforms over schemas that contain themselves. Expectations are what Kafka's classes answered for the
//! same records, whose places of recursion were stand-ins as those of the Avro converter are.

use std::sync::Arc;

use lakeward_api::batch::{SinkBatch, Values};
use lakeward_api::packed::DEPTH_MAX;
use lakeward_api::recursion::Definitions;
use lakeward_api::schema::{Kind, Schema};
use lakeward_api::transform::Transformed;
use lakeward_api::value::Value;

use crate::sample::{batch, config, only, registry, rows, structure, text, transform, typed};

/// `demo.Node(id, name?, next: Node?)`.
fn node() -> Schema {
    let mut definitions = Definitions::new("transforms demo.Node");
    let next = definitions.reserve().unwrap();
    let node = structure(vec![
        ("id", Schema::new(Kind::Int32)),
        ("name", Schema::optional(Kind::String)),
        ("next", next.place(true, Some("demo.Node"))),
    ])
    .named("demo.Node");
    next.define(&Arc::new(node.clone()));
    node
}

/// `demo.Tree(v, children: [Tree], by: {STRING: Tree})`.
fn tree() -> Schema {
    let mut definitions = Definitions::new("transforms demo.Tree");
    let tree = definitions.reserve().unwrap();
    let place = || Arc::new(tree.place(false, Some("demo.Tree")));
    let by = Kind::Map { key: Arc::new(Schema::new(Kind::String)), value: place() };
    let schema = structure(vec![
        ("v", Schema::new(Kind::Int64)),
        ("children", Schema::new(Kind::Array(place()))),
        ("by", Schema::new(by)),
    ])
    .named("demo.Tree");
    tree.define(&Arc::new(schema.clone()));
    schema
}

fn structs(values: &[Value]) -> Value {
    Value::Struct(values.to_vec())
}

/// A node with `levels` nodes behind it.
fn list(levels: usize) -> Value {
    let node = |level: usize, next| {
        let id = i32::try_from(level).unwrap();
        structs(&[Value::Int32(id), text(&format!("n{level}")), next])
    };
    (1..=levels).fold(node(0, Value::Null), |next, level| node(level, next))
}

fn leaf() -> Value {
    structs(&[Value::Int64(0), Value::Array(Vec::new()), Value::Map(Vec::new())])
}

fn small_tree() -> Value {
    let by = Value::Map(vec![(text("k"), leaf())]);
    structs(&[Value::Int64(1), Value::Array(vec![leaf(), leaf()]), by])
}

/// Lists of 0, 1 and 50 further nodes.
fn lists() -> SinkBatch {
    batch(typed(node(), &[list(0), list(1), list(50)]))
}

fn applied(simple: &str, pairs: &[(&str, &str)], batch: SinkBatch) -> Transformed {
    transform(simple, pairs).apply(batch).unwrap()
}

fn field<'a>(schema: &'a Schema, name: &str) -> &'a Schema {
    &schema.field(name).unwrap().1.schema
}

fn errors(outcome: &Transformed) -> Vec<(i64, String)> {
    outcome.errors.iter().map(|(offset, err)| (*offset, format!("{}: {err}", err.java_class()))).collect()
}

#[test]
fn the_place_of_a_recursion_becomes_a_struct_of_its_own() {
    let found = only(applied("ExtractField$Value", &[("field", "next")], lists()));
    assert_eq!(rows(&found.values), [Value::Null, list(0), list(49)]);
    let schema = found.values.schema().unwrap();
    assert_eq!(**schema, Schema { optional: true, ..node() });

    let path = |field| [("field", field), ("field.syntax.version", "V2")];
    let third = only(applied("ExtractField$Value", &path("next.next.next"), lists()));
    assert_eq!(rows(&third.values), [Value::Null, Value::Null, list(47)]);
    let id = only(applied("ExtractField$Value", &path("next.id"), lists()));
    assert_eq!(rows(&id.values), [Value::Null, Value::Int32(0), Value::Int32(49)]);
    assert_eq!(**id.values.schema().unwrap(), Schema::new(Kind::Int32));
    let unknown = applied("ExtractField$Value", &path("next.bogus"), lists());
    assert_eq!(errors(&unknown)[0].1, "java.lang.IllegalArgumentException: Unknown field: next.bogus");

    let trees = batch(typed(tree(), &[small_tree()]));
    let children = only(applied("ExtractField$Value", &[("field", "children")], trees));
    assert_eq!(rows(&children.values), [Value::Array(vec![leaf(), leaf()])]);
}

#[test]
fn what_stands_below_keeps_its_own_schema() {
    let check = |simple: &str, pairs: &[(&str, &str)], at: &str, second: Value| {
        let found = only(applied(simple, pairs, lists()));
        let schema = found.values.schema().unwrap();
        assert_eq!(field(schema, at), field(&node(), "next"), "{simple}");
        assert_eq!(schema.name.as_deref(), Some("demo.Node"));
        assert_eq!(rows(&found.values)[1], second, "{simple}");
    };
    let (one, name) = (Value::Int32(1), text("n1"));
    let value = |values: &[Value]| structs(values);
    check("ReplaceField$Value", &[("exclude", "name")], "next", value(&[one.clone(), list(0)]));
    check(
        "ReplaceField$Value",
        &[("renames", "next:tail,id:no")],
        "tail",
        value(&[one.clone(), name.clone(), list(0)]),
    );
    check(
        "InsertField$Value",
        &[("static.field", "s"), ("static.value", "x")],
        "next",
        value(&[one.clone(), name.clone(), list(0), text("x")]),
    );
    check("MaskField$Value", &[("fields", "name")], "next", value(&[one.clone(), text(""), list(0)]));
    check("Cast$Value", &[("spec", "id:string")], "next", value(&[text("1"), name, list(0)]));

    let renamed = [("schema.name", "new"), ("schema.version", "7")];
    let found = only(applied("SetSchemaMetadata$Value", &renamed, lists()));
    let schema = found.values.schema().unwrap();
    assert_eq!((schema.name.as_deref(), schema.version), (Some("new"), Some(7)));
    assert_eq!(field(schema, "next").name.as_deref(), Some("demo.Node"));
    assert_eq!(rows(&found.values), rows(&lists().values));

    let hoisted = only(applied("HoistField$Value", &[("field", "h")], lists()));
    assert_eq!(*field(hoisted.values.schema().unwrap(), "h"), node());
    let back = only(applied("ExtractField$Value", &[("field", "h")], hoisted));
    assert_eq!(rows(&back.values), rows(&lists().values));
}

#[test]
fn keys_and_headers_are_made_of_places_of_recursion() {
    let keyed = only(applied("ValueToKey", &[("fields", "next,id")], lists()));
    assert_eq!(rows(&keyed.keys)[2], structs(&[list(49), Value::Int32(50)]));
    assert_eq!(field(keyed.keys.schema().unwrap(), "next"), field(&node(), "next"));

    for (operation, fields) in [("copy", 3), ("move", 2)] {
        let settings = [("fields", "next"), ("headers", "h"), ("operation", operation)];
        let outcome = applied("HeaderFrom$Value", &settings, lists());
        // A null is one of the struct itself for Java, whatever the place says.
        let problem = "org.apache.kafka.connect.errors.DataException: A null value requires an optional \
                       schema but was Schema{demo.Node:STRUCT}";
        assert_eq!(errors(&outcome), [(10, problem.to_owned())]);
        let found = &outcome.batches[0];
        assert_eq!(found.values.schema().unwrap().fields().len(), fields);
        let header = &found.headers.row(0)[0];
        assert_eq!(header.value, list(0));
        assert_eq!(**header.schema.as_ref().unwrap(), Schema { optional: true, ..node() });
    }
}

#[test]
fn what_java_refuses_is_refused_row_by_row() {
    let refused = |simple: &str, pairs: &[(&str, &str)], problem: &str| {
        let outcome = applied(simple, pairs, lists());
        let problems = errors(&outcome);
        assert_eq!(problems.iter().map(|(offset, _)| *offset).collect::<Vec<_>>(), [11, 12], "{simple}");
        assert!(problems.iter().all(|(_, text)| *text == problem), "{problems:?}");
        assert_eq!(rows(&outcome.batches[0].values), [list(0)]);
    };
    let data = "org.apache.kafka.connect.errors.DataException";
    refused(
        "MaskField$Value",
        &[("fields", "next")],
        &format!("{data}: Cannot mask value of type: class org.apache.kafka.connect.data.Struct"),
    );
    refused(
        "MaskField$Value",
        &[("fields", "next"), ("replacement", "x")],
        &format!(
            "{data}: Cannot mask value of type class org.apache.kafka.connect.data.Struct with custom \
             replacement."
        ),
    );
    for kind in ["string", "int8"] {
        let spec = format!("next:{kind}");
        refused(
            "Cast$Value",
            &[("spec", &spec)],
            &format!(
                "{data}: Cast transformation does not support casting from STRUCT; supported types are \
                 [INT8, INT16, INT32, INT64, FLOAT32, FLOAT64, BOOLEAN, STRING, BYTES]"
            ),
        );
    }
}

#[test]
fn flatten_refuses_records_where_java_ends_the_task() {
    let outcome = applied("Flatten$Value", &[], lists());
    assert_eq!((outcome.batches.len(), outcome.errors.len()), (0, 3));
    assert_eq!(
        outcome.errors[0].1.to_string(),
        "Flatten transformation does not support a STRUCT that contains itself (for field next)."
    );
    let trees = applied("Flatten$Value", &[], batch(typed(tree(), &[small_tree()])));
    assert_eq!(
        trees.errors[0].1.to_string(),
        "Flatten transformation does not support MAP for record with schemas (for field by)."
    );
    let nulls = batch(typed(Schema { optional: true, ..node() }, &[Value::Null]));
    assert_eq!(rows(&only(applied("Flatten$Value", &[], nulls)).values), [Value::Null]);
}

#[test]
fn fields_that_change_names_take_their_columns_along() {
    let mut schema = node();
    let Kind::Struct(fields) = &mut schema.kind else { panic!("a STRUCT") };
    fields[1].schema = Arc::new(Schema::optional(Kind::Bytes));
    let row = structs(&[Value::Int32(1), Value::Bytes(b"\x0e".to_vec().into()), list(1)]);
    let renames = [("renames", "name:next,next:name")];
    let found =
        only(applied("ReplaceField$Value", &renames, batch(typed(schema, std::slice::from_ref(&row)))));
    assert_eq!(rows(&found.values), [row]);
    let schema = found.values.schema().unwrap();
    assert_eq!(field(schema, "next").kind, Kind::Bytes);
    assert_eq!(field(schema, "name"), field(&node(), "next"));
}

#[test]
fn paths_of_conditions_lead_through_places_of_recursion() {
    let filter = |condition: &str| {
        let registry = registry();
        let plugin = registry.transform("io.confluent.connect.transforms.Filter$Value").unwrap();
        let settings = config(&[
            ("filter.condition", condition),
            ("filter.type", "include"),
            ("missing.or.null.behavior", "exclude"),
        ]);
        let outcome = plugin.new_transform(&settings).unwrap().apply(lists()).unwrap();
        outcome.batches.iter().flat_map(|batch| batch.offsets.clone()).collect::<Vec<_>>()
    };
    assert_eq!(filter("$[?(@.next.id == 0)]"), [11]);
    assert_eq!(filter("$[?(@.next.next.id == 48)]"), [12]);
    assert_eq!(filter("$..[?(@.name == 'n0')]").len(), 3);
}

#[test]
fn change_events_hold_rows_that_contain_themselves() {
    let place = field(&node(), "next").clone();
    let image = Schema { optional: true, ..node() };
    let envelope = structure(vec![
        ("before", image),
        ("after", place),
        ("op", Schema::new(Kind::String)),
        ("ts_ms", Schema::optional(Kind::Int64)),
    ])
    .named("demo.Envelope");
    let events = [structs(&[Value::Null, list(2), text("c"), Value::Int64(5)])];
    let registry = registry();
    let unwrap = registry.transform("io.debezium.transforms.ExtractNewRecordState").unwrap();
    let mut unwrap = unwrap.new_transform(&config(&[])).unwrap();
    let found = only(unwrap.apply(batch(typed(envelope, &events))).unwrap());
    assert_eq!(rows(&found.values), [list(2)]);
    assert_eq!(found.values.schema().unwrap().kind, node().kind);
}

#[test]
fn deeper_values_than_the_limit_never_become_a_column() {
    let column = |levels| {
        let mut column = lakeward_api::rows::ColumnWriter::new(&node());
        column.append(&list(levels)).map(|()| column.finish().unwrap())
    };
    let schema = Arc::new(node());
    let deepest = Values::Typed { schema, array: column(DEPTH_MAX).unwrap() };
    let found = only(applied("ExtractField$Value", &[("field", "next")], batch(deepest)));
    assert_eq!(rows(&found.values), [list(DEPTH_MAX - 1)]);
    assert_eq!(column(DEPTH_MAX + 1).unwrap_err().class(), lakeward_api::ErrorClass::Record);
}

#[test]
fn a_record_fails_at_the_first_of_its_header_pairs_that_cannot_be() {
    let failed = |fields: &str| {
        let pairs = [("fields", fields), ("headers", "h,i"), ("operation", "copy")];
        let found = errors(&applied("HeaderFrom$Value", &pairs, lists()));
        found.into_iter().map(|(_, text)| text[..text.find(':').unwrap()].to_owned()).collect::<Vec<_>>()
    };
    let null = "org.apache.kafka.connect.errors.DataException";
    let missing = "java.lang.NullPointerException";
    assert_eq!(failed("next,absent"), [null, missing, missing]);
    assert_eq!(failed("absent,next"), [missing, missing, missing]);
    assert_eq!(failed("next,id"), [null]);
}
