//! The one error classification that decides what the runtime does with a failure.
//!
//! Every crate has its own error enum; at a plugin boundary it becomes a [`ConnectError`], which carries the
//! class, the name of the Java exception a Connect user would see, and the cause chain.

use std::error::Error;
use std::fmt;

/// What the runtime does with a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorClass {
    /// It may have happened (lost response to a write): reconcile first, then retry or adopt.
    Ambiguous,
    /// The user must change something: fail, naming key, value and remedy.
    Config,
    /// Invariant broken: fail the task, keep the evidence, never continue.
    Fatal,
    /// Someone newer owns this work: drop in-flight state, commit nothing, stop quietly.
    Fenced,
    /// This record can never pass: `errors.tolerance`, dead letter queue, or fail.
    Record,
    /// The same call may succeed later: back off, keep the data, pause.
    Retriable,
}

/// A failure at a plugin boundary: class, Java exception name, message and cause.
///
/// `Display` is the bare message (it ends up in REST answers); [`ConnectError::trace`] is the text of a
/// FAILED status. Neither may hold record contents or secrets.
#[derive(Debug)]
pub struct ConnectError {
    class: ErrorClass,
    java_class: &'static str,
    message: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl ConnectError {
    /// A failure of `class`, shown under the Java exception `java_class` (fully qualified).
    pub fn new(class: ErrorClass, java_class: &'static str, message: impl Into<String>) -> Self {
        Self { class, java_class, message: message.into(), source: None }
    }

    /// A configuration error (`org.apache.kafka.common.config.ConfigException`).
    pub fn config(message: impl Into<String>) -> Self {
        Self::new(ErrorClass::Config, "org.apache.kafka.common.config.ConfigException", message)
    }

    /// A `ConnectException` that fails the task.
    pub fn fatal(message: impl Into<String>) -> Self {
        Self::new(ErrorClass::Fatal, "org.apache.kafka.connect.errors.ConnectException", message)
    }

    /// A record that can never pass (`DataException`).
    pub fn data(message: impl Into<String>) -> Self {
        Self::new(ErrorClass::Record, "org.apache.kafka.connect.errors.DataException", message)
    }

    /// A failure that may heal (`RetriableException`).
    pub fn retriable(message: impl Into<String>) -> Self {
        Self::new(ErrorClass::Retriable, "org.apache.kafka.connect.errors.RetriableException", message)
    }

    /// Attaches the cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The class that decides what happens next.
    pub fn class(&self) -> ErrorClass {
        self.class
    }

    /// The fully qualified Java exception name.
    pub fn java_class(&self) -> &'static str {
        self.java_class
    }

    /// The text of a FAILED status: one line for the failure and one `Caused by:` line per cause. Causes that
    /// the line before already quotes are left out: many libraries repeat them.
    pub fn trace(&self) -> String {
        let mut text = format!("{}: {}", self.java_class, self.message);
        let mut last = self.message.clone();
        let mut cause = self.source();
        while let Some(err) = cause {
            let line = match err.downcast_ref::<ConnectError>() {
                Some(inner) => format!("{}: {}", inner.java_class, inner.message),
                None => err.to_string(),
            };
            if !last.contains(&line) {
                text.push_str("\nCaused by: ");
                text.push_str(&line);
                last = line;
            }
            cause = err.source();
        }
        text.push('\n');
        text
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for ConnectError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|source| source.as_ref() as &(dyn Error + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_that_are_quoted_already_are_not_repeated() {
        let cause = std::io::Error::other("disk full");
        let top = ConnectError::fatal("cannot write: disk full").with_source(cause);
        assert_eq!(top.trace().matches("disk full").count(), 1);
    }

    #[test]
    fn trace_names_every_cause_once() {
        let root = ConnectError::data("bad byte");
        let top = ConnectError::fatal("Tolerance exceeded in error handler").with_source(root);
        assert_eq!(
            top.trace(),
            "org.apache.kafka.connect.errors.ConnectException: Tolerance exceeded in error handler\n\
             Caused by: org.apache.kafka.connect.errors.DataException: bad byte\n"
        );
    }
}
