//! Variables through the herder: what is stored and shown is the text, what runs gets the values.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::super::recorder::Recorder;
use super::super::tests::{Bench, LEADER};
use super::super::{Command, RequestError};

/// A properties file and a worker that may read it.
struct Secret {
    folder: PathBuf,
    settings: Vec<(String, String)>,
}

impl Secret {
    fn new(name: &str, text: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("lakeward-resolve-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let settings = [
            ("config.providers", "file".to_owned()),
            (
                "config.providers.file.class",
                "org.apache.kafka.common.config.provider.FileConfigProvider".to_owned(),
            ),
            ("config.providers.file.param.allowed.paths", folder.display().to_string()),
        ];
        let settings = settings.map(|(name, value)| (name.to_owned(), value)).to_vec();
        let secret = Self { folder, settings };
        secret.write(text);
        secret
    }

    fn write(&self, text: &str) {
        std::fs::write(self.folder.join("s.properties"), text).unwrap();
    }

    fn variable(&self, key: &str) -> String {
        format!("${{file:{}/s.properties:{key}}}", self.folder.display())
    }

    fn bench(&self, runtime: &Arc<Recorder>) -> Bench {
        let settings: Vec<(&str, &str)> =
            self.settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        Bench::over(LEADER, &settings, runtime)
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        // A failing test shows its own failure.
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

#[tokio::test]
async fn tasks_get_values_and_the_topic_keeps_the_variables() {
    let secret = Secret::new("values", "size=7777777\nclass=ProbeSink\n");
    let runtime = Recorder::failing(&["x.Y: cannot keep 7777777 records\n"]);
    let bench = secret.bench(&runtime);
    let (size, class) = (secret.variable("size"), secret.variable("class"));
    let config = [("flush.size", size.as_str()), ("connector.class", &class), ("topics", "t")];
    bench.create_with(&config).await.unwrap();
    bench.wait_for_task("FAILED").await;
    let spec = runtime.specs().pop().unwrap();
    assert_eq!(spec.task_config["flush.size"], "7777777");
    assert_eq!(spec.connector_config["connector.class"], "ProbeSink");
    let stored = bench.config_text();
    assert!(!stored.contains("7777777"), "{stored}");
    assert_eq!(bench.stored_task("flush.size").as_deref(), Some(size.as_str()));
    let statuses = bench.statuses_of("status-task-a-0");
    assert!(statuses.iter().all(|status| !status.contains("7777777")), "{statuses:?}");
    assert!(statuses.iter().any(|status| status.contains("cannot keep ${file:")), "{statuses:?}");
}

#[tokio::test]
async fn validation_uses_values_and_answers_with_variables() {
    let secret = Secret::new("validate", "size=-99999\nok=3\nname=a\n");
    let bench = secret.bench(&Recorder::failing(&[]));
    let size = secret.variable("size");
    let config = bench.config(&[("flush.size", &size), ("name", "a")]);
    let infos = bench.herder.validate(config).await.unwrap();
    let text = infos.to_json().to_string();
    assert!(text.contains(&format!("Invalid value {size} for configuration flush.size")), "{text}");
    assert!(!text.contains("99999"), "{text}");
    assert!(!infos.refusal().unwrap().contains("99999"));
    let config = bench.config(&[("flush.size", &secret.variable("ok")), ("name", "a")]);
    assert_eq!(bench.herder.validate(config).await.unwrap().refusal(), None);
}

#[tokio::test]
async fn a_configuration_without_class_is_refused_without_its_values() {
    let secret = Secret::new("class", "password=hunter2hunter2\n");
    let bench = secret.bench(&Recorder::failing(&[]));
    let mut config = bench.config(&[("p", &secret.variable("password"))]);
    config.remove("connector.class");
    let err = bench.herder.validate(config).await.unwrap_err();
    assert_eq!(err.status(), 400);
    assert!(err.to_string().contains("p=${file:") && !err.to_string().contains("hunter2"), "{err}");
}

#[tokio::test]
async fn a_provider_that_fails_refuses_validation_and_fails_connector_and_task() {
    let secret = Secret::new("broken", "size=3\n");
    let runtime = Recorder::failing(&["x.Y: first failure\n"]);
    let bench = secret.bench(&runtime);
    let size = secret.variable("size");
    bench.create_with(&[("flush.size", &size)]).await.unwrap();
    bench.wait_for_task("FAILED").await;
    let file = secret.folder.join("s.properties");
    std::fs::remove_file(&file).unwrap();
    let problem = format!("Could not read properties from file {}", file.display());
    let refused = bench.herder.validate(bench.config(&[("flush.size", &size)])).await;
    assert_eq!(refused.unwrap_err(), RequestError::Config(problem.clone()));
    bench.request(Command::RestartTask { id: bench.task() }).await.unwrap();
    bench.wait_for_status("status-task-a-0", &problem).await;
    let answer = bench.request(Command::RestartConnector { name: "a".to_owned() }).await;
    assert_eq!(answer.unwrap_err(), RequestError::Internal(problem.clone()));
    let trace = format!("org.apache.kafka.common.config.ConfigException: {problem}");
    bench.wait_for_status("status-connector-a", &trace).await;
    assert_eq!(runtime.specs().len(), 1);
}

#[tokio::test]
async fn a_connector_that_is_restarted_after_a_rotation_restarts_its_tasks_with_the_new_value() {
    let secret = Secret::new("rotation", "size=31\n");
    let runtime = Recorder::failing(&[]);
    let bench = secret.bench(&runtime);
    bench.create_with(&[("flush.size", &secret.variable("size"))]).await.unwrap();
    bench.wait_for_task("RUNNING").await;
    let restart = || bench.request(Command::RestartConnector { name: "a".to_owned() });
    restart().await.unwrap();
    bench.request(Command::Ping).await.unwrap();
    assert_eq!(runtime.specs().len(), 1, "nothing changed");
    secret.write("size=32\n");
    restart().await.unwrap();
    bench.request(Command::Ping).await.unwrap();
    let sizes: Vec<_> = runtime.specs().iter().map(|spec| spec.task_config["flush.size"].clone()).collect();
    assert_eq!(sizes, ["31", "32"]);
    tokio::time::timeout(Duration::from_secs(1), bench.wait_for_task("RUNNING")).await.unwrap();
}
