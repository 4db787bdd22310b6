//! The oracle: re-reads every Parquet object over S3 and says what is missing, twice, or changed.
//!
//! Owns: the expectation (ids of generated events, or fingerprints of loaded lines) and the verdict. Must
//! not: trust the worker's own counts, or stop at the first difference.

use std::collections::HashMap;

use anyhow::{Context, Result};
use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

use crate::canonical::{Fingerprint, fingerprint};
use crate::event::{EventGenerator, EventId};
use crate::latency::Latencies;
use crate::rows::{JsonTextPlaces, rebuild};
use crate::store::{Lake, LakeObject};

/// How many differences are described; all are counted.
const EXAMPLES_MAX: usize = 10;
/// One event in this many is compared as a whole; of the others only the id is checked.
const CONTENT_SAMPLE: u64 = 64;

/// What the lake holds, compared with what was acknowledged.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// Parquet objects.
    pub files: u64,
    /// Their size.
    pub bytes: u64,
    /// Rows in them.
    pub rows: u64,
    /// Records that are in no object.
    pub missing: u64,
    /// Rows beyond the first of an event; for loaded lines, rows beyond the count in the input.
    pub duplicates: u64,
    /// Rows that stand for no record: a foreign id, or an event with other content.
    pub altered: u64,
    /// Some of the differences, in words and without record contents.
    pub examples: Vec<String>,
    /// Text columns that hold JSON because the records disagree about their type.
    pub json_text_columns: Vec<String>,
    /// Event time to durable, of generated events.
    pub latencies: Latencies,
}

impl Verdict {
    /// Whether every record is there exactly once and unchanged.
    pub fn is_clean(&self) -> bool {
        self.missing == 0 && self.duplicates == 0 && self.altered == 0
    }

    fn example(&mut self, describe: impl FnOnce() -> String) {
        if self.examples.len() < EXAMPLES_MAX {
            self.examples.push(describe());
        }
    }
}

/// Compares the lake with generated events: `counts[p]` events of partition `p`, made by `generator`.
///
/// Memory: one object and one bit per event.
pub async fn verify_events(lake: &Lake, generator: EventGenerator, counts: &[i64]) -> Result<Verdict> {
    let mut seen: Vec<SeenIds> = counts.iter().map(|count| SeenIds::new(*count)).collect();
    let mut verdict = Verdict::default();
    for object in lake.objects(".parquet").await? {
        for batch in read_batches(lake, &object, &mut verdict).await?.rows {
            check_events(&batch?, &object, generator, &mut seen, &mut verdict)?;
        }
    }
    for (partition, ids) in seen.iter().enumerate() {
        for sequence in ids.missing() {
            verdict.missing += 1;
            verdict.example(|| format!("event p{partition}-{sequence:09} is missing"));
        }
    }
    Ok(verdict)
}

fn check_events(
    batch: &RecordBatch,
    object: &LakeObject,
    generator: EventGenerator,
    seen: &mut [SeenIds],
    verdict: &mut Verdict,
) -> Result<()> {
    let missing_column = || format!("{} has no id or time column of the expected type", object.key);
    let ids = batch.column_by_name("id").and_then(|column| column.as_string_opt::<i32>());
    let ids = ids.with_context(missing_column)?;
    let times = batch.column_by_name("time").and_then(|column| column.as_primitive_opt::<Int64Type>());
    let times = times.with_context(missing_column)?;
    let nowhere = JsonTextPlaces::default();
    for row in 0..batch.num_rows() {
        let id = EventId::parse(ids.value(row));
        let slot = id.and_then(|id| Some((id, seen.get_mut(usize::try_from(id.partition).ok()?)?)));
        let Some((id, seen)) = slot else {
            verdict.altered += 1;
            verdict.example(|| format!("a row of {} has an unknown id", object.key));
            continue;
        };
        match seen.note(id.sequence) {
            Sighting::First => {}
            Sighting::Foreign => {
                verdict.altered += 1;
                verdict.example(|| format!("{} has an event that was never sent", object.key));
            }
            Sighting::Again => {
                verdict.duplicates += 1;
                verdict.example(|| format!("event {} is there again in {}", ids.value(row), object.key));
            }
        }
        verdict.latencies.record(times.value(row), object.durable_us);
        if id.sequence % CONTENT_SAMPLE == 0 {
            let mut text = Vec::new();
            generator.write(id, times.value(row), &mut text);
            let expected: Value = serde_json::from_slice(&text).context("the generator wrote bad JSON")?;
            if fingerprint(&rebuild(batch, row, &nowhere)?) != fingerprint(&expected) {
                verdict.altered += 1;
                verdict.example(|| format!("event {} in {} has other content", ids.value(row), object.key));
            }
        }
    }
    Ok(())
}

