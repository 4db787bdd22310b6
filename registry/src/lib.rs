//! Schema Registry: what converters ask of it, and the client that asks over HTTP.
//!
//! Converters live on a shard and never wait: every question answers `Poll`. `Pending` means that a request
//! is in flight on the bridge and that the task's waker will be called; then the same question answers.
//!
//! Source: Confluent Schema Registry's REST interface, wire format of its serializers.

mod avro;
mod compatibility;
mod error;
mod guid;
pub mod http;
mod json_schema;
mod local;
pub mod protobuf;
#[cfg(feature = "server")]
pub mod server;
pub mod settings;
pub mod store;
mod writing;

use std::sync::Arc;
use std::task::Poll;

use lakeward_api::ConnectError;
use serde_json::{Value, json};

pub use compatibility::CompatibilityLevel;
pub use error::RegistryError;
pub use guid::Guid;
pub use local::{local, local_reading};
pub use settings::RegistrySettings;
pub use store::Store;
pub use writing::{Choice, Reading, Writing};

/// The language a schema is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SchemaType {
    /// `AVRO`, also when the registry's answer names no type.
    Avro,
    /// `JSON`.
    Json,
    /// `PROTOBUF`.
    Protobuf,
}

impl SchemaType {
    /// The name in requests and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Avro => "AVRO",
            Self::Json => "JSON",
            Self::Protobuf => "PROTOBUF",
        }
    }

    /// The type of that name; Avro when an answer names none.
    pub fn from_name(name: Option<&str>) -> Option<Self> {
        match name {
            None | Some("" | "AVRO") => Some(Self::Avro),
            Some("JSON") => Some(Self::Json),
            Some("PROTOBUF") => Some(Self::Protobuf),
            Some(_) => None,
        }
    }
}

/// A schema text with the names it refers to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SchemaText {
    /// The language.
    pub kind: SchemaType,
    /// The schema itself.
    pub text: Arc<str>,
    /// What the text refers to, in the order of the registry's answer.
    pub references: Vec<Reference>,
}

/// A name in a schema text and where its schema is registered.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reference {
    /// The name the text uses: an Avro full name, a Protobuf import, a JSON Schema `$ref`.
    pub name: String,
    /// Subject.
    pub subject: String,
    /// Version under that subject.
    pub version: i32,
}

impl Reference {
    /// The member of a request or answer.
    pub(crate) fn to_json(&self) -> Value {
        json!({"name": self.name, "subject": self.subject, "version": self.version})
    }

    /// Reads what [`Reference::to_json`] writes.
    pub(crate) fn from_json(value: &Value) -> Option<Self> {
        Some(Self {
            name: value["name"].as_str()?.to_owned(),
            subject: value["subject"].as_str()?.to_owned(),
            version: value["version"].as_i64()?.try_into().ok()?,
        })
    }
}

/// A schema as the registry knows it, references fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisteredSchema {
    /// Global id, as it stands in the payload; -1 when a schema that is not registered under the subject was
    /// found by its GUID.
    pub id: i32,
    /// What names the schema in every registry; older registries do not say.
    pub guid: Option<Guid>,
    /// Version under the subject asked for, when that is known.
    pub version: Option<i32>,
    /// The schema.
    pub schema: SchemaText,
    /// Everything it refers to, directly or not: `(name, text)`, a schema after those it needs.
    pub dependencies: Vec<(String, Arc<str>)>,
}

/// What converters ask. One value per converter; caches; one request in flight per question.
///
/// Errors: `Retriable` for time-outs and 5xx of that kind, `Record` for what the registry refuses for good.
pub trait Registry {
    /// The schema of a payload with id `id`, found under `subject`.
    fn by_id(&mut self, subject: &str, id: i32) -> Poll<Result<Arc<RegisteredSchema>, ConnectError>>;

    /// The schema of a payload with `guid`, found under `subject`.
    fn by_guid(&mut self, subject: &str, guid: Guid) -> Poll<Result<Arc<RegisteredSchema>, ConnectError>>;

    /// The subject that the registry associates with the keys or values of `topic`; `None` when it associates
    /// none, or when the settings name another strategy.
    fn associated(&mut self, topic: &str, is_key: bool) -> Poll<Result<Option<Arc<str>>, ConnectError>>;

    /// The version of `subject` that a payload of schema `written` is read as, as the converter's settings
    /// say; `None` is `written` itself. The answer may change over time.
    fn for_reading(
        &mut self,
        subject: &str,
        written: &RegisteredSchema,
    ) -> Poll<Result<Option<Arc<RegisteredSchema>>, ConnectError>>;

    /// The schema to write `schema` with: registered, looked up, the latest version or a fixed id, as the
    /// converter's settings say.
    fn for_writing(
        &mut self,
        subject: &str,
        schema: &SchemaText,
    ) -> Poll<Result<Arc<RegisteredSchema>, ConnectError>>;

    /// Forgets failures that may heal: an attempt at records ends here, and the next one asks again.
    fn forget_failures(&mut self) {}
}
