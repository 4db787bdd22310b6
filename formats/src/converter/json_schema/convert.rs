//! What JSON Schema adds to the converters of a registry.

use std::convert::Infallible;
use std::sync::Arc;

use lakeward_api::ConnectError;
use lakeward_api::batch::Values;
use lakeward_api::config::{ConfigKey, ConfigMap};
use lakeward_api::plugin::ConverterRole;
use lakeward_api::schema::Schema;
use lakeward_registry::{RegisteredSchema, Registry, SchemaText, SchemaType};
use serde_json::Value as Json;

use super::super::json::RegisteredReader;
use super::super::registry_framing::{
    Converted, Fault, Format, Frame, Made, OwnSettings, Payloads, ReadRows, Refused, RegistryConverter,
    Words, WriteRows,
};
use super::JsonSchemaConverterPlugin;
use super::config::{self, Mapping};
use super::document::{Texts, load};
use super::fault::{READING, WRITING, framing, invalid};
use super::from_connect::from_connect;
use super::members::print;
use super::to_connect::ToConnect;
use super::union::is_union;
use super::validation::Validator;
use crate::FormatError;
use crate::json_text::{ColumnText, NullForm, RowText};

/// `io.confluent.connect.json.JsonSchemaConverter` for one side of a task's records.
pub type JsonSchemaConverter = RegistryConverter<JsonSchemaConverterPlugin>;

impl JsonSchemaConverter {
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
        Self::asking::<JsonSchema>(registry, role, settings)
    }
}

/// The format; values are written by their columns alone, and checked afterwards if they are to be.
#[derive(Default)]
pub(super) struct JsonSchema;

impl Format for JsonSchema {
    type Mapping = Mapping;
    type Reader = Box<Reader>;
    type Design = ();
    type Writer = Option<Validator>;
    type Rows<'a> = Rows<'a>;

    const KIND: SchemaType = SchemaType::Json;
    const SCHEMA: &'static str = "JSON schema: ";
    const LATEST: &'static str = "latest version: ";
    const READING: Words = READING;
    const WRITING: Words = WRITING;

    fn keys() -> Vec<ConfigKey> {
        config::keys()
    }

    fn mapping(settings: &OwnSettings) -> Result<Mapping, String> {
        config::mapping(settings)
    }

    fn retrieving(_side: &str, id: &str) -> String {
        format!("Error retrieving JSON schema for id {id}")
    }

    fn framing(message: String) -> Box<Fault> {
        framing(message)
    }

    fn name(registered: &RegisteredSchema, _path: &[u8]) -> Converted<Option<String>> {
        Ok(title(&parse(&registered.schema.text)?))
    }

    fn reader(
        &mut self,
        registered: &RegisteredSchema,
        _path: &[u8],
        mapping: Mapping,
    ) -> Converted<Box<Reader>> {
        let schema = connect_schema(registered, mapping)?;
        let rows = RegisteredReader::new(Arc::new(schema), is_union);
        Ok(Box::new(Reader { rows, validator: validator(registered, mapping)? }))
    }

    fn make(schema: Option<&Arc<Schema>>, mapping: Mapping) -> Converted<Made<()>> {
        let json = from_connect(schema.ok_or_else(schemaless)?, mapping)?;
        let mut text = String::new();
        print(&json, &mut text);
        let text = SchemaText { kind: SchemaType::Json, text: text.into(), references: Vec::new() };
        Ok(Made { design: (), text, name: title(&json) })
    }

    fn writer(
        _made: &Made<()>,
        registered: &RegisteredSchema,
        _schema: Option<&Arc<Schema>>,
        mapping: Mapping,
    ) -> Converted<Option<Validator>> {
        validator(registered, mapping)
    }

    /// Source: `JsonSchemaData#fromConnectData`.
    fn writes_null(schema: &Schema, mapping: Mapping) -> bool {
        schema.optional || (schema.default.is_some() && mapping.form.nulls == NullForm::Default)
    }

    fn bind<'a>(
        _made: &'a Made<()>,
        validator: &'a Option<Validator>,
        values: &'a Values,
        mapping: Mapping,
    ) -> Converted<Rows<'a>> {
        match values {
            Values::Typed { schema, array } => {
                let text = ColumnText::new(schema, array, mapping.form)?;
                Ok(Rows { text, validator: validator.as_ref() })
            }
            _ => Err(schemaless()),
        }
    }
}

