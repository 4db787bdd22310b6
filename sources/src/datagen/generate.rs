//! Types to columns: one call makes a field's values for all rows of a batch.
//!
//! Rows have seeds; every field mixes its own number into them. What a row holds depends on its seed alone,
//! however rows are cut into batches.

use std::sync::Arc;

use arrow_array::builder::{BinaryBuilder, StringBuilder};
use arrow_array::types::{Date32Type, Int32Type, Int64Type, Time32MillisecondType, TimestampMillisecondType};
use arrow_array::{
    Array as _, ArrayRef, ArrowPrimitiveType, BooleanArray, Float32Array, Float64Array, ListArray, MapArray,
    PrimitiveArray, StringArray, StructArray, UInt32Array,
};
use arrow_buffer::OffsetBuffer;
use arrow_schema::{DataType, Fields};
use lakeward_api::ConnectError;
use lakeward_api::schema::{Kind, Schema};

use super::pattern::Pattern;
use super::random::{Random, below, mix, unit};
use super::recipe::{Length, Recipe};

/// A type and how its values are made.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) schema: Arc<Schema>,
    pub(super) recipe: Recipe,
    /// Differs between the types of a schema.
    pub(super) salt: u64,
}

/// Cells of arrays, maps and texts of one batch, at most: a schema of long lists makes small batches.
const CELLS_MAX: usize = 4_000_000;

impl Node {
    /// A column with one value per seed.
    ///
    /// # Errors
    /// `Fatal` when a batch would be larger than memory allows.
    pub(super) fn column(&mut self, seeds: &[u64]) -> Result<ArrayRef, ConnectError> {
        let salt = self.salt;
        let bits = move |seed: &u64| mix(*seed ^ salt);
        Ok(match &mut self.recipe {
            Recipe::Array { length, item } => {
                let (offsets, inner) = unfold(seeds, salt, *length)?;
                let values = item.column(&inner)?;
                let DataType::List(field) = self.schema.arrow_type() else {
                    unreachable!("arrays are lists")
                };
                Arc::new(ListArray::new(field, offsets, values, None))
            }
            Recipe::Boolean { odds } => {
                Arc::new(seeds.iter().map(|seed| Some(unit(bits(seed)) < *odds)).collect::<BooleanArray>())
            }
            Recipe::Booleans(iteration) => {
                Arc::new(seeds.iter().map(|_| Some(iteration.next_boolean())).collect::<BooleanArray>())
            }
            Recipe::Bytes(length) => bytes(seeds, salt, *length)?,
            Recipe::Decimal { min, max } => decimals(seeds.iter().map(bits), *min, *max),
            Recipe::Float { min, max } => {
                let numbers = seeds.iter().map(|seed| *min + unit(bits(seed)) * (*max - *min));
                floats(&self.schema, numbers)
            }
            Recipe::Floats(iteration) => floats(&self.schema, seeds.iter().map(|_| iteration.next_float())),
            Recipe::Integer { min, width } => {
                let numbers = seeds.iter().map(|seed| match *width {
                    0 => bits(seed) as i64,
                    width => min.wrapping_add(below(bits(seed), width) as i64),
                });
                integers(&self.schema, numbers)
            }
            Recipe::Integers(iteration) => {
                integers(&self.schema, seeds.iter().map(|_| iteration.next_whole()))
            }
            Recipe::Map { length, key, value } => {
                let (offsets, inner) = unfold(seeds, salt, *length)?;
                map(&self.schema, &offsets, key.column(&inner)?, value.column(&inner)?)?
            }
            Recipe::Optional { branches, inner } => optional(seeds, salt, *branches, inner)?,
            Recipe::Options(options) => {
                let count = options.len() as u64;
                let picked: UInt32Array =
                    seeds.iter().map(|seed| u32::try_from(below(bits(seed), count)).ok()).collect();
                taken(options, &picked)?
            }
            Recipe::Struct(fields) => {
                let columns: Vec<ArrayRef> =
                    fields.iter_mut().map(|field| field.column(seeds)).collect::<Result<_, _>>()?;
                match self.schema.arrow_fields() {
                    none if none.is_empty() => Arc::new(StructArray::new_empty_fields(seeds.len(), None)),
                    fields => Arc::new(StructArray::new(fields, columns, None)),
                }
            }
            Recipe::Text { prefix, pattern, suffix } => {
                texts(seeds.iter().map(bits), [prefix.as_str(), suffix.as_str()], pattern)
            }
            Recipe::Texts { prefix, iteration, suffix } => {
                let texts =
                    seeds.iter().map(|_| Some(format!("{prefix}{}{suffix}", iteration.next_whole() as i32)));
                Arc::new(texts.collect::<StringArray>())
            }
        })
    }
}

/// Unscaled decimals from `min` up to, not including, `max`.
fn decimals(seeds: impl Iterator<Item = u64>, min: i128, max: i128) -> ArrayRef {
    let width = u128::try_from(max - min).unwrap_or(1).max(1);
    let mut column = BinaryBuilder::new();
    for seed in seeds {
        let mut random = Random::new(seed);
        let wide = u128::from(random.next()) << 64 | u128::from(random.next());
        let unscaled = min + i128::try_from(wide % width).unwrap_or(0);
        column.append_value(shortest(&unscaled.to_be_bytes()));
    }
    Arc::new(column.finish())
}

/// Texts of a pattern between what stands before and behind them.
fn texts(seeds: impl Iterator<Item = u64>, [prefix, suffix]: [&str; 2], pattern: &Pattern) -> ArrayRef {
    let mut column = StringBuilder::new();
    let mut text = String::new();
    for seed in seeds {
        text.clear();
        text.push_str(prefix);
        pattern.append(&mut text, &mut Random::new(seed));
        text.push_str(suffix);
        column.append_value(&text);
    }
    Arc::new(column.finish())
}

