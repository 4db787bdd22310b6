//! The bucket that is read: its client, and what failures of the client mean.
//!
//! `store.url` decides: null is AWS, `http(s)://` another S3 service, `file:///` a local directory in which
//! the bucket is a sub-directory.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::{StreamExt as _, TryStreamExt as _};
use http::HeaderValue;
use lakeward_api::config::Password;
use lakeward_api::metrics::StoreRequests;
use lakeward_objectstore::address::{Place, parse_store_url, proxy};
use lakeward_objectstore::credentials::{self, Identity, Provider};
use lakeward_objectstore::fault::{is_bad_identity, is_transient};
use lakeward_objectstore::http::{BodyDigest, Growth, OverTransport, Patience, Transport, TransportSettings};
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    ClientOptions, GetOptions, GetRange, ObjectMeta, ObjectStore, RetryConfig, coalesce_ranges,
};
use url::Url;

use super::error::S3SourceError;
use super::listing::Listing;

/// What a client is made of.
pub(super) struct StoreSettings<'a> {
    pub(super) url: Option<&'a str>,
    pub(super) bucket: &'a str,
    pub(super) region: &'a str,
    pub(super) path_style: bool,
    pub(super) wan_mode: bool,
    pub(super) access_key_id: &'a str,
    pub(super) secret_access_key: Option<&'a Password>,
    pub(super) provider: &'a Provider,
    /// Where roles are assumed; `None` is the service of their region.
    pub(super) sts_endpoint: Option<&'a str>,
    /// Base64 of a customer key.
    pub(super) customer_key: Option<&'a Password>,
    pub(super) proxy_url: &'a str,
    pub(super) proxy_user: Option<&'a str>,
    pub(super) proxy_password: Option<&'a Password>,
    /// Tries of a request, in total.
    pub(super) tries_max: usize,
    pub(super) retry_pause: Duration,
}

/// A bucket. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Store {
    client: Arc<dyn ObjectStore>,
    bucket: Arc<str>,
    endpoint: Arc<str>,
    /// S3, whose listings come in the order of names; `None` for a local directory.
    listing: Option<Listing>,
}

/// Objects that follow each other.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) objects: Vec<ObjectMeta>,
    /// Names of further objects, which the client has no form for, and when these were modified.
    pub(super) unnameable: Vec<(String, DateTime<Utc>)>,
    /// The last name, of whichever.
    pub(super) last: Option<String>,
    /// Nothing follows.
    pub(super) is_last: bool,
}

impl Page {
    fn of(found: BTreeMap<String, ObjectMeta>, is_last: bool) -> Self {
        let last = found.last_key_value().map(|(name, _)| name.clone());
        Self { objects: found.into_values().collect(), unnameable: Vec::new(), last, is_last }
    }
}

/// Why bytes of an object did not come.
#[derive(Debug)]
pub(super) enum Missed {
    /// Another object has its name.
    Changed,
    /// There is no object of its name.
    Gone,
    Store(S3SourceError),
}

impl Store {
    /// Opens the bucket for a task of `connector`; makes no request.
    ///
    /// # Errors
    /// Class `Config`.
    pub(super) fn open(settings: &StoreSettings<'_>, connector: &str) -> Result<Self, S3SourceError> {
        let setting = |message: String| S3SourceError::Setting { message };
        let url = settings.url.map(parse_store_url).transpose().map_err(setting)?;
        let endpoint = match &url {
            Some(url) => format!("{}://{}", url.scheme(), url.host_str().unwrap_or_default()),
            None => format!("region {}", settings.region),
        };
        let (bucket, endpoint) = (settings.bucket.into(), endpoint.into());
        if let Some(url) = url.as_ref().filter(|url| url.scheme() == "file") {
            let root = url.to_file_path().map_err(|()| setting("store.url is not a path".to_owned()))?;
            let local = LocalFileSystem::new_with_prefix(root.join(settings.bucket));
            let local =
                local.map_err(|err| setting(format!("store.url: the bucket cannot be opened: {err}")))?;
            return Ok(Self { client: Arc::new(local), bucket, endpoint, listing: None });
        }
        let transport = transport(settings, url.as_ref(), connector)?;
        let client = Arc::new(s3(settings, url.as_ref(), &transport)?);
        let listing = Some(Listing { client: Arc::clone(&client), transport });
        Ok(Self { client, bucket, endpoint, listing })
    }

