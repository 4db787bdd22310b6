//! Reading a record on the assumption that it looks like the ones before.
//!
//! Every function takes the text from where it is to read and returns the text after what it read. `None`
//! says that the record does not fit (or is no JSON at all): the caller forgets what was appended of it.

use super::super::cursor::{Cursor, TextForm};
use super::super::dynamic::DynamicReader;
use super::super::lead::Lead;
use super::super::number::Number;
use super::super::scan::{BLOCK, FLOAT_POWERS, ascii_text_bytes, decimal, digits};
use super::node::{Cells, List, Member, Node, Object, Room, Texts};

/// Zeros that follow a record's text, so that a block of bytes can be looked at wherever a value may start.
pub(super) const PADDING: usize = 32;

/// What there is to know about the record that is read.
#[derive(Debug)]
pub(super) struct Record {
    /// Whether a text was taken over that is not plain ASCII: the record must be checked to be UTF-8.
    pub(super) encoding: Encoding,
    pub(super) room: Room,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Ascii,
    Unchecked,
}

impl Node {
    /// Appends the value at the start of `text`.
    ///
    /// Recursion is bounded by the depth of the template.
    #[inline(always)]
    pub(super) fn append<'a>(&mut self, record: &mut Record, text: &'a [u8]) -> Option<&'a [u8]> {
        let appended = match &mut self.cells {
            Cells::Text(texts) if text.first_chunk::<{ BLOCK + 1 }>().is_some_and(|text| text[0] == b'"') => {
                return texts.append(record, &text[1..]);
            }
            Cells::Int64(numbers) => digits(text).and_then(|(number, count)| {
                numbers.push(number as i64);
                text.get(count..)
            }),
            Cells::Float64(numbers) => decimal(text).and_then(|decimal| {
                // Both are exact, so the quotient is rounded once, as it should be.
                let is_exact = decimal.mantissa <= EXACT_MAX;
                let rest = text.get(decimal.bytes..).filter(|_| is_exact)?;
                numbers.push(decimal.mantissa as f64 / FLOAT_POWERS[decimal.part_digits]);
                Some(rest)
            }),
            Cells::Boolean(flags) => boolean(text).map(|(flag, text)| {
                flags.push(flag);
                text
            }),
            Cells::Object(object) if text.first() == Some(&b'{') => return object.append(record, text),
            Cells::List(list) if text.first() == Some(&b'[') => return list.append(record, text),
            _ => None,
        };
        match appended {
            Some(end) => Some(end),
            // A null is the value that most often is none of the kind.
            None if text.first_chunk() == Some(b"null") => {
                self.push_null()?;
                text.get(4..)
            }
            None => self.append_other(record, text),
        }
    }

    #[cold]
    fn append_again<'a>(&mut self, record: &mut Record, text: &'a [u8]) -> Option<&'a [u8]> {
        self.append(record, text)
    }

    /// Nulls, numbers in unusual spellings, white space, and the first value that is no null.
    #[inline(never)]
    fn append_other<'a>(&mut self, record: &mut Record, text: &'a [u8]) -> Option<&'a [u8]> {
        let mut cursor = Cursor { bytes: text, pos: 0 };
        match (&mut self.cells, *text.first()?) {
            (_, b'n') => {
                cursor.word(b"null").ok()?;
                self.push_null()?;
            }
            (_, b' ' | b'\n' | b'\r' | b'\t') => {
                cursor.token();
                return self.append_again(record, &text[cursor.pos..]);
            }
            (Cells::Int64(numbers), b'-') if let Some((number, count)) = digits(&text[1..]) => {
                numbers.push(-(number as i64));
                cursor.pos = 1 + count;
            }
            (Cells::Float64(numbers), b'-')
                if let Some(number) = decimal(&text[1..])
                    && number.mantissa > 0
                    && number.mantissa <= EXACT_MAX =>
            {
                numbers.push(-(number.mantissa as f64 / FLOAT_POWERS[number.part_digits]));
                cursor.pos = 1 + number.bytes;
            }
            (Cells::Int64(numbers), b'-' | b'0'..=b'9') => match cursor.number().ok()? {
                Number::Fraction(_) => return None,
                integer => numbers.push(integer.low_bits()),
            },
            (Cells::Float64(numbers), b'-' | b'0'..=b'9') => match cursor.number().ok()? {
                fraction @ Number::Fraction(_) => numbers.push(fraction.as_java().to_f64()),
                _ => return None,
            },
            (Cells::Unknown { rows, depth_left }, _) => {
                let value = DynamicReader::default().value(&mut cursor).ok()?;
                let (rows, depth_left) = (*rows, *depth_left);
                *self = Self::of(&value, depth_left, rows, &mut record.room)?;
                return self.append_again(record, text);
            }
            _ => return None,
        }
        text.get(cursor.pos..)
    }
}

