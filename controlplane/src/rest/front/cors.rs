//! Which web pages may ask.
//!
//! Owns the headers only: Java delivers preflight requests to the resources, too, and never refuses an
//! origin. Source: Jetty's `CrossOriginHandler` as `RestServer` sets it up, Kafka 4.1.

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, Method};
use lakeward_transforms::JavaRegex;

const DEFAULT_METHODS: &str = "GET,POST,HEAD";

enum Allowed {
    Any,
    Pattern(JavaRegex),
}

/// Allowed origins and methods.
pub(super) struct Cors {
    origins: Vec<Allowed>,
    methods: HeaderValue,
}

impl Cors {
    /// From the two settings; `None` when no origin is given.
    pub(super) fn new(origins: &str, methods: &str) -> Result<Option<Self>, String> {
        if origins.trim().is_empty() {
            return Ok(None);
        }
        let origins = list(origins).map(|origin| match origin {
            "*" => Ok(Allowed::Any),
            pattern => JavaRegex::new(pattern).map(Allowed::Pattern),
        });
        let origins = origins.collect::<Result<_, _>>()?;
        let methods: Vec<&str> = list(methods).collect();
        let methods = if methods.is_empty() { DEFAULT_METHODS.to_owned() } else { methods.join(",") };
        let methods = HeaderValue::from_str(&methods)
            .map_err(|_| "access.control.allow.methods has characters that headers cannot have".to_owned())?;
        Ok(Some(Self { origins, methods }))
    }

    fn allows(&self, origin: &str) -> bool {
        self.origins.iter().any(|allowed| match allowed {
            Allowed::Any => true,
            Allowed::Pattern(pattern) => pattern.matches(origin).unwrap_or(false),
        })
    }

    pub(super) fn apply(&self, method: &Method, request: &HeaderMap, answer: &mut HeaderMap) {
        answer.insert(VARY, HeaderValue::from_static("Origin"));
        let Some(origin) = request.get(ORIGIN) else { return };
        if !origin.to_str().is_ok_and(|origin| self.allows(origin)) {
            return;
        }
        answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        if *method == Method::OPTIONS && request.contains_key(ACCESS_CONTROL_REQUEST_METHOD) {
            answer.insert(ACCESS_CONTROL_ALLOW_METHODS, self.methods.clone());
            answer.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("Content-Type"));
            answer.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("60"));
        }
    }
}

fn list(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_origins_and_methods_are_listed() {
        let cors = Cors::new("http://a.example, http://b.*", "GET,PUT").unwrap().unwrap();
        for (origin, is_allowed) in [
            ("http://a.example", true),
            ("http://a.example.org", false),
            ("http://b.x", true),
            ("http://c", false),
        ] {
            assert_eq!(cors.allows(origin), is_allowed, "{origin}");
        }
        assert_eq!(cors.methods, "GET,PUT");
        assert!(Cors::new("*", "").unwrap().unwrap().allows("null"));
        assert!(Cors::new(" ", "GET").unwrap().is_none());
        assert!(Cors::new("(", "").is_err());
    }
}
