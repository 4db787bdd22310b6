//! Compatibility levels, and the check of one schema against others for the three languages.
//!
//! Source: Confluent's documentation of compatibility types. Avro is checked in full; JSON Schema and
//! Protobuf by their own modules' rules, which refuse what they cannot judge.

use std::sync::Arc;

use crate::avro::{self, AvroSchema};
use crate::{SchemaText, SchemaType, json_schema, protobuf};

/// A schema text with everything it refers to.
pub(crate) type Resolved<'a> = (&'a SchemaText, &'a [(String, Arc<str>)]);

/// What a new version must be able to do with the versions before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CompatibilityLevel {
    /// No check.
    None,
    /// Read the data of the last version; the default.
    #[default]
    Backward,
    /// Read the data of every version.
    BackwardTransitive,
    /// Be readable by the last version.
    Forward,
    /// Be readable by every version.
    ForwardTransitive,
    /// Both, with the last version.
    Full,
    /// Both, with every version.
    FullTransitive,
}

impl CompatibilityLevel {
    const ALL: [Self; 7] = [
        Self::None,
        Self::Backward,
        Self::BackwardTransitive,
        Self::Forward,
        Self::ForwardTransitive,
        Self::Full,
        Self::FullTransitive,
    ];

    /// The name in requests and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::Backward => "BACKWARD",
            Self::BackwardTransitive => "BACKWARD_TRANSITIVE",
            Self::Forward => "FORWARD",
            Self::ForwardTransitive => "FORWARD_TRANSITIVE",
            Self::Full => "FULL",
            Self::FullTransitive => "FULL_TRANSITIVE",
        }
    }

    /// The level of that name, in any case.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.as_str().eq_ignore_ascii_case(name))
    }

    /// True when more than the last version counts.
    pub fn is_transitive(self) -> bool {
        matches!(self, Self::BackwardTransitive | Self::ForwardTransitive | Self::FullTransitive)
    }

    /// What stops `new` from following `old` at this level.
    pub(crate) fn differences(self, new: Resolved<'_>, old: Resolved<'_>) -> Vec<String> {
        let backward = || readable(new, old);
        let forward = || readable(old, new);
        match self {
            Self::None => Vec::new(),
            Self::Backward | Self::BackwardTransitive => backward(),
            Self::Forward | Self::ForwardTransitive => forward(),
            Self::Full | Self::FullTransitive => {
                let mut found = backward();
                found.extend(forward());
                found
            }
        }
    }
}

/// What stops `reader` from reading data of `writer`; empty when it can.
pub(crate) fn readable(reader: Resolved<'_>, writer: Resolved<'_>) -> Vec<String> {
    if reader.0 == writer.0 {
        return Vec::new();
    }
    if reader.0.kind != writer.0.kind {
        let (reader, writer) = (reader.0.kind.as_str(), writer.0.kind.as_str());
        return vec![format!("the schema types differ: {reader} and {writer}")];
    }
    match reader.0.kind {
        SchemaType::Avro => {
            let parse = |(schema, dependencies): Resolved<'_>| AvroSchema::parse(&schema.text, dependencies);
            match (parse(reader), parse(writer)) {
                (Ok(reader), Ok(writer)) => avro::differences(&reader, &writer),
                (Err(problem), _) | (_, Err(problem)) => vec![problem],
            }
        }
        SchemaType::Json => json_schema::differences(&reader.0.text, &writer.0.text),
        SchemaType::Protobuf => protobuf::differences(&reader.0.text, &writer.0.text),
    }
}

/// Checks that a text is a schema of its language. The error is a sentence.
pub(crate) fn validate((schema, dependencies): Resolved<'_>) -> Result<(), String> {
    match schema.kind {
        SchemaType::Avro => AvroSchema::parse(&schema.text, dependencies).map(drop),
        SchemaType::Json => json_schema::validate(&schema.text),
        SchemaType::Protobuf => protobuf::validate(&schema.text),
    }
}

/// The text under which a valid schema is kept; `normalize` also removes differences that mean nothing.
/// Protobuf texts are kept as they are, outer blanks apart.
pub(crate) fn canonical(schema: &SchemaText, normalize: bool) -> Arc<str> {
    match schema.kind {
        SchemaType::Avro => avro::canonical(&schema.text, normalize).into(),
        SchemaType::Json => json_schema::canonical(&schema.text, normalize).into(),
        SchemaType::Protobuf => schema.text.trim().into(),
    }
}
