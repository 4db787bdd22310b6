//! Java client settings to the settings of the C client library, through an allow-list.
//!
//! Only settings named in the tables of this module reach the library: some of its own settings run shell
//! commands (`sasl.kerberos.kinit.cmd`), load code (`plugin.library.paths`, `ssl.engine.location`) or call
//! URLs. Where the library's default differs from Java's, Java's is set explicitly.
//!
//! Source: `ConsumerConfig`, `ProducerConfig`, `AdminClientConfig`, Kafka 4.1.

mod jaas;
mod offset_reset;
pub(crate) mod stores;
mod tables;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub(crate) use jaas::Jaas;
use lakeward_api::config::ConfigMap;
pub(crate) use offset_reset::OffsetReset;

use crate::oauth::{self, LoginSettings};
use crate::sys::TokenTaker;
use crate::{KafkaError, client_check, secrets};

/// Which client the settings are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientKind {
    /// Admin client.
    Admin,
    /// Consumer.
    Consumer,
    /// Producer.
    Producer,
}

/// Settings ready for the client library. Values are never shown: some are secrets.
#[derive(Clone, PartialEq)]
pub struct ClientSettings {
    entries: BTreeMap<String, String>,
    ignored: Vec<String>,
    start_age: Option<Duration>,
    login: Option<Arc<LoginSettings>>,
}

impl ClientSettings {
    /// Library settings by library name.
    pub fn entries(&self) -> &BTreeMap<String, String> {
        &self.entries
    }

    /// Java names that were given and have no effect here; the caller warns about them once.
    pub fn ignored(&self) -> &[String] {
        &self.ignored
    }

    /// How old the first record of a partition without a committed position may be, when `auto.offset.reset`
    /// says that: the library cannot do it, who reads has to look the offset up.
    pub fn start_age(&self) -> Option<Duration> {
        self.start_age
    }

    /// `client`, made of these settings, gets its tokens from now on, if it needs some.
    pub(crate) fn log_in<T: TokenTaker + 'static>(&self, client: &Arc<T>) {
        if let Some(login) = &self.login {
            let client = Arc::downgrade(client);
            oauth::attach(login, client);
        }
    }

    /// Overrides a library setting; for the fixed settings of our own clients.
    pub fn set(&mut self, library_name: &str, value: impl Into<String>) {
        self.entries.insert(library_name.to_owned(), value.into());
    }

    /// The library's configuration object.
    pub fn to_rdkafka(&self) -> rdkafka::ClientConfig {
        let mut config = rdkafka::ClientConfig::new();
        for (name, value) in &self.entries {
            config.set(name, value);
        }
        config
    }
}

impl ClientSettings {
    /// How many bytes a consumer may hold that nobody took: its queue, one answer on its way there, and one
    /// behind it.
    pub fn fetch_bytes_max(&self) -> u64 {
        let number = |name: &str| self.entries.get(name).and_then(|text| text.parse().ok()).unwrap_or(0u64);
        number("queued.max.messages.kbytes") * 1024 + 2 * number("fetch.max.bytes")
    }
}

impl fmt::Debug for ClientSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientSettings")
            .field("names", &self.entries.keys().collect::<Vec<_>>())
            .field("ignored", &self.ignored)
            .finish()
    }
}

