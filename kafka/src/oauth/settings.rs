//! What a client's settings say about its login.
//!
//! Source: `SaslConfigs`, `OAuthBearerLoginCallbackHandler`, `ConfigurationUtils`, Kafka 4.1. Unlike there,
//! the handler's name of Kafka 3 is taken too, and an issuer that does not answer is given up after 30 s
//! unless the settings say otherwise.

use std::path::PathBuf;
use std::time::Duration;

use lakeward_api::config::{ConfigMap, Password};
use lakeward_oauth::ClientCredentials;
use url::Url;

use super::refresh::{Refresh, Retry};
use super::token::{Issuer, Source};
use super::unsecured::Unsecured;
use crate::KafkaError;
use crate::client_check::text;
use crate::settings::{ClientKind, Jaas, stores, with_prefix};

const HANDLER: &str = "sasl.login.callback.handler.class";
const PACKAGE: &str = "org.apache.kafka.common.security.oauthbearer.";
const URL: &str = "sasl.oauthbearer.token.endpoint.url";
const RETRIEVER: &str = "sasl.oauthbearer.jwt.retriever.class";
const SECRET: &str = "sasl.oauthbearer.client.credentials.client.secret";
const ANSWER_LIMIT_MS: i64 = 30_000;

/// Settings that are read here, not by the client library.
pub(crate) const SETTINGS: [&str; 20] = [
    HANDLER,
    "sasl.login.connect.timeout.ms",
    "sasl.login.read.timeout.ms",
    "sasl.login.refresh.buffer.seconds",
    "sasl.login.refresh.min.period.seconds",
    "sasl.login.refresh.window.factor",
    "sasl.login.refresh.window.jitter",
    "sasl.login.retry.backoff.max.ms",
    "sasl.login.retry.backoff.ms",
    "sasl.oauthbearer.client.credentials.client.id",
    SECRET,
    "sasl.oauthbearer.clock.skew.seconds",
    "sasl.oauthbearer.expected.audience",
    "sasl.oauthbearer.expected.issuer",
    "sasl.oauthbearer.header.urlencode",
    RETRIEVER,
    "sasl.oauthbearer.scope",
    "sasl.oauthbearer.scope.claim.name",
    "sasl.oauthbearer.sub.claim.name",
    URL,
];

/// Settings and options of the login module that are secrets.
pub(crate) const SECRETS: [&str; 4] = ["clientSecret", SECRET, "ssl.key.password", "ssl.keystore.password"];

/// A login. Clients whose settings are equal share it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LoginSettings {
    pub(super) source: Source,
    /// Told to the broker with each token.
    pub(super) extensions: ConfigMap,
    pub(super) refresh: Refresh,
    pub(super) retry: Retry,
}

impl LoginSettings {
    /// Reads them; `None` when the client logs in by other means, or `props` is no whole client.
    ///
    /// # Errors
    /// Class `Config`, as Java's client when it is made. Never holds a secret.
    pub(crate) fn parse(
        kind: ClientKind,
        props: &ConfigMap,
        jaas: Option<&Jaas>,
    ) -> Result<Option<Self>, KafkaError> {
        let is_sasl = text(props, "security.protocol")
            .is_some_and(|protocol| protocol.to_ascii_uppercase().starts_with("SASL_"));
        let is_asked = is_sasl && text(props, "sasl.mechanism") == Some("OAUTHBEARER");
        if !is_asked || !props.contains_key("bootstrap.servers") {
            return Ok(None);
        }
        let refused = |java_class, problem| Err(refusal(kind, java_class, problem));
        let Some(jaas) = jaas else {
            let problem =
                "Could not find a 'KafkaClient' entry in the JAAS configuration: set sasl.jaas.config";
            return refused("java.lang.IllegalArgumentException", problem.to_owned());
        };
        if !jaas.is("OAuthBearerLoginModule") {
            let problem = "sasl.mechanism is OAUTHBEARER, sasl.jaas.config must name OAuthBearerLoginModule";
            return refused("java.lang.IllegalArgumentException", problem.to_owned());
        }
        let handler = text(props, HANDLER).filter(|name| !name.is_empty());
        let (source, extensions) = match handler.map(|name| name.strip_prefix(PACKAGE).unwrap_or(name)) {
            None | Some("internals.unsecured.OAuthBearerUnsecuredLoginCallbackHandler") => {
                let made = Unsecured::parse(&jaas.options).map(Source::Unsecured);
                let made = made.map_err(|problem| format!("sasl.jaas.config makes no token: {problem}"));
                (made, Unsecured::extensions(&jaas.options))
            }
            Some("OAuthBearerLoginCallbackHandler" | "secured.OAuthBearerLoginCallbackHandler") => {
                (source(props, &jaas.options), with_prefix(&jaas.options, "extension_"))
            }
            Some(_) => {
                let name = handler.unwrap_or_default();
                let message = format!(
                    "Invalid value {name} for configuration {HANDLER}: Class {name} could not be found."
                );
                return Err(KafkaError::Config { message });
            }
        };
        let source = source.map_err(|problem| refusal(kind, CONFIG_EXCEPTION, problem))?;
        let (refresh, retry) = timing(props);
        Ok(Some(Self { source, extensions, refresh, retry }))
    }
}

