//! What the turns of a task show on its pulse.
//!
//! Owns what counts as movement: a number that changed since the last turn, or what the turn says itself.

use std::sync::Arc;

use lakeward_api::pulse::{TaskPulse, Waiting};

/// The pipeline's end of a pulse.
pub(crate) struct Beat {
    pulse: Arc<TaskPulse>,
    progress: [u64; 2],
}

impl Beat {
    pub(crate) fn new(pulse: Arc<TaskPulse>) -> Self {
        Self { pulse, progress: [0; 2] }
    }

    /// A turn begins.
    pub(crate) fn begin(&self) {
        self.pulse.turn();
        self.pulse.wait_for(Waiting::Turn);
    }

    /// A turn ends. It moved something if `has_moved` says so, or if one of the numbers changed.
    pub(crate) fn end(&mut self, waiting: Waiting, has_moved: bool, progress: [u64; 2]) {
        if has_moved || progress != self.progress {
            self.progress = progress;
            self.pulse.moved();
        }
        self.pulse.wait_for(waiting);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_moves_something_when_it_says_so_or_a_number_changed() {
        let pulse: Arc<TaskPulse> = Arc::default();
        let mut beat = Beat::new(Arc::clone(&pulse));
        let turns = [(false, [0, 0], 0), (true, [0, 0], 1), (false, [5, 0], 2), (false, [5, 0], 2)];
        for (has_moved, progress, moves) in turns {
            beat.begin();
            assert_eq!(pulse.read().waiting, Waiting::Turn);
            beat.end(Waiting::Store, has_moved, progress);
            assert_eq!((pulse.read().waiting, pulse.read().moves), (Waiting::Store, moves));
        }
        assert_eq!(pulse.read().turns, 4);
    }
}
