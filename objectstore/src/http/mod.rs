//! HTTP below the S3 client: connections shared by all tasks of this process, time limits, repetitions, the
//! pace that a busy store asks for, and counts.
//!
//! Must not know buckets or files. Requests arrive signed; what is added here (`Content-MD5`) is a header
//! that S3 does not want signed. A signature is good for fifteen minutes, so repetitions end long before.
//! Serves the clients of other stores, too.
//!
//! Source: `StandardRetryStrategy` with `ExponentialDelayWithJitter` as the Java sink sets it up; Amazon S3,
//! "Best practices design patterns" (503 Slow Down) and "CompleteMultipartUpload" (errors in answers of
//! 200).

mod pace;
mod shared;

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::{Bytes, BytesMut};
use futures::StreamExt as _;
use http::header::{CONTENT_RANGE, HeaderName, HeaderValue, IF_MATCH, IF_NONE_MATCH, RETRY_AFTER};
use http::{Method, StatusCode};
use http_body_util::BodyExt as _;
use lakeward_api::metrics::{StoreOperation, StoreRequests};
use md5::{Digest as _, Md5};
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpResponseBody,
    HttpService, ReqwestConnector,
};

use pace::Pace;
use shared::Shared;

/// Whether bodies are sent with their digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyDigest {
    /// `Content-MD5` is added.
    Md5,
    /// They are not.
    None,
}

/// How often and after which pauses a request is repeated.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Tries in total; 0 counts as 1.
    pub tries_max: usize,
    /// The first pause.
    pub pause: Duration,
    /// What follows it.
    pub growth: Growth,
}

/// What follows the first pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Growth {
    /// Bounds that double up to this one, or to the first if that is longer; a pause is random below its
    /// bound.
    Doubled {
        /// The largest bound.
        up_to: Duration,
    },
    /// The same pause.
    None,
}

impl Growth {
    /// That of clients which do not say how long a pause may get.
    pub const USUAL: Self = Self::Doubled { up_to: Duration::from_secs(20) };
}

impl Patience {
    /// How many of its tries there are when the bounds of all pauses between them are to be within `total`.
    pub fn tries_within(self, total: Duration) -> usize {
        let mut sum = Duration::ZERO;
        let fits = |tries: &usize| {
            sum += match self.growth {
                Growth::Doubled { up_to } => bound(self.pause, up_to, *tries),
                Growth::None => self.pause,
            };
            sum <= total
        };
        1 + (1..self.tries_max.max(1)).take_while(fits).count()
    }

    /// The pause after so many tries.
    fn after(self, tries: usize) -> Duration {
        match self.growth {
            Growth::Doubled { up_to } => shared::random_up_to(bound(self.pause, up_to, tries)),
            Growth::None => self.pause,
        }
    }
}

/// What a transport is made of.
pub struct TransportSettings {
    /// Which server and bucket: transports of one name keep one pace.
    pub name: String,
    /// Proxy, plain HTTP and the like.
    pub options: ClientOptions,
    /// The same as text: transports with the same text share connections.
    pub options_text: String,
    /// How long one try may take, [`USUAL_BYTES`] included; larger bodies get more in proportion.
    pub try_time: Duration,
    /// Repetitions.
    pub patience: Patience,
    /// Digests of bodies.
    pub digest: BodyDigest,
    /// Where requests are counted.
    pub counters: Arc<StoreRequests>,
}

/// Sends requests. Cheap to clone.
#[derive(Clone)]
pub struct Transport(Arc<Inner>);

struct Inner {
    settings: TransportSettings,
    pace: Arc<Pace>,
    /// Made by the first request: connections belong to the runtime that opens them.
    client: OnceLock<Arc<HttpClient>>,
}

impl Transport {
    /// A transport; opens nothing yet.
    pub fn new(settings: TransportSettings) -> Self {
        let pace = PACES.get(&settings.name, Pace::default);
        Self(Arc::new(Inner { settings, pace, client: OnceLock::new() }))
    }

    fn client(&self) -> Result<&HttpClient, HttpError> {
        if let Some(client) = self.0.client.get() {
            return Ok(client);
        }
        let settings = &self.0.settings;
        let key = format!("{} {}", tokio::runtime::Handle::current().id(), settings.options_text);
        let client = CLIENTS
            .try_get(&key, || ReqwestConnector::default().connect(&settings.options))
            .map_err(|err| HttpError::new(HttpErrorKind::Unknown, err))?;
        Ok(self.0.client.get_or_init(|| client))
    }

    /// How patient it is.
    pub fn patience(&self) -> Patience {
        self.0.settings.patience
    }

