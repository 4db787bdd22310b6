//! Where requests go: over a proxy, to a bucket's own host name, signed by an assumed role.

use lakeward_objectstore::credentials::{self, Role};
use object_store::aws::{AwsCredential, AwsCredentialProvider};

use super::proxy::answer;
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
