//! What settings turn into.

use std::time::Duration;

use lakeward_api::config::{ConfigMap, Password};

use super::{Credentials, RegistrySettings, SchemaIdSerializer, SubjectNameStrategy, TlsStore};
use crate::{Choice, Reading};

fn parse(pairs: &[(&str, &str)]) -> Result<RegistrySettings, String> {
    let mut settings: ConfigMap =
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    settings.entry("schema.registry.url".to_owned()).or_insert_with(|| "http://r:8081".to_owned());
    RegistrySettings::parse(&settings, false).map_err(|error| error.to_string())
}

#[test]
fn defaults_are_confluents() {
    let settings = parse(&[]).unwrap();
    assert_eq!(settings.writing.choice, Choice::Register);
    assert!(!settings.writing.normalize && settings.tls.verify_host && settings.proxy.is_none());
    assert_eq!(settings.subject_names, SubjectNameStrategy::Topic);
    assert_eq!(settings.id_serializer, SchemaIdSerializer::Prefix);
    assert_eq!((settings.max_schemas, settings.latest_cache_ttl), (1000, None));
    assert_eq!(settings.credentials, [Credentials::Anonymous]);
    assert_eq!((settings.patience.retries, settings.patience.read), (3, Duration::from_secs(60)));
}

#[test]
fn registering_wins_over_the_other_choices() {
    let choice = |pairs: &[(&str, &str)]| parse(pairs).unwrap().writing.choice;
    assert_eq!(choice(&[("use.latest.version", "true")]), Choice::Register);
    let off = ("auto.register.schemas", "false");
    assert_eq!(choice(&[off]), Choice::LookUp);
    assert_eq!(choice(&[off, ("use.latest.version", "true")]), Choice::Latest { strict: true });
    let id =
        [off, ("use.latest.version", "true"), ("use.schema.id", "7"), ("id.compatibility.strict", "false")];
    assert_eq!(choice(&id), Choice::Id { id: 7, strict: false });
    assert_eq!(
        choice(&[off, ("use.latest.with.metadata", "a=b, c=d")]),
        Choice::LatestWithMetadata { properties: vec![("a".into(), "b".into()), ("c".into(), "d".into())] }
    );
}

#[test]
fn credentials_come_from_their_source_and_are_never_shown() {
    let url = ("schema.registry.url", "http://u:p%40ss@a:1,http://b:2");
    let settings = parse(&[url]).unwrap();
    assert_eq!(settings.urls[0].as_str(), "http://a:1/");
    let shown = format!("{settings:?}");
    assert!(!shown.contains("p@ss") && !shown.contains("p%40ss"), "{shown}");
    let [Credentials::Basic(user), Credentials::Anonymous] = settings.credentials.as_slice() else {
        panic!("{shown}")
    };
    assert_eq!(user.expose(), "u:p@ss");
    let basic = ("basic.auth.credentials.source", "USER_INFO");
    assert!(parse(&[basic]).unwrap_err().contains("basic.auth.user.info"));
    assert!(parse(&[basic, ("basic.auth.user.info", "u:p")]).is_ok());
    let bearer = ("bearer.auth.credentials.source", "STATIC_TOKEN");
    assert!(parse(&[basic, bearer]).is_err());
    assert!(parse(&[bearer]).is_err());
    assert!(matches!(
        parse(&[bearer, ("bearer.auth.token", "t")]).unwrap().credentials[0],
        Credentials::Bearer(_)
    ));
    let jaas = r#"x.PlainLoginModule required username="u" password="p\"w" ;"#;
    let inherit = ("basic.auth.credentials.source", "SASL_INHERIT");
    let settings = parse(&[inherit, ("sasl.jaas.config", jaas)]).unwrap();
    assert!(matches!(&settings.credentials[0], Credentials::Basic(user) if user.expose() == "u:p\"w"));
    assert!(parse(&[("basic.auth.credentials.source", "ELSE")]).is_err());
    let broken = parse(&[("schema.registry.url", "u:secret@host")]).unwrap_err();
    assert!(!broken.contains("secret"), "{broken}");
}

#[test]
fn subjects_are_named_by_strategy() {
    let class = |name: &str| format!("io.confluent.kafka.serializers.subject.{name}");
    let strategy =
        |name: &str| parse(&[("value.subject.name.strategy", &class(name))]).unwrap().subject_names;
    let topic = strategy("TopicNameStrategy");
    assert_eq!(topic.subject("t", true, None).unwrap(), "t-key");
    assert_eq!(topic.subject("t", false, Some("r")).unwrap(), "t-value");
    assert_eq!(strategy("RecordNameStrategy").subject("t", false, Some("a.R")).unwrap(), "a.R");
    assert_eq!(strategy("TopicRecordNameStrategy").subject("t", false, Some("a.R")).unwrap(), "t-a.R");
    assert!(strategy("RecordNameStrategy").subject("t", false, None).is_err());
    assert!(parse(&[("value.subject.name.strategy", "mine")]).is_err());
}

