//! Fuzz targets: each feeds some of the decoders.

use super::{Decoder, decoders};

/// The targets, with how the names of their decoders start.
pub const FUZZ_TARGETS: [(&str, &str); 22] = [
    ("avro", "AvroConverter"),
    ("date_pattern", "date pattern"),
    ("fields", "field"),
    ("header_literal", "header org.apache.kafka.connect.storage.SimpleHeaderConverter"),
    ("headers", "header "),
    ("java_regex", "regular expression"),
    ("json_envelope", "org.apache.kafka.connect.json.JsonConverter true"),
    ("json_path", "json path"),
    ("json_plain", "org.apache.kafka.connect.json.JsonConverter false"),
    ("json_schema", "JsonSchemaConverter"),
    ("json_validation", "checks JSON"),
    ("literal", "literal"),
    ("outbox", "outbox"),
    ("plain_bytes", "org.apache.kafka.connect."),
    ("protobuf", "ProtobufConverter"),
    ("resolve_avro", "resolution AVRO"),
    ("resolve_protobuf", "resolution PROTOBUF"),
    ("schema_avro", "schema Avro"),
    ("schema_declared", "schema declared"),
    ("schema_id", "schema id"),
    ("schema_json", "schema JSON"),
    ("schema_protobuf", "schema Protobuf"),
];

/// The decoders of the fuzz target called `target`: all whose names start as its entry says, except those
/// of a target with a longer start, which is more to the point.
///
/// # Panics
/// When there is no such target, or it has no decoder.
pub fn decoders_of(target: &str) -> Vec<Decoder> {
    let mut all = decoders();
    all.retain(|decoder| target_of(&decoder.name) == Some(target));
    assert!(!all.is_empty(), "the fuzz target {target} has no decoder");
    all
}

/// The target of the decoder called `name`.
fn target_of(name: &str) -> Option<&'static str> {
    let fitting = FUZZ_TARGETS.iter().filter(|(_, start)| name.starts_with(start));
    fitting.max_by_key(|(_, start)| start.len()).map(|(target, _)| *target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_decoder_has_a_fuzz_target_and_every_target_a_file() {
        let names: Vec<String> = decoders().into_iter().map(|decoder| decoder.name).collect();
        for name in &names {
            assert!(target_of(name).is_some(), "{name} is fuzzed by no target");
        }
        for (target, _) in FUZZ_TARGETS {
            assert!(names.iter().any(|name| target_of(name) == Some(target)), "{target} has no decoder");
            let file = format!("{}/../fuzz/fuzz_targets/{target}.rs", env!("CARGO_MANIFEST_DIR"));
            let text = std::fs::read_to_string(&file).unwrap_or_else(|err| panic!("{file}: {err}"));
            assert!(text.contains(&format!("decoders_of(\"{target}\")")), "{file} feeds other decoders");
        }
    }
}
