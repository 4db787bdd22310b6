//! What Avro adds to the converters of a registry.

use std::borrow::Cow;
use std::sync::Arc;

use lakeward_api::ConnectError;
use lakeward_api::batch::Values;
use lakeward_api::config::{ConfigKey, ConfigMap};
use lakeward_api::plugin::ConverterRole;
use lakeward_api::schema::Schema;
use lakeward_api::value::Value;
use lakeward_registry::{RegisteredSchema, Registry, SchemaText, SchemaType};

use super::super::registry_framing::{
    Converted, Fault, Format, Frame, Made, OwnSettings, Payloads, ReadRows, Refused, RegistryConverter,
    Words, WriteRows,
};
use super::AvroConverterPlugin;
use super::anything::{self, is_anything};
use super::config;
use super::fault::{READING, WRITING};
use super::mapping::{Mapping, ToConnect, from_connect};
use super::read::{BLOCK_ROWS, Cursor, Outcome, Reader, space};
use super::resolve::{Parsed, Resolver};
use super::schema::{AvroSchema, Shape, parse, print};
use super::write::{Bound, Writer};

/// `io.confluent.connect.avro.AvroConverter` for one side of a task's records.
pub type AvroConverter = RegistryConverter<AvroConverterPlugin>;

impl AvroConverter {
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
        Self::asking::<Avro>(registry, role, settings)
    }
}

/// The format.
#[derive(Default)]
pub(super) struct Avro {
    /// Generalised unions named so far.
    unions: u32,
}

impl Format for Avro {
    type Mapping = Mapping;
    type Reader = Rows;
    type Design = AvroSchema;
    /// None for schemaless data.
    type Writer = Option<Box<Writer>>;
    type Rows<'a> = Cells<'a>;

    const KIND: SchemaType = SchemaType::Avro;
    const SCHEMA: &'static str = "Avro schema";
    const LATEST: &'static str = "latest version of Avro schema";
    const READING: Words = READING;
    const WRITING: Words = WRITING;

    fn keys() -> Vec<ConfigKey> {
        config::keys()
    }

    fn mapping(settings: &OwnSettings) -> Result<Mapping, String> {
        Ok(config::mapping(settings))
    }

    fn retrieving(side: &str, id: &str) -> String {
        format!("Error retrieving Avro {side} schema for id {id}")
    }

    fn resolving(_side: &str, id: &str) -> String {
        format!("{} for id {id}", READING.one)
    }

    fn name(registered: &RegisteredSchema, _path: &[u8]) -> Converted<Option<String>> {
        Ok(record_name(&parse_registered(registered)?))
    }

    fn reader(&mut self, registered: &RegisteredSchema, _path: &[u8], mapping: Mapping) -> Converted<Rows> {
        let avro = parse_registered(registered)?;
        if is_anything(&avro) {
            return Ok(Rows::Anything(Vec::new()));
        }
        let schema = ToConnect::new(&avro, mapping, &mut self.unions).schema(registered.version)?;
        Ok(Rows::Typed(Box::new(Reader::new(&avro, Arc::new(schema), mapping)?)))
    }

    /// The version is that of the schema that values were written with, as in Java.
    fn resolver(
        &mut self,
        written: &RegisteredSchema,
        path: &[u8],
        latest: &RegisteredSchema,
        mapping: Mapping,
    ) -> Converted<Rows> {
        let texts: Vec<&str> = latest.dependencies.iter().map(|(_, text)| &**text).collect();
        let texts = [texts.as_slice(), &[&latest.schema.text]].concat();
        let parsed = Parsed { schema: &parse_registered(latest)?, texts: &texts };
        let resolver = Resolver::new(&parse_registered(written)?, &parsed)?;
        let read_as = RegisteredSchema { version: written.version, ..latest.clone() };
        Ok(Rows::Resolved(Box::new(resolver), Box::new(self.reader(&read_as, path, mapping)?)))
    }

