//! JSON bodies read token by token, refused in the words of the Java workers.
//!
//! Owns the tokens of a body, the place of each, and what is said against a malformed one. It knows nothing
//! of connectors. Depth, names and numbers have limits; text is at most as long as the body.
//!
//! Source: Jackson 2.19 (`UTF8StreamJsonParser`, `StreamReadConstraints`), as used by Kafka Connect 4.1.

mod number;
mod tokens;
mod utf8;

pub(super) use tokens::Tokens;

/// What Java shows instead of the body.
const SOURCE: &str = "[Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled)";
/// What may stand where a value is expected.
const VALUES: &str = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')";
/// The deepest nesting of arrays and objects.
const DEPTH_MAX: usize = 1000;
/// The most digits of a number.
const NUMBER_LENGTH_MAX: usize = 1000;
/// The longest name of a member, bytes.
const NAME_BYTES_MAX: usize = 50_000;

/// A token of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::rest) enum Token {
    EndArray,
    EndObject,
    False,
    FieldName,
    Float,
    Int,
    Null,
    StartArray,
    StartObject,
    Text,
    True,
}

impl Token {
    /// Java's name of the token.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::EndArray => "END_ARRAY",
            Self::EndObject => "END_OBJECT",
            Self::False => "VALUE_FALSE",
            Self::FieldName => "FIELD_NAME",
            Self::Float => "VALUE_NUMBER_FLOAT",
            Self::Int => "VALUE_NUMBER_INT",
            Self::Null => "VALUE_NULL",
            Self::StartArray => "START_ARRAY",
            Self::StartObject => "START_OBJECT",
            Self::Text => "VALUE_STRING",
            Self::True => "VALUE_TRUE",
        }
    }

    /// The kind of value it begins, in Java's words.
    pub(super) fn kind(self) -> &'static str {
        match self {
            Self::False | Self::True => "Boolean",
            Self::Float => "Floating-point",
            Self::Int => "Integer",
            Self::Null => "Null",
            Self::EndArray | Self::StartArray => "Array",
            Self::EndObject | Self::FieldName | Self::StartObject => "Object",
            Self::Text => "String",
        }
    }
}

/// A place in the body: line and byte column, both from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::rest) struct Mark {
    line: usize,
    column: usize,
}

impl Mark {
    fn text(self) -> String {
        format!("{SOURCE}; line: {}, column: {}]", self.line, self.column)
    }
}

/// What is wrong with a body, and the members on the way to it.
#[derive(Debug)]
pub(in crate::rest) struct Malformed {
    message: String,
    path: Vec<String>,
}

impl Malformed {
    /// A problem at a place.
    pub(super) fn at(mark: Mark, problem: &str) -> Self {
        Self::limit(format!("{problem}\n at {}", mark.text()))
    }

    /// A problem without a place: a limit is exceeded.
    fn limit(message: String) -> Self {
        Self { message, path: Vec::new() }
    }

    /// The problem was met within member `name` of a `class`.
    pub(super) fn within(mut self, class: &str, name: &str) -> Self {
        self.path.insert(0, format!("{class}[\"{name}\"]"));
        self
    }

    /// The problem was met in element `index` of a list.
    pub(super) fn within_list(mut self, index: usize) -> Self {
        self.path.insert(0, format!("java.util.ArrayList[{index}]"));
        self
    }

    /// The whole message.
    pub(super) fn text(&self) -> String {
        match self.path.as_slice() {
            [] => self.message.clone(),
            path => format!("{} (through reference chain: {})", self.message, path.join("->")),
        }
    }
}

/// A character as error texts show it. `code` is a UTF-16 unit.
fn described(code: u32) -> String {
    let shown = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
    if shown.is_control() {
        format!("(CTRL-CHAR, code {code})")
    } else if code > 255 {
        format!("'{shown}' (code {code} / 0x{code:x})")
    } else {
        format!("'{shown}' (code {code})")
    }
}
