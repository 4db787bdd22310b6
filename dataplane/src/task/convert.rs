//! Fetched records to sink batches: the converters over a run of one topic-partition, joined row by row, then
//! the transforms.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::task::Poll;

use arrow_array::BinaryArray;
use lakeward_api::batch::{SinkBatch, Values};
use lakeward_api::converter::{Converter, HeaderConverter, Run};
use lakeward_api::header::{Header, HeaderColumn, HeaderRows};
use lakeward_api::record::{RawHeader, RawRecord, TopicPartition};
use lakeward_api::{ConnectError, ErrorClass};
use lakeward_dataplane_core::tolerance::Stage;

use super::settings::Converters;

#[cfg(test)]
mod payload_header_tests;
#[cfg(test)]
mod tests;

/// A record that could not be converted or transformed.
pub(super) struct BadRecord {
    pub(super) offset: i64,
    pub(super) stage: Stage,
    /// The Java class that failed.
    pub(super) class: &'static str,
    pub(super) error: ConnectError,
}

/// A run of raw records of one topic-partition.
pub(super) struct RawRun<'a> {
    pub(super) records: &'a [RawRecord<'a>],
    /// One list per record; empty when no record has headers.
    pub(super) headers: &'a [Vec<RawHeader<'a>>],
}

/// A run after conversion: batches in offset order, and the records left out.
#[derive(Default)]
pub(super) struct Converted {
    pub(super) batches: Vec<SinkBatch>,
    pub(super) bad: Vec<BadRecord>,
}

impl Converted {
    /// Drops what is at `offset` and beyond.
    pub(super) fn truncate(&mut self, offset: i64) -> Result<(), ConnectError> {
        let mut kept = Vec::with_capacity(self.batches.len());
        for batch in self.batches.drain(..) {
            let rows = batch.offsets.partition_point(|found| *found < offset);
            if rows == batch.rows() {
                kept.push(batch);
            } else if rows > 0 {
                kept.push(batch.take(&(0..row_number(rows)).collect::<Vec<u32>>())?);
            }
        }
        self.batches = kept;
        self.bad.retain(|bad| bad.offset < offset);
        Ok(())
    }

    /// The first record that may pass when it is tried again.
    pub(super) fn first_retriable(&self) -> Option<i64> {
        let retriable = self.bad.iter().filter(|bad| bad.error.class() == ErrorClass::Retriable);
        retriable.map(|bad| bad.offset).min()
    }
}

/// Makes sure that [`convert`] can run without waiting for a network.
pub(super) fn poll_ready(
    converters: &mut Converters,
    partition: &TopicPartition,
    run: &RawRun<'_>,
) -> Result<Poll<()>, ConnectError> {
    let keys: Vec<Option<&[u8]>> = run.records.iter().map(|record| record.key).collect();
    let values: Vec<Option<&[u8]>> = run.records.iter().map(|record| record.value).collect();
    // Both are asked, so that their requests run at the same time.
    let all: Vec<u32> = (0..row_number(run.records.len())).collect();
    let ask = |converter: &mut dyn Converter, payloads: &[Option<&[u8]>]| {
        let headers = payload_headers(converter, run, &all);
        match headers {
            Some(headers) => converter.poll_decode_ready_with(&partition.topic, payloads, &headers),
            None => converter.poll_decode_ready(&partition.topic, payloads),
        }
    };
    let key = ask(&mut *converters.key, &keys)?;
    let value = ask(&mut *converters.value, &values)?;
    Ok(if key.is_pending() || value.is_pending() { Poll::Pending } else { Poll::Ready(()) })
}

/// Converts and transforms one run. Each row ends up in exactly one batch, in `bad`, or was dropped by a
/// transform. Both are in offset order.
///
/// # Errors
/// When nothing can be converted at all (wrong settings).
pub(super) fn convert(
    converters: &mut Converters,
    partition: &TopicPartition,
    run: &RawRun<'_>,
) -> Result<Converted, ConnectError> {
    let mut bad = Vec::new();
    let mut batches = Vec::new();
    for batch in decode_run(converters, partition, run, &mut bad)? {
        if converters.chain.is_empty() {
            batches.push(batch);
            continue;
        }
        let applied = converters.chain.apply(batch)?;
        batches.extend(applied.batches);
        bad.extend(applied.errors.into_iter().map(|failed| BadRecord {
            offset: failed.offset,
            stage: Stage::Transformation,
            class: failed.class,
            error: failed.error,
        }));
    }
    bad.sort_by_key(|bad| bad.offset);
    Ok(Converted { batches, bad })
}

