//! The two shapes of a log line, each with the connector and the task it is about.
//!
//! The context is Kafka Connect's: `[name|task-0] ` for lines of a task, whatever library writes them, and
//! `[name|worker] ` for lines about a connector.
//!
//! Source: `LoggingContext`, KIP-449, Kafka 4.1.

use std::fmt::{self, Write};

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

/// What a line is about.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Subject {
    connector: String,
    /// `None`: the connector itself.
    task: Option<u64>,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.task {
            Some(task) => write!(f, "[{}|task-{task}] ", self.connector),
            None => write!(f, "[{}|worker] ", self.connector),
        }
    }
}

/// Finds `connector` and `task` among fields.
#[derive(Default)]
struct FindSubject {
    connector: Option<String>,
    /// The number of a task.
    number: Option<u64>,
    /// `name-0`.
    task: Option<String>,
}

impl FindSubject {
    fn subject(self) -> Option<Subject> {
        let of_task = |id: String| {
            let (connector, number) = id.rsplit_once('-')?;
            Some(Subject { connector: connector.to_owned(), task: Some(number.parse().ok()?) })
        };
        match self.connector {
            Some(connector) => Some(Subject { connector, task: self.number }),
            None => self.task.and_then(of_task),
        }
    }
}

impl Visit for FindSubject {
    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "task" {
            self.number = Some(value);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "connector" => self.connector = Some(format!("{value:?}")),
            "task" => self.task = Some(format!("{value:?}")),
            _ => {}
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "connector" => self.connector = Some(value.to_owned()),
            "task" => self.task = Some(value.to_owned()),
            _ => {}
        }
    }
}

/// Remembers which spans are those of tasks.
pub(super) struct Subjects;

impl<S> Layer<S> for Subjects
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut found = FindSubject::default();
        attributes.record(&mut found);
        if let (Some(subject), Some(span)) = (found.subject(), context.span(id)) {
            span.extensions_mut().insert(subject);
        }
    }
}

/// The task around a line, or what the line itself names.
fn subject<S, N>(context: &FmtContext<'_, S, N>, event: &Event<'_>) -> Option<Subject>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    let spans = context.event_scope().into_iter().flatten();
    let around = spans.filter_map(|span| span.extensions().get::<Subject>().cloned()).next();
    around.or_else(|| {
        let mut found = FindSubject::default();
        event.record(&mut found);
        found.subject()
    })
}

/// Lines for people: time, level, context, message, fields.
pub(super) struct TextLines;

impl<S, N> FormatEvent<S, N> for TextLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let level = *event.metadata().level();
        let has_colors = writer.has_ansi_escapes();
        if has_colors {
            writer.write_str("\u{1b}[2m")?;
        }
        SystemTime.format_time(&mut writer)?;
        if has_colors {
            write!(writer, "\u{1b}[0m {}{level:>5}\u{1b}[0m ", color(level))?;
        } else {
            write!(writer, " {level:>5} ")?;
        }
        if let Some(subject) = subject(context, event) {
            write!(writer, "{subject}")?;
        }
        context.format_fields(writer.by_ref(), event)?;
        writeln!(writer)
    }
}

fn color(level: Level) -> &'static str {
    match level {
        Level::ERROR => "\u{1b}[31m",
        Level::WARN => "\u{1b}[33m",
        Level::INFO => "\u{1b}[32m",
        Level::DEBUG => "\u{1b}[34m",
        Level::TRACE => "\u{1b}[35m",
    }
}

/// Lines for machines: one JSON object each. `connector.context`, `connector` and `task` are there when the
/// line is about a connector.
pub(super) struct JsonLines;

impl<S, N> FormatEvent<S, N> for JsonLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut time = String::new();
        SystemTime.format_time(&mut Writer::new(&mut time))?;
        write!(writer, "{{\"timestamp\":\"{time}\",\"level\":\"{}\"", event.metadata().level())?;
        if let Some(subject) = subject(context, event) {
            let context = Value::from(subject.to_string());
            write!(
                writer,
                ",\"connector.context\":{context},\"connector\":{}",
                Value::from(subject.connector)
            )?;
            if let Some(task) = subject.task {
                write!(writer, ",\"task\":{task}")?;
            }
        }
        let mut fields = Fields(Map::new());
        event.record(&mut fields);
        let target = Value::from(event.metadata().target());
        writeln!(writer, ",\"fields\":{},\"target\":{target}}}", Value::Object(fields.0))
    }
}

/// The fields of a line as JSON.
struct Fields(Map<String, Value>);

impl Fields {
    fn set(&mut self, field: &Field, value: Value) {
        self.0.insert(field.name().to_owned(), value);
    }
}

impl Visit for Fields {
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field, value.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let mut text = String::new();
        if write!(text, "{value:?}").is_ok() {
            self.set(field, text.into());
        }
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.set(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field, value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field, value.into());
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::fmt;
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn write_lines() {
        tracing::error_span!("task", connector = %"my-sink", task = 3_u32).in_scope(|| {
            tracing::info!(count = 2, "from \"inside\"");
        });
        tracing::warn!(connector = %"other", "about a connector");
        tracing::warn!(task = %"my-sink-4", "about a task");
        tracing::info!(ok = true, "about nothing");
    }

    #[test]
    fn text_lines_begin_with_the_context() {
        let sink = Sink::default();
        let writer = sink.clone();
        let lines = fmt::layer().with_ansi(false).event_format(TextLines).with_writer(move || writer.clone());
        let subscriber = tracing_subscriber::registry().with(Subjects).with(lines);
        tracing::subscriber::with_default(subscriber, write_lines);
        let text = String::from_utf8(sink.0.lock().unwrap().clone()).unwrap();
        let lines: Vec<&str> = text.lines().map(|line| line.split_once("Z ").unwrap().1).collect();
        let expected = [
            " INFO [my-sink|task-3] from \"inside\" count=2",
            " WARN [other|worker] about a connector connector=other",
            " WARN [my-sink|task-4] about a task task=my-sink-4",
            " INFO about nothing ok=true",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn json_lines_have_the_context_as_members() {
        let sink = Sink::default();
        let writer = sink.clone();
        let lines = fmt::layer().event_format(JsonLines).with_writer(move || writer.clone());
        let subscriber = tracing_subscriber::registry().with(Subjects).with(lines);
        tracing::subscriber::with_default(subscriber, write_lines);
        let text = String::from_utf8(sink.0.lock().unwrap().clone()).unwrap();
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 4);
        assert_eq!(lines[0]["connector.context"], "[my-sink|task-3] ");
        assert_eq!((&lines[0]["connector"], &lines[0]["task"]), (&Value::from("my-sink"), &Value::from(3)));
        assert_eq!(lines[0]["fields"]["message"], "from \"inside\"");
        assert_eq!(lines[0]["fields"]["count"], 2);
        assert_eq!(lines[1]["connector.context"], "[other|worker] ");
        assert_eq!(lines[1].get("task"), None);
        assert_eq!(lines[3].get("connector.context"), None);
        assert_eq!(
            (&lines[3]["level"], &lines[3]["fields"]["ok"]),
            (&Value::from("INFO"), &Value::from(true))
        );
    }
}
