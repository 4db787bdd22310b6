//! A pulse from outside that keeps an io_uring shard from sleeping over ready tasks.
//!
//! glommio 0.9 parks with tasks ready to run when its preemption timer fires between polling for IO and the
//! first task (`run_task_queues` then answers that nothing ran). On a contended core that happens within
//! seconds, and only an event from outside gets the executor going again; a timer of its own does not,
//! because the task behind it may be among the forgotten ones. `tests/shard_progress.rs` fails without it.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};
use std::thread::{self, JoinHandle, Thread};
use std::time::Duration;

/// Bounds what a wrong park costs. An idle shard pays about 0.1 % of its core.
const INTERVAL: Duration = Duration::from_millis(20);

/// The shard's end: its task lends its waker to the pulse thread.
#[derive(Clone)]
pub(super) struct Pulse(Arc<Mutex<State>>);

enum State {
    Beating(Option<Waker>),
    Stopped,
}

/// The thread behind a pulse; it ends when this is dropped.
pub(super) struct PulseThread {
    pulse: Pulse,
    thread: Option<JoinHandle<()>>,
}

impl Pulse {
    /// A task for the shard; it never ends and does nothing.
    pub(super) async fn beat(self) {
        poll_fn(|context| {
            let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if let State::Beating(waker) = &mut *state
                && !waker.as_ref().is_some_and(|known| known.will_wake(context.waker()))
            {
                *waker = Some(context.waker().clone());
            }
            Poll::<()>::Pending
        })
        .await;
    }

    /// Wakes the shard; `false` when the pulse was stopped.
    fn wake(&self) -> bool {
        match &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            State::Beating(waker) => {
                if let Some(waker) = waker {
                    waker.wake_by_ref();
                }
                true
            }
            State::Stopped => false,
        }
    }
}

impl PulseThread {
    /// Starts the thread of a shard's pulse.
    pub(super) fn start(index: usize) -> Result<Self, std::io::Error> {
        let pulse = Pulse(Arc::new(Mutex::new(State::Beating(None))));
        let beating = pulse.clone();
        let thread = thread::Builder::new().name(format!("pulse-{index}")).spawn(move || {
            while beating.wake() {
                thread::park_timeout(INTERVAL);
            }
        })?;
        Ok(Self { pulse, thread: Some(thread) })
    }

    /// The shard's end.
    pub(super) fn pulse(&self) -> Pulse {
        self.pulse.clone()
    }
}

impl Drop for PulseThread {
    fn drop(&mut self) {
        *self.pulse.0.lock().unwrap_or_else(PoisonError::into_inner) = State::Stopped;
        if let Some(thread) = self.thread.take() {
            Thread::unpark(thread.thread());
            if thread.join().is_err() {
                tracing::error!("a pulse ended by a panic");
            }
        }
    }
}
