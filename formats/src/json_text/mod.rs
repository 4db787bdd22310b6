//! Values as JSON text, byte for byte as Java writes them: shared by `JsonConverter` and JSON lines.
//!
//! Columns are written straight from Arrow (`column`); dynamic values and defaults one by one (`value`). Maps
//! have the order of Java's `HashMap` (`hash`).
//!
//! Source: `JsonConverter#convertToJson`, Kafka 4.1; Jackson's `UTF8JsonGenerator`.

mod column;
mod decimal;
pub(crate) mod hash;
mod text;
mod value;

pub(crate) use column::ColumnText;
pub(crate) use text::{append_integer, append_quoted};
pub(crate) use value::{append_object, append_schemaless, append_typed};

/// How Decimals are written (`decimal.format`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DecimalFormat {
    /// The unscaled value as base64 text.
    #[default]
    Base64,
    /// A number with all its digits.
    Numeric,
}

/// What is written for a null whose schema has a default (`replace.null.with.default`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum NullForm {
    /// The default.
    #[default]
    Default,
    /// `null`.
    Null,
}

/// The settings of JSON output.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Form {
    pub(crate) decimals: DecimalFormat,
    pub(crate) nulls: NullForm,
}

/// Why a null cannot be written.
const NULL_FOR_REQUIRED: &str =
    "Conversion error: null value for field that is required and has no default value";
