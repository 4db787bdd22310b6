//! Where log lines go: standard error, as text for people or JSON lines for machines.

mod lines;

use std::io::IsTerminal;

use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt, reload};

use lines::{JsonLines, Subjects, TextLines};

/// Levels per module, as in `info,lakeward_sinks=debug`.
pub(crate) const LEVEL_VARIABLE: &str = "LAKEWARD_LOG";
/// `text` or `json`.
pub(crate) const FORMAT_VARIABLE: &str = "LAKEWARD_LOG_FORMAT";

/// Libraries of the embedded servers, by the start of their module paths. They log several lines per request
/// at INFO and report every closed connection as an error: silent unless the levels name them.
const SERVER_LIBRARIES: [&str; 2] = ["nisshi", "s3s"];

/// Sets up logging for this process. A level text that cannot be parsed falls back to INFO with a warning.
/// Levels set over REST later come on top.
pub(crate) fn init() {
    let mut levels = std::env::var(LEVEL_VARIABLE).unwrap_or_default();
    let problem = parse(&levels).err().map(|err| err.to_string());
    if problem.is_some() {
        levels.clear();
    }
    let (filter, handle) = reload::Layer::new(filter(&levels, &[]));
    let lines = fmt::layer().with_writer(std::io::stderr);
    let lines = if std::env::var(FORMAT_VARIABLE).is_ok_and(|format| format == "json") {
        lines.with_ansi(false).event_format(JsonLines).boxed()
    } else {
        lines.with_ansi(std::io::stderr().is_terminal()).event_format(TextLines).boxed()
    };
    tracing_subscriber::registry().with(filter).with(Subjects).with(lines).init();
    if let Some(problem) = problem {
        tracing::warn!(variable = LEVEL_VARIABLE, %problem, "log levels cannot be read; INFO is used");
    }
    let root = root_level(&levels);
    let apply = Box::new(move |changed: &[(&str, LevelFilter)]| {
        if let Err(err) = handle.reload(self::filter(&levels, changed)) {
            tracing::warn!(error = %err, "the log levels cannot be changed");
        }
    });
    lakeward_controlplane::connect_log_levels(root, apply);
}

fn parse(levels: &str) -> Result<EnvFilter, tracing_subscriber::filter::ParseError> {
    EnvFilter::builder().with_default_directive(LevelFilter::INFO.into()).parse(levels)
}

/// The level of modules that `levels` does not name.
fn root_level(levels: &str) -> LevelFilter {
    let mut directives = levels.split(',').map(str::trim).filter(|directive| !directive.is_empty());
    directives.find_map(|directive| directive.parse().ok()).unwrap_or(LevelFilter::INFO)
}

/// `levels` with `changed` on top: module paths and their levels; the empty path is everything else.
fn filter(levels: &str, changed: &[(&str, LevelFilter)]) -> EnvFilter {
    let filter =
        parse(levels).unwrap_or_else(|_| EnvFilter::default().add_directive(LevelFilter::INFO.into()));
    let unnamed = SERVER_LIBRARIES.iter().filter(|library| !levels.contains(*library));
    let silent = unnamed.map(|library| format!("{library}=off"));
    let changed = changed.iter().map(|(path, level)| match *path {
        "" => level.to_string(),
        path => format!("{path}={level}"),
    });
    // A name from a request may be no module path; it has no lines then.
    silent.chain(changed).filter_map(|text| text.parse().ok()).fold(filter, EnvFilter::add_directive)
}