/// Reads payloads, checked or not.
pub(super) struct Reader {
    rows: RegisteredReader,
    validator: Option<Validator>,
}

/// Rows to be written, checked or not.
pub(super) struct Rows<'a> {
    text: ColumnText<'a>,
    validator: Option<&'a Validator>,
}

impl ReadRows for Box<Reader> {
    #[inline]
    fn read(&mut self, payload: &[u8]) -> Converted<()> {
        if let Some(validator) = &self.validator {
            validator.check_read(payload)?;
        }
        Ok(self.rows.read(payload)?)
    }

    fn read_all(&mut self, payloads: Payloads<'_>, refused: &mut Refused) {
        if self.validator.is_some() {
            for (at, payload) in payloads.iter().enumerate() {
                if let Err(fault) = self.read(payload) {
                    refused.push(at, fault);
                }
            }
            return;
        }
        self.rows.read_all(payloads.iter(), |at, error| refused.push(at, error.into()));
    }

    fn finish(&mut self) -> Values {
        Values::Typed { schema: Arc::clone(self.rows.schema()), array: self.rows.finish() }
    }
}

impl WriteRows for Rows<'_> {
    fn write_all(self, frame: &mut Frame<'_>) {
        // A union that may not be null and holds nothing is no value.
        match self.text.present() {
            Some(present) => frame.only(&present, |frame| self.write(frame)),
            None => self.write(frame),
        }
    }
}

impl Rows<'_> {
    fn write(self, frame: &mut Frame<'_>) {
        let Self { mut text, validator } = self;
        let valid = frame.valid();
        let mut space = Vec::new();
        let mut first = 0;
        while let Some(slots) = text.slots(first) {
            let rows = slots.rows();
            first = rows.end;
            // What is checked must not stay when it is wrong.
            let is_written = validator.is_none()
                && frame.block(rows.clone(), slots.rooms(), |out, at| text.put(&slots, valid, out, at));
            if !is_written {
                let mut row = rows.start;
                let written = text.each_of(&slots, &mut space, |text| {
                    frame.push(row, |out| append(text, validator, out));
                    row += 1;
                    Ok(())
                });
                let Ok::<(), Infallible>(()) = written;
            }
        }
    }
}

/// Appends `text` when `validator` has nothing against it.
fn append(
    text: Result<RowText<'_>, FormatError>,
    validator: Option<&Validator>,
    out: &mut Vec<u8>,
) -> Converted<()> {
    let start = out.len();
    text?.append_to(out);
    validator.map_or(Ok(()), |validator| validator.check_written(&out[start..]))
}

/// The rules of a registered schema when values are to be checked.
fn validator(registered: &RegisteredSchema, mapping: Mapping) -> Converted<Option<Validator>> {
    mapping.validation.map(|dialects| Validator::new(registered, dialects)).transpose()
}

/// The name that strategies use.
fn title(json: &Json) -> Option<String> {
    json.get("title")?.as_str().map(str::to_owned)
}

/// The Connect schema of a registered one.
///
/// # Errors
/// When it is no JSON Schema or has no Connect form.
pub(super) fn connect_schema(registered: &RegisteredSchema, mapping: Mapping) -> Converted<Schema> {
    let root = parse(&registered.schema.text)?;
    let named = registered.dependencies.iter().map(|(name, text)| Ok((name.clone(), parse(text)?)));
    let named = named.collect::<Converted<Vec<_>>>()?;
    let document = load(&Texts::new(&root, &named))?;
    ToConnect::new(&document, mapping, &key(registered, mapping)).root(registered.version)
}

/// All that decides what the Connect schema is.
fn key(registered: &RegisteredSchema, mapping: Mapping) -> String {
    let Mapping { generalized_sums, flatten_singletons, optional_nonrequired, .. } = mapping;
    let (schema, others) = (&registered.schema, &registered.dependencies);
    let settings = (generalized_sums, flatten_singletons, optional_nonrequired);
    format!("JSON {:?} {settings:?} {} {others:?}", registered.version, schema.text)
}

fn parse(text: &str) -> Converted<Json> {
    serde_json::from_str(text).map_err(invalid)
}

#[cold]
fn schemaless() -> Box<Fault> {
    framing(
        "Values without a schema cannot be written: a JSON Schema is made from a Connect schema. Use a \
         converter that brings schemas along, or JsonConverter with schemas.enable=false."
            .to_owned(),
    )
}