/// Both converters over a run, joined into batches whose rows are neighbours.
fn decode_run(
    converters: &mut Converters,
    partition: &TopicPartition,
    run: &RawRun<'_>,
    bad: &mut Vec<BadRecord>,
) -> Result<Vec<SinkBatch>, ConnectError> {
    let records = run.records;
    let topic = &*partition.topic;
    let classes = converters.classes;
    let refuse = |bad: &mut Vec<BadRecord>, stage, errors: Vec<(u32, ConnectError)>| {
        let class = match stage {
            Stage::KeyConverter => classes.key,
            Stage::HeaderConverter => classes.header,
            _ => classes.value,
        };
        bad.extend(errors.into_iter().map(|(row, error)| BadRecord {
            offset: records[row as usize].offset,
            stage,
            class,
            error,
        }));
    };
    let all: Vec<u32> = (0..row_number(records.len())).collect();
    let (mut keys, errors) = decode(&mut *converters.key, topic, run, &all, |row| records[row].key)?;
    // A record fails at its first stage: the value of one without a key is not looked at.
    let keyed = if errors.is_empty() { all } else { keys.rows() };
    refuse(bad, Stage::KeyConverter, errors);
    let (mut values, errors) = decode(&mut *converters.value, topic, run, &keyed, |row| records[row].value)?;
    refuse(bad, Stage::ValueConverter, errors);
    let mut batches = Vec::new();
    for segment in segments(&keys, &values) {
        let mut rows = segment.rows;
        let headers = decode_headers(converters, topic, run, &rows);
        let mut batch = SinkBatch {
            partition: partition.clone(),
            topic: Arc::clone(&partition.topic),
            offsets: rows.iter().map(|row| records[*row as usize].offset).collect(),
            timestamps_ms: rows.iter().map(|row| records[*row as usize].timestamp_ms).collect(),
            keys: keys.take(segment.key_run, &segment.keys)?,
            values: values.take(segment.value_run, &segment.values)?,
            headers: HeaderRows::default(),
        };
        if let Some((headers, errors)) = headers {
            batch.headers = headers;
            if !errors.is_empty() {
                let failed: HashSet<u32> = errors.iter().map(|(position, _)| *position).collect();
                let good: Vec<u32> =
                    (0..row_number(rows.len())).filter(|position| !failed.contains(position)).collect();
                batch = batch.take(&good)?;
                let errors = errors.into_iter().map(|(position, error)| (rows[position as usize], error));
                refuse(bad, Stage::HeaderConverter, errors.collect());
                rows = good;
            }
        }
        batch.assert_consistent();
        if !rows.is_empty() {
            batches.push(batch);
        }
    }
    Ok(batches)
}

/// One side of a run after its converter.
struct Side {
    runs: Vec<Run>,
    /// Per record that went through, ascending by row.
    places: Vec<Place>,
}

/// Where a record's key or value is.
#[derive(Clone, Copy)]
struct Place {
    row: u32,
    run: usize,
    position: u32,
}

impl Side {
    /// Rows of a run. A whole run is moved: schemaless values would be copied one by one.
    fn take(&mut self, run: usize, positions: &[u32]) -> Result<Values, ConnectError> {
        let values = &mut self.runs[run].values;
        if positions.len() == values.rows() {
            return Ok(std::mem::replace(values, Values::Null { rows: 0 }));
        }
        values.take(positions)
    }

    fn rows(&self) -> Vec<u32> {
        self.places.iter().map(|place| place.row).collect()
    }
}

/// Decodes the payloads of `rows` and checks that no row was lost or doubled by the converter.
fn decode<'a>(
    converter: &mut dyn Converter,
    topic: &str,
    run: &RawRun<'_>,
    rows: &[u32],
    payload: impl Fn(usize) -> Option<&'a [u8]>,
) -> Result<(Side, Vec<(u32, ConnectError)>), ConnectError> {
    let decoded = if converter.takes_columns() {
        let payloads: BinaryArray = rows.iter().map(|row| payload(*row as usize)).collect();
        converter.decode_column(topic, &payloads)?
    } else {
        let payloads: Vec<Option<&[u8]>> = rows.iter().map(|row| payload(*row as usize)).collect();
        match payload_headers(converter, run, rows) {
            Some(headers) => converter.decode_with(topic, &payloads, &headers)?,
            None => converter.decode(topic, &payloads)?,
        }
    };
    let errors: Vec<_> = decoded.errors.into_iter().map(|(index, error)| (rows[index], error)).collect();
    let mut places = Vec::with_capacity(rows.len());
    for (number, run) in decoded.runs.iter().enumerate() {
        assert_eq!(run.rows.len(), run.values.rows(), "a converter's run does not match its rows");
        places.extend(run.rows.iter().zip(0..).map(|(index, position)| Place {
            row: rows[*index as usize],
            run: number,
            position,
        }));
    }
    assert_eq!(places.len() + errors.len(), rows.len(), "a converter lost or doubled rows");
    if decoded.runs.len() > 1 {
        places.sort_unstable_by_key(|place| place.row);
    }
    Ok((Side { runs: decoded.runs, places }, errors))
}

