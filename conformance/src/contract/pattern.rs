//! Patterns of JSON values, themselves written as JSON.
//!
//! | pattern | fits |
//! |---|---|
//! | `"<any>"`, `"<string>"`, `"<int>"`, `"<bool>"` | a value of that kind |
//! | `"<absent>"` as a member | an object without that member |
//! | a string with `<*>` in it | any text in that place |
//! | `{…}` | the same members, in any order |
//! | `{"...": 0, …}` | further members may be there |
//! | `{"<ordered>": 0, …}` | the members are in this order |
//! | `["...", p, …]` | an array with a fitting element for every `p` |
//! | `["<all>", p]` | an array that is not empty and whose elements all fit `p` |
//! | anything else | itself |

use serde_json::{Map, Value};

const OPEN: &str = "...";
const ORDERED: &str = "<ordered>";
const ALL: &str = "<all>";
const ABSENT: &str = "<absent>";

/// Where and how `actual` does not fit `pattern`; `None` when it fits.
pub fn mismatch(pattern: &Value, actual: &Value) -> Option<String> {
    at("", pattern, actual)
}

fn at(path: &str, pattern: &Value, actual: &Value) -> Option<String> {
    let fits = match (pattern, actual) {
        (Value::String(pattern), actual) => fits_text(pattern, actual),
        (Value::Object(pattern), Value::Object(actual)) => return in_object(path, pattern, actual),
        (Value::Array(pattern), Value::Array(actual)) => return in_array(path, pattern, actual),
        (pattern, actual) => pattern == actual,
    };
    (!fits).then(|| format!("{}: expected {pattern}, found {}", place(path), shortened(actual)))
}

fn fits_text(pattern: &str, actual: &Value) -> bool {
    match (pattern, actual) {
        ("<any>", _) | ("<string>", Value::String(_)) | ("<bool>", Value::Bool(_)) => true,
        ("<int>", Value::Number(number)) => number.is_i64(),
        (pattern, Value::String(text)) => fits_glob(pattern, text),
        _ => false,
    }
}

/// True when `text` is `pattern` with something for every `<*>`.
pub fn fits_glob(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split("<*>");
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut pieces = pieces.peekable();
    if pieces.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(piece) = pieces.next() {
        if pieces.peek().is_none() {
            return rest.ends_with(piece);
        }
        let Some((_, behind)) = rest.split_once(piece) else { return false };
        rest = behind;
    }
    true
}

fn in_object(path: &str, pattern: &Map<String, Value>, actual: &Map<String, Value>) -> Option<String> {
    let members = pattern.iter().filter(|(name, _)| *name != OPEN && *name != ORDERED);
    for (name, expected) in members.clone() {
        let below = format!("{path}/{name}");
        match actual.get(name) {
            _ if expected == ABSENT => {
                if let Some(found) = actual.get(name) {
                    return Some(format!("{below}: expected no such member, found {}", shortened(found)));
                }
            }
            None => return Some(format!("{below}: missing in {}", shortened(&Value::from(actual.clone())))),
            Some(found) => {
                if let Some(difference) = at(&below, expected, found) {
                    return Some(difference);
                }
            }
        }
    }
    let unexpected = actual.keys().find(|name| !pattern.contains_key(*name));
    if let Some(name) = unexpected.filter(|_| !pattern.contains_key(OPEN)) {
        return Some(format!("{path}/{name}: not expected, found {}", shortened(&actual[name])));
    }
    let wanted: Vec<&String> =
        members.map(|(name, _)| name).filter(|name| actual.contains_key(*name)).collect();
    let found: Vec<&String> = actual.keys().filter(|name| pattern.contains_key(*name)).collect();
    let is_wrong = pattern.contains_key(ORDERED) && wanted != found;
    is_wrong.then(|| format!("{}: expected the order {wanted:?}, found {found:?}", place(path)))
}

fn in_array(path: &str, pattern: &[Value], actual: &[Value]) -> Option<String> {
    match pattern.split_first() {
        Some((first, wanted)) if first == OPEN => {
            let missing =
                wanted.iter().find(|one| actual.iter().all(|element| at("", one, element).is_some()));
            missing.map(|one| {
                let seen = shortened(&Value::from(actual.to_vec()));
                format!("{}: no element fits {one} in {seen}", place(path))
            })
        }
        Some((first, wanted)) if first == ALL => match actual {
            [] => Some(format!("{}: expected elements, found none", place(path))),
            elements => each(path, wanted.iter().cycle(), elements),
        },
        _ if pattern.len() != actual.len() => {
            let (wanted, seen) = (pattern.len(), shortened(&Value::from(actual.to_vec())));
            Some(format!("{}: expected {wanted} elements, found {}: {seen}", place(path), actual.len()))
        }
        _ => each(path, pattern.iter(), actual),
    }
}

fn each<'a>(path: &str, patterns: impl Iterator<Item = &'a Value>, actual: &[Value]) -> Option<String> {
    let pairs = patterns.zip(actual).enumerate();
    pairs.into_iter().find_map(|(index, (pattern, element))| at(&format!("{path}/{index}"), pattern, element))
}

fn place(path: &str) -> &str {
    if path.is_empty() { "the value" } else { path }
}

/// Long answers hide what matters.
const SHOWN_CHARS: usize = 300;

fn shortened(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= SHOWN_CHARS {
        return text;
    }
    text.chars().take(SHOWN_CHARS).chain("…".chars()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_fits_has_no_mismatch() {
        let actual = json!({"a": 1, "b": ["x", "y-7"], "c": null});
        for pattern in [
            json!("<any>"),
            json!({"a": "<int>", "b": "<any>", "c": null}),
            json!({"...": 0, "d": "<absent>"}),
            json!({"<ordered>": 0, "...": 0, "a": 1, "c": null}),
            json!({"...": 0, "b": ["...", "y-<*>"]}),
            json!({"...": 0, "b": ["<all>", "<string>"]}),
        ] {
            assert_eq!(mismatch(&pattern, &actual), None, "{pattern}");
        }
    }

    #[test]
    fn what_does_not_fit_is_told_with_its_place() {
        let actual = json!({"a": 1, "b": ["x", "y-7"], "c": null});
        for (pattern, place) in [
            (json!({"...": 0, "a": "1"}), "/a: "),
            (json!({"a": 1, "b": "<any>"}), "/c: not expected"),
            (json!({"...": 0, "d": "<any>"}), "/d: missing"),
            (json!({"...": 0, "a": "<absent>"}), "/a: expected no such member"),
            (json!({"<ordered>": 0, "...": 0, "c": null, "a": 1}), "the value: expected the order"),
            (json!({"...": 0, "b": ["...", "z"]}), "/b: no element fits"),
            (json!({"...": 0, "b": ["x"]}), "/b: expected 1 elements"),
            (json!({"...": 0, "b": ["<all>", "x"]}), "/b/1: "),
        ] {
            let found = mismatch(&pattern, &actual).expect("it does not fit");
            assert!(found.starts_with(place), "{pattern}: {found}");
        }
    }

    #[test]
    fn globs_take_any_text() {
        assert!(fits_glob("a<*>c", "abbc") && fits_glob("<*>b<*>", "abc") && fits_glob("abc", "abc"));
        assert!(!fits_glob("a<*>c", "abd") && !fits_glob("a", "ab") && !fits_glob("a<*>b<*>c", "axc"));
    }
}
