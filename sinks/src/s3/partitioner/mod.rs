//! Partitioners: for each row of a batch, the encoded partition (directory) it belongs to and its record
//! time.
//!
//! Works on columns: one pass gives each row a small integer id into the names of this batch; names are made
//! once per distinct value. Owns no state but caches; rotation is decided elsewhere.
//! Source: `DefaultPartitioner`, `FieldPartitioner`, `TimeBasedPartitioner`, storage-common 12.0.

mod affix;
mod extractor;
mod field;
mod iso_time;
pub(crate) mod joda;
pub(crate) mod segment;
#[cfg(test)]
mod tests;
mod time;
mod tombstone;
pub(crate) mod zone;

use std::collections::HashMap;
use std::sync::Arc;

use lakeward_api::batch::SinkBatch;

use super::config::PartitionerKind;
use super::error::S3SinkError;
use super::null_rows::present_rows;
use super::settings::Settings;

pub(crate) use affix::SchemaAffix;
pub(crate) use extractor::{Extractor, timeless};
use field::FieldPartitioner;
use joda::Locality;
use time::TimePartitioner;

/// Encoded partition and time of each row of one batch.
#[derive(Debug)]
pub(crate) struct Encoded {
    /// The distinct encoded partitions of this batch, by id.
    pub(crate) names: Vec<Arc<str>>,
    /// Id of each row.
    pub(crate) ids: Ids,
    /// Record time of each row.
    pub(crate) times: Times,
}

impl Encoded {
    /// Of these rows; every name stays.
    pub(crate) fn take(self, rows: &[u32]) -> Self {
        let ids = match self.ids {
            Ids::PerRow(ids) => Ids::PerRow(selected(&ids, rows)),
            Ids::Uniform => Ids::Uniform,
        };
        let times = match self.times {
            Times::PerRow(times) => Times::PerRow(selected(&times, rows)),
            Times::Sparse(times) => Times::Sparse(selected(&times, rows)),
            uniform @ (Times::None | Times::Uniform(_)) => uniform,
        };
        Self { ids, times, ..self }
    }
}

fn selected<T: Copy>(all: &[T], rows: &[u32]) -> Vec<T> {
    rows.iter().map(|row| all[*row as usize]).collect()
}

/// Ids of the rows of a batch.
#[derive(Debug)]
pub(crate) enum Ids {
    /// One id per row.
    PerRow(Vec<u32>),
    /// Every row has id 0.
    Uniform,
}

/// Times of the rows of a batch, in ms since the epoch.
#[derive(Debug)]
pub(crate) enum Times {
    /// The partitioner has no notion of time.
    None,
    /// One time per row.
    PerRow(Vec<i64>),
    /// A time per row, where there is one: tombstones may have none.
    Sparse(Vec<Option<i64>>),
    /// Every row has this time.
    Uniform(i64),
}

/// A configured partitioner. Serves all topic-partitions of a task.
#[derive(Debug)]
pub(crate) struct Partitioner {
    kind: Kind,
    affix: SchemaAffix,
    delim: String,
    /// Where null values go when they are written.
    tombstones: Option<Arc<str>>,
}

#[derive(Debug)]
enum Kind {
    /// `partition=<number>`.
    Default,
    /// `name=value` per field.
    Field(FieldPartitioner),
    /// The start of the time bucket.
    Time(Box<TimePartitioner>),
}

impl Partitioner {
    /// The partitioner that `config` asks for.
    ///
    /// # Errors
    /// Class `Config` when a pattern or zone cannot be parsed (validation finds that first).
    pub(crate) fn new(config: &Settings) -> Result<Self, S3SinkError> {
        Ok(Self {
            kind: Kind::new(config)?,
            affix: SchemaAffix::named(&config.output.schema_affix),
            delim: config.layout.directory_delim.clone(),
            tombstones: config.tombstone_partition().map(Arc::from),
        })
    }

    /// Encodes every row of `batch`, which has at least one.
    ///
    /// # Errors
    /// Class `Record` when a field value makes no directory, and when there are
    /// [`Partitioner::timeless_rows`]; class `Fatal` when a time cannot be extracted (Java fails the task for
    /// those, whatever `errors.tolerance` says).
    pub(crate) fn encode(&mut self, batch: &SinkBatch, now_ms: i64) -> Result<Encoded, S3SinkError> {
        match self.tombstones.clone() {
            Some(directory) => tombstone::encode(self, &directory, batch, now_ms),
            None => self.encode_values(batch, now_ms),
        }
    }

    /// The rows of `batch` that have no directory because their records have no time of their own; the others
    /// have one.
    pub(crate) fn timeless_rows(&self, batch: &SinkBatch) -> Vec<u32> {
        let wants_times = matches!(&self.kind, Kind::Time(time) if time.wants_record_times());
        if !wants_times || batch.timestamps_ms.iter().all(Option::is_some) {
            return Vec::new();
        }
        let rows = (0u32..).zip(&batch.timestamps_ms);
        let mut timeless: Vec<u32> = rows.filter(|(_, time)| time.is_none()).map(|(row, _)| row).collect();
        // The directory of tombstones has no time in it.
        if self.tombstones.is_some()
            && let Some(present) = present_rows(&batch.values)
        {
            timeless.retain(|row| present.binary_search(row).is_ok());
        }
        timeless
    }

