//! Work that only the threads of a client can do for themselves.
//!
//! A client's thread allocates what it receives, and a shard frees it. An allocator with a heap per thread
//! leaves that with the owner until it allocates again, which the thread of an idle topic does not: without
//! this, each consumer kept all that its queue ever held.

use std::cell::Cell;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use rdkafka_sys as rdsys;

type Outcome = rdsys::rd_kafka_resp_err_t;

/// What the threads of consumers do once a second as long as their brokers answer them, an empty fetch
/// included. The first call of a process counts.
pub fn set_housekeeping(work: fn()) {
    let _others_stay = WORK.set(work);
}

/// Lets the client of this configuration do it.
///
/// # Safety
/// `conf` is valid and no client has it yet.
pub(super) unsafe fn install(conf: *mut rdsys::rd_kafka_conf_t) {
    // SAFETY: the caller vouches for `conf`; the library copies the name; `on_new` matches its type and needs
    // no opaque.
    unsafe {
        rdsys::rd_kafka_conf_interceptor_add_on_new(conf, NAME.as_ptr(), Some(on_new), ptr::null_mut());
    }
}

unsafe extern "C" fn on_new(
    client: *mut rdsys::rd_kafka_t,
    _: *const rdsys::rd_kafka_conf_t,
    _: *mut c_void,
    _: *mut c_char,
    _: usize,
) -> Outcome {
    // SAFETY: the library calls this with a client that takes interceptors now; the rest as in `install`.
    unsafe {
        rdsys::rd_kafka_interceptor_add_on_response_received(
            client,
            NAME.as_ptr(),
            Some(on_response),
            ptr::null_mut(),
        )
    }
}

unsafe extern "C" fn on_response(
    _: *mut rdsys::rd_kafka_t,
    _: c_int,
    _: *const c_char,
    _: i32,
    _: i16,
    _: i16,
    _: i32,
    _: usize,
    _: i64,
    _: Outcome,
    _: *mut c_void,
) -> Outcome {
    let now = Instant::now();
    let last = LAST.get();
    if last.is_none_or(|last| now - last >= INTERVAL) {
        LAST.set(Some(now));
        // Not with the first answer: there is nothing to do yet.
        if let (Some(_), Some(work)) = (last, WORK.get()) {
            work();
        }
    }
    Outcome::RD_KAFKA_RESP_ERR_NO_ERROR
}

thread_local! {
    /// When this thread did it, or began.
    static LAST: Cell<Option<Instant>> = const { Cell::new(None) };
}

static WORK: OnceLock<fn()> = OnceLock::new();
const NAME: &CStr = c"housekeeping";
const INTERVAL: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Mutex;
    use std::thread;

    use rdkafka::mocking::MockCluster;

    use super::*;
    use crate::consumer::{ConsumerEvent, SinkConsumer};
    use crate::settings::{ClientKind, translate};

    static THREADS: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

    fn note() {
        let name = std::fs::read_to_string("/proc/thread-self/comm").unwrap();
        THREADS.lock().unwrap().insert(name.trim().to_owned());
    }

    #[test]
    fn the_thread_that_fetches_does_it_also_when_nothing_comes() {
        set_housekeeping(note);
        let cluster = MockCluster::new(1).unwrap();
        cluster.create_topic("quiet", 1, 1).unwrap();
        let servers = cluster.bootstrap_servers();
        let props = [("bootstrap.servers", servers.as_str()), ("group.id", "g")];
        let props = props.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let settings = translate(ClientKind::Consumer, &props).unwrap();
        let mut consumer = SinkConsumer::join(&settings, &["quiet".to_owned()], || {}).unwrap();
        let deadline = Instant::now() + Duration::from_secs(60);
        while !THREADS.lock().unwrap().iter().any(|name| name.starts_with("rdk:broker")) {
            assert!(Instant::now() < deadline, "no thread did it: {:?}", THREADS.lock().unwrap());
            let batch = consumer.take(1);
            for event in consumer.events(&batch) {
                if let ConsumerEvent::Assigned(partitions) = event {
                    consumer.confirm_assigned(&partitions).unwrap();
                }
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}
