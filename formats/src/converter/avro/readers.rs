//! What reads the payloads of a registered schema.

use std::sync::Arc;
use std::task::Poll;

use lakeward_registry::{RegisteredSchema, Registry, SchemaType};

use super::super::registry_framing;
use super::anything::is_anything;
use super::fault::{Converted, Fault, framing};
use super::mapping::{Mapping, ToConnect};
use super::read::Reader;
use super::schema::{AvroSchema, Shape, parse};

/// The readers of one topic by schema id.
pub(super) type Readers = registry_framing::Readers<i32, Form, Fault>;
pub(super) type Slot = registry_framing::Slot<Form, Fault>;
pub(super) type Rules = registry_framing::Rules<Mapping>;

/// How payloads are read.
pub(super) enum Form {
    /// The schema of schemaless data.
    Anything,
    Reader(Box<Reader>),
}

/// Makes sure that something is known about `id`; `unions` counts generalised unions.
pub(super) fn poll_slot(
    readers: &mut Readers,
    registry: &mut dyn Registry,
    topic: &str,
    id: i32,
    rules: Rules,
    unions: &mut u32,
) -> Poll<()> {
    let name = |registered: &RegisteredSchema| {
        let name = record_name(&parse_registered(registered)?);
        rules.subjects.of(topic, name.as_deref()).map_err(framing)
    };
    readers.poll_slot(
        id,
        || registry_framing::poll_schema(registry, topic, id, rules.subjects, name),
        |registered| form(registered, rules.mapping, unions),
    )
}

fn form(registered: &RegisteredSchema, mapping: Mapping, unions: &mut u32) -> Converted<Form> {
    let avro = parse_registered(registered)?;
    if is_anything(&avro) {
        return Ok(Form::Anything);
    }
    let schema = ToConnect::new(&avro, mapping, unions).schema(registered.version)?;
    Ok(Form::Reader(Box::new(Reader::new(&avro, Arc::new(schema), mapping)?)))
}

/// The full name that strategies use: of a record, enum or fixed.
pub(super) fn record_name(avro: &AvroSchema) -> Option<String> {
    let root = avro.root_type();
    match (&root.shape, &root.name) {
        (Shape::Union(_), _) => None,
        (_, Some(name)) => Some(name.full()),
        (_, None) => None,
    }
}

/// The types of a registered schema.
pub(super) fn parse_registered(registered: &RegisteredSchema) -> Converted<AvroSchema> {
    if registered.schema.kind != SchemaType::Avro {
        return Err(framing(format!(
            "Error retrieving Avro schema for id {}: it is of type {}",
            registered.id,
            registered.schema.kind.as_str()
        )));
    }
    parse(&registered.schema.text, registered.dependencies.iter().map(|(_, text)| &**text))
}
