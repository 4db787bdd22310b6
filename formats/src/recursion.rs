//! Schemas that contain themselves, in every form but those of a schema registry. Expectations are what
//! Kafka's converters wrote for the same values, whose places of recursion were stand-ins as those of the
//! Avro converter are.

use std::sync::Arc;

use lakeward_api::batch::Values;
use lakeward_api::config::ConfigMap;
use lakeward_api::converter::Encoded;
use lakeward_api::plugin::{
    ConverterContext, ConverterPlugin as _, ConverterRole, HeaderConverterPlugin as _, PluginRegistry,
};
use lakeward_api::recursion::Definitions;
use lakeward_api::rows::ColumnWriter;
use lakeward_api::schema::{Field, Kind, Schema};
use lakeward_api::value::Value;

use crate::FormatError;
use crate::converter::{JsonConverterPlugin, SimpleHeaderConverterPlugin, StringConverterPlugin};
use crate::file::{FileFormat as _, JsonLinesFormat, JsonLinesOptions, ParquetFormat, ParquetOptions};

fn field(name: &str, schema: Schema) -> Field {
    Field { name: name.into(), schema: Arc::new(schema) }
}

/// `demo.Node(id, name?, next: Node?)`.
fn node() -> Schema {
    let mut definitions = Definitions::new("formats demo.Node");
    let next = definitions.reserve().unwrap();
    let fields = vec![
        field("id", Schema::new(Kind::Int32)),
        field("name", Schema::optional(Kind::String)),
        field("next", next.place(true, Some("demo.Node"))),
    ];
    let node = Schema::new(Kind::Struct(fields)).named("demo.Node");
    next.define(&Arc::new(node.clone()));
    node
}

/// `demo.Tree(v, children: [Tree], by: {STRING: Tree})`.
fn tree() -> Schema {
    let mut definitions = Definitions::new("formats demo.Tree");
    let tree = definitions.reserve().unwrap();
    let place = || Arc::new(tree.place(false, Some("demo.Tree")));
    let by = Kind::Map { key: Arc::new(Schema::new(Kind::String)), value: place() };
    let fields = vec![
        field("v", Schema::new(Kind::Int64)),
        field("children", Schema::new(Kind::Array(place()))),
        field("by", Schema::new(by)),
    ];
    let schema = Schema::new(Kind::Struct(fields)).named("demo.Tree");
    tree.define(&Arc::new(schema.clone()));
    schema
}

/// A node with `levels` nodes behind it.
fn list(levels: usize) -> Value {
    let node = |level: usize, next| {
        let id = i32::try_from(level).unwrap();
        Value::Struct(vec![Value::Int32(id), Value::String(format!("n{level}").into()), next])
    };
    (1..=levels).fold(node(0, Value::Null), |next, level| node(level, next))
}

fn small_tree() -> Value {
    let node = |v, children, by| Value::Struct(vec![Value::Int64(v), Value::Array(children), Value::Map(by)]);
    let leaf = || node(0, Vec::new(), Vec::new());
    node(1, vec![leaf(), leaf()], vec![(Value::String("k".into()), leaf())])
}

fn typed(schema: Schema, rows: &[Value]) -> Values {
    let mut column = ColumnWriter::new(&schema);
    rows.iter().for_each(|row| column.append(row).unwrap());
    Values::Typed { schema: Arc::new(schema), array: column.finish().unwrap() }
}

fn settings(pairs: &[(&str, &str)]) -> ConfigMap {
    pairs.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned())).collect()
}

fn context(settings: &ConfigMap) -> ConverterContext<'_> {
    ConverterContext { role: ConverterRole::Value, settings, connector: settings, network: None }
}

fn texts(encoded: &Encoded) -> Vec<String> {
    assert!(encoded.errors.is_empty(), "{:?}", encoded.errors);
    let text = |row| String::from_utf8_lossy(encoded.payload(row).unwrap_or(b"<null>")).into_owned();
    (0..encoded.rows()).map(text).collect()
}

fn bare(values: &Values) -> Vec<String> {
    let settings = settings(&[("schemas.enable", "false")]);
    let mut converter = JsonConverterPlugin.new_converter(&context(&settings)).unwrap();
    texts(&converter.encode("t", values).unwrap())
}

/// What Java writes for [`list`].
fn list_text(levels: usize) -> String {
    let node = |level: usize, next: &str| format!("{{\"id\":{level},\"name\":\"n{level}\",\"next\":{next}}}");
    (1..=levels).fold(node(0, "null"), |next, level| node(level, &next))
}

const TREE: &str = "{\"v\":1,\"children\":[{\"v\":0,\"children\":[],\"by\":{}},\
                    {\"v\":0,\"children\":[],\"by\":{}}],\"by\":{\"k\":{\"v\":0,\"children\":[],\"by\":{}}}}";

#[test]
fn json_without_schemas_shows_every_level() {
    let lists: Vec<Value> = [0, 1, 3, 50, 256].map(list).into();
    assert_eq!(bare(&typed(node(), &lists)), [0, 1, 3, 50, 256].map(list_text));
    assert_eq!(bare(&typed(tree(), &[small_tree()])), [TREE]);
    let nulls = typed(Schema { optional: true, ..node() }, &[Value::Null, list(0)]);
    assert_eq!(bare(&nulls), ["null".to_owned(), list_text(0)]);
}

