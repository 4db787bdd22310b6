//! The groups of the Kafka clients of tasks, in the names of an exporter of their JMX beans.
//!
//! `lakeward.client.metrics.interval.ms` says how often clients count; 0 leaves the groups out. Memory: the
//! series of all clients, while a page is made.

use lakeward_kafka::client_metrics::{self, ClientSeries};

use super::page::{Labels, Page};

/// The setting, in ms.
pub(crate) const INTERVAL: &str = "lakeward.client.metrics.interval.ms";

/// What clients told last, in the order in which a page shows it.
pub(super) fn read() -> Vec<ClientSeries> {
    let mut series = client_metrics::read();
    series.sort_by(|left, right| key(left).cmp(&key(right)));
    series
}

/// Series of one name stand together.
fn key(series: &ClientSeries) -> (&str, &str, &str, Option<&str>, Option<i32>) {
    (series.group, series.attribute, &series.client_id, series.topic.as_deref(), series.partition)
}

/// Appends all groups.
pub(super) fn append(page: &mut Page<'_>, series: &[ClientSeries]) {
    for same in series.chunk_by(|a, b| a.group == b.group && a.attribute == b.attribute) {
        let (group, attribute) = (same[0].group, same[0].attribute);
        let shown: Vec<(Labels, f64)> = same.iter().map(|series| (labels(series), series.value)).collect();
        page.client_numbers(group, attribute, shown.iter().map(|(labels, value)| (labels, *value)));
    }
}

fn labels(series: &ClientSeries) -> Labels {
    let mut labels = vec![("client-id", &*series.client_id)];
    labels.extend(series.topic.as_deref().map(|topic| ("topic", topic)));
    let partition = series.partition.map(|partition| partition.to_string());
    labels.extend(partition.as_deref().map(|partition| ("partition", partition)));
    Labels::new(&labels)
}