#[test]
fn stores_that_cannot_be_read_are_refused_with_the_remedy() {
    let location = ("schema.registry.ssl.truststore.location", "/x");
    let kind = |kind| ("schema.registry.ssl.truststore.type", kind);
    let store =
        |kind| parse(&[location, kind, ("schema.registry.ssl.truststore.password", "p")]).unwrap().tls.trust;
    assert_eq!(store(kind("PEM")), Some(TlsStore::Pem("/x".into())));
    let password = Password::new("p");
    let found = TlsStore::KeyStore { path: "/x".into(), password: password.clone(), key_password: password };
    assert_eq!((store(kind("pkcs12")), store(kind("JKS"))), (Some(found.clone()), Some(found)));
    assert!(parse(&[location]).is_ok(), "JKS is the default");
    assert!(parse(&[location, kind("BCFKS")]).unwrap_err().contains("keytool"));
    let alone = ("schema.registry.ssl.keystore.key", "k");
    assert!(parse(&[alone]).unwrap_err().contains("set together"));
}

#[test]
fn headers_and_proxy_are_read() {
    let settings =
        parse(&[("request.header.X-Team", "lake"), ("proxy.host", "p"), ("proxy.port", "3128")]).unwrap();
    assert_eq!(settings.headers[0].0, "X-Team");
    assert_eq!(settings.headers[0].1.expose(), "lake");
    assert_eq!(settings.proxy, Some(("p".to_owned(), 3128)));
    assert!(parse(&[("proxy.host", "p"), ("proxy.port", "70000")]).is_err());
}

#[test]
fn oauth_needs_its_endpoint_and_client() {
    let source = ("bearer.auth.credentials.source", "OAUTHBEARER");
    let endpoint = ("bearer.auth.issuer.endpoint.url", "https://issuer/token");
    let (id, secret) = (("bearer.auth.client.id", "lake"), ("bearer.auth.client.secret", "s3cret"));
    assert!(parse(&[source, id, secret]).unwrap_err().contains("bearer.auth.issuer.endpoint.url"));
    assert!(parse(&[source, endpoint, secret]).unwrap_err().contains("bearer.auth.client.id"));
    assert!(parse(&[source, endpoint, id]).unwrap_err().contains("bearer.auth.client.secret"));
    let settings = parse(&[source, endpoint, id, secret]).unwrap();
    let Credentials::OAuth(oauth) = &settings.credentials[0] else { panic!("not OAuth") };
    assert_eq!((oauth.expiry_buffer, &oauth.asked.scope), (Duration::from_secs(300), &None));
    assert!(!format!("{settings:?}").contains("s3cret"));
    let custom = parse(&[("bearer.auth.credentials.source", "CUSTOM")]).unwrap_err();
    assert!(custom.contains("OAUTHBEARER"), "{custom}");
}

#[test]
fn associations_have_a_strategy_to_fall_back_to() {
    let class = "io.confluent.kafka.serializers.subject.AssociatedNameStrategy";
    let key = ("value.subject.name.strategy", class);
    let fallback = |kind| parse(&[key, ("subject.name.strategy.fallback.type", kind)]);
    let settings = parse(&[key]).unwrap();
    assert_eq!(settings.subject_names, SubjectNameStrategy::Topic);
    let associations = settings.associations.unwrap();
    assert_eq!((associations.cluster.as_str(), associations.falls_back), ("-", true));
    assert_eq!(fallback("record").unwrap().subject_names, SubjectNameStrategy::Record);
    assert!(!fallback("NONE").unwrap().associations.unwrap().falls_back);
    assert!(fallback("ELSE").unwrap_err().contains("subject.name.strategy.fallback.type"));
    assert_eq!(parse(&[]).unwrap().associations, None);
}

#[test]
fn payloads_are_read_as_the_latest_version_whatever_schemas_are_written_with() {
    let reading = |pairs: &[(&str, &str)]| parse(pairs).unwrap().reading;
    assert_eq!(reading(&[]), Reading::AsWritten);
    assert_eq!(reading(&[("use.latest.version", "true")]), Reading::Latest);
    let metadata = ("use.latest.with.metadata", "a=b");
    let properties = vec![("a".to_owned(), "b".to_owned())];
    assert_eq!(
        reading(&[("use.latest.version", "true"), metadata]),
        Reading::LatestWithMetadata { properties }
    );
}
