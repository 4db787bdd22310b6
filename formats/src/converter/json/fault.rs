//! Why a record cannot be decoded, as the reader's inner loops report it.

use crate::FormatError;

/// The result of the inner loops; the error is boxed so that the usual path moves one word.
pub(super) type Parsed<T> = Result<T, Box<Fault>>;

/// Why a record cannot be decoded.
#[derive(Debug)]
pub(super) enum Fault {
    /// A schema that Java's `SchemaBuilder` refuses; its words.
    Builder(String),
    /// The value does not fit its schema; Kafka Connect's words.
    Data(String),
    /// The value of a field does not fit a declared schema.
    Field {
        /// Dotted path, outermost name first; empty for the record itself.
        path: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A value that Java reads as null stands under a required schema.
    Null {
        /// Where it is, from the inside out, so far.
        location: String,
        /// The Connect type of the schema.
        kind: &'static str,
        /// The location is complete.
        located: bool,
    },
    /// The value does not fit the schema inferred so far.
    Misfit,
    /// A value of a Java class that a schema of type BYTES does not take.
    NoBytes {
        /// Where it is, from the inside out, so far.
        location: String,
        /// The location is complete.
        located: bool,
    },
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
        match &mut *self {
            Self::Field { path, .. } => {
                *path = if path.is_empty() { name.to_owned() } else { format!("{name}.{path}") };
            }
            Self::NoBytes { location, located: located @ false }
            | Self::Null { location, located: located @ false, .. } => {
                location.push_str(&format!("field: \"{name}\""));
                *located = true;
            }
            _ => {}
        }
        self
    }

    /// The same fault, out of a collection; `part` is Java's word for the element, key or value.
    #[cold]
    pub(super) fn within(mut self: Box<Self>, part: &str) -> Box<Self> {
        match &mut *self {
            Self::NoBytes { location, located: false } | Self::Null { location, located: false, .. } => {
                location.push_str(part);
            }
            Self::Field { .. } => {
                let step = if part == "element of array " { "[]" } else { "{}" };
                return self.inside(step);
            }
            _ => {}
        }
        self
    }
}

impl From<Box<Fault>> for FormatError {
    fn from(fault: Box<Fault>) -> Self {
        match *fault {
            Fault::Builder(message) => Self::SchemaBuilder { message },
            Fault::Null { location, kind, located } => {
                let location = if located { &location } else { "field" };
                Self::data(format!("Invalid value: null used for required {location}, schema type: {kind}"))
            }
            Fault::NoBytes { location, located } => {
                let place = if located { format!(" for {location}") } else { String::new() };
                Self::data(format!(
                    "Invalid Java object for schema with type BYTES: class java.math.BigDecimal{place}"
                ))
            }
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
