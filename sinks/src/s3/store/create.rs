//! Objects that are written under a condition: nothing is replaced but what was seen before, and a write
//! whose answer was lost is settled by looking at what is there.
//!
//! Owns the decisions; clients send the requests. An object is told by the MD5 digest of its content, which
//! GCS and Azure keep with it. Under settings whose cuts follow from the records, or were decided
//! (decision 0009), a name has one content: finding it is finding one's own work, finding another is worth a
//! line in the log.

use async_trait::async_trait;
use md5::{Digest as _, Md5};
use object_store::path::Path;
use object_store::{Error, PutPayload, PutResult, Result};

/// The MD5 digest of an object's content.
pub(crate) type ContentDigest = [u8; 16];

/// An object that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Changes with every change of the object: what a condition is made of.
    pub(crate) tag: String,
    /// When the store knows it.
    pub(crate) digest: Option<ContentDigest>,
}

/// Finds objects.
#[async_trait]
pub(crate) trait Look: Sync {
    /// The object `name`; `None` when there is none.
    async fn look(&self, name: &Path) -> Result<Option<Seen>>;
}

/// What a write may replace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    /// Nothing.
    Absent,
    /// Anything.
    None,
    /// The object with this tag.
    Unchanged(String),
}

/// What is to be done for an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    /// Nothing: it is there, with this content.
    Adopt,
    Write(Condition),
}

/// Looks before an object is written. Without `digest` its content is not known yet.
///
/// # Errors
/// When the store does not say; an identity that may not look writes without a condition.
pub(crate) async fn plan(store: &impl Look, name: &Path, digest: Option<&ContentDigest>) -> Result<Plan> {
    match store.look(name).await {
        Ok(None) => Ok(Plan::Write(Condition::Absent)),
        Ok(Some(seen)) if digest.is_some() && seen.digest.as_ref() == digest => {
            tracing::debug!(object = %name, "an earlier task stored this object already");
            Ok(Plan::Adopt)
        }
        Ok(Some(seen)) => {
            tracing::info!(object = %name, "an object of this name is there and will be replaced");
            Ok(Plan::Write(Condition::Unchanged(seen.tag)))
        }
        Err(Error::PermissionDenied { .. }) => {
            tracing::debug!(object = %name, "objects may not be looked at: written without a condition");
            Ok(Plan::Write(Condition::None))
        }
        Err(err) => Err(err),
    }
}

/// What a write under `condition` came to. A failure that may have stored the object is settled by looking.
///
/// # Errors
/// The failure, when the object is not there with this content.
pub(crate) async fn settle(
    store: &impl Look,
    name: &Path,
    condition: &Condition,
    digest: Option<&ContentDigest>,
    written: Result<PutResult>,
) -> Result<PutResult> {
    let err = match written {
        Err(err) if *condition != Condition::None && may_be_stored(&err) => err,
        other => return other,
    };
    match store.look(name).await {
        Ok(Some(seen)) if digest.is_some() && seen.digest.as_ref() == digest => {
            tracing::info!(object = %name, error = %err, "the object is there although its request failed");
            Ok(stored())
        }
        _ => Err(err),
    }
}

fn may_be_stored(err: &Error) -> bool {
    !matches!(err, Error::NotFound { .. } | Error::PermissionDenied { .. } | Error::Unauthenticated { .. })
}

/// The digest of a payload.
pub(crate) fn digest_of(payload: &PutPayload) -> ContentDigest {
    let mut digest = Md5::new();
    payload.iter().for_each(|bytes| digest.update(bytes));
    digest.finalize().into()
}

/// Nobody asks these clients to change an object that they saw.
pub(crate) fn no_update() -> Error {
    Error::NotSupported { source: "conditions come from the configuration".into() }
}

/// An object is stored, and nobody asks for its version.
pub(crate) fn stored() -> PutResult {
    PutResult { e_tag: None, version: None, extensions: http::Extensions::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers with what it holds.
    struct One(fn() -> Result<Option<Seen>>);

    #[async_trait]
    impl Look for One {
        async fn look(&self, _name: &Path) -> Result<Option<Seen>> {
            (self.0)()
        }
    }

    const OURS: ContentDigest = [1; 16];

    fn ours() -> Result<Option<Seen>> {
        Ok(Some(Seen { tag: "7".to_owned(), digest: Some(OURS) }))
    }

    fn foreign() -> Result<Option<Seen>> {
        Ok(Some(Seen { tag: "8".to_owned(), digest: None }))
    }

    fn forbidden() -> Result<Option<Seen>> {
        Err(Error::PermissionDenied { path: "a".to_owned(), source: "no".into() })
    }

    fn conflict() -> Result<PutResult> {
        Err(Error::Precondition { path: "a".to_owned(), source: "412".into() })
    }

    async fn planned(found: fn() -> Result<Option<Seen>>, digest: Option<&ContentDigest>) -> Plan {
        plan(&One(found), &Path::from("a"), digest).await.unwrap()
    }

    #[tokio::test]
    async fn the_same_content_is_adopted_and_another_is_replaced_as_it_was_seen() {
        assert_eq!(planned(|| Ok(None), Some(&OURS)).await, Plan::Write(Condition::Absent));
        assert_eq!(planned(ours, Some(&OURS)).await, Plan::Adopt);
        assert_eq!(planned(ours, None).await, Plan::Write(Condition::Unchanged("7".to_owned())));
        assert_eq!(planned(foreign, Some(&OURS)).await, Plan::Write(Condition::Unchanged("8".to_owned())));
        assert_eq!(planned(forbidden, Some(&OURS)).await, Plan::Write(Condition::None));
    }

    #[tokio::test]
    async fn a_failed_write_counts_only_when_the_object_has_its_content() {
        let settled = async |found, condition: Condition, written| {
            settle(&One(found), &Path::from("a"), &condition, Some(&OURS), written).await.is_ok()
        };
        assert!(settled(ours, Condition::Absent, conflict()).await);
        assert!(!settled(foreign, Condition::Absent, conflict()).await, "not this task's work");
        assert!(!settled(|| Ok(None), Condition::Absent, conflict()).await);
        assert!(!settled(ours, Condition::None, conflict()).await, "nobody asked for a condition");
        let denied = || Err(Error::PermissionDenied { path: "a".to_owned(), source: "no".into() });
        assert!(!settled(ours, Condition::Absent, denied()).await, "a refusal stores nothing");
    }
}
