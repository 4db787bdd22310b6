//! Protobuf schemas as Connect schemas and back.
//!
//! Source: `ProtobufData` of Confluent Schema Registry 8.

mod cycles;
mod default_in;
mod design;
mod from_connect;
mod names;
mod print;
mod to_connect;

use lakeward_api::schema::{Kind, Schema};

pub(super) use design::{Design, FieldDesign, Form, MessageDesign, Presence};
pub(super) use from_connect::from_connect;
pub(super) use names::map_entry_name;
pub(super) use to_connect::to_connect;

/// The settings that change the mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each is a setting of the same name that Kafka Connect has")]
pub(super) struct Mapping {
    /// `generalized.sum.type.support`.
    pub(super) generalized_sums: bool,
    /// `ignore.default.for.nullables`.
    pub(super) ignore_defaults: bool,
    /// `enhanced.protobuf.schema.support`.
    pub(super) enhanced: bool,
    /// `scrub.invalid.names`.
    pub(super) scrub: bool,
    /// `int.for.enums`.
    pub(super) int_enums: bool,
    /// `optional.for.nullables`.
    pub(super) optionals: bool,
    /// `optional.for.proto2`.
    pub(super) proto2_optionals: bool,
    /// `wrapper.for.nullables`.
    pub(super) wrappers: bool,
    /// `wrapper.for.raw.primitives`.
    pub(super) raw_wrappers: bool,
    /// `generate.struct.for.nulls`.
    pub(super) null_structs: bool,
    /// `generate.index.for.unions`.
    pub(super) union_index: bool,
    /// `flatten.unions`.
    pub(super) flatten_unions: bool,
}

impl Default for Mapping {
    fn default() -> Self {
        Self {
            generalized_sums: false,
            ignore_defaults: false,
            enhanced: false,
            scrub: false,
            int_enums: false,
            optionals: false,
            proto2_optionals: true,
            wrappers: false,
            raw_wrappers: true,
            null_structs: false,
            union_index: true,
            flatten_unions: false,
        }
    }
}

impl Mapping {
    /// The parameter that makes a STRING or INT32 an enum.
    fn enum_param(self) -> &'static str {
        if self.generalized_sums { GENERALIZED_ENUM } else { ENUM }
    }
}

/// The Connect name of a type, for messages.
pub(super) fn kind_name(kind: &Kind) -> &'static str {
    match kind {
        Kind::Array(_) => "ARRAY",
        Kind::Boolean => "BOOLEAN",
        Kind::Bytes => "BYTES",
        Kind::Float32 => "FLOAT32",
        Kind::Float64 => "FLOAT64",
        Kind::Int16 => "INT16",
        Kind::Int32 => "INT32",
        Kind::Int64 => "INT64",
        Kind::Int8 => "INT8",
        Kind::Map { .. } => "MAP",
        Kind::String => "STRING",
        Kind::Recursive(_) | Kind::Struct(_) => "STRUCT",
    }
}

/// Whether a STRUCT stands for a oneof.
fn is_union(schema: &Schema) -> bool {
    schema.name.as_deref().is_some_and(|name| name.starts_with(UNION))
        || schema.parameters.contains_key(GENERALIZED_UNION)
}

/// The column type of a wrapper message.
fn wrapped_kind(full_name: &str) -> Option<super::descriptor::Kind> {
    use super::descriptor::Kind;
    Some(match full_name.strip_prefix("google.protobuf.")? {
        "DoubleValue" => Kind::Double,
        "FloatValue" => Kind::Float,
        "Int64Value" => Kind::Int64,
        "UInt64Value" => Kind::Uint64,
        "Int32Value" => Kind::Int32,
        "UInt32Value" => Kind::Uint32,
        "BoolValue" => Kind::Bool,
        "StringValue" => Kind::String { strict: true },
        "BytesValue" => Kind::Bytes,
        _ => return None,
    })
}

const ENUM: &str = "io.confluent.connect.protobuf.Enum";
const UNION: &str = "io.confluent.connect.protobuf.Union";
const TAG: &str = "io.confluent.connect.protobuf.Tag";
const TYPE: &str = "io.confluent.connect.protobuf.Type";
const WRAPPER: &str = "io.confluent.connect.protobuf.Wrapper";
const GENERALIZED_UNION: &str = "org.apache.kafka.connect.data.Union";
const GENERALIZED_ENUM: &str = "org.apache.kafka.connect.data.Enum";
const CONNECT_TYPE: &str = "connect.type";
const CONNECT_PRECISION: &str = "connect.decimal.precision";
const PRECISION: &str = "precision";
const SCALE: &str = "scale";
const DECIMAL: &str = "confluent.type.Decimal";
const DATE: &str = "google.type.Date";
const TIME: &str = "google.type.TimeOfDay";
const TIMESTAMP: &str = "google.protobuf.Timestamp";