    fn make(schema: Option<&Arc<Schema>>, mapping: Mapping) -> Converted<Made<AvroSchema>> {
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
        made: &Made<AvroSchema>,
        registered: &RegisteredSchema,
        schema: Option<&Arc<Schema>>,
        mapping: Mapping,
    ) -> Converted<Option<Box<Writer>>> {
        let Some(schema) = schema else { return Ok(None) };
        let writer = if registered.schema.text == made.text.text {
            Writer::new(&made.design, schema, mapping)
        } else {
            Writer::new(&parse_registered(registered)?, schema, mapping)
        };
        Ok(Some(Box::new(writer?)))
    }

    fn bind<'a>(
        _made: &'a Made<AvroSchema>,
        writer: &'a Option<Box<Writer>>,
        values: &'a Values,
        _mapping: Mapping,
    ) -> Converted<Cells<'a>> {
        match (values, writer) {
            (Values::Typed { array, .. }, Some(writer)) => Ok(Cells::Typed(writer, writer.bind(array))),
            (values, _) => Ok(Cells::Anything(values.dynamic().unwrap_or_default())),
        }
    }
}

/// Reads payloads of one schema.
pub(super) enum Rows {
    /// Schemaless data, as far as it was read.
    Anything(Vec<Value>),
    /// Payloads of another schema.
    Resolved(Box<Resolver>, Box<Rows>),
    Typed(Box<Reader>),
}

impl ReadRows for Rows {
    #[inline]
    fn read(&mut self, payload: &[u8]) -> Converted<()> {
        match self {
            Self::Anything(values) => values.push(anything::read(&mut Cursor::new(payload))?),
            Self::Resolved(resolver, rows) => rows.read(resolver.resolve(payload)?)?,
            Self::Typed(reader) => {
                if reader.read(payload)? == Outcome::Null {
                    return Err(root_null());
                }
            }
        }
        Ok(())
    }

    fn read_all(&mut self, payloads: Payloads<'_>, refused: &mut Refused) {
        let mut space = space();
        let mut block = [&[][..]; BLOCK_ROWS];
        let mut start = 0;
        while start < payloads.len() {
            let count = payloads.block(start, &mut block);
            let read = match self {
                Self::Anything(_) | Self::Resolved(..) => 0,
                Self::Typed(reader) => reader.read_block(&mut space, &block[..count]),
            };
            if read == 0 {
                for (at, payload) in (start..).zip(&block[..count]) {
                    if let Err(fault) = self.read(payload) {
                        refused.push(at, fault);
                    }
                }
            }
            start += if read == 0 { count } else { read };
        }
    }

    fn finish(&mut self) -> Values {
        match self {
            Self::Anything(values) => Values::Dynamic(std::mem::take(values)),
            Self::Resolved(_, rows) => rows.finish(),
            Self::Typed(reader) => {
                Values::Typed { schema: Arc::clone(&reader.schema), array: reader.finish() }
            }
        }
    }
}

/// The rows of a batch and what writes them.
pub(super) enum Cells<'a> {
    Anything(Cow<'a, [Value]>),
    Typed(&'a Writer, Bound<'a>),
}

impl WriteRows for Cells<'_> {
    fn write_all(self, frame: &mut Frame<'_>) {
        match self {
            Self::Anything(values) => frame.each(|row, out| anything::write(&values[row], out)),
            Self::Typed(writer, bound) => writer.write_all(&bound, frame),
        }
    }
}

/// The full name that strategies use: of a record, enum or fixed.
fn record_name(avro: &AvroSchema) -> Option<String> {
    let root = avro.root_type();
    match (&root.shape, &root.name) {
        (Shape::Union(_), _) => None,
        (_, Some(name)) => Some(name.full()),
        (_, None) => None,
    }
}

/// The types of a registered schema.
fn parse_registered(registered: &RegisteredSchema) -> Converted<AvroSchema> {
    parse(&registered.schema.text, registered.dependencies.iter().map(|(_, text)| &**text))
}

/// Java's converter answers nothing at all for such a record, which ends the task whatever it tolerates.
#[cold]
fn root_null() -> Box<Fault> {
    Box::new(Fault::Fatal {
        class: "java.lang.NullPointerException",
        message: "A payload is null under a nullable Avro type; AvroConverter has no value for that. Write \
                  Kafka's own null instead."
            .to_owned(),
    })
}
