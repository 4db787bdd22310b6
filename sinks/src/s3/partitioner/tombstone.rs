//! Null values go to a directory of their own (`behavior.on.null.values=write`).
//!
//! Source: `TombstoneSupportedPartitioner` and `TombstoneTimestampExtractor`, Confluent S3 sink: no affix, no
//! time path, and the time of such records is that of Kafka.

use std::sync::Arc;

use lakeward_api::batch::SinkBatch;

use super::{Encoded, Ids, Kind, Partitioner, Times};
use crate::s3::error::S3SinkError;
use crate::s3::null_rows::present_rows;

/// Encodes the rows of `batch`; null values go to `directory`.
pub(super) fn encode(
    partitioner: &mut Partitioner,
    directory: &Arc<str>,
    batch: &SinkBatch,
    now_ms: i64,
) -> Result<Encoded, S3SinkError> {
    let Some(present) = present_rows(&batch.values) else {
        return partitioner.encode_values(batch, now_ms);
    };
    let has_times = matches!(partitioner.kind, Kind::Time(_));
    if present.is_empty() {
        let times = if has_times { Times::Sparse(batch.timestamps_ms.clone()) } else { Times::None };
        return Ok(Encoded { names: vec![Arc::clone(directory)], ids: Ids::Uniform, times });
    }
    let values = batch.take(&present).expect("rows of a batch fit into a batch");
    let mut encoded = partitioner.encode_values(&values, now_ms)?;
    let tombstones = u32::try_from(encoded.names.len()).expect("a batch has fewer rows than u32::MAX");
    encoded.names.push(Arc::clone(directory));
    let mut ids = vec![tombstones; batch.rows()];
    let mut times = batch.timestamps_ms.clone();
    for (place, row) in present.iter().enumerate() {
        let row = *row as usize;
        ids[row] = match &encoded.ids {
            Ids::PerRow(ids) => ids[place],
            Ids::Uniform => 0,
        };
        times[row] = match &encoded.times {
            Times::None => None,
            Times::PerRow(times) => Some(times[place]),
            Times::Sparse(times) => times[place],
            Times::Uniform(time) => Some(*time),
        };
    }
    let times = if has_times { Times::Sparse(times) } else { Times::None };
    Ok(Encoded { names: encoded.names, ids: Ids::PerRow(ids), times })
}
