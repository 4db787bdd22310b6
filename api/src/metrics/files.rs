//! Why the files of a sink task ended: many small files have a cause, and nobody should have to guess it.
//!
//! One set of counters per task, written by its shard, read by any thread: every number is a relaxed atomic.

use std::sync::atomic::{AtomicU64, Ordering};

/// What ended a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileEnd {
    /// The clock named another directory too often for one decision.
    Clock,
    /// Record time moved on: `rotate.interval.ms`.
    Interval,
    /// Memory was short.
    Memory,
    /// A record needed one more file than may be open: `partitioner.max.open.files`.
    OpenFiles,
    /// A record went to another directory: `rotate.file.on.partition.change`.
    PartitionChange,
    /// It had its records: `flush.size`, `file.max.records`.
    Records,
    /// An earlier owner of the partition had decided it.
    Repeated,
    /// The wall clock: `rotate.schedule.interval.ms`, or when the worker asks sinks to flush.
    Schedule,
    /// A record had a schema that the file cannot take.
    SchemaChange,
    /// It was as large as files may be.
    Size,
}

impl FileEnd {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 10] = [
        Self::Clock,
        Self::Interval,
        Self::Memory,
        Self::OpenFiles,
        Self::PartitionChange,
        Self::Records,
        Self::Repeated,
        Self::Schedule,
        Self::SchemaChange,
        Self::Size,
    ];

    /// Its name on a page.
    pub fn name(self) -> &'static str {
        match self {
            Self::Clock => "clock",
            Self::Interval => "interval",
            Self::Memory => "memory",
            Self::OpenFiles => "open_files",
            Self::PartitionChange => "partition_change",
            Self::Records => "records",
            Self::Repeated => "repeated",
            Self::Schedule => "schedule",
            Self::SchemaChange => "schema_change",
            Self::Size => "size",
        }
    }
}

/// Files of one task that ended, by what ended them. Files that are dropped with their partition did not end:
/// their records are read again.
#[derive(Debug, Default)]
pub struct EndedFiles([AtomicU64; FileEnd::ALL.len()]);

impl EndedFiles {
    /// `files` ended.
    pub fn add(&self, end: FileEnd, files: u64) {
        self.0[end as usize].fetch_add(files, Ordering::Relaxed);
    }

    /// How many ended so.
    pub fn count(&self, end: FileEnd) -> u64 {
        self.0[end as usize].load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_stand_at_their_own_places() {
        let files = EndedFiles::default();
        for (index, end) in FileEnd::ALL.into_iter().enumerate() {
            assert_eq!(end as usize, index, "{}", end.name());
            files.add(end, index as u64);
        }
        assert_eq!(FileEnd::ALL.map(|end| files.count(end)), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    }
}
