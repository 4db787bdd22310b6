//! The consumer handle: creation, subscription, queue reads, assignment, commits, close.

use std::ffi::{CStr, CString, c_void};
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use lakeward_api::record::{CommittedPosition, Position, TopicPartition};
use rdkafka_sys as rdsys;
use rdsys::rd_kafka_resp_err_t as Code;

use super::batch::FetchedBatch;
use super::callbacks::{self, ClientEvent, Shared};
use super::housekeeping;
use super::partitions::{PartitionList, copy_commits, copy_list};
use crate::KafkaError;
use crate::client_metrics::{self, ClientStatistics, Kind};
use crate::settings::ClientSettings;

pub(super) const ERROR_TEXT_BYTES: usize = 512;
/// Longer than any request that a closing client waits for under common settings.
const CLOSE_WAIT_MAX: Duration = Duration::from_secs(90);
const CLOSE_TURN_MS: i32 = 100;

/// How the group hands partitions over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// Only moved partitions change hands.
    Cooperative,
    /// Everything is given up before each rebalance.
    Eager,
}

/// The library's objects. Destroyed when the consumer and the last batch are gone.
pub(super) struct Handle {
    pub(super) client: NonNull<rdsys::rd_kafka_t>,
    queue: NonNull<rdsys::rd_kafka_queue_t>,
    shared: Box<Shared>,
    /// Set once the group is being left.
    closing: AtomicBool,
}

// SAFETY: `rd_kafka_t` and queues may be used from any thread (the library's documented contract); `Shared`
// is Sync.
unsafe impl Send for Handle {}
// SAFETY: as above.
unsafe impl Sync for Handle {}

/// A group consumer.
pub(crate) struct NativeConsumer {
    handle: Arc<Handle>,
}

impl NativeConsumer {
    /// Creates the client; `wake` is called from library threads when the queue stops being empty.
    ///
    /// # Errors
    /// Class `Config` when the library refuses a setting.
    pub(crate) fn new(
        settings: &ClientSettings,
        wake: impl Fn() + Send + Sync + 'static,
    ) -> Result<Self, KafkaError> {
        let client_id = settings.entries().get("client.id").map(String::as_str).unwrap_or_default();
        let statistics = ClientStatistics::register(Kind::Consumer, client_id);
        let (events, is_awaited) = (Mutex::new(Vec::new()), AtomicBool::new(false));
        let shared = Box::new(Shared { events, is_awaited, statistics, wake: Box::new(wake) });
        let opaque = ptr::from_ref::<Shared>(&shared).cast_mut().cast::<c_void>();
        let mut settings = settings.clone();
        if let Some((name, interval)) = client_metrics::interval() {
            settings.set(name, interval);
        }
        let conf = Conf::new(&settings)?;
        let mut text = [0u8; ERROR_TEXT_BYTES];
        // SAFETY: the configuration is valid; the callbacks match their types; `opaque` lives in a box that
        // outlives the client because `Handle` destroys the client first. `rd_kafka_new` takes the
        // configuration on success.
        let client = unsafe {
            rdsys::rd_kafka_conf_set_opaque(conf.0, opaque);
            rdsys::rd_kafka_conf_set_rebalance_cb(conf.0, Some(callbacks::on_rebalance));
            rdsys::rd_kafka_conf_set_offset_commit_cb(conf.0, Some(callbacks::on_commit));
            rdsys::rd_kafka_conf_set_error_cb(conf.0, Some(callbacks::on_error));
            rdsys::rd_kafka_conf_set_log_cb(conf.0, Some(callbacks::on_log));
            rdsys::rd_kafka_conf_set_stats_cb(conf.0, Some(callbacks::on_statistics));
            housekeeping::install(conf.0);
            rdsys::rd_kafka_new(
                rdsys::rd_kafka_type_t::RD_KAFKA_CONSUMER,
                conf.0,
                text.as_mut_ptr().cast(),
                text.len(),
            )
        };
        let Some(client) = NonNull::new(client) else {
            return Err(KafkaError::Setting {
                key: "consumer settings".to_owned(),
                problem: crate::secrets::hide(&text_of(&text)),
            });
        };
        conf.given_away();
        // SAFETY: the client is valid; the queue reference is released in `Handle::drop`; the event callback
        // gets the same opaque.
        let queue = unsafe {
            rdsys::rd_kafka_poll_set_consumer(client.as_ptr());
            let queue = rdsys::rd_kafka_queue_get_consumer(client.as_ptr());
            rdsys::rd_kafka_queue_cb_event_enable(queue, Some(callbacks::on_queue_ready), opaque);
            queue
        };
        let queue = NonNull::new(queue).expect("a consumer always has a consumer queue");
        let handle = Arc::new(Handle { client, queue, shared, closing: AtomicBool::new(false) });
        settings.log_in(&handle);
        Ok(Self { handle })
    }

