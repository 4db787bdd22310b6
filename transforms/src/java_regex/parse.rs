//! The parser of patterns: groups, alternatives, quantifiers, flags.
//!
//! It moves over the pattern as Java's does, because Java's messages name the position it stood at.

use super::class::{negated, set};
use super::machine::{folded, is_line_end};
use super::node::{CharSet, Fold, Node, Position};

/// Groups and classes may nest this deep.
const DEPTH_MAX: usize = 200;

/// A pattern and its groups.
pub(super) struct Parsed {
    pub(super) root: Node,
    pub(super) names: Vec<(String, usize)>,
    /// With group 0.
    pub(super) groups: usize,
}

/// A syntax error: what and where.
pub(super) struct Problem {
    what: String,
    at: Option<usize>,
}

/// What an escape stands for.
pub(super) enum Escaped {
    Letter(u32),
    Node(Node),
    Set(CharSet),
}

/// Inline flags.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Flags(u8);

impl Flags {
    pub(super) const CASE: u8 = 1;
    pub(super) const COMMENTS: u8 = 2;
    pub(super) const DOT_ALL: u8 = 4;
    pub(super) const MULTI_LINE: u8 = 8;
    pub(super) const UNICODE_CASE: u8 = 16;
    pub(super) const UNICODE_CLASS: u8 = 32;
    pub(super) const UNIX_LINES: u8 = 64;

    pub(super) fn has(self, flag: u8) -> bool {
        self.0 & flag != 0
    }
}

pub(super) struct Parser {
    pub(super) text: Vec<char>,
    pub(super) length: usize,
    pub(super) cursor: usize,
    pub(super) flags: Flags,
    pub(super) groups: usize,
    pub(super) names: Vec<(String, usize)>,
    pub(super) depth: usize,
}

/// Parses `pattern`; the `Err` is Java's message with the pattern and a caret below it.
pub(super) fn parse(pattern: &str) -> Result<Parsed, String> {
    let text = unquoted(pattern);
    let length = text.len();
    let mut parser =
        Parser { text, length, cursor: 0, flags: Flags::default(), groups: 1, names: Vec::new(), depth: 0 };
    let root = parser.whole().map_err(|problem| shown(&problem, pattern))?;
    Ok(Parsed { root, names: parser.names, groups: parser.groups })
}

fn shown(problem: &Problem, pattern: &str) -> String {
    let mut text = problem.what.clone();
    if let Some(at) = problem.at {
        text.push_str(&format!(" near index {at}"));
    }
    text.push('\n');
    text.push_str(pattern);
    if let Some(at) = problem.at.filter(|at| *at < pattern.chars().count()) {
        text.push('\n');
        text.extend(std::iter::repeat_n(' ', at));
        text.push('^');
    }
    text
}

/// The pattern with `\Q…\E` replaced by escapes.
fn unquoted(pattern: &str) -> Vec<char> {
    let mut rest = pattern;
    let mut text = Vec::new();
    while let Some(at) = quote_start(rest) {
        text.extend(rest[..at].chars());
        let quoted = &rest[at + 2..];
        let end = quoted.find("\\E");
        for (at, letter) in quoted[..end.unwrap_or(quoted.len())].chars().enumerate() {
            if at == 0 && letter.is_ascii_digit() {
                // The digit must not become part of an escape before the quote.
                text.extend("\\x3".chars());
            } else if letter.is_ascii() && !letter.is_ascii_alphanumeric() {
                text.push('\\');
            }
            text.push(letter);
        }
        rest = end.map_or("", |end| &quoted[end + 2..]);
    }
    text.extend(rest.chars());
    text
}

/// Where the first `\Q` is whose backslash is not itself escaped.
fn quote_start(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at + 1 < bytes.len() {
        if bytes[at] == b'\\' {
            if bytes[at + 1] == b'Q' {
                return Some(at);
            }
            at += 1;
        }
        at += 1;
    }
    None
}

impl Parser {
    fn whole(&mut self) -> Result<Node, Problem> {
        let root = self.alternatives()?;
        if self.cursor != self.length {
            let what = if self.peek() == ')' { "Unmatched closing ')'" } else { "Unexpected internal error" };
            return Err(self.error(what));
        }
        Ok(root)
    }

    /// The problem `what` at the position before the cursor.
    pub(super) fn error(&self, what: &str) -> Problem {
        Problem { what: what.to_owned(), at: self.cursor.checked_sub(1) }
    }

    /// The character at `index`; NUL behind the end.
    pub(super) fn at(&self, index: usize) -> char {
        self.text.get(index).copied().unwrap_or('\0')
    }

    /// The character at the cursor, after blanks and comments under flag `x`.
    pub(super) fn peek(&mut self) -> char {
        while self.flags.has(Flags::COMMENTS) && self.cursor < self.length {
            match self.at(self.cursor) {
                '\t'..='\r' | ' ' => self.cursor += 1,
                '#' => self.skip_line(),
                _ => break,
            }
        }
        self.at(self.cursor)
    }

