//! Generation and member id of a consumer in its group, which the safe bindings do not show.

use std::ffi::CStr;

use rdkafka::ClientContext;
use rdkafka::client::Client;

/// The generation the client is in; -1 when it is in no group.
pub(crate) fn group_generation<C: ClientContext>(client: &Client<C>) -> i64 {
    // SAFETY: the client is alive for the whole call, so its handle is valid.
    let metadata = unsafe { rdkafka_sys::rd_kafka_consumer_group_metadata(client.native_ptr()) };
    if metadata.is_null() {
        return -1;
    }
    // SAFETY: `metadata` is not null, was made above and is destroyed once, after its only use.
    let generation = unsafe {
        let generation = rdkafka_sys::rd_kafka_consumer_group_metadata_generation_id(metadata);
        rdkafka_sys::rd_kafka_consumer_group_metadata_destroy(metadata);
        generation
    };
    i64::from(generation)
}

/// The id that the client has in its group; `None` when it has none, as after a session that ended.
pub(crate) fn group_member<C: ClientContext>(client: &Client<C>) -> Option<String> {
    // SAFETY: the client is alive for the whole call, so its handle is valid.
    let metadata = unsafe { rdkafka_sys::rd_kafka_consumer_group_metadata(client.native_ptr()) };
    if metadata.is_null() {
        return None;
    }
    // SAFETY: `metadata` is not null, was made above and is destroyed once, after its last use; the text of
    // the id is its own, is copied before that, and ends with a zero.
    let id = unsafe {
        let id = rdkafka_sys::rd_kafka_consumer_group_metadata_member_id(metadata);
        let copy = (!id.is_null()).then(|| CStr::from_ptr(id).to_string_lossy().into_owned());
        rdkafka_sys::rd_kafka_consumer_group_metadata_destroy(metadata);
        copy
    };
    id.filter(|id| !id.is_empty())
}
