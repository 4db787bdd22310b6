//! Transforms, predicates and converters: lists, keys and validation answers of Java Connect and of our
//! worker must be equal for the classes that both have.
//!
//! The sinks of the two workers differ, so that of a validation answer only the keys of transforms,
//! predicates and converters are compared. What differs for a reason is listed with it, and must differ.

use std::time::Duration;

use lakeward_testkit::rest::RestClient;
use lakeward_testkit::wait::wait_for;
use serde_json::{Value, json};

use crate::differential::{both, compare, java_sink, seen};
use crate::plugin_configs::{CONFIGS, CONFIGS_DIFFERENT, CONFIGS_THAT_FAIL};

const FAILURE_PATIENCE: Duration = Duration::from_secs(60);

/// Requests about plugins that both workers answer alike.
const REQUESTS: [&str; 17] = [
    "/connector-plugins/Cast%24Value/config",
    "/connector-plugins/HeaderFrom%24Key/config",
    "/connector-plugins/Value/config",
    "/connector-plugins/HoistField/config",
    "/connector-plugins/Regex/config",
    "/connector-plugins/RegexRouter/config",
    "/connector-plugins/HasHeaderKey/config",
    "/connector-plugins/Simple/config",
    "/connector-plugins/SimpleHeader/config",
    "/connector-plugins/String/config",
    "/connector-plugins/Long/config",
    "/connector-plugins/Json/config?version=4.1",
    "/connector-plugins/Json/config?version=latest",
    "/connector-plugins/Json/config?version=%5B4.0%2C5.0%29",
    "/connector-plugins/Json/config?version=4.0",
    "/connector-plugins/Filter/config?version=",
    "/connector-plugins/Filter/config?version=%5B4.0",
];

#[test]
fn plugins_are_listed_as_java_lists_them() {
    let (java, scenario) = both(&[]);
    let rests = [&java.rest, &scenario.worker.rest];
    for flag in ["", "?connectorsOnly=false"] {
        let [theirs, ours] = rests.map(|rest| plugins(rest, flag));
        let shared = |all: &[Value], others: &[Value]| {
            let has = |one: &&Value| {
                let same = |other: &Value| other["class"] == one["class"] && other["type"] == one["type"];
                others.iter().any(same)
            };
            // As texts: the order of the members is part of the contract.
            all.iter().filter(has).map(Value::to_string).collect::<Vec<_>>()
        };
        let (expected, actual) = (shared(&theirs, &ours), shared(&ours, &theirs));
        assert_eq!(actual, expected);
        assert!(!actual.is_empty(), "the file connectors are in both lists");
    }
}

#[test]
fn keys_of_plugins_are_javas() {
    let (java, scenario) = both(&[]);
    let rests = [&java.rest, &scenario.worker.rest];
    let mut paths: Vec<String> = REQUESTS.map(str::to_owned).to_vec();
    paths.extend(
        shared_classes(rests)
            .iter()
            .map(|class| format!("/connector-plugins/{}/config", class.replace('$', "%24"))),
    );
    let mut problems = Vec::new();
    for path in &paths {
        let [theirs, ours] = rests.map(|rest| seen(rest.get(path)));
        compare(path, &theirs, &ours, &mut problems);
    }
    assert!(problems.is_empty(), "{} differences:\n{}", problems.len(), problems.join("\n"));
}

#[test]
fn chains_and_converters_are_validated_as_java_validates_them() {
    let (java, scenario) = both(&[]);
    let rests = [&java.rest, &scenario.worker.rest];
    let classes = shared_classes(rests);
    let sinks = [("FileStreamSink", java_sink()), ("S3Sink", scenario.config(1).json())];
    let sides = [(rests[0], &sinks[0]), (rests[1], &sinks[1])];
    let bases = sides.map(|(rest, (alias, sink))| groups(&validated(rest, alias, sink, "{}")));
    let answers = |config: &str| {
        [0, 1].map(|side| {
            let (rest, (alias, sink)) = sides[side];
            let infos = validated(rest, alias, sink, config);
            let mut seen = comparable(&infos, &bases[side], &classes);
            if infos["error_count"] != 0 {
                let path = format!("/connectors/{}/config", lakeward_testkit::unique("refused"));
                let refusal = rest.put(&path, &merged(alias, sink, config)).expect("the worker answers");
                seen.push(format!("{} {:?}", refusal.status, refusal.message()));
            }
            seen
        })
    };
    let mut problems = Vec::new();
    for config in CONFIGS {
        let [theirs, ours] = answers(config);
        if theirs != ours {
            let lines = theirs.iter().zip(&ours).find(|(theirs, ours)| theirs != ours);
            let counts = (theirs.len(), ours.len());
            problems.push(format!("{config}\n  {counts:?} lines, first difference {lines:#?}"));
        }
    }
    assert!(problems.is_empty(), "{} differences:\n{}", problems.len(), problems.join("\n"));
    for (config, reason) in CONFIGS_DIFFERENT {
        let [theirs, ours] = answers(config);
        assert_ne!(theirs, ours, "{config} does not differ any more: {reason}");
    }
}

