//! What is known about the values of a stream, and the columns that follow from it.
//!
//! A shape only ever widens: whatever was observed once fits the columns planned afterwards.

use std::collections::HashMap;
use std::sync::Arc;

use lakeward_api::schema::{Field, Kind, Schema};

use super::super::column::{Column, TextScope, is_lossless};
use super::super::cursor::Cursor;
use super::super::fault::Parsed;
use super::super::number::Number;

/// The shape of the records of one topic.
#[derive(Debug, Default)]
pub(super) struct RootShape {
    members: Members,
    /// Members at all levels: every column there is or may be.
    member_count: usize,
}

/// Schema and columns for the shape known so far.
pub(super) struct Plan {
    pub(super) schema: Schema,
    pub(super) column: Column,
    /// Dotted paths of the columns that hold JSON text, sorted.
    pub(super) text_columns: Vec<String>,
}

#[derive(Debug)]
enum Shape {
    Array(Box<Shape>),
    Boolean,
    /// Numbers: whether some have a fraction or exponent, and whether some are integers beyond 2^53.
    Number {
        fractions: Seen,
        wide: Seen,
    },
    Object(Members),
    String,
    /// No common type.
    Text,
    /// Null only.
    Unknown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    No,
    Yes,
}

/// The members of an object.
#[derive(Debug, Default)]
struct Members {
    list: Vec<Member>,
    index: HashMap<Box<[u8]>, usize>,
    /// Members that became columns.
    ranked: usize,
}

#[derive(Debug)]
struct Member {
    name: Arc<str>,
    shape: Shape,
    /// Column position; given when the member first has a type, so that new columns come last.
    rank: Option<usize>,
}

impl RootShape {
    /// Widens the shape by the object at the cursor.
    pub(super) fn observe(&mut self, mut cursor: Cursor<'_>) -> Parsed<()> {
        let mut more = cursor.enter(b'}');
        while more {
            let name = cursor.member_name()?;
            match self.members.find_or_add(&name.resolved(), &mut self.member_count) {
                Some(shape) => shape.observe(&mut cursor, DEPTH_MAX, &mut self.member_count)?,
                None => cursor.skip_value()?,
            }
            more = cursor.has_more(b'}')?;
        }
        Ok(())
    }

    /// The columns for everything observed so far. If nothing but nulls was seen, the members are columns of
    /// JSON text nevertheless: a record needs at least one column.
    pub(super) fn plan(&mut self) -> Plan {
        let mut text_columns = Vec::new();
        let planned = self.members.plan("", &mut text_columns);
        let (schema, column) = planned.unwrap_or_else(|| {
            let names = || self.members.list.iter().map(|member| &member.name);
            let text = Arc::new(Schema::json_text());
            let fields = names().map(|name| Field { name: Arc::clone(name), schema: Arc::clone(&text) });
            let columns = names().map(|name| (&**name, Column::json_text(TextScope::Hollow)));
            text_columns.extend(names().map(|name| name.to_string()));
            (Schema::new(Kind::Struct(fields.collect())), Column::record_of(columns.collect()))
        });
        text_columns.sort();
        Plan { schema: Schema { optional: false, ..schema }, column, text_columns }
    }
}

impl Members {
    /// The shape of the member `name`, new if there is room for one more.
    fn find_or_add(&mut self, name: &[u8], member_count: &mut usize) -> Option<&mut Shape> {
        let at = match self.index.get(name) {
            Some(at) => *at,
            None if *member_count >= MEMBERS_MAX => return None,
            None => {
                *member_count += 1;
                let text = String::from_utf8_lossy(name).into();
                self.list.push(Member { name: text, shape: Shape::Unknown, rank: None });
                self.index.insert(name.into(), self.list.len() - 1);
                self.list.len() - 1
            }
        };
        Some(&mut self.list[at].shape)
    }

    /// An optional STRUCT; `None` if no member has a type.
    fn plan(&mut self, path: &str, text_columns: &mut Vec<String>) -> Option<(Schema, Column)> {
        let mut ranked = Vec::new();
        let mut absent = Vec::new();
        for member in &mut self.list {
            let path =
                if path.is_empty() { member.name.to_string() } else { format!("{path}.{}", member.name) };
            match member.shape.plan(&path, text_columns) {
                None => absent.push((&*member.name, Column::absent())),
                Some((schema, column)) => {
                    let rank = *member.rank.get_or_insert_with(|| {
                        self.ranked += 1;
                        self.ranked - 1
                    });
                    ranked.push((rank, &member.name, schema, column));
                }
            }
        }
        if ranked.is_empty() {
            return None;
        }
        ranked.sort_by_key(|(rank, ..)| *rank);
        let mut fields = Vec::with_capacity(ranked.len());
        let mut columns = Vec::with_capacity(ranked.len() + absent.len());
        for (_, name, schema, column) in ranked {
            fields.push(Field { name: Arc::clone(name), schema: Arc::new(schema) });
            columns.push((&**name, column));
        }
        columns.append(&mut absent);
        Some((Schema::optional(Kind::Struct(fields)), Column::record_of(columns)))
    }
}

