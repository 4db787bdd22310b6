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
    Converted, Fault, Format, Frame, Made, OwnSettings, ReadRows, RegistryConverter, Words, WriteRows,
};
use super::JsonSchemaConverterPlugin;
use super::config::{self, Mapping};
use super::document::{Texts, load};
use super::fault::{READING, WRITING, framing, invalid};
use super::from_connect::from_connect;
use super::members::print;
use super::to_connect::ToConnect;
use super::union::is_union;
use crate::json_text::{ColumnText, NullForm};

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

/// The format; values are written by their columns alone.
#[derive(Default)]
pub(super) struct JsonSchema;

impl Format for JsonSchema {
    type Mapping = Mapping;
    type Reader = Box<RegisteredReader>;
    type Design = ();
    type Writer = ();
    type Rows<'a> = ColumnText<'a>;

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
    ) -> Converted<Box<RegisteredReader>> {
        let schema = connect_schema(registered, mapping)?;
        Ok(Box::new(RegisteredReader::new(Arc::new(schema), is_union)))
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
        _registered: &RegisteredSchema,
        _schema: Option<&Arc<Schema>>,
        _mapping: Mapping,
    ) -> Converted<()> {
        Ok(())
    }

    /// Source: `JsonSchemaData#fromConnectData`.
    fn writes_null(schema: &Schema, mapping: Mapping) -> bool {
        schema.optional || (schema.default.is_some() && mapping.form.nulls == NullForm::Default)
    }

    fn bind<'a>(
        _made: &'a Made<()>,
        (): &'a (),
        values: &'a Values,
        mapping: Mapping,
    ) -> Converted<ColumnText<'a>> {
        match values {
            Values::Typed { schema, array } => Ok(ColumnText::new(schema, array, mapping.form)?),
            _ => Err(schemaless()),
        }
    }
}

impl ReadRows for Box<RegisteredReader> {
    #[inline]
    fn read(&mut self, payload: &[u8]) -> Converted<()> {
        Ok(RegisteredReader::read(self, payload)?)
    }

    fn finish(&mut self) -> Values {
        Values::Typed { schema: Arc::clone(self.schema()), array: RegisteredReader::finish(self) }
    }
}

impl WriteRows for ColumnText<'_> {
    fn write_all(self, frame: &mut Frame<'_>) {
        let mut row = 0;
        let written: Result<(), Infallible> = self.each(|text| {
            frame.push(row, |out| {
                text?.append_to(out);
                Ok(())
            });
            row += 1;
            Ok(())
        });
        let Ok(()) = written;
    }
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
    ToConnect::new(&document, mapping).root(registered.version)
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