    fn skip_line(&mut self) {
        let unix = self.flags.has(Flags::UNIX_LINES);
        while self.cursor < self.length && !is_line_end(self.at(self.cursor), unix) {
            self.cursor += 1;
        }
    }

    /// Moves on and looks.
    pub(super) fn next(&mut self) -> char {
        self.cursor += 1;
        self.peek()
    }

    /// The character at the cursor, which moves behind it.
    fn read(&mut self) -> char {
        let letter = self.peek();
        self.cursor += 1;
        letter
    }

    /// Enters a nested part.
    pub(super) fn deeper(&mut self) -> Result<(), Problem> {
        self.depth += 1;
        if self.depth > DEPTH_MAX { Err(self.error("The pattern is nested too deeply")) } else { Ok(()) }
    }

    fn alternatives(&mut self) -> Result<Node, Problem> {
        let mut nodes = vec![self.sequence()?];
        while self.peek() == '|' {
            self.next();
            nodes.push(self.sequence()?);
        }
        Ok(if nodes.len() == 1 { nodes.remove(0) } else { Node::Alternatives(nodes) })
    }

    fn sequence(&mut self) -> Result<Node, Problem> {
        let mut nodes = Vec::new();
        loop {
            let node = match self.peek() {
                '(' => match self.group()? {
                    Some(group) => group,
                    None => continue,
                },
                '[' => Node::Class(self.class(true)?),
                '\\' => self.escaped()?,
                '^' => {
                    self.next();
                    Node::At(self.line_begin())
                }
                '$' => {
                    self.next();
                    Node::At(self.line_end())
                }
                '.' => {
                    self.next();
                    Node::Class(self.any())
                }
                '|' | ')' => break,
                letter @ ('?' | '*' | '+') => {
                    self.next();
                    return Err(self.error(&format!("Dangling meta character '{letter}'")));
                }
                '{' => Node::empty(),
                '\0' if self.cursor >= self.length => break,
                letter => {
                    self.next();
                    self.literal(u32::from(letter))
                }
            };
            nodes.push(self.quantified(node)?);
        }
        Ok(Node::Sequence(nodes))
    }

    fn escaped(&mut self) -> Result<Node, Problem> {
        let letter = self.at(self.cursor + 1);
        if letter == 'p' || letter == 'P' {
            self.cursor += 1;
            return self.property(letter == 'P').map(Node::Class);
        }
        Ok(match self.escape(false)? {
            Escaped::Letter(code) => self.literal(code),
            Escaped::Node(node) => node,
            Escaped::Set(set) => Node::Class(set),
        })
    }

    fn literal(&self, code: u32) -> Node {
        // Half of a surrogate pair never matches.
        let Some(letter) = char::from_u32(code) else { return Node::Class(set(&[])) };
        match self.fold() {
            Fold::Ascii if letter.is_ascii_alphabetic() => {
                let (upper, lower) = (letter.to_ascii_uppercase(), letter.to_ascii_lowercase());
                Node::Class(set(&[(upper.into(), upper.into()), (lower.into(), lower.into())]))
            }
            Fold::Unicode => Node::Folded(folded(letter)),
            Fold::Ascii | Fold::None => Node::Literal(letter),
        }
    }

    fn any(&self) -> CharSet {
        if self.flags.has(Flags::DOT_ALL) {
            return negated(set(&[]));
        }
        if self.flags.has(Flags::UNIX_LINES) {
            return negated(set(&[(0xa, 0xa)]));
        }
        negated(set(&[(0xa, 0xa), (0xd, 0xd), (0x85, 0x85), (0x2028, 0x2029)]))
    }

    fn line_begin(&self) -> Position {
        let unix = self.flags.has(Flags::UNIX_LINES);
        if self.flags.has(Flags::MULTI_LINE) { Position::LineBegin { unix } } else { Position::Begin }
    }

    fn line_end(&self) -> Position {
        let unix = self.flags.has(Flags::UNIX_LINES);
        if self.flags.has(Flags::MULTI_LINE) { Position::LineEnd { unix } } else { Position::End { unix } }
    }

