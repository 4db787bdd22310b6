//! Finds tasks that should move and do not.
//!
//! Owns the judgement over readings of pulses. A task that takes no turn is blocked (in its connector's code,
//! or behind another task of its shard); one that takes turns but holds work that does not move waits for
//! something outside. A task without work is never stuck. No counterpart in Kafka Connect.

use std::collections::BTreeMap;

use lakeward_api::pulse::{PulseReading, Waiting};
use lakeward_api::runtime::TaskId;

/// A task that is stuck.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stuck {
    /// What it waits for.
    pub waiting: Waiting,
    /// Whether its pipeline takes turns.
    pub turns: Turns,
    /// Since when, in ms before now.
    pub for_ms: u64,
}

/// Whether the pipeline of a stuck task takes turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turns {
    /// None: something blocks it.
    Blocked,
    /// It does, in vain.
    Taken,
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    reading: PulseReading,
    turned_ms: u64,
    moved_ms: u64,
    reported_ms: Option<u64>,
}

/// What is known about the pulses of this worker's tasks: an entry per watched task. Times are milliseconds
/// of one monotonic clock.
#[derive(Clone, Debug)]
pub struct Watchdog {
    stuck_after_ms: u64,
    seen: BTreeMap<TaskId, Seen>,
}

impl Watchdog {
    /// A watchdog that finds a task stuck after `stuck_after_ms`; 0 finds none.
    pub fn new(stuck_after_ms: u64) -> Self {
        Self { stuck_after_ms, seen: BTreeMap::new() }
    }

    /// How often readings have to be taken: often enough for the span to mean something.
    pub fn interval_ms(&self) -> Option<u64> {
        (self.stuck_after_ms > 0).then(|| (self.stuck_after_ms / 10).clamp(1, 30_000))
    }

    /// Judges a reading of a task that is to run. A stuck task is reported once per span. A pulse that never
    /// beat is not judged.
    pub fn observe(&mut self, id: &TaskId, reading: PulseReading, now_ms: u64) -> Option<Stuck> {
        if reading.turns == 0 || self.stuck_after_ms == 0 {
            self.seen.remove(id);
            return None;
        }
        let fresh = Seen { reading, turned_ms: now_ms, moved_ms: now_ms, reported_ms: None };
        let seen = self.seen.entry(id.clone()).or_insert(fresh);
        // The pause after a failure is one long turn.
        if reading.turns != seen.reading.turns || reading.waiting == Waiting::Retry {
            seen.turned_ms = now_ms;
        }
        let has_work = reading.waiting != Waiting::Nothing;
        if reading.moves != seen.reading.moves || (!has_work && seen.turned_ms == now_ms) {
            seen.moved_ms = now_ms;
        }
        seen.reading = reading;
        let still = |since_ms: u64| now_ms.saturating_sub(since_ms);
        let (turns, for_ms) = match (still(seen.turned_ms), still(seen.moved_ms)) {
            (blocked_ms, _) if blocked_ms >= self.stuck_after_ms => (Turns::Blocked, blocked_ms),
            (_, idle_ms) if has_work && idle_ms >= self.stuck_after_ms => (Turns::Taken, idle_ms),
            _ => {
                seen.reported_ms = None;
                return None;
            }
        };
        if seen.reported_ms.is_some_and(|reported_ms| still(reported_ms) < self.stuck_after_ms) {
            return None;
        }
        seen.reported_ms = Some(now_ms);
        Some(Stuck { waiting: reading.waiting, turns, for_ms })
    }

    /// The task was stopped, paused or started anew.
    pub fn forget(&mut self, id: &TaskId) {
        self.seen.remove(id);
    }

