//! Many headers of one name at once: texts become a column, and the literals that headers mostly are (words,
//! whole numbers, short lists of them) are read without the parser of all literals.
//!
//! What is not certain at first sight goes to that parser: both must agree on everything.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowPrimitiveType, Int8Type, Int16Type, Int32Type, Int64Type};
use arrow_array::{Array, ArrayRef, BinaryArray, StringArray};
use arrow_buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use lakeward_api::batch::Values;
use lakeward_api::header::{HeaderValues, MixedHeaders, SmallestIntegers};
use lakeward_api::java_text::{self, NUMBER_BYTES};
use lakeward_api::schema::{Kind, Schema};
use lakeward_api::value::Value;

use super::decode;

/// The schemas that come again and again, made once per converter.
pub(super) struct Schemas {
    string: Arc<Schema>,
    /// INT8, INT16, INT32, INT64.
    integers: Arc<[Arc<Schema>; 4]>,
    /// ARRAYs of them.
    lists: [Arc<Schema>; 4],
}

impl Default for Schemas {
    fn default() -> Self {
        let integers =
            [Kind::Int8, Kind::Int16, Kind::Int32, Kind::Int64].map(|kind| Arc::new(Schema::new(kind)));
        let list = |item: &Arc<Schema>| Arc::new(Schema::new(Kind::Array(Arc::clone(item))));
        let lists = [list(&integers[0]), list(&integers[1]), list(&integers[2]), list(&integers[3])];
        let integers = Arc::new(integers);
        Self { string: Arc::new(Schema::new(Kind::String)), integers, lists }
    }
}

/// Decodes the payloads of one header.
pub(super) fn decode_column(schemas: &Schemas, payloads: &[Option<&[u8]>]) -> HeaderValues {
    let same = texts(schemas, payloads).or_else(|| numbers(schemas, payloads));
    same.unwrap_or_else(|| HeaderValues::Mixed(mixed(schemas, payloads)))
}

/// All payloads as STRINGs; `None` as soon as one may be something else.
fn texts(schemas: &Schemas, payloads: &[Option<&[u8]>]) -> Option<HeaderValues> {
    if payloads.is_empty() {
        return None;
    }
    let bytes: usize = payloads.iter().map(|payload| payload.map_or(0, <[u8]>::len)).sum();
    i32::try_from(bytes).ok()?;
    let mut data = Vec::with_capacity(bytes);
    let mut ends = Vec::with_capacity(payloads.len() + 1);
    ends.push(0);
    for payload in payloads {
        let payload = payload.filter(|payload| is_word(payload))?;
        data.extend_from_slice(payload);
        ends.push(data.len() as i32);
    }
    let offsets = OffsetBuffer::new(ScalarBuffer::from(ends));
    let array = StringArray::try_new(offsets, Buffer::from_vec(data), None).ok()?;
    let schema = Arc::clone(&schemas.string);
    Some(HeaderValues::Rows(Values::Typed { schema, array: Arc::new(array) }))
}

/// All payloads as whole numbers; `None` as soon as one is something else.
fn numbers(schemas: &Schemas, payloads: &[Option<&[u8]>]) -> Option<HeaderValues> {
    let numbers = payloads.iter().map(|payload| integer((*payload)?)).collect::<Option<_>>()?;
    Some(HeaderValues::Smallest(SmallestIntegers { schemas: Arc::clone(&schemas.integers), numbers }))
}

/// Whether a payload certainly is a STRING, if it is UTF-8: it starts like a word, and is none that means
/// something.
fn is_word(payload: &[u8]) -> bool {
    match payload {
        [] => true,
        [b't' | b'f' | b'n', ..] => {
            !matches!(payload.trim_ascii_end(), b"true" | b"false" | b"null") && is_plain(payload)
        }
        [first, ..] => first.is_ascii_alphabetic(),
    }
}

/// Whether blanks that Java trims and Rust does not cannot hide what a word is.
fn is_plain(payload: &[u8]) -> bool {
    payload.last().is_none_or(|last| *last > b' ')
}

/// The payloads of a column of STRINGs (its own bytes) or integers; `None` for everything else.
pub(super) fn encode_column(values: &HeaderValues) -> Option<BinaryArray> {
    let HeaderValues::Rows(Values::Typed { schema, array }) = values else { return None };
    if schema.logical().is_some() {
        return None;
    }
    match schema.kind {
        Kind::String => array.as_string_opt::<i32>().map(|texts| texts.clone().into()),
        Kind::Int8 => Some(integers::<Int8Type>(array)),
        Kind::Int16 => Some(integers::<Int16Type>(array)),
        Kind::Int32 => Some(integers::<Int32Type>(array)),
        Kind::Int64 => Some(integers::<Int64Type>(array)),
        _ => None,
    }
}

fn integers<T: ArrowPrimitiveType<Native: Into<i64>>>(array: &ArrayRef) -> BinaryArray {
    let numbers = array.as_primitive::<T>();
    let mut data = vec![0; numbers.len() * longest(size_of::<T::Native>()) + NUMBER_BYTES];
    let mut ends = vec![0; numbers.len() + 1];
    let mut end = 0;
    let nulls = numbers.nulls();
    for ((row, number), place) in numbers.values().iter().enumerate().zip(&mut ends[1..]) {
        if nulls.is_none_or(|nulls| nulls.is_valid(row)) {
            let space = data[end..].first_chunk_mut().expect("there is room for the longest numbers");
            end += java_text::write_i64(space, (*number).into());
        }
        *place = end as i32;
    }
    data.truncate(end);
    BinaryArray::new(OffsetBuffer::new(ends.into()), data.into(), nulls.cloned())
}

