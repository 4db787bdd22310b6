//! The S3 client of a configuration: address, encryption, access control, proxy, repetitions.
//!
//! Source: `S3Storage#newS3Client`, `S3OutputStream#newMultipartUpload`, `S3ProxyConfig`, Confluent S3 sink;
//! the endpoint rules of the AWS SDK for buckets as host names.

use std::sync::Arc;
use std::time::Duration;

use http::header::{HeaderMap, HeaderName, HeaderValue};
use lakeward_api::config::Password;
use lakeward_api::metrics::StoreRequests;
use lakeward_objectstore::address::{self, Place};
use lakeward_objectstore::credentials::{self, Identity};
use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey, AwsCredentialProvider};
use object_store::{ClientOptions, ObjectStore, RetryConfig};
use url::Url;

use super::http::{BodyDigest, Growth, OverTransport, Patience, Transport, TransportSettings};
use super::objects::ControlledObjects;
use crate::s3::config::S3Config;
use crate::s3::error::S3SinkError;

/// A client, and what it is made of.
#[derive(Clone, Debug)]
pub(super) struct S3Side {
    /// Begins and stores objects.
    pub(super) objects: Arc<dyn ObjectStore>,
    /// The same bucket, for what begins an object.
    pub(super) maker: Arc<AmazonS3>,
    /// The same, for parts.
    pub(super) plain: Arc<AmazonS3>,
    /// The same, for requests that make no object and read none.
    pub(super) bare: Arc<AmazonS3>,
    pub(super) transport: Transport,
}

impl S3Side {
    /// The client of `config`; makes no request.
    ///
    /// # Errors
    /// Class `Config`.
    pub(super) fn open(
        config: &S3Config,
        url: Option<&Url>,
        counters: Arc<StoreRequests>,
    ) -> Result<Self, S3SinkError> {
        let credentials = credentials::open(Identity {
            access_key_id: &config.bucket.access_key_id,
            secret_access_key: config.bucket.secret_access_key.as_ref(),
            provider: &config.provider,
            bucket: &config.bucket.bucket,
            region: &config.bucket.region,
            sts_endpoint: None,
        })?;
        let transport = transport(config, url, counters)?;
        let builder = builder(config, url, credentials, &transport)?;
        let bare = Arc::new(build(builder.clone())?);
        let encrypted = encryption(builder.clone(), config);
        let is_bare = encrypted.is_none() && config.bucket.canned_acl.is_none();
        let plain = match &encrypted {
            Some((builder, Holder::Customer)) => Arc::new(build(builder.clone())?),
            Some((_, Holder::Store)) | None => Arc::clone(&bare),
        };
        if is_bare {
            let (objects, maker) = (Arc::clone(&bare) as _, Arc::clone(&bare));
            return Ok(Self { objects, maker, plain, bare, transport });
        }
        // Only requests that make objects have the headers, and these must be signed: a client of its own
        // sends them with everything, so it is asked for nothing else.
        let mut maker = encrypted.map_or(builder, |(builder, _)| builder);
        if let Some(acl) = &config.bucket.canned_acl {
            let acl = HeaderValue::from_str(acl).expect("validated: one of the canned names");
            let headers = HeaderMap::from_iter([(HeaderName::from_static("x-amz-acl"), acl)]);
            maker = maker.with_client_options(ClientOptions::new().with_default_headers(headers));
        }
        let maker = Arc::new(build(maker)?);
        let (begins, continues, ends) = (Arc::clone(&maker), Arc::clone(&plain), Arc::clone(&bare));
        let objects = Arc::new(ControlledObjects { maker: begins, plain: continues, bare: ends });
        Ok(Self { objects, maker, plain, bare, transport })
    }
}

/// Who has the key of encrypted objects.
enum Holder {
    Customer,
    Store,
}

fn build(builder: AmazonS3Builder) -> Result<AmazonS3, S3SinkError> {
    builder.build().map_err(|err| S3SinkError::Setting {
        message: format!("the S3 client cannot be set up (store.url, s3.region): {err}"),
    })
}

