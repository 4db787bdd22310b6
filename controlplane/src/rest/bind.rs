//! What bodies are read as: configuration maps and the request to create a connector.
//!
//! Numbers and booleans become text, as written. The last of several members of one name counts. Members
//! that a creation does not have are refused once everything else was read.
//!
//! Source: `CreateConnectorRequest`, `MapDeserializer` and `BeanDeserializer` of Jackson 2.19, Kafka 4.1.

use lakeward_controlplane_core::Properties;
use lakeward_controlplane_core::config_log::TargetState;

use super::jackson::{Malformed, Token, Tokens};
use crate::java_text;

/// Java's class of a creation.
pub(super) const CREATE_REQUEST: &str =
    "org.apache.kafka.connect.runtime.rest.entities.CreateConnectorRequest";
const MAP: &str = "java.util.LinkedHashMap";
const TASK_CONFIGS: &str = "java.util.ArrayList<java.util.Map<java.lang.String,java.lang.String>>";
const CREATOR_EXISTS: &str = "(although at least one Creator exists)";

/// A creation as sent.
#[derive(Debug, Default)]
pub(super) struct RawCreate {
    pub(super) name: Option<String>,
    pub(super) config: Option<Properties>,
    pub(super) initial_state: Option<TargetState>,
}

/// Reads the newest token as a configuration map.
pub(super) fn config(tokens: &mut Tokens<'_>) -> Result<Option<Properties>, Malformed> {
    if begins_map(tokens, "String")? { entries(tokens).map(Some) } else { Ok(None) }
}

/// Reads the newest token as a list of configuration maps; null entries are empty maps.
pub(super) fn task_configs(tokens: &mut Tokens<'_>) -> Result<Option<Vec<Properties>>, Malformed> {
    match tokens.current() {
        None | Some(Token::Null) => return Ok(None),
        Some(Token::StartArray) => {}
        Some(token) => return Err(mismatch(tokens, token, TASK_CONFIGS)),
    }
    let mut tasks = Vec::new();
    while tokens.next()?.is_some_and(|token| token != Token::EndArray) {
        let task = config(tokens).map_err(|malformed| malformed.within_list(tasks.len()))?;
        tasks.push(task.unwrap_or_default());
    }
    Ok(Some(tasks))
}

/// Whether the newest token begins a map with values of the Java class `java.lang.{values}`.
pub(super) fn begins_map(tokens: &mut Tokens<'_>, values: &str) -> Result<bool, Malformed> {
    match tokens.current() {
        Some(Token::Null) | None => Ok(false),
        Some(Token::StartObject) => Ok(true),
        Some(Token::Text) => {
            let start = tokens.start();
            let text = tokens.text()?;
            let problem = if text.trim().is_empty() {
                cannot_coerce(&format!("element of `{MAP}`"))
            } else {
                no_constructor(MAP, "String", &format!("String value ('{text}')"))
            };
            Err(Malformed::at(start, &problem))
        }
        Some(token) => Err(mismatch(tokens, token, &format!("{MAP}<java.lang.String,java.lang.{values}>"))),
    }
}

fn entries(tokens: &mut Tokens<'_>) -> Result<Properties, Malformed> {
    let mut properties = Properties::default();
    while tokens.next()? == Some(Token::FieldName) {
        let name = tokens.name().to_owned();
        let value = match tokens.next()? {
            Some(token @ (Token::StartArray | Token::StartObject)) => {
                return Err(mismatch(tokens, token, "java.lang.String").within(MAP, &name));
            }
            _ => scalar(tokens)?,
        };
        properties.set(name, value);
    }
    Ok(properties)
}

/// The newest token, which is no array or object, as text.
fn scalar(tokens: &mut Tokens<'_>) -> Result<Option<String>, Malformed> {
    Ok(match tokens.current() {
        Some(Token::Text) => Some(tokens.text()?),
        Some(Token::Int | Token::Float) => Some(tokens.number().to_owned()),
        Some(Token::True) => Some("true".to_owned()),
        Some(Token::False) => Some("false".to_owned()),
        _ => None,
    })
}

/// Reads the newest token as a creation.
pub(super) fn create_request(tokens: &mut Tokens<'_>) -> Result<Option<RawCreate>, Malformed> {
    if !begins_bean(tokens, CREATE_REQUEST)? {
        return Ok(None);
    }
    let mut create = RawCreate::default();
    bean(tokens, &CREATE_BEAN, |name, tokens| {
        let value = tokens.current();
        match name {
            "name" => create.name = text(tokens, value)?,
            "config" => create.config = config(tokens)?,
            _ => create.initial_state = target(tokens, value)?,
        }
        Ok(())
    })?;
    Ok(Some(create))
}

const CREATE_BEAN: Bean = Bean {
    class: CREATE_REQUEST,
    names: &["name", "config", "initial_state"],
    known: "3 known properties: \"config\", \"name\", \"initial_state\"",
};

/// A Java class whose members are given to its constructor.
pub(super) struct Bean {
    pub(super) class: &'static str,
    pub(super) names: &'static [&'static str],
    /// How messages list the members.
    pub(super) known: &'static str,
}

/// Whether the newest token begins an object; false for null and for no token at all.
pub(super) fn begins_bean(tokens: &mut Tokens<'_>, class: &str) -> Result<bool, Malformed> {
    let start = tokens.start();
    let (argument, value) = match tokens.current() {
        None | Some(Token::Null) => return Ok(false),
        Some(Token::StartObject) => return Ok(true),
        Some(Token::Text) => {
            let text = tokens.text()?;
            if text.trim().is_empty() {
                return Err(Malformed::at(start, &cannot_coerce(&format!("`{class}` value"))));
            }
            ("String", format!("String value ('{text}')"))
        }
        Some(token @ (Token::False | Token::True)) => {
            ("boolean/Boolean", format!("boolean value ({})", token == Token::True))
        }
        Some(Token::Int) => integer(tokens.number()),
        Some(Token::Float) => {
            let number = tokens.number().parse().unwrap_or(f64::NAN);
            ("double/Double", format!("Number value ({})", java_text::double(number)))
        }
        Some(token) => return Err(mismatch(tokens, token, class)),
    };
    Err(Malformed::at(start, &no_constructor(class, argument, &value)))
}

