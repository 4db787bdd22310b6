//! Whether documents of one JSON Schema are valid under another, decided by the shape of the two texts.

use serde_json::{Map, Value};

const MAX_DIFFERENCES: usize = 20;
/// Comparisons after which two schemas are called too large to compare.
const MAX_STEPS: usize = 100_000;

/// Keywords that describe and do not constrain.
const ANNOTATIONS: [&str; 9] =
    ["title", "description", "default", "examples", "$comment", "$id", "$schema", "readOnly", "writeOnly"];
/// Keywords that the walk below judges by itself.
const STRUCTURE: [&str; 9] = [
    "type",
    "enum",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "oneOf",
    "anyOf",
    "definitions",
];

/// Why a document of `writer` may be invalid under `reader`; empty when every one is valid.
pub(crate) fn differences(reader: &str, writer: &str) -> Vec<String> {
    let (Ok(reader), Ok(writer)) = (serde_json::from_str(reader), serde_json::from_str(writer)) else {
        return vec!["one of the schemas is not JSON".to_owned()];
    };
    let mut check = Check { found: Vec::new(), steps: 0 };
    check.compare(&reader, &writer, "#");
    if check.steps > MAX_STEPS {
        check.found.push("the schemas are too large to compare".to_owned());
    }
    check.found
}

struct Check {
    found: Vec<String>,
    steps: usize,
}

impl Check {
    fn report(&mut self, kind: &str, path: &str) {
        if self.found.len() < MAX_DIFFERENCES {
            self.found.push(format!("{{errorType:'{kind}', description:'at path '{path}''}}"));
        }
    }

    fn compare(&mut self, new: &Value, old: &Value, path: &str) {
        self.steps += 1;
        if new == old || self.steps > MAX_STEPS || is_any(new) || *old == Value::Bool(false) {
            return;
        }
        let (Value::Object(new), Value::Object(old)) = (new, old) else {
            return self.report("TYPE_NARROWED", path);
        };
        self.types(new, old, path);
        self.enumeration(new, old, path);
        self.properties(new, old, path);
        self.additional(new, old, path);
        self.alternatives(new, old, path);
        if let Some(items) = new.get("items") {
            self.compare(items, old.get("items").unwrap_or(&Value::Bool(true)), &format!("{path}/items"));
        }
        for definitions in ["definitions", "$defs"] {
            let (Some(new), Some(old)) = (members(new, definitions), members(old, definitions)) else {
                continue;
            };
            for (name, schema) in new {
                if let Some(before) = old.get(name) {
                    self.compare(schema, before, &format!("{path}/{definitions}/{name}"));
                }
            }
        }
        self.other_keywords(new, old, path);
    }

    fn types(&mut self, new: &Map<String, Value>, old: &Map<String, Value>, path: &str) {
        let Some(allowed) = new.get("type").map(names) else { return };
        let fits = |name: &str| allowed.contains(&name) || (name == "integer" && allowed.contains(&"number"));
        match old.get("type").map(names) {
            Some(before) if before.iter().all(|name| fits(name)) => {}
            Some(_) => self.report("TYPE_CHANGED", path),
            None if old.contains_key("oneOf") || old.contains_key("anyOf") || old.contains_key("enum") => {
                self.report("TYPE_CHANGED", path);
            }
            None => self.report("TYPE_NARROWED", path),
        }
    }

    fn enumeration(&mut self, new: &Map<String, Value>, old: &Map<String, Value>, path: &str) {
        let Some(Value::Array(allowed)) = new.get("enum") else { return };
        match old.get("enum") {
            Some(Value::Array(before)) if before.iter().all(|value| allowed.contains(value)) => {}
            _ => self.report("ENUM_ARRAY_NARROWED", path),
        }
    }

    fn properties(&mut self, new: &Map<String, Value>, old: &Map<String, Value>, path: &str) {
        let none = Map::new();
        let (now, before) =
            (members(new, "properties").unwrap_or(&none), members(old, "properties").unwrap_or(&none));
        for (name, schema) in now {
            let path = format!("{path}/properties/{name}");
            match (before.get(name), old.get("additionalProperties")) {
                (Some(before), _) => self.compare(schema, before, &path),
                (None, Some(Value::Bool(false))) => {}
                (None, Some(Value::Object(extra))) => {
                    self.compare(schema, &Value::Object(extra.clone()), &path);
                }
                // An open model may hold documents with this very name and another type.
                (None, _) if is_any(schema) => {}
                (None, _) => self.report("PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL", &path),
            }
        }
        for (name, schema) in before.iter().filter(|(name, _)| !now.contains_key(*name)) {
            let path = format!("{path}/properties/{name}");
            match new.get("additionalProperties") {
                Some(Value::Bool(false)) => self.report("PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL", &path),
                Some(extra @ Value::Object(_)) => self.compare(extra, schema, &path),
                _ => {}
            }
        }
        let required = new.get("required").map(names).unwrap_or_default();
        let demanded = old.get("required").map(names).unwrap_or_default();
        for name in required.iter().filter(|name| !demanded.contains(name)) {
            if now.get(*name).is_none_or(|schema| schema.get("default").is_none()) {
                self.report("REQUIRED_ATTRIBUTE_ADDED", &format!("{path}/required/{name}"));
            }
        }
    }

