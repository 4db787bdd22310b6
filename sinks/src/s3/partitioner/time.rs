//! Time-based directories: the bucket of a record's time, printed with a Joda pattern.
//!
//! Source: `TimeBasedPartitioner#getPartition` and `#encodedPartitionForTimestamp`.

use std::collections::HashMap;
use std::sync::Arc;

use lakeward_api::batch::SinkBatch;

use super::extractor::Extractor;
use super::joda::{Locality, Pattern};
use super::{Encoded, HOUR_MS, Names, Times};
use crate::s3::error::S3SinkError;

/// Rows that fall into the same stretch of time as the row before cost one range test; those that fall into
/// another stretch of the batch, a look into a table more.
#[derive(Debug)]
pub(crate) struct TimePartitioner {
    duration_ms: i64,
    pattern: Pattern,
    locality: Locality,
    extractor: Extractor,
    /// Printed directories by bucket start, over batches; emptied when it grows beyond [`CACHE_ENTRIES_MAX`].
    name_by_start: HashMap<i64, Arc<str>>,
}

/// A stretch of UTC time within one bucket, and the id of its directory in the batch.
#[derive(Clone, Copy)]
struct Stretch {
    start_ms: i64,
    end_ms: i64,
    id: u32,
}

impl Stretch {
    const EMPTY: Self = Self { start_ms: 0, end_ms: 0, id: 0 };

    fn holds(&self, time_ms: i64) -> bool {
        (self.start_ms..self.end_ms).contains(&time_ms)
    }
}

impl TimePartitioner {
    /// Buckets of `duration_ms`, which is above 0.
    pub(super) fn new(duration_ms: i64, pattern: Pattern, locality: Locality, extractor: Extractor) -> Self {
        assert!(duration_ms > 0, "validation rejects durations below 1");
        Self { duration_ms, pattern, locality, extractor, name_by_start: HashMap::new() }
    }

    /// Whether the times of records are their own.
    pub(super) fn wants_record_times(&self) -> bool {
        matches!(self.extractor, Extractor::Record)
    }

    /// Encodes every row of `batch`.
    pub(super) fn encode(&mut self, batch: &SinkBatch, now_ms: i64) -> Result<Encoded, S3SinkError> {
        let times = self.extractor.times(batch, now_ms)?;
        let mut names = Names::default();
        let mut ids = Vec::new();
        match &times {
            Times::None | Times::Sparse(_) => unreachable!("extractors always give times"),
            Times::Uniform(time) => {
                self.stretch(*time, &mut names)?;
            }
            Times::PerRow(times) => {
                ids.reserve_exact(times.len());
                // A stretch is an hour at most, and a bucket at most: neighbours have places of their own,
                // two for one stretch at times. A division would take longer than all the rest.
                let step_bits = self.duration_ms.min(HOUR_MS).ilog2();
                let mut known = [Stretch::EMPTY; STRETCHES_KNOWN];
                let mut stretch = Stretch::EMPTY;
                for time in times {
                    if !stretch.holds(*time) {
                        let place = (time >> step_bits).rem_euclid(STRETCHES_KNOWN as i64);
                        let known = &mut known[place as usize];
                        if !known.holds(*time) {
                            *known = self.stretch(*time, &mut names)?;
                        }
                        stretch = *known;
                    }
                    ids.push(stretch.id);
                }
            }
        }
        Ok(names.finish(ids, times))
    }

    /// The directory at `now_ms` when times are those of the clock.
    pub(super) fn clock_name(&mut self, now_ms: i64) -> Result<Option<Arc<str>>, S3SinkError> {
        if !matches!(self.extractor, Extractor::Wallclock) {
            return Ok(None);
        }
        let mut names = Names::default();
        self.stretch(now_ms, &mut names)?;
        Ok(names.names.pop())
    }

    /// The bucket of `utc_ms`, and how far around it the answer is the same.
    fn stretch(&mut self, utc_ms: i64, names: &mut Names) -> Result<Stretch, S3SinkError> {
        let beyond = || S3SinkError::Time { message: format!("time {utc_ms} is beyond the calendar") };
        if utc_ms.unsigned_abs() > TIME_MS_MAX {
            return Err(beyond());
        }
        let zone = self.locality.zone;
        let offset_ms = zone.offset_ms(utc_ms);
        let local = utc_ms + offset_ms;
        let start_local = start_of(local, self.duration_ms);
        let id = names.id(&self.name(start_local).ok_or_else(beyond)?);
        let alone = Stretch { start_ms: utc_ms, end_ms: utc_ms + 1, id };
        if local < 0 {
            return Ok(alone);
        }
        // At most one UTC hour at a time, so that both ends prove that no offset change lies between.
        let hour = utc_ms.div_euclid(HOUR_MS) * HOUR_MS;
        let start_ms = (start_local - offset_ms).max(hour);
        let end_ms =
            start_local.saturating_add(self.duration_ms).saturating_sub(offset_ms).min(hour + HOUR_MS);
        let steady = [start_ms, end_ms - 1].iter().all(|end| zone.offset_ms(*end) == offset_ms);
        Ok(if steady { Stretch { start_ms, end_ms, id } } else { alone })
    }

    /// The directory of the bucket that starts at `start_local`.
    fn name(&mut self, start_local: i64) -> Option<Arc<str>> {
        if let Some(name) = self.name_by_start.get(&start_local) {
            return Some(Arc::clone(name));
        }
        let start_utc = self.locality.zone.local_to_utc(start_local);
        let mut text = String::new();
        self.pattern.print(start_utc, &self.locality, &mut text)?;
        let name: Arc<str> = text.into();
        if self.name_by_start.len() >= CACHE_ENTRIES_MAX {
            self.name_by_start.clear();
        }
        self.name_by_start.insert(start_local, Arc::clone(&name));
        Some(name)
    }
}

/// The start of the bucket of a local time. Java's division truncates toward zero, so times before 1970 round
/// up.
fn start_of(local_ms: i64, duration_ms: i64) -> i64 {
    (local_ms / duration_ms) * duration_ms
}

/// The start of the bucket of `utc_ms`, in UTC.
#[cfg(test)]
pub(super) fn bucket_start(zone: super::zone::Zone, duration_ms: i64, utc_ms: i64) -> i64 {
    zone.local_to_utc(start_of(utc_ms + zone.offset_ms(utc_ms), duration_ms))
}

const CACHE_ENTRIES_MAX: usize = 4096;

/// Stretches of a batch that are found again without their names; 6 KiB on the stack.
const STRETCHES_KNOWN: usize = 256;

/// About 292 million years, with room for offsets.
const TIME_MS_MAX: u64 = (i64::MAX - 2 * 24 * HOUR_MS) as u64;
