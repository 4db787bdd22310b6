//! What counts as a difference, and of which kind.

use serde_json::Value as Json;

use crate::case::{Answer, Failure};
use crate::model::{Header, Record, Typed, Value, same_schemas};

/// What two answers disagree about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Our side panicked, lost a row, or has no such class.
    Broken,
    /// Written bytes.
    Bytes,
    /// The class of the exception.
    Class,
    /// Headers of a record.
    Headers,
    /// The message of the exception.
    Message,
    /// Written bytes that differ only in the order of members.
    Order,
    /// One fails and the other does not, or drops it, or refuses the settings.
    Outcome,
    /// Topic, partition or timestamp of a record.
    Routing,
    /// Schemas.
    Schema,
    /// Values of equal schemas.
    Value,
}

/// What the answers disagree about first; `None` when they agree.
pub(crate) fn difference(java: &Answer, ours: &Answer) -> Option<Kind> {
    match (java, ours) {
        (_, Answer::Broken(_)) => Some(Kind::Broken),
        (Answer::Bytes(java), Answer::Bytes(ours)) => bytes(java.as_deref(), ours.as_deref()),
        (Answer::Dropped, Answer::Dropped) => None,
        (Answer::Failed(java), Answer::Failed(ours))
        | (Answer::NotConfigured(java), Answer::NotConfigured(ours)) => failures(java, ours),
        (Answer::Record(java), Answer::Record(ours)) => records(java, ours),
        (
            Answer::Registered { schema: java_schema, body: java },
            Answer::Registered { schema: our_schema, body: ours },
        ) if same_schema_texts(java_schema, our_schema) => bodies(java, ours),
        (Answer::Registered { .. }, Answer::Registered { .. }) => Some(Kind::Schema),
        (Answer::Truth(java), Answer::Truth(ours)) => (java != ours).then_some(Kind::Value),
        (Answer::Typed(java), Answer::Typed(ours)) => typed(java, ours),
        _ => Some(Kind::Outcome),
    }
}

fn failures(java: &Failure, ours: &Failure) -> Option<Kind> {
    if java.class != ours.class {
        Some(Kind::Class)
    } else if java.message.as_deref().unwrap_or_default() != ours.message.as_deref().unwrap_or_default() {
        Some(Kind::Message)
    } else {
        None
    }
}

fn typed(java: &Typed, ours: &Typed) -> Option<Kind> {
    if !same_schemas(java.schema.as_ref(), ours.schema.as_ref()) {
        Some(Kind::Schema)
    } else if !java.value.same(&ours.value) {
        Some(Kind::Value)
    } else {
        None
    }
}

fn records(java: &Record, ours: &Record) -> Option<Kind> {
    let routing = |record: &Record| {
        (record.topic.clone(), record.partition, record.timestamp_ms, record.timestamp_type, record.offset)
    };
    if routing(java) != routing(ours) {
        return Some(Kind::Routing);
    }
    let same_header =
        |(one, two): (&Header, &Header)| one.name == two.name && typed(&one.value, &two.value).is_none();
    let same_headers =
        java.headers.len() == ours.headers.len() && java.headers.iter().zip(&ours.headers).all(same_header);
    if !same_headers {
        return Some(Kind::Headers);
    }
    typed(&java.key, &ours.key).or_else(|| typed(&java.value, &ours.value))
}

fn bytes(java: Option<&[u8]>, ours: Option<&[u8]>) -> Option<Kind> {
    if java == ours {
        return None;
    }
    let same_pieces = java.map(pieces) == ours.map(pieces);
    // Texts in quotes may hold the marks between pieces.
    if same_pieces || java.map(sorted) == ours.map(sorted) { Some(Kind::Order) } else { Some(Kind::Bytes) }
}

/// Whether two schemas say the same: numbers, escapes and the order of members may be written differently.
fn same_schema_texts(java: &str, ours: &str) -> bool {
    let json = |text: &str| serde_json::from_str::<Json>(text);
    java == ours || matches!((json(java), json(ours)), (Ok(java), Ok(ours)) if same_json(&java, &ours))
}

/// Whether two JSON values are equal as far as they say the same.
pub(crate) fn same_json(java: &Json, ours: &Json) -> bool {
    match (java, ours) {
        (Json::Array(java), Json::Array(ours)) => {
            java.len() == ours.len() && java.iter().zip(ours).all(|(java, ours)| same_json(java, ours))
        }
        (Json::Object(java), Json::Object(ours)) => {
            let same = |(name, java)| ours.get(name).is_some_and(|ours| same_json(java, ours));
            java.len() == ours.len() && java.iter().all(same)
        }
        // The texts of a whole number are all the same; those of others are not.
        (Json::Number(java), Json::Number(ours)) => {
            // A JDK before 19 writes some floats with more digits than it takes to read them back.
            let float = |number: &serde_json::Number| number.as_f64().map(|number| number as f32);
            java == ours || (java.is_f64() && ours.is_f64() && float(java) == float(ours))
        }
        _ => java == ours,
    }
}

/// What two bodies under one schema disagree about: `Order` when they have the same bytes in another order.
fn bodies(java: &[u8], ours: &[u8]) -> Option<Kind> {
    match () {
        () if java == ours => None,
        () if sorted(java) == sorted(ours) => Some(Kind::Order),
        () => Some(Kind::Bytes),
    }
}

fn sorted(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes.sort_unstable();
    bytes
}

/// The members and elements of a JSON text in sorted order: equal for texts that differ only in their order.
fn pieces(text: &[u8]) -> Vec<Vec<u8>> {
    let mut pieces = vec![Vec::new()];
    let (mut in_text, mut escaped) = (false, false);
    for byte in text {
        let is_mark = !in_text && b"{}[],".contains(byte);
        in_text ^= *byte == b'"' && !escaped;
        escaped = in_text && *byte == b'\\' && !escaped;
        if is_mark {
            pieces.push(vec![*byte]);
            pieces.push(Vec::new());
        } else if let Some(last) = pieces.last_mut() {
            last.push(*byte);
        }
    }
    pieces.sort();
    pieces
}

/// True when `value` or something in it fulfils `test`.
pub(crate) fn contains(value: &Value, test: &impl Fn(&Value) -> bool) -> bool {
    test(value)
        || match value {
            Value::List(items) | Value::Struct(items) => items.iter().any(|item| contains(item, test)),
            Value::Map(entries) => {
                entries.iter().any(|(key, value)| contains(key, test) || contains(value, test))
            }
            _ => false,
        }
}
