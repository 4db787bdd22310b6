//! What the worker is doing, for health answers and time-outs.
//!
//! Source: `TemporaryStage`, `HealthCheck`, Kafka 4.1.

use std::time::{SystemTime, UNIX_EPOCH};

/// Where the worker is in its life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Requests are answered.
    Ready,
    /// Not yet; the text completes "the worker is currently …".
    Starting {
        /// What it does.
        doing: &'static str,
        /// Since when, ms since the epoch.
        since_ms: i64,
    },
    /// It is shutting down.
    Stopping,
}

impl Stage {
    /// A start-up stage that begins now.
    pub(crate) fn starting(doing: &'static str) -> Self {
        Self::Starting { doing, since_ms: now_ms() }
    }

    /// The sentence about what goes on; empty when ready.
    pub(crate) fn summary(&self) -> String {
        match self {
            Self::Ready => String::new(),
            Self::Starting { doing, since_ms } => {
                format!("The worker is currently {doing}, which began at {}.", iso_instant(*since_ms))
            }
            Self::Stopping => "The worker is currently shutting down.".to_owned(),
        }
    }
}

/// Wall clock, ms since the epoch.
pub(crate) fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}

/// `2024-01-31T12:00:00.123Z`. Source: `Instant#toString`; days to dates by Howard Hinnant's civil algorithm.
fn iso_instant(ms: i64) -> String {
    let (days, in_day) = (ms.div_euclid(86_400_000), ms.rem_euclid(86_400_000));
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hours, minutes) = (in_day / 3_600_000, in_day / 60_000 % 60);
    let (seconds, millis) = (in_day / 1000 % 60, in_day % 1000);
    format!("{year:04}-{month:02}-{day:02}T{hours:02}:{minutes:02}:{seconds:02}.{millis:03}Z")
}

#[cfg(test)]
mod tests {
    use super::iso_instant;

    #[test]
    fn instants_are_javas_text() {
        assert_eq!(iso_instant(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(iso_instant(1_700_000_000_123), "2023-11-14T22:13:20.123Z");
        assert_eq!(iso_instant(1_709_164_800_000), "2024-02-29T00:00:00.000Z");
    }
}
