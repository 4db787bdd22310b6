//! Sessions of GCS, as Google answers for them: how much of an upload is there, and that it is done.
//!
//! fake-gcs-server has neither: it ends an upload that is asked about, and appends what is sent again. What
//! it stored is counted here, and only what continues an upload reaches it.
//!
//! Source: Google Cloud Storage, "Perform resumable uploads", status checks.

use std::collections::HashMap;

use anyhow::Context;
use bytes::Bytes;
use http_body_util::Full;
use hyper::header::CONTENT_RANGE;
use hyper::http::request::Parts;
use hyper::{Method, Response, StatusCode};

use super::request::parameter;

/// All sessions that were given out.
#[derive(Debug, Default)]
pub(super) struct Sessions(HashMap<String, Session>);

#[derive(Debug, Default)]
struct Session {
    stored_bytes: u64,
    is_done: bool,
}

/// A request of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    id: String,
    range: Range,
}

/// What a request says of its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Range {
    /// Bytes from `start` up to `end`.
    Bytes { start: u64, end: u64, total: Option<u64> },
    /// None: a question, or the end of an upload whose bytes are all there.
    None { total: Option<u64> },
}

impl Step {
    /// `None` for requests that continue no upload.
    pub(super) fn of(head: &Parts) -> Option<Self> {
        let id = parameter(&head.uri, "upload_id");
        let is_session = head.method == Method::PUT && !id.is_empty();
        let range = head.headers.get(CONTENT_RANGE)?.to_str().ok()?;
        is_session.then(|| Some(Self { id: id.to_owned(), range: Range::parse(range)? }))?
    }
}

impl Range {
    /// `bytes 0-9/*`, `bytes 10-19/20`, `bytes */*` or `bytes */20`.
    fn parse(text: &str) -> Option<Self> {
        let (bytes, total) = text.strip_prefix("bytes ")?.split_once('/')?;
        let total = total.parse().ok();
        match bytes.split_once('-') {
            Some((start, last)) => {
                let (start, last): (u64, u64) = (start.parse().ok()?, last.parse().ok()?);
                Some(Self::Bytes { start, end: last + 1, total })
            }
            None => Some(Self::None { total }),
        }
    }
}

impl Sessions {
    /// What the store need not be asked.
    pub(super) fn answer(&self, step: &Step) -> anyhow::Result<Option<Response<Full<Bytes>>>> {
        let (stored_bytes, is_done) =
            self.0.get(&step.id).map_or((0, false), |session| (session.stored_bytes, session.is_done));
        let is_for_store = match step.range {
            Range::Bytes { start, .. } => start == stored_bytes,
            Range::None { total } => total == Some(stored_bytes),
        };
        if is_for_store && !is_done {
            return Ok(None);
        }
        let status = if is_done { StatusCode::OK } else { StatusCode::PERMANENT_REDIRECT };
        let mut answer = Response::builder().status(status);
        if !is_done && stored_bytes > 0 {
            answer = answer.header("range", format!("bytes=0-{}", stored_bytes - 1));
        }
        answer.body(Full::default()).map(Some).context("building an answer")
    }

    /// The store answered with `status`.
    pub(super) fn took(&mut self, step: Step, status: StatusCode) {
        if !status.is_success() && status != StatusCode::PERMANENT_REDIRECT {
            return;
        }
        let session = self.0.entry(step.id).or_default();
        let total = match step.range {
            Range::Bytes { end, total, .. } => {
                session.stored_bytes = end;
                total
            }
            Range::None { total } => total,
        };
        session.is_done = status.is_success() && total == Some(session.stored_bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(range: &str) -> Step {
        Step { id: "1".to_owned(), range: Range::parse(range).unwrap() }
    }

    /// Status and range of the answer; `None` when the store is asked.
    fn answer(sessions: &Sessions, range: &str) -> Option<(u16, String)> {
        let answer = sessions.answer(&step(range)).unwrap()?;
        let range = answer.headers().get("range").map(|range| range.to_str().unwrap().to_owned());
        Some((answer.status().as_u16(), range.unwrap_or_default()))
    }

    #[test]
    fn a_session_knows_what_is_stored_and_takes_nothing_twice() {
        let mut sessions = Sessions::default();
        assert_eq!(answer(&sessions, "bytes */*"), Some((308, String::new())));
        assert_eq!(answer(&sessions, "bytes 0-9/*"), None);
        sessions.took(step("bytes 0-9/*"), StatusCode::PERMANENT_REDIRECT);
        let has_ten = Some((308, "bytes=0-9".to_owned()));
        for asked in ["bytes */*", "bytes */20", "bytes 0-9/*"] {
            assert_eq!(answer(&sessions, asked), has_ten, "{asked}");
        }
        assert_eq!(answer(&sessions, "bytes 10-19/20"), None);
        sessions.took(step("bytes 10-19/20"), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer(&sessions, "bytes */20"), has_ten);
        sessions.took(step("bytes 10-19/20"), StatusCode::OK);
        assert_eq!(answer(&sessions, "bytes */20"), Some((200, String::new())));
    }

    #[test]
    fn what_fits_exactly_ends_with_a_request_without_bytes() {
        let mut sessions = Sessions::default();
        sessions.took(step("bytes 0-9/*"), StatusCode::PERMANENT_REDIRECT);
        assert_eq!(answer(&sessions, "bytes */10"), None);
        sessions.took(step("bytes */10"), StatusCode::OK);
        assert_eq!(answer(&sessions, "bytes */10"), Some((200, String::new())));
    }
}
