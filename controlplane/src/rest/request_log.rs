//! One line per request, in the extended NCSA format and with its milliseconds.
//!
//! Source: `CustomRequestLog` as `RestServer` sets it up, Kafka 4.1. What a client sends cannot break the
//! line: control characters cannot be in headers, and quotes are escaped.

use std::net::IpAddr;
use std::time::Duration;

use http::HeaderMap;
use http::header::{HeaderName, REFERER, USER_AGENT};
use http::request::Parts;
use hyper::body::Body;

use super::answer::Answer;
use crate::calendar::log_date;
use crate::herder::now_ms;

pub(super) fn write(peer: IpAddr, head: &Parts, answer: &Answer, took: Duration) {
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
    let referer = quoted(&head.headers, &REFERER);
    let agent = quoted(&head.headers, &USER_AGENT);
    let (method, version, status) = (&head.method, head.version, answer.status().as_u16());
    let length = answer.body().size_hint().exact().unwrap_or_default();
    let (peer, date, millis) = (peer.to_canonical(), log_date(now_ms()), took.as_millis());
    tracing::info!(
        "{peer} - - [{date}] \"{method} {target} {version:?}\" {status} {length} {referer} {agent} {millis}"
    );
}

fn quoted(headers: &HeaderMap, name: &HeaderName) -> String {
    let text = headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("-");
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
