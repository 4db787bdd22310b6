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
    /// A number of 64 bits in floating point, from here to there.
    Double(f64, f64),
    /// A number of 32 bits, not less than this.
    Int(i64),
    /// A number of 64 bits, not less than this.
    Long(i64),
    NotEmpty,
    OneOf(&'static [&'static str]),
    OneOfInAnyCase(&'static [&'static str]),
    /// A number of 16 bits, from 0 to this.
    Short(i64),
    /// Answers what is wrong, if something is.
    Own(fn(&str) -> Option<String>),
}

/// Settings of SASL that every client has, after its own. Source: `SaslConfigs`, Kafka 4.1.
pub(crate) const SASL: &[(&str, Law)] = &[
    ("sasl.login.refresh.window.factor", Law::Double(0.5, 1.0)),
    ("sasl.login.refresh.window.jitter", Law::Double(0.0, 0.25)),
    ("sasl.login.refresh.min.period.seconds", Law::Short(900)),
    ("sasl.login.refresh.buffer.seconds", Law::Short(3_600)),
    ("sasl.login.connect.timeout.ms", Law::Int(ANY)),
    ("sasl.login.read.timeout.ms", Law::Int(ANY)),
    ("sasl.login.retry.backoff.max.ms", Law::Long(ANY)),
    ("sasl.login.retry.backoff.ms", Law::Long(ANY)),
    ("sasl.oauthbearer.clock.skew.seconds", Law::Int(ANY)),
    ("sasl.oauthbearer.header.urlencode", Law::Boolean),
];

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
            Self::Double(least, most) => double(given, least, most),
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
            Self::Short(most) => {
                let number = given.parse::<i16>().ok().map(i64::from);
                bounded(number, "SHORT", 0).or_else(|| {
                    number
                        .filter(|number| *number > most)
                        .map(|_| format!("Value must be no more than {most}"))
                })
            }
        };
        problem.map_or(Ok(()), |problem| Err(invalid(name, given, &problem)))
    }
}

/// Java writes a whole number with `.0`.
fn double(given: &str, least: f64, most: f64) -> Option<String> {
    match given.parse::<f64>() {
        Err(_) => Some("Not a number of type DOUBLE".to_owned()),
        Ok(number) if number < least => Some(format!("Value must be at least {least:?}")),
        Ok(number) if number > most => Some(format!("Value must be no more than {most:?}")),
        Ok(_) => None,
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
