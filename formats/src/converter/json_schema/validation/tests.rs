//! Rules of every draft, what hostile schemas cost, and the words of refusals.

use lakeward_registry::{RegisteredSchema, SchemaText, SchemaType};

use super::{Dialects, Validator};
use crate::converter::json_schema::fault::{READING, WRITING};

fn registered(text: &str, others: &[(&str, &str)]) -> RegisteredSchema {
    let schema = SchemaText { kind: SchemaType::Json, text: text.into(), references: Vec::new() };
    let dependencies = others.iter().map(|(name, text)| ((*name).to_owned(), (*text).into())).collect();
    RegisteredSchema { id: 1, guid: None, version: Some(1), schema, dependencies }
}

fn validator(text: &str) -> Validator {
    Validator::new(&registered(text, &[]), Dialects::All).unwrap_or_else(|fault| panic!("{text}: {fault:?}"))
}

/// What is wrong with `value`; empty when nothing is.
fn problem(schema: &str, value: &str) -> String {
    let value = serde_json::from_str(value).unwrap();
    validator(schema).violation(&value).map_or_else(String::new, |violation| violation.message_with_pointer())
}

/// Schema, value, and what is said; nothing for a valid value.
const WORDS: &[(&str, &str, &str)] = &[
    (r#"{"type":"string"}"#, "1", "#: expected type: String, found: Integer"),
    (r#"{"type":"string"}"#, "null", "#: expected type: String, found: Null"),
    (r#"{"type":"integer"}"#, "1.0", "#: expected type: Integer, found: BigDecimal"),
    (r#"{"type":"integer"}"#, "12345678901", ""),
    (r#"{"type":"string"}"#, "12345678901", "#: expected type: String, found: Long"),
    (r#"{"type":"string"}"#, "1234567890123456789012", "#: expected type: String, found: BigInteger"),
    (r#"{"type":"null"}"#, "1", "#: expected: null, found: Integer"),
    (r#"{"type":"array"}"#, "{}", "#: expected type: JSONArray, found: JSONObject"),
    (r#"{"required":["a","b"]}"#, "{}", "#: 2 schema violations found"),
    (r#"{"properties":{"a":{"required":["x"]}}}"#, r#"{"a":{}}"#, "#/a: required key [x] not found"),
    (
        r#"{"type":"object","additionalProperties":false}"#,
        r#"{"z":2}"#,
        "#: extraneous key [z] is not permitted",
    ),
    (r#"{"minProperties":2}"#, "{}", "#: minimum size: [2], found: [0]"),
    (r#"{"maxProperties":0}"#, r#"{"a":1}"#, "#: maximum size: [0], found: [1]"),
    (r#"{"dependencies":{"a":["b"]}}"#, r#"{"a":1}"#, "#: property [b] is required"),
    (r#"{"propertyNames":{"maxLength":1}}"#, r#"{"aa":1}"#, "#/aa: expected maxLength: 1, actual: 2"),
    (
        r#"{"patternProperties":{"^a":{"type":"string"}}}"#,
        r#"{"aa":1}"#,
        "#/aa: expected type: String, found: Integer",
    ),
    (r#"{"type":"string","pattern":"^x"}"#, "\"ab\"", "#: string [ab] does not match pattern ^x"),
    (r#"{"format":"date"}"#, "\"ab\"", "#: [ab] is not a valid date. Expected [yyyy-MM-dd]"),
    (r#"{"minimum":3}"#, "2", "#: 2 is not greater or equal to 3"),
    (r#"{"maximum":3}"#, "4.5", "#: 4.5 is not less or equal to 3"),
    (r#"{"exclusiveMinimum":3}"#, "3", "#: 3 is not greater than 3"),
    (r#"{"exclusiveMaximum":3}"#, "3", "#: 3 is not less than 3"),
    (r#"{"multipleOf":3}"#, "4", "#: 4 is not a multiple of 3"),
    (r#"{"minItems":2}"#, "[1]", "#: expected minimum item count: 2, found: 1"),
    (r#"{"maxItems":0}"#, "[1]", "#: expected maximum item count: 0, found: 1"),
    (r#"{"uniqueItems":true}"#, "[1,1.0]", "#: array items are not unique"),
    (
        r#"{"contains":{"type":"string"}}"#,
        "[1]",
        "#: expected at least one array item to match 'contains' schema",
    ),
    (
        r#"{"items":[{"type":"string"}],"additionalItems":false}"#,
        "[\"a\",1]",
        "#: expected: [1] array items, found: [2]",
    ),
    (r#"{"enum":[1,"a",null]}"#, "\"b\"", "#: b is not a valid enum value"),
    (r#"{"enum":[1]}"#, "1.0", ""),
    (r#"{"const":1}"#, "2", "#: "),
    (r#"{"type":"string","enum":["a"]}"#, "\"b\"", "#: #: only 1 subschema matches out of 2"),
    (r#"{"oneOf":[{"type":"null"},{"type":"string"}]}"#, "true", "#: #: 0 subschemas matched instead of one"),
    (
        r#"{"anyOf":[{"type":"null"},{"type":"string"}]}"#,
        "true",
        "#: #: no subschema matched out of the total 2 subschemas",
    ),
    (
        r#"{"not":{"type":"string"}}"#,
        "\"a\"",
        r#"#: subject must not be valid against schema {"type":"string"}"#,
    ),
    (r#"{"properties":{"a":false}}"#, r#"{"a":1}"#, "#/a: false schema always fails"),
    (
        r#"{"if":{"type":"string"},"then":{"minLength":3}}"#,
        "\"a\"",
        "#: input is invalid against the \"then\" schema",
    ),
    (
        r##"{"properties":{"a~/b":{"$ref":"#/definitions/x"}},"definitions":{"x":{"type":"string"}}}"##,
        r#"{"a~/b":1}"#,
        "#/a~0~1b: expected type: String, found: Integer",
    ),
];

#[test]
fn violations_are_worded_as_java_words_them() {
    for (schema, value, expected) in WORDS {
        assert_eq!(problem(schema, value), *expected, "{schema} {value}");
    }
}

#[test]
fn every_draft_is_read_by_its_own_rules() {
    let old = "http://json-schema.org/draft-04/schema#";
    let six = "http://json-schema.org/draft-06/schema#";
    let seven = "http://json-schema.org/draft-07/schema#";
    let y2019 = "https://json-schema.org/draft/2019-09/schema";
    let y2020 = "https://json-schema.org/draft/2020-12/schema";
    let all = [old, six, seven, y2019, y2020];
    // Keywords, a value, and in which drafts it is good.
    let cases = [
        (r#""minimum":3,"exclusiveMinimum":true"#, "3", [false, true, true, true, true]),
        (r#""exclusiveMinimum":3"#, "3", [true, false, false, false, false]),
        (r#""const":1"#, "2", [true, false, false, false, false]),
        (r#""contains":{"type":"string"}"#, "[1]", [true, false, false, false, false]),
        (r#""if":true,"then":false"#, "1", [true, true, false, false, false]),
        (r#""type":"integer""#, "1.0", [false, false, false, true, true]),
        (r#""dependentRequired":{"a":["b"]}"#, r#"{"a":1}"#, [true, true, true, false, false]),
        (
            r#""dependentSchemas":{"a":{"maxProperties":1}}"#,
            r#"{"a":1,"b":2}"#,
            [true, true, true, false, false],
        ),
        (r#""prefixItems":[{"type":"string"}],"items":false"#, "[\"a\"]", [false, false, false, false, true]),
        (r#""prefixItems":[{"type":"string"}]"#, "[1]", [true, true, true, true, false]),
        (r#""contains":{"type":"string"},"minContains":0"#, "[1]", [true, false, false, true, true]),
        (r#""contains":true,"maxContains":1"#, "[1,2]", [true, true, true, false, false]),
        (
            r##""$ref":"#/definitions/n","maximum":3,"definitions":{"n":{"type":"integer"}}"##,
            "4",
            [true, true, true, false, false],
        ),
        (r#""format":"date""#, "\"x\"", [false, false, false, true, true]),
    ];
    for (keywords, value, expected) in cases {
        for (draft, is_good) in all.iter().zip(expected) {
            let schema = format!("{{\"$schema\":\"{draft}\",{keywords}}}");
            assert_eq!(problem(&schema, value).is_empty(), is_good, "{schema} {value}");
        }
    }
    let modern = registered(&format!("{{\"$schema\":\"{y2020}\",\"type\":\"integer\"}}"), &[]);
    let as_seven = Validator::new(&modern, Dialects::Older).unwrap();
    assert!(as_seven.check_read(b"1.0").is_err(), "ignore.modern.dialects");
    for name in ["unevaluatedProperties", "$dynamicRef"] {
        let schema = registered(&format!("{{\"$schema\":\"{y2020}\",\"{name}\":false}}"), &[]);
        let fault = Validator::new(&schema, Dialects::All).unwrap_err();
        assert!(format!("{fault:?}").contains(name), "{fault:?}");
    }
}

#[test]
fn hostile_schemas_cost_little() {
    let deep = "[".repeat(100) + &"]".repeat(100);
    let doubled = r##"{"anyOf":[{"items":{"$ref":"#"},"minItems":1},{"items":{"$ref":"#"},"minItems":1}]}"##;
    assert!(problem(doubled, &deep).contains("more steps"), "{}", problem(doubled, &deep));
    for endless in [r##"{"$ref":"#"}"##, r##"{"allOf":[{"$ref":"#"}]}"##, r##"{"not":{"$ref":"#"}}"##] {
        assert!(problem(endless, "1").contains("nested too deeply"), "{endless}");
    }
    let long = format!("\"{}!\"", "a".repeat(5000));
    assert!(!problem(r#"{"pattern":"^(a+)+$"}"#, &long).is_empty());
    assert!(problem(r#"{"pattern":"^(?=(a+)+$)(a|aa)+\\1$"}"#, &long).contains("more steps"));
    let large = registered(r#"{"pattern":"(((a{1000}){1000}){1000})"}"#, &[]);
    assert!(Validator::new(&large, Dialects::All).is_err());
    for remote in ["http://example.com/other.json", "file:///etc/passwd", "#/definitions/none"] {
        let schema = registered(&format!("{{\"$ref\":\"{remote}\"}}"), &[]);
        let fault = Validator::new(&schema, Dialects::All).unwrap_err();
        assert!(format!("{fault:?}").contains("names nothing that is registered"), "{fault:?}");
    }
    let many: Vec<String> = (0..2000).map(|row| row.to_string()).collect();
    assert!(problem(r#"{"uniqueItems":true}"#, &format!("[{}]", many.join(","))).contains("more steps"));
}

#[test]
fn references_to_registered_schemas_are_followed() {
    let schema = r#"{"$id":"http://example.com/line.json","properties":{"a":{"$ref":"point.json"}}}"#;
    let others = [("point.json", r#"{"properties":{"x":{"type":"integer"}}}"#)];
    let validator = Validator::new(&registered(schema, &others), Dialects::All).unwrap();
    assert!(validator.check_read(br#"{"a":{"x":1}}"#).is_ok());
    assert!(validator.check_read(br#"{"a":{"x":"1"}}"#).is_err());
}

#[test]
fn refusals_are_javas_exceptions() {
    let validator = validator(r#"{"type":"object","properties":{"a":{"type":"string"}}}"#);
    let fault = validator.check_read(br#"{"a":1}"#).unwrap_err();
    let trace = fault.while_reading(READING, "t", Some("7")).trace();
    let expected = [
        "connect.errors.DataException: Converting byte[] to Kafka Connect data failed",
        "SerializationException: Error deserializing JSON message for id 7",
        "SerializationException: JSON does not match schema of type JSON",
        "org.everit.json.schema.ValidationException: #/a: expected type: String, found: Integer",
    ];
    for line in expected {
        assert!(trace.contains(line), "{line} in {trace}");
    }
    let fault = validator.check_written(br#"{"a":1}"#).unwrap_err();
    let trace = fault.while_writing(WRITING, "t").trace();
    let report = [
        "Validation error in JSON, Error report:\n{",
        "  \"schemaLocation\": \"#/properties/a\",",
        "  \"pointerToViolation\": \"#/a\",",
        "  \"causingExceptions\": [],",
        "  \"keyword\": \"type\",",
        "  \"message\": \"expected type: String, found: Integer\"\n}",
    ];
    let report = report.join("\n");
    assert!(trace.contains(&report), "{trace}");
    assert!(trace.contains("SerializationException: Error serializing JSON message"), "{trace}");
    assert!(validator.check_read(b"{").is_err());
    assert!(validator.check_read(br#"{"a":"b"} and more"#).is_ok(), "as far as it is read");
}
