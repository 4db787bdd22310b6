//! What connectors of this worker asked of object stores, as counters of their own: Kafka Connect has none.
//!
//! Stores are billed by the request; the names stand once on a page, whatever its styles.

use std::sync::Arc;

use lakeward_api::metrics::{StoreOperation, StoreRequests};

use super::page::{Labels, Page};

/// A counter without further labels.
type Counter = (&'static str, fn(&StoreRequests) -> u64);

const COUNTERS: [Counter; 3] = [
    ("lakeward_sink_store_sent_bytes_total", StoreRequests::sent_bytes),
    ("lakeward_sink_store_retries_total", StoreRequests::retries),
    ("lakeward_sink_store_slow_downs_total", StoreRequests::slow_downs),
];

/// Appends the counters of every connector that has any.
pub(super) fn append(page: &mut Page<'_>) {
    show(page, &StoreRequests::all());
}

fn show(page: &mut Page<'_>, connectors: &[(Arc<str>, Arc<StoreRequests>)]) {
    let by_operation: Vec<(Labels, f64)> = connectors
        .iter()
        .flat_map(|(name, counters)| {
            StoreOperation::ALL.map(|operation| {
                let labels = Labels::new(&[("connector", name), ("operation", operation.name())]);
                (labels, counters.requests(operation) as f64)
            })
        })
        .collect();
    let series = by_operation.iter().map(|(labels, value)| (labels, *value));
    page.own_counters("lakeward_sink_store_requests_total", series);
    let labels: Vec<Labels> =
        connectors.iter().map(|(name, _)| Labels::new(&[("connector", name)])).collect();
    for (name, read) in COUNTERS {
        let series = connectors.iter().zip(&labels);
        page.own_counters(name, series.map(|((_, counters), labels)| (labels, read(counters) as f64)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_connector_and_kind() {
        let counters = Arc::new(StoreRequests::default());
        counters.sent(StoreOperation::Put, 1000);
        counters.sent(StoreOperation::Put, 24);
        counters.sent(StoreOperation::List, 0);
        counters.retried();
        let connectors = [("my \"lake\"".into(), counters)];
        let mut nowhere = |_: String| None;
        let mut page = Page::new(1 << 20, String::new(), &mut nowhere);
        show(&mut page, &connectors);
        let text = page.finish();
        for line in [
            "# TYPE lakeward_sink_store_requests_total counter",
            r#"lakeward_sink_store_requests_total{connector="my \"lake\"",operation="put"} 2"#,
            r#"lakeward_sink_store_requests_total{connector="my \"lake\"",operation="list"} 1"#,
            r#"lakeward_sink_store_requests_total{connector="my \"lake\"",operation="get"} 0"#,
            r#"lakeward_sink_store_sent_bytes_total{connector="my \"lake\""} 1024"#,
            r#"lakeward_sink_store_retries_total{connector="my \"lake\""} 1"#,
            r#"lakeward_sink_store_slow_downs_total{connector="my \"lake\""} 0"#,
        ] {
            assert!(text.lines().any(|shown| shown == line), "{line} in\n{text}");
        }
    }

    #[test]
    fn a_worker_without_such_connectors_shows_none() {
        let mut nowhere = |_: String| None;
        let mut page = Page::new(1 << 20, String::new(), &mut nowhere);
        show(&mut page, &[]);
        assert!(!page.finish().contains("lakeward_sink_store"));
    }
}
