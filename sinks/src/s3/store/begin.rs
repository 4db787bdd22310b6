//! Beginning multipart uploads. When the answer of a begin is lost, the store may hold an upload whose number
//! nobody knows, and which costs money until somebody gives it up: it is looked for before another is begun
//! under its name.
//!
//! Names are a function of the records (ARCHITECTURE.md), so a task that starts over begins the same upload
//! again: what could not be found at once is found then, unless the process ended. Touches only uploads of
//! exactly this name, begun since, that have no part. A request that arrives even later than that stays for
//! `lakeward.s3.abort.orphans.after.ms` or a lifecycle rule.
//!
//! A task that was frozen may look when its partition has another owner, who makes an object of the same
//! name. That one's upload is told by its parts; begun a moment ago it has none yet and may be given up,
//! which the owner is told, and begins again. Lists of uploads have no room for a token.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use lakeward_objectstore::fault::is_unanswered;
use object_store::path::Path;
use object_store::{MultipartUpload, PutMultipartOptions};

use super::Store;
use super::orphans::give_up_since;
use super::s3::S3Side;

impl Store {
    /// Begins the upload of the object `name`.
    ///
    /// # Errors
    /// Those of the store, after as many tries as requests have.
    pub(crate) async fn begin(&self, name: &Path) -> object_store::Result<Box<dyn MultipartUpload>> {
        let options = PutMultipartOptions::default;
        let Some(s3) = &self.s3 else { return self.client.put_multipart_opts(name, options()).await };
        let place = format!("{} {} {name}", self.endpoint, self.bucket);
        let mut tries = 1;
        loop {
            give_up_lost(s3, &place, name).await;
            let began = Instant::now();
            let err = match self.client.put_multipart_opts(name, options()).await {
                Err(err) if is_unanswered(&err) => err,
                other => return other,
            };
            remember(&place, began);
            if tries >= s3.transport.patience().tries_max {
                return Err(err);
            }
            tracing::info!(object = %name, tries, "an upload whose begin was not answered is begun again");
            s3.transport.pause(tries).await;
            tries += 1;
        }
    }
}

/// Gives up what begins without an answer left behind.
async fn give_up_lost(s3: &S3Side, place: &str, name: &Path) {
    let since = lost().get(place).copied();
    let Some(since) = since else { return };
    match give_up_since(s3, name, since).await {
        Ok(count) => {
            tracing::info!(object = %name, count, "uploads whose begin was not answered given up");
            lost().remove(place);
        }
        Err(err) => {
            tracing::warn!(
                object = %name, error = %err,
                "an upload whose begin was not answered may be left (s3:ListBucketMultipartUploads, \
                 s3:ListMultipartUploadParts, s3:AbortMultipartUpload); a lifecycle rule may have to remove \
                 it"
            );
        }
    }
}

fn remember(place: &str, began: Instant) {
    let mut lost = lost();
    if lost.len() < LOST_MAX {
        lost.entry(place.to_owned()).or_insert(began);
    }
}

fn lost() -> std::sync::MutexGuard<'static, BTreeMap<String, Instant>> {
    LOST.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Names of a megabyte at most.
const LOST_MAX: usize = 1024;

/// By store, bucket and name: when the first begin that was not answered was sent. It outlives tasks, which
/// start over when the store does not answer.
static LOST: Mutex<BTreeMap<String, Instant>> = Mutex::new(BTreeMap::new());
