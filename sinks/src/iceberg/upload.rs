//! The upload of one data file: pieces as they come, several requests at a time.
//!
//! # Memory
//! A piece is counted as in flight until the store has it.

use std::sync::Arc;

use bytes::Bytes;
use lakeward_api::bridge::Waker;
use lakeward_api::budget::Permit;
use lakeward_api::failpoint;
use object_store::path::Path;
use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt as _, UploadPart};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Bytes of a file, in order.
pub(super) enum Piece {
    /// More will follow.
    Part(Bytes, Permit),
    /// The file ends with them.
    Last(Bytes, Permit),
}

/// Where a file is uploaded to.
pub(super) struct Upload {
    pub(super) store: Arc<dyn ObjectStore>,
    pub(super) path: Path,
    /// Requests of the task that may be under way.
    pub(super) slots: Arc<Semaphore>,
    pub(super) waker: Waker,
}

type Outcome = object_store::Result<()>;

impl Upload {
    /// Stores what comes. Without a last piece nothing is left behind.
    ///
    /// # Errors
    /// The store's; the file is not there then.
    pub(super) async fn run(self, pieces: flume::Receiver<Piece>) -> Outcome {
        let mut parts = Parts { upload: None, under_way: JoinSet::new(), outcome: Ok(()) };
        let mut stored = false;
        while let Ok(piece) = pieces.recv_async().await {
            match piece {
                Piece::Part(bytes, permit) => parts.send(&self, bytes, permit).await,
                Piece::Last(bytes, permit) if parts.is_none() => {
                    let _slot = self.slots.acquire().await;
                    failpoint!("table.file.before_piece");
                    failpoint!("table.file.before_complete");
                    parts.outcome = self.store.put(&self.path, bytes.into()).await.map(drop);
                    failpoint!("table.file.after_piece");
                    failpoint!("table.file.after_complete");
                    stored = true;
                    drop(permit);
                }
                Piece::Last(bytes, permit) => {
                    if !bytes.is_empty() {
                        parts.send(&self, bytes, permit).await;
                    }
                    stored = parts.complete(&self).await;
                }
            }
        }
        if !stored {
            parts.give_up().await;
        }
        parts.outcome
    }
}

/// The pieces of a file that is uploaded in several requests.
struct Parts {
    upload: Option<Box<dyn MultipartUpload>>,
    under_way: JoinSet<Outcome>,
    outcome: Outcome,
}

impl Parts {
    fn is_none(&self) -> bool {
        self.upload.is_none() && self.outcome.is_ok()
    }

    /// After a failure nothing more is sent.
    async fn send(&mut self, of: &Upload, bytes: Bytes, permit: Permit) {
        while let Some(ended) = self.under_way.try_join_next() {
            self.take(ended);
        }
        if self.outcome.is_ok() && self.upload.is_none() {
            let _slot = of.slots.acquire().await;
            match of.store.put_multipart(&of.path).await {
                Ok(upload) => self.upload = Some(upload),
                Err(err) => self.outcome = Err(err),
            }
        }
        if let (Ok(()), Some(upload)) = (&self.outcome, &mut self.upload) {
            let part = upload.put_part(bytes.into());
            self.under_way.spawn(store_part(part, permit, Arc::clone(&of.slots), of.waker.clone()));
        }
    }

    /// Waits for all pieces, then makes the file of them; answers whether it is there.
    async fn complete(&mut self, of: &Upload) -> bool {
        self.wait().await;
        if let (Ok(()), Some(upload)) = (&self.outcome, &mut self.upload) {
            let _slot = of.slots.acquire().await;
            failpoint!("table.file.before_complete");
            self.outcome = upload.complete().await.map(drop);
            failpoint!("table.file.after_complete");
        }
        self.outcome.is_ok()
    }

    async fn give_up(&mut self) {
        self.under_way.shutdown().await;
        if let Some(upload) = &mut self.upload
            && let Err(err) = upload.abort().await
        {
            tracing::debug!(error = %err, "an upload that was given up could not be ended");
        }
    }

    async fn wait(&mut self) {
        while let Some(ended) = self.under_way.join_next().await {
            self.take(ended);
        }
    }

    fn take(&mut self, ended: Result<Outcome, tokio::task::JoinError>) {
        let outcome = ended.unwrap_or_else(|source| Err(object_store::Error::JoinError { source }));
        if self.outcome.is_ok() {
            self.outcome = outcome;
        }
    }
}

async fn store_part(part: UploadPart, permit: Permit, slots: Arc<Semaphore>, waker: Waker) -> Outcome {
    let _slot = slots.acquire().await;
    failpoint!("table.file.before_piece");
    let outcome = part.await;
    failpoint!("table.file.after_piece");
    drop(permit);
    waker.wake();
    outcome
}
