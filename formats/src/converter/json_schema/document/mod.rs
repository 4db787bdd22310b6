//! A JSON Schema as the tree of types that Java's schema loader makes of it.
//!
//! Source: JSON Schema draft 7; the class model and extraction order of `org.everit.json.schema.loader`.

mod load;
mod reference;

use serde_json::{Map, Value as Json};

pub(super) use load::load;
pub(super) use reference::Texts;

/// Index of a node.
pub(super) type NodeId = usize;

/// A loaded schema with everything it refers to.
pub(super) struct Document<'a> {
    pub(super) nodes: Vec<Node<'a>>,
    pub(super) root: NodeId,
    /// What references point to; `None` only while loading.
    pub(super) targets: Vec<Option<NodeId>>,
}

/// One schema.
pub(super) struct Node<'a> {
    pub(super) shape: Shape<'a>,
    /// The members that describe the schema as a whole. A schema that says several things at once is an
    /// `allOf` of its parts; then the parts have none.
    pub(super) members: Option<&'a Map<String, Json>>,
}

/// What a schema says.
pub(super) enum Shape<'a> {
    Array {
        items: Option<NodeId>,
    },
    Boolean,
    Combined {
        criterion: Criterion,
        parts: Vec<NodeId>,
    },
    /// `if`, `then`, `else`.
    Conditional,
    Const(&'a Json),
    /// `{}` or `true`.
    Empty,
    Enum(&'a [Json]),
    /// `false`.
    False,
    Not,
    Null,
    Number {
        integer: bool,
    },
    Object(Object),
    /// Index into [`Document::targets`].
    Reference(usize),
    String,
}

/// An object with its properties in the order in which Java's `HashMap` holds them.
pub(super) struct Object {
    pub(super) properties: Vec<(String, NodeId)>,
    pub(super) required: Vec<String>,
    /// `additionalProperties` when it is a schema.
    pub(super) additional: Option<NodeId>,
}

/// How many parts of a combination have to fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Criterion {
    All,
    Any,
    One,
}

impl<'a> Node<'a> {
    /// The member `name` of the schema as a whole.
    pub(super) fn member(&self, name: &str) -> Option<&'a Json> {
        self.members?.get(name)
    }

    /// The member `name` when it is a text.
    pub(super) fn text(&self, name: &str) -> Option<&'a str> {
        self.member(name)?.as_str()
    }
}

impl Document<'_> {
    /// What the reference `target` points to.
    pub(super) fn referred(&self, target: usize) -> NodeId {
        self.targets[target].expect("every reference is resolved while loading")
    }
}
