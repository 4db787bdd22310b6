//! A role assumed at the token service, with credentials that live for an hour or so.
//!
//! Asks again before they end; when that fails they are used to their end.
//!
//! Source: `AwsAssumeRoleCredentialsProvider`, `StsAssumeRoleCredentialsProvider`; AWS STS API,
//! "AssumeRole".

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use http::header::{CONTENT_TYPE, HeaderValue};
use lakeward_api::metrics::StoreRequests;
use object_store::ClientOptions;
use object_store::aws::{AwsAuthorizer, AwsCredential, AwsCredentialProvider};
use object_store::client::{CredentialProvider, HttpRequest, HttpService as _};
use serde::Deserialize;
use tokio::sync::Mutex;
use url::form_urlencoded;

use super::provider::Role;
use crate::SettingError;
use crate::fault::failed;
use crate::http::{BodyDigest, Growth, Patience, Transport, TransportSettings};

/// The credentials of a role.
#[derive(Debug)]
pub(super) struct AssumedRole {
    role: Role,
    base: AwsCredentialProvider,
    region: String,
    endpoint: String,
    transport: Transport,
    session: Mutex<Option<Session>>,
}

/// Credentials in use.
#[derive(Debug)]
struct Session {
    credential: Arc<AwsCredential>,
    ends: Instant,
    /// When new ones are asked for.
    renews: Instant,
}

impl AssumedRole {
    /// The role, assumed with `base` at the service of its region: the configured one, that of the
    /// environment, or `store_region`.
    pub(super) fn new(
        role: &Role,
        base: AwsCredentialProvider,
        store_region: &str,
    ) -> Result<Self, SettingError> {
        let variable = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
        let region = role
            .region
            .clone()
            .or_else(|| variable("AWS_REGION"))
            .or_else(|| variable("AWS_DEFAULT_REGION"))
            .unwrap_or_else(|| store_region.to_owned());
        let endpoint =
            variable("AWS_ENDPOINT_URL_STS").unwrap_or_else(|| format!("https://sts.{region}.amazonaws.com"));
        Self::at(role, base, region, endpoint)
    }

    /// The role, assumed at this address.
    pub(super) fn at(
        role: &Role,
        base: AwsCredentialProvider,
        region: String,
        endpoint: String,
    ) -> Result<Self, SettingError> {
        let url = url::Url::parse(&endpoint)
            .map_err(|err| SettingError::new(format!("AWS_ENDPOINT_URL_STS: {err}")))?;
        let is_plain = url.scheme() == "http";
        let transport = Transport::new(TransportSettings {
            name: endpoint.clone(),
            options: ClientOptions::new().with_timeout(REQUEST_TIME).with_allow_http(is_plain),
            options_text: format!("token service {is_plain}"),
            try_time: REQUEST_TIME,
            patience: Patience { tries_max: 3, pause: Duration::from_millis(200), growth: Growth::USUAL },
            digest: BodyDigest::None,
            // Not requests to the store.
            counters: Arc::<StoreRequests>::default(),
        });
        Ok(Self {
            role: role.clone(),
            base,
            region,
            endpoint: url.into(),
            transport,
            session: Mutex::default(),
        })
    }

    /// What is asked for.
    fn form(&self) -> String {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("Action", "AssumeRole")
            .append_pair("Version", "2011-06-15")
            .append_pair("RoleArn", &self.role.arn)
            .append_pair("RoleSessionName", &self.role.session_name);
        if !self.role.external_id.is_empty() {
            form.append_pair("ExternalId", &self.role.external_id);
        }
        form.finish()
    }

    async fn assume(&self) -> object_store::Result<Session> {
        let body = self.form();
        let mut request = HttpRequest::new(bytes::Bytes::from(body).into());
        *request.method_mut() = http::Method::POST;
        *request.uri_mut() = self.endpoint.parse().map_err(|err| generic(Box::new(err)))?;
        let form = HeaderValue::from_static("application/x-www-form-urlencoded; charset=utf-8");
        request.headers_mut().insert(CONTENT_TYPE, form);
        let base = self.base.get_credential().await?;
        AwsAuthorizer::new(&base, "sts", &self.region).try_authorize(&mut request, None)?;
        let response = self.transport.call(request).await.map_err(|err| generic(Box::new(err)))?;
        let (parts, body) = response.into_parts();
        let body = body.bytes().await.map_err(|err| generic(Box::new(err)))?;
        if !parts.status.is_success() {
            let what = format!("the token service did not assume role {}", self.role.arn);
            return Err(failed(&what, parts.status, &body));
        }
        let answer: Answer = quick_xml::de::from_reader(&*body).map_err(|err| generic(Box::new(err)))?;
        answer.result.credentials.session(Utc::now(), Instant::now())
    }
}

#[async_trait]
impl CredentialProvider for AssumedRole {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        let mut session = self.session.lock().await;
        let now = Instant::now();
        if let Some(known) = session.as_ref().filter(|known| now < known.renews) {
            return Ok(Arc::clone(&known.credential));
        }
        match (self.assume().await, session.as_mut()) {
            (Ok(new), _) => {
                tracing::debug!(role = %self.role.arn, "role assumed");
                Ok(Arc::clone(&session.insert(new).credential))
            }
            (Err(err), Some(known)) if now < known.ends => {
                tracing::warn!(error = %err, "role not assumed again; its credentials are used to their end");
                known.renews = now + RENEW_PAUSE;
                Ok(Arc::clone(&known.credential))
            }
            (Err(err), _) => Err(err),
        }
    }
}

#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "AssumeRoleResult")]
    result: Assumed,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Assumed {
    credentials: Credentials,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Credentials {
    access_key_id: String,
    secret_access_key: String,
    session_token: String,
    expiration: String,
}

impl Credentials {
    fn session(self, now_utc: DateTime<Utc>, now: Instant) -> object_store::Result<Session> {
        let ends = DateTime::parse_from_rfc3339(&self.expiration).map_err(|err| generic(Box::new(err)))?;
        let life = (ends.to_utc() - now_utc)
            .to_std()
            .map_err(|_| generic("the token service gave credentials that are over".into()))?;
        let credential = AwsCredential {
            key_id: self.access_key_id,
            secret_key: self.secret_access_key,
            token: Some(self.session_token),
        };
        Ok(Session {
            credential: Arc::new(credential),
            ends: now + life,
            renews: now + life.saturating_sub(RENEW_BEFORE.min(life / 4)),
        })
    }
}

fn generic(source: Box<dyn std::error::Error + Send + Sync>) -> object_store::Error {
    object_store::Error::Generic { store: "STS", source }
}

/// How long before their end credentials are renewed.
const RENEW_BEFORE: Duration = Duration::from_secs(300);

/// After a renewal that failed.
const RENEW_PAUSE: Duration = Duration::from_secs(15);

const REQUEST_TIME: Duration = Duration::from_secs(30);
