//! Records to measure with: the same on every run.

use std::sync::Arc;

use crate::model::{Field, Header, Kind, Record, Schema, Side, TimestampType, Typed, Value};
use crate::random::Random;

/// Records of a batch: as many as the data plane takes at once.
pub(super) const ROWS: usize = 2048;
/// A tenth of what may be null is.
const NULLS_ONE_IN: usize = 10;

/// Ten plain fields, eight of them optional.
pub(super) fn flat() -> Vec<Record> {
    let text = || optional(Kind::String);
    let schema = structure(vec![
        ("id", Schema::new(Kind::Int64)),
        ("customer", Schema::new(Kind::String)),
        ("sku", text()),
        ("quantity", optional(Kind::Int32)),
        ("price", optional(Kind::Float64)),
        ("currency", text()),
        ("paid", optional(Kind::Boolean)),
        ("created_ms", optional(Kind::Int64)),
        ("warehouse", text()),
        ("note", text()),
    ]);
    records(Some(schema), |random, row| {
        let mut values = vec![Value::Int64(row * 7919), Value::text(customer(random))];
        values.extend(members(random).into_iter().map(|(_, value)| nulled(random, value)));
        Value::Struct(values)
    })
}

/// Structs in a struct, a list and a map.
pub(super) fn nested() -> Vec<Record> {
    let place = structure(vec![("lat", Schema::new(Kind::Float64)), ("lon", Schema::new(Kind::Float64))]);
    let client = structure(vec![
        ("os", optional(Kind::String)),
        ("version", optional(Kind::Int32)),
        ("place", Schema { optional: true, ..place }),
    ]);
    let string = || Some(Arc::new(Schema::new(Kind::String)));
    let schema = structure(vec![
        ("id", Schema::new(Kind::Int64)),
        ("customer", Schema::new(Kind::String)),
        ("client", client),
        ("tags", Schema::new(Kind::Array(string()))),
        ("attributes", Schema::new(Kind::Map(string(), string()))),
        ("price", optional(Kind::Float64)),
        ("created_ms", Schema::new(Kind::Int64)),
    ]);
    records(Some(schema), |random, row| {
        let place = Value::Struct(coordinates(random).map(|(_, value)| value).to_vec());
        let client = vec![os(random), Value::Int32(1 + (row % 30) as i32), place];
        let client = client.into_iter().map(|value| nulled(random, value)).collect();
        let price = nulled(random, Value::Float64(row as f64 * 0.37));
        Value::Struct(vec![
            Value::Int64(row * 7919),
            Value::text(customer(random)),
            Value::Struct(client),
            tags(random),
            Value::Map(vec![(Value::text("campaign"), os(random)), (Value::text("page"), os(random))]),
            price,
            Value::Int64(instant(random)),
        ])
    })
}

/// The nested records without their list and their map, which Flatten refuses.
pub(super) fn structs() -> Vec<Record> {
    let mut records = nested();
    let is_left = |name: &str| name != "tags" && name != "attributes";
    let Some(schema) = records[0].value.schema.clone() else { return records };
    let fields = schema.fields().iter().filter(|field| is_left(&field.name)).cloned().collect();
    let smaller = Arc::new(Schema::new(Kind::Struct(fields)));
    for record in &mut records {
        record.value.schema = Some(Arc::clone(&smaller));
        if let Value::Struct(values) = &mut record.value.value {
            let mut names = schema.fields().iter().map(|field| is_left(&field.name));
            values.retain(|_| names.next().unwrap_or(true));
        }
    }
    records
}

/// Objects without a schema: ten members, one of them an object.
pub(super) fn schemaless() -> Vec<Record> {
    records(None, |random, row| {
        let mut all = vec![("id", Value::Int64(row * 7919)), ("customer", Value::text(customer(random)))];
        all.extend(members(random).into_iter().take(6));
        let place = object(coordinates(random).to_vec());
        all.push(("client", object(vec![("os", os(random)), ("place", place)])));
        all.push(("tags", tags(random)));
        let name =
            |name: &str| name != "id" && name != "customer" && name != "client" && name != "created_ms";
        object(
            all.into_iter()
                .map(|(key, value)| (key, if name(key) { nulled(random, value) } else { value }))
                .collect(),
        )
    })
}

