//! Settings of a converter that concern its registry.
//!
//! Source: `AbstractKafkaSchemaSerDeConfig` and `SchemaRegistryClientConfig`, Confluent 8.

mod auth;
mod def;
mod oauth;
mod subject;
#[cfg(test)]
mod tests;
mod tls;

use std::time::Duration;

use lakeward_api::ConnectError;
use lakeward_api::config::{ConfigDef, ConfigMap, ConfigValue, Password, parse_list};
use url::Url;

pub use auth::Credentials;
pub use oauth::OAuth;
pub use subject::{Associations, SchemaIdDeserializer, SchemaIdSerializer, SubjectNameStrategy};
pub use tls::{Store as TlsStore, Tls};

use crate::{Choice, Reading, RegistryError, Writing};

/// Everything a converter needs to know to talk to its registry. Secrets are [`Password`]s.
#[derive(Clone, Debug)]
pub struct RegistrySettings {
    /// `schema.registry.url`, user information cut off, in order.
    pub urls: Vec<Url>,
    /// Where the schema to write with comes from.
    pub writing: Writing,
    /// The version that payloads are read as.
    pub reading: Reading,
    /// `key.subject.name.strategy` or `value.subject.name.strategy`.
    pub subject_names: SubjectNameStrategy,
    /// Whether the registry is asked for the subject of a topic first.
    pub associations: Option<Associations>,
    /// `key.schema.id.serializer` or `value.schema.id.serializer`.
    pub id_serializer: SchemaIdSerializer,
    /// `key.schema.id.deserializer` or `value.schema.id.deserializer`.
    pub id_deserializer: SchemaIdDeserializer,
    /// `max.schemas.per.subject`, at least 1: how many schemas to write with are remembered.
    pub max_schemas: usize,
    /// `latest.cache.size`, at least 1.
    pub latest_cache_size: usize,
    /// `latest.cache.ttl.sec`; `None` remembers for ever.
    pub latest_cache_ttl: Option<Duration>,
    /// Who asks; one entry per URL.
    pub credentials: Vec<Credentials>,
    /// TLS towards the registry.
    pub tls: Tls,
    /// `proxy.host` and `proxy.port`.
    pub proxy: Option<(String, u16)>,
    /// `request.header.<name>`.
    pub headers: Vec<(String, Password)>,
    /// Time limits and repetitions of a request.
    pub patience: Patience,
}

/// Time limits and repetitions of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// `http.connect.timeout.ms`.
    pub connect: Duration,
    /// `http.read.timeout.ms`.
    pub read: Duration,
    /// `max.retries`.
    pub retries: u32,
    /// `retries.wait.ms`: the first pause is at most this, each later one twice the one before.
    pub wait: Duration,
    /// `retries.max.wait.ms`.
    pub max_wait: Duration,
}

impl RegistrySettings {
    /// Definitions of all keys, for a converter to append its own.
    pub fn config_def() -> ConfigDef {
        def::definition()
    }

    /// Parses the settings of a key converter (`is_key`) or a value converter, prefix cut off. Unknown keys
    /// are other people's.
    ///
    /// # Errors
    /// `Config` with the first problem, in Kafka's words.
    pub fn parse(settings: &ConfigMap, is_key: bool) -> Result<Self, ConnectError> {
        let values = Values::new(settings)?;
        let urls = values.urls()?;
        let side = if is_key { "key" } else { "value" };
        let credentials = auth::credentials(&values, &urls)?;
        let (subject_names, associations) =
            subject::strategy(&values, &format!("{side}.subject.name.strategy"))?;
        Ok(Self {
            urls: urls.into_iter().map(auth::without_user).collect(),
            writing: values.writing()?,
            reading: values.reading()?,
            subject_names,
            associations,
            id_serializer: values.class(side, "schema.id.serializer", SchemaIdSerializer::parse)?,
            id_deserializer: values.class(side, "schema.id.deserializer", SchemaIdDeserializer::parse)?,
            max_schemas: values.count("max.schemas.per.subject"),
            latest_cache_size: values.count("latest.cache.size"),
            latest_cache_ttl: u64::try_from(values.number("latest.cache.ttl.sec"))
                .ok()
                .map(Duration::from_secs),
            credentials,
            tls: Tls::parse(&values)?,
            proxy: values.proxy()?,
            headers: values.headers(),
            patience: Patience {
                connect: values.millis("http.connect.timeout.ms"),
                read: values.millis("http.read.timeout.ms"),
                retries: u32::try_from(values.number("max.retries")).unwrap_or_default(),
                wait: values.millis("retries.wait.ms"),
                max_wait: values.millis("retries.max.wait.ms"),
            },
        })
    }
}

/// Validated texts by key.
struct Values<'a> {
    given: &'a ConfigMap,
    values: Vec<ConfigValue>,
}

