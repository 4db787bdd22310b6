//! Rules that the reference states, and the answers of Jayway JsonPath 2.9.0 to random paths.

use std::sync::Arc;

use lakeward_api::batch::{SinkBatch, Values};
use lakeward_api::config::ConfigMap;
use lakeward_api::header::{Header, HeaderRows};
use lakeward_api::plugin::PluginRegistry;
use lakeward_api::record::TopicPartition;
use lakeward_api::rows::ColumnWriter;
use lakeward_api::schema::{Field, Kind, Schema};
use lakeward_api::transform::Transformed;
use lakeward_api::value::Value;
use lakeward_api::{ConnectError, ErrorClass};

use super::json_path::{Found, JsonPath, Node};
use crate::golden::dynamic;

/// The answer to a path, as the table writes it.
fn answer(path: &str, document: &str) -> String {
    let document: Value = dynamic(&serde_json::from_str(document).unwrap());
    let Ok(path) = JsonPath::new(path) else { return "refused".to_owned() };
    match path.find(Node::Dynamic(&document)) {
        Found::Missing => "missing".to_owned(),
        Found::Nodes(nodes) if path.is_definite() && nodes[0].is_null() => "null".to_owned(),
        Found::Nodes(nodes) => nodes.len().to_string(),
        Found::TooFar => "too far".to_owned(),
    }
}

#[test]
fn paths_that_multiply_end() {
    let deep = format!("{}0{}", "[".repeat(60), "]".repeat(60));
    assert_eq!(answer("$..*..*..*..*..*..*..*..*", &deep), "too far");
    assert_eq!(answer(&format!("${}", "[0,0]".repeat(60)), &deep), "too far");
    assert_eq!(answer("$..*..*", &deep), "1770");
    let items = format!("[{{\"a\":1}}{}]", ",{\"a\":1}".repeat(2_000));
    assert_eq!(answer("$[?(@.a in $)]", &items), "too far");
    assert_eq!(answer(&format!("${}", "[?(@.a)]".repeat(100_000)), "{\"a\":1}"), "refused");
    assert_eq!(answer(&format!("$[?(@.a{})]", " || @.a".repeat(100_000)), "{\"a\":1}"), "refused");
    assert_eq!(answer(&format!("$[?(@.a{})]", " && @.a".repeat(100_000)), "{\"a\":1}"), "refused");
}

