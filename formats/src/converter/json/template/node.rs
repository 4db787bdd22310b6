//! The columns of a template: a builder per key, list and scalar, and what it is made from.

use std::mem;
use std::sync::Arc;

use arrow_array::types::{ArrowPrimitiveType, Float64Type, Int64Type};
use arrow_array::{ArrayRef, BooleanArray, ListArray, NullArray, PrimitiveArray, StringArray};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::DataType;
use lakeward_api::shaped::{list_type, struct_of};
use lakeward_api::value::Value;

use super::super::lead::Lead;
use super::super::scan::BLOCK;

/// A builder of one column. Every value is of one kind, or null.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) cells: Cells,
    /// Rows that are null, ascending. Mostly there are few: rows that are not cost nothing.
    nulls: Vec<u32>,
}

#[derive(Debug)]
#[repr(u8)]
pub(super) enum Cells {
    Boolean(Vec<bool>),
    Float64(Vec<f64>),
    Int64(Vec<i64>),
    List(Box<List>),
    Object(Box<Object>),
    Text(Texts),
    /// Nothing but nulls (or no rows at all) so far.
    Unknown {
        rows: usize,
        /// Levels that the values may have.
        depth_left: usize,
    },
}

#[derive(Debug)]
pub(super) struct List {
    pub(super) offsets: Vec<i32>,
    pub(super) item: Node,
}

/// The members of an object, all of them in every row and in this order.
#[derive(Debug)]
pub(super) struct Object {
    pub(super) rows: usize,
    pub(super) members: Vec<Member>,
    /// The end of the object.
    pub(super) close: Lead,
}

#[derive(Debug)]
pub(super) struct Member {
    pub(super) name: Arc<str>,
    pub(super) lead: Lead,
    pub(super) node: Node,
}

#[derive(Debug)]
pub(super) struct Texts {
    pub(super) offsets: Vec<i32>,
    pub(super) bytes: Vec<u8>,
}

/// How large a template may become.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    /// Columns at all levels.
    pub(super) columns: usize,
}

impl Room {
    fn take(&mut self) -> Option<()> {
        self.columns = self.columns.checked_sub(1)?;
        Some(())
    }
}

impl Node {
    /// A column for values like this one, which may have `depth_left` levels, with `rows` rows of nulls.
    /// `None` when there is no room for it or its kind has no column.
    pub(super) fn of(value: &Value, depth_left: usize, rows: usize, room: &mut Room) -> Option<Self> {
        room.take()?;
        let cells = match value {
            Value::Null => Cells::Unknown { rows: 0, depth_left },
            Value::Boolean(_) => Cells::Boolean(Vec::new()),
            Value::Float64(_) => Cells::Float64(Vec::new()),
            Value::Int64(_) => Cells::Int64(Vec::new()),
            Value::String(_) => Cells::Text(Texts { offsets: vec![0], bytes: Vec::new() }),
            Value::Array(items) => {
                let first = items.iter().find(|item| !item.is_null()).unwrap_or(&Value::Null);
                let item = Self::of(first, depth_left.checked_sub(1)?, 0, room)?;
                Cells::List(Box::new(List { offsets: vec![0], item }))
            }
            Value::Map(entries) => {
                let depth_left = depth_left.checked_sub(1)?;
                let member = |(name, value): &(Value, Value)| {
                    let Value::String(name) = name else { return None };
                    let node = Self::of(value, depth_left, 0, room)?;
                    Some(Member { name: Arc::clone(name), lead: Lead::unknown(), node })
                };
                let members = entries.iter().map(member).collect::<Option<_>>()?;
                Cells::Object(Box::new(Object { rows: 0, members, close: Lead::unknown() }))
            }
            _ => return None,
        };
        let mut node = Self { cells, nulls: Vec::new() };
        for _ in 0..rows {
            node.push_null()?;
        }
        Some(node)
    }

    /// Whether no row is null.
    pub(super) fn has_no_null(&self) -> bool {
        self.nulls.is_empty()
    }

    pub(super) fn rows(&self) -> usize {
        match &self.cells {
            Cells::Boolean(flags) => flags.len(),
            Cells::Float64(numbers) => numbers.len(),
            Cells::Int64(numbers) => numbers.len(),
            Cells::List(list) => list.offsets.len() - 1,
            Cells::Object(object) => object.rows,
            Cells::Text(texts) => texts.offsets.len() - 1,
            Cells::Unknown { rows, .. } => *rows,
        }
    }

