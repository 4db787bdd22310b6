//! The one JAAS line that Java clients take their SASL credentials from.

use super::{ClientSettings, setting_error};
use crate::KafkaError;

const KEY: &str = "sasl.jaas.config";

/// Takes user name and password out of a PLAIN or SCRAM login module line.
///
/// # Errors
/// Class `Config` for other login modules. The line itself is never part of the error.
pub(super) fn apply(line: &str, settings: &mut ClientSettings) -> Result<(), KafkaError> {
    let module = line.split_whitespace().next().unwrap_or_default();
    let known = ["PlainLoginModule", "ScramLoginModule"].iter().any(|name| module.ends_with(name));
    if !known {
        return Err(setting_error(KEY, "only PlainLoginModule and ScramLoginModule are supported"));
    }
    for (option, library_name) in [("username", "sasl.username"), ("password", "sasl.password")] {
        match option_value(line, option) {
            Some(value) => settings.set(library_name, value),
            None => return Err(setting_error(KEY, format!("the line has no {option}=\"…\" option"))),
        }
    }
    Ok(())
}

/// The value of `option="value"`; backslash escapes a character, as in JAAS files.
fn option_value(line: &str, option: &str) -> Option<String> {
    let mut rest = line;
    loop {
        let at = rest.find(option)?;
        let boundary = rest[..at].chars().next_back().is_none_or(|before| before.is_whitespace());
        rest = &rest[at + option.len()..];
        let value = rest.trim_start().strip_prefix('=').map(str::trim_start);
        if let (true, Some(value)) = (boundary, value) {
            return unquote(value);
        }
    }
}

fn unquote(text: &str) -> Option<String> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(|c: char| c.is_whitespace() || c == ';').unwrap_or(text.len());
        return Some(text[..end].to_owned());
    };
    let mut value = String::new();
    let mut chars = quoted.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => return Some(value),
            '\\' => value.push(chars.next()?),
            other => value.push(other),
        }
    }
    None
}
