//! Where reading begins without a committed position: `auto.offset.reset`.
//!
//! Source: `AutoOffsetResetStrategy`, `java.time.Duration#parse`, KIP-1106.

use std::time::Duration;

/// Where a partition without a committed position begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OffsetReset {
    /// At the first record that is not older than this.
    Age(Duration),
    /// At the first record.
    Earliest,
    /// Behind the last record.
    Latest,
    /// Nowhere: that is an error.
    None,
}

impl OffsetReset {
    /// Reads the setting; `None` for what Java refuses.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "earliest" => Some(Self::Earliest),
            "latest" => Some(Self::Latest),
            "none" => Some(Self::None),
            other => iso_duration(other.strip_prefix("by_duration:")?).map(Self::Age),
        }
    }

    /// The library's word: it knows no ages, who reads looks the offsets up.
    pub(super) fn library_value(self) -> &'static str {
        match self {
            Self::Earliest => "earliest",
            Self::Latest => "latest",
            Self::Age(_) | Self::None => "error",
        }
    }
}

/// `PnDTnHnMn.nS` in any case, each number with a sign of its own; `None` when it is something else or
/// negative.
fn iso_duration(text: &str) -> Option<Duration> {
    let text = text.to_ascii_uppercase();
    let (is_negated, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(&text)),
    };
    let text = text.strip_prefix('P')?;
    let (days, time) = text.split_once('T').unwrap_or((text, ""));
    if text.is_empty() || text.ends_with('T') {
        return None;
    }
    let mut total_ns: i128 = 0;
    if !days.is_empty() {
        total_ns += whole(days.strip_suffix('D')?)? * 86_400 * NS_PER_S;
    }
    let mut rest = time;
    for (unit, seconds) in [('H', 3_600), ('M', 60)] {
        if let Some((number, after)) = rest.split_once(unit) {
            total_ns += whole(number)? * seconds * NS_PER_S;
            rest = after;
        }
    }
    if !rest.is_empty() {
        total_ns += fraction(rest.strip_suffix('S')?)?;
    }
    let total_ns = if is_negated { -total_ns } else { total_ns };
    let (seconds, ns) = (total_ns / NS_PER_S, total_ns % NS_PER_S);
    // Java counts seconds in 64 bits with a sign.
    let seconds = i64::try_from(seconds).ok().and_then(|seconds| u64::try_from(seconds).ok())?;
    Some(Duration::new(seconds, u32::try_from(ns).ok()?))
}

const NS_PER_S: i128 = 1_000_000_000;

fn whole(text: &str) -> Option<i128> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text.parse::<i64>().ok().map(i128::from) } else { None }
}

/// Seconds with up to nine digits behind a point or a comma, as nanoseconds.
fn fraction(text: &str) -> Option<i128> {
    let Some((seconds, digits)) = text.split_once(['.', ',']) else {
        return Some(whole(text)? * NS_PER_S);
    };
    if digits.len() > 9 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let ns: i128 = format!("{digits:0<9}").parse().ok()?;
    Some(whole(seconds)? * NS_PER_S + if seconds.starts_with('-') { -ns } else { ns })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checked with `Duration.parse` of JDK 17.
    #[test]
    fn ages_are_read_as_java_reads_them() {
        let age = |text: &str| match OffsetReset::parse(&format!("by_duration:{text}")) {
            Some(OffsetReset::Age(age)) => Some(age),
            _ => None,
        };
        for (text, ms) in [
            ("PT1H", 3_600_000),
            ("P1D", 86_400_000),
            ("p2dt3h4m5.006s", 183_845_006),
            ("PT0S", 0),
            ("PT36H", 129_600_000),
            ("-PT-6H", 21_600_000),
            ("+PT1M", 60_000),
            ("PT1H-1M", 3_540_000),
            ("PT1,5S", 1_500),
            ("PT1.S", 1_000),
        ] {
            assert_eq!(age(text), Some(Duration::from_millis(ms)), "{text}");
        }
        let refused = [
            "",
            "P",
            "PT",
            "P1DT",
            "1H",
            "PT1",
            "P1H",
            "PT1S1M",
            "PT1D",
            "-PT1H",
            "PT-1S",
            "PT.5S",
            "PT1.1234567890S",
            "PT99999999999999999999S",
            "P1W",
            "PT 1H",
            "P106751991167301D",
        ];
        for text in refused {
            assert_eq!(age(text), None, "{text}");
        }
        for text in ["by_duration", "by_duration:", "BY_DURATION:PT1H", "Latest", "now"] {
            assert_eq!(OffsetReset::parse(text), None, "{text}");
        }
    }
}
