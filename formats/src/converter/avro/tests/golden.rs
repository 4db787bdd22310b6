//! Schemas and payloads with the outcome of Java's `AvroData` (Confluent Schema Registry 8, Avro 1.12.1).
//!
//! One case per line: settings, Avro schema, version, payloads in hex, Connect schema, values, the Avro
//! schema that Java makes of the Connect schema, and the values as Java writes them. The variable
//! `LAKEWARD_AVRO_CASES` names a file with more cases.

use std::sync::Arc;

use lakeward_api::rows;
use lakeward_api::schema::Schema;
use serde_json::Value as Json;

use super::super::super::registry_framing::dump;
use super::super::mapping::{Mapping, ToConnect, from_connect};
use super::super::read::{Outcome, Reader};
use super::super::schema::{parse, print};
use super::super::write::Writer;

struct Case<'a> {
    settings: &'a str,
    mapping: Mapping,
    avro: &'a str,
    version: Option<i32>,
    payloads: Vec<Vec<u8>>,
    schema: &'a str,
    values: Vec<&'a str>,
    written_schema: &'a str,
    written: Vec<&'a str>,
}

fn case(line: &str) -> Case<'_> {
    let parts: Vec<&str> = line.split('\t').collect();
    let list = |at: usize, end: char| parts[at].split_terminator(end).collect::<Vec<_>>();
    Case {
        settings: parts[0],
        mapping: mapping(parts[0]),
        avro: parts[1],
        version: parts[2].parse().ok(),
        payloads: list(3, '|').into_iter().map(dump::unhex).collect(),
        schema: parts[4],
        values: list(5, '¦'),
        written_schema: parts[6],
        written: list(7, '|'),
    }
}

fn mapping(settings: &str) -> Mapping {
    let mut mapping = Mapping::default();
    for setting in settings.split_terminator(',') {
        let (name, value) = setting.split_once('=').unwrap();
        let flag = match name {
            "generalized.sum.type.support" => &mut mapping.generalized_sums,
            "ignore.default.for.nullables" => &mut mapping.ignore_defaults,
            "enhanced.avro.schema.support" => &mut mapping.enhanced,
            "scrub.invalid.names" => &mut mapping.scrub,
            "connect.meta.data" => &mut mapping.meta_data,
            "discard.type.doc.default" => &mut mapping.discard_docs,
            "allow.optional.map.keys" => &mut mapping.optional_map_keys,
            "flatten.singleton.unions" => &mut mapping.flatten_singletons,
            other => panic!("{other}"),
        };
        *flag = value == "true";
    }
    mapping
}

fn reader(avro: &str, version: Option<i32>, mapping: Mapping) -> Result<Reader, String> {
    let avro = parse(avro, std::iter::empty()).map_err(|fault| format!("{fault:?}"))?;
    let schema =
        ToConnect::new(&avro, mapping, &mut 0).schema(version).map_err(|fault| format!("{fault:?}"))?;
    Reader::new(&avro, Arc::new(schema), mapping).map_err(|fault| format!("{fault:?}"))
}

/// What a reader makes of each payload.
fn values(reader: &mut Reader, payloads: &[Vec<u8>]) -> Vec<String> {
    let mut outcome = Vec::new();
    for payload in payloads {
        outcome.push(match reader.read(payload) {
            Err(fault) => format!("error {fault:?}"),
            Ok(Outcome::Null) => "null".to_owned(),
            Ok(Outcome::Value) => {
                let array = reader.finish();
                assert_eq!(array.data_type(), &reader.schema.arrow_type());
                dump::value(&rows::value_at(&reader.schema, &array, 0))
            }
        });
    }
    outcome
}

/// Symbols and parameters have no order here.
fn unordered(json: &mut Json) {
    match json {
        Json::Array(items) => items.iter_mut().for_each(unordered),
        Json::Object(members) => {
            if let Some(Json::Array(symbols)) = members.get_mut("symbols") {
                symbols.sort_by_key(ToString::to_string);
            }
            members.values_mut().for_each(unordered);
        }
        Json::Number(number) => {
            if let Some(double) = number.as_f64() {
                *json = Json::from(double);
            }
        }
        _ => {}
    }
}

fn same_schema(left: &str, right: &str) -> bool {
    let read = |text: &str| {
        let mut json: Json = serde_json::from_str(text).unwrap();
        unordered(&mut json);
        json
    };
    read(left) == read(right)
}