/// The sign and the digits of the longest integer of so many bytes.
fn longest(bytes: usize) -> usize {
    match bytes {
        1 => 4,
        2 => 6,
        4 => 11,
        _ => 20,
    }
}

fn mixed(schemas: &Schemas, payloads: &[Option<&[u8]>]) -> MixedHeaders {
    let mut rows = MixedHeaders::with_capacity(payloads.len());
    let string = rows.add_schema(Some(Arc::clone(&schemas.string)));
    let integers = schemas.integers.each_ref().map(|schema| rows.add_schema(Some(Arc::clone(schema))));
    let lists = schemas.lists.each_ref().map(|schema| rows.add_schema(Some(Arc::clone(schema))));
    let mut items = Vec::new();
    for payload in payloads {
        let bytes = payload.unwrap_or_default();
        if let Some(number) = integer(bytes) {
            let width = width(number);
            rows.push(integers[width], of_width(number, width));
        } else if list(bytes, &mut items).is_some() {
            let width = items.iter().map(|item| width(*item)).max().unwrap_or(0);
            let items = items.iter().map(|item| of_width(*item, width)).collect();
            rows.push(lists[width], Value::Array(items));
        } else if payload.is_some()
            && is_word(bytes)
            && let Ok(text) = std::str::from_utf8(bytes)
        {
            rows.push(string, Value::String(text.into()));
        } else {
            let (schema, value) = decode(*payload);
            rows.push_with(schema, value);
        }
    }
    rows
}

/// A sign and up to 18 digits.
fn integer(text: &[u8]) -> Option<i64> {
    let (is_negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    let mut number = 0;
    for digit in digits {
        let digit = digit.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number = number * 10 + i64::from(digit);
    }
    Some(if is_negative { -number } else { number })
}

/// Integers with commas between them, in brackets.
fn list(text: &[u8], items: &mut Vec<i64>) -> Option<()> {
    items.clear();
    let [b'[', inner @ .., b']'] = text else { return None };
    for item in inner.split(|byte| *byte == b',') {
        items.push(integer(trim_spaces(item))?);
    }
    Some(())
}

fn trim_spaces(mut text: &[u8]) -> &[u8] {
    while let [b' ', rest @ ..] = text {
        text = rest;
    }
    while let [rest @ .., b' '] = text {
        text = rest;
    }
    text
}

/// Place of the smallest integer type.
fn width(number: i64) -> usize {
    if i8::try_from(number).is_ok() {
        0
    } else if i16::try_from(number).is_ok() {
        1
    } else if i32::try_from(number).is_ok() {
        2
    } else {
        3
    }
}

fn of_width(number: i64, width: usize) -> Value {
    match width {
        0 => Value::Int8(number as i8),
        1 => Value::Int16(number as i16),
        2 => Value::Int32(number as i32),
        _ => Value::Int64(number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every text as the parser of all literals reads it, alone and among others.
    #[test]
    fn a_column_is_what_its_rows_are() {
        let texts = [
            "",
            "a",
            "true",
            "true ",
            "true\u{1}",
            "truest",
            "null",
            "null\t",
            "nul",
            "false",
            "fa:lse",
            "x,y",
            "[1]",
            "[]",
            "[ ]",
            "[1,2 , 300]",
            "[-1,70000,3]",
            "[1,]",
            "[,1]",
            "[1,a]",
            "[ -5 ]",
            "[- 5]",
            "[1 2]",
            "5",
            "-5",
            "007",
            "-0",
            "+5",
            "-",
            "128",
            "-129",
            "40000",
            "3000000000",
            "123456789012345678",
            "1234567890123456789",
            "92233720368547758080",
            "1.5",
            " 5",
            "5 ",
            "2020-01-01",
            "10:20:30.000Z",
            "{a:1}",
            "\"q\"",
            "ä",
            "t\u{e4}",
            "n\u{a0}",
            "null\u{a0}",
            "[\u{a0}1]",
            "--5",
            "5-",
            "[--5]",
            "[99999999999999999999]",
        ];
        let broken: [Option<&[u8]>; 4] = [None, Some(b"\xff"), Some(b"a\xff"), Some(b"t\xff")];
        let texts = texts.iter().map(|text| Some(text.as_bytes()));
        let payloads: Vec<Option<&[u8]>> = texts.chain(broken).collect();
        let schemas = Schemas::default();
        let all = decode_column(&schemas, &payloads);
        for (row, payload) in payloads.iter().enumerate() {
            let expected = decode(*payload);
            assert_eq!(all.row(row), expected, "{payload:?}");
            assert_eq!(decode_column(&schemas, &[*payload]).row(0), expected, "{payload:?} alone");
            let pair = decode_column(&schemas, &[Some(b"7"), *payload]);
            assert_eq!(pair.row(1), expected, "{payload:?} after a number");
            let pair = decode_column(&schemas, &[Some(b"word"), *payload]);
            assert_eq!(pair.row(1), expected, "{payload:?} after a word");
        }
    }

    #[test]
    fn words_alone_make_a_column() {
        let values = decode_column(&Schemas::default(), &[Some(b"trace"), Some(b""), Some(b"b c")]);
        assert!(matches!(values, HeaderValues::Rows(Values::Typed { .. })), "{values:?}");
    }
}
