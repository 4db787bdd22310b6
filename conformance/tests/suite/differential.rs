//! The same requests to Java Connect and to our worker: status, content type and body must be equal.
//!
//! The requests need no connector class, as the two workers have different ones. What differs for a reason is
//! listed with it, and must differ: a difference that is gone must leave its list.

use lakeward_conformance::scenario::Scenario;
use lakeward_testkit::broker::KafkaBroker;
use lakeward_testkit::java::JavaConnect;
use lakeward_testkit::rest::{Answer, RestClient};
use lakeward_testkit::worker::distributed_properties;
use serde_json::{Value, json};

use crate::malformed_bodies::{BODIES, DIFFERENT, SINGLE_VALUES, repeated};

const JSON_TYPE: (&str, &str) = ("content-type", "application/json");
const CREATE: (&str, &str) = ("POST", "/connectors");

/// Every request that reads a body, and whether it reads a creation or a configuration.
const READERS: [(&str, &str); 4] = [
    CREATE,
    ("PUT", "/connector-plugins/Any/config/validate"),
    ("PUT", "/connectors/absent/config"),
    ("PATCH", "/connectors/absent/config"),
];

/// Requests without a connector: method, path, headers, body.
type Request = (&'static str, &'static str, &'static [(&'static str, &'static str)], Option<&'static str>);

const REQUESTS: [Request; 34] = [
    ("GET", "/connectors/absent", &[], None),
    ("GET", "/connectors/absent/config", &[], None),
    ("GET", "/connectors/absent/tasks", &[], None),
    ("GET", "/connectors/absent/status", &[], None),
    ("GET", "/connectors/absent/topics", &[], None),
    ("GET", "/connectors/absent/tasks/0/status", &[], None),
    ("GET", "/connectors/absent/tasks/-1/status", &[], None),
    ("GET", "/connectors/absent/tasks/x/status", &[], None),
    ("GET", "/connectors/absent/tasks/99999999999/status", &[], None),
    ("GET", "/connectors/a%20b", &[], None),
    ("GET", "/connectors/%C3%A9", &[], None),
    ("GET", "/connectors/absent/", &[], None),
    ("POST", "/connectors/absent/tasks", &[JSON_TYPE], Some("[]")),
    ("PUT", "/connectors/absent/fence", &[], None),
    ("GET", "/connectors/absent/fence", &[], None),
    ("OPTIONS", "/connectors/absent/tasks", &[], None),
    ("DELETE", "/connectors/absent", &[], None),
    ("DELETE", "/connectors", &[], None),
    ("POST", "/connectors/absent/restart", &[], None),
    ("POST", "/connectors/absent/restart?includeTasks=true", &[], None),
    ("POST", "/connectors/absent/tasks/0/restart", &[], None),
    ("PUT", "/connectors/absent/pause", &[], None),
    ("PUT", "/connectors/absent/stop", &[], None),
    ("GET", "/connectors?expand=bad", &[], None),
    ("GET", "/connectors?expand", &[], None),
    ("GET", "/connectors?expand=info&expand=status", &[], None),
    ("GET", "/nothing/here", &[], None),
    ("PATCH", "/connectors", &[JSON_TYPE], Some("{}")),
    ("POST", "/connectors", &[("content-type", "text/plain")], Some("{}")),
    ("PUT", "/connectors/absent/config", &[("content-type", "application/xml")], Some("{}")),
    ("GET", "/connectors", &[("accept", "text/html")], None),
    ("GET", "/connector-plugins/Nope/config", &[], None),
    ("PUT", "/connector-plugins/Nope/config/validate", &[JSON_TYPE], Some("{}")),
    ("PUT", "/connectors/one/config", &[JSON_TYPE], Some(r#"{"name":"two"}"#)),
];

/// Requests whose answers differ, and why.
const REQUESTS_DIFFERENT: [(&str, &str, &str); 2] = [
    ("GET", "/connectors/a%2Fb", "the same 400, without the HTML page of Java's HTTP server"),
    ("GET", "/connectors/a%0Ab", "the same 400, without the HTML page of Java's HTTP server"),
];

/// Settings that connectors override, one configuration each.
const OVERRIDES: [&str; 10] = [
    r#"{"consumer.override.fetch.min.bytes":"7","consumer.override.max.poll.records":" 5 ",
        "consumer.override.foo.bar":"1","consumer.override.sasl.jaas.config":
        "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"u\" password=\"p\";",
        "consumer.override.client.id":"","consumer.override.sasl.mechanism":"PLAIN",
        "consumer.override.security.protocol":"PLAINTEXT"}"#,
    r#"{"consumer.override.fetch.min.bytes":"x"}"#,
    r#"{"consumer.override.fetch.min.bytes":"-7"}"#,
    r#"{"consumer.override.fetch.min.bytes":null}"#,
    r#"{"consumer.override.enable.auto.commit":"yes"}"#,
    r#"{"consumer.override.group.id":"own","consumer.override.key.deserializer":"java.lang.String"}"#,
    r#"{"consumer.override.ssl.cipher.suites":" a , b ","consumer.override.bootstrap.servers":"",
        "consumer.override.sasl.login.refresh.window.factor":"0.10","consumer.override.":"1"}"#,
    r#"{"producer.override.linger.ms":"5","admin.override.retries":"x"}"#,
    r#"{"producer.override.linger.ms":"5","admin.override.retries":"3","producer.override.acks":"3",
        "consumer.override.fetch.max.wait.ms":"3","errors.deadletterqueue.topic.name":"dead"}"#,
    r#"{"producer.override.linger.ms":"x","errors.deadletterqueue.topic.name":"dead"}"#,
];

