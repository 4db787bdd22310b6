//! The configuration of the Azure Blob Storage sink: its own keys, and what they make of an account.
//!
//! Source: the key table of the Confluent Azure Blob Storage sink.

use std::time::Duration;

use lakeward_api::ConnectError;
use lakeward_api::config::{ConfigDef, ConfigMap, ConfigValue, Password};
use lakeward_objectstore::http::{Growth, Patience};

use super::account::{self, Account, Identity};
use super::checks;
use super::keys::{self, COMPRESSION, OutputKeys};
use crate::s3::config::cross_checks::{add, apply_shared};
use crate::s3::config::validators::{format_within, is_class, proxy_url};
use crate::s3::config::{Classes, PartitionerKeys, parsed};
use crate::s3::error::StoreWords;
use crate::s3::settings::{Layout, Settings};

/// Group "Azure".
#[derive(ConfigDef, Debug)]
#[expect(dead_code, reason = "keys that are only accepted or refused are parsed, not used")]
struct BlobKeys {
    /// The storage account: 3 to 24 letters and digits.
    #[config(name = "azblob.account.name", kind = "string", default = required, importance = "high",
             group = "Azure", width = "long", display = "Account Name",
             validate = custom(checks::account_name))]
    account: String,
    /// Key of the account. It wins over azblob.sas.token.
    #[config(name = "azblob.account.key", kind = "password", default = null, importance = "high",
             group = "Azure", width = "long", display = "Account Key")]
    account_key: Option<Password>,
    /// Shared access signature of the account or the container; it needs the permissions to create, write and
    /// list, and to read when conditional writes are on.
    #[config(name = "azblob.sas.token", kind = "password", default = null, importance = "high",
             group = "Azure", width = "long", display = "SAS Token")]
    sas_token: Option<Password>,
    /// Credentials provider. Not supported: it must be empty.
    #[config(name = "credentials.provider.class", kind = "string", default = null, importance = "low",
             validate = custom(checks::no_provider))]
    provider: Option<String>,
    /// The container; it must exist. 3 to 63 letters, digits and hyphens.
    #[config(name = "azblob.container.name", kind = "string", default = "default", importance = "medium",
             group = "Azure", width = "long", display = "Container Name",
             validate = custom(checks::container_name))]
    container: String,
    /// Bytes of one block of a large object. Files that fit into one block are stored in a single request.
    #[config(name = "azblob.block.size", kind = "int", default = "26214400", importance = "high",
             group = "Azure", width = "long", display = "Block Size", validate = at_least(1))]
    block_bytes: usize,
    /// Pauses between tries of one request: EXPONENTIAL ones double from azblob.retry.backoff.ms to
    /// azblob.retry.max.backoff.ms, FIXED ones stay.
    #[config(name = "azblob.retry.type", kind = "string", default = "EXPONENTIAL", importance = "low",
             group = "Azure", display = "Retry Type",
             validate = one_of_ignore_case("EXPONENTIAL", "FIXED"), recommended("EXPONENTIAL", "FIXED"))]
    retry_type: String,
    /// How often one request is repeated before the task gives up and starts again from its committed
    /// offsets.
    #[config(name = "azblob.retry.retries", kind = "int", default = "3", importance = "medium",
             group = "Azure", display = "Retries", validate = at_least(0))]
    retries: usize,
    /// How long a connection may take to be made, in milliseconds.
    #[config(name = "azblob.connection.timeout.ms", kind = "long", default = "30000",
             importance = "medium", group = "Azure", display = "Connection Timeout (ms)",
             validate = at_least(1))]
    connect_timeout_ms: u64,
    /// The first pause in milliseconds between tries of one request. When the store asks for fewer requests,
    /// all tasks that write to the container wait.
    #[config(name = "azblob.retry.backoff.ms", kind = "long", default = "4000", importance = "low",
             group = "Azure", display = "Retry Backoff (ms)", validate = at_least(0))]
    retry_backoff_ms: u64,
    /// The longest pause in milliseconds between tries of one request.
    #[config(name = "azblob.retry.max.backoff.ms", kind = "long", default = "120000", importance = "low",
             group = "Azure", display = "Retry Maximum Backoff (ms)", validate = at_least(0))]
    retry_backoff_ms_max: u64,
    /// Host that is read from when the first one fails. Accepted for compatibility: a sink reads nothing that
    /// another host may answer.
    #[config(name = "azblob.retry.secondary.host", kind = "string", default = null, importance = "low",
             group = "Azure", display = "Retry Secondary Host")]
    secondary_host: Option<String>,
    /// URL of an HTTP proxy; it may hold `user:password@`.
    #[config(name = "azblob.proxy.url", kind = "string", default = "", importance = "low", group = "Azure",
             width = "long", display = "Proxy Settings", validate = custom(proxy_url))]
    proxy_url: String,
    /// User of the proxy; it wins over that of the URL.
    #[config(name = "azblob.proxy.user", kind = "string", default = null, importance = "low",
             group = "Azure", width = "long", display = "Proxy User")]
    proxy_user: Option<String>,
    /// Password of the proxy; it wins over that of the URL.
    #[config(name = "azblob.proxy.password", kind = "password", default = null, importance = "low",
             group = "Azure", width = "long", display = "Proxy Password")]
    proxy_password: Option<Password>,
    /// With rotate.schedule.interval.ms: look whether an object is there before one is written, take it over
    /// when it has the same content, and replace nothing else than what was seen.
    #[config(
        name = "enable.conditional.writes",
        kind = "boolean",
        default = "true",
        importance = "low",
        group = "Azure",
        width = "short",
        display = "Enable Conditional Writes"
    )]
    conditional_writes: bool,
    /// How long one try of a request may take in all, in milliseconds; the longer of this and
    /// lakeward.request.timeout.ms counts, and blocks of more than 25 MiB get more in proportion.
    #[config(name = "azblob.write.timeout.ms", kind = "long", default = "60000", importance = "low",
             validate = at_least(1))]
    write_timeout_ms: u64,
    /// What requests call their sender. Lakeward names itself unless this is set.
    #[config(name = "connect.azblob.useragent", kind = "string", importance = "low",
             default = "APN/1.0 Confluent/1.0 AzureBlobSink/", validate = custom(checks::user_agent))]
    user_agent: String,
}

