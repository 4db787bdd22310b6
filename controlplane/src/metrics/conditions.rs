//! What the stores of sinks do about conditional writes, as a gauge of ours: Kafka Connect has none. A series
//! per connector, whose tasks write to one store.

use lakeward_api::metrics::Conditions;

use super::page::{Labels, Page};

/// Appends what is known for these tasks: connector, finding. Tasks of one connector stand together.
pub(super) fn append<'a>(page: &mut Page<'_>, tasks: impl Iterator<Item = (&'a str, Conditions)>) {
    let mut series: Vec<(&str, Labels)> = Vec::new();
    for (connector, found) in tasks {
        if series.last().is_none_or(|(last, _)| *last != connector) {
            series.push((connector, Labels::new(&[("connector", connector), ("finding", found.name())])));
        }
    }
    let series = series.iter().map(|(_, labels)| (labels, 1.0));
    page.own_gauges("lakeward_sink_store_conditional_writes", series);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connector_has_one_series_without_the_cause() {
        let tasks = [
            ("lake", Conditions::Unknown("topics/.probe".to_owned())),
            ("lake", Conditions::Asking),
            ("pond", Conditions::Honoured),
        ];
        let mut nowhere = |_: String| None;
        let mut page = Page::new(1 << 20, String::new(), &mut nowhere);
        append(&mut page, tasks.into_iter());
        let text = page.finish();
        let found: Vec<&str> = text.lines().filter(|line| line.contains("_conditional_")).collect();
        assert_eq!(
            found,
            [
                "# TYPE lakeward_sink_store_conditional_writes gauge",
                r#"lakeward_sink_store_conditional_writes{connector="lake",finding="unknown"} 1"#,
                r#"lakeward_sink_store_conditional_writes{connector="pond",finding="honoured"} 1"#,
            ]
        );
    }
}