#[test]
fn malformed_bodies_are_refused_in_javas_words() {
    let (java, scenario) = both(&[]);
    let (java_rest, ours) = (&java.rest, &scenario.worker.rest);
    let mut problems = Vec::new();
    let bodies = BODIES.into_iter().chain(SINGLE_VALUES).map(str::to_owned).chain(repeated());
    for body in bodies {
        for (method, path) in READERS {
            let ask = |rest: &RestClient| seen(rest.send(method, path, &[JSON_TYPE], Some(&body)));
            compare(&format!("{method} {path} {body:.60}"), &ask(java_rest), &ask(ours), &mut problems);
        }
    }
    assert!(problems.is_empty(), "{} differences:\n{}", problems.len(), problems.join("\n"));
    for (body, reason) in DIFFERENT {
        let ask = |rest: &RestClient| seen(rest.send(CREATE.0, CREATE.1, &[JSON_TYPE], Some(body)));
        assert_ne!(ask(java_rest), ask(ours), "{body:?} does not differ any more: {reason}");
    }
}

#[test]
fn requests_about_nothing_are_answered_as_java_answers_them() {
    let (java, scenario) = both(&[]);
    let mut problems = Vec::new();
    for (method, path, headers, body) in REQUESTS {
        let ask = |rest: &RestClient| seen(rest.send(method, path, headers, body));
        let what = format!("{method} {path} {headers:?}");
        compare(&what, &ask(&java.rest), &ask(&scenario.worker.rest), &mut problems);
    }
    assert!(problems.is_empty(), "{} differences:\n{}", problems.len(), problems.join("\n"));
    for (method, path, reason) in REQUESTS_DIFFERENT {
        let ask = |rest: &RestClient| seen(rest.send(method, path, &[], None));
        let (theirs, ours) = (ask(&java.rest), ask(&scenario.worker.rest));
        assert_eq!(theirs.0, ours.0, "{method} {path}");
        assert_ne!(theirs, ours, "{method} {path} does not differ any more: {reason}");
    }
}

#[test]
fn connectors_are_refused_in_javas_words() {
    let (java, scenario) = both(&[]);
    let rests = [(&java.rest, java_sink()), (&scenario.worker.rest, scenario.config(1).json())];
    let mut problems = Vec::new();
    let mut ask = |what: &str, request: &dyn Fn(&RestClient, &Value) -> Answer| {
        let [theirs, ours] = rests.each_ref().map(|(rest, sink)| {
            let answer = request(rest, sink);
            (answer.status, answer.header("content-type").map(str::to_owned), answer.message())
        });
        if theirs != ours {
            problems.push(format!("{what}\n  Java {theirs:?}\n  ours {ours:?}"));
        }
    };
    let name = lakeward_testkit::unique("twice");
    for what in ["created", "created twice"] {
        ask(what, &|rest, sink| rest.post("/connectors", &json!({"name": name, "config": sink})).unwrap());
    }
    for given in [json!(null), json!(""), json!("  "), json!("a\nb"), json!("x/y/\u{e9}"), json!(5)] {
        ask(&given.to_string(), &|rest, sink| {
            rest.post("/connectors", &json!({"name": given, "config": sink})).unwrap()
        });
    }
    ask("other name", &|rest, sink| {
        let mut config = sink.clone();
        config["name"] = json!("other");
        rest.put(&format!("/connectors/{name}/config"), &config).unwrap()
    });
    ask("null patch", &|rest, _| rest.patch(&format!("/connectors/{name}/config"), &Value::Null).unwrap());
    ask("null value", &|rest, sink| {
        let mut config = sink.clone();
        config["tasks.max"] = Value::Null;
        rest.put(&format!("/connectors/{name}/config"), &config).unwrap()
    });
    for overridden in ["fetch.min.bytes", "enable.auto.commit"] {
        ask(overridden, &|rest, sink| {
            let mut config = sink.clone();
            config[format!("consumer.override.{overridden}")] = json!("x");
            rest.put(&format!("/connectors/{name}/config"), &config).unwrap()
        });
    }
    assert!(problems.is_empty(), "{} differences:\n{}", problems.len(), problems.join("\n"));
}

