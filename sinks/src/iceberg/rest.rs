//! The client of a REST catalog: what is asked for tables, and what its answers mean.
//!
//! Owns the paths, the token and the errors. It repeats no commit: whether one whose answer was lost took
//! place is settled by looking at the table (`commit.rs`).
//!
//! Source: the OpenAPI definition of Iceberg's REST catalog, and the properties of Java's `RESTCatalog`.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Method, Request};
use iceberg::spec::{Schema, TableMetadata, UnboundPartitionSpec};
use iceberg::{NamespaceIdent, TableIdent, TableRequirement, TableUpdate};
use lakeward_api::failpoint;
use object_store::ClientOptions;
use object_store::client::{HttpClient, HttpConnector as _, HttpRequest, ReqwestConnector};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value as Json, json};
use tokio::sync::{Mutex, OnceCell};
use url::Url;
use url::form_urlencoded::{Serializer, byte_serialize};

use super::error::CatalogError;

/// How long one request may take.
const REQUEST_TIME: Duration = Duration::from_mins(1);

/// A catalog. Makes no request before the first question.
pub(super) struct Rest {
    http: HttpClient,
    given: BTreeMap<String, String>,
    /// What the catalog makes of the properties.
    session: OnceCell<BTreeMap<String, String>>,
    token: Mutex<Option<String>>,
}

/// A table as the catalog has it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct LoadedTable {
    pub(super) metadata_location: Option<String>,
    pub(super) metadata: TableMetadata,
    /// Properties for this table, credentials among them.
    #[serde(default)]
    pub(super) config: HashMap<String, String>,
}

/// A table that is to be made.
#[derive(Debug)]
pub(super) struct NewTable<'a> {
    pub(super) schema: &'a Schema,
    pub(super) spec: &'a UnboundPartitionSpec,
    pub(super) properties: &'a BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Session {
    #[serde(default)]
    defaults: BTreeMap<String, String>,
    #[serde(default)]
    overrides: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Token {
    access_token: String,
}

#[derive(Deserialize)]
struct Failure {
    error: FailureText,
}

#[derive(Deserialize)]
struct FailureText {
    #[serde(default)]
    message: String,
}

impl Rest {
    /// A catalog with the properties `given`.
    ///
    /// # Errors
    /// When there is no address, or no client can be made.
    pub(super) fn new(given: BTreeMap<String, String>) -> Result<Self, CatalogError> {
        let uri = given.get("uri").map(String::as_str).unwrap_or_default();
        let url = Url::parse(uri).map_err(|err| CatalogError::Setting {
            message: format!("iceberg.catalog.uri must be the address of a REST catalog: {err}"),
        })?;
        let options = ClientOptions::new().with_timeout(REQUEST_TIME).with_allow_http(url.scheme() == "http");
        let http = ReqwestConnector::default()
            .connect(&options)
            .map_err(|err| CatalogError::Setting { message: format!("no HTTP client can be made: {err}") })?;
        let token = Mutex::new(given.get("token").cloned());
        Ok(Self { http, given, session: OnceCell::new(), token })
    }

    /// The properties with what the catalog adds.
    pub(super) async fn properties(&self) -> Result<&BTreeMap<String, String>, CatalogError> {
        self.session.get_or_try_init(|| self.ask_for_session()).await
    }

    async fn ask_for_session(&self) -> Result<BTreeMap<String, String>, CatalogError> {
        let mut address = format!("{}/v1/config", base(&self.given));
        if let Some(warehouse) = self.given.get("warehouse") {
            address = format!("{address}?warehouse={}", encoded(warehouse));
        }
        let Session { mut defaults, overrides } = self.send(&self.given, Method::GET, &address, None).await?;
        defaults.extend(self.given.clone());
        defaults.extend(overrides);
        Ok(defaults)
    }

    /// The table `ident`.
    ///
    /// # Errors
    /// `Missing` when there is none.
    pub(super) async fn load(&self, ident: &TableIdent) -> Result<LoadedTable, CatalogError> {
        let session = self.properties().await?;
        self.send(session, Method::GET, &address_of(session, ident), None).await
    }

    /// Changes the table `ident` if the requirements hold.
    ///
    /// # Errors
    /// `Conflict` when they do not; `Unknown` when it may have happened.
    pub(super) async fn commit(
        &self,
        ident: &TableIdent,
        requirements: &[TableRequirement],
        updates: &[TableUpdate],
    ) -> Result<LoadedTable, CatalogError> {
        let session = self.properties().await?;
        let body = json!({"identifier": ident, "requirements": requirements, "updates": updates});
        failpoint!("table.commit.before_send");
        let answer = self.send(session, Method::POST, &address_of(session, ident), Some(&body)).await;
        failpoint!("table.commit.after_answer");
        answer.map_err(CatalogError::of_commit)
    }

    /// Makes `namespace`.
    ///
    /// # Errors
    /// `Conflict` when it is there; `Unknown` when it may be.
    pub(super) async fn create_namespace(&self, namespace: &NamespaceIdent) -> Result<(), CatalogError> {
        let session = self.properties().await?;
        let body = json!({"namespace": namespace, "properties": {}});
        let address = format!("{}/namespaces", prefixed(session));
        let answer = self.send::<Json>(session, Method::POST, &address, Some(&body)).await;
        answer.map(drop).map_err(CatalogError::of_commit)
    }

