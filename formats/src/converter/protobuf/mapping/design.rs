//! What a Connect schema becomes: how its values are written as messages.

use std::collections::{HashMap, HashSet};

use lakeward_api::recursion::Recursive;
use lakeward_api::schema::{Logical, Schema};
use lakeward_api::value::Value;

use super::super::descriptor::Kind;

/// How values of a Connect schema are written.
pub(in super::super) struct Design {
    /// The file.
    pub(in super::super) text: String,
    /// Full name of the message.
    pub(in super::super) full_name: String,
    pub(in super::super) root: Form,
}

/// A message: fields by number.
pub(in super::super) struct MessageDesign {
    pub(in super::super) fields: Vec<FieldDesign>,
    /// Whether a message inside contains itself.
    pub(in super::super) has_cycle: bool,
}

/// A field.
pub(in super::super) struct FieldDesign {
    pub(in super::super) number: u32,
    /// The column of the STRUCT.
    pub(in super::super) column: usize,
    /// The member of the STRUCT in that column, for oneofs.
    pub(in super::super) member: Option<usize>,
    pub(in super::super) is_list: bool,
    pub(in super::super) presence: Presence,
    pub(in super::super) form: Form,
    /// What stands in for null.
    pub(in super::super) default: Option<(Schema, Value)>,
}

/// Whether a field that holds its type's default is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Presence {
    Explicit,
    Implicit,
}

/// The form of a value.
pub(in super::super) enum Form {
    /// A number of that name; `None` when the STRUCT's schema has no such name.
    Enum {
        by_name: HashMap<Box<[u8]>, i32>,
        numbers: HashSet<i32>,
        default: i32,
    },
    Logical(Logical),
    Map {
        key: Box<FieldDesign>,
        value: Box<FieldDesign>,
    },
    Message(MessageDesign),
    /// The message that the field is in.
    Recursive(Recursive),
    Scalar(Kind),
    /// A message of that one field.
    Wrapper(Kind),
}