    /// A group with its quantifier still to come; `None` for flags alone.
    fn group(&mut self) -> Result<Option<Node>, Problem> {
        self.deeper()?;
        let flags = self.flags;
        let node = if self.next() == '?' {
            self.cursor += 1;
            let kind = self.at(self.cursor);
            self.cursor += 1;
            match kind {
                ':' => Node::Group(Box::new(self.alternatives()?)),
                '=' | '!' => self.look(true, kind == '!')?,
                '>' => Node::Atomic(Box::new(self.alternatives()?)),
                '<' if matches!(self.at(self.cursor), '=' | '!') => {
                    let negative = self.read() == '!';
                    self.look(false, negative)?
                }
                '<' => {
                    let name = self.group_name()?;
                    if self.names.iter().any(|(known, _)| *known == name) {
                        return Err(self.error(&format!("Named capturing group <{name}> is already defined")));
                    }
                    self.names.push((name, self.groups));
                    self.capture()?
                }
                '$' | '@' => return Err(self.error("Unknown group type")),
                _ => {
                    self.cursor -= 1;
                    self.inline_flags();
                    match self.read() {
                        ')' => {
                            self.depth -= 1;
                            return Ok(None);
                        }
                        ':' => Node::Group(Box::new(self.alternatives()?)),
                        _ => return Err(self.error("Unknown inline modifier")),
                    }
                }
            }
        } else {
            self.capture()?
        };
        if self.read() != ')' {
            return Err(self.error("Unclosed group"));
        }
        self.flags = flags;
        self.depth -= 1;
        Ok(Some(node))
    }

    fn capture(&mut self) -> Result<Node, Problem> {
        let group = self.groups;
        self.groups += 1;
        Ok(Node::Capture(group, Box::new(self.alternatives()?)))
    }

    fn look(&mut self, ahead: bool, negative: bool) -> Result<Node, Problem> {
        let inner = self.alternatives()?;
        if !ahead && !inner.study().is_max_known {
            return Err(self.error("Look-behind group does not have an obvious maximum length"));
        }
        Ok(Node::Look { ahead, negative, inner: Box::new(inner) })
    }

    /// A group's name up to its `>`.
    pub(super) fn group_name(&mut self) -> Result<String, Problem> {
        let mut name = String::new();
        let mut letter = self.read();
        if !letter.is_ascii_alphabetic() {
            return Err(self.error("capturing group name does not start with a Latin letter"));
        }
        while letter.is_ascii_alphanumeric() {
            name.push(letter);
            letter = self.read();
        }
        if letter != '>' {
            return Err(self.error("named capturing group is missing trailing '>'"));
        }
        Ok(name)
    }

    fn inline_flags(&mut self) {
        let mut is_on = true;
        loop {
            let flag = match self.peek() {
                'i' => Flags::CASE,
                'm' => Flags::MULTI_LINE,
                's' => Flags::DOT_ALL,
                'd' => Flags::UNIX_LINES,
                'u' => Flags::UNICODE_CASE,
                'c' => 0,
                'x' => Flags::COMMENTS,
                'U' => Flags::UNICODE_CLASS | Flags::UNICODE_CASE,
                '-' if is_on => {
                    is_on = false;
                    0
                }
                _ => return,
            };
            if is_on {
                self.flags.0 |= flag
            } else {
                self.flags.0 &= !flag
            }
            self.next();
        }
    }

    /// `node` with the quantifier at the cursor, if there is one.
    fn quantified(&mut self, node: Node) -> Result<Node, Problem> {
        let (min, max) = match self.peek() {
            '?' => (0, Some(1)),
            '*' => (0, None),
            '+' => (1, None),
            '{' if self.at(self.cursor + 1).is_ascii_digit() => self.counts()?,
            '{' => {
                self.cursor += 2;
                return Err(self.error("Illegal repetition"));
            }
            _ => return Ok(node),
        };
        let inner = Box::new(node);
        Ok(match self.next() {
            '?' => {
                self.next();
                Node::Repeat { inner, min, max, greedy: false }
            }
            '+' => {
                self.next();
                Node::Atomic(Box::new(Node::Repeat { inner, min, max, greedy: true }))
            }
            _ => Node::Repeat { inner, min, max, greedy: true },
        })
    }

    /// The numbers of `{n}`, `{n,}`, `{n,m}`; the cursor stays at the `}`.
    fn counts(&mut self) -> Result<(u32, Option<u32>), Problem> {
        self.cursor += 1;
        let min = self.number()?;
        let max = if self.at(self.cursor) == ',' {
            self.cursor += 1;
            if self.at(self.cursor) == '}' { None } else { Some(self.number()?) }
        } else {
            Some(min)
        };
        self.cursor += 1;
        if self.at(self.cursor - 1) != '}' {
            return Err(self.error("Unclosed counted closure"));
        }
        if max.is_some_and(|max| max < min) {
            return Err(self.error("Illegal repetition range"));
        }
        self.cursor -= 1;
        Ok((min, max))
    }

    fn number(&mut self) -> Result<u32, Problem> {
        let mut number: u32 = 0;
        while let Some(digit) = self.at(self.cursor).to_digit(10) {
            self.cursor += 1;
            let longer = number.checked_mul(10).and_then(|tens| tens.checked_add(digit));
            number = longer
                .filter(|number| *number <= 0x7fff_ffff)
                .ok_or_else(|| self.error("Illegal repetition range"))?;
        }
        Ok(number)
    }
}
