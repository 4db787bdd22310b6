//! A JSON text as a tree: for schemas, which are read once.

use std::borrow::Cow;

use super::cursor::{Cursor, RawText};
use super::fault::{Parsed, syntax};
use super::number::Number;

/// One JSON value with its source text.
pub(super) struct Node<'a> {
    /// The text as written.
    pub(super) raw: &'a [u8],
    content: Content<'a>,
}

enum Content<'a> {
    Array(Vec<Node<'a>>),
    /// Of members with the same name the last one counts; a repeated name is kept once.
    Object(Vec<(Cow<'a, str>, Node<'a>)>),
    /// Null, a boolean or a number.
    Scalar,
    Text(Cow<'a, str>),
}

impl<'a> Node<'a> {
    /// Reads the value at the cursor.
    ///
    /// # Errors
    /// Class `Record` for text that is not JSON, and for more than [`DEPTH_MAX`] nested containers.
    pub(super) fn read(cursor: &mut Cursor<'a>) -> Parsed<Self> {
        Self::nested(cursor, DEPTH_MAX)
    }

    fn nested(cursor: &mut Cursor<'a>, depth_left: usize) -> Parsed<Self> {
        let token = cursor.token();
        let start = cursor.pos;
        let content = match token {
            b'{' | b'[' if depth_left == 0 => {
                return Err(syntax("more nested containers than are supported", start));
            }
            b'{' => {
                let mut members: Vec<(Cow<'a, str>, Self)> = Vec::new();
                let mut more = cursor.enter(b'}');
                while more {
                    let name = text(cursor.member_name()?);
                    members.push((name, Self::nested(cursor, depth_left - 1)?));
                    more = cursor.has_more(b'}')?;
                }
                Content::Object(members)
            }
            b'[' => {
                let mut items = Vec::new();
                let mut more = cursor.enter(b']');
                while more {
                    items.push(Self::nested(cursor, depth_left - 1)?);
                    more = cursor.has_more(b']')?;
                }
                Content::Array(items)
            }
            b'"' => Content::Text(text(cursor.string()?)),
            _ => {
                cursor.skip_value()?;
                Content::Scalar
            }
        };
        Ok(Self { raw: &cursor.bytes[start..cursor.pos], content })
    }

    /// The member `name` of an object.
    pub(super) fn get(&self, name: &str) -> Option<&Self> {
        let members = self.members()?;
        members.iter().rev().find(|(member, _)| member == name).map(|(_, node)| node)
    }

    /// The members of an object, in order; of repeated names the last counts.
    pub(super) fn members(&self) -> Option<&[(Cow<'a, str>, Self)]> {
        match &self.content {
            Content::Object(members) => Some(members),
            _ => None,
        }
    }

    pub(super) fn items(&self) -> Option<&[Self]> {
        match &self.content {
            Content::Array(items) => Some(items),
            _ => None,
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        match &self.content {
            Content::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn is_null(&self) -> bool {
        self.raw == b"null"
    }

    pub(super) fn is_true(&self) -> bool {
        self.raw == b"true"
    }

    /// The low 64 bits of a number without fraction and exponent.
    pub(super) fn integer(&self) -> Option<i64> {
        if !matches!(self.raw.first(), Some(b'-' | b'0'..=b'9')) {
            return None;
        }
        let mut cursor = Cursor { bytes: self.raw, pos: 0 };
        match cursor.number().ok()? {
            number @ (Number::Integer(_) | Number::Big(_)) => Some(number.low_bits()),
            Number::Fraction(_) => None,
        }
    }
}

fn text(raw: RawText<'_>) -> Cow<'_, str> {
    match raw.resolved() {
        Cow::Borrowed(bytes) => String::from_utf8_lossy(bytes),
        Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
    }
}

/// Schemas are not deeper than the values that are read with them.
const DEPTH_MAX: usize = 256;
