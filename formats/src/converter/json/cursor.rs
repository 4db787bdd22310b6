//! A position in one JSON text: white space, strings, key words and whole values to be skipped.
//!
//! Owns the grammar. Every method checks what it passes over, needs time linear in the text and never panics
//! on any bytes. The text must be valid UTF-8 (the caller checks once per record).
//!
//! Source: RFC 8259 with the leniencies of Jackson as `JsonDeserializer` configures it: numbers may have
//! leading zeros, bytes after the first value are not looked at.

use super::fault::{Parsed, syntax};

/// A position in a JSON text.
#[derive(Clone, Debug)]
pub(super) struct Cursor<'a> {
    /// The whole text.
    pub(super) bytes: &'a [u8],
    /// Index of the next byte.
    pub(super) pos: usize,
}

/// The inside of a JSON string, quotes excluded.
#[derive(Clone, Copy, Debug)]
pub(super) struct RawText<'a> {
    /// The bytes as written.
    pub(super) bytes: &'a [u8],
    /// Whether escapes have to be resolved.
    pub(super) form: TextForm,
}

/// Whether a JSON string holds escapes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TextForm {
    Escaped,
    Plain,
}

impl<'a> Cursor<'a> {
    /// A cursor at the start of `bytes`, after a byte order mark if there is one. Jackson takes three bytes
    /// that are nothing else for text.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        let pos = if bytes.len() > 3 && bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        Self { bytes, pos }
    }

    /// Skips white space and returns the next byte without passing it; 0 at the end.
    #[inline]
    pub(super) fn token(&mut self) -> u8 {
        while let Some(&byte) = self.bytes.get(self.pos) {
            if byte > b' ' || !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return byte;
            }
            self.pos += 1;
        }
        0
    }

    /// Passes `byte`, which must be the next token.
    #[inline]
    pub(super) fn expect(&mut self, byte: u8, what: &'static str) -> Parsed<()> {
        if self.token() != byte {
            return Err(syntax(what, self.pos));
        }
        self.pos += 1;
        Ok(())
    }

    /// Passes the key word `word`.
    #[inline]
    pub(super) fn word(&mut self, word: &'static [u8]) -> Parsed<()> {
        if !self.bytes[self.pos..].starts_with(word) {
            return Err(syntax("unexpected character", self.pos));
        }
        self.pos += word.len();
        Ok(())
    }

    /// Passes a string; the next byte must be its opening quote.
    #[inline]
    pub(super) fn string(&mut self) -> Parsed<RawText<'a>> {
        self.pos += 1;
        self.string_content()
    }

    /// Passes the rest of a string after its opening quote.
    #[inline]
    pub(super) fn string_content(&mut self) -> Parsed<RawText<'a>> {
        let start = self.pos;
        let end = text_end(self.bytes, start);
        if self.bytes.get(end) == Some(&b'"') {
            self.pos = end + 1;
            return Ok(RawText { bytes: &self.bytes[start..end], form: TextForm::Plain });
        }
        self.escaped_string(start, end)
    }

    #[cold]
    fn escaped_string(&mut self, start: usize, mut at: usize) -> Parsed<RawText<'a>> {
        loop {
            match self.bytes.get(at) {
                Some(b'"') => {
                    self.pos = at + 1;
                    return Ok(RawText { bytes: &self.bytes[start..at], form: TextForm::Escaped });
                }
                Some(b'\\') => at = self.pass_escape(at)?,
                Some(_) => return Err(syntax("control character in a string", at)),
                None => return Err(syntax("end of text in a string", at)),
            }
            at = text_end(self.bytes, at);
        }
    }

    /// The index after the escape that starts at `at`.
    fn pass_escape(&self, at: usize) -> Parsed<usize> {
        match self.bytes.get(at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 2),
            Some(b'u') => match self.bytes.get(at + 2..at + 6) {
                Some(hex) if hex.iter().all(u8::is_ascii_hexdigit) => Ok(at + 6),
                _ => Err(syntax("bad escape", at)),
            },
            _ => Err(syntax("bad escape", at)),
        }
    }

    /// Passes a member name and its colon.
    #[inline]
    pub(super) fn member_name(&mut self) -> Parsed<RawText<'a>> {
        if self.token() != b'"' {
            return Err(syntax("expected a member name", self.pos));
        }
        let name = self.string()?;
        self.expect(b':', "expected a colon")?;
        Ok(name)
    }

    /// After an item or member: passes `,` and answers true, or passes `close` and answers false.
    #[inline]
    pub(super) fn has_more(&mut self, close: u8) -> Parsed<bool> {
        let token = self.token();
        if token == b',' {
            self.pos += 1;
            return Ok(true);
        }
        if token != close {
            return Err(syntax("expected a comma or the end of the container", self.pos));
        }
        self.pos += 1;
        Ok(false)
    }

    /// Passes the opening bracket; answers whether the container has content, else passes `close`, too.
    #[inline]
    pub(super) fn enter(&mut self, close: u8) -> bool {
        self.pos += 1;
        let empty = self.token() == close;
        self.pos += usize::from(empty);
        !empty
    }

    /// Passes one value of any kind.
    pub(super) fn skip_value(&mut self) -> Parsed<()> {
        let mut open = Nesting::default();
        loop {
            match self.token() {
                b'{' if self.enter(b'}') => {
                    open.push(Container::Object, self.pos)?;
                    self.member_name()?;
                    continue;
                }
                b'[' if self.enter(b']') => {
                    open.push(Container::Array, self.pos)?;
                    continue;
                }
                // Empty containers were passed by `enter`.
                b'{' | b'[' => {}
                _ => self.skip_scalar()?,
            }
            loop {
                let Some(container) = open.last() else { return Ok(()) };
                match container {
                    Container::Array if self.has_more(b']')? => break,
                    Container::Object if self.has_more(b'}')? => {
                        self.member_name()?;
                        break;
                    }
                    Container::Array | Container::Object => open.depth -= 1,
                }
            }
        }
    }

    /// Passes one value and returns its source text.
    pub(super) fn raw_value(&mut self) -> Parsed<&'a [u8]> {
        self.token();
        let start = self.pos;
        self.skip_value()?;
        Ok(&self.bytes[start..self.pos])
    }

    fn skip_scalar(&mut self) -> Parsed<()> {
        match self.token() {
            b'"' => self.string().map(|_| ()),
            b'-' | b'0'..=b'9' => self.number().map(|_| ()),
            b't' => self.word(b"true"),
            b'f' => self.word(b"false"),
            b'n' => self.word(b"null"),
            0 if self.pos >= self.bytes.len() => {
                Err(syntax("end of text where a value was expected", self.pos))
            }
            _ => Err(syntax("unexpected character", self.pos)),
        }
    }

    /// After the value of a whole record: a blank must follow a number, and nothing that could belong to it
    /// may follow a key word; Jackson takes a character beyond ASCII there for damaged. Anything else is not
    /// read.
    pub(super) fn end_of_record(&self) -> Parsed<()> {
        let before = self.pos.checked_sub(1).and_then(|at| self.bytes.get(at));
        let Some(byte) = self.bytes.get(self.pos) else { return Ok(()) };
        let runs_on = match before {
            Some(b'0'..=b'9') => !matches!(byte, b' ' | b'\n' | b'\r' | b'\t'),
            Some(before) if before.is_ascii_alphabetic() => {
                matches!(byte, b'0'..=b'9' | b'A'..=b'Z' | b'_' | b'a'..=b'z' | 0x7f..)
            }
            _ => false,
        };
        if runs_on { Err(syntax("unexpected character", self.pos)) } else { Ok(()) }
    }
}