/// The last value of [`Converter::payload_header`] of each of `rows`; `None` when no record has it.
fn payload_headers<'a>(
    converter: &dyn Converter,
    run: &RawRun<'a>,
    rows: &[u32],
) -> Option<Vec<Option<&'a [u8]>>> {
    if run.headers.is_empty() {
        return None;
    }
    let name = converter.payload_header()?.as_bytes();
    let last = |row: &u32| run.headers[*row as usize].iter().rfind(|header| header.name == name)?.value;
    let values: Vec<Option<&[u8]>> = rows.iter().map(last).collect();
    values.iter().any(Option::is_some).then_some(values)
}

/// Neighbouring rows that share a key run and a value run.
struct Segment {
    rows: Vec<u32>,
    key_run: usize,
    keys: Vec<u32>,
    value_run: usize,
    values: Vec<u32>,
}

/// Joins both sides in row order; a row without a value was refused.
fn segments(keys: &Side, values: &Side) -> Vec<Segment> {
    let mut segments: Vec<Segment> = Vec::new();
    let mut keys = keys.places.iter();
    for value in &values.places {
        let key = keys.find(|key| key.row == value.row).expect("values were decoded for rows with a key");
        let same = |last: &Segment| last.key_run == key.run && last.value_run == value.run;
        if !segments.last().is_some_and(same) {
            segments.push(Segment {
                rows: Vec::new(),
                key_run: key.run,
                keys: Vec::new(),
                value_run: value.run,
                values: Vec::new(),
            });
        }
        let segment = segments.last_mut().expect("one was just made sure of");
        segment.rows.push(value.row);
        segment.keys.push(key.position);
        segment.values.push(value.position);
    }
    segments
}

/// The headers of a batch, and the positions of the rows whose headers failed.
type DecodedHeaders = (HeaderRows, Vec<(u32, ConnectError)>);

/// The headers of `rows`; `None` when there are none to convert.
fn decode_headers(
    converters: &mut Converters,
    topic: &str,
    run: &RawRun<'_>,
    rows: &[u32],
) -> Option<DecodedHeaders> {
    if run.headers.is_empty() || !converters.use_headers() {
        return None;
    }
    let lists: Vec<&[RawHeader<'_>]> = rows.iter().map(|row| &*run.headers[*row as usize]).collect();
    let names: Vec<&[u8]> = lists.first()?.iter().map(|header| header.name).collect();
    let has_names = |list: &&[RawHeader<'_>]| list.iter().map(|header| header.name).eq(names.iter().copied());
    let converter = &mut *converters.header;
    Some(if lists.iter().all(has_names) {
        header_columns(converter, topic, &names, &lists)
    } else {
        header_lists(converter, topic, &lists)
    })
}

/// Rows whose headers all have these names, in this order.
fn header_columns(
    converter: &mut dyn HeaderConverter,
    topic: &str,
    names: &[&[u8]],
    lists: &[&[RawHeader<'_>]],
) -> DecodedHeaders {
    let mut columns = Vec::with_capacity(names.len());
    let mut failed = BTreeMap::new();
    for (at, name) in names.iter().enumerate() {
        let key: Arc<str> = String::from_utf8_lossy(name).into();
        let payloads: Vec<Option<&[u8]>> = lists.iter().map(|list| list[at].value).collect();
        let (values, errors) = converter.decode_column(topic, &key, &payloads);
        columns.push(HeaderColumn { key, values });
        for (position, error) in errors {
            // The first header that fails is the record's failure.
            failed.entry(row_number(position)).or_insert(error);
        }
    }
    (HeaderRows::of_columns(columns), failed.into_iter().collect())
}

fn header_lists(
    converter: &mut dyn HeaderConverter,
    topic: &str,
    lists: &[&[RawHeader<'_>]],
) -> DecodedHeaders {
    let mut errors = Vec::new();
    let mut decode = |(position, raw): (u32, &&[RawHeader<'_>])| {
        let list: Result<Vec<Header>, ConnectError> =
            raw.iter().map(|header| decode_header(&mut *converter, topic, header)).collect();
        list.unwrap_or_else(|error| {
            errors.push((position, error));
            Vec::new()
        })
    };
    let headers = (0..).zip(lists).map(&mut decode).collect();
    (HeaderRows::new(headers), errors)
}

fn decode_header(
    converter: &mut dyn HeaderConverter,
    topic: &str,
    raw: &RawHeader<'_>,
) -> Result<Header, ConnectError> {
    let key: Arc<str> = String::from_utf8_lossy(raw.name).into();
    let (schema, value) = converter.decode(topic, &key, raw.value)?;
    Ok(Header { key, schema, value })
}

fn row_number(rows: usize) -> u32 {
    u32::try_from(rows).expect("a run is bounded far below 2^32 records")
}
