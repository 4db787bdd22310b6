//! Columns that JSON values are decoded straight into, and that can take a failed row back.
//!
//! A [`Column`] is a builder for one Connect schema. A row that fails half-way leaves ragged children behind;
//! [`Column::truncate`] makes every part of the tree as long as before. Reading rules are in
//! [`super::column::append`] and [`super::column::lax`].
//!
//! # Memory
//! The values of one run, plus after [`Column::finish`] empty allocations of the same size for the next run.

mod append;
mod base64;
mod block;
mod constant;
mod entries;
mod lax;
mod layout;
mod map;
mod nulls;
mod quick;
mod record;
mod recursive;
mod union;

use std::mem;
use std::sync::Arc;

use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    Time32MillisecondType, TimestampMillisecondType,
};
use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, ListArray, MapArray, PrimitiveArray, StringArray, StructArray,
};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, Field};
use lakeward_api::packed;
use lakeward_api::schema::{Kind, Logical, Schema};
use lakeward_api::value::Value;

use super::fault::{Parsed, data};
use super::number::Number;
pub(super) use append::is_lossless;
pub(super) use block::{BLOCK_ROWS, Block, JOINED_BYTES, PADDING};
use nulls::Nulls;
use record::Record;
use recursive::Recursion;

/// How values that do not have the obvious JSON type are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Strictness {
    /// Declared by the user: another type is an error.
    Declared,
    /// An envelope's schema: as Java converts.
    Envelope,
    /// Inferred: anything that would lose information is a misfit.
    Inferred,
    /// A JSON Schema of a registry: as Java's `JsonSchemaData` converts.
    Registered,
}

/// What a null becomes in a field that has a default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NullRule {
    /// It stays null.
    Keep,
    /// The default.
    ReplaceWithDefault,
}

/// The reading rules of a converter.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    pub(super) strictness: Strictness,
    pub(super) nulls: NullRule,
}

impl Reading {
    /// Envelopes are read as Java reads them; otherwise the sign of a zero is kept.
    #[inline]
    pub(super) fn number(self, number: Number<'_>) -> Number<'_> {
        match self.strictness {
            Strictness::Envelope | Strictness::Registered => number.as_java(),
            Strictness::Declared | Strictness::Inferred => number,
        }
    }
}

/// Which values an inferred column of source texts accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TextScope {
    /// Every value.
    Any,
    /// Containers without any scalar but null: all that was seen so far, so the type is still open.
    Hollow,
}

/// A builder of one column.
#[derive(Debug)]
pub(super) struct Column {
    cells: Cells,
    nulls: Nulls,
    data_type: DataType,
    optional: bool,
    default: Option<Value>,
}

#[derive(Debug)]
enum Cells {
    /// Inferred, only nulls so far: not part of the output.
    Absent,
    Boolean(Vec<bool>),
    Bytes(Runs<u8>),
    Date(Vec<i32>),
    Decimal {
        unscaled: Runs<u8>,
        scale: i32,
    },
    Float32(Vec<f32>),
    Float64(Vec<f64>),
    Int16(Vec<i16>),
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    Int8(Vec<i8>),
    /// Inferred, no common type: the source text of each value.
    JsonText {
        texts: Runs<u8>,
        scope: TextScope,
    },
    List {
        offsets: Vec<i32>,
        item: Box<Column>,
    },
    Map {
        offsets: Vec<i32>,
        entries: Box<(Column, Column)>,
    },
    /// Packed values of a place where the schema contains itself.
    Recursive(Box<Recursion>),
    String(Runs<u8>),
    Struct(Box<Record>),
    Time(Vec<i32>),
    Timestamp(Vec<i64>),
    /// A STRUCT of which every row has one field: the one that fits the value.
    Union(Box<Record>),
}

/// Variable-length cells, one after the other.
#[derive(Debug)]
struct Runs<T> {
    offsets: Vec<i32>,
    items: Vec<T>,
}

impl Runs<u8> {
    fn new() -> Self {
        Self { offsets: vec![0], items: Vec::new() }
    }

    /// Ends the cell whose bytes were appended to `items`.
    #[inline]
    fn end_cell(&mut self) -> Parsed<()> {
        let end = i32::try_from(self.items.len()).map_err(|_| data(TOO_LARGE))?;
        self.offsets.push(end);
        Ok(())
    }

    fn rows(&self) -> usize {
        self.offsets.len() - 1
    }

