//! Requests without their conditions, as a store reads them that takes no notice of conditions.

use anyhow::Context;
use bytes::Bytes;
use hyper::http::request::Parts;
use hyper::{Method, Uri, header};
use object_store::aws::{AwsAuthorizer, AwsCredential};
use object_store::azure::{AzureAccessKey, AzureAuthorizer, AzureCredential};
use object_store::client::HttpRequest;

use super::request::parameter;
use crate::azurite::{ACCOUNT, ACCOUNT_KEY};
use crate::store::{ACCESS_KEY, REGION, SECRET_KEY};

/// Takes the condition away from a request. Signatures of S3 and Azure cover it: what remains is signed anew,
/// for the server at `target`.
pub(super) fn without_condition(mut head: Parts, body: &Bytes, target: &str) -> anyhow::Result<Parts> {
    if let Some((path, query)) = head.uri.to_string().split_once('?') {
        let kept: Vec<&str> =
            query.split('&').filter(|pair| !pair.starts_with("ifGenerationMatch=")).collect();
        head.uri = format!("{path}?{}", kept.join("&")).parse().context("an address")?;
    }
    if head.headers.remove(header::IF_NONE_MATCH).is_none() {
        return Ok(head);
    }
    // A signature in the address covers no condition.
    if !parameter(&head.uri, "X-Amz-Signature").is_empty() {
        return Ok(head);
    }
    for name in ["authorization", "x-amz-date", "x-amz-content-sha256"] {
        head.headers.remove(name);
    }
    let (method, asked): (Method, Uri) = (head.method.clone(), head.uri.clone());
    let mut request = HttpRequest::new(body.clone().into());
    *request.method_mut() = method;
    *request.uri_mut() = format!("http://{target}{asked}").parse().context("an address")?;
    *request.headers_mut() = std::mem::take(&mut head.headers);
    request.headers_mut().remove(header::HOST);
    sign(&mut request)?;
    head.headers = std::mem::take(request.headers_mut());
    head.headers.insert(header::HOST, target.parse().context("an address")?);
    Ok(head)
}

fn sign(request: &mut HttpRequest) -> anyhow::Result<()> {
    if request.headers().contains_key("x-ms-version") {
        let credential = AzureCredential::AccessKey(AzureAccessKey::try_new(ACCOUNT_KEY)?);
        return AzureAuthorizer::new(&credential, ACCOUNT).try_authorize(request).context("signing");
    }
    let credential =
        AwsCredential { key_id: ACCESS_KEY.to_owned(), secret_key: SECRET_KEY.to_owned(), token: None };
    AwsAuthorizer::new(&credential, "s3", REGION).try_authorize(request, None).context("signing")
}
