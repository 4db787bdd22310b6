//! Origins, headers, credentials and the admin listener, over HTTP. Answers are those of Java Connect 4.1.0.

use super::rig::Rig;
use crate::worker_config::{BASIC_AUTH_EXTENSION, WorkerMode};

async fn rig(settings: &[(&str, &str)]) -> Rig {
    Rig::new(WorkerMode::Distributed, settings).await
}

#[tokio::test]
async fn origins_are_answered_as_java_does() {
    let rig = rig(&[
        ("access.control.allow.origin", "http://a.example,http://b.*"),
        ("access.control.allow.methods", "GET,PUT"),
    ])
    .await;
    let answer = rig.get("/connectors").await;
    assert_eq!((answer.header("vary"), answer.header("access-control-allow-origin")), (Some("Origin"), None));
    let answer = rig.send("GET", "/nothing", "Origin: http://b.x\r\n", "").await;
    assert_eq!(answer.header("access-control-allow-origin"), Some("http://b.x"));
    assert_eq!(answer.status, 404);
    let stranger = rig.send("GET", "/connectors", "Origin: http://c\r\n", "").await;
    assert_eq!((stranger.status, stranger.header("access-control-allow-origin")), (200, None));
    let preflight = "Origin: http://a.example\r\nAccess-Control-Request-Method: DELETE\r\n";
    let answer = rig.send("OPTIONS", "/connectors", preflight, "").await;
    assert_eq!(answer.body, "HEAD, POST, GET, OPTIONS", "it reaches the resource");
    for (name, value) in [
        ("access-control-allow-origin", "http://a.example"),
        ("access-control-allow-methods", "GET,PUT"),
        ("access-control-allow-headers", "Content-Type"),
        ("access-control-max-age", "60"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{name}");
    }
    let refused = rig.send("GET", "/connectors/a%2Fb", "Origin: http://a.example\r\n", "").await;
    assert_eq!((refused.status, refused.header("vary")), (400, None));
}

#[tokio::test]
async fn headers_are_added_to_every_answer() {
    let rig = rig(&[("response.http.headers.config", "set X-One: 1,\"add X-Two: a, b\"")]).await;
    for path in ["/", "/nothing", "/connectors/absent"] {
        let answer = rig.get(path).await;
        assert_eq!((answer.header("x-one"), answer.header("x-two")), (Some("1"), Some("a, b")), "{path}");
    }
}

#[tokio::test]
async fn only_known_users_reach_resources() {
    let folder = tempfile::tempdir().unwrap();
    let users = folder.path().join("users.properties");
    std::fs::write(&users, "u=p\n").unwrap();
    let login = folder.path().join("login.conf");
    let module = "org.apache.kafka.connect.rest.basic.auth.extension.PropertyFileLoginModule";
    let text = format!("KafkaConnect {{ {module} required file=\"{}\"; }};", users.display());
    std::fs::write(&login, text).unwrap();
    let login = login.to_str().unwrap();
    let rig =
        rig(&[("rest.extension.classes", BASIC_AUTH_EXTENSION), ("lakeward.login.config", login)]).await;
    for path in ["/", "/health", "/connectors", "/admin/loggers"] {
        let answer = rig.get(path).await;
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (401, "User cannot access the resource."),
            "{path}"
        );
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert_eq!(answer.header("www-authenticate"), None);
    }
    assert_eq!(rig.get("/nothing").await.status, 404, "what does not exist needs no password");
    let known = rig.send("GET", "/connectors", "Authorization: Basic dTpw\r\n", "").await;
    assert_eq!((known.status, known.body.as_str()), (200, "[]"));
    let junk = rig.send("GET", "/connectors", "Authorization: Basic %%\r\n", "").await;
    assert_eq!(junk.body, r#"{"error_code":500,"message":"Illegal base64 character 25"}"#);
}

#[tokio::test]
async fn an_empty_list_of_admin_listeners_hides_the_loggers() {
    let rig = rig(&[("admin.listeners", "")]).await;
    assert_eq!(rig.get("/admin/loggers").await.status, 404);
    assert_eq!(rig.get("/connectors").await.status, 200);
}

#[tokio::test]
async fn the_admin_listener_has_loggers_alone_and_none_of_the_headers() {
    let settings =
        [("admin.listeners", "http://127.0.0.1:0"), ("response.http.headers.config", "set X-One: 1")];
    let mut rig = rig(&settings).await;
    assert_eq!(rig.get("/admin/loggers/root").await.status, 404);
    rig.address = rig.admin_address();
    let answer = rig.get("/admin/loggers/root").await;
    assert_eq!((answer.status, answer.header("x-one")), (200, None));
    assert_eq!(rig.get("/connectors").await.status, 404);
}
