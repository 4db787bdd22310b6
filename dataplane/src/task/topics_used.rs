//! Which topics a task used: each is told with its first record, and again with the next one after topics
//! were forgotten.
//!
//! Java looks the topic up for every record. Memory: the names of the task's topics.
//!
//! Source: `WorkerSinkTask#recordActiveTopic`, `AbstractWorkerSourceTask#recordActiveTopic`, Kafka 4.1.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The topics of one task.
pub(crate) struct TopicsUsed {
    topics: HashSet<Arc<str>>,
    resets: Arc<AtomicU64>,
    resets_seen: u64,
}

impl TopicsUsed {
    /// No topics; `resets` grows when topics were forgotten.
    pub(crate) fn new(resets: &Arc<AtomicU64>) -> Self {
        let resets_seen = resets.load(Ordering::Relaxed);
        Self { topics: HashSet::new(), resets: Arc::clone(resets), resets_seen }
    }

    /// True when topics were forgotten since the last call: whoever remembers a topic must ask anew.
    pub(crate) fn were_reset(&mut self) -> bool {
        let resets = self.resets.load(Ordering::Relaxed);
        if resets == self.resets_seen {
            return false;
        }
        self.resets_seen = resets;
        self.topics.clear();
        true
    }

    /// A record of `topic` came. Its shared name, and whether it is to be told.
    pub(crate) fn see(&mut self, topic: &str) -> (Arc<str>, bool) {
        if let Some(name) = self.topics.get(topic) {
            return (Arc::clone(name), false);
        }
        let name: Arc<str> = topic.into();
        self.topics.insert(Arc::clone(&name));
        (name, true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_told_again_with_the_first_record_after_a_reset() {
        let resets = Arc::new(AtomicU64::new(7));
        let mut topics = TopicsUsed::new(&resets);
        assert!(!topics.were_reset());
        assert_eq!(topics.see("t"), ("t".into(), true));
        assert_eq!(topics.see("t"), ("t".into(), false));
        resets.fetch_add(1, Ordering::Relaxed);
        assert!(topics.were_reset() && !topics.were_reset());
        assert_eq!(topics.see("t"), ("t".into(), true));
        assert_eq!(topics.see("t"), ("t".into(), false));
    }
}
