//! Patterns against what Joda-Time printed for them, and the letters one by one.

use chrono::DateTime;

use super::super::time::bucket_start;
use super::super::zone::Zone;
use super::*;

fn show(pattern: &str, utc: &str, zone: &str, locale: &str) -> String {
    let utc_ms = DateTime::parse_from_rfc3339(utc).unwrap().timestamp_millis();
    let mut out = String::new();
    let locality = Locality::new(zone, locale).unwrap();
    Pattern::parse(pattern).unwrap().print(utc_ms, &locality, &mut out).unwrap();
    out
}

/// `cases.txt` is written by `generate/JodaTables.java`: zone, locale, pattern, duration, time, directory; or
/// a zone that there is not. `LAKEWARD_JODA_CASES` names a larger file of the same kind.
#[test]
fn directories_are_jodas() {
    let given = std::env::var("LAKEWARD_JODA_CASES");
    let cases = match given {
        Ok(path) => std::fs::read_to_string(path).unwrap(),
        Err(_) => include_str!("cases.txt").to_owned(),
    };
    let (mut count, mut differences) = (0, Vec::new());
    // Neighbours share zone and locale, and tables are long.
    let mut last: Option<((String, String), Locality)> = None;
    for line in cases.lines() {
        count += 1;
        let (expected, ours) = match line.split('\t').collect::<Vec<_>>()[..] {
            [zone, "!"] => ("none", if Zone::parse(zone).is_none() { "none" } else { "a zone" }.to_owned()),
            [zone, locale, pattern, duration, time, expected] => {
                let names = (zone.to_owned(), locale.to_owned());
                if last.as_ref().is_none_or(|(known, _)| *known != names) {
                    last = Locality::new(zone, locale).map(|locality| (names, locality));
                }
                let (_, locality) = last.as_ref().unwrap_or_else(|| panic!("no zone {zone}"));
                let (duration, time) = (duration.parse().unwrap(), time.parse().unwrap());
                let start = bucket_start(locality.zone, duration, time);
                let mut out = String::new();
                Pattern::parse(pattern).unwrap().print(start, locality, &mut out).unwrap();
                (expected, out)
            }
            _ => panic!("{line}"),
        };
        if ours != expected {
            differences.push(format!("{line}\n  ours {ours}"));
        }
    }
    assert!(count >= 2000, "{count} cases");
    let shown = differences.iter().take(40).cloned().collect::<Vec<_>>().join("\n");
    assert!(differences.is_empty(), "{} of {count} differ:\n{shown}", differences.len());
}

#[test]
fn letters_mean_what_joda_means() {
    let at = "2024-12-30T15:04:05.067Z";
    let cases = [
        ("'year'=YYYY/'month'=MM/'day'=dd/'hour'=HH", "year=2024/month=12/day=30/hour=15"),
        ("yyyy-MM-dd", "2024-12-30"),
        ("xxxx-'W'ww-e", "2025-W01-1"),
        ("yy YY xx", "24 24 25"),
        ("D DDDD", "365 0365"),
        ("E EEE EEEE", "Mon Mon Monday"),
        ("M MM MMM MMMM", "12 12 Dec December"),
        ("h hh K k a", "3 03 3 15 PM"),
        ("m:ss.SSSSS", "4:05.06700"),
        ("S", "0"),
        ("Z ZZ", "+0000 +00:00"),
        ("C G", "20 AD"),
        ("''yyyy'o''clock'", "'2024o'clock"),
    ];
    for (pattern, expected) in cases {
        assert_eq!(show(pattern, at, "UTC", "en"), expected, "{pattern}");
    }
    assert_eq!(show("kk hh a", "2024-01-01T00:00:00Z", "UTC", "en"), "24 12 AM");
    assert_eq!(show("HH ZZ", "2024-01-01T00:00:00Z", "-03:30", "en"), "20 -03:30");
    let zone = |locale| show("z|zzzz", "2024-07-01T00:00:00Z", "Europe/Paris", locale);
    assert_eq!(zone("en"), "CEST|Central European Summer Time");
    assert_eq!(zone("FR"), "CEST|heure d’été d’Europe centrale");
    assert_eq!(zone("fr_FR"), zone("nonsense"), "a language that Java does not know");
}

#[test]
fn unknown_letters_are_named() {
    assert_eq!(Pattern::parse("yyyy-jj"), Err(PatternError::Illegal("jj".to_owned())));
    assert_eq!(Pattern::parse(""), Err(PatternError::Empty));
    let has_words = |text| Pattern::parse(text).unwrap().has_words();
    assert!(has_words("MMM") && has_words("z") && has_words("ZZZ"));
    assert!(!has_words("'E'MM") && !has_words("ZZ"));
}
