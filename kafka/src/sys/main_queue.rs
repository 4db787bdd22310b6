//! What a client tells besides answers, for clients whose wrapper leaves it in its queue.

use std::ffi::{CStr, c_char, c_int};
use std::ptr::{self, NonNull};

use rdkafka::client::{Client, ClientContext};
use rdkafka::config::RDKafkaLogLevel;
use rdkafka_sys as rdsys;

/// The value of `enabled_events` that puts statistics into the queue.
pub(crate) const STATISTICS_EVENT: i32 = rdsys::RD_KAFKA_EVENT_STATS;
/// Told at most this often in one call, so that it ends.
const EVENTS_MAX: usize = 1_000;

/// Takes the statistics and log lines out of the client's main queue and tells its context. Never blocks.
pub(crate) fn serve_main_queue<C: ClientContext>(client: &Client<C>) {
    // SAFETY: the client is valid; the reference to its queue is released below.
    let queue = unsafe { rdsys::rd_kafka_queue_get_main(client.native_ptr()) };
    for _ in 0..EVENTS_MAX {
        // SAFETY: the queue is valid; an event is owned by us.
        let Some(event) = NonNull::new(unsafe { rdsys::rd_kafka_queue_poll(queue, 0) }) else { break };
        // SAFETY: the event is valid until it is destroyed, and so are the texts in it.
        unsafe {
            tell(client.context().as_ref(), event.as_ptr());
            rdsys::rd_kafka_event_destroy(event.as_ptr());
        }
    }
    // SAFETY: the reference taken above.
    unsafe { rdsys::rd_kafka_queue_destroy(queue) };
}

/// # Safety
/// `event` is valid.
unsafe fn tell<C: ClientContext>(context: &C, event: *mut rdsys::rd_kafka_event_t) {
    // SAFETY: by contract; the texts of an event end with NUL and live as long as it.
    unsafe {
        match rdsys::rd_kafka_event_type(event) {
            rdsys::RD_KAFKA_EVENT_STATS => {
                context.stats_raw(CStr::from_ptr(rdsys::rd_kafka_event_stats(event)).to_bytes());
            }
            rdsys::RD_KAFKA_EVENT_LOG => {
                let (mut facility, mut text, mut level): (*const c_char, *const c_char, c_int) =
                    (ptr::null(), ptr::null(), 0);
                if rdsys::rd_kafka_event_log(event, &raw mut facility, &raw mut text, &raw mut level) == 0 {
                    let (facility, text) = (CStr::from_ptr(facility), CStr::from_ptr(text));
                    context.log(level_of(level), &facility.to_string_lossy(), &text.to_string_lossy());
                }
            }
            _ => {}
        }
    }
}

/// The library's numbers are those of syslog.
fn level_of(level: c_int) -> RDKafkaLogLevel {
    match level {
        ..=3 => RDKafkaLogLevel::Error,
        4 => RDKafkaLogLevel::Warning,
        5 => RDKafkaLogLevel::Notice,
        6 => RDKafkaLogLevel::Info,
        _ => RDKafkaLogLevel::Debug,
    }
}
