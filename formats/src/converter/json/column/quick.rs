//! One value of a record that looks like the ones before: straight from its bytes into its column.
//!
//! Functions take the text and where a value starts, and return where it ends. `None` says that it is not
//! what it mostly is; scalars leave no trace then. [`PADDING`](super::PADDING) bytes follow every record.

use super::super::scan::{BLOCK, FLOAT_POWERS, ascii_text_bytes, decimal, digits};
use super::block::Scan;
use super::map::has_duplicates;
use super::{Cells, Column, Runs, Strictness};

impl Column {
    /// Appends the value at `at`, in the general way where it is an unusual one. `None` when the record must
    /// be read in the general way as a whole; rows may be left behind then.
    ///
    /// Recursion is bounded by the depth of the schema.
    pub(super) fn quick(&mut self, text: &[u8], at: usize, scan: &mut Scan<'_>) -> Option<usize> {
        let appended = match &mut self.cells {
            Cells::Boolean(flags) => boolean(text, at).map(|(flag, end)| {
                flags.push(flag);
                end
            }),
            Cells::Float64(numbers) => float64(text, at).map(|(number, end)| {
                numbers.push(number);
                end
            }),
            Cells::Int32(numbers) => integer(text, at).map(|(number, end)| {
                numbers.push(number as i32);
                end
            }),
            Cells::Int64(numbers) | Cells::Timestamp(numbers) => integer(text, at).map(|(number, end)| {
                numbers.push(number);
                end
            }),
            Cells::List { offsets, item } => list(offsets, item, text, at, scan),
            Cells::Map { offsets, entries } => map(offsets, entries, text, at, scan),
            Cells::String(texts) => texts.quick(text, at),
            Cells::Struct(record) if text.get(at) == Some(&b'{') => record.quick(text, at, scan),
            _ => None,
        };
        match appended {
            Some(end) => Some(end),
            None if self.is_plain_null(text, at, scan.reading) => {
                self.push_hole();
                Some(at + 4)
            }
            None => self.quick_other(text, at, scan),
        }
    }

    #[inline(never)]
    fn quick_other(&mut self, text: &[u8], at: usize, scan: &mut Scan<'_>) -> Option<usize> {
        self.truncate(self.rows());
        let reading = scan.reading;
        scan.general(text, at, |cursor| self.append_value(cursor, reading))
    }
}

impl Runs<u8> {
    /// Appends a text without escapes and of ASCII.
    #[inline(always)]
    pub(super) fn quick(&mut self, text: &[u8], at: usize) -> Option<usize> {
        if text[at] != b'"' {
            return None;
        }
        let start = at + 1;
        let first = text.get(start..)?.first_chunk::<BLOCK>()?;
        let mut count = ascii_text_bytes(first);
        let length = self.items.len();
        self.items.extend_from_slice(first);
        if count == BLOCK {
            let second = text.get(start + BLOCK..)?.first_chunk::<BLOCK>()?;
            count += ascii_text_bytes(second);
            if count == 2 * BLOCK {
                self.items.truncate(length);
                return self.quick_long(text, start);
            }
            self.items.extend_from_slice(second);
        }
        if text[start + count] != b'"' {
            self.items.truncate(length);
            return None;
        }
        self.items.truncate(length + count);
        self.end_cell().ok()?;
        Some(start + count + 1)
    }

    #[inline(never)]
    fn quick_long(&mut self, text: &[u8], start: usize) -> Option<usize> {
        let mut end = start + 2 * BLOCK;
        loop {
            let chunk = text.get(end..)?.first_chunk()?;
            let count = ascii_text_bytes(chunk);
            end += count;
            if count < BLOCK {
                break;
            }
        }
        if text[end] != b'"' {
            return None;
        }
        self.items.extend_from_slice(&text[start..end]);
        self.end_cell().ok()?;
        Some(end + 1)
    }
}

/// Puts a text of up to [`SHORT_BYTES`] bytes, without escapes and of ASCII, into `out` at `filled`; returns
/// how many bytes it has, and where it ends.
#[inline(always)]
pub(super) fn short_text(text: &[u8], at: usize, out: &mut [u8], filled: usize) -> Option<(usize, usize)> {
    let (quote, chunk) = text.get(at..)?.split_first_chunk::<1>()?;
    let first = chunk.first_chunk::<BLOCK>()?;
    if *quote != [b'"'] {
        return None;
    }
    let mut count = ascii_text_bytes(first);
    *out.get_mut(filled..)?.first_chunk_mut()? = *first;
    if count == BLOCK {
        let second = chunk[BLOCK..].first_chunk::<BLOCK>()?;
        count += ascii_text_bytes(second);
        *out.get_mut(filled + BLOCK..)?.first_chunk_mut()? = *second;
    }
    let end = at + 1 + count;
    (count < SHORT_BYTES && text[end] == b'"').then_some((count, end + 1))
}

/// Whether there is a null at `at`.
#[inline(always)]
pub(super) fn is_null(text: &[u8], at: usize) -> bool {
    text.get(at..).and_then(|text| text.first_chunk()) == Some(b"null")
}

#[inline(always)]
pub(super) fn boolean(text: &[u8], at: usize) -> Option<(bool, usize)> {
    const TRUE: u32 = u32::from_le_bytes(*b"true");
    const FALS: u32 = u32::from_le_bytes(*b"fals");
    let chunk = text.get(at..)?.first_chunk::<5>()?;
    let word = u32::from_le_bytes(*chunk.first_chunk()?);
    // Both are looked at, whichever it is: nobody can foretell which.
    let is_true = word == TRUE;
    let is_false = (word == FALS) & (chunk[4] == b'e');
    if !(is_true | is_false) {
        return None;
    }
    Some((is_true, at + 5 - usize::from(is_true)))
}

