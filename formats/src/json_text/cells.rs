//! What a column is for the writer, and columns of numbers, flags and bytes.

use std::ops::Range;

use arrow_array::{BinaryArray, BooleanArray};
use arrow_buffer::NullBuffer;
use lakeward_api::decimal::Decimal;
use lakeward_api::java_text::{self, NUMBER_BYTES, Upper};
use lakeward_api::rows::DAY_MS;
use lakeward_api::value::Value;

use super::block::{BLOCK_ROWS, Block, Lead, Text, Written, put, space, valid_bits};
use super::{DecimalFormat, NULL_FOR_REQUIRED, decimal, hash, text, value};
use crate::FormatError;

/// The values of a column, aside from its nulls.
///
/// A value takes at most [`Cells::width`] bytes and what [`Cells::extra`] says about it.
pub(super) trait Cells {
    /// Bytes that any value may take.
    fn width(&self) -> usize;

    /// Looks at the values in `range`, which are written next.
    fn prepare(&mut self, _range: Range<usize>) {}

    /// Bytes that the values in `range` may take on top of the width of each.
    fn extra(&self, _range: Range<usize>) -> usize {
        0
    }

    /// Adds the same for each of the values from `first` on to `rooms`.
    fn add_extra(&self, first: usize, rooms: &mut [usize]) {
        for (row, room) in rooms.iter_mut().enumerate() {
            *room += self.extra(first + row..first + row + 1);
        }
    }

    /// Writes the value `index` at `at`.
    fn value(&self, out: &mut [u8], at: usize, index: usize) -> Written;

    /// Writes the values whose bits are set in `rows`, each behind `lead`.
    fn values(&self, block: &mut Block<'_>, rows: u64, lead: &Lead) {
        block.each(rows, lead, |out, at, index| self.value(out, at, index));
    }

    /// `hashCode` of the value `index`; 0, which keeps the order of insertion, for objects without one.
    fn hash(&self, _index: usize) -> u32 {
        0
    }

    /// Whether the value `index` has no text at all: objects leave it out, lists and maps show a null.
    fn is_absent(&self, _index: usize) -> bool {
        false
    }

    /// Whether `count` values from `one` on are known to be those from `other` on.
    fn is_same(&self, _one: usize, _other: usize, _count: usize) -> bool {
        false
    }
}

/// A column with its nulls.
pub(super) struct Column<'a, C> {
    valid: Option<&'a NullBuffer>,
    null: NullText,
    cells: C,
}

/// What is written for a null.
pub(super) enum NullText {
    Default(Text, usize),
    Null,
    Refuse,
}

impl NullText {
    fn width(&self) -> usize {
        match self {
            Self::Default(_, length) => *length,
            Self::Null => 4,
            Self::Refuse => 0,
        }
    }

    fn put(&self, out: &mut [u8], at: usize) -> Written {
        match self {
            Self::Default(text, _) => Ok(text.put(out, at)),
            Self::Null => {
                put(out, at, b"null");
                Ok(at + 4)
            }
            Self::Refuse => Err(Box::new(FormatError::data(NULL_FOR_REQUIRED))),
        }
    }
}

impl<'a, C: Cells> Column<'a, C> {
    pub(super) fn new(valid: Option<&'a NullBuffer>, null: NullText, cells: C) -> Self {
        Self { valid: valid.filter(|valid| valid.null_count() > 0), null, cells }
    }

    fn is_null(&self, index: usize) -> bool {
        self.valid.is_some_and(|valid| valid.is_null(index))
    }
}

/// A column of any type.
pub(super) trait AnyColumn: Cells {
    /// Whether something else than `null` is written for `index`.
    fn has_value(&self, index: usize) -> bool;
}

impl<C: Cells> AnyColumn for Column<'_, C> {
    fn has_value(&self, index: usize) -> bool {
        !self.is_null(index) || matches!(self.null, NullText::Default(..))
    }
}

