//! Keys of the store client: what is accepted, and which keys a mistake is shown on.

use super::*;

const ROLE: [(&str, &str); 4] = [
    ("s3.credentials.provider.class", "io.confluent.connect.s3.auth.AwsAssumeRoleCredentialsProvider"),
    ("s3.credentials.provider.sts.role.arn", "arn:aws:iam::1:role/lake"),
    ("s3.credentials.provider.sts.role.session.name", "lake"),
    ("s3.credentials.provider.sts.role.external.id", "42"),
];

/// Keys and their values.
type Given<'a> = &'a [(&'a str, &'a str)];

const CUSTOMER_KEY: (&str, &str) = ("s3.sse.customer.key", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=");

#[test]
fn everything_the_java_sink_knows_of_stores_is_accepted() {
    let cases: &[&[(&str, &str)]] = &[
        &[("s3.object.tagging", "TRUE"), ("s3.object.tagging.key.value.pairs", "a:b,c:d")],
        &ROLE,
        &[("s3.ssea.name", "aws:kms:dsse"), ("s3.sse.kms.key.id", "k")],
        &[("s3.ssea.name", "AES256"), CUSTOMER_KEY],
        &[("s3.acl.canned", "bucket-owner-full-control")],
        &[("s3.wan.mode", "true"), ("s3.path.style.access.enabled", "false")],
        &[("s3.proxy.url", "http://proxy:3128"), ("s3.proxy.user", "me"), ("s3.proxy.password", "secret")],
        &[("s3.send.digest", "true"), ("s3.http.send.expect.continue", "false")],
        // As in Java, the key counts with AES256 only.
        &[("s3.sse.customer.key", "short")],
    ];
    for case in cases {
        assert!(refused(case).is_empty(), "{case:?}: {:?}", refused(case));
    }
}

#[test]
fn mistakes_are_shown_on_every_key_involved() {
    const FAST: [(&str, &str); 2] = [("s3.wan.mode", "true"), ("s3.path.style.access.enabled", "false")];
    let cases: &[(Given, &[&str])] = &[
        (&[("s3.wan.mode", "true")], &["s3.path.style.access.enabled", "s3.wan.mode"]),
        (&[FAST[0], FAST[1], ("store.url", "http://a")], &["s3.wan.mode", "store.url"]),
        (&[FAST[0], FAST[1], ("s3.bucket.name", "my.lake")], &["s3.wan.mode"]),
        (&[("s3.ssea.name", "AES256"), ("s3.sse.customer.key", "c2hvcnQ=")], &["s3.sse.customer.key"]),
        (&[("s3.object.tagging.key.value.pairs", "a:b,c")], &["s3.object.tagging.key.value.pairs"]),
        (&ROLE[..3], &["s3.credentials.provider.class"]),
        (&[("s3.credentials.provider.class", "com.example.Mine")], &["s3.credentials.provider.class"]),
        (&[("s3.proxy.url", "proxy:3128")], &["s3.proxy.url"]),
        (&[("s3.acl.canned", "everybody")], &["s3.acl.canned"]),
        (&[("lakeward.s3.abort.orphans.after.ms", "-2")], &["lakeward.s3.abort.orphans.after.ms"]),
    ];
    for (given, expected) in cases {
        let mut found = refused(given);
        found.sort();
        assert_eq!(found, *expected, "{given:?}");
    }
}

#[test]
fn webdav_is_refused_by_name_with_what_to_use_instead() {
    for url in ["dav://share/lake", "davs://share", "webdav://share", "webdavs://share/lake"] {
        let mut config = minimal();
        config.extend(props(&[("store.url", url)]));
        let values = validate(&config);
        let of_url = values.iter().find(|value| value.name == "store.url").unwrap();
        let [problem] = &of_url.errors[..] else { panic!("{of_url:?}") };
        assert!(problem.contains("WebDAV is not supported") && problem.contains("file:///"), "{problem}");
    }
}

#[test]
fn a_wrong_customer_key_is_not_repeated() {
    let mut config = minimal();
    config.extend(props(&[("s3.ssea.name", "AES256"), ("s3.sse.customer.key", "hunter2")]));
    assert!(!format!("{:?}", validate(&config)).contains("hunter2"));
}
