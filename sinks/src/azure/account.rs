//! A storage account as a sink uses it: what both configurations come to, and the clients that are made of
//! it.
//!
//! Source: Azure Storage, "Authorize requests to Azure Storage".

use std::sync::Arc;
use std::time::Duration;

use lakeward_api::config::Password;
use lakeward_api::metrics::StoreRequests;
use lakeward_objectstore::address;
use lakeward_objectstore::http::{BodyDigest, OverTransport, Patience, Transport, TransportSettings};
use object_store::RetryConfig;
use object_store::azure::{
    AzureAccessKey, AzureCredential, MicrosoftAzure, MicrosoftAzureBuilder, split_sas,
};
use object_store::client::StaticCredentialProvider;
use url::Url;

use crate::s3::config::validators::parse_store_url;
use crate::s3::error::{S3SinkError, StoreWords};
use crate::s3::store::s3::{client_options, sent_by};

/// An account, and how it is used.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) container: String,
    /// `None`: where Azure has the account.
    pub(crate) url: Option<String>,
    pub(crate) identity: Identity,
    pub(crate) patience: Patience,
    pub(crate) connect_time: Duration,
    pub(crate) try_time: Duration,
    pub(crate) proxy: Proxy,
    /// `None`: Lakeward's own.
    pub(crate) user_agent: Option<String>,
    pub(crate) is_conditional: bool,
    pub(crate) creates_container: bool,
    pub(crate) words: &'static StoreWords,
}

/// Who writes.
#[derive(Debug)]
pub(crate) enum Identity {
    /// An application.
    Client(ClientSecret),
    /// Whoever has the key of the account.
    Key(Password),
    /// Whoever has this signature.
    Sas(Password),
}

/// An application of Microsoft Entra.
#[derive(Debug)]
pub(crate) struct ClientSecret {
    /// Server of tokens, `https://host`.
    pub(crate) authority: String,
    pub(crate) tenant: String,
    pub(crate) id: String,
    pub(crate) secret: Password,
}

/// A proxy, as configured.
#[derive(Debug, Default)]
pub(crate) struct Proxy {
    /// Name of the key of its URL.
    pub(crate) key: &'static str,
    /// Empty for none.
    pub(crate) url: String,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<Password>,
}

impl Account {
    /// Where the account's containers are.
    ///
    /// # Errors
    /// Class `Config`.
    pub(super) fn address(&self) -> Result<Url, S3SinkError> {
        let address = match &self.url {
            Some(url) => url.clone(),
            None => format!("https://{}.blob.core.windows.net", self.name),
        };
        parse_store_url(&address).map_err(|problem| setting(format!("store.url: {problem}")))
    }

    /// What sends the requests of a task of `connector`.
    ///
    /// # Errors
    /// Class `Config`.
    pub(super) fn transport(&self, address: &Url, connector: &str) -> Result<Transport, S3SinkError> {
        let allows_http = address.scheme() == "http";
        let options = client_options(allows_http).with_connect_timeout(self.connect_time);
        let mut options = sent_by(options, self.user_agent.as_deref())?;
        let Proxy { key, url, user, password } = &self.proxy;
        let password = password.as_ref().map(Password::expose);
        let proxy = address::proxy(key, url, user.as_deref(), password)?;
        if let Some(proxy) = &proxy {
            options = options.with_proxy_url(proxy.as_str());
        }
        let (agent, proxy) = (self.user_agent.as_deref().unwrap_or_default(), proxy.map(String::from));
        Ok(Transport::new(TransportSettings {
            name: format!("{address} {}", self.container),
            options,
            options_text: format!("{allows_http} {:?} {agent} {proxy:?}", self.connect_time),
            try_time: self.try_time,
            patience: self.patience,
            digest: BodyDigest::None,
            counters: StoreRequests::of(connector),
        }))
    }

    /// The object-store client.
    ///
    /// # Errors
    /// Class `Config`.
    pub(super) fn client(&self, address: &str, transport: &Transport) -> Result<MicrosoftAzure, S3SinkError> {
        let builder = MicrosoftAzureBuilder::new()
            .with_account(&self.name)
            .with_container_name(&self.container)
            .with_endpoint(address.to_owned())
            .with_http_connector(OverTransport(transport.clone()))
            // The transport repeats requests.
            .with_retry(RetryConfig { max_retries: 0, ..RetryConfig::default() });
        let wrong =
            || setting(format!("the client of Azure cannot be set up: check {}", self.words.identity));
        let fixed = |credential| Arc::new(StaticCredentialProvider::new(credential));
        let builder = match &self.identity {
            Identity::Key(key) => {
                let key = AzureAccessKey::try_new(key.expose().trim()).map_err(|_| wrong())?;
                builder.with_credentials(fixed(AzureCredential::AccessKey(key)))
            }
            Identity::Sas(token) => {
                let pairs = sas_pairs(token.expose()).ok_or_else(wrong)?;
                builder.with_credentials(fixed(AzureCredential::SASToken(pairs)))
            }
            Identity::Client(client) => builder
                .with_client_secret_authorization(&client.id, client.secret.expose(), &client.tenant)
                .with_authority_host(&client.authority),
        };
        builder.build().map_err(|_| wrong())
    }
}

/// The parameters of a shared access signature; `None` when it is none.
pub(crate) fn sas_pairs(token: &str) -> Option<Vec<(String, String)>> {
    let pairs = split_sas(token.trim()).ok()?;
    pairs.iter().any(|(name, _)| name == "sig").then_some(pairs)
}

fn setting(message: String) -> S3SinkError {
    S3SinkError::Setting { message }
}
