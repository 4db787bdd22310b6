//! Transactions of a source task's producer, and the fencing of producers that may still be alive.
//!
//! Every call waits for the broker on a blocking thread: await it on the bridge, never on a shard.
//!
//! Source: KIP-618, `ExactlyOnceWorkerSourceTask`, `Admin#fenceProducers`, Kafka 4.1.

use std::sync::Arc;
use std::time::Duration;

use futures::future::try_join_all;
use lakeward_api::config::ConfigMap;
use lakeward_api::{ConnectError, ErrorClass, failpoint};
use rdkafka::error::KafkaError as LibraryError;
use rdkafka::producer::{Producer, ThreadedProducer};
use rdkafka::types::RDKafkaErrorCode as Code;
use rdkafka::util::Timeout;

use crate::admin::blocking;
use crate::source_producer::{Reports, SourceProducer, delivery_error};

/// Java lets these calls wait as long as `max.block.ms` says, by Connect's default for ever; a task that has
/// no limit and waits this long fails with the reason.
const REQUEST_LIMIT: Duration = Duration::from_secs(300);
/// How often a call that waits looks whether connections are refused.
const LOOK_AFTER: Duration = Duration::from_secs(2);
/// Java's limit for fencing the producers of a connector.
const FENCE_LIMIT: Duration = Duration::from_secs(90);

/// The transactional side of a [`SourceProducer`]; may be used while records are sent. Clones share it.
#[derive(Clone)]
pub struct Transactions {
    inner: Arc<ThreadedProducer<Reports>>,
    limit: Limit,
}

/// How long one call may take.
#[derive(Clone, Copy)]
struct Limit {
    time: Duration,
    /// Whether it is the one that `max.block.ms` names.
    is_asked_for: bool,
}

impl Limit {
    const FENCING: Self = Self { time: FENCE_LIMIT, is_asked_for: false };

    fn of(max_block: Option<Duration>) -> Self {
        Self { time: max_block.unwrap_or(REQUEST_LIMIT), is_asked_for: max_block.is_some() }
    }

    /// The failure of a call; `operation` as Java calls it. Its time-out fails the task, as there.
    fn error(self, error: &LibraryError, operation: &str) -> ConnectError {
        if !self.is_asked_for || error.rdkafka_error_code() != Some(Code::OperationTimedOut) {
            return transaction_error(error);
        }
        let limit_ms = self.time.as_millis();
        ConnectError::new(
            ErrorClass::Fatal,
            "org.apache.kafka.common.errors.TimeoutException",
            format!("Timeout expired after {limit_ms}ms while awaiting {operation}"),
        )
    }
}

impl SourceProducer {
    /// The transactions of this producer; it must have a `transactional.id`.
    pub fn transactions(&self) -> Transactions {
        Transactions { inner: Arc::clone(&self.inner), limit: Limit::of(self.max_block()) }
    }
}

impl Transactions {
    /// Ends what an earlier producer with the same id left open, and fences it. Once, before anything is
    /// sent.
    ///
    /// # Errors
    /// `Retriable` when the broker does not answer in time, `Fatal` when that time is `max.block.ms`;
    /// `Fenced` or `Fatal` when it refuses.
    pub async fn init(&self) -> Result<(), ConnectError> {
        let (inner, limit) = (Arc::clone(&self.inner), self.limit);
        blocking(move || init(&inner, limit)).await?
    }

    /// Starts a transaction; does not ask the broker and does not block.
    ///
    /// # Errors
    /// `Fenced` or `Fatal` when the producer cannot start one.
    pub fn begin(&self) -> Result<(), ConnectError> {
        failpoint!("source.transaction.before_begin");
        self.inner.begin_transaction().map_err(|err| transaction_error(&err))?;
        failpoint!("source.transaction.after_begin");
        Ok(())
    }

    /// Waits until everything sent is acknowledged, then commits.
    ///
    /// # Errors
    /// The reason why nothing of the transaction counts; it is aborted as far as that is possible.
    pub async fn commit(&self) -> Result<(), ConnectError> {
        let limit = Timeout::After(self.limit.time);
        self.run("EndTxn(true)", move |producer| {
            failpoint!("source.transaction.before_commit");
            let committed = producer.commit_transaction(limit);
            failpoint!("source.transaction.after_commit");
            if let Err(LibraryError::Transaction(error)) = &committed
                && error.txn_requires_abort()
                && let Err(err) = producer.abort_transaction(limit)
            {
                tracing::warn!(error = %err, "a transaction that failed could not be aborted");
            }
            committed
        })
        .await
    }

    /// Drops everything sent since the transaction began.
    ///
    /// # Errors
    /// As [`Transactions::init`].
    pub async fn abort(&self) -> Result<(), ConnectError> {
        let limit = Timeout::After(self.limit.time);
        self.run("EndTxn(false)", move |producer| {
            // Brokers refuse to end a transaction that the library began to tell them about while it purges
            // its records: they go out first, and are aborted with the rest. A failure shows in what follows.
            if let Err(err) = producer.flush(limit) {
                tracing::debug!(error = %err, "records of a transaction to abort were not sent");
            }
            producer.abort_transaction(limit)
        })
        .await
    }

    async fn run(
        &self,
        operation: &'static str,
        call: impl FnOnce(&ThreadedProducer<Reports>) -> Result<(), LibraryError> + Send + 'static,
    ) -> Result<(), ConnectError> {
        let (inner, limit) = (Arc::clone(&self.inner), self.limit);
        blocking(move || call(&inner)).await?.map_err(|err| limit.error(&err, operation))
    }
}

