//! The client against the development server, over sockets.

mod oauth;
mod rig;
mod tls;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};

use hyper::Request;
use hyper::body::Incoming;
use lakeward_api::ErrorClass;
use lakeward_api::bridge::{Bridge, BridgeFuture};
use lakeward_api::config::Password;
use lakeward_registry::{Guid, Reference, SchemaText, SchemaType, server};

use rig::{Rig, avro};

const BY_ID: &str = "/schemas/ids/1?fetchMaxId=false&subject=t-value";

#[test]
fn an_instance_that_cannot_be_reached_is_left_for_the_next() {
    let rig = Rig::new();
    let id = rig.register("t-value", avro("\"int\""));
    let urls = format!("{},{}", rig.nobody(), rig.server(server::Options::default()));
    let mut client = rig.client(&urls, &[]);
    assert_eq!(&*client.by_id("t-value", id).unwrap().schema.text, "\"int\"");
}

#[test]
fn without_any_instance_it_is_a_network_error_of_the_record() {
    let rig = Rig::new();
    let mut client = rig.client(&rig.nobody(), &[]);
    let error = client.by_id("t-value", 1).unwrap_err();
    assert_eq!(error.java_class(), "org.apache.kafka.common.errors.NetworkException");
    assert_eq!(error.class(), ErrorClass::Record);
    assert!(error.to_string().to_lowercase().contains("refused"), "{error}");
}

#[test]
fn one_question_has_one_request_in_flight() {
    let rig = Rig::new();
    rig.register("t-value", avro("\"int\""));
    let (release, gate) = channel::<()>();
    let gate = Mutex::new(gate);
    let url = rig.scripted(Arc::new(move |request: &Request<Incoming>| {
        if request.uri().path() == "/schemas/ids/1" {
            // Ends when the test lets go, or is over.
            let _released = gate.lock().unwrap().recv();
        }
        None
    }));
    let mut client = rig.client(&url, &[]);
    for _ in 0..5 {
        assert!(client.registry.by_id("t-value", 1).is_pending());
    }
    drop(release);
    let first = client.by_id("t-value", 1).unwrap();
    let second = client.by_id("t-value", 1).unwrap();
    assert!(Arc::ptr_eq(&first, &second));
    assert_eq!(first.version, Some(1));
    assert_eq!(rig.count(BY_ID), 1);
}

#[test]
fn an_unknown_id_is_refused_in_the_registrys_words_and_not_asked_for_again_at_once() {
    let rig = Rig::new();
    let url = rig.scripted(Arc::new(|_: &Request<Incoming>| None));
    let mut client = rig.client(&url, &[]);
    for _ in 0..3 {
        let error = client.by_id("t-value", 1).unwrap_err();
        assert_eq!(error.to_string(), "Schema 1 not found; error code: 40403");
        assert_eq!(error.class(), ErrorClass::Record);
        let class = "io.confluent.kafka.schemaregistry.client.rest.exceptions.RestClientException";
        assert_eq!(error.java_class(), class);
    }
    assert_eq!(rig.count(BY_ID), 1);
}

#[test]
fn users_are_checked() {
    let rig = Rig::new();
    rig.register("t-value", avro("\"int\""));
    let url =
        rig.server(server::Options { basic_auth: Some(Password::new("ada:secret")), ..Default::default() });
    let error = rig.client(&url, &[]).by_id("t-value", 1).unwrap_err();
    assert_eq!(error.java_class(), "org.apache.kafka.common.errors.AuthenticationException");
    let user = |info| [("basic.auth.credentials.source", "USER_INFO"), ("basic.auth.user.info", info)];
    assert!(rig.client(&url, &user("ada:wrong")).by_id("t-value", 1).is_err());
    assert!(rig.client(&url, &user("ada:secret")).by_id("t-value", 1).is_ok());
    let inside = url.replace("http://", "http://ada:secret@");
    assert!(rig.client(&inside, &[]).by_id("t-value", 1).is_ok());
}

#[test]
fn a_server_that_does_not_answer_in_time_is_a_network_error() {
    let rig = Rig::new();
    let (release, gate) = channel::<()>();
    let gate = Mutex::new(gate);
    let url = rig.scripted(Arc::new(move |_: &Request<Incoming>| {
        let _released = gate.lock().unwrap().recv();
        None
    }));
    let mut client = rig.client(&url, &[("http.read.timeout.ms", "100")]);
    let error = client.by_id("t-value", 1).unwrap_err();
    assert_eq!(error.java_class(), "org.apache.kafka.common.errors.NetworkException");
    drop(release);
}

