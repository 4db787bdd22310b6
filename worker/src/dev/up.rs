//! Broker, schema registry and S3 server together, with the lines to paste.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use lakeward_loadgen::topic;

use super::{broker, registry, s3};

/// Topic of the sink in the instructions.
const TOPIC: &str = "events";
const TOPIC_PARTITIONS: i32 = 4;

/// Settings of the playground.
#[derive(Args)]
pub(crate) struct UpArgs {
    /// Directory for buckets and the worker file; created when missing.
    #[arg(long, default_value = "lakeward-playground")]
    dir: PathBuf,
    #[command(flatten)]
    ports: Ports,
}

#[derive(Args)]
struct Ports {
    /// Broker port on 127.0.0.1.
    #[arg(long, default_value_t = 9092)]
    broker_port: u16,
    /// Schema registry port on 127.0.0.1.
    #[arg(long, default_value_t = 8081)]
    registry_port: u16,
    /// S3 port on 127.0.0.1.
    #[arg(long, default_value_t = 9000)]
    s3_port: u16,
}

/// Runs the servers until they are told to stop.
pub(crate) async fn run(args: UpArgs) -> anyhow::Result<()> {
    std::fs::create_dir_all(&args.dir)?;
    let worker = args.dir.join("worker.properties");
    std::fs::write(&worker, worker_properties(args.ports.broker_port))?;
    let store_folder = args.dir.join("s3");
    let bucket = store_folder.join("lake");
    let broker = broker::run(broker::BrokerArgs::on_port(args.ports.broker_port));
    let store = s3::run(s3::S3Args::in_directory(store_folder.clone(), args.ports.s3_port));
    let schemas = registry::run(registry::RegistryArgs::on_port(args.ports.registry_port));
    tokio::try_join!(broker, store, schemas, welcome(&worker, &bucket, &args.ports))?;
    Ok(())
}

/// Creates the topic of the instructions as soon as the broker answers, then prints them.
async fn welcome(worker: &Path, bucket: &Path, ports: &Ports) -> anyhow::Result<()> {
    let address = format!("127.0.0.1:{}", ports.broker_port);
    broker::answers(&address).await?;
    topic::create(&address, TOPIC, TOPIC_PARTITIONS).await?;
    let mut out = std::io::stdout().lock();
    Ok(writeln!(out, "\n{}", instructions(worker, bucket, ports))?)
}

/// A worker file for the playground's broker. Session timeouts are short because the embedded broker answers
/// a member that joins only after half of its timeout.
pub(crate) fn worker_properties(broker_port: u16) -> String {
    let mut text = format!("bootstrap.servers=127.0.0.1:{broker_port}\ngroup.id=lakeward\n");
    for (prefix, topic) in [("config", "configs"), ("offset", "offsets"), ("status", "status")] {
        // Writing to a String cannot fail.
        let _written =
            write!(text, "{prefix}.storage.topic=connect-{topic}\n{prefix}.storage.replication.factor=1\n");
    }
    text.push_str(
        "listeners=http://127.0.0.1:8083\n\
         session.timeout.ms=4000\n\
         heartbeat.interval.ms=1000\n\
         consumer.session.timeout.ms=4000\n\
         consumer.heartbeat.interval.ms=1000\n\
         key.converter=org.apache.kafka.connect.storage.StringConverter\n\
         value.converter=org.apache.kafka.connect.json.JsonConverter\n\
         value.converter.schemas.enable=false\n",
    );
    text
}

fn instructions(worker: &Path, bucket: &Path, ports: &Ports) -> String {
    format!(
        "Broker on 127.0.0.1:{broker}, S3 on http://127.0.0.1:{s3} (bucket lake), schema registry for \
         development on http://127.0.0.1:{registry}. Stop with Ctrl-C.\n\n\
         In a second terminal, start a worker:\n\n  lakeward connect-distributed {worker}\n\n\
         In a third one, a sink that writes Parquet from plain JSON:\n\n  \
         curl -X POST -H 'Content-Type: application/json' http://127.0.0.1:8083/connectors \
         -d '{{\"name\":\"lake\",\
         \"config\":{{\"connector.class\":\"io.confluent.connect.s3.S3SinkConnector\",\
         \"storage.class\":\"io.confluent.connect.s3.storage.S3Storage\",\
         \"format.class\":\"io.confluent.connect.s3.format.parquet.ParquetFormat\",\"topics\":\"{TOPIC}\",\
         \"s3.bucket.name\":\"lake\",\"store.url\":\"http://127.0.0.1:{s3}\",\
         \"aws.access.key.id\":\"{access}\",\
         \"aws.secret.access.key\":\"{secret}\",\"flush.size\":\"1000\",\
         \"rotate.schedule.interval.ms\":\"5000\",\
         \"timezone\":\"UTC\",\"lakeward.schema\":\"infer\"}}}}'\n  \
         curl http://127.0.0.1:8083/connectors/lake/status\n\n\
         And records from any Kafka client; the files appear below {bucket}:\n\n  \
         echo '{{\"user\":\"ada\",\"clicks\":3}}' | kcat -P -b 127.0.0.1:{broker} -t {TOPIC}\n",
        worker = worker.display(),
        bucket = bucket.display(),
        broker = ports.broker_port,
        registry = ports.registry_port,
        s3 = ports.s3_port,
        access = super::ACCESS_KEY,
        secret = super::SECRET_KEY,
    )
}
