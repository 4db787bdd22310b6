//! Reading of Protobuf files.

use std::collections::HashSet;

use super::model::{EnumDef, FieldDef, FieldKind, File, Label, MessageDef, TypeDef};
use super::options::Options;
use super::tokens::{Token, tokens};

const MAX_DEPTH: usize = 64;

impl File {
    /// Reads a file.
    ///
    /// # Errors
    /// A sentence that says what is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut file = Self::default();
        let mut names = Names::default();
        let mut reader = Reader { tokens: tokens(text)?, at: 0 };
        while let Some(token) = reader.next() {
            match token {
                Token::Word("message") => {
                    let message = reader.message(0)?;
                    names.add(&message.name)?;
                    file.types.push(TypeDef::Message(message));
                }
                Token::Word("enum") => {
                    let definition = reader.enumeration()?;
                    names.add(&definition.name)?;
                    file.types.push(TypeDef::Enum(definition));
                }
                Token::Word("syntax") => {
                    reader.mark('=')?;
                    file.proto3 = reader.next() == Some(Token::Text("proto3".to_owned()));
                    reader.mark(';')?;
                }
                Token::Word("package") => {
                    file.package = reader.word("a package")?.to_owned();
                    reader.mark(';')?;
                }
                Token::Word("import") => reader.import(&mut file)?,
                Token::Word("option") => {
                    let option = reader.option()?;
                    file.checks_utf8 |= option.is_true("java_string_check_utf8");
                }
                Token::Word("edition" | "service" | "extend") => reader.skip_statement()?,
                Token::Mark(';') => {}
                other => return Err(format!("unexpected {other:?} at the top of the file")),
            }
        }
        Ok(file)
    }
}