    fn client(&self) -> *mut rdsys::rd_kafka_t {
        self.handle.client.as_ptr()
    }

    /// Joins the group for these topics (names, or patterns that start with `^`).
    pub(crate) fn subscribe(&self, topics: &[String]) -> Result<(), KafkaError> {
        let list = PartitionList::topics(topics);
        // SAFETY: client and list are valid; the library copies the list.
        check(unsafe { rdsys::rd_kafka_subscribe(self.client(), list.as_ptr()) }, "subscribing to the topics")
    }

    /// Takes up to `count_max` messages that are already here. Never blocks; serves callbacks.
    pub(crate) fn take(&mut self, count_max: usize) -> FetchedBatch {
        let mut pointers = vec![ptr::null_mut(); count_max];
        let queue = self.handle.queue.as_ptr();
        // SAFETY: the array has room for `count_max` pointers; the returned messages are owned by the batch.
        let count =
            unsafe { rdsys::rd_kafka_consume_batch_queue(queue, 0, pointers.as_mut_ptr(), count_max) };
        pointers.truncate(usize::try_from(count).unwrap_or(0));
        let messages = pointers.into_iter().filter_map(NonNull::new).collect();
        FetchedBatch::new(messages, Arc::clone(&self.handle))
    }

    /// Events that callbacks queued since the last call.
    pub(crate) fn take_events(&self) -> Vec<ClientEvent> {
        self.handle.shared.take()
    }

    /// How the group hands partitions over; valid inside a rebalance. `None` when the group was left.
    pub(crate) fn protocol(&self) -> Option<Protocol> {
        // SAFETY: the client is valid.
        let name = unsafe { rdsys::rd_kafka_rebalance_protocol(self.client()) };
        if name.is_null() {
            return None;
        }
        // SAFETY: what is not null is a static NUL-terminated text.
        let name = unsafe { CStr::from_ptr(name) };
        Some(if name == c"COOPERATIVE" { Protocol::Cooperative } else { Protocol::Eager })
    }

    /// True when the partitions being revoked were lost (another member may own them already).
    pub(crate) fn is_assignment_lost(&self) -> bool {
        // SAFETY: the client is valid.
        unsafe { rdsys::rd_kafka_assignment_lost(self.client()) != 0 }
    }

    /// Confirms an assignment: fetching starts at the given offsets, or at committed positions.
    pub(crate) fn confirm_assigned(
        &self,
        starts: &[(TopicPartition, Option<i64>)],
    ) -> Result<(), KafkaError> {
        let list = PartitionList::starts(starts);
        let action = "accepting the assignment";
        self.confirmed(match self.protocol() {
            // SAFETY: client and list are valid; the returned error is owned by us.
            Some(Protocol::Cooperative) => check_error(
                unsafe { rdsys::rd_kafka_incremental_assign(self.client(), list.as_ptr()) },
                action,
            ),
            Some(Protocol::Eager) => {
                // SAFETY: client and list are valid.
                check(unsafe { rdsys::rd_kafka_assign(self.client(), list.as_ptr()) }, action)
            }
            None => Ok(()),
        })
    }