/// Nulls are among the values.
impl<C: Cells> Cells for Column<'_, C> {
    fn width(&self) -> usize {
        match self.valid {
            Some(_) => self.cells.width().max(self.null.width()),
            None => self.cells.width(),
        }
    }

    fn prepare(&mut self, range: Range<usize>) {
        self.cells.prepare(range);
    }

    fn extra(&self, range: Range<usize>) -> usize {
        self.cells.extra(range)
    }

    fn add_extra(&self, first: usize, rooms: &mut [usize]) {
        self.cells.add_extra(first, rooms);
    }

    #[inline]
    fn value(&self, out: &mut [u8], at: usize, index: usize) -> Written {
        if self.is_null(index) { self.null.put(out, at) } else { self.cells.value(out, at, index) }
    }

    fn values(&self, block: &mut Block<'_>, rows: u64, lead: &Lead) {
        let Some(valid) = self.valid else { return self.cells.values(block, rows, lead) };
        let valid = valid_bits(valid, block.first);
        block.each(rows & !valid, lead, |out, at, _| self.null.put(out, at));
        self.cells.values(block, rows & valid, lead);
    }

    fn hash(&self, index: usize) -> u32 {
        if self.is_null(index) { 0 } else { self.cells.hash(index) }
    }

    fn is_absent(&self, index: usize) -> bool {
        !self.is_null(index) && self.cells.is_absent(index)
    }

    fn is_same(&self, one: usize, other: usize, count: usize) -> bool {
        self.valid.is_none() && self.cells.is_same(one, other, count)
    }
}

impl<C: Cells + ?Sized> Cells for Box<C> {
    fn width(&self) -> usize {
        (**self).width()
    }

    fn prepare(&mut self, range: Range<usize>) {
        (**self).prepare(range);
    }

    fn extra(&self, range: Range<usize>) -> usize {
        (**self).extra(range)
    }

    fn add_extra(&self, first: usize, rooms: &mut [usize]) {
        (**self).add_extra(first, rooms);
    }

    fn value(&self, out: &mut [u8], at: usize, index: usize) -> Written {
        (**self).value(out, at, index)
    }

    fn values(&self, block: &mut Block<'_>, rows: u64, lead: &Lead) {
        (**self).values(block, rows, lead);
    }

    fn hash(&self, index: usize) -> u32 {
        (**self).hash(index)
    }

    fn is_absent(&self, index: usize) -> bool {
        (**self).is_absent(index)
    }

    fn is_same(&self, one: usize, other: usize, count: usize) -> bool {
        (**self).is_same(one, other, count)
    }
}

/// BOOLEAN.
pub(super) struct Flags<'a>(pub(super) &'a BooleanArray);

impl Cells for Flags<'_> {
    fn width(&self) -> usize {
        5
    }

    #[inline]
    fn value(&self, out: &mut [u8], at: usize, index: usize) -> Written {
        let flag = self.0.values().value(index);
        put(out, at, if flag { b"true\0" } else { b"false" });
        Ok(at + 5 - usize::from(flag))
    }

    fn hash(&self, index: usize) -> u32 {
        hash::of_boolean(self.0.value(index))
    }
}

/// Whole numbers of one width.
pub(super) struct Integers<'a, T> {
    pub(super) numbers: &'a [T],
    pub(super) hash: fn(T) -> u32,
}

impl<T: Copy + Into<i64>> Cells for Integers<'_, T> {
    fn width(&self) -> usize {
        20
    }

    #[inline]
    fn value(&self, out: &mut [u8], at: usize, index: usize) -> Written {
        Ok(at + java_text::write_i64(space(out, at), self.numbers[index].into()))
    }

    fn values(&self, block: &mut Block<'_>, rows: u64, lead: &Lead) {
        let mut upper = Upper::default();
        block.each(rows, lead, |out, at, index| {
            Ok(at + java_text::write_next(space(out, at), self.numbers[index].into(), &mut upper))
        });
    }

    fn hash(&self, index: usize) -> u32 {
        (self.hash)(self.numbers[index])
    }
}

/// `hashCode` of the numbers that are one word in Java.
pub(super) fn hash_of_word<T: Into<i64>>(number: T) -> u32 {
    number.into() as u32
}

/// `hashCode` of a day, which is a `java.util.Date`.
pub(super) fn hash_of_day(day: i32) -> u32 {
    hash::of_long(i64::from(day) * DAY_MS)
}

/// FLOAT64.
pub(super) struct Doubles<'a>(pub(super) &'a [f64]);

