//! Defaults of unions: Java takes them for the first branch that the class of what Avro read fits.

use lakeward_api::schema::Schema;
use lakeward_api::value::Value;

use super::super::mapping::{Mapping, ToConnect, from_connect};
use super::super::schema::{parse, print};

const ENUM: &str = r#"{"type":"enum","name":"E","symbols":["A"]}"#;
const FIXED: &str = r#"{"type":"fixed","name":"F","size":2}"#;
const RECORD: &str = r#"{"type":"record","name":"R","fields":[{"name":"a","type":"long"}]}"#;
const ENTRIES: &str = r#"{"type":"array","items":{"type":"record","name":"M","fields":[
    {"name":"key","type":"int"},{"name":"value","type":"long"}],"connect.internal.type":"MapEntry"}}"#;

/// The default of a field of the union `branches`.
fn default_of(branches: &str, default: &str, mapping: Mapping) -> Option<Value> {
    schema_of(branches, default, mapping).fields()[0].schema.default.clone()
}

fn schema_of(branches: &str, default: &str, mapping: Mapping) -> Schema {
    let field = format!(r#"{{"name":"f","type":[{branches}],"default":{default}}}"#);
    let avro = format!(r#"{{"type":"record","name":"Top","fields":[{field}]}}"#);
    let avro = parse(&avro, std::iter::empty()).unwrap();
    ToConnect::new(&avro, mapping, &mut 0).schema(None).unwrap()
}

fn members(values: &[Value]) -> Option<Value> {
    Some(Value::Struct(values.to_vec()))
}

#[test]
fn a_default_is_of_the_first_branch_that_the_class_of_its_value_fits() {
    let text = || Value::String("A".into());
    let bytes = || Value::Bytes(b"ab".to_vec().into());
    let map = || Value::Map(vec![(Value::String("a".into()), Value::Int64(7))]);
    let cases = [
        (r#""long","string""#.to_owned(), "7", members(&[Value::Int64(7), Value::Null])),
        (r#""null","long","string""#.to_owned(), "null", None),
        // A text is none of an enum, but one of a STRING.
        (format!(r#"{ENUM},"long""#), r#""A""#, None),
        (format!(r#"{ENUM},"long","string""#), r#""A""#, members(&[Value::Null, Value::Null, text()])),
        // Bytes are of the first BYTES, or the first fixed of their size.
        (format!(r#"{FIXED},"bytes""#), r#""ab""#, members(&[bytes(), Value::Null])),
        (format!(r#""bytes",{FIXED}"#), r#""ab""#, members(&[bytes(), Value::Null])),
        // A record is a map, whose values must fit.
        (format!(r#"{RECORD},"long""#), r#"{"a":7}"#, None),
        (
            format!(r#"{RECORD},{{"type":"map","values":"long"}}"#),
            r#"{"a":7}"#,
            members(&[Value::Null, map()]),
        ),
        (format!(r#"{RECORD},{{"type":"map","values":"int"}}"#), r#"{"a":7}"#, None),
        // Maps with other keys are lists of entries.
        (format!("{RECORD},{ENTRIES}"), r#"{"a":7}"#, None),
        // An INT8 is never found.
        (r#"{"type":"int","connect.type":"int8"},"string""#.to_owned(), "7", None),
    ];
    for (branches, default, expected) in cases {
        assert_eq!(default_of(&branches, default, Mapping::default()), expected, "{branches} {default}");
    }
}

#[test]
fn generalised_branches_are_counted_without_null() {
    let mapping = Mapping { generalized_sums: true, ..Mapping::default() };
    let text = Value::String("A".into());
    let found = default_of(&format!(r#"{ENUM},"string","null""#), r#""A""#, mapping);
    assert_eq!(found, members(&[Value::Null, text]));
    assert_eq!(default_of(&format!(r#"{ENUM},"null","string""#), r#""A""#, mapping), None);
}

#[test]
fn only_a_default_of_the_first_branch_is_written() {
    let mapping = Mapping { enhanced: true, ..Mapping::default() };
    let written = |branches: &str, default: &str| {
        let schema = schema_of(branches, default, mapping);
        let avro = print(&from_connect(&schema, mapping).unwrap());
        let avro: serde_json::Value = serde_json::from_str(&avro).unwrap();
        avro["fields"][0].get("default").cloned()
    };
    assert_eq!(written(r#""long","string""#, "7"), Some(7.into()));
    // The text is one of the second branch, for which null stands.
    assert_eq!(written(&format!(r#"{ENUM},"string""#), r#""A""#), None);
    let with_null = format!(r#"{ENUM},"string","null""#);
    assert_eq!(written(&with_null, r#""A""#), Some(serde_json::Value::Null));
}
