//! Requests between workers: signatures, and what they do.

use lakeward_controlplane_core::config_log::{SessionKey, records};
use lakeward_kafka::membership::Role;

use super::rig::{Reply, Rig};
use crate::herder::Command;
use crate::signing::Mac;
use crate::store::{Barrier, Store as _};
use crate::worker_config::WorkerMode;

const TASKS: &str = r#"[{"k":1.50,"l":null},{"k":"v"}]"#;
const CREATE: &str = r#"{"name":"a","config":{"connector.class":"ProbeSink","topics":"t","flush.size":"3"}}"#;

fn headers(algorithm: &str, signature: &str) -> String {
    format!("X-Connect-Authorization: {signature}\r\nX-Connect-Request-Signature-Algorithm: {algorithm}\r\n")
}

impl Rig {
    fn session_key(&self) -> Option<SessionKey> {
        self.store.view().config(|state| state.session_key().cloned())
    }

    /// A request as a worker of the cluster with `key` signs it.
    async fn signed(
        &self,
        key: &SessionKey,
        algorithm: &str,
        (method, path): (&str, &str),
        body: &str,
    ) -> Reply {
        let signature = Mac::named(algorithm).unwrap().sign(key, body.as_bytes()).unwrap();
        self.send(method, path, &headers(algorithm, &signature), body).await
    }

    fn task_texts(&self) -> Vec<String> {
        self.store.view().config(|state| {
            let tasks = state.task_set("a").into_iter().flat_map(|set| set.tasks.values());
            tasks.map(|task| serde_json::to_string(task).unwrap()).collect()
        })
    }
}