#[test]
fn many_rows_of_all_sizes_come_out_in_order() {
    let levels = |row: usize| row * 37 % 200;
    let rows: Vec<Value> = (0..300).map(|row| list(levels(row))).collect();
    let expected: Vec<String> = (0..300).map(|row| list_text(levels(row))).collect();
    assert_eq!(bare(&typed(node(), &rows)), expected);
}

#[test]
fn a_schema_that_contains_itself_has_no_json_text() {
    let settings = settings(&[("schemas.enable", "true")]);
    let mut converter = JsonConverterPlugin.new_converter(&context(&settings)).unwrap();
    let encoded = converter.encode("t", &typed(node(), &[list(0), list(1)])).unwrap();
    assert_eq!(encoded.errors.len(), 2);
    for (_, err) in &encoded.errors {
        assert_eq!(err.java_class(), "org.apache.kafka.connect.errors.DataException");
        assert!(err.to_string().contains("schemas.enable"), "{err}");
    }
}

#[test]
fn a_null_below_a_required_place_is_refused_by_row() {
    let wrong = Value::Struct(vec![Value::Null, Value::Null, Value::Null]);
    let rows = [list(1), Value::Struct(vec![Value::Int32(1), Value::Null, wrong]), list(2)];
    let settings = settings(&[("schemas.enable", "false")]);
    let mut converter = JsonConverterPlugin.new_converter(&context(&settings)).unwrap();
    let encoded = converter.encode("t", &typed(node(), &rows)).unwrap();
    assert_eq!(encoded.errors.iter().map(|(row, _)| *row).collect::<Vec<_>>(), [1]);
    assert_eq!(
        encoded.errors[0].1.to_string(),
        "Conversion error: null value for field that is required and has no default value"
    );
    assert_eq!(encoded.payload(2), Some(list_text(2).as_bytes()));
}

#[test]
fn texts_are_those_of_nested_structs() {
    let settings = ConfigMap::new();
    let mut converter = StringConverterPlugin.new_converter(&context(&settings)).unwrap();
    let mut written = |values: &Values| texts(&converter.encode("t", values).unwrap());
    assert_eq!(
        written(&typed(node(), &[list(0), list(1)])),
        ["Struct{id=0,name=n0}", "Struct{id=1,name=n1,next=Struct{id=0,name=n0}}"]
    );
    let leaf = "Struct{v=0,children=[],by={}}";
    assert_eq!(
        written(&typed(tree(), &[small_tree()])),
        [format!("Struct{{v=1,children=[{leaf}, {leaf}],by={{k={leaf}}}}}")]
    );
    assert_eq!(written(&typed(node(), &[list(256)]))[0].matches("Struct{").count(), 257);
}

#[test]
fn headers_show_every_level() {
    let settings = ConfigMap::new();
    let mut converter = SimpleHeaderConverterPlugin.new_converter(&context(&settings)).unwrap();
    let mut written = |schema: Schema, value: &Value| {
        let bytes = converter.encode("t", "h", Some(&Arc::new(schema)), value).unwrap();
        String::from_utf8_lossy(&bytes.unwrap()).into_owned()
    };
    assert_eq!(written(node(), &list(3)), list_text(3));
    assert_eq!(written(tree(), &small_tree()), TREE);
    let place = Schema::clone(&node().fields()[2].schema);
    assert_eq!(written(place, &list(1)), list_text(1));
}

#[test]
fn json_lines_hold_every_level_and_parquet_none() {
    let values = typed(node(), &[list(2), list(0)]);
    let schema = values.schema().cloned();
    let mut part = JsonLinesFormat::new(JsonLinesOptions::default()).new_part(schema.as_ref()).unwrap();
    part.write(&values).unwrap();
    let mut lines = part.take_ready();
    lines.extend(part.finish().unwrap());
    assert_eq!(lines.concat(), format!("{}\n{}\n", list_text(2), list_text(0)).as_bytes());

    let refused = ParquetFormat::new(ParquetOptions::default()).new_part(schema.as_ref()).err().unwrap();
    assert!(matches!(refused, FormatError::Data { .. }));
    assert_eq!(refused.to_string(), "Recursive Avro schemas are not supported by parquet-avro: demo.Node");
}

#[test]
fn every_converter_of_bytes_and_numbers_refuses_such_values() {
    let mut registry = PluginRegistry::default();
    crate::register(&mut registry);
    let settings = ConfigMap::new();
    let classes = ["ByteArrayConverter", "IntegerConverter", "DoubleConverter", "BooleanConverter"];
    for simple in classes {
        let class = format!("org.apache.kafka.connect.converters.{simple}");
        let plugin = registry.converter(&class).expect("the class is registered");
        let mut converter = plugin.new_converter(&context(&settings)).unwrap();
        for place in [node(), Schema::clone(&node().fields()[2].schema)] {
            let refused = match converter.encode("t", &typed(place, &[list(0)])) {
                Ok(encoded) => encoded.errors.len() == 1,
                Err(_) => true,
            };
            assert!(refused, "{simple}");
        }
    }
}
