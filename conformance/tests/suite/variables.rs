//! Variables of configuration providers: the same answers as Java's, but for the values, which never show.
//!
//! Java's answers to validations and refusals quote the values; ours quote the variables. Everything else is
//! equal, also what the config topics hold.

use std::time::Duration;

use lakeward_testkit::broker::KafkaBroker;
use lakeward_testkit::child::RunFolder;
use lakeward_testkit::java::JavaConnect;
use lakeward_testkit::records;
use lakeward_testkit::rest::RestClient;
use lakeward_testkit::wait::wait_for;
use lakeward_testkit::worker::{LakewardWorker, Properties, distributed_properties, property};
use serde_json::{Value, json};

use crate::differential::{Seen, compare, seen};

const PATIENCE: Duration = Duration::from_secs(60);

/// Keys and values of the properties file; every value is one of a kind.
const SECRETS: [(&str, &str); 3] =
    [("topic", "hidden-topic-71f3"), ("note", "hunter2-e5b1"), ("word", "no-number-9c2a")];
/// Keys whose values are no secrets: other places show them, too.
const PLAIN: [(&str, &str); 2] = [("class", "FileStreamSink"), ("suffix", "statuses")];

/// A folder that both workers may read.
struct Vault {
    folder: RunFolder,
}

impl Vault {
    fn new() -> Self {
        let vault = Self { folder: RunFolder::new("vault").expect("a folder") };
        vault.fill();
        vault
    }

    fn fill(&self) {
        let lines: String =
            SECRETS.iter().chain(&PLAIN).map(|(key, value)| format!("{key}={value}\n")).collect();
        std::fs::write(self.folder.file("s.properties"), lines).expect("the file is written");
        std::fs::write(self.folder.file("whole"), "whole-file-44d0\n").expect("the file is written");
    }

    fn variable(&self, key: &str) -> String {
        format!("${{file:{}:{key}}}", self.folder.file("s.properties").display())
    }

    fn whole(&self) -> String {
        format!("${{dir:{}:whole}}", self.folder.path().display())
    }

    fn properties(&self) -> Properties {
        let mut properties = distributed_properties(KafkaBroker::shared());
        let package = "org.apache.kafka.common.config.provider.";
        let folder = self.folder.path().display().to_string();
        for (name, value) in [
            ("config.providers", "file,dir,env".to_owned()),
            ("config.providers.file.class", format!("{package}FileConfigProvider")),
            ("config.providers.file.param.allowed.paths", folder.clone()),
            ("config.providers.dir.class", format!("{package}DirectoryConfigProvider")),
            ("config.providers.dir.param.allowed.paths", folder),
            ("config.providers.env.class", format!("{package}EnvVarConfigProvider")),
            ("config.providers.env.param.allowlist.pattern", "HOME".to_owned()),
            // A variable of the worker file itself.
            (
                "status.storage.topic",
                format!("{}-{}", lakeward_testkit::unique("s"), self.variable("suffix")),
            ),
        ] {
            properties.push((name.to_owned(), value));
        }
        properties
    }

    /// `text` with values replaced by their variables, as we show it.
    fn hide(&self, text: &str) -> String {
        let text = text.replace("whole-file-44d0\\n", &self.whole());
        SECRETS.iter().fold(text, |text, (key, value)| text.replace(value, &self.variable(key)))
    }

    fn config(&self, name: &str) -> Value {
        json!({
            "name": name,
            "connector.class": "FileStreamSink",
            "tasks.max": "1",
            "topics": self.variable("topic"),
            "file": self.folder.path().join(format!("out-{name}")).display().to_string(),
            "note": format!(
                "{} {} ${{nope:a:b}} {}",
                self.variable("note"), self.whole(), self.variable("absent")
            ),
            "outside": "${file:/etc/hostname:x}${env:PATH}",
        })
    }
}

/// One worker and its connector.
struct Side<'a> {
    rest: &'a RestClient,
    name: String,
    config_topic: String,
}

