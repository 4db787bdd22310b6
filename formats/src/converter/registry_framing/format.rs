//! What a format adds to the machinery that all converters of a registry share.

use std::sync::Arc;

use lakeward_api::batch::Values;
use lakeward_api::config::ConfigKey;
use lakeward_api::schema::Schema;
use lakeward_registry::{RegisteredSchema, SchemaType};

use super::config::OwnSettings;
use super::fault::{Converted, Fault, Words};
use super::frame::Frame;
use super::wire::Payloads;
use super::writers::Made;

/// A format of a registry's payloads. The value itself is what one converter keeps besides its readers and
/// writers.
pub(in super::super) trait Format: Default + 'static {
    /// How schemas are mapped, as the settings say.
    type Mapping: Copy;
    /// Reads the payloads of one schema.
    type Reader: ReadRows;
    /// What is made of a Connect schema.
    type Design;
    /// What is made of a design and the registered schema.
    type Writer;
    /// A writer, bound to the values of a batch.
    type Rows<'a>: WriteRows;

    /// The language of its schemas.
    const KIND: SchemaType;
    /// `Avro schema`, with what stands between it and the text of a schema.
    const SCHEMA: &'static str;
    /// The same of the latest version.
    const LATEST: &'static str;
    /// How it words that reading failed.
    const READING: Words;
    /// How it words that writing failed.
    const WRITING: Words;

    /// The keys that no other format has.
    fn keys() -> Vec<ConfigKey>;

    /// How schemas are mapped.
    ///
    /// # Errors
    /// The problem with a setting that is not honoured, with the remedy.
    fn mapping(settings: &OwnSettings) -> Result<Self::Mapping, String>;

    /// `Error retrieving … schema for id 7`; `side` is `key` or `value`.
    fn retrieving(side: &str, id: &str) -> String;

    /// The same where the version that payloads are read as cannot be had.
    fn resolving(side: &str, id: &str) -> String {
        Self::retrieving(side, id)
    }

    /// What is wrong with the bytes around a value.
    fn framing(message: String) -> Box<Fault> {
        Box::new(Fault::Serialization(message))
    }

    /// The path of the value's type within its schema and the value, of what follows the schema id.
    ///
    /// # Errors
    /// For paths that are broken.
    #[inline]
    fn split(rest: &[u8]) -> Converted<(&[u8], &[u8])> {
        Ok((&[], rest))
    }

    /// The name that subject strategies use, of the type at `path`.
    ///
    /// # Errors
    /// When the text is no schema.
    fn name(registered: &RegisteredSchema, path: &[u8]) -> Converted<Option<String>>;

    /// A reader of values of the type at `path`.
    ///
    /// # Errors
    /// When the text is no schema or has no Connect form.
    fn reader(
        &mut self,
        registered: &RegisteredSchema,
        path: &[u8],
        mapping: Self::Mapping,
    ) -> Converted<Self::Reader>;

    /// A reader of values that were `written` with the type at `path`, as values of the schema `latest`: in
    /// most formats they are read as if they had been written with it.
    ///
    /// # Errors
    /// When one of the texts is no schema, or `latest` has no Connect form.
    fn resolver(
        &mut self,
        _written: &RegisteredSchema,
        path: &[u8],
        latest: &RegisteredSchema,
        mapping: Self::Mapping,
    ) -> Converted<Self::Reader> {
        self.reader(latest, path, mapping)
    }

    /// The schema of values of `schema`; `None` is schemaless.
    ///
    /// # Errors
    /// When there is none.
    fn make(schema: Option<&Arc<Schema>>, mapping: Self::Mapping) -> Converted<Made<Self::Design>>;

    /// What writes values of `schema` with the registered schema.
    ///
    /// # Errors
    /// When the registered schema is none for such values.
    fn writer(
        made: &Made<Self::Design>,
        registered: &RegisteredSchema,
        schema: Option<&Arc<Schema>>,
        mapping: Self::Mapping,
    ) -> Converted<Self::Writer>;

    /// What stands between the schema id and every value.
    fn path(_writer: &Self::Writer) -> &[u8] {
        &[]
    }

    /// Whether null under `schema` is written as a value; otherwise it is Kafka's null.
    fn writes_null(_schema: &Schema, _mapping: Self::Mapping) -> bool {
        false
    }

    /// Binds a writer to `values`.
    ///
    /// # Errors
    /// When none of the values can be written.
    fn bind<'a>(
        made: &'a Made<Self::Design>,
        writer: &'a Self::Writer,
        values: &'a Values,
        mapping: Self::Mapping,
    ) -> Converted<Self::Rows<'a>>;
}

/// Reads payloads of one schema.
pub(in super::super) trait ReadRows {
    /// Appends the value of `payload`.
    ///
    /// # Errors
    /// When it has none; no row is left behind.
    fn read(&mut self, payload: &[u8]) -> Converted<()>;

    /// Appends the values of `payloads`. Those that have none leave no row behind and are `refused`, in
    /// order.
    #[inline]
    fn read_all(&mut self, payloads: Payloads<'_>, refused: &mut Refused) {
        for (at, payload) in payloads.iter().enumerate() {
            if let Err(fault) = self.read(payload) {
                refused.push(at, fault);
            }
        }
    }

    /// Takes the rows read so far.
    fn finish(&mut self) -> Values;
}

/// Payloads that have no value, and why: their number among the payloads at hand, ascending.
#[derive(Default)]
pub(in super::super) struct Refused(pub(super) Vec<(usize, Box<Fault>)>);

impl Refused {
    /// Adds payload number `at`, which comes after all those before.
    #[cold]
    pub(in super::super) fn push(&mut self, at: usize, fault: Box<Fault>) {
        self.0.push((at, fault));
    }
}

/// Writes the rows of a batch.
pub(in super::super) trait WriteRows {
    /// Writes all rows, in order, by [`Frame::each`] or [`Frame::push`].
    fn write_all(self, frame: &mut Frame<'_>);
}
