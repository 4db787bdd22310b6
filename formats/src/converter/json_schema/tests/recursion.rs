//! Types that contain themselves.

use std::sync::Arc;

use lakeward_api::batch::Values;
use lakeward_api::converter::Converter;
use lakeward_api::recursion;
use lakeward_api::rows::value_at;
use lakeward_api::schema::Kind;
use lakeward_api::value::Value;

use super::super::super::registry_framing::dump;
use super::registry::{Shared, converter, decode, payload, register, texts};

const TREE: &str = r##"{"$ref":"#/definitions/Node","definitions":{"Node":{"type":"object","title":"Node",
    "connect.version":2,"properties":{
        "value":{"type":"integer"},
        "next":{"oneOf":[{"type":"null"},{"$ref":"#/definitions/Node"}]},
        "children":{"type":"array","items":{"$ref":"#/definitions/Node"}}}}}}"##;

#[test]
fn a_place_of_recursion_stands_for_the_struct_around_it() {
    let store = Shared::default();
    let id = register(&store, "t-value", TREE, Vec::new());
    let json = r#"{"value":1,"next":{"value":2,"next":null,"children":[]},
        "children":[{"value":3,"next":null,"children":[{"value":4,"children":[],"next":null}]}]}"#;
    let mut converter = converter(&store, &[("use.optional.for.nonrequired", "true")]);
    let decoded = decode(&mut converter, &[Some(payload(id, json))]);
    assert!(decoded.errors.is_empty(), "{:?}", decoded.errors);
    let Values::Typed { schema, array } = &decoded.runs[0].values else { panic!("not typed") };
    assert_eq!((schema.name.as_deref(), schema.version), (Some("Node"), Some(2)));
    let field = |name: &str| {
        schema
            .fields()
            .iter()
            .find(|field| &*field.name == name)
            .map(|field| Arc::clone(&field.schema))
            .unwrap()
    };
    let next = field("next");
    let Kind::Array(item) = field("children").kind.clone() else { panic!("no list") };
    for place in [&next, &item] {
        assert!(matches!(place.kind, Kind::Recursive(_)), "{place:?}");
        assert_eq!((place.name.as_deref(), place.version), (Some("Node"), Some(2)));
        assert_eq!(place.parameters, schema.parameters, "they are shared");
        let opened = recursion::opened(place).unwrap();
        assert_eq!(opened.fields(), schema.fields());
    }
    assert_eq!((next.optional, item.optional), (true, false));
    assert_eq!(next.parameters.get("io.confluent.connect.json.Id").map(String::as_str), Some("#id2"));
    let Value::Struct(values) = value_at(schema, array, 0) else { panic!("no struct") };
    let leaf = |value| {
        let all = schema.fields().iter().map(|field| match &*field.name {
            "value" => Value::Int64(value),
            "next" => Value::Null,
            _ => Value::Array(Vec::new()),
        });
        Value::Struct(all.collect())
    };
    let at = |name: &str| schema.fields().iter().position(|field| &*field.name == name).unwrap();
    assert_eq!(values[at("next")], leaf(2));
    let Value::Array(children) = &values[at("children")] else { panic!("no list") };
    let Value::Struct(child) = &children[0] else { panic!("no child") };
    assert_eq!(child[at("children")], Value::Array(vec![leaf(4)]));
}

