//! A literal cut into tokens: delimiters and what stands between them.
//!
//! Tokens are ranges of the text; nothing is copied. Source: `Values$Parser`, Kafka 4.1.

use std::ops::Range;

/// A position in a text and at most one token read ahead.
pub(super) struct Tokens<'a> {
    text: &'a str,
    position: usize,
    ahead: Option<Range<usize>>,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, position: 0, ahead: None }
    }

    /// The whole text.
    pub(super) fn original(&self) -> &'a str {
        self.text
    }

    /// Where the next token starts, for [`Tokens::rewind_to`].
    pub(super) fn mark(&self) -> usize {
        self.ahead.as_ref().map_or(self.position, |ahead| ahead.start)
    }

    pub(super) fn rewind_to(&mut self, mark: usize) {
        self.position = mark;
        self.ahead = None;
    }

    pub(super) fn has_next(&self) -> bool {
        self.ahead.is_some() || self.position < self.text.len()
    }

    /// The next token; empty at the end.
    pub(super) fn next(&mut self) -> &'a str {
        let token = match self.ahead.take() {
            Some(ahead) => ahead,
            None => self.scan(),
        };
        &self.text[token]
    }

    /// The text of the next `count` tokens; `None`, and no progress, when there are fewer.
    pub(super) fn next_many(&mut self, count: usize) -> Option<&'a str> {
        let start = self.mark();
        for _ in 0..count {
            if !self.has_next() {
                self.rewind_to(start);
                return None;
            }
            self.next();
        }
        Some(&self.text[start..self.position])
    }

    /// Passes the next token if it is `expected`, blanks around it aside. Blank tokens before it are passed
    /// in any case.
    pub(super) fn can_consume(&mut self, expected: &str) -> bool {
        if self.ahead.is_none() {
            if !self.has_next() {
                return false;
            }
            self.ahead = Some(self.scan());
        }
        loop {
            let token = trim(&self.text[self.ahead.clone().unwrap_or_default()]);
            if token.is_empty() && self.position < self.text.len() {
                self.ahead = Some(self.scan());
                continue;
            }
            if token == expected {
                self.ahead = None;
                return true;
            }
            return false;
        }
    }

    /// A delimiter, or everything up to the next delimiter that no backslash stands before.
    fn scan(&mut self) -> Range<usize> {
        let start = self.position;
        let mut escaped = false;
        for (at, byte) in self.text.as_bytes()[start..].iter().enumerate() {
            match byte {
                b'\\' => escaped = !escaped,
                b':' | b',' | b'{' | b'}' | b'[' | b']' | b'"' if !escaped => {
                    self.position = start + at.max(1);
                    return start..self.position;
                }
                _ => escaped = false,
            }
        }
        self.position = self.text.len();
        start..self.position
    }
}

/// Java's `String#trim`: cuts everything up to U+0020, which is more and less than white space.
pub(super) fn trim(text: &str) -> &str {
    text.trim_matches(|first| first <= ' ')
}
