//! Where paths lead and whether conditions hold.

use std::borrow::Cow;
use std::cmp::Ordering;

use lakeward_api::java_text;

use super::node::{Node, Scalar};
use super::{Comparison, Condition, Found, JsonPath, Literal, Operand, Step};

/// A definite path that ends too early.
struct Missing;

/// Where `path` leads from `start`; `$` inside its conditions is `root`.
pub(super) fn find<'a>(path: &JsonPath, start: Node<'a>, root: Node<'a>) -> Found<'a> {
    let mut nodes = Vec::new();
    match walk(&path.steps, start, root, true, &mut nodes) {
        Ok(()) => Found::Nodes(nodes),
        Err(Missing) => Found::Missing,
    }
}

/// Collects what `steps` lead to. As long as every step so far was definite, a missing member is an error.
fn walk<'a>(
    steps: &[Step],
    node: Node<'a>,
    root: Node<'a>,
    is_definite: bool,
    out: &mut Vec<Node<'a>>,
) -> Result<(), Missing> {
    let Some((step, rest)) = steps.split_first() else {
        out.push(node);
        return Ok(());
    };
    let is_definite_here = is_definite && step.is_definite();
    let absent = || if is_definite { Err(Missing) } else { Ok(()) };
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
                    Some(member) => walk(rest, member, root, is_definite_here, out)?,
                    None if is_definite_here => return Err(Missing),
                    None => {}
                }
            }
        }
        Step::Items(items) => {
            let Some(count) = node.items() else { return absent() };
            for at in items {
                match position(*at, count).and_then(|at| node.item(at)) {
                    Some(item) => walk(rest, item, root, is_definite_here, out)?,
                    None if is_definite_here => return Err(Missing),
                    None => {}
                }
            }
        }
        Step::Slice(from, to) => {
            let Some(count) = node.items() else { return absent() };
            for at in bound(*from, 0, count)..bound(*to, count, count) {
                if let Some(item) = node.item(at) {
                    walk(rest, item, root, false, out)?;
                }
            }
        }
        Step::Wildcard => {
            for child in node.children() {
                walk(rest, child, root, false, out)?;
            }
        }
        Step::Deep => deep(rest, node, root, out)?,
        Step::Filter(condition) if node.is_object() => {
            if holds(condition, node, root) {
                walk(rest, node, root, false, out)?;
            }
        }
        Step::Filter(condition) => {
            let Some(count) = node.items() else { return absent() };
            let items = (0..count).filter_map(|at| node.item(at));
            for item in items.filter(|item| holds(condition, *item, root)) {
                walk(rest, item, root, false, out)?;
            }
        }
    }
    Ok(())
}

fn deep<'a>(rest: &[Step], node: Node<'a>, root: Node<'a>, out: &mut Vec<Node<'a>>) -> Result<(), Missing> {
    walk(rest, node, root, false, out)?;
    for child in node.children() {
        deep(rest, child, root, out)?;
    }
    Ok(())
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

fn holds(condition: &Condition, node: Node<'_>, root: Node<'_>) -> bool {
    match condition {
        Condition::And(a, b) => holds(a, node, root) && holds(b, node, root),
        Condition::Or(a, b) => holds(a, node, root) || holds(b, node, root),
        Condition::Not(inner) => !holds(inner, node, root),
        Condition::Exists(Operand::Path { is_root, path }) => {
            !matches!(find(path, if *is_root { root } else { node }, root), Found::Missing)
        }
        Condition::Exists(operand) => scalar(operand, node, root) == Scalar::Boolean(true),
        Condition::Matches(operand, regex) => match scalar(operand, node, root) {
            Scalar::Text(text) => regex.matches(&text).unwrap_or(false),
            Scalar::Whole(number) => regex.matches(&number.to_string()).unwrap_or(false),
            Scalar::Float(number) => regex.matches(&java_text::f64_text(number)).unwrap_or(false),
            Scalar::Boolean(value) => regex.matches(if value { "true" } else { "false" }).unwrap_or(false),
            Scalar::Null | Scalar::Other | Scalar::Undefined => regex.matches("").unwrap_or(false),
        },
        Condition::Compare(left, comparison, right) => compare(left, *comparison, right, node, root),
    }
}

fn compare(left: &Operand, how: Comparison, right: &Operand, node: Node<'_>, root: Node<'_>) -> bool {
    let ordering = || order(&scalar(left, node, root), &scalar(right, node, root));
    match how {
        Comparison::Equal => is_equal(&scalar(left, node, root), &scalar(right, node, root)),
        Comparison::NotEqual => !is_equal(&scalar(left, node, root), &scalar(right, node, root)),
        Comparison::Less => ordering() == Some(Ordering::Less),
        Comparison::LessOrEqual => matches!(ordering(), Some(Ordering::Less | Ordering::Equal)),
        Comparison::More => ordering() == Some(Ordering::Greater),
        Comparison::MoreOrEqual => matches!(ordering(), Some(Ordering::Greater | Ordering::Equal)),
        Comparison::In | Comparison::NotIn => {
            let left = scalar(left, node, root);
            let is_in = items(right, node, root).map(|items| items.iter().any(|item| is_equal(&left, item)));
            is_in.is_some_and(|is_in| is_in == (how == Comparison::In))
        }
        Comparison::Empty | Comparison::Size => {
            let size = size(left, node, root);
            match (how, scalar(right, node, root)) {
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

fn at<'a>(operand: &Operand, node: Node<'a>, root: Node<'a>) -> Option<Node<'a>> {
    let Operand::Path { is_root, path } = operand else { return None };
    match find(path, if *is_root { root } else { node }, root) {
        Found::Nodes(nodes) if path.is_definite() => nodes.first().copied(),
        _ => None,
    }
}

fn size(operand: &Operand, node: Node<'_>, root: Node<'_>) -> Option<usize> {
    let node = at(operand, node, root)?;
    match node.scalar() {
        Scalar::Text(text) => Some(text.encode_utf16().count()),
        _ => node.items(),
    }
}

fn items<'a>(operand: &'a Operand, node: Node<'a>, root: Node<'a>) -> Option<Vec<Scalar<'a>>> {
    if let Operand::List(items) = operand {
        return Some(items.iter().map(|item| scalar(item, node, root)).collect());
    }
    let node = at(operand, node, root)?;
    let count = node.items()?;
    Some((0..count).filter_map(|at| node.item(at)).map(Node::scalar).collect())
}

fn scalar<'a>(operand: &'a Operand, node: Node<'a>, root: Node<'a>) -> Scalar<'a> {
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
        Operand::Path { .. } => at(operand, node, root).map_or(Scalar::Undefined, Node::scalar),
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
