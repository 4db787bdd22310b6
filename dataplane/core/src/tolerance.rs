//! What a record that can never pass does to its task.
//!
//! Source: `RetryWithToleranceOperator`, Kafka 4.1.

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

/// `errors.tolerance` and its companions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tolerance {
    /// Skip bad records instead of failing.
    skip: bool,
    /// `errors.log.enable`.
    log: bool,
}

/// What to do with a bad record.
#[derive(Debug)]
pub enum Verdict {
    /// Fail the task with this error.
    Fail(ConnectError),
    /// Leave the record out; log it when asked to.
    Skip {
        /// Whether `errors.log.enable` wants a log line.
        log: bool,
    },
}

impl Tolerance {
    /// Reads `errors.tolerance` and `errors.log.enable`; both were validated before.
    pub fn from_config(config: &ConfigMap) -> Self {
        let is = |key: &str, value: &str| config.get(key).is_some_and(|text| text.trim() == value);
        Self { skip: is("errors.tolerance", "all"), log: is("errors.log.enable", "true") }
    }

    /// Decides about one bad record. What no record is to blame for fails the task whatever is tolerated.
    pub fn judge(self, error: ConnectError) -> Verdict {
        if matches!(error.class(), ErrorClass::Fatal | ErrorClass::Fenced) {
            return Verdict::Fail(error);
        }
        if self.skip {
            return Verdict::Skip { log: self.log };
        }
        Verdict::Fail(ConnectError::fatal("Tolerance exceeded in error handler").with_source(error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tolerance(entries: &[(&str, &str)]) -> Tolerance {
        Tolerance::from_config(&entries.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect())
    }

    #[test]
    fn a_bad_record_fails_the_task_unless_all_are_tolerated() {
        let Verdict::Fail(error) = tolerance(&[]).judge(ConnectError::data("bad")) else { panic!("skipped") };
        assert!(error.trace().contains("Tolerance exceeded in error handler"));
        assert!(error.trace().contains("DataException: bad"));
        let quiet = tolerance(&[("errors.tolerance", "all")]).judge(ConnectError::data("bad"));
        assert!(matches!(quiet, Verdict::Skip { log: false }));
        let loud = tolerance(&[("errors.tolerance", "all"), ("errors.log.enable", "true")]);
        assert!(matches!(loud.judge(ConnectError::data("bad")), Verdict::Skip { log: true }));
    }

    #[test]
    fn a_broken_invariant_is_not_tolerated() {
        let all = tolerance(&[("errors.tolerance", "all")]);
        let Verdict::Fail(error) = all.judge(ConnectError::fatal("lost count")) else { panic!("skipped") };
        assert_eq!(error.to_string(), "lost count");
    }
}
