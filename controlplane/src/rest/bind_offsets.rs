//! What bodies of offset requests are read as.
//!
//! Source: `ConnectorOffsets`, `ConnectorOffset`, `UntypedObjectDeserializer` of Jackson 2.19, Kafka 4.1.

use serde_json::{Map, Number, Value};

use super::bind::{Bean, bean, begins_bean, begins_map, mismatch, skip};
use super::jackson::{Malformed, Token, Tokens};
use crate::offsets::{OffsetItem, RawMap};

/// Java's class of the body.
pub(super) const OFFSETS: &str = "org.apache.kafka.connect.runtime.rest.entities.ConnectorOffsets";
const OFFSET: &str = "org.apache.kafka.connect.runtime.rest.entities.ConnectorOffset";

const OFFSETS_BEAN: Bean =
    Bean { class: OFFSETS, names: &["offsets"], known: "one known property: \"offsets\"" };
const OFFSET_BEAN: Bean = Bean {
    class: OFFSET,
    names: &["partition", "offset"],
    known: "2 known properties: \"partition\", \"offset\"",
};

/// How many levels of arrays and objects are kept; messages show them.
const DEPTH_KEPT: usize = 16;

/// The list as sent; entries may be null.
pub(super) type RawOffsets = Vec<Option<OffsetItem>>;

/// Reads the newest token as offsets; the list is `None` when it is null or absent.
pub(super) fn offsets(tokens: &mut Tokens<'_>) -> Result<Option<Option<RawOffsets>>, Malformed> {
    if !begins_bean(tokens, OFFSETS)? {
        return Ok(None);
    }
    let mut offsets = None;
    bean(tokens, &OFFSETS_BEAN, |_, tokens| {
        offsets = list(tokens)?;
        Ok(())
    })?;
    Ok(Some(offsets))
}

fn list(tokens: &mut Tokens<'_>) -> Result<Option<RawOffsets>, Malformed> {
    match tokens.current() {
        None | Some(Token::Null) => return Ok(None),
        Some(Token::StartArray) => {}
        Some(token) => {
            let class = format!("java.util.ArrayList<{OFFSET}>");
            return Err(mismatch(tokens, token, &class));
        }
    }
    let mut items = Vec::new();
    while tokens.next()?.is_some_and(|token| token != Token::EndArray) {
        let index = items.len();
        items.push(item(tokens).map_err(|malformed| malformed.within_list(index))?);
    }
    Ok(Some(items))
}

fn item(tokens: &mut Tokens<'_>) -> Result<Option<OffsetItem>, Malformed> {
    if !begins_bean(tokens, OFFSET)? {
        return Ok(None);
    }
    let mut item = OffsetItem { partition: None, offset: None };
    bean(tokens, &OFFSET_BEAN, |name, tokens| {
        let map = if begins_map(tokens, "Object")? { Some(map(tokens)?) } else { None };
        match name {
            "partition" => item.partition = map,
            _ => item.offset = map,
        }
        Ok(())
    })?;
    Ok(Some(item))
}

fn map(tokens: &mut Tokens<'_>) -> Result<RawMap, Malformed> {
    let mut members = Map::new();
    while tokens.next()? == Some(Token::FieldName) {
        let name = tokens.name().to_owned();
        tokens.next()?;
        members.insert(name, value(tokens, DEPTH_KEPT)?);
    }
    Ok(members)
}

/// Any value. Nothing of use is nested at all: what lies deeper than `depth` is read over and taken for null.
fn value(tokens: &mut Tokens<'_>, depth: usize) -> Result<Value, Malformed> {
    if depth == 0 {
        return skip(tokens).map(|()| Value::Null);
    }
    Ok(match tokens.current() {
        Some(Token::StartObject) => {
            let mut members = Map::new();
            while tokens.next()? == Some(Token::FieldName) {
                let name = tokens.name().to_owned();
                tokens.next()?;
                members.insert(name, value(tokens, depth - 1)?);
            }
            Value::Object(members)
        }
        Some(Token::StartArray) => {
            let mut values = Vec::new();
            while tokens.next()?.is_some_and(|token| token != Token::EndArray) {
                values.push(value(tokens, depth - 1)?);
            }
            Value::Array(values)
        }
        Some(Token::Text) => Value::String(tokens.text()?),
        Some(Token::Int | Token::Float) => {
            // What is a number of the grammar is one of every parser.
            tokens.number().parse::<Number>().map_or(Value::Null, Value::Number)
        }
        Some(Token::True) => Value::Bool(true),
        Some(Token::False) => Value::Bool(false),
        _ => Value::Null,
    })
}
