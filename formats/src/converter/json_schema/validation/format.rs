//! `format`.

use std::net::{Ipv4Addr, Ipv6Addr};

/// A format that is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Date,
    DateTime,
    Email,
    Hostname,
    Ipv4,
    Ipv6,
    JsonPointer,
    Regex,
    Time,
    Uri,
}

impl Format {
    /// The format of that name, if it is checked.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "date" => Self::Date,
            "date-time" => Self::DateTime,
            "email" => Self::Email,
            "hostname" => Self::Hostname,
            "ipv4" => Self::Ipv4,
            "ipv6" => Self::Ipv6,
            "json-pointer" => Self::JsonPointer,
            "regex" => Self::Regex,
            "time" => Self::Time,
            "uri" => Self::Uri,
            _ => return None,
        })
    }

    /// What is wrong with `text`.
    pub(super) fn problem(self, text: &str) -> Option<String> {
        let (is_good, problem) = match self {
            Self::Date => (is_date(text), "date. Expected [yyyy-MM-dd]"),
            Self::DateTime => (
                text.split_once('T').is_some_and(|(date, time)| is_date(date) && is_time(time)),
                "date-time. Expected [yyyy-MM-dd'T'HH:mm:ssZ, yyyy-MM-dd'T'HH:mm:ss.[0-9]{1,9}Z, \
                 yyyy-MM-dd'T'HH:mm:ss[+-]HH:mm, yyyy-MM-dd'T'HH:mm:ss.[0-9]{1,9}[+-]HH:mm]",
            ),
            Self::Email => (is_email(text), "email address"),
            Self::Hostname => (is_hostname(text), "hostname"),
            Self::Ipv4 => (text.parse::<Ipv4Addr>().is_ok(), "ipv4 address"),
            Self::Ipv6 => (text.parse::<Ipv6Addr>().is_ok(), "ipv6 address"),
            Self::JsonPointer => (is_pointer(text), "JSON pointer"),
            Self::Regex => (super::compile::pattern(text).is_ok(), "regular expression"),
            Self::Time => (
                is_time(text),
                "time. Expected [HH:mm:ssZ, HH:mm:ss.[0-9]{1,9}Z, HH:mm:ss[+-]HH:mm, \
                 HH:mm:ss.[0-9]{1,9}[+-]HH:mm]",
            ),
            Self::Uri => (is_uri(text), "URI"),
        };
        let article = "is not a valid";
        (!is_good).then(|| format!("[{text}] {article} {problem}"))
    }
}

/// The number that `text` is: `digits` digits and nothing else.
fn number(text: &str, digits: usize) -> Option<u32> {
    let is_plain = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    is_plain.then(|| text.parse().ok()).flatten()
}

fn is_date(text: &str) -> bool {
    let (Some(year), Some(month), Some(day)) = (
        text.get(..4).and_then(|year| number(year, 4)),
        text.get(5..7).and_then(|month| number(month, 2)),
        text.get(8..).and_then(|day| number(day, 2)),
    ) else {
        return false;
    };
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + u32::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    text.get(4..5) == Some("-") && text.get(7..8) == Some("-") && (1..=days).contains(&day)
}

fn is_time(text: &str) -> bool {
    let Some((clock, rest)) = text.split_at_checked(8) else { return false };
    let parts: Vec<Option<u32>> = clock.split(':').map(|part| number(part, 2)).collect();
    let is_clock = matches!(parts.as_slice(), [Some(0..=23), Some(0..=59), Some(0..=59)]);
    let zone = match rest.strip_prefix('.') {
        Some(fraction) => {
            let zone = fraction.trim_start_matches(|digit: char| digit.is_ascii_digit());
            if !(1..=9).contains(&(fraction.len() - zone.len())) {
                return false;
            }
            zone
        }
        None => rest,
    };
    let is_offset = |offset: &str| match offset.split_once(':') {
        Some((hours, minutes)) => {
            matches!((number(hours, 2), number(minutes, 2)), (Some(0..=18), Some(0..=59)))
        }
        None => false,
    };
    is_clock && (zone == "Z" || zone.strip_prefix(['+', '-']).is_some_and(is_offset))
}

fn is_email(text: &str) -> bool {
    let Some((name, host)) = text.rsplit_once('@') else { return false };
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&byte);
    let is_name = (1..=64).contains(&name.len())
        && name.bytes().all(is_plain)
        && !name.starts_with('.')
        && !name.ends_with('.')
        && !name.contains("..");
    is_name && host.contains('.') && is_hostname(host)
}

fn is_hostname(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(is_label)
}

fn is_pointer(text: &str) -> bool {
    let escapes = || text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    text.is_empty() || text.starts_with('/') && escapes()
}

fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    let is_part = |part: &str| !part.contains(|other: char| other <= ' ' || "\"<>\\^`{|}".contains(other));
    let escapes = || {
        rest.split('%').skip(1).all(|rest| {
            rest.get(..2).is_some_and(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
        })
    };
    is_scheme && !rest.is_empty() && is_part(rest) && escapes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_take_what_they_should() {
        let cases = [
            (Format::Date, "2024-02-29", "2023-02-29"),
            (Format::DateTime, "2020-01-01T00:00:00.123+02:00", "2020-01-01 00:00:00Z"),
            (Format::Time, "12:00:00Z", "12:00:00"),
            (Format::Email, "a.b@example.com", "a..b@example.com"),
            (Format::Hostname, "a-b.example", "-a.example"),
            (Format::Ipv4, "127.0.0.1", "127.0.0.256"),
            (Format::Ipv6, "::1", "::g"),
            (Format::JsonPointer, "/a~1b", "/a~2"),
            (Format::Regex, "^a", "("),
            (Format::Uri, "urn:isbn:0", "a b"),
        ];
        for (format, good, bad) in cases {
            assert_eq!(format.problem(good), None);
            let problem = format.problem(bad).unwrap();
            assert!(problem.starts_with(&format!("[{bad}] is not a valid ")), "{problem}");
        }
    }
}
