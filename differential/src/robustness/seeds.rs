//! Inputs that a fuzzer starts with: sound ones, above all of types that contain themselves, and short
//! members of the families.

use lakeward_registry::SchemaType;

use super::recursive::examples;
use super::registered::{SCHEMAS, with_magic};
use super::{FAMILIES, decoders_of};
use crate::case::{Case, Items};
use crate::random::Random;
use crate::target::TARGETS;

/// Payloads of each kind.
const SOUND: u64 = 24;
/// Bytes of a member of a family.
const FAMILY_BYTES: usize = 96;

/// The seeds of a fuzz target; the same each time.
///
/// # Panics
/// When there is no such target.
pub fn seeds(target: &str) -> Vec<Vec<u8>> {
    let random = &mut Random::part(1, target, 0);
    let mut all = match target {
        "avro" => payloads(random, SchemaType::Avro, "avro-decode"),
        "json_schema" => payloads(random, SchemaType::Json, "json-schema-decode"),
        "protobuf" => payloads(random, SchemaType::Protobuf, "protobuf-decode"),
        "schema_avro" => texts(random, SchemaType::Avro),
        "schema_json" => texts(random, SchemaType::Json),
        "schema_protobuf" => texts(random, SchemaType::Protobuf),
        "schema_declared" => [texts(random, SchemaType::Avro), texts(random, SchemaType::Json)].concat(),
        "resolve_avro" => changed(random, SchemaType::Avro),
        "resolve_protobuf" => changed(random, SchemaType::Protobuf),
        "json_validation" => checked(random),
        "json_envelope" => [sound("json-decode-envelope"), nested(ENVELOPE)].concat(),
        "json_plain" => [sound("json-decode-plain"), nested("PAYLOAD")].concat(),
        "header_literal" | "headers" | "literal" => sound("header-decode"),
        "plain_bytes" => [sound("number-decode"), sound("string-decode"), sound("bytes-decode")].concat(),
        "schema_id" => vec![b"\0\0\0\0\x01\n\x02\x02x".to_vec(), b"\x01aaaaaaaaaaaaaaaa\n\x00".to_vec()],
        _ => Vec::new(),
    };
    let names: Vec<String> = decoders_of(target).into_iter().map(|decoder| decoder.name).collect();
    let families = FAMILIES.iter().filter(|family| names.iter().any(|name| family.is_for(name)));
    all.extend(families.map(|family| family.of_size(FAMILY_BYTES)));
    all
}

/// What the differential test gives to the decoder of its target called `name`.
fn sound(name: &str) -> Vec<Vec<u8>> {
    let target = TARGETS.iter().find(|target| target.name == name).expect("a target of the comparison");
    let of_case = |case: Case| match case.items {
        Items::Decode(payloads) => payloads,
        Items::DecodeHeader(headers) => headers.into_iter().map(|(_, payload)| payload).collect(),
        _ => Vec::new(),
    };
    let payloads = (0..SOUND).flat_map(|case| of_case((target.make)(&mut Random::part(1, name, case))));
    payloads.flatten().filter(|payload| payload.len() < 1024).collect()
}

/// Payloads of types that contain themselves, and of others.
fn payloads(random: &mut Random, kind: SchemaType, target: &str) -> Vec<Vec<u8>> {
    let mut all = sound(target);
    for _ in 0..SOUND {
        all.extend(examples(random, kind).into_iter().map(|(_, body)| with_magic(body)));
    }
    all
}

/// Texts of schemas.
fn texts(random: &mut Random, kind: SchemaType) -> Vec<Vec<u8>> {
    let known = SCHEMAS.iter().filter(|(known, ..)| *known == kind).map(|(_, _, text)| text.to_string());
    let recursive = examples(random, kind).into_iter().map(|(text, _)| text);
    known.chain(recursive).map(|text| line(&text)).collect()
}

/// Schemas that contain themselves, read as they were written and with a difference.
fn changed(random: &mut Random, kind: SchemaType) -> Vec<Vec<u8>> {
    let change: fn(&str) -> String = match kind {
        SchemaType::Protobuf => |text| text.replacen('{', "{ string more = 100; ", 1),
        _ => |text| {
            let more = r#""fields":[{"name":"more","type":"string","default":"x"},"#;
            text.replacen("\"fields\":[", more, 1).replace("\"int\"", "\"long\"")
        },
    };
    let mut all = Vec::new();
    for (text, body) in (0..SOUND).flat_map(|_| examples(random, kind)) {
        let (one, two) = (line(&text), line(&change(&text)));
        all.push([one.as_slice(), b"\n", &one, b"\n", &body].concat());
        all.push([one.as_slice(), b"\n", &two, b"\n", &body].concat());
        all.push([two.as_slice(), b"\n", &one, b"\n", &body].concat());
    }
    all
}