    /// Appends a null, and nulls in all columns below. `None` when there are too many rows.
    pub(super) fn push_null(&mut self) -> Option<()> {
        self.nulls.push(u32::try_from(self.rows()).ok()?);
        match &mut self.cells {
            Cells::Boolean(flags) => flags.push(false),
            Cells::Float64(numbers) => numbers.push(0.0),
            Cells::Int64(numbers) => numbers.push(0),
            Cells::List(list) => list.offsets.push(*list.offsets.last()?),
            Cells::Object(object) => {
                for member in &mut object.members {
                    member.node.push_null()?;
                }
                object.rows += 1;
            }
            Cells::Text(texts) => texts.offsets.push(*texts.offsets.last()?),
            Cells::Unknown { rows, .. } => *rows += 1,
        }
        Some(())
    }

    /// Forgets every row from `rows` on, also rows that were begun but not completed.
    pub(super) fn truncate(&mut self, rows: usize) {
        while self.nulls.last().is_some_and(|row| *row as usize >= rows) {
            self.nulls.pop();
        }
        match &mut self.cells {
            Cells::Boolean(flags) => flags.truncate(rows),
            Cells::Float64(numbers) => numbers.truncate(rows),
            Cells::Int64(numbers) => numbers.truncate(rows),
            Cells::List(list) => {
                list.offsets.truncate(rows + 1);
                list.item.truncate(list.offsets[rows] as usize);
            }
            Cells::Object(object) => {
                object.rows = rows;
                object.members.iter_mut().for_each(|member| member.node.truncate(rows));
            }
            Cells::Text(texts) => {
                texts.offsets.truncate(rows + 1);
                texts.bytes.truncate(texts.offsets[rows] as usize);
            }
            Cells::Unknown { rows: count, .. } => *count = rows,
        }
    }

    /// Takes the rows out as a shaped column; the builder is empty afterwards.
    pub(super) fn finish(&mut self) -> ArrayRef {
        let rows = self.rows();
        let nulls = null_buffer(&mem::take(&mut self.nulls), rows);
        match &mut self.cells {
            Cells::Boolean(flags) => {
                let flags = take_vec(flags, 0);
                Arc::new(BooleanArray::new(BooleanBuffer::from(flags.as_slice()), nulls))
            }
            Cells::Float64(numbers) => primitive::<Float64Type>(numbers, nulls),
            Cells::Int64(numbers) => primitive::<Int64Type>(numbers, nulls),
            Cells::List(list) => {
                let items = list.item.finish();
                let DataType::List(field) = list_type(items.data_type().clone()) else {
                    unreachable!("lists have a list type")
                };
                Arc::new(ListArray::new(field, finish_offsets(&mut list.offsets), items, nulls))
            }
            Cells::Object(object) => {
                object.rows = 0;
                let members = &mut object.members;
                let columns: Vec<ArrayRef> = members.iter_mut().map(|member| member.node.finish()).collect();
                let names: Vec<&str> = members.iter().map(|member| &*member.name).collect();
                Arc::new(struct_of(&names, columns, rows, nulls))
            }
            Cells::Text(texts) => {
                let bytes = Buffer::from_vec(take_vec(&mut texts.bytes, BLOCK));
                let texts = StringArray::try_new(finish_offsets(&mut texts.offsets), bytes, nulls);
                Arc::new(texts.expect("texts are cut from checked UTF-8 at ASCII characters"))
            }
            Cells::Unknown { rows, .. } => Arc::new(NullArray::new(mem::take(rows))),
        }
    }
}

fn null_buffer(nulls: &[u32], rows: usize) -> Option<NullBuffer> {
    if nulls.is_empty() {
        return None;
    }
    let mut bits = vec![0xff_u8; rows.div_ceil(8)];
    for row in nulls {
        bits[*row as usize / 8] &= !(1 << (row % 8));
    }
    Some(NullBuffer::new(BooleanBuffer::new(Buffer::from_vec(bits), 0, rows)))
}

fn primitive<T: ArrowPrimitiveType>(numbers: &mut Vec<T::Native>, nulls: Option<NullBuffer>) -> ArrayRef {
    Arc::new(PrimitiveArray::<T>::new(ScalarBuffer::from(take_vec(numbers, 0)), nulls))
}

/// Takes the content; the next run will need about as much room, and `more`.
fn take_vec<T>(items: &mut Vec<T>, more: usize) -> Vec<T> {
    let next = Vec::with_capacity(items.len() + more);
    mem::replace(items, next)
}

fn finish_offsets(offsets: &mut Vec<i32>) -> OffsetBuffer<i32> {
    let finished = take_vec(offsets, 0);
    offsets.push(0);
    OffsetBuffer::new(ScalarBuffer::from(finished))
}
