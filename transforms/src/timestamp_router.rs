//! `TimestampRouter`: the topic becomes a text of the old topic and the record's timestamp.
//!
//! Rows with the same text stay together. Texts are formatted once per stretch of time in which they cannot
//! differ: per day when the pattern has no time of day.
//!
//! Source: `org.apache.kafka.connect.transforms.TimestampRouter`, Kafka 4.1.

use std::sync::Arc;

use lakeward_api::batch::SinkBatch;
use lakeward_api::config::{ConfigDef, ConfigMap, ConfigType, Importance};
use lakeward_api::transform::{Transform, Transformed};
use lakeward_api::{ConnectError, ErrorClass};

use crate::columns::{self, fail_all};
use crate::plugin::{KAFKA_VERSION, TransformClass};
use crate::settings::{Settings, with_default};
use crate::simple_date_format::SimpleDateFormat;

/// The classes of this file.
pub(crate) fn classes() -> Vec<TransformClass> {
    vec![TransformClass {
        class: "org.apache.kafka.connect.transforms.TimestampRouter",
        version: KAFKA_VERSION,
        config_def,
        new: |given| Ok(Box::new(TimestampRouter::new(given)?)),
    }]
}

fn config_def() -> ConfigDef {
    ConfigDef::new(vec![
        with_default(
            "topic.format",
            ConfigType::String,
            Some("${topic}-${timestamp}"),
            Importance::High,
            "Format string which can contain <code>${topic}</code> and <code>${timestamp}</code> as \
             placeholders for the topic and timestamp, respectively.",
        ),
        with_default(
            "timestamp.format",
            ConfigType::String,
            Some("yyyyMMdd"),
            Importance::High,
            "Format string for the timestamp that is compatible with \
             <code>java.text.SimpleDateFormat</code>.",
        ),
    ])
}

struct TimestampRouter {
    topic_format: String,
    /// A pattern that Java would refuse, it refuses at the first record.
    format: Result<SimpleDateFormat, ConnectError>,
    step_ms: i64,
    topic: Arc<str>,
    /// Topics for the latest stretches of time of `topic`, by their number.
    routes: Vec<(i64, Arc<str>)>,
}

/// Stretches that are remembered.
const ROUTES: usize = 64;

impl TimestampRouter {
    fn new(given: &ConfigMap) -> Result<Self, ConnectError> {
        let settings = Settings::read(&config_def(), given)?;
        let pattern = settings.text("timestamp.format");
        let illegal = |message: String| {
            ConnectError::new(ErrorClass::Record, "java.lang.IllegalArgumentException", message)
        };
        Ok(Self {
            topic_format: settings.text("topic.format").to_owned(),
            format: SimpleDateFormat::compile(pattern).map_err(illegal),
            step_ms: step_ms(pattern),
            topic: "".into(),
            routes: Vec::new(),
        })
    }

    fn route(&mut self, format: &SimpleDateFormat, timestamp_ms: i64) -> Arc<str> {
        let stretch = timestamp_ms.div_euclid(self.step_ms);
        if let Some((_, route)) = self.routes.iter().rev().find(|(known, _)| *known == stretch) {
            return Arc::clone(route);
        }
        let with_topic = self.topic_format.replace("${topic}", &self.topic);
        let route: Arc<str> = with_topic.replace("${timestamp}", &format.text(timestamp_ms)).into();
        // Neighbouring stretches may share a text: sharing the name keeps their rows together.
        let known = self.routes.iter().find(|(_, known)| *known == route);
        let route = known.map_or(route, |(_, known)| Arc::clone(known));
        if self.routes.len() == ROUTES {
            self.routes.remove(0);
        }
        self.routes.push((stretch, Arc::clone(&route)));
        route
    }

    fn split(
        &mut self,
        format: &SimpleDateFormat,
        mut batch: SinkBatch,
    ) -> Result<Transformed, ConnectError> {
        if *self.topic != *batch.topic {
            self.topic = Arc::clone(&batch.topic);
            self.routes.clear();
        }
        let mut runs: Vec<(Arc<str>, usize)> = Vec::new();
        for timestamp_ms in &batch.timestamps_ms {
            // Rows without a timestamp were taken out before.
            let route = self.route(format, timestamp_ms.unwrap_or_default());
            match runs.last_mut() {
                Some((last, rows)) if *last == route => *rows += 1,
                _ => runs.push((route, 1)),
            }
        }
        if let [(route, _)] = &runs[..] {
            batch.topic = Arc::clone(route);
            return Ok(Transformed::one(batch));
        }
        let mut batches = Vec::with_capacity(runs.len());
        let mut rows = 0u32..;
        for (route, count) in runs {
            let run: Vec<u32> = rows.by_ref().take(count).collect();
            let mut part = crate::merge::move_rows(&mut batch, &run)?;
            part.topic = route;
            batches.push(part);
        }
        Ok(Transformed { batches, errors: Vec::new() })
    }
}

