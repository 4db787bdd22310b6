//! Records that a transform sent to another topic.
//!
//! Positions and rotation stay with the topic-partition that the records came from; the object is named after
//! the topic that they say. Java fails here: it looks for a writer of the new topic.

use std::sync::Arc;

use lakeward_api::batch::SinkBatch;
use lakeward_api::record::TopicPartition;

use crate::s3::partitioner::segment::confine_topic;

/// Between the routed topic and the encoded partition; neither can hold it.
pub(crate) const SEPARATOR: char = '\0';

/// Puts the topic before the encoded partitions of a batch that was routed, so that the records of each topic
/// get files of their own.
pub(super) fn mark(batch: &SinkBatch, names: &mut [Arc<str>]) {
    if batch.topic == batch.partition.topic {
        return;
    }
    let topic = confine_topic(&batch.topic);
    for name in names {
        *name = format!("{topic}{SEPARATOR}{name}").into();
    }
}

/// The topic and the encoded partition of a part.
pub(super) fn split<'a>(partition: &'a TopicPartition, marked: &'a str) -> (&'a str, &'a str) {
    marked.split_once(SEPARATOR).unwrap_or((&partition.topic, marked))
}

#[cfg(test)]
mod tests {
    use lakeward_api::batch::Values;
    use lakeward_api::header::HeaderRows;

    use super::*;

    #[test]
    fn only_routed_batches_are_marked() {
        let partition = TopicPartition::new("orders", 3);
        let mut batch = SinkBatch {
            partition: partition.clone(),
            topic: Arc::clone(&partition.topic),
            offsets: vec![0],
            timestamps_ms: vec![None],
            keys: Values::Null { rows: 1 },
            values: Values::Null { rows: 1 },
            headers: HeaderRows::default(),
        };
        let mut names: Vec<Arc<str>> = vec!["day=1".into()];
        mark(&batch, &mut names);
        assert_eq!(split(&partition, &names[0]), ("orders", "day=1"));
        batch.topic = "sales".into();
        mark(&batch, &mut names);
        assert_eq!(split(&partition, &names[0]), ("sales", "day=1"));
        for (topic, confined) in
            [("../../etc", "%2E%2E/%2E%2E/etc"), ("/etc", "%2Fetc"), ("a\0b", "a%00b"), ("..", "%2E%2E")]
        {
            let mut names: Vec<Arc<str>> = vec!["day=1".into()];
            batch.topic = topic.into();
            mark(&batch, &mut names);
            assert_eq!(split(&partition, &names[0]), (confined, "day=1"));
        }
    }
}
