//! From a worker file to a herder: topics, logs, membership, in parallel where they do not depend on each
//! other.
//!
//! Source: `ConnectDistributed`, `ConnectStandalone`, `DistributedHerder#startServices`, Kafka 4.1.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use lakeward_kafka::KafkaError;
use lakeward_kafka::admin::{Admin, InternalTopic};
use lakeward_kafka::membership::{Membership, MembershipSettings, Role};
use tokio::sync::{oneshot, watch};

use crate::error::ControlPlaneError;
use crate::herder::Stage;
use crate::store::{KafkaStore, PartitionCounts, Store as _, client_id};
use crate::worker_config::WorkerConfig;

/// `default.api.timeout.ms`: how long a broker may be unreachable at start.
const API_LIMIT: Duration = Duration::from_secs(60);
/// How long new partitions may take to show.
const PARTITION_LIMIT: Duration = Duration::from_secs(30);
/// How long reading the topics for the first time may take. Source: the list-offsets retry of
/// `KafkaBasedLog`.
const CATCH_UP_LIMIT: Duration = Duration::from_secs(15 * 60);
/// Between claims of the config topic that failed.
const CLAIM_PAUSE: Duration = Duration::from_secs(1);

/// What distributed start-up gives.
pub(crate) struct Joined {
    pub(crate) store: Arc<KafkaStore>,
    pub(crate) membership: Membership,
    pub(crate) cluster_id: String,
}

fn kafka_error(config: &WorkerConfig, action: &str) -> impl Fn(KafkaError) -> ControlPlaneError + use<> {
    let (action, bootstrap_servers) = (action.to_owned(), config.shown("bootstrap.servers").to_owned());
    move |source| ControlPlaneError::Kafka {
        action: action.clone(),
        bootstrap_servers: bootstrap_servers.clone(),
        source: Box::new(source),
    }
}

/// The failure of a worker that its group refuses.
pub(crate) fn refused(config: &WorkerConfig, source: KafkaError) -> ControlPlaneError {
    kafka_error(config, "cannot join the worker group")(source)
}

/// Looks up the cluster id: it must be there before anything starts.
pub(crate) async fn cluster_id(config: &WorkerConfig) -> Result<String, ControlPlaneError> {
    let failed = kafka_error(config, "cannot reach the Kafka cluster");
    let id = config.props().get("client.id").filter(|id| !id.is_empty());
    let admin = Admin::new(config.props(), id.map_or("lakeward-admin", String::as_str)).map_err(&failed)?;
    admin.cluster_id(API_LIMIT).await.map_err(&failed)
}

/// Checks or creates the topics, reads them to their ends and begins to join the group. The role comes later
/// (brokers let a new group wait for seconds): reads are answered before it, writes wait for it.
pub(crate) async fn join(
    config: &WorkerConfig,
    url: &str,
    stage: &watch::Sender<Stage>,
) -> Result<Joined, ControlPlaneError> {
    stage.send_replace(Stage::starting("reading the Kafka cluster id and checking the internal topics"));
    let failed = kafka_error(config, "cannot use the Kafka cluster");
    let admin = Admin::new(config.props(), &client_id(config, "shared-admin")).map_err(&failed)?;
    let unreachable = kafka_error(config, "cannot reach the Kafka cluster");
    let (cluster_id, counts) = futures::try_join!(
        async { admin.cluster_id(API_LIMIT).await.map_err(&unreachable) },
        topics(config, &admin),
    )?;
    stage.send_replace(Stage::starting("reading to the end of the config topic"));
    let store = Arc::new(KafkaStore::start(config, &counts).map_err(&failed)?);
    let membership = Membership::join(MembershipSettings {
        props: config.props(),
        client_id: client_id(config, "member"),
        topic: config.required("config.storage.topic").to_owned(),
        url: url.to_owned(),
        rebalance_timeout_ms: config.number("rebalance.timeout.ms").unwrap_or(60_000),
    })
    .map_err(&failed)?;
    tokio::select! {
        caught_up = catch_up(&store, &membership) => caught_up.map_err(&failed)?,
        refusal = membership.refused() => return Err(refused(config, refusal)),
    }
    // Closing a client waits for its threads: nobody needs to wait with them.
    drop(tokio::task::spawn_blocking(move || drop(admin)));
    Ok(Joined { store, membership, cluster_id })
}