impl<'a> Values<'a> {
    fn new(given: &'a ConfigMap) -> Result<Self, RegistryError> {
        let values = def::definition().validate(given);
        match values.iter().flat_map(|value| &value.errors).next() {
            Some(problem) => Err(setting(problem)),
            None => Ok(Self { given, values }),
        }
    }

    /// The text in use; empty when there is none.
    fn text(&self, name: &str) -> &str {
        let found = self.values.iter().find(|value| value.name == name);
        found.and_then(|value| value.value.as_deref()).unwrap_or_default()
    }

    /// A secret as it was given; `None` when absent or empty.
    fn secret(&self, name: &str) -> Option<Password> {
        self.given.get(name).filter(|text| !text.is_empty()).map(Password::new)
    }

    /// What `parse` makes of the key `name` of a side.
    fn class<T>(
        &self,
        side: &str,
        name: &str,
        parse: impl FnOnce(&str, &str) -> Result<T, RegistryError>,
    ) -> Result<T, RegistryError> {
        let key = format!("{side}.{name}");
        parse(&key, self.text(&key))
    }

    fn is_true(&self, name: &str) -> bool {
        self.text(name) == "true"
    }

    fn number(&self, name: &str) -> i64 {
        self.text(name).parse().unwrap_or_default()
    }

    fn count(&self, name: &str) -> usize {
        usize::try_from(self.number(name)).unwrap_or_default().max(1)
    }

    fn millis(&self, name: &str) -> Duration {
        Duration::from_millis(u64::try_from(self.number(name)).unwrap_or_default())
    }

    fn urls(&self) -> Result<Vec<Url>, RegistryError> {
        let listed = parse_list(self.text("schema.registry.url"));
        if listed.is_empty() {
            return Err(setting("Missing required schema registry url list"));
        }
        let parse = |text: &String| {
            let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
            url.ok_or_else(|| {
                // The text may hold a password.
                setting(
                    "Invalid value for configuration schema.registry.url: not a list of http or https URLs",
                )
            })
        };
        listed.iter().map(parse).collect()
    }

    /// Source: the order in which `AbstractKafkaAvroSerializer` looks at its settings. Registering wins, so
    /// the other choices need `auto.register.schemas=false`.
    fn writing(&self) -> Result<Writing, RegistryError> {
        let strict = self.is_true("latest.compatibility.strict");
        let id = i32::try_from(self.number("use.schema.id")).unwrap_or(-1);
        let metadata = self.metadata()?;
        let choice = if self.is_true("auto.register.schemas") {
            Choice::Register
        } else if id >= 0 {
            Choice::Id { id, strict: self.is_true("id.compatibility.strict") }
        } else if let Some(properties) = metadata {
            Choice::LatestWithMetadata { properties }
        } else if self.is_true("use.latest.version") {
            Choice::Latest { strict }
        } else {
            Choice::LookUp
        };
        Ok(Writing { choice, normalize: self.is_true("normalize.schemas") })
    }

    /// Source: the deserializers' `read`, which does not look at what the serializers are told.
    fn reading(&self) -> Result<Reading, RegistryError> {
        Ok(match self.metadata()? {
            Some(properties) => Reading::LatestWithMetadata { properties },
            None if self.is_true("use.latest.version") => Reading::Latest,
            None => Reading::AsWritten,
        })
    }

    /// `use.latest.with.metadata`.
    fn metadata(&self) -> Result<Option<Vec<(String, String)>>, RegistryError> {
        let metadata = self.text("use.latest.with.metadata");
        if metadata.is_empty() {
            return Ok(None);
        }
        let pair = |item: String| match item.split_once('=') {
            Some((key, value)) => Ok((key.trim().to_owned(), value.trim().to_owned())),
            None => Err(setting(format!(
                "Invalid value {metadata} for configuration use.latest.with.metadata: expected key=value \
                 pairs, separated by commas"
            ))),
        };
        parse_list(metadata).into_iter().map(pair).collect::<Result<_, _>>().map(Some)
    }

    fn proxy(&self) -> Result<Option<(String, u16)>, RegistryError> {
        let (host, port) = (self.text("proxy.host"), self.number("proxy.port"));
        match u16::try_from(port) {
            // As in Java, a host without a port or a port without a host means no proxy.
            _ if host.is_empty() || port < 0 => Ok(None),
            Ok(port) if port > 0 => Ok(Some((host.to_owned(), port))),
            _ => Err(setting(format!("Invalid value {port} for configuration proxy.port: not a port"))),
        }
    }

    fn headers(&self) -> Vec<(String, Password)> {
        let named = |(key, value): (&String, &String)| {
            let name = key.strip_prefix(def::HEADER_PREFIX).filter(|name| !name.is_empty())?;
            Some((name.to_owned(), Password::new(value)))
        };
        let mut headers: Vec<_> = self.given.iter().filter_map(named).collect();
        if self.given.contains_key("bearer.auth.credentials.source") {
            headers.extend(oauth::targets(self));
        }
        headers
    }
}

fn setting(message: impl Into<String>) -> RegistryError {
    RegistryError::Setting { message: message.into() }
}
