//! Instants as texts, in UTC.
//!
//! Days to dates by Howard Hinnant's civil algorithm.

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];

/// An instant taken apart.
struct Civil {
    year: i64,
    /// From 1.
    month: usize,
    day: i64,
    weekday: &'static str,
    hours: i64,
    minutes: i64,
    seconds: i64,
    millis: i64,
}

impl Civil {
    /// Of ms since the epoch.
    fn of(ms: i64) -> Self {
        let (days, in_day) = (ms.div_euclid(86_400_000), ms.rem_euclid(86_400_000));
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
        Self {
            year: year_of_era + era * 400 + i64::from(month <= 2),
            month: month as usize,
            day: day_of_year - (153 * shifted_month + 2) / 5 + 1,
            weekday: WEEKDAYS[days.rem_euclid(7) as usize],
            hours: in_day / 3_600_000,
            minutes: in_day / 60_000 % 60,
            seconds: in_day / 1000 % 60,
            millis: in_day % 1000,
        }
    }

    fn month_name(&self) -> &'static str {
        MONTHS[self.month - 1]
    }
}

/// `2024-01-31T12:00:00.123Z`. Source: `Instant#toString`.
pub(crate) fn iso_instant(ms: i64) -> String {
    let Civil { year, month, day, hours, minutes, seconds, millis, .. } = Civil::of(ms);
    format!("{year:04}-{month:02}-{day:02}T{hours:02}:{minutes:02}:{seconds:02}.{millis:03}Z")
}

/// `Sun, 21 Nov 2027 12:37:59 GMT`, as HTTP headers have it.
pub(crate) fn http_date(ms: i64) -> String {
    let civil = Civil::of(ms);
    let Civil { year, day, weekday, hours, minutes, seconds, .. } = civil;
    format!("{weekday}, {day:02} {} {year:04} {hours:02}:{minutes:02}:{seconds:02} GMT", civil.month_name())
}

/// `21/Nov/2027:12:37:59 +0000`, as request logs have it.
pub(crate) fn log_date(ms: i64) -> String {
    let civil = Civil::of(ms);
    let Civil { year, day, hours, minutes, seconds, .. } = civil;
    format!("{day:02}/{}/{year:04}:{hours:02}:{minutes:02}:{seconds:02} +0000", civil.month_name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_javas_text() {
        assert_eq!(iso_instant(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(iso_instant(1_700_000_000_123), "2023-11-14T22:13:20.123Z");
        assert_eq!(iso_instant(1_709_164_800_000), "2024-02-29T00:00:00.000Z");
    }

    #[test]
    fn headers_and_logs_have_forms_of_their_own() {
        assert_eq!(http_date(1_700_000_000_123), "Tue, 14 Nov 2023 22:13:20 GMT");
        assert_eq!(http_date(-1), "Wed, 31 Dec 1969 23:59:59 GMT");
        assert_eq!(log_date(1_709_164_800_000), "29/Feb/2024:00:00:00 +0000");
    }
}