/// Takes the transactional id within `limit`. The library goes on trying when brokers refuse its connections;
/// like Java's producer, this does not.
fn init(producer: &ThreadedProducer<Reports>, limit: Limit) -> Result<(), ConnectError> {
    // After a time-out the call goes on where it was.
    let call = |wait| producer.init_transactions(Timeout::After(wait));
    wait_within(limit, "InitProducerId", call, || producer.context().refused())
}

/// Repeats a call that waits, in steps between which `refused` is asked. The limit is counted in the waits
/// that the calls were given: a clock read between them would cut the last one short.
fn wait_within(
    limit: Limit,
    operation: &str,
    mut call: impl FnMut(Duration) -> Result<(), LibraryError>,
    refused: impl Fn() -> Option<ConnectError>,
) -> Result<(), ConnectError> {
    let mut left = limit.time;
    loop {
        let wait = left.min(LOOK_AFTER);
        let Err(error) = call(wait) else { return Ok(()) };
        if let Some(refused) = refused() {
            return Err(refused);
        }
        left -= wait;
        if left.is_zero() || error.rdkafka_error_code() != Some(Code::OperationTimedOut) {
            return Err(limit.error(&error, operation));
        }
    }
}

fn transaction_error(error: &LibraryError) -> ConnectError {
    let code = error.rdkafka_error_code();
    match code {
        Some(Code::InvalidProducerEpoch) => ConnectError::new(
            ErrorClass::Fenced,
            "org.apache.kafka.common.errors.InvalidProducerEpochException",
            "Producer attempted to produce with an old epoch.",
        ),
        Some(Code::TransactionalIdAuthorizationFailed) => ConnectError::new(
            ErrorClass::Fatal,
            "org.apache.kafka.common.errors.TransactionalIdAuthorizationException",
            "Transactional Id authorization failed.",
        ),
        Some(Code::Fenced | Code::ProducerFenced) => delivery_error(error, ""),
        _ => {
            let is_retriable = matches!(error, LibraryError::Transaction(inner) if inner.is_retriable());
            let class = if is_retriable { ErrorClass::Retriable } else { ErrorClass::Fatal };
            ConnectError::new(class, "org.apache.kafka.common.KafkaException", error.to_string())
        }
    }
}

/// Makes sure that no earlier producer with one of these transactional ids can write any more, by taking
/// each id and letting it go.
///
/// # Errors
/// `Retriable` when the broker does not answer in time; others when it refuses.
pub async fn fence_producers(props: &ConfigMap, ids: &[String]) -> Result<(), ConnectError> {
    try_join_all(ids.iter().map(|id| fence(props.clone(), id.clone()))).await.map(drop)
}

async fn fence(mut props: ConfigMap, id: String) -> Result<(), ConnectError> {
    props.insert("client.id".to_owned(), format!("fence-{id}"));
    props.insert("transactional.id".to_owned(), id);
    props.insert("enable.idempotence".to_owned(), "true".to_owned());
    let producer = SourceProducer::new(&props, || {})?;
    blocking(move || {
        let fenced = init(&producer.inner, Limit::FENCING);
        producer.close(Duration::ZERO);
        fenced
    })
    .await?
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::net::TcpListener;

    use super::*;

    /// The waits that a call is given until it fails for good, when every one of them passes.
    fn waits(limit: Limit, refused_after: usize) -> (Vec<u64>, ConnectError) {
        let (mut waits, looks) = (Vec::new(), Cell::new(0));
        let refused = || {
            looks.set(looks.get() + 1);
            (looks.get() > refused_after).then(|| ConnectError::fatal("refused"))
        };
        let timed_out = |wait: Duration| {
            waits.push(u64::try_from(wait.as_millis()).unwrap());
            Err(LibraryError::Flush(Code::OperationTimedOut))
        };
        let error = wait_within(limit, "InitProducerId", timed_out, refused).unwrap_err();
        (waits, error)
    }

    #[test]
    fn a_call_waits_for_the_whole_limit_in_steps_and_no_longer() {
        let limit = |ms| Limit::of(Some(Duration::from_millis(ms)));
        assert_eq!(waits(limit(300), usize::MAX).0, [300]);
        assert_eq!(waits(limit(4000), usize::MAX).0, [2000, 2000]);
        assert_eq!(waits(limit(5001), usize::MAX).0, [2000, 2000, 1001]);
        assert_eq!(waits(limit(0), usize::MAX).0, [0]);
        assert_eq!(waits(Limit::of(None), usize::MAX).0.iter().sum::<u64>(), 300_000);
    }

    #[test]
    fn refused_connections_end_the_wait() {
        let (waits, error) = waits(Limit::of(None), 1);
        assert_eq!((waits, error.to_string()), (vec![2000, 2000], "refused".to_owned()));
    }

    /// The text of Kafka 4.1.
    #[tokio::test]
    async fn taking_the_transactional_id_ends_with_javas_words_when_max_block_ms_is_over() {
        // Connections are accepted by the system; nobody reads from them.
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = silent.local_addr().unwrap().to_string();
        let props = [("bootstrap.servers", &*address), ("transactional.id", "t"), ("max.block.ms", "300")];
        let props = props.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let producer = SourceProducer::new(&props, || {}).unwrap();
        let error = producer.transactions().init().await.unwrap_err();
        assert_eq!(error.class(), ErrorClass::Fatal);
        let text = "org.apache.kafka.common.errors.TimeoutException: Timeout expired after 300ms while \
                    awaiting InitProducerId";
        assert_eq!(error.trace().trim_end(), text);
        producer.close(Duration::ZERO);
    }
}
