//! `GET /connectors`: names, or everything about all connectors at once.
//!
//! Served from what was read, without asking the herder. With thousands of connectors the answer is megabytes
//! that dashboards ask for every few seconds: it is put together from texts that are kept, a slice of
//! connectors at a time, so that short answers are not kept waiting and no answer needs memory of its own.
//!
//! Source: `ConnectorsResource#listConnectors`, Kafka 4.1, which looks at one connector after the other, too.

use std::sync::Arc;

use bytes::Bytes;
use http::StatusCode;
use lakeward_controlplane_core::java_json;

use super::answer::{self, Answer};
use super::route::Query;
use crate::herder::Herder;
use crate::herder::fragments::{Part, SLICE};

/// The part that `expand` asks for; others are ignored.
fn parse(text: &str) -> Option<Part> {
    match text {
        "info" => Some(Part::Info),
        "status" => Some(Part::Status),
        _ => None,
    }
}

/// The name of a part's member, up to its value.
fn member(part: Part) -> &'static str {
    match part {
        Part::Info => "\"info\":",
        Part::Status => "\"status\":",
    }
}

/// All connectors.
pub(super) async fn connectors(herder: &Herder, query: &Query) -> Answer {
    if query.all("expand").next().is_none() {
        let text = herder.view().config(|state| {
            let names: Vec<&str> = state.connectors().map(|name| &**name).collect();
            java_json::to_text(&names)
        });
        return answer::json_text(StatusCode::OK, text);
    }
    let mut parts = Vec::new();
    for part in query.all("expand").filter_map(parse) {
        if !parts.contains(&part) {
            parts.push(part);
        }
    }
    let names: Vec<Arc<str>> = herder.view().config(|state| state.connectors().cloned().collect());
    let mut list = List::default();
    for slice in names.chunks(SLICE) {
        let texts = herder.fragments().of(herder.registry(), herder.view(), slice, &parts);
        for (name, texts) in slice.iter().zip(texts) {
            // A connector that has no status yet is left out whole, and so is one that was deleted meanwhile.
            if let Some(texts) = texts {
                list.push(name, &parts, texts);
            }
        }
        tokio::task::yield_now().await;
    }
    herder.fragments().retain(&names);
    answer::json_pieces(StatusCode::OK, list.finish())
}

/// The object under construction.
#[derive(Default)]
struct List(Vec<Bytes>);

impl List {
    fn push(&mut self, name: &str, parts: &[Part], texts: Vec<Bytes>) {
        let opening = if self.0.is_empty() { '{' } else { ',' };
        self.0.push(Bytes::from(format!("{opening}{}:{{", java_json::to_text(&name))));
        for (number, (part, text)) in parts.iter().zip(texts).enumerate() {
            if number > 0 {
                self.0.push(Bytes::from_static(b","));
            }
            self.0.push(Bytes::from_static(member(*part).as_bytes()));
            self.0.push(text);
        }
        self.0.push(Bytes::from_static(b"}"));
    }

    fn finish(mut self) -> Vec<Bytes> {
        let end: &[u8] = if self.0.is_empty() { b"{}" } else { b"}" };
        self.0.push(Bytes::from_static(end));
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(list: List) -> String {
        String::from_utf8(list.finish().concat()).unwrap()
    }

    #[test]
    fn lists_are_objects_whatever_is_in_them() {
        assert_eq!(text(List::default()), "{}");
        let mut list = List::default();
        list.push("a\"b", &[], Vec::new());
        list.push("c", &[Part::Status, Part::Info], vec![Bytes::from("1"), Bytes::from("2")]);
        list.push("d", &[Part::Info], vec![Bytes::from("3")]);
        assert_eq!(text(list), r#"{"a\"b":{},"c":{"status":1,"info":2},"d":{"info":3}}"#);
    }
}
