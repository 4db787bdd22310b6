//! Payloads: messages as producers write them in any language, and what parsers must cope with.

use super::file::{Field, File, Kind};
use crate::generate::value;
use crate::model::{Kind as Connect, Schema, Value};
use crate::random::Random;

/// How deep a message may be nested before its messages stay empty.
const DEPTH_MAX: usize = 4;

/// The path of message `at` of `file` and a message of that type.
pub(super) fn payload(random: &mut Random, file: &File, at: usize) -> Vec<u8> {
    let mut out = Vec::new();
    path(random, &file.messages[at].path, &mut out);
    message(random, file, at, 0, &mut out);
    out
}

/// As many messages inside each other, each in the field of that number.
pub(super) fn chain(path: &[i32], number: u32, levels: usize) -> Vec<u8> {
    let mut inner = Vec::new();
    for _ in 0..levels {
        let mut out = Vec::new();
        tag(number, 2, &mut out);
        sized(&inner, &mut out);
        inner = out;
    }
    let mut out = Vec::new();
    let count = i32::try_from(path.len()).expect("paths are short");
    for index in [&[count], path].concat() {
        varint(zigzag(i64::from(index)), &mut out);
    }
    out.extend(inner);
    out
}

/// The first message has a short form, and one that no writer uses.
fn path(random: &mut Random, indexes: &[i32], out: &mut Vec<u8>) {
    if indexes == [0] && !random.once_in(20) {
        return out.push(0);
    }
    let count = i32::try_from(indexes.len()).expect("paths are short");
    for number in [&[count], indexes].concat() {
        varint(zigzag(i64::from(number)), out);
    }
}

fn message(random: &mut Random, file: &File, at: usize, depth: usize, out: &mut Vec<u8>) {
    let mut fields: Vec<&Field> = file.messages[at].fields.iter().collect();
    if random.once_in(6) {
        fields.reverse();
    }
    for field in fields {
        let times = match random.below(12) {
            _ if depth > DEPTH_MAX => usize::from(field.is_required),
            0..3 if !field.is_required || random.once_in(8) => 0,
            3 => 2,
            _ => 1,
        };
        for _ in 0..times {
            occurrence(random, file, field, depth, out);
        }
        if random.once_in(60) {
            unknown(random, field.number, out);
        }
    }
}

/// A field once; a list with all its items.
fn occurrence(random: &mut Random, file: &File, field: &Field, depth: usize, out: &mut Vec<u8>) {
    if !field.is_repeated || matches!(field.kind, Kind::Map(..)) {
        let count = if field.is_repeated { random.below(3) } else { 1 };
        for _ in 0..count {
            single(random, file, field.number, &field.kind, depth, out);
        }
        return;
    }
    let count = random.below(4);
    let wire = wire(&field.kind);
    if wire != 2 && random.once_in(2) {
        let mut items = Vec::new();
        for _ in 0..count {
            bare(random, file, &field.kind, depth, &mut items);
        }
        tag(field.number, 2, out);
        sized(&items, out);
    } else {
        for _ in 0..count {
            single(random, file, field.number, &field.kind, depth, out);
        }
    }
}

fn single(random: &mut Random, file: &File, number: u32, kind: &Kind, depth: usize, out: &mut Vec<u8>) {
    tag(number, wire(kind), out);
    bare(random, file, kind, depth, out);
}

fn wire(kind: &Kind) -> u8 {
    match kind {
        Kind::Scalar("double" | "fixed64" | "sfixed64") => 1,
        Kind::Scalar("float" | "fixed32" | "sfixed32") => 5,
        Kind::Scalar("string" | "bytes") | Kind::Message(_) | Kind::Known(_) | Kind::Map(..) => 2,
        Kind::Scalar(_) | Kind::Enum(_) => 0,
    }
}

/// A value behind its tag.
fn bare(random: &mut Random, file: &File, kind: &Kind, depth: usize, out: &mut Vec<u8>) {
    match kind {
        Kind::Scalar(name) => scalar(random, name, out),
        Kind::Enum(at) => {
            let numbers = &file.enums[*at];
            let number = if random.once_in(10) { 17 } else { random.pick(numbers) };
            varint(i64::from(number).cast_unsigned(), out);
        }
        Kind::Message(at) => {
            let mut inner = Vec::new();
            message(random, file, *at, depth + 1, &mut inner);
            sized(&inner, out);
        }
        Kind::Known(name) => {
            let mut inner = Vec::new();
            known(random, name, &mut inner);
            sized(&inner, out);
        }
        Kind::Map(key, value) => {
            let mut inner = Vec::new();
            if !random.once_in(8) {
                single(random, file, 1, &Kind::Scalar(key), depth, &mut inner);
            }
            if !random.once_in(8) {
                single(random, file, 2, value, depth, &mut inner);
            }
            sized(&inner, out);
        }
    }
}

