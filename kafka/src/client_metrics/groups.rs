//! Statistics as the groups and attributes of Java's clients.

use std::sync::Arc;

use super::statistics::{Statistics, Topic, Window};
use super::{ClientSeries, Kind};

/// Appends what a client of `kind` shows; rates are those since `before`.
pub(super) fn append(
    kind: Kind,
    client_id: &Arc<str>,
    now: &Statistics,
    before: Option<&Statistics>,
    series: &mut Vec<ClientSeries>,
) {
    let mut page = Page { client_id, series, now, before };
    match kind {
        Kind::Admin => page.network("admin-client-metrics"),
        Kind::Consumer => {
            page.network("consumer-metrics");
            page.fetches();
            page.coordinator();
        }
        Kind::Producer => {
            page.network("producer-metrics");
            page.sends();
        }
    }
}

struct Page<'a> {
    client_id: &'a Arc<str>,
    series: &'a mut Vec<ClientSeries>,
    now: &'a Statistics,
    before: Option<&'a Statistics>,
}

impl Page<'_> {
    fn add(&mut self, group: &'static str, attribute: &'static str, value: f64) {
        self.of(group, attribute, None, None, value);
    }

    fn of(
        &mut self,
        group: &'static str,
        attribute: &'static str,
        topic: Option<&str>,
        partition: Option<i32>,
        value: f64,
    ) {
        self.series.push(ClientSeries {
            group,
            attribute,
            client_id: Arc::clone(self.client_id),
            topic: topic.map(str::to_owned),
            partition,
            value,
        });
    }

    /// Growth per second; 0 as long as there is one text only, as in Java without samples.
    fn rate(&self, count: impl Fn(&Statistics) -> f64) -> f64 {
        let Some(before) = self.before else { return 0.0 };
        let seconds = (self.now.ts - before.ts) as f64 / 1e6;
        if seconds > 0.0 { (count(self.now) - count(before)) / seconds } else { 0.0 }
    }

    fn counted(
        &mut self,
        group: &'static str,
        [total, rate]: [&'static str; 2],
        count: impl Fn(&Statistics) -> f64,
    ) {
        let per_second = self.rate(&count);
        self.add(group, total, count(self.now));
        self.add(group, rate, per_second);
    }

    fn network(&mut self, group: &'static str) {
        let brokers = self.now.brokers.values();
        let up = brokers.clone().filter(|broker| broker.state == "UP").count();
        let connects: f64 = brokers.clone().map(|broker| broker.connects).sum();
        let closes: f64 = brokers.map(|broker| broker.disconnects).sum();
        self.add(group, "connection-count", up as f64);
        self.add(group, "connection-creation-total", connects);
        self.add(group, "connection-close-total", closes);
        self.counted(group, ["request-total", "request-rate"], |now| now.tx);
        self.counted(group, ["response-total", "response-rate"], |now| now.rx);
        self.counted(group, ["network-io-total", "network-io-rate"], |now| now.tx + now.rx);
        self.counted(group, ["outgoing-byte-total", "outgoing-byte-rate"], |now| now.tx_bytes);
        self.counted(group, ["incoming-byte-total", "incoming-byte-rate"], |now| now.rx_bytes);
    }

    fn fetches(&mut self) {
        const GROUP: &str = "consumer-fetch-manager-metrics";
        self.counted(GROUP, ["records-consumed-total", "records-consumed-rate"], |now| now.rxmsgs);
        self.counted(GROUP, ["bytes-consumed-total", "bytes-consumed-rate"], |now| now.rxmsg_bytes);
        let mut lag_max = f64::NAN;
        for (name, topic) in &self.now.topics {
            let sum = |of: fn(&super::statistics::Partition) -> f64| -> f64 {
                topic.partitions.values().map(of).sum()
            };
            let (records, bytes) = (sum(|partition| partition.rxmsgs), sum(|partition| partition.rxbytes));
            self.of(GROUP, "records-consumed-total", Some(name), None, records);
            self.of(GROUP, "bytes-consumed-total", Some(name), None, bytes);
            for partition in topic.partitions.values().filter(|partition| partition.partition >= 0) {
                if let Some(lag) = partition.lag() {
                    // The greater of a number and NaN is the number.
                    lag_max = lag_max.max(lag);
                    self.of(GROUP, "records-lag", Some(name), Some(partition.partition), lag);
                }
            }
        }
        self.add(GROUP, "records-lag-max", lag_max);
    }

    fn coordinator(&mut self) {
        const GROUP: &str = "consumer-coordinator-metrics";
        let Some(group) = &self.now.cgrp else { return };
        self.add(GROUP, "assigned-partitions", group.assignment_size);
        self.add(GROUP, "rebalance-total", group.rebalance_cnt);
        self.add(GROUP, "last-rebalance-seconds-ago", (group.rebalance_age / 1000.0).floor());
    }

    fn sends(&mut self) {
        const GROUP: &str = "producer-metrics";
        const TOPIC: &str = "producer-topic-metrics";
        self.counted(GROUP, ["record-send-total", "record-send-rate"], |now| now.txmsgs);
        let brokers = self.now.brokers.values();
        let retries: f64 = brokers.clone().map(|broker| broker.txretries).sum();
        let open: f64 = brokers.clone().map(|broker| broker.waitresp_cnt).sum();
        let (latency_avg, latency_max) = merged(brokers.map(|broker| &broker.rtt));
        self.add(GROUP, "record-retry-total", retries);
        self.add(GROUP, "requests-in-flight", open);
        self.add(GROUP, "request-latency-avg", latency_avg / 1000.0);
        self.add(GROUP, "request-latency-max", latency_max / 1000.0);
        let topics = || self.now.topics.values();
        let (size_avg, size_max) = merged(topics().map(|topic: &Topic| &topic.batchsize));
        let (records_avg, _) = merged(topics().map(|topic: &Topic| &topic.batchcnt));
        self.add(GROUP, "batch-size-avg", size_avg);
        self.add(GROUP, "batch-size-max", size_max);
        self.add(GROUP, "records-per-request-avg", records_avg);
        self.add(GROUP, "buffer-total-bytes", self.now.msg_size_max);
        self.add(GROUP, "buffer-available-bytes", self.now.msg_size_max - self.now.msg_size);
        for (name, topic) in &self.now.topics {
            let records = topic.partitions.values().map(|partition| partition.txmsgs).sum();
            let bytes = topic.partitions.values().map(|partition| partition.txbytes).sum();
            self.of(TOPIC, "record-send-total", Some(name), None, records);
            self.of(TOPIC, "byte-total", Some(name), None, bytes);
        }
    }
}

