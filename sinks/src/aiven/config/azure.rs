//! The configuration of the Azure Blob sink: definition, and the account that it comes to.
//!
//! Source: `AzureBlobSinkConfig`, Aiven's cloud storage connectors at 89e55a98.

use std::time::Duration;

use lakeward_api::ConnectError;
use lakeward_api::config::{ConfigDef, ConfigMap, ConfigValue};
use lakeward_objectstore::http::{Growth, Patience};

use super::connection::Connection;
use super::{AivenConfig, first, prefixed, settings};
use crate::azure::{Account, Proxy};
use crate::s3::error::StoreWords;
use crate::s3::settings::Settings;

/// Group "Azure".
#[derive(ConfigDef, Debug)]
struct StoreKeys {
    /// Connection string of the storage account, with a key or a shared access signature. It is a secret: let
    /// a config provider bring it in.
    #[config(name = "azure.storage.connection.string", kind = "string", default = null, importance = "high",
             group = "Azure", display = "azure.storage.connection.string")]
    connection: Option<String>,
    /// The container; it must exist.
    #[config(name = "azure.storage.container.name", kind = "string", default = required,
             importance = "high", group = "Azure", display = "azure.storage.container.name",
             validate = non_empty)]
    container: String,
}

/// Group "Azure retry backoff policy".
#[derive(ConfigDef, Debug)]
struct RetryKeys {
    /// Bound of the first pause in milliseconds between tries of one request; it doubles, and the pause is
    /// random below it.
    #[config(name = "azure.retry.backoff.initial.delay.ms", kind = "long", default = "1000",
             importance = "medium", group = "Azure retry backoff policy",
             display = "azure.retry.backoff.initial.delay.ms", validate = at_least(0))]
    initial_delay_ms: u64,
    /// The longest bound of a pause in milliseconds.
    #[config(name = "azure.retry.backoff.max.delay.ms", kind = "long", default = "32000",
             importance = "medium", group = "Azure retry backoff policy",
             display = "azure.retry.backoff.max.delay.ms", validate = at_least(0))]
    max_delay_ms: u64,
    /// How often one request is repeated before the task starts again from its committed offsets.
    #[config(name = "azure.retry.backoff.max.attempts", kind = "int", default = "6", importance = "medium",
             group = "Azure retry backoff policy", display = "azure.retry.backoff.max.attempts",
             validate = at_least(0))]
    repetitions: usize,
}

/// Without a group.
#[derive(ConfigDef, Debug)]
#[expect(dead_code, reason = "what is set is told from the default")]
struct AgentKeys {
    /// What requests call their sender. Lakeward names itself unless this is set.
    #[config(
        name = "azure.user.agent",
        kind = "string",
        default = "Azure Blob Sink/3.4.3 (GPN: Aiven;)",
        importance = "low",
        display = "azure.user.agent"
    )]
    user_agent: String,
}

/// The definition of every key, in Java's order.
pub(in crate::aiven) fn config_def() -> ConfigDef {
    let rest = [RetryKeys::config_def(), AgentKeys::config_def()];
    prefixed::config_def(StoreKeys::config_def(), prefix, None, &rest)
}

/// Validates every key by itself.
pub(in crate::aiven) fn validate(props: &ConfigMap) -> Vec<ConfigValue> {
    config_def().validate(props)
}

/// Parses `props`: what is written, with which settings of the machinery, and where.
///
/// # Errors
/// Class `Config`, with Java's exception and words where Java refuses, too.
pub(in crate::aiven) fn parse(props: &ConfigMap) -> Result<(AivenConfig, Settings, Account), ConnectError> {
    let props = super::checked(props, validate)?;
    let files = prefixed::files(&props)?;
    let keys = StoreKeys::parse(&props).map_err(first)?;
    let retries = RetryKeys::parse(&props).map_err(first)?;
    let Some(connection) = &keys.connection else {
        return Err(ConnectError::config(format!("The configuration {CONNECTION} cannot be null.")));
    };
    let Connection { account, url, identity } = Connection::parse(connection).map_err(|problem| {
        ConnectError::config(format!("Invalid value [hidden] for configuration {CONNECTION}: {problem}"))
    })?;
    let settings = settings(&props)?;
    let account = Account {
        name: account,
        container: keys.container,
        url: Some(url),
        identity,
        patience: Patience {
            tries_max: retries.repetitions.saturating_add(1),
            pause: Duration::from_millis(retries.initial_delay_ms),
            growth: Growth::Doubled { up_to: Duration::from_millis(retries.max_delay_ms) },
        },
        connect_time: CONNECT_TIME,
        try_time: Duration::from_millis(settings.lakeward.request_timeout_ms),
        proxy: Proxy::default(),
        user_agent: props.get("azure.user.agent").map(|agent| agent.trim().to_owned()),
        is_conditional: false,
        creates_container: false,
        words: &WORDS,
    };
    Ok((files, settings, account))
}

/// As in Java, problems are told under the name of the container.
fn prefix(_name: &str, text: &str) -> Result<(), String> {
    prefixed::short_prefix("azure.storage.container.name", text)
}

const CONNECTION: &str = "azure.storage.connection.string";

/// That of Azure's own clients.
const CONNECT_TIME: Duration = Duration::from_secs(10);

const WORDS: StoreWords = StoreWords {
    place: "Azure Blob Storage container",
    identity: "azure.storage.connection.string and what it allows (create, write and list)",
    bucket_keys: "azure.storage.container.name or azure.storage.connection.string",
    server_keys: "azure.storage.connection.string",
};
