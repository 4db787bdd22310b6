//! What the keys of CSV mean.
//!
//! Source: the configuration that the Confluent S3 source publishes. Its documentation does not say how a
//! schema is written: here it is as in SpoolDir's `value.schema`, whose `csv.*` keys are the same.

use std::sync::Arc;

use lakeward_api::schema::{Field, Kind, Schema};
use lakeward_formats::file::read::{CsvEscapes, CsvNulls, CsvOptions};
use serde_json::Value as Json;

use super::generic_keys::GenericKeys;

/// What a decoder needs.
///
/// # Errors
/// What is wrong with the keys.
pub(super) fn options(keys: &GenericKeys) -> Result<CsvOptions, String> {
    let (separator, quote) = (letter(keys.csv_separator)?, letter(keys.csv_quote)?);
    let escapes = if keys.csv_rfc { None } else { Some(escapes(keys)?) };
    Ok(CsvOptions {
        skip_lines: keys.csv_skip,
        separator,
        quote,
        keep_returns: keys.csv_returns,
        nulls: match keys.csv_nulls.as_str() {
            "BOTH" => CsvNulls::Both,
            "EMPTY_QUOTES" => CsvNulls::EmptyQuotes,
            "EMPTY_SEPARATORS" => CsvNulls::EmptySeparators,
            _ => CsvNulls::Neither,
        },
        has_header: keys.csv_header,
        ignore_case: !keys.csv_case,
        escapes,
        schema: schema(&keys.value_schema)?.map(Arc::new),
    })
}

/// The rules of opencsv's older parser.
fn escapes(keys: &GenericKeys) -> Result<CsvEscapes, String> {
    Ok(CsvEscapes {
        escape: if keys.csv_escape == 0 { None } else { Some(letter(keys.csv_escape)?) },
        strict_quotes: keys.csv_strict,
        ignore_whitespace: keys.csv_whitespace,
        ignore_quotes: keys.csv_ignore_quotes,
    })
}

/// A schema of rows, or nothing.
pub(super) fn value_schema(_name: &str, text: &str) -> Result<(), String> {
    schema(text).map(|_| ())
}

/// A character that can stand between or around fields.
pub(super) fn code_point(_name: &str, text: &str) -> Result<(), String> {
    letter(text.trim().parse().unwrap_or(-1)).map(|_| ())
}

/// The one character set that is read.
pub(super) fn charset(_name: &str, text: &str) -> Result<(), String> {
    match text.eq_ignore_ascii_case("UTF-8") || text.eq_ignore_ascii_case("UTF8") {
        true => Ok(()),
        false => Err("not supported by Lakeward yet; use UTF-8".to_owned()),
    }
}

/// The character in front of one that is meant literally; 0 for none.
pub(super) fn escape_point(name: &str, text: &str) -> Result<(), String> {
    if text.trim() == "0" { Ok(()) } else { code_point(name, text) }
}

fn letter(code: i32) -> Result<char, String> {
    let letter = u32::try_from(code).ok().and_then(char::from_u32);
    letter
        .filter(|letter| !matches!(letter, '\0' | '\r' | '\n'))
        .ok_or_else(|| "use the code point of a character that ends no line".to_owned())
}

/// `None` for an empty text.
fn schema(text: &str) -> Result<Option<Schema>, String> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let json: Json = serde_json::from_str(text).map_err(|err| format!("it is no JSON: {err}"))?;
    let Some(fields) = json["fieldSchemas"].as_object().filter(|_| json["type"] == "STRUCT") else {
        return Err("it needs the type STRUCT and fieldSchemas".to_owned());
    };
    let field = |(name, json): (&String, &Json)| -> Result<Field, String> {
        let kind = match json["type"].as_str().unwrap_or_default() {
            "BOOLEAN" => Kind::Boolean,
            "FLOAT32" => Kind::Float32,
            "FLOAT64" => Kind::Float64,
            "INT16" => Kind::Int16,
            "INT32" => Kind::Int32,
            "INT64" => Kind::Int64,
            "INT8" => Kind::Int8,
            "STRING" => Kind::String,
            other => {
                return Err(format!("the type {other} of field {name} is not supported by Lakeward yet"));
            }
        };
        if json["name"].is_string() {
            return Err(format!("the named type of field {name} is not supported by Lakeward yet"));
        }
        let optional = json["isOptional"].as_bool().unwrap_or(false);
        Ok(Field { name: name.as_str().into(), schema: Arc::new(Schema { optional, ..Schema::new(kind) }) })
    };
    let fields = fields.iter().map(field).collect::<Result<Vec<_>, _>>()?;
    let schema = Schema::new(Kind::Struct(fields));
    Ok(Some(match json["name"].as_str() {
        Some(name) => schema.named(name),
        None => schema,
    }))
}