/// Reads the topics to their ends. As soon as this worker leads it ends what an earlier leader left open:
/// behind that the config topic has no end, and brokers wait for the time-out of the transaction, a minute or
/// more.
async fn catch_up(store: &KafkaStore, membership: &Membership) -> Result<(), KafkaError> {
    let (reading, read) = oneshot::channel::<Infallible>();
    let catching_up = async move {
        let caught_up = store.catch_up(CATCH_UP_LIMIT).await;
        drop(reading);
        caught_up
    };
    tokio::join!(catching_up, claim_until(read, store, membership.role())).0
}

/// Claims the config topic whenever this worker begins to lead. A claim is not abandoned half-way: it could
/// overtake the next one and fence it.
async fn claim_until(
    mut read: oneshot::Receiver<Infallible>,
    store: &KafkaStore,
    mut role: watch::Receiver<Role>,
) {
    loop {
        tokio::select! {
            biased;
            _ = &mut read => return,
            Ok(_) = role.wait_for(|role| matches!(role, Role::Leader { .. })) => {}
        }
        role.mark_unchanged();
        let claimed = store.claim().await;
        if let Err(err) = &claimed {
            tracing::warn!(error = %err, "the config topic is read without its claim");
        }
        tokio::select! {
            biased;
            _ = &mut read => return,
            () = tokio::time::sleep(CLAIM_PAUSE), if claimed.is_err() => {}
            Ok(()) = role.changed(), if claimed.is_ok() => {}
        }
    }
}

async fn topics(config: &WorkerConfig, admin: &Admin) -> Result<PartitionCounts, ControlPlaneError> {
    let (config_topic, _, status) = futures::try_join!(
        topic(config, admin, "config.storage.", "connector configurations"),
        topic(config, admin, "offset.storage.", "source connector offsets"),
        topic(config, admin, "status.storage.", "connector and task statuses"),
    )?;
    if config_topic != 1 {
        return Err(ControlPlaneError::Config {
            problems: vec![format!(
                "Topic '{}' supplied via the 'config.storage.topic' property is required to have a single \
                 partition in order to guarantee consistency of connector configurations, but found \
                 {config_topic} partitions. Name another topic, or delete this one and let the \
                 worker create it.",
                config.required("config.storage.topic"),
            )],
        });
    }
    Ok(PartitionCounts { config: config_topic, status })
}

/// Checks or creates one topic; the number of its partitions.
async fn topic(
    config: &WorkerConfig,
    admin: &Admin,
    prefix: &str,
    purpose: &'static str,
) -> Result<usize, ControlPlaneError> {
    let number = |name: &str| config.number(&format!("{prefix}{name}")).map(|number| number as i32);
    let setting = match prefix {
        "config.storage." => "config.storage.topic",
        "offset.storage." => "offset.storage.topic",
        _ => "status.storage.topic",
    };
    let wanted = InternalTopic {
        name: config.required(setting).to_owned(),
        setting,
        purpose,
        partitions: number("partitions").unwrap_or(1),
        replication_factor: number("replication.factor").unwrap_or(3),
        settings: config.topic_settings(prefix),
    };
    let failed = kafka_error(config, &format!("cannot use the internal topic '{}'", wanted.name));
    let outcome = admin.ensure_topic(&wanted, API_LIMIT).await.map_err(&failed)?;
    tracing::debug!(topic = wanted.name, ?outcome, "internal topic");
    admin.wait_for_partitions(&wanted.name, PARTITION_LIMIT).await.map_err(&failed)
}