    /// The bucket's name.
    pub(super) fn bucket(&self) -> &Arc<str> {
        &self.bucket
    }

    /// Asks whether the bucket is there and may be listed below `directory`.
    pub(super) async fn check(self, directory: Option<String>) -> Result<(), S3SourceError> {
        match self.client.list(directory.as_deref().map(path).as_ref()).next().await {
            // The bucket is there.
            Some(Err(object_store::Error::InvalidPath { .. })) => Ok(()),
            Some(Err(err)) => Err(self.explain(err)),
            _ => Ok(()),
        }
    }

    /// The first objects below `directory` whose names follow `after`, in the order of names.
    pub(super) async fn page(
        self,
        directory: Option<String>,
        after: Option<String>,
    ) -> Result<Page, S3SourceError> {
        let directory = directory.as_deref().map(path);
        let mut listed = match (after.as_deref().map(Path::parse), &self.listing) {
            (Some(Err(_)), Some(listing)) => {
                return self.own_page(listing, directory.as_ref(), after.as_deref()).await;
            }
            (Some(Ok(after)), _) => self.client.list_with_offset(directory.as_ref(), &after),
            (Some(Err(_)) | None, _) => self.client.list(directory.as_ref()),
        };
        let mut found = BTreeMap::new();
        loop {
            let meta = match (listed.try_next().await, &self.listing) {
                (Ok(Some(meta)), _) => meta,
                (Ok(None), _) => break,
                (Err(object_store::Error::InvalidPath { .. }), Some(listing)) => {
                    return self.own_page(listing, directory.as_ref(), after.as_deref()).await;
                }
                (Err(err), _) => return Err(self.explain(err)),
            };
            found.insert(meta.location.to_string(), meta);
            // To know whether anything follows would be another request.
            if found.len() == PAGE_OBJECTS && self.listing.is_some() {
                return Ok(Page::of(found, false));
            }
            if found.len() > PAGE_OBJECTS + 1 {
                found.pop_last();
            }
        }
        let is_last = found.len() <= PAGE_OBJECTS;
        if !is_last {
            found.pop_last();
        }
        Ok(Page::of(found, is_last))
    }

    /// The same page, which has names that the client has no form for.
    async fn own_page(
        &self,
        listing: &Listing,
        directory: Option<&Path>,
        after: Option<&str>,
    ) -> Result<Page, S3SourceError> {
        listing.page(directory, after).await.map_err(|err| self.explain(err))
    }

    /// These bytes of an object as it was listed.
    pub(super) async fn fetch(
        self,
        object: ObjectMeta,
        ranges: Vec<Range<u64>>,
    ) -> Result<Vec<Bytes>, Missed> {
        let one = |range: Range<u64>| {
            let range = Some(GetRange::Bounded(range));
            let options = GetOptions { range, if_match: object.e_tag.clone(), ..GetOptions::default() };
            let (client, name) = (Arc::clone(&self.client), object.location.clone());
            async move { client.get_opts(&name, options).await?.bytes().await }
        };
        coalesce_ranges(&ranges, one, GAP_BYTES).await.map_err(|err| match err {
            object_store::Error::NotFound { .. } => Missed::Gone,
            object_store::Error::Precondition { .. } => Missed::Changed,
            err => Missed::Store(self.explain(err)),
        })
    }

    /// What a failure of the client means to the user.
    fn explain(&self, err: object_store::Error) -> S3SourceError {
        let bucket = self.bucket.to_string();
        match &err {
            _ if is_transient(&err) => {
                S3SourceError::Unreachable { endpoint: self.endpoint.to_string(), source: err }
            }
            object_store::Error::NotFound { .. } => S3SourceError::BucketMissing { bucket, source: err },
            _ if err.to_string().contains("NoSuchBucket") => {
                S3SourceError::BucketMissing { bucket, source: err }
            }
            // Whoever gives temporary credentials out renews them.
            _ if err.to_string().contains("ExpiredToken") => {
                S3SourceError::Unreachable { endpoint: self.endpoint.to_string(), source: err }
            }
            object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. } => {
                S3SourceError::AccessDenied { bucket, source: err }
            }
            _ if is_bad_identity(&err) => S3SourceError::AccessDenied { bucket, source: err },
            _ => S3SourceError::Refused { bucket, source: err },
        }
    }
}

