//! Typed rows for benches of transforms: the same on every run.

use std::sync::Arc;

use lakeward_api::batch::Values;
use lakeward_api::config::ConfigMap;
use lakeward_api::plugin::{ConverterContext, ConverterPlugin, ConverterRole};
use lakeward_api::rows::ColumnWriter;
use lakeward_api::schema::{Field, Kind, Schema};
use lakeward_api::value::Value;
use lakeward_formats::converter::JsonConverterPlugin;

/// Orders of six plain fields. Of those that may be null every `every`th is, none when it is 0.
pub fn flat(rows: u64, every: u64) -> Values {
    column(structure(order_fields()), rows, |row| Value::Struct(order(row, every)))
}

/// The same without a schema.
pub fn schemaless(rows: u64, every: u64) -> Values {
    let named = |row| {
        let names = order_fields().into_iter().map(|(name, _)| Value::String(name.into()));
        Value::Map(names.zip(order(row, every)).collect())
    };
    Values::schemaless((0..rows).map(named).collect())
}

/// The same with a struct in a struct.
pub fn nested(rows: u64, every: u64) -> Values {
    let place =
        structure(vec![("lat", Schema::new(Kind::Float64)), ("lon", Schema::optional(Kind::Float64))]);
    let client = structure(vec![("os", Schema::optional(Kind::String)), ("place", place)]);
    let mut fields = order_fields();
    fields.push(("client", client));
    column(structure(fields), rows, |row| {
        let lon = nulled(row, every, Value::Float64(row as f64 * 0.11));
        let place = Value::Struct(vec![Value::Float64(row as f64 * 0.37), lon]);
        let mut cells = order(row, every);
        cells.push(Value::Struct(vec![nulled(row, every, Value::String("linux".into())), place]));
        Value::Struct(cells)
    })
}

/// Changes of a table of orders, as Debezium's connectors write them.
pub fn row_changes(rows: u64, every: u64) -> Values {
    changes(structure(order_fields()), "srv.shop.orders", rows, |row| Value::Struct(order(row, every)))
}

/// Changes of an outbox table.
pub fn outbox(rows: u64) -> Values {
    let names = ["id", "aggregatetype", "aggregateid", "type", "payload"];
    let table = structure(names.map(|name| (name, Schema::new(Kind::String))).to_vec());
    changes(table, "srv.shop.outbox", rows, |row| {
        let cells = [
            format!("{row:032x}"),
            "Order".into(),
            row.to_string(),
            "Created".into(),
            format!("{{\"n\":{row}}}"),
        ];
        Value::Struct(cells.map(|text| Value::String(text.into())).to_vec())
    })
}

/// Bytes of all rows as JSON without schemas.
///
/// # Panics
/// When a row has no such text.
pub fn json_bytes(values: &Values) -> u64 {
    let settings = ConfigMap::from([("schemas.enable".to_owned(), "false".to_owned())]);
    let connector = ConfigMap::new();
    let role = ConverterRole::Value;
    let context = ConverterContext { role, settings: &settings, connector: &connector, network: None };
    let mut converter = JsonConverterPlugin.new_converter(&context).expect("valid settings");
    let encoded = converter.encode("bench", values).expect("the values can be written");
    (0..encoded.rows()).filter_map(|row| encoded.payload(row)).map(|text| text.len() as u64).sum()
}

fn changes(table: Schema, name: &str, rows: u64, row_of: impl Fn(u64) -> Value) -> Values {
    let side = || Schema { optional: true, name: Some(format!("{name}.Value").into()), ..table.clone() };
    let fields = vec![
        ("before", side()),
        ("after", side()),
        ("op", Schema::new(Kind::String)),
        ("ts_ms", Schema::optional(Kind::Int64)),
    ];
    let schema = Schema { name: Some(format!("{name}.Envelope").into()), ..structure(fields) };
    column(schema, rows, |row| {
        let cells = [Value::Null, row_of(row), Value::String("c".into()), Value::Int64(instant(row))];
        Value::Struct(cells.to_vec())
    })
}

fn order_fields() -> Vec<(&'static str, Schema)> {
    vec![
        ("id", Schema::new(Kind::Int64)),
        ("region", Schema::new(Kind::String)),
        ("updated", Schema::new(Kind::String)),
        ("customer", Schema::optional(Kind::String)),
        ("price", Schema::optional(Kind::Float64)),
        ("created_ms", Schema::optional(Kind::Int64)),
    ]
}

fn order(row: u64, every: u64) -> Vec<Value> {
    let text = |text: String| Value::String(text.into());
    vec![
        Value::Int64((row * 7919) as i64),
        text(format!("eu-{}", row % 4)),
        text(format!("2026-03-{:02}T10:20:30.456Z", 1 + row % 28)),
        nulled(row, every, text(format!("customer-{row:06}"))),
        nulled(row + 1, every, Value::Float64(row as f64 * 0.01)),
        nulled(row, every, Value::Int64(instant(row))),
    ]
}

fn instant(row: u64) -> i64 {
    1_760_000_000_000 + (row * 997) as i64
}

fn nulled(row: u64, every: u64, value: Value) -> Value {
    if every > 0 && row.is_multiple_of(every) { Value::Null } else { value }
}

fn structure(fields: Vec<(&str, Schema)>) -> Schema {
    let field = |(name, schema): (&str, Schema)| Field { name: name.into(), schema: Arc::new(schema) };
    Schema::new(Kind::Struct(fields.into_iter().map(field).collect()))
}

fn column(schema: Schema, rows: u64, value: impl Fn(u64) -> Value) -> Values {
    let mut writer = ColumnWriter::new(&schema);
    for row in 0..rows {
        writer.append(&value(row)).expect("the values fit their schema");
    }
    let array = writer.finish().expect("a small column");
    Values::Typed { schema: schema.into(), array }
}