    /// Waits as long as after so many tries.
    pub async fn pause(&self, tries: usize) {
        tokio::time::sleep(self.patience().after(tries)).await;
    }

    /// Whether both use the same connections; each sent a request before.
    pub fn shares_connections_with(&self, other: &Self) -> bool {
        match (self.0.client.get(), other.0.client.get()) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }

    /// One try, its answer read whole unless that is the content of an object.
    async fn attempt(&self, client: &HttpClient, request: &HttpRequest) -> Result<HttpResponse, HttpError> {
        let bytes = request.body().content_length() as u64;
        let operation = operation(request);
        self.0.settings.counters.sent(operation, bytes);
        let whole = async {
            let response = client.execute(request.clone()).await?;
            if operation == StoreOperation::Get && response.status().is_success() {
                return Ok(response);
            }
            let (mut parts, body) = response.into_parts();
            let body = read(body).await?;
            if operation == StoreOperation::Post && parts.status.is_success() {
                parts.status = status_of(parts.status, &body);
            }
            Ok(HttpResponse::from_parts(parts, body.into()))
        };
        let shares = u32::try_from(bytes.div_ceil(USUAL_BYTES)).unwrap_or(u32::MAX).max(1);
        match tokio::time::timeout(self.0.settings.try_time.saturating_mul(shares), whole).await {
            Ok(answer) => answer,
            Err(late) => Err(HttpError::new(HttpErrorKind::Timeout, late)),
        }
    }

    /// What an answer means for the pace of everybody.
    fn observe(&self, verdict: &Verdict) {
        match verdict {
            Verdict::Busy { after } => {
                self.0.settings.counters.slowed_down();
                self.0.pace.slow_down(Instant::now(), *after);
            }
            Verdict::Final => self.0.pace.went_well(Instant::now()),
            Verdict::Again => {}
        }
    }
}

#[async_trait]
impl HttpService for Transport {
    async fn call(&self, mut request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let settings = &self.0.settings;
        if settings.digest == BodyDigest::Md5 && !request.body().is_empty_body() {
            let digest = md5_of(&request).await?;
            request.headers_mut().insert(CONTENT_MD5, digest);
        }
        let client = self.client()?;
        let begin = Instant::now();
        let mut tries = 1;
        loop {
            self.0.pace.wait().await;
            let answer = self.attempt(client, &request).await;
            let verdict = judge(&request, &answer);
            self.observe(&verdict);
            let is_last = tries >= settings.patience.tries_max || begin.elapsed() > REPEAT_TIME_MAX;
            let is_own_matter = continues_upload(&request) || is_lost_begin(&request, &answer);
            if matches!(verdict, Verdict::Final) || is_last || is_own_matter {
                return answer;
            }
            settings.counters.retried();
            let pause = settings.patience.after(tries);
            let status = answer.as_ref().map(|response| response.status().as_u16()).unwrap_or_default();
            let method = request.method();
            tracing::info!(%method, status, tries, ?pause, "request to the store repeated");
            tokio::time::sleep(pause).await;
            tries += 1;
        }
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The settings may hold the password of a proxy.
        f.write_str("Transport")
    }
}

/// Hands a transport to a client.
#[derive(Debug)]
pub struct OverTransport(pub Transport);

impl HttpConnector for OverTransport {
    fn connect(&self, _options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.0.clone()))
    }
}

/// What follows from an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// The same request may succeed later.
    Again,
    /// So may it, and the store asks for fewer requests, perhaps none before a moment.
    Busy {
        after: Option<Duration>,
    },
    Final,
}

fn judge(request: &HttpRequest, answer: &Result<HttpResponse, HttpError>) -> Verdict {
    match answer {
        Ok(response) => match response.status() {
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
                let after = response.headers().get(RETRY_AFTER).and_then(|text| text.to_str().ok());
                Verdict::Busy { after: after.and_then(|text| text.parse().ok()).map(Duration::from_secs) }
            }
            StatusCode::REQUEST_TIMEOUT => Verdict::Again,
            status if status.is_server_error() && status != StatusCode::NOT_IMPLEMENTED => Verdict::Again,
            _ => Verdict::Final,
        },
        Err(err) => match err.kind() {
            HttpErrorKind::Connect | HttpErrorKind::Request => Verdict::Again,
            // It may have happened: a repeated condition would answer that the object is there already.
            HttpErrorKind::Interrupted | HttpErrorKind::Timeout if !is_conditional(request) => Verdict::Again,
            _ => Verdict::Final,
        },
    }
}

fn is_conditional(request: &HttpRequest) -> bool {
    let headers = request.headers();
    let query = request.uri().query().unwrap_or_default();
    headers.contains_key(IF_NONE_MATCH)
        || headers.contains_key(IF_MATCH)
        || query.contains("ifGenerationMatch=")
}