    /// Confirms a revocation: the partitions may go to other members now. Nothing is left to be given up when
    /// the group was left meanwhile.
    pub(crate) fn confirm_revoked(&self, partitions: &[TopicPartition]) -> Result<(), KafkaError> {
        let list = PartitionList::partitions(partitions);
        let action = "giving partitions up";
        self.confirmed(match self.protocol() {
            // SAFETY: client and list are valid; the returned error is owned by us.
            Some(Protocol::Cooperative) => check_error(
                unsafe { rdsys::rd_kafka_incremental_unassign(self.client(), list.as_ptr()) },
                action,
            ),
            Some(Protocol::Eager) => {
                // SAFETY: a null list clears the assignment.
                check(unsafe { rdsys::rd_kafka_assign(self.client(), ptr::null()) }, action)
            }
            None => Ok(()),
        })
    }

    /// The group waits no more, unless the answer was refused.
    fn confirmed(&self, outcome: Result<(), KafkaError>) -> Result<(), KafkaError> {
        if outcome.is_ok() {
            self.handle.shared.is_awaited.store(false, Ordering::Release);
        }
        outcome
    }

    /// Starts a commit; the outcome arrives as [`ClientEvent::Committed`].
    pub(crate) fn commit(&self, commits: &[CommittedPosition]) -> Result<(), KafkaError> {
        let list = PartitionList::commits(commits);
        // SAFETY: client and list are valid; asynchronous, the library copies the list.
        check(unsafe { rdsys::rd_kafka_commit(self.client(), list.as_ptr(), 1) }, "committing offsets")
    }

    /// A reader of what the group committed, for another thread.
    pub(crate) fn committed_reader(&self) -> CommittedReader {
        CommittedReader { handle: Arc::clone(&self.handle) }
    }

    /// Stops fetching from partitions; the membership stays.
    pub(crate) fn pause(&self, partitions: &[TopicPartition]) -> Result<(), KafkaError> {
        let list = PartitionList::partitions(partitions);
        // SAFETY: client and list are valid.
        check(unsafe { rdsys::rd_kafka_pause_partitions(self.client(), list.as_ptr()) }, "pausing partitions")
    }

    /// Fetches from partitions again.
    pub(crate) fn resume(&self, partitions: &[TopicPartition]) -> Result<(), KafkaError> {
        let list = PartitionList::partitions(partitions);
        // SAFETY: client and list are valid.
        check(
            unsafe { rdsys::rd_kafka_resume_partitions(self.client(), list.as_ptr()) },
            "resuming partitions",
        )
    }

    /// Starts leaving the group; the last revocation arrives as an event and must be confirmed.
    pub(crate) fn begin_close(&self) -> Result<(), KafkaError> {
        self.handle.begin_close()
    }

    /// True when the group was left.
    pub(crate) fn is_closed(&self) -> bool {
        self.handle.is_closed()
    }
}

/// Reads what the group committed. The client lives as long as this.
pub(crate) struct CommittedReader {
    handle: Arc<Handle>,
}

impl CommittedReader {
    /// Asks the coordinator, at most `limit`; blocks. Partitions without a position are left out.
    pub(crate) fn read(
        &self,
        partitions: &[TopicPartition],
        limit: Duration,
    ) -> Result<Vec<CommittedPosition>, KafkaError> {
        let list = PartitionList::partitions(partitions);
        let limit_ms = i32::try_from(limit.as_millis()).unwrap_or(i32::MAX);
        let action = "reading the committed offsets";
        // SAFETY: client and list are valid for the call, which fills in the list.
        let (code, listed) = unsafe {
            let code = rdsys::rd_kafka_committed(self.handle.client.as_ptr(), list.as_ptr(), limit_ms);
            (code, copy_commits(list.as_ptr()))
        };
        check(code, action)?;
        for (_, code) in &listed {
            check(*code, action)?;
        }
        let committed = listed.into_iter().map(|(committed, _)| committed);
        Ok(committed.filter(|committed| committed.position.next_offset >= 0).collect())
    }

