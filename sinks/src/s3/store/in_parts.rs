//! An upload in parts whose completion must not replace anything: how a server of S3 is asked whether it
//! keeps that condition. No file of a sink is stored this way.
//!
//! Source: Amazon S3, "CompleteMultipartUpload", header `If-None-Match`.

use async_trait::async_trait;
use bytes::Bytes;
use http::Method;
use http::header::{HeaderMap, HeaderValue, IF_NONE_MATCH};
use object_store::multipart::{MultipartStore as _, PartId};
use object_store::path::Path;
use object_store::{Error, PutPayload, Result};

use super::conditional::InParts;
use super::s3::S3Side;
use super::signed::{self, SignedRequest};

#[async_trait]
impl InParts for S3Side {
    async fn create(&self, name: &Path) -> Result<()> {
        let id = self.maker.create_multipart(name).await?;
        let completed = self.complete_empty(name, &id).await;
        if completed.is_err() {
            match self.bare.abort_multipart(name, &id).await {
                // A refusal may end an upload.
                Ok(()) | Err(Error::NotFound { .. }) => {}
                Err(err) => tracing::info!(
                    object = %name, error = %err,
                    "the upload that asked about conditional completions cannot be aborted and stays"
                ),
            }
        }
        completed
    }
}

impl S3Side {
    /// Completes an upload of one part without bytes, unless the object is there.
    async fn complete_empty(&self, name: &Path, id: &String) -> Result<()> {
        let PartId { content_id } = self.plain.put_part(name, id, 0, PutPayload::new()).await?;
        let tag = quick_xml::escape::escape(&content_id);
        let body = format!(
            "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Part><PartNumber>1\
             </PartNumber><ETag>{tag}</ETag></Part></CompleteMultipartUpload>"
        );
        let request = SignedRequest {
            what: "completing an upload under a condition",
            method: Method::POST,
            name,
            query: &[("uploadId", id)],
            headers: HeaderMap::from_iter([(IF_NONE_MATCH, HeaderValue::from_static("*"))]),
            body: Bytes::from(body),
        };
        signed::send(self, request).await.map(drop)
    }
}
