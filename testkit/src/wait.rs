//! Waiting for what another process does, with a deadline and a last look in the failure text.

use std::fmt::Debug;
use std::time::{Duration, Instant};

/// Pause between two looks: short against what is waited for, long enough to leave the processor to it.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);

/// Calls `look` until it answers `Ok`, and returns that answer.
///
/// # Panics
/// After `patience`, with `what` and the last `Err`, so that a test tells what it saw instead.
pub fn wait_for<T, E: Debug>(what: &str, patience: Duration, mut look: impl FnMut() -> Result<T, E>) -> T {
    let deadline = Instant::now() + patience;
    loop {
        match look() {
            Ok(found) => return found,
            Err(seen) if Instant::now() > deadline => {
                panic!("waited {patience:?} for {what}; last seen: {seen:?}")
            }
            Err(_) => std::thread::sleep(LOOK_INTERVAL),
        }
    }
}

/// Fallible form of [`wait_for`] for components that start: `look` answers `Ok(None)` while not ready, and
/// its error ends the waiting at once.
pub fn ready<T>(
    what: &str,
    patience: Duration,
    mut look: impl FnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(found) = look()? {
            return Ok(found);
        }
        anyhow::ensure!(Instant::now() < deadline, "{what} was not ready after {patience:?}");
        std::thread::sleep(LOOK_INTERVAL);
    }
}
