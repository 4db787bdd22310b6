//! JSONPath as conditions of filters and as names of fields: the syntax and meaning of Jayway JsonPath.
//!
//! | supported | example |
//! |---|---|
//! | members, also several | `$.a.b`, `$['a']["b"]`, `$['a','b']` |
//! | items, ranges, everything | `$.a[0]`, `$.a[-1]`, `$.a[0,2]`, `$.a[1:3]`, `$.a[*]`, `$.*` |
//! | search at every depth | `$..a` |
//! | conditions | `$.a[?(@.b == 'x' && !(@.c > 5) \|\| @.d)]` |
//! | comparisons | `==` `!=` `<` `<=` `>` `>=` `=~ /pattern/i` `in` `nin` `size` `empty` |
//!
//! Functions (`length()`, `min()`) and the set operators (`subsetof`, `anyof`, `noneof`) are refused when the
//! path is read, and so is a path that ends in the middle. `size` and `empty` take texts and arrays. Numbers
//! compare as 64-bit integers or doubles, dates as ms since 1970. A condition applied to an object tests the
//! object itself.

mod eval;
mod node;
mod parse;

pub(in crate::confluent) use node::{Node, readable};

use crate::java_regex::JavaRegex;

/// A path.
pub(super) struct JsonPath {
    steps: Vec<Step>,
}

/// What is wrong with a record for which there is [`Found::TooFar`].
pub(super) const TOO_FAR: &str = "The JSONPath visits too many values of the record";

/// What a path leads to.
pub(super) enum Found<'a> {
    /// A member on the way, or the last one, is not there.
    Missing,
    /// The path stands for more steps than are taken.
    TooFar,
    /// The values that fit; one when the path is definite.
    Nodes(Vec<Node<'a>>),
}

enum Step {
    /// Every value below, at any depth, the value itself included.
    Deep,
    Filter(Condition),
    Items(Vec<i64>),
    Members(Vec<String>),
    Slice(Option<i64>, Option<i64>),
    Wildcard,
}

enum Condition {
    And(Box<Condition>, Box<Condition>),
    Compare(Operand, Comparison, Operand),
    /// Whether a path leads somewhere.
    Exists(Operand),
    Matches(Operand, JavaRegex),
    Not(Box<Condition>),
    Or(Box<Condition>, Box<Condition>),
}

enum Operand {
    List(Vec<Operand>),
    Literal(Literal),
    /// From `@`, or from `$` when `is_root`.
    Path {
        is_root: bool,
        path: JsonPath,
    },
}

enum Literal {
    Boolean(bool),
    Float(f64),
    Null,
    Text(String),
    Whole(i64),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Empty,
    Equal,
    In,
    Less,
    LessOrEqual,
    More,
    MoreOrEqual,
    NotEqual,
    NotIn,
    Size,
}

impl Step {
    /// Whether this step leads to one value at most.
    fn is_definite(&self) -> bool {
        match self {
            Self::Items(items) => items.len() == 1,
            Self::Members(members) => members.len() == 1,
            Self::Deep | Self::Filter(_) | Self::Slice(..) | Self::Wildcard => false,
        }
    }
}

impl JsonPath {
    /// Reads a path.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn new(text: &str) -> Result<Self, String> {
        parse::parse(text)
    }

    /// Whether the path leads to one value at most.
    pub(super) fn is_definite(&self) -> bool {
        self.steps.iter().all(Step::is_definite)
    }

    /// Where the path leads from `root`.
    pub(super) fn find<'a>(&self, root: Node<'a>) -> Found<'a> {
        eval::find(self, root)
    }
}
