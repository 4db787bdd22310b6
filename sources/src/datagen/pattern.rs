//! Texts that match a pattern (`regex`). Characters are printable ASCII where the pattern leaves a choice.

use lakeward_api::ConnectError;
use regex_syntax::hir::{Class, Hir, HirKind};

use super::random::{Random, below};

/// A text may be so long.
const LENGTH_MAX: usize = 64 * 1024;
/// Repetitions without an upper bound go this far beyond the lower one.
const OPEN_REPEATS: u32 = 10;

/// What texts are made from.
#[derive(Clone, Debug)]
pub(super) enum Pattern {
    /// One of these.
    Choice(Vec<Pattern>),
    /// One letter.
    Letter(Vec<char>),
    Repeat {
        min: u32,
        max: u32,
        inner: Box<Pattern>,
    },
    Sequence(Vec<Pattern>),
    Text(String),
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// `Config` when it is none, or stands for texts without end.
    pub(super) fn parse(text: &str) -> Result<Self, ConnectError> {
        let wrong =
            || ConnectError::config("The regex property of the schema is no pattern that can be used");
        let hir = regex_syntax::parse(text).map_err(|err| wrong().with_source(err))?;
        let pattern = Self::of(&hir).ok_or_else(wrong)?;
        pattern.length_max().filter(|length| *length <= LENGTH_MAX).ok_or_else(wrong)?;
        Ok(pattern)
    }

    fn of(hir: &Hir) -> Option<Self> {
        Some(match hir.kind() {
            HirKind::Alternation(all) => Self::Choice(all.iter().map(Self::of).collect::<Option<_>>()?),
            HirKind::Capture(group) => Self::of(&group.sub)?,
            HirKind::Class(Class::Unicode(class)) => {
                let printable: Vec<char> =
                    class.iter().flat_map(|range| range.start().max(' ')..=range.end().min('~')).collect();
                match printable.is_empty() {
                    true => Self::Letter(vec![class.iter().next()?.start()]),
                    false => Self::Letter(printable),
                }
            }
            HirKind::Class(Class::Bytes(_)) => return None,
            HirKind::Concat(all) => Self::Sequence(all.iter().map(Self::of).collect::<Option<_>>()?),
            // Anchors match nothing.
            HirKind::Empty | HirKind::Look(_) => Self::Text(String::new()),
            HirKind::Literal(bytes) => Self::Text(String::from_utf8(bytes.0.to_vec()).ok()?),
            HirKind::Repetition(repeat) => Self::Repeat {
                min: repeat.min,
                max: repeat.max.unwrap_or(repeat.min.checked_add(OPEN_REPEATS)?),
                inner: Box::new(Self::of(&repeat.sub)?),
            },
        })
    }

    /// `None` when it is beyond all numbers.
    fn length_max(&self) -> Option<usize> {
        match self {
            Self::Choice(all) => {
                all.iter().map(Self::length_max).try_fold(0, |most, length| Some(length?.max(most)))
            }
            Self::Letter(_) => Some(4),
            Self::Repeat { max, inner, .. } => inner.length_max()?.max(1).checked_mul(*max as usize),
            Self::Sequence(all) => {
                all.iter().map(Self::length_max).try_fold(0_usize, |sum, length| sum.checked_add(length?))
            }
            Self::Text(text) => Some(text.len()),
        }
    }

    /// Appends a text.
    pub(super) fn append(&self, out: &mut String, random: &mut Random) {
        match self {
            Self::Choice(all) => all[index(random, all.len())].append(out, random),
            Self::Letter(letters) => out.push(letters[index(random, letters.len())]),
            Self::Repeat { min, max, inner } => {
                let more = below(random.next(), u64::from(max - min) + 1);
                for _ in 0..u64::from(*min) + more {
                    inner.append(out, random);
                }
            }
            Self::Sequence(all) => all.iter().for_each(|part| part.append(out, random)),
            Self::Text(text) => out.push_str(text),
        }
    }
}

fn index(random: &mut Random, length: usize) -> usize {
    usize::try_from(below(random.next(), length as u64)).expect("below a length")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_match_their_pattern() {
        let check = |pattern: &str, accepts: fn(&str) -> bool| {
            let parsed = Pattern::parse(pattern).unwrap();
            for seed in 0..200 {
                let mut text = String::new();
                parsed.append(&mut text, &mut Random::new(seed));
                assert!(accepts(&text), "{pattern} made {text}");
            }
        };
        check("User_[1-9]{0,1}", |text| text.strip_prefix("User_").is_some_and(|rest| rest.len() <= 1));
        check(r"\d{6}[A-Z]", |text| text.len() == 7 && text[..6].bytes().all(|byte| byte.is_ascii_digit()));
        check("^(ab|c)+.$", |text| text.is_ascii() && text.len() >= 2);
        check("[^a]", |text| text.len() == 1 && text != "a");
    }

    #[test]
    fn texts_without_end_and_broken_patterns_are_refused() {
        assert!(Pattern::parse("(a{1000}){1000}").is_err());
        assert!(Pattern::parse("(").is_err());
    }
}