/// What only a constructor refuses is no error of a validation; the task fails.
#[test]
fn chains_that_cannot_be_made_fail_the_task_in_javas_words() {
    let (java, scenario) = both(&[]);
    for config in CONFIGS_THAT_FAIL {
        let (theirs, ours) = (java_sink(), scenario.config(1).json());
        let [expected, actual] =
            [(&java.rest, "FileStreamSink", &theirs), (&scenario.worker.rest, "S3Sink", &ours)]
                .map(|(rest, alias, sink)| failure(rest, &merged(alias, sink, config)));
        assert_eq!(actual, expected, "{config}");
    }
}

/// The first line of the trace with which the only task of a connector fails.
fn failure(rest: &RestClient, config: &Value) -> String {
    let name = lakeward_testkit::unique("fails");
    let creation = json!({"name": name, "config": config});
    rest.post("/connectors", &creation).expect("the worker answers").expect_status(201);
    let trace = wait_for("a failed task", FAILURE_PATIENCE, || {
        let status =
            rest.get(&format!("/connectors/{name}/status")).map_err(|err| format!("{err:#}"))?.json();
        let task = &status["tasks"][0];
        if task["state"] == "FAILED" { Ok(task["trace"].clone()) } else { Err(status.to_string()) }
    });
    rest.delete(&format!("/connectors/{name}")).expect("the worker answers").expect_status(204);
    trace.as_str().and_then(|trace| trace.lines().next()).unwrap_or_default().to_owned()
}

fn plugins(rest: &RestClient, flag: &str) -> Vec<Value> {
    let listed = rest.get(&format!("/connector-plugins{flag}")).expect("the worker answers");
    listed.expect_status(200).json().as_array().expect("a list").clone()
}

/// Every class that both workers have.
fn shared_classes(rests: [&RestClient; 2]) -> Vec<String> {
    let [theirs, ours] = rests.map(|rest| {
        let listed = plugins(rest, "?connectorsOnly=false");
        listed.iter().map(|one| one["class"].as_str().expect("a name").to_owned()).collect::<Vec<_>>()
    });
    let mut shared: Vec<String> = ours.into_iter().filter(|class| theirs.contains(class)).collect();
    shared.dedup();
    assert!(shared.len() > 20, "{shared:?}");
    shared
}

/// The sink's configuration without converters and overrides, with the members of `config`.
fn merged(alias: &str, sink: &Value, config: &str) -> Value {
    let config: Value = serde_json::from_str(&config.replace('@', "org.apache.kafka.connect.transforms."))
        .expect("the table holds JSON");
    let members = |part: &Value| part.as_object().expect("an object").clone().into_iter();
    let own = members(sink).filter(|(name, _)| !name.contains(".override.") && !name.contains(".converter"));
    let mut merged = json!({"name": "x"});
    for (name, value) in own.chain(members(&config)) {
        merged[name] = value;
    }
    merged["connector.class"] = json!(alias);
    merged.as_object_mut().expect("an object").remove("name");
    merged
}

fn validated(rest: &RestClient, alias: &str, sink: &Value, config: &str) -> Value {
    let mut config = merged(alias, sink, config);
    config["name"] = json!("x");
    let path = format!("/connector-plugins/{alias}/config/validate");
    rest.put(&path, &config).expect("the worker answers").expect_status(200).json()
}

fn groups(infos: &Value) -> Vec<Value> {
    infos["groups"].as_array().expect("a list").clone()
}

/// Number of errors, groups the configuration adds, and the entries about chains and converters, in order.
fn comparable(infos: &Value, base: &[Value], classes: &[String]) -> Vec<String> {
    let added: Vec<Value> = groups(infos).into_iter().filter(|group| !base.contains(group)).collect();
    let mut lines = vec![format!("{} errors, groups {added:?}", infos["error_count"])];
    for info in infos["configs"].as_array().expect("a list") {
        let name = info["value"]["name"].as_str().expect("a name");
        if !name.starts_with("transforms") && !name.starts_with("predicates") && !name.contains(".converter")
        {
            continue;
        }
        let mut info = info.clone();
        // Either worker has classes of its own.
        if let Some(offered) = info["value"]["recommended_values"].as_array_mut()
            && (name.ends_with(".type") || name.ends_with(".converter"))
        {
            offered.retain(|class| classes.iter().any(|shared| class == shared));
        }
        lines.push(info.to_string());
    }
    lines
}