#[test]
fn client_overrides_are_answered_as_java_answers_them() {
    for policy in ["All", "Principal", "None"] {
        let (java, scenario) = both(&[("connector.client.config.override.policy", policy)]);
        let mut problems = Vec::new();
        for overrides in OVERRIDES {
            let theirs = validated(&java.rest, "FileStreamSink", &java_sink(), overrides);
            let ours = validated(&scenario.worker.rest, "S3Sink", &scenario.config(1).json(), overrides);
            if theirs != ours {
                problems.push(format!("{policy} {overrides}\n  Java {theirs:?}\n  ours {ours:?}"));
            }
        }
        assert!(problems.is_empty(), "{} differences:\n{}", problems.len(), problems.join("\n"));
    }
}

/// The setting whose value our client library does not have is refused when the connector is made.
#[test]
fn what_the_client_library_cannot_do_is_an_error_on_its_key() {
    let scenario = Scenario::start(1);
    let overrides = r#"{"consumer.override.partition.assignment.strategy":
        "org.apache.kafka.clients.consumer.StickyAssignor"}"#;
    let (status, entries) = validated(&scenario.worker.rest, "S3Sink", &scenario.config(1).json(), overrides);
    assert_eq!((status, entries.len()), (200, 1));
    assert!(
        entries[0].contains("use CooperativeStickyAssignor, RangeAssignor or RoundRobinAssignor"),
        "{entries:?}"
    );
}

pub(crate) fn both(settings: &[(&str, &str)]) -> (JavaConnect, Scenario) {
    let mut properties = distributed_properties(KafkaBroker::shared());
    properties.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    let java = JavaConnect::start(&properties).expect("Java Connect starts");
    let store = lakeward_testkit::store::Versitygw::shared();
    (java, Scenario::start_on(KafkaBroker::shared(), store, 1, settings))
}

pub(crate) fn java_sink() -> Value {
    json!({"connector.class": "FileStreamSink", "topics": "absent-topic", "tasks.max": "1"})
}

/// What a client sees: status, content type, body.
pub(crate) type Seen = (u16, Option<String>, String);

pub(crate) fn seen<E: std::fmt::Debug>(answer: Result<Answer, E>) -> Seen {
    let answer = answer.expect("the worker answers");
    let content_type = answer.header("content-type").map(str::to_owned);
    (answer.status, content_type, answer.text)
}

pub(crate) fn compare(what: &str, java: &Seen, ours: &Seen, problems: &mut Vec<String>) {
    if java != ours {
        problems.push(format!("{what}\n  Java {java:.1500?}\n  ours {ours:.1500?}"));
    }
}

/// Status, and the entries about overrides; the message where there are none.
fn validated(rest: &RestClient, alias: &str, sink: &Value, overrides: &str) -> (u16, Vec<String>) {
    let mut config = json!({"name": "x"});
    let overrides: Value = serde_json::from_str(overrides).expect("the table holds JSON");
    let members = |part: &Value| part.as_object().expect("an object").clone().into_iter();
    let sink = members(sink).filter(|(name, _)| !name.contains(".override."));
    for (name, value) in sink.chain(members(&overrides)) {
        config[name] = value;
    }
    config["connector.class"] = json!(alias);
    let path = format!("/connector-plugins/{alias}/config/validate");
    let answer = rest.put(&path, &config).expect("the worker answers");
    if answer.status != 200 {
        return (answer.status, vec![answer.text]);
    }
    let infos = answer.json();
    let configs = infos["configs"].as_array().expect("a list");
    let own = configs
        .iter()
        .filter(|info| info["value"]["name"].as_str().is_some_and(|name| name.contains(".override.")));
    (answer.status, own.map(Value::to_string).collect())
}
