//! The text under which a registry keeps an Avro schema: compact, members in Java's order.
//!
//! Source: `Schema#toString` of Avro 1.12; with normalisation other properties are sorted.

use serde_json::{Map, Value};

use super::{Primitive, full_name};

/// Members that Java writes itself, in its order; everything else follows as properties.
const RECORD: [&str; 6] = ["type", "name", "namespace", "doc", "fields", "aliases"];
const ENUM: [&str; 7] = ["type", "name", "namespace", "doc", "symbols", "default", "aliases"];
const FIXED: [&str; 6] = ["type", "name", "namespace", "doc", "size", "aliases"];
const FIELD: [&str; 6] = ["name", "type", "doc", "default", "order", "aliases"];

/// The canonical text of a schema that parses; `sorted` also orders properties by name.
pub(crate) fn canonical(text: &str, sorted: bool) -> String {
    match serde_json::from_str::<Value>(text) {
        Ok(value) => schema(&value, "", sorted).to_string(),
        Err(_) => Value::String(text.trim().to_owned()).to_string(),
    }
}

fn schema(value: &Value, namespace: &str, sorted: bool) -> Value {
    match value {
        Value::String(name) => {
            let inside = name.strip_prefix(namespace).and_then(|rest| rest.strip_prefix('.'));
            let simple = inside.filter(|simple| !namespace.is_empty() && !simple.contains('.'));
            Value::String(simple.unwrap_or(name).to_owned())
        }
        Value::Array(branches) => branches.iter().map(|branch| schema(branch, namespace, sorted)).collect(),
        Value::Object(members) => object(members, namespace, sorted),
        other => other.clone(),
    }
}

fn object(members: &Map<String, Value>, namespace: &str, sorted: bool) -> Value {
    let kind = members.get("type");
    let Some(Value::String(kind)) = kind else {
        return kind.map_or(Value::Null, |kind| schema(kind, namespace, sorted));
    };
    match kind.as_str() {
        "array" => container(members, "items", namespace, sorted),
        "map" => container(members, "values", namespace, sorted),
        "record" | "error" => named(members, &RECORD, namespace, sorted),
        "enum" => named(members, &ENUM, namespace, sorted),
        "fixed" => named(members, &FIXED, namespace, sorted),
        name if members.len() == 1 || Primitive::from_name(name).is_none() => {
            schema(&Value::String(name.to_owned()), namespace, sorted)
        }
        _ => Value::Object(with_properties(Map::new(), members, &[], sorted)),
    }
}

fn container(members: &Map<String, Value>, content: &str, namespace: &str, sorted: bool) -> Value {
    let mut out = Map::new();
    out.insert("type".to_owned(), members["type"].clone());
    if let Some(inner) = members.get(content) {
        out.insert(content.to_owned(), schema(inner, namespace, sorted));
    }
    Value::Object(with_properties(out, members, &["type", content], sorted))
}

fn named(members: &Map<String, Value>, order: &[&str], enclosing: &str, sorted: bool) -> Value {
    let text = |name: &str| members.get(name).and_then(Value::as_str);
    let full = full_name(text("name").unwrap_or_default(), text("namespace").unwrap_or(enclosing));
    let (namespace, simple) = full.rsplit_once('.').unwrap_or(("", &full));
    let mut out = Map::new();
    for name in order {
        let value = match *name {
            "name" => Some(Value::String(simple.to_owned())),
            "namespace" => (namespace != enclosing).then(|| Value::String(namespace.to_owned())),
            "fields" => members
                .get("fields")
                .and_then(Value::as_array)
                .map(|fields| fields.iter().map(|one| field(one, namespace, sorted)).collect::<Value>()),
            // Aliases in the own namespace lose it.
            "aliases" => members.get("aliases").map(|aliases| schema(aliases, namespace, sorted)),
            other => members.get(other).cloned(),
        };
        if let Some(value) = value {
            out.insert((*name).to_owned(), value);
        }
    }
    Value::Object(with_properties(out, members, order, sorted))
}

fn field(value: &Value, namespace: &str, sorted: bool) -> Value {
    let Value::Object(members) = value else { return value.clone() };
    let mut out = Map::new();
    for name in FIELD {
        match members.get(name) {
            Some(kind) if name == "type" => {
                out.insert(name.to_owned(), schema(kind, namespace, sorted));
            }
            // Ascending is the default and not written.
            Some(Value::String(order)) if name == "order" && order == "ascending" => {}
            Some(other) => {
                out.insert(name.to_owned(), other.clone());
            }
            None => {}
        }
    }
    Value::Object(with_properties(out, members, &FIELD, sorted))
}

fn with_properties(
    mut out: Map<String, Value>,
    members: &Map<String, Value>,
    known: &[&str],
    sorted: bool,
) -> Map<String, Value> {
    let mut rest: Vec<_> = members.iter().filter(|(name, _)| !known.contains(&name.as_str())).collect();
    if sorted {
        rest.sort_by_key(|(name, _)| (*name != "type", *name));
    }
    out.extend(rest.into_iter().map(|(name, value)| (name.clone(), value.clone())));
    out
}

#[cfg(test)]
mod tests {
    use super::canonical;

    #[test]
    fn spelling_does_not_matter() {
        assert_eq!(canonical(r#"{ "type" : "string" }"#, false), r#""string""#);
        assert_eq!(canonical("string", false), r#""string""#);
        let text = r#"{"fields":[{"type":{"type":"a.B"},"name":"x","order":"ascending"}],
            "name":"a.R","type":"record"}"#;
        let expected = r#"{"type":"record","name":"R","namespace":"a","fields":[{"name":"x","type":"B"}]}"#;
        assert_eq!(canonical(text, false), expected);
    }

    #[test]
    fn aliases_in_the_own_namespace_lose_it() {
        let text = r#"{"type":"fixed","name":"E","namespace":"y","size":2,"aliases":["y.B","x.B"]}"#;
        let expected = text.replace("y.B", "B");
        assert_eq!(canonical(text, false), expected);
    }

    #[test]
    fn normalising_sorts_properties() {
        let text = r#"{"type":"bytes","z":1,"logicalType":"decimal"}"#;
        assert_eq!(canonical(text, false), text);
        assert_eq!(canonical(text, true), r#"{"type":"bytes","logicalType":"decimal","z":1}"#);
    }
}
