//! `RegexRouter`: renames the topic of records whose whole topic name matches a pattern.
//!
//! Source: `org.apache.kafka.connect.transforms.RegexRouter`, Kafka 4.1.

use std::sync::Arc;

use lakeward_api::ConnectError;
use lakeward_api::batch::SinkBatch;
use lakeward_api::config::{ConfigDef, ConfigKey, ConfigMap, ConfigType, Importance, Validator};
use lakeward_api::transform::{Transform, Transformed};

use crate::columns::fail_all;
use crate::java_regex::JavaRegex;
use crate::plugin::{KAFKA_VERSION, TransformClass};
use crate::settings::{Settings, required};

/// The classes of this file.
pub(crate) fn classes() -> Vec<TransformClass> {
    vec![TransformClass {
        class: "org.apache.kafka.connect.transforms.RegexRouter",
        version: KAFKA_VERSION,
        config_def,
        new: |given| Ok(Box::new(RegexRouter::new(given)?)),
    }]
}

fn config_def() -> ConfigDef {
    ConfigDef::new(vec![
        ConfigKey {
            validator: Validator::CustomOrNull(JavaRegex::check_setting),
            ..required(
                "regex",
                ConfigType::String,
                Importance::High,
                "Regular expression to use for matching.",
            )
        },
        required("replacement", ConfigType::String, Importance::High, "Replacement string."),
    ])
}

/// The latest topic and what it becomes.
type Routed = (Arc<str>, Result<Arc<str>, ConnectError>);

struct RegexRouter {
    regex: JavaRegex,
    replacement: String,
    last: Option<Routed>,
}

impl RegexRouter {
    fn new(given: &ConfigMap) -> Result<Self, ConnectError> {
        let settings = Settings::read(&config_def(), given)?;
        let regex = JavaRegex::new(settings.text("regex"))
            .map_err(|problem| ConnectError::config(format!("Invalid regex: {problem}")))?;
        Ok(Self { regex, replacement: settings.text("replacement").to_owned(), last: None })
    }

    fn route(&self, topic: &Arc<str>) -> Result<Arc<str>, ConnectError> {
        if !self.regex.matches(topic)? {
            return Ok(Arc::clone(topic));
        }
        Ok(self.regex.replace_first(topic, &self.replacement)?.into())
    }
}

impl Transform for RegexRouter {
    fn apply(&mut self, mut batch: SinkBatch) -> Result<Transformed, ConnectError> {
        let is_known = self.last.as_ref().is_some_and(|(topic, _)| *topic == batch.topic);
        if !is_known {
            self.last = Some((Arc::clone(&batch.topic), self.route(&batch.topic)));
        }
        match &self.last {
            Some((_, Ok(topic))) => batch.topic = Arc::clone(topic),
            Some((_, Err(err))) => return Ok(fail_all(&batch, err)),
            None => {}
        }
        Ok(Transformed::one(batch))
    }
}

#[cfg(test)]
mod tests {
    use crate::sample::{batch, only, transform};
    use lakeward_api::batch::Values;

    #[test]
    fn only_whole_matches_are_renamed() {
        let route = |regex: &str, replacement: &str| {
            transform("RegexRouter", &[("regex", regex), ("replacement", replacement)])
                .apply(batch(Values::Null { rows: 2 }))
                .unwrap()
        };
        assert_eq!(&*only(route("(t)", "$1-x")).topic, "t-x");
        assert_eq!(&*only(route("(?=t)", "x")).topic, "t");
        assert_eq!(&*only(route("|t", "x")).topic, "xt");
        let failed = route("t", "$1");
        assert_eq!((failed.batches.len(), failed.errors.len()), (0, 2));
        assert_eq!(failed.errors[0].1.to_string(), "No group 1");
    }
}
