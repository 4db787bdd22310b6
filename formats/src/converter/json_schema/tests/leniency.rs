//! Payloads that are not what they should be, and what Java makes of them.

use lakeward_api::ErrorClass;

use super::registry::{Shared, converter, decode, payload, register, texts};

/// What becomes of `json` under `schema`: the value, or the message of the error.
fn outcome(schema: &str, json: &str) -> Result<String, String> {
    let store = Shared::default();
    let id = register(&store, "t-value", schema, Vec::new());
    let decoded = decode(&mut converter(&store, &[]), &[Some(payload(id, json))]);
    match &decoded.errors[..] {
        [] => Ok(texts(&decoded.runs[0].values)[0].clone()),
        [(_, error)] => {
            assert_eq!(error.class(), ErrorClass::Record);
            Err(error.to_string())
        }
        _ => panic!("one record fails once"),
    }
}

/// A map of integers to values of `value`.
fn entries(value: &str) -> String {
    format!(
        r#"{{"type":"array","connect.type":"map","items":{{"type":"object","properties":{{
            "key":{{"type":"integer"}},"value":{value}}}}}}}"#
    )
}

#[test]
fn entries_of_two_other_names_have_nulls() {
    let optional = entries(r#"{"oneOf":[{"type":"null"},{"type":"integer"}]}"#);
    let empty = outcome(&optional, r#"[{"key":1,"value":null}]"#);
    assert!(empty.is_ok(), "{empty:?}");
    assert_eq!(outcome(&optional, r#"[{"key":1,"u":6}]"#), empty);
    assert_eq!(outcome(&optional, r#"[{"":[],"key":1}]"#), empty);
    assert_eq!(
        outcome(&optional, r#"[{"key":1,"u":6},{"key":2,"value":3},{"key":1,"value":4},{"key":2,"v":5}]"#),
        outcome(&optional, r#"[{"key":1,"value":4},{"key":2,"value":null}]"#),
    );
    let missing = |part: &str| Err(format!("Invalid value: null used for required {part}"));
    let required = entries(r#"{"type":"integer"}"#);
    assert_eq!(outcome(&required, r#"[{"key":1,"u":6}]"#), missing("field, schema type: INT64"));
    assert_eq!(outcome(&required, r#"[{"u":1,"value":6}]"#), missing("field, schema type: INT64"));
    for (json, count) in [(r#"[{"key":1}]"#, 1), (r#"[{"key":1,"value":2,"u":3}]"#, 3), ("[{}]", 0)] {
        let expected = format!("Found invalid map entry, expected length 2 but found :{count}");
        assert_eq!(outcome(&required, json), Err(expected));
    }
    let filled = entries(r#"{"type":"integer","default":7}"#);
    assert_eq!(outcome(&filled, r#"[{"key":1,"u":6}]"#), outcome(&filled, r#"[{"key":1,"value":7}]"#));
    assert!(outcome(&filled, r#"[{"key":1,"u":6}]"#).is_ok());
}

#[test]
fn bits_of_base64_that_belong_to_no_byte_may_be_any() {
    let schema = r#"{"type":"string","connect.type":"bytes"}"#;
    assert_eq!(outcome(schema, r#""A3==""#), outcome(schema, r#""Aw==""#));
    assert!(outcome(schema, r#""Aw==""#).is_ok());
    assert_eq!(outcome(schema, r#""A3=""#), Err("Invalid bytes field".to_owned()));
}

#[test]
fn nothing_that_could_belong_to_a_key_word_follows_it() {
    let schema = r#"{"type":"boolean"}"#;
    for after in ["", " ", "\n?", ",", "}", "]", "[", ":", "\u{1}", "$", "{", "~"] {
        assert!(outcome(schema, &format!("true{after}")).is_ok(), "{after:?}");
    }
    for after in ["e", "Z", "0", "_", "\u{7f}", "\u{80}", "é", "\u{feff}", "\u{3000}", "😀"] {
        assert!(outcome(schema, &format!("true{after}")).is_err(), "{after:?}");
    }
}