/// Differences between Java and us, and what was written for Java to read.
fn differences(line: &str, written: &mut Vec<String>) -> Vec<String> {
    let case = case(line);
    let mut found = Vec::new();
    let mut reader = match reader(case.avro, case.version, case.mapping) {
        Ok(reader) => reader,
        Err(_) if case.schema == "error" => return found,
        Err(fault) => return vec![format!("no reader: {fault}, but Java: {}", case.schema)],
    };
    if case.schema == "error" && case.values.iter().copied().any(is_lost_branch) {
        return found;
    }
    if case.schema == "error" {
        // Java fails for the value, not for the schema.
        let ours = values(&mut reader, &case.payloads);
        found
            .extend(ours.iter().filter(|ours| !ours.starts_with("error")).map(|ours| format!("read {ours}")));
        return found;
    }
    let schema = Arc::clone(&reader.schema);
    let ours = dump::schema(&schema);
    if ours != case.schema {
        found.push(format!("schema\n  ours {ours}\n  java {}", case.schema));
        return found;
    }
    for (ours, java) in values(&mut reader, &case.payloads).iter().zip(&case.values) {
        // Java looks for the branch by the value's class, and does not find all of them.
        let lost_branch = is_lost_branch(java);
        let null_key = ours.contains("null as a key") && java.contains("null:");
        let both_fail = ours.starts_with("error") && java.starts_with("error");
        if !(ours == java || both_fail || null_key || lost_branch) {
            found.push(format!("value\n  ours {ours}\n  java {java}"));
        }
    }
    found.extend(written_differences(&case, &schema, &mut reader, written));
    found
}

fn is_lost_branch(java: &str) -> bool {
    // Generalised unions count null as a branch in names, but not when Java looks for one.
    let marks = ["matching union field", "is not a valid field name", "connect_union_field_"];
    marks.iter().any(|mark| java.contains(mark))
}

fn written_differences(
    case: &Case<'_>,
    schema: &Schema,
    reader: &mut Reader,
    written: &mut Vec<String>,
) -> Option<String> {
    let avro = match from_connect(schema, case.mapping) {
        Ok(avro) => avro,
        Err(_) if case.written_schema.starts_with("error") => return None,
        Err(fault) => return Some(format!("not writable: {fault:?}, but Java: {}", case.written_schema)),
    };
    let text = print(&avro);
    if case.written_schema.starts_with("error") || !same_schema(&text, case.written_schema) {
        return Some(format!("written schema\n  ours {text}\n  java {}", case.written_schema));
    }
    let unprinted = Writer::new(&avro, schema, case.mapping);
    let avro = parse(&text, std::iter::empty()).unwrap();
    let writer = match Writer::new(&avro, schema, case.mapping) {
        Ok(writer) => writer,
        // Two types of one name are one in the text: Java writes what nobody can read, we refuse.
        Err(_) if unprinted.is_ok() => return None,
        Err(fault) => return Some(format!("no writer: {fault:?}")),
    };
    let mut payloads = Vec::new();
    let mut sent = Vec::new();
    for (payload, java) in case.payloads.iter().zip(&case.written) {
        if reader.read(payload) != Ok(Outcome::Value) {
            continue;
        }
        let array = reader.finish();
        let mut out = Vec::new();
        let outcome = writer.write(&writer.bind(&array), 0, &mut out);
        match (outcome, *java) {
            (Err(_), "error") => {}
            (Err(fault), _) => return Some(format!("not written: {fault:?}, but Java: {java}")),
            // Entries of maps and symbols come in another order; Java reads these.
            (Ok(()), _) => {
                payloads.push(dump::hex(&out));
                sent.push(dump::value(&rows::value_at(schema, &array, 0)));
            }
        }
    }
    written.push(format!("{}\t{text}\t{}\t{}¦", case.settings, payloads.join("|"), sent.join("¦")));
    None
}

/// Fails on differences; answers what was written, for Java to read.
fn check(cases: &str) -> Vec<String> {
    let mut failed = Vec::new();
    let mut written = Vec::new();
    let mut count = 0;
    for (number, line) in cases.lines().enumerate() {
        count += 1;
        let found = differences(line, &mut written);
        if !found.is_empty() {
            failed.push(format!(
                "case {}: {}\n{}",
                number + 1,
                line.split('\t').nth(1).unwrap(),
                found.join("\n")
            ));
        }
    }
    assert!(count > 0, "no cases");
    assert!(
        failed.is_empty(),
        "{} of {count} cases differ:\n{}",
        failed.len(),
        failed[..failed.len().min(5)].join("\n\n")
    );
    written
}

#[test]
fn schemas_and_values_are_those_of_java() {
    check(include_str!("golden.tsv"));
    if let Ok(path) = std::env::var("LAKEWARD_AVRO_CASES") {
        let written = check(&std::fs::read_to_string(&path).unwrap());
        std::fs::write(format!("{path}.written"), written.join("\n")).unwrap();
    }
}
