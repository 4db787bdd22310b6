//! The configuration of the Azure Data Lake Storage Gen2 sink: its own keys, and what they make of an
//! account.
//!
//! `topics.dir` names the file system, which is created when it is missing; names within it begin with the
//! topic.
//!
//! Source: the key table of the Confluent Azure Data Lake Storage Gen2 sink and where its objects appear.

use std::time::Duration;

use lakeward_api::ConnectError;
use lakeward_api::config::{ConfigDef, ConfigMap, ConfigValue, Password};
use lakeward_objectstore::http::{Growth, Patience};
use url::Url;

use super::account::{Account, ClientSecret, Identity, Proxy};
use super::checks;
use super::keys::{self, COMPRESSION, OutputKeys};
use crate::s3::config::cross_checks::{add, apply_shared, text};
use crate::s3::config::validators::{format_within, is_class};
use crate::s3::config::{Classes, PartitionerKeys, parsed};
use crate::s3::error::StoreWords;
use crate::s3::settings::{Layout, Settings};

/// Group "Azure".
#[derive(ConfigDef, Debug)]
#[expect(dead_code, reason = "keys that are only accepted or refused are parsed, not used")]
struct LakeKeys {
    /// The storage account: 3 to 24 letters and digits.
    #[config(name = "azure.datalake.gen2.account.name", kind = "string", default = required,
             importance = "high", group = "Azure", width = "long", display = "Account Name",
             validate = custom(checks::account_name))]
    account: String,
    /// Id of the application that writes, with its client key and token endpoint.
    #[config(name = "azure.datalake.gen2.client.id", kind = "string", default = null, importance = "high",
             group = "Azure", width = "long", display = "Client ID")]
    client_id: Option<String>,
    /// Secret of the application.
    #[config(name = "azure.datalake.gen2.client.key", kind = "password", default = null,
             importance = "high", group = "Azure", width = "long", display = "Client Key")]
    client_key: Option<Password>,
    /// Where the application gets its tokens: https://login.microsoftonline.com/<tenant>/oauth2/token.
    #[config(name = "azure.datalake.gen2.token.endpoint", kind = "string", default = null,
             importance = "high", group = "Azure", width = "long", display = "Token Endpoint",
             validate = custom(token_endpoint))]
    token_endpoint: Option<String>,
    /// Key of the account. It wins over the application.
    #[config(name = "azure.datalake.gen2.access.key", kind = "password", default = null,
             importance = "high", group = "Azure", width = "long", display = "Access Key")]
    access_key: Option<Password>,
    /// Deprecated: the name of azure.datalake.gen2.sas.key. Accepted for compatibility.
    #[config(name = "azure.datalake.gen2.sas.keyname", kind = "string", default = null, importance = "low",
             group = "Azure", width = "long", display = "SAS Key Name")]
    sas_key_name: Option<String>,
    /// Deprecated: the same as azure.datalake.gen2.access.key.
    #[config(name = "azure.datalake.gen2.sas.key", kind = "password", default = null, importance = "high",
             group = "Azure", width = "long", display = "SAS Key")]
    sas_key: Option<Password>,
    /// Credentials provider. Not supported: it must be empty.
    #[config(name = "credentials.provider.class", kind = "string", default = "", importance = "low",
             validate = custom(checks::no_provider))]
    provider: String,
    /// Bytes of one block of a large object. Files that fit into one block are stored in a single request.
    #[config(name = "azure.datalake.gen2.block.size", kind = "int", default = "5242880",
             importance = "high", validate = at_least(1))]
    block_bytes: usize,
    /// What requests call their sender. Lakeward names itself unless this is set.
    #[config(name = "connect.azure.datalake.gen2.useragent", kind = "string", importance = "low",
             default = "APN/1.0 Confluent/1.0 AzureDataLakeGen2Sink/", validate = custom(checks::user_agent))]
    user_agent: String,
}

/// All keys, parsed.
#[derive(Debug)]
pub(super) struct LakeConfig {
    /// What is not about Azure.
    pub(super) settings: Settings,
    pub(super) account: Account,
}

impl LakeConfig {
    /// Parses `props`. All problems, cross checks included, become one error of class `Config`.
    pub(super) fn parse(props: &ConfigMap) -> Result<Self, ConnectError> {
        parsed(validate(props), || Self::parse_keys(props))
    }

    fn parse_keys(props: &ConfigMap) -> Result<Self, Vec<ConfigValue>> {
        let (keys, storage) = (LakeKeys::parse(props)?, keys::storage(props, &CLASSES)?);
        let layout = Layout {
            topics_dir: String::new(),
            directory_delim: storage.directory_delim,
            file_delim: storage.file_delim,
        };
        let settings = Settings::new(props, layout, OutputKeys::output(props, keys.block_bytes)?)?;
        let account = Account {
            container: storage.topics_dir,
            url: storage.store_url.map(|url| blob_address(&url)),
            // What clients of Azure do when nothing is configured.
            patience: Patience {
                tries_max: 4,
                pause: Duration::from_secs(4),
                growth: Growth::Doubled { up_to: Duration::from_secs(120) },
            },
            connect_time: Duration::from_secs(30),
            try_time: Duration::from_millis(settings.lakeward.request_timeout_ms),
            proxy: Proxy::default(),
            user_agent: props.get("connect.azure.datalake.gen2.useragent").map(|one| one.trim().to_owned()),
            is_conditional: false,
            creates_container: true,
            words: &WORDS,
            name: keys.account.clone(),
            identity: identity(keys),
        };
        Ok(Self { settings, account })
    }
}