/// A server that answers `status` `times` times.
fn ailing(rig: &Rig, status: u16, times: usize) -> String {
    let left = AtomicUsize::new(times);
    rig.scripted(Arc::new(move |_: &Request<Incoming>| {
        let failing = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        failing.is_ok().then(|| (status, b"{\"error_code\":50001,\"message\":\"down\"}".to_vec()))
    }))
}

#[test]
fn failures_that_heal_are_repeated() {
    for status in [408, 429, 500, 502, 503, 504] {
        let rig = Rig::new();
        rig.register("t-value", avro("\"int\""));
        let url = ailing(&rig, status, 2);
        let mut client = rig.client(&url, &[("max.retries", "2")]);
        assert!(client.by_id("t-value", 1).is_ok(), "{status}");
        assert_eq!(rig.count(BY_ID), 3, "{status}");
    }
}

#[test]
fn a_registry_that_stays_down_is_retriable_and_heals_later() {
    let rig = Rig::new();
    rig.register("t-value", avro("\"int\""));
    let url = ailing(&rig, 500, 1);
    let mut client = rig.client(&url, &[]);
    let error = client.by_id("t-value", 1).unwrap_err();
    assert_eq!(error.class(), ErrorClass::Retriable);
    assert_eq!(error.java_class(), "org.apache.kafka.connect.errors.RetriableException");
    assert_eq!(error.to_string(), "down; error code: 50001");
    assert!(client.by_id("t-value", 1).is_err());
    assert_eq!(rig.count(BY_ID), 1, "an attempt at records asks once");
    client.forget_failures();
    assert_eq!(client.by_id("t-value", 1).unwrap().id, 1);
    assert_eq!(rig.count(BY_ID), 2);
}

#[test]
fn ids_and_versions_are_kept_apart() {
    let rig = Rig::new();
    let (int, long) = (rig.register("a", avro("\"int\"")), rig.register("a", avro("\"long\"")));
    rig.register("b", avro("\"long\""));
    let mut client = rig.client(&rig.server(server::Options::default()), &[]);
    let mut text = |subject: &str, id| {
        let found = client.by_id(subject, id).unwrap();
        (found.schema.text.to_string(), found.version)
    };
    assert_eq!(text("a", int), ("\"int\"".to_owned(), Some(1)));
    assert_eq!(text("a", long), ("\"long\"".to_owned(), Some(2)));
    assert_eq!(text("b", long), ("\"long\"".to_owned(), Some(1)));
    assert_eq!(text("b", int), ("\"int\"".to_owned(), None));
    assert_eq!(text("", int), ("\"int\"".to_owned(), None));
}

#[test]
fn a_schema_is_found_by_its_guid() {
    let rig = Rig::new();
    let id = rig.register("a", avro("\"int\""));
    let url = rig.scripted(Arc::new(|_: &Request<Incoming>| None));
    let mut client = rig.client(&url, &[]);
    let guid = client.by_id("a", id).unwrap().guid.unwrap();
    let mut found = |subject: &str| {
        let found = client.wait(|registry| registry.by_guid(subject, guid)).unwrap();
        (found.id, found.guid, found.version, found.schema.text.to_string())
    };
    let text = "\"int\"".to_owned();
    assert_eq!(found("a"), (id, Some(guid), Some(1), text.clone()));
    assert_eq!(found("a"), (id, Some(guid), Some(1), text.clone()));
    assert_eq!(found("b"), (-1, Some(guid), None, text));
    assert_eq!(rig.count(&format!("/schemas/guids/{guid}")), 2, "once per subject");
    let unknown = client.wait(|registry| registry.by_guid("a", Guid([7; 16]))).unwrap_err();
    assert!(unknown.to_string().ends_with("not found; error code: 40403"), "{unknown}");
    assert_eq!(client.for_writing("a", &avro("\"int\"")).unwrap().guid, Some(guid));
}

#[test]
fn subjects_that_are_associated_with_topics_are_asked_for_once() {
    let rig = Rig::new();
    rig.store.lock().unwrap().associate("t", false, "orders");
    let url = rig.scripted(Arc::new(|_: &Request<Incoming>| None));
    let class = "io.confluent.kafka.serializers.subject.AssociatedNameStrategy";
    let mut client = rig.client(&url, &[("value.subject.name.strategy", class)]);
    for _ in 0..2 {
        assert_eq!(client.associated("t", false).as_deref(), Some("orders"));
        assert_eq!(client.associated("t", true), None);
    }
    let asked =
        |side| rig.count(&format!("/associations/resources/-/t?resourceType=topic&associationType={side}"));
    assert_eq!((asked("value"), asked("key")), (1, 1));
    // Other strategies ask nothing.
    assert_eq!(rig.client(&url, &[]).associated("t", false), None);
    assert_eq!(asked("value"), 1);
}

