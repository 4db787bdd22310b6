//! The one JAAS line that Java clients take their SASL credentials from.
//!
//! Source: `JaasConfig`, Kafka 4.1. Unlike there, numbers and other words need no quotes.

use std::iter::Peekable;
use std::str::Chars;

use lakeward_api::config::ConfigMap;

use super::{ClientSettings, setting_error};
use crate::KafkaError;

pub(crate) const KEY: &str = "sasl.jaas.config";

/// A login module with its options. Options may be secrets.
pub(crate) struct Jaas {
    module: String,
    pub(crate) options: ConfigMap,
}

impl Jaas {
    /// Reads the line.
    ///
    /// # Errors
    /// Class `Config`, in Java's words. The line itself is never part of the error.
    pub(crate) fn parse(line: &str) -> Result<Self, KafkaError> {
        let mut words = Words(line.chars().peekable());
        let module = Self::module(&mut words)?;
        let more =
            std::iter::from_fn(|| Self::module(&mut words).transpose()).collect::<Result<Vec<_>, _>>()?;
        match module {
            Some(module) if more.is_empty() => Ok(module),
            Some(_) => {
                let count = more.len() + 1;
                Err(problem(&format!(
                    "JAAS config property contains {count} login modules, should be 1 module"
                )))
            }
            None => Err(problem("Login module not specified in JAAS config")),
        }
    }

    /// The next module; `None` at the end of the text.
    fn module(words: &mut Words<'_>) -> Result<Option<Self>, KafkaError> {
        let Some(Word::Text(module)) = words.next()? else { return Ok(None) };
        let Some(Word::Text(flag)) = words.next()? else {
            return Err(problem("Login module control flag not specified in JAAS config"));
        };
        if !FLAGS.iter().any(|known| flag.eq_ignore_ascii_case(known)) {
            return Err(problem("Invalid login module control flag in JAAS config"));
        }
        let mut options = ConfigMap::new();
        loop {
            let name = match words.next()? {
                Some(Word::Sign(';')) => return Ok(Some(Self { module, options })),
                Some(Word::Text(name)) => name,
                Some(Word::Sign(_)) => return Err(problem("Value not specified for key in JAAS config")),
                None => return Err(problem("JAAS config entry not terminated by semi-colon")),
            };
            match (words.next()?, words.next()?) {
                (Some(Word::Sign('=')), Some(Word::Text(value))) => options.insert(name, value),
                _ => return Err(problem("Value not specified for key in JAAS config")),
            };
        }
    }

    /// Whether it is the module of this simple name.
    pub(crate) fn is(&self, module: &str) -> bool {
        self.module.rsplit('.').next() == Some(module)
    }

    /// Takes user name and password out of a PLAIN or SCRAM login module.
    ///
    /// # Errors
    /// Class `Config` for other login modules.
    pub(super) fn apply(&self, settings: &mut ClientSettings) -> Result<(), KafkaError> {
        if !self.is("PlainLoginModule") && !self.is("ScramLoginModule") {
            return Err(problem(
                "only PlainLoginModule, ScramLoginModule and OAuthBearerLoginModule are supported",
            ));
        }
        for (option, library_name) in [("username", "sasl.username"), ("password", "sasl.password")] {
            match self.options.get(option) {
                Some(value) => settings.set(library_name, value),
                None => return Err(problem(&format!("the line has no {option}=\"…\" option"))),
            }
        }
        Ok(())
    }
}

const FLAGS: [&str; 4] = ["required", "requisite", "sufficient", "optional"];

fn problem(text: &str) -> KafkaError {
    setting_error(KEY, text)
}

enum Word {
    Text(String),
    /// `=` or `;`
    Sign(char),
}

struct Words<'a>(Peekable<Chars<'a>>);

impl Words<'_> {
    fn next(&mut self) -> Result<Option<Word>, KafkaError> {
        self.skip();
        let Some(first) = self.0.next() else { return Ok(None) };
        if matches!(first, '=' | ';') {
            return Ok(Some(Word::Sign(first)));
        }
        let mut text = String::new();
        if !matches!(first, '"' | '\'') {
            text.push(first);
            while let Some(next) = self.0.next_if(|c| !c.is_whitespace() && !matches!(c, '=' | ';' | '"')) {
                text.push(next);
            }
            return Ok(Some(Word::Text(text)));
        }
        while let Some(next) = self.0.next() {
            match next {
                '\\' => text.extend(self.0.next()),
                end if end == first => return Ok(Some(Word::Text(text))),
                other => text.push(other),
            }
        }
        Err(problem("a quote is not closed"))
    }

    /// Skips white space and comments.
    fn skip(&mut self) {
        loop {
            while self.0.next_if(|c| c.is_whitespace()).is_some() {}
            let mut ahead = self.0.clone();
            let end = match (ahead.next(), ahead.next()) {
                (Some('/'), Some('/')) => "\n",
                (Some('/'), Some('*')) => "*/",
                _ => return,
            };
            let rest: String = ahead.collect();
            let after = rest.find(end).map_or(rest.len(), |at| at + end.len());
            let skipped = 2 + rest[..after].chars().count();
            self.0.by_ref().take(skipped).for_each(drop);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(line: &str) -> Result<Vec<(String, String)>, String> {
        Jaas::parse(line).map(|jaas| jaas.options.into_iter().collect()).map_err(|error| error.to_string())
    }

    #[test]
    fn options_are_read_as_java_reads_them() {
        let pairs = |pairs: &[(&str, &str)]| {
            Ok(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
        };
        for (line, expected) in [
            ("X required;", pairs(&[])),
            ("a.b.X Required\n a=b-c;", pairs(&[("a", "b-c")])),
            ("X required a=\"b\" c='d\"';", pairs(&[("a", "b"), ("c", "d\"")])),
            ("X required a = \"b;c\\\"d\" e=\"\";", pairs(&[("a", "b;c\"d"), ("e", "")])),
            ("// c\nX required /* d; */ a=b; // e", pairs(&[("a", "b")])),
            ("X required u=http://x/y?z;", pairs(&[("u", "http://x/y?z")])),
        ] {
            assert_eq!(options(line), expected, "{line}");
        }
    }

    #[test]
    fn lines_that_java_refuses_are_refused() {
        for (line, text) in [
            ("", "Login module not specified"),
            ("X", "control flag not specified"),
            ("X bad a=b;", "Invalid login module control flag"),
            ("X required a=b", "not terminated by semi-colon"),
            ("X required a=b c;", "Value not specified for key"),
            ("X required a=;", "Value not specified for key"),
            ("X required; Y required;", "contains 2 login modules, should be 1 module"),
            ("X required a=\"b;", "a quote is not closed"),
        ] {
            let error = options(line).unwrap_err();
            assert!(error.contains(text), "{line}: {error}");
        }
    }
}