/// Flat records with two headers each.
pub(super) fn with_headers() -> Vec<Record> {
    let mut records = flat();
    let schema = Arc::new(Schema::new(Kind::String));
    for (row, record) in records.iter_mut().enumerate() {
        let header = |name: &str, text: String| Header {
            name: name.to_owned(),
            value: Typed { schema: Some(Arc::clone(&schema)), value: Value::text(text) },
        };
        record.headers = vec![header("trace", format!("{row:032x}")), header("origin", "shop".to_owned())];
    }
    records
}

/// One value per record, all of one required schema.
pub(super) fn column(kind: Kind, value: impl Fn(usize) -> Value) -> Vec<Typed> {
    let schema = Arc::new(optional(kind));
    (0..ROWS).map(|row| Typed { schema: Some(Arc::clone(&schema)), value: value(row) }).collect()
}

/// The eight members after the first two.
fn members(random: &mut Random) -> Vec<(&'static str, Value)> {
    let number = random.below(100_000);
    vec![
        ("sku", Value::text(format!("SKU-{number:05}"))),
        ("quantity", Value::Int32((number % 20) as i32 + 1)),
        ("price", Value::Float64(number as f64 / 100.0)),
        ("currency", Value::text("EUR")),
        ("paid", Value::Boolean(number.is_multiple_of(2))),
        ("created_ms", Value::Int64(instant(random))),
        ("warehouse", Value::text(format!("berlin-{}", number % 8))),
        ("note", Value::text(format!("handle with care {}", number % 1000))),
    ]
}

fn records(schema: Option<Schema>, mut value: impl FnMut(&mut Random, i64) -> Value) -> Vec<Record> {
    let mut random = Random::new(1);
    let schema = schema.map(Arc::new);
    let key = Arc::new(Schema::new(Kind::String));
    let mut record = |row: i64| Record {
        side: Side::Sink,
        topic: Some("orders-eu".to_owned()),
        partition: Some(3),
        key: Typed { schema: Some(Arc::clone(&key)), value: Value::text(customer(&mut random)) },
        value: Typed { schema: schema.clone(), value: value(&mut random, row) },
        timestamp_ms: Some(1_700_000_000_000 + row * 97),
        timestamp_type: TimestampType::Create,
        offset: 1000 + row,
        headers: Vec::new(),
    };
    (0..ROWS as i64).map(&mut record).collect()
}

fn structure(fields: Vec<(&str, Schema)>) -> Schema {
    let field = |(name, schema): (&str, Schema)| Field { name: name.to_owned(), schema: Arc::new(schema) };
    Schema::new(Kind::Struct(fields.into_iter().map(field).collect()))
}

fn optional(kind: Kind) -> Schema {
    Schema { optional: true, ..Schema::new(kind) }
}

fn object(members: Vec<(&str, Value)>) -> Value {
    Value::Map(members.into_iter().map(|(name, value)| (Value::text(name), value)).collect())
}

fn nulled(random: &mut Random, value: Value) -> Value {
    if random.once_in(NULLS_ONE_IN) { Value::Null } else { value }
}

fn customer(random: &mut Random) -> String {
    format!("customer-{:06}", random.below(50_000))
}

fn coordinates(random: &mut Random) -> [(&'static str, Value); 2] {
    let mut degrees = |limit: usize| Value::Float64(random.below(limit * 1000) as f64 / 1000.0);
    [("lat", degrees(90)), ("lon", degrees(180))]
}

fn os(random: &mut Random) -> Value {
    Value::text(random.pick(&["linux", "windows", "macos", "android"]))
}

fn tags(random: &mut Random) -> Value {
    Value::List(vec![Value::text("web"), Value::text(format!("tag-{}", random.below(50)))])
}

fn instant(random: &mut Random) -> i64 {
    1_700_000_000_000 + random.below(86_400_000) as i64
}
