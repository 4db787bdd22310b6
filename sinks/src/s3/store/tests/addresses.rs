//! Where requests go: over a proxy, to a bucket's own host name, signed by an assumed role.

use lakeward_objectstore::credentials::{self, Role};
use object_store::aws::{AwsCredential, AwsCredentialProvider};

use super::proxy::{Instead, answer};
use super::*;

#[tokio::test]
async fn requests_go_over_the_proxy_with_its_credentials() {
    let server = Versitygw::shared();
    let proxy = Proxy::start(&server.endpoint());
    let url = proxy.url();
    let pairs = [("s3.proxy.url", url.as_str()), ("s3.proxy.user", "me"), ("s3.proxy.password", "hunter2")];
    let bench = Bench::at("proxied", &server.endpoint(), Arc::clone(&proxy), &pairs);
    bench.put("a").await.unwrap();
    assert_eq!(&bench.read("a").await[..], b"content");
    let heads = proxy.heads();
    assert!(heads[0].starts_with(&format!("PUT {}/", server.endpoint())), "{}", heads[0]);
    // me:hunter2
    assert!(heads[0].contains("proxy-authorization: Basic bWU6aHVudGVyMg=="), "{}", heads[0]);
    assert!(!format!("{:?}", bench.store).contains("hunter2"));
}

#[tokio::test]
async fn tasks_of_one_server_share_their_connections() {
    let server = Versitygw::shared();
    let url = server.endpoint();
    let one = Bench::at("shared-1", &url, Proxy::start(&url), &[]);
    let other = Bench::at("shared-2", &url, Proxy::start(&url), &[]);
    one.put("a").await.unwrap();
    other.put("b").await.unwrap();
    let transport = |bench: &Bench| bench.store.s3.as_ref().unwrap().transport.clone();
    assert!(transport(&one).shares_connections_with(&transport(&other)));
}

#[tokio::test]
async fn a_role_signs_with_what_the_token_service_gives() {
    // The service's answer names the server's own key, so that the server accepts what the role signs.
    let body = format!(
        "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult>\
         <Credentials><AccessKeyId>{ACCESS_KEY}</AccessKeyId><SecretAccessKey>{SECRET_KEY}</SecretAccessKey>\
         <SessionToken>session</SessionToken><Expiration>2999-01-01T00:00:00Z</Expiration></Credentials>\
         </AssumeRoleResult></AssumeRoleResponse>"
    );
    let service = Proxy::start("http://127.0.0.1:1");
    service.next("POST", answer("200 OK", &body));
    let provider = role_at(&service.url());
    let first = provider.get_credential().await.unwrap();
    assert_eq!((first.key_id.as_str(), first.token.as_deref()), (ACCESS_KEY, Some("session")));
    // Known until it ends.
    provider.get_credential().await.unwrap();
    let heads = service.heads();
    assert_eq!(heads.len(), 1);
    assert!(heads[0].contains("/eu-west-1/sts/aws4_request"), "{}", heads[0]);
    service.next("POST", super::proxy::error("403 Forbidden", "AccessDenied"));
    let refused = role_at(&service.url());
    let err = refused.get_credential().await.unwrap_err();
    assert!(matches!(err, object_store::Error::PermissionDenied { .. }), "{err}");
    assert!(err.to_string().contains("did not assume role arn:aws:iam::1:role/lake"), "{err}");
}

/// A role, assumed at this service.
fn role_at(endpoint: &str) -> AwsCredentialProvider {
    let role = Role {
        arn: "arn:aws:iam::1:role/lake".to_owned(),
        session_name: "lake".to_owned(),
        external_id: "42".to_owned(),
        region: Some("eu-west-1".to_owned()),
    };
    let key = AwsCredential { key_id: "base".to_owned(), secret_key: "secret".to_owned(), token: None };
    credentials::role_at(&role, credentials::fixed(key), "eu-west-1", endpoint).unwrap()
}

/// A service's answer to `action`.
fn given(action: &str, key_id: &str) -> Instead {
    let body = format!(
        "<{action}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{action}Result>\
         <Credentials><AccessKeyId>{key_id}</AccessKeyId><SecretAccessKey>{SECRET_KEY}</SecretAccessKey>\
         <SessionToken>session</SessionToken><Expiration>2999-01-01T00:00:00Z</Expiration></Credentials>\
         </{action}Result></{action}Response>"
    );
    answer("200 OK", &body)
}

/// The provider of profile `lake` of a file of these profiles, with the token service at `endpoint`.
fn of_profile(dir: &std::path::Path, config: &str, endpoint: &str) -> AwsCredentialProvider {
    let file = dir.join("config");
    std::fs::write(&file, config).unwrap();
    let variable = |name: &str| match name {
        "AWS_PROFILE" => Some("lake".to_owned()),
        "AWS_CONFIG_FILE" => Some(file.display().to_string()),
        "AWS_ENDPOINT_URL_STS" => Some(endpoint.to_owned()),
        _ => None,
    };
    credentials::of_profile(&variable, "us-west-2").unwrap().unwrap()
}

#[tokio::test]
async fn a_profile_with_a_role_signs_with_that_of_its_source() {
    let dir = tempfile::tempdir().unwrap();
    let service = Proxy::start("http://127.0.0.1:1");
    service.next("POST", given("AssumeRole", "middle"));
    service.next("POST", given("AssumeRole", ACCESS_KEY));
    let config = "[profile lake]\nrole_arn=arn:lake\nsource_profile=middle\nregion=eu-west-1\n\
                  [profile middle]\nrole_arn=arn:middle\nsource_profile=keys\n\
                  [profile keys]\ncredential_process=/bin/echo '{\"Version\":1,\"AccessKeyId\":\"base\",\
                  \"SecretAccessKey\":\"secret\"}'\n";
    let provider = of_profile(dir.path(), config, &service.url());
    for _ in 0..2 {
        let found = provider.get_credential().await.unwrap();
        assert_eq!((found.key_id.as_str(), found.token.as_deref()), (ACCESS_KEY, Some("session")));
    }
    let heads = service.heads();
    assert_eq!(heads.len(), 2, "known until they end");
    assert!(heads[0].contains("Credential=base/") && heads[0].contains("/us-west-2/sts/"), "{}", heads[0]);
    assert!(heads[1].contains("Credential=middle/") && heads[1].contains("/eu-west-1/sts/"), "{}", heads[1]);
    assert!(heads[1].contains("x-amz-security-token: session"), "{}", heads[1]);
}

#[tokio::test]
async fn a_profile_with_a_token_in_a_file_needs_no_other_credentials() {
    let dir = tempfile::tempdir().unwrap();
    let service = Proxy::start("http://127.0.0.1:1");
    service.next("POST", given("AssumeRoleWithWebIdentity", ACCESS_KEY));
    let token = dir.path().join("token");
    let config = format!("[profile lake]\nrole_arn=arn:lake\nweb_identity_token_file={}\n", token.display());
    let provider = of_profile(dir.path(), &config, &service.url());
    let missing = provider.get_credential().await.unwrap_err().to_string();
    assert!(missing.contains("web_identity_token_file") && missing.contains("arn:lake"), "{missing}");
    std::fs::write(&token, "hunter2\n").unwrap();
    assert_eq!(provider.get_credential().await.unwrap().key_id, ACCESS_KEY);
    let heads = service.heads();
    assert!(heads.len() == 1 && !heads[0].contains("authorization: "), "{heads:?}");
}