/// What was loaded from a file: how often each record occurs, and where it was first seen.
///
/// Memory: about 48 bytes per distinct record.
#[derive(Debug, Default)]
pub struct LoadedRecords {
    counts: HashMap<Fingerprint, LoadedRecord>,
}

#[derive(Debug)]
struct LoadedRecord {
    line: u64,
    outstanding: i64,
}

impl LoadedRecords {
    /// Notes a record that was sent, found on `line`.
    pub fn note(&mut self, value: &Value, line: u64) {
        self.counts.entry(fingerprint(value)).or_insert(LoadedRecord { line, outstanding: 0 }).outstanding +=
            1;
    }
}

/// Compares the lake with loaded lines as multisets of canonical records.
pub async fn verify_loaded(lake: &Lake, mut loaded: LoadedRecords) -> Result<Verdict> {
    let mut verdict = Verdict::default();
    for object in lake.objects(".parquet").await? {
        let batches = read_batches(lake, &object, &mut verdict).await?;
        verdict.json_text_columns.extend(batches.places.iter().map(str::to_owned));
        for batch in batches.rows {
            check_loaded(&batch?, &object, &batches.places, &mut loaded, &mut verdict)?;
        }
    }
    for record in loaded.counts.values().filter(|record| record.outstanding > 0) {
        verdict.missing += record.outstanding.unsigned_abs();
        verdict.example(|| format!("line {} is missing {} times", record.line, record.outstanding));
    }
    verdict.json_text_columns.sort();
    verdict.json_text_columns.dedup();
    Ok(verdict)
}

fn check_loaded(
    batch: &RecordBatch,
    object: &LakeObject,
    places: &JsonTextPlaces,
    loaded: &mut LoadedRecords,
    verdict: &mut Verdict,
) -> Result<()> {
    for row in 0..batch.num_rows() {
        let found = fingerprint(&rebuild(batch, row, places)?);
        match loaded.counts.get_mut(&found) {
            Some(record) => {
                record.outstanding -= 1;
                if record.outstanding < 0 {
                    verdict.duplicates += 1;
                    verdict.example(|| format!("line {} is there again in {}", record.line, object.key));
                }
            }
            None => {
                verdict.altered += 1;
                verdict.example(|| format!("a row of {} equals no line of the input", object.key));
            }
        }
    }
    Ok(())
}

/// The rows of one object.
struct Batches {
    /// Where its texts hold JSON.
    places: JsonTextPlaces,
    rows: Box<dyn Iterator<Item = Result<RecordBatch>> + Send>,
}

/// Downloads one object, counts it, and opens it as batches of up to 8,192 rows.
async fn read_batches(lake: &Lake, object: &LakeObject, verdict: &mut Verdict) -> Result<Batches> {
    let bytes = lake.read(object).await?;
    let not_parquet = || format!("{} is not a Parquet file", object.key);
    let builder = ParquetRecordBatchReaderBuilder::try_new(bytes).with_context(not_parquet)?;
    verdict.files += 1;
    verdict.bytes += object.bytes;
    verdict.rows += builder.metadata().file_metadata().num_rows().unsigned_abs();
    let places = JsonTextPlaces::of(builder.parquet_schema().root_schema());
    let key = object.key.clone();
    let reader = builder.with_batch_size(8192).build().with_context(not_parquet)?;
    let rows = reader.map(move |batch| batch.with_context(|| format!("{key} could not be decoded")));
    Ok(Batches { places, rows: Box::new(rows) })
}

/// One bit per expected event of a partition.
struct SeenIds {
    count: u64,
    words: Vec<u64>,
}

enum Sighting {
    Again,
    First,
    Foreign,
}

impl SeenIds {
    fn new(count: i64) -> Self {
        let count = count.max(0).unsigned_abs();
        let words =
            usize::try_from(count.div_ceil(64)).expect("a bit per record fits memory on 64-bit machines");
        Self { count, words: vec![0; words] }
    }

    fn note(&mut self, sequence: u64) -> Sighting {
        if sequence >= self.count {
            return Sighting::Foreign;
        }
        let word = &mut self.words[(sequence / 64) as usize];
        let bit = 1u64 << (sequence % 64);
        let sighting = if *word & bit == 0 { Sighting::First } else { Sighting::Again };
        *word |= bit;
        sighting
    }

    fn missing(&self) -> impl Iterator<Item = u64> {
        (0..self.count).filter(|sequence| self.words[(sequence / 64) as usize] >> (sequence % 64) & 1 == 0)
    }
}

#[cfg(test)]
mod tests;
