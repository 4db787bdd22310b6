//! Conditional changes: a client may name the configuration it read, and the change is refused when another
//! one is there by now, so that two editors lose no update silently.
//!
//! Java has nothing like it and ignores such headers. Source: RFC 9110, section 13.

use aws_lc_rs::digest::{SHA256, digest};
use lakeward_controlplane_core::{Properties, java_json};
use serde_json::json;

use super::RequestError;

/// Which configuration of a connector a change may replace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Expected {
    /// Whatever is there (no condition).
    #[default]
    Anything,
    /// None: the connector must not exist (`If-None-Match: *`).
    Nothing,
    /// One of these tags (`If-Match`).
    OneOf(Vec<String>),
    /// Any: the connector must exist (`If-Match: *`).
    Something,
}

impl Expected {
    /// Checks what is there against what the client expects.
    ///
    /// # Errors
    /// [`RequestError::Precondition`] with the remedy.
    pub(crate) fn check(&self, name: &str, current: Option<&Properties>) -> Result<(), RequestError> {
        let holds = match self {
            Self::Anything => true,
            Self::Nothing => current.is_none(),
            Self::OneOf(tags) => current.is_some_and(|config| tags.contains(&tag(config))),
            Self::Something => current.is_some(),
        };
        if holds {
            return Ok(());
        }
        Err(RequestError::Precondition(match current {
            None => format!("Connector {name} does not exist, and the request expects a configuration of it"),
            Some(_) if *self == Self::Nothing => {
                format!("Connector {name} exists, and the request expects that it does not")
            }
            Some(_) => format!(
                "The configuration of connector {name} is another one by now. Read it again, repeat the \
                 change on it and send its ETag as If-Match"
            ),
        }))
    }
}

/// The entity tag of a configuration: the same on every worker and after every restart, whatever the order of
/// its entries.
pub(crate) fn tag(config: &Properties) -> String {
    let mut entries: Vec<_> = config.iter().collect();
    entries.sort_unstable();
    let hash = digest(&SHA256, java_json::to_text(&json!(entries)).as_bytes());
    let hex: String = hash.as_ref()[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("\"{hex}\"")
}