    fn push_empty(&mut self) {
        self.offsets.push(self.offsets.last().copied().unwrap_or(0));
    }

    fn truncate(&mut self, rows: usize) {
        self.offsets.truncate(rows + 1);
        self.items.truncate(self.offsets[rows] as usize);
    }

    fn finish(&mut self) -> (OffsetBuffer<i32>, Buffer) {
        let items = take_vec(&mut self.items);
        (finish_offsets(&mut self.offsets), Buffer::from_vec(items))
    }
}

impl Column {
    /// A builder for values of `schema`.
    pub(super) fn new(schema: &Schema) -> Self {
        Self::with_unions(schema, |_| false)
    }

    /// A builder for values of `schema`, in which the STRUCTs that `is_union` tells hold one field each.
    pub(super) fn with_unions(schema: &Schema, is_union: fn(&Schema) -> bool) -> Self {
        Self::nested(schema, is_union, packed::DEPTH_MAX)
    }

    /// A builder with at most `levels_left` levels of what contains itself.
    fn nested(schema: &Schema, is_union: fn(&Schema) -> bool, levels_left: usize) -> Self {
        let new = |part: &Schema| Self::nested(part, is_union, levels_left);
        let cells = match (schema.logical(), &schema.kind) {
            (Some(Logical::Date), _) => Cells::Date(Vec::new()),
            (Some(Logical::Time), _) => Cells::Time(Vec::new()),
            (Some(Logical::Timestamp), _) => Cells::Timestamp(Vec::new()),
            (Some(Logical::Decimal { scale }), _) => Cells::Decimal { unscaled: Runs::new(), scale },
            (None, Kind::Array(item)) => Cells::List { offsets: vec![0], item: Box::new(new(item)) },
            (None, Kind::Boolean) => Cells::Boolean(Vec::new()),
            (None, Kind::Bytes) => Cells::Bytes(Runs::new()),
            (None, Kind::Float32) => Cells::Float32(Vec::new()),
            (None, Kind::Float64) => Cells::Float64(Vec::new()),
            (None, Kind::Int16) => Cells::Int16(Vec::new()),
            (None, Kind::Int32) => Cells::Int32(Vec::new()),
            (None, Kind::Int64) => Cells::Int64(Vec::new()),
            (None, Kind::Int8) => Cells::Int8(Vec::new()),
            (None, Kind::Map { key, value }) => {
                let entries = Box::new((new(key), new(value)));
                Cells::Map { offsets: vec![0], entries }
            }
            (None, Kind::Recursive(recursive)) => {
                Cells::Recursive(Box::new(Recursion::new(*recursive, is_union, levels_left)))
            }
            (None, Kind::String) => Cells::String(Runs::new()),
            (None, Kind::Struct(fields)) => {
                let columns = fields.iter().map(|field| (&*field.name, new(&field.schema)));
                let record = Box::new(Record::new(columns));
                if is_union(schema) { Cells::Union(record) } else { Cells::Struct(record) }
            }
        };
        Self::of(cells, schema.arrow_type(), schema.optional, schema.default.clone())
    }

    /// A builder of source texts, nulls allowed.
    pub(super) fn json_text(scope: TextScope) -> Self {
        Self::of(Cells::JsonText { texts: Runs::new(), scope }, DataType::Utf8, true, None)
    }

    /// A column that accepts nulls only and is left out of the output.
    pub(super) fn absent() -> Self {
        Self::of(Cells::Absent, DataType::Null, true, None)
    }

    /// An optional list of `item`s.
    pub(super) fn list_of(item: Self) -> Self {
        let field = Arc::new(Field::new("item", item.data_type.clone(), item.optional));
        Self::of(Cells::List { offsets: vec![0], item: Box::new(item) }, DataType::List(field), true, None)
    }

    /// An optional struct of `fields`, in order; absent ones are left out of the output.
    pub(super) fn record_of(fields: Vec<(&str, Self)>) -> Self {
        let present = fields.iter().filter(|(_, column)| !matches!(column.cells, Cells::Absent));
        let arrow =
            present.map(|(name, column)| Field::new(*name, column.data_type.clone(), column.optional));
        let data_type = DataType::Struct(arrow.collect());
        Self::of(Cells::Struct(Box::new(Record::new(fields.into_iter()))), data_type, true, None)
    }

