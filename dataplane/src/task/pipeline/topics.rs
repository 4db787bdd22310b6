//! Which topics a task used, told at once and again while there is traffic, so that they come back after a
//! reset.
//!
//! Java looks the topic up for every record; here the reader of the reports drops what is known. Memory: the
//! names of the task's topics.
//!
//! Source: `WorkerSinkTask#recordActiveTopic`, Kafka 4.1.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How late a topic comes back.
const TELL_INTERVAL: Duration = Duration::from_secs(1);

/// The topics of one task.
#[derive(Default)]
pub(super) struct TopicsUsed {
    /// Whether records came since the topic was told.
    topics: HashMap<Arc<str>, bool>,
    told: Option<Instant>,
}

impl TopicsUsed {
    /// Records of `topic` came. Its shared name, and whether to tell it at once, as it is new.
    pub(super) fn see(&mut self, topic: &str) -> (Arc<str>, bool) {
        if let Some((name, _)) = self.topics.get_key_value(topic) {
            let name = Arc::clone(name);
            self.topics.insert(Arc::clone(&name), true);
            return (name, false);
        }
        let name: Arc<str> = topic.into();
        self.topics.insert(Arc::clone(&name), false);
        (name, true)
    }

    /// Topics to tell again; `None` while it is too early.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<Vec<Arc<str>>> {
        let told = *self.told.get_or_insert(now);
        if now.duration_since(told) < TELL_INTERVAL {
            return None;
        }
        self.told = Some(now);
        let seen = self
            .topics
            .iter_mut()
            .filter_map(|(name, has_traffic)| std::mem::take(has_traffic).then(|| Arc::clone(name)));
        Some(seen.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_told_again_only_after_more_traffic() {
        let mut topics = TopicsUsed::default();
        let start = Instant::now();
        assert_eq!(topics.take_due(start), None);
        assert_eq!(topics.see("t"), ("t".into(), true));
        assert_eq!(topics.take_due(start + TELL_INTERVAL), Some(Vec::new()), "it was told when it came");
        assert_eq!(topics.see("t"), ("t".into(), false));
        assert_eq!(topics.take_due(start + TELL_INTERVAL), None, "too early");
        assert_eq!(topics.take_due(start + TELL_INTERVAL * 2), Some(vec!["t".into()]));
        assert_eq!(topics.take_due(start + TELL_INTERVAL * 3), Some(Vec::new()));
    }
}
