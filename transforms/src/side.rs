//! Which part of a record a transform works on: its key or its value.

use std::sync::Arc;

use arrow_array::{Array, StructArray};
use lakeward_api::ConnectError;
use lakeward_api::batch::{SinkBatch, Values};
use lakeward_api::schema::{Kind, Schema};

/// Key or value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// `…$Key` classes.
    Key,
    /// `…$Value` classes.
    Value,
}

impl Side {
    /// What the transform reads.
    pub(crate) fn of(self, batch: &SinkBatch) -> &Values {
        match self {
            Self::Key => &batch.keys,
            Self::Value => &batch.values,
        }
    }

    /// What the transform writes.
    pub(crate) fn of_mut(self, batch: &mut SinkBatch) -> &mut Values {
        match self {
            Self::Key => &mut batch.keys,
            Self::Value => &mut batch.values,
        }
    }
}

/// The columns of STRUCT values. `Err` names what was found instead, as Java does.
///
/// Source: `Requirements#requireStruct`, Kafka 4.1.
pub(crate) fn require_struct<'a>(
    schema: &Schema,
    array: &'a Arc<dyn Array>,
    purpose: &str,
) -> Result<&'a StructArray, ConnectError> {
    match schema.kind {
        Kind::Struct(_) => Ok(array.as_any().downcast_ref().expect("a STRUCT column is a StructArray")),
        _ => Err(ConnectError::data(format!(
            "Only Struct objects supported for [{purpose}], found: {}",
            schema.java_class()
        ))),
    }
}