#[test]
fn references_arrive_after_what_they_need_and_are_fetched_once() {
    let rig = Rig::new();
    let refer = |name: &str| Reference { name: name.to_owned(), subject: name.to_owned(), version: 1 };
    let proto = |text: &str, references: Vec<Reference>| SchemaText {
        kind: SchemaType::Protobuf,
        text: text.into(),
        references,
    };
    rig.register("c", proto("message C {}", vec![]));
    rig.register("b", proto("message B {}", vec![refer("c")]));
    let first = rig.register("a/1", proto("message A {}", vec![refer("b"), refer("c")]));
    let second = rig.register("a2", proto("message A2 {}", vec![refer("c")]));
    let url = rig.scripted(Arc::new(|_: &Request<Incoming>| None));
    let mut client = rig.client(&url, &[]);
    let found = client.by_id("a/1", first).unwrap();
    assert_eq!(found.version, Some(1));
    let names: Vec<_> = found.dependencies.iter().map(|(name, text)| (name.as_str(), &**text)).collect();
    assert_eq!(names, [("c", "message C {}"), ("b", "message B {}")]);
    assert_eq!(client.by_id("a2", second).unwrap().dependencies.len(), 1);
    assert_eq!(rig.count("/subjects/c/versions/1?deleted=true"), 1);
}

#[test]
fn references_that_lead_in_circles_end() {
    let rig = Rig::new();
    let url = rig.scripted(Arc::new(|request: &Request<Incoming>| {
        // Every schema refers to one with a longer name.
        let name = format!("{}x", request.uri().path().split('/').nth(2).unwrap());
        let body = format!(
            r#"{{"schema":"\"int\"","references":[{{"name":"{name}","subject":"{name}","version":1}}]}}"#
        );
        Some((200, body.into_bytes()))
    }));
    let error = rig.client(&url, &[]).by_id("t-value", 1).unwrap_err();
    assert!(error.to_string().contains("too deep"), "{error}");
}

#[test]
fn what_is_written_is_registered_once() {
    let rig = Rig::new();
    let url = rig.scripted(Arc::new(|_: &Request<Incoming>| None));
    let mut client = rig.client(&url, &[("normalize.schemas", "true")]);
    for _ in 0..3 {
        assert_eq!(client.for_writing("t-value", &avro("\"int\"")).unwrap().id, 1);
    }
    assert_eq!(rig.count("/subjects/t-value/versions?normalize=true"), 1);
    let error = client.for_writing("t-value", &avro("\"string\"")).unwrap_err();
    let text = error.to_string();
    let start = "Schema being registered is incompatible with an earlier schema for subject \"t-value\"";
    assert!(text.starts_with(start) && text.ends_with("; error code: 409"), "{text}");
}

#[test]
fn other_choices_of_the_schema_to_write_with_ask_their_own_questions() {
    let rig = Rig::new();
    let id = rig.register("s", avro("\"long\""));
    let url = rig.server(server::Options::default());
    let off = ("auto.register.schemas", "false");
    let int = avro("\"int\"");
    let error = rig.client(&url, &[off]).for_writing("s", &int).unwrap_err();
    assert_eq!(error.to_string(), "Schema not found; error code: 40403");
    let latest = rig.client(&url, &[off, ("use.latest.version", "true")]).for_writing("s", &int).unwrap();
    assert_eq!((latest.id, latest.version, &*latest.schema.text), (id, Some(1), "\"long\""));
    let id_text = id.to_string();
    let fixed = [off, ("use.schema.id", id_text.as_str())];
    assert_eq!(rig.client(&url, &fixed).for_writing("s", &int).unwrap().id, id);
    let refused = rig.client(&url, &fixed).for_writing("s", &avro("\"string\"")).unwrap_err();
    assert!(refused.to_string().ends_with("Set id.compatibility.strict=false to disable this check"));
    let fresh = [off, ("use.latest.version", "true"), ("latest.cache.ttl.sec", "0")];
    assert_eq!(rig.client(&url, &fresh).for_writing("s", &int).unwrap().id, id, "an answer is seen once");
    let lax = [off, ("use.latest.version", "true"), ("latest.compatibility.strict", "false")];
    assert_eq!(rig.client(&url, &lax).for_writing("s", &avro("\"string\"")).unwrap().id, id);
    let both = [("use.latest.version", "true"), ("use.schema.id", "1")];
    let own = rig.client(&url, &both).for_writing("other", &int).unwrap();
    assert_eq!(&*own.schema.text, "\"int\"", "registering wins");
    let tagged = [off, ("use.latest.with.metadata", "owner=ada")];
    assert!(rig.client(&url, &tagged).for_writing("s", &int).is_err());
}

