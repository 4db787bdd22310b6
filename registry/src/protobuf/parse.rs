//! Reading of Protobuf files.

use super::{Field, File, Label};

const MAX_DEPTH: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'a> {
    /// A name, a number, or a dotted path.
    Word(&'a str),
    Text,
    Mark(char),
}

impl File {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut file = Self::default();
        let mut reader = Reader { tokens: tokens(text)?, at: 0 };
        while let Some(token) = reader.next() {
            match token {
                Token::Word("message") => reader.message(&mut file, "", 0)?,
                Token::Word("enum") => reader.enumeration(&mut file, "")?,
                Token::Word(
                    "syntax" | "edition" | "package" | "import" | "option" | "service" | "extend",
                ) => {
                    reader.skip_statement()?;
                }
                Token::Mark(';') => {}
                other => return Err(format!("unexpected {other:?} at the top of the file")),
            }
        }
        Ok(file)
    }
}

struct Reader<'a> {
    tokens: Vec<Token<'a>>,
    at: usize,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Option<Token<'a>> {
        let token = self.tokens.get(self.at).copied();
        self.at += 1;
        token
    }

    fn word(&mut self, what: &str) -> Result<&'a str, String> {
        match self.next() {
            Some(Token::Word(word)) => Ok(word),
            other => Err(format!("expected {what}, found {other:?}")),
        }
    }

    fn mark(&mut self, mark: char) -> Result<(), String> {
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

    fn message(&mut self, file: &mut File, outer: &str, depth: usize) -> Result<(), String> {
        if depth > MAX_DEPTH {
            return Err(format!("messages nested deeper than {MAX_DEPTH} levels"));
        }
        let name = join(outer, self.word("a message name")?);
        if file.messages.insert(name.clone(), std::collections::BTreeMap::new()).is_some() {
            return Err(format!("message {name} is defined twice"));
        }
        self.mark('{')?;
        loop {
            match self.next() {
                Some(Token::Mark('}')) => return Ok(()),
                Some(Token::Mark(';')) => {}
                Some(Token::Word("message")) => self.message(file, &name, depth + 1)?,
                Some(Token::Word("enum")) => self.enumeration(file, &name)?,
                Some(Token::Word("option" | "reserved" | "extensions" | "extend")) => {
                    self.skip_statement()?
                }
                Some(Token::Word("oneof")) => self.oneof(file, &name)?,
                Some(Token::Word(first)) => self.field(file, &name, first, None)?,
                other => return Err(format!("unexpected {other:?} in message {name}")),
            }
        }
    }

    fn oneof(&mut self, file: &mut File, message: &str) -> Result<(), String> {
        let name = self.word("a oneof name")?.to_owned();
        self.mark('{')?;
        loop {
            match self.next() {
                Some(Token::Mark('}')) => return Ok(()),
                Some(Token::Mark(';')) => {}
                Some(Token::Word("option")) => self.skip_statement()?,
                Some(Token::Word(first)) => self.field(file, message, first, Some(&name))?,
                other => return Err(format!("unexpected {other:?} in oneof {name}")),
            }
        }
    }

    fn field(
        &mut self,
        file: &mut File,
        message: &str,
        first: &'a str,
        oneof: Option<&str>,
    ) -> Result<(), String> {
        let (label, mut kind) = match first {
            "repeated" => (Label::Repeated, self.word("a type")?),
            "required" => (Label::Required, self.word("a type")?),
            "optional" => (Label::Single, self.word("a type")?),
            kind => (Label::Single, kind),
        };
        let mut label = label;
        if kind == "map" && self.tokens.get(self.at) == Some(&Token::Mark('<')) {
            self.mark('<')?;
            self.word("a key type")?;
            self.mark(',')?;
            kind = self.word("a value type")?;
            self.mark('>')?;
            label = Label::Repeated;
        }
        let name = self.word("a field name")?.to_owned();
        self.mark('=')?;
        let number = self.word("a field number")?;
        let number = number.parse().map_err(|_| format!("{number} is no field number"))?;
        match self.next() {
            Some(Token::Mark(';')) => {}
            Some(Token::Mark('[' | '{')) => {
                // Options, or the body of a proto2 group, which ends without a semicolon.
                let group = self.tokens.get(self.at - 1) == Some(&Token::Mark('{'));
                self.skip_block()?;
                if !group {
                    self.mark(';')?;
                }
            }
            other => return Err(format!("unexpected {other:?} after field {name}")),
        }
        let field =
            Field { name: name.clone(), kind: kind.to_owned(), label, oneof: oneof.map(str::to_owned) };
        let fields = file.messages.entry(message.to_owned()).or_default();
        if fields.values().any(|known| known.name == name) || fields.insert(number, field).is_some() {
            return Err(format!("message {message}: field {name} = {number} is defined twice"));
        }
        Ok(())
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

    fn enumeration(&mut self, file: &mut File, outer: &str) -> Result<(), String> {
        file.enums.push(join(outer, self.word("an enum name")?));
        self.mark('{')?;
        self.skip_block()
    }
}

fn join(outer: &str, name: &str) -> String {
    if outer.is_empty() { name.to_owned() } else { format!("{outer}.{name}") }
}

fn tokens(text: &str) -> Result<Vec<Token<'_>>, String> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            byte if byte.is_ascii_whitespace() => at += 1,
            b'/' if bytes[at..].starts_with(b"//") => {
                at = bytes[at..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |end| at + end);
            }
            b'/' if bytes[at..].starts_with(b"/*") => {
                let end = text[at + 2..].find("*/").ok_or("a comment without end")?;
                at += end + 4;
            }
            quote @ (b'"' | b'\'') => {
                at += 1;
                while *bytes.get(at).ok_or("a text without end")? != quote {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
                at += 1;
                found.push(Token::Text);
            }
            byte if is_word(byte) => {
                let start = at;
                while at < bytes.len() && is_word(bytes[at]) {
                    at += 1;
                }
                found.push(Token::Word(&text[start..at]));
            }
            byte if byte.is_ascii_punctuation() => {
                found.push(Token::Mark(char::from(byte)));
                at += 1;
            }
            byte => return Err(format!("unexpected byte {byte:#x}")),
        }
    }
    Ok(found)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'+')
}
