//! What errors of the client mean. It keeps the status of a failed request private, so that is read from the
//! error's text (`RequestError` of object_store 0.14).

use std::error::Error as _;

use http::StatusCode;
use object_store::client::{HttpError, HttpErrorKind};

/// True when the request may have been done although its answer never came.
pub fn is_unanswered(err: &object_store::Error) -> bool {
    let mut causes = causes(err);
    causes
        .find_map(|cause| cause.downcast_ref::<HttpError>())
        .is_some_and(|http| !matches!(http.kind(), HttpErrorKind::Connect))
}

/// True when the same request may succeed later.
pub fn is_transient(err: &object_store::Error) -> bool {
    for cause in causes(err) {
        if let Some(http) = cause.downcast_ref::<HttpError>() {
            return !matches!(http.kind(), HttpErrorKind::Decode);
        }
        if cause.downcast_ref::<std::io::Error>().is_some_and(is_transient_io) {
            return true;
        }
    }
    let text = err.to_string();
    let status = text.split_once("status code: ").map(|(_, rest)| rest);
    status.is_some_and(|status| {
        status.starts_with('5') || status.starts_with("429") || status.starts_with("408")
    }) || text.contains("SlowDown")
        || text.contains("InternalError")
}

fn causes(err: &object_store::Error) -> impl Iterator<Item = &(dyn std::error::Error + 'static)> {
    let mut next = err.source();
    std::iter::from_fn(move || {
        let cause = next?;
        next = cause.source();
        Some(cause)
    })
}

fn is_transient_io(err: &std::io::Error) -> bool {
    use std::io::ErrorKind;
    matches!(
        err.kind(),
        ErrorKind::ConnectionAborted
            | ErrorKind::ConnectionRefused
            | ErrorKind::ConnectionReset
            | ErrorKind::Interrupted
            | ErrorKind::StorageFull
            | ErrorKind::TimedOut
            | ErrorKind::UnexpectedEof
    )
}

/// True when the store says that it does not know this kind of request, in anybody's words.
pub fn is_unsupported(err: &object_store::Error) -> bool {
    let is_told =
        matches!(err, object_store::Error::NotImplemented { .. } | object_store::Error::NotSupported { .. });
    is_told || has_code(err, &["status code: 501", "<Code>NotImplemented</Code>"])
}

/// True when the store says that the bucket does not exist, in S3's or Azure's words.
pub fn is_missing_bucket(err: &object_store::Error) -> bool {
    has_code(err, &["NoSuchBucket", "ContainerNotFound"])
}

/// True when the store no longer has what was sent of an upload, in S3's, Azure's or our words
/// ([`SESSION_GONE`]). It may have made an object of it, and the answer was lost.
pub fn is_missing_upload(err: &object_store::Error) -> bool {
    has_code(err, &["NoSuchUpload", "InvalidBlockList", SESSION_GONE])
}

/// What an error says whose session of GCS is not there any more.
pub const SESSION_GONE: &str = "the session is gone";

/// True when the store does not know the identity, or its signature is wrong, in S3's or Azure's words.
pub fn is_bad_identity(err: &object_store::Error) -> bool {
    let is_unknown = matches!(err, object_store::Error::Unauthenticated { .. });
    is_unknown || has_code(err, &BAD_IDENTITY)
}

fn has_code(err: &object_store::Error, codes: &[&str]) -> bool {
    let text = err.to_string();
    codes.iter().any(|code| text.contains(code))
}

/// The error of an answer, in the client's kinds.
pub fn failed(what: &str, status: StatusCode, body: &[u8]) -> object_store::Error {
    let body = String::from_utf8_lossy(&body[..body.len().min(TEXT_BYTES_MAX)]);
    let source = format!("{what}: server returned non-2xx status code: {status}: {body}").into();
    let path = String::new();
    match status {
        StatusCode::NOT_FOUND => object_store::Error::NotFound { path, source },
        StatusCode::FORBIDDEN => object_store::Error::PermissionDenied { path, source },
        StatusCode::UNAUTHORIZED => object_store::Error::Unauthenticated { path, source },
        StatusCode::PRECONDITION_FAILED | StatusCode::CONFLICT => {
            object_store::Error::Precondition { path, source }
        }
        _ => generic(source),
    }
}

/// An error that is no answer.
pub fn generic(source: Box<dyn std::error::Error + Send + Sync>) -> object_store::Error {
    object_store::Error::Generic { store: "object store", source }
}

/// More of an error helps nobody.
const TEXT_BYTES_MAX: usize = 2048;

/// What stores answer to an identity that they do not know.
const BAD_IDENTITY: [&str; 8] = [
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "ExpiredToken",
    "InvalidToken",
    "AuthenticationFailed",
    "InvalidAuthenticationInfo",
    "NoAuthenticationInformation",
    "Server failed to authenticate the request",
];
