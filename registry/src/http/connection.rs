//! Requests to the instances of one registry. Runs on the bridge.
//!
//! Source: Confluent's `RestService` and `RetryExecutor`: an instance that cannot be reached is left for the
//! next one at once; a request that failed in a way that may heal is repeated after a random pause below a
//! bound that doubles.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::{Method, Response, StatusCode};
use serde_json::Value;
use tokio::sync::Semaphore;
use url::Url;

use super::tls;
use super::token::Tokens;
use super::wire::{self, unusable};
use crate::settings::{Credentials, Patience, RegistrySettings};
use crate::{Choice, Guid, Reading, RegisteredSchema, RegistryError, SchemaText, Writing};

/// Requests of one converter at the same time.
const MAX_REQUESTS: usize = 8;
/// Longest answer that is read. A schema must fit a Kafka message of the registry's topic, 1 MiB unless
/// raised.
const MAX_ANSWER: usize = 16 << 20;
/// Versions of references that are remembered.
const MAX_VERSIONS: usize = 1000;

/// One registry.
pub(super) struct Connection {
    client: reqwest::Client,
    instances: Vec<(Url, Credentials)>,
    /// The instance to ask first.
    first: AtomicUsize,
    tokens: Tokens,
    /// Where topics with associated subjects are; `None` when no associations are asked for.
    cluster: Option<String>,
    headers: Vec<(String, lakeward_api::config::Password)>,
    patience: Patience,
    writing: Writing,
    reading: Reading,
    requests: Semaphore,
    /// Versions never change, so that references are fetched once.
    versions: Mutex<HashMap<(String, i32), SchemaText>>,
}

impl Connection {
    pub(super) fn new(settings: &RegistrySettings) -> Result<Self, RegistryError> {
        Ok(Self {
            client: tls::client(settings)?,
            instances: settings.urls.iter().cloned().zip(settings.credentials.iter().cloned()).collect(),
            first: AtomicUsize::new(0),
            tokens: Tokens::default(),
            cluster: settings.associations.as_ref().map(|associations| associations.cluster.clone()),
            headers: settings.headers.clone(),
            patience: settings.patience,
            writing: settings.writing.clone(),
            reading: settings.reading.clone(),
            requests: Semaphore::new(MAX_REQUESTS),
            versions: Mutex::default(),
        })
    }

    /// Whether the settings ask for associations.
    pub(super) fn has_associations(&self) -> bool {
        self.cluster.is_some()
    }

    /// The version that payloads are read as.
    pub(super) fn reading(&self) -> &Reading {
        &self.reading
    }

    /// Ends every question that has not been sent yet.
    pub(super) fn close(&self) {
        self.requests.close();
    }

    /// The schema of `id` with what it refers to, and its version under `subject` when it has one. An empty
    /// subject is not known.
    pub(super) async fn by_id(&self, subject: &str, id: i32) -> Result<RegisteredSchema, RegistryError> {
        let mut query = vec![("fetchMaxId", "false")];
        if !subject.is_empty() {
            query.push(("subject", subject));
        }
        let answer = self.ask(Method::GET, &["schemas", "ids", &id.to_string()], &query, None).await?;
        let schema = wire::schema(&answer)?;
        let dependencies = self.dependencies(&schema).await?;
        let version = self.under(subject, &schema).await?.and_then(|found| wire::number(&found, "version"));
        Ok(RegisteredSchema { id, guid: wire::guid(&answer), version, schema, dependencies })
    }

    /// As [`Connection::by_id`]; the id is that under `subject`.
    pub(super) async fn by_guid(&self, subject: &str, guid: Guid) -> Result<RegisteredSchema, RegistryError> {
        let answer = self.ask(Method::GET, &["schemas", "guids", &guid.to_string()], &[], None).await?;
        let schema = wire::schema(&answer)?;
        let dependencies = self.dependencies(&schema).await?;
        let found = self.under(subject, &schema).await?;
        let number = |name: &str| found.as_ref().and_then(|found| wire::number(found, name));
        let (id, version) = (number("id").unwrap_or(-1), number("version"));
        Ok(RegisteredSchema { id, guid: Some(guid), version, schema, dependencies })
    }

