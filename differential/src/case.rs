//! Cases and answers.

use crate::model::{Header, Record, Show, Typed};

/// A plugin with its settings, and what it is given.
#[derive(Clone, Debug)]
pub struct Case {
    /// The plugin.
    pub setup: Setup,
    /// Its inputs, in order.
    pub items: Items,
}

/// A plugin with its settings.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Java class name.
    pub class: String,
    /// Settings without prefix.
    pub settings: Vec<(String, String)>,
    /// Whether a converter is for keys.
    pub is_key: bool,
    /// Topic that converters are told.
    pub topic: String,
    /// What a schema registry holds for a converter that needs one: schema `i` has id and version `i + 1`.
    pub schemas: Vec<String>,
}

/// The inputs of a case.
#[derive(Clone, Debug)]
pub enum Items {
    /// Records through the transforms of a connector; the settings are the connector's.
    Chain(Vec<Record>),
    /// Bytes to values.
    Decode(Vec<Option<Vec<u8>>>),
    /// Bytes to headers.
    DecodeHeader(Vec<(String, Option<Vec<u8>>)>),
    /// Values to bytes.
    Encode(Vec<Typed>),
    /// Headers to bytes.
    EncodeHeader(Vec<Header>),
    /// Records to a truth.
    Predicate(Vec<Record>),
    /// Bytes to values and back to bytes.
    Recode(Vec<Option<Vec<u8>>>),
    /// Records to records.
    Transform(Vec<Record>),
}

impl Items {
    /// How many inputs there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Decode(items) | Self::Recode(items) => items.len(),
            Self::DecodeHeader(items) => items.len(),
            Self::Encode(items) => items.len(),
            Self::EncodeHeader(items) => items.len(),
            Self::Chain(items) | Self::Transform(items) | Self::Predicate(items) => items.len(),
        }
    }

    /// True without inputs.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of the kind of case in a request.
    pub fn kind(&self) -> u8 {
        match self {
            Self::Decode(_) => 0,
            Self::Encode(_) => 1,
            Self::DecodeHeader(_) => 2,
            Self::EncodeHeader(_) => 3,
            Self::Transform(_) => 4,
            Self::Predicate(_) => 5,
            Self::Recode(_) => 6,
            Self::Chain(_) => 7,
        }
    }

    /// A one-line form of the input at `at`.
    pub fn shown(&self, at: usize) -> String {
        match self {
            Self::Decode(items) | Self::Recode(items) => shown_bytes(items[at].as_deref()),
            Self::DecodeHeader(items) => {
                format!("header {:?}={}", items[at].0, shown_bytes(items[at].1.as_deref()))
            }
            Self::Encode(items) => items[at].shown(),
            Self::EncodeHeader(items) => format!("header {}", items[at].shown()),
            Self::Chain(items) | Self::Transform(items) | Self::Predicate(items) => items[at].shown(),
        }
    }

    /// The inputs at `places`, in that order.
    #[must_use]
    pub fn pick(&self, places: &[usize]) -> Self {
        fn of<T: Clone>(items: &[T], places: &[usize]) -> Vec<T> {
            places.iter().map(|at| items[*at].clone()).collect()
        }
        match self {
            Self::Chain(items) => Self::Chain(of(items, places)),
            Self::Decode(items) => Self::Decode(of(items, places)),
            Self::Recode(items) => Self::Recode(of(items, places)),
            Self::DecodeHeader(items) => Self::DecodeHeader(of(items, places)),
            Self::Encode(items) => Self::Encode(of(items, places)),
            Self::EncodeHeader(items) => Self::EncodeHeader(of(items, places)),
            Self::Transform(items) => Self::Transform(of(items, places)),
            Self::Predicate(items) => Self::Predicate(of(items, places)),
        }
    }
}

/// What a plugin makes of one input.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// Bytes; `None` is null.
    Bytes(Option<Vec<u8>>),
    /// The record was dropped on purpose.
    Dropped,
    /// An exception.
    Failed(Failure),
    /// The settings were refused, so that the input was never looked at.
    NotConfigured(Failure),
    /// Our side broke its own contract: a panic, a row without an answer.
    Broken(String),
    /// A record.
    Record(Box<Record>),
    /// A payload of a schema registry, with what the registry knows about it.
    Registered {
        /// The schema that the payload names.
        schema: String,
        /// What follows the id of the schema.
        body: Vec<u8>,
    },
    /// The answer of a predicate.
    Truth(bool),
    /// A schema and a value.
    Typed(Typed),
}

/// Bytes as text where they are one.
fn shown_bytes(bytes: Option<&[u8]>) -> String {
    match bytes.map(|bytes| (bytes, std::str::from_utf8(bytes))) {
        None => "null".to_owned(),
        Some((_, Ok(text))) if !text.contains(char::is_control) => format!("`{text}`"),
        Some((bytes, _)) => format!("b\"{}\"", bytes.escape_ascii()),
    }
}

impl Show for Answer {
    fn show(&self, out: &mut String) {
        match self {
            Self::Bytes(bytes) => out.push_str(&shown_bytes(bytes.as_deref())),
            Self::Dropped => out.push_str("dropped"),
            Self::Failed(failure) => failure.show(out),
            Self::NotConfigured(failure) => {
                out.push_str("not configured: ");
                failure.show(out);
            }
            Self::Broken(text) => out.push_str(text),
            Self::Record(record) => record.show(out),
            Self::Registered { schema, body } => {
                out.push_str(&format!("{} of {schema}", shown_bytes(Some(body))));
            }
            Self::Truth(truth) => out.push_str(if *truth { "true" } else { "false" }),
            Self::Typed(typed) => typed.show(out),
        }
    }
}

impl Show for Failure {
    fn show(&self, out: &mut String) {
        let simple = self.class.rsplit('.').next().unwrap_or_default();
        out.push_str(&format!("{simple} {:?}", self.message.as_deref().unwrap_or("null")));
        for (class, message) in &self.causes {
            let simple = class.rsplit('.').next().unwrap_or_default();
            out.push_str(&format!(" < {simple} {:?}", message.as_deref().unwrap_or("null")));
        }
    }
}

/// An exception.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// Java class name.
    pub class: String,
    /// Message.
    pub message: Option<String>,
    /// Causes, outermost first, with their messages.
    pub causes: Vec<(String, Option<String>)>,
}
