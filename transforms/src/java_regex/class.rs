//! Sets of characters and the parser of `[…]`.

use regex_syntax::hir::{ClassUnicode, ClassUnicodeRange};

use super::node::CharSet;
use super::parse::{Escaped, Flags, Parser, Problem};

/// The characters of `ranges`, bounds included. Surrogates are no characters here.
pub(super) fn set(ranges: &[(u32, u32)]) -> CharSet {
    let scalar = |(start, end): &(u32, u32)| {
        let start = char::from_u32(*start).unwrap_or('\u{e000}');
        let end = char::from_u32(*end).unwrap_or('\u{d7ff}');
        (start <= end).then(|| ClassUnicodeRange::new(start, end))
    };
    ClassUnicode::new(ranges.iter().filter_map(scalar))
}

/// Everything else.
pub(super) fn negated(mut set: CharSet) -> CharSet {
    set.negate();
    set
}

/// `start..=end` and what flag `i` adds to it.
pub(super) fn range(start: u32, end: u32, flags: Flags) -> CharSet {
    let mut all = set(&[(start, end)]);
    if flags.has(Flags::CASE) && flags.has(Flags::UNICODE_CASE) {
        all.case_fold_simple();
    } else if flags.has(Flags::CASE) {
        let shifted = |from: char, to: char, other: char| {
            let low = start.max(u32::from(from));
            let high = end.min(u32::from(to));
            let move_by = |code: u32| code - u32::from(from) + u32::from(other);
            (low <= high).then(|| (move_by(low), move_by(high)))
        };
        let more = [shifted('a', 'z', 'A'), shifted('A', 'Z', 'a')];
        let more: Vec<_> = more.into_iter().flatten().collect();
        all.union(&set(&more));
    }
    all
}

impl Parser {
    /// `[…]` with unions, intersections and nested classes. The cursor is at the `[`, or before the first
    /// character of the right side of `&&`, whose end is not consumed.
    pub(super) fn class(&mut self, consume: bool) -> Result<CharSet, Problem> {
        self.deeper()?;
        let mut left: Option<CharSet> = None;
        let mut latest: Option<CharSet> = None;
        let mut singles: Option<CharSet> = None;
        let mut is_negated = false;
        let mut letter = self.next();
        loop {
            match letter {
                '^' if self.at(self.cursor.wrapping_sub(1)) == '[' => {
                    letter = self.next();
                    is_negated = true;
                    continue;
                }
                '[' => {
                    let nested = self.class(true)?;
                    latest = Some(nested.clone());
                    join(&mut left, nested);
                    letter = self.peek();
                    continue;
                }
                '&' => {
                    letter = self.next();
                    if letter == '&' {
                        self.intersection(&mut left, &mut latest, &mut singles)?;
                        letter = self.peek();
                        continue;
                    }
                    self.cursor -= 1;
                }
                '\0' if self.cursor >= self.length => return Err(self.error("Unclosed character class")),
                ']' if left.is_some() || singles.is_some() => {
                    if consume {
                        self.next();
                    }
                    if let Some(singles) = singles {
                        join(&mut left, singles);
                    }
                    self.depth -= 1;
                    let all = left.unwrap_or_else(ClassUnicode::empty);
                    return Ok(if is_negated { negated(all) } else { all });
                }
                _ => {}
            }
            match self.class_item()? {
                Item::Single(one) => {
                    latest = None;
                    join(&mut singles, one);
                }
                Item::Set(set) => {
                    latest = Some(set.clone());
                    join(&mut left, set);
                }
            }
            letter = self.peek();
        }
    }

    /// The right side of `&&`.
    fn intersection(
        &mut self,
        left: &mut Option<CharSet>,
        latest: &mut Option<CharSet>,
        singles: &mut Option<CharSet>,
    ) -> Result<(), Problem> {
        let mut letter = self.next();
        let mut right: Option<CharSet> = None;
        while letter != ']' && letter != '&' {
            if letter != '[' {
                self.cursor -= 1;
            }
            let operand = self.class(letter == '[')?;
            join(&mut right, operand);
            letter = self.peek();
        }
        if let Some(singles) = singles.take() {
            if left.is_none() {
                *latest = Some(singles.clone());
            }
            join(left, singles);
        }
        let is_right = right.is_some();
        if is_right {
            latest.clone_from(&right);
        }
        match (left.as_mut(), &*latest) {
            (Some(left), Some(latest)) => left.intersect(latest),
            (None, _) if !is_right => return Err(self.error("Bad class syntax")),
            (None, _) => *left = right,
            (Some(_), None) => {}
        }
        Ok(())
    }

    /// A character, a range, an escape or a property inside a class.
    fn class_item(&mut self) -> Result<Item, Problem> {
        let mut letter = u32::from(self.peek());
        if letter == u32::from('\\') {
            let escape = self.at(self.cursor + 1);
            if escape == 'p' || escape == 'P' {
                self.cursor += 1;
                return self.property(escape == 'P').map(Item::Set);
            }
            match self.escape(true)? {
                Escaped::Letter(code) => letter = code,
                Escaped::Set(set) => return Ok(Item::Set(set)),
                Escaped::Node(_) => return Err(self.error("Illegal/unsupported escape sequence")),
            }
        } else {
            self.next();
        }
        if self.peek() == '-' {
            let end = self.at(self.cursor + 1);
            if end != '[' && end != ']' {
                self.next();
                let end = if self.peek() == '\\' {
                    match self.escape(true)? {
                        Escaped::Letter(code) => Some(code),
                        Escaped::Set(_) | Escaped::Node(_) => None,
                    }
                } else {
                    let end = self.peek();
                    self.next();
                    Some(u32::from(end))
                };
                return match end.filter(|end| *end >= letter) {
                    Some(end) => Ok(Item::Set(range(letter, end, self.flags))),
                    None => Err(self.error("Illegal character range")),
                };
            }
        }
        Ok(Item::Single(range(letter, letter, self.flags)))
    }
}

enum Item {
    Single(CharSet),
    Set(CharSet),
}

fn join(all: &mut Option<CharSet>, more: CharSet) {
    match all {
        Some(all) => all.union(&more),
        None => *all = Some(more),
    }
}