    /// The first offset that a partition has, and the one after its last; asks at most `limit`; blocks.
    pub(crate) fn bounds(
        &self,
        partition: &TopicPartition,
        limit: Duration,
    ) -> Result<(i64, i64), KafkaError> {
        let limit_ms = i32::try_from(limit.as_millis()).unwrap_or(i32::MAX);
        let topic = CString::new(partition.topic.as_bytes()).unwrap_or_default();
        let (mut low, mut high) = (0, 0);
        // SAFETY: client, name and both numbers are valid for the call.
        let code = unsafe {
            let client = self.handle.client.as_ptr();
            let (low, high) = (&raw mut low, &raw mut high);
            rdsys::rd_kafka_query_watermark_offsets(
                client,
                topic.as_ptr(),
                partition.partition,
                low,
                high,
                limit_ms,
            )
        };
        check(code, "looking up the first and the last offset").map(|()| (low, high))
    }

    /// The first offset of each partition whose record is not older than `since_ms`; partitions without one
    /// are left out. Asks at most `limit`; blocks.
    pub(crate) fn offsets_since(
        &self,
        partitions: &[TopicPartition],
        since_ms: i64,
        limit: Duration,
    ) -> Result<Vec<Position>, KafkaError> {
        let asked: Vec<Position> = partitions
            .iter()
            .map(|partition| Position { partition: partition.clone(), next_offset: since_ms })
            .collect();
        let list = PartitionList::positions(&asked);
        let limit_ms = i32::try_from(limit.as_millis()).unwrap_or(i32::MAX);
        let action = "looking up offsets by their time";
        // SAFETY: client and list are valid for the call, which replaces times by offsets.
        let (code, listed) = unsafe {
            let client = self.handle.client.as_ptr();
            let code = rdsys::rd_kafka_offsets_for_times(client, list.as_ptr(), limit_ms);
            (code, copy_list(list.as_ptr()))
        };
        check(code, action)?;
        for (_, code) in &listed {
            check(*code, action)?;
        }
        let found = listed.into_iter().map(|(position, _)| position);
        Ok(found.filter(|position| position.next_offset >= 0).collect())
    }
}

impl Handle {
    /// Starts leaving the group; once.
    fn begin_close(&self) -> Result<(), KafkaError> {
        if self.closing.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        let (client, queue) = (self.client.as_ptr(), self.queue.as_ptr());
        // SAFETY: client and queue are valid; the returned error is owned by us.
        let error = unsafe { rdsys::rd_kafka_consumer_close_queue(client, queue) };
        let begun = check_error(error, "leaving the group");
        self.closing.store(begun.is_ok(), Ordering::Release);
        begun
    }

    fn is_closed(&self) -> bool {
        // SAFETY: the client is valid.
        unsafe { rdsys::rd_kafka_consumer_closed(self.client.as_ptr()) != 0 }
    }