#[test]
fn paths_lead_where_jayway_leads() {
    let mut wrong = Vec::new();
    for line in include_str!("paths.tsv").lines() {
        let parts: Vec<&str> = line.split('\t').collect();
        let got = answer(parts[0], parts[1]);
        if got != parts[2] {
            wrong.push(format!("{line}, ours {got}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn functions_and_deep_nesting_are_refused() {
    let deep = format!("$[?{}@.a{}]", "(".repeat(1_000), ")".repeat(1_000));
    for path in ["$.a.length()", "$[?(@.a subsetof [1])]", "$[?(@.a == 'x]", deep.as_str(), "$.a b"] {
        assert!(JsonPath::new(path).is_err(), "{path}");
    }
}

fn apply(class: &str, given: &[(&str, &str)], batch: SinkBatch) -> Result<Transformed, ConnectError> {
    let mut registry = PluginRegistry::default();
    crate::register(&mut registry);
    let given: ConfigMap =
        given.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let class = format!("io.confluent.connect.transforms.{class}");
    registry.transform(&class).unwrap().new_transform(&given)?.apply(batch)
}

fn batch(values: Values) -> SinkBatch {
    let rows = values.rows();
    SinkBatch {
        partition: TopicPartition { topic: "in".into(), partition: 0 },
        topic: "in".into(),
        offsets: (0i64..).take(rows).collect(),
        timestamps_ms: vec![Some(7); rows],
        keys: Values::Null { rows },
        values,
        headers: HeaderRows::default(),
    }
}

fn documents(texts: &[&str]) -> SinkBatch {
    let value = |text: &&str| dynamic(&serde_json::from_str(text).unwrap());
    batch(Values::Dynamic(texts.iter().map(value).collect()))
}

/// STRUCTs of one optional text.
fn structs(texts: &[Option<&str>]) -> SinkBatch {
    let text = Field { name: "f".into(), schema: Arc::new(Schema::optional(Kind::String)) };
    let schema = Arc::new(Schema::optional(Kind::Struct(vec![text])));
    let mut writer = ColumnWriter::new(&schema);
    for text in texts {
        let text = text.map_or(Value::Null, |text| Value::String(text.into()));
        writer.append(&Value::Struct(vec![text])).unwrap();
    }
    writer.append(&Value::Null).unwrap();
    batch(Values::Typed { schema, array: writer.finish().unwrap() })
}

/// Offsets that go on, by topic, and offsets that fail.
fn outcome(done: &Transformed) -> (Vec<(String, Vec<i64>)>, Vec<i64>) {
    let kept = done.batches.iter().map(|batch| (batch.topic.to_string(), batch.offsets.clone())).collect();
    assert!(done.errors.iter().all(|(_, err)| err.class() == ErrorClass::Record));
    (kept, done.errors.iter().map(|(offset, _)| *offset).collect())
}

#[test]
fn tombstones_go_or_fail() {
    let values = || structs(&[Some("x")]);
    for behavior in ["warn", "ignore"] {
        let done = apply("TombstoneHandler", &[("behavior", behavior)], values()).unwrap();
        assert_eq!(outcome(&done), (vec![("in".to_owned(), vec![0])], vec![]));
    }
    let done = apply("TombstoneHandler", &[("behavior", "fail")], values()).unwrap();
    assert_eq!(outcome(&done), (vec![("in".to_owned(), vec![0])], vec![1]));
    let done = apply("TombstoneHandler", &[], batch(Values::Null { rows: 2 })).unwrap();
    assert_eq!(outcome(&done), (vec![], vec![]));
    assert!(apply("TombstoneHandler", &[("behavior", "keep")], values()).is_err());
}

#[test]
fn filters_keep_what_fits() {
    let given = |kind, missing| {
        [
            ("filter.condition", "$[?(@.f == 'x')]"),
            ("filter.type", kind),
            ("missing.or.null.behavior", missing),
        ]
    };
    let rows = || structs(&[Some("x"), Some("y"), None]);
    let kept = |kind, missing| outcome(&apply("Filter$Value", &given(kind, missing), rows()).unwrap());
    assert_eq!(kept("include", "fail"), (vec![("in".to_owned(), vec![0])], vec![3]));
    assert_eq!(kept("exclude", "exclude"), (vec![("in".to_owned(), vec![1, 2])], vec![]));
    assert_eq!(kept("include", "include"), (vec![("in".to_owned(), vec![0, 3])], vec![]));
}

#[test]
fn filters_on_a_definite_path_ask_whether_it_is_there() {
    let given = [("filter.condition", "$.a.b"), ("filter.type", "include")];
    let rows = documents(&["{\"a\":{\"b\":1}}", "{\"a\":{\"b\":null}}", "{\"a\":1}", "{}"]);
    let done = apply("Filter$Value", &given, rows).unwrap();
    assert_eq!(outcome(&done), (vec![("in".to_owned(), vec![0])], vec![1, 2, 3]));
    assert!(
        apply("Filter$Value", &[("filter.condition", "$["), ("filter.type", "include")], documents(&[]))
            .is_err()
    );
}

#[test]
fn topics_come_from_fields_paths_and_headers() {
    let rows = || structs(&[Some("a"), Some("a"), Some("b"), None]);
    let done = apply("ExtractTopic$Value", &[("field", "f")], rows()).unwrap();
    let routed = vec![("a".to_owned(), vec![0, 1]), ("b".to_owned(), vec![2])];
    assert_eq!(outcome(&done), (routed, vec![3, 4]));
    let given = [("field", "f"), ("skip.missing.or.null", "true")];
    let done = apply("ExtractTopic$Value", &given, rows()).unwrap();
    assert_eq!(outcome(&done).0[2], ("in".to_owned(), vec![3, 4]));
    let given = [("field", "$['a']['b']"), ("field.format", "JSON_PATH")];
    let done =
        apply("ExtractTopic$Value", &given, documents(&["{\"a\":{\"b\":\"t\"}}", "{\"a\":3}"])).unwrap();
    assert_eq!(outcome(&done), (vec![("t".to_owned(), vec![0])], vec![1]));
    let mut headers = documents(&["1", "\"whole\""]);
    let header = Header { key: "h".into(), schema: None, value: Value::String("from".into()) };
    headers.headers = HeaderRows::new(vec![vec![header], Vec::new()]);
    let done = apply("ExtractTopic$Header", &[("field", "h")], headers.clone()).unwrap();
    assert_eq!(outcome(&done), (vec![("from".to_owned(), vec![0])], vec![1]));
    let done = apply("ExtractTopic$Value", &[], headers).unwrap();
    assert_eq!(outcome(&done), (vec![("whole".to_owned(), vec![1])], vec![0]));
    assert!(apply("ExtractTopic$Header", &[], documents(&[])).is_err());
}

#[test]
fn topics_get_the_time_of_the_message() {
    let given = [
        ("topic.format", "foo-${topic}-${timestamp}"),
        ("message.timestamp.format", "yyyy-MM-dd"),
        ("topic.timestamp.format", "yyyy.MM.dd"),
        ("message.timestamp.keys", "timestamp,time,ts"),
    ];
    let rows =
        documents(&["{\"time\":\"2019-08-06\"}", "{\"time\":null,\"ts\":0}", "{\"time\":\"x\"}", "{}", "1"]);
    let done = apply("MessageTimestampRouter", &given, rows).unwrap();
    let routed = vec![("foo-in-2019.08.06".to_owned(), vec![0]), ("foo-in-1970.01.01".to_owned(), vec![1])];
    assert_eq!(outcome(&done), (routed, vec![2, 3, 4]));
    let Values::Dynamic(alike) = documents(&["{\"time\":\"2019-08-06\"}"; 2]).values else {
        panic!("no schema")
    };
    let shaped = Values::schemaless(alike);
    assert!(matches!(shaped, Values::Shaped(_)));
    let done = apply("MessageTimestampRouter", &given, batch(shaped)).unwrap();
    assert_eq!(outcome(&done), (vec![("foo-in-2019.08.06".to_owned(), vec![0, 1])], vec![]));
    let done = apply("MessageTimestampRouter", &given, structs(&[Some("x")])).unwrap();
    assert_eq!(outcome(&done), (vec![], vec![0, 1]));
}