impl Object {
    fn append<'a>(&mut self, record: &mut Record, text: &'a [u8]) -> Option<&'a [u8]> {
        let mut rest = text;
        for member in &mut self.members {
            let value = match member.lead.pass(rest) {
                Some(value) => value,
                None => member.find(rest, if rest.len() == text.len() { b'{' } else { b',' })?,
            };
            rest = member.node.append(record, value)?;
        }
        self.rows += 1;
        match self.close.pass(rest) {
            Some(rest) => Some(rest),
            None => self.find_close(rest),
        }
    }

    #[cold]
    fn find_close<'a>(&mut self, text: &'a [u8]) -> Option<&'a [u8]> {
        let mut cursor = Cursor { bytes: text, pos: 0 };
        if self.members.is_empty() {
            cursor.expect(b'{', "expected an object").ok()?;
        }
        cursor.expect(b'}', "expected the end of the object").ok()?;
        let (lead, rest) = text.split_at(cursor.pos);
        self.close = Lead::of(lead);
        Some(rest)
    }
}

impl Member {
    /// The text of the member's value when the member is what follows, whatever its spelling, which is
    /// expected from now on.
    #[cold]
    fn find<'a>(&mut self, text: &'a [u8], before: u8) -> Option<&'a [u8]> {
        let mut cursor = Cursor { bytes: text, pos: 0 };
        cursor.expect(before, "expected a member").ok()?;
        let name = cursor.member_name().ok()?;
        if *name.resolved() != *self.name.as_bytes() {
            return None;
        }
        cursor.token();
        let (lead, value) = text.split_at(cursor.pos);
        self.lead = Lead::of(lead);
        Some(value)
    }
}

impl List {
    fn append<'a>(&mut self, record: &mut Record, text: &'a [u8]) -> Option<&'a [u8]> {
        let mut rest = after_blanks(&text[1..]);
        if rest.first() != Some(&b']') {
            loop {
                rest = after_blanks(self.item.append(record, rest)?);
                match rest.first()? {
                    b',' => rest = after_blanks(&rest[1..]),
                    b']' => break,
                    _ => return None,
                }
            }
        }
        self.offsets.push(i32::try_from(self.item.rows()).ok()?);
        Some(&rest[1..])
    }
}

impl Texts {
    /// Appends the text that starts after its quote.
    #[inline(always)]
    fn append<'a>(&mut self, record: &mut Record, text: &'a [u8]) -> Option<&'a [u8]> {
        let mut rest = text;
        for _ in 0..SHORT_BLOCKS {
            let block = rest.first_chunk::<BLOCK>()?;
            self.bytes.extend_from_slice(block);
            let count = ascii_text_bytes(block);
            if count == BLOCK {
                rest = &rest[BLOCK..];
                continue;
            }
            self.bytes.truncate(self.bytes.len() - BLOCK + count);
            if block[count] != b'"' {
                return self.append_unusual(record, text);
            }
            self.end_cell()?;
            return rest.get(count + 1..);
        }
        self.append_long(record, text)
    }

    /// Appends a text that is too long to look at it block by block.
    #[inline(never)]
    fn append_long<'a>(&mut self, record: &mut Record, text: &'a [u8]) -> Option<&'a [u8]> {
        let (plain, rest) = text.split_at(memchr::memchr2(b'"', b'\\', text)?);
        // Without a way out the loop takes many bytes at a time.
        let is_ascii = plain.iter().fold(true, |all, byte| all & (0x20..0x80).contains(byte));
        if rest[0] != b'"' || !is_ascii {
            return self.append_unusual(record, text);
        }
        self.bytes.truncate(*self.offsets.last()? as usize);
        self.bytes.extend_from_slice(plain);
        self.end_cell()?;
        Some(&rest[1..])
    }

    /// Appends a text with escapes or characters beyond ASCII.
    #[inline(never)]
    fn append_unusual<'a>(&mut self, record: &mut Record, text: &'a [u8]) -> Option<&'a [u8]> {
        record.encoding = Encoding::Unchecked;
        self.bytes.truncate(*self.offsets.last()? as usize);
        let mut cursor = Cursor { bytes: text, pos: 0 };
        let content = cursor.string_content().ok()?;
        match content.form {
            TextForm::Plain => self.bytes.extend_from_slice(content.bytes),
            TextForm::Escaped => content.append_to(&mut self.bytes),
        }
        self.end_cell()?;
        text.get(cursor.pos..)
    }

    #[inline(always)]
    fn end_cell(&mut self) -> Option<()> {
        self.offsets.push(i32::try_from(self.bytes.len()).ok()?);
        Some(())
    }
}

#[inline(always)]
fn boolean(text: &[u8]) -> Option<(bool, &[u8])> {
    const TRUE: u32 = u32::from_le_bytes(*b"true");
    const FALS: u32 = u32::from_le_bytes(*b"fals");
    let chunk = text.first_chunk::<5>()?;
    let word = u32::from_le_bytes(*chunk.first_chunk()?);
    // Both are looked at, whichever it is: nobody can foretell which.
    let is_true = word == TRUE;
    let is_false = (word == FALS) & (chunk[4] == b'e');
    (is_true | is_false).then(|| (is_true, &text[5 - usize::from(is_true)..]))
}

#[inline(always)]
fn after_blanks(text: &[u8]) -> &[u8] {
    match text.first() {
        Some(b' ' | b'\n' | b'\r' | b'\t') => {
            let mut cursor = Cursor { bytes: text, pos: 0 };
            cursor.token();
            &text[cursor.pos..]
        }
        _ => text,
    }
}

/// Integers up to here have a FLOAT64 of their own.
const EXACT_MAX: u64 = 1 << f64::MANTISSA_DIGITS;

/// Blocks of a text that is not called long.
const SHORT_BLOCKS: usize = 3;
