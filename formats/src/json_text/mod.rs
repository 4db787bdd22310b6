//! Values as JSON text, byte for byte as Java writes them: shared by `JsonConverter` and JSON lines.
//!
//! Columns are written straight from Arrow (`column`), with the parts that `bind` chooses (`cells`, `texts`,
//! `nested`, `sparse`) into the slots of a `block`; dynamic values and defaults one by one (`value`). Maps
//! have the order of Java's `HashMap` (`hash`).
//!
//! Source: `JsonConverter#convertToJson`, Kafka 4.1; Jackson's `UTF8JsonGenerator`.

mod bind;
mod block;
mod cells;
mod column;
mod decimal;
pub(crate) mod hash;
mod nested;
mod recursive;
mod sparse;
#[cfg(test)]
mod tests;
mod text;
mod texts;
mod value;

pub(crate) use column::{ColumnText, RowText};
pub(crate) use text::{append_integer, append_quoted};
pub(crate) use value::{Untyped, append_object, append_schemaless, append_typed};

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

/// Whose JSON is written.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Dialect {
    /// `JsonConverter`'s.
    #[default]
    Kafka,
    /// `JsonSchemaData`'s: keys that are no required texts stand in `{"key":…,"value":…}` objects, and of the
    /// STRUCTs that `is_union` tells only the field that is not null is written; without one they are null,
    /// or left out of the object around them when they may not be null.
    Registered {
        /// Whether a STRUCT is a union.
        is_union: fn(&lakeward_api::schema::Schema) -> bool,
    },
}

impl Dialect {
    fn is_union(self, schema: &lakeward_api::schema::Schema) -> bool {
        matches!(self, Self::Registered { is_union } if is_union(schema))
    }

    /// Whether values of `schema` may have no text at all: see [`value::is_absent`]. Recursion is bounded by
    /// the depth of the schema.
    fn may_be_absent(self, schema: &lakeward_api::schema::Schema) -> bool {
        match lakeward_api::recursion::resolved(schema) {
            Some(shown) => self.is_union(&shown),
            None => {
                let inner = || schema.fields().iter().any(|field| self.may_be_absent(&field.schema));
                self.is_union(schema) && (!schema.optional || inner())
            }
        }
    }

    /// How maps with keys of `schema` are written.
    fn map_form(self, key: &lakeward_api::schema::Schema) -> MapForm {
        match (matches!(key.kind, lakeward_api::schema::Kind::String), self) {
            (true, Self::Kafka) => MapForm::Object,
            (true, Self::Registered { .. }) if !key.optional => MapForm::Object,
            (_, Self::Kafka) => MapForm::Pairs,
            (_, Self::Registered { .. }) => MapForm::Entries,
        }
    }
}

/// The JSON of a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MapForm {
    /// `[{"key":k,"value":v}]`.
    Entries,
    /// `{k:v}`.
    Object,
    /// `[[k,v]]`.
    Pairs,
}

impl MapForm {
    /// What stands around the map, before a key, between key and value, and behind the value.
    fn marks(self) -> [&'static [u8]; 5] {
        match self {
            Self::Entries => [b"[", b"{\"key\":", b",\"value\":", b"}", b"]"],
            Self::Object => [b"{", b"", b":", b"", b"}"],
            Self::Pairs => [b"[", b"[", b",", b"]", b"]"],
        }
    }
}

/// The settings of JSON output.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Form {
    pub(crate) decimals: DecimalFormat,
    pub(crate) nulls: NullForm,
    pub(crate) dialect: Dialect,
}

/// Why a null cannot be written.
const NULL_FOR_REQUIRED: &str =
    "Conversion error: null value for field that is required and has no default value";
