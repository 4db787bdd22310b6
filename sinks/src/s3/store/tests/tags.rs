//! Tags as the server keeps them.

use bytes::Bytes;
use http::Method;
use http::header::HeaderMap;

use super::super::signed::{SignedRequest, send};
use super::super::tags::Contents;
use super::proxy::error;
use super::*;
use crate::s3::error::S3SinkError;

const CONTENTS: Contents = Contents { first_offset: 5, last_offset: 9, records: 4 };

pub(super) async fn tags(bench: &Bench, name: &str) -> String {
    let request = SignedRequest {
        what: "reading tags",
        method: Method::GET,
        name: &Path::from(name),
        query: &[("tagging", "")],
        headers: HeaderMap::new(),
        body: Bytes::new(),
    };
    let answer = send(bench.store.s3.as_ref().unwrap(), request).await.unwrap();
    String::from_utf8(answer.body.to_vec()).unwrap()
}

#[tokio::test]
async fn a_stored_object_tells_its_offsets() {
    let pairs = [
        ("s3.object.tagging", "true"),
        ("s3.object.tagging.key.value.pairs", "team:lake + co"),
        ("s3.object.behavior.on.tagging.error", "fail"),
    ];
    let bench = Bench::new("tagged", &pairs);
    // A name that must be escaped in addresses.
    let name = "topics/t/city=São Paulo+x/t+0+5.json";
    bench.put(name).await.unwrap();
    bench.store.tag(&Path::from(name), CONTENTS).await.unwrap();
    let found = tags(&bench, name).await;
    let expected = [("startOffset", "5"), ("endOffset", "9"), ("recordCount", "4"), ("team", "lake + co")];
    assert_tags(&found, &expected);
}

/// Asserts that the server's answer has these tags and no others.
pub(super) fn assert_tags(found: &str, expected: &[(&str, &str)]) {
    for (key, value) in expected {
        let tag = format!("<Key>{key}</Key><Value>{value}</Value>");
        assert!(found.contains(&tag), "{tag} in {found}");
    }
    assert_eq!(found.matches("<Key>").count(), expected.len(), "{found}");
}

#[tokio::test]
async fn a_failure_counts_only_when_the_user_says_so() {
    let on = ("s3.object.tagging", "true");
    let bench = Bench::new("untagged", &[on]);
    bench.proxy.next("PUT", error("403 Forbidden", "AccessDenied"));
    bench.store.tag(&Path::from("a"), CONTENTS).await.unwrap();
    let bench = Bench::new("untagged-fail", &[on, ("s3.object.behavior.on.tagging.error", "FAIL")]);
    bench.proxy.next("PUT", error("403 Forbidden", "AccessDenied"));
    let err = bench.store.tag(&Path::from("a"), CONTENTS).await.unwrap_err();
    assert_eq!(err.to_string(), "Unable to tag S3 object a");
    assert!(matches!(err, S3SinkError::Tagging { .. }));
    let err = lakeward_api::ConnectError::from(err);
    assert_eq!(err.java_class(), "org.apache.kafka.connect.errors.ConnectException");
}

#[tokio::test]
async fn nothing_is_tagged_unless_wanted() {
    let bench = Bench::new("plain", &[("s3.object.tagging.key.value.pairs", "a:b")]);
    bench.store.tag(&Path::from("a"), CONTENTS).await.unwrap();
    assert!(bench.proxy.heads().is_empty());
}