fn scalar(random: &mut Random, name: &str, out: &mut Vec<u8>) {
    let number = value::int64(random);
    match name {
        "double" => match value::value(random, &Schema::new(Connect::Float64)) {
            Value::Float64(number) => out.extend(number.to_le_bytes()),
            other => unreachable!("a double is none: {other:?}"),
        },
        "float" => match value::value(random, &Schema::new(Connect::Float32)) {
            Value::Float32(number) => out.extend(number.to_le_bytes()),
            other => unreachable!("a float is none: {other:?}"),
        },
        "fixed32" | "sfixed32" => out.extend(&number.to_le_bytes()[..4]),
        "fixed64" | "sfixed64" => out.extend(number.to_le_bytes()),
        "bool" => varint(random.pick(&[0, 1, 1, 2, u64::MAX]), out),
        "sint32" | "sint64" => varint(zigzag(number), out),
        "string" => {
            let text = crate::generate::text::text(random);
            let broken = random.once_in(60);
            sized(if broken { b"\xff\xfe" } else { text.as_bytes() }, out);
        }
        "bytes" => sized(&random.bits().to_be_bytes()[..random.below(8)], out),
        "uint32" => varint(number.cast_unsigned() & 0xffff_ffff, out),
        // 32-bit numbers with more bits: the low ones count.
        _ => varint(number.cast_unsigned(), out),
    }
}

/// Fields of one of the messages that everybody has.
fn known(random: &mut Random, name: &str, out: &mut Vec<u8>) {
    let mut number = |number: u32, value: i64| {
        if value != 0 {
            tag(number, 0, out);
            varint(value.cast_unsigned(), out);
        }
    };
    let part = |random: &mut Random, most: i64| match random.below(30) {
        0 => most + 1,
        1 => -1,
        2 => 0,
        _ => value::int64(random).rem_euclid(most) + 1,
    };
    match name {
        "google.protobuf.Timestamp" => {
            let seconds = value::instant(random) / 1000;
            number(1, if random.once_in(20) { value::int64(random) } else { seconds });
            number(2, part(random, 999_999_999));
        }
        "google.type.Date" => {
            let year = random.pick(&[2100, 2100, 2100, 9999]);
            number(1, part(random, year));
            number(2, part(random, 12));
            let day = if random.once_in(20) { 31 } else { 28 };
            number(3, part(random, day));
        }
        "google.type.TimeOfDay" => {
            for (at, most) in [(1, 23), (2, 59), (3, 59), (4, 999_999_999)] {
                number(at, part(random, most));
            }
        }
        "confluent.type.Decimal" => decimal(random, out),
        wrapper => wrapped(random, wrapper, out),
    }
}

fn decimal(random: &mut Random, out: &mut Vec<u8>) {
    let scale = if random.once_in(10) { 3 } else { 2 };
    if let Value::Decimal { mut unscaled, .. } = value::decimal(random, scale)
        && !random.once_in(15)
    {
        // Other languages write more than the shortest form.
        if random.once_in(6) {
            unscaled.insert(0, if unscaled[0] < 0x80 { 0 } else { 0xff });
        }
        tag(1, 2, out);
        sized(&unscaled, out);
    }
    if random.once_in(2) {
        tag(2, 0, out);
        varint(random.pick(&[0, 1, 3, 9, 60, u64::from(u32::MAX)]), out);
    }
    tag(3, 0, out);
    varint(i64::from(scale).cast_unsigned(), out);
}

fn wrapped(random: &mut Random, wrapper: &str, out: &mut Vec<u8>) {
    let name = wrapper.trim_start_matches("google.protobuf.").trim_end_matches("Value");
    let kind = Kind::Scalar(match name {
        "Double" => "double",
        "Float" => "float",
        "Int64" => "int64",
        "UInt64" => "uint64",
        "Int32" => "int32",
        "UInt32" => "uint32",
        "Bool" => "bool",
        "String" => "string",
        _ => "bytes",
    });
    for _ in 0..random.pick(&[0, 1, 1, 1, 2]) {
        tag(1, wire(&kind), out);
        if let Kind::Scalar(name) = kind {
            scalar(random, name, out);
        }
    }
}

/// A field that the message does not have, or has with another wire type.
fn unknown(random: &mut Random, near: u32, out: &mut Vec<u8>) {
    let number = random.pick(&[near, near, 15, 16_383, 536_870_911]);
    match random.below(5) {
        0 => {
            tag(number, 0, out);
            varint(random.bits() >> random.below(64), out);
        }
        1 => {
            tag(number, 1, out);
            out.extend(random.bits().to_le_bytes());
        }
        2 => {
            tag(number, 2, out);
            sized(&random.bits().to_le_bytes()[..random.below(8)], out);
        }
        3 => {
            tag(number, 5, out);
            out.extend(&random.bits().to_le_bytes()[..4]);
        }
        _ => {
            tag(number, 3, out);
            tag(1, 0, out);
            varint(5, out);
            tag(number, 4, out);
        }
    }
}

fn sized(bytes: &[u8], out: &mut Vec<u8>) {
    varint(u64::try_from(bytes.len()).expect("a length"), out);
    out.extend(bytes);
}

fn tag(number: u32, wire: u8, out: &mut Vec<u8>) {
    varint(u64::from(number << 3 | u32::from(wire)), out);
}

fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)).cast_unsigned()
}

fn varint(number: u64, out: &mut Vec<u8>) {
    let mut rest = number;
    while rest >= 0x80 {
        out.push((rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

/// Changes a payload as broken networks and producers do.
pub(super) fn damage(random: &mut Random, mut payload: Vec<u8>) -> Vec<u8> {
    for _ in 0..=random.below(3) {
        let at = random.below(payload.len() + 1);
        match random.below(5) {
            0 => payload.truncate(at),
            1 => payload.insert(at, random.bits() as u8),
            2 if at < payload.len() => payload[at] = random.bits() as u8,
            3 if at < payload.len() => payload[at] ^= 1 << random.below(8),
            _ => drop(payload.splice(at.., [0xff; 9])),
        }
    }
    payload
}
