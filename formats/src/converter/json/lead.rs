//! What stands before a value in the text of most records: a comma, the key and the colon, spelled as the
//! last records spelled it, white space included.

use wide::i8x16;

use super::scan::BLOCK;

/// The bytes that are expected before a value.
#[derive(Clone, Debug)]
pub(super) struct Lead {
    start: Start,
    /// The last sixteen bytes of a lead that is longer.
    tail: u128,
    /// All of it.
    spelling: Box<[u8]>,
}

impl Lead {
    /// A lead that no JSON has: where these bytes are passed, nothing else can be.
    pub(super) fn unknown() -> Self {
        Self { start: Start::new(&[0xff; BLOCK], BLOCK, 0), tail: 0, spelling: Box::default() }
    }

    /// A lead that is no text at all.
    pub(super) fn none() -> Self {
        Self { start: Start::new(&[0; BLOCK], 0, 0), tail: 0, spelling: Box::default() }
    }

    /// The lead that is spelled `text`; unknown when that is not worth keeping.
    pub(super) fn of(text: &[u8]) -> Self {
        if text.is_empty() || text.len() > BYTES_MAX {
            return Self::unknown();
        }
        let first = &text[..text.len().min(BLOCK)];
        let mut head = [0; BLOCK];
        head[..first.len()].copy_from_slice(first);
        let tail = text.last_chunk().map_or(0, |tail| u128::from_le_bytes(*tail));
        Self { start: Start::new(&head, first.len(), text.len()), tail, spelling: text.into() }
    }

    /// The text after the lead when `text` starts with it. Needs a block of text, whatever the lead.
    #[inline(always)]
    pub(super) fn pass<'a>(&self, text: &'a [u8]) -> Option<&'a [u8]> {
        if !self.start.is_at(text.first_chunk()?) {
            return None;
        }
        if self.start.has_more() { text.strip_prefix(&*self.spelling) } else { text.get(self.start.bytes..) }
    }

    /// Where the lead at `at` in `text` ends, when it stands there. Needs a block of text, whatever the lead.
    #[inline(always)]
    pub(super) fn end(&self, text: &[u8], at: usize) -> Option<usize> {
        let end = self.start.end(text, at)?;
        let is_all = !self.start.has_more() || self.ends_at(text, at, end);
        is_all.then_some(end)
    }

    /// Whether a lead of more than a block, whose first block stands at `at`, ends at `end`.
    #[inline(always)]
    fn ends_at(&self, text: &[u8], at: usize, end: usize) -> bool {
        let tail = text.get(end - BLOCK..).and_then(|tail| tail.first_chunk());
        tail.is_some_and(|tail| u128::from_le_bytes(*tail) == self.tail)
            && (self.start.bytes <= 2 * BLOCK || text[at..].starts_with(&self.spelling))
    }

    /// What of the lead is in its first block: little enough to be kept at hand.
    #[inline(always)]
    pub(super) fn start(&self) -> Start {
        self.start
    }

    /// Whether what [`Start::end`] did not look at stands before `end`, too.
    #[inline(never)]
    pub(super) fn goes_on(&self, text: &[u8], end: usize) -> bool {
        end.checked_sub(self.start.bytes).is_some_and(|at| self.ends_at(text, at, end))
    }

    /// All of it; empty when it is unknown.
    pub(super) fn spelling(&self) -> &[u8] {
        &self.spelling
    }
}

/// The first block of a [`Lead`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Start {
    /// Zeros after a shorter lead.
    head: i8x16,
    /// A bit for each byte of `head` that counts.
    mask: u32,
    /// Bytes of the lead.
    bytes: usize,
}

impl Start {
    fn new(head: &[u8; BLOCK], counted: usize, bytes: usize) -> Self {
        Self { head: i8x16::new(head.map(u8::cast_signed)), mask: (1 << counted) - 1, bytes }
    }

    #[inline(always)]
    fn is_at(&self, block: &[u8; BLOCK]) -> bool {
        let same = i8x16::new(block.map(u8::cast_signed)).simd_eq(self.head);
        same.to_bitmask() & self.mask == self.mask
    }

    /// Where the lead at `at` in `text` ends when its first block stands there.
    #[inline(always)]
    pub(super) fn end(self, text: &[u8], at: usize) -> Option<usize> {
        let chunk = text.get(at..)?.first_chunk()?;
        self.is_at(chunk).then_some(at + self.bytes)
    }

    /// Whether the lead is longer than a block: [`Lead::goes_on`] has to be asked then.
    #[inline(always)]
    pub(super) fn has_more(self) -> bool {
        self.bytes > BLOCK
    }
}

/// Longer keys (and longer white space) are looked for in the usual way.
const BYTES_MAX: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lead_passes_itself_alone() {
        for length in 1..=40 {
            let lead: Vec<u8> = (0..length).map(|at| b'a' + at).collect();
            let text = [&lead, &b"-nd"[..], &[0; BLOCK]].concat();
            assert_eq!(Lead::of(&lead).pass(&text), Some(&text[lead.len()..]));
            let further = [&b"??"[..], &text].concat();
            assert_eq!(Lead::of(&lead).end(&further, 2), Some(2 + lead.len()));
            assert_eq!(Lead::of(&lead).end(&further, 1), None);
            let (lead_of, mut others) = (Lead::of(&lead), further.clone());
            others[2 + lead.len() - 1] ^= 1;
            for text in [&further, &others] {
                for at in 0..=2 {
                    let is_all = |end: &usize| !lead_of.start().has_more() || lead_of.goes_on(text, *end);
                    let end = lead_of.start().end(text, at).filter(is_all);
                    assert_eq!(end, lead_of.end(text, at));
                }
            }
            assert_eq!(Lead::of(&lead).pass(&text[1..]), None);
            for at in 0..lead.len() {
                let mut other = text.clone();
                other[at] ^= 1;
                assert_eq!(Lead::of(&lead).pass(&other), None);
                other[at..].fill(0);
                assert_eq!(Lead::of(&lead).pass(&other), None, "cut off");
            }
        }
        for unknown in [Lead::unknown(), Lead::of(b""), Lead::of(&[b'a'; BYTES_MAX + 1])] {
            assert_eq!(unknown.pass(&[b'a'; BYTES_MAX + 1]), None);
            assert_eq!(unknown.pass(&[0; BLOCK]), None);
            assert_eq!(unknown.pass(b""), None);
        }
    }
}