impl Side<'_> {
    /// What a client sees, with the names of this side made equal.
    fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Seen {
        let path = path.replace("NAME", &self.name);
        let json = [("content-type", "application/json")];
        let body = body.map(Value::to_string);
        let headers: &[(&str, &str)] = if body.is_some() { &json } else { &[] };
        let (status, content_type, text) = seen(self.rest.send(method, &path, headers, body.as_deref()));
        (status, content_type, self.normal(&text))
    }

    fn normal(&self, text: &str) -> String {
        text.replace(&self.name, "NAME").replace(&self.rest.authority(), "WORKER")
    }

    /// The configuration and the task configurations of the topic, newest last.
    fn stored(&self) -> Vec<String> {
        let records =
            records::read_topic(KafkaBroker::shared(), &self.config_topic).expect("the topic is read");
        let of_connector = |record: &records::Record| {
            let key = record.key_text();
            key.starts_with("connector-") || key.starts_with("task-")
        };
        let stored = records.iter().filter(|record| of_connector(record));
        stored.filter_map(|record| Some(self.normal(&record.value_json()?.to_string()))).collect()
    }

    /// Waits until the connector is shown: Java answers 500 while it rebalances.
    fn wait_until_shown(&self) {
        wait_for("the end of a rebalance", PATIENCE, || {
            let answer = self.rest.get(&format!("/connectors/{}", self.name));
            let answer = answer.map_err(|err| format!("{err:#}"))?;
            if answer.status == 200 { Ok(()) } else { Err(answer.text) }
        });
    }

    /// Waits for connector and task to be in these states; the first lines of their traces.
    fn wait_for(&self, connector: &str, task: &str) -> (String, String) {
        let path = format!("/connectors/{}/status", self.name);
        let first = |part: &Value| {
            let trace = part["trace"].as_str().unwrap_or_default();
            trace.lines().next().unwrap_or_default().to_owned()
        };
        wait_for(&format!("{connector}, {task}"), PATIENCE, || {
            let answer = self.rest.get(&path).map_err(|err| format!("{err:#}"))?;
            let status = answer.json();
            let (is, of) = (&status["connector"], &status["tasks"][0]);
            if is["state"] == connector && of["state"] == task {
                Ok((first(is), first(of)))
            } else {
                Err(answer.text)
            }
        })
    }
}

fn both<'a>(java: &'a JavaConnect, ours: &'a LakewardWorker, properties: [&Properties; 2]) -> [Side<'a>; 2] {
    let side = |rest, name: &str, properties: &Properties| Side {
        rest,
        name: lakeward_testkit::unique(name),
        config_topic: property(properties, "config.storage.topic").to_owned(),
    };
    [side(&java.rest, "java", properties[0]), side(&ours.rest, "ours", properties[1])]
}

/// An answer in parts that are compared one by one: members in order, and what validations say about values.
/// Lists of plugins are left out, and so are definitions: the workers have different plugins and words.
fn parts(seen: &Seen) -> Vec<Seen> {
    let (status, content_type, text) = seen;
    let part = |text: String| (*status, content_type.clone(), text);
    let Ok(mut json) = serde_json::from_str::<Value>(text) else { return vec![part(text.clone())] };
    let configs = json.get_mut("configs").map(Value::take);
    if let Some(message) = json.get("message").and_then(Value::as_str) {
        let message = message.split(", available connectors are").next().unwrap_or_default();
        json["message"] = json!(message);
    }
    let entries = configs.as_ref().and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let values = entries.iter().map(|entry| {
        let value = &entry["value"];
        json!([value["name"], value["value"], value["errors"], value["visible"]]).to_string()
    });
    std::iter::once(sorted(&json)).chain(values).map(part).collect()
}

/// JSON text whose members are in the order of their names.
fn sorted(json: &Value) -> String {
    match json {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().map(|(name, value)| (name, sorted(value))).collect();
            members.sort();
            format!("{members:?}")
        }
        Value::Array(entries) => format!("{:?}", entries.iter().map(sorted).collect::<Vec<_>>()),
        other => other.to_string(),
    }
}

#[test]
fn variables_are_answered_as_java_answers_them_and_values_never_show() {
    let vault = Vault::new();
    let properties = [vault.properties(), vault.properties()];
    let java = JavaConnect::start(&properties[0]).expect("Java Connect starts");
    let ours = LakewardWorker::start_distributed(&properties[1]).expect("the worker starts");
    let [theirs, ours_side] = both(&java, &ours, [&properties[0], &properties[1]]);
    let mut answers = Vec::new();
    let mut problems = Vec::new();
    let mut ask = |method: &str, path: &str, body: &dyn Fn(&str) -> Option<Value>| {
        let of = |side: &Side| side.ask(method, path, body(&side.name).as_ref());
        let (java, ours) = (of(&theirs), of(&ours_side));
        answers.push(ours.2.clone());
        let java = (java.0, java.1, vault.hide(&java.2));
        let what = format!("{method} {path}");
        for (java, ours) in parts(&java).into_iter().zip(parts(&ours)) {
            compare(&what, &java, &ours, &mut problems);
        }
    };
    let nothing = |_: &str| None;
    let with = |changes: Vec<(&'static str, String)>| {
        let vault = &vault;
        move |name: &str| {
            let mut config = vault.config(name);
            for (key, value) in &changes {
                config[*key] = json!(value);
            }
            Some(config)
        }
    };
    let validate = "/connector-plugins/FileStreamSink/config/validate";
    let missing = format!("${{file:{}:x}}", vault.folder.file("missing").display());
    let refused = [
        ("errors.log.enable", vault.variable("word")),
        ("topics", missing),
        ("note", "${env:PATH:HOME}".to_owned()),
        ("connector.class", vault.variable("word")),
    ];
    ask("PUT", validate, &with(Vec::new()));
    for change in refused {
        ask("PUT", validate, &with(vec![change.clone()]));
        ask("PUT", "/connectors/NAME/config", &with(vec![change]));
    }
    ask("PUT", "/connectors/NAME/config", &with(Vec::new()));
    for side in [&theirs, &ours_side] {
        side.wait_for("RUNNING", "RUNNING");
    }
    for path in ["", "/config", "/status", "/tasks", "/tasks/0/status"] {
        ask("GET", &format!("/connectors/NAME{path}"), &nothing);
    }
    ask("GET", "/connectors?expand=info&expand=status", &nothing);
    let by_class = with(vec![("connector.class", vault.variable("class"))]);
    ask("PUT", "/connectors/NAME/config", &by_class);
    theirs.wait_until_shown();
    ask("GET", "/connectors/NAME", &nothing);
    assert!(problems.is_empty(), "{} differences:\n{}", problems.len(), problems.join("\n"));
    let stored = ours_side.stored();
    assert!(stored.len() >= 4, "{stored:?}");
    answers.extend(stored);
    assert_hidden(&answers);
    // The client library names the topics it reads.
    assert_hidden(&[ours.log().replace(SECRETS[0].1, "")]);
    // As values: Java's order of the members is that of a hash table.
    let task = |side: &Side| {
        let text = side.stored().into_iter().find(|text| text.contains("task.class"));
        text.map(|text| serde_json::from_str::<serde_json::Value>(&text).expect("records are JSON"))
    };
    assert_eq!(task(&theirs), task(&ours_side));
}

