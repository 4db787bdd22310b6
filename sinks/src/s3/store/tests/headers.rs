//! Which headers requests carry, and that the server finds them signed as it wants.

use super::proxy::{Instead, answer};
use super::*;

/// The value of a header in a head.
fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().skip(1).find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

fn is_signed(head: &str, name: &str) -> bool {
    let signed = header(head, "authorization").unwrap().split("SignedHeaders=").nth(1).unwrap();
    signed.split(',').next().unwrap().split(';').any(|one| one == name)
}

/// Stores a small object and one in two parts; the heads of both, of the beginning, of parts, of the end.
async fn heads_of_both(bench: &Bench) -> [Vec<String>; 4] {
    bench.put("small").await.unwrap();
    let mut upload = bench.begin("large").await;
    upload.put_part(part()).await.unwrap();
    upload.put_part(PutPayload::from_static(b"rest")).await.unwrap();
    upload.complete().await.unwrap();
    assert_eq!(bench.names().await, ["large", "small"]);
    assert_eq!(bench.read("large").await.len(), (5 << 20) + 4);
    [
        bench.proxy.heads_with("/small "),
        bench.proxy.heads_with("?uploads"),
        bench.proxy.heads_with("partNumber="),
        bench.proxy.heads_with("POST ").into_iter().filter(|head| head.contains("uploadId=")).collect(),
    ]
}

#[tokio::test]
async fn a_canned_acl_is_signed_and_goes_with_what_makes_objects_only() {
    let bench = Bench::new("acl", &[("s3.acl.canned", "private")]);
    let [small, begun, parts, ended] = heads_of_both(&bench).await;
    for head in small.iter().chain(&begun) {
        assert_eq!(header(head, "x-amz-acl"), Some("private"), "{head}");
        assert!(is_signed(head, "x-amz-acl"), "{head}");
    }
    assert_eq!((small.len(), begun.len(), parts.len(), ended.len()), (1, 1, 2, 1));
    for head in parts.iter().chain(&ended) {
        assert_eq!(header(head, "x-amz-acl"), None, "{head}");
    }
}

#[tokio::test]
async fn an_upload_with_an_acl_can_be_given_up() {
    let bench = Bench::new("acl-abort", &[("s3.acl.canned", "private")]);
    let mut upload = bench.begin("large").await;
    upload.put_part(part()).await.unwrap();
    upload.abort().await.unwrap();
    assert_eq!(bench.proxy.heads_with("DELETE ").len(), 1);
    assert!(bench.names().await.is_empty());
}

#[tokio::test]
async fn bodies_go_with_their_digest_when_it_is_wanted() {
    let bench = Bench::new("digest", &[("s3.send.digest", "true")]);
    let [small, begun, parts, ended] = heads_of_both(&bench).await;
    // Of `content`.
    assert_eq!(header(&small[0], "content-md5"), Some("mgNkuembtIDdJeHwKEyFVQ=="));
    assert!(parts.iter().chain(&ended).all(|head| header(head, "content-md5").is_some()));
    assert_eq!(header(&begun[0], "content-md5"), None);
    let bench = Bench::new("no-digest", &[]);
    bench.put("small").await.unwrap();
    assert_eq!(header(&bench.proxy.heads()[0], "content-md5"), None);
}

