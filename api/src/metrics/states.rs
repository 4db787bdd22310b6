//! How long a task was in which state.
//!
//! Source: `StateTracker`, Kafka 4.1.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

/// The state of a task, as its metrics show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskState {
    /// It gave up.
    Failed,
    /// It keeps its assignment and moves no records.
    Paused,
    /// It moves records.
    Running,
    /// It was not started yet.
    Unassigned,
}

impl TaskState {
    const ALL: [Self; 4] = [Self::Unassigned, Self::Running, Self::Paused, Self::Failed];

    /// The text of the attribute `status`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Paused => "paused",
            Self::Running => "running",
            Self::Unassigned => "unassigned",
        }
    }

    fn index(self) -> usize {
        Self::ALL.iter().position(|known| *known == self).unwrap_or_default()
    }
}

/// Times by state, from the creation of the task.
#[derive(Debug)]
pub struct StateTimes {
    state: AtomicU8,
    since_ms: AtomicU64,
    /// By [`TaskState::index`], without the present stay.
    total_ms: [AtomicU64; 4],
}

impl StateTimes {
    /// Unassigned from `now_ms` on.
    pub fn new(now_ms: u64) -> Self {
        Self { state: AtomicU8::new(0), since_ms: AtomicU64::new(now_ms), total_ms: Default::default() }
    }

    /// The task is in `state` from `now_ms` on.
    pub fn enter(&self, state: TaskState, now_ms: u64) {
        let since_ms = self.since_ms.swap(now_ms, Ordering::Relaxed);
        let before = &self.total_ms[self.state().index()];
        before.fetch_add(now_ms.saturating_sub(since_ms), Ordering::Relaxed);
        self.state.store(state.index() as u8, Ordering::Relaxed);
    }

    /// The present state.
    pub fn state(&self) -> TaskState {
        TaskState::ALL[usize::from(self.state.load(Ordering::Relaxed))]
    }

    /// The share of the time since the creation that was spent in `state`: 0 to 1.
    pub fn share(&self, state: TaskState, now_ms: u64) -> f64 {
        let present = now_ms.saturating_sub(self.since_ms.load(Ordering::Relaxed));
        let total = |index: usize| {
            let stay = if self.state().index() == index { present } else { 0 };
            self.total_ms[index].load(Ordering::Relaxed) + stay
        };
        let all: u64 = (0..TaskState::ALL.len()).map(total).sum();
        if all == 0 { 0.0 } else { total(state.index()) as f64 / all as f64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_of_the_time_since_the_creation() {
        let times = StateTimes::new(1_000);
        assert_eq!(times.share(TaskState::Running, 1_000), 0.0);
        times.enter(TaskState::Running, 1_100);
        times.enter(TaskState::Paused, 1_400);
        times.enter(TaskState::Running, 1_900);
        // 100 unassigned, 300 + 100 running, 500 paused.
        assert_eq!(times.share(TaskState::Running, 2_000), 0.4);
        assert_eq!(times.share(TaskState::Paused, 2_000), 0.5);
        assert_eq!(times.share(TaskState::Unassigned, 2_000), 0.1);
        assert_eq!(times.share(TaskState::Failed, 2_000), 0.0);
        assert_eq!(times.state().as_str(), "running");
    }
}
