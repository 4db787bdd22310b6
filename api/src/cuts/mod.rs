//! Decided cuts: where a sink ends its files, told to the next owner of a topic-partition before a file is
//! stored.
//!
//! A cut that the clock had a part in cannot be repeated from records alone. Its decision is committed first,
//! as the metadata text of the offset that is committed already (decision 0009); who owns the topic-partition
//! next reads it and cuts in the same place. This module owns the text; it decides nothing.

mod fingerprint;
mod text;

pub use fingerprint::Fingerprint;
pub use text::{METADATA_BYTES_MAX, Recorded, parse, write};

use crate::record::TopicPartition;

/// A cut of one topic-partition: everything from the one before it (or from the committed position) up to
/// `end`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The position behind it.
    pub end: i64,
    /// What the clock said, where that shaped names: ascending by offset, empty when it did not. The first
    /// one counts from the beginning of the cut.
    pub clock: Vec<ClockBase>,
}

impl Cut {
    /// The wall clock that the record at `offset` was written with, and the offset from which another one
    /// counts.
    pub fn clock_at(&self, offset: i64) -> (Option<i64>, Option<i64>) {
        let behind = self.clock.iter().skip(1).position(|base| base.offset > offset);
        let next = behind.map(|index| index + 1);
        let at = next.map_or(self.clock.len(), |next| next).checked_sub(1);
        (at.map(|at| self.clock[at].wall_ms), next.map(|next| self.clock[next].offset))
    }
}

/// From `offset` on, names were made with this time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockBase {
    /// The first record it counts for.
    pub offset: i64,
    /// Ms since the epoch.
    pub wall_ms: i64,
}

/// A cut that a sink wants to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Where.
    pub partition: TopicPartition,
    /// The cut, behind every one decided before.
    pub cut: Cut,
    /// Whether decisions that were to be repeated and are not reached yet are given up for it.
    pub replaces: bool,
}

/// How a topic-partition is opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// Which one.
    pub partition: TopicPartition,
    /// The committed position; `None` when nothing was committed.
    pub committed: Option<i64>,
    /// Decided cuts beyond it, in order, to be repeated.
    pub cuts: Vec<Cut>,
}

#[cfg(test)]
mod tests;