/// A worker that starts finds its connectors; those whose values are gone are FAILED until they are back.
#[test]
fn a_provider_that_fails_fails_what_starts_as_in_java() {
    let vault = Vault::new();
    let late = vault.folder.file("late.properties");
    std::fs::write(&late, "x=y\n").expect("the file is written");
    let properties = [vault.properties(), vault.properties()];
    let mut java = JavaConnect::start(&properties[0]).expect("Java Connect starts");
    let mut ours = LakewardWorker::start_distributed(&properties[1]).expect("the worker starts");
    let names = both(&java, &ours, [&properties[0], &properties[1]]).map(|side| {
        let mut config = vault.config(&side.name);
        config["late"] = json!(format!("${{file:{}:x}}", late.display()));
        let created = side.ask("PUT", "/connectors/NAME/config", Some(&config));
        assert_eq!(created.0, 201, "{created:?}");
        side.wait_for("RUNNING", "RUNNING");
        side.name
    });
    java.stop().expect("Java Connect ends");
    ours.terminate().expect("the worker ends");
    std::fs::remove_file(&late).expect("it was there");
    let java = JavaConnect::start(&properties[0]).expect("Java Connect starts");
    ours.restart().expect("the worker starts");
    let mut sides = both(&java, &ours, [&properties[0], &properties[1]]);
    for (side, name) in sides.iter_mut().zip(names) {
        side.name = name;
    }
    let traces = sides.each_ref().map(|side| side.wait_for("FAILED", "FAILED"));
    assert_eq!(traces[0], traces[1]);
    assert!(traces[1].1.contains("Could not read properties from file"), "{traces:?}");
    std::fs::write(&late, "x=y\n").expect("the file is written");
    for side in &sides {
        side.ask("POST", "/connectors/NAME/restart?includeTasks=true&onlyFailed=true", None);
        side.wait_for("RUNNING", "RUNNING");
    }
}

/// The value reaches a file name that cannot be opened; Java's trace quotes it.
#[test]
fn a_trace_shows_the_variable() {
    let vault = Vault::new();
    let properties = vault.properties();
    let ours = LakewardWorker::start_distributed(&properties).expect("the worker starts");
    let name = lakeward_testkit::unique("trace");
    let mut config = vault.config(&name);
    config["file"] = json!(format!("/nowhere/{}/out", vault.variable("note")));
    ours.create(&name, &config);
    let trace = ours.wait_for_failure(&name);
    assert!(trace.contains(&format!("/nowhere/{}/out", vault.variable("note"))), "{trace}");
    assert_hidden(&[trace, ours.log().replace(SECRETS[0].1, "")]);
}

/// Without an allow-list any connector configuration could read any file: the worker does not start.
#[test]
fn a_provider_without_an_allow_list_keeps_the_worker_from_starting() {
    let vault = Vault::new();
    let mut properties = vault.properties();
    properties.retain(|(name, _)| name != "config.providers.file.param.allowed.paths");
    let (status, log) = LakewardWorker::run_to_end(&properties, PATIENCE).expect("the worker ends");
    assert_eq!(status.code(), Some(2), "{log}");
    assert!(log.contains("config.providers.file.param.allowed.paths"), "{log}");
    assert!(log.contains("allows everything"), "{log}");
}

fn assert_hidden(texts: &[String]) {
    for value in SECRETS.iter().map(|(_, value)| *value).chain(["whole-file-44d0"]) {
        let shown = texts.iter().find(|text| text.contains(value));
        assert!(shown.is_none(), "{value} shows in {shown:?}");
    }
}
