//! Why a record cannot be decoded, as the reader's inner loops report it.

use crate::FormatError;

/// The result of the inner loops; the error is boxed so that the usual path moves one word.
pub(super) type Parsed<T> = Result<T, Box<Fault>>;

/// Why a record cannot be decoded.
#[derive(Debug)]
pub(super) enum Fault {
    /// The value does not fit its schema; Kafka Connect's words.
    Data(String),
    /// The value of a field does not fit a declared schema.
    Field {
        /// Dotted path, outermost name first; empty for the record itself.
        path: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The value does not fit the schema inferred so far.
    Misfit,
    /// Not JSON.
    Syntax {
        /// What was not expected.
        what: &'static str,
        /// Byte position.
        at: usize,
    },
}

impl Fault {
    /// The same fault, one level further out.
    #[cold]
    pub(super) fn inside(mut self: Box<Self>, name: &str) -> Box<Self> {
        if let Self::Field { path, .. } = &mut *self {
            *path = if path.is_empty() { name.to_owned() } else { format!("{name}.{path}") };
        }
        self
    }
}

impl From<Box<Fault>> for FormatError {
    fn from(fault: Box<Fault>) -> Self {
        match *fault {
            Fault::Data(message) => Self::Data { message },
            Fault::Field { path, problem } if path.is_empty() => Self::data(format!("Record: {problem}")),
            Fault::Field { path, problem } => Self::data(format!("Field {path}: {problem}")),
            Fault::Misfit => Self::data(
                "The record needs more columns than may be inferred. Set lakeward.schema to a schema \
                that names \
                 the columns you want.",
            ),
            Fault::Syntax { what, at } => Self::Syntax { what, at },
        }
    }
}

#[cold]
pub(super) fn syntax(what: &'static str, at: usize) -> Box<Fault> {
    Box::new(Fault::Syntax { what, at })
}

#[cold]
pub(super) fn data(message: impl Into<String>) -> Box<Fault> {
    Box::new(Fault::Data(message.into()))
}

#[cold]
pub(super) fn field(problem: impl Into<String>) -> Box<Fault> {
    Box::new(Fault::Field { path: String::new(), problem: problem.into() })
}
