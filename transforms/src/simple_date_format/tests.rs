//! Every expectation here was printed by Java 17.

use super::*;

fn compiled(pattern: &str) -> SimpleDateFormat {
    // 2024-06-01T00:00:00Z.
    SimpleDateFormat::compile_at(pattern, 1_717_200_000_000).unwrap()
}

#[test]
fn instants_become_texts() {
    for (pattern, ms, expected) in GOLDEN_TEXTS {
        assert_eq!(compiled(pattern).text(*ms), *expected, "{pattern} of {ms}");
    }
}

#[test]
fn many_instants_become_the_same_texts_as_one() {
    let patterns = [
        "yyyy-MM-dd'T'HH:mm:ss.SSSX",
        "G YYYY-'W'ww-u W DDD F EEE MMM yy y hh a KK kk SSSS z zzzz Z é",
        "yyyyyy MMM LL dddd HHH mmmm ssss SSSSSS",
        "d MMMM yyyy H:m",
        "",
    ];
    for pattern in patterns {
        let format = compiled(pattern);
        let mut writer = format.writer();
        let mut check = |ms: i64| {
            let mut text = Vec::new();
            writer.append(&mut text, ms);
            assert_eq!(String::from_utf8(text).unwrap(), format.text(ms), "{pattern} of {ms}");
        };
        for end in [i64::MIN, -12_219_292_800_000, 0, 253_370_764_800_000, 253_402_300_800_000, i64::MAX] {
            (-3..=3).for_each(|step| check(end.saturating_add(step * 43_200_000 - 1)));
            (-1..=1).for_each(|step| check(end.saturating_add(step)));
        }
        let mut ms = -62_200_000_000_000_i64;
        while ms < 253_500_000_000_000 {
            check(ms);
            check(ms + 345_600_000);
            ms += 29_876_543_210;
        }
    }
}

#[test]
fn texts_become_instants() {
    for (pattern, text, expected) in GOLDEN_INSTANTS {
        assert_eq!(compiled(pattern).parse(text), *expected, "{pattern} of {text}");
    }
}

#[test]
fn wrong_patterns_are_refused() {
    for (pattern, expected) in [
        ("b", "Illegal pattern character 'b'"),
        ("'abc", "Unterminated quote"),
        ("XXXX", "invalid ISO 8601 format: length=4"),
    ] {
        assert_eq!(SimpleDateFormat::compile(pattern).unwrap_err(), expected);
    }
}

#[test]
fn two_digits_mean_the_last_80_or_the_next_20_years() {
    let format = compiled("yyyy");
    let short = compiled("yy-MM-dd");
    for (text, expected) in
        [("43-01-01", "2043"), ("44-05-31", "2044"), ("44-06-01", "1944"), ("45-01-01", "1945")]
    {
        assert_eq!(format.text(short.parse(text).unwrap()), expected, "{text}");
    }
}

#[test]
fn instants_survive_both_ways() {
    let format = compiled("G yyyy-MM-dd'T'HH:mm:ss.SSSX");
    let mut ms = -100_000_000_000_000_i64;
    while ms < 100_000_000_000_000 {
        assert_eq!(format.parse(&format.text(ms)), Some(ms));
        ms += 12_345_678_901;
    }
}

const GOLDEN_TEXTS: &[(&str, i64, &str)] = &[
    ("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'", 1_704_164_645_678, "2024-01-02T03:04:05.678Z"),
    ("EEE, d MMM yy h:mm a", 1_704_164_645_678, "Tue, 2 Jan 24 3:04 AM"),
    ("EEEE MMMM K k u F", 1_704_164_645_678, "Tuesday January 3 3 2 1"),
    ("YYYY-'W'ww-u W D", 1_735_603_200_000, "2025-W01-2 5 366"),
    ("YYYY ww", 1_704_067_200_000, "2024 01"),
    ("z zzzz Z X XX XXX", 0, "UTC Coordinated Universal Time +0000 Z Z Z"),
    ("G yyyy-MM-dd", -12_219_292_800_001, "AD 1582-10-04"),
    ("G yyyy-MM-dd", -12_219_292_800_000, "AD 1582-10-15"),
    ("G yyyy-MM-dd w W F D", -62_135_769_600_001, "BC 0001-12-31 1 5 5 366"),
    ("yyyy", 253_402_300_800_000, "10000"),
    ("yy", 253_402_300_800_000, "00"),
    ("''y'o''clock'", 0, "'1970o'clock"),
    ("y yyy yyyyy", i64::MIN, "292269055 292269055 292269055"),
];

const GOLDEN_INSTANTS: &[(&str, &str, Option<i64>)] = &[
    ("yyyy-MM-dd", "2024-13-40 rest", Some(1_739_059_200_000)),
    ("yyyyMMdd", "20240102", Some(1_704_153_600_000)),
    ("yyyy-MM-dd", "  2024- 1-2", Some(1_704_153_600_000)),
    ("yyyy-MM-dd", "24-1-2", Some(-61_409_923_200_000)),
    ("yyyy-MM-dd", "x", None),
    ("yyyy-MM-dd", "", None),
    ("yyyy-MM-dd", "2024-01", None),
    ("d MMMM yyyy", "2 jAnUary 2024", Some(1_704_153_600_000)),
    ("d MMM yyyy", "2 January 2024", Some(1_704_153_600_000)),
    ("EEE d MMM yyyy", "Fri 2 Jan 2024", Some(1_704_153_600_000)),
    ("hh:mm a", "12:30 am", Some(1_800_000)),
    ("hh:mm a", "12:30 PM", Some(45_000_000)),
    ("kk:mm", "24:10", Some(600_000)),
    ("HH:mm:ssX", "03:04:05+01", Some(7_445_000)),
    ("HH:mm:ssXXX", "03:04:05-01:30", Some(16_445_000)),
    ("HH:mm:ssXXX", "03:04:05-0130", None),
    ("HH:mm:ss Z", "03:04:05 -0130", Some(16_445_000)),
    ("HH:mm:ss z", "03:04:05 GMT+2:00", Some(3_845_000)),
    ("HH:mm:ss z", "03:04:05 PST", Some(39_845_000)),
    ("YYYY-'W'ww-u", "2024-W01-1", Some(1_704_067_200_000)),
    ("YYYY ww", "2024 53", Some(1_735_430_400_000)),
    ("yyyy DDD", "2024 366", Some(1_735_603_200_000)),
    ("yyyy MM W u", "2024 02 3 5", Some(1_708_041_600_000)),
    ("yyyy MM F E", "2024 02 -1 Fri", Some(1_708_646_400_000)),
    ("G yyyy", "BC 44", Some(-63_524_304_000_000)),
    ("yyyy-MM-dd", "1582-10-10", Some(-12_218_860_800_000)),
    ("yyyy-MM-dd", "1582-10-04", Some(-12_219_379_200_000)),
    ("yyyy", "1e3", Some(-62_135_769_600_000)),
    ("yyyy", "-5", Some(-62_325_158_400_000)),
    ("S", "-1", Some(-1)),
    ("yyyy", "١٩٧٠", Some(0)),
    ("'a'd", "a5", Some(345_600_000)),
];
