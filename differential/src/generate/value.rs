//! Values: of a schema, or of none.

use super::text;
use crate::model::{Kind, Schema, Value};
use crate::random::Random;

const DAY_MS: i64 = 86_400_000;

/// Levels of STRUCTs from which on recursive values come to an end.
const DEEP: usize = 4;

/// A valid value of `schema`; null sometimes where that is allowed.
pub(crate) fn value(random: &mut Random, schema: &Schema) -> Value {
    nested(random, schema, &mut Vec::new(), 0)
}

/// A value inside of the STRUCTs `around`, which are `level` deep.
fn nested<'a>(random: &mut Random, schema: &'a Schema, around: &mut Vec<&'a Schema>, level: usize) -> Value {
    let is_end = matches!(schema.kind, Kind::Recursive(_)) && level >= DEEP;
    if schema.optional && (is_end || random.once_in(6)) {
        return Value::Null;
    }
    match schema.logical() {
        Some("Date") => return Value::Date(small(random, 40_000) * DAY_MS),
        Some("Time") => return Value::Date(small(random, DAY_MS).abs()),
        Some("Timestamp") => return Value::Date(instant(random)),
        Some("Decimal") => {
            let scale = schema.parameters.iter().find(|(name, _)| name == "scale");
            let scale = scale.and_then(|(_, text)| text.parse().ok()).unwrap_or_default();
            return decimal(random, scale);
        }
        _ => {}
    }
    match &schema.kind {
        Kind::Int8 => Value::Int8(int8(random)),
        Kind::Int16 => Value::Int16(int16(random)),
        Kind::Int32 => Value::Int32(int32(random)),
        Kind::Int64 => Value::Int64(int64(random)),
        Kind::Float32 => Value::Float32(float32(random)),
        Kind::Float64 => Value::Float64(float64(random)),
        Kind::Boolean => Value::Boolean(random.once_in(2)),
        Kind::String => Value::String(text::text(random)),
        Kind::Bytes => Value::Bytes(bytes(random)),
        Kind::Array(item) => {
            let item = item.as_ref().expect("generated arrays have an item schema");
            let items = random.below(if ends(item, level) { 1 } else { 4 });
            Value::List((0..items).map(|_| nested(random, item, around, level)).collect())
        }
        Kind::Map(key, member) => {
            let key = key.as_ref().expect("generated maps have a key schema");
            let member = member.as_ref().expect("generated maps have a value schema");
            let is_end = ends(key, level) || ends(member, level);
            let entries = random.below(if is_end { 1 } else { 4 });
            let entry = |_| (nested(random, key, around, level), nested(random, member, around, level));
            Value::Map(unique((0..entries).map(entry).collect()))
        }
        Kind::Recursive(levels) => {
            let mut around = around[..around.len() - (levels - 1)].to_vec();
            let meant = around.pop().expect("a STRUCT around");
            structure(random, meant, &mut around, level)
        }
        Kind::Struct(_) => structure(random, schema, around, level),
    }
}

fn ends(member: &Schema, level: usize) -> bool {
    matches!(member.kind, Kind::Recursive(_)) && level >= DEEP
}

fn structure<'a>(
    random: &mut Random,
    schema: &'a Schema,
    around: &mut Vec<&'a Schema>,
    level: usize,
) -> Value {
    around.push(schema);
    let fields = schema.fields().iter();
    let values = fields.map(|field| nested(random, &field.schema, around, level + 1)).collect();
    around.pop();
    Value::Struct(values)
}

/// A schemaless value nested at most `depth` deep.
pub(crate) fn dynamic(random: &mut Random, depth: usize) -> Value {
    match random.below(if depth == 0 { 12 } else { 16 }) {
        0 => Value::Null,
        1 => Value::Boolean(random.once_in(2)),
        2 => Value::Int8(int8(random)),
        3 => Value::Int16(int16(random)),
        4 => Value::Int32(int32(random)),
        5 => Value::Int64(int64(random)),
        6 => Value::Float32(float32(random)),
        7 => Value::Float64(float64(random)),
        8 => Value::Bytes(bytes(random)),
        9 | 10 => Value::String(text::text(random)),
        11 if random.once_in(2) => Value::Date(instant(random)),
        11 => {
            let scale = random.pick(&[0, 2, 10, -3]);
            decimal(random, scale)
        }
        12 => Value::List((0..random.below(4)).map(|_| dynamic(random, depth - 1)).collect()),
        13 if random.once_in(4) => {
            let entries = (0..random.below(4)).map(|_| (dynamic(random, 0), dynamic(random, depth - 1)));
            Value::Map(unique(entries.collect()))
        }
        _ => object(random, depth - 1),
    }
}

