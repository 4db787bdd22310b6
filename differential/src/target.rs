//! What is compared: one line per converter direction, transform and predicate.

use crate::case::Case;
use crate::generate::registry::{avro, json_schema, protobuf};
use crate::generate::{converters, encode, transforms};
use crate::random::Random;

/// Something both sides can do.
pub struct Target {
    /// Name in reports and for `--only`.
    pub name: &'static str,
    /// Makes a case.
    pub make: fn(&mut Random) -> Case,
}

const fn target(name: &'static str, make: fn(&mut Random) -> Case) -> Target {
    Target { name, make }
}

/// All targets.
pub const TARGETS: [Target; 40] = [
    target("json-decode-envelope", converters::json_decode_envelope),
    target("json-decode-plain", converters::json_decode_plain),
    target("json-recode-envelope", converters::json_recode_envelope),
    target("json-recode-plain", converters::json_recode_plain),
    target("json-encode", encode::json_encode),
    target("string-decode", converters::string_decode),
    target("string-encode", encode::string_encode),
    target("bytes-decode", converters::bytes_decode),
    target("bytes-encode", encode::bytes_encode),
    target("number-decode", converters::number_decode),
    target("number-encode", encode::number_encode),
    target("header-decode", encode::header_decode),
    target("header-encode", encode::header_encode),
    target("avro-decode", avro::decode),
    target("avro-recode", avro::recode),
    target("avro-encode", avro::encode),
    target("json-schema-decode", json_schema::decode),
    target("json-schema-encode", json_schema::encode),
    target("protobuf-decode", protobuf::decode),
    target("protobuf-encode", protobuf::encode),
    target("cast", transforms::cast),
    target("chain", transforms::chain),
    target("drop-headers", transforms::drop_headers),
    target("extract-field", transforms::extract_field),
    target("filter", transforms::filter),
    target("flatten", transforms::flatten),
    target("header-from", transforms::header_from),
    target("hoist-field", transforms::hoist_field),
    target("insert-field", transforms::insert_field),
    target("insert-header", transforms::insert_header),
    target("mask-field", transforms::mask_field),
    target("regex-router", transforms::regex_router),
    target("replace-field", transforms::replace_field),
    target("set-schema-metadata", transforms::set_schema_metadata),
    target("timestamp-converter", transforms::timestamp_converter),
    target("timestamp-router", transforms::timestamp_router),
    target("value-to-key", transforms::value_to_key),
    target("has-header-key", transforms::has_header_key),
    target("record-is-tombstone", transforms::record_is_tombstone),
    target("topic-name-matches", transforms::topic_name_matches),
];
