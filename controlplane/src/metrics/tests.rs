//! Names of each style, escaping, and what a page shows when things start and end.

use super::page::{Labels, Page, Style};
use super::*;

fn page(styles: &[Style], fill: impl Fn(&mut Page)) -> String {
    let mut none = |_| panic!("a small page is one piece");
    let mut page = Page::new(1 << 20, String::new(), &mut none);
    for style in styles {
        page.set_style(*style);
        fill(&mut page);
    }
    page.finish()
}

fn fill(page: &mut Page) {
    let labels = Labels::new(&[("connector", "a\"\\\nb"), ("task", "0")]);
    let one = |value| std::iter::once((&labels, value));
    page.numbers("sink-task-metrics", "sink-record-read-total", one(12.0));
    page.numbers("connector-task-metrics", "offset-commit-success-percentage", one(1.0));
    page.numbers("connector-task-metrics", "batch-size-avg", one(f64::NAN));
    page.numbers("connect-worker-rebalance-metrics", "time-since-last-rebalance-ms", one(f64::INFINITY));
    page.texts("connector-task-metrics", "status", std::iter::once((&labels, "running")));
    let client = Labels::new(&[("client-id", "connect-w:8083")]);
    page.numbers("connect-coordinator-metrics", "assigned-tasks", std::iter::once((&client, 2.5)));
}

#[test]
fn names_are_those_of_an_exporter_without_rules() {
    let own = "{connector=\"a\\\"\\\\\\nb\",task=\"0\"}";
    let expected = format!(
        "# TYPE kafka_connect_sink_task_metrics_sink_record_read_total untyped\n\
         kafka_connect_sink_task_metrics_sink_record_read_total{own} 12\n\
         # TYPE kafka_connect_connector_task_metrics_offset_commit_success_percentage untyped\n\
         kafka_connect_connector_task_metrics_offset_commit_success_percentage{own} 1\n\
         # TYPE kafka_connect_connector_task_metrics_batch_size_avg untyped\n\
         kafka_connect_connector_task_metrics_batch_size_avg{own} NaN\n\
         # TYPE kafka_connect_connect_worker_rebalance_metrics_time_since_last_rebalance_ms untyped\n\
         kafka_connect_connect_worker_rebalance_metrics_time_since_last_rebalance_ms{own} +Inf\n\
         # TYPE kafka_connect_connect_coordinator_metrics_assigned_tasks untyped\n\
         kafka_connect_connect_coordinator_metrics_assigned_tasks{{client_id=\"connect-w:8083\"}} 2.5\n\
         # TYPE lakeward_metrics_left_out gauge\nlakeward_metrics_left_out 0\n"
    );
    assert_eq!(page(&[Style::Jmx], fill), expected);
}

#[test]
fn the_usual_rules_shorten_names_and_let_some_through() {
    let text = page(&[Style::Rules], fill);
    for line in [
        "# TYPE kafka_connect_sink_task_sink_record_read_total counter",
        "# TYPE kafka_connect_connector_task_batch_size_avg gauge",
        "# TYPE kafka_connect_worker_rebalance_time_since_last_rebalance_ms gauge",
        "kafka_connect_coordinator_assigned_tasks{clientid=\"connect-w:8083\"} 2.5",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
    assert!(
        text.contains("kafka_connect_connector_task_status{") && text.contains(",status=\"running\"} 1\n")
    );
    assert!(!text.contains("percentage"), "{text}");
}

#[test]
fn the_reporter_shows_texts_and_drops_total() {
    let text = page(&[Style::Reporter], fill);
    assert!(text.contains("kafka_connect_connector_task_metrics_status_info{"), "{text}");
    assert!(text.contains("kafka_connect_sink_task_metrics_sink_record_read{"), "{text}");
    assert!(!text.contains("_total"), "{text}");
}

#[test]
fn the_default_styles_share_no_name() {
    let text = page(Style::parse("both").unwrap(), fill);
    let mut names: Vec<&str> = text.lines().filter(|line| line.starts_with("# TYPE")).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}

#[test]
fn what_finds_no_room_is_counted() {
    let labels = Labels::default();
    let mut none = |_| panic!("a small page is one piece");
    let mut page = Page::new(100, String::new(), &mut none);
    page.numbers("connect-worker-metrics", "task-count", (0..50).map(|_| (&labels, 1.0)));
    let text = page.finish();
    let shown = text.lines().filter(|line| line.starts_with("kafka_connect")).count();
    assert!(shown > 0 && text.ends_with(&format!("lakeward_metrics_left_out {}\n", 50 - shown)), "{text}");
}

#[test]
fn starts_count_once_and_groups_go_with_their_tasks() {
    let metrics = Arc::new(Metrics::over(Window::default()));
    let id = TaskId { connector: "c".into(), task: 0 };
    metrics.connector_begins(&id.connector);
    metrics.connector_started("c", Vec::new());
    metrics.connector_failed("c");
    let (task, listener) = metrics.task_begins(TaskKind::Sink, Arc::new(|_| {}));
    metrics.task_made(&id, Arc::clone(&task), Vec::new(), Vec::new());
    listener(TaskEvent::Running { id: id.clone() });
    listener(TaskEvent::Failed { id: id.clone(), trace: String::new() });
    assert_eq!(task.states.state(), TaskState::Failed);
    let (_, unlucky) = metrics.task_begins(TaskKind::Source, Arc::new(|_| {}));
    unlucky(TaskEvent::Failed { id: id.clone(), trace: String::new() });
    let totals = |starts: &Starts| starts.read(ms_of(Instant::now())).map(|(_, value)| value);
    assert_eq!(totals(&metrics.connector_starts), [1.0, 1.0, 0.0, 1.0, 0.0]);
    assert_eq!(totals(&metrics.task_starts), [2.0, 1.0, 1.0, 0.5, 0.5]);
    assert_eq!(lock(&metrics.tasks).len(), 1);
    metrics.task_ended(&id);
    metrics.connector_ended("c");
    assert!(lock(&metrics.tasks).is_empty() && lock(&metrics.connectors).is_empty());
}

#[test]
fn a_role_ends_a_rebalance() {
    let metrics = Metrics::over(Window::default());
    assert!(lock(&metrics.rebalances).began.is_some());
    metrics.role(Role::Leader { generation: 4 });
    metrics.role(Role::Undecided);
    assert!(lock(&metrics.rebalances).began.is_some());
    metrics.role(Role::Follower);
    let rebalances = lock(&metrics.rebalances);
    assert_eq!((rebalances.completed, rebalances.epoch, rebalances.leads), (2, 4, false));
    assert!(rebalances.began.is_none());
}
