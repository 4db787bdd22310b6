//! Pairs of schemas and what Avro says about them.

use super::differences;
use crate::avro::AvroSchema;

/// What stops `reader` from reading `writer`: the error types.
fn kinds(reader: &str, writer: &str) -> Vec<String> {
    let parse = |text: &str| AvroSchema::parse(text, &[]).unwrap();
    let kind = |text: String| text.split('\'').nth(1).unwrap().to_owned();
    differences(&parse(reader), &parse(writer)).into_iter().map(kind).collect()
}

fn record(fields: &str) -> String {
    format!(r#"{{"type":"record","name":"R","fields":[{fields}]}}"#)
}

#[test]
fn primitives_promote_one_way() {
    let readable = [
        ("long", "int"),
        ("float", "int"),
        ("float", "long"),
        ("double", "int"),
        ("double", "long"),
        ("double", "float"),
        ("string", "bytes"),
        ("bytes", "string"),
    ];
    let all = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"];
    for reader in all {
        for writer in all {
            let expected = reader == writer || readable.contains(&(reader, writer));
            assert_eq!(kinds(reader, writer).is_empty(), expected, "{reader} reads {writer}");
        }
    }
}

#[test]
fn a_new_field_needs_a_default() {
    let (one, two) = (
        record(r#"{"name":"a","type":"int"}"#),
        record(r#"{"name":"a","type":"int"},{"name":"b","type":"int"}"#),
    );
    let with_default = record(r#"{"name":"a","type":"int"},{"name":"b","type":"int","default":1}"#);
    assert_eq!(kinds(&two, &one), ["READER_FIELD_MISSING_DEFAULT_VALUE"]);
    assert!(kinds(&with_default, &one).is_empty());
    assert!(kinds(&one, &two).is_empty());
}

#[test]
fn aliases_of_fields_and_types_lead_to_the_old_names() {
    let old = r#"{"type":"record","name":"x.Old","fields":[{"name":"a","type":"int"}]}"#;
    let renamed = r#"{"type":"record","name":"x.New","aliases":["Old"],
        "fields":[{"name":"b","aliases":["a"],"type":"int"}]}"#;
    let without = r#"{"type":"record","name":"x.New","fields":[{"name":"a","type":"int"}]}"#;
    assert!(kinds(renamed, old).is_empty());
    assert_eq!(kinds(without, old), ["NAME_MISMATCH"]);
    let moved = r#"{"type":"record","name":"y.Old","fields":[{"name":"a","type":"int"}]}"#;
    assert!(kinds(moved, old).is_empty(), "only the simple name counts");
}

#[test]
fn unions_must_cover_every_written_branch() {
    assert!(kinds(r#"["null","int"]"#, r#""int""#).is_empty());
    assert!(kinds(r#"["null","long"]"#, r#"["int","null"]"#).is_empty());
    assert_eq!(kinds(r#"["null","int"]"#, r#"["null","string"]"#), ["MISSING_UNION_BRANCH"]);
    assert_eq!(kinds(r#"["null","int"]"#, r#""string""#), ["MISSING_UNION_BRANCH"]);
    assert!(kinds(r#""long""#, r#"["int","long"]"#).is_empty());
    assert_eq!(kinds(r#""int""#, r#"["int","null"]"#), ["TYPE_MISMATCH"]);
}

#[test]
fn enums_and_fixed_must_cover_what_was_written() {
    let all = r#"{"type":"enum","name":"E","symbols":["A","B"]}"#;
    let one = r#"{"type":"enum","name":"E","symbols":["A"]}"#;
    let fallback = r#"{"type":"enum","name":"E","symbols":["A"],"default":"A"}"#;
    assert!(kinds(all, one).is_empty());
    assert_eq!(kinds(one, all), ["MISSING_ENUM_SYMBOLS"]);
    assert!(kinds(fallback, all).is_empty());
    let fixed = |size: u8| format!(r#"{{"type":"fixed","name":"F","size":{size}}}"#);
    assert_eq!(kinds(&fixed(4), &fixed(5)), ["FIXED_SIZE_MISMATCH"]);
}

#[test]
fn containers_are_compared_inside() {
    let array = |items: &str| format!(r#"{{"type":"array","items":"{items}"}}"#);
    let map = |values: &str| format!(r#"{{"type":"map","values":"{values}"}}"#);
    assert!(kinds(&array("long"), &array("int")).is_empty());
    assert_eq!(kinds(&array("int"), &array("long")), ["TYPE_MISMATCH"]);
    assert_eq!(kinds(&map("int"), &map("string")), ["TYPE_MISMATCH"]);
    assert_eq!(kinds(&map("int"), &array("int")), ["TYPE_MISMATCH"]);
}

#[test]
fn recursive_records_end() {
    let list = |kind: &str| {
        record(&format!(r#"{{"name":"v","type":"{kind}"}},{{"name":"next","type":["null","R"]}}"#))
    };
    assert!(kinds(&list("long"), &list("int")).is_empty());
    assert_eq!(kinds(&list("int"), &list("long")), ["TYPE_MISMATCH"]);
}

#[test]
fn long_chains_of_types_are_too_large_to_compare() {
    let record = |at: usize, doc: &str| match at {
        0 => r#"{"type":"record","name":"R0","fields":[]}"#.to_owned(),
        _ => format!(
            r#"{{"type":"record","name":"R{at}"{doc},"fields":[{{"name":"a","type":"R{}"}}]}}"#,
            at - 1
        ),
    };
    let chain = |doc: &str| {
        let records: Vec<String> = (0..20_000).map(|at| record(at, doc)).collect();
        format!("[{}]", records.join(","))
    };
    // A branch near the end leads through all before it.
    assert!(!kinds(&chain(""), &chain(r#","doc":"x""#)).is_empty());
}
