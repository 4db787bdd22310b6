//! Checks of JSON against all rules of its JSON Schema (`json.fail.invalid.schema`).
//!
//! A schema becomes rules once (`compile`); a value is then checked against them (`check`). Both cost bounded
//! time and memory whatever a schema says: references are followed in what is registered only, patterns may
//! go back only so often, and a value that needs more than [`STEPS_MAX`] steps does not pass.
//!
//! Differences from Java: `unevaluatedProperties`, `unevaluatedItems`, `$dynamicRef` and `$recursiveRef` are
//! refused; schemas after draft 7 say what is wrong in the words of those before; of formats those that need
//! no table of names are checked (`date`, `date-time`, `time`, `email`, `hostname`, `ipv4`, `ipv6`,
//! `json-pointer`, `regex`, `uri`), in schemas up to draft 7.
//!
//! Source: `JsonSchema#validate`, `AbstractKafkaJsonSchemaDeserializer#validateJson`,
//! `AbstractKafkaJsonSchemaSerializer#validateJson` of Confluent Schema Registry 8; the words of
//! `org.everit.json.schema` 1.14; JSON Schema drafts 4, 6, 7, 2019-09 and 2020-12.

mod check;
mod compile;
mod exact;
mod format;
mod report;
mod rule;
#[cfg(test)]
mod tests;

use lakeward_registry::RegisteredSchema;
use serde_json::Value as Json;

use super::document::Texts;
use super::fault::{Converted, Fault, unsupported};
use check::Checker;
use report::{Violation, summed_up};
use rule::Rules;

/// The rules of one schema.
#[derive(Debug)]
pub(super) struct Validator {
    rules: Rules,
}

/// Whether schemas of the dialects after draft 7 are read as such.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialects {
    All,
    /// As draft 7.
    Older,
}

impl Validator {
    /// The rules of `registered`.
    ///
    /// # Errors
    /// `IllegalArgumentException` when it is no JSON Schema, too large, or has a rule that is not supported.
    pub(super) fn new(registered: &RegisteredSchema, dialects: Dialects) -> Converted<Self> {
        let parse = |text: &str| serde_json::from_str::<Json>(text).map_err(super::fault::invalid);
        let root = parse(&registered.schema.text)?;
        let named = registered.dependencies.iter().map(|(name, text)| Ok((name.clone(), parse(text)?)));
        let named = named.collect::<Converted<Vec<_>>>()?;
        let rules = compile::compile(&Texts::new(&root, &named), dialects)?;
        Ok(Self { rules })
    }

    /// Checks the JSON text `payload`: its first value, as it is read.
    ///
    /// # Errors
    /// What Java says of a record that is read.
    pub(super) fn check_read(&self, payload: &[u8]) -> Converted<()> {
        let payload = payload.strip_prefix(b"\xef\xbb\xbf").unwrap_or(payload);
        let mut values = serde_json::Deserializer::from_slice(payload).into_iter::<Json>();
        let value = match values.next() {
            Some(Ok(value)) => value,
            Some(Err(error)) => return Err(mismatch(JACKSON, error.to_string())),
            None => Json::Null,
        };
        match self.violation(&value) {
            None => Ok(()),
            Some(violation) => Err(mismatch(VALIDATION, violation.message_with_pointer())),
        }
    }

    /// Checks the JSON text `payload`, which was written.
    ///
    /// # Errors
    /// What Java says of a record that is written.
    pub(super) fn check_written(&self, payload: &[u8]) -> Converted<()> {
        let value: Json =
            serde_json::from_slice(payload).map_err(|error| mismatch(JACKSON, error.to_string()))?;
        match self.violation(&value) {
            None => Ok(()),
            Some(violation) => {
                let mut message = "Validation error in JSON, Error report:\n".to_owned();
                violation.print(&mut message, 0);
                let why = violation.message_with_pointer();
                Err(Box::new(Fault::Caused { message, cause: VALIDATION, why }))
            }
        }
    }

    fn violation(&self, value: &Json) -> Option<Violation> {
        let mut checker = Checker::new(&self.rules);
        let mut violations = Vec::new();
        checker.check(self.rules.root, value, &mut violations);
        match checker.gave_up() {
            Some(why) => Some(Violation::new("#", "#", None, why.to_owned())),
            None => summed_up(violations, "#", "#"),
        }
    }
}

fn mismatch(cause: &'static str, why: String) -> Box<Fault> {
    let message = "JSON does not match schema of type JSON".to_owned();
    Box::new(Fault::Caused { message, cause, why })
}

/// A rule that is not supported.
fn unsupported_rule(name: &str) -> Box<Fault> {
    unsupported(format!("{name} is not supported with json.fail.invalid.schema"))
}

const JACKSON: &str = "com.fasterxml.jackson.core.JsonParseException";
const VALIDATION: &str = "org.everit.json.schema.ValidationException";

/// Rules that are looked at for one value, items and names of members counted.
const STEPS_MAX: usize = 1_000_000;
