//! Pseudo-random numbers without state: every cell of a column is a function of its row's seed.
//!
//! Source: the finalizer of splitmix64.

/// What the state of a task grows by with each record.
pub(super) const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// 64 bits that look random, a different value for each different input.
pub(super) fn mix(value: u64) -> u64 {
    let mut mixed = value.wrapping_add(STEP);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// A number below `limit`, which is not 0.
pub(super) fn below(bits: u64, limit: u64) -> u64 {
    let product = u128::from(bits) * u128::from(limit);
    u64::try_from(product >> 64).expect("the upper half of a product")
}

/// A number from 0 up to but not 1.
pub(super) fn unit(bits: u64) -> f64 {
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}

/// Numbers for a cell that needs several.
#[derive(Debug)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        mix(self.0)
    }
}
