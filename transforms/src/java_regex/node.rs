//! A parsed pattern.

use regex_syntax::hir::ClassUnicode;

/// A set of characters.
pub(super) type CharSet = ClassUnicode;

/// A part of a pattern.
#[derive(Clone, Debug)]
pub(super) enum Node {
    /// The alternatives in order of preference.
    Alternatives(Vec<Node>),
    /// A condition on the position.
    At(Position),
    /// No way back into the inner part once it matched.
    Atomic(Box<Node>),
    /// The text of an earlier group again.
    BackReference { group: usize, fold: Fold },
    /// A group that is remembered.
    Capture(usize, Box<Node>),
    /// One character of a set.
    Class(CharSet),
    /// One character, in any case, compared in Unicode.
    Folded(char),
    /// A group that is not remembered.
    Group(Box<Node>),
    /// One character.
    Literal(char),
    /// A condition on the text around the position.
    Look { ahead: bool, negative: bool, inner: Box<Node> },
    /// The inner part `min` to `max` times.
    Repeat { inner: Box<Node>, min: u32, max: Option<u32>, greedy: bool },
    /// One part after the other.
    Sequence(Vec<Node>),
}

/// How letters compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fold {
    /// In any case of ASCII letters.
    Ascii,
    /// Exactly.
    None,
    /// In any case of all letters.
    Unicode,
}

/// Conditions on a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Position {
    /// `^`, `\A`, `\G`.
    Begin,
    /// `\b`; with Unicode words under flag `U`.
    Boundary { unicode: bool },
    /// `$` and `\Z`: at the end or before the last line end.
    End { unix: bool },
    /// `\B`.
    NoBoundary { unicode: bool },
    /// `^` under flag `m`.
    LineBegin { unix: bool },
    /// `$` under flag `m`.
    LineEnd { unix: bool },
    /// `\z`.
    VeryEnd,
}

impl Node {
    /// The empty pattern.
    pub(super) fn empty() -> Self {
        Self::Sequence(Vec::new())
    }
}
