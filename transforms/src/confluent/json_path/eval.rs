//! Where paths lead and whether conditions hold.

use std::borrow::Cow;
use std::cell::Cell;
use std::cmp::Ordering;

use lakeward_api::java_text;

use super::node::{Node, Scalar};
use super::{Comparison, Condition, Found, JsonPath, Literal, Operand, Step};

/// Why a walk ends early.
enum Stop {
    /// A definite path leads nowhere.
    Missing,
    /// [`STEPS_MAX`] is reached.
    TooFar,
}

/// Values that one search visits: a few times as many as a record of 1 MB can hold. A path like `$..*..*`
/// visits far more than there are.
const STEPS_MAX: usize = 2_000_000;

/// One search, conditions included.
struct Search<'a> {
    root: Node<'a>,
    left: Cell<usize>,
}

/// Where `path` leads from `root`.
pub(super) fn find<'a>(path: &JsonPath, root: Node<'a>) -> Found<'a> {
    let search = Search { root, left: Cell::new(STEPS_MAX) };
    let found = search.find(path, root);
    if search.left.get() == 0 { Found::TooFar } else { found }
}

impl<'a> Search<'a> {
    fn find(&self, path: &JsonPath, start: Node<'a>) -> Found<'a> {
        let mut nodes = Vec::new();
        match self.walk(&path.steps, start, true, &mut nodes) {
            Ok(()) => Found::Nodes(nodes),
            Err(Stop::Missing) => Found::Missing,
            Err(Stop::TooFar) => Found::TooFar,
        }
    }

    /// Collects what `steps` lead to. As long as every step so far was definite, a missing member is an
    /// error. Recursion is bounded by the number of steps and the depth of the value.
    fn walk(
        &self,
        steps: &[Step],
        node: Node<'a>,
        is_definite: bool,
        out: &mut Vec<Node<'a>>,
    ) -> Result<(), Stop> {
        self.left.set(self.left.get().saturating_sub(1));
        if self.left.get() == 0 {
            return Err(Stop::TooFar);
        }
        let Some((step, rest)) = steps.split_first() else {
            out.push(node);
            return Ok(());
        };
        let is_definite_here = is_definite && step.is_definite();
        let absent = || if is_definite { Err(Stop::Missing) } else { Ok(()) };
        match step {
            Step::Members(names) => {
                if !node.is_object() {
                    return absent();
                }
                if names.len() > 1 && rest.is_empty() {
                    // One object of these members: that it is there is all that counts.
                    out.push(node);
                    return Ok(());
                }
                for name in names {
                    match node.member(name) {
                        Some(member) => self.walk(rest, member, is_definite_here, out)?,
                        None if is_definite_here => return Err(Stop::Missing),
                        None => {}
                    }
                }
            }
            Step::Items(items) => {
                let Some(count) = node.items() else { return absent() };
                for at in items {
                    match position(*at, count).and_then(|at| node.item(at)) {
                        Some(item) => self.walk(rest, item, is_definite_here, out)?,
                        None if is_definite_here => return Err(Stop::Missing),
                        None => {}
                    }
                }
            }
            Step::Slice(from, to) => {
                let Some(count) = node.items() else { return absent() };
                for at in bound(*from, 0, count)..bound(*to, count, count) {
                    if let Some(item) = node.item(at) {
                        self.walk(rest, item, false, out)?;
                    }
                }
            }
            Step::Wildcard => {
                for child in node.children() {
                    self.walk(rest, child, false, out)?;
                }
            }
            Step::Deep => self.deep(rest, node, out)?,
            Step::Filter(_) if !node.is_object() && node.items().is_none() => return absent(),
            Step::Filter(condition) => self.filter(condition, rest, node, out)?,
        }
        Ok(())
    }

    /// A condition tests the items of an array, and an object itself.
    fn filter(
        &self,
        condition: &Condition,
        rest: &[Step],
        node: Node<'a>,
        out: &mut Vec<Node<'a>>,
    ) -> Result<(), Stop> {
        if node.is_object() {
            return if self.holds(condition, node) { self.walk(rest, node, false, out) } else { Ok(()) };
        }
        let items = (0..node.items().unwrap_or(0)).filter_map(|at| node.item(at));
        for item in items.filter(|item| self.holds(condition, *item)) {
            self.walk(rest, item, false, out)?;
        }
        Ok(())
    }

    fn deep(&self, rest: &[Step], node: Node<'a>, out: &mut Vec<Node<'a>>) -> Result<(), Stop> {
        self.walk(rest, node, false, out)?;
        for child in node.children() {
            self.deep(rest, child, out)?;
        }
        Ok(())
    }
}

/// The item that `at` means; a negative one counts from behind.
fn position(at: i64, count: usize) -> Option<usize> {
    let distance = usize::try_from(at.unsigned_abs()).ok()?;
    if at < 0 { count.checked_sub(distance) } else { Some(distance).filter(|at| *at < count) }
}

/// The end of a range; a negative one counts from behind.
fn bound(at: Option<i64>, default: usize, count: usize) -> usize {
    let Some(at) = at else { return default };
    let distance = usize::try_from(at.unsigned_abs()).unwrap_or(usize::MAX);
    if at < 0 { count.saturating_sub(distance) } else { distance.min(count) }
}

impl<'a> Search<'a> {
    fn holds(&self, condition: &Condition, node: Node<'a>) -> bool {
        match condition {
            Condition::And(a, b) => self.holds(a, node) && self.holds(b, node),
            Condition::Or(a, b) => self.holds(a, node) || self.holds(b, node),
            Condition::Not(inner) => !self.holds(inner, node),
            Condition::Exists(Operand::Path { is_root, path }) => {
                let start = if *is_root { self.root } else { node };
                !matches!(self.find(path, start), Found::Missing)
            }
            Condition::Exists(operand) => self.scalar(operand, node) == Scalar::Boolean(true),
            Condition::Matches(operand, regex) => match self.scalar(operand, node) {
                Scalar::Text(text) => regex.matches(&text).unwrap_or(false),
                Scalar::Whole(number) => regex.matches(&number.to_string()).unwrap_or(false),
                Scalar::Float(number) => regex.matches(&java_text::f64_text(number)).unwrap_or(false),
                Scalar::Boolean(value) => {
                    regex.matches(if value { "true" } else { "false" }).unwrap_or(false)
                }
                Scalar::Null | Scalar::Other | Scalar::Undefined => regex.matches("").unwrap_or(false),
            },
            Condition::Compare(left, comparison, right) => self.compare(left, *comparison, right, node),
        }
    }