/// Index of the first quote, backslash or control character at or after `at`; the length of `bytes` if there
/// is none.
///
/// Eight bytes at a time: a lane's high bit is set when the lane matches. Borrows can set false bits only
/// above a true match, so the lowest set bit is exact.
#[inline]
pub(super) fn text_end(bytes: &[u8], mut at: usize) -> usize {
    while let Some(lanes) = bytes.get(at..at + 8) {
        let word = u64::from_le_bytes(lanes.try_into().expect("the slice has eight bytes"));
        let quote = word ^ (LANES * b'"' as u64);
        let backslash = word ^ (LANES * b'\\' as u64);
        let found = (quote.wrapping_sub(LANES) & !quote)
            | (backslash.wrapping_sub(LANES) & !backslash)
            | (word.wrapping_sub(LANES * 0x20) & !word);
        let found = found & (LANES * 0x80);
        if found != 0 {
            return at + (found.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while let Some(&byte) = bytes.get(at) {
        if byte == b'"' || byte == b'\\' || byte < 0x20 {
            return at;
        }
        at += 1;
    }
    at
}

/// Which containers are open while a value is skipped, as bits.
#[derive(Default)]
struct Nesting {
    objects: [u64; DEPTH_MAX / 64],
    depth: usize,
}

#[derive(Clone, Copy)]
enum Container {
    Array,
    Object,
}

impl Nesting {
    fn push(&mut self, container: Container, at: usize) -> Parsed<()> {
        if self.depth == DEPTH_MAX {
            return Err(syntax("more nested containers than are supported", at));
        }
        let bit = 1 << (self.depth % 64);
        match container {
            Container::Array => self.objects[self.depth / 64] &= !bit,
            Container::Object => self.objects[self.depth / 64] |= bit,
        }
        self.depth += 1;
        Ok(())
    }

    fn last(&self) -> Option<Container> {
        let index = self.depth.checked_sub(1)?;
        let object = self.objects[index / 64] >> (index % 64) & 1 == 1;
        Some(if object { Container::Object } else { Container::Array })
    }
}

const LANES: u64 = 0x0101_0101_0101_0101;

/// Containers that may be open at once; Jackson's limit is 1000.
const DEPTH_MAX: usize = 1024;