/// Schemas with all that can be checked, and those that contain themselves, with payloads.
fn checked(random: &mut Random) -> Vec<Vec<u8>> {
    let recursive = (0..SOUND).flat_map(|_| examples(random, SchemaType::Json)).collect::<Vec<_>>();
    let rules = RULES.iter().map(|(text, body)| ((*text).to_owned(), body.as_bytes().to_vec()));
    let all = recursive.into_iter().chain(rules);
    all.map(|(text, body)| [line(&text).as_slice(), b"\n", &body].concat()).collect()
}

/// Values within values, where `PAYLOAD` stands.
fn nested(around: &str) -> Vec<Vec<u8>> {
    let tree = |levels: usize| {
        let node =
            |inner: String, _| format!(r#"{{"v":1,"next":{inner},"all":[{inner}],"by":{{"k":null}}}}"#);
        (0..levels).fold("null".to_owned(), node)
    };
    (0..5).map(|levels| around.replace("PAYLOAD", &tree(levels)).into_bytes()).collect()
}

/// `text` without line breaks.
fn line(text: &str) -> Vec<u8> {
    text.replace('\n', " ").into_bytes()
}

/// An envelope as deep as types without recursion go.
const ENVELOPE: &str = r#"{"schema":{"type":"struct","name":"Tree","fields":[{"field":"v","type":"int32"},
    {"field":"next","type":"struct","name":"Tree","optional":true,"fields":[{"field":"v","type":"int32"},
    {"field":"next","type":"struct","name":"Tree","optional":true,"fields":[]}]},
    {"field":"all","type":"array","items":{"type":"struct","optional":true,"fields":[]}},
    {"field":"by","type":"map","keys":{"type":"string"},"values":{"type":"int8","optional":true}}]},
    "payload":PAYLOAD}"#;

/// JSON Schemas full of rules, with payloads that keep to them.
const RULES: [(&str, &str); 6] = [
    (
        r#"{"type":"object","properties":{"a":{"type":"integer","minimum":1,"exclusiveMaximum":9,
        "multipleOf":2},"b":{"type":"string","minLength":1,"maxLength":3,"pattern":"^a+$",
        "format":"date-time"}},"required":["a"],"additionalProperties":false,"minProperties":1,
        "maxProperties":2,"dependencies":{"b":["a"]},"propertyNames":{"maxLength":1}}"#,
        r#"{"a":4,"b":"aa"}"#,
    ),
    (
        r#"{"type":"array","items":{"anyOf":[{"const":1},{"enum":["x",null]},{"type":"boolean"}]},
        "uniqueItems":true,"minItems":1,"maxItems":3,"contains":{"const":1}}"#,
        r#"[1,"x",true]"#,
    ),
    (
        r#"{"type":"object","if":{"properties":{"a":{"const":1}}},"then":{"required":["b"]},"else":
        {"not":{"required":["b"]}},"properties":{"a":{"type":"number"},"b":{"type":"string"}}}"#,
        r#"{"a":1,"b":"x"}"#,
    ),
    (
        r##"{"$schema":"https://json-schema.org/draft/2020-12/schema","$ref":"#/$defs/t","$defs":{"t":
        {"type":"object","properties":{"n":{"type":"integer"},"t":{"oneOf":[{"type":"null"},
        {"$ref":"#/$defs/t"}]}},"unevaluatedProperties":false,"dependentRequired":{"t":["n"]}}}}"##,
        r#"{"n":1,"t":{"n":2,"t":null}}"#,
    ),
    (
        r#"{"type":"array","items":[{"type":"integer"},{"type":"string"}],"additionalItems":false}"#,
        r#"[1,"x"]"#,
    ),
    (
        r#"{"type":"object","patternProperties":{"^a":{"type":"integer"}},"additionalProperties":
        {"type":"string","format":"email"}}"#,
        r#"{"a1":1,"b":"x@example.org"}"#,
    ),
];

#[cfg(test)]
mod tests {
    use super::super::FUZZ_TARGETS;
    use super::*;

    #[test]
    fn every_target_starts_with_inputs_that_its_decoders_bear() {
        for (target, _) in FUZZ_TARGETS {
            let seeds = seeds(target);
            assert!(seeds.len() >= 10, "{target} has only {} seeds", seeds.len());
            for decoder in &mut decoders_of(target) {
                seeds.iter().take(SEEDS_FED).for_each(|seed| decoder.feed(seed));
            }
        }
    }

    /// Enough to notice a mistake in a seed; a fuzzer feeds them all.
    const SEEDS_FED: usize = 60;
}