const CONFIG_EXCEPTION: &str = "org.apache.kafka.common.config.ConfigException";

fn refusal(kind: ClientKind, java_class: &'static str, problem: String) -> KafkaError {
    let client = match kind {
        ClientKind::Admin => return KafkaError::Config { message: problem },
        ClientKind::Consumer => "consumer",
        ClientKind::Producer => "producer",
    };
    KafkaError::Construct { client, java_class, problem }
}

/// Where tokens come from when they are signed.
fn source(props: &ConfigMap, options: &ConfigMap) -> Result<Source, String> {
    let given = |name: &str| text(props, name).filter(|text| !text.is_empty());
    let retriever =
        given(RETRIEVER).map_or("DefaultJwtRetriever", |name| name.strip_prefix(PACKAGE).unwrap_or(name));
    if !["DefaultJwtRetriever", "ClientCredentialsJwtRetriever", "FileJwtRetriever"].contains(&retriever) {
        return Err(format!(
            "Invalid value {retriever} for configuration {RETRIEVER}: use {PACKAGE}DefaultJwtRetriever"
        ));
    }
    let address =
        given(URL).ok_or_else(|| format!("The OAuth configuration option {URL} value is required"))?;
    let url = Url::parse(address)
        .map_err(|_| format!("The OAuth configuration option {URL} contains a URL that is malformed"))?;
    if !super::is_allowed(address) {
        return Err(format!(
            "Invalid value {address} for configuration {URL}: The URL cannot be accessed due to \
             restrictions. Name it in lakeward.sasl.oauthbearer.allowed.urls of the worker to allow the \
             URL to be accessed."
        ));
    }
    let subject_claim = given("sasl.oauthbearer.sub.claim.name").unwrap_or("sub").to_owned();
    match url.scheme() {
        "file" => Ok(Source::File { path: PathBuf::from(url.path()), subject_claim }),
        "http" | "https" => issuer(props, options, url, subject_claim),
        other => Err(format!(
            "The OAuth configuration option {URL} contains a URL ({address}) that contains an invalid \
             protocol ({other}); only \"http\", \"https\", and \"file\" protocol are supported"
        )),
    }
}