#[test]
fn tokens_and_headers_are_sent() {
    let rig = Rig::new();
    rig.register("t-value", avro("\"int\""));
    let url = rig.scripted(Arc::new(|request: &Request<Incoming>| {
        let header = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        let fine = header("authorization").as_deref() == Some("Bearer t")
            && header("x-team").as_deref() == Some("lake");
        (!fine).then(|| (403, b"{}".to_vec()))
    }));
    let token = [("bearer.auth.credentials.source", "STATIC_TOKEN"), ("bearer.auth.token", "t")];
    let error = rig.client(&url, &token).by_id("t-value", 1).unwrap_err();
    assert_eq!(error.java_class(), "org.apache.kafka.common.errors.AuthorizationException");
    let with_header = [token[0], token[1], ("request.header.X-Team", "lake")];
    assert!(rig.client(&url, &with_header).by_id("t-value", 1).is_ok());
}

#[test]
fn answers_that_cannot_be_used_cost_bounded_memory() {
    let rig = Rig::new();
    for body in [b"<html>".to_vec(), b"{}".to_vec(), vec![b' '; 17 << 20]] {
        let url = rig.scripted(Arc::new(move |_: &Request<Incoming>| Some((200, body.clone()))));
        let error = rig.client(&url, &[]).by_id("t-value", 1).unwrap_err();
        assert!(error.to_string().contains("cannot be used"), "{error}");
    }
}

#[test]
fn a_request_that_is_given_up_answers_its_question() {
    struct Nowhere;
    impl Bridge for Nowhere {
        fn spawn(&self, future: BridgeFuture) {
            drop(future);
        }
    }
    let rig = Rig::new();
    let mut client = rig.client_on(Arc::new(Nowhere), "http://127.0.0.1:1", &[]);
    let error = client.by_id("t-value", 1).unwrap_err();
    assert!(error.to_string().contains("given up"), "{error}");
}

#[test]
fn the_server_refuses_in_confluents_shape() {
    let rig = Rig::new();
    let ask = |method: &str, path: &str, body: &str| {
        let method = method.parse().unwrap();
        let answer = server::answer(&rig.store, &method, &path.parse().unwrap(), body.as_bytes());
        (answer.status.as_u16(), answer.body)
    };
    let int = r#"{"schema":"{\"type\":\"int\"}"}"#;
    let guid = "b128cfe3-2cfe-8143-40e3-6d9fddc662c7";
    let registered = format!(r#"{{"id":1,"guid":"{guid}"}}"#);
    assert_eq!(ask("POST", "/subjects/s/versions", int), (200, registered));
    assert_eq!(ask("GET", &format!("/schemas/guids/{guid}"), "").1, ask("GET", "/schemas/ids/1", "").1);
    assert_eq!(ask("GET", &format!("/schemas/guids/{guid}/ids"), "").1, r#"[{"context":".","id":1}]"#);
    assert_eq!(ask("GET", "/schemas/guids/b128cfe3-2cfe-8143-40e3-6d9fddc662c8", "").0, 404);
    assert_eq!(ask("GET", "/subjects", ""), (200, r#"["s"]"#.to_owned()));
    assert_eq!(
        ask("GET", "/subjects/s/versions/latest", "").1,
        format!(r#"{{"subject":"s","version":1,"id":1,"guid":"{guid}","schema":"\"int\""}}"#)
    );
    assert_eq!(ask("GET", "/subjects/s/versions/1/schema", "").1, "\"int\"");
    assert_eq!(ask("GET", "/schemas/ids/1/versions", "").1, r#"[{"subject":"s","version":1}]"#);
    assert_eq!(ask("GET", "/schemas/types", "").1, r#"["JSON","PROTOBUF","AVRO"]"#);
    assert_eq!(ask("GET", "/config", "").1, r#"{"compatibilityLevel":"BACKWARD"}"#);
    assert_eq!(ask("PUT", "/config/s", r#"{"compatibility":"full"}"#).1, r#"{"compatibility":"FULL"}"#);
    assert_eq!(ask("GET", "/mode", "").1, r#"{"mode":"READWRITE"}"#);
    let text = r#"{"schema":"\"string\""}"#;
    assert_eq!(
        ask("POST", "/compatibility/subjects/s/versions/latest", text).1,
        r#"{"is_compatible":false}"#
    );
    let missing = r#"{"error_code":40401,"message":"Subject 'x' not found."}"#;
    assert_eq!(ask("GET", "/subjects/x/versions", ""), (404, missing.to_owned()));
    assert_eq!(ask("GET", "/associations/resources/-/t", "").0, 404);
    assert_eq!(ask("PUT", "/subjects", "").0, 405);
    assert_eq!(ask("POST", "/subjects/s/versions", "{").0, 400);
    assert_eq!(ask("POST", "/subjects/s/versions", "{}").0, 422);
    assert_eq!(ask("DELETE", "/subjects/s", "").1, "[1]");
}