/// Reads the members of an object. Java makes it as soon as all are known, and refuses others then at once.
pub(super) fn bean(
    tokens: &mut Tokens<'_>,
    bean: &Bean,
    mut read: impl FnMut(&str, &mut Tokens<'_>) -> Result<(), Malformed>,
) -> Result<(), Malformed> {
    let mut unknown: Option<String> = None;
    let mut seen = vec![false; bean.names.len()];
    let mut token = tokens.next()?;
    while token == Some(Token::FieldName) {
        let name = tokens.name().to_owned();
        tokens.next()?;
        let complete = seen.iter().all(|seen| *seen);
        let outcome = match bean.names.iter().position(|known| *known == name) {
            Some(index) => {
                seen[index] = true;
                read(&name, tokens)
            }
            None if complete => return Err(unrecognized(tokens, bean, &name)),
            None => {
                skip(tokens)?;
                unknown.get_or_insert(name.clone());
                Ok(())
            }
        };
        outcome.map_err(|malformed| malformed.within(bean.class, &name))?;
        token = tokens.next()?;
        if let Some(name) = unknown.as_ref().filter(|_| seen.iter().all(|seen| *seen)) {
            return Err(unrecognized(tokens, bean, name));
        }
    }
    match unknown {
        Some(name) => Err(unrecognized(tokens, bean, &name)),
        None => Ok(()),
    }
}

fn integer(text: &str) -> (&'static str, String) {
    let (argument, shown) = match text.parse::<i64>() {
        Ok(number) if i32::try_from(number).is_ok() => ("int/Int", number.to_string()),
        Ok(number) => ("long/Long", number.to_string()),
        Err(_) => ("BigInteger", text.to_owned()),
    };
    (argument, format!("Number value ({shown})"))
}

fn text(tokens: &mut Tokens<'_>, value: Option<Token>) -> Result<Option<String>, Malformed> {
    match value {
        Some(token @ (Token::StartArray | Token::StartObject)) => {
            Err(mismatch(tokens, token, "java.lang.String"))
        }
        _ => scalar(tokens),
    }
}

fn target(tokens: &mut Tokens<'_>, value: Option<Token>) -> Result<Option<TargetState>, Malformed> {
    let start = tokens.start();
    let class = format!("{CREATE_REQUEST}$InitialState");
    match value {
        Some(Token::StartArray) => {
            let problem = format!(
                "Input mismatch reading Enum `{class}`: properties-based `@JsonCreator` ([method \
                 {class}#forValue(java.lang.String)]) expects String Value, got Array value \
                 (`JsonToken.START_ARRAY`)"
            );
            Err(Malformed::at(start, &problem))
        }
        Some(token @ Token::StartObject) => Err(mismatch(tokens, token, &class)),
        _ => {
            let Some(given) = scalar(tokens)? else { return Ok(None) };
            let known = state(&given).ok_or_else(|| {
                let given = given.to_uppercase();
                let problem = format!(
                    "Cannot construct instance of `{class}`, problem: No enum constant \
                     {CREATE_REQUEST}.InitialState.{given}"
                );
                Malformed::at(start, &problem)
            });
            known.map(Some)
        }
    }
}

/// The target state of that name, in any case.
pub(super) fn state(name: &str) -> Option<TargetState> {
    match name.to_uppercase().as_str() {
        "PAUSED" => Some(TargetState::Paused),
        "RUNNING" => Some(TargetState::Started),
        "STOPPED" => Some(TargetState::Stopped),
        _ => None,
    }
}

/// Reads over the newest value.
pub(super) fn skip(tokens: &mut Tokens<'_>) -> Result<(), Malformed> {
    let mut depth = 0_usize;
    loop {
        match tokens.current() {
            Some(Token::StartArray | Token::StartObject) => depth += 1,
            Some(Token::EndArray | Token::EndObject) => depth -= 1,
            Some(Token::Text) => drop(tokens.text()?),
            _ => {}
        }
        if depth == 0 {
            return Ok(());
        }
        tokens.next()?;
    }
}

fn unrecognized(tokens: &Tokens<'_>, bean: &Bean, name: &str) -> Malformed {
    let problem = format!(
        "Unrecognized field \"{name}\" (class {}), not marked as ignorable ({}])",
        bean.class, bean.known
    );
    Malformed::at(tokens.here(), &problem).within(bean.class, name)
}

pub(super) fn mismatch(tokens: &Tokens<'_>, token: Token, class: &str) -> Malformed {
    let (kind, name) = (token.kind(), token.as_str());
    let problem =
        format!("Cannot deserialize value of type `{class}` from {kind} value (token `JsonToken.{name}`)");
    Malformed::at(tokens.start(), &problem)
}

fn no_constructor(class: &str, argument: &str, value: &str) -> String {
    format!(
        "Cannot construct instance of `{class}` {CREATOR_EXISTS}: no {argument}-argument constructor/factory \
         method to deserialize from {value}"
    )
}

fn cannot_coerce(target: &str) -> String {
    format!(
        "Cannot coerce empty String (\"\") to {target} (but could if coercion was enabled using \
         `CoercionConfig`)"
    )
}