fn issuer(
    props: &ConfigMap,
    options: &ConfigMap,
    endpoint: Url,
    subject_claim: String,
) -> Result<Source, String> {
    let either = |name: &str, option: &str| {
        let given = text(props, name).or_else(|| text(options, option));
        given.filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let required = |name: &str, option: &str| {
        either(name, option).ok_or_else(|| {
            format!("Invalid value null for configuration {name}: set it, or {option} in sasl.jaas.config")
        })
    };
    let asked = ClientCredentials {
        endpoint,
        client_id: required("sasl.oauthbearer.client.credentials.client.id", "clientId")?,
        client_secret: Password::new(required(SECRET, "clientSecret")?),
        scope: either("sasl.oauthbearer.scope", "scope"),
        urlencode_header: text(props, "sasl.oauthbearer.header.urlencode")
            .is_some_and(|flag| flag.eq_ignore_ascii_case("true")),
    };
    let limit = |name| milliseconds(props, name, ANSWER_LIMIT_MS);
    Ok(Source::Issuer(Box::new(Issuer {
        asked,
        connect: limit("sasl.login.connect.timeout.ms"),
        read: limit("sasl.login.read.timeout.ms"),
        // Java takes the stores for the issuer from the module's options, not from the client's settings.
        trusted: stores::trust(options).map_err(|error| error.to_string())?,
        identity: stores::identity(options)
            .map_err(|error| error.to_string())?
            .map(|(chain, key)| Password::new(format!("{chain}{key}"))),
        subject_claim,
    })))
}

/// What Java's defaults or the settings say; [`crate::client_check`] looked at them.
fn timing(props: &ConfigMap) -> (Refresh, Retry) {
    let share = |name: &str, default| text(props, name).and_then(|text| text.parse().ok()).unwrap_or(default);
    let seconds = |name: &str, default: u64| {
        Duration::from_secs(text(props, name).and_then(|text| text.parse().ok()).unwrap_or(default))
    };
    let refresh = Refresh {
        factor: share("sasl.login.refresh.window.factor", 0.8),
        jitter: share("sasl.login.refresh.window.jitter", 0.05),
        period: seconds("sasl.login.refresh.min.period.seconds", 60),
        buffer: seconds("sasl.login.refresh.buffer.seconds", 300),
    };
    let retry = Retry {
        backoff: milliseconds(props, "sasl.login.retry.backoff.ms", 100),
        max: milliseconds(props, "sasl.login.retry.backoff.max.ms", 10_000),
    };
    (refresh, retry)
}

fn milliseconds(props: &ConfigMap, name: &str, default: i64) -> Duration {
    let ms = text(props, name).and_then(|text| text.parse().ok()).unwrap_or(default);
    Duration::from_millis(u64::try_from(ms).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use lakeward_api::ConnectError;

    use super::*;

    const SECURED: &str = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginCallbackHandler";

    /// The login of a producer with this module and these settings beside the usual ones.
    fn login(options: &str, more: &[(&str, &str)]) -> Result<Option<LoginSettings>, String> {
        let base = [
            ("bootstrap.servers", "b:9092"),
            ("security.protocol", "SASL_PLAINTEXT"),
            ("sasl.mechanism", "OAUTHBEARER"),
        ];
        let pairs = base.iter().chain(more);
        let props = pairs.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let jaas = Jaas::parse(&format!("{PACKAGE}OAuthBearerLoginModule required {options};")).unwrap();
        LoginSettings::parse(ClientKind::Producer, &props, Some(&jaas))
            .map_err(|error| ConnectError::from(error).trace())
    }

    #[test]
    fn logins_of_other_mechanisms_and_parts_of_clients_are_none() {
        assert_eq!(login("", &[("sasl.mechanism", "PLAIN")]), Ok(None));
        assert_eq!(login("", &[("security.protocol", "SSL")]), Ok(None));
        let part = [("sasl.mechanism", "OAUTHBEARER"), ("security.protocol", "SASL_SSL")];
        let part = part.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        assert!(LoginSettings::parse(ClientKind::Consumer, &part, None).unwrap().is_none());
    }

    /// Texts of Kafka 4.1, but for the name of the list.
    #[test]
    fn what_java_refuses_is_refused_in_its_words() {
        super::super::allow_urls(["ftp://settings-test/", "http://settings-test/"].map(str::to_owned));
        let url = |url| [(HANDLER, SECURED), (URL, url)];
        for (options, more, text) in [
            ("", &[][..], "No principal name in JWT claim: sub"),
            ("", &[(HANDLER, "x.Y")], "Class x.Y could not be found."),
            ("", &[(HANDLER, SECURED)], "sasl.oauthbearer.token.endpoint.url value is required"),
            ("", &url("http://elsewhere/"), "The URL cannot be accessed due to restrictions"),
            ("", &url("file:///etc/passwd"), "The URL cannot be accessed due to restrictions"),
            ("", &url("ftp://settings-test/"), "contains an invalid protocol (ftp)"),
            (
                "clientSecret=b",
                &url("http://settings-test/"),
                "Invalid value null for configuration sasl.oauthbearer.client.credentials.client.id",
            ),
            ("clientId=b", &url("http://settings-test/"), "client.credentials.client.secret"),
        ] {
            let error = login(options, more).unwrap_err();
            assert!(error.contains(text), "{error}");
        }
    }

    #[test]
    fn settings_go_before_options_and_the_handlers_old_name_is_taken() {
        super::super::allow_urls(["http://settings-test/two".to_owned()]);
        let old = format!("{PACKAGE}secured.OAuthBearerLoginCallbackHandler");
        let more = [(HANDLER, &*old), (URL, "http://settings-test/two"), ("sasl.oauthbearer.scope", "s")];
        let found = login("clientId=a clientSecret=b scope=t extension_x=y", &more).unwrap().unwrap();
        assert!(!format!("{found:?}").contains("clientSecret"));
        let Source::Issuer(issuer) = found.source else { panic!("an issuer was named") };
        assert_eq!((&*issuer.asked.client_id, issuer.asked.scope.as_deref()), ("a", Some("s")));
        assert_eq!(found.extensions.get("x").map(String::as_str), Some("y"));
    }
}
