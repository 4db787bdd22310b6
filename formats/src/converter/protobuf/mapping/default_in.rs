//! `default` of proto2 fields, as the text has them.
//!
//! Source: `Descriptors.FieldDescriptor`, `TextFormat`.

use super::super::descriptor::{Field, Kind, Pool};
use super::super::read::Constant;

/// The value of an absent field.
pub(super) fn default_of(pool: &Pool, field: &Field) -> Constant {
    let mut constant = Constant::default();
    let text = field.default.as_deref().filter(|_| !field.proto3);
    if let Kind::Enum(id) = field.kind {
        let values = &pool.enums[id].values;
        let named = text.and_then(|text| values.iter().find(|(name, _)| name == text));
        constant.number = named.or_else(|| values.first()).map_or(0, |(_, number)| i64::from(*number));
        return constant;
    }
    let Some(text) = text else { return constant };
    match field.kind {
        Kind::Bool => constant.number = i64::from(text == "true"),
        Kind::Float | Kind::Double => constant.double = float(text),
        Kind::String { .. } | Kind::Bytes => constant.bytes = text.as_bytes().into(),
        _ => constant.number = integer(text),
    }
    constant
}

fn float(text: &str) -> f64 {
    match text {
        "inf" => f64::INFINITY,
        "-inf" => f64::NEG_INFINITY,
        "nan" | "-nan" => f64::NAN,
        _ => text.parse().unwrap_or(0.0),
    }
}

fn integer(text: &str) -> i64 {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text),
    };
    let number = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(hex) => u64::from_str_radix(hex, 16),
        None if digits.len() > 1 && digits.starts_with('0') => u64::from_str_radix(digits, 8),
        None => digits.parse(),
    };
    number.map_or(0, |number| number.cast_signed().wrapping_mul(sign))
}
