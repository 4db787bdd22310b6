//! Log levels under the names of Java's loggers.
//!
//! Owns which loggers there are, their levels, and when each was changed. One board per process, as the log
//! of a process is one. Levels that were set over REST go to the filter of the log as levels of our modules;
//! the others stay as the process was started with. Must not know how lines are written.
//!
//! Source: `Loggers`, Kafka 4.1.

mod targets;

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::{Mutex, OnceLock, PoisonError};

use serde_json::{Map, Value, json};
use tracing::level_filters::LevelFilter;

use crate::herder::now_ms;
use targets::TARGETS;

/// The name of the logger above all others.
const ROOT: &str = "root";
/// Loggers that REST may add, so that no client fills memory with names.
const LOGGERS_MAX: usize = 10_000;

/// A level of Java's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogLevel {
    All,
    Debug,
    Error,
    Fatal,
    Info,
    Off,
    Trace,
    Warn,
}

impl LogLevel {
    /// As answers and records show it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::All => "ALL",
            Self::Debug => "DEBUG",
            Self::Error => "ERROR",
            Self::Fatal => "FATAL",
            Self::Info => "INFO",
            Self::Off => "OFF",
            Self::Trace => "TRACE",
            Self::Warn => "WARN",
        }
    }

    /// Our lines have no level above ERROR, so FATAL lets nothing through.
    fn filter(self) -> LevelFilter {
        match self {
            Self::All | Self::Trace => LevelFilter::TRACE,
            Self::Debug => LevelFilter::DEBUG,
            Self::Error => LevelFilter::ERROR,
            Self::Fatal | Self::Off => LevelFilter::OFF,
            Self::Info => LevelFilter::INFO,
            Self::Warn => LevelFilter::WARN,
        }
    }

    fn of_filter(filter: LevelFilter) -> Self {
        match filter {
            LevelFilter::TRACE => Self::Trace,
            LevelFilter::DEBUG => Self::Debug,
            LevelFilter::INFO => Self::Info,
            LevelFilter::WARN => Self::Warn,
            LevelFilter::ERROR => Self::Error,
            LevelFilter::OFF => Self::Off,
        }
    }
}

impl FromStr for LogLevel {
    type Err = ();

    /// In any case.
    fn from_str(text: &str) -> Result<Self, ()> {
        let all = [
            Self::All,
            Self::Debug,
            Self::Error,
            Self::Fatal,
            Self::Info,
            Self::Off,
            Self::Trace,
            Self::Warn,
        ];
        all.into_iter().find(|level| level.as_str().eq_ignore_ascii_case(text)).ok_or(())
    }
}

/// Puts levels into force: per module path, the most specific wins; the empty path is everything else.
pub type ApplyLevels = Box<dyn Fn(&[(&str, LevelFilter)]) + Send + Sync>;

/// Connects the board with the log of this process, whose level is `root` now. Only the first call counts.
pub fn connect_log_levels(root: LevelFilter, apply: ApplyLevels) {
    board().lock(|loggers| {
        if loggers.apply.is_none() {
            loggers.root.level = LogLevel::of_filter(root);
            for logger in loggers.known.values_mut() {
                logger.level = loggers.root.level;
            }
            loggers.apply = Some(apply);
        }
    });
}

#[derive(Clone, Copy)]
struct Logger {
    level: LogLevel,
    modified_ms: Option<i64>,
}

impl Logger {
    fn json(self) -> Value {
        json!({ "level": self.level.as_str(), "last_modified": self.modified_ms })
    }
}

struct Loggers {
    root: Logger,
    known: BTreeMap<String, Logger>,
    apply: Option<ApplyLevels>,
}

/// The loggers of this process.
pub(crate) struct Board(Mutex<Loggers>);

/// The board of this process.
pub(crate) fn board() -> &'static Board {
    static BOARD: OnceLock<Board> = OnceLock::new();
    BOARD.get_or_init(Board::new)
}

impl Board {
    fn new() -> Self {
        let untouched = Logger { level: LogLevel::Info, modified_ms: None };
        let known = TARGETS.iter().map(|(name, _)| ((*name).to_owned(), untouched)).collect();
        Self(Mutex::new(Loggers { root: untouched, known, apply: None }))
    }

