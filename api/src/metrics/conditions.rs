//! Whether an object store keeps the conditions of writes ("only if nothing is there"), as far as a worker
//! found out.
//!
//! One value per store and process, shared by the tasks that write there. Any thread writes, any thread
//! reads.

use std::sync::{Mutex, PoisonError};

/// What is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Conditions {
    /// The store was not asked yet, or has not answered yet.
    Asking,
    /// An object that was there was not replaced.
    Honoured,
    /// It was, although the request forbade it.
    Ignored,
    /// Nobody asks; why.
    NotAsked(&'static str),
    /// The question itself failed; why.
    Unknown(String),
    /// The store says that it does not know such requests; its words.
    Unsupported(String),
}

impl Conditions {
    /// Its name in answers and on pages.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Asking => "asking",
            Self::Honoured => "honoured",
            Self::Ignored => "ignored",
            Self::NotAsked(_) => "not_asked",
            Self::Unknown(_) => "unknown",
            Self::Unsupported(_) => "unsupported",
        }
    }

    /// Why it is so, where that needs saying. No secrets, and nothing of a record.
    pub fn cause(&self) -> Option<&str> {
        match self {
            Self::NotAsked(cause) => Some(cause),
            Self::Unknown(cause) | Self::Unsupported(cause) => Some(cause),
            Self::Asking | Self::Honoured | Self::Ignored => None,
        }
    }
}

/// What is known about one store.
#[derive(Debug)]
pub struct StoreConditions(Mutex<Known>);

#[derive(Debug)]
struct Known {
    writes: Conditions,
    completions: Conditions,
}

impl StoreConditions {
    /// With what is known at first, of whatever request.
    pub fn new(conditions: Conditions) -> Self {
        Self(Mutex::new(Known { writes: conditions.clone(), completions: conditions }))
    }

    /// What is known now about objects of one request.
    pub fn get(&self) -> Conditions {
        self.known(|known| known.writes.clone())
    }

    /// What is known now about completions of uploads in parts.
    pub fn completions(&self) -> Conditions {
        self.known(|known| known.completions.clone())
    }

    /// Something was found out.
    pub fn set(&self, writes: Conditions, completions: Conditions) {
        self.known(|known| *known = Known { writes, completions });
    }

    fn known<T>(&self, look: impl FnOnce(&mut Known) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
