//! Numbers that count (`iteration`): `start`, then `step` more each time, back to `start` at `restart`.

use lakeward_api::ConnectError;
use serde_json::{Map, Value as Json};

/// Where a counting field is.
#[derive(Clone, Debug)]
pub(super) enum Iteration {
    /// Changes each time.
    Boolean {
        start: bool,
        done: u64,
    },
    Float {
        start: f64,
        modulo: f64,
        step: f64,
        first: f64,
        done: u64,
    },
    Whole {
        start: i128,
        modulo: i128,
        step: i128,
        first: i128,
        done: u64,
    },
}

impl Iteration {
    /// Reads the annotation. `limits` are those of the type.
    ///
    /// # Errors
    /// `Config` when members are missing or contradict each other.
    pub(super) fn whole(
        args: &Map<String, Json>,
        limits: (i64, i64),
        done: u64,
    ) -> Result<Self, ConnectError> {
        let number = |key: &str| match args.get(key) {
            None => Ok(None),
            Some(json) => match json.as_i64() {
                Some(number) => Ok(Some(i128::from(number))),
                None => Err(wrong(&format!("{key} is no whole number"))),
            },
        };
        let start = number("start")?.ok_or_else(|| wrong("it has no start"))?;
        let (restart, step) = (number("restart")?, number("step")?);
        let step = step.unwrap_or(if restart.is_some_and(|restart| restart < start) { -1 } else { 1 });
        let limit = if step > 0 { limits.1 } else { limits.0 };
        let restart = restart.unwrap_or(i128::from(limit));
        if step == 0 || restart == start || (restart > start) != (step > 0) {
            return Err(wrong("restart cannot be reached from start with this step"));
        }
        let first = number("initial")?.unwrap_or(start) - start;
        Ok(Self::Whole { start, modulo: (restart - start).abs(), step, first, done })
    }

    /// The same for FLOAT and DOUBLE.
    pub(super) fn float(args: &Map<String, Json>, limit: f64, done: u64) -> Result<Self, ConnectError> {
        let number = |key: &str| match args.get(key) {
            None => Ok(None),
            Some(json) => json.as_f64().map(Some).ok_or_else(|| wrong(&format!("{key} is no number"))),
        };
        let start = number("start")?.ok_or_else(|| wrong("it has no start"))?;
        let (restart, step) = (number("restart")?, number("step")?);
        let step = step.unwrap_or(if restart.is_some_and(|restart| restart < start) { -1.0 } else { 1.0 });
        let restart = restart.unwrap_or(if step > 0.0 { limit } else { -limit });
        if step == 0.0 || restart == start || (restart > start) != (step > 0.0) {
            return Err(wrong("restart cannot be reached from start with this step"));
        }
        let first = number("initial")?.unwrap_or(start) - start;
        Ok(Self::Float { start, modulo: restart - start, step, first, done })
    }

    /// The same for BOOLEAN.
    pub(super) fn boolean(args: &Map<String, Json>, done: u64) -> Result<Self, ConnectError> {
        let start = args.get("start").and_then(Json::as_bool);
        Ok(Self::Boolean { start: start.ok_or_else(|| wrong("it has no start"))?, done })
    }

    /// The next whole number.
    pub(super) fn next_whole(&mut self) -> i64 {
        let Self::Whole { start, modulo, step, first, done } = self else { return 0 };
        let passed = match *done {
            0 => *first,
            count => (i128::from(count) * *step + *first).abs() % *modulo * step.signum(),
        };
        *done += 1;
        // Java narrows, too.
        (*start + passed) as i64
    }

    /// The next broken number. Sums of steps are rounded to the digits that people write.
    pub(super) fn next_float(&mut self) -> f64 {
        let Self::Float { start, modulo, step, first, done } = self else { return 0.0 };
        let passed = match *done {
            0 => *first,
            count => (count as f64 * *step + *first) % *modulo,
        };
        *done += 1;
        let sum = *start + passed;
        let rounded = (sum * 1e9).round() / 1e9;
        if rounded.is_finite() { rounded } else { sum }
    }

    /// The other truth than last time.
    pub(super) fn next_boolean(&mut self) -> bool {
        let Self::Boolean { start, done } = self else { return false };
        *done += 1;
        *start ^ (*done % 2 == 0)
    }
}

fn wrong(text: &str) -> ConnectError {
    ConnectError::config(format!("The iteration property of the schema is wrong: {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(args: Json, done: u64, count: usize) -> Vec<i64> {
        let args = args.as_object().unwrap().clone();
        let mut iteration =
            Iteration::whole(&args, (i64::from(i32::MIN), i64::from(i32::MAX)), done).unwrap();
        (0..count).map(|_| iteration.next_whole()).collect()
    }

    #[test]
    fn counting_starts_over_at_restart_and_goes_on_after_a_restart_of_the_task() {
        let up = serde_json::json!({"start": 10, "restart": 16, "step": 2});
        assert_eq!(whole(up.clone(), 0, 5), [10, 12, 14, 10, 12]);
        assert_eq!(whole(up, 2, 2), [14, 10]);
        let down = serde_json::json!({"start": 3, "restart": 0});
        assert_eq!(whole(down, 0, 5), [3, 2, 1, 3, 2]);
        let initial = serde_json::json!({"start": 0, "restart": 5, "initial": 3});
        assert_eq!(whole(initial, 0, 4), [3, 4, 0, 1]);
    }

    #[test]
    fn tenths_stay_tenths() {
        let args = serde_json::json!({"start": 0, "step": 0.1}).as_object().unwrap().clone();
        let mut iteration = Iteration::float(&args, f64::MAX, 0).unwrap();
        let numbers: Vec<f64> = (0..4).map(|_| iteration.next_float()).collect();
        assert_eq!(numbers, [0.0, 0.1, 0.2, 0.3]);
    }

    #[test]
    fn steps_that_lead_nowhere_are_refused() {
        for args in [
            serde_json::json!({}),
            serde_json::json!({"start": 1, "step": 0}),
            serde_json::json!({"start": 1, "restart": 1}),
            serde_json::json!({"start": 1, "restart": 5, "step": -1}),
        ] {
            assert!(Iteration::whole(args.as_object().unwrap(), (0, 9), 0).is_err(), "{args}");
        }
    }
}
