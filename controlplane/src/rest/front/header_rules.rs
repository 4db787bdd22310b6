//! `response.http.headers.config`: headers that every answer gets.
//!
//! Source: Jetty's `HeaderFilter`, `RestServerConfig`, Kafka 4.1.

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::calendar::http_date;
use crate::herder::now_ms;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Add,
    Set,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Value {
    /// The present instant and this many ms.
    Date(i64),
    Text(HeaderValue),
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HeaderRule {
    action: Action,
    name: HeaderName,
    value: Value,
}

impl HeaderRule {
    pub(super) fn apply(&self, headers: &mut HeaderMap) {
        let value = match &self.value {
            Value::Text(text) => text.clone(),
            Value::Date(after_ms) => {
                let date = http_date(now_ms().saturating_add(*after_ms).clamp(0, LATEST_MS));
                HeaderValue::from_str(&date).unwrap_or_else(|_| HeaderValue::from_static(""))
            }
        };
        match self.action {
            Action::Add => drop(headers.append(self.name.clone(), value)),
            Action::Set => drop(headers.insert(self.name.clone(), value)),
        }
    }
}

/// The last ms of the year 9999.
const LATEST_MS: i64 = 253_402_300_799_999;

/// Reads the rules. The error completes `Invalid value for configuration response.http.headers.config: `.
pub(super) fn parse(text: &str) -> Result<Vec<HeaderRule>, String> {
    split(text).iter().map(|rule| parse_rule(rule)).collect()
}

/// Cuts at commas outside of double quotes, which are taken off.
fn split(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut is_quoted = false;
    for c in text.chars() {
        match c {
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => parts.push(String::new()),
            c => parts.last_mut().expect("it begins with one").push(c),
        }
    }
    parts.into_iter().map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

fn parse_rule(rule: &str) -> Result<HeaderRule, String> {
    let problem = || {
        format!(
            "'{rule}' is no rule; write <action> <name>: <value> with one of the actions set, add, setDate, \
             addDate, and double quotes around a rule with a comma"
        )
    };
    let (head, value) = rule.split_once(':').ok_or_else(problem)?;
    let (action, name) = head.trim().split_once(char::is_whitespace).ok_or_else(problem)?;
    let name: HeaderName = name.trim().parse().map_err(|_| problem())?;
    let value = value.trim();
    let (action, is_date) = match action.to_ascii_lowercase().as_str() {
        "add" => (Action::Add, false),
        "adddate" => (Action::Add, true),
        "set" => (Action::Set, false),
        "setdate" => (Action::Set, true),
        _ => return Err(problem()),
    };
    let value = if is_date {
        Value::Date(value.parse().map_err(|_| problem())?)
    } else {
        Value::Text(HeaderValue::from_str(value).map_err(|_| problem())?)
    };
    Ok(HeaderRule { action, name, value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_set_or_added() {
        let rules = parse(r#"set X-One: 1, "add X-Two: a, b",setDate X-Date: 31540000000,add x-one: 2"#);
        let mut headers = HeaderMap::new();
        for rule in rules.unwrap() {
            rule.apply(&mut headers);
        }
        assert_eq!(headers.get_all("x-one").iter().collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(headers["x-two"], "a, b");
        assert!(headers["x-date"].to_str().unwrap().ends_with(" GMT"));
        assert_eq!(parse(" "), Ok(Vec::new()));
    }

    #[test]
    fn what_is_no_rule_is_refused() {
        for bad in ["set X-One 1", "put X: 1", "set: 1", "setDate X: tomorrow", "set a b: 1", "set X: a\nb"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
