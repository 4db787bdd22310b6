//! How fast one bucket may be asked: when it says that it is busy, everybody in this process waits a little,
//! longer with every round in which it says so again.
//!
//! Owns the arithmetic over moments that are given to it; [`Pace::wait`] alone looks at the clock.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::shared::random_up_to;

/// The pace of one bucket.
#[derive(Debug, Default)]
pub(super) struct Pace {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Nobody asks before.
    opens: Option<Instant>,
    /// How long the pause before `opens` is.
    pause: Duration,
    /// Rounds in which the store was busy.
    rounds: u32,
}

impl Pace {
    /// Waits until requests may go out. Those that waited do not go out in one moment.
    pub(super) async fn wait(&self) {
        let Some(wait) = self.wait_from(Instant::now()) else { return };
        tokio::time::sleep(wait).await;
    }

    fn wait_from(&self, now: Instant) -> Option<Duration> {
        let state = self.state();
        let left = state.opens?.checked_duration_since(now).filter(|left| !left.is_zero())?;
        Some(left + random_up_to(state.pause / 2))
    }

    /// The store is busy, and perhaps said for how long.
    pub(super) fn slow_down(&self, now: Instant, after: Option<Duration>) {
        let mut state = self.state();
        if state.opens.is_some_and(|opens| now < opens) {
            // Requests that were under way when the others began to wait.
            return;
        }
        let pause = PAUSE.saturating_mul(1 << state.rounds.min(ROUNDS_MAX)).max(after.unwrap_or_default());
        state.pause = pause.min(PAUSE_MAX);
        state.rounds = (state.rounds + 1).min(ROUNDS_MAX);
        state.opens = Some(now + state.pause);
    }

    /// The store answered as usual.
    pub(super) fn went_well(&self, now: Instant) {
        let mut state = self.state();
        // Not those that were under way: the first answer after the pause counts.
        if state.rounds > 0 && state.opens.is_none_or(|opens| now >= opens) {
            state.rounds -= 1;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const PAUSE: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(20);
const ROUNDS_MAX: u32 = 8;

#[cfg(test)]
mod tests {
    use super::*;

    /// The pause that begins now, without its random part.
    fn pause(pace: &Pace) -> Duration {
        pace.state().pause
    }

    #[test]
    fn everybody_waits_after_a_busy_answer_and_longer_when_it_repeats() {
        let (pace, now) = (Pace::default(), Instant::now());
        assert_eq!(pace.wait_from(now), None);
        pace.slow_down(now, None);
        let wait = pace.wait_from(now).unwrap();
        assert!(wait >= PAUSE && wait <= PAUSE * 3 / 2, "{wait:?}");
        // Answers to requests that were under way change nothing.
        pace.slow_down(now + PAUSE / 2, None);
        assert_eq!(pause(&pace), PAUSE);
        let later = now + PAUSE;
        assert_eq!(pace.wait_from(later), None);
        pace.slow_down(later, None);
        assert_eq!(pause(&pace), PAUSE * 2);
    }

    #[test]
    fn the_pause_has_an_end_and_shrinks_when_the_store_recovers() {
        let (pace, mut now) = (Pace::default(), Instant::now());
        for _ in 0..40 {
            pace.slow_down(now, None);
            now += PAUSE_MAX;
        }
        assert_eq!(pause(&pace), PAUSE_MAX);
        for _ in 0..ROUNDS_MAX {
            pace.went_well(now);
        }
        pace.slow_down(now, None);
        assert_eq!(pause(&pace), PAUSE);
    }

    #[test]
    fn the_store_may_say_how_long_within_reason() {
        let (pace, now) = (Pace::default(), Instant::now());
        pace.slow_down(now, Some(Duration::from_secs(3)));
        assert_eq!(pause(&pace), Duration::from_secs(3));
        pace.slow_down(now + Duration::from_secs(3), Some(Duration::from_secs(86_400)));
        assert_eq!(pause(&pace), PAUSE_MAX);
    }
}
