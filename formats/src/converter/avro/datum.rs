//! Avro without a registry: the schema and the values of one Connect schema, for files.
//!
//! Source: `AvroData#fromConnectSchema`, `#fromConnectData` with an `AvroDataConfig` of a sink.

use std::sync::Arc;

use arrow_array::Array;
use lakeward_api::ConnectError;
use lakeward_api::batch::Values;
use lakeward_api::schema::{Kind, Schema};

use super::anything;
use super::fault::{Converted, WRITING, data};
use super::mapping::{Mapping, fixed_size, from_connect, is_enum, is_union};
use super::schema::{parse, print};
use super::write::Writer;

/// The settings of a sink that change its Avro schemas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DatumOptions {
    /// `enhanced.avro.schema.support`.
    pub(crate) enhanced: bool,
    /// `connect.meta.data`.
    pub(crate) meta_data: bool,
    /// `allow.optional.map.keys`.
    pub(crate) optional_map_keys: bool,
}

impl From<DatumOptions> for Mapping {
    fn from(options: DatumOptions) -> Self {
        let DatumOptions { enhanced, meta_data, optional_map_keys } = options;
        Self { enhanced, meta_data, optional_map_keys, ..Self::default() }
    }
}

/// A type of Avro that Connect knows by parameters only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AvroOnly {
    /// STRING that is an enum.
    Enum,
    /// BYTES of this many bytes.
    Fixed(usize),
    /// STRUCT with a field per branch.
    Union,
}

impl AvroOnly {
    /// What `schema` stands for.
    pub(crate) fn of(schema: &Schema, options: DatumOptions) -> Option<Self> {
        match schema.kind {
            Kind::String => (options.enhanced && is_enum(schema)).then_some(Self::Enum),
            Kind::Struct(_) => is_union(schema).then_some(Self::Union),
            _ => fixed_size(schema)?.parse().ok().map(Self::Fixed),
        }
    }
}

/// Whether MAPs with such keys are Avro maps; others are arrays of entries.
pub(crate) fn is_avro_map(key: &Schema, options: DatumOptions) -> bool {
    Mapping::from(options).is_avro_map(key)
}

/// The Avro schema of `schema` as its JSON text; `None` is schemaless.
///
/// # Errors
/// `Record` when it has none.
pub(crate) fn schema_text(
    schema: Option<&Arc<Schema>>,
    options: DatumOptions,
) -> Result<Arc<str>, ConnectError> {
    text(schema, options.into()).map_err(|fault| fault.while_writing(WRITING, NO_TOPIC))
}

fn text(schema: Option<&Arc<Schema>>, mapping: Mapping) -> Converted<Arc<str>> {
    match schema {
        None => Ok(anything::text()),
        Some(schema) => Ok(print(&from_connect(schema, mapping)?).into()),
    }
}

/// Writes values of one Connect schema.
pub(crate) struct DatumWriter {
    text: Arc<str>,
    /// None for schemaless data.
    writer: Option<Writer>,
}

impl DatumWriter {
    /// A writer of values of `schema`; `None` is schemaless.
    ///
    /// # Errors
    /// `Record` when the schema has no Avro form.
    pub(crate) fn new(schema: Option<&Arc<Schema>>, options: DatumOptions) -> Result<Self, ConnectError> {
        let make = || {
            let text = text(schema, options.into())?;
            let writer = match schema {
                None => None,
                // Two types of one name are one in the text, so values are written by what the text says.
                Some(schema) => {
                    let avro = parse(&text, std::iter::empty())?;
                    Some(Writer::new(&avro, schema, options.into())?)
                }
            };
            Ok(Self { text, writer })
        };
        make().map_err(|fault: Box<super::fault::Fault>| fault.while_writing(WRITING, NO_TOPIC))
    }

    /// The Avro schema as its JSON text.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Appends the rows of `values` to `out` and where each of them ends to `ends`. On an error both have no
    /// meaning.
    ///
    /// # Errors
    /// `Record` when a row has no Avro form.
    pub(crate) fn write(
        &self,
        values: &Values,
        out: &mut Vec<u8>,
        ends: &mut Vec<usize>,
    ) -> Result<(), ConnectError> {
        let written = match (values, &self.writer) {
            (Values::Typed { array, .. }, Some(writer)) => {
                let bound = writer.bind(array);
                (0..array.len()).try_for_each(|row| {
                    writer.write_datum(&bound, row, out)?;
                    ends.push(out.len());
                    Ok(())
                })
            }
            (values, None) if values.schema().is_none() => {
                let rows = values.dynamic().unwrap_or_default();
                rows.iter().try_for_each(|value| {
                    anything::write(value, out)?;
                    ends.push(out.len());
                    Ok(())
                })
            }
            _ => Err(data("Rows with a schema and rows without one cannot be in one file")),
        };
        written.map_err(|fault| fault.while_writing(WRITING, NO_TOPIC))
    }
}

/// Files know no topic.
const NO_TOPIC: &str = "";
