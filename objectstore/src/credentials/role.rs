//! A role assumed at the token service, with credentials that live for an hour or so.
//!
//! Source: `AwsAssumeRoleCredentialsProvider`, `StsAssumeRoleCredentialsProvider`,
//! `StsWebIdentityTokenFileCredentialsProvider`; AWS STS API, "AssumeRole", "AssumeRoleWithWebIdentity".

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::header::{CONTENT_TYPE, HeaderValue};
use lakeward_api::metrics::StoreRequests;
use object_store::ClientOptions;
use object_store::aws::{AwsAuthorizer, AwsCredential, AwsCredentialProvider};
use object_store::client::{CredentialProvider, HttpRequest, HttpService as _};
use serde::Deserialize;
use url::form_urlencoded;

use super::provider::Role;
use super::session::{Session, Sessions, failed as generic};
use crate::SettingError;
use crate::fault::failed;
use crate::http::{BodyDigest, Growth, Patience, Transport, TransportSettings};

/// The credentials of a role.
#[derive(Debug)]
pub(super) struct AssumedRole {
    role: Role,
    base: Base,
    /// `None` leaves it to the role.
    duration_s: Option<u32>,
    region: String,
    endpoint: String,
    transport: Transport,
    sessions: Sessions,
}

/// What a role is assumed with.
#[derive(Debug)]
pub(super) enum Base {
    /// Other credentials.
    Credentials(AwsCredentialProvider),
    /// The token in a file, which whoever wrote it replaces from time to time.
    TokenFile(PathBuf),
}

impl AssumedRole {
    /// The role, assumed with `base` at the service of its region: the configured one, that of the
    /// environment, whose variables `variable` has, or `store_region`.
    pub(super) fn new(
        role: &Role,
        base: Base,
        store_region: &str,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, SettingError> {
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
        base: Base,
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
            duration_s: None,
            region,
            endpoint: url.into(),
            transport,
            sessions: Sessions::default(),
        })
    }

    /// Asks for credentials that live for so many seconds.
    pub(super) fn lasting(self, duration_s: Option<u32>) -> Self {
        Self { duration_s, ..self }
    }

    /// What is asked for, with the token of a file when there is one.
    fn form(&self, token: Option<&str>) -> String {
        let mut form = form_urlencoded::Serializer::new(String::new());
        let action = if token.is_some() { "AssumeRoleWithWebIdentity" } else { "AssumeRole" };
        form.append_pair("Action", action)
            .append_pair("Version", "2011-06-15")
            .append_pair("RoleArn", &self.role.arn)
            .append_pair("RoleSessionName", &self.role.session_name);
        if !self.role.external_id.is_empty() {
            form.append_pair("ExternalId", &self.role.external_id);
        }
        if let Some(duration_s) = self.duration_s {
            form.append_pair("DurationSeconds", &duration_s.to_string());
        }
        if let Some(token) = token {
            form.append_pair("WebIdentityToken", token);
        }
        form.finish()
    }

    async fn assume(&self) -> object_store::Result<Session> {
        let token = match &self.base {
            Base::Credentials(_) => None,
            Base::TokenFile(path) => Some(self.token(path).await?),
        };
        let body = self.form(token.as_deref());
        let mut request = HttpRequest::new(bytes::Bytes::from(body).into());
        *request.method_mut() = http::Method::POST;
        *request.uri_mut() = self.endpoint.parse().map_err(|err| generic(Box::new(err)))?;
        let form = HeaderValue::from_static("application/x-www-form-urlencoded; charset=utf-8");
        request.headers_mut().insert(CONTENT_TYPE, form);
        // A token needs no signature.
        if let Base::Credentials(base) = &self.base {
            let base = base.get_credential().await?;
            AwsAuthorizer::new(&base, "sts", &self.region).try_authorize(&mut request, None)?;
        }
        let response = self.transport.call(request).await.map_err(|err| generic(Box::new(err)))?;
        let (parts, body) = response.into_parts();
        let body = body.bytes().await.map_err(|err| generic(Box::new(err)))?;
        if !parts.status.is_success() {
            let what = format!("the token service did not assume role {}", self.role.arn);
            return Err(failed(&what, parts.status, &body));
        }
        let answer: Answer = quick_xml::de::from_reader(&*body).map_err(|err| generic(Box::new(err)))?;
        answer.result.credentials.session()
    }

    async fn token(&self, path: &Path) -> object_store::Result<String> {
        let text = tokio::fs::read_to_string(path).await.map_err(|err| {
            let (file, role) = (path.display(), &self.role.arn);
            generic(format!("web_identity_token_file {file} of role {role} cannot be read: {err}").into())
        })?;
        Ok(text.trim().to_owned())
    }
}

#[async_trait]
impl CredentialProvider for AssumedRole {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        self.sessions.get(&self.role.arn, self.assume()).await
    }
}

#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "AssumeRoleResult", alias = "AssumeRoleWithWebIdentityResult")]
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
    fn session(self) -> object_store::Result<Session> {
        let credential = AwsCredential {
            key_id: self.access_key_id,
            secret_key: self.secret_access_key,
            token: Some(self.session_token),
        };
        Session::until(credential, Some(&self.expiration))
    }
}

const REQUEST_TIME: Duration = Duration::from_secs(30);
