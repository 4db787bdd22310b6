//! Messages as they came from the consumer queue, borrowed without a copy.

use std::ffi::CStr;
use std::ptr::NonNull;
use std::slice;
use std::sync::Arc;

use lakeward_api::record::{RawHeader, RawRecord};
use rdkafka_sys as rdsys;

use super::client::Handle;

/// Messages of one queue read. Keys and values point into the library's memory, which this batch keeps alive.
pub struct FetchedBatch {
    messages: Vec<NonNull<rdsys::rd_kafka_message_t>>,
    // Messages must be destroyed before the client: the field keeps it alive.
    _client: Arc<Handle>,
}

/// Consecutive messages of one topic-partition.
pub struct FetchedRun<'a> {
    /// Which message of the batch is the first.
    pub start: usize,
    /// Topic name.
    pub topic: &'a str,
    /// Partition number.
    pub partition: i32,
    messages: &'a [NonNull<rdsys::rd_kafka_message_t>],
}

impl FetchedBatch {
    pub(super) fn new(messages: Vec<NonNull<rdsys::rd_kafka_message_t>>, client: Arc<Handle>) -> Self {
        Self { messages, _client: client }
    }

    /// Message count, error messages included.
    pub fn len(&self) -> usize {
        self.messages.len()
    }

    /// True when the queue was empty.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// Bytes of all keys and values.
    pub fn bytes(&self) -> u64 {
        self.messages.iter().map(message).map(size).sum()
    }

    /// The run of consecutive records of one topic-partition that begins at message `start`, of at most
    /// `records_max` records and, unless the first one is larger, of at most `bytes_max` bytes. Error
    /// messages are passed over: see [`FetchedBatch::errors`]. `None` when there is no further record.
    pub fn run_at(&self, start: usize, records_max: usize, bytes_max: u64) -> Option<FetchedRun<'_>> {
        let none = rdsys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR;
        let rest = self.messages.get(start..)?;
        let skipped = rest.iter().position(|pointer| message(pointer).err == none)?;
        let rest = &rest[skipped..];
        let first = message(rest.first()?);
        let mut bytes = 0;
        let run = rest.iter().map(message).take(records_max).take_while(|one| {
            let has_room = bytes == 0 || bytes + size(one) <= bytes_max;
            bytes += size(one);
            has_room && same_run(first, one)
        });
        let count = run.count();
        Some(FetchedRun {
            start: start + skipped,
            topic: topic_name(first),
            partition: first.partition,
            messages: &rest[..count],
        })
    }

    /// The record at `offset` of a topic-partition, as a run of its own.
    pub fn find(&self, topic: &str, partition: i32, offset: i64) -> Option<FetchedRun<'_>> {
        let none = rdsys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR;
        let is_wanted = |one: &rdsys::rd_kafka_message_t| {
            one.offset == offset && one.partition == partition && one.err == none && topic_name(one) == topic
        };
        let start = self.messages.iter().position(|pointer| is_wanted(message(pointer)))?;
        self.run_at(start, 1, u64::MAX)
    }

    /// Error messages of the queue: the library's code, topic, and text.
    pub(crate) fn errors(&self) -> impl Iterator<Item = (rdsys::rd_kafka_resp_err_t, String)> + '_ {
        let none = rdsys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR;
        self.messages.iter().map(message).filter(move |one| one.err != none).map(|one| {
            let topic = if one.rkt.is_null() { "" } else { topic_name(one) };
            (one.err, format!("{}: {topic}", super::callbacks::describe(one.err)))
        })
    }
}

impl<'a> FetchedRun<'a> {
    /// The records of the run, in offset order.
    pub fn records(&self) -> impl ExactSizeIterator<Item = RawRecord<'a>> {
        self.messages.iter().map(|pointer| record(pointer))
    }

    /// What the timestamp of record `row` means, in Java's words; `None` when it has none.
    pub fn timestamp_type(&self, row: usize) -> Option<&'static str> {
        use rdsys::rd_kafka_timestamp_type_t as Type;
        match timestamp(message(&self.messages[row])).1 {
            Type::RD_KAFKA_TIMESTAMP_CREATE_TIME => Some("CreateTime"),
            Type::RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME => Some("LogAppendTime"),
            Type::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE => None,
        }
    }

    /// The headers of record `row`.
    pub fn headers_of(&self, row: usize) -> Vec<RawHeader<'a>> {
        headers(&self.messages[row])
    }

    /// The headers of every record; empty when no record has any.
    pub fn headers(&self) -> Vec<Vec<RawHeader<'a>>> {
        if !self.messages.iter().any(|pointer| header_list(pointer).is_some()) {
            return Vec::new();
        }
        self.messages.iter().map(headers).collect()
    }
}

