//! Signs of life of a task: counters its pipeline moves and the control plane looks at.
//!
//! Owns the counters only. Whether a task is stuck is decided in the control plane. A turn costs two relaxed
//! stores; nothing here waits.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

/// What a task waits for while it holds work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Waiting {
    /// The broker, which has not acknowledged what a source task sent.
    Broker,
    /// Room for records of the dead letter queue.
    DeadLetters,
    /// Nothing: there is no work at hand.
    #[default]
    Nothing,
    /// The pause after a failure that may heal.
    Retry,
    /// A converter that asks a schema registry.
    SchemaRegistry,
    /// The sink, which refused a batch for now.
    Sink,
    /// The store, which has not acknowledged what a sink sent.
    Store,
    /// The end of a turn: converters, transforms, the connector's own code.
    Turn,
}

impl Waiting {
    const ALL: [Self; 8] = [
        Self::Nothing,
        Self::Broker,
        Self::DeadLetters,
        Self::Retry,
        Self::SchemaRegistry,
        Self::Sink,
        Self::Store,
        Self::Turn,
    ];

    /// For log lines: completes "waits for …".
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Broker => "the broker to acknowledge records",
            Self::DeadLetters => "the dead letter queue to take records",
            Self::Nothing => "nothing",
            Self::Retry => "another attempt after a failure that may heal",
            Self::SchemaRegistry => "the schema registry to answer",
            Self::Sink => "the sink to take a batch",
            Self::Store => "the store to acknowledge uploads",
            Self::Turn => "its converters, transforms or connector to return",
        }
    }

    fn code(self) -> u8 {
        Self::ALL.iter().position(|known| *known == self).map_or(0, |code| code as u8)
    }
}

/// The counters of one instance of a task. Shared between its pipeline and whoever watches it.
#[derive(Debug, Default)]
pub struct TaskPulse {
    turns: AtomicU64,
    moves: AtomicU64,
    waiting: AtomicU8,
}

/// What a pulse showed at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PulseReading {
    /// Turns of the pipeline so far; 0 when it never beat.
    pub turns: u64,
    /// Turns in which something moved.
    pub moves: u64,
    /// What the task waits for.
    pub waiting: Waiting,
}

impl TaskPulse {
    /// The pipeline takes another turn.
    pub fn turn(&self) {
        self.turns.fetch_add(1, Ordering::Relaxed);
    }

    /// Something moved: records were taken, positions became durable, uploads were acknowledged.
    pub fn moved(&self) {
        self.moves.fetch_add(1, Ordering::Relaxed);
    }

    /// What the task waits for from now on.
    pub fn wait_for(&self, waiting: Waiting) {
        self.waiting.store(waiting.code(), Ordering::Relaxed);
    }

    /// The counters now.
    pub fn read(&self) -> PulseReading {
        let code = usize::from(self.waiting.load(Ordering::Relaxed));
        PulseReading {
            turns: self.turns.load(Ordering::Relaxed),
            moves: self.moves.load(Ordering::Relaxed),
            waiting: Waiting::ALL.get(code).copied().unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reading_shows_what_was_counted() {
        let pulse = TaskPulse::default();
        assert_eq!(pulse.read(), PulseReading::default());
        pulse.turn();
        pulse.turn();
        pulse.moved();
        for waiting in Waiting::ALL {
            pulse.wait_for(waiting);
            let expected = PulseReading { turns: 2, moves: 1, waiting };
            assert_eq!(pulse.read(), expected);
        }
    }
}
