//! What is measured: every converter in both directions, every transform and predicate of Kafka. Converters
//! of a schema registry are in [`registered`].

use anyhow::ensure;

use super::data::{column, flat, nested, schemaless, structs, with_headers};
use super::{Reference, Subject, registered};
use crate::case::{Answer, Case, Items, Setup};
use crate::generate::converters::JSON;
use crate::model::{Header, Kind, Record, Typed, Value};
use crate::ours::Ours;

/// Settings as text pairs.
type Settings = &'static [(&'static str, &'static str)];
/// A name, the class after the package of transforms, and settings.
type Transform = (&'static str, &'static str, Settings);

/// Transforms of every record, whatever it is made of.
const WHOLE: [Transform; 11] = [
    ("Filter", "Filter", &[]),
    ("HoistField", "HoistField$Value", &[("field", "all")]),
    ("InsertField topic offset", "InsertField$Value", &[("topic.field", "t"), ("offset.field", "o")]),
    ("InsertField static", "InsertField$Value", &[("static.field", "s"), ("static.value", "berlin")]),
    ("InsertHeader", "InsertHeader", &[("header", "h"), ("value.literal", "berlin")]),
    ("RegexRouter", "RegexRouter", &[("regex", "(.*)-eu"), ("replacement", "eu.$1")]),
    ("TimestampRouter", "TimestampRouter", &[]),
    ("ValueToKey", "ValueToKey", &[("fields", "id,customer")]),
    ("ExtractField", "ExtractField$Value", &[("field", "customer")]),
    ("ReplaceField exclude rename", "ReplaceField$Value", &[("exclude", "price"), ("renames", "id:key")]),
    ("MaskField", "MaskField$Value", &[("fields", "customer"), ("replacement", "xxx")]),
];

/// Transforms of fields that every shape has.
const FIELDS: [Transform; 6] = [
    ("Cast number to number", "Cast$Value", &[("spec", "id:int32,price:float32")]),
    ("Cast integer to string", "Cast$Value", &[("spec", "id:string")]),
    ("MaskField default", "MaskField$Value", &[("fields", "customer,price")]),
    (
        "HeaderFrom copy",
        "HeaderFrom$Value",
        &[("fields", "customer"), ("headers", "c"), ("operation", "copy")],
    ),
    (
        "TimestampConverter to text",
        "TimestampConverter$Value",
        &[("field", "created_ms"), ("target.type", "string"), ("format", "yyyy-MM-dd'T'HH:mm:ss.SSSX")],
    ),
    (
        "TimestampConverter to time",
        "TimestampConverter$Value",
        &[("field", "created_ms"), ("target.type", "Timestamp")],
    ),
];

/// Transforms of one shape.
const FLAT: [Transform; 4] = [
    ("SetSchemaMetadata", "SetSchemaMetadata$Value", &[("schema.name", "n"), ("schema.version", "2")]),
    ("Cast float to string", "Cast$Value", &[("spec", "price:string")]),
    ("Cast string to string", "Cast$Value", &[("spec", "customer:string")]),
    ("ReplaceField include", "ReplaceField$Value", &[("include", "id,customer,price")]),
];
const STRUCTS: [Transform; 1] = [("Flatten", "Flatten$Value", &[])];
const NESTED: [Transform; 1] = [(
    "ExtractField path",
    "ExtractField$Value",
    &[("field", "client.place.lat"), ("field.syntax.version", "V2")],
)];
const HEADERS: [Transform; 3] = [
    ("DropHeaders", "DropHeaders", &[("headers", "trace")]),
    (
        "HeaderFrom move",
        "HeaderFrom$Value",
        &[("fields", "customer"), ("headers", "c"), ("operation", "move")],
    ),
    ("InsertHeader", "InsertHeader", &[("header", "h"), ("value.literal", "berlin")]),
];
const PREDICATES: [Transform; 3] = [
    ("HasHeaderKey", "predicates.HasHeaderKey", &[("name", "trace")]),
    ("RecordIsTombstone", "predicates.RecordIsTombstone", &[]),
    ("TopicNameMatches", "predicates.TopicNameMatches", &[("pattern", "orders-.*")]),
];

/// Everything.
///
/// # Errors
/// When a payload that is to be decoded cannot be written.
pub(super) fn all() -> anyhow::Result<Vec<Subject>> {
    let shapes = [("flat", flat()), ("nested", nested()), ("schemaless", schemaless())];
    let mut all = converters(&shapes)?;
    for (shape, records) in &shapes {
        for transform in WHOLE.iter().chain(&FIELDS) {
            all.push(of_records(*transform, shape, records, Items::Transform));
        }
        let more: &[Transform] = match *shape {
            "flat" => &FLAT,
            "nested" => &NESTED,
            _ => &STRUCTS,
        };
        all.extend(more.iter().map(|transform| of_records(*transform, shape, records, Items::Transform)));
    }
    let records = structs();
    all.extend(STRUCTS.iter().map(|one| of_records(*one, "structs", &records, Items::Transform)));
    let records = with_headers();
    all.extend(HEADERS.iter().map(|one| of_records(*one, "2 headers", &records, Items::Transform)));
    all.extend(PREDICATES.iter().map(|one| of_records(*one, "2 headers", &records, Items::Predicate)));
    Ok(all)
}

fn of_records(
    (name, class, settings): Transform,
    shape: &'static str,
    records: &[Record],
    items: fn(Vec<Record>) -> Items,
) -> Subject {
    let setup = setup(&format!("org.apache.kafka.connect.transforms.{class}"), settings);
    let case = Case { setup, items: items(records.to_vec()) };
    Subject { name: name.to_owned(), shape, case, reference: Reference::Kafka }
}