    fn of(cells: Cells, data_type: DataType, optional: bool, default: Option<Value>) -> Self {
        Self { cells, nulls: Nulls::default(), data_type, optional, default }
    }

    /// Row count.
    #[inline]
    pub(super) fn rows(&self) -> usize {
        match &self.cells {
            // All of them are null.
            Cells::Absent => self.nulls.count(),
            Cells::Boolean(flags) => flags.len(),
            Cells::Bytes(cells) | Cells::JsonText { texts: cells, .. } | Cells::String(cells) => cells.rows(),
            Cells::Recursive(recursion) => recursion.cells.rows(),
            Cells::Decimal { unscaled, .. } => unscaled.rows(),
            Cells::Date(numbers) | Cells::Int32(numbers) | Cells::Time(numbers) => numbers.len(),
            Cells::Float32(numbers) => numbers.len(),
            Cells::Float64(numbers) => numbers.len(),
            Cells::Int16(numbers) => numbers.len(),
            Cells::Int64(numbers) | Cells::Timestamp(numbers) => numbers.len(),
            Cells::Int8(numbers) => numbers.len(),
            Cells::List { offsets, .. } | Cells::Map { offsets, .. } => offsets.len() - 1,
            Cells::Struct(record) | Cells::Union(record) => record.rows,
        }
    }

    /// Forgets every row from `rows` on, also rows that were begun but not completed.
    pub(super) fn truncate(&mut self, rows: usize) {
        match &mut self.cells {
            Cells::Absent => {}
            Cells::Boolean(flags) => flags.truncate(rows),
            Cells::Bytes(cells) | Cells::JsonText { texts: cells, .. } | Cells::String(cells) => {
                cells.truncate(rows)
            }
            Cells::Recursive(recursion) => recursion.cells.truncate(rows),
            Cells::Decimal { unscaled, .. } => unscaled.truncate(rows),
            Cells::Date(numbers) | Cells::Int32(numbers) | Cells::Time(numbers) => numbers.truncate(rows),
            Cells::Float32(numbers) => numbers.truncate(rows),
            Cells::Float64(numbers) => numbers.truncate(rows),
            Cells::Int16(numbers) => numbers.truncate(rows),
            Cells::Int64(numbers) | Cells::Timestamp(numbers) => numbers.truncate(rows),
            Cells::Int8(numbers) => numbers.truncate(rows),
            Cells::List { offsets, item } => {
                offsets.truncate(rows + 1);
                item.truncate(offsets[rows] as usize);
            }
            Cells::Map { offsets, entries } => {
                offsets.truncate(rows + 1);
                entries.0.truncate(offsets[rows] as usize);
                entries.1.truncate(offsets[rows] as usize);
            }
            Cells::Struct(record) | Cells::Union(record) => record.truncate(rows),
        }
        self.nulls.truncate(rows);
    }

    /// Appends a row that holds nothing: null here and below, whatever the schema says (it is masked by a
    /// null above).
    fn push_hole(&mut self) {
        self.nulls.push(self.rows());
        self.push_placeholder();
    }

    /// Appends the cell that stands under a null.
    fn push_placeholder(&mut self) {
        match &mut self.cells {
            Cells::Absent => {}
            Cells::Boolean(flags) => flags.push(false),
            Cells::Bytes(cells) | Cells::JsonText { texts: cells, .. } | Cells::String(cells) => {
                cells.push_empty()
            }
            Cells::Recursive(recursion) => recursion.cells.push_empty(),
            Cells::Decimal { unscaled, .. } => unscaled.push_empty(),
            Cells::Date(numbers) | Cells::Int32(numbers) | Cells::Time(numbers) => numbers.push(0),
            Cells::Float32(numbers) => numbers.push(0.0),
            Cells::Float64(numbers) => numbers.push(0.0),
            Cells::Int16(numbers) => numbers.push(0),
            Cells::Int64(numbers) | Cells::Timestamp(numbers) => numbers.push(0),
            Cells::Int8(numbers) => numbers.push(0),
            Cells::List { offsets, .. } | Cells::Map { offsets, .. } => {
                offsets.push(offsets.last().copied().unwrap_or(0));
            }
            Cells::Struct(record) | Cells::Union(record) => record.push_hole(),
        }
    }

