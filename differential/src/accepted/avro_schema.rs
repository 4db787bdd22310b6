//! What the schemas of Avro in a case look like.

use std::collections::HashMap;

use serde_json::{Map, Value as Json};

use super::Finding;
use crate::case::Answer;

/// Members of a schema whose value is another.
const INNER: [&str; 3] = ["type", "items", "values"];

/// The schema that the payload of `finding` was written with.
pub(super) fn of_payload(finding: &Finding<'_>) -> Option<Json> {
    let head = finding.payload()?.get(1..5)?;
    let id = u32::from_be_bytes(head.try_into().ok()?);
    let at = usize::try_from(id).ok()?.checked_sub(1)?;
    serde_json::from_str(finding.case.setup.schemas.get(at)?).ok()
}

/// The schema under which an answer is bytes.
pub(super) fn of_answer(answer: &Answer) -> Option<Json> {
    match answer {
        Answer::Registered { schema, .. } => serde_json::from_str(schema).ok(),
        _ => None,
    }
}

/// Whether a type that has attributes, within `schema` or itself, fulfils `test`.
pub(super) fn any_type(schema: &Json, test: &mut dyn FnMut(&Map<String, Json>) -> bool) -> bool {
    match schema {
        Json::Array(branches) => branches.iter().any(|branch| any_type(branch, test)),
        Json::Object(members) => test(members) || inner(members).any(|inner| any_type(inner, test)),
        _ => false,
    }
}

/// Whether the kinds of the branches of some union fulfil `test`; arrays that stand for maps are `entries`.
pub(super) fn any_union(schema: &Json, test: &dyn Fn(&[&str]) -> bool) -> bool {
    fn search(schema: &Json, named: &HashMap<String, String>, test: &dyn Fn(&[&str]) -> bool) -> bool {
        match schema {
            Json::Array(branches) => {
                let kinds: Vec<&str> = branches.iter().map(|branch| kind(branch, named)).collect();
                test(&kinds) || branches.iter().any(|branch| search(branch, named, test))
            }
            Json::Object(members) => inner(members).any(|inner| search(inner, named, test)),
            _ => false,
        }
    }
    let mut named = HashMap::new();
    any_type(schema, &mut |members| {
        if let (Some(name), Some(kind)) = (text(members, "name"), text(members, "type")) {
            named.insert(simple(name).to_owned(), kind.to_owned());
        }
        false
    });
    search(schema, &named, test)
}

/// Whether some type is given by its name, and that fulfils `test`.
pub(super) fn any_reference(schema: &Json, test: &dyn Fn(&str) -> bool) -> bool {
    const PRIMITIVE: [&str; 8] = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"];
    match schema {
        Json::String(name) => !PRIMITIVE.contains(&name.as_str()) && test(name),
        Json::Array(branches) => branches.iter().any(|branch| any_reference(branch, test)),
        Json::Object(members) if members.get("type").is_some_and(Json::is_string) => {
            inner(members).filter(|inner| Some(*inner) != members.get("type")).any(|i| any_reference(i, test))
        }
        Json::Object(members) => inner(members).any(|inner| any_reference(inner, test)),
        _ => false,
    }
}

/// The types that a type, or a field, is made of.
fn inner(members: &Map<String, Json>) -> impl Iterator<Item = &Json> {
    let fields = members.get("fields").and_then(Json::as_array).map_or(&[][..], Vec::as_slice);
    let fields = fields.iter().filter_map(|field| field.get("type"));
    INNER.iter().filter_map(|name| members.get(*name)).chain(fields)
}

fn kind<'a>(branch: &'a Json, named: &'a HashMap<String, String>) -> &'a str {
    match branch {
        Json::String(name) => named.get(simple(name)).map_or(name, |kind| kind),
        Json::Object(members) if is_entries(members) => "entries",
        Json::Object(members) => text(members, "type").unwrap_or_default(),
        _ => "",
    }
}

fn is_entries(members: &Map<String, Json>) -> bool {
    members.get("items").and_then(Json::as_object).is_some_and(|item| {
        text(item, "connect.internal.type") == Some("MapEntry")
            || text(item, "name").map(simple) == Some("MapEntry")
    })
}

fn text<'a>(members: &'a Map<String, Json>, name: &str) -> Option<&'a str> {
    members.get(name)?.as_str()
}

fn simple(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unions_and_references_are_found_wherever_they_are() {
        let schema: Json = serde_json::from_str(
            r#"{"type":"record","name":"a.R","fields":[
                {"name":"f","type":{"type":"fixed","name":"F","size":1}},
                {"name":"g","type":{"type":"array","items":["null","a.F",{"type":"array","items":
                    {"type":"record","name":"E","connect.internal.type":"MapEntry","fields":[]}}]}}]}"#,
        )
        .unwrap();
        assert!(any_union(&schema, &|kinds| kinds == ["null", "fixed", "entries"]));
        assert!(any_reference(&schema, &|name| name == "a.F"));
        assert!(!any_reference(&schema, &|name| name != "a.F"));
        assert!(any_type(&schema, &mut |members| members.contains_key("size")));
        assert!(!any_type(&schema, &mut |members| members.contains_key("symbols")));
    }
}
