//! The texts of a schema and its references, and what a `$ref` names in them.

use serde_json::Value as Json;

use super::super::fault::{Converted, invalid};

/// A schema text and the texts of everything it refers to, parsed.
pub(in super::super) struct Texts<'a> {
    root: &'a Json,
    named: &'a [(String, Json)],
}

impl<'a> Texts<'a> {
    pub(in super::super) fn new(root: &'a Json, named: &'a [(String, Json)]) -> Self {
        Self { root, named }
    }

    /// The schema itself: document 0.
    pub(in super::super) fn root(&self) -> &'a Json {
        self.root
    }

    fn document(&self, text: usize) -> &'a Json {
        if text == 0 { self.root } else { &self.named[text - 1].1 }
    }

    /// What `name` means in document `text`: the document and the schema.
    ///
    /// # Errors
    /// `IllegalArgumentException` when there is no such document or schema.
    pub(in super::super) fn find(&self, text: usize, name: &str) -> Converted<(usize, &'a Json)> {
        let (document, fragment) = name.split_once('#').unwrap_or((name, ""));
        let text = self.named(text, document).ok_or_else(|| missing(name))?;
        let root = self.document(text);
        let found = if fragment.is_empty() {
            Some(root)
        } else if fragment.starts_with('/') {
            pointed(root, fragment)
        } else {
            anchored(root, fragment)
        };
        Ok((text, found.ok_or_else(|| missing(name))?))
    }

    /// The document that `name` means in document `text`: itself, a reference by its name, or a reference
    /// whose name relative to the schema's `$id` is meant.
    fn named(&self, text: usize, name: &str) -> Option<usize> {
        let id = |text: usize| self.document(text).get("$id").and_then(Json::as_str);
        if name.is_empty() || id(text).is_some_and(|id| id.trim_end_matches('#') == name) {
            return Some(text);
        }
        let base = [id(text), id(0)].into_iter().flatten().filter_map(|id| id.rsplit_once('/'));
        let bases: Vec<&str> = base.map(|(base, _)| base).collect();
        let is_meant = |known: &str| {
            let relative = name.strip_prefix("./").unwrap_or(name);
            known == name
                || known.strip_prefix("./").unwrap_or(known) == relative
                || bases.iter().any(|base| joins(base, known, name) || joins(base, name, known))
        };
        let at = self.named.iter().position(|(known, _)| is_meant(known));
        let by_id = || (0..=self.named.len()).find(|&text| id(text) == Some(name));
        at.map(|at| at + 1).or_else(by_id)
    }
}

/// Whether `relative` within `base` is `whole`.
fn joins(base: &str, relative: &str, whole: &str) -> bool {
    whole.strip_prefix(base).and_then(|rest| rest.strip_prefix('/')) == Some(relative)
}

/// The schema at a JSON pointer. Definitions are found under both of their names.
fn pointed<'a>(root: &'a Json, pointer: &str) -> Option<&'a Json> {
    let pointer = percent_decoded(pointer);
    let old_name = || root.pointer(&format!("/definitions{}", pointer.strip_prefix("/$defs")?));
    root.pointer(&pointer).or_else(old_name)
}

/// The schema whose `$id` is `#name` or whose `$anchor` is `name`.
fn anchored<'a>(root: &'a Json, name: &str) -> Option<&'a Json> {
    let mut open = vec![root];
    while let Some(json) = open.pop() {
        match json {
            Json::Object(members) => {
                let text = |key: &str| members.get(key).and_then(Json::as_str);
                let by_id = text("$id").or_else(|| text("id")).and_then(|id| id.strip_prefix('#'));
                if by_id == Some(name) || text("$anchor") == Some(name) {
                    return Some(json);
                }
                open.extend(members.values());
            }
            Json::Array(items) => open.extend(items),
            _ => {}
        }
    }
    None
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let digit = |at: usize| after.get(at).and_then(|byte| char::from(*byte).to_digit(16));
        match (first, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push(u8::try_from(high * 16 + low).unwrap_or_default());
                rest = &after[2..];
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn missing(name: &str) -> Box<super::super::fault::Fault> {
    invalid(format!("\"$ref\":\"{name}\" names nothing that is registered"))
}
