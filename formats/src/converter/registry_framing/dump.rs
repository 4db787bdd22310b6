//! Schemas and values as texts, in the form in which the golden cases have them.

use std::fmt::Write as _;

use lakeward_api::schema::{Kind, Schema};
use lakeward_api::value::Value;

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => out.extend(['\\', letter]),
            letter if u32::from(letter) < 32 => write!(out, "\\x{:02x}", u32::from(letter)).unwrap(),
            letter => out.push(letter),
        }
    }
    out + "\""
}

pub(in super::super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(in super::super) fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().map(|digit| char::from(digit).to_digit(16).unwrap() as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// A schema with all its attributes.
pub(in super::super) fn schema(schema: &Schema) -> String {
    let mut out = schema.kind.name().to_owned();
    if schema.optional {
        out.push('?');
    }
    out.push('<');
    if let Some(name) = &schema.name {
        write!(out, "n={};", quoted(name)).unwrap();
    }
    if let Some(version) = schema.version {
        write!(out, "v={version};").unwrap();
    }
    if let Some(doc) = &schema.doc {
        write!(out, "d={};", quoted(doc)).unwrap();
    }
    let mut parameters: Vec<_> = schema.parameters.iter().collect();
    parameters.sort();
    for (key, parameter) in parameters {
        write!(out, "p={}:{};", quoted(key), quoted(parameter)).unwrap();
    }
    if let Some(default) = &schema.default {
        write!(out, "default={};", value(default)).unwrap();
    }
    out.push('>');
    match &schema.kind {
        Kind::Array(item) => write!(out, "[{}]", self::schema(item)).unwrap(),
        Kind::Map { key, value } => {
            write!(out, "{{{}:{}}}", self::schema(key), self::schema(value)).unwrap();
        }
        Kind::Struct(fields) => {
            out.push('(');
            for field in fields {
                write!(out, "{} {},", quoted(&field.name), self::schema(&field.schema)).unwrap();
            }
            out.push(')');
        }
        _ => {}
    }
    out
}

/// A value; entries of maps by key.
pub(in super::super) fn value(value: &Value) -> String {
    let list = |values: &[Value]| values.iter().map(|value| self::value(value) + ",").collect::<String>();
    match value {
        Value::Null => "null".to_owned(),
        Value::Boolean(flag) => flag.to_string(),
        Value::Int8(number) => format!("{number}b"),
        Value::Int16(number) => format!("{number}s"),
        Value::Int32(number) => format!("{number}i"),
        Value::Int64(number) => format!("{number}l"),
        Value::Float32(number) => format!("f:{:08x}", number.to_bits()),
        Value::Float64(number) => format!("d:{:016x}", number.to_bits()),
        Value::String(text) => quoted(text),
        Value::Bytes(bytes) => format!("x{}", hex(bytes)),
        Value::Array(values) => format!("[{}]", list(values)),
        Value::Struct(values) => format!("({})", list(values)),
        Value::Map(entries) => {
            let mut entries: Vec<(String, String)> =
                entries.iter().map(|(key, value)| (self::value(key), self::value(value))).collect();
            entries.sort_by(|(left, _), (right, _)| left.encode_utf16().cmp(right.encode_utf16()));
            let entries: String = entries.iter().map(|(key, value)| format!("{key}:{value},")).collect();
            format!("{{{entries}}}")
        }
        Value::Decimal(decimal) => format!("D{}@{}", hex(&decimal.unscaled), decimal.scale),
        Value::Date(ms) => format!("T{ms}"),
    }
}