    /// The rows of `batch` that [`Partitioner::encode`] refuses for what they hold; the others have a
    /// directory.
    ///
    /// # Errors
    /// Class `Fatal` when columns would exceed Arrow's limits.
    pub(crate) fn unplaceable_rows(&self, batch: &SinkBatch) -> Result<Vec<u32>, S3SinkError> {
        let Kind::Field(partitioner) = &self.kind else { return Ok(Vec::new()) };
        let mut rows = partitioner.unplaceable_rows(batch)?;
        if self.tombstones.is_some()
            && let Some(present) = present_rows(&batch.values)
        {
            rows.retain(|row| present.binary_search(row).is_ok());
        }
        Ok(rows)
    }

    /// The directory that the clock alone says at `now_ms`; `None` when it says nothing.
    ///
    /// # Errors
    /// Class `Fatal` when the time is beyond the calendar.
    pub(crate) fn clock_name(&mut self, now_ms: i64) -> Result<Option<Arc<str>>, S3SinkError> {
        match &mut self.kind {
            Kind::Time(partitioner) => partitioner.clock_name(now_ms),
            Kind::Default | Kind::Field(_) => Ok(None),
        }
    }

    fn encode_values(&mut self, batch: &SinkBatch, now_ms: i64) -> Result<Encoded, S3SinkError> {
        let mut encoded = self.kind.encode(batch, now_ms)?;
        self.affix.apply(batch.values.schema().map(|schema| &**schema), &self.delim, &mut encoded.names);
        Ok(encoded)
    }
}

impl Kind {
    fn new(config: &Settings) -> Result<Self, S3SinkError> {
        let delim = &config.layout.directory_delim;
        let setting = |message: String| S3SinkError::Setting { message };
        let (duration_ms, pattern) = match config.partitioner_kind() {
            PartitionerKind::Default => return Ok(Self::Default),
            PartitionerKind::Field => {
                return Ok(Self::Field(FieldPartitioner::new(&config.partitioner.field_names, delim)));
            }
            PartitionerKind::Daily => (DAY_MS, daily_pattern(delim)),
            PartitionerKind::Hourly => (HOUR_MS, format!("{}{delim}'hour'=HH", daily_pattern(delim))),
            PartitionerKind::TimeBased => {
                let path_format = &config.partitioner.path_format;
                let stripped = path_format.strip_suffix(delim.as_str()).unwrap_or(path_format);
                (config.partitioner.duration_ms, stripped.to_owned())
            }
        };
        let pattern = joda::Pattern::parse(&pattern).map_err(|err| setting(err.to_string()))?;
        let locality = Locality::new(&config.partitioner.time_zone, &config.partitioner.locale)
            .ok_or_else(|| setting("timezone is not a time zone".to_owned()))?;
        let extractor = Extractor::new(config.extractor(), &config.partitioner.timestamp_field);
        Ok(Self::Time(Box::new(TimePartitioner::new(duration_ms, pattern, locality, extractor))))
    }

    fn encode(&mut self, batch: &SinkBatch, now_ms: i64) -> Result<Encoded, S3SinkError> {
        match self {
            Self::Default => Ok(Encoded {
                names: vec![format!("partition={}", batch.partition.partition).into()],
                ids: Ids::Uniform,
                times: Times::None,
            }),
            Self::Field(partitioner) => partitioner.encode(batch),
            Self::Time(partitioner) => partitioner.encode(batch, now_ms),
        }
    }
}

/// Distinct names of one batch.
#[derive(Debug, Default)]
pub(crate) struct Names {
    names: Vec<Arc<str>>,
    id_by_name: HashMap<Arc<str>, u32>,
}

impl Names {
    /// The id of `name`, a new one when it was not seen before.
    pub(crate) fn id(&mut self, name: &str) -> u32 {
        if let Some(id) = self.id_by_name.get(name) {
            return *id;
        }
        let name: Arc<str> = name.into();
        let id = u32::try_from(self.names.len()).expect("a batch has fewer rows than u32::MAX");
        self.names.push(Arc::clone(&name));
        self.id_by_name.insert(name, id);
        id
    }

    /// The encoded batch.
    pub(crate) fn finish(self, ids: Vec<u32>, times: Times) -> Encoded {
        let ids = if self.names.len() == 1 { Ids::Uniform } else { Ids::PerRow(ids) };
        Encoded { names: self.names, ids, times }
    }
}

fn daily_pattern(delim: &str) -> String {
    format!("'year'=YYYY{delim}'month'=MM{delim}'day'=dd")
}

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
