//! The generation of a consumer's group, which the safe bindings do not show.

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
