//! The producer against a cluster whose answers the test decides.

use std::sync::mpsc;

use rdkafka::mocking::MockCluster;
use rdkafka::types::RDKafkaRespErr;

use super::*;

const PATIENCE: Duration = Duration::from_secs(60);

/// A producer with the settings that Connect gives each, `more` on top, and what tells of reports.
fn producer(servers: &str, more: &[(&str, &str)]) -> (SourceProducer, mpsc::Receiver<()>) {
    let base = [("bootstrap.servers", servers), ("acks", "all"), ("delivery.timeout.ms", "2147483647")];
    let pairs = base.iter().chain(more);
    let props = pairs.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let (woken, wakes) = mpsc::channel();
    (SourceProducer::new(&props, move || woken.send(()).unwrap_or_default()).unwrap(), wakes)
}

/// A broker may know a topic later than the one that created it.
#[test]
fn a_record_waits_for_a_topic_that_brokers_do_not_know_yet() {
    for longest in [&[][..], &[("max.block.ms", "9223372036854775807")], &[("max.block.ms", "3600000")]] {
        let cluster = MockCluster::new(1).unwrap();
        cluster.create_topic("t", 1, 1).unwrap();
        let unknown = RDKafkaRespErr::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
        cluster.topic_error("t", unknown).unwrap();
        let (producer, wakes) = producer(&cluster.bootstrap_servers(), longest);
        let record = OutgoingRecord {
            topic: "t",
            partition: None,
            timestamp_ms: None,
            key: None,
            value: Some(b"x"),
            headers: &[],
        };
        let mut queued = producer.send(1, &record);
        // An answer that the topic is not there was taken in; there is no other in this test.
        let told = producer.inner.client().fetch_metadata(Some("t"), PATIENCE).unwrap();
        assert_eq!(told.topics()[0].error(), Some(unknown));
        cluster.topic_error("t", RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR).unwrap();
        let mut reports = Vec::new();
        loop {
            if matches!(queued, Err(NotQueued::Full | NotQueued::NotYet(_))) {
                queued = producer.send(1, &record);
            }
            producer.take_reports(&mut reports);
            if !reports.is_empty() {
                break;
            }
            wakes.recv_timeout(PATIENCE).unwrap();
        }
        queued.unwrap();
        let outcomes: Vec<_> = reports.into_iter().map(|report| report.outcome.unwrap()).collect();
        assert_eq!(outcomes.len(), 1);
    }
}
