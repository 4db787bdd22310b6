//! Failpoints: named places before and after every durable step, where a test build can end the process.
//!
//! Owns the names and what the environment asks for. [`failpoint!`](crate::failpoint!) expands to nothing
//! unless the *calling* crate has its feature `failpoints`, which only the worker's feature of that name
//! turns on: a normal build contains neither the calls nor the names. Must not be used for anything but
//! ending the process or telling that a place was passed.
//!
//! `LAKEWARD_FAILPOINT=<name>:<number>` ends the process like a crash when the place is passed for the
//! `number`th time, counted from 1. `LAKEWARD_FAILPOINT_LOG=<file>` appends the name of each place when it is
//! passed for the first time. The crate `fail` was weighed: its actions panic, which tasks survive on
//! purpose, and it does not tell what was passed.

use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Every name. The macro does not compile with another one.
pub const NAMES: [&str; 47] = [
    "config.before_write",
    "config.after_write",
    "status.before_write",
    "status.after_write",
    "sink.upload.before_begin",
    "sink.upload.after_begin",
    "sink.upload.before_part",
    "sink.upload.after_part",
    "sink.upload.before_complete",
    "sink.upload.after_complete",
    "sink.upload.before_put",
    "sink.upload.after_put",
    "sink.upload.before_abort",
    "sink.upload.after_abort",
    "sink.decision.before_send",
    "sink.decision.after_ack",
    "sink.commit.before_send",
    "sink.commit.after_send",
    "sink.commit.after_ack",
    "sink.handover.before_park",
    "sink.handover.after_park",
    "sink.handover.before_take",
    "sink.handover.after_take",
    "sink.dead_letter.before_send",
    "sink.dead_letter.after_send",
    "sink.dead_letter.after_ack",
    "table.file.before_piece",
    "table.file.after_piece",
    "table.file.before_complete",
    "table.file.after_complete",
    "table.metadata.before_write",
    "table.metadata.after_write",
    "table.commit.before_send",
    "table.commit.after_answer",
    "table.create.before_namespace",
    "table.create.after_namespace",
    "table.create.before_send",
    "table.create.after_answer",
    "source.produce.before_send",
    "source.produce.after_send",
    "source.produce.after_ack",
    "source.offsets.before_write",
    "source.offsets.after_write",
    "source.transaction.before_begin",
    "source.transaction.after_begin",
    "source.transaction.before_commit",
    "source.transaction.after_commit",
];

/// Marks a place by its name, one of [`NAMES`](crate::failpoint::NAMES). Nothing at all unless the calling
/// crate has the feature `failpoints`.
#[macro_export]
macro_rules! failpoint {
    ($name:literal) => {
        #[cfg(feature = "failpoints")]
        {
            const POINT: $crate::failpoint::Point = $crate::failpoint::Point::named($name);
            POINT.pass();
        }
    };
}

/// One place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point(usize);

/// What the environment asks for.
#[derive(Debug, Default)]
struct Plan {
    end_at: Option<(Point, u64)>,
    log: Option<PathBuf>,
}

impl Point {
    /// The place `name`.
    ///
    /// # Panics
    /// When no place has this name: at compile time, as the macro calls it.
    pub const fn named(name: &str) -> Self {
        match Self::find(name) {
            Some(point) => point,
            None => panic!("no failpoint has this name: add it to NAMES"),
        }
    }

    const fn find(name: &str) -> Option<Self> {
        let mut index = 0;
        while index < NAMES.len() {
            if are_same(NAMES[index].as_bytes(), name.as_bytes()) {
                return Some(Self(index));
            }
            index += 1;
        }
        None
    }

    /// Does what the environment asks for at this place. It may not return.
    pub fn pass(self) {
        static PASSES: [AtomicU64; NAMES.len()] = [const { AtomicU64::new(0) }; NAMES.len()];
        static PLAN: OnceLock<Plan> = OnceLock::new();
        let plan = PLAN.get_or_init(|| Plan::from_environment().unwrap_or_else(|problem| end(&problem)));
        let (name, number) = (NAMES[self.0], PASSES[self.0].fetch_add(1, Ordering::Relaxed) + 1);
        if let (Some(path), 1) = (&plan.log, number)
            && let Err(err) = append_line(path, name)
        {
            end(&format!("failpoint {name} cannot be logged: {err}"));
        }
        if plan.end_at == Some((self, number)) {
            end(&format!("failpoint {name} was passed for the {number}. time"));
        }
    }
}

impl Plan {
    fn from_environment() -> Result<Self, String> {
        let end_at = std::env::var("LAKEWARD_FAILPOINT").ok().map(|text| parse(&text)).transpose()?;
        Ok(Self { end_at, log: std::env::var_os("LAKEWARD_FAILPOINT_LOG").map(PathBuf::from) })
    }
}

/// `<name>:<number>`.
fn parse(text: &str) -> Result<(Point, u64), String> {
    let wrong = || format!("LAKEWARD_FAILPOINT={text}: not <name>:<number>, or no such name");
    let (name, number) = text.split_once(':').ok_or_else(wrong)?;
    let number = number.parse().ok().filter(|number| *number > 0).ok_or_else(wrong)?;
    Ok((Point::find(name).ok_or_else(wrong)?, number))
}

fn append_line(path: &PathBuf, line: &str) -> std::io::Result<()> {
    File::options().create(true).append(true).open(path)?.write_all(format!("{line}\n").as_bytes())
}

/// No destructor runs and nothing is flushed, as in a crash.
fn end(reason: &str) -> ! {
    eprintln!("{reason}: ending");
    std::process::abort()
}

const fn are_same(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    let mut index = 0;
    while index < one.len() {
        if one[index] != other[index] {
            return false;
        }
        index += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_are_found() {
        for (index, name) in NAMES.iter().enumerate() {
            assert_eq!(Point::named(name), Point(index), "{name}");
        }
    }

    #[test]
    fn a_plan_names_a_place_and_a_number_from_1() {
        let found = parse("sink.upload.after_put:3").unwrap();
        assert_eq!(found, (Point::named("sink.upload.after_put"), 3));
        for wrong in ["", "sink.upload.after_put", "sink.upload.after_put:0", "nowhere:1", "nowhere"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