    fn compare(&self, left: &Operand, how: Comparison, right: &Operand, node: Node<'a>) -> bool {
        let ordering = || order(&self.scalar(left, node), &self.scalar(right, node));
        match how {
            Comparison::Equal => is_equal(&self.scalar(left, node), &self.scalar(right, node)),
            Comparison::NotEqual => !is_equal(&self.scalar(left, node), &self.scalar(right, node)),
            Comparison::Less => ordering() == Some(Ordering::Less),
            Comparison::LessOrEqual => matches!(ordering(), Some(Ordering::Less | Ordering::Equal)),
            Comparison::More => ordering() == Some(Ordering::Greater),
            Comparison::MoreOrEqual => matches!(ordering(), Some(Ordering::Greater | Ordering::Equal)),
            Comparison::In | Comparison::NotIn => {
                let left = self.scalar(left, node);
                let is_in =
                    self.items(right, node).map(|items| items.iter().any(|item| is_equal(&left, item)));
                is_in.is_some_and(|is_in| is_in == (how == Comparison::In))
            }
            Comparison::Empty | Comparison::Size => {
                let size = self.size(left, node);
                match (how, self.scalar(right, node)) {
                    (Comparison::Empty, Scalar::Boolean(expected)) => {
                        size.is_some_and(|size| (size == 0) == expected)
                    }
                    (Comparison::Size, Scalar::Whole(expected)) => {
                        size.is_some_and(|size| i64::try_from(size).is_ok_and(|size| size == expected))
                    }
                    _ => false,
                }
            }
        }
    }

