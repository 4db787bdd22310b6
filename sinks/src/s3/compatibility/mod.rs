//! `schema.compatibility`: whether a record goes into the open file although its schema is another one, and
//! in which form.
//!
//! Source: `StorageSchemaCompatibility` and `SchemaProjector` of Confluent's storage-common 12.

mod check;
mod merge;
mod project;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use lakeward_api::schema::Schema;
use lakeward_api::{ConnectError, ErrorClass};

pub(crate) use merge::merged;
pub(crate) use project::{filled, project};

/// The modes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Compatibility {
    /// Older records are brought to the file's schema; a newer one starts a new file.
    Backward,
    /// Newer records are brought to the file's schema; an older one starts a new file.
    Forward,
    /// As `Backward`.
    Full,
    /// The file's schema grows by what the record's has (`lakeward.schema.evolution`).
    Merge,
    /// Every other schema starts a new file.
    #[default]
    None,
}

/// What happens to a record that meets an open file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It goes into the file, projected unless its schema is the file's.
    Fits,
    /// It cannot be judged: see [`Compatibility::refusal`].
    Refused,
    /// The file ends before it.
    Rotates,
}

impl Compatibility {
    /// The mode of a `schema.compatibility` value. Like Java, whatever else it is means NONE.
    pub(crate) fn named(name: &str) -> Self {
        match name {
            "BACKWARD" => Self::Backward,
            "FORWARD" => Self::Forward,
            "FULL" => Self::Full,
            _ => Self::None,
        }
    }

    /// Judges a record of schema `record` before an open file of schema `file`; `None` is schemaless.
    pub(crate) fn verdict(self, record: Option<&Arc<Schema>>, file: Option<&Arc<Schema>>) -> Verdict {
        let (record, file) = match (record, file) {
            (None, None) => return Verdict::Fits,
            (Some(record), Some(file)) if Arc::ptr_eq(record, file) || record == file => {
                return Verdict::Fits;
            }
            (Some(record), Some(file)) if self == Self::Merge => {
                return if merged(file, record).is_some() { Verdict::Fits } else { Verdict::Rotates };
            }
            (Some(record), Some(file)) if self != Self::None => (record, file),
            _ => return Verdict::Rotates,
        };
        let (Some(record_version), Some(file_version)) = (record.version, file.version) else {
            return Verdict::Refused;
        };
        let is_versioned_well = match self {
            Self::Forward => record_version >= file_version,
            Self::Backward | Self::Full | Self::Merge | Self::None => record_version <= file_version,
        };
        if is_versioned_well && check::can_project(record, file) { Verdict::Fits } else { Verdict::Rotates }
    }

    /// The schema of a file that takes a record which fits, when it grows by that.
    pub(crate) fn grown(
        self,
        record: Option<&Arc<Schema>>,
        file: Option<&Arc<Schema>>,
    ) -> Option<Arc<Schema>> {
        let (Self::Merge, Some(record), Some(file)) = (self, record, file) else { return None };
        merged(file, record).filter(|grown| !Arc::ptr_eq(grown, file))
    }

    /// Why a record is refused.
    pub(crate) fn refusal(self) -> ConnectError {
        let mode = match self {
            Self::Backward => "BACKWARD",
            Self::Forward => "FORWARD",
            Self::Full => "FULL",
            Self::Merge | Self::None => "NONE",
        };
        projector_error(format!("Schema version required for {mode} compatibility"))
    }
}

fn projector_error(message: String) -> ConnectError {
    ConnectError::new(ErrorClass::Record, "org.apache.kafka.connect.errors.SchemaProjectorException", message)
}
