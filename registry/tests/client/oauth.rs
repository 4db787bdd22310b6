//! The client with tokens of an issuer, against the development server.

use std::sync::Arc;
use std::time::Duration;

use lakeward_api::ErrorClass;
use lakeward_api::config::Password;
use lakeward_registry::server;

use crate::rig::{Client, Rig, avro};

const HOUR: Duration = Duration::from_secs(3600);

/// A server that wants tokens, and the issuer of those.
fn guarded(rig: &Rig, age: Duration, lifetime: Duration) -> (String, Arc<server::Issuer>) {
    let issuer = Arc::new(server::Issuer::new(Password::new("lake:s3cret"), age, lifetime));
    let options = server::Options { oauth: Some(Arc::clone(&issuer)), ..Default::default() };
    (rig.server(options), issuer)
}

fn client(rig: &Rig, url: &str, secret: &str, more: &[(&str, &str)]) -> Client {
    let endpoint = format!("{url}{}", server::TOKEN_PATH);
    let mut settings = vec![
        ("bearer.auth.credentials.source", "OAUTHBEARER"),
        ("bearer.auth.issuer.endpoint.url", endpoint.as_str()),
        ("bearer.auth.client.id", "lake"),
        ("bearer.auth.client.secret", secret),
        ("bearer.auth.scope", "read write"),
    ];
    settings.extend(more);
    rig.client(url, &settings)
}

#[test]
fn a_token_is_fetched_once_and_serves_until_it_is_about_to_expire() {
    let rig = Rig::new();
    let (first, second) = (rig.register("a", avro("\"int\"")), rig.register("b", avro("\"long\"")));
    let (url, issuer) = guarded(&rig, Duration::ZERO, HOUR);
    assert!(rig.client(&url, &[]).by_id("a", first).is_err(), "the server wants tokens");
    let mut patient = client(&rig, &url, "s3cret", &[]);
    // Both questions are asked before either is answered.
    assert!(patient.registry.by_id("a", first).is_pending());
    assert!(patient.registry.by_id("b", second).is_pending());
    assert_eq!(patient.by_id("a", first).unwrap().version, Some(1));
    assert_eq!(patient.by_id("b", second).unwrap().version, Some(1));
    assert_eq!(issuer.issued(), 1);
}

#[test]
fn a_token_in_the_last_fifth_of_its_life_is_replaced() {
    let rig = Rig::new();
    let id = rig.register("a", avro("\"int\""));
    let (url, issuer) = guarded(&rig, 9 * HOUR, HOUR);
    assert!(client(&rig, &url, "s3cret", &[]).by_id("a", id).is_ok());
    // One for the schema, one for its version.
    assert_eq!(issuer.issued(), 2);
}

#[test]
fn a_token_that_the_registry_no_longer_takes_is_replaced() {
    let rig = Rig::new();
    let (first, second) = (rig.register("a", avro("\"int\"")), rig.register("b", avro("\"long\"")));
    let (url, issuer) = guarded(&rig, Duration::ZERO, HOUR);
    let mut client = client(&rig, &url, "s3cret", &[]);
    assert!(client.by_id("a", first).is_ok());
    issuer.revoke();
    let error = client.by_id("b", second).unwrap_err();
    assert_eq!(error.java_class(), "org.apache.kafka.common.errors.AuthenticationException");
    assert_eq!(client.by_id("c", second).unwrap().id, second);
    assert_eq!(issuer.issued(), 2);
}

#[test]
fn a_client_that_the_issuer_does_not_know_is_told_which_settings_to_look_at() {
    let rig = Rig::new();
    let id = rig.register("a", avro("\"int\""));
    let (url, issuer) = guarded(&rig, Duration::ZERO, HOUR);
    let error = client(&rig, &url, "wrong", &[]).by_id("a", id).unwrap_err();
    assert_eq!(error.class(), ErrorClass::Record);
    assert!(error.java_class().ends_with("SchemaRegistryOauthTokenRetrieverException"));
    let text = error.to_string();
    assert!(text.contains("bearer.auth.client.secret") && text.contains("invalid_client"), "{text}");
    assert!(!text.contains("wrong"), "{text}");
    assert_eq!(issuer.issued(), 0);
}

#[test]
fn the_registry_learns_which_cluster_and_pool_a_token_is_for() {
    let rig = Rig::new();
    let id = rig.register("a", avro("\"int\""));
    let (issuer_url, _issuer) = guarded(&rig, Duration::ZERO, HOUR);
    let endpoint = format!("{issuer_url}{}", server::TOKEN_PATH);
    let url = rig.scripted(Arc::new(|request| {
        let has = |name: &str, value: &str| request.headers().get(name).is_some_and(|given| given == value);
        let fine = has("target-sr-cluster", "lsrc-1") && has("confluent-identity-pool-id", "pool-2");
        (!fine).then(|| (403, b"{}".to_vec()))
    }));
    let more = [
        ("bearer.auth.issuer.endpoint.url", endpoint.as_str()),
        ("bearer.auth.logical.cluster", "lsrc-1"),
        ("bearer.auth.identity.pool.id", "pool-2"),
    ];
    assert!(client(&rig, &url, "s3cret", &more[..1]).by_id("a", id).is_err());
    assert!(client(&rig, &url, "s3cret", &more).by_id("a", id).is_ok());
}
