//! Apache Kafka: one broker in KRaft mode.
//!
//! Source: the quickstart of Apache Kafka 4.1; `StorageTool format`, then `kafka.Kafka`.

use std::fs;
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::Context;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};

use crate::block_on;
use crate::child::{Child, RunFolder};
use crate::java::java;
use crate::wait::ready;

/// A cold machine under load needs most of this; a warm one needs three seconds.
const START_PATIENCE: Duration = Duration::from_secs(120);
const REQUEST_PATIENCE: Duration = Duration::from_secs(5);
/// Any valid id: there is one cluster per data folder.
const CLUSTER_ID: &str = "bGFrZXdhcmQtdGVzdC0wMQ";

/// A running broker; it ends with this value, or with the test process when shared.
#[derive(Debug)]
pub struct KafkaBroker {
    bootstrap: String,
    second: Option<String>,
    child: Child,
    _folder: RunFolder,
}

impl KafkaBroker {
    /// Formats a data folder, starts a broker on free ports and waits until it answers metadata requests.
    pub fn start() -> anyhow::Result<Self> {
        Self::start_listening(None, &[], "")
    }

    /// The same with further broker settings.
    pub fn start_with_settings(settings: &[(&str, &str)]) -> anyhow::Result<Self> {
        Self::start_listening(None, settings, "")
    }

    /// The same with a second listener of this security protocol, and further broker settings.
    pub fn start_with(protocol: &str, settings: &[(&str, &str)]) -> anyhow::Result<Self> {
        Self::start_listening(Some(protocol), settings, "")
    }

    /// The same with options for the virtual machine, such as system properties.
    pub fn start_with_options(
        protocol: &str,
        settings: &[(&str, &str)],
        java_options: &str,
    ) -> anyhow::Result<Self> {
        Self::start_listening(Some(protocol), settings, java_options)
    }

    fn start_listening(
        protocol: Option<&str>,
        more: &[(&str, &str)],
        java_options: &str,
    ) -> anyhow::Result<Self> {
        let folder = RunFolder::new("kafka")?;
        let (port, controller_port) = (folder.free_port()?, folder.free_port()?);
        let second = match protocol {
            Some(protocol) => Some((protocol, format!("127.0.0.1:{}", folder.free_port()?))),
            None => None,
        };
        let settings = folder.file("server.properties");
        let listener = second.as_ref().map(|(protocol, address)| format!(",{protocol}://{address}"));
        let mut text = settings_text(port, controller_port, &listener.unwrap_or_default(), &folder);
        if let Some((protocol, _)) = &second {
            let map = format!("CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,{protocol}:{protocol}");
            text.push_str(&format!("listener.security.protocol.map={map}\n"));
        }
        more.iter().for_each(|(name, value)| text.push_str(&format!("{name}={value}\n")));
        fs::write(&settings, text).context("writing server.properties")?;
        let mut format = java("kafka.tools.StorageTool", "format.log", &folder)?;
        format.args(["format", "-t", CLUSTER_ID, "-c"]).arg(&settings);
        let status = Child::start("format", &format, &folder)?.wait(START_PATIENCE)?;
        anyhow::ensure!(status.success(), "formatting the broker's data folder ended with {status}");
        let mut command = java("kafka.Kafka", "server.log", &folder)?;
        command.env("JDK_JAVA_OPTIONS", java_options).arg(&settings);
        let mut child = Child::start("broker", &command, &folder)?.logs_to(folder.file("server.log"));
        let bootstrap = format!("127.0.0.1:{port}");
        ready("the broker", START_PATIENCE, || {
            child.assert_running()?;
            Ok(answers_metadata(&bootstrap).then_some(()))
        })?;
        let second = second.map(|(_, address)| address);
        Ok(Self { bootstrap, second, child, _folder: folder })
    }