/// Translates Java settings for a client of `kind`. Unknown names are kept in [`ClientSettings::ignored`].
///
/// # Errors
/// Class `Config`, naming the Java key and the remedy, for a value that cannot be honoured (a store that
/// cannot be read, an unknown assignor): a client that would silently differ from Java is not started. For
/// consumers also what Java refuses, in its words; of producers, [`crate::source_producer`] checks that.
pub fn translate(kind: ClientKind, props: &ConfigMap) -> Result<ClientSettings, KafkaError> {
    secrets::SETTINGS.iter().filter_map(|name| props.get(*name)).for_each(|value| secrets::remember(value));
    let jaas = props.get(jaas::KEY).map(|line| Jaas::parse(line)).transpose()?;
    if kind == ClientKind::Consumer {
        client_check::consumer::check(props)?;
    }
    let mut settings =
        ClientSettings { entries: BTreeMap::new(), ignored: Vec::new(), start_age: None, login: None };
    for (name, value) in tables::JAVA_DEFAULTS.iter().chain(tables::java_defaults(kind)) {
        settings.set(name, *value);
    }
    for (name, value) in props {
        translate_one(kind, name, value.trim(), &mut settings)?;
    }
    // Source: `CommonClientConfigs#postProcessReconnectBackoffConfigs`, Kafka 4.1.
    if let Some(backoff) = props.get("reconnect.backoff.ms")
        && !props.contains_key("reconnect.backoff.max.ms")
    {
        settings.set("reconnect.backoff.max.ms", backoff.trim());
    }
    stores::apply(props, &mut settings)?;
    match &jaas {
        Some(jaas) if jaas.is("OAuthBearerLoginModule") => {
            let secrets = oauth::SECRETS.iter().filter_map(|name| jaas.options.get(*name));
            secrets.for_each(|value| secrets::remember(value));
        }
        Some(jaas) => jaas.apply(&mut settings)?,
        None => {}
    }
    settings.login = LoginSettings::parse(kind, props, jaas.as_ref())?.map(Arc::new);
    let credentials = settings.entries.iter().filter(|(name, _)| secrets::is_credential(name));
    credentials.for_each(|(_, value)| secrets::remember(value));
    Ok(settings)
}

/// Entries whose name starts with `prefix`, without it.
pub fn with_prefix(config: &ConfigMap, prefix: &str) -> ConfigMap {
    let own = config.iter().filter_map(|(name, value)| Some((name.strip_prefix(prefix)?, value)));
    own.map(|(name, value)| (name.to_owned(), value.clone())).collect()
}

/// The settings of a connector's admin client: those of the worker that are not for one kind of client, its
/// `admin.*`, the connector's `admin.override.*`. Source: `Worker#adminConfigs`, Kafka 4.1.
pub fn connector_admin(worker: &ConfigMap, connector: &ConfigMap) -> ConfigMap {
    let is_other =
        |name: &str| ["admin.", "producer.", "consumer."].iter().any(|other| name.starts_with(other));
    let mut props = worker.clone();
    props.retain(|name, _| !is_other(name));
    props.extend(with_prefix(worker, "admin."));
    props.extend(with_prefix(connector, "admin.override."));
    props
}

fn translate_one(
    kind: ClientKind,
    name: &str,
    value: &str,
    settings: &mut ClientSettings,
) -> Result<(), KafkaError> {
    if tables::HANDLED_TOGETHER.contains(&name) || oauth::SETTINGS.contains(&name) {
        return Ok(());
    }
    let Some(library_name) = tables::library_name(kind, name) else {
        settings.ignored.push(name.to_owned());
        return Ok(());
    };
    let value = match name {
        "partition.assignment.strategy" => assignor(value)?,
        "ssl.endpoint.identification.algorithm" if value.is_empty() => "none".to_owned(),
        "security.protocol" => value.to_ascii_lowercase(),
        "buffer.memory" => kibibytes(name, value)?,
        "auto.offset.reset" => {
            let reset = OffsetReset::parse(value).unwrap_or(OffsetReset::Latest);
            if let OffsetReset::Age(age) = reset {
                settings.start_age = Some(age);
            }
            reset.library_value().to_owned()
        }
        _ => value.to_owned(),
    };
    if !value.is_empty() {
        settings.set(library_name, value);
    }
    Ok(())
}

fn setting_error(key: &str, problem: impl Into<String>) -> KafkaError {
    KafkaError::Setting { key: key.to_owned(), problem: problem.into() }
}

fn kibibytes(name: &str, value: &str) -> Result<String, KafkaError> {
    let bytes: u64 = value.parse().map_err(|_| setting_error(name, "Not a number of type LONG"))?;
    Ok((bytes / 1024).max(1).to_string())
}