    fn at(&self, operand: &Operand, node: Node<'a>) -> Option<Node<'a>> {
        let Operand::Path { is_root, path } = operand else { return None };
        match self.find(path, if *is_root { self.root } else { node }) {
            Found::Nodes(nodes) if path.is_definite() => nodes.first().copied(),
            _ => None,
        }
    }

    fn size(&self, operand: &Operand, node: Node<'a>) -> Option<usize> {
        let node = self.at(operand, node)?;
        match node.scalar() {
            Scalar::Text(text) => Some(text.encode_utf16().count()),
            _ => node.items(),
        }
    }

    fn items<'o>(&self, operand: &'o Operand, node: Node<'a>) -> Option<Vec<Scalar<'o>>>
    where
        'a: 'o,
    {
        if let Operand::List(items) = operand {
            return Some(items.iter().map(|item| self.scalar(item, node)).collect());
        }
        let node = self.at(operand, node)?;
        let count = node.items()?;
        self.left.set(self.left.get().saturating_sub(count));
        Some((0..count).filter_map(|at| node.item(at)).map(Node::scalar).collect())
    }

    fn scalar<'o>(&self, operand: &'o Operand, node: Node<'a>) -> Scalar<'o>
    where
        'a: 'o,
    {
        match operand {
            Operand::List(_) => Scalar::Other,
            Operand::Literal(literal) => match literal {
                Literal::Boolean(value) => Scalar::Boolean(*value),
                Literal::Float(value) => Scalar::Float(*value),
                Literal::Null => Scalar::Null,
                Literal::Text(text) => Scalar::Text(Cow::Borrowed(text)),
                Literal::Whole(value) => Scalar::Whole(*value),
            },
            Operand::Path { path, .. } if !path.is_definite() => Scalar::Other,
            Operand::Path { .. } => self.at(operand, node).map_or(Scalar::Undefined, Node::scalar),
        }
    }
}

fn is_equal(left: &Scalar<'_>, right: &Scalar<'_>) -> bool {
    match (left, right) {
        // What is not there equals nothing, not even its like.
        (Scalar::Other | Scalar::Undefined, _) | (_, Scalar::Other | Scalar::Undefined) => false,
        (Scalar::Null, Scalar::Null) => true,
        (Scalar::Boolean(a), Scalar::Boolean(b)) => a == b,
        (Scalar::Text(a), Scalar::Text(b)) => a == b,
        // The left side decides what both are compared as.
        (Scalar::Text(text), Scalar::Whole(number)) => **text == *number.to_string(),
        (Scalar::Text(text), Scalar::Float(number)) => **text == *number.to_string(),
        (Scalar::Whole(_) | Scalar::Float(_), Scalar::Text(text)) => {
            text.parse().is_ok_and(|number| order(left, &Scalar::Float(number)) == Some(Ordering::Equal))
        }
        _ => order(left, right) == Some(Ordering::Equal),
    }
}

/// The order of two numbers or two texts.
fn order(left: &Scalar<'_>, right: &Scalar<'_>) -> Option<Ordering> {
    let float = |scalar: &Scalar<'_>| match scalar {
        Scalar::Float(value) => Some(*value),
        Scalar::Whole(value) => Some(*value as f64),
        _ => None,
    };
    match (left, right) {
        (Scalar::Whole(a), Scalar::Whole(b)) => Some(a.cmp(b)),
        (Scalar::Text(a), Scalar::Text(b)) => Some(a.encode_utf16().cmp(b.encode_utf16())),
        _ => float(left)?.partial_cmp(&float(right)?),
    }
}
