//! Consumer settings that Java's consumer refuses.
//!
//! Source: `ConsumerConfig`, `ClassicKafkaConsumer`, `AutoOffsetResetStrategy`, Kafka 4.1.

use lakeward_api::config::ConfigMap;

use super::{ANY, Law, SASL, number, servers, text};
use crate::KafkaError;
use crate::settings::OffsetReset;

/// In the order in which Java looks at them: of several wrong values the first one is told.
const LAWS: &[(&str, Law)] = &[
    ("client.dns.lookup", Law::OneOf(&["use_all_dns_ips", "resolve_canonical_bootstrap_servers_only"])),
    ("group.instance.id", Law::NotEmpty),
    ("session.timeout.ms", Law::Int(ANY)),
    ("heartbeat.interval.ms", Law::Int(ANY)),
    ("metadata.max.age.ms", Law::Long(0)),
    ("auto.commit.interval.ms", Law::Int(0)),
    ("max.partition.fetch.bytes", Law::Int(0)),
    ("send.buffer.bytes", Law::Int(-1)),
    ("receive.buffer.bytes", Law::Int(-1)),
    ("fetch.min.bytes", Law::Int(0)),
    ("fetch.max.bytes", Law::Int(0)),
    ("fetch.max.wait.ms", Law::Int(0)),
    ("reconnect.backoff.ms", Law::Long(0)),
    ("reconnect.backoff.max.ms", Law::Long(0)),
    ("retry.backoff.ms", Law::Long(0)),
    ("retry.backoff.max.ms", Law::Long(0)),
    ("auto.offset.reset", Law::Own(offset_reset)),
    ("check.crcs", Law::Boolean),
    ("metrics.sample.window.ms", Law::Long(0)),
    ("metrics.num.samples", Law::Int(1)),
    ("metrics.recording.level", Law::OneOf(&["INFO", "DEBUG", "TRACE"])),
    ("request.timeout.ms", Law::Int(0)),
    ("default.api.timeout.ms", Law::Int(0)),
    ("socket.connection.setup.timeout.ms", Law::Long(ANY)),
    ("socket.connection.setup.timeout.max.ms", Law::Long(ANY)),
    ("connections.max.idle.ms", Law::Long(ANY)),
    ("max.poll.records", Law::Int(1)),
    ("max.poll.interval.ms", Law::Int(1)),
    ("exclude.internal.topics", Law::Boolean),
    ("isolation.level", Law::OneOf(&["read_committed", "read_uncommitted"])),
    ("allow.auto.create.topics", Law::Boolean),
    ("group.protocol", Law::OneOfInAnyCase(&["CONSUMER", "CLASSIC"])),
    ("security.protocol", Law::OneOfInAnyCase(super::PROTOCOLS)),
];

/// Java's defaults, in ms.
const HEARTBEAT_MS: i64 = 3_000;
const SESSION_MS: i64 = 45_000;

/// Checks the settings of a consumer. What is not given has Java's default.
///
/// # Errors
/// Class `Config`, for the first one that Java refuses.
pub(crate) fn check(props: &ConfigMap) -> Result<(), KafkaError> {
    for (name, law) in LAWS.iter().chain(SASL) {
        law.check(props, name)?;
    }
    let is_classic = !text(props, "group.protocol").is_some_and(|name| name.eq_ignore_ascii_case("CONSUMER"));
    let (protocol, foreign): (_, &[&str]) = match is_classic {
        true => ("CLASSIC", &["group.remote.assignor"]),
        false => {
            ("CONSUMER", &["partition.assignment.strategy", "heartbeat.interval.ms", "session.timeout.ms"])
        }
    };
    if let Some(name) = foreign.iter().find(|name| props.contains_key(**name)) {
        let message = format!("{name} cannot be set when group.protocol={protocol}");
        return Err(KafkaError::Config { message });
    }
    if props.contains_key("bootstrap.servers") {
        group(props)?;
        servers(props, "consumer")?;
    }
    if is_classic && props.contains_key("group.id") { heartbeats(props) } else { Ok(()) }
}

fn offset_reset(given: &str) -> Option<String> {
    if OffsetReset::parse(given).is_some() {
        return None;
    }
    Some(format!(
        "Invalid value `{given}` for configuration auto.offset.reset. The value must be either 'earliest', \
         'latest', 'none' or of the format 'by_duration:<PnDTnHnMn.nS.>'."
    ))
}

fn group(props: &ConfigMap) -> Result<(), KafkaError> {
    match text(props, "group.id") {
        Some("") => Err(KafkaError::Construct {
            client: "consumer",
            java_class: "org.apache.kafka.common.errors.InvalidGroupIdException",
            problem: "The configured group.id should not be an empty string or whitespace.".to_owned(),
        }),
        _ => Ok(()),
    }
}

