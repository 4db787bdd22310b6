//! An Avro schema per Connect schema, and what writes with it.

use std::sync::Arc;
use std::task::Poll;

use lakeward_api::schema::Schema;
use lakeward_registry::{RegisteredSchema, Registry, SchemaText, SchemaType};

use super::super::registry_framing;
use super::anything;
use super::fault::{Converted, Fault, framing};
use super::mapping::{Mapping, from_connect};
use super::readers::{Rules, parse_registered, record_name};
use super::schema::{AvroSchema, parse, print};
use super::write::Writer;

/// The writers of one converter; none for schemaless data.
pub(super) type Writers = registry_framing::Writers<AvroSchema, Option<Box<Writer>>, Fault>;
type Made = registry_framing::Made<AvroSchema>;

/// Makes sure that [`Writers::state`] is known for values of `schema` in `topic`.
pub(super) fn poll_ready(
    writers: &mut Writers,
    registry: &mut dyn Registry,
    topic: &str,
    schema: Option<&Arc<Schema>>,
    rules: Rules,
) -> Poll<()> {
    writers.plan(schema, rules.entries_max, || made(schema, rules.mapping)).poll_ready(
        registry,
        topic,
        |name| rules.subjects.of(topic, name).map_err(framing),
        |made, registered| {
            schema.map(|schema| writer(made, registered, schema, rules.mapping).map(Box::new)).transpose()
        },
    )
}

fn made(schema: Option<&Arc<Schema>>, mapping: Mapping) -> Converted<Made> {
    let text_of = |text| SchemaText { kind: SchemaType::Avro, text, references: Vec::new() };
    let Some(schema) = schema else {
        let name = Some("io.confluent.connect.avro.Anything".to_owned());
        return Ok(Made { design: AvroSchema::default(), text: text_of(anything::text()), name });
    };
    let text: Arc<str> = print(&from_connect(schema, mapping)?).into();
    // Two types of one name are one in the text, so values are written by what the text says.
    let avro = parse(&text, std::iter::empty())?;
    Ok(Made { text: text_of(text), name: record_name(&avro), design: avro })
}

fn writer(
    made: &Made,
    registered: &RegisteredSchema,
    schema: &Arc<Schema>,
    mapping: Mapping,
) -> Converted<Writer> {
    if registered.schema.text == made.text.text {
        return Writer::new(&made.design, schema, mapping);
    }
    Writer::new(&parse_registered(registered)?, schema, mapping)
}
