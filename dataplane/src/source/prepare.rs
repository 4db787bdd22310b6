//! Records of a source as bytes: transforms, then the header, key and value converters.
//!
//! Source: `AbstractWorkerSourceTask#convertTransformedRecord`, Kafka 4.1.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::Poll;

use bytes::Bytes;
use lakeward_api::ConnectError;
use lakeward_api::batch::{SinkBatch, Values};
use lakeward_api::converter::{Converter, Encoded};
use lakeward_api::transform::NO_PARTITION;
use lakeward_dataplane_core::tolerance::Stage;

use crate::task::Converters;

/// A record that could not be transformed or converted.
pub(super) struct BadRow {
    pub(super) row: usize,
    pub(super) stage: Stage,
    /// Java class name of the transform or converter.
    pub(super) class: &'static str,
    pub(super) error: ConnectError,
}

/// The outcome of the transforms for one batch; rows are those of the batch.
#[derive(Default)]
pub(super) struct Transformed {
    pub(super) batches: Vec<SinkBatch>,
    pub(super) dropped: Vec<usize>,
    pub(super) bad: Vec<BadRow>,
}

/// Bytes of rows that share a topic, ready to be sent.
pub(super) struct Prepared {
    pub(super) topic: Arc<str>,
    /// The partition they go to; `None` leaves it to the producer.
    pub(super) partition: Option<i32>,
    /// Row in the batch of the source, ascending; a row that failed is left out.
    pub(super) rows: Vec<PreparedRow>,
    keys: Encoded,
    values: Encoded,
}

/// One row.
pub(super) struct PreparedRow {
    pub(super) row: usize,
    pub(super) timestamp_ms: Option<i64>,
    headers: Vec<(Arc<str>, Option<Bytes>)>,
    /// Row in the encoded columns.
    at: usize,
}

impl Prepared {
    pub(super) fn key(&self, row: &PreparedRow) -> Option<&[u8]> {
        self.keys.payload(row.at)
    }

    pub(super) fn value(&self, row: &PreparedRow) -> Option<&[u8]> {
        self.values.payload(row.at)
    }

    /// The record's headers, then those that say how its payloads are written.
    pub(super) fn headers<'a>(&'a self, row: &'a PreparedRow) -> Vec<(&'a str, Option<&'a [u8]>)> {
        let own = row.headers.iter().map(|(name, value)| (&**name, value.as_deref()));
        let mut headers: Vec<(&str, Option<&[u8]>)> = own.collect();
        for encoded in [&self.keys, &self.values] {
            let Some((name, value)) = &encoded.header else { continue };
            let last = headers.iter().rfind(|(known, _)| known == name);
            let is_there = last.is_some_and(|(_, known)| *known == Some(&**value));
            if encoded.payload(row.at).is_some() && !is_there {
                headers.push((name, Some(value)));
            }
        }
        headers
    }
}

/// Applies the transforms to a batch. Offsets of what goes in and comes out are rows of what was polled.
pub(super) fn transform(converters: &mut Converters, batch: SinkBatch) -> Result<Transformed, ConnectError> {
    if converters.chain.is_empty() {
        return Ok(Transformed { batches: vec![batch], ..Transformed::default() });
    }
    let applied = converters.chain.apply(batch)?;
    let bad = applied.errors.into_iter().map(|failed| BadRow {
        row: row_of(failed.offset),
        stage: Stage::Transformation,
        class: failed.class,
        error: failed.error,
    });
    Ok(Transformed {
        batches: applied.batches,
        dropped: applied.dropped.into_iter().map(row_of).collect(),
        bad: bad.collect(),
    })
}

pub(super) fn row_of(offset: i64) -> usize {
    usize::try_from(offset).expect("row numbers are not negative")
}

/// Makes sure that [`encode`] can run without waiting for a network.
pub(super) fn poll_ready(converters: &mut Converters, batch: &SinkBatch) -> Result<Poll<()>, ConnectError> {
    // Both are asked, so that their requests run at the same time.
    let key = converters.key.poll_encode_ready(&batch.topic, &batch.keys)?;
    let value = converters.value.poll_encode_ready(&batch.topic, &batch.values)?;
    Ok(if key.is_pending() || value.is_pending() { Poll::Pending } else { Poll::Ready(()) })
}

/// Converts a batch. A record fails at its first stage.
pub(super) fn encode(
    converters: &mut Converters,
    batch: &SinkBatch,
) -> Result<(Prepared, Vec<BadRow>), ConnectError> {
    let mut failed: BTreeMap<usize, (Stage, ConnectError)> = BTreeMap::new();
    let mut headers = encode_headers(converters, batch, &mut failed);
    let mut column = |converter: &mut dyn Converter, values: &Values, stage| {
        let mut encoded = converter.encode(&batch.topic, values)?;
        assert_eq!(encoded.rows(), batch.rows(), "a converter lost or doubled rows");
        for (at, error) in std::mem::take(&mut encoded.errors) {
            failed.entry(at).or_insert((stage, error));
        }
        Ok::<Encoded, ConnectError>(encoded)
    };
    let keys = column(&mut *converters.key, &batch.keys, Stage::KeyConverter)?;
    let values = column(&mut *converters.value, &batch.values, Stage::ValueConverter)?;
    let good = (0..batch.rows()).filter(|at| !failed.contains_key(at));
    let rows = good.map(|at| PreparedRow {
        row: row_of(batch.offsets[at]),
        timestamp_ms: batch.timestamps_ms[at],
        headers: headers.get_mut(at).map(std::mem::take).unwrap_or_default(),
        at,
    });
    let rows = rows.collect();
    let classes = converters.classes;
    let bad = failed.into_iter().map(|(at, (stage, error))| BadRow {
        row: row_of(batch.offsets[at]),
        stage,
        class: match stage {
            Stage::HeaderConverter => classes.header,
            Stage::KeyConverter => classes.key,
            _ => classes.value,
        },
        error,
    });
    let partition = Some(batch.partition.partition).filter(|partition| *partition != NO_PARTITION);
    Ok((Prepared { topic: Arc::clone(&batch.topic), partition, rows, keys, values }, bad.collect()))
}

/// The headers of each row; empty when no row has any.
fn encode_headers(
    converters: &mut Converters,
    batch: &SinkBatch,
    failed: &mut BTreeMap<usize, (Stage, ConnectError)>,
) -> Vec<Vec<(Arc<str>, Option<Bytes>)>> {
    if batch.headers.is_empty() {
        return Vec::new();
    }
    let mut all = Vec::with_capacity(batch.rows());
    for at in 0..batch.rows() {
        let mut encoded = Vec::new();
        for header in &*batch.headers.row(at) {
            let value =
                converters.header.encode(&batch.topic, &header.key, header.schema.as_deref(), &header.value);
            match value {
                Ok(value) => encoded.push((Arc::clone(&header.key), value)),
                Err(error) => drop(failed.entry(at).or_insert((Stage::HeaderConverter, error))),
            }
        }
        all.push(encoded);
    }
    all
}