/// Java lists assignor classes in order of preference; all members of a group need one in common. Sink tasks
/// always rebalance cooperatively, so the list must allow it.
fn assignor(value: &str) -> Result<String, KafkaError> {
    let simple = |class: &str| class.trim().rsplit('.').next().unwrap_or_default().to_owned();
    let classes: Vec<String> = value.split(',').map(simple).collect();
    if classes.iter().any(|class| class == "CooperativeStickyAssignor") {
        return Ok("cooperative-sticky".to_owned());
    }
    match classes.first().map(String::as_str) {
        Some("RangeAssignor") => Ok("range".to_owned()),
        Some("RoundRobinAssignor") => Ok("roundrobin".to_owned()),
        _ => Err(setting_error(
            "partition.assignment.strategy",
            "use CooperativeStickyAssignor, RangeAssignor or RoundRobinAssignor",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn translated(kind: ClientKind, props: &[(&str, &str)]) -> Result<ClientSettings, KafkaError> {
        translate(kind, &props.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect())
    }

    #[test]
    fn consumers_get_javas_defaults() {
        let settings = translated(ClientKind::Consumer, &[]).unwrap();
        for (name, value) in [
            ("isolation.level", "read_uncommitted"),
            ("check.crcs", "true"),
            ("allow.auto.create.topics", "true"),
            ("partition.assignment.strategy", "cooperative-sticky"),
            ("enable.auto.commit", "false"),
        ] {
            assert_eq!(settings.entries().get(name).map(String::as_str), Some(value), "{name}");
        }
    }

    #[test]
    fn a_pause_between_connections_is_javas_and_its_own_limit_when_it_is_longer() {
        let limit = |props: &[(&str, &str)]| {
            let settings = translated(ClientKind::Admin, props).unwrap();
            settings.to_rdkafka().create_native_config().unwrap();
            settings.entries()["reconnect.backoff.max.ms"].clone()
        };
        assert_eq!(limit(&[]), "1000");
        assert_eq!(limit(&[("reconnect.backoff.ms", "5000")]), "5000");
        assert_eq!(limit(&[("reconnect.backoff.ms", "5000"), ("reconnect.backoff.max.ms", "7000")]), "7000");
    }

    #[test]
    fn dangerous_library_settings_never_pass() {
        for name in
            ["sasl.kerberos.kinit.cmd", "plugin.library.paths", "ssl.engine.location", "ssl.providers"]
        {
            let settings = translated(ClientKind::Consumer, &[(name, "/bin/true")]).unwrap();
            assert!(!settings.entries().contains_key(name), "{name}");
            assert_eq!(settings.ignored(), [name]);
        }
    }

    #[test]
    fn jaas_lines_become_credentials_and_stay_hidden() {
        let line = "org.apache.kafka.common.security.scram.ScramLoginModule required username=\"al ice\" \
                    password=\"p;w\\\"d\";";
        let settings = translated(
            ClientKind::Admin,
            &[
                ("sasl.jaas.config", line),
                ("sasl.mechanism", "SCRAM-SHA-512"),
                ("security.protocol", "SASL_SSL"),
            ],
        )
        .unwrap();
        assert_eq!(settings.entries()["sasl.username"], "al ice");
        assert_eq!(settings.entries()["sasl.password"], "p;w\"d");
        assert_eq!(settings.entries()["security.protocol"], "sasl_ssl");
        assert!(!format!("{settings:?}").contains("p;w"));
    }

    #[test]
    fn java_names_are_translated_per_client() {
        let consumer =
            translated(ClientKind::Consumer, &[("fetch.max.wait.ms", "7"), ("linger.ms", "5")]).unwrap();
        assert_eq!(consumer.entries()["fetch.wait.max.ms"], "7");
        assert_eq!(consumer.ignored(), ["linger.ms"]);
        let producer = translated(ClientKind::Producer, &[("buffer.memory", "33554432")]).unwrap();
        assert_eq!(producer.entries()["queue.buffering.max.kbytes"], "32768");
    }
}
