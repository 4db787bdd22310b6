//! Settings that Java's clients refuse, in their words: what they say decides whether a task starts.
//!
//! Owns the kinds of values and the texts about them; who knows the settings of a client lists them. Source:
//! `ConfigDef`, Kafka 4.1.

pub(crate) mod consumer;

use lakeward_api::config::ConfigMap;

use crate::KafkaError;

/// `security.protocol`, in the order in which Java lists them.
pub(crate) const PROTOCOLS: &[&str] = &["SASL_SSL", "PLAINTEXT", "SSL", "SASL_PLAINTEXT"];

/// What a value must be.
#[derive(Clone, Copy)]
pub(crate) enum Law {
    Boolean,
    /// A number of 32 bits, not less than this.
    Int(i64),
    /// A number of 64 bits, not less than this.
    Long(i64),
    NotEmpty,
    OneOf(&'static [&'static str]),
    OneOfInAnyCase(&'static [&'static str]),
    /// Answers what is wrong, if something is.
    Own(fn(&str) -> Option<String>),
}

/// Every number.
pub(crate) const ANY: i64 = i64::MIN;

/// The number under `name`, if there is one.
pub(crate) fn number(props: &ConfigMap, name: &str) -> Option<i64> {
    text(props, name)?.parse().ok()
}

pub(crate) fn text<'a>(props: &'a ConfigMap, name: &str) -> Option<&'a str> {
    props.get(name).map(|text| text.trim())
}

/// Whether there is a server to ask first.
///
/// # Errors
/// `client` (producer, consumer) is not made without one.
pub(crate) fn servers(props: &ConfigMap, client: &'static str) -> Result<(), KafkaError> {
    let has_brokers = |list: &str| list.split(',').any(|broker| !broker.trim().is_empty());
    if text(props, "bootstrap.servers").is_some_and(has_brokers) {
        return Ok(());
    }
    Err(KafkaError::construct(client, "No resolvable bootstrap urls given in bootstrap.servers"))
}

impl Law {
    /// Checks the value under `name`, if there is one.
    ///
    /// # Errors
    /// Class `Config`.
    pub(crate) fn check(self, props: &ConfigMap, name: &str) -> Result<(), KafkaError> {
        let Some(given) = text(props, name) else { return Ok(()) };
        let problem = match self {
            Self::Boolean => {
                let is_flag = ["true", "false"].iter().any(|flag| given.eq_ignore_ascii_case(flag));
                (!is_flag).then(|| "Expected value to be either true or false".to_owned())
            }
            Self::Int(least) => bounded(given.parse::<i32>().ok().map(i64::from), "INT", least),
            Self::Long(least) => bounded(given.parse().ok(), "LONG", least),
            Self::NotEmpty => given.is_empty().then(|| "String must be non-empty".to_owned()),
            Self::OneOf(known) => {
                (!known.contains(&given)).then(|| format!("String must be one of: {}", known.join(", ")))
            }
            Self::OneOfInAnyCase(known) => {
                let is_known = known.iter().any(|known| known.eq_ignore_ascii_case(given));
                let list = known.join(", ");
                (!is_known).then(|| format!("String must be one of (case insensitive): {list}"))
            }
            Self::Own(problem) => problem(given),
        };
        problem.map_or(Ok(()), |problem| Err(invalid(name, given, &problem)))
    }
}

fn bounded(number: Option<i64>, kind: &str, least: i64) -> Option<String> {
    match number {
        None => Some(format!("Not a number of type {kind}")),
        Some(number) if number < least => Some(format!("Value must be at least {least}")),
        Some(_) => None,
    }
}

fn invalid(name: &str, value: &str, problem: &str) -> KafkaError {
    KafkaError::Config { message: format!("Invalid value {value} for configuration {name}: {problem}") }
}
