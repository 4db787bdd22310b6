//! Requests that the S3 client has no function for, signed by it: tags, lists of unfinished uploads.
//!
//! A signed address is good for five minutes and never shown: errors name the operation only.

use std::time::Duration;

use bytes::Bytes;
use http::Method;
use http::header::{HeaderMap, HeaderValue};
use lakeward_objectstore::fault::{failed, generic};
use object_store::client::{HttpRequest, HttpService as _};
use object_store::path::Path;
use object_store::signer::{SignedUrlOptions, Signer as _};

use super::s3::S3Side;

/// One request.
pub(super) struct SignedRequest<'a> {
    /// For errors.
    pub(super) what: &'a str,
    pub(super) method: Method,
    /// The object; empty for the bucket.
    pub(super) name: &'a Path,
    pub(super) query: &'a [(&'a str, &'a str)],
    /// Headers that need no signature.
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// A good answer.
pub(super) struct SignedAnswer {
    pub(super) body: Bytes,
    /// What the store's clock said.
    pub(super) date: Option<HeaderValue>,
}

/// Sends a request.
///
/// # Errors
/// As the S3 client: `NotFound`, `PermissionDenied`, or `Generic` with the status in its text.
pub(super) async fn send(s3: &S3Side, request: SignedRequest<'_>) -> object_store::Result<SignedAnswer> {
    let options = SignedUrlOptions::new().with_query(request.query.iter().copied());
    let url = s3.bare.signed_url_opts(request.method.clone(), request.name, SIGNATURE_TIME, &options).await?;
    let mut http = HttpRequest::new(request.body.into());
    *http.method_mut() = request.method;
    *http.uri_mut() = url.as_str().parse().map_err(|err| generic(Box::new(err)))?;
    *http.headers_mut() = request.headers;
    let response = s3.transport.call(http).await.map_err(|err| generic(Box::new(err)))?;
    let (parts, body) = response.into_parts();
    let body = body.bytes().await.map_err(|err| generic(Box::new(err)))?;
    if !parts.status.is_success() {
        return Err(failed(request.what, parts.status, &body));
    }
    Ok(SignedAnswer { body, date: parts.headers.get(http::header::DATE).cloned() })
}

const SIGNATURE_TIME: Duration = Duration::from_secs(300);
