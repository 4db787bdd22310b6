//! What reads the payloads of a registered schema.

use std::sync::Arc;
use std::task::Poll;

use lakeward_api::schema::Schema;
use lakeward_registry::{RegisteredSchema, Registry, SchemaType};
use serde_json::Value as Json;

use super::super::json::RegisteredReader;
use super::super::registry_framing;
use super::config::{Mapping, Rules};
use super::document::{Texts, load};
use super::fault::{Converted, Fault, framing, invalid};
use super::to_connect::ToConnect;
use super::union::is_union;

/// The readers of one topic by schema id.
pub(super) type Readers = registry_framing::Readers<i32, Box<RegisteredReader>, Fault>;
pub(super) type Slot = registry_framing::Slot<Box<RegisteredReader>, Fault>;

/// Makes sure that something is known about `id`.
pub(super) fn poll_slot(
    readers: &mut Readers,
    registry: &mut dyn Registry,
    topic: &str,
    id: i32,
    rules: Rules,
) -> Poll<()> {
    let name = |registered: &RegisteredSchema| {
        let json = parse(&registered.schema.text)?;
        rules.subjects.of(topic, title(&json)).map_err(framing)
    };
    readers.poll_slot(
        id,
        || registry_framing::poll_schema(registry, topic, id, rules.subjects, name),
        |registered| {
            let schema = connect_schema(registered, rules.mapping)?;
            Ok(Box::new(RegisteredReader::new(Arc::new(schema), is_union)))
        },
    )
}

/// The name that strategies use.
pub(super) fn title(json: &Json) -> Option<&str> {
    json.get("title")?.as_str()
}

/// The Connect schema of a registered one.
///
/// # Errors
/// When it is no JSON Schema or has no Connect form.
pub(super) fn connect_schema(registered: &RegisteredSchema, mapping: Mapping) -> Converted<Schema> {
    if registered.schema.kind != SchemaType::Json {
        return Err(framing(format!(
            "Error retrieving JSON schema for id {}: it is of type {}",
            registered.id,
            registered.schema.kind.as_str()
        )));
    }
    let root = parse(&registered.schema.text)?;
    let named = registered.dependencies.iter().map(|(name, text)| Ok((name.clone(), parse(text)?)));
    let named = named.collect::<Converted<Vec<_>>>()?;
    let document = load(&Texts::new(&root, &named))?;
    ToConnect::new(&document, mapping).root(registered.version)
}

fn parse(text: &str) -> Converted<Json> {
    serde_json::from_str(text).map_err(invalid)
}