/// An integer of up to 18 digits. It may go on with a fraction: what has to follow it does not, then.
#[inline(always)]
pub(super) fn integer(text: &[u8], at: usize) -> Option<(i64, usize)> {
    match digits(&text[at..]) {
        Some((number, count)) => Some((number as i64, at + count)),
        None => negative(text, at),
    }
}

#[inline(never)]
fn negative(text: &[u8], at: usize) -> Option<(i64, usize)> {
    if text[at] != b'-' {
        return None;
    }
    let (number, count) = digits(&text[at + 1..])?;
    Some((-(number as i64), at + 1 + count))
}

#[inline(always)]
pub(super) fn float64(text: &[u8], at: usize) -> Option<(f64, usize)> {
    match decimal(&text[at..]) {
        // Both are exact, so the quotient is rounded once, as it should be.
        Some(number) if number.mantissa <= EXACT_MAX => {
            Some((number.mantissa as f64 / FLOAT_POWERS[number.part_digits], at + number.bytes))
        }
        _ => other_float64(text, at),
    }
}

/// Negative numbers and integers. Zeros with a sign are left to who knows what to make of them.
#[inline(never)]
fn other_float64(text: &[u8], at: usize) -> Option<(f64, usize)> {
    let is_negative = text[at] == b'-';
    let start = at + usize::from(is_negative);
    let (number, end) = match decimal(&text[start..]) {
        Some(number) if number.mantissa <= EXACT_MAX => {
            (number.mantissa as f64 / FLOAT_POWERS[number.part_digits], start + number.bytes)
        }
        Some(_) => return None,
        None => {
            let (number, count) = digits(&text[start..])?;
            if matches!(text[start + count], b'.' | b'e' | b'E') {
                return None;
            }
            (number as f64, start + count)
        }
    };
    if is_negative && number == 0.0 {
        return None;
    }
    Some((if is_negative { -number } else { number }, end))
}

/// Appends a list that is written without white space between its items.
#[inline]
pub(super) fn list(
    offsets: &mut Vec<i32>,
    item: &mut Column,
    text: &[u8],
    at: usize,
    scan: &mut Scan<'_>,
) -> Option<usize> {
    let end = (text[at] == b'[').then(|| items(item, text, at + 1, scan)).flatten();
    match end {
        Some(_) => offsets.push(i32::try_from(item.rows()).ok()?),
        None => item.truncate(offsets[offsets.len() - 1] as usize),
    }
    end
}

#[inline(always)]
fn items(item: &mut Column, text: &[u8], mut at: usize, scan: &mut Scan<'_>) -> Option<usize> {
    if text[at] == b']' {
        return Some(at + 1);
    }
    loop {
        at = item.quick_item(text, at, scan)?;
        match text[at] {
            b',' => at = after_blank(text, at + 1),
            b']' => return Some(at + 1),
            _ => return None,
        }
    }
}

/// Appends a map of names that is written without white space; maps with keys of other types are read in the
/// general way.
#[inline]
pub(super) fn map(
    offsets: &mut Vec<i32>,
    entries: &mut (Column, Column),
    text: &[u8],
    at: usize,
    scan: &mut Scan<'_>,
) -> Option<usize> {
    let (keys, values) = entries;
    let names_only = scan.reading.strictness != Strictness::Registered || !keys.optional;
    let end = match &mut keys.cells {
        Cells::String(names) if names_only && text[at] == b'{' => members(names, values, text, at + 1, scan),
        _ => None,
    };
    match end {
        Some(_) => offsets.push(i32::try_from(values.rows()).ok()?),
        None => {
            let rows = offsets[offsets.len() - 1] as usize;
            keys.truncate(rows);
            values.truncate(rows);
        }
    }
    end
}

#[inline(always)]
fn members(
    names: &mut Runs<u8>,
    values: &mut Column,
    text: &[u8],
    mut at: usize,
    scan: &mut Scan<'_>,
) -> Option<usize> {
    if text[at] == b'}' {
        return Some(at + 1);
    }
    let first = names.rows();
    loop {
        at = names.quick(text, at)?;
        if text[at] != b':' {
            return None;
        }
        at = values.quick_item(text, after_blank(text, at + 1), scan)?;
        match text[at] {
            b',' => at = after_blank(text, at + 1),
            b'}' => break,
            _ => return None,
        }
    }
    (!has_duplicates(names, first)).then_some(at + 1)
}

impl Column {
    /// [`Column::quick`] without a call for texts, the most usual items.
    #[inline(always)]
    fn quick_item(&mut self, text: &[u8], at: usize, scan: &mut Scan<'_>) -> Option<usize> {
        if let Cells::String(texts) = &mut self.cells
            && let Some(end) = texts.quick(text, at)
        {
            return Some(end);
        }
        self.quick(text, at, scan)
    }
}

/// Passes the one blank that some writers set.
#[inline(always)]
fn after_blank(text: &[u8], at: usize) -> usize {
    at + usize::from(text[at] == b' ')
}

/// Texts are short below this.
pub(super) const SHORT_BYTES: usize = 2 * BLOCK;

/// Integers up to here have a FLOAT64 of their own.
const EXACT_MAX: u64 = 1 << f64::MANTISSA_DIGITS;
