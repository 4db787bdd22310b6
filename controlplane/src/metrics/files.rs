//! Why the files of sink tasks ended, as a counter of ours: Kafka Connect has none. What never happened has
//! no series.

use lakeward_api::metrics::{EndedFiles, FileEnd};

use super::page::{Labels, Page};

/// Appends the counters of these tasks: connector, number, files.
pub(super) fn append<'a>(page: &mut Page<'_>, tasks: impl Iterator<Item = (&'a str, u32, &'a EndedFiles)>) {
    let series: Vec<(Labels, f64)> =
        tasks.flat_map(|(connector, task, files)| of_task(connector, task, files)).collect();
    let series = series.iter().map(|(labels, count)| (labels, *count));
    page.own_counters("lakeward_sink_files_ended_total", series);
}

fn of_task(connector: &str, task: u32, files: &EndedFiles) -> impl Iterator<Item = (Labels, f64)> {
    let counts = FileEnd::ALL.map(|end| (end, files.count(end)));
    let task = task.to_string();
    counts.into_iter().filter(|(_, count)| *count > 0).map(move |(end, count)| {
        let labels = [("connector", connector), ("task", task.as_str()), ("reason", end.name())];
        (Labels::new(&labels), count as f64)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_shown_by_task_and_reason() {
        let files = EndedFiles::default();
        files.add(FileEnd::SchemaChange, 7);
        files.add(FileEnd::Records, 2);
        let none = EndedFiles::default();
        let mut nowhere = |_: String| None;
        let mut page = Page::new(1 << 20, String::new(), &mut nowhere);
        append(&mut page, [("lake", 0, &none), ("lake", 3, &files)].into_iter());
        let text = page.finish();
        let found: Vec<&str> = text.lines().filter(|line| line.contains("_files_")).collect();
        assert_eq!(
            found,
            [
                "# TYPE lakeward_sink_files_ended_total counter",
                r#"lakeward_sink_files_ended_total{connector="lake",task="3",reason="records"} 2"#,
                r#"lakeward_sink_files_ended_total{connector="lake",task="3",reason="schema_change"} 7"#,
            ]
        );
    }
}
