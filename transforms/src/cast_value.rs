//! Casts of single values: schemaless data and defaults of schemas.
//!
//! Source: `Cast#castValueToType`, Kafka 4.1.

use lakeward_api::ConnectError;
use lakeward_api::java_text::{f32_text, f64_text};
use lakeward_api::rows::DAY_MS;
use lakeward_api::schema::{Logical, Schema};
use lakeward_api::value::Value;

use crate::cast_column::{Target, append_base64, append_date};
use crate::cast_decimal;
use crate::cast_number::{parse_double, parse_float, parse_integer};

/// Types that can be cast.
const INPUTS: &str = "[INT8, INT16, INT32, INT64, FLOAT32, FLOAT64, BOOLEAN, STRING, BYTES]";

/// The failure of a type that is never cast.
pub(crate) fn unsupported(type_name: &str) -> ConnectError {
    ConnectError::data(format!(
        "Cast transformation does not support casting from {type_name}; supported types are {INPUTS}"
    ))
}

/// The failure of a value whose type is never cast without a schema.
pub(crate) fn uncastable(value: &Value) -> ConnectError {
    match value {
        Value::Array(_) => unsupported("ARRAY"),
        Value::Map(_) => unsupported("MAP"),
        Value::Struct(_) => unsupported("STRUCT"),
        _ => ConnectError::data(format!(
            "Cast transformation was passed a value of type class {} which is not supported by \
             Connect's data API",
            value.java_class()
        )),
    }
}

/// The failure of a text that is no number, or not one of that width.
pub(crate) fn out_of_range(text: &str) -> ConnectError {
    ConnectError::data(format!("Value ({text}) was out of range for requested data type"))
}

/// The failure of a value that cannot become a number.
pub(crate) fn unexpected(class: &str) -> ConnectError {
    ConnectError::data(format!("Unexpected type in Cast transformation: class {class}"))
}

/// `value` as a value of the target type; null stays null. Dates and decimals are known by their schema only.
pub(crate) fn cast(schema: Option<&Schema>, value: &Value, target: Target) -> Result<Value, ConnectError> {
    match value {
        Value::Null => Ok(Value::Null),
        Value::Array(_) | Value::Map(_) | Value::Struct(_) => Err(uncastable(value)),
        Value::Date(_) | Value::Decimal(_) if schema.is_none() => Err(uncastable(value)),
        _ if target == Target::String => text(value),
        Value::Bytes(_) => Err(unexpected("[B")),
        Value::String(text) => from_text(text, target),
        Value::Decimal(decimal) => {
            let (unscaled, scale) = (&decimal.unscaled, decimal.scale);
            Ok(match target {
                Target::Float32 => Value::Float32(cast_decimal::to_f32(unscaled, scale)),
                Target::Float64 => Value::Float64(cast_decimal::to_f64(unscaled, scale)),
                _ => from_integer(cast_decimal::to_i64(unscaled, scale), target),
            })
        }
        Value::Date(ms) => {
            let is_day = schema.and_then(Schema::logical) == Some(Logical::Date);
            Ok(from_integer(if is_day { ms.div_euclid(DAY_MS) } else { *ms }, target))
        }
        Value::Boolean(truth) => Ok(from_integer(i64::from(*truth), target)),
        Value::Int8(number) => Ok(from_integer(i64::from(*number), target)),
        Value::Int16(number) => Ok(from_integer(i64::from(*number), target)),
        Value::Int32(number) => Ok(from_integer(i64::from(*number), target)),
        Value::Int64(number) => Ok(from_integer(*number, target)),
        Value::Float32(number) if target == Target::Float32 => Ok(Value::Float32(*number)),
        Value::Float32(number) => Ok(from_float(f64::from(*number), target)),
        Value::Float64(number) => Ok(from_float(*number, target)),
    }
}

fn from_integer(number: i64, target: Target) -> Value {
    match target {
        Target::Boolean => Value::Boolean(number != 0),
        Target::Float32 => Value::Float32(number as f32),
        Target::Float64 => Value::Float64(number as f64),
        Target::Int16 => Value::Int16(number as i16),
        Target::Int32 => Value::Int32(number as i32),
        Target::Int8 => Value::Int8(number as i8),
        Target::Int64 | Target::String => Value::Int64(number),
    }
}

/// Floats become INT8 and INT16 by way of INT32.
fn from_float(number: f64, target: Target) -> Value {
    match target {
        Target::Float32 => Value::Float32(number as f32),
        Target::Float64 => Value::Float64(number),
        Target::Int8 | Target::Int16 | Target::Int32 => from_integer(i64::from(number as i32), target),
        Target::Boolean | Target::Int64 | Target::String => from_integer(number as i64, target),
    }
}

fn from_text(text: &str, target: Target) -> Result<Value, ConnectError> {
    let integer = |min, max| parse_integer(text, min, max);
    let value = match target {
        Target::Boolean => Some(Value::Boolean(text.eq_ignore_ascii_case("true"))),
        Target::Float32 => parse_float(text).map(Value::Float32),
        Target::Float64 => parse_double(text).map(Value::Float64),
        Target::Int16 => integer(i16::MIN.into(), i16::MAX.into()).map(|number| from_integer(number, target)),
        Target::Int32 => integer(i32::MIN.into(), i32::MAX.into()).map(|number| from_integer(number, target)),
        Target::Int8 => integer(i8::MIN.into(), i8::MAX.into()).map(|number| from_integer(number, target)),
        Target::Int64 | Target::String => integer(i64::MIN, i64::MAX).map(Value::Int64),
    };
    value.ok_or_else(|| out_of_range(text))
}

fn text(value: &Value) -> Result<Value, ConnectError> {
    let text = match value {
        Value::String(_) => return Ok(value.clone()),
        Value::Boolean(truth) => truth.to_string(),
        Value::Int8(number) => number.to_string(),
        Value::Int16(number) => number.to_string(),
        Value::Int32(number) => number.to_string(),
        Value::Int64(number) => number.to_string(),
        Value::Float32(number) => f32_text(*number),
        Value::Float64(number) => f64_text(*number),
        Value::Decimal(decimal) => decimal.to_java_text(),
        Value::Bytes(bytes) => appended(|out| append_base64(out, bytes)),
        Value::Date(ms) => appended(|out| append_date(out, *ms)),
        Value::Array(_) | Value::Map(_) | Value::Null | Value::Struct(_) => {
            return Err(unexpected(value.java_class()));
        }
    };
    Ok(Value::String(text.into()))
}

fn appended(append: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut text = Vec::new();
    append(&mut text);
    String::from_utf8(text).expect("ASCII")
}
