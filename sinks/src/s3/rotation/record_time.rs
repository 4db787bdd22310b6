//! Rotation by the times of records.
//!
//! Source: `TopicPartitionWriter#rotateOnTime`, `#shouldRotateOnPartitionChangeWithTombstoneCheck`.

use std::sync::Arc;

use lakeward_api::metrics::FileEnd;

use super::{PartitionChange, Rotation};
use crate::s3::partitioner::{Encoded, Times};

impl Rotation {
    /// Rotation by record time, before the record is consumed. The first record after a cut sets the base
    /// time.
    pub(super) fn time_rotates(&mut self, name: &Arc<str>, time_ms: Option<i64>) -> Option<FileEnd> {
        let (Some(interval), Some(time_ms), false) = (self.settings.interval, time_ms, self.is_repeating)
        else {
            return None;
        };
        let base_ms = match self.base_time_ms {
            Some(base_ms) => base_ms,
            None => self.found(time_ms),
        };
        if self.record_count == 0 {
            return None;
        }
        // Saturating: extreme times in a record must not panic or wrap into a rotation.
        if time_ms.saturating_sub(base_ms) >= interval.interval_ms {
            return Some(FileEnd::Interval);
        }
        self.partition_change_rotates(name).then_some(FileEnd::PartitionChange)
    }

    fn partition_change_rotates(&self, name: &Arc<str>) -> bool {
        // Source: `shouldRotateOnPartitionChangeWithTombstoneCheck`, which looks for the text within names.
        let holds = |name: &Arc<str>| {
            self.settings.tombstone_partition.as_ref().is_some_and(|text| name.contains(&**text))
        };
        if holds(name) || self.last_name.as_ref().is_some_and(holds) {
            return false;
        }
        self.record_count > 0 && self.changes_partition(name)
    }

    /// Whether `name` is another encoded partition than the last one, where that matters.
    pub(super) fn changes_partition(&self, name: &Arc<str>) -> bool {
        let on_change =
            |change| self.settings.interval.is_some_and(|interval| interval.on_partition_change == change);
        on_change(PartitionChange::Rotate) && self.last_name.as_ref().is_some_and(|last| last != name)
    }
}

/// The time of a row.
pub(super) fn time(encoded: &Encoded, row: usize) -> Option<i64> {
    match &encoded.times {
        Times::None => None,
        Times::PerRow(times) => Some(times[row]),
        Times::Sparse(times) => times[row],
        Times::Uniform(time) => Some(*time),
    }
}
