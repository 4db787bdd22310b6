//! Java's regular expressions: the syntax and meaning of `java.util.regex.Pattern` with look-around, back
//! references, possessive quantifiers and inline flags.
//!
//! A backtracking machine, as Java's: the first way through the pattern in its order of preference wins. It
//! gives up after a fixed number of steps, where Java may run for ever. Unlike Java it counts characters as
//! Unicode scalar values everywhere. Not supported: `\X` beyond combining marks, `\b{g}`, `\N{…}`, most
//! Unicode blocks, canonical equivalence.
//!
//! Source: `java.util.regex.Pattern` and `Matcher`, JDK 17.

mod class;
mod compile;
mod escape;
mod machine;
mod node;
mod parse;
mod property;
mod replacement;
mod study;
#[cfg(test)]
mod tests;

use lakeward_api::{ConnectError, ErrorClass};

use compile::Program;
use machine::Machine;

/// A compiled pattern.
pub struct JavaRegex {
    program: Program,
}

impl JavaRegex {
    /// Compiles `pattern`. The `Err` is the message of Java's `PatternSyntaxException`.
    pub fn new(pattern: &str) -> Result<Self, String> {
        let parsed = parse::parse(pattern)?;
        Ok(Self { program: compile::compile(parsed) })
    }

    /// Validates a setting that is a pattern; a missing one (`None`) is refused.
    ///
    /// Source: `org.apache.kafka.connect.transforms.util.RegexValidator`, Kafka 4.1.
    pub fn check_setting(_: &str, text: Option<&str>) -> Result<(), String> {
        let null = r#"Cannot invoke "String.isEmpty()" because "this.pattern" is null"#;
        let checked = text.map_or_else(|| Err(null.to_owned()), |text| Self::new(text).map(drop));
        checked.map_err(|problem| format!("Invalid regex: {problem}"))
    }

    /// Whether the whole of `text` matches.
    ///
    /// # Errors
    /// `Record` when the answer takes too many steps.
    pub fn matches(&self, text: &str) -> Result<bool, ConnectError> {
        let text: Vec<char> = text.chars().collect();
        let mut machine = Machine::new(&self.program, &text);
        Ok(machine.matches_at(0, true).map_err(|_| too_slow())?.is_some())
    }

    /// `text` with the first match replaced; `replacement` has Java's `$1`, `${name}` and `\`.
    ///
    /// # Errors
    /// `Record` when the replacement names no group or is malformed, or the search takes too many steps.
    pub(crate) fn replace_first(&self, text: &str, replacement: &str) -> Result<String, ConnectError> {
        let text: Vec<char> = text.chars().collect();
        let mut machine = Machine::new(&self.program, &text);
        for start in 0..=text.len() {
            if let Some(slots) = machine.matches_at(start, false).map_err(|_| too_slow())? {
                let end = slots[1].unwrap_or(start);
                let mut out: String = text[..start].iter().collect();
                replacement::append(&mut out, replacement, &self.program.names, &slots, &text)?;
                out.extend(&text[end..]);
                return Ok(out);
            }
        }
        Ok(text.into_iter().collect())
    }
}

fn too_slow() -> ConnectError {
    ConnectError::new(
        ErrorClass::Record,
        "org.apache.kafka.connect.errors.DataException",
        format!("The regular expression took more than {} steps for one text", machine::STEPS_MAX),
    )
}