/// All keys, parsed.
#[derive(Debug)]
pub(super) struct BlobConfig {
    /// What is not about Azure.
    pub(super) settings: Settings,
    pub(super) account: Account,
}

impl BlobConfig {
    /// Parses `props`. All problems, cross checks included, become one error of class `Config`.
    pub(super) fn parse(props: &ConfigMap) -> Result<Self, ConnectError> {
        parsed(validate(props), || Self::parse_keys(props))
    }

    fn parse_keys(props: &ConfigMap) -> Result<Self, Vec<ConfigValue>> {
        let (keys, storage) = (BlobKeys::parse(props)?, keys::storage(props, &CLASSES)?);
        let layout = Layout {
            topics_dir: storage.topics_dir,
            directory_delim: storage.directory_delim,
            file_delim: storage.file_delim,
        };
        let settings = Settings::new(props, layout, OutputKeys::output(props, keys.block_bytes)?)?;
        let up_to = Duration::from_millis(keys.retry_backoff_ms_max);
        let is_fixed = keys.retry_type.eq_ignore_ascii_case("FIXED");
        let is_scheduled = settings.connector.rotate_schedule_interval_ms > 0;
        let account = Account {
            name: keys.account,
            container: keys.container,
            url: storage.store_url,
            identity: identity(keys.account_key, keys.sas_token),
            patience: Patience {
                tries_max: keys.retries.saturating_add(1),
                pause: Duration::from_millis(keys.retry_backoff_ms),
                growth: if is_fixed { Growth::None } else { Growth::Doubled { up_to } },
            },
            connect_time: Duration::from_millis(keys.connect_timeout_ms),
            try_time: Duration::from_millis(keys.write_timeout_ms.max(settings.lakeward.request_timeout_ms)),
            proxy: account::Proxy {
                key: "azblob.proxy.url",
                url: keys.proxy_url,
                user: keys.proxy_user,
                password: keys.proxy_password,
            },
            user_agent: props.get("connect.azblob.useragent").map(|agent| agent.trim().to_owned()),
            is_conditional: keys.conditional_writes && is_scheduled,
            creates_container: false,
            words: &WORDS,
        };
        Ok(Self { settings, account })
    }
}

/// The definition of every key, in the Java sink's order, `lakeward.*` last.
pub(super) fn config_def() -> ConfigDef {
    let mut def = keys::config_def(&CLASSES, &[PartitionerKeys::config_def(), BlobKeys::config_def()]);
    // Behind the storage class.
    let store_url = keys::store_url();
    let keys = def.keys().to_vec();
    let place = keys.iter().position(|key| key.name == "storage.class").map_or(0, |place| place + 1);
    def = crate::s3::config::joined(&[
        ConfigDef::new(keys[..place].to_vec()),
        store_url,
        ConfigDef::new(keys[place..].to_vec()),
    ]);
    def
}

/// Validates every key, then what keys mean together. One entry per key, in definition order.
pub(super) fn validate(props: &ConfigMap) -> Vec<ConfigValue> {
    let mut values = config_def().validate(props);
    apply_shared(&mut values, COMPRESSION);
    checks::store_url(&mut values);
    let is_set = |name: &str| props.get(name).is_some_and(|text| !text.trim().is_empty());
    if !is_set("azblob.account.key") && !is_set("azblob.sas.token") {
        for name in ["azblob.account.key", "azblob.sas.token"] {
            add(&mut values, name, "Either azblob.account.key or azblob.sas.token must be set");
        }
    }
    checks::key(&mut values, props, "azblob.account.key");
    if let Some(token) = props.get("azblob.sas.token").filter(|token| !token.trim().is_empty())
        && account::sas_pairs(token).is_none()
    {
        let problem = "Invalid value [hidden] for configuration azblob.sas.token: not a shared access \
                       signature (sv=…&sig=…)";
        add(&mut values, "azblob.sas.token", problem);
    }
    values
}

/// What validation has let through.
fn identity(key: Option<Password>, sas: Option<Password>) -> Identity {
    let given = |text: Option<Password>| text.filter(|text| !text.expose().trim().is_empty());
    match (given(key), given(sas)) {
        (Some(key), _) => Identity::Key(key),
        (None, sas) => Identity::Sas(sas.expect("validated: one of both is set")),
    }
}

const CLASSES: Classes = Classes {
    formats: "io.confluent.connect.azure.blob.format",
    is_format: |_, class| {
        format_within(&[CLASSES.formats, "io.confluent.connect.azure.storage.format"], class)
    },
    storage: "io.confluent.connect.azure.blob.storage.AzureBlobStorage",
    is_storage: |_, class| is_class(CLASSES.storage, class),
};

const WORDS: StoreWords = StoreWords {
    place: "Azure Blob Storage container",
    identity: "azblob.account.name, azblob.account.key, azblob.sas.token and what they allow (create, write \
               and list, read with enable.conditional.writes)",
    bucket_keys: "azblob.container.name, azblob.account.name or store.url",
    server_keys: "store.url, azblob.account.name",
};
