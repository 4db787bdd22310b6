//! What Protobuf adds to the converters of a registry.

use std::sync::Arc;

use lakeward_api::ConnectError;
use lakeward_api::batch::Values;
use lakeward_api::config::{ConfigKey, ConfigMap};
use lakeward_api::plugin::ConverterRole;
use lakeward_api::schema::Schema;
use lakeward_registry::{RegisteredSchema, Registry, SchemaText, SchemaType};

use super::super::registry_framing::{
    Converted, Fault, Format, Frame, Made, OwnSettings, ReadRows, RegistryConverter, Words, WriteRows,
};
use super::ProtobufConverterPlugin;
use super::config;
use super::descriptor::Pool;
use super::fault::{READING, WRITING, unusable};
use super::mapping::{Design, Form, Mapping, from_connect};
use super::read::Reader;
use super::wire;
use super::write::Writer;

/// `io.confluent.connect.protobuf.ProtobufConverter` for one side of a task's records.
pub type ProtobufConverter = RegistryConverter<ProtobufConverterPlugin>;

impl ProtobufConverter {
    /// A converter for `role` with `settings` (prefix cut off) that asks `registry` instead of the registry
    /// that the settings name.
    ///
    /// # Errors
    /// `Config` when a setting is wrong.
    pub fn over(
        registry: Box<dyn Registry>,
        role: ConverterRole,
        settings: &ConfigMap,
    ) -> Result<Self, ConnectError> {
        Self::asking::<Protobuf>(registry, role, settings)
    }
}

/// The format.
#[derive(Default)]
pub(super) struct Protobuf;

impl Format for Protobuf {
    type Mapping = Mapping;
    type Reader = Box<Reader>;
    type Design = Design;
    /// The path of the message type in the registered file, as it is written.
    type Writer = Vec<u8>;
    type Rows<'a> = Writer<'a>;

    const KIND: SchemaType = SchemaType::Protobuf;
    const SCHEMA: &'static str = "Protobuf schema: ";
    const LATEST: &'static str = "latest version: ";
    const READING: Words = READING;
    const WRITING: Words = WRITING;

    fn keys() -> Vec<ConfigKey> {
        config::keys()
    }

    fn mapping(settings: &OwnSettings) -> Result<Mapping, String> {
        Ok(config::mapping(settings))
    }

    fn retrieving(_side: &str, id: &str) -> String {
        format!("Error retrieving Protobuf schema for id {id}")
    }

    #[inline]
    fn split(rest: &[u8]) -> Converted<(&[u8], &[u8])> {
        wire::split(rest)
    }

    fn name(registered: &RegisteredSchema, path: &[u8]) -> Converted<Option<String>> {
        let (pool, message) = find(registered, path)?;
        Ok(Some(pool.messages[message].full_name.clone()))
    }

    fn reader(
        &mut self,
        registered: &RegisteredSchema,
        path: &[u8],
        mapping: Mapping,
    ) -> Converted<Box<Reader>> {
        let (pool, message) = find(registered, path)?;
        Reader::new(&pool, message, mapping, registered.version).map(Box::new)
    }

    /// The type of that name in the latest schema, else its first one.
    fn resolver(
        &mut self,
        written: &RegisteredSchema,
        path: &[u8],
        latest: &RegisteredSchema,
        mapping: Mapping,
    ) -> Converted<Box<Reader>> {
        let (pool, message) = find(written, path)?;
        let name = &pool.messages[message].full_name;
        let pool = parse_registered(latest)?;
        let message = pool
            .message_at(&pool.path_of(name))
            .filter(|found| pool.messages[*found].full_name == *name)
            .or_else(|| pool.message_at(&[0]))
            .ok_or_else(|| unusable(format!("Could not find descriptor with name {name}")))?;
        Reader::new(&pool, message, mapping, latest.version).map(Box::new)
    }

    fn make(schema: Option<&Arc<Schema>>, mapping: Mapping) -> Converted<Made<Design>> {
        let design = from_connect(schema.ok_or_else(schemaless)?, mapping)?;
        let text = design.text.as_str().into();
        let text = SchemaText { kind: SchemaType::Protobuf, text, references: Vec::new() };
        Ok(Made { text, name: Some(design.full_name.clone()), design })
    }

    /// The path is that of the registered file, whose messages may come in another order.
    fn writer(
        made: &Made<Design>,
        registered: &RegisteredSchema,
        _schema: Option<&Arc<Schema>>,
        _mapping: Mapping,
    ) -> Converted<Vec<u8>> {
        let pool = if registered.schema.text == made.text.text {
            Pool::parse(&made.text.text, &[])?
        } else {
            parse_registered(registered)?
        };
        let path = match &made.design.root {
            Form::Logical(_) => vec![0],
            _ => pool.path_of(&made.design.full_name),
        };
        Ok(wire::path_of(&path))
    }

    fn path(writer: &Vec<u8>) -> &[u8] {
        writer
    }

    fn bind<'a>(
        made: &'a Made<Design>,
        _writer: &'a Vec<u8>,
        values: &'a Values,
        _mapping: Mapping,
    ) -> Converted<Writer<'a>> {
        match values {
            Values::Typed { array, .. } => Writer::new(&made.design.root, array),
            _ => Err(schemaless()),
        }
    }
}

impl ReadRows for Box<Reader> {
    #[inline]
    fn read(&mut self, payload: &[u8]) -> Converted<()> {
        Reader::read(self, payload)
    }

    fn finish(&mut self) -> Values {
        Values::Typed { schema: Arc::clone(&self.schema), array: Reader::finish(self) }
    }
}

impl WriteRows for Writer<'_> {
    fn write_all(self, frame: &mut Frame<'_>) {
        Writer::write_all(&self, frame);
    }
}

/// The types of a registered schema.
fn parse_registered(registered: &RegisteredSchema) -> Converted<Pool> {
    Pool::parse(&registered.schema.text, &registered.dependencies)
}

fn find(registered: &RegisteredSchema, path: &[u8]) -> Converted<(Pool, usize)> {
    let pool = parse_registered(registered)?;
    let indexes = wire::indexes(path)?;
    let message = pool.message_at(&indexes);
    let message = message.ok_or_else(|| unusable(format!("Invalid message indexes: {indexes:?}")))?;
    Ok((pool, message))
}

/// Java's converter asks the absent schema for its name.
#[cold]
fn schemaless() -> Box<Fault> {
    Box::new(Fault::Bare {
        class: "java.lang.NullPointerException",
        message: "A value without a schema cannot be written as Protobuf".to_owned(),
    })
}
