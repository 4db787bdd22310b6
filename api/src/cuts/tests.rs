//! The text of decided cuts, from seeds.

use super::*;

/// A small seeded generator (splitmix64).
struct Seeded(u64);

impl Seeded {
    fn below(&mut self, limit: u64) -> i64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        i64::try_from((mixed ^ (mixed >> 31)) % limit).unwrap()
    }

    fn cuts(&mut self, committed: i64, count: i64) -> Vec<Cut> {
        let mut start = committed;
        let mut cuts = Vec::new();
        for _ in 0..count {
            let end = start + 1 + self.below(5000);
            let mut clock = Vec::new();
            for base in 0..self.below(4) {
                let offset = start + base;
                if offset < end {
                    clock.push(ClockBase { offset, wall_ms: 1_700_000_000_000 + self.below(100_000) - 5000 });
                }
            }
            cuts.push(Cut { end, clock });
            start = end;
        }
        cuts
    }
}

#[test]
fn what_was_written_is_read_again_as_far_as_it_fits() {
    let mut cut_short = 0;
    for seed in 0..300 {
        let mut random = Seeded(seed);
        let committed = random.below(1 << 40);
        let count = random.below(400);
        let cuts = random.cuts(committed, count);
        let (text, written) = write("AAABBB", committed, &cuts);
        assert!(text.len() <= METADATA_BYTES_MAX, "seed {seed}");
        cut_short += usize::from(written < cuts.len());
        let expected = match written {
            0 => Recorded::Nothing,
            _ => Recorded::Cuts { fingerprint: "AAABBB".into(), cuts: cuts[..written].to_vec() },
        };
        assert_eq!(parse(committed, &text), expected, "seed {seed}: {text}");
    }
    assert!(cut_short > 10, "the limit was met");
}

#[test]
fn junk_is_told_from_cuts_and_never_trusted() {
    assert_eq!(parse(5, ""), Recorded::Nothing);
    for foreign in ["x", "{\"a\":1}", "lakeward", "Lakeward-cuts-1;AAA;5"] {
        assert_eq!(parse(5, foreign), Recorded::Foreign, "{foreign}");
    }
    let broken = [
        "lakeward-cuts-1",
        "lakeward-cuts-2;AAA;5",
        "lakeward-cuts-1;AAA;",
        "lakeward-cuts-1;AAA;0",
        "lakeward-cuts-1;AAA;-3",
        "lakeward-cuts-1;AAA;9223372036854775807",
        "lakeward-cuts-1;AAA;5@",
        "lakeward-cuts-1;AAA;5@1,0:1",
        "lakeward-cuts-1;AAA;5@1,5:1",
        "lakeward-cuts-1;AAA;5@1,2",
        "lakeward-cuts-1;AAA;5@9223372036854775807;5@1",
        "lakeward-cuts-1;AAA;5;x",
    ];
    for text in broken {
        assert_eq!(parse(5, text), Recorded::Unreadable, "{text}");
    }
    assert_eq!(parse(0, &format!("lakeward-cuts-1;AAA{}", ";1".repeat(40_000))), Recorded::Unreadable);
}

#[test]
fn any_change_of_a_text_is_read_or_refused_without_a_panic() {
    let mut random = Seeded(7);
    let cuts = random.cuts(1000, 12);
    let (text, _) = write("AAABBBCCC", 1000, &cuts);
    for seed in 0..5000 {
        let mut random = Seeded(seed);
        let mut bytes = text.clone().into_bytes();
        for _ in 0..=random.below(3) {
            let at = usize::try_from(random.below(bytes.len() as u64)).unwrap();
            bytes[at] = u8::try_from(random.below(128)).unwrap();
        }
        let changed = String::from_utf8(bytes).unwrap();
        if let Recorded::Cuts { cuts, .. } = parse(1000, &changed) {
            let mut start = 1000;
            for cut in cuts {
                assert!(cut.end > start && cut.clock.iter().all(|base| base.offset < cut.end), "{changed}");
                start = cut.end;
            }
        }
    }
}

#[test]
fn the_clock_of_a_record_is_that_of_the_last_base_at_or_before_it() {
    let base = |offset, wall_ms| ClockBase { offset, wall_ms };
    let cut = Cut { end: 30, clock: vec![base(12, 1), base(20, 2), base(25, 3)] };
    assert_eq!(cut.clock_at(10), (Some(1), Some(20)), "the first base counts from the beginning");
    assert_eq!(cut.clock_at(19), (Some(1), Some(20)));
    assert_eq!(cut.clock_at(20), (Some(2), Some(25)));
    assert_eq!(cut.clock_at(29), (Some(3), None));
    assert_eq!(Cut { end: 30, clock: Vec::new() }.clock_at(3), (None, None));
}
