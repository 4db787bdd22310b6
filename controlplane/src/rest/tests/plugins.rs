//! Plugin lists and validation answers.

use super::rig::{Rig, SINK};

#[tokio::test]
async fn plugins_are_listed_by_kind() {
    let rig = Rig::distributed().await;
    assert_eq!(
        rig.get("/connector-plugins").await.body,
        format!(r#"[{{"class":"{SINK}","type":"sink","version":"1.2.0"}}]"#)
    );
    let all = rig.get("/connector-plugins?connectorsOnly=false").await.json();
    assert_eq!(all[1]["type"], "converter");
}

#[tokio::test]
async fn plugin_keys_are_own_keys_first() {
    let rig = Rig::distributed().await;
    let keys = rig.get("/connector-plugins/ProbeSink/config").await;
    assert!(keys.body.starts_with(
        "[{\"name\":\"flush.size\",\"type\":\"INT\",\"required\":true,\"default_value\":null,\
         \"importance\":\"HIGH\",\
         \"documentation\":\"Records per file.\",\"group\":\"Connector\",\"width\":\"NONE\",\
         \"display_name\":\"flush.size\",\"dependents\":[],\"order\":1},{\"name\":\"name\""
    ));
    let keys = rig.get("/connector-plugins/Json/config").await.json();
    assert_eq!((&keys[0]["name"], &keys[1]["name"]), (&"converter.type".into(), &"schemas.enable".into()));
    for (version, status) in [("latest", 200), ("4.1", 200), ("5", 400), ("%5B4", 400)] {
        let path = format!("/connector-plugins/Json/config?version={version}");
        assert_eq!(rig.get(&path).await.status, status, "{version}");
    }
    let missing = rig.get("/connector-plugins/Nope/config").await;
    assert_eq!(missing.body, r#"{"error_code":404,"message":"Unknown plugin Nope."}"#);
}

#[tokio::test]
async fn validation_reports_every_key() {
    let rig = Rig::distributed().await;
    let body = r#"{"connector.class":"ProbeSink","name":"a","topics":"t","flush.size":"x",
                   "key.converter":"Json",
                   "consumer.override.fetch.min.bytes":"7"}"#;
    let reply = rig.with_json("PUT", "/connector-plugins/ProbeSinkConnector/config/validate", body).await;
    assert_eq!(reply.status, 200);
    let infos = reply.json();
    assert_eq!((&infos["name"], &infos["error_count"]), (&"ProbeSink".into(), &2.into()));
    assert_eq!(
        infos["groups"].to_string(),
        r#"["Common","Transforms","Predicates","Error Handling","Connector"]"#
    );
    let find = |name: &str| {
        let configs = infos["configs"].as_array().unwrap();
        configs.iter().find(|one| one["value"]["name"] == name).cloned().unwrap()
    };
    let flush = find("flush.size");
    assert_eq!(
        flush["value"].to_string(),
        "{\"name\":\"flush.size\",\"value\":null,\"recommended_values\":[],\"errors\":[\"Invalid value x for \
         configuration flush.size: Not a number of type INT\",\"Invalid value null for configuration \
         flush.size: Value must be non-null\"],\"visible\":true}"
    );
    assert_eq!(find("value.converter")["value"]["value"], "org.apache.kafka.connect.json.JsonConverter");
    assert_eq!(find("key.converter.schemas.enable")["definition"]["display_name"], "schemas.enable");
    let fetch = &find("consumer.override.fetch.min.bytes")["definition"];
    assert_eq!((&fetch["type"], &fetch["default_value"]), (&"INT".into(), &"1".into()));
    assert_eq!(fetch["display_name"], "fetch.min.bytes");
    assert_eq!(infos["configs"][0]["value"]["name"], "name");
}

#[tokio::test]
async fn validation_of_the_wrong_or_no_class_is_refused() {
    let rig = Rig::distributed().await;
    let path = "/connector-plugins/ProbeSink/config/validate";
    let wrong = rig.with_json("PUT", path, r#"{"connector.class":"Other"}"#).await;
    assert_eq!(
        wrong.body,
        "{\"error_code\":400,\"message\":\"Included connector type Other does not match request type \
         ProbeSink\"}"
    );
    let none = rig.with_json("PUT", path, "{}").await;
    assert_eq!(none.status, 500);
    assert_eq!(
        none.json()["message"],
        "org.apache.kafka.connect.runtime.rest.errors.BadRequestException: Connector config {} contains no \
         connector type"
    );
}

#[tokio::test]
async fn override_policies_refuse_by_name() {
    let policy = [("connector.client.config.override.policy", "None")];
    let rig = Rig::new(crate::WorkerMode::Distributed, &policy).await;
    let body = r#"{"connector.class":"ProbeSink","name":"a","topics":"t","flush.size":"1",
                   "consumer.override.fetch.min.bytes":"7"}"#;
    let infos = rig.with_json("PUT", "/connector-plugins/ProbeSink/config/validate", body).await.json();
    assert_eq!(infos["error_count"], 1);
    assert!(infos.to_string().contains(
        "The 'None' policy does not allow 'fetch.min.bytes' to be overridden in the connector configuration."
    ));
}
