//! Avro schemas as Connect schemas and back, with the annotations (`connect.*`) that make both ways lossless.
//!
//! Source: `AvroData` of Confluent Schema Registry 8.

mod cycles;
mod default_in;
mod default_out;
mod from_connect;
mod names;
mod record_out;
mod to_connect;

use lakeward_api::schema::{Kind, Schema};

pub(super) use from_connect::from_connect;
pub(super) use names::{scrub_field, scrub_full, split};
pub(super) use to_connect::{NODES_MAX, ToConnect, branch_name, is_map_entry};

/// The settings that change the mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each is a setting of the same name that Kafka Connect has")]
pub(super) struct Mapping {
    /// `generalized.sum.type.support`.
    pub(super) generalized_sums: bool,
    /// `ignore.default.for.nullables`.
    pub(super) ignore_defaults: bool,
    /// `enhanced.avro.schema.support`.
    pub(super) enhanced: bool,
    /// `scrub.invalid.names`.
    pub(super) scrub: bool,
    /// `connect.meta.data`.
    pub(super) meta_data: bool,
    /// `discard.type.doc.default`.
    pub(super) discard_docs: bool,
    /// `allow.optional.map.keys`.
    pub(super) optional_map_keys: bool,
    /// `flatten.singleton.unions`.
    pub(super) flatten_singletons: bool,
}

impl Default for Mapping {
    fn default() -> Self {
        Self {
            generalized_sums: false,
            ignore_defaults: false,
            enhanced: false,
            scrub: false,
            meta_data: true,
            discard_docs: false,
            optional_map_keys: false,
            flatten_singletons: true,
        }
    }
}

impl Mapping {
    /// The parameter that makes a STRING an enum.
    fn enum_param(self) -> &'static str {
        if self.generalized_sums { GENERALIZED_ENUM } else { AVRO_ENUM }
    }

    /// Whether maps with such keys are Avro maps; others are arrays of entries.
    pub(super) fn is_avro_map(self, key: &Schema) -> bool {
        matches!(key.kind, Kind::String) && (!key.optional || self.optional_map_keys)
    }
}

/// Whether a STRUCT stands for an Avro union.
pub(super) fn is_union(schema: &Schema) -> bool {
    schema.name.as_deref() == Some(AVRO_UNION) || schema.parameters.contains_key(GENERALIZED_UNION)
}

/// Whether a STRING stands for an Avro enum.
pub(super) fn is_enum(schema: &Schema) -> bool {
    matches!(schema.kind, Kind::String)
        && (schema.parameters.contains_key(GENERALIZED_ENUM) || schema.parameters.contains_key(AVRO_ENUM))
}

/// The size when named BYTES stand for an Avro fixed.
pub(super) fn fixed_size(schema: &Schema) -> Option<&str> {
    if !matches!(schema.kind, Kind::Bytes) || schema.name.is_none() {
        return None;
    }
    schema.parameters.get(FIXED_SIZE).map(String::as_str)
}

pub(super) const NAMESPACE: &str = "io.confluent.connect.avro";
const DEFAULT_NAME: &str = "ConnectDefault";
const DEFAULT_FULL_NAME: &str = "io.confluent.connect.avro.ConnectDefault";
pub(super) const MAP_ENTRY: &str = "MapEntry";
const AVRO_UNION: &str = "io.confluent.connect.avro.Union";
const AVRO_ENUM: &str = "io.confluent.connect.avro.Enum";
const GENERALIZED_UNION: &str = "org.apache.kafka.connect.data.Union";
const GENERALIZED_ENUM: &str = "org.apache.kafka.connect.data.Enum";
const GENERALIZED_NAME: &str = "connect_union_";
const GENERALIZED_FIELD: &str = "connect_union_field_";
const RECORD_DOC: &str = "io.confluent.connect.avro.record.doc";
const ENUM_DOC: &str = "io.confluent.connect.avro.enum.doc.";
const ENUM_DEFAULT: &str = "io.confluent.connect.avro.enum.default.";
const FIELD_DOC: &str = "io.confluent.connect.avro.field.doc.";
const FIELD_DEFAULT: &str = "io.confluent.connect.avro.field.default";
const CONNECT_RECORD_DOC: &str = "connect.record.doc";
const CONNECT_ENUM_DOC: &str = "connect.enum.doc";
const CONNECT_NAME: &str = "connect.name";
const CONNECT_DOC: &str = "connect.doc";
const CONNECT_VERSION: &str = "connect.version";
const CONNECT_DEFAULT: &str = "connect.default";
const CONNECT_PARAMETERS: &str = "connect.parameters";
const CONNECT_TYPE: &str = "connect.type";
const INTERNAL_TYPE: &str = "connect.internal.type";
const LOGICAL_TYPE: &str = "logicalType";
const FIXED_SIZE: &str = "connect.fixed.size";
const DECIMAL_PRECISION: &str = "connect.decimal.precision";
const PRECISION_DEFAULT: i64 = 64;
const DECIMAL_NAME: &str = "org.apache.kafka.connect.data.Decimal";
/// Attributes that start with this are kept as parameters.
const AVRO_PROP: &str = "avro";
