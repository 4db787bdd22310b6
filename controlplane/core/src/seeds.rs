//! Seeded random numbers for simulations: a failure names the seed that repeats it.
//!
//! Tests only. `LAKEWARD_SEED` runs one seed, `LAKEWARD_SEEDS` another number of them.

/// SplitMix64.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A number below `limit`.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    /// True once in `times`.
    pub(crate) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }
}

/// Runs a simulation from each seed.
pub(crate) fn each(mut simulate: impl FnMut(&mut Random)) {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seeds = match number("LAKEWARD_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("LAKEWARD_SEEDS").unwrap_or(200),
    };
    for seed in seeds {
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| simulate(&mut Random(seed))));
        assert!(outcome.is_ok(), "repeat it with LAKEWARD_SEED={seed}");
    }
}