    /// Waits until the group has let go: answers that are due came, or their time passed. A client that is
    /// destroyed before turns in circles meanwhile, a whole core for up to a request's time limit, because
    /// the library's timers stand still then and count as due.
    fn await_group(&self) {
        // Without a group there is nothing to leave; after a fatal error nothing is waited for.
        if self.begin_close().is_err() {
            return;
        }
        let deadline = Instant::now() + CLOSE_WAIT_MAX;
        while !self.is_closed() && Instant::now() < deadline {
            // What was assigned or revoked without a confirmation is given up, and what the group revokes
            // now. Only then: while the group waits it cannot end, and the library never answers a call
            // that crosses its end.
            if self.shared.is_awaited.swap(false, Ordering::AcqRel) {
                // SAFETY: the client is valid; a null list clears the assignment.
                unsafe { rdsys::rd_kafka_assign(self.client.as_ptr(), ptr::null()) };
            }
            let mut message = ptr::null_mut();
            // SAFETY: the queue is valid; the array has room for one message, which is owned by us.
            unsafe {
                let (queue, room) = (self.queue.as_ptr(), &raw mut message);
                if rdsys::rd_kafka_consume_batch_queue(queue, CLOSE_TURN_MS, room, 1) == 1 {
                    rdsys::rd_kafka_message_destroy(message);
                }
            }
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: the queue is valid.
        unsafe { rdsys::rd_kafka_queue_cb_event_enable(self.queue.as_ptr(), None, ptr::null_mut()) }
        self.await_group();
        // SAFETY: no batch and no consumer holds the handle any more; the queue reference is released before
        // the client, the client before `shared`. The flag keeps the call from waiting for a group that does
        // not answer: what could be waited for was waited for.
        unsafe {
            rdsys::rd_kafka_queue_destroy(self.queue.as_ptr());
            rdsys::rd_kafka_destroy_flags(self.client.as_ptr(), rdsys::RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
        }
    }
}

/// A configuration that is destroyed unless a client took it.
struct Conf(*mut rdsys::rd_kafka_conf_t);

impl Conf {
    fn new(settings: &ClientSettings) -> Result<Self, KafkaError> {
        // SAFETY: plain allocation.
        let conf = Self(unsafe { rdsys::rd_kafka_conf_new() });
        for (name, value) in settings.entries() {
            let problem = |text: String| KafkaError::Setting { key: name.clone(), problem: text };
            let c_name = CString::new(name.as_str()).map_err(|_| problem("it contains NUL".to_owned()))?;
            let c_value = CString::new(value.as_str()).map_err(|_| problem("it contains NUL".to_owned()))?;
            let mut text = [0u8; ERROR_TEXT_BYTES];
            // SAFETY: all pointers are valid for the call; the library copies both texts.
            let outcome = unsafe {
                let buffer = text.as_mut_ptr().cast();
                rdsys::rd_kafka_conf_set(conf.0, c_name.as_ptr(), c_value.as_ptr(), buffer, text.len())
            };
            if outcome != rdsys::rd_kafka_conf_res_t::RD_KAFKA_CONF_OK {
                // The library's text quotes the value: fine for everything but secrets.
                return Err(problem(if crate::secrets::is_credential(name) {
                    "the value was refused".to_owned()
                } else {
                    text_of(&text)
                }));
            }
        }
        Ok(conf)
    }

    fn given_away(mut self) {
        self.0 = ptr::null_mut();
    }
}

impl Drop for Conf {
    fn drop(&mut self) {
        if !self.0.is_null() {
            // SAFETY: still owned by this value.
            unsafe { rdsys::rd_kafka_conf_destroy(self.0) };
        }
    }
}

pub(super) fn text_of(buffer: &[u8]) -> String {
    let end = buffer.iter().position(|byte| *byte == 0).unwrap_or(buffer.len());
    String::from_utf8_lossy(&buffer[..end]).into_owned()
}

fn check(code: Code, action: &str) -> Result<(), KafkaError> {
    if code == Code::RD_KAFKA_RESP_ERR_NO_ERROR {
        return Ok(());
    }
    Err(KafkaError::Client {
        action: action.to_owned(),
        source: rdkafka::error::KafkaError::Global(code.into()),
    })
}

fn check_error(error: *mut rdsys::rd_kafka_error_t, action: &str) -> Result<(), KafkaError> {
    if error.is_null() {
        return Ok(());
    }
    // SAFETY: a non-null error is valid and owned by us.
    let code = unsafe {
        let code = rdsys::rd_kafka_error_code(error);
        rdsys::rd_kafka_error_destroy(error);
        code
    };
    check(code, action)
}
