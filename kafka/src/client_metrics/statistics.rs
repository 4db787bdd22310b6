//! The library's statistics, as far as they are shown.
//!
//! Source: `STATISTICS.md` of librdkafka 2.12.

use std::collections::BTreeMap;

use serde::Deserialize;

/// One text. Numbers that an older library does not tell are 0.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Statistics {
    /// µs of a monotonic clock.
    pub(super) ts: i64,
    /// Requests sent, responses received, and their bytes.
    pub(super) tx: f64,
    pub(super) tx_bytes: f64,
    pub(super) rx: f64,
    pub(super) rx_bytes: f64,
    /// Messages sent and received, and their bytes.
    pub(super) txmsgs: f64,
    pub(super) txmsg_bytes: f64,
    pub(super) rxmsgs: f64,
    pub(super) rxmsg_bytes: f64,
    /// Bytes in the queue of a producer, and its limit.
    pub(super) msg_size: f64,
    pub(super) msg_size_max: f64,
    pub(super) brokers: BTreeMap<String, Broker>,
    pub(super) topics: BTreeMap<String, Topic>,
    pub(super) cgrp: Option<Group>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Broker {
    pub(super) state: String,
    pub(super) connects: f64,
    pub(super) disconnects: f64,
    pub(super) txretries: f64,
    pub(super) waitresp_cnt: f64,
    /// µs.
    pub(super) rtt: Window,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Topic {
    /// Bytes and messages per batch.
    pub(super) batchsize: Window,
    pub(super) batchcnt: Window,
    pub(super) partitions: BTreeMap<String, Partition>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Partition {
    pub(super) partition: i32,
    pub(super) fetch_state: String,
    pub(super) app_offset: i64,
    pub(super) hi_offset: i64,
    pub(super) consumer_lag: i64,
    pub(super) txmsgs: f64,
    pub(super) txbytes: f64,
    pub(super) rxmsgs: f64,
    pub(super) rxbytes: f64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Group {
    pub(super) assignment_size: f64,
    /// ms.
    pub(super) rebalance_age: f64,
    pub(super) rebalance_cnt: f64,
}

/// Values since the text before.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Window {
    pub(super) avg: f64,
    pub(super) max: f64,
    pub(super) cnt: f64,
}

impl Statistics {
    /// `None` for what is no JSON of that kind.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        serde_json::from_slice(text)
            .inspect_err(|err| tracing::debug!(error = %err, "statistics of a Kafka client cannot be read"))
            .ok()
    }
}

impl Partition {
    /// Records that were not given to the task yet; `None` while that is not known.
    pub(super) fn lag(&self) -> Option<f64> {
        if self.fetch_state == "none" {
            return None;
        }
        let lag = match (self.app_offset, self.hi_offset) {
            (next, end) if next >= 0 && end >= 0 => end.saturating_sub(next).max(0),
            _ => self.consumer_lag,
        };
        (lag >= 0).then_some(lag as f64)
    }
}
