//! What a schema demands.

use fancy_regex::Regex;
use serde_json::Value as Json;

use super::exact::Exact;
use super::format::Format;

/// Index of a rule.
pub(super) type RuleId = usize;

/// The rules of a schema with everything it refers to.
#[derive(Debug)]
pub(super) struct Rules {
    pub(super) rules: Vec<Rule>,
    pub(super) root: RuleId,
    /// What references point to; `None` only while compiling.
    pub(super) targets: Vec<Option<RuleId>>,
    /// Whether `1.0` is an integer.
    pub(super) integers: Integers,
}

/// Which numbers are integers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Integers {
    /// Those written as such.
    ByText,
    /// Those without a fraction that is not zero.
    ByValue,
}

/// One demand and where it stands.
#[derive(Debug)]
pub(super) struct Rule {
    /// JSON pointer of the schema, after `#`.
    pub(super) location: String,
    pub(super) demand: Demand,
}

#[derive(Debug)]
pub(super) enum Demand {
    /// Everything is good.
    Nothing,
    /// Nothing is good.
    Never,
    Array(Box<Array>),
    Boolean,
    Combined {
        criterion: Criterion,
        parts: Vec<RuleId>,
    },
    Conditional {
        condition: RuleId,
        then: Option<RuleId>,
        otherwise: Option<RuleId>,
    },
    Const(Json),
    Enum(Vec<Json>),
    /// What must not hold, and its text.
    Not(RuleId, String),
    Null,
    Number(Box<Numbers>),
    Object(Box<Object>),
    /// Index into [`Rules::targets`].
    Reference(usize),
    Text(Box<Text>),
}

/// How many parts of a combination have to fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Criterion {
    All,
    Any,
    One,
}

/// Whether values of other types are refused, or none of this rule's business.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Others {
    Refused,
    Passed,
}

#[derive(Debug)]
pub(super) struct Array {
    pub(super) others: Others,
    pub(super) min_items: Option<u64>,
    pub(super) max_items: Option<u64>,
    pub(super) unique: bool,
    /// The first items.
    pub(super) first: Vec<RuleId>,
    /// The items after the first.
    pub(super) rest: Option<RuleId>,
    /// Whether there may be items after the first.
    pub(super) ends: bool,
    /// What some items must be, and how many.
    pub(super) contains: Option<(RuleId, u64, Option<u64>)>,
}

#[derive(Debug)]
pub(super) struct Numbers {
    pub(super) others: Others,
    pub(super) integer: bool,
    pub(super) minimum: Option<(Exact, Limit)>,
    pub(super) maximum: Option<(Exact, Limit)>,
    pub(super) multiple_of: Option<Exact>,
}

/// Whether a limit is itself allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Limit {
    Allowed,
    Excluded,
}

#[derive(Debug)]
pub(super) struct Object {
    pub(super) others: Others,
    pub(super) min_properties: Option<u64>,
    pub(super) max_properties: Option<u64>,
    pub(super) required: Vec<String>,
    pub(super) properties: Vec<(String, RuleId)>,
    pub(super) patterns: Vec<(Regex, RuleId)>,
    /// Whether members that nothing names are allowed, and what they must be.
    pub(super) additional: Additional,
    pub(super) names: Option<RuleId>,
    pub(super) needs: Vec<(String, Vec<String>)>,
    pub(super) dependent: Vec<(String, RuleId)>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Additional {
    Allowed,
    Refused,
    Ruled(RuleId),
}

#[derive(Debug)]
pub(super) struct Text {
    pub(super) others: Others,
    pub(super) min_length: Option<u64>,
    pub(super) max_length: Option<u64>,
    pub(super) pattern: Option<Regex>,
    pub(super) format: Option<Format>,
}
