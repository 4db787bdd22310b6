//! What a record that can never pass does to its task.
//!
//! Source: `RetryWithToleranceOperator#execAndHandleError`, Kafka 4.1.

use lakeward_api::config::ConfigMap;
use lakeward_api::{ConnectError, ErrorClass};

/// Where a record failed. Names as in Connect's logs and headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The header converter.
    HeaderConverter,
    /// The key converter.
    KeyConverter,
    /// The sink task.
    TaskPut,
    /// A transform or its predicate.
    Transformation,
    /// The value converter.
    ValueConverter,
}

impl Stage {
    /// Connect's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::HeaderConverter => "HEADER_CONVERTER",
            Self::KeyConverter => "KEY_CONVERTER",
            Self::TaskPut => "TASK_PUT",
            Self::Transformation => "TRANSFORMATION",
            Self::ValueConverter => "VALUE_CONVERTER",
        }
    }
}

/// `errors.tolerance`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tolerance {
    /// Skip bad records.
    All,
    /// Fail the task at the first one.
    None,
}

/// What to do with a failed record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// No record is to blame: fail the task with the error as it is, report nothing.
    Broken,
    /// Report the record, then fail the task with [`exceeded`].
    Fail,
    /// Report the record and go on without it.
    Skip,
}

impl Tolerance {
    /// Reads `errors.tolerance`, which was validated before.
    pub fn from_config(config: &ConfigMap) -> Self {
        if config.get("errors.tolerance").is_some_and(|text| text.trim() == "all") {
            Self::All
        } else {
            Self::None
        }
    }

    /// Decides about one failed record. What no record is to blame for fails the task whatever is tolerated.
    pub fn judge(self, error: &ConnectError) -> Verdict {
        match (error.class(), self) {
            (ErrorClass::Fatal | ErrorClass::Fenced, _) => Verdict::Broken,
            (_, Self::All) => Verdict::Skip,
            (_, Self::None) => Verdict::Fail,
        }
    }
}

/// The error of a task that met a record which is not tolerated.
pub fn exceeded(error: ConnectError) -> ConnectError {
    ConnectError::fatal("Tolerance exceeded in error handler").with_source(error)
}

/// The error of a task whose sink failed. Work that may heal keeps its class: the task is restarted.
pub fn unrecoverable(error: ConnectError) -> ConnectError {
    match error.class() {
        ErrorClass::Ambiguous | ErrorClass::Fenced | ErrorClass::Retriable => error,
        ErrorClass::Config | ErrorClass::Fatal | ErrorClass::Record => {
            ConnectError::fatal("Exiting WorkerSinkTask due to unrecoverable exception.").with_source(error)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tolerance(value: &str) -> Tolerance {
        Tolerance::from_config(&[("errors.tolerance".to_owned(), value.to_owned())].into())
    }

    #[test]
    fn a_bad_record_fails_the_task_unless_all_are_tolerated() {
        assert_eq!(Tolerance::from_config(&ConfigMap::new()).judge(&ConnectError::data("x")), Verdict::Fail);
        assert_eq!(tolerance("none").judge(&ConnectError::data("x")), Verdict::Fail);
        assert_eq!(tolerance("all").judge(&ConnectError::data("x")), Verdict::Skip);
        assert_eq!(tolerance("all").judge(&ConnectError::config("x")), Verdict::Skip);
        assert_eq!(tolerance("all").judge(&ConnectError::retriable("x")), Verdict::Skip);
    }

    #[test]
    fn a_broken_invariant_is_not_tolerated() {
        assert_eq!(tolerance("all").judge(&ConnectError::fatal("x")), Verdict::Broken);
        let fenced = ConnectError::new(ErrorClass::Fenced, "x", "x");
        assert_eq!(tolerance("none").judge(&fenced), Verdict::Broken);
    }

    #[test]
    fn the_traces_are_chains_as_javas() {
        let error = unrecoverable(exceeded(ConnectError::data("bad")));
        assert_eq!(
            error.trace(),
            "org.apache.kafka.connect.errors.ConnectException: Exiting WorkerSinkTask due to unrecoverable \
             exception.\nCaused by: org.apache.kafka.connect.errors.ConnectException: Tolerance exceeded in \
             error handler\nCaused by: org.apache.kafka.connect.errors.DataException: bad\n"
        );
        assert_eq!(unrecoverable(ConnectError::retriable("later")).class(), ErrorClass::Retriable);
    }
}
