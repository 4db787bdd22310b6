//! A JSON Schema per Connect schema.

use std::sync::Arc;
use std::task::Poll;

use lakeward_api::schema::Schema;
use lakeward_registry::{Registry, SchemaText, SchemaType};

use super::super::registry_framing;
use super::config::{Mapping, Rules};
use super::fault::{Converted, Fault, framing};
use super::from_connect::from_connect;
use super::members::print;
use super::readers::title;

/// The schemas of one converter; values are written by their columns alone.
pub(super) type Writers = registry_framing::Writers<(), (), Fault>;
type Made = registry_framing::Made<()>;

/// Makes sure that [`Writers::state`] is known for values of `schema` in `topic`.
pub(super) fn poll_ready(
    writers: &mut Writers,
    registry: &mut dyn Registry,
    topic: &str,
    schema: &Arc<Schema>,
    rules: Rules,
) -> Poll<()> {
    writers.plan(Some(schema), rules.entries_max, || made(schema, rules.mapping)).poll_ready(
        registry,
        topic,
        |name| rules.subjects.of(topic, name).map_err(framing),
        |_, _| Ok(()),
    )
}

fn made(schema: &Schema, mapping: Mapping) -> Converted<Made> {
    let json = from_connect(schema, mapping)?;
    let mut text = String::new();
    print(&json, &mut text);
    let text = SchemaText { kind: SchemaType::Json, text: text.into(), references: Vec::new() };
    Ok(Made { design: (), text, name: title(&json).map(str::to_owned) })
}