#[test]
fn recursive_values_are_written_with_a_reference_and_read_back() {
    let root = r##"{"type":"object","title":"Root","properties":{"self":{"oneOf":[{"type":"null"},
        {"$ref":"#"}]},"n":{"type":"integer"}}}"##;
    let mutual = r##"{"$ref":"#/definitions/A","definitions":{
        "A":{"type":"object","properties":{"b":{"oneOf":[{"$ref":"#/definitions/B"},{"type":"null"}]}}},
        "B":{"type":"object","properties":{"a":{"oneOf":[{"$ref":"#/definitions/A"},{"type":"null"}]}}}}}"##;
    let all_of = r##"{"allOf":[{"$ref":"#"},{"type":"object","properties":{
        "a":{"oneOf":[{"type":"null"},{"$ref":"#"}]}}}]}"##;
    let tree = r#"{"value":1,"next":null,"children":[{"value":2,"next":null,"children":[]}]}"#;
    let list = r##"{"type":"object","properties":{"c":{"type":"array","items":{"$ref":"#"}}}}"##;
    let cases = [
        (list, r#"{"c":[{"c":[]},{"c":[{"c":[]},{"c":[]}]}]}"#),
        (TREE, tree),
        (root, r#"{"n":1,"self":{"n":2,"self":{"n":3,"self":{"n":4,"self":null}}}}"#),
        (mutual, r#"{"b":{"a":{"b":{"a":null}}}}"#),
        (all_of, r#"{"a":{"a":{"a":null}}}"#),
    ];
    for (text, json) in cases {
        let store = Shared::default();
        let id = register(&store, "t-value", text, Vec::new());
        let mut converter = converter(&store, &[]);
        let decoded = decode(&mut converter, &[Some(payload(id, json))]);
        assert!(decoded.errors.is_empty(), "{text}: {:?}", decoded.errors);
        let values = &decoded.runs[0].values;
        assert!(converter.poll_encode_ready("t", values).unwrap().is_ready());
        let encoded = converter.encode("t", values).unwrap();
        assert!(encoded.errors.is_empty(), "{text}: {:?}", encoded.errors);
        let written = encoded.payload(0).unwrap().to_vec();
        let id = i32::from_be_bytes(written[1..5].try_into().unwrap());
        let schema = store.lock().unwrap().schema(id).unwrap().schema.text.to_string();
        assert!(schema.contains("\"$ref\":\"#id"), "{schema}");
        let parse = |text: &[u8]| serde_json::from_slice::<serde_json::Value>(text).unwrap();
        assert_eq!(parse(&written[5..]), parse(json.as_bytes()));
        // A reference does not say that there may be null: Java does not read it back either.
        if json.contains("null") {
            continue;
        }
        let again = decode(&mut converter, &[Some(written)]);
        assert!(again.errors.is_empty(), "{schema}: {:?}", again.errors);
        assert_eq!(texts(&again.runs[0].values), texts(values));
    }
}

#[test]
fn places_without_a_reference_and_deep_records_are_refused_one_by_one() {
    let store = Shared::default();
    let text = r##"{"type":"object","properties":{"m":{"type":"object","connect.type":"map",
        "additionalProperties":{"$ref":"#"}}}}"##;
    let id = register(&store, "t-value", text, Vec::new());
    let mut converter = converter(&store, &[]);
    let nested =
        |levels: usize| format!("{}{}{}", "{\"m\":{\"k\":".repeat(levels), "{\"m\":{}}", "}}".repeat(levels));
    let records = [2, 5000, 3].map(|levels| Some(payload(id, &nested(levels))));
    let decoded = decode(&mut converter, &records);
    assert_eq!(decoded.runs[0].rows, [0, 2]);
    let (row, error) = &decoded.errors[0];
    assert_eq!(*row, 1);
    assert!(error.to_string().contains("levels deep"), "{error}");
    let values = &decoded.runs[0].values;
    assert!(converter.poll_encode_ready("t", values).unwrap().is_ready());
    let encoded = converter.encode("t", values).unwrap();
    assert_eq!(encoded.errors.len(), 2);
    assert!(encoded.errors[0].1.to_string().contains("contains itself in a map"), "{}", encoded.errors[0].1);
}

#[test]
fn records_that_are_not_utf_8_at_a_place_of_recursion_are_refused_one_by_one() {
    let store = Shared::default();
    let text = r##"{"type":"object","properties":{"name":{"type":"string"},
        "children":{"type":"array","items":{"$ref":"#"}}}}"##;
    let id = register(&store, "t-value", text, Vec::new());
    let good = payload(id, r#"{"children":[{"children":[],"name":"caf\u00e9 é"}],"name":"n"}"#);
    let at = good.windows(2).position(|bytes| bytes == "é".as_bytes()).unwrap();
    let mut damaged = good.clone();
    damaged[at + 1] = b'?';
    // Records that look alike come first, so that the damaged ones are read in a block.
    let records: Vec<_> = (0..90)
        .map(|row| Some(if row > 20 && row % 7 == 0 { damaged.clone() } else { good.clone() }))
        .collect();
    let decoded = decode(&mut converter(&store, &[]), &records);
    let failed: Vec<usize> = decoded.errors.iter().map(|(row, _)| *row).collect();
    assert_eq!(failed, (21..90).filter(|row| row % 7 == 0).collect::<Vec<_>>());
    assert!(decoded.errors[0].1.trace().contains("UTF-8"), "{}", decoded.errors[0].1.trace());
    let values = texts(&decoded.runs[0].values);
    assert!(values.iter().all(|value| *value == values[0]), "{values:?}");
}

#[test]
fn equal_recursive_schemas_are_equal_and_settings_keep_them_apart() {
    let schema_of = |settings: &[(&str, &str)]| {
        let store = Shared::default();
        let id = register(&store, "t-value", TREE, Vec::new());
        let json = r#"{"value":1,"next":null,"children":[]}"#;
        let decoded = decode(&mut converter(&store, settings), &[Some(payload(id, json))]);
        let Values::Typed { schema, .. } = &decoded.runs[0].values else { panic!("not typed") };
        std::sync::Arc::clone(schema)
    };
    let plain = schema_of(&[]);
    assert_eq!(plain, schema_of(&[]));
    assert_ne!(plain, schema_of(&[("use.optional.for.nonrequired", "true")]));
    assert!(dump::schema(&plain).contains("children"));
}