/// How many items each row has, and a seed for each of them.
fn unfold(seeds: &[u64], salt: u64, length: Length) -> Result<(OffsetBuffer<i32>, Vec<u64>), ConnectError> {
    let mut lengths = Vec::with_capacity(seeds.len());
    let mut inner = Vec::new();
    for seed in seeds {
        let mut random = Random::new(mix(*seed ^ salt));
        let items = length.pick(&mut random);
        if inner.len() + items > CELLS_MAX {
            return Err(ConnectError::fatal("The schema makes lists that are too long for memory"));
        }
        lengths.push(items);
        inner.extend((0..items).map(|_| random.next()));
    }
    Ok((OffsetBuffer::from_lengths(lengths), inner))
}

fn bytes(seeds: &[u64], salt: u64, length: Length) -> Result<ArrayRef, ConnectError> {
    let mut column = BinaryBuilder::new();
    let mut cell = Vec::new();
    let mut total = 0;
    for seed in seeds {
        let mut random = Random::new(mix(*seed ^ salt));
        let wanted = length.pick(&mut random);
        total += wanted;
        if total > 8 * CELLS_MAX {
            return Err(ConnectError::fatal("The schema makes bytes that are too long for memory"));
        }
        cell.clear();
        while cell.len() < wanted {
            cell.extend_from_slice(&random.next().to_le_bytes());
        }
        column.append_value(&cell[..wanted]);
    }
    Ok(Arc::new(column.finish()))
}

/// Without the leading bytes that a shorter two's complement number does not need.
fn shortest(bytes: &[u8]) -> &[u8] {
    let needless = |pair: &&[u8]| matches!((pair[0], pair[1] >> 7), (0, 0) | (0xff, 1));
    &bytes[bytes.windows(2).take_while(needless).count()..]
}

fn floats(schema: &Schema, numbers: impl Iterator<Item = f64>) -> ArrayRef {
    match schema.kind {
        Kind::Float32 => Arc::new(
            numbers.map(|number| number as f32).collect::<Vec<f32>>().into_iter().collect::<Float32Array>(),
        ),
        _ => Arc::new(Float64Array::from_iter_values(numbers)),
    }
}

fn integers(schema: &Schema, numbers: impl Iterator<Item = i64>) -> ArrayRef {
    /// Java narrows numbers that do not fit, too.
    fn narrow<T: ArrowPrimitiveType<Native = i32>>(numbers: impl Iterator<Item = i64>) -> ArrayRef {
        Arc::new(PrimitiveArray::<T>::from_iter_values(numbers.map(|number| number as i32)))
    }
    match schema.arrow_type() {
        DataType::Date32 => narrow::<Date32Type>(numbers),
        DataType::Int32 => narrow::<Int32Type>(numbers),
        DataType::Time32(_) => narrow::<Time32MillisecondType>(numbers),
        DataType::Timestamp(..) => Arc::new(
            PrimitiveArray::<TimestampMillisecondType>::from_iter_values(numbers).with_timezone("UTC"),
        ),
        _ => Arc::new(PrimitiveArray::<Int64Type>::from_iter_values(numbers)),
    }
}

/// A map per row; of equal keys the last one stays, as in Java.
fn map(
    schema: &Schema,
    offsets: &OffsetBuffer<i32>,
    keys: ArrayRef,
    values: ArrayRef,
) -> Result<ArrayRef, ConnectError> {
    let DataType::Map(entries, sorted) = schema.arrow_type() else { unreachable!("maps are maps") };
    let fields: Fields = match entries.data_type() {
        DataType::Struct(fields) => fields.clone(),
        _ => unreachable!("the entries of a map are structs"),
    };
    let texts = keys.as_any().downcast_ref::<StringArray>().expect("keys are texts");
    let mut kept: Vec<u32> = Vec::with_capacity(keys.len());
    let mut lengths = Vec::with_capacity(offsets.len());
    for pair in offsets.windows(2) {
        let (from, to) = (pair[0] as usize, pair[1] as usize);
        let before = kept.len();
        let mut seen = std::collections::HashSet::new();
        for row in (from..to).rev().filter(|row| seen.insert(texts.value(*row))) {
            kept.push(u32::try_from(row).expect("bounded by CELLS_MAX"));
        }
        kept[before..].reverse();
        lengths.push(kept.len() - before);
    }
    let kept = UInt32Array::from(kept);
    let columns = vec![taken(&keys, &kept)?, taken(&values, &kept)?];
    let structs = StructArray::new(fields, columns, None);
    Ok(Arc::new(MapArray::new(entries, OffsetBuffer::from_lengths(lengths), structs, None, sorted)))
}

/// Null in some rows; the inner type makes values for the others only, so that counting has no holes.
fn optional(seeds: &[u64], salt: u64, branches: u64, inner: &mut Node) -> Result<ArrayRef, ConnectError> {
    let is_null = |seed: &u64| below(mix(*seed ^ salt), branches) == 0;
    let chosen: Vec<u64> = seeds.iter().filter(|seed| !is_null(seed)).copied().collect();
    let values = inner.column(&chosen)?;
    let mut next = 0_u32;
    let places: UInt32Array = seeds
        .iter()
        .map(|seed| {
            if is_null(seed) {
                return None;
            }
            next += 1;
            Some(next - 1)
        })
        .collect();
    taken(&values, &places)
}

fn taken(column: &ArrayRef, rows: &UInt32Array) -> Result<ArrayRef, ConnectError> {
    arrow_select::take::take(column, rows, None)
        .map_err(|err| ConnectError::fatal("values could not be selected").with_source(err))
}