    /// Forgets all tasks.
    pub fn clear(&mut self) {
        self.seen.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seeds;

    fn id() -> TaskId {
        TaskId { connector: "a".into(), task: 0 }
    }

    fn reading(turns: u64, moves: u64, waiting: Waiting) -> PulseReading {
        PulseReading { turns, moves, waiting }
    }

    #[test]
    fn a_task_without_work_is_never_stuck() {
        let mut watchdog = Watchdog::new(1_000);
        for step in 1..100 {
            let pulse = reading(step, 0, Waiting::Nothing);
            assert_eq!(watchdog.observe(&id(), pulse, step * 500), None);
        }
    }

    #[test]
    fn a_blocked_task_is_reported_once_per_span_with_what_it_waits_for() {
        let mut watchdog = Watchdog::new(1_000);
        let pulse = reading(7, 7, Waiting::Turn);
        let found: Vec<_> = (0..25).filter_map(|step| watchdog.observe(&id(), pulse, step * 100)).collect();
        let stuck = |for_ms| Stuck { waiting: Waiting::Turn, turns: Turns::Blocked, for_ms };
        assert_eq!(found, [stuck(1_000), stuck(2_000)]);
    }

    #[test]
    fn work_that_does_not_move_is_found_although_turns_are_taken() {
        let mut watchdog = Watchdog::new(1_000);
        let mut last = None;
        for step in 1..=11 {
            last = watchdog.observe(&id(), reading(step, 3, Waiting::Store), step * 100);
        }
        assert_eq!(last, Some(Stuck { waiting: Waiting::Store, turns: Turns::Taken, for_ms: 1_000 }));
        let moved = reading(12, 4, Waiting::Store);
        assert_eq!(watchdog.observe(&id(), moved, 1_200), None);
        assert_eq!(watchdog.observe(&id(), reading(13, 4, Waiting::Store), 2_100), None);
    }

    #[test]
    fn waiting_begins_when_there_is_work() {
        let mut watchdog = Watchdog::new(1_000);
        watchdog.observe(&id(), reading(1, 0, Waiting::Nothing), 0);
        watchdog.observe(&id(), reading(2, 0, Waiting::Nothing), 5_000);
        assert_eq!(watchdog.observe(&id(), reading(3, 0, Waiting::Store), 5_500), None);
        assert!(watchdog.observe(&id(), reading(4, 0, Waiting::Store), 6_000).is_some());
    }

    #[test]
    fn a_pulse_that_never_beat_is_not_judged() {
        let mut watchdog = Watchdog::new(1_000);
        let silent = reading(0, 0, Waiting::Store);
        assert_eq!(watchdog.observe(&id(), silent, 0), None);
        assert_eq!(watchdog.observe(&id(), silent, 9_000), None);
        let mut off = Watchdog::new(0);
        assert_eq!(off.interval_ms(), None);
        off.observe(&id(), reading(1, 1, Waiting::Store), 0);
        assert_eq!(off.observe(&id(), reading(1, 1, Waiting::Store), u64::MAX), None);
    }

    /// A task that moves at least once per half span is never reported; one that stopped is, within two
    /// looks after the span.
    #[test]
    fn random_tasks_are_found_exactly_when_they_stop() {
        seeds::each(|random| {
            let span = 100 + random.below(5_000) as u64;
            let mut watchdog = Watchdog::new(span);
            let look = watchdog.interval_ms().unwrap();
            let (mut now, mut turns, mut moves) = (0, 1, 0);
            for _ in 0..200 {
                now += look;
                turns += 1 + random.below(3) as u64;
                let is_idle = random.once_in(2);
                moves += u64::from(!is_idle);
                let waiting = if is_idle { Waiting::Nothing } else { Waiting::Store };
                assert_eq!(watchdog.observe(&id(), reading(turns, moves, waiting), now), None);
            }
            let (stopped, is_blocked) = (now, random.once_in(2));
            let found = loop {
                now += look;
                turns += u64::from(!is_blocked);
                if let Some(found) = watchdog.observe(&id(), reading(turns, moves, Waiting::Store), now) {
                    break found;
                }
                assert!(now < stopped + span + 2 * look, "not found");
            };
            assert!(found.for_ms >= span && now >= stopped + span, "found too early");
            let expected = if is_blocked { Turns::Blocked } else { Turns::Taken };
            assert_eq!(found.turns, expected);
        });
    }
}