/// Whether this is a piece of an upload whose server counts bytes: whoever sends it asks how many have
/// arrived before any are sent again.
fn continues_upload(request: &HttpRequest) -> bool {
    request.headers().contains_key(CONTENT_RANGE)
}

/// Whether a multipart upload may have been begun whose number nobody knows: whoever begins it looks for it
/// before another is begun.
fn is_lost_begin(request: &HttpRequest, answer: &Result<HttpResponse, HttpError>) -> bool {
    let is_lost = answer.as_ref().is_err_and(|err| err.kind() != HttpErrorKind::Connect);
    is_lost && *request.method() == Method::POST && asks_for(request, "uploads")
}

fn asks_for(request: &HttpRequest, name: &str) -> bool {
    let query = request.uri().query().unwrap_or_default();
    query.split('&').any(|pair| pair.split('=').next() == Some(name))
}

fn operation(request: &HttpRequest) -> StoreOperation {
    match *request.method() {
        Method::DELETE => StoreOperation::Delete,
        Method::HEAD => StoreOperation::Head,
        Method::POST => StoreOperation::Post,
        Method::PUT => StoreOperation::Put,
        _ if LISTS.iter().any(|name| asks_for(request, name)) => StoreOperation::List,
        _ => StoreOperation::Get,
    }
}

/// The status that an answer of 200 should have had: the store says 200 before it knows how completing an
/// upload ends.
fn status_of(said: StatusCode, body: &[u8]) -> StatusCode {
    let text = String::from_utf8_lossy(&body[..body.len().min(ERROR_BYTES_MAX)]);
    let Some((_, error)) = text.split_once("<Error>") else { return said };
    let code = error.split_once("<Code>").and_then(|(_, code)| code.split('<').next());
    match code.unwrap_or_default() {
        "PreconditionFailed" => StatusCode::PRECONDITION_FAILED,
        "SlowDown" => StatusCode::SERVICE_UNAVAILABLE,
        "NoSuchUpload" => StatusCode::NOT_FOUND,
        "InternalError" | "ServiceUnavailable" | "RequestTimeout" => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::BAD_REQUEST,
    }
}

/// The bound of the pause after so many tries.
fn bound(first: Duration, up_to: Duration, tries: usize) -> Duration {
    let doublings = u32::try_from(tries - 1).unwrap_or(u32::MAX).min(20);
    first.saturating_mul(1 << doublings).min(up_to.max(first))
}

async fn read(body: HttpResponseBody) -> Result<Bytes, HttpError> {
    let mut stream = body.bytes_stream();
    let mut whole = BytesMut::new();
    while let Some(piece) = stream.next().await {
        whole.extend_from_slice(&piece?);
        if whole.len() > ANSWER_BYTES_MAX {
            let problem = std::io::Error::other("the answer of the store is larger than any it should give");
            return Err(HttpError::new(HttpErrorKind::Decode, problem));
        }
    }
    Ok(whole.freeze())
}

async fn md5_of(request: &HttpRequest) -> Result<HeaderValue, HttpError> {
    let mut digest = Md5::new();
    let mut body = request.body().clone();
    while let Some(frame) = body.frame().await {
        if let Ok(bytes) = frame?.into_data() {
            digest.update(&bytes);
        }
    }
    let text = BASE64_STANDARD.encode(digest.finalize());
    Ok(HeaderValue::from_str(&text).expect("base64 has no characters that headers lack"))
}

/// `HttpRequestBody::is_empty` answers for payloads in pieces the opposite of what it says.
trait EmptyBody {
    fn is_empty_body(&self) -> bool;
}

impl EmptyBody for object_store::client::HttpRequestBody {
    fn is_empty_body(&self) -> bool {
        self.content_length() == 0
    }
}

const CONTENT_MD5: HeaderName = HeaderName::from_static("content-md5");

/// The size of a part when nothing is configured.
const USUAL_BYTES: u64 = 25 << 20;

/// After this time nothing is repeated any more: signatures and credentials grow old.
const REPEAT_TIME_MAX: Duration = Duration::from_secs(180);

/// Parameters that only lists have: of S3, of GCS, of Azure.
const LISTS: [&str; 4] = ["list-type", "uploads", "maxResults", "restype"];

/// The largest answers are lists of a thousand names of up to 1,024 bytes each, escaped.
const ANSWER_BYTES_MAX: usize = 16 << 20;

/// Errors are short.
const ERROR_BYTES_MAX: usize = 4096;

/// Connections, by runtime and options.
static CLIENTS: Shared<HttpClient> = Shared::new();

/// Paces by server and bucket.
static PACES: Shared<Pace> = Shared::new();
