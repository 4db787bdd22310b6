//! Values from text. Source: `Values$ValueParser`, Kafka 4.1.

use std::sync::Arc;

use super::DEPTH_MAX;
use super::elements::{self, Found, LinkedMap, Merger, Misfit};
use super::number;
use super::tokens::{Tokens, trim};
use crate::ConnectError;
use crate::schema::{Kind, Schema};
use crate::value::Value;

/// Where a value stands in the text.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    /// Inside of a collection, at this depth.
    Embedded(usize),
    /// The whole text.
    Top,
}

/// Why something is not the value it looked like.
enum Failure {
    Misfit,
    TooDeep,
}

impl From<Misfit> for Failure {
    fn from(_: Misfit) -> Self {
        Self::Misfit
    }
}

/// A parsed value; nulls have no schema.
type Parsed = Result<(Option<Found>, Value), Failure>;

pub(super) fn parse(text: &str) -> Result<(Option<Arc<Schema>>, Value), ConnectError> {
    if text.is_empty() {
        return Ok((Some(Arc::new(Schema::new(Kind::String))), string(text)));
    }
    match value(&mut Tokens::new(text), Place::Top) {
        Ok((found, value)) => Ok((found.and_then(Found::complete), value)),
        Err(Failure::Misfit) => Ok((Some(Arc::new(Schema::new(Kind::String))), string(text))),
        Err(Failure::TooDeep) => {
            Err(ConnectError::data(format!("A literal nests collections more than {DEPTH_MAX} deep")))
        }
    }
}

fn value(tokens: &mut Tokens<'_>, place: Place) -> Parsed {
    let embedded = place != Place::Top;
    if !tokens.has_next() {
        return Ok((None, Value::Null));
    }
    if embedded && tokens.can_consume("\"") {
        return Ok(quoted(tokens));
    }
    if single_token(tokens, embedded, "null") {
        return Ok((None, Value::Null));
    }
    for flag in [true, false] {
        if single_token(tokens, embedded, if flag { "true" } else { "false" }) {
            return Ok((complete(Kind::Boolean), Value::Boolean(flag)));
        }
    }
    let start = tokens.mark();
    let depth = match place {
        Place::Embedded(depth) => depth,
        Place::Top => 0,
    };
    let collection = if tokens.can_consume("[") {
        array(tokens, depth + 1)
    } else if tokens.can_consume("{") {
        map(tokens, depth + 1)
    } else {
        return scalar(tokens, embedded);
    };
    match collection {
        Err(Failure::Misfit) => {
            tokens.rewind_to(start);
            scalar(tokens, embedded)
        }
        other => other,
    }
}

/// Passes `literal` if it is the next token, and at the top also the last.
fn single_token(tokens: &mut Tokens<'_>, embedded: bool, literal: &str) -> bool {
    let start = tokens.mark();
    if tokens.can_consume(literal) && (embedded || !tokens.has_next()) {
        return true;
    }
    tokens.rewind_to(start);
    false
}

/// The text up to the closing quote, escapes kept; a date or time if it looks like one.
fn quoted(tokens: &mut Tokens<'_>) -> (Option<Found>, Value) {
    let mut content = String::new();
    while tokens.has_next() {
        if tokens.can_consume("\"") {
            break;
        }
        content.push_str(tokens.next());
    }
    match elements::temporal(&content) {
        Some((found, value)) => (Some(found), value),
        None => (complete(Kind::String), string(&content)),
    }
}

fn scalar(tokens: &mut Tokens<'_>, embedded: bool) -> Parsed {
    let token = tokens.next();
    let trimmed = trim(token);
    let Some(first) = trimmed.chars().next() else {
        return Ok((complete(Kind::String), string(token)));
    };
    let is_digit = number::is_digit(first);
    if is_digit && let Some((found, value)) = temporal(tokens, trimmed) {
        return Ok((Some(found), value));
    }
    if (is_digit || first == '+' || first == '-')
        && let Some((schema, value)) = number::parse(trimmed)
    {
        return Ok((Some(Found::Complete(schema)), value));
    }
    if embedded {
        return Err(Failure::Misfit);
    }
    Ok((complete(Kind::String), string(tokens.original())))
}

