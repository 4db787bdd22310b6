//! A message per Connect schema, and what stands in front of it.

use std::sync::Arc;
use std::task::Poll;

use lakeward_api::schema::Schema;
use lakeward_registry::{RegisteredSchema, Registry, SchemaText, SchemaType};

use super::super::registry_framing;
use super::descriptor::Pool;
use super::fault::{Converted, Fault, framing};
use super::mapping::{Design, Form, Mapping, from_connect};
use super::readers::{Rules, parse_registered};
use super::wire;

/// The designs of one converter, and the schema id and path in front of every message.
pub(super) type Writers = registry_framing::Writers<Design, Vec<u8>, Fault>;
type Made = registry_framing::Made<Design>;

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
        prefix,
    )
}

fn made(schema: &Schema, mapping: Mapping) -> Converted<Made> {
    let design = from_connect(schema, mapping)?;
    let text = design.text.as_str().into();
    let text = SchemaText { kind: SchemaType::Protobuf, text, references: Vec::new() };
    Ok(Made { text, name: Some(design.full_name.clone()), design })
}

/// What stands in front of every message. The path is that of the registered file, whose messages may come in
/// another order.
fn prefix(made: &Made, registered: &RegisteredSchema) -> Converted<Vec<u8>> {
    let pool = if registered.schema.text == made.text.text {
        Pool::parse(&made.text.text, &[])?
    } else {
        parse_registered(registered)?
    };
    let path = match &made.design.root {
        Form::Logical(_) => vec![0],
        _ => pool.path_of(&made.design.full_name),
    };
    let mut prefix = Vec::new();
    registry_framing::write(registered.id, &mut prefix);
    prefix.extend(wire::path_of(&path));
    Ok(prefix)
}