    fn additional(&mut self, new: &Map<String, Value>, old: &Map<String, Value>, path: &str) {
        let open = Value::Bool(true);
        let (now, before) = (
            new.get("additionalProperties").unwrap_or(&open),
            old.get("additionalProperties").unwrap_or(&open),
        );
        if now == &Value::Bool(false) && before != now {
            return self.report("ADDITIONAL_PROPERTIES_REMOVED", path);
        }
        self.compare(now, before, &format!("{path}/additionalProperties"));
    }

    /// `oneOf` and `anyOf`: every old branch must fit a new one.
    fn alternatives(&mut self, new: &Map<String, Value>, old: &Map<String, Value>, path: &str) {
        for keyword in ["oneOf", "anyOf"] {
            let Some(Value::Array(now)) = new.get(keyword) else { continue };
            let whole = [Value::Object(old.clone())];
            let before = match old.get(keyword) {
                Some(Value::Array(before)) => before.as_slice(),
                _ => &whole,
            };
            for (at, branch) in before.iter().enumerate() {
                let fits = now.iter().any(|candidate| {
                    let mut inner = Check { found: Vec::new(), steps: self.steps };
                    inner.compare(candidate, branch, path);
                    self.steps = inner.steps;
                    inner.found.is_empty()
                });
                if !fits {
                    self.report("SUM_TYPE_NARROWED", &format!("{path}/{keyword}/{at}"));
                }
            }
        }
    }

    fn other_keywords(&mut self, new: &Map<String, Value>, old: &Map<String, Value>, path: &str) {
        for (keyword, value) in new {
            let known = ANNOTATIONS.contains(&keyword.as_str())
                || STRUCTURE.contains(&keyword.as_str())
                || keyword == "$defs"
                || keyword.starts_with("connect.");
            if known || old.get(keyword) == Some(value) || widened(keyword, value, old.get(keyword)) {
                continue;
            }
            if self.found.len() < MAX_DIFFERENCES {
                self.found.push(format!(
                    "the change of \"{keyword}\" at path '{path}' cannot be judged by this registry; it \
                     compares types, enums, properties, items and bounds"
                ));
            }
        }
    }
}

/// True when the bound `keyword` lets at least as much through as before.
fn widened(keyword: &str, now: &Value, before: Option<&Value>) -> bool {
    let (Some(now), Some(before)) = (now.as_f64(), before.and_then(Value::as_f64)) else { return false };
    match keyword {
        "minimum" | "exclusiveMinimum" | "minLength" | "minItems" | "minProperties" => now <= before,
        "maximum" | "exclusiveMaximum" | "maxLength" | "maxItems" | "maxProperties" => now >= before,
        _ => false,
    }
}

fn is_any(schema: &Value) -> bool {
    match schema {
        Value::Bool(allows) => *allows,
        Value::Object(members) => members.keys().all(|name| ANNOTATIONS.contains(&name.as_str())),
        _ => false,
    }
}

fn members<'a>(schema: &'a Map<String, Value>, name: &str) -> Option<&'a Map<String, Value>> {
    schema.get(name).and_then(Value::as_object)
}

fn names(value: &Value) -> Vec<&str> {
    match value {
        Value::String(name) => vec![name],
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::differences;

    fn compatible(new: &str, old: &str) -> bool {
        differences(new, old).is_empty()
    }

    fn closed(properties: &str, rest: &str) -> String {
        format!(r#"{{"type":"object","properties":{{{properties}}},"additionalProperties":false{rest}}}"#)
    }

    #[test]
    fn properties_may_be_added_to_closed_models_only() {
        let one = closed(r#""a":{"type":"string"}"#, "");
        let two = closed(r#""a":{"type":"string"},"b":{"type":"integer"}"#, "");
        assert!(compatible(&two, &one));
        assert!(!compatible(&one, &two));
        let demanding = closed(r#""a":{"type":"string"},"b":{"type":"integer"}"#, r#","required":["b"]"#);
        assert!(!compatible(&demanding, &one));
        assert!(compatible(&two, &demanding));
        let open = r#"{"type":"object","properties":{"a":{"type":"string"}}}"#;
        let wider = r#"{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"integer"}}}"#;
        assert!(!compatible(wider, open));
        assert!(compatible(open, wider));
    }

    #[test]
    fn types_enums_and_bounds_may_widen() {
        assert!(compatible(r#"{"type":"number"}"#, r#"{"type":"integer"}"#));
        assert!(!compatible(r#"{"type":"integer"}"#, r#"{"type":"number"}"#));
        assert!(compatible(r#"{"type":["string","null"]}"#, r#"{"type":"string"}"#));
        assert!(compatible(r#"{"enum":["a","b"]}"#, r#"{"enum":["a"]}"#));
        assert!(!compatible(r#"{"enum":["a"]}"#, r#"{"enum":["a","b"]}"#));
        assert!(compatible(r#"{"maximum":9}"#, r#"{"maximum":8}"#));
        assert!(!compatible(r#"{"maximum":7}"#, r#"{"maximum":8}"#));
        assert!(compatible(r#"{"oneOf":[{"type":"null"},{"type":"string"}]}"#, r#"{"type":"string"}"#));
        assert!(!compatible(r#"{"oneOf":[{"type":"null"}]}"#, r#"{"type":"string"}"#));
    }

    #[test]
    fn unknown_changes_are_not_waved_through() {
        let found = differences(r#"{"pattern":"a+"}"#, r#"{"pattern":"a*"}"#);
        assert!(found[0].contains("cannot be judged"), "{found:?}");
        assert!(compatible(r#"{"title":"x"}"#, r#"{"title":"y"}"#));
    }
}