impl Shape {
    /// Widens the shape by the value at the cursor.
    fn observe(
        &mut self,
        cursor: &mut Cursor<'_>,
        depth_left: usize,
        member_count: &mut usize,
    ) -> Parsed<()> {
        let token = cursor.token();
        let start = cursor.pos;
        match (token, &mut *self) {
            (b'n', _) | (_, Self::Text) => return cursor.skip_value(),
            (b'{' | b'[', _) if depth_left == 0 => {}
            (b'{', Self::Unknown | Self::Object(_)) => {
                if let Self::Unknown = self {
                    *self = Self::Object(Members::default());
                }
                if let Self::Object(members) = self
                    && observe_members(members, cursor, depth_left, member_count)?
                {
                    return Ok(());
                }
            }
            (b'[', Self::Unknown | Self::Array(_)) => {
                if let Self::Unknown = self {
                    *self = Self::Array(Box::new(Self::Unknown));
                }
                if let Self::Array(item) = self {
                    let mut more = cursor.enter(b']');
                    while more {
                        item.observe(cursor, depth_left - 1, member_count)?;
                        more = cursor.has_more(b']')?;
                    }
                }
                return Ok(());
            }
            (b'-' | b'0'..=b'9', _) => {
                let number = cursor.number()?;
                return self.observe_number(number);
            }
            (b'"', Self::Unknown | Self::String) => {
                *self = Self::String;
                return cursor.skip_value();
            }
            (b't' | b'f', Self::Unknown | Self::Boolean) => {
                *self = Self::Boolean;
                return cursor.skip_value();
            }
            _ => {}
        }
        *self = Self::Text;
        cursor.pos = start;
        cursor.skip_value()
    }

    fn observe_number(&mut self, number: Number<'_>) -> Parsed<()> {
        let lossless = is_lossless(number, number.to_f64());
        let (fraction, too_wide) = match number {
            Number::Integer(_) => (Seen::No, if lossless { Seen::No } else { Seen::Yes }),
            Number::Fraction(_) if lossless => (Seen::Yes, Seen::No),
            Number::Big(_) | Number::Fraction(_) => {
                *self = Self::Text;
                return Ok(());
            }
        };
        if let Self::Unknown = self {
            *self = Self::Number { fractions: Seen::No, wide: Seen::No };
        }
        *self = match self {
            Self::Number { fractions, wide } => {
                let fractions = if fraction == Seen::Yes { fraction } else { *fractions };
                let wide = if too_wide == Seen::Yes { too_wide } else { *wide };
                if (fractions, wide) == (Seen::Yes, Seen::Yes) {
                    Self::Text
                } else {
                    Self::Number { fractions, wide }
                }
            }
            _ => Self::Text,
        };
        Ok(())
    }

    /// An optional column; `None` for a shape without type.
    fn plan(&mut self, path: &str, text_columns: &mut Vec<String>) -> Option<(Schema, Column)> {
        let plain = |kind| {
            let schema = Schema::optional(kind);
            let column = Column::new(&schema);
            Some((schema, column))
        };
        let reported = text_columns.len();
        let container = match self {
            Self::Unknown => return None,
            Self::Boolean => return plain(Kind::Boolean),
            Self::Number { fractions: Seen::Yes, .. } => return plain(Kind::Float64),
            Self::Number { .. } => return plain(Kind::Int64),
            Self::String => return plain(Kind::String),
            Self::Text => {
                text_columns.push(path.to_owned());
                return Some((Schema::json_text(), Column::json_text(TextScope::Any)));
            }
            Self::Array(item) => item.plan(&format!("{path}[]"), text_columns).map(|(schema, column)| {
                (Schema::optional(Kind::Array(Arc::new(schema))), Column::list_of(column))
            }),
            Self::Object(members) => members.plan(path, text_columns),
        };
        container.or_else(|| {
            text_columns.truncate(reported);
            text_columns.push(path.to_owned());
            Some((Schema::json_text(), Column::json_text(TextScope::Hollow)))
        })
    }
}

/// Widens the members by the object at the cursor; false if there is no room for a new one.
fn observe_members(
    members: &mut Members,
    cursor: &mut Cursor<'_>,
    depth_left: usize,
    member_count: &mut usize,
) -> Parsed<bool> {
    let mut more = cursor.enter(b'}');
    while more {
        let name = cursor.member_name()?;
        let Some(shape) = members.find_or_add(&name.resolved(), member_count) else { return Ok(false) };
        shape.observe(cursor, depth_left - 1, member_count)?;
        more = cursor.has_more(b'}')?;
    }
    Ok(true)
}

/// Containers below a top-level member that become columns of their own.
const DEPTH_MAX: usize = 64;

/// Members of all objects of a topic together; hostile records must not grow the schema without bound.
const MEMBERS_MAX: usize = 4096;
