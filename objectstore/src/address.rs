//! Where requests to S3 go, and through which proxy.
//!
//! Source: the endpoint rules of the AWS SDK for buckets as host names; `S3Storage#newS3Client` and
//! `S3ProxyConfig`, Confluent S3 sink.

use std::net::IpAddr;

use url::Url;

use crate::SettingError;

/// Where requests go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Scheme, host and port, without a slash at the end.
    pub endpoint: String,
    /// The bucket is part of the host name.
    pub has_bucket: bool,
}

impl Place {
    /// The place of `bucket` in transfer acceleration.
    pub fn accelerated(bucket: &str) -> Self {
        Self { endpoint: format!("https://{bucket}.s3-accelerate.amazonaws.com"), has_bucket: true }
    }

    /// The place of `bucket` at the service of `url`; with `path_style` the bucket is part of paths.
    ///
    /// # Errors
    /// A host name that cannot be extended.
    pub fn at(url: &Url, bucket: &str, path_style: bool) -> Result<Self, url::ParseError> {
        let mut url = url.clone();
        let host = url.host_str().unwrap_or_default().to_owned();
        // Neither a number nor every bucket name can be extended to a host name: the path does for them.
        let is_number = host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
        let has_bucket = !path_style && !is_number && is_host_label(bucket);
        if has_bucket {
            url.set_host(Some(&format!("{bucket}.{host}")))?;
        }
        Ok(Self { endpoint: url.as_str().trim_end_matches('/').to_owned(), has_bucket })
    }
}

/// Whether a bucket name can be part of a host name.
pub fn is_host_label(bucket: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    (3..=63).contains(&bucket.len())
        && bucket.chars().all(|c| is_plain(c) || c == '-')
        && bucket.starts_with(is_plain)
        && bucket.ends_with(is_plain)
}

/// Parses the address of a store; `https://` is assumed without a scheme, as the Java sink does. `file://` is
/// a local directory.
///
/// # Errors
/// What is wrong with the address.
pub fn parse_store_url(text: &str) -> Result<Url, String> {
    let text = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    let url = Url::parse(&text).map_err(|err| err.to_string())?;
    match url.scheme() {
        "file" => match url.to_file_path() {
            Ok(_) => Ok(url),
            Err(()) => Err("a file URL needs an absolute directory, as file:///directory".to_owned()),
        },
        "http" | "https" => Ok(url),
        // Decision 0011 says why.
        "dav" | "davs" | "webdav" | "webdavs" => Err("WebDAV is not supported: it promises neither that an \
            object appears whole nor that what was acknowledged stays; mount the share and use \
            file:///directory, or the S3 interface of the server with https or http"
            .to_owned()),
        other => Err(format!("scheme {other} is not supported; use https, http or file")),
    }
}

/// The proxy at `url` with its credentials; `None` for an empty address. A user and a password of their own
/// win over those of the address, one by one. `key` is the name of its setting.
///
/// # Errors
/// When it is no address, or cannot have credentials.
pub fn proxy(
    key: &str,
    url: &str,
    user: Option<&str>,
    password: Option<&str>,
) -> Result<Option<Url>, SettingError> {
    if url.is_empty() {
        return Ok(None);
    }
    let wrong = || SettingError::new(format!("{key}: not the URL of a proxy"));
    let mut url = Url::parse(url).map_err(|_| wrong())?;
    if let Some(user) = user.filter(|user| !user.trim().is_empty()) {
        url.set_username(user).map_err(|()| wrong())?;
    }
    if let Some(password) = password.filter(|password| !password.trim().is_empty()) {
        url.set_password(Some(password)).map_err(|()| wrong())?;
    }
    Ok(Some(url))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_buckets_that_can_be_hosts() {
        for name in ["lake", "my-lake-1", "123"] {
            assert!(is_host_label(name), "{name}");
        }
        for name in ["la", "Lake", "lake_1", "-lake", "lake-", "my.lake", &"a".repeat(64)] {
            assert!(!is_host_label(name), "{name}");
        }
    }
}