/// What is sent for encryption, whatever the server thinks of it.
async fn encryption(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let bench = Bench::new("sse", pairs);
    // The server may have no keys.
    bench.put("small").await.ok();
    let head = &bench.proxy.heads()[0];
    let prefix = "x-amz-server-side-encryption";
    let mut found: Vec<(String, String)> = head
        .lines()
        .filter(|line| line.starts_with(prefix))
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| {
            assert!(is_signed(head, name), "{head}");
            (name[prefix.len()..].to_owned(), value.to_owned())
        })
        .collect();
    found.sort();
    found
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[tokio::test]
async fn encryption_is_asked_for_as_configured() {
    const KEY: (&str, &str) = ("s3.sse.kms.key.id", "alias/lake");
    assert_eq!(encryption(&[]).await, []);
    assert_eq!(encryption(&[("s3.ssea.name", "AES256")]).await, pairs(&[("", "AES256")]));
    // The bucket's own encryption.
    assert_eq!(encryption(&[("s3.ssea.name", "aws:kms")]).await, []);
    assert_eq!(
        encryption(&[("s3.ssea.name", "aws:kms"), KEY]).await,
        pairs(&[("", "aws:kms"), ("-aws-kms-key-id", "alias/lake")])
    );
    assert_eq!(
        encryption(&[("s3.ssea.name", "aws:kms:dsse"), KEY]).await,
        pairs(&[("", "aws:kms:dsse"), ("-aws-kms-key-id", "alias/lake")])
    );
    let customer = ("s3.sse.customer.key", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=");
    assert_eq!(
        encryption(&[("s3.ssea.name", "AES256"), customer]).await,
        pairs(&[
            ("-customer-algorithm", "AES256"),
            ("-customer-key", customer.1),
            ("-customer-key-md5", "hRasmdxgYDKV3nvbahU1MA==")
        ])
    );
    assert_eq!(encryption(&[customer]).await, []);
}

/// What is sent for encryption with a part of an upload, which the server has begun.
async fn encryption_of_part(pairs: &[(&str, &str)]) -> Vec<String> {
    let bench = Bench::new("sse-part", pairs);
    let begun = "<InitiateMultipartUploadResult><Bucket>b</Bucket><Key>k</Key><UploadId>u</UploadId>\
                 </InitiateMultipartUploadResult>";
    bench.proxy.next("POST", answer("200 OK", begun));
    let stored = "HTTP/1.1 200 OK\r\nETag: \"e\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    bench.proxy.next("PUT", Instead::Answer(stored.to_owned()));
    let mut upload = bench.begin("large").await;
    upload.put_part(part()).await.unwrap();
    let heads = bench.proxy.heads_with("partNumber=1");
    assert_eq!(heads.len(), 1);
    let sent = heads[0].lines().filter(|line| line.starts_with("x-amz-server-side-encryption"));
    sent.map(|line| line["x-amz-server-side-encryption".len()..].to_owned()).collect()
}

/// S3 keeps the key of nobody: each part brings it. Other encryption is a matter of the whole upload.
#[tokio::test]
async fn parts_bring_the_key_of_the_customer_and_nothing_else() {
    let customer = ("s3.sse.customer.key", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=");
    let mut sent = encryption_of_part(&[("s3.ssea.name", "AES256"), customer]).await;
    sent.sort();
    assert_eq!(
        sent,
        [
            "-customer-algorithm: AES256".to_owned(),
            format!("-customer-key-md5: {}", "hRasmdxgYDKV3nvbahU1MA=="),
            format!("-customer-key: {}", customer.1),
        ]
    );
    assert!(encryption_of_part(&[("s3.ssea.name", "AES256")]).await.is_empty());
    let key = ("s3.sse.kms.key.id", "alias/lake");
    assert!(encryption_of_part(&[("s3.ssea.name", "aws:kms"), key]).await.is_empty());
}

/// S3 refuses encryption that a request does not know.
#[tokio::test]
async fn encryption_goes_with_what_knows_it() {
    let customer = ("s3.sse.customer.key", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=");
    let kms = ("s3.sse.kms.key.id", "alias/lake");
    let cases: [(&[(&str, &str)], bool); 4] = [
        (&[("s3.ssea.name", "AES256")], false),
        (&[("s3.ssea.name", "aws:kms"), kms], false),
        (&[("s3.ssea.name", "AES256"), ("s3.acl.canned", "private")], false),
        (&[("s3.ssea.name", "AES256"), customer], true),
    ];
    for (pairs, wants_customer_key) in cases {
        let bench = Bench::new("sse-upload", pairs);
        // The server may have no keys.
        let begun = "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>";
        let ended = "<CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>";
        let stored = "HTTP/1.1 200 OK\r\nETag: \"e\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        for (method, instead) in [
            ("POST", answer("200 OK", begun)),
            ("PUT", Instead::Answer(stored.to_owned())),
            ("DELETE", answer("204 No Content", "")),
            ("POST", answer("200 OK", begun)),
            ("PUT", Instead::Answer(stored.to_owned())),
            ("POST", answer("200 OK", ended)),
        ] {
            bench.proxy.next(method, instead);
        }
        for completes in [false, true] {
            let mut upload = bench.begin("large").await;
            upload.put_part(PutPayload::from_static(b"rest")).await.unwrap();
            match completes {
                true => upload.complete().await.map(|_| ()).unwrap(),
                false => upload.abort().await.unwrap(),
            }
        }
        let holds = |head: &String| head.contains("x-amz-server-side-encryption");
        let begun = bench.proxy.heads_with("?uploads");
        let parts = bench.proxy.heads_with("partNumber=");
        assert!(begun.len() == 2 && begun.iter().all(holds), "{begun:?}");
        assert!(parts.len() == 2 && parts.iter().all(|head| holds(head) == wants_customer_key), "{parts:?}");
        let others = bench.proxy.heads().into_iter().filter(|head| !begun.contains(head));
        let others: Vec<String> = others.filter(|head| !parts.contains(head)).collect();
        assert_eq!(others.len(), 2, "an abort and a completion");
        assert!(!others.iter().any(holds), "{others:?}");
    }
}
