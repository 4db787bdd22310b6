//! Seeded random data for the property tests of this crate.

/// A seeded generator (splitmix64).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// 64 random bits.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    /// One of `bytes`.
    pub(crate) fn pick(&mut self, bytes: &[u8]) -> u8 {
        bytes[self.below(bytes.len())]
    }

    /// A JSON value with up to `depth` levels of containers.
    pub(crate) fn json(&mut self, depth: usize) -> String {
        match self.below(if depth == 0 { 7 } else { 10 }) {
            0 => "null".to_owned(),
            1 => ["true", "false"][self.below(2)].to_owned(),
            2 => (self.next() as i64 >> self.below(64)).to_string(),
            3 => format!("{}e{}", self.below(1000) as f64 / 8.0, self.below(6)),
            4 => format!("\"{}\"", ["", "a", "é😀", "\\u0041\\n", "long enough for lanes"][self.below(5)]),
            5 => ["0", "-1", "1.5", "9007199254740993", "12345678901234567890", "1e999"][self.below(6)]
                .to_owned(),
            6 => ["{}", "[]", "[null]", "{\"a\":null}"][self.below(4)].to_owned(),
            7 | 8 => self.object(depth - 1),
            _ => {
                let items: Vec<String> = (0..self.below(4)).map(|_| self.json(depth - 1)).collect();
                format!("[{}]", items.join(","))
            }
        }
    }

    /// A JSON object of a few members.
    pub(crate) fn object(&mut self, depth: usize) -> String {
        let mut names = vec!["a", "b", "c", "d\\u0064", "e e"];
        let members: Vec<String> = (0..self.below(5))
            .map(|_| format!("\"{}\": {}", names.swap_remove(self.below(names.len())), self.json(depth)))
            .collect();
        format!("{{{}}}", members.join(" ,"))
    }
}