/// Average and maximum over several windows; NaN when they are empty.
fn merged<'a>(windows: impl Iterator<Item = &'a Window>) -> (f64, f64) {
    let (mut sum, mut count, mut max) = (0.0, 0.0, f64::NAN);
    for window in windows.filter(|window| window.cnt > 0.0) {
        sum += window.avg * window.cnt;
        count += window.cnt;
        max = max.max(window.max);
    }
    (sum / count, max)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(kind: Kind, before: Option<&str>, now: &str) -> Vec<ClientSeries> {
        let parse = |text: &str| Statistics::parse(text.as_bytes()).unwrap();
        let (now, before) = (parse(now), before.map(parse));
        let mut series = Vec::new();
        append(kind, &"c".into(), &now, before.as_ref(), &mut series);
        series
    }

    fn value(series: &[ClientSeries], group: &str, attribute: &str, topic: Option<&str>) -> f64 {
        let is = |found: &&ClientSeries| {
            found.group == group && found.attribute == attribute && found.topic.as_deref() == topic
        };
        series.iter().find(is).unwrap_or_else(|| panic!("{group} {attribute}")).value
    }

    #[test]
    fn a_consumer_shows_lag_rates_and_its_group() {
        let before = r#"{"ts": 1000000, "rxmsgs": 100, "rx": 10}"#;
        let now = r#"{"ts": 3000000, "rxmsgs": 400, "rxmsg_bytes": 8000, "rx": 30, "tx": 5,
            "brokers": {"b": {"state": "UP", "connects": 2}, "g": {"state": "INIT", "disconnects": 1}},
            "topics": {"t": {"partitions": {
                "0": {"partition": 0, "fetch_state": "active", "app_offset": 90, "hi_offset": 100,
                      "rxmsgs": 90},
                "1": {"partition": 1, "fetch_state": "active", "app_offset": -1001, "hi_offset": 5,
                      "consumer_lag": 3},
                "2": {"partition": 2, "fetch_state": "none", "app_offset": 1, "hi_offset": 900},
                "-1": {"partition": -1, "fetch_state": "active"}}}},
            "cgrp": {"assignment_size": 2, "rebalance_cnt": 4, "rebalance_age": 2900}}"#;
        let series = shown(Kind::Consumer, Some(before), now);
        let fetch = |attribute, topic| value(&series, "consumer-fetch-manager-metrics", attribute, topic);
        assert_eq!(fetch("records-consumed-total", None), 400.0);
        assert_eq!(fetch("records-consumed-rate", None), 150.0);
        assert_eq!(fetch("records-consumed-total", Some("t")), 90.0);
        assert_eq!(fetch("records-lag-max", None), 10.0);
        let lags = series.iter().filter(|series| series.attribute == "records-lag");
        let lags: Vec<_> = lags.map(|series| (series.partition, series.value)).collect();
        assert_eq!(lags, [(Some(0), 10.0), (Some(1), 3.0)]);
        let group = |attribute| value(&series, "consumer-coordinator-metrics", attribute, None);
        assert_eq!(group("assigned-partitions"), 2.0);
        assert_eq!(group("last-rebalance-seconds-ago"), 2.0);
        let network = |attribute| value(&series, "consumer-metrics", attribute, None);
        assert_eq!((network("connection-count"), network("response-rate")), (1.0, 10.0));
        assert_eq!(network("connection-close-total"), 1.0);
    }

    #[test]
    fn an_admin_client_shows_its_connections_and_requests() {
        let now = r#"{"ts": 5, "tx": 7, "rx": 6, "brokers": {"a": {"state": "UP", "connects": 1}}}"#;
        let series = shown(Kind::Admin, None, now);
        let of = |attribute| value(&series, "admin-client-metrics", attribute, None);
        assert_eq!((of("connection-count"), of("request-total"), of("network-io-total")), (1.0, 7.0, 13.0));
        assert!(series.iter().all(|series| series.group == "admin-client-metrics"));
    }

    #[test]
    fn a_producer_shows_its_sends_by_topic_and_in_all() {
        let now = r#"{"ts": 5, "txmsgs": 7, "msg_size": 100, "msg_size_max": 1000,
            "brokers": {"a": {"rtt": {"avg": 2000, "max": 5000, "cnt": 3}, "txretries": 1, "waitresp_cnt": 2},
                        "b": {"rtt": {"avg": 4000, "max": 4500, "cnt": 1}}},
            "topics": {"t": {"batchsize": {"avg": 300, "max": 400, "cnt": 2}, "partitions": {
                "0": {"txmsgs": 3, "txbytes": 30}, "1": {"txmsgs": 4, "txbytes": 40}}}}}"#;
        let series = shown(Kind::Producer, None, now);
        let of = |attribute| value(&series, "producer-metrics", attribute, None);
        assert_eq!((of("record-send-total"), of("record-send-rate")), (7.0, 0.0));
        assert_eq!((of("request-latency-avg"), of("request-latency-max")), (2.5, 5.0));
        assert_eq!((of("batch-size-avg"), of("buffer-available-bytes")), (300.0, 900.0));
        assert!(of("records-per-request-avg").is_nan());
        assert_eq!(value(&series, "producer-topic-metrics", "byte-total", Some("t")), 70.0);
    }
}
