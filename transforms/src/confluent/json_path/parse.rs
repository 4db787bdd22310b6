//! Reads paths and conditions.

use super::{Comparison, Condition, JsonPath, Literal, Operand, Step};
use crate::java_regex::JavaRegex;

/// Conditions and lists nest at most this deep.
const DEPTH: usize = 32;

/// Steps and conditions of a path, those inside of conditions included: each may take a frame of the stack.
const PARTS: usize = 1_000;

/// Reads a whole path.
pub(super) fn parse(text: &str) -> Result<JsonPath, String> {
    let mut parser = Parser { text: text.trim(), at: 0, depth: 0, parts: 0 };
    if !parser.eat("$") {
        // As Jayway does: a path that names no root starts at it.
        let path = format!("$.{}", text.trim());
        return match text.trim() {
            "" => Err("The path is empty".to_owned()),
            start if start.starts_with('@') => Err("The path starts with @".to_owned()),
            start if start.starts_with('[') => parse(&format!("${start}")),
            _ => parse(&path),
        };
    }
    let path = parser.steps()?;
    parser.blanks();
    if parser.at < parser.text.len() {
        return Err(parser.unexpected());
    }
    Ok(path)
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    parts: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn blanks(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn eat(&mut self, token: &str) -> bool {
        let is_next = self.rest().starts_with(token);
        if is_next {
            self.at += token.len();
        }
        is_next
    }

    fn eat_token(&mut self, token: &str) -> bool {
        self.blanks();
        self.eat(token)
    }

    fn expect(&mut self, token: &str) -> Result<(), String> {
        if self.eat_token(token) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn unexpected(&self) -> String {
        format!("Could not parse token starting at position {}", self.at)
    }

    /// Counts a step or condition.
    fn count(&mut self) -> Result<(), String> {
        self.parts += 1;
        if self.parts > PARTS { Err(format!("The path has more than {PARTS} parts")) } else { Ok(()) }
    }

    /// The steps after `$` or `@`.
    fn steps(&mut self) -> Result<JsonPath, String> {
        let mut steps = Vec::new();
        loop {
            self.count()?;
            if self.eat("..") {
                steps.push(Step::Deep);
                if !self.rest().starts_with('[') {
                    steps.push(self.name()?);
                }
            } else if self.eat(".") {
                steps.push(self.name()?);
            } else if self.rest().starts_with('[') {
                steps.push(self.bracket()?);
            } else {
                return Ok(JsonPath { steps });
            }
        }
    }

    /// A member after a dot.
    fn name(&mut self) -> Result<Step, String> {
        if self.eat("*") {
            return Ok(Step::Wildcard);
        }
        let is_end = |c: char| " .[]()=!<>&|,~?\t".contains(c);
        let end = self.rest().find(is_end).unwrap_or(self.rest().len());
        let name = self.rest()[..end].to_owned();
        if name.is_empty() {
            return Err(self.unexpected());
        }
        self.at += end;
        if self.rest().starts_with('(') {
            return Err(format!("The function {name}() is not supported"));
        }
        Ok(Step::Members(vec![name]))
    }

    fn bracket(&mut self) -> Result<Step, String> {
        self.expect("[")?;
        let step = if self.eat_token("?") {
            self.expect("(")?;
            let condition = self.either()?;
            self.expect(")")?;
            Step::Filter(condition)
        } else if self.eat_token("*") {
            Step::Wildcard
        } else if self.rest().starts_with(['\'', '"']) {
            let mut names = vec![self.quoted()?];
            while self.eat_token(",") {
                self.blanks();
                names.push(self.quoted()?);
            }
            Step::Members(names)
        } else {
            self.positions()?
        };
        self.expect("]")?;
        Ok(step)
    }

    fn positions(&mut self) -> Result<Step, String> {
        let first = self.whole()?;
        if self.eat_token(":") {
            return Ok(Step::Slice(first, self.whole()?));
        }
        let mut items = vec![first.ok_or_else(|| self.unexpected())?];
        while self.eat_token(",") {
            items.push(self.whole()?.ok_or_else(|| self.unexpected())?);
        }
        Ok(Step::Items(items))
    }

    fn whole(&mut self) -> Result<Option<i64>, String> {
        self.blanks();
        let is_end = |c: char| !(c.is_ascii_digit() || c == '-');
        let end = self.rest().find(is_end).unwrap_or(self.rest().len());
        if end == 0 {
            return Ok(None);
        }
        let number = self.rest()[..end].parse().map_err(|_| self.unexpected())?;
        self.at += end;
        Ok(Some(number))
    }

    /// A text in quotes; a backslash takes the next character as it is.
    fn quoted(&mut self) -> Result<String, String> {
        let mut chars = self.rest().char_indices();
        let Some((_, quote @ ('\'' | '"'))) = chars.next() else { return Err(self.unexpected()) };
        let mut text = String::new();
        while let Some((at, c)) = chars.next() {
            if c == quote {
                self.at += at + 1;
                return Ok(text);
            }
            let taken = if c == '\\' { chars.next().map(|(_, next)| next) } else { Some(c) };
            text.extend(taken);
        }
        Err(format!("The text at position {} does not end", self.at))
    }

    fn either(&mut self) -> Result<Condition, String> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err("The condition is nested too deep".to_owned());
        }
        let mut condition = self.both()?;
        while self.eat_token("||") {
            condition = Condition::Or(Box::new(condition), Box::new(self.both()?));
        }
        self.depth -= 1;
        Ok(condition)
    }

    fn both(&mut self) -> Result<Condition, String> {
        let mut condition = self.single()?;
        while self.eat_token("&&") {
            condition = Condition::And(Box::new(condition), Box::new(self.single()?));
        }
        Ok(condition)
    }

    fn single(&mut self) -> Result<Condition, String> {
        self.count()?;
        let mut negations = 0;
        while self.eat_token("!") {
            negations += 1;
        }
        let condition = if self.eat_token("(") {
            let inner = self.either()?;
            self.expect(")")?;
            inner
        } else {
            self.comparison()?
        };
        Ok(if negations % 2 == 1 { Condition::Not(Box::new(condition)) } else { condition })
    }

    fn comparison(&mut self) -> Result<Condition, String> {
        let left = self.operand()?;
        if self.eat_token("=~") {
            return Ok(Condition::Matches(left, self.regex()?));
        }
        let operators = [
            ("==", Comparison::Equal),
            ("!=", Comparison::NotEqual),
            ("<=", Comparison::LessOrEqual),
            ("<", Comparison::Less),
            (">=", Comparison::MoreOrEqual),
            (">", Comparison::More),
        ];
        for (token, comparison) in operators {
            if self.eat_token(token) {
                return Ok(Condition::Compare(left, comparison, self.operand()?));
            }
        }
        self.blanks();
        let end = self.rest().find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(self.rest().len());
        let word = self.rest()[..end].to_ascii_lowercase();
        let comparison = match word.as_str() {
            "" => return Ok(Condition::Exists(left)),
            "empty" => Comparison::Empty,
            "in" => Comparison::In,
            "nin" => Comparison::NotIn,
            "size" => Comparison::Size,
            _ => return Err(format!("The operator {word} is not supported")),
        };
        self.at += end;
        Ok(Condition::Compare(left, comparison, self.operand()?))
    }

    fn operand(&mut self) -> Result<Operand, String> {
        self.blanks();
        let is_root = self.rest().starts_with('$');
        if self.eat("$") || self.eat("@") {
            return Ok(Operand::Path { is_root, path: self.steps()? });
        }
        if self.rest().starts_with(['\'', '"']) {
            return Ok(Operand::Literal(Literal::Text(self.quoted()?)));
        }
        if self.eat("[") {
            return self.list();
        }
        let is_end = |c: char| " ()[]=!<>&|,~\t".contains(c);
        let end = self.rest().find(is_end).unwrap_or(self.rest().len());
        let word = &self.rest()[..end];
        let literal = match word {
            "true" => Literal::Boolean(true),
            "false" => Literal::Boolean(false),
            "null" => Literal::Null,
            _ => match (word.parse(), word.parse::<f64>()) {
                (Ok(whole), _) => Literal::Whole(whole),
                (_, Ok(float)) if word.starts_with(|c: char| c.is_ascii_digit() || c == '-') => {
                    Literal::Float(float)
                }
                _ => return Err(self.unexpected()),
            },
        };
        self.at += end;
        Ok(Operand::Literal(literal))
    }

    fn list(&mut self) -> Result<Operand, String> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err("The list is nested too deep".to_owned());
        }
        let mut items = Vec::new();
        while !self.eat_token("]") {
            if !items.is_empty() {
                self.expect(",")?;
            }
            items.push(self.operand()?);
        }
        self.depth -= 1;
        Ok(Operand::List(items))
    }

    /// `/pattern/flags`.
    fn regex(&mut self) -> Result<JavaRegex, String> {
        self.expect("/")?;
        let mut pattern = String::new();
        let mut is_escaped = false;
        let mut chars = self.rest().char_indices();
        let end = loop {
            let Some((at, c)) = chars.next() else { return Err("The pattern does not end".to_owned()) };
            if c == '/' && !is_escaped {
                break at;
            }
            is_escaped = c == '\\' && !is_escaped;
            pattern.push(c);
        };
        self.at += end + 1;
        let flags = self.rest().find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(self.rest().len());
        let (flags, next) = (&self.rest()[..flags], self.at + flags);
        let pattern = if flags.is_empty() { pattern } else { format!("(?{flags}){pattern}") };
        self.at = next;
        JavaRegex::new(&pattern)
    }
}
