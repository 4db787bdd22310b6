//! Escapes: `\` and what follows.

use super::class::{negated, set};
use super::node::{CharSet, Fold, Node, Position};
use super::parse::{Escaped, Flags, Parser, Problem};
use super::property::predefined;

impl Parser {
    /// The escape at the cursor, in or outside of a class; not `\p`.
    pub(super) fn escape(&mut self, in_class: bool) -> Result<Escaped, Problem> {
        self.cursor += 1;
        let letter = self.at(self.cursor);
        self.cursor += 1;
        let unicode = self.flags.has(Flags::UNICODE_CLASS);
        let node = |node| Ok(Escaped::Node(node));
        let letter = match letter {
            '0' => return self.octal().map(Escaped::Letter),
            '1'..='9' if !in_class => return node(self.reference(letter)),
            'A' | 'G' if !in_class => return node(Node::At(Position::Begin)),
            'B' if !in_class => return node(Node::At(Position::NoBoundary { unicode })),
            'b' if !in_class && !self.is_grapheme_boundary() => {
                return node(Node::At(Position::Boundary { unicode }));
            }
            'D' | 'H' | 'S' | 'V' | 'W' => {
                let all = predefined(letter.to_ascii_lowercase(), unicode);
                return Ok(Escaped::Set(negated(all)));
            }
            'd' | 'h' | 's' | 'v' | 'w' => return Ok(Escaped::Set(predefined(letter, unicode))),
            'R' if !in_class => return node(line_break()),
            'X' if !in_class => return node(cluster()),
            'Z' if !in_class => {
                let unix = self.flags.has(Flags::UNIX_LINES);
                return node(Node::At(Position::End { unix }));
            }
            'z' if !in_class => return node(Node::At(Position::VeryEnd)),
            'k' if !in_class => return self.named_reference().map(Escaped::Node),
            'a' => 7,
            'c' if self.cursor < self.length => {
                let control = u32::from(self.at(self.cursor)) ^ 64;
                self.cursor += 1;
                control
            }
            'c' => return Err(self.error("Illegal control escape sequence")),
            'e' => 0x1b,
            'f' => 0xc,
            'n' => 0xa,
            'r' => 0xd,
            't' => 0x9,
            'u' => return self.unicode().map(Escaped::Letter),
            'x' => return self.hexadecimal().map(Escaped::Letter),
            _ if letter.is_ascii_alphanumeric() => {
                return Err(self.error("Illegal/unsupported escape sequence"));
            }
            _ => u32::from(letter),
        };
        Ok(Escaped::Letter(letter))
    }

    /// `\b{g}`, which is not supported.
    fn is_grapheme_boundary(&self) -> bool {
        self.at(self.cursor) == '{' && self.at(self.cursor + 1) == 'g'
    }

    fn octal(&mut self) -> Result<u32, Problem> {
        let digit = |letter: char| letter.to_digit(8);
        let Some(first) = digit(self.at(self.cursor)) else {
            self.cursor += 1;
            return Err(self.error("Illegal octal escape sequence"));
        };
        self.cursor += 1;
        let Some(second) = digit(self.at(self.cursor)) else { return Ok(first) };
        self.cursor += 1;
        match digit(self.at(self.cursor)).filter(|_| first < 4) {
            Some(third) => {
                self.cursor += 1;
                Ok(first * 64 + second * 8 + third)
            }
            None => Ok(first * 8 + second),
        }
    }

    fn hexadecimal(&mut self) -> Result<u32, Problem> {
        let first = self.at(self.cursor);
        self.cursor += 1;
        if first == '{' && self.at(self.cursor).is_ascii_hexdigit() {
            let mut code = 0;
            while let Some(digit) = self.at(self.cursor).to_digit(16) {
                self.cursor += 1;
                code = code * 16 + digit;
                if code > 0x10_ffff {
                    return Err(self.error("Hexadecimal codepoint is too big"));
                }
            }
            self.cursor += 1;
            if self.at(self.cursor - 1) != '}' {
                return Err(self.error("Unclosed hexadecimal escape sequence"));
            }
            return Ok(code);
        }
        if let Some(high) = first.to_digit(16) {
            let second = self.at(self.cursor);
            self.cursor += 1;
            if let Some(low) = second.to_digit(16) {
                return Ok(high * 16 + low);
            }
        }
        Err(self.error("Illegal hexadecimal escape sequence"))
    }

    /// `\uhhhh`, and a second one after a high surrogate.
    fn unicode(&mut self) -> Result<u32, Problem> {
        let first = self.unit()?;
        let is_pair = (0xd800..0xdc00).contains(&first)
            && self.at(self.cursor) == '\\'
            && self.at(self.cursor + 1) == 'u';
        if is_pair {
            let back = self.cursor;
            self.cursor += 2;
            let second = self.unit()?;
            if (0xdc00..0xe000).contains(&second) {
                return Ok(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00));
            }
            self.cursor = back;
        }
        Ok(first)
    }

    fn unit(&mut self) -> Result<u32, Problem> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.at(self.cursor).to_digit(16);
            self.cursor += 1;
            let Some(digit) = digit else { return Err(self.error("Illegal Unicode escape sequence")) };
            code = code * 16 + digit;
        }
        Ok(code)
    }

    /// `\1`…: further digits belong to it while such a group was opened.
    fn reference(&mut self, first: char) -> Node {
        let mut group = first.to_digit(10).unwrap_or_default() as usize;
        while let Some(digit) = self.at(self.cursor).to_digit(10) {
            let longer = group * 10 + digit as usize;
            if longer >= self.groups {
                break;
            }
            group = longer;
            self.cursor += 1;
        }
        Node::BackReference { group, fold: self.fold() }
    }

    fn named_reference(&mut self) -> Result<Node, Problem> {
        if self.at(self.cursor) != '<' {
            self.cursor += 1;
            return Err(self.error("\\k is not followed by '<' for named capturing group"));
        }
        self.cursor += 1;
        let name = self.group_name()?;
        match self.names.iter().find(|(known, _)| *known == name) {
            Some((_, group)) => Ok(Node::BackReference { group: *group, fold: self.fold() }),
            None => Err(self.error(&format!("named capturing group <{name}> does not exist"))),
        }
    }

    /// How letters compare under the flags in force.
    pub(super) fn fold(&self) -> Fold {
        match (self.flags.has(Flags::CASE), self.flags.has(Flags::UNICODE_CASE)) {
            (false, _) => Fold::None,
            (true, false) => Fold::Ascii,
            (true, true) => Fold::Unicode,
        }
    }
}

fn line_break() -> Node {
    let single: CharSet = set(&[(0xa, 0xd), (0x85, 0x85), (0x2028, 0x2029)]);
    let pair = Node::Sequence(vec![Node::Literal('\r'), Node::Literal('\n')]);
    Node::Alternatives(vec![pair, Node::Class(single)])
}

/// One character and the marks that combine with it.
fn cluster() -> Node {
    let any = Node::Class(negated(set(&[])));
    let marks = set(&[(0x300, 0x36f), (0x200d, 0x200d), (0x20d0, 0x20ff), (0xfe00, 0xfe0f)]);
    let marks = Node::Repeat { inner: Box::new(Node::Class(marks)), min: 0, max: None, greedy: true };
    let pair = Node::Sequence(vec![Node::Literal('\r'), Node::Literal('\n')]);
    Node::Alternatives(vec![pair, Node::Atomic(Box::new(Node::Sequence(vec![any, marks])))])
}
