//! Windows against numbers worked out by hand; Java's classes give the same for these values and times.

use super::*;

/// Two samples of 1 s. 10 at 0 ms, 20 at 500, 30 at 1500 (second sample), 4 at 2600 and 6 at 2700 (third).
fn filled(until_ms: u64) -> Windowed {
    let windowed = Windowed::new(Window::new(2, 1000));
    for (value, at_ms) in [(10.0, 0), (20.0, 500), (30.0, 1500), (4.0, 2600), (6.0, 2700)] {
        if at_ms <= until_ms {
            windowed.record(value, at_ms);
        }
    }
    windowed
}

#[test]
fn averages_and_extremes_are_those_of_the_samples_in_the_window() {
    let cases = [
        (0, 10.0, 10.0, 10.0),
        (600, 15.0, 20.0, 10.0),
        (1600, 20.0, 30.0, 10.0),
        (2000, 20.0, 30.0, 10.0),
        // The first sample ended at 500 and is out.
        (2800, 40.0 / 3.0, 30.0, 4.0),
        (3500, 5.0, 6.0, 4.0),
        (4699, 5.0, 6.0, 4.0),
    ];
    for (now_ms, avg, max, min) in cases {
        let windowed = filled(now_ms);
        assert_eq!(windowed.avg(now_ms), avg, "at {now_ms}");
        assert_eq!(windowed.max(now_ms), max, "at {now_ms}");
        assert_eq!(windowed.min(now_ms), min, "at {now_ms}");
    }
}

#[test]
fn rates_are_over_at_least_all_samples_but_one() {
    let cases = [
        (0, 10.0),
        (600, 30.0 / 1.6),
        (1600, 60.0 / 1.6),
        (2000, 60.0 / 2.0),
        (2800, 40.0 / 1.3),
        (3500, 10.0 / 1.9),
        (3600, 10.0),
        (4650, 10.0 / 2.05),
        (4699, 10.0 / 2.099),
    ];
    for (now_ms, rate) in cases {
        let found = filled(now_ms).rate(now_ms);
        assert!((found - rate).abs() < 1e-9, "at {now_ms}: {found} instead of {rate}");
    }
}

#[test]
fn nothing_in_the_window_is_no_number_and_no_rate() {
    for (windowed, now_ms) in [(filled(9000), 4700), (filled(9000), 9000), (filled(0), 50_000)] {
        assert!(
            windowed.avg(now_ms).is_nan() && windowed.max(now_ms).is_nan() && windowed.min(now_ms).is_nan()
        );
        assert_eq!(windowed.rate(now_ms), 0.0);
    }
    assert_eq!(Windowed::new(Window::default()).rate(50), 0.0);
}

#[test]
fn a_value_after_a_long_silence_begins_anew() {
    let windowed = filled(9000);
    windowed.record(8.0, 9000);
    assert_eq!((windowed.avg(9000), windowed.max(9000), windowed.rate(9000)), (8.0, 8.0, 8.0));
}

#[test]
fn totals_go_on_when_the_window_has_passed() {
    let meter = Meter::new(Window::new(2, 1000));
    meter.add(100, 0);
    meter.add(50, 500);
    assert_eq!((meter.total(), meter.rate(500)), (150, 100.0));
    assert_eq!((meter.total(), meter.rate(5000)), (150, 0.0));
}

#[test]
fn shares_are_of_the_outcomes_in_the_window() {
    let outcomes = Outcomes::new(Window::new(2, 1000));
    assert_eq!((outcomes.success_share(0), outcomes.failure_share(0)), (0.0, 0.0));
    outcomes.success(0);
    outcomes.success(10);
    outcomes.success(20);
    outcomes.failure(30);
    assert_eq!((outcomes.success_share(40), outcomes.failure_share(40)), (0.75, 0.25));
    assert_eq!((outcomes.success_share(2030), outcomes.failure_share(2030)), (0.0, 0.0));
}

#[test]
fn a_window_of_very_many_samples_stays_as_long() {
    let window = Window::new(1_000_000, 1000);
    assert_eq!(window.total_ms(), 1_000_000_000);
    assert_eq!(Windowed::new(window).samples.len(), 65);
    assert_eq!(Window::new(0, 0), Window::new(1, 1));
}
