//! The metadata of committed offsets, which decided cuts live in: the next owner reads what a member
//! committed.
//!
//! The embedded broker (nisshi-broker 0.6) takes metadata and answers offsets without: decided cuts are not
//! repeated there, which is no loss for data that nobody keeps. The test that says so fails when that ends.

use std::process::Command;
use std::time::{Duration, Instant};

use lakeward_api::config::ConfigMap;
use lakeward_api::record::{CommittedPosition, Position, TopicPartition};
use lakeward_kafka::admin::Admin;
use lakeward_kafka::consumer::{CommitFailure, ConsumerEvent, SinkConsumer};
use lakeward_kafka::settings::{ClientKind, translate};
use lakeward_testkit::broker::KafkaBroker;
use lakeward_testkit::child::{Child, RunFolder};
use lakeward_testkit::wait::ready;
use lakeward_testkit::{install, unique};

const PATIENCE: Duration = Duration::from_secs(60);

/// A member of a group, and the wakes of its client.
struct Member {
    consumer: SinkConsumer,
    wakes: flume::Receiver<()>,
}

impl Member {
    fn join(bootstrap: &str, group: &str, topic: &str) -> Self {
        let props: ConfigMap = [
            ("bootstrap.servers", bootstrap),
            ("group.id", group),
            ("auto.offset.reset", "earliest"),
            ("session.timeout.ms", "6000"),
            ("heartbeat.interval.ms", "500"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        let settings = translate(ClientKind::Consumer, &props).expect("the settings are known");
        let (sender, wakes) = flume::unbounded();
        let wake = move || {
            // Nobody waits for a member that left.
            sender.send(()).ok();
        };
        let consumer = SinkConsumer::join(&settings, &[topic.to_owned()], wake).expect("a consumer is made");
        Self { consumer, wakes }
    }

    /// Serves the client until `wanted` finds its event.
    fn wait<T>(&mut self, what: &str, mut wanted: impl FnMut(&Self, ConsumerEvent) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let batch = self.consumer.take(100);
            for event in self.consumer.events(&batch) {
                if let Some(found) = wanted(self, event) {
                    return found;
                }
            }
            // A wake, or a look at what came without one.
            self.wakes.recv_timeout(Duration::from_millis(100)).ok();
        }
        panic!("no {what}");
    }

    fn assigned(&mut self) {
        self.wait("assignment", |member, event| match event {
            ConsumerEvent::Assigned(partitions) if !partitions.is_empty() => {
                member.consumer.confirm_assigned(&partitions).expect("assignments are accepted");
                Some(())
            }
            ConsumerEvent::Assigned(partitions) => {
                member.consumer.confirm_assigned(&partitions).expect("assignments are accepted");
                None
            }
            _ => None,
        });
    }

    fn commit(&mut self, commits: &[CommittedPosition]) -> (Vec<CommittedPosition>, Option<CommitFailure>) {
        self.consumer.commit(commits).expect("commits are sent");
        self.wait("answer", |_, event| match event {
            ConsumerEvent::Committed { accepted, failure } => Some((accepted, failure)),
            _ => None,
        })
    }

    fn read(&self, partitions: &[TopicPartition]) -> Vec<CommittedPosition> {
        self.consumer.committed_reader().read(partitions, PATIENCE).expect("committed offsets are read")
    }

    fn leave(mut self) {
        self.consumer.begin_close().expect("groups can be left");
        let deadline = Instant::now() + PATIENCE;
        while !self.consumer.is_closed() && Instant::now() < deadline {
            let batch = self.consumer.take(100);
            for event in self.consumer.events(&batch) {
                if let ConsumerEvent::Revoked(partitions) | ConsumerEvent::Lost(partitions) = event {
                    self.consumer.confirm_revoked(&partitions).expect("partitions are given up");
                }
            }
            self.wakes.recv_timeout(Duration::from_millis(100)).ok();
        }
        assert!(self.consumer.is_closed(), "the group was not left");
    }
}

fn at(topic: &str, partition: i32, next_offset: i64, metadata: &str) -> CommittedPosition {
    let partition = TopicPartition::new(topic, partition);
    CommittedPosition { position: Position { partition, next_offset }, metadata: metadata.to_owned() }
}

/// `kept` says what a broker makes of metadata.
fn round_trip(bootstrap: &str, kept: impl Fn(&CommittedPosition) -> CommittedPosition) {
    let (topic, group) = (unique("metadata"), unique("group"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let props: ConfigMap = [("bootstrap.servers".to_owned(), bootstrap.to_owned())].into();
    let admin = Admin::new(&props, "test").expect("an admin client");
    runtime.block_on(admin.create_if_missing(&topic, 3, 1, PATIENCE)).expect("topics are created");

    let partitions: Vec<TopicPartition> = (0..3).map(|number| TopicPartition::new(&*topic, number)).collect();
    let mut first = Member::join(bootstrap, &group, &topic);
    first.assigned();
    assert!(first.read(&partitions).is_empty(), "nothing was committed");
    let long = "x".repeat(lakeward_api::cuts::METADATA_BYTES_MAX);
    let commits = [at(&topic, 0, 7, "lakeward-cuts-1;AAA;5@1700000000000"), at(&topic, 1, 0, &long)];
    assert_eq!(first.commit(&commits), (commits.to_vec(), None));
    assert_eq!(first.read(&partitions), commits.each_ref().map(&kept));
    let again = [at(&topic, 0, 7, "lakeward-cuts-1;AAA;5;6")];
    assert_eq!(first.commit(&again), (again.to_vec(), None));
    first.leave();

    let mut second = Member::join(bootstrap, &group, &topic);
    second.assigned();
    assert_eq!(second.read(&partitions), [kept(&again[0]), kept(&commits[1])]);
    let done = [at(&topic, 0, 12, ""), at(&topic, 1, 3, "")];
    assert_eq!(second.commit(&done), (done.to_vec(), None));
    assert_eq!(second.read(&partitions), done);
    second.leave();
}

#[test]
fn the_next_owner_reads_the_metadata_from_apache_kafka() {
    round_trip(KafkaBroker::shared().bootstrap(), CommittedPosition::clone);
}

#[test]
fn the_embedded_broker_keeps_positions_and_forgets_their_metadata() {
    let folder = RunFolder::new("embedded").expect("a folder");
    let port = folder.free_port().expect("a port");
    let mut command = Command::new(install::worker().expect("the worker is built"));
    command.args(["dev", "broker", "--port", &port.to_string()]);
    let mut broker = Child::start("embedded", &command, &folder).expect("the embedded broker starts");
    ready("the embedded broker", PATIENCE, || {
        broker.assert_running()?;
        Ok(std::net::TcpStream::connect(("127.0.0.1", port)).ok().map(drop))
    })
    .expect("the embedded broker listens");
    let forgetful = |commit: &CommittedPosition| CommittedPosition {
        position: commit.position.clone(),
        metadata: String::new(),
    };
    round_trip(&format!("127.0.0.1:{port}"), forgetful);
}

#[test]
fn metadata_beyond_the_brokers_limit_is_refused_for_good() {
    let broker = KafkaBroker::shared();
    let topic = broker.create_topic("metadata", 1).expect("topics are created");
    let mut member = Member::join(broker.bootstrap(), &unique("group"), &topic);
    member.assigned();
    let (accepted, failure) = member.commit(&[at(&topic, 0, 1, &"x".repeat(5000))]);
    let failure = failure.expect("4,096 bytes is the limit");
    assert!(accepted.is_empty() && failure.is_final && !failure.is_unknown, "{failure:?}");
    member.leave();
}
