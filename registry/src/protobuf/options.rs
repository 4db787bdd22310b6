//! Options of files, messages and fields, as far as something here depends on them.

use super::parse::Reader;
use super::tokens::Token;

const MAX_DEPTH: usize = 32;
const FIELD_META: &str = "confluent.field_meta";

/// Options by name, in order; parentheses and a leading point are taken off.
#[derive(Debug, Default)]
pub(super) struct Options(Vec<(String, Constant)>);

/// The value of an option.
#[derive(Debug, PartialEq)]
enum Constant {
    List(Vec<Constant>),
    Map(Vec<(String, Constant)>),
    Text(String),
}

impl Options {
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.0.iter().rev().find_map(|(known, constant)| match constant {
            Constant::Text(text) if known == name => Some(text.clone()),
            _ => None,
        })
    }

    pub(super) fn is_true(&self, name: &str) -> bool {
        self.text(name).as_deref() == Some("true")
    }

    /// `params` of `confluent.field_meta`, in either way of writing them.
    pub(super) fn params(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        for (name, constant) in &self.0 {
            if name == FIELD_META
                && let Constant::Map(members) = constant
            {
                members.iter().filter(|(name, _)| name == "params").for_each(|(_, at)| at.pairs(&mut found));
            } else if name.strip_prefix(FIELD_META) == Some(".params") {
                constant.pairs(&mut found);
            }
        }
        found
    }
}

impl Constant {
    fn pairs(&self, found: &mut Vec<(String, String)>) {
        match self {
            Self::List(items) => items.iter().for_each(|item| item.pairs(found)),
            Self::Map(members) => {
                let text = |wanted: &str| {
                    members.iter().find_map(|(name, constant)| match constant {
                        Self::Text(text) if name == wanted => Some(text.clone()),
                        _ => None,
                    })
                };
                if let Some(key) = text("key") {
                    found.push((key, text("value").unwrap_or_default()));
                }
            }
            Self::Text(_) => {}
        }
    }
}

impl Reader<'_> {
    /// The rest of an `option` statement.
    pub(super) fn option(&mut self) -> Result<Options, String> {
        let name = self.option_name()?;
        self.mark('=')?;
        let constant = self.constant(0)?;
        self.mark(';')?;
        Ok(Options(vec![(name, constant)]))
    }

    /// The options of a field, whose opening bracket was read.
    pub(super) fn bracketed_options(&mut self) -> Result<Options, String> {
        let mut options = Options::default();
        loop {
            let name = self.option_name()?;
            self.mark('=')?;
            let constant = self.constant(0)?;
            options.0.push((name, constant));
            if self.is_next(']') {
                return Ok(options);
            }
            self.mark(',')?;
        }
    }

    fn option_name(&mut self) -> Result<String, String> {
        let mut name = String::new();
        if self.is_next('(') {
            name.push_str(self.word("an option name")?.trim_start_matches('.'));
            self.mark(')')?;
        } else {
            name.push_str(self.word("an option name")?);
        }
        while let Some(Token::Word(_) | Token::Mark('(')) = self.peek() {
            if self.is_next('(') {
                name.push_str(self.word("an option name")?);
                self.mark(')')?;
            } else {
                name.push_str(self.word("an option name")?);
            }
        }
        Ok(name)
    }

    fn constant(&mut self, depth: usize) -> Result<Constant, String> {
        if depth > MAX_DEPTH {
            return Err(format!("options nested deeper than {MAX_DEPTH} levels"));
        }
        match self.next() {
            Some(Token::Word(word)) => Ok(Constant::Text(word.to_owned())),
            Some(Token::Text(mut text)) => {
                // Texts that follow each other are one.
                while let Some(Token::Text(more)) = self.peek() {
                    text.push_str(more);
                    self.next();
                }
                Ok(Constant::Text(text))
            }
            Some(Token::Mark('[')) => {
                let mut items = Vec::new();
                while !self.is_next(']') {
                    items.push(self.constant(depth + 1)?);
                    self.is_next(',');
                }
                Ok(Constant::List(items))
            }
            Some(Token::Mark(open @ ('{' | '<'))) => self.members(if open == '{' { '}' } else { '>' }, depth),
            other => Err(format!("expected the value of an option, found {other:?}")),
        }
    }

    fn members(&mut self, end: char, depth: usize) -> Result<Constant, String> {
        let mut members = Vec::new();
        while !self.is_next(end) {
            let name = if self.is_next('[') {
                let mut name = String::new();
                while !self.is_next(']') {
                    match self.next() {
                        Some(Token::Word(word)) => name.push_str(word),
                        Some(Token::Mark(mark)) => name.push(mark),
                        other => return Err(format!("unexpected {other:?} in an option")),
                    }
                }
                name
            } else {
                match self.next() {
                    Some(Token::Word(word)) => word.to_owned(),
                    Some(Token::Text(text)) => text,
                    other => return Err(format!("expected the member of an option, found {other:?}")),
                }
            };
            self.is_next(':');
            members.push((name, self.constant(depth + 1)?));
            if !self.is_next(',') {
                self.is_next(';');
            }
        }
        Ok(Constant::Map(members))
    }
}
