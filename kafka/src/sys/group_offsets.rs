//! Admin requests about the committed positions of a consumer group, which the safe bindings do not have.

use std::ffi::{CStr, CString};
use std::ptr::{self, NonNull};
use std::time::Duration;

use lakeward_api::record::{Position, TopicPartition};
use rdkafka::ClientContext;
use rdkafka::client::Client;
use rdkafka_sys as rdsys;
use rdsys::rd_kafka_admin_op_t as Operation;
use rdsys::rd_kafka_resp_err_t as Code;

use super::partitions::{PartitionList, copy_list};

/// How much longer than the library this waits for the library's own answer.
const GRACE: Duration = Duration::from_secs(2);

/// What to ask about a group.
pub(crate) enum GroupRequest<'a> {
    /// Commit these positions.
    Alter(&'a [Position]),
    /// Forget what was committed for these partitions.
    Delete(&'a [TopicPartition]),
    /// Tell everything that was committed.
    List,
}

/// A failure: the library's code and text.
pub(crate) type GroupFailure = (Code, String);

/// Asks and waits for the answer, at most `limit` and a little; blocks. Each partition comes with its code.
pub(crate) fn group_offsets<C: ClientContext>(
    client: &Client<C>,
    group: &str,
    request: &GroupRequest<'_>,
    limit: Duration,
) -> Result<Vec<(Position, Code)>, GroupFailure> {
    let client = client.native_ptr();
    let operation = match request {
        GroupRequest::Alter(_) => Operation::RD_KAFKA_ADMIN_OP_ALTERCONSUMERGROUPOFFSETS,
        GroupRequest::Delete(_) => Operation::RD_KAFKA_ADMIN_OP_DELETECONSUMERGROUPOFFSETS,
        GroupRequest::List => Operation::RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS,
    };
    // SAFETY: the caller's client is alive for the whole call.
    let (options, queue) = unsafe { (Options::new(client, operation, limit)?, Queue::new(client)) };
    // A name with a NUL cannot exist on a broker; the broker refuses the empty one.
    let group = CString::new(group).unwrap_or_default();
    // SAFETY: client, options and queue are alive; the library copies the request before it returns.
    unsafe { send(client, &group, request, &options, &queue) };
    queue.answer(request, limit + GRACE)
}

/// # Safety
/// `client` is a live client.
unsafe fn send(
    client: *mut rdsys::rd_kafka_t,
    group: &CStr,
    request: &GroupRequest<'_>,
    options: &Options,
    queue: &Queue,
) {
    let (options, queue, group) = (options.0.as_ptr(), queue.0.as_ptr(), group.as_ptr());
    // SAFETY: every object is alive for the calls; requests are destroyed after the library copied them.
    unsafe {
        match request {
            GroupRequest::Alter(positions) => {
                let list = PartitionList::positions(positions);
                let mut asked = rdsys::rd_kafka_AlterConsumerGroupOffsets_new(group, list.as_ptr());
                rdsys::rd_kafka_AlterConsumerGroupOffsets(client, &raw mut asked, 1, options, queue);
                rdsys::rd_kafka_AlterConsumerGroupOffsets_destroy(asked);
            }
            GroupRequest::Delete(partitions) => {
                let list = PartitionList::partitions(partitions);
                let mut asked = rdsys::rd_kafka_DeleteConsumerGroupOffsets_new(group, list.as_ptr());
                rdsys::rd_kafka_DeleteConsumerGroupOffsets(client, &raw mut asked, 1, options, queue);
                rdsys::rd_kafka_DeleteConsumerGroupOffsets_destroy(asked);
            }
            GroupRequest::List => {
                let mut asked = rdsys::rd_kafka_ListConsumerGroupOffsets_new(group, ptr::null());
                rdsys::rd_kafka_ListConsumerGroupOffsets(client, &raw mut asked, 1, options, queue);
                rdsys::rd_kafka_ListConsumerGroupOffsets_destroy(asked);
            }
        }
    }
}

struct Options(NonNull<rdsys::rd_kafka_AdminOptions_t>);

impl Options {
    /// # Safety
    /// `client` is a live client.
    unsafe fn new(
        client: *mut rdsys::rd_kafka_t,
        operation: Operation,
        limit: Duration,
    ) -> Result<Self, GroupFailure> {
        // SAFETY: by contract the client is alive.
        let options = unsafe { rdsys::rd_kafka_AdminOptions_new(client, operation) };
        let options = Self(NonNull::new(options).expect("the operation is one the library has"));
        let limit_ms = i32::try_from(limit.as_millis()).unwrap_or(i32::MAX);
        // SAFETY: the options are alive; without a buffer no text is written.
        let code = unsafe {
            rdsys::rd_kafka_AdminOptions_set_request_timeout(options.0.as_ptr(), limit_ms, ptr::null_mut(), 0)
        };
        if code == Code::RD_KAFKA_RESP_ERR_NO_ERROR { Ok(options) } else { Err(failure(code)) }
    }
}

impl Drop for Options {
    fn drop(&mut self) {
        // SAFETY: owned by this value and not used afterwards.
        unsafe { rdsys::rd_kafka_AdminOptions_destroy(self.0.as_ptr()) };
    }
}

struct Queue(NonNull<rdsys::rd_kafka_queue_t>);

impl Queue {
    /// # Safety
    /// `client` is a live client.
    unsafe fn new(client: *mut rdsys::rd_kafka_t) -> Self {
        // SAFETY: by contract the client is alive.
        let queue = unsafe { rdsys::rd_kafka_queue_new(client) };
        Self(NonNull::new(queue).expect("the library never returns a null queue"))
    }

    fn answer(
        &self,
        request: &GroupRequest<'_>,
        limit: Duration,
    ) -> Result<Vec<(Position, Code)>, GroupFailure> {
        let limit_ms = i32::try_from(limit.as_millis()).unwrap_or(i32::MAX);
        // SAFETY: the queue is alive and only this thread polls it.
        let event = unsafe { rdsys::rd_kafka_queue_poll(self.0.as_ptr(), limit_ms) };
        let Some(event) = NonNull::new(event).map(Event) else {
            return Err(failure(Code::RD_KAFKA_RESP_ERR__TIMED_OUT));
        };
        event.partitions(request)
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        // SAFETY: owned by this value and not used afterwards; an answer that comes later is dropped.
        unsafe { rdsys::rd_kafka_queue_destroy(self.0.as_ptr()) };
    }
}

struct Event(NonNull<rdsys::rd_kafka_event_t>);

impl Event {
    /// The partitions of the only group of the answer.
    fn partitions(&self, request: &GroupRequest<'_>) -> Result<Vec<(Position, Code)>, GroupFailure> {
        let event = self.0.as_ptr();
        // SAFETY: the event is alive until the end of this call, as is everything it hands out; what is
        // borrowed from it is copied. The result type is that of the request, so its accessor fits.
        unsafe {
            let code = rdsys::rd_kafka_event_error(event);
            if code != Code::RD_KAFKA_RESP_ERR_NO_ERROR {
                return Err(failure(code));
            }
            let mut count = 0_usize;
            let groups = match request {
                GroupRequest::Alter(_) => {
                    rdsys::rd_kafka_AlterConsumerGroupOffsets_result_groups(event, &raw mut count)
                }
                GroupRequest::Delete(_) => {
                    rdsys::rd_kafka_DeleteConsumerGroupOffsets_result_groups(event, &raw mut count)
                }
                GroupRequest::List => {
                    rdsys::rd_kafka_ListConsumerGroupOffsets_result_groups(event, &raw mut count)
                }
            };
            if groups.is_null() || count == 0 {
                return Ok(Vec::new());
            }
            let group = *groups;
            let refused = rdsys::rd_kafka_group_result_error(group);
            if !refused.is_null() {
                return Err(failure(rdsys::rd_kafka_error_code(refused)));
            }
            Ok(copy_list(rdsys::rd_kafka_group_result_partitions(group)))
        }
    }
}

impl Drop for Event {
    fn drop(&mut self) {
        // SAFETY: owned by this value and not used afterwards.
        unsafe { rdsys::rd_kafka_event_destroy(self.0.as_ptr()) };
    }
}

fn failure(code: Code) -> GroupFailure {
    (code, super::callbacks::describe(code))
}
