//! Records of one batch that go to several topics.

use std::collections::HashSet;
use std::sync::Arc;

use lakeward_api::ConnectError;
use lakeward_api::batch::SinkBatch;
use lakeward_api::transform::Transformed;

use crate::{columns, merge};

/// The topic of every row that goes on, as runs of neighbours.
#[derive(Default)]
pub(crate) struct TopicRuns {
    names: HashSet<Arc<str>>,
    runs: Vec<(Arc<str>, usize)>,
}

impl TopicRuns {
    /// The topic of the next row.
    pub(crate) fn push(&mut self, topic: &str) {
        if let Some((last, rows)) = self.runs.last_mut()
            && **last == *topic
        {
            *rows += 1;
            return;
        }
        let name = match self.names.get(topic) {
            Some(known) => Arc::clone(known),
            None => {
                let name: Arc<str> = topic.into();
                self.names.insert(Arc::clone(&name));
                name
            }
        };
        self.runs.push((name, 1));
    }

    /// `batch` under these topics, one batch per run. There is one topic per row.
    pub(crate) fn split(self, mut batch: SinkBatch) -> Result<Vec<SinkBatch>, ConnectError> {
        debug_assert_eq!(
            self.runs.iter().map(|(_, rows)| rows).sum::<usize>(),
            batch.rows(),
            "one topic a row"
        );
        if let [(topic, _)] = self.runs.as_slice() {
            batch.topic = Arc::clone(topic);
            return Ok(vec![batch]);
        }
        let mut batches = Vec::with_capacity(self.runs.len());
        let mut rows = 0u32..;
        for (topic, count) in self.runs {
            let run: Vec<u32> = rows.by_ref().take(count).collect();
            let mut part = merge::move_rows(&mut batch, &run)?;
            part.topic = topic;
            batches.push(part);
        }
        Ok(batches)
    }

    /// As [`TopicRuns::split`] for the rows that are not among `failed`, which become errors.
    pub(crate) fn finish(
        self,
        batch: SinkBatch,
        failed: Vec<(usize, ConnectError)>,
    ) -> Result<Transformed, ConnectError> {
        let mut outcome = columns::without(batch, failed)?;
        outcome.batches = match outcome.batches.pop() {
            Some(batch) => self.split(batch)?,
            None => Vec::new(),
        };
        Ok(outcome)
    }
}

/// Outcomes for different rows of one batch as one, in the order of the input.
pub(crate) fn combine(parts: Vec<Transformed>) -> Result<Transformed, ConnectError> {
    let mut all = Transformed::default();
    for part in parts {
        all.errors.extend(part.errors);
        if all.batches.is_empty() {
            all.batches = part.batches;
            continue;
        }
        let (few, many) = match part.batches.len() <= all.batches.len() {
            true => (part.batches, std::mem::take(&mut all.batches)),
            false => (std::mem::take(&mut all.batches), part.batches),
        };
        let mut merged = many;
        for batch in few {
            let mut next = Vec::new();
            merge::in_order(batch, merged, &mut next)?;
            merged = next;
        }
        all.batches = merged;
    }
    Ok(all)
}