/// The definition of every key, in the Java sink's order, `lakeward.*` last.
pub(super) fn config_def() -> ConfigDef {
    let own = [PartitionerKeys::config_def(), keys::store_url(), LakeKeys::config_def()];
    keys::config_def(&CLASSES, &own)
}

/// Validates every key, then what keys mean together. One entry per key, in definition order.
pub(super) fn validate(props: &ConfigMap) -> Vec<ConfigValue> {
    let mut values = config_def().validate(props);
    apply_shared(&mut values, COMPRESSION);
    checks::store_url(&mut values);
    if let Err(problem) = checks::container_name("topics.dir", &text(&values, "topics.dir")) {
        add(&mut values, "topics.dir", &format!("topics.dir names the file system: {problem}"));
    }
    let is_set = |name: &str| props.get(name).is_some_and(|text| !text.trim().is_empty());
    let missing: Vec<&str> = APPLICATION.into_iter().filter(|name| !is_set(name)).collect();
    if !is_set(ACCESS_KEY) && !is_set(SAS_KEY) && !missing.is_empty() {
        let problem = format!("Either {ACCESS_KEY} or all of {} must be set", APPLICATION.join(", "));
        for name in missing {
            add(&mut values, name, &problem);
        }
    }
    checks::key(&mut values, props, ACCESS_KEY);
    checks::key(&mut values, props, SAS_KEY);
    values
}

const ACCESS_KEY: &str = "azure.datalake.gen2.access.key";
const SAS_KEY: &str = "azure.datalake.gen2.sas.key";
const APPLICATION: [&str; 3] =
    ["azure.datalake.gen2.client.id", "azure.datalake.gen2.client.key", "azure.datalake.gen2.token.endpoint"];

/// What validation has let through.
fn identity(keys: LakeKeys) -> Identity {
    let given = |text: Option<Password>| text.filter(|text| !text.expose().trim().is_empty());
    if let Some(key) = given(keys.access_key).or_else(|| given(keys.sas_key)) {
        return Identity::Key(key);
    }
    let endpoint = keys.token_endpoint.as_deref().and_then(authority);
    let (authority, tenant) = endpoint.expect("validated by token_endpoint");
    Identity::Client(ClientSecret {
        authority,
        tenant,
        id: keys.client_id.expect("validated: all of it is set"),
        secret: keys.client_key.expect("validated: all of it is set"),
    })
}

fn token_endpoint(_name: &str, endpoint: &str) -> Result<(), String> {
    if endpoint.is_empty() || authority(endpoint).is_some() {
        return Ok(());
    }
    Err("use https://login.microsoftonline.com/<tenant>/oauth2/token".to_owned())
}

/// The server and the tenant of a token endpoint.
fn authority(endpoint: &str) -> Option<(String, String)> {
    let url = Url::parse(endpoint).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    let mut path = url.path_segments()?;
    let tenant = path.next().filter(|tenant| !tenant.is_empty())?.to_owned();
    let rest: Vec<&str> = path.collect();
    let is_usual = matches!(rest.as_slice(), ["oauth2", "token"] | ["oauth2", "v2.0", "token"]);
    is_usual.then(|| (url.origin().ascii_serialization(), tenant))
}

/// The address of the same account's blobs: files of a data lake are blobs, and only that interface makes
/// them appear at once.
fn blob_address(url: &str) -> String {
    url.replacen(".dfs.", ".blob.", 1)
}

const CLASSES: Classes = Classes {
    formats: "io.confluent.connect.azure.storage.format",
    is_format: |_, class| format_within(&[CLASSES.formats], class),
    storage: "io.confluent.connect.azure.datalake.gen2.storage.AzureDataLakeGen2Storage",
    is_storage: |_, class| is_class(CLASSES.storage, class),
};

const WORDS: StoreWords = StoreWords {
    place: "Azure Data Lake file system",
    identity: "azure.datalake.gen2.account.name, azure.datalake.gen2.access.key, \
               azure.datalake.gen2.client.id, azure.datalake.gen2.client.key, \
               azure.datalake.gen2.token.endpoint and what they allow (Storage Blob Data Contributor)",
    bucket_keys: "topics.dir, azure.datalake.gen2.account.name or store.url",
    server_keys: "store.url, azure.datalake.gen2.account.name",
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_endpoint_names_server_and_tenant() {
        let expected = Some(("https://login.microsoftonline.com".to_owned(), "t-1".to_owned()));
        for end in ["token", "v2.0/token"] {
            assert_eq!(authority(&format!("https://login.microsoftonline.com/t-1/oauth2/{end}")), expected);
        }
        for wrong in [
            "login.microsoftonline.com/t/oauth2/token",
            "https://a//oauth2/token",
            "https://a/t",
            "ftp://a/t/oauth2/token",
        ] {
            assert_eq!(authority(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_address_of_files_becomes_that_of_blobs() {
        assert_eq!(blob_address("https://a.dfs.core.windows.net"), "https://a.blob.core.windows.net");
        assert_eq!(blob_address("http://127.0.0.1:1/a"), "http://127.0.0.1:1/a");
    }
}