pub(super) struct Reader<'a> {
    tokens: Vec<Token<'a>>,
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn next(&mut self) -> Option<Token<'a>> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    pub(super) fn peek(&self) -> Option<&Token<'a>> {
        self.tokens.get(self.at)
    }

    /// True, and one token further, when the next token is `mark`.
    pub(super) fn is_next(&mut self, mark: char) -> bool {
        let found = self.tokens.get(self.at) == Some(&Token::Mark(mark));
        self.at += usize::from(found);
        found
    }

    pub(super) fn word(&mut self, what: &str) -> Result<&'a str, String> {
        match self.next() {
            Some(Token::Word(word)) => Ok(word),
            other => Err(format!("expected {what}, found {other:?}")),
        }
    }

    pub(super) fn mark(&mut self, mark: char) -> Result<(), String> {
        match self.next() {
            Some(Token::Mark(found)) if found == mark => Ok(()),
            other => Err(format!("expected {mark}, found {other:?}")),
        }
    }

    /// Passes over everything up to and including the next `;` or the block that ends the statement.
    fn skip_statement(&mut self) -> Result<(), String> {
        let mut open = 0usize;
        let mut assigned = false;
        while let Some(token) = self.next() {
            match token {
                Token::Mark('=') if open == 0 => assigned = true,
                Token::Mark('{' | '[' | '(') => open += 1,
                Token::Mark(end @ ('}' | ']' | ')')) => {
                    open = open.checked_sub(1).ok_or_else(|| format!("unexpected {end}"))?;
                    if open == 0 && end == '}' && !assigned {
                        return Ok(());
                    }
                }
                Token::Mark(';') if open == 0 => return Ok(()),
                _ => {}
            }
        }
        Err("the file ends inside a statement".to_owned())
    }

    /// Passes over a block whose opening mark was read.
    fn skip_block(&mut self) -> Result<(), String> {
        let mut open = 1usize;
        while open > 0 {
            match self.next() {
                Some(Token::Mark('{' | '[' | '(')) => open += 1,
                Some(Token::Mark('}' | ']' | ')')) => open -= 1,
                Some(_) => {}
                None => return Err("the file ends inside a block".to_owned()),
            }
        }
        Ok(())
    }

    fn import(&mut self, file: &mut File) -> Result<(), String> {
        let mut token = self.next();
        if matches!(token, Some(Token::Word("public" | "weak"))) {
            token = self.next();
        }
        match token {
            Some(Token::Text(name)) => file.imports.push(name),
            other => return Err(format!("expected a file to import, found {other:?}")),
        }
        self.mark(';')
    }

    fn message(&mut self, depth: usize) -> Result<MessageDef, String> {
        if depth > MAX_DEPTH {
            return Err(format!("messages nested deeper than {MAX_DEPTH} levels"));
        }
        let mut message = MessageDef { name: self.word("a message name")?.to_owned(), ..Default::default() };
        let (mut types, mut fields) = (Names::default(), Fields::default());
        self.mark('{')?;
        loop {
            match self.next() {
                Some(Token::Mark('}')) => return Ok(message),
                Some(Token::Mark(';')) => {}
                Some(Token::Word("message")) => {
                    let inner = self.message(depth + 1)?;
                    types.add(&inner.name)?;
                    message.types.push(TypeDef::Message(inner));
                }
                Some(Token::Word("enum")) => {
                    let inner = self.enumeration()?;
                    types.add(&inner.name)?;
                    message.types.push(TypeDef::Enum(inner));
                }
                Some(Token::Word("option")) => message.is_map_entry |= self.option()?.is_true("map_entry"),
                Some(Token::Word("reserved" | "extensions" | "extend")) => self.skip_statement()?,
                Some(Token::Word("oneof")) => self.oneof(&mut message, &mut fields)?,
                Some(Token::Word(first)) => self.field(&mut message, &mut fields, first, None)?,
                other => return Err(format!("unexpected {other:?} in message {}", message.name)),
            }
        }
    }

    fn oneof(&mut self, message: &mut MessageDef, fields: &mut Fields<'a>) -> Result<(), String> {
        let name = self.word("a oneof name")?.to_owned();
        self.mark('{')?;
        let index = message.oneofs.len();
        message.oneofs.push(name.clone());
        loop {
            match self.next() {
                Some(Token::Mark('}')) => return Ok(()),
                Some(Token::Mark(';')) => {}
                Some(Token::Word("option")) => self.skip_statement()?,
                Some(Token::Word(first)) => self.field(message, fields, first, Some(index))?,
                other => return Err(format!("unexpected {other:?} in oneof {name}")),
            }
        }
    }

    fn field(
        &mut self,
        message: &mut MessageDef,
        fields: &mut Fields<'a>,
        first: &'a str,
        oneof: Option<usize>,
    ) -> Result<(), String> {
        let (label, kind) = match first {
            "repeated" => (Some(Label::Repeated), self.word("a type")?),
            "required" => (Some(Label::Required), self.word("a type")?),
            "optional" => (Some(Label::Optional), self.word("a type")?),
            kind => (None, kind),
        };
        let kind = if kind == "map" && self.is_next('<') {
            let key = self.word("a key type")?.to_owned();
            self.mark(',')?;
            let value = self.word("a value type")?.to_owned();
            self.mark('>')?;
            FieldKind::Map(key, value)
        } else {
            FieldKind::Named(kind.to_owned())
        };
        let name = self.word("a field name")?;
        self.mark('=')?;
        let number = integer(self.word("a field number")?)?;
        let number = u32::try_from(number).ok().filter(|number| (1..1 << 29).contains(number));
        let number = number.ok_or_else(|| format!("{name} has no valid field number"))?;
        let mut options = Options::default();
        match self.next() {
            Some(Token::Mark(';')) => {}
            Some(Token::Mark('[')) => {
                options = self.bracketed_options()?;
                // The body of a group with options.
                if self.is_next('{') {
                    return self.skip_block();
                }
                self.mark(';')?;
            }
            // The body of a group, which ends without a semicolon. Groups are no fields for a reader.
            Some(Token::Mark('{')) => return self.skip_block(),
            other => return Err(format!("unexpected {other:?} after field {name}")),
        }
        if !fields.names.insert(name) || !fields.numbers.insert(number) {
            return Err(format!("message {}: field {name} = {number} is defined twice", message.name));
        }
        let (name, default, params) = (name.to_owned(), options.text("default"), options.params());
        message.fields.push(FieldDef { name, number, kind, label, oneof, default, params });
        Ok(())
    }

    fn enumeration(&mut self) -> Result<EnumDef, String> {
        let mut definition = EnumDef { name: self.word("an enum name")?.to_owned(), values: Vec::new() };
        self.mark('{')?;
        loop {
            match self.next() {
                Some(Token::Mark('}')) => return Ok(definition),
                Some(Token::Mark(';')) => {}
                Some(Token::Word("option" | "reserved")) => self.skip_statement()?,
                Some(Token::Word(name)) => {
                    self.mark('=')?;
                    let number = integer(self.word("a number")?)?;
                    let number = i32::try_from(number).map_err(|_| format!("{name} has no valid number"))?;
                    definition.values.push((name.to_owned(), number));
                    if self.is_next('[') {
                        self.skip_block()?;
                    }
                    self.mark(';')?;
                }
                other => return Err(format!("unexpected {other:?} in enum {}", definition.name)),
            }
        }
    }
}

/// Names of the types in one scope.
#[derive(Default)]
struct Names(HashSet<String>);

impl Names {
    fn add(&mut self, name: &str) -> Result<(), String> {
        if self.0.insert(name.to_owned()) { Ok(()) } else { Err(format!("{name} is defined twice")) }
    }
}

/// Names and numbers of the fields of one message.
#[derive(Default)]
struct Fields<'a> {
    names: HashSet<&'a str>,
    numbers: HashSet<u32>,
}

fn integer(text: &str) -> Result<i64, String> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text),
    };
    let number = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(hex) => i64::from_str_radix(hex, 16),
        None if digits.len() > 1 && digits.starts_with('0') => i64::from_str_radix(digits, 8),
        None => digits.parse(),
    };
    let number = number.ok().and_then(|number| number.checked_mul(sign));
    number.ok_or_else(|| format!("{text} is no whole number"))
}
