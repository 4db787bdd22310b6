//! JSON lines: one text per record, names with `.json` and `.json.gz`.

use lakeward_conformance::scenario::Scenario;
use serde_json::json;

#[test]
fn schemaless_values_are_written_as_lines() {
    let scenario = Scenario::start(1);
    scenario.create(&scenario.config(3).json_lines());
    let sent =
        [json!({"b": 1, "a": "é"}), json!([1, null, "x"]), json!({"deep": {"list": [{}, {"k": 0.5}]}})];
    scenario.produce_json(&sent);
    let names = scenario.wait_for_objects(1);
    assert_eq!(names, [scenario.object("partition=0", 0, 0, "json")]);
    assert_eq!(scenario.objects.json_rows(&names[0]).unwrap(), sent);
    scenario.wait_for_commit(0, 3);
}

#[test]
fn compressed_lines_say_so_in_their_name() {
    let scenario = Scenario::start(1);
    scenario.create(&scenario.config(1).json_lines().with(&[("s3.compression.type", "gzip")]));
    scenario.produce_json(&[json!({"id": 1})]);
    let names = scenario.wait_for_objects(1);
    assert_eq!(names, [scenario.object("partition=0", 0, 0, "json.gz")]);
    let bytes = scenario.objects.read(&names[0]).unwrap();
    assert_eq!(bytes[..2], [0x1f, 0x8b], "gzip starts with its magic number");
}

#[test]
fn characters_beyond_the_first_plane_are_escaped_as_java_does() {
    let scenario = Scenario::start(1);
    scenario.create(&scenario.config(1).json_lines());
    scenario.produce_json(&[json!({"a": "\u{1F600}ü"})]);
    let names = scenario.wait_for_objects(1);
    let text = String::from_utf8(scenario.objects.read(&names[0]).unwrap()).unwrap();
    assert_eq!(text, "{\"a\":\"\\uD83D\\uDE00ü\"}\n");
}