/// Unescaped colons cut a time into five tokens.
fn temporal(tokens: &mut Tokens<'_>, first: &str) -> Option<(Found, Value)> {
    let start = tokens.mark();
    if let Some(rest) = tokens.next_many(4) {
        let text = if rest.len() > TEMPORAL_BYTES_MAX { None } else { Some(format!("{first}{rest}")) };
        if let Some(found) = text.as_deref().and_then(elements::temporal) {
            return Some(found);
        }
    }
    tokens.rewind_to(start);
    elements::temporal(first)
}

fn array(tokens: &mut Tokens<'_>, depth: usize) -> Parsed {
    check_depth(depth)?;
    let mut items = Vec::new();
    let mut merger = Merger::default();
    while tokens.has_next() {
        if tokens.can_consume("]") {
            let Some(common) = merger.common() else {
                return Ok((Some(Found::LooseArray), Value::Array(items)));
            };
            let items = items.into_iter().map(|item| elements::align(common, item));
            let items = items.collect::<Result<_, _>>()?;
            let found = match common {
                Found::Complete(item) => {
                    Found::Complete(Arc::new(Schema::new(Kind::Array(Arc::clone(item)))))
                }
                Found::LooseArray | Found::LooseMap => Found::LooseArray,
            };
            return Ok((Some(found), Value::Array(items)));
        }
        if tokens.can_consume(",") {
            return Err(Failure::Misfit);
        }
        let (found, item) = value(tokens, Place::Embedded(depth))?;
        merger.merge(found.as_ref());
        items.push(item);
        let mark = tokens.mark();
        if tokens.can_consume("]") {
            tokens.rewind_to(mark);
        } else if !tokens.can_consume(",") {
            return Err(Failure::Misfit);
        }
    }
    Err(Failure::Misfit)
}

fn map(tokens: &mut Tokens<'_>, depth: usize) -> Parsed {
    check_depth(depth)?;
    let mut entries = LinkedMap::default();
    let (mut keys, mut values) = (Merger::default(), Merger::default());
    while tokens.has_next() {
        if tokens.can_consume("}") {
            return finish_map(entries, &keys, &values);
        }
        if tokens.can_consume(",") {
            return Err(Failure::Misfit);
        }
        let (key_found, key) = value(tokens, Place::Embedded(depth))?;
        if key.is_null() || !tokens.can_consume(":") {
            return Err(Failure::Misfit);
        }
        let (value_found, member) = value(tokens, Place::Embedded(depth))?;
        entries.put(key, member);
        tokens.can_consume(",");
        keys.merge(key_found.as_ref());
        values.merge(value_found.as_ref());
    }
    Err(Failure::Misfit)
}

fn finish_map(entries: LinkedMap, keys: &Merger, values: &Merger) -> Parsed {
    let Some(key) = keys.common() else {
        return Ok((Some(Found::LooseMap), Value::Map(entries.into_entries())));
    };
    let mut aligned = LinkedMap::default();
    for (name, member) in entries.into_entries() {
        let member = match values.common() {
            Some(common) => elements::align(common, member)?,
            None => member,
        };
        aligned.put(elements::align(key, name)?, member);
    }
    let found = match (key, values.common()) {
        (Found::Complete(key), Some(Found::Complete(value))) => {
            let kind = Kind::Map { key: Arc::clone(key), value: Arc::clone(value) };
            Found::Complete(Arc::new(Schema::new(kind)))
        }
        _ => Found::LooseMap,
    };
    Ok((Some(found), Value::Map(aligned.into_entries())))
}

fn check_depth(depth: usize) -> Result<(), Failure> {
    if depth > DEPTH_MAX { Err(Failure::TooDeep) } else { Ok(()) }
}

fn complete(kind: Kind) -> Option<Found> {
    Some(Found::Complete(Arc::new(Schema::new(kind))))
}

fn string(text: &str) -> Value {
    Value::String(text.into())
}

/// No time is longer, with every digit taking three bytes and every colon escaped.
const TEMPORAL_BYTES_MAX: usize = 100;