fn builder(
    config: &S3Config,
    url: Option<&Url>,
    credentials: AwsCredentialProvider,
    transport: &Transport,
) -> Result<AmazonS3Builder, S3SinkError> {
    let keys = &config.bucket;
    let mut builder = match url {
        Some(_) => AmazonS3Builder::new(),
        // AWS_ENDPOINT_URL_S3 and its kin.
        None => AmazonS3Builder::from_env(),
    };
    if let Some(place) = place(config, url)? {
        builder = builder.with_endpoint(place.endpoint).with_virtual_hosted_style_request(place.has_bucket);
    } else {
        builder = builder.with_virtual_hosted_style_request(!config.companion.path_style);
    }
    Ok(builder
        .with_bucket_name(&keys.bucket)
        .with_region(&keys.region)
        .with_credentials(credentials)
        .with_http_connector(OverTransport(transport.clone()))
        // Objects are deleted one by one, and not every server knows the other way.
        .with_disable_bulk_delete(true)
        // The transport repeats requests.
        .with_retry(RetryConfig { max_retries: 0, ..RetryConfig::default() }))
}

/// A client that asks for encryption, when that is wanted.
fn encryption(builder: AmazonS3Builder, config: &S3Config) -> Option<(AmazonS3Builder, Holder)> {
    let keys = &config.bucket;
    let customer_key = keys.sse_customer_key.as_ref().filter(|key| !key.expose().is_empty());
    let named = |builder: AmazonS3Builder| {
        let key: AmazonS3ConfigKey =
            "aws_server_side_encryption".parse().expect("the client documents this key");
        builder.with_config(key, &keys.sse_name)
    };
    match (keys.sse_name.as_str(), customer_key) {
        ("AES256", Some(key)) => Some((builder.with_ssec_encryption(key.expose().trim()), Holder::Customer)),
        ("AES256", None) => Some((named(builder), Holder::Store)),
        ("aws:kms", _) if !keys.sse_kms_key_id.is_empty() => {
            Some((builder.with_sse_kms_encryption(&keys.sse_kms_key_id), Holder::Store))
        }
        ("aws:kms:dsse", _) if !keys.sse_kms_key_id.is_empty() => {
            Some((builder.with_dsse_kms_encryption(&keys.sse_kms_key_id), Holder::Store))
        }
        ("aws:kms:dsse", _) => Some((named(builder), Holder::Store)),
        ("aws:kms", _) => {
            // The header alone would choose the account's own key instead of the bucket's.
            tracing::info!(
                "s3.ssea.name is aws:kms without s3.sse.kms.key.id: the bucket's encryption is used"
            );
            None
        }
        (_, Some(_)) => {
            tracing::warn!("s3.sse.customer.key has no effect: s3.ssea.name is not AES256");
            None
        }
        _ => None,
    }
}

/// `None` for the usual endpoint of AWS.
fn place(config: &S3Config, url: Option<&Url>) -> Result<Option<Place>, S3SinkError> {
    let bucket = &config.bucket.bucket;
    if config.bucket.wan_mode {
        return Ok(Some(Place::accelerated(bucket)));
    }
    let Some(url) = url else { return Ok(None) };
    Place::at(url, bucket, config.companion.path_style).map(Some).map_err(|err| S3SinkError::Setting {
        message: format!("store.url cannot be used with s3.path.style.access.enabled=false: {err}"),
    })
}

fn transport(
    config: &S3Config,
    url: Option<&Url>,
    counters: Arc<StoreRequests>,
) -> Result<Transport, S3SinkError> {
    let allows_http = url.is_none_or(|url| url.scheme() == "http");
    let mut options = client_options(allows_http);
    let proxy = proxy(config)?;
    if let Some(proxy) = &proxy {
        options = options.with_proxy_url(proxy.as_str());
    }
    let server = url.map_or_else(|| config.bucket.region.clone(), |url| url.as_str().to_owned());
    Ok(Transport::new(TransportSettings {
        name: format!("{server} {}", config.bucket.bucket),
        options,
        options_text: format!("{allows_http} {}", proxy.as_ref().map_or("", Url::as_str)),
        try_time: Duration::from_millis(config.settings.lakeward.request_timeout_ms),
        patience: Patience {
            tries_max: config.request.part_retries,
            pause: Duration::from_millis(config.request.retry_backoff_ms),
            growth: Growth::USUAL,
        },
        digest: if config.request.send_digest { BodyDigest::Md5 } else { BodyDigest::None },
        counters,
    }))
}

