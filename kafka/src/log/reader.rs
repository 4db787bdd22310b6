//! The thread of a log: fetches its records and hands them out.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lakeward_api::record::RawRecord;
use rdkafka::ClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::KafkaError as LibraryError;
use rdkafka::message::Message;
use rdkafka::types::RDKafkaErrorCode as Code;

use super::delivery::Delivery;
use crate::secrets;

/// How long one poll waits; bounds how long dropping the log takes.
const POLL_WAIT: Duration = Duration::from_millis(50);

/// Reaching the end is no error of a log; everything else the client says is logged where it is handled.
pub(super) struct Quiet;

impl ClientContext for Quiet {
    fn error(&self, err: LibraryError, reason: &str) {
        if err.rdkafka_error_code() != Some(Code::PartitionEOF) {
            tracing::debug!(error = %err, reason = secrets::hide(reason), "internal topic client");
        }
    }
}

impl ConsumerContext for Quiet {}

pub(super) struct Reader {
    consumer: Arc<BaseConsumer<Quiet>>,
    stopping: Arc<AtomicBool>,
    delivery: Arc<Delivery>,
    /// What went wrong last, until something is read again: the library repeats itself.
    trouble: Option<LibraryError>,
}

impl Reader {
    /// A reader that ends once `stopping` is set.
    pub(super) fn new(
        consumer: Arc<BaseConsumer<Quiet>>,
        stopping: Arc<AtomicBool>,
        delivery: Arc<Delivery>,
    ) -> Self {
        Self { consumer, stopping, delivery, trouble: None }
    }

    /// Reads until it is told to stop. Blocks.
    pub(super) fn run(mut self) {
        while !self.stopping.load(Ordering::Acquire) {
            match self.consumer.poll(POLL_WAIT) {
                None => {}
                Some(Ok(message)) => {
                    self.trouble = None;
                    let record = RawRecord {
                        offset: message.offset(),
                        timestamp_ms: message.timestamp().to_millis(),
                        key: message.key(),
                        value: message.payload(),
                    };
                    // After a re-read of the tail, or when this process wrote it, it may have come before.
                    self.delivery.hand_out(message.partition(), record);
                }
                Some(Err(LibraryError::PartitionEOF(partition))) => {
                    self.trouble = None;
                    self.delivery.end_seen(partition);
                }
                Some(Err(err)) => self.on_error(err),
            }
        }
    }

    fn on_error(&mut self, err: LibraryError) {
        if let Some((code, reason)) = self.consumer.client().fatal_error() {
            tracing::error!(%code, %reason, "the reader of an internal topic stopped");
            self.delivery.fail(reason);
        } else if self.trouble.as_ref() != Some(&err) {
            tracing::warn!(error = %err, "trouble reading an internal topic; going on");
            self.trouble = Some(err);
        }
    }
}

/// A reader that ends, by a panic of the callback at the worst, must not be waited for.
impl Drop for Reader {
    fn drop(&mut self) {
        self.delivery.fail("the reader of an internal topic ended".to_owned());
    }
}