    /// Makes the table `ident`, whose namespace is there.
    ///
    /// # Errors
    /// `Conflict` when it is there; `Unknown` when it may be.
    pub(super) async fn create_table(
        &self,
        ident: &TableIdent,
        new: &NewTable<'_>,
    ) -> Result<LoadedTable, CatalogError> {
        let session = self.properties().await?;
        let body = json!({"name": ident.name(), "schema": new.schema, "partition-spec": new.spec,
                          "properties": new.properties});
        let address = tables_of(session, ident.namespace());
        failpoint!("table.create.before_send");
        let answer = self.send(session, Method::POST, &address, Some(&body)).await;
        failpoint!("table.create.after_answer");
        answer.map_err(CatalogError::of_commit)
    }

    /// One request; another one with a new token when the first was refused.
    async fn send<A: DeserializeOwned>(
        &self,
        session: &BTreeMap<String, String>,
        method: Method,
        address: &str,
        body: Option<&Json>,
    ) -> Result<A, CatalogError> {
        let text = body.map(Json::to_string).unwrap_or_default();
        let token = self.token(session, None).await?;
        let request = request(session, &method, address, &text, token.as_deref())?;
        let answer = match self.execute(request).await {
            Err(CatalogError::Refused { status: 401 | 419, .. }) if session.contains_key("credential") => {
                let token = self.token(session, token.as_deref()).await?;
                self.execute(self::request(session, &method, address, &text, token.as_deref())?).await
            }
            answer => answer,
        };
        read(&answer?)
    }

    /// The token to use; a new one when `refused` was the last one.
    async fn token(
        &self,
        session: &BTreeMap<String, String>,
        refused: Option<&str>,
    ) -> Result<Option<String>, CatalogError> {
        let mut known = self.token.lock().await;
        let Some(credential) = session.get("credential") else { return Ok(known.clone()) };
        if known.is_some() && known.as_deref() != refused {
            return Ok(known.clone());
        }
        let server = session.get("oauth2-server-uri").cloned();
        let server = server.unwrap_or_else(|| format!("{}/v1/oauth/tokens", base(session)));
        let request = Request::post(server)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form(credential, session.get("scope")).into())
            .map_err(|err| CatalogError::Setting { message: format!("oauth2-server-uri: {err}") })?;
        let Token { access_token } = read(&self.execute(request).await?)?;
        *known = Some(access_token);
        Ok(known.clone())
    }

    async fn execute(&self, request: HttpRequest) -> Result<Bytes, CatalogError> {
        let unreachable = |source| CatalogError::Unreachable { source };
        let response = self.http.execute(request).await.map_err(unreachable)?;
        let status = response.status();
        let body = response.into_body().bytes().await.map_err(unreachable)?;
        if status.is_success() {
            return Ok(body);
        }
        let failure: Option<Failure> = serde_json::from_slice(&body).ok();
        let message = failure.map_or_else(String::new, |failure| failure.error.message);
        Err(CatalogError::Refused { status: status.as_u16(), message })
    }
}

fn request(
    session: &BTreeMap<String, String>,
    method: &Method,
    address: &str,
    text: &str,
    token: Option<&str>,
) -> Result<HttpRequest, CatalogError> {
    let mut request = Request::builder().method(method.clone()).uri(address);
    if let Some(token) = token {
        request = request.header(AUTHORIZATION, format!("Bearer {token}"));
    }
    let headers = session.iter().filter_map(|(name, value)| Some((name.strip_prefix("header.")?, value)));
    for (name, value) in headers {
        request = request.header(name, value);
    }
    // What is wrong with it may be a secret: it is not told.
    request.header(CONTENT_TYPE, "application/json").body(text.to_owned().into()).map_err(|_| {
        let message = "iceberg.catalog.uri, .token or .header.* cannot be sent over HTTP".to_owned();
        CatalogError::Setting { message }
    })
}

/// What a token is asked for with.
fn form(credential: &str, scope: Option<&String>) -> String {
    let (id, secret) = credential.split_once(':').unwrap_or(("", credential));
    let mut form = Serializer::new(String::new());
    form.append_pair("grant_type", "client_credentials");
    if !id.is_empty() {
        form.append_pair("client_id", id);
    }
    form.append_pair("client_secret", secret);
    form.append_pair("scope", scope.map_or("catalog", String::as_str));
    form.finish()
}

fn read<A: DeserializeOwned>(body: &[u8]) -> Result<A, CatalogError> {
    serde_json::from_slice(body).map_err(|source| CatalogError::Unreadable { source })
}

fn base(properties: &BTreeMap<String, String>) -> &str {
    properties.get("uri").map_or("", |uri| uri.trim_end_matches('/'))
}

fn address_of(session: &BTreeMap<String, String>, ident: &TableIdent) -> String {
    format!("{}/{}", tables_of(session, ident.namespace()), encoded(ident.name()))
}

fn tables_of(session: &BTreeMap<String, String>, namespace: &NamespaceIdent) -> String {
    format!("{}/namespaces/{}/tables", prefixed(session), encoded(&namespace.to_url_string()))
}

fn prefixed(session: &BTreeMap<String, String>) -> String {
    let prefix = session.get("prefix").map(|prefix| format!("/{prefix}")).unwrap_or_default();
    format!("{}/v1{prefix}", base(session))
}

fn encoded(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}
