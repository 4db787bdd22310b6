//! Bytes to lines. A line ends at `\n`, `\r` or `\r\n`; what follows the last end waits for more bytes.

use memchr::memchr2;

/// Bytes that were read and are not taken as lines yet. Memory: what one read brought, and one incomplete
/// line.
#[derive(Debug, Default)]
pub(super) struct Lines {
    bytes: Vec<u8>,
    /// Where the next line starts.
    start: usize,
    /// Up to here no end of line was found.
    scanned: usize,
}

impl Lines {
    /// Appends bytes.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        if self.start > 0 {
            self.bytes.drain(..self.start);
            self.scanned -= self.start;
            self.start = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// The next complete line without its end, and how many bytes it takes with its end.
    pub(super) fn next(&mut self) -> Option<(&[u8], usize)> {
        let Some(found) = memchr2(b'\n', b'\r', &self.bytes[self.scanned..]) else {
            self.scanned = self.bytes.len();
            return None;
        };
        let end = self.scanned + found;
        self.scanned = end;
        let next = match (self.bytes[end], self.bytes.get(end + 1)) {
            // The line feed of this pair may not be there yet.
            (b'\r', None) => return None,
            (b'\r', Some(b'\n')) => end + 2,
            _ => end + 1,
        };
        let line = self.start..end;
        let taken = next - self.start;
        (self.start, self.scanned) = (next, next);
        Some((&self.bytes[line], taken))
    }

    /// Bytes of lines that were not taken.
    pub(super) fn waiting_bytes(&self) -> usize {
        self.bytes.len() - self.start
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines and their sizes of `text`, given in pieces of `piece` bytes.
    fn split(text: &[u8], piece: usize) -> (Vec<(String, usize)>, usize) {
        let mut lines = Lines::default();
        let mut found = Vec::new();
        for piece in text.chunks(piece) {
            lines.push(piece);
            while let Some((line, taken)) = lines.next() {
                found.push((String::from_utf8_lossy(line).into_owned(), taken));
            }
        }
        (found, lines.waiting_bytes())
    }

    #[test]
    fn every_kind_of_end_is_found_wherever_reads_are_cut() {
        let text = b"a\nbc\r\n\r\r\nd\r\n\n e \rf\n\xc3\xa4\nrest";
        let whole = split(text, text.len());
        let expected =
            [("a", 2), ("bc", 4), ("", 1), ("", 2), ("d", 3), ("", 1), (" e ", 4), ("f", 2), ("\u{e4}", 3)];
        let expected: Vec<(String, usize)> =
            expected.iter().map(|(line, taken)| ((*line).to_owned(), *taken)).collect();
        assert_eq!(whole, (expected, 4));
        for piece in 1..text.len() {
            assert_eq!(split(text, piece), whole, "pieces of {piece} bytes");
        }
    }

    #[test]
    fn a_carriage_return_at_the_end_waits_for_the_next_byte() {
        assert_eq!(split(b"a\r", 2), (Vec::new(), 2));
    }
}