    /// What `subject` says about a schema; `None` when it is not registered there or no subject is given.
    async fn under(&self, subject: &str, schema: &SchemaText) -> Result<Option<Value>, RegistryError> {
        if subject.is_empty() {
            return Ok(None);
        }
        let query = [("normalize", "false"), ("deleted", "true")];
        let body = wire::body(schema);
        match self.ask(Method::POST, &["subjects", subject], &query, Some(&body)).await {
            Ok(answer) => Ok(Some(answer)),
            Err(RegistryError::Refused { status: 404, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The schema to write data of `schema` with.
    pub(super) async fn for_writing(
        &self,
        subject: &str,
        schema: &SchemaText,
    ) -> Result<RegisteredSchema, RegistryError> {
        let normalize = if self.writing.normalize { "true" } else { "false" };
        let chosen = match &self.writing.choice {
            Choice::Register => {
                let (path, query) = (["subjects", subject, "versions"], [("normalize", normalize)]);
                let answer = self.ask(Method::POST, &path, &query, Some(&wire::body(schema))).await?;
                self.own(&answer, schema).await?
            }
            Choice::LookUp => {
                let (path, query) = (["subjects", subject], [("normalize", normalize), ("deleted", "false")]);
                let answer = self.ask(Method::POST, &path, &query, Some(&wire::body(schema))).await?;
                self.own(&answer, schema).await?
            }
            Choice::Latest { .. } => self.latest(subject).await?,
            Choice::LatestWithMetadata { properties } => {
                self.latest_with(subject, properties, "false").await?
            }
            Choice::Id { id, .. } => self.by_id(subject, *id).await?,
        };
        self.writing.check(&chosen, schema)?;
        Ok(chosen)
    }

    /// The version that payloads of `subject` are read as.
    pub(super) async fn for_reading(&self, subject: &str) -> Result<RegisteredSchema, RegistryError> {
        match &self.reading {
            Reading::LatestWithMetadata { properties } => self.latest_with(subject, properties, "true").await,
            Reading::AsWritten | Reading::Latest => self.latest(subject).await,
        }
    }

    async fn latest(&self, subject: &str) -> Result<RegisteredSchema, RegistryError> {
        let path = ["subjects", subject, "versions", "latest"];
        self.other(&self.ask(Method::GET, &path, &[], None).await?).await
    }

    /// The latest version with these properties; `deleted` says whether deleted ones count.
    async fn latest_with(
        &self,
        subject: &str,
        properties: &[(String, String)],
        deleted: &str,
    ) -> Result<RegisteredSchema, RegistryError> {
        let mut query = vec![("deleted", deleted)];
        for (key, value) in properties {
            query.extend([("key", key.as_str()), ("value", value.as_str())]);
        }
        let path = ["subjects", subject, "metadata"];
        self.other(&self.ask(Method::GET, &path, &query, None).await?).await
    }

    /// What an answer says about the schema that was sent.
    async fn own(&self, answer: &Value, schema: &SchemaText) -> Result<RegisteredSchema, RegistryError> {
        Ok(RegisteredSchema {
            id: wire::required_number(answer, "id")?,
            guid: wire::guid(answer),
            version: wire::number(answer, "version"),
            schema: schema.clone(),
            dependencies: self.dependencies(schema).await?,
        })
    }

    /// The schema of an answer.
    async fn other(&self, answer: &Value) -> Result<RegisteredSchema, RegistryError> {
        let schema = wire::schema(answer)?;
        Ok(RegisteredSchema {
            id: wire::required_number(answer, "id")?,
            guid: wire::guid(answer),
            version: wire::number(answer, "version"),
            dependencies: self.dependencies(&schema).await?,
            schema,
        })
    }

    /// The subject that is associated with the keys or values of a topic.
    pub(super) async fn associated(
        &self,
        topic: &str,
        is_key: bool,
    ) -> Result<Option<Arc<str>>, RegistryError> {
        let Some(cluster) = &self.cluster else { return Ok(None) };
        let side = if is_key { "key" } else { "value" };
        let query = [("resourceType", "topic"), ("associationType", side)];
        let path = ["associations", "resources", cluster, topic];
        let answer = match self.ask(Method::GET, &path, &query, None).await {
            Err(RegistryError::Refused { status: 404, .. }) => return Ok(None),
            answer => answer?,
        };
        let found = answer.as_array().ok_or_else(|| unusable("it is no list of associations"))?;
        match found.as_slice() {
            [] => Ok(None),
            [one] => {
                let subject =
                    one["subject"].as_str().ok_or_else(|| unusable("an association has no subject"))?;
                Ok(Some(subject.into()))
            }
            _ => Err(RegistryError::Answer {
                message: format!("Multiple associated subjects found for topic {topic}"),
            }),
        }
    }

    /// One version of a subject, for references.
    pub(super) async fn version(&self, subject: &str, version: i32) -> Result<SchemaText, RegistryError> {
        let key = (subject.to_owned(), version);
        if let Some(known) = self.versions.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(known.clone());
        }
        let path = ["subjects", subject, "versions", &version.to_string()];
        let schema = wire::schema(&self.ask(Method::GET, &path, &[("deleted", "true")], None).await?)?;
        let mut versions = self.versions.lock().unwrap_or_else(PoisonError::into_inner);
        if version > 0 && versions.len() < MAX_VERSIONS {
            versions.insert(key, schema.clone());
        }
        Ok(schema)
    }

    /// Asks until there is an answer or no more hope.
    async fn ask(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, &str)],
        body: Option<&str>,
    ) -> Result<Value, RegistryError> {
        let mut bound = self.patience.wait;
        for _ in 0..self.patience.retries {
            match self.ask_instances(&method, path, query, body).await {
                Err(error) if may_heal(&error) && !self.requests.is_closed() => {}
                answer => return answer,
            }
            tokio::time::sleep(jitter(bound.min(self.patience.max_wait))).await;
            bound = bound.saturating_mul(2);
        }
        self.ask_instances(&method, path, query, body).await
    }

    /// Asks the instances in turn until one can be reached.
    async fn ask_instances(
        &self,
        method: &Method,
        path: &[&str],
        query: &[(&str, &str)],
        body: Option<&str>,
    ) -> Result<Value, RegistryError> {
        let Ok(_permit) = self.requests.acquire().await else {
            return Err(RegistryError::Unreachable { message: "the task ended".to_owned() });
        };
        let first = self.first.load(Ordering::Relaxed);
        let mut last = RegistryError::Unreachable { message: "no instance is configured".to_owned() };
        for turn in 0..self.instances.len() {
            let at = (first + turn) % self.instances.len();
            match self.ask_one(at, method, path, query, body).await {
                Err(error) if may_heal(&error) => {
                    self.first.store((at + 1) % self.instances.len(), Ordering::Relaxed);
                    let reached = !matches!(error, RegistryError::Unreachable { .. });
                    last = error;
                    if reached {
                        break;
                    }
                }
                answer => {
                    self.first.store(at, Ordering::Relaxed);
                    return answer;
                }
            }
        }
        Err(last)
    }

    async fn ask_one(
        &self,
        at: usize,
        method: &Method,
        path: &[&str],
        query: &[(&str, &str)],
        body: Option<&str>,
    ) -> Result<Value, RegistryError> {
        let (base, credentials) = &self.instances[at];
        let mut url = base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let mut request = self.client.request(method.clone(), url).header("Accept", wire::ACCEPT);
        for (name, value) in &self.headers {
            request = request.header(name, value.expose());
        }
        let mut fetched = None;
        request = match credentials {
            Credentials::Anonymous => request,
            Credentials::Basic(user) => {
                let (name, password) = user.expose().split_once(':').unwrap_or((user.expose(), ""));
                request.basic_auth(name, Some(password))
            }
            Credentials::Bearer(token) => request.bearer_auth(token.expose()),
            Credentials::OAuth(oauth) => {
                let token = self.tokens.get(&self.client, oauth).await?;
                request = request.bearer_auth(token.expose());
                fetched = Some(token);
                request
            }
        };
        if let Some(body) = body {
            request = request.header("Content-Type", wire::CONTENT_TYPE).body(body.to_owned());
        }
        let response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        if let Some(token) = fetched.filter(|_| status == StatusCode::UNAUTHORIZED) {
            self.tokens.forget(&token).await;
        }
        let bytes = read(response).await?;
        if !status.is_success() {
            return Err(wire::refusal(status.as_u16(), &bytes));
        }
        serde_json::from_slice(&bytes).map_err(|err| unusable(format!("not JSON: {err}")))
    }
}

/// Reads a bounded answer.
pub(super) async fn read(mut response: Response) -> Result<Vec<u8>, RegistryError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        if bytes.len() + chunk.len() > MAX_ANSWER {
            return Err(unusable(format!("it is longer than {MAX_ANSWER} bytes")));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

pub(super) fn unreachable(error: reqwest::Error) -> RegistryError {
    RegistryError::Unreachable { message: lakeward_oauth::transport::causes(error) }
}

/// True when the same request may succeed later.
fn may_heal(error: &RegistryError) -> bool {
    matches!(
        error,
        RegistryError::Unreachable { .. }
            | RegistryError::Token { heals: true, .. }
            | RegistryError::Refused { status: 408 | 429 | 500 | 502 | 503 | 504, .. }
    )
}

/// A random time up to `bound`.
fn jitter(bound: Duration) -> Duration {
    let bound = u64::try_from(bound.as_millis()).unwrap_or(u64::MAX);
    // A fresh hasher is seeded at random.
    Duration::from_millis(RandomState::new().hash_one(bound) % bound.max(1))
}