/// The proxy with its credentials. Keys of their own win over those of the URL, one by one.
fn proxy(config: &S3Config) -> Result<Option<Url>, S3SinkError> {
    let keys = &config.request;
    let password = keys.proxy_password.as_ref().map(Password::expose);
    Ok(address::proxy("s3.proxy.url", &keys.proxy_url, keys.proxy_user.as_deref(), password)?)
}

/// What every client of a store is made of.
pub(crate) fn client_options(allows_http: bool) -> ClientOptions {
    let agent = HeaderValue::from_static(concat!("Lakeward/", env!("CARGO_PKG_VERSION")));
    ClientOptions::new().with_timeout(WHOLE_TIME).with_allow_http(allows_http).with_user_agent(agent)
}

/// The same for requests that name another sender; `None`: Lakeward.
///
/// # Errors
/// Class `Config` for a name that no header can hold.
pub(crate) fn sent_by(options: ClientOptions, agent: Option<&str>) -> Result<ClientOptions, S3SinkError> {
    let Some(agent) = agent else { return Ok(options) };
    let agent = HeaderValue::from_str(agent)
        .map_err(|_| S3SinkError::Setting { message: "not a user agent".to_owned() })?;
    Ok(options.with_user_agent(agent))
}

/// A last resort: tries have limits of their own.
const WHOLE_TIME: Duration = Duration::from_secs(6 * 3600);

#[cfg(test)]
mod tests {
    use super::*;

    fn config(pairs: &[(&str, &str)]) -> S3Config {
        let base = [
            ("format.class", "JsonFormat"),
            ("flush.size", "3"),
            ("s3.bucket.name", "lake"),
            ("storage.class", "S3Storage"),
        ];
        let props = base.iter().chain(pairs).map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        S3Config::parse(&props.collect()).unwrap()
    }

    fn placed(url: &str, pairs: &[(&str, &str)]) -> (String, bool) {
        let url = Url::parse(url).unwrap();
        let place = place(&config(pairs), Some(&url)).unwrap().unwrap();
        (place.endpoint, place.has_bucket)
    }

    #[test]
    fn a_bucket_is_part_of_the_host_name_only_where_it_can_be() {
        const HOST: (&str, &str) = ("s3.path.style.access.enabled", "false");
        assert_eq!(placed("http://store:9000/", &[]), ("http://store:9000".to_owned(), false));
        assert_eq!(placed("http://store:9000", &[HOST]), ("http://lake.store:9000".to_owned(), true));
        assert_eq!(placed("http://10.0.0.1:9000", &[HOST]), ("http://10.0.0.1:9000".to_owned(), false));
        assert_eq!(placed("http://[::1]:9000", &[HOST]), ("http://[::1]:9000".to_owned(), false));
        let odd = ("s3.bucket.name", "My_Lake");
        assert_eq!(placed("http://store", &[HOST, odd]), ("http://store".to_owned(), false));
    }

    #[test]
    fn acceleration_has_an_address_of_its_own() {
        let config = config(&[("s3.wan.mode", "true"), ("s3.path.style.access.enabled", "false")]);
        let expected =
            Place { endpoint: "https://lake.s3-accelerate.amazonaws.com".to_owned(), has_bucket: true };
        assert_eq!(place(&config, None).unwrap(), Some(expected));
    }

    #[test]
    fn keys_of_the_proxy_win_over_its_url() {
        let url = ("s3.proxy.url", "http://a:b@proxy:3128");
        let shown = |pairs: &[(&str, &str)]| proxy(&config(pairs)).unwrap().map(|url| url.to_string());
        assert_eq!(shown(&[]), None);
        assert_eq!(shown(&[url]).unwrap(), "http://a:b@proxy:3128/");
        assert_eq!(shown(&[url, ("s3.proxy.user", "c")]).unwrap(), "http://c:b@proxy:3128/");
        let both = [url, ("s3.proxy.user", "c@d"), ("s3.proxy.password", "e:f")];
        assert_eq!(shown(&both).unwrap(), "http://c%40d:e%3Af@proxy:3128/");
    }
}
