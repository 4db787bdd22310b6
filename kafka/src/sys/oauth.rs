//! Tokens of SASL/OAUTHBEARER, given to clients of every kind.

use std::ffi::{CString, c_char};
use std::time::UNIX_EPOCH;

use lakeward_api::config::ConfigMap;
use rdkafka::admin::AdminClient;
use rdkafka::client::ClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::producer::{FutureProducer, Producer, ProducerContext, ThreadedProducer};
use rdkafka_sys as rdsys;
use rdsys::rd_kafka_resp_err_t as Code;

use super::client::{ERROR_TEXT_BYTES, Handle, text_of};
use crate::oauth::Token;

/// A client that tokens are given to.
pub(crate) trait TokenTaker: Send + Sync {
    /// The library's client; valid as long as `self`.
    fn native(&self) -> *mut rdsys::rd_kafka_t;
}

impl TokenTaker for Handle {
    fn native(&self) -> *mut rdsys::rd_kafka_t {
        self.client.as_ptr()
    }
}

impl<C: ClientContext> TokenTaker for AdminClient<C> {
    fn native(&self) -> *mut rdsys::rd_kafka_t {
        self.inner().native_ptr()
    }
}

impl<C: ConsumerContext> TokenTaker for BaseConsumer<C> {
    fn native(&self) -> *mut rdsys::rd_kafka_t {
        self.client().native_ptr()
    }
}

impl TokenTaker for FutureProducer {
    fn native(&self) -> *mut rdsys::rd_kafka_t {
        self.client().native_ptr()
    }
}

impl<C: ProducerContext> TokenTaker for ThreadedProducer<C> {
    fn native(&self) -> *mut rdsys::rd_kafka_t {
        self.client().native_ptr()
    }
}

/// From now on connections are made with this token.
///
/// # Errors
/// The library's text, when it takes the token for invalid. Does not hold the token.
pub(crate) fn give_token(
    taker: &dyn TokenTaker,
    token: &Token,
    extensions: &ConfigMap,
) -> Result<(), String> {
    let c_text = |text: &str| CString::new(text).map_err(|_| "the token contains NUL".to_owned());
    let (value, principal) = (c_text(token.text.expose())?, c_text(&token.principal)?);
    let pairs: Vec<CString> = extensions
        .iter()
        .flat_map(|(name, value)| [name, value])
        .map(|text| c_text(text))
        .collect::<Result<_, _>>()?;
    let mut pairs: Vec<*const c_char> = pairs.iter().map(|text| text.as_ptr()).collect();
    let ends = token.expires.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let ends_ms = i64::try_from(ends).unwrap_or(i64::MAX);
    let mut text = [0u8; ERROR_TEXT_BYTES];
    // SAFETY: the client is valid while `taker` is borrowed; all texts live for the call, which copies them.
    let code = unsafe {
        rdsys::rd_kafka_oauthbearer_set_token(
            taker.native(),
            value.as_ptr(),
            ends_ms,
            principal.as_ptr(),
            pairs.as_mut_ptr(),
            pairs.len(),
            text.as_mut_ptr().cast(),
            text.len(),
        )
    };
    if code == Code::RD_KAFKA_RESP_ERR_NO_ERROR { Ok(()) } else { Err(text_of(&text)) }
}

/// The client tells its owner that it has no token, and why.
pub(crate) fn refuse_token(taker: &dyn TokenTaker, why: &str) {
    let why = CString::new(why.replace('\0', " ")).unwrap_or_default();
    // SAFETY: the client is valid while `taker` is borrowed; the library copies the text.
    let code = unsafe { rdsys::rd_kafka_oauthbearer_set_token_failure(taker.native(), why.as_ptr()) };
    if code != Code::RD_KAFKA_RESP_ERR_NO_ERROR {
        tracing::debug!(?code, "a client cannot be told that it has no token");
    }
}
