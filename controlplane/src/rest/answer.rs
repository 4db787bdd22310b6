//! Responses: statuses, headers and error bodies as Java sends them.
//!
//! Source: `ConnectExceptionMapper`, Jersey's own answers, Kafka 4.1.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::header::{ALLOW, CONNECTION, CONTENT_TYPE, ETAG, LOCATION};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;
use hyper::body::{Frame, SizeHint};
use lakeward_controlplane_core::java_json;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::herder::RequestError;

/// A response.
pub(super) type Answer = Response<Body>;

/// Bytes of a frame that is put together out of pieces, about.
const FRAME_BYTES: usize = 64 << 10;

/// What a response carries.
pub(crate) enum Body {
    /// Many small pieces that are shared with others; no copy of the whole is ever made.
    Gathered {
        /// Those that did not go out yet.
        rest: std::vec::IntoIter<Bytes>,
        /// Their bytes.
        bytes_left: u64,
    },
    /// Pieces that are still being made.
    Pieces {
        /// The next piece, if it is here already.
        next: Option<Piece>,
        /// Those behind it.
        rest: mpsc::Receiver<Piece>,
        /// Whether the last one went out.
        has_ended: bool,
    },
    /// Everything at once.
    Whole(Full<Bytes>),
}

/// A piece of a body.
pub(crate) enum Piece {
    /// The last one. A body without it is broken off, so that nobody takes a part for the whole.
    Last(Bytes),
    /// Others follow.
    More(Bytes),
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match self.get_mut() {
            Self::Gathered { bytes_left: 0, .. } => Poll::Ready(None),
            Self::Gathered { rest, bytes_left } => {
                let frame = gather(rest, *bytes_left);
                *bytes_left -= frame.len() as u64;
                Poll::Ready(Some(Ok(Frame::data(frame))))
            }
            Self::Whole(whole) => Pin::new(whole).poll_frame(context).map_err(|never| match never {}),
            Self::Pieces { has_ended: true, .. } => Poll::Ready(None),
            Self::Pieces { next, rest, has_ended } => {
                let piece = match next.take() {
                    Some(piece) => Some(piece),
                    None => ready!(rest.poll_recv(context)),
                };
                let bytes = match piece {
                    Some(Piece::More(bytes)) => bytes,
                    Some(Piece::Last(bytes)) => {
                        *has_ended = true;
                        bytes
                    }
                    None => return Poll::Ready(Some(Err(io::Error::other("the answer was given up")))),
                };
                Poll::Ready(Some(Ok(Frame::data(bytes))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Gathered { bytes_left, .. } => *bytes_left == 0,
            Self::Pieces { has_ended, .. } => *has_ended,
            Self::Whole(whole) => whole.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Gathered { bytes_left, .. } => SizeHint::with_exact(*bytes_left),
            Self::Pieces { .. } => SizeHint::default(),
            Self::Whole(whole) => whole.size_hint(),
        }
    }
}

/// The next pieces, as many as make a frame.
fn gather(pieces: &mut std::vec::IntoIter<Bytes>, bytes_left: u64) -> Bytes {
    let room = usize::try_from(bytes_left).unwrap_or(FRAME_BYTES).min(FRAME_BYTES);
    let mut frame = Vec::with_capacity(room);
    while let Some(next) = pieces.as_slice().first() {
        if !frame.is_empty() && frame.len() + next.len() > room {
            break;
        }
        frame.extend_from_slice(next);
        pieces.next();
    }
    frame.into()
}

/// An answer without a body.
pub(super) fn empty(status: StatusCode) -> Answer {
    with_body(status, Bytes::new())
}

/// A JSON answer.
pub(super) fn json(status: StatusCode, value: &Value) -> Answer {
    json_text(status, java_json::to_text(value))
}

/// An answer whose JSON was written already.
pub(super) fn json_text(status: StatusCode, text: String) -> Answer {
    let mut answer = with_body(status, Bytes::from(text));
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

/// A JSON answer that was written in pieces.
pub(super) fn json_pieces(status: StatusCode, pieces: Vec<Bytes>) -> Answer {
    let bytes_left = pieces.iter().map(|piece| piece.len() as u64).sum();
    let mut answer = Response::new(Body::Gathered { rest: pieces.into_iter(), bytes_left });
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

/// 201 with the address of what was made.
pub(super) fn created(value: &Value, location: &str) -> Answer {
    let mut answer = json(StatusCode::CREATED, value);
    if let Ok(location) = HeaderValue::from_str(location) {
        answer.headers_mut().insert(LOCATION, location);
    }
    answer
}

/// The answer with the tag of what it shows.
pub(super) fn tagged(mut answer: Answer, tag: Option<String>) -> Answer {
    if let Some(tag) = tag.and_then(|tag| HeaderValue::from_str(&tag).ok()) {
        answer.headers_mut().insert(ETAG, tag);
    }
    answer
}

/// The answer to a refused request.
pub(super) fn refused(err: &RequestError) -> Answer {
    let status = StatusCode::from_u16(err.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    json(status, &error_body(status, &err.to_string()))
}

/// What the router itself answers: the error body without a content type.
pub(super) fn routing(status: StatusCode) -> Answer {
    let reason = match status {
        StatusCode::PAYLOAD_TOO_LARGE => "Request Entity Too Large",
        _ => status.canonical_reason().unwrap_or_default(),
    };
    let body = error_body(status, &format!("HTTP {} {reason}", status.as_u16()));
    with_body(status, Bytes::from(java_json::to_text(&body)))
}

/// What the HTTP layer answers to paths it refuses.
pub(super) fn bad_path() -> Answer {
    let mut answer = empty(StatusCode::BAD_REQUEST);
    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    answer
}

/// The answer to OPTIONS.
pub(super) fn options(allow: &str, other_type: Option<&HeaderValue>) -> Answer {
    // Only text lists the methods in the body, too.
    let body = if other_type.is_some() { String::new() } else { allow.replace(',', ", ") };
    let mut answer = with_body(StatusCode::OK, Bytes::from(body));
    let media = other_type.cloned().unwrap_or_else(|| HeaderValue::from_static("text/plain"));
    answer.headers_mut().insert(CONTENT_TYPE, media);
    if let Ok(allow) = HeaderValue::from_str(allow) {
        answer.headers_mut().insert(ALLOW, allow);
    }
    answer
}

fn error_body(status: StatusCode, message: &str) -> Value {
    json!({ "error_code": status.as_u16(), "message": message })
}

/// Any other body; the caller says what it is.
pub(super) fn whole(status: StatusCode, body: Bytes) -> Answer {
    with_body(status, body)
}

/// A body whose first piece is there.
pub(super) fn pieces(status: StatusCode, first: Piece, rest: mpsc::Receiver<Piece>) -> Answer {
    let mut answer = Response::new(Body::Pieces { next: Some(first), rest, has_ended: false });
    *answer.status_mut() = status;
    answer
}

fn with_body(status: StatusCode, body: Bytes) -> Answer {
    let mut answer = Response::new(Body::Whole(Full::new(body)));
    *answer.status_mut() = status;
    answer
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    #[tokio::test]
    async fn gathered_pieces_come_in_frames_of_a_bounded_size_and_in_order() {
        let pieces: Vec<Bytes> = (0..40_000).map(|number| Bytes::from(format!("{number},"))).collect();
        let whole = pieces.concat();
        let mut body = json_pieces(StatusCode::OK, pieces).into_body();
        assert_eq!(hyper::body::Body::size_hint(&body).exact(), Some(whole.len() as u64));
        let mut got = Vec::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.unwrap().into_data().unwrap();
            assert!((1..=FRAME_BYTES).contains(&frame.len()));
            got.extend_from_slice(&frame);
        }
        assert_eq!(got, whole);
        assert!(hyper::body::Body::is_end_stream(&body));
    }

    #[tokio::test]
    async fn a_piece_larger_than_a_frame_goes_out_whole() {
        let pieces = vec![Bytes::from_static(b"{"), Bytes::from(vec![b'x'; 3 * FRAME_BYTES]), Bytes::new()];
        let answer = json_pieces(StatusCode::OK, pieces);
        let bytes = answer.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(bytes.len(), 1 + 3 * FRAME_BYTES);
    }
}