    /// The broker that all tests of this process share. It ends with the process.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<KafkaBroker> = OnceLock::new();
        SHARED.get_or_init(|| Self::start().expect("Apache Kafka starts"))
    }

    /// `host:port`.
    pub fn bootstrap(&self) -> &str {
        &self.bootstrap
    }

    /// `host:port` of the second listener.
    ///
    /// # Panics
    /// When the broker has none.
    pub fn second(&self) -> &str {
        self.second.as_deref().expect("the broker was started with a second listener")
    }

    /// Creates a topic with a name no other test uses, and returns the name.
    pub fn create_topic(&self, stem: &str, partitions: i32) -> anyhow::Result<String> {
        let name = crate::unique(stem);
        self.create_topic_with(&name, partitions, &[])?;
        Ok(name)
    }

    /// Creates the topic `name` with topic settings.
    pub fn create_topic_with(
        &self,
        name: &str,
        partitions: i32,
        settings: &[(&str, &str)],
    ) -> anyhow::Result<()> {
        let topic = NewTopic::new(name, partitions, TopicReplication::Fixed(1));
        let topic = settings.iter().fold(topic, |topic, (key, value)| topic.set(key, value));
        let options = AdminOptions::new().request_timeout(Some(START_PATIENCE));
        let outcomes =
            block_on(self.admin()?.create_topics([&topic], &options)).context("creating a topic")?;
        for outcome in outcomes {
            outcome.map_err(|(topic, code)| anyhow::anyhow!("creating {topic}: {code}"))?;
        }
        Ok(())
    }

    /// How many partitions `topic` has; 0 when it does not exist.
    pub fn partition_count(&self, topic: &str) -> anyhow::Result<usize> {
        let consumer: BaseConsumer = self.client().set("allow.auto.create.topics", "false").create()?;
        let metadata =
            consumer.fetch_metadata(Some(topic), REQUEST_PATIENCE).context("asking for partitions")?;
        Ok(metadata.topics().first().map_or(0, |found| found.partitions().len()))
    }

    /// How many members a group has, dead ones whose session has not ended among them.
    pub fn member_count(&self, group: &str) -> anyhow::Result<usize> {
        let consumer: BaseConsumer = self.client().create()?;
        let list =
            consumer.fetch_group_list(Some(group), REQUEST_PATIENCE).context("asking for the group")?;
        Ok(list.groups().iter().map(|group| group.members().len()).sum())
    }

    /// The committed offset of a consumer group in partition `partition` of `topic`; `None` when there is
    /// none.
    pub fn committed_offset(&self, group: &str, topic: &str, partition: i32) -> anyhow::Result<Option<i64>> {
        let consumer: BaseConsumer = self.client().set("group.id", group).create()?;
        let mut wanted = rdkafka::TopicPartitionList::new();
        wanted.add_partition(topic, partition);
        let found = consumer.committed_offsets(wanted, REQUEST_PATIENCE).context("asking for the offset")?;
        let element = found.find_partition(topic, partition).context("no answer for the partition")?;
        Ok(match element.offset() {
            rdkafka::Offset::Offset(offset) => Some(offset),
            _ => None,
        })
    }

    /// Stops the process without ending it, as a dead network would; [`KafkaBroker::thaw`] undoes it.
    pub fn freeze(&self) -> anyhow::Result<()> {
        self.child.signal("STOP")
    }

    /// Lets a frozen broker run on.
    pub fn thaw(&self) -> anyhow::Result<()> {
        self.child.signal("CONT")
    }

    /// Client settings that name this broker.
    pub(crate) fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.bootstrap);
        config
    }

    fn admin(&self) -> anyhow::Result<AdminClient<DefaultClientContext>> {
        self.client().create().context("creating the admin client")
    }
}

fn answers_metadata(bootstrap: &str) -> bool {
    let consumer: Result<BaseConsumer, _> =
        ClientConfig::new().set("bootstrap.servers", bootstrap).set("log_level", "0").create();
    consumer.is_ok_and(|consumer| {
        consumer.fetch_metadata(None, REQUEST_PATIENCE).is_ok_and(|metadata| !metadata.brokers().is_empty())
    })
}

fn settings_text(port: u16, controller_port: u16, second: &str, folder: &RunFolder) -> String {
    format!(
        "process.roles=broker,controller\n\
         node.id=1\n\
         controller.quorum.voters=1@127.0.0.1:{controller_port}\n\
         listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}{second}\n\
         advertised.listeners=PLAINTEXT://127.0.0.1:{port}{second}\n\
         controller.listener.names=CONTROLLER\n\
         log.dirs={}\n\
         auto.create.topics.enable=false\n\
         offsets.topic.num.partitions=1\n\
         offsets.topic.replication.factor=1\n\
         transaction.state.log.num.partitions=1\n\
         transaction.state.log.replication.factor=1\n\
         transaction.state.log.min.isr=1\n\
         share.coordinator.state.topic.replication.factor=1\n\
         share.coordinator.state.topic.min.isr=1\n\
         group.initial.rebalance.delay.ms=0\n",
        folder.file("data").display()
    )
}
