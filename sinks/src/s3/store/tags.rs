//! Tags of stored objects: which offsets they hold, and what the user adds.
//!
//! An object is tagged after it is complete, as in Java: an object without tags is not lost, so a failure is
//! a line in the log unless the user wants the task to end.
//!
//! Source: `TopicPartitionWriter#tagFile`, `S3Storage#addTags`; Amazon S3, "PutObjectTagging".

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::Method;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use md5::{Digest as _, Md5};
use object_store::path::Path;

use super::Store;
use super::s3::S3Side;
use super::signed::{self, SignedRequest};
use crate::s3::config::S3Config;
use crate::s3::config::store_checks::tag;
use crate::s3::error::S3SinkError;

/// What an object holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Contents {
    /// Offset of the first record.
    pub(crate) first_offset: i64,
    /// Offset of the last record.
    pub(crate) last_offset: i64,
    /// Records.
    pub(crate) records: u64,
}

/// How objects are tagged.
#[derive(Debug)]
pub(super) struct Tagging {
    extra: Vec<(String, String)>,
    on_error: OnTagError,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OnTagError {
    Fail,
    Ignore,
}

impl Tagging {
    /// `None` when `config` wants no tags.
    pub(super) fn new(config: &S3Config) -> Option<Self> {
        let keys = &config.bucket;
        if !keys.tagging {
            return None;
        }
        let pairs = keys.tags.iter().filter_map(|pair| tag(pair));
        let fails = keys.tagging_error.eq_ignore_ascii_case("fail");
        Some(Self {
            extra: pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
            on_error: if fails { OnTagError::Fail } else { OnTagError::Ignore },
        })
    }

    /// The tags by key; those of the user win.
    fn tags(&self, contents: Contents) -> BTreeMap<&str, String> {
        let mut tags = BTreeMap::from([
            ("startOffset", contents.first_offset.to_string()),
            ("endOffset", contents.last_offset.to_string()),
            ("recordCount", contents.records.to_string()),
        ]);
        tags.extend(self.extra.iter().map(|(key, value)| (key.as_str(), value.clone())));
        tags
    }

    fn body(&self, contents: Contents) -> String {
        let tags = self.tags(contents).into_iter().map(|(key, value)| {
            let (key, value) = (quick_xml::escape::escape(key), quick_xml::escape::escape(&*value));
            format!("<Tag><Key>{key}</Key><Value>{value}</Value></Tag>")
        });
        format!(
            "<Tagging xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><TagSet>{}</TagSet></Tagging>",
            tags.collect::<String>()
        )
    }

    async fn put(&self, s3: &S3Side, name: &Path, contents: Contents) -> object_store::Result<()> {
        let body = Bytes::from(self.body(contents));
        let digest = BASE64_STANDARD.encode(Md5::digest(&body));
        let digest = HeaderValue::from_str(&digest).expect("base64 has no characters that headers lack");
        // The store wants it with tags.
        let headers = HeaderMap::from_iter([(HeaderName::from_static("content-md5"), digest)]);
        let what = "tagging an object";
        let request =
            SignedRequest { what, method: Method::PUT, name, query: &[("tagging", "")], headers, body };
        signed::send(s3, request).await.map(|_| ())
    }
}

impl Store {
    /// Tags a complete object as the configuration says; nothing for a local directory.
    ///
    /// # Errors
    /// Class `Fatal` when tagging fails and `s3.object.behavior.on.tagging.error` is `fail`.
    pub(crate) async fn tag(&self, name: &Path, contents: Contents) -> Result<(), S3SinkError> {
        let (Some(s3), Some(tagging)) = (&self.s3, &self.tagging) else { return Ok(()) };
        match tagging.put(s3, name, contents).await {
            Ok(()) => Ok(()),
            Err(source) if tagging.on_error == OnTagError::Fail => {
                Err(S3SinkError::Tagging { name: name.to_string(), source })
            }
            Err(err) => {
                tracing::warn!(error = %err, object = %name, "object not tagged");
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_of_the_user_win_and_are_escaped() {
        let extra = [("team", "a<b&c"), ("endOffset", "mine")];
        let tagging = Tagging {
            extra: extra.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec(),
            on_error: OnTagError::Ignore,
        };
        let contents = Contents { first_offset: 10, last_offset: 20, records: 7 };
        let body = tagging.body(contents);
        for expected in [
            "<Tag><Key>startOffset</Key><Value>10</Value></Tag>",
            "<Tag><Key>endOffset</Key><Value>mine</Value></Tag>",
            "<Tag><Key>recordCount</Key><Value>7</Value></Tag>",
            "<Tag><Key>team</Key><Value>a&lt;b&amp;c</Value></Tag>",
        ] {
            assert!(body.contains(expected), "{body}");
        }
        assert_eq!(body.matches("<Tag>").count(), 4);
    }
}
