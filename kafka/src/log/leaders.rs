//! The first and the last offset of a partition, whoever leads it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};

use crate::KafkaError;
use crate::admin::{blocking, client_error};

/// The first offset of a partition and the one after its last, tried again until `deadline` while there is no
/// leader.
///
/// # Errors
/// What the last attempt said.
pub(super) async fn bounds<C: ConsumerContext + 'static>(
    consumer: &Arc<BaseConsumer<C>>,
    topic: &Arc<str>,
    partition: i32,
    deadline: Instant,
) -> Result<(i64, i64), KafkaError> {
    let mut pauses = Pauses::default();
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let (asked, name) = (Arc::clone(consumer), Arc::clone(topic));
        let wait = left.min(Duration::from_secs(10));
        match blocking(move || asked.fetch_watermarks(&name, partition, wait)).await? {
            Ok(bounds) => return Ok(bounds),
            Err(source) if left.is_zero() => {
                return Err(client_error(format!("looking up the end of topic {topic}"), source));
            }
            Err(err) => {
                tracing::debug!(%topic, error = %err, "the end of a topic is asked for again");
                learn_leaders(consumer, topic, left).await?;
                let left = deadline.saturating_duration_since(Instant::now());
                tokio::time::sleep(pauses.next(left)).await;
            }
        }
    }
}

/// Asks the brokers who leads. A client that was told once that nobody does, while a broker came back, takes
/// that for final: it looks up no offset before it is told otherwise.
async fn learn_leaders<C: ConsumerContext + 'static>(
    consumer: &Arc<BaseConsumer<C>>,
    topic: &Arc<str>,
    left: Duration,
) -> Result<(), KafkaError> {
    let (asked, name) = (Arc::clone(consumer), Arc::clone(topic));
    let wait = left.min(Duration::from_secs(5));
    // Without an answer the next attempt tells why.
    drop(blocking(move || asked.fetch_metadata(Some(&name), wait)).await?);
    Ok(())
}

/// Between questions: leaders are elected within a moment, or not for long.
struct Pauses {
    next: Duration,
}

impl Default for Pauses {
    fn default() -> Self {
        Self { next: Duration::from_millis(50) }
    }
}

impl Pauses {
    const MAX: Duration = Duration::from_secs(1);

    /// The next one, at most `left`.
    fn next(&mut self, left: Duration) -> Duration {
        let pause = self.next;
        self.next = (2 * pause).min(Self::MAX);
        pause.min(left)
    }
}

#[cfg(test)]
mod tests {
    use rdkafka::ClientConfig;
    use rdkafka::mocking::MockCluster;

    use super::*;

    /// Questions within `left`, were each answered at once.
    fn questions(mut left: Duration) -> usize {
        let mut pauses = Pauses::default();
        let mut count = 1;
        while !left.is_zero() {
            left -= pauses.next(left);
            count += 1;
        }
        count
    }

    #[test]
    fn brokers_without_a_leader_are_asked_ever_less_often() {
        assert_eq!(questions(Duration::from_millis(50)), 2);
        assert_eq!(questions(Duration::from_millis(750)), 5, "behind 50, 150, 350 and 750 ms");
        assert_eq!(questions(Duration::from_mins(10)), 605, "once a second in the long run");
    }

    #[tokio::test]
    async fn offsets_are_found_again_once_there_is_a_leader() {
        let cluster = MockCluster::new(1).unwrap();
        cluster.create_topic("t", 1, 1).unwrap();
        let consumer: BaseConsumer =
            ClientConfig::new().set("bootstrap.servers", cluster.bootstrap_servers()).create().unwrap();
        let (consumer, topic) = (Arc::new(consumer), Arc::from("t"));
        let lookup = |seconds| bounds(&consumer, &topic, 0, Instant::now() + Duration::from_secs(seconds));
        assert_eq!(lookup(30).await.unwrap(), (0, 0));
        cluster.partition_leader("t", 0, None).unwrap();
        lookup(1).await.unwrap_err();
        cluster.partition_leader("t", 0, Some(1)).unwrap();
        assert_eq!(lookup(30).await.unwrap(), (0, 0));
    }
}
