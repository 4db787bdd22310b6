//! The parts of an upload in the order of the file, whichever is stored first.

use std::sync::{Arc, Mutex, PoisonError};

use object_store::multipart::PartId;
use object_store::{Error, Result};

/// One place per part that was begun; filled when it is stored. Clones are the same parts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parts(Arc<Mutex<Vec<Option<PartId>>>>);

impl Parts {
    /// A place for the next part, and what it is told to when it is stored.
    pub(crate) fn begin(&self) -> (usize, Self) {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        places.push(None);
        (places.len() - 1, self.clone())
    }

    /// A part is stored.
    pub(crate) fn stored(&self, index: usize, part: PartId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)[index] = Some(part);
    }

    /// All parts.
    ///
    /// # Errors
    /// When one is not stored.
    pub(crate) fn take(&self) -> Result<Vec<PartId>> {
        let places = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let parts: Option<Vec<PartId>> = places.into_iter().collect();
        parts.ok_or_else(|| Error::Generic {
            store: "object store",
            source: "an upload was completed before all of its parts were stored".into(),
        })
    }
}
