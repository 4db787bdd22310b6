//! The tokens of a body, one after the other.
//!
//! A value other than text is read together with the name before it, as in Java: what is wrong with it is met
//! there.

use super::{DEPTH_MAX, Malformed, Mark, Token, VALUES, described};

/// An open array or object.
struct Scope {
    object: bool,
    start: Mark,
    entries: usize,
}

/// Reads a body.
pub(in crate::rest) struct Tokens<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
    line: usize,
    line_start: usize,
    current: Option<Token>,
    /// The value after the name that is current.
    next: Option<Token>,
    start: Mark,
    scopes: Vec<Scope>,
    name: String,
    /// First and past the last byte of the newest number.
    pub(super) number: (usize, usize),
}

impl<'a> Tokens<'a> {
    /// Reads `bytes` from the start; a byte order mark is skipped.
    pub(in crate::rest) fn new(bytes: &'a [u8]) -> Self {
        let at = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        Self {
            bytes,
            at,
            line: 1,
            line_start: 0,
            current: None,
            next: None,
            start: Mark { line: 1, column: 1 },
            scopes: Vec::new(),
            name: String::new(),
            number: (0, 0),
        }
    }

    /// The newest token.
    pub(in crate::rest) fn current(&self) -> Option<Token> {
        self.current
    }

    /// Forgets the newest token: what follows stands for itself.
    pub(in crate::rest) fn clear(&mut self) {
        self.current = None;
    }

    /// The newest name.
    pub(in crate::rest) fn name(&self) -> &str {
        &self.name
    }

