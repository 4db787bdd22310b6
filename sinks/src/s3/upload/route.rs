//! Where the outcome of an upload goes: to the task that owns it, which may change while its file is open.
//!
//! An outcome that nobody owns waits here. The lock is held for as long as it takes to look.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lakeward_api::bridge::Waker;

use super::{Ending, Outcome, UploadId};
use crate::s3::error::S3SinkError;

/// Shared by an upload and whoever owns it.
#[derive(Clone, Default)]
pub(super) struct Route(Arc<Mutex<State>>);

#[derive(Default)]
enum State {
    /// Told to an owner.
    Told,
    /// Over, and nobody knows.
    Untold(Result<Ending, S3SinkError>),
    #[default]
    Unowned,
    Owned(Owner),
}

/// A task that waits for an outcome.
pub(super) struct Owner {
    pub(super) upload: UploadId,
    pub(super) outcomes: flume::Sender<Outcome>,
    pub(super) waker: Waker,
}

impl Owner {
    fn tell(self, result: Result<Ending, S3SinkError>) {
        let upload = self.upload;
        if self.outcomes.send(Outcome { upload, result }).is_err() {
            tracing::debug!(upload = upload.0, "the task is gone, nobody waits for this upload");
        }
        self.waker.wake();
    }
}

impl Route {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `owner` gets the outcome, at once when there is one already.
    pub(super) fn own(&self, owner: Owner) {
        let mut state = self.state();
        match std::mem::replace(&mut *state, State::Told) {
            State::Untold(result) => owner.tell(result),
            State::Told => {}
            State::Owned(_) | State::Unowned => *state = State::Owned(owner),
        }
    }

    /// Nobody gets the outcome for now. False when the owner was told already.
    pub(super) fn disown(&self) -> bool {
        let mut state = self.state();
        match std::mem::take(&mut *state) {
            State::Told => {
                *state = State::Told;
                false
            }
            State::Untold(result) => {
                *state = State::Untold(result);
                true
            }
            State::Owned(_) | State::Unowned => true,
        }
    }

    /// Whether the upload goes on.
    pub(super) fn is_open(&self) -> bool {
        matches!(*self.state(), State::Owned(_) | State::Unowned)
    }

    /// The upload is over.
    pub(super) fn tell(&self, result: Result<Ending, S3SinkError>) {
        let mut state = self.state();
        *state = match std::mem::take(&mut *state) {
            State::Owned(owner) => {
                owner.tell(result);
                State::Told
            }
            State::Told => State::Told,
            State::Unowned | State::Untold(_) => State::Untold(result),
        };
    }
}