impl Drop for FetchedBatch {
    fn drop(&mut self) {
        for pointer in &self.messages {
            // SAFETY: each message came from the queue, is owned by this batch and destroyed exactly once.
            unsafe { rdsys::rd_kafka_message_destroy(pointer.as_ptr()) };
        }
    }
}

fn message(pointer: &NonNull<rdsys::rd_kafka_message_t>) -> &rdsys::rd_kafka_message_t {
    // SAFETY: the batch that the pointer is borrowed from owns the message.
    unsafe { pointer.as_ref() }
}

/// Bytes of key and value.
fn size(message: &rdsys::rd_kafka_message_t) -> u64 {
    (message.key_len + message.len) as u64
}

fn same_run(left: &rdsys::rd_kafka_message_t, right: &rdsys::rd_kafka_message_t) -> bool {
    left.rkt == right.rkt && left.partition == right.partition && left.err == right.err
}

fn topic_name(message: &rdsys::rd_kafka_message_t) -> &str {
    // SAFETY: the topic handle lives as long as the message; its name is NUL-terminated and never changes.
    let name = unsafe { CStr::from_ptr(rdsys::rd_kafka_topic_name(message.rkt)) };
    // Topic names are `[a-zA-Z0-9._-]+` on every broker.
    name.to_str().unwrap_or_default()
}

fn record(pointer: &NonNull<rdsys::rd_kafka_message_t>) -> RawRecord<'_> {
    let message = message(pointer);
    let (timestamp, kind) = timestamp(message);
    let known = kind != rdsys::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE && timestamp >= 0;
    RawRecord {
        offset: message.offset,
        timestamp_ms: known.then_some(timestamp),
        key: bytes(message.key.cast(), message.key_len),
        value: bytes(message.payload.cast(), message.len),
    }
}

fn timestamp(message: &rdsys::rd_kafka_message_t) -> (i64, rdsys::rd_kafka_timestamp_type_t) {
    let mut kind = rdsys::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
    // SAFETY: both pointers are valid for the call.
    let timestamp = unsafe { rdsys::rd_kafka_message_timestamp(message, &mut kind) };
    (timestamp, kind)
}

/// The parsed header list of a message; owned by the message. `None` when it has no headers.
fn header_list(pointer: &NonNull<rdsys::rd_kafka_message_t>) -> Option<*mut rdsys::rd_kafka_headers_t> {
    let mut list = std::ptr::null_mut();
    // SAFETY: the message is valid; the library parses the headers on first use and keeps them in it, and
    // only this thread touches it.
    let code = unsafe { rdsys::rd_kafka_message_headers(message(pointer), &mut list) };
    (code == rdsys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR).then_some(list)
}

fn headers(pointer: &NonNull<rdsys::rd_kafka_message_t>) -> Vec<RawHeader<'_>> {
    let Some(list) = header_list(pointer) else { return Vec::new() };
    // SAFETY: the list is valid as long as the message.
    let count = unsafe { rdsys::rd_kafka_header_cnt(list) };
    let mut headers = Vec::with_capacity(count);
    for index in 0..count {
        let (mut name, mut value, mut length) = (std::ptr::null(), std::ptr::null(), 0);
        // SAFETY: the list is valid and the three answers are written before they are read.
        let code = unsafe { rdsys::rd_kafka_header_get_all(list, index, &mut name, &mut value, &mut length) };
        if code != rdsys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR || name.is_null() {
            break;
        }
        // SAFETY: names are NUL-terminated and live as long as the message.
        let name = unsafe { CStr::from_ptr(name) }.to_bytes();
        headers.push(RawHeader { name, value: bytes(value.cast(), length) });
    }
    headers
}

fn bytes<'a>(start: *const u8, length: usize) -> Option<&'a [u8]> {
    // SAFETY: the library guarantees `length` bytes at a non-null pointer for as long as the message lives;
    // callers bind the lifetime to the batch.
    (!start.is_null()).then(|| unsafe { slice::from_raw_parts(start, length) })
}