impl Transform for TimestampRouter {
    fn apply(&mut self, batch: SinkBatch) -> Result<Transformed, ConnectError> {
        let missing = batch.timestamps_ms.iter().enumerate().filter(|(_, at)| at.is_none());
        let failed: Vec<_> = missing
            .map(|(row, _)| {
                let offset = batch.offsets[row];
                let text = format!("Timestamp missing on record: {} offset {offset}", batch.partition);
                (row, ConnectError::data(text))
            })
            .collect();
        let Transformed { mut batches, mut errors } = columns::without(batch, failed)?;
        let Some(batch) = batches.pop() else { return Ok(Transformed { batches, errors }) };
        let format = match &self.format {
            Ok(format) => format.clone(),
            Err(err) => {
                errors.extend(fail_all(&batch, err).errors);
                return Ok(Transformed { batches: Vec::new(), errors });
            }
        };
        let split = self.split(&format, batch)?;
        Ok(Transformed { batches: split.batches, errors })
    }
}

/// How long a text stays the same at least: the smallest unit that the pattern shows, in UTC.
fn step_ms(pattern: &str) -> i64 {
    const SECOND: i64 = 1000;
    const MINUTE: i64 = 60 * SECOND;
    const HOUR: i64 = 60 * MINUTE;
    let units = [('S', 1), ('s', SECOND), ('m', MINUTE), ('H', HOUR), ('k', HOUR), ('K', HOUR), ('h', HOUR)];
    let smallest = units.iter().filter(|(letter, _)| pattern.contains(*letter)).map(|(_, step)| *step).min();
    let half_day = pattern.contains('a').then_some(12 * HOUR);
    smallest.or(half_day).unwrap_or(24 * HOUR)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{batch, only, transform};
    use lakeward_api::batch::Values;

    const DAY_MS: i64 = 86_400_000;

    fn at(times: &[Option<i64>]) -> SinkBatch {
        let mut batch = batch(Values::Null { rows: times.len() });
        batch.timestamps_ms = times.to_vec();
        batch
    }

    #[test]
    fn days_split_batches_and_missing_timestamps_fail() {
        let input = at(&[Some(0), Some(DAY_MS - 1), None, Some(DAY_MS), Some(5)]);
        let outcome = transform("TimestampRouter", &[]).apply(input).unwrap();
        let routes: Vec<_> =
            outcome.batches.iter().map(|batch| (&*batch.topic, batch.offsets.clone())).collect();
        assert_eq!(
            routes,
            [("t-19700101", vec![10, 11]), ("t-19700102", vec![13]), ("t-19700101", vec![14])]
        );
        assert_eq!(outcome.errors[0].0, 12);
    }

    #[test]
    fn texts_of_small_units_are_not_mixed_up() {
        let settings = [("topic.format", "${timestamp}.${topic}"), ("timestamp.format", "HH-a 'at' SSS")];
        let mut router = transform("TimestampRouter", &settings);
        let mut topic = |ms| only(router.apply(at(&[Some(ms)])).unwrap()).topic.to_string();
        assert_eq!(topic(0), "00-AM at 000.t");
        assert_eq!(topic(1), "00-AM at 001.t");
        assert_eq!(topic(13 * 3_600_000), "13-PM at 000.t");
        assert_eq!(topic(-1), "23-PM at 999.t");
    }

    #[test]
    fn bad_patterns_fail_records() {
        let outcome =
            transform("TimestampRouter", &[("timestamp.format", "b")]).apply(at(&[Some(0)])).unwrap();
        assert_eq!(outcome.errors[0].1.java_class(), "java.lang.IllegalArgumentException");
        assert_eq!(outcome.errors[0].1.to_string(), "Illegal pattern character 'b'");
    }
}
