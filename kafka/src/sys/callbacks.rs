//! What the library tells us, queued until the pipeline asks.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use lakeward_api::record::{CommittedPosition, TopicPartition};
use rdkafka_sys as rdsys;
use rdsys::rd_kafka_resp_err_t as Code;

use super::partitions::{copy_commits, copy_list};
use crate::client_metrics::ClientStatistics;
use crate::secrets;

/// Something the library reported. Rebalances must be confirmed by the caller.
#[derive(Debug)]
pub(crate) enum ClientEvent {
    /// Partitions were given to this member.
    Assigned(Vec<TopicPartition>),
    /// A commit finished.
    Committed {
        /// What was sent, each with its failure.
        outcome: Vec<(CommittedPosition, Option<Code>)>,
        /// The failure of the whole.
        failure: Option<Code>,
    },
    /// The library reports trouble; it goes on trying unless `fatal`.
    Error {
        /// Library error code.
        code: Code,
        /// Library text.
        reason: String,
    },
    /// Partitions were taken from this member.
    Revoked(Vec<TopicPartition>),
}

/// State shared with the callbacks. Its address is the library's `opaque`.
pub(super) struct Shared {
    pub(super) events: Mutex<Vec<ClientEvent>>,
    /// The group waits until a rebalance is confirmed.
    pub(super) is_awaited: AtomicBool,
    pub(super) statistics: Arc<ClientStatistics>,
    pub(super) wake: Box<dyn Fn() + Send + Sync>,
}

impl Shared {
    fn push(&self, event: ClientEvent) {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).push(event);
    }

    pub(super) fn take(&self) -> Vec<ClientEvent> {
        std::mem::take(&mut *self.events.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// # Safety
/// `opaque` is the address of a live [`Shared`]: the client is destroyed before it.
unsafe fn shared<'a>(opaque: *mut c_void) -> &'a Shared {
    // SAFETY: by contract.
    unsafe { &*opaque.cast::<Shared>() }
}

/// The library's text for an error code.
pub(crate) fn describe(code: Code) -> String {
    // SAFETY: returns a pointer to a static NUL-terminated text for every code.
    unsafe { CStr::from_ptr(rdsys::rd_kafka_err2str(code)) }.to_string_lossy().into_owned()
}

pub(super) unsafe extern "C" fn on_rebalance(
    _client: *mut rdsys::rd_kafka_t,
    code: Code,
    list: *mut rdsys::rd_kafka_topic_partition_list_t,
    opaque: *mut c_void,
) {
    // SAFETY: the library passes a valid list and the opaque we set.
    let (shared, listed) = unsafe { (shared(opaque), copy_list(list)) };
    let partitions = listed.into_iter().map(|(position, _)| position.partition).collect();
    shared.is_awaited.store(true, Ordering::Release);
    shared.push(match code {
        Code::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => ClientEvent::Assigned(partitions),
        _ => ClientEvent::Revoked(partitions),
    });
}

pub(super) unsafe extern "C" fn on_commit(
    _client: *mut rdsys::rd_kafka_t,
    code: Code,
    list: *mut rdsys::rd_kafka_topic_partition_list_t,
    opaque: *mut c_void,
) {
    // SAFETY: the library passes a valid list or null, and the opaque we set.
    let (shared, listed) = unsafe { (shared(opaque), copy_commits(list)) };
    let failure = |code: Code| (code != Code::RD_KAFKA_RESP_ERR_NO_ERROR).then_some(code);
    let outcome = listed.into_iter().map(|(commit, own)| (commit, failure(own).or(failure(code))));
    shared.push(ClientEvent::Committed { outcome: outcome.collect(), failure: failure(code) });
}

pub(super) unsafe extern "C" fn on_error(
    _client: *mut rdsys::rd_kafka_t,
    code: c_int,
    reason: *const c_char,
    opaque: *mut c_void,
) {
    // SAFETY: the library passes a NUL-terminated text and the opaque we set.
    let (shared, reason) = unsafe { (shared(opaque), CStr::from_ptr(reason).to_string_lossy()) };
    let code = KNOWN_ERRORS.iter().copied().find(|known| *known as c_int == code);
    let code = code.unwrap_or(Code::RD_KAFKA_RESP_ERR_UNKNOWN);
    shared.push(ClientEvent::Error { code, reason: secrets::hide(&reason) });
}

/// Codes of the error callback that lead to a decision; every other code only ends up in the log.
const KNOWN_ERRORS: &[Code] = &[
    Code::RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN,
    Code::RD_KAFKA_RESP_ERR__AUTHENTICATION,
    Code::RD_KAFKA_RESP_ERR__FATAL,
    Code::RD_KAFKA_RESP_ERR__RESOLVE,
    Code::RD_KAFKA_RESP_ERR__SSL,
    Code::RD_KAFKA_RESP_ERR__TRANSPORT,
];

/// The library tells its statistics; the text stays the library's.
pub(super) unsafe extern "C" fn on_statistics(
    _client: *mut rdsys::rd_kafka_t,
    json: *mut c_char,
    length: usize,
    opaque: *mut c_void,
) -> c_int {
    // SAFETY: the library passes a text of that length and the opaque we set.
    let (shared, text) = unsafe { (shared(opaque), std::slice::from_raw_parts(json.cast::<u8>(), length)) };
    shared.statistics.told(text);
    0
}

/// Called from the library's threads when the consumer queue stops being empty.
pub(super) unsafe extern "C" fn on_queue_ready(_client: *mut rdsys::rd_kafka_t, opaque: *mut c_void) {
    // SAFETY: the opaque given to `rd_kafka_queue_cb_event_enable` is the address of the live `Shared`.
    let shared = unsafe { shared(opaque) };
    (shared.wake)();
}

/// The library's log lines, through ours and without credentials. They name brokers and protocol steps, never
/// record contents.
pub(super) unsafe extern "C" fn on_log(
    client: *const rdsys::rd_kafka_t,
    level: c_int,
    facility: *const c_char,
    text: *const c_char,
) {
    // SAFETY: the library passes NUL-terminated texts; the client is null only before it exists.
    let (client, facility, text) = unsafe {
        let name = if client.is_null() { c"" } else { CStr::from_ptr(rdsys::rd_kafka_name(client)) };
        (
            name.to_string_lossy(),
            CStr::from_ptr(facility).to_string_lossy(),
            secrets::hide(&CStr::from_ptr(text).to_string_lossy()),
        )
    };
    match level {
        0..=3 => tracing::warn!(%client, %facility, "{text}"),
        4 => tracing::info!(%client, %facility, "{text}"),
        _ => tracing::debug!(%client, %facility, "{text}"),
    }
}
