//! Lists of topic-partitions in the library's form.

use std::ffi::{CStr, CString};
use std::ptr::{self, NonNull};

use lakeward_api::record::{CommittedPosition, Position, TopicPartition};
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

    /// Partitions to be read from these offsets, or from where the group or `auto.offset.reset` says.
    pub(super) fn starts(starts: &[(TopicPartition, Option<i64>)]) -> Self {
        let mut list = Self::with_capacity(starts.len());
        for (partition, offset) in starts {
            list.push(&partition.topic, partition.partition, offset.unwrap_or(OFFSET_INVALID));
        }
        list
    }

    /// Partitions with the next offset to read and the text committed with it.
    pub(super) fn commits(commits: &[CommittedPosition]) -> Self {
        let mut list = Self::with_capacity(commits.len());
        for CommittedPosition { position, metadata } in commits {
            let TopicPartition { topic, partition } = &position.partition;
            list.push_with(topic, *partition, position.next_offset, metadata);
        }
        list
    }

    fn push(&mut self, topic: &str, partition: i32, offset: i64) {
        self.push_with(topic, partition, offset, "");
    }

    fn push_with(&mut self, topic: &str, partition: i32, offset: i64, metadata: &str) {
        // A name with a NUL cannot exist on a broker; an empty one matches nothing.
        let topic = CString::new(topic).unwrap_or_default();
        // SAFETY: the list is valid and owned; the library copies the name; the returned element lives in the
        // list and is not kept beyond this call. Its metadata is new, so nothing is leaked; the library frees
        // it with the list, by the allocator that made the copy.
        unsafe {
            let element =
                rdsys::rd_kafka_topic_partition_list_add(self.0.as_ptr(), topic.as_ptr(), partition);
            (*element).offset = offset;
            if !metadata.is_empty() {
                let copy = rdsys::rd_kafka_mem_malloc(ptr::null_mut(), metadata.len());
                assert!(!copy.is_null(), "out of memory");
                ptr::copy_nonoverlapping(metadata.as_ptr(), copy.cast::<u8>(), metadata.len());
                (*element).metadata = copy;
                (*element).metadata_size = metadata.len();
            }
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

/// Copies a borrowed list: each partition with its offset, metadata and error code (0 = none).
///
/// # Safety
/// `list` is null or points to a valid list for the duration of the call.
pub(super) unsafe fn copy_commits(
    list: *const rdsys::rd_kafka_topic_partition_list_t,
) -> Vec<(CommittedPosition, rdsys::rd_kafka_resp_err_t)> {
    // SAFETY: by contract.
    let positions = unsafe { copy_list(list) };
    let with_text = positions.into_iter().enumerate().map(|(index, (position, code))| {
        // SAFETY: by contract the list is valid, and it has an element per position; the metadata of an
        // element is null or as long as it says.
        let metadata = unsafe {
            let element = &*(*list).elems.add(index);
            if element.metadata.is_null() || element.metadata_size == 0 {
                String::new()
            } else {
                let bytes = std::slice::from_raw_parts(element.metadata.cast::<u8>(), element.metadata_size);
                String::from_utf8_lossy(bytes).into_owned()
            }
        };
        (CommittedPosition { position, metadata }, code)
    });
    with_text.collect()
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
