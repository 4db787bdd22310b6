//! What reads the messages of a registered schema.

use std::task::Poll;

use lakeward_registry::{RegisteredSchema, Registry, SchemaType};

use super::super::registry_framing;
use super::descriptor::Pool;
use super::fault::{Converted, Fault, framing, unusable};
use super::mapping::Mapping;
use super::read::Reader;
use super::wire;

/// The readers of one topic by schema id and path.
pub(super) type Readers = registry_framing::Readers<(i32, Box<[u8]>), Box<Reader>, Fault>;
pub(super) type Slot = registry_framing::Slot<Box<Reader>, Fault>;
pub(super) type Rules = registry_framing::Rules<Mapping>;

/// Makes sure that something is known about `id` and `path`.
pub(super) fn poll_slot(
    readers: &mut Readers,
    registry: &mut dyn Registry,
    topic: &str,
    (id, path): (i32, &[u8]),
    rules: Rules,
) -> Poll<()> {
    let name = |registered: &RegisteredSchema| {
        let (pool, message) = find(registered, path)?;
        rules.subjects.of(topic, Some(&pool.messages[message].full_name)).map_err(framing)
    };
    readers.poll_slot(
        (id, path.into()),
        || registry_framing::poll_schema(registry, topic, id, rules.subjects, name),
        |registered| {
            let (pool, message) = find(registered, path)?;
            Reader::new(&pool, message, rules.mapping, registered.version).map(Box::new)
        },
    )
}

/// The types of a registered schema.
pub(super) fn parse_registered(registered: &RegisteredSchema) -> Converted<Pool> {
    if registered.schema.kind != SchemaType::Protobuf {
        return Err(framing(format!(
            "Error retrieving Protobuf schema for id {}: it is of type {}",
            registered.id,
            registered.schema.kind.as_str()
        )));
    }
    Pool::parse(&registered.schema.text, &registered.dependencies)
}

fn find(registered: &RegisteredSchema, path: &[u8]) -> Converted<(Pool, usize)> {
    let pool = parse_registered(registered)?;
    let indexes = wire::indexes(path)?;
    let message = pool.message_at(&indexes);
    let message = message.ok_or_else(|| unusable(format!("Invalid message indexes: {indexes:?}")))?;
    Ok((pool, message))
}