    /// The newest number, as written.
    pub(in crate::rest) fn number(&self) -> &'a str {
        let digits = self.bytes.get(self.number.0..self.number.1).unwrap_or_default();
        std::str::from_utf8(digits).unwrap_or_default()
    }

    /// Where the newest token starts.
    pub(in crate::rest) fn start(&self) -> Mark {
        self.start
    }

    /// Where reading goes on.
    pub(in crate::rest) fn here(&self) -> Mark {
        Mark { line: self.line, column: self.at - self.line_start + 1 }
    }

    /// The place of the byte read last.
    pub(super) fn before(&self) -> Mark {
        Mark { line: self.line, column: self.at - self.line_start }
    }

    /// The next token; `None` at the end of the body.
    pub(in crate::rest) fn next(&mut self) -> Result<Option<Token>, Malformed> {
        self.current = match self.next.take() {
            Some(value) => Some(self.open(value)?),
            None => self.read()?,
        };
        Ok(self.current)
    }

    fn read(&mut self) -> Result<Option<Token>, Malformed> {
        let Some(mut byte) = self.skip_blanks()? else { return self.end() };
        match byte {
            b']' => return self.close(Token::EndArray).map(Some),
            b'}' => return self.close(Token::EndObject).map(Some),
            _ => {}
        }
        let kind = self.scope_kind();
        let in_object = self.scopes.last().is_some_and(|scope| scope.object);
        if let Some(scope) = self.scopes.last_mut() {
            scope.entries += 1;
            if scope.entries > 1 {
                if byte != b',' {
                    let expected = format!("was expecting comma to separate {kind} entries");
                    return Err(self.unexpected(byte.into(), &expected));
                }
                byte = self.skip_blanks_within()?;
            }
        }
        if !in_object {
            let value = self.value(byte)?;
            return self.open(value).map(Some);
        }
        self.start = self.before();
        self.name = self.read_name(byte)?;
        self.current = Some(Token::FieldName);
        if self.skip_blanks_within()? != b':' {
            let found = u32::from(self.bytes[self.at - 1]);
            return Err(self.unexpected(found, "was expecting a colon to separate field name and value"));
        }
        let byte = self.skip_blanks_within()?;
        self.next = Some(self.value(byte)?);
        Ok(self.current)
    }

    /// The end of the body, which must not be inside anything.
    fn end(&self) -> Result<Option<Token>, Malformed> {
        let Some(scope) = self.scopes.last() else { return Ok(None) };
        let (kind, start) = (self.scope_kind(), scope.start.text());
        Err(self.ended(&format!(": expected close marker for {kind} (start marker at {start})")))
    }

    fn scope_kind(&self) -> &'static str {
        match self.scopes.last() {
            None => "root",
            Some(scope) if scope.object => "Object",
            Some(_) => "Array",
        }
    }

    pub(super) fn at_root(&self) -> bool {
        self.scopes.is_empty()
    }

    /// Enters arrays and objects.
    fn open(&mut self, token: Token) -> Result<Token, Malformed> {
        if matches!(token, Token::StartArray | Token::StartObject) {
            self.scopes.push(Scope { object: token == Token::StartObject, start: self.start, entries: 0 });
            let depth = self.scopes.len();
            if depth > DEPTH_MAX {
                return Err(Malformed::limit(format!(
                    "Document nesting depth ({depth}) exceeds the maximum allowed ({DEPTH_MAX}, from \
                     `StreamReadConstraints.getMaxNestingDepth()`)"
                )));
            }
        }
        Ok(token)
    }

    fn close(&mut self, token: Token) -> Result<Token, Malformed> {
        let object = token == Token::EndObject;
        let marker = if object { '}' } else { ']' };
        match self.scopes.last() {
            Some(scope) if scope.object == object => {
                self.start = self.before();
                self.scopes.pop();
                Ok(token)
            }
            Some(scope) => {
                let (expected, start) = (if object { ']' } else { '}' }, scope.start.text());
                let kind = self.scope_kind();
                let problem = format!(
                    "Unexpected close marker '{marker}': expected '{expected}' (for {kind} starting at \
                     {start})"
                );
                Err(Malformed::at(self.before(), &problem))
            }
            None => {
                let kind = token.kind();
                let problem = format!("Unexpected close marker '{marker}': no open {kind} to close");
                Err(Malformed::at(self.before(), &problem))
            }
        }
    }

    /// The value that begins with `byte`. Of text only the quote is read.
    fn value(&mut self, byte: u8) -> Result<Token, Malformed> {
        self.start = self.before();
        match byte {
            b'"' => Ok(Token::Text),
            b'[' => Ok(Token::StartArray),
            b'{' => Ok(Token::StartObject),
            b'-' | b'0'..=b'9' => self.read_number(byte),
            b'f' => self.word("false", 1).map(|()| Token::False),
            b'n' => self.word("null", 1).map(|()| Token::Null),
            b't' => self.word("true", 1).map(|()| Token::True),
            other => Err(self.no_value(other)),
        }
    }

    /// What is wrong with a value that begins with `byte`.
    pub(super) fn no_value(&mut self, byte: u8) -> Malformed {
        let in_array = self.scopes.last().is_some_and(|scope| !scope.object);
        match byte {
            b',' | b'}' => return self.unexpected(byte.into(), "expected a value"),
            b']' if in_array => return self.unexpected(byte.into(), "expected a value"),
            b'N' => return self.not_a_number("NaN", 1),
            b'I' => return self.not_a_number("Infinity", 1),
            b'+' => {
                let Some(after) = self.byte() else { return self.ended(" in a Number value") };
                return self.bad_number_start(after, '+');
            }
            _ => {}
        }
        if begins_word(char::from(byte)) {
            return self.unknown_word(&char::from(byte).to_string());
        }
        self.unexpected(byte.into(), &format!("expected a valid value {VALUES}"))
    }

    pub(super) fn not_a_number(&mut self, word: &str, known: usize) -> Malformed {
        match self.word(word, known) {
            Ok(()) => {
                let problem = format!(
                    "Non-standard token '{word}': enable `JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS` to allow"
                );
                Malformed::at(self.here(), &problem)
            }
            Err(malformed) => malformed,
        }
    }

    /// Reads the rest of `word`, of which `known` bytes were read.
    fn word(&mut self, word: &str, known: usize) -> Result<(), Malformed> {
        for (index, expected) in word.bytes().enumerate().skip(known) {
            if self.bytes.get(self.at) != Some(&expected) {
                return Err(self.unknown_word(&word[..index]));
            }
            self.at += 1;
        }
        let Some(after) = self.bytes.get(self.at).copied() else { return Ok(()) };
        if after < b'0' || matches!(after, b']' | b'}') {
            return Ok(());
        }
        let after = self.character(after)?;
        if char::from_u32(after).is_some_and(in_word) { Err(self.unknown_word(word)) } else { Ok(()) }
    }

    /// The error about a word that is none, of which `known` was read.
    fn unknown_word(&mut self, known: &str) -> Malformed {
        const SHOWN_MAX: usize = 256;
        let mut shown: Vec<char> = known.chars().collect();
        while let Some(byte) = self.byte() {
            let code = match self.character(byte) {
                Ok(code) => code,
                Err(malformed) => return malformed,
            };
            let Some(more) = char::from_u32(code).filter(|more| in_word(*more)) else { break };
            shown.push(more);
            if shown.len() >= SHOWN_MAX {
                shown.extend("...".chars());
                break;
            }
        }
        let shown: String = shown.into_iter().collect();
        Malformed::at(self.here(), &format!("Unrecognized token '{shown}': was expecting {VALUES}"))
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        let byte = self.bytes.get(self.at).copied()?;
        self.at += 1;
        Some(byte)
    }

    /// The byte after blanks; `None` at the end.
    fn skip_blanks(&mut self) -> Result<Option<u8>, Malformed> {
        while let Some(byte) = self.byte() {
            match byte {
                b' ' | b'\t' => {}
                b'\n' => self.new_line(),
                b'\r' => {
                    if self.bytes.get(self.at) == Some(&b'\n') {
                        self.at += 1;
                    }
                    self.new_line();
                }
                0..b' ' => {
                    let problem = format!(
                        "Illegal character ({}): only regular white space (\\r, \\n, \\t) is allowed between \
                         tokens",
                        described(byte.into())
                    );
                    return Err(Malformed::at(self.here(), &problem));
                }
                b'/' => {
                    let problem = "maybe a (non-standard) comment? (not recognized as one since Feature \
                                   'ALLOW_COMMENTS' not enabled for parser)";
                    return Err(self.unexpected(byte.into(), problem));
                }
                _ => return Ok(Some(byte)),
            }
        }
        Ok(None)
    }

    /// The byte after blanks, where the body must not end.
    fn skip_blanks_within(&mut self) -> Result<u8, Malformed> {
        let byte = self.skip_blanks()?;
        byte.ok_or_else(|| self.ended(&format!(" within/between {} entries", self.scope_kind())))
    }

    pub(super) fn new_line(&mut self) {
        self.line += 1;
        self.line_start = self.at;
    }

    pub(super) fn unexpected(&self, code: u32, expected: &str) -> Malformed {
        let problem = format!("Unexpected character ({}): {expected}", described(code));
        Malformed::at(self.before(), &problem)
    }

    /// The body ended too early.
    pub(super) fn ended(&self, place: &str) -> Malformed {
        Malformed::at(self.here(), &format!("Unexpected end-of-input{place}"))
    }

    /// The body ended where only the newest token is known.
    pub(super) fn ended_after_current(&self) -> Malformed {
        self.ended(&format!(" in {}", self.current.map_or("null", Token::as_str)))
    }
}

/// Whether a Java identifier may begin with `c`.
fn begins_word(c: char) -> bool {
    c.is_alphabetic() || matches!(c, '_' | '$' | '\u{a2}'..='\u{a5}' | '\u{20a0}'..='\u{20c0}')
}

/// Whether `c` may be in a Java identifier.
fn in_word(c: char) -> bool {
    let ignored = matches!(c, '\0'..='\u{8}' | '\u{e}'..='\u{1b}' | '\u{7f}'..='\u{9f}' | '\u{ad}');
    begins_word(c) || c.is_ascii_digit() || ignored
}
