//! The keys that every sink connector has are validated as Java Connect validates them, member by member.

use lakeward_testkit::rest::RestClient;
use serde_json::{Map, Value, json};

/// Keys whose value is the connector's own, or that name plugins only one side has.
const DIFFERENT_BY_NATURE: &[&str] = &["connector.class", "connector.plugin.version"];

/// Compares the answers about the keys that Java's `FileStreamSink` and our S3 sink have in common.
pub(crate) fn assert_common_keys_are_javas(java: &RestClient, ours: &RestClient) {
    let expected = keys(java, "FileStreamSink", &json!({"file": "out"}));
    let actual = keys(
        ours,
        "S3Sink",
        &json!({
            "storage.class": "io.confluent.connect.s3.storage.S3Storage",
            "format.class": "io.confluent.connect.s3.format.parquet.ParquetFormat",
            "flush.size": "1", "s3.bucket.name": "bucket",
        }),
    );
    let mut compared = 0;
    for (name, expected) in expected.iter().filter(|(name, _)| *name != "file") {
        let actual = actual.get(name).unwrap_or_else(|| panic!("{name} is missing"));
        if DIFFERENT_BY_NATURE.contains(&name.as_str()) {
            continue;
        }
        let (mut expected, mut actual) = (expected.clone(), actual.clone());
        // Which converters there are is a property of the installation.
        if name.ends_with(".converter") {
            for info in [&mut expected, &mut actual] {
                info["value"]["recommended_values"] = json!([]);
            }
        }
        // As texts: the order of the members is part of the contract.
        assert_eq!(actual.to_string(), expected.to_string(), "{name}");
        compared += 1;
    }
    assert!(compared > 15, "only {compared} keys were compared");
}

/// The answer about each key, by name.
fn keys(rest: &RestClient, alias: &str, own: &Value) -> Map<String, Value> {
    let mut config = json!({"name": "x", "topics": "t", "tasks.max": "1", "connector.class": alias});
    for (name, value) in own.as_object().expect("an object") {
        config[name] = value.clone();
    }
    let path = format!("/connector-plugins/{alias}Connector/config/validate");
    let answer = rest.put(&path, &config).expect("the worker answers").expect_status(200).json();
    let configs = answer["configs"].as_array().expect("a list").clone();
    let by_name = configs.into_iter().map(|info| {
        let name = info["value"]["name"].as_str().expect("a name").to_owned();
        (name, info)
    });
    by_name.collect()
}