    /// Takes the rows out as an array of the schema's Arrow type; the builder is empty afterwards.
    pub(super) fn finish(&mut self) -> ArrayRef {
        let rows = self.rows();
        let nulls = self.nulls.finish(rows);
        match &mut self.cells {
            Cells::Absent => arrow_array::new_null_array(&DataType::Null, rows),
            Cells::Boolean(flags) => Arc::new(BooleanArray::new(BooleanBuffer::from(take_vec(flags)), nulls)),
            Cells::Bytes(cells) | Cells::Decimal { unscaled: cells, .. } => {
                let (offsets, bytes) = cells.finish();
                Arc::new(BinaryArray::new(offsets, bytes, nulls))
            }
            Cells::Recursive(recursion) => {
                let (offsets, bytes) = recursion.cells.finish();
                Arc::new(BinaryArray::new(offsets, bytes, nulls))
            }
            Cells::JsonText { texts: cells, .. } | Cells::String(cells) => {
                let (offsets, bytes) = cells.finish();
                let texts = StringArray::try_new(offsets, bytes, nulls);
                Arc::new(texts.expect("texts are cut from checked UTF-8 at ASCII characters"))
            }
            Cells::Date(numbers) => primitive::<Date32Type>(numbers, nulls),
            Cells::Time(numbers) => primitive::<Time32MillisecondType>(numbers, nulls),
            Cells::Timestamp(numbers) => {
                let times = PrimitiveArray::<TimestampMillisecondType>::new(take_scalars(numbers), nulls);
                Arc::new(times.with_timezone("UTC"))
            }
            Cells::Float32(numbers) => primitive::<Float32Type>(numbers, nulls),
            Cells::Float64(numbers) => primitive::<Float64Type>(numbers, nulls),
            Cells::Int16(numbers) => primitive::<Int16Type>(numbers, nulls),
            Cells::Int32(numbers) => primitive::<Int32Type>(numbers, nulls),
            Cells::Int64(numbers) => primitive::<Int64Type>(numbers, nulls),
            Cells::Int8(numbers) => primitive::<Int8Type>(numbers, nulls),
            Cells::List { offsets, item } => {
                let DataType::List(field) = &self.data_type else { unreachable!("lists have a list type") };
                Arc::new(ListArray::new(Arc::clone(field), finish_offsets(offsets), item.finish(), nulls))
            }
            Cells::Map { offsets, entries } => {
                finish_map(&self.data_type, finish_offsets(offsets), entries, nulls)
            }
            Cells::Struct(record) | Cells::Union(record) => {
                let DataType::Struct(fields) = &self.data_type else {
                    unreachable!("structs have a struct type")
                };
                let columns = record.finish();
                let array = StructArray::try_new_with_length(fields.clone(), columns, nulls, rows);
                Arc::new(array.expect("columns are built from the schema, one cell per row"))
            }
        }
    }
}

fn finish_map(
    data_type: &DataType,
    offsets: OffsetBuffer<i32>,
    entries: &mut (Column, Column),
    nulls: Option<NullBuffer>,
) -> ArrayRef {
    let DataType::Map(field, _) = data_type else { unreachable!("maps have a map type") };
    let DataType::Struct(fields) = field.data_type() else { unreachable!("map entries are structs") };
    let rows = entries.0.rows();
    let columns = vec![entries.0.finish(), entries.1.finish()];
    let pairs = StructArray::try_new_with_length(fields.clone(), columns, None, rows)
        .expect("keys and values are appended in pairs");
    Arc::new(MapArray::new(Arc::clone(field), offsets, pairs, nulls, false))
}

fn primitive<T: ArrowPrimitiveType>(numbers: &mut Vec<T::Native>, nulls: Option<NullBuffer>) -> ArrayRef {
    Arc::new(PrimitiveArray::<T>::new(take_scalars(numbers), nulls))
}

fn take_scalars<T: arrow_buffer::ArrowNativeType>(numbers: &mut Vec<T>) -> ScalarBuffer<T> {
    ScalarBuffer::from(take_vec(numbers))
}

/// Takes the content; the next run will need about as much room.
fn take_vec<T>(items: &mut Vec<T>) -> Vec<T> {
    let next = Vec::with_capacity(items.len());
    mem::replace(items, next)
}

fn finish_offsets(offsets: &mut Vec<i32>) -> OffsetBuffer<i32> {
    let finished = take_vec(offsets);
    offsets.push(0);
    OffsetBuffer::new(ScalarBuffer::from(finished))
}

/// A run is cut by the byte limits of a batch long before this.
const TOO_LARGE: &str = "More than 2 GiB of text in one column of a batch.";
