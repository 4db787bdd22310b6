//! Values that came from a configuration provider, and texts without them.
//!
//! Owns the replacement only. Whoever shows a text that may quote a configuration (REST answers, statuses,
//! logs) asks [`Secrets::hide`] first.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// Shorter values are hidden only where they stand alone: `3` must not tear `30` apart.
const ANYWHERE_MIN: usize = 4;
/// Lines of a longer value are hidden by themselves from this length on.
const LINE_MIN: usize = 8;

struct Hidden {
    value: String,
    shown: String,
}

/// Resolved values and the variables they came from. Clones share them. `Debug` shows nothing.
#[derive(Clone, Default)]
pub struct Secrets {
    /// Longest first, so that a whole value is found before its parts.
    hidden: Arc<[Hidden]>,
}

impl Secrets {
    /// Hides each value behind the text given with it.
    pub fn new(entries: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut hidden: Vec<Hidden> = Vec::new();
        for (value, shown) in entries {
            let trimmed = value.trim();
            let lines = trimmed.lines().map(str::trim).filter(|line| line.len() >= LINE_MIN);
            let mut forms: Vec<String> = lines.map(str::to_owned).collect();
            // As a debug text would quote it.
            forms.extend([trimmed.escape_debug().to_string(), trimmed.to_owned(), value]);
            for value in forms {
                let is_new = !hidden.iter().any(|known| known.value == value);
                if is_new && !value.trim().is_empty() && value != shown {
                    hidden.push(Hidden { value, shown: shown.clone() });
                }
            }
        }
        hidden.sort_by_key(|hidden| std::cmp::Reverse(hidden.value.len()));
        Self { hidden: hidden.into() }
    }

    /// What either of both hides.
    #[must_use]
    pub fn with(&self, other: &Self) -> Self {
        let entries = self.hidden.iter().chain(&*other.hidden);
        Self::new(entries.map(|hidden| (hidden.value.clone(), hidden.shown.clone())))
    }

    /// Nothing to hide.
    pub fn is_empty(&self) -> bool {
        self.hidden.is_empty()
    }

    /// `text` with every value replaced by the variable it came from.
    pub fn hide<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if !self.hidden.iter().any(|hidden| text.contains(&hidden.value)) {
            return Cow::Borrowed(text);
        }
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        while let Some(next) = text[at..].chars().next() {
            if let Some(hidden) = self.hidden.iter().find(|hidden| hidden.is_at(text, at)) {
                out.push_str(&hidden.shown);
                at += hidden.value.len();
            } else {
                out.push(next);
                at += next.len_utf8();
            }
        }
        Cow::Owned(out)
    }
}

impl Hidden {
    fn is_at(&self, text: &str, at: usize) -> bool {
        let Some(after) = text[at..].strip_prefix(self.value.as_str()) else { return false };
        if self.value.len() >= ANYWHERE_MIN {
            return true;
        }
        let before = text[..at].chars().next_back();
        let joins = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        !joins(before) && !joins(after.chars().next())
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets([hidden])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(entries: &[(&str, &str)]) -> Secrets {
        Secrets::new(entries.iter().map(|(value, shown)| ((*value).to_owned(), (*shown).to_owned())))
    }

    #[test]
    fn values_are_replaced_by_their_variables_longest_first() {
        let secrets = secrets(&[("hunter2", "${f:p:k}"), ("user:hunter2", "${f:p:u}:${f:p:k}")]);
        assert_eq!(
            secrets.hide("login user:hunter2, then hunter2!"),
            "login ${f:p:u}:${f:p:k}, then ${f:p:k}!"
        );
        assert!(matches!(secrets.hide("nothing here"), Cow::Borrowed(_)));
    }

    #[test]
    fn short_values_are_hidden_only_where_they_stand_alone() {
        let secrets = secrets(&[("3", "${f:n}")]);
        assert_eq!(secrets.hide("Invalid value 3 of 30 in x3y"), "Invalid value ${f:n} of 30 in x3y");
    }

    #[test]
    fn a_whole_file_is_hidden_trimmed_quoted_and_line_by_line() {
        let secrets = secrets(&[("-----BEGIN KEY-----\nAAAABBBBCCCC\n\"q\"\n", "${d:p:key}")]);
        for text in ["x -----BEGIN KEY-----\nAAAABBBBCCCC\n\"q\" y", "bad line AAAABBBBCCCC"] {
            assert!(!secrets.hide(text).contains("AAAABBBB"), "{text}");
        }
        let quoted = format!("{:?}", "-----BEGIN KEY-----\nAAAABBBBCCCC\n\"q\"");
        assert_eq!(secrets.hide(&quoted), "\"${d:p:key}\"");
        assert!(!format!("{secrets:?}").contains("AAAA"));
    }

    #[test]
    fn empty_values_hide_nothing() {
        let secrets = secrets(&[("", "${f:a}"), (" \n", "${f:b}")]);
        assert!(secrets.is_empty());
        assert_eq!(secrets.hide("a b"), "a b");
    }
}
