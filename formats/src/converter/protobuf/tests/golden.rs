//! Schemas and values against Java's own.
//!
//! `golden.tsv` was written by `ProtobufData` of Confluent Schema Registry 8.5 with protobuf-java 4.34, from
//! random files, settings and messages: settings, file, version, payloads, Connect schema, values, the file
//! that Java writes for that schema, and the payloads that it writes for these values. Lines of the written
//! file end with `⏎`. The variable `LAKEWARD_PROTOBUF_CASES` names a file of more such cases.

use std::sync::Arc;

use arrow_array::Array;
use lakeward_api::rows;

use super::super::super::registry_framing::dump;
use super::super::descriptor::Pool;
use super::super::mapping::{Mapping, from_connect};
use super::super::read::Reader;
use super::super::write::Writer;

pub(super) struct Case<'a> {
    pub(super) settings: &'a str,
    pub(super) text: &'a str,
    pub(super) version: Option<i32>,
    pub(super) payloads: Vec<Vec<u8>>,
    schema: &'a str,
    values: Vec<&'a str>,
    written_text: &'a str,
    written: Vec<&'a str>,
}

pub(super) fn case(line: &str) -> Case<'_> {
    let parts: Vec<&str> = line.split('\t').collect();
    let [settings, text, version, payloads, schema, values, written_text, written] = parts[..] else {
        panic!("not a case: {line}")
    };
    Case {
        settings,
        text,
        version: version.parse().ok(),
        payloads: payloads.split('|').map(dump::unhex).collect(),
        schema,
        values: values.split('¦').collect(),
        written_text,
        written: written.split('|').collect(),
    }
}

pub(super) fn mapping(settings: &str) -> Mapping {
    let mut mapping = Mapping::default();
    for setting in settings.split_terminator(',') {
        let (key, value) = setting.split_once('=').unwrap();
        let flag = match key {
            "generalized.sum.type.support" => &mut mapping.generalized_sums,
            "ignore.default.for.nullables" => &mut mapping.ignore_defaults,
            "enhanced.protobuf.schema.support" => &mut mapping.enhanced,
            "scrub.invalid.names" => &mut mapping.scrub,
            "int.for.enums" => &mut mapping.int_enums,
            "optional.for.nullables" => &mut mapping.optionals,
            "optional.for.proto2" => &mut mapping.proto2_optionals,
            "wrapper.for.nullables" => &mut mapping.wrappers,
            "wrapper.for.raw.primitives" => &mut mapping.raw_wrappers,
            "generate.struct.for.nulls" => &mut mapping.null_structs,
            "generate.index.for.unions" => &mut mapping.union_index,
            "flatten.unions" => &mut mapping.flatten_unions,
            other => panic!("{other}"),
        };
        *flag = value == "true";
    }
    mapping
}

/// A reader of the message `Root` of a file.
pub(super) fn reader(case: &Case<'_>) -> Result<Reader, String> {
    let pool = Pool::parse(case.text, &[]).map_err(|fault| format!("{fault:?}"))?;
    let root = pool.top.iter().find(|id| pool.messages[**id].name == "Root").unwrap();
    Reader::new(&pool, *root, mapping(case.settings), case.version).map_err(|fault| format!("{fault:?}"))
}

/// What a reader makes of a payload.
pub(super) fn value(reader: &mut Reader, payload: &[u8]) -> Result<String, String> {
    let outcome = reader.read(payload);
    let array = reader.finish();
    assert_eq!(array.len(), usize::from(outcome.is_ok()), "a failed row left a trace");
    assert_eq!(array.data_type(), &reader.schema.arrow_type());
    outcome
        .map(|()| dump::value(&rows::value_at(&reader.schema, &array, 0)))
        .map_err(|fault| format!("{fault:?}"))
}

/// Where Java leaves what columns cannot hold: a required field without a value, a decimal of another scale.
fn is_refused_on_purpose(fault: &str) -> bool {
    fault.contains("null used for required field") || fault.contains("mismatching scale")
}

/// Differences between Java and us.
fn differences(line: &str) -> Vec<String> {
    let case = case(line);
    let mut found = Vec::new();
    let mut reader = match reader(&case) {
        Ok(reader) => reader,
        Err(fault) => return vec![format!("no reader: {fault}, but Java: {}", case.schema)],
    };
    let ours = dump::schema(&reader.schema);
    if ours != case.schema {
        return vec![format!("schema\n  ours {ours}\n  java {}", case.schema)];
    }
    for (payload, java) in case.payloads.iter().zip(&case.values) {
        match value(&mut reader, payload) {
            Ok(ours) if ours == *java => {}
            Err(fault) if java.starts_with("error") || is_refused_on_purpose(&fault) => {}
            ours => found.push(format!("value\n  ours {ours:?}\n  java {java}\n  of {}", dump::hex(payload))),
        }
    }
    found.extend(written_differences(&case, &mut reader));
    found
}

fn written_differences(case: &Case<'_>, reader: &mut Reader) -> Option<String> {
    let schema = Arc::clone(&reader.schema);
    let design = match from_connect(&schema, mapping(case.settings)) {
        Ok(design) => design,
        Err(_) if case.written_text.starts_with("error") || case.written_text.is_empty() => return None,
        Err(fault) => return Some(format!("not writable: {fault:?}, but Java: {}", case.written_text)),
    };
    let text = design.text.replace('\n', "⏎");
    let is_same = text == case.written_text;
    if !case.written_text.starts_with("error") && !case.written_text.is_empty() && !is_same {
        return Some(format!("written file\n  ours {text}\n  java {}", case.written_text));
    }
    for (payload, java) in case.payloads.iter().zip(&case.written) {
        if reader.read(payload).is_err() {
            continue;
        }
        let array = reader.finish();
        let mut out = Vec::new();
        let outcome = Writer::new(&design.root, &array).and_then(|writer| writer.write(0, &mut out));
        // Entries of maps come in another order.
        let is_same = |java: &str| {
            dump::hex(&out) == java
                || (case.text.contains("map<") && sorted(&out) == sorted(&dump::unhex(java)))
        };
        match (outcome, *java) {
            (_, "error") => {}
            (Err(fault), _) => return Some(format!("not written: {fault:?}, but Java: {java}")),
            (Ok(()), java) if is_same(java) => {}
            (Ok(()), java) => {
                return Some(format!("bytes\n  ours {}\n  java {java}\n  file {text}", dump::hex(&out)));
            }
        }
    }
    None
}

fn sorted(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes.sort_unstable();
    bytes
}

/// Fails on differences.
fn check(cases: &str) {
    let mut failed = Vec::new();
    let mut count = 0;
    for (number, line) in cases.lines().enumerate() {
        count += 1;
        let found = differences(line);
        if !found.is_empty() {
            let text = line.split('\t').take(2).collect::<Vec<_>>().join("\n");
            failed.push(format!("case {}: {text}\n{}", number + 1, found.join("\n")));
        }
    }
    assert!(count > 0, "no cases");
    let shown = failed[..failed.len().min(8)].join("\n\n");
    assert!(failed.is_empty(), "{} of {count} cases differ:\n{shown}", failed.len());
}

#[test]
fn schemas_values_and_bytes_are_those_of_java() {
    check(include_str!("golden.tsv"));
    if let Ok(path) = std::env::var("LAKEWARD_PROTOBUF_CASES") {
        check(&std::fs::read_to_string(path).unwrap());
    }
}
