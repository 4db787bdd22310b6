//! Fetched records to sink batches: both converters over a run of one topic-partition, joined row by row.

use std::sync::Arc;

use lakeward_api::ConnectError;
use lakeward_api::batch::{SinkBatch, Values};
use lakeward_api::converter::{Converter, Decoded};
use lakeward_api::header::HeaderRows;
use lakeward_api::record::{RawRecord, TopicPartition};
use lakeward_dataplane_core::tolerance::Stage;

use super::settings::Converters;

/// A record that could not be converted.
pub(super) struct BadRecord {
    pub(super) offset: i64,
    pub(super) stage: Stage,
    pub(super) error: ConnectError,
}

/// A run after conversion: batches in offset order, and the records left out.
#[derive(Default)]
pub(super) struct Converted {
    pub(super) batches: Vec<SinkBatch>,
    pub(super) bad: Vec<BadRecord>,
}

/// Converts one run. Each row ends up in exactly one batch or in `bad`.
///
/// # Errors
/// When nothing can be converted at all (a registry that is down, wrong settings).
pub(super) fn convert(
    converters: &mut Converters,
    partition: &TopicPartition,
    records: &[RawRecord<'_>],
) -> Result<Converted, ConnectError> {
    let topic = &*partition.topic;
    let mut converted = Converted::default();
    let payloads: Vec<Option<&[u8]>> = records.iter().map(|record| record.value).collect();
    let values = decode(&mut *converters.value, topic, &payloads)?;
    for (row, error) in values.errors {
        converted.bad.push(BadRecord { offset: records[row].offset, stage: Stage::ValueConverter, error });
    }
    for run in values.runs {
        let payloads: Vec<Option<&[u8]>> = run.rows.iter().map(|row| records[*row as usize].key).collect();
        let keys = decode(&mut *converters.key, topic, &payloads)?;
        for (row, error) in keys.errors {
            let offset = records[run.rows[row] as usize].offset;
            converted.bad.push(BadRecord { offset, stage: Stage::KeyConverter, error });
        }
        for key_run in keys.runs {
            let rows: Vec<u32> = key_run.rows.iter().map(|row| run.rows[*row as usize]).collect();
            let values = run.values.take(&key_run.rows)?;
            converted.batches.push(batch(partition, records, &rows, key_run.values, values));
        }
    }
    converted.batches.sort_by_key(|batch| batch.offsets.first().copied());
    Ok(converted)
}

/// Decodes and checks that no row was lost or doubled by the converter.
fn decode(
    converter: &mut dyn Converter,
    topic: &str,
    payloads: &[Option<&[u8]>],
) -> Result<Decoded, ConnectError> {
    let decoded = converter.decode(topic, payloads)?;
    let rows: usize = decoded.runs.iter().map(|run| run.rows.len()).sum();
    assert_eq!(rows + decoded.errors.len(), payloads.len(), "a converter lost or doubled rows");
    for run in &decoded.runs {
        assert_eq!(run.rows.len(), run.values.rows(), "a converter's run does not match its rows");
    }
    Ok(decoded)
}

fn batch(
    partition: &TopicPartition,
    records: &[RawRecord<'_>],
    rows: &[u32],
    keys: Values,
    values: Values,
) -> SinkBatch {
    let batch = SinkBatch {
        partition: partition.clone(),
        topic: Arc::clone(&partition.topic),
        headers: HeaderRows::default(),
        offsets: rows.iter().map(|row| records[*row as usize].offset).collect(),
        timestamps_ms: rows.iter().map(|row| records[*row as usize].timestamp_ms).collect(),
        keys,
        values,
    };
    batch.assert_consistent();
    batch
}

#[cfg(test)]
mod tests {
    use lakeward_api::converter::Run;
    use lakeward_api::value::Value;

    use super::*;

    /// Fails rows whose payload is `x`, starts a new run at every payload that begins with `|`.
    struct Picky;

    impl Converter for Picky {
        fn decode(&mut self, _topic: &str, payloads: &[Option<&[u8]>]) -> Result<Decoded, ConnectError> {
            let mut decoded = Decoded::default();
            for (row, payload) in payloads.iter().enumerate() {
                let text = std::str::from_utf8(payload.unwrap_or_default()).unwrap();
                if text == "x" {
                    decoded.errors.push((row, ConnectError::data("x")));
                    continue;
                }
                if decoded.runs.is_empty() || text.starts_with('|') {
                    decoded.runs.push(Run { rows: Vec::new(), values: Values::Dynamic(Vec::new()) });
                }
                let run = decoded.runs.last_mut().unwrap();
                run.rows.push(u32::try_from(row).unwrap());
                let Values::Dynamic(values) = &mut run.values else { unreachable!() };
                values.push(Value::String(text.into()));
            }
            Ok(decoded)
        }
    }

    #[test]
    fn keys_and_values_stay_together_through_runs_and_failures() {
        let texts = [("k0", "v0"), ("|k1", "v1"), ("k2", "x"), ("x", "|v3"), ("k4", "v4"), ("|k5", "v5")];
        let records: Vec<RawRecord<'_>> = texts
            .iter()
            .zip(10..)
            .map(|((key, value), offset)| RawRecord {
                offset,
                timestamp_ms: Some(offset),
                key: Some(key.as_bytes()),
                value: Some(value.as_bytes()),
            })
            .collect();
        let mut converters = Converters { key: Box::new(Picky), value: Box::new(Picky) };
        let converted = convert(&mut converters, &TopicPartition::new("t", 0), &records).unwrap();
        let mut offsets = Vec::new();
        for batch in &converted.batches {
            let (Values::Dynamic(keys), Values::Dynamic(values)) = (&batch.keys, &batch.values) else {
                panic!()
            };
            for (row, offset) in batch.offsets.iter().enumerate() {
                let sent = texts[usize::try_from(offset - 10).unwrap()];
                assert_eq!((keys[row].as_str(), values[row].as_str()), (Some(sent.0), Some(sent.1)));
                offsets.push(*offset);
            }
        }
        assert_eq!(offsets, [10, 11, 14, 15]);
        let bad: Vec<(i64, Stage)> = converted.bad.iter().map(|bad| (bad.offset, bad.stage)).collect();
        assert_eq!(bad, [(12, Stage::ValueConverter), (13, Stage::KeyConverter)]);
    }
}
