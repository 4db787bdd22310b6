//! What workers ask of each other, signed with the session key of the config topic.
//!
//! Workers of this kind ask for nothing, as their leader runs everything; the leader serves such requests all
//! the same, and other workers sign them anew and send them on to it. A standalone worker refuses them all.
//!
//! Source: `InternalClusterResource`, `InternalRequestSignature`,
//! `DistributedHerder#requestNotSignedProperly`, Kafka 4.1. Unlike Java, a request that is sent on keeps a
//! signature.

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, StatusCode};

use super::answer::{self, Answer};
use super::route::Resource;
use super::{Service, body, forward};
use crate::herder::{Command, Herder, RequestError};
use crate::signing::{Mac, Signing, from_base64};
use crate::worker_config::WorkerMode;

/// The signature in base64.
pub(super) const SIGNATURE: HeaderName = HeaderName::from_static("x-connect-authorization");
/// Java's name of its algorithm.
pub(super) const ALGORITHM: HeaderName = HeaderName::from_static("x-connect-request-signature-algorithm");

/// Answers a request for `resource`. `origin` is what the client called this worker.
pub(super) async fn serve(
    service: &Service,
    resource: Resource,
    head: &Parts,
    body: Bytes,
    origin: &str,
) -> Result<Answer, RequestError> {
    let herder = &service.herder;
    if herder.config().mode() == WorkerMode::Standalone {
        let unsupported = match head.method {
            Method::PUT => "exactly-once source connectors",
            _ => "externally setting task configurations",
        };
        let message = format!("Kafka Connect in standalone mode does not support {unsupported}.");
        return Err(RequestError::Internal(message));
    }
    let signing = Signing::of(herder.config());
    let command = match resource {
        Resource::ConnectorTasks(name) => {
            // Java reads the body before it looks at the signature.
            let tasks = body::task_configs(&body)?;
            check(herder, &signing, head, &body)?;
            let no_list = || RequestError::Internal("The task configurations are null".to_owned());
            Command::PutTasks { name, tasks: tasks.ok_or_else(no_list)? }
        }
        Resource::ConnectorFence(name) => {
            check(herder, &signing, head, &body)?;
            Command::Fence { name }
        }
        _ => return Err(RequestError::Internal("This is no request between workers".to_owned())),
    };
    match herder.request(command).await {
        Ok(_) => Ok(answer::empty(StatusCode::NO_CONTENT)),
        Err(RequestError::NotLeader) => {
            let head = signed(herder, &signing, head, &body);
            forward::relay(service, &head, body, origin).await
        }
        Err(err) => Err(err),
    }
}

/// Whether the request is that of a worker of this cluster.
fn check(herder: &Herder, signing: &Signing, head: &Parts, body: &[u8]) -> Result<(), RequestError> {
    let bad = |text: String| RequestError::BadRequest(text);
    let header = |name: &HeaderName| head.headers.get(name).and_then(|value| value.to_str().ok());
    let given = match (header(&SIGNATURE), header(&ALGORITHM)) {
        (Some(signature), Some(name)) => {
            let mac = Mac::named(name).ok_or_else(|| bad(format!("Algorithm {name} not available")))?;
            Some((mac, name, from_base64(signature).map_err(bad)?))
        }
        _ => None,
    };
    if !signing.is_required {
        return Ok(());
    }
    let Some((mac, name, signature)) = given else {
        return Err(bad("Internal request missing required signature".to_owned()));
    };
    if !signing.accepts.iter().any(|accepted| accepted == name) {
        return Err(bad(format!(
            "This worker does not support the '{name}' key signing algorithm used by other workers. This \
             worker is currently configured to use: [{}]. Check that all workers' configuration files permit \
             the same set of signature algorithms, and correct any misconfigured worker and restart it.",
            signing.accepts.join(", ")
        )));
    }
    let key = herder.view().config(|state| state.session_key().cloned()).ok_or_else(|| {
        RequestError::Unavailable(
            "This worker is still starting up and has not been able to read a session key from the config \
             topic yet"
                .to_owned(),
        )
    })?;
    if mac.is_valid(&key, body, &signature) {
        return Ok(());
    }
    Err(RequestError::Forbidden("Internal request contained invalid signature.".to_owned()))
}

/// The head under this worker's own signature, as far as there is a key.
fn signed(herder: &Herder, signing: &Signing, head: &Parts, body: &[u8]) -> Parts {
    let mut head = head.clone();
    let key = herder.view().config(|state| state.session_key().cloned());
    let signature = key.and_then(|key| signing.signs_with.sign(&key, body));
    let values = signature.as_deref().map(HeaderValue::from_str);
    if let (Some(Ok(signature)), Ok(name)) = (values, HeaderValue::from_str(&signing.signature_name)) {
        head.headers.insert(SIGNATURE, signature);
        head.headers.insert(ALGORITHM, name);
    }
    head
}
