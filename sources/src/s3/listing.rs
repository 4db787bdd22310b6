//! Pages of a bucket with names that the client has no form for: other writers may use names with empty
//! segments (`a//b`) or dots (`a/../b`), and the client's own listing fails at the first of them.
//!
//! Asked only then. Owns one request, signed by the client, and its answer.
//!
//! Source: Amazon S3, "ListObjectsV2".

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::Method;
use lakeward_objectstore::fault::{failed, generic};
use lakeward_objectstore::http::Transport;
use object_store::aws::AmazonS3;
use object_store::client::{HttpRequest, HttpService as _};
use object_store::path::Path;
use object_store::signer::{SignedUrlOptions, Signer as _};
use object_store::{ObjectMeta, Result};
use serde::Deserialize;

use super::store::Page;

/// Lists one bucket. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Listing {
    pub(super) client: Arc<AmazonS3>,
    pub(super) transport: Transport,
}

impl Listing {
    /// The first objects below `directory` whose names follow `after`, in the order of names.
    pub(super) async fn page(&self, directory: Option<&Path>, after: Option<&str>) -> Result<Page> {
        let prefix = directory.map(|directory| format!("{directory}/")).unwrap_or_default();
        let mut query = vec![("list-type", "2"), ("prefix", prefix.as_str())];
        query.extend(after.map(|after| ("start-after", after)));
        let options = SignedUrlOptions::new().with_query(query);
        let bucket = Path::default();
        let url = self.client.signed_url_opts(Method::GET, &bucket, SIGNATURE_TIME, &options).await?;
        let mut request = HttpRequest::new(Bytes::new().into());
        *request.uri_mut() = url.as_str().parse().map_err(|err| generic(Box::new(err)))?;
        let response = self.transport.call(request).await.map_err(|err| generic(Box::new(err)))?;
        let (parts, body) = response.into_parts();
        let body = body.bytes().await.map_err(|err| generic(Box::new(err)))?;
        if !parts.status.is_success() {
            return Err(failed("listing the bucket", parts.status, &body));
        }
        let listed: Listed = quick_xml::de::from_reader(&*body).map_err(|err| generic(Box::new(err)))?;
        Ok(listed.page())
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    #[serde(default)]
    is_truncated: bool,
    #[serde(default)]
    contents: Vec<Object>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Object {
    key: String,
    size: u64,
    last_modified: DateTime<Utc>,
    #[serde(rename = "ETag")]
    e_tag: Option<String>,
}

impl Listed {
    fn page(self) -> Page {
        let last = self.contents.last().map(|object| object.key.clone());
        let (mut objects, mut unnameable) = (Vec::new(), Vec::new());
        for Object { key, size, last_modified, e_tag } in self.contents {
            match Path::parse(&key) {
                Ok(location) => {
                    objects.push(ObjectMeta { location, last_modified, size, e_tag, version: None });
                }
                Err(_) => unnameable.push((key, last_modified)),
            }
        }
        Page { objects, unnameable, is_last: !self.is_truncated || last.is_none(), last }
    }
}

const SIGNATURE_TIME: Duration = Duration::from_secs(300);
