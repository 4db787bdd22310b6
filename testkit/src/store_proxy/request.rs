//! Requests as the stores tell them apart: by method, address, and the range of what is sent.

use hyper::header::CONTENT_RANGE;
use hyper::http::request::Parts;
use hyper::{Method, Uri};

/// A request, in the words of S3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// Drops a multipart upload.
    Abort,
    /// Begins a multipart upload. Azure has no such request.
    Begin,
    /// Completes a multipart upload.
    Complete,
    /// Lists objects.
    List,
    /// Reads an object or asks for it.
    Other,
    /// One part of a multipart upload.
    Part,
    /// Asks what a store does about conditions.
    Probe,
    /// The same of an upload in parts: any request of it.
    ProbeInParts,
    /// A whole object.
    Put,
}

impl Request {
    /// What S3, GCS or Azure takes a request for.
    pub(super) fn of(head: &Parts) -> Self {
        if head.uri.path().contains(".lakeward-probe")
            || parameter(&head.uri, "name").contains(".lakeward-probe")
        {
            let is_in_parts = ["uploads", "uploadId"].iter().any(|name| has(&head.uri, name))
                || parameter(&head.uri, "comp") == "blocklist"
                || parameter(&head.uri, "uploadType") == "resumable";
            return if is_in_parts { Self::ProbeInParts } else { Self::Probe };
        }
        let path = head.uri.path();
        if path.starts_with("/upload/storage/v1/") || path.starts_with("/storage/v1/") {
            return Self::of_gcs(head);
        }
        let (has, comp) = (|name: &str| has(&head.uri, name), parameter(&head.uri, "comp"));
        match head.method {
            Method::DELETE if has("uploadId") => Self::Abort,
            Method::GET if has("list-type") || comp == "list" => Self::List,
            Method::POST if has("uploads") => Self::Begin,
            Method::POST if has("uploadId") => Self::Complete,
            Method::PUT if has("partNumber") || comp == "block" => Self::Part,
            Method::PUT if comp == "blocklist" => Self::Complete,
            Method::PUT if has("restype") => Self::Other,
            Method::PUT => Self::Put,
            _ => Self::Other,
        }
    }

    fn of_gcs(head: &Parts) -> Self {
        let range = head.headers.get(CONTENT_RANGE).and_then(|range| range.to_str().ok()).unwrap_or_default();
        let is_upload = head.uri.path().starts_with("/upload/");
        match head.method {
            Method::DELETE if is_upload => Self::Abort,
            Method::GET if head.uri.path().ends_with("/o") => Self::List,
            Method::POST if parameter(&head.uri, "uploadType") == "media" => Self::Put,
            Method::POST if is_upload => Self::Begin,
            // How much of it is there?
            Method::PUT if range == "bytes */*" => Self::Other,
            Method::PUT if range.ends_with("/*") => Self::Part,
            Method::PUT if is_upload => Self::Complete,
            _ => Self::Other,
        }
    }
}

fn has(uri: &Uri, name: &str) -> bool {
    let pairs = uri.query().unwrap_or_default().split('&');
    pairs.into_iter().any(|pair| pair.split('=').next() == Some(name))
}

/// The value of a parameter as it is sent; empty for none.
pub(super) fn parameter<'a>(uri: &'a Uri, name: &str) -> &'a str {
    let mut pairs = uri.query().unwrap_or_default().split('&');
    let value = pairs.find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    value.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(method: Method, uri: &str) -> Request {
        kind_of(method, uri, "")
    }

    fn kind_of(method: Method, uri: &str, range: &str) -> Request {
        let request = hyper::Request::builder().method(method).uri(uri).header(CONTENT_RANGE, range);
        Request::of(&request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn requests_of_s3_are_told_apart() {
        assert_eq!(kind(Method::PUT, "/b/a+1.json"), Request::Put);
        assert_eq!(kind(Method::PUT, "/b/topics/.lakeward-probe"), Request::Probe);
        for (method, query) in [(Method::POST, "uploads"), (Method::DELETE, "uploadId=x")] {
            let asked = format!("/b/topics/.lakeward-probe?{query}");
            assert_eq!(kind(method, &asked), Request::ProbeInParts);
        }
        assert_eq!(kind(Method::PUT, "/b/a?partNumber=1&uploadId=x"), Request::Part);
        assert_eq!(kind(Method::POST, "/b/a?uploads"), Request::Begin);
        assert_eq!(kind(Method::POST, "/b/a?uploads="), Request::Begin);
        assert_eq!(kind(Method::POST, "/b/a?uploadId=x"), Request::Complete);
        assert_eq!(kind(Method::DELETE, "/b/a?uploadId=x"), Request::Abort);
        assert_eq!(kind(Method::GET, "/b?list-type=2&prefix="), Request::List);
        assert_eq!(kind(Method::GET, "/b/a"), Request::Other);
    }

    #[test]
    fn requests_of_gcs_are_told_apart() {
        let objects = "/upload/storage/v1/b/lake/o";
        let session = format!("{objects}?uploadType=resumable&name=a&upload_id=1");
        assert_eq!(kind(Method::POST, &format!("{objects}?uploadType=media&name=a")), Request::Put);
        let probe = format!("{objects}?uploadType=media&name=topics%2F.lakeward-probe");
        assert_eq!(kind(Method::POST, &probe), Request::Probe);
        assert_eq!(kind(Method::POST, &format!("{objects}?uploadType=resumable&name=a")), Request::Begin);
        assert_eq!(kind_of(Method::PUT, &session, "bytes 0-9/*"), Request::Part);
        assert_eq!(kind_of(Method::PUT, &session, "bytes */*"), Request::Other);
        assert_eq!(kind_of(Method::PUT, &session, "bytes 10-19/20"), Request::Complete);
        assert_eq!(kind(Method::DELETE, &session), Request::Abort);
        assert_eq!(kind(Method::GET, "/storage/v1/b/lake/o?prefix=a"), Request::List);
        assert_eq!(kind(Method::GET, "/storage/v1/b/lake/o/a"), Request::Other);
    }

    #[test]
    fn requests_of_azure_are_told_apart() {
        assert_eq!(kind(Method::PUT, "/account/lake/a"), Request::Put);
        assert_eq!(kind(Method::PUT, "/account/lake/a?comp=block&blockid=x"), Request::Part);
        assert_eq!(kind(Method::PUT, "/account/lake/a?comp=blocklist"), Request::Complete);
        assert_eq!(kind(Method::PUT, "/account/lake?restype=container"), Request::Other);
        assert_eq!(kind(Method::GET, "/account/lake?restype=container&comp=list"), Request::List);
    }
}