impl Cells for Doubles<'_> {
    fn width(&self) -> usize {
        NUMBER_BYTES
    }

    #[inline]
    fn value(&self, out: &mut [u8], at: usize, index: usize) -> Written {
        let number = self.0[index];
        if !number.is_finite() {
            return Ok(quoted(out, at, |out| java_text::write_f64(out, number)));
        }
        Ok(at + java_text::write_f64(space(out, at), number))
    }

    fn hash(&self, index: usize) -> u32 {
        hash::of_double(self.0[index])
    }
}

/// FLOAT32.
pub(super) struct Floats<'a>(pub(super) &'a [f32]);

impl Cells for Floats<'_> {
    fn width(&self) -> usize {
        NUMBER_BYTES
    }

    fn value(&self, out: &mut [u8], at: usize, index: usize) -> Written {
        let number = self.0[index];
        if !number.is_finite() {
            return Ok(quoted(out, at, |out| java_text::write_f32(out, number)));
        }
        Ok(at + java_text::write_f32(space(out, at), number))
    }

    fn hash(&self, index: usize) -> u32 {
        hash::of_float(self.0[index])
    }
}

/// NaN and infinities stand in quotes.
#[cold]
fn quoted(out: &mut [u8], at: usize, write: impl FnOnce(&mut [u8; NUMBER_BYTES]) -> usize) -> usize {
    out[at] = b'"';
    let end = at + 1 + write(space(out, at + 1));
    out[end] = b'"';
    end + 1
}

/// BYTES: base64 in quotes.
pub(super) struct Binaries<'a>(pub(super) &'a BinaryArray);

impl Cells for Binaries<'_> {
    fn width(&self) -> usize {
        2 + 4
    }

    fn extra(&self, range: Range<usize>) -> usize {
        let offsets = self.0.value_offsets();
        let bytes = (offsets[range.end] - offsets[range.start]) as usize;
        bytes / 3 * 4 + 4
    }

    fn value(&self, out: &mut [u8], at: usize, index: usize) -> Written {
        Ok(text::put_base64(out, at, self.0.value(index)))
    }
}

/// Decimals.
pub(super) struct Decimals<'a> {
    pub(super) unscaled: &'a BinaryArray,
    pub(super) scale: i32,
    pub(super) format: DecimalFormat,
}

impl Cells for Decimals<'_> {
    fn width(&self) -> usize {
        decimal::TEXT_BYTES
    }

    fn extra(&self, range: Range<usize>) -> usize {
        let offsets = self.unscaled.value_offsets();
        // Three bytes are at most eight digits; the last bytes of each value are in the width.
        (offsets[range.end] - offsets[range.start]) as usize * 8 / 3
    }

    fn value(&self, out: &mut [u8], at: usize, index: usize) -> Written {
        let unscaled = self.unscaled.value(index);
        match self.format {
            DecimalFormat::Base64 => Ok(text::put_base64(out, at, decimal::shortest(unscaled))),
            DecimalFormat::Numeric => {
                let mut number = Vec::new();
                decimal::append(&mut number, unscaled, self.scale)?;
                out[at..at + number.len()].copy_from_slice(&number);
                Ok(at + number.len())
            }
        }
    }

    fn hash(&self, index: usize) -> u32 {
        let unscaled = bytes::Bytes::copy_from_slice(decimal::shortest(self.unscaled.value(index)));
        hash::of_value(&Value::Decimal(Decimal { unscaled, scale: self.scale }))
    }
}

/// Objects that `JsonConverter` has no type for.
pub(super) struct Refused(pub(super) &'static str);

impl Cells for Refused {
    fn width(&self) -> usize {
        0
    }

    fn value(&self, _out: &mut [u8], _at: usize, _index: usize) -> Written {
        Err(Box::new(value::untyped_object(self.0)))
    }
}

/// A column of nothing but nulls that has no bits to say so.
pub(super) struct Nulls;

impl Cells for Nulls {
    fn width(&self) -> usize {
        4
    }

    fn value(&self, out: &mut [u8], at: usize, _index: usize) -> Written {
        NullText::Null.put(out, at)
    }
}

/// The rows of a block that are all to be written.
pub(super) fn all_rows(count: usize) -> u64 {
    u64::MAX >> (BLOCK_ROWS - count)
}
