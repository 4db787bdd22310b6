//! Debezium's transforms for change events.
//!
//! They find a change event by its schema: a STRUCT whose name ends in `.Envelope`. Everything else
//! (heartbeats, schema changes, values without schema) passes by.
//!
//! Source: `io.debezium.transforms`, Debezium 3.6.0.Final, whose answers the golden tables of the tests hold.

mod adjust;
mod outbox;
mod table_router;
mod unwrap;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use lakeward_api::batch::Values;
use lakeward_api::config::{ConfigDef, ConfigMap};
use lakeward_api::recursion;
use lakeward_api::schema::{Kind, Schema};
use lakeward_api::{ConnectError, ErrorClass};

use crate::plugin::TransformClass;
use crate::settings::Settings;

/// The version that these transforms report.
const VERSION: &str = "3.6.0.Final";

/// The classes of this folder.
pub(crate) fn classes() -> Vec<TransformClass> {
    vec![outbox::class(), table_router::class(), unwrap::class()]
}

/// Whether values of `schema` are change events.
///
/// Source: `Envelope#isEnvelopeSchema`.
fn is_envelope(schema: &Schema) -> bool {
    schema.name.as_deref().is_some_and(|name| name.ends_with(".Envelope"))
}

/// The schema of values that are change events. Where one of their fields is the place of a recursion, its
/// column becomes that of what stands there: rows are looked for in `before` and `after`.
fn open_envelope(values: &mut Values) -> Result<Option<Arc<Schema>>, ConnectError> {
    let Values::Typed { schema, array } = values else { return Ok(None) };
    if !is_envelope(schema) {
        return Ok(None);
    }
    (*schema, *array) = recursion::opened_fields(schema, array)?;
    Ok(Some(Arc::clone(schema)))
}

/// A STRING key that takes one of `options`, any case.
fn parse_option<T: Copy>(text: &str, options: &[(&str, T)]) -> Option<T> {
    let text = text.trim();
    options.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)).map(|(_, option)| *option)
}

/// Reads `given`. Debezium names no key in its error; ours are the cause.
fn read_settings(def: &ConfigDef, given: &ConfigMap) -> Result<Settings, ConnectError> {
    Settings::read(def, given).map_err(invalid)
}

/// Settings that contradict their definition, as Debezium's transforms report them.
fn invalid(cause: ConnectError) -> ConnectError {
    ConnectError::new(
        ErrorClass::Config,
        "org.apache.kafka.connect.errors.ConnectException",
        "Unable to validate config.",
    )
    .with_source(cause)
}

/// A failure of one record under the Java exception that stands for it.
fn failed(java_class: &'static str, message: impl Into<String>) -> ConnectError {
    ConnectError::new(ErrorClass::Record, java_class, message)
}

/// Java fails without a text of its own here.
fn null_pointer(message: impl Into<String>) -> ConnectError {
    failed("java.lang.NullPointerException", message)
}

/// The index of the field `name` of `schema`, whose type must be `kind`.
///
/// Source: `Struct#getCheckType`.
fn typed_field(schema: &Schema, name: &str, kind: &Kind) -> Result<usize, ConnectError> {
    let index = any_field(schema, name)?;
    let found = &schema.fields()[index].schema;
    if std::mem::discriminant(&found.kind) == std::mem::discriminant(kind) {
        return Ok(index);
    }
    let kind = kind.name();
    Err(ConnectError::data(format!("Field '{name}' is not of type {kind}")))
}

/// The index of the field `name` of `schema`.
///
/// Source: `Struct#lookupField`.
fn any_field(schema: &Schema, name: &str) -> Result<usize, ConnectError> {
    match schema.field(name) {
        Some((index, _)) => Ok(index),
        None => Err(ConnectError::data(format!("{name} is not a valid field name"))),
    }
}
