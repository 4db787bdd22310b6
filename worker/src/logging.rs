//! Where log lines go: standard error, as text for people or JSON lines for machines.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

/// Levels per module, as in `info,lakeward_sinks=debug`.
pub(crate) const LEVEL_VARIABLE: &str = "LAKEWARD_LOG";
/// `text` or `json`.
pub(crate) const FORMAT_VARIABLE: &str = "LAKEWARD_LOG_FORMAT";

/// Libraries of the embedded servers, by the start of their module paths. They log several lines per request
/// at INFO and report every closed connection as an error: silent unless the levels name them.
const SERVER_LIBRARIES: [&str; 2] = ["nisshi", "s3s"];

/// Sets up logging for this process. A level text that cannot be parsed falls back to INFO with a warning.
pub(crate) fn init() {
    let levels = std::env::var(LEVEL_VARIABLE).unwrap_or_default();
    let parsed = EnvFilter::builder().with_default_directive(LevelFilter::INFO.into()).parse(&levels);
    let problem = parsed.as_ref().err().map(ToString::to_string);
    let filter = parsed.unwrap_or_else(|_| EnvFilter::default().add_directive(LevelFilter::INFO.into()));
    let unnamed = SERVER_LIBRARIES.iter().filter(|library| !levels.contains(*library));
    let filter = unnamed.fold(filter, |filter, library| {
        let silence = format!("{library}=off").parse().expect("a constant name with a level parses");
        filter.add_directive(silence)
    });
    let is_terminal = std::io::stderr().is_terminal();
    let builder =
        tracing_subscriber::fmt().with_env_filter(filter).with_ansi(is_terminal).with_writer(std::io::stderr);
    if std::env::var(FORMAT_VARIABLE).is_ok_and(|format| format == "json") {
        builder.json().init();
    } else {
        builder.with_target(false).init();
    }
    if let Some(problem) = problem {
        tracing::warn!(variable = LEVEL_VARIABLE, %problem, "log levels cannot be read; INFO is used");
    }
}