/// A schemaless map with text keys.
pub(crate) fn object(random: &mut Random, depth: usize) -> Value {
    let count = random.below(6);
    let names = text::names(random, count);
    Value::Map(names.into_iter().map(|name| (Value::String(name), dynamic(random, depth))).collect())
}

/// Drops entries whose key is there already. Keys that are floats of both zeros are one in no language.
fn unique(entries: Vec<(Value, Value)>) -> Vec<(Value, Value)> {
    let mut kept: Vec<(Value, Value)> = Vec::new();
    for (key, value) in entries {
        if !kept.iter().any(|(known, _)| known.same(&key)) {
            kept.push((key, value));
        }
    }
    kept
}

fn small(random: &mut Random, limit: i64) -> i64 {
    match random.below(4) {
        0 => 0,
        1 => random.pick(&[1, -1, limit - 1, 1 - limit]),
        _ => random.integer() % limit,
    }
}

/// Milliseconds since the epoch.
pub(crate) fn instant(random: &mut Random) -> i64 {
    match random.below(5) {
        0 => {
            random.pick(&[0, 1, -1, DAY_MS, -DAY_MS, 1_704_067_200_000, 951_782_400_000, 253_402_300_799_999])
        }
        1 => small(random, 40_000) * DAY_MS,
        _ => random.integer() % 4_102_444_800_000,
    }
}

/// A decimal of `scale`.
pub(crate) fn decimal(random: &mut Random, scale: i32) -> Value {
    let length = random.pick(&[1, 1, 2, 4, 8, 9, 20]);
    let mut unscaled: Vec<u8> = (0..length).map(|_| random.bits().to_be_bytes()[0]).collect();
    if random.once_in(8) {
        unscaled = vec![0];
    }
    // The shortest form: a first byte that only repeats the sign goes.
    let is_sign = |bytes: &[u8]| match bytes {
        [0x00, next, ..] => *next < 0x80,
        [0xff, next, ..] => *next >= 0x80,
        _ => false,
    };
    while is_sign(&unscaled) {
        unscaled.remove(0);
    }
    Value::Decimal { unscaled, scale }
}

fn int8(random: &mut Random) -> i8 {
    if random.once_in(3) {
        random.pick(&[0, 1, -1, i8::MIN, i8::MAX])
    } else {
        random.bits().to_be_bytes()[0].cast_signed()
    }
}

fn int16(random: &mut Random) -> i16 {
    let [_, _, _, _, _, _, high, low] = random.integer().to_be_bytes();
    if random.once_in(3) {
        random.pick(&[0, 128, -129, i16::MIN, i16::MAX])
    } else {
        i16::from_be_bytes([high, low])
    }
}

fn int32(random: &mut Random) -> i32 {
    let [_, _, _, _, a, b, c, d] = random.integer().to_be_bytes();
    if random.once_in(3) {
        random.pick(&[0, 32768, -32769, i32::MIN, i32::MAX])
    } else {
        i32::from_be_bytes([a, b, c, d])
    }
}

/// A 64-bit integer.
pub(crate) fn int64(random: &mut Random) -> i64 {
    if random.once_in(3) {
        random.pick(&[0, 1 << 31, -(1 << 31) - 1, (1 << 53) + 1, i64::MIN, i64::MAX, 1_700_000_000_000])
    } else {
        random.integer()
    }
}

fn float32(random: &mut Random) -> f32 {
    let [a, b, c, d, ..] = random.bits().to_be_bytes();
    match random.below(4) {
        0 => random.pick(&[
            0.0,
            -0.0,
            f32::NAN,
            f32::INFINITY,
            f32::NEG_INFINITY,
            f32::MIN_POSITIVE,
            1e-45,
            f32::MAX,
            1e10,
            1.0e7,
            0.001,
            2e-3,
            16_777_216.0,
        ]),
        1 => f32::from(i8::from_be_bytes([a])) / 4.0,
        _ => f32::from_bits(u32::from_be_bytes([a, b, c, d])),
    }
}

fn float64(random: &mut Random) -> f64 {
    match random.below(4) {
        0 => random.pick(&[
            0.0,
            -0.0,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::MIN_POSITIVE,
            5e-324,
            f64::MAX,
            1e7,
            9_999_999.999,
            1e-3,
            1e-4,
            1e23,
            2e23,
            9_007_199_254_740_993.0,
            -1.5,
        ]),
        1 => f64::from(int16(random)) / 8.0,
        _ => f64::from_bits(random.bits()),
    }
}

fn bytes(random: &mut Random) -> Vec<u8> {
    match random.below(3) {
        0 => text::text(random).into_bytes(),
        _ => (0..random.below(12)).map(|_| random.bits().to_be_bytes()[0]).collect(),
    }
}