    fn lock<R>(&self, look: impl FnOnce(&mut Loggers) -> R) -> R {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// All loggers that are not OFF, by name.
    pub(crate) fn all(&self) -> Value {
        self.lock(|loggers| {
            let mut shown: BTreeMap<&str, Logger> =
                loggers.known.iter().map(|(name, logger)| (name.as_str(), *logger)).collect();
            shown.insert(ROOT, loggers.root);
            let shown = shown.into_iter().filter(|(_, logger)| logger.level != LogLevel::Off);
            Value::Object(shown.map(|(name, logger)| (name.to_owned(), logger.json())).collect::<Map<_, _>>())
        })
    }

    /// LoggerLevel of one logger.
    pub(crate) fn one(&self, name: &str) -> Option<Value> {
        self.lock(|loggers| {
            if name.eq_ignore_ascii_case(ROOT) {
                return Some(loggers.root.json());
            }
            loggers.known.get(name).map(|logger| logger.json())
        })
    }

    /// Sets every logger whose name starts with `name`, be it below it or not; the names whose level changed,
    /// sorted.
    pub(crate) fn set(&self, name: &str, level: LogLevel) -> Vec<String> {
        self.lock(|loggers| {
            let changed = loggers.set(name, level);
            if !changed.is_empty() {
                tracing::info!(logger = name, level = level.as_str(), "log level changed");
                loggers.put_in_force();
            }
            changed
        })
    }
}

impl Loggers {
    fn set(&mut self, name: &str, level: LogLevel) -> Vec<String> {
        let everything = name.eq_ignore_ascii_case(ROOT);
        if !everything && !self.known.contains_key(name) && self.known.len() < LOGGERS_MAX {
            // It exists from now on, with the level of its surroundings.
            let inherited = Logger { level: self.inherited(name), modified_ms: None };
            self.known.insert(name.to_owned(), inherited);
        }
        let modified_ms = Some(now_ms());
        let mut changed = Vec::new();
        let mut change = |known: &str, logger: &mut Logger| {
            if logger.level != level {
                *logger = Logger { level, modified_ms };
                changed.push(known.to_owned());
            }
        };
        for (known, logger) in &mut self.known {
            if everything || known.starts_with(name) {
                change(known, logger);
            }
        }
        if everything {
            change(ROOT, &mut self.root);
            changed.sort();
        }
        changed
    }

    fn inherited(&self, name: &str) -> LogLevel {
        let mut above = name;
        while let Some((parent, _)) = above.rsplit_once('.') {
            if let Some(logger) = self.known.get(parent) {
                return logger.level;
            }
            above = parent;
        }
        self.root.level
    }

    /// Only what was changed: the rest of the filter is that of the process.
    fn put_in_force(&self) {
        let Some(apply) = &self.apply else { return };
        let mut levels: Vec<(&str, LevelFilter)> = Vec::new();
        if self.root.modified_ms.is_some() {
            levels.push(("", self.root.level.filter()));
        }
        for (name, logger) in &self.known {
            if logger.modified_ms.is_none() {
                continue;
            }
            let filter = logger.level.filter();
            match TARGETS.iter().find(|(known, _)| known == name) {
                Some((_, targets)) => levels.extend(targets.iter().map(|target| (*target, filter))),
                // Our own module paths may be named, too.
                None if name.starts_with("lakeward") => levels.push((name, filter)),
                None => {}
            }
        }
        apply(&levels);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    const REST: &str = "org.apache.kafka.connect.runtime.rest";

    #[test]
    fn a_namespace_sets_every_name_that_starts_like_it_and_answers_only_what_changed() {
        let board = Board::new();
        let changed = board.set(REST, LogLevel::Debug);
        assert_eq!(changed[0], REST);
        assert!(changed.contains(&format!("{REST}.RestServer")), "{changed:?}");
        assert!(changed.iter().all(|name| name.starts_with(REST)), "{changed:?}");
        assert!(board.set(REST, LogLevel::Debug).is_empty());
        assert_eq!(board.one(REST).unwrap()["level"], "DEBUG");
        assert_eq!(board.one("org.apache.kafka.connect"), None);
        assert_eq!(board.set("my.new", LogLevel::Trace), ["my.new"]);
        assert_eq!(board.set("my", LogLevel::Off), ["my", "my.new"]);
        assert_eq!(board.all().get("my"), None);
        assert_eq!(board.set("m", LogLevel::Error), ["m", "my", "my.new"], "as in Java");
        assert!(board.set("ROOT", LogLevel::Warn).contains(&"root".to_owned()));
        assert_eq!(board.one("Root").unwrap()["level"], "WARN");
    }

    #[test]
    fn only_changed_levels_reach_the_log() {
        type Seen = Vec<(String, LevelFilter)>;
        let board = Board::new();
        let seen = Arc::new(Mutex::new(Seen::new()));
        let target = Arc::clone(&seen);
        board.lock(|loggers| {
            loggers.apply = Some(Box::new(move |levels| {
                let levels = levels.iter().map(|(name, level)| ((*name).to_owned(), *level));
                *target.lock().unwrap() = levels.collect();
            }));
        });
        board.set("org.apache.kafka.connect.runtime.WorkerSinkTask", LogLevel::All);
        assert_eq!(*seen.lock().unwrap(), [("lakeward_dataplane::task".to_owned(), LevelFilter::TRACE)]);
        board.set("lakeward_kafka", LogLevel::Fatal);
        assert!(seen.lock().unwrap().contains(&("lakeward_kafka".to_owned(), LevelFilter::OFF)));
    }
}
