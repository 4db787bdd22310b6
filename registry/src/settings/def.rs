//! Definitions of the keys.

use lakeward_api::config::{ConfigDef, ConfigKey, ConfigType, DefaultValue, Importance, Validator};

use super::subject;

/// What is sent with every request.
pub(super) const HEADER_PREFIX: &str = "request.header.";
/// Where the TLS keys start.
pub(super) const TLS_PREFIX: &str = "schema.registry.ssl.";

const PREFIX_SERIALIZER: &str = "io.confluent.kafka.serializers.schema.id.PrefixSchemaIdSerializer";
const DUAL_DESERIALIZER: &str = "io.confluent.kafka.serializers.schema.id.DualSchemaIdDeserializer";

/// Name, type, default, importance, documentation.
type Row = (&'static str, ConfigType, Option<&'static str>, Importance, &'static str);

use ConfigType::{Boolean, Class, Int, Password, String as Text};
use Importance::{Low, Medium};

const GENERAL: [Row; 20] = [
    (
        "max.schemas.per.subject",
        Int,
        Some("1000"),
        Low,
        "Maximum number of schemas to create or cache locally.",
    ),
    ("auto.register.schemas", Boolean, Some("true"), Medium, "Register the schema of data that is written."),
    (
        "normalize.schemas",
        Boolean,
        Some("false"),
        Low,
        "Let the registry normalize schemas before it compares them.",
    ),
    ("use.schema.id", Int, Some("-1"), Low, "Schema ID to write with. Needs auto.register.schemas=false."),
    (
        "id.compatibility.strict",
        Boolean,
        Some("true"),
        Low,
        "Check that the schema of use.schema.id reads what the data's schema writes.",
    ),
    (
        "use.latest.version",
        Boolean,
        Some("false"),
        Low,
        "Read payloads as the subject's latest version, and write with it where \
         auto.register.schemas=false.",
    ),
    (
        "use.latest.with.metadata",
        Text,
        None,
        Low,
        "Read payloads as the subject's latest version that has these metadata (key=value pairs), and write \
         with it where auto.register.schemas=false.",
    ),
    (
        "latest.compatibility.strict",
        Boolean,
        Some("true"),
        Low,
        "Check that the latest version reads what the data's schema writes.",
    ),
    ("latest.cache.size", Int, Some("1000"), Low, "Maximum number of latest versions to remember."),
    (
        "latest.cache.ttl.sec",
        Int,
        Some("-1"),
        Low,
        "Seconds for which a latest version is remembered; -1 for ever.",
    ),
    (
        "basic.auth.credentials.source",
        Text,
        Some("URL"),
        Medium,
        "Where user and password come from: URL, USER_INFO or SASL_INHERIT.",
    ),
    ("basic.auth.user.info", Password, Some(""), Medium, "user:password for USER_INFO."),
    (
        "schema.registry.basic.auth.user.info",
        Password,
        Some(""),
        Medium,
        "Older name of basic.auth.user.info.",
    ),
    (
        "bearer.auth.credentials.source",
        Text,
        Some("STATIC_TOKEN"),
        Medium,
        "Where the bearer token comes from: STATIC_TOKEN or OAUTHBEARER.",
    ),
    ("bearer.auth.token", Password, Some(""), Medium, "The bearer token for STATIC_TOKEN."),
    ("proxy.host", Text, Some(""), Low, "Host of the proxy."),
    ("proxy.port", Int, Some("-1"), Low, "Port of the proxy."),
    ("http.connect.timeout.ms", Int, Some("60000"), Low, "Time to connect to the registry."),
    ("http.read.timeout.ms", Int, Some("60000"), Low, "Time to wait for the registry's answer."),
    ("max.retries", Int, Some("3"), Low, "Repetitions of a request that failed in a way that may heal."),
];

/// Keys of `AssociatedNameStrategy`.
const ASSOCIATIONS: [Row; 4] = [
    (
        "subject.name.strategy.kafka.cluster.id",
        Text,
        None,
        Low,
        "The cluster whose topics have associated subjects.",
    ),
    (
        "subject.name.strategy.fallback.type",
        Text,
        Some("TOPIC"),
        Low,
        "How subjects of topics without an association are named: TOPIC, RECORD, TOPIC_RECORD or NONE.",
    ),
    (
        "subject.name.strategy.cache.size",
        Int,
        Some("1000"),
        Low,
        "Maximum number of associations to remember.",
    ),
    (
        "subject.name.strategy.cache.expiry.secs",
        Int,
        Some("-1"),
        Low,
        "Seconds for which an association is remembered; -1 for ever.",
    ),
];

const MORE: [Row; 8] = [
    (
        "retries.wait.ms",
        Int,
        Some("1000"),
        Low,
        "Upper bound of the first pause before a repetition; doubled each time.",
    ),
    ("retries.max.wait.ms", Int, Some("20000"), Low, "Upper bound of every pause before a repetition."),
    (
        "key.subject.name.strategy",
        Class,
        Some(subject::TOPIC),
        Medium,
        "How the subject of a key's schema is named.",
    ),
    (
        "value.subject.name.strategy",
        Class,
        Some(subject::TOPIC),
        Medium,
        "How the subject of a value's schema is named.",
    ),
    (
        "key.schema.id.serializer",
        Class,
        Some(PREFIX_SERIALIZER),
        Low,
        "Where the schema ID of a key is written.",
    ),
    (
        "value.schema.id.serializer",
        Class,
        Some(PREFIX_SERIALIZER),
        Low,
        "Where the schema ID of a value is written.",
    ),
    (
        "key.schema.id.deserializer",
        Class,
        Some(DUAL_DESERIALIZER),
        Low,
        "Where the schema ID of a key is read.",
    ),
    (
        "value.schema.id.deserializer",
        Class,
        Some(DUAL_DESERIALIZER),
        Low,
        "Where the schema ID of a value is read.",
    ),
];

/// Keys of OAuth.
const OAUTH: [Row; 9] = [
    ("bearer.auth.issuer.endpoint.url", Text, None, Medium, "Where tokens are fetched for OAUTHBEARER."),
    ("bearer.auth.client.id", Text, None, Medium, "The client for which tokens are fetched."),
    ("bearer.auth.client.secret", Password, None, Medium, "The secret of that client."),
    ("bearer.auth.scope", Text, None, Low, "The scope that tokens are fetched for."),
    (
        "bearer.auth.scope.claim.name",
        Text,
        Some("scope"),
        Low,
        "The claim of a token with its scope; not used.",
    ),
    ("bearer.auth.sub.claim.name", Text, Some("sub"), Low, "The claim of a token that names its client."),
    ("bearer.auth.logical.cluster", Text, None, Low, "The registry that a token is for: target-sr-cluster."),
    (
        "bearer.auth.identity.pool.id",
        Text,
        None,
        Low,
        "The pool of identities that a token is for: Confluent-Identity-Pool-Id.",
    ),
    (
        "bearer.auth.cache.expiry.buffer.seconds",
        Int,
        Some("300"),
        Low,
        "How long before it expires a token is replaced.",
    ),
];

/// Keys below `schema.registry.ssl.`, with Kafka's defaults.
const TLS: [Row; 11] = [
    ("keystore.type", Text, Some("JKS"), Medium, "JKS, PKCS12 or PEM."),
    ("keystore.location", Text, None, Medium, "File with the client's key and certificates."),
    ("keystore.password", Password, None, Medium, "Password of the key store."),
    ("key.password", Password, None, Medium, "Password of the private key."),
    ("keystore.key", Password, None, Medium, "The client's private key in PEM form (PKCS#8)."),
    ("keystore.certificate.chain", Password, None, Medium, "The client's certificates in PEM form."),
    ("truststore.type", Text, Some("JKS"), Medium, "JKS, PKCS12 or PEM."),
    ("truststore.location", Text, None, Medium, "File with trusted certificates."),
    ("truststore.password", Password, None, Medium, "Password of the trust store."),
    ("truststore.certificates", Password, None, Medium, "Trusted certificates in PEM form."),
    (
        "endpoint.identification.algorithm",
        Text,
        Some("https"),
        Low,
        "Whether the certificate must name the host (https), or empty.",
    ),
];

pub(super) fn definition() -> ConfigDef {
    let url = ConfigKey {
        documentation: "Comma-separated URLs of schema registry instances.".to_owned(),
        ..ConfigKey::new("schema.registry.url", ConfigType::List, DefaultValue::Required, Importance::High)
    };
    let mut def = ConfigDef::new(vec![url]);
    for row in GENERAL.iter().chain(&OAUTH).chain(&ASSOCIATIONS).chain(&MORE) {
        def.define(key(row, row.0.to_owned()));
    }
    for row in &TLS {
        def.define(key(row, format!("{TLS_PREFIX}{}", row.0)));
    }
    def
}

fn key((_, kind, default, importance, documentation): &Row, name: String) -> ConfigKey {
    let validator = match name.as_str() {
        "http.connect.timeout.ms"
        | "http.read.timeout.ms"
        | "max.retries"
        | "bearer.auth.cache.expiry.buffer.seconds"
        | "retries.wait.ms"
        | "retries.max.wait.ms" => Validator::AtLeast(0),
        "basic.auth.credentials.source" => Validator::Custom(source),
        _ => Validator::Any,
    };
    let default = default.map_or(DefaultValue::Null, |text| DefaultValue::Text(text.to_owned()));
    ConfigKey {
        documentation: (*documentation).to_owned(),
        validator,
        ..ConfigKey::new(name, *kind, default, *importance)
    }
}

fn source(_: &str, text: &str) -> Result<(), String> {
    match text {
        "" | "URL" | "USER_INFO" | "SASL_INHERIT" => Ok(()),
        _ => Err("expected URL, USER_INFO or SASL_INHERIT".to_owned()),
    }
}
