//! Names of the members and parameters that carry what Connect knows beyond JSON Schema, and the order in
//! which Java writes members.

use serde_json::{Map, Value as Json};

use crate::json_text::hash;

pub(super) const TYPE: &str = "connect.type";
pub(super) const VERSION: &str = "connect.version";
pub(super) const PARAMETERS: &str = "connect.parameters";
pub(super) const INDEX: &str = "connect.index";

/// Parameters of this name are not written.
pub(super) const NAMESPACE: &str = "io.confluent.connect.json";
/// The parameter that names a STRUCT which stands in several places.
pub(super) const ID: &str = "io.confluent.connect.json.Id";
/// The parameter of an enum; those of its symbols start with it and a point.
pub(super) const ENUM: &str = "io.confluent.connect.json.Enum";
/// The name of a union.
pub(super) const ONE_OF: &str = "io.confluent.connect.json.OneOf";
/// Like [`ENUM`], with `generalized.sum.type.support`.
pub(super) const GENERAL_ENUM: &str = "org.apache.kafka.connect.data.Enum";
/// The parameter of a union with `generalized.sum.type.support`.
pub(super) const GENERAL_UNION: &str = "org.apache.kafka.connect.data.Union";
/// Stands for null among the symbols of an enum.
pub(super) const NULL_SYMBOL: &str = "<NULL>";

/// The entries in the order in which Java's `HashMap` holds them.
pub(super) fn in_hash_order<T>(entries: Vec<(String, T)>) -> Vec<(String, T)> {
    let mut order = Vec::with_capacity(entries.len());
    let hash = |at: usize| hash::of_text(&entries[at].0);
    let noted = hash::in_order(entries.len(), hash, |_, at| {
        order.push(at);
        Ok::<(), std::convert::Infallible>(())
    });
    let Ok(()) = noted;
    let mut entries: Vec<Option<(String, T)>> = entries.into_iter().map(Some).collect();
    order.into_iter().filter_map(|at| entries[at].take()).collect()
}

/// The entries in the order of a `HashMap` that is a copy of one with a few of them: its table is smaller.
pub(super) fn in_copied_order<T>(entries: Vec<(String, T)>) -> Vec<(String, T)> {
    let mut entries = in_hash_order(entries);
    let buckets = (entries.len() * 4 / 3 + 1).next_power_of_two();
    let bucket = |name: &str| {
        let hash = hash::of_text(name);
        (hash ^ (hash >> 16)) as usize & (buckets - 1)
    };
    entries.sort_by_key(|(name, _)| bucket(name));
    entries
}

/// The text of a schema: numbers as Java writes them, no white space. Recursion is bounded by the depth of
/// the schema.
pub(super) fn print(json: &Json, out: &mut String) {
    match json {
        Json::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                out.push_str(if at > 0 { "," } else { "" });
                print(item, out);
            }
            out.push(']');
        }
        Json::Number(number) => out.push_str(&number.to_string().to_ascii_uppercase()),
        Json::Object(members) => {
            out.push('{');
            for (at, (name, member)) in members.iter().enumerate() {
                out.push_str(if at > 0 { "," } else { "" });
                quote(name, out);
                out.push(':');
                print(member, out);
            }
            out.push('}');
        }
        Json::Null | Json::Bool(_) => out.push_str(&json.to_string()),
        Json::String(text) => quote(text, out),
    }
}

/// Appends a text in quotes as Jackson writes it: control characters have upper case digits.
fn quote(text: &str, out: &mut String) {
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' => out.extend(['\\', letter]),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            '\0'..' ' => out.push_str(&format!("\\u{:04X}", u32::from(letter))),
            letter => out.push(letter),
        }
    }
    out.push('"');
}

/// An object with its members in the order in which Java's `HashMap` holds them.
pub(super) fn hashed(entries: Vec<(String, Json)>) -> Json {
    Json::Object(in_hash_order(entries).into_iter().collect::<Map<_, _>>())
}
