//! Settings of automatic restarts and of the watchdog. They have no counterpart in Kafka Connect.
//!
//! Worker and connector configurations have the same keys for restarts; a connector's own value wins.

use lakeward_api::config::{ConfigDef, ConfigMap, ConfigType, Validator};
use lakeward_controlplane_core::auto_restart::RestartPolicy;

use super::definition::{self, Row};

const ENABLED: &str = "lakeward.auto.restart.enabled";
const ATTEMPTS_MAX: &str = "lakeward.auto.restart.max.attempts";
const BACKOFF: &str = "lakeward.auto.restart.backoff.ms";
const BACKOFF_MAX: &str = "lakeward.auto.restart.backoff.max.ms";
const RESET_AFTER: &str = "lakeward.auto.restart.reset.after.ms";
/// How long a task may hold work that does not move, or take no turn; 0 switches the watchdog off.
pub(super) const STUCK_AFTER: &str = "lakeward.watchdog.stuck.after.ms";

/// The keys a connector may set, too.
pub(super) const AUTO_RESTART: &[Row] = &[
    (ENABLED, ConfigType::Boolean, Some("false"), Validator::Any),
    // -1 never gives up.
    (ATTEMPTS_MAX, ConfigType::Int, Some("7"), Validator::AtLeast(-1)),
    (BACKOFF, ConfigType::Long, Some("10000"), Validator::AtLeast(0)),
    (BACKOFF_MAX, ConfigType::Long, Some("600000"), Validator::AtLeast(0)),
    (RESET_AFTER, ConfigType::Long, Some("600000"), Validator::AtLeast(0)),
];

/// The policy that the texts of a configuration give; `None` when automatic restarts are off or a text is not
/// a value.
pub(crate) fn restart_policy<'a>(text: impl Fn(&str) -> Option<&'a str>) -> Option<RestartPolicy> {
    if !text(ENABLED)?.trim().eq_ignore_ascii_case("true") {
        return None;
    }
    let number = |name: &str| text(name)?.trim().parse::<i64>().ok();
    let ms = |name: &str| u64::try_from(number(name)?).ok();
    Some(RestartPolicy {
        // Only -1 is below the range.
        attempts_max: u32::try_from(number(ATTEMPTS_MAX)?).ok(),
        backoff_ms: ms(BACKOFF)?,
        backoff_max_ms: ms(BACKOFF_MAX)?,
        reset_after_ms: ms(RESET_AFTER)?,
    })
}

/// What is wrong with the keys that a connector configuration sets: key and problem.
pub(crate) fn connector_problems(config: &ConfigMap) -> Vec<(String, String)> {
    let keys = AUTO_RESTART.iter().filter(|row| config.contains_key(row.0)).map(definition::key);
    let values = ConfigDef::new(keys.collect()).validate(config);
    let problems = |value: lakeward_api::config::ConfigValue| {
        value.errors.into_iter().map(move |problem| (value.name.clone(), problem))
    };
    values.into_iter().flat_map(problems).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(texts: &[(&'static str, &'static str)]) -> Option<RestartPolicy> {
        let given = |name: &str| texts.iter().find(|(known, _)| *known == name).map(|(_, text)| *text);
        let default = |name: &str| AUTO_RESTART.iter().find(|row| row.0 == name).and_then(|row| row.2);
        restart_policy(|name| given(name).or_else(|| default(name)))
    }

    #[test]
    fn restarts_are_off_unless_they_are_switched_on() {
        assert_eq!(policy(&[]), None);
        let expected = RestartPolicy {
            attempts_max: Some(7),
            backoff_ms: 10_000,
            backoff_max_ms: 600_000,
            reset_after_ms: 600_000,
        };
        assert_eq!(policy(&[(ENABLED, " TRUE ")]), Some(expected));
        let endless = policy(&[(ENABLED, "true"), (ATTEMPTS_MAX, "-1")]).unwrap();
        assert_eq!(endless.attempts_max, None);
        assert_eq!(policy(&[(ENABLED, "true"), (BACKOFF, "soon")]), None);
    }

    #[test]
    fn only_what_a_connector_sets_is_checked() {
        let config = |name: &str, text: &str| ConfigMap::from([(name.to_owned(), text.to_owned())]);
        assert_eq!(connector_problems(&config("name", "a")), []);
        assert_eq!(connector_problems(&config(BACKOFF, "5")), []);
        let problems = connector_problems(&config(ATTEMPTS_MAX, "-2"));
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].0, ATTEMPTS_MAX);
        assert!(problems[0].1.starts_with("Invalid value -2 for configuration"), "{}", problems[0].1);
    }
}