fn heartbeats(props: &ConfigMap) -> Result<(), KafkaError> {
    let interval = number(props, "heartbeat.interval.ms").unwrap_or(HEARTBEAT_MS);
    let problem = if interval >= number(props, "session.timeout.ms").unwrap_or(SESSION_MS) {
        "Heartbeat must be set lower than the session timeout".to_owned()
    } else if interval < 0 {
        format!("Invalid negative timeout {interval}")
    } else {
        return Ok(());
    };
    let java_class = "java.lang.IllegalArgumentException";
    Err(KafkaError::Construct { client: "consumer", java_class, problem })
}

#[cfg(test)]
mod tests {
    use lakeward_api::{ConnectError, ErrorClass};

    use super::*;

    /// The failure of a consumer with these settings beside the usual ones.
    fn refused(more: &[(&str, &str)]) -> Option<String> {
        let base = [("bootstrap.servers", "b:9092"), ("group.id", "connect-c"), ("client.id", "c")];
        let pairs = base.iter().chain(more);
        let props = pairs.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let error: ConnectError = check(&props).err()?.into();
        assert_eq!(error.class(), ErrorClass::Config);
        Some(error.trace().trim_end().to_owned())
    }

    #[test]
    fn what_java_takes_passes() {
        for given in [
            &[][..],
            &[("auto.offset.reset", " latest "), ("max.poll.records", "1")],
            &[("auto.offset.reset", "by_duration:P1D")],
            &[("security.protocol", "ssl"), ("isolation.level", "read_committed")],
            &[("heartbeat.interval.ms", "0"), ("connections.max.idle.ms", "-1")],
            &[("group.protocol", "consumer"), ("group.remote.assignor", "uniform")],
            &[("check.crcs", "TRUE"), ("session.timeout.ms", "3001")],
        ] {
            assert_eq!(refused(given), None, "{given:?}");
        }
        assert!(check(&ConfigMap::new()).is_ok(), "settings of a connector alone");
    }

    /// Texts of Kafka 4.1.
    #[test]
    fn values_that_java_refuses_are_refused_in_its_words() {
        let start = "org.apache.kafka.common.config.ConfigException: ";
        for (name, value, text) in [
            ("max.poll.records", "0", "Value must be at least 1"),
            ("max.poll.records", "99999999999", "Not a number of type INT"),
            ("max.poll.interval.ms", " 0 ", "Value must be at least 1"),
            ("receive.buffer.bytes", "-2", "Value must be at least -1"),
            ("isolation.level", "READ_COMMITTED", "String must be one of: read_committed, read_uncommitted"),
            ("group.instance.id", " ", "String must be non-empty"),
            ("group.protocol", "x", "String must be one of (case insensitive): CONSUMER, CLASSIC"),
            ("exclude.internal.topics", "x", "Expected value to be either true or false"),
            ("sasl.login.refresh.window.factor", "0.4", "Value must be at least 0.5"),
            ("sasl.login.refresh.window.jitter", "1", "Value must be no more than 0.25"),
            ("sasl.login.refresh.min.period.seconds", "901", "Value must be no more than 900"),
            ("sasl.login.refresh.buffer.seconds", "99999", "Not a number of type SHORT"),
            (
                "auto.offset.reset",
                "now",
                "Invalid value `now` for configuration auto.offset.reset. The value must be either \
                 'earliest', 'latest', 'none' or of the format 'by_duration:<PnDTnHnMn.nS.>'.",
            ),
        ] {
            let given = value.trim();
            let expected = format!("{start}Invalid value {given} for configuration {name}: {text}");
            assert_eq!(refused(&[(name, value)]), Some(expected));
        }
        let both = refused(&[("max.poll.records", "0"), ("fetch.min.bytes", "-1")]).unwrap();
        assert!(both.contains("fetch.min.bytes"), "{both}");
    }

    #[test]
    fn settings_that_do_not_go_together_are_refused() {
        let config = "org.apache.kafka.common.config.ConfigException: ";
        let construct =
            "org.apache.kafka.common.KafkaException: Failed to construct kafka consumer\nCaused by: ";
        let cases: [(&[(&str, &str)], String); 5] = [
            (
                &[("group.protocol", "Consumer"), ("session.timeout.ms", "9")],
                format!("{config}session.timeout.ms cannot be set when group.protocol=CONSUMER"),
            ),
            (
                &[("group.remote.assignor", "x"), ("group.id", "")],
                format!("{config}group.remote.assignor cannot be set when group.protocol=CLASSIC"),
            ),
            (
                &[("group.id", " "), ("heartbeat.interval.ms", "50000")],
                format!(
                    "{construct}org.apache.kafka.common.errors.InvalidGroupIdException: The configured \
                     group.id should not be an empty string or whitespace."
                ),
            ),
            (
                &[("bootstrap.servers", ""), ("heartbeat.interval.ms", "50000")],
                format!("{construct}{config}No resolvable bootstrap urls given in bootstrap.servers"),
            ),
            (
                &[("heartbeat.interval.ms", "45000")],
                format!(
                    "{construct}java.lang.IllegalArgumentException: Heartbeat must be set lower than the \
                     session timeout"
                ),
            ),
        ];
        for (given, expected) in cases {
            assert_eq!(refused(given), Some(expected), "{given:?}");
        }
    }
}
