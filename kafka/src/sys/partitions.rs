//! Lists of topic-partitions in the library's form.

use std::ffi::{CStr, CString};
use std::ptr::NonNull;

use lakeward_api::record::{Position, TopicPartition};
use rdkafka_sys as rdsys;

/// Offset that makes the library start at the committed position, or where `auto.offset.reset` says.
const OFFSET_INVALID: i64 = -1001;

/// An owned list.
pub(super) struct PartitionList(NonNull<rdsys::rd_kafka_topic_partition_list_t>);

impl PartitionList {
    fn with_capacity(capacity: usize) -> Self {
        let capacity = i32::try_from(capacity).unwrap_or(i32::MAX);
        // SAFETY: plain allocation; the library aborts when memory is exhausted, it never returns null.
        let list = unsafe { rdsys::rd_kafka_topic_partition_list_new(capacity) };
        Self(NonNull::new(list).expect("the library never returns a null list"))
    }

    /// Topic names or `^`-prefixed patterns, for a subscription.
    pub(super) fn topics(topics: &[String]) -> Self {
        let mut list = Self::with_capacity(topics.len());
        for topic in topics {
            list.push(topic, -1, OFFSET_INVALID);
        }
        list
    }

    /// Partitions without offsets.
    pub(super) fn partitions(partitions: &[TopicPartition]) -> Self {
        let mut list = Self::with_capacity(partitions.len());
        for tp in partitions {
            list.push(&tp.topic, tp.partition, OFFSET_INVALID);
        }
        list
    }

    /// Partitions with the next offset to read.
    pub(super) fn positions(positions: &[Position]) -> Self {
        let mut list = Self::with_capacity(positions.len());
        for position in positions {
            list.push(&position.partition.topic, position.partition.partition, position.next_offset);
        }
        list
    }

    fn push(&mut self, topic: &str, partition: i32, offset: i64) {
        // A name with a NUL cannot exist on a broker; an empty one matches nothing.
        let topic = CString::new(topic).unwrap_or_default();
        // SAFETY: the list is valid and owned; the library copies the name; the returned element lives in the
        // list and is not kept beyond this call.
        unsafe {
            let element =
                rdsys::rd_kafka_topic_partition_list_add(self.0.as_ptr(), topic.as_ptr(), partition);
            (*element).offset = offset;
        }
    }

    pub(super) fn as_ptr(&self) -> *mut rdsys::rd_kafka_topic_partition_list_t {
        self.0.as_ptr()
    }
}

impl Drop for PartitionList {
    fn drop(&mut self) {
        // SAFETY: the list is owned by this value and not used afterwards.
        unsafe { rdsys::rd_kafka_topic_partition_list_destroy(self.0.as_ptr()) };
    }
}

/// Copies a borrowed list: each partition with its offset and error code (0 = none).
///
/// # Safety
/// `list` is null or points to a valid list for the duration of the call.
pub(super) unsafe fn copy_list(
    list: *const rdsys::rd_kafka_topic_partition_list_t,
) -> Vec<(Position, rdsys::rd_kafka_resp_err_t)> {
    if list.is_null() {
        return Vec::new();
    }
    // SAFETY: by contract the list is valid: `elems` points to `cnt` elements with NUL-terminated names.
    unsafe {
        let count = usize::try_from((*list).cnt).unwrap_or(0);
        (0..count)
            .map(|index| {
                let element = &*(*list).elems.add(index);
                let topic = CStr::from_ptr(element.topic).to_string_lossy();
                let partition = TopicPartition::new(topic.as_ref(), element.partition);
                (Position { partition, next_offset: element.offset }, element.err)
            })
            .collect()
    }
}