/// A name as it is: one that is made of parts would be escaped.
fn path(name: &str) -> Path {
    Path::parse(name).unwrap_or_else(|_| Path::from(name))
}

fn s3(
    settings: &StoreSettings<'_>,
    url: Option<&Url>,
    transport: &Transport,
) -> Result<object_store::aws::AmazonS3, S3SourceError> {
    let setting = |message: String| S3SourceError::Setting { message };
    let credentials = credentials::open(Identity {
        access_key_id: settings.access_key_id,
        secret_access_key: settings.secret_access_key,
        provider: settings.provider,
        bucket: settings.bucket,
        region: settings.region,
        sts_endpoint: settings.sts_endpoint,
    })?;
    let place = match url {
        _ if settings.wan_mode => Some(Place::accelerated(settings.bucket)),
        Some(url) => Some(
            Place::at(url, settings.bucket, settings.path_style)
                .map_err(|err| setting(format!("the endpoint cannot be used with host names: {err}")))?,
        ),
        None => None,
    };
    let mut builder = match url {
        Some(_) => AmazonS3Builder::new(),
        // AWS_ENDPOINT_URL_S3 and its kin.
        None => AmazonS3Builder::from_env(),
    };
    builder = match place {
        Some(place) => {
            builder.with_endpoint(place.endpoint).with_virtual_hosted_style_request(place.has_bucket)
        }
        None => builder.with_virtual_hosted_style_request(!settings.path_style),
    };
    if let Some(key) = settings.customer_key.filter(|key| !key.expose().trim().is_empty()) {
        builder = builder.with_ssec_encryption(key.expose().trim());
    }
    builder
        .with_bucket_name(settings.bucket)
        .with_region(settings.region)
        .with_credentials(credentials)
        .with_http_connector(OverTransport(transport.clone()))
        // The transport repeats requests.
        .with_retry(RetryConfig { max_retries: 0, ..RetryConfig::default() })
        .build()
        .map_err(|err| setting(format!("the S3 client cannot be set up (endpoint, region): {err}")))
}

fn transport(
    settings: &StoreSettings<'_>,
    url: Option<&Url>,
    connector: &str,
) -> Result<Transport, S3SourceError> {
    let allows_http = url.is_none_or(|url| url.scheme() == "http");
    let agent = HeaderValue::from_static(concat!("Lakeward/", env!("CARGO_PKG_VERSION")));
    let mut options =
        ClientOptions::new().with_timeout(WHOLE_TIME).with_allow_http(allows_http).with_user_agent(agent);
    let password = settings.proxy_password.map(Password::expose);
    let proxy = proxy("s3.proxy.url", settings.proxy_url, settings.proxy_user, password)?;
    if let Some(proxy) = &proxy {
        options = options.with_proxy_url(proxy.as_str());
    }
    let server = url.map_or(settings.region, Url::as_str);
    Ok(Transport::new(TransportSettings {
        name: format!("{server} {}", settings.bucket),
        options,
        options_text: format!("{allows_http} {}", proxy.as_ref().map_or("", Url::as_str)),
        try_time: TRY_TIME,
        patience: Patience {
            tries_max: settings.tries_max,
            pause: settings.retry_pause,
            growth: Growth::USUAL,
        },
        digest: BodyDigest::None,
        counters: StoreRequests::of(connector),
    }))
}

/// Objects that are known of at a time; S3 lists as many with one request.
const PAGE_OBJECTS: usize = 1000;

/// Ranges that are closer are one request.
const GAP_BYTES: u64 = 256 << 10;

/// How long one try of a request may take until its answer begins.
const TRY_TIME: Duration = Duration::from_secs(60);

/// A last resort: tries have limits of their own.
const WHOLE_TIME: Duration = Duration::from_secs(3600);
