//! What requests meet before and after the resources: origins, headers, credentials.
//!
//! Owns the worker settings about them; the listeners of `/admin` alone have none of it. Source:
//! `RestServer`, Kafka 4.1.

mod auth;
mod cors;
mod header_rules;
mod jaas;

use http::request::Parts;

use super::answer::Answer;
use crate::error::ControlPlaneError;
use crate::herder::RequestError;
use crate::worker_config::WorkerConfig;
use auth::BasicAuth;
use cors::Cors;
use header_rules::HeaderRule;

/// The settings, ready for use.
#[derive(Default)]
pub(crate) struct Front {
    auth: Option<BasicAuth>,
    cors: Option<Cors>,
    headers: Vec<HeaderRule>,
}

impl Front {
    /// Reads the settings, and the files they name.
    ///
    /// # Errors
    /// Class `Config`, naming key and remedy of every problem.
    pub(crate) fn from_config(config: &WorkerConfig) -> Result<Self, ControlPlaneError> {
        let mut problems = Vec::new();
        let mut note = |name: &str, problem: String| {
            problems.push(format!("Invalid value for configuration {name}: {problem}"));
        };
        let headers = header_rules::parse(config.required("response.http.headers.config"));
        let headers = headers.unwrap_or_else(|problem| {
            note("response.http.headers.config", problem);
            Vec::new()
        });
        let (origins, methods) =
            (config.required("access.control.allow.origin"), config.required("access.control.allow.methods"));
        let cors = Cors::new(origins, methods).unwrap_or_else(|problem| {
            note("access.control.allow.origin", problem);
            None
        });
        let wants_auth = !config.required("rest.extension.classes").trim().is_empty();
        let auth = if wants_auth { Some(BasicAuth::from_config(config)) } else { None };
        let auth = auth.transpose().unwrap_or_else(|problem| {
            note("rest.extension.classes", problem);
            None
        });
        if problems.is_empty() {
            Ok(Self { auth, cors, headers })
        } else {
            Err(ControlPlaneError::Config { problems })
        }
    }

    /// Whether the request may reach its resource; otherwise what it is answered.
    pub(super) fn admit(&self, head: &Parts) -> Result<(), Result<Box<Answer>, RequestError>> {
        self.auth.as_ref().map_or(Ok(()), |auth| auth.check(&head.headers))
    }

    /// Adds the headers that every answer has.
    pub(super) fn dress(&self, head: &Parts, answer: &mut Answer) {
        for rule in &self.headers {
            rule.apply(answer.headers_mut());
        }
        if let Some(cors) = &self.cors {
            cors.apply(&head.method, &head.headers, answer.headers_mut());
        }
    }
}