fn message(reply: &Reply) -> String {
    reply.json()["message"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn requests_between_workers_must_be_signed() {
    let rig = Rig::distributed().await;
    rig.with_json("POST", "/connectors", CREATE).await;
    let cases = [
        (String::new(), 400, "Internal request missing required signature"),
        (headers("Hmac", "AAAA"), 400, "Algorithm Hmac not available"),
        (
            headers("HmacSHA1", "AAAA"),
            400,
            "This worker does not support the 'HmacSHA1' key signing algorithm",
        ),
        (headers("hmacsha256", "AAAA"), 400, "This worker does not support the 'hmacsha256' key signing"),
        (headers("HmacSHA256", "%%"), 400, "Illegal base64 character 25"),
        (headers("HmacSHA256", "AAAA"), 403, "Internal request contained invalid signature."),
    ];
    for (method, path) in [("POST", "/connectors/a/tasks"), ("PUT", "/connectors/a/fence")] {
        for (headers, status, text) in &cases {
            let reply = rig.send(method, path, headers, "[]").await;
            assert_eq!(reply.status, *status, "{path} {reply:?}");
            assert!(message(&reply).starts_with(text), "{reply:?}");
        }
    }
    assert_eq!(rig.get("/connectors/a/fence").await.status, 405);
    let key = rig.session_key().unwrap().key;
    for path in ["/", "/connectors?expand=info&expand=status", "/metrics"] {
        assert!(!rig.get(path).await.body.contains(&key), "{path}");
    }
}

#[tokio::test]
async fn a_worker_without_a_key_asks_for_patience() {
    let rig = Rig::starting(WorkerMode::Distributed, &[]).await;
    rig.role.send_replace(Role::Follower);
    rig.open();
    let reply = rig.send("PUT", "/connectors/a/fence", &headers("HmacSHA256", "AAAA"), "").await;
    assert_eq!(reply.status, 503, "{reply:?}");
    let text = "This worker is still starting up and has not been able to read a session key from the config \
                topic yet";
    assert_eq!(message(&reply), text);
}

#[tokio::test]
async fn task_configurations_of_another_worker_are_written() {
    let rig = Rig::distributed().await;
    // The role comes before the first command.
    rig.herder.request(Command::Ping).await.unwrap();
    let key = rig.session_key().unwrap();
    let tasks = ("POST", "/connectors/a/tasks");
    let reply = rig.signed(&key, "HmacSHA256", tasks, TASKS).await;
    assert_eq!((reply.status, message(&reply)), (404, "Connector a not found".to_owned()));
    rig.with_json("POST", "/connectors", CREATE).await;
    assert_eq!(rig.signed(&key, "HmacSHA256", tasks, TASKS).await.status, 204);
    assert_eq!(rig.task_texts(), [r#"{"k":"1.50","l":null}"#, r#"{"k":"v"}"#]);
    assert_eq!(rig.signed(&key, "HmacSHA256", tasks, "null").await.status, 500);
    rig.send("PUT", "/connectors/a/stop", "", "").await;
    let reply = rig.signed(&key, "HmacSHA256", tasks, TASKS).await;
    let text = "Cannot submit non-empty set of task configs for stopped connector a";
    assert_eq!((reply.status, message(&reply).as_str()), (400, text));
    assert_eq!(rig.signed(&key, "HmacSHA256", tasks, "[]").await.status, 204);
    let fence = rig.signed(&key, "HmacSHA256", ("PUT", "/connectors/a/fence"), "").await;
    assert_eq!((fence.status, message(&fence).as_str()), (400, "Connector a is not a source connector"));
}

#[tokio::test]
async fn the_body_is_read_before_the_signature_in_javas_words() {
    const AT: &str =
        "\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: 1";
    let rig = Rig::distributed().await;
    let list = "Cannot deserialize value of type \
                `java.util.ArrayList<java.util.Map<java.lang.String,java.lang.String>>` from ";
    let cases = [
        ("", format!("No content to map due to end-of-input{AT}]")),
        ("{}", format!("{list}Object value (token `JsonToken.START_OBJECT`){AT}, column: 1]")),
        ("\"x\"", format!("{list}String value (token `JsonToken.VALUE_STRING`){AT}, column: 1]")),
        (
            "[1]",
            format!(
                "Cannot deserialize value of type \
                 `java.util.LinkedHashMap<java.lang.String,java.lang.String>` from Integer value (token \
                 `JsonToken.VALUE_NUMBER_INT`){AT}, column: 2] (through reference chain: \
                 java.util.ArrayList[0])"
            ),
        ),
        ("[{\"a\":1},", format!("Unexpected end-of-input within/between Array entries{AT}, column: 10]")),
    ];
    for (body, text) in cases {
        let reply = rig.send("POST", "/connectors/a/tasks", "", body).await;
        assert_eq!((reply.status, message(&reply)), (500, text), "{body}");
    }
    for body in ["null", "[] 3", "[null]"] {
        let reply = rig.send("POST", "/connectors/a/tasks", "", body).await;
        assert_eq!(message(&reply), "Internal request missing required signature", "{body}");
    }
}

#[tokio::test]
async fn a_follower_signs_anew_what_it_sends_on() {
    let algorithms = [
        ("inter.worker.verification.algorithms", "HmacSHA1,HmacSHA256"),
        ("inter.worker.signature.algorithm", "HmacSHA1"),
    ];
    let leader = Rig::new(WorkerMode::Distributed, &algorithms[..1]).await;
    leader.with_json("POST", "/connectors", CREATE).await;
    let follower = Rig::starting(WorkerMode::Distributed, &algorithms).await;
    follower.role.send_replace(Role::Follower);
    let url = format!("http://{}/", leader.address);
    follower.open_with(std::sync::Arc::new(move || Box::pin(std::future::ready(Some(url.clone())))));
    let key = leader.session_key().unwrap();
    follower.store.write_config(vec![records::session_key(&key)], Barrier::ReadBack).await.unwrap();
    let tasks = ("POST", "/connectors/a/tasks");
    assert_eq!(follower.signed(&key, "HmacSHA256", tasks, TASKS).await.status, 204);
    assert_eq!(leader.task_texts().len(), 2);
    let forged = follower.send(tasks.0, tasks.1, &headers("HmacSHA256", "AAAA"), TASKS).await;
    assert_eq!(forged.status, 403);
}

#[tokio::test]
async fn workers_of_an_older_protocol_do_not_sign() {
    let rig = Rig::new(WorkerMode::Distributed, &[("connect.protocol", "compatible")]).await;
    rig.with_json("POST", "/connectors", CREATE).await;
    assert_eq!(rig.session_key(), None);
    assert_eq!(rig.send("POST", "/connectors/a/tasks", "", TASKS).await.status, 204);
    assert_eq!(rig.task_texts().len(), 2);
}