fn converters(shapes: &[(&'static str, Vec<Record>)]) -> anyhow::Result<Vec<Subject>> {
    let mut all = Vec::new();
    for (shape, records) in shapes {
        let values: Vec<Typed> = records.iter().map(|record| record.value.clone()).collect();
        let is_typed = values.iter().all(|typed| typed.schema.is_some());
        let plain = setup(JSON, &[("schemas.enable", "false")]);
        both(&mut all, "JsonConverter plain", shape, plain, values.clone())?;
        if is_typed {
            let envelope = setup(JSON, &[("schemas.enable", "true")]);
            both(&mut all, "JsonConverter envelope", shape, envelope, values)?;
        }
    }
    let text = |row: usize| format!("customer-{:06}", row * 7919 % 50_000);
    let strings = column(Kind::String, |row| Value::text(text(row)));
    let string = setup("org.apache.kafka.connect.storage.StringConverter", &[]);
    both(&mut all, "StringConverter", "text", string, strings.clone())?;
    let bytes = column(Kind::Bytes, |row| Value::Bytes(format!("{row:064x}").into_bytes()));
    let class = setup("org.apache.kafka.connect.converters.ByteArrayConverter", &[]);
    both(&mut all, "ByteArrayConverter", "bytes", class, bytes)?;
    let numbers = column(Kind::Int32, |row| Value::Int32(row as i32 * 7919));
    let class = setup("org.apache.kafka.connect.converters.IntegerConverter", &[]);
    both(&mut all, "IntegerConverter", "int32", class, numbers.clone())?;
    more_numbers(&mut all)?;
    header_converters(&mut all, strings, numbers);
    all.extend(registered::all(&[("flat", flat()), ("nested", nested())])?);
    Ok(all)
}

/// The converters of single values that Kafka has beside those of texts, bytes and INT32.
fn more_numbers(all: &mut Vec<Subject>) -> anyhow::Result<()> {
    type Cell = fn(usize) -> Value;
    let kinds: [(&str, &'static str, Kind, Cell); 5] = [
        ("BooleanConverter", "boolean", Kind::Boolean, |row| Value::Boolean(row.is_multiple_of(3))),
        ("DoubleConverter", "float64", Kind::Float64, |row| Value::Float64(row as f64 * 0.37)),
        ("FloatConverter", "float32", Kind::Float32, |row| Value::Float32(row as f32 * 0.37)),
        ("LongConverter", "int64", Kind::Int64, |row| Value::Int64(row as i64 * 7919)),
        ("ShortConverter", "int16", Kind::Int16, |row| Value::Int16(row as i16)),
    ];
    for (name, shape, kind, value) in kinds {
        let class = setup(&format!("org.apache.kafka.connect.converters.{name}"), &[]);
        both(all, name, shape, class, column(kind, value))?;
    }
    Ok(())
}

/// A converter from values to bytes, and from those bytes back.
fn both(
    all: &mut Vec<Subject>,
    name: &str,
    shape: &'static str,
    setup: Setup,
    values: Vec<Typed>,
) -> anyhow::Result<()> {
    let encode = Case { setup: setup.clone(), items: Items::Encode(values) };
    let mut payloads = Vec::new();
    for answer in Ours::default().answers(&encode) {
        let Answer::Bytes(bytes) = answer else { anyhow::bail!("{name} of {shape} does not write") };
        payloads.push(bytes);
    }
    ensure!(!payloads.is_empty(), "{name} of {shape} wrote nothing");
    let decode = Case { setup, items: Items::Decode(payloads) };
    let mut add = |direction: &str, case: Case| {
        let name = format!("{name} {direction}");
        all.push(Subject { name, shape, case, reference: Reference::Kafka });
    };
    add("decode", decode);
    add("encode", encode);
    Ok(())
}

fn header_converters(all: &mut Vec<Subject>, strings: Vec<Typed>, numbers: Vec<Typed>) {
    let class = || setup("org.apache.kafka.connect.storage.SimpleHeaderConverter", &[]);
    let named = |value: Typed| Header { name: "h".to_owned(), value };
    for (shape, values) in [("text", strings), ("int32", numbers)] {
        let payload = |typed: &Typed| match &typed.value {
            Value::Int32(number) => number.to_string().into_bytes(),
            Value::String(text) => text.clone().into_bytes(),
            _ => Vec::new(),
        };
        let payloads = values.iter().map(|typed| ("h".to_owned(), Some(payload(typed)))).collect();
        let mut add = |direction: &str, items: Items| {
            let name = format!("SimpleHeaderConverter {direction}");
            let case = Case { setup: class(), items };
            all.push(Subject { name, shape, case, reference: Reference::Kafka });
        };
        add("decode", Items::DecodeHeader(payloads));
        add("encode", Items::EncodeHeader(values.into_iter().map(named).collect()));
    }
    let list = |row: usize| format!("[{row}, {}, {}]", row * 3, row * 7).into_bytes();
    let lists = (0..super::data::ROWS).map(|row| ("h".to_owned(), Some(list(row)))).collect();
    let case = Case { setup: class(), items: Items::DecodeHeader(lists) };
    let name = "SimpleHeaderConverter decode".to_owned();
    all.push(Subject { name, shape: "list", case, reference: Reference::Kafka });
}

pub(super) fn setup(class: &str, settings: &[(&str, &str)]) -> Setup {
    Setup {
        class: class.to_owned(),
        settings: settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        is_key: false,
        topic: "topic".to_owned(),
        schemas: Vec::new(),
    }
}
