//! Complete columns as Arrow arrays.

use std::mem;
use std::sync::Arc;

use arrow_array::types::{
    Date32Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, Time32MillisecondType,
    TimestampMillisecondType,
};
use arrow_array::{
    ArrayRef, ArrowPrimitiveType, BinaryArray, BooleanArray, ListArray, MapArray, PrimitiveArray,
    StringArray, StructArray,
};
use arrow_buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, Fields};

use super::super::super::utf8;
use super::bits::Bits;
use super::map::MapCells;
use super::{Cells, Column, VarCells};

impl Column {
    /// Takes the rows; the column is empty afterwards.
    pub(super) fn finish(&mut self) -> ArrayRef {
        let rows = self.rows();
        let nulls = self.nulls.as_mut().and_then(Bits::finish_nulls);
        match &mut self.cells {
            Cells::Boolean(cells) => Arc::new(BooleanArray::new(cells.finish(), nulls)),
            Cells::Bytes(cells)
            | Cells::Decimal(cells)
            | Cells::Fixed { cells, .. }
            | Cells::FixedDecimal { cells, .. }
            | Cells::Recursive { cells, .. } => {
                let (offsets, data) = cells.take();
                Arc::new(BinaryArray::new(offsets, data, nulls))
            }
            Cells::Date(cells) => primitive::<Date32Type>(cells, nulls),
            Cells::Double(cells) => primitive::<Float64Type>(cells, nulls),
            Cells::Enum { texts: cells, .. } | Cells::String(cells) => texts(cells, nulls),
            Cells::Float(cells) => primitive::<Float32Type>(cells, nulls),
            Cells::Int16(cells) => primitive::<Int16Type>(cells, nulls),
            Cells::Int32(cells) => primitive::<Int32Type>(cells, nulls),
            Cells::Int64(cells) => primitive::<Int64Type>(cells, nulls),
            Cells::Int8(cells) => primitive::<Int8Type>(cells, nulls),
            Cells::List { offsets, item, field } => {
                Arc::new(ListArray::new(Arc::clone(field), take_offsets(offsets), item.finish(), nulls))
            }
            Cells::Map(map) => map.finish(nulls),
            Cells::Refused { cells, .. } => cells.finish(),
            Cells::Struct { columns, fields, rows: count }
            | Cells::Union { columns, fields, rows: count, .. } => {
                *count = 0;
                structure(columns, fields, rows, nulls)
            }
            Cells::Time(cells) => primitive::<Time32MillisecondType>(cells, nulls),
            Cells::Timestamp(cells) => {
                let cells = PrimitiveArray::<TimestampMillisecondType>::new(take(cells).into(), nulls);
                Arc::new(cells.with_timezone("UTC"))
            }
        }
    }
}

impl MapCells {
    fn finish(&mut self, nulls: Option<NullBuffer>) -> ArrayRef {
        let DataType::Struct(fields) = self.field.data_type() else { unreachable!("entries are structs") };
        let entries = StructArray::new(fields.clone(), vec![self.key.finish(), self.value.finish()], None);
        let offsets = take_offsets(&mut self.offsets);
        Arc::new(MapArray::new(Arc::clone(&self.field), offsets, entries, nulls, false))
    }
}

fn structure(columns: &mut [Column], fields: &Fields, rows: usize, nulls: Option<NullBuffer>) -> ArrayRef {
    if columns.is_empty() {
        return Arc::new(StructArray::new_empty_fields(rows, nulls));
    }
    let columns = columns.iter_mut().map(Column::finish).collect();
    Arc::new(StructArray::new(fields.clone(), columns, nulls))
}

/// Texts, checked as one. Broken ones are rare and repaired one by one, as Java does when it decodes them.
fn texts(cells: &mut VarCells, nulls: Option<NullBuffer>) -> ArrayRef {
    let (offsets, data) = cells.take();
    if let Ok(texts) = StringArray::try_new(offsets.clone(), data.clone(), nulls.clone()) {
        return Arc::new(texts);
    }
    let cell = |pair: &[i32]| {
        let (start, end) = (pair[0] as usize, pair[1] as usize);
        utf8::text(&data[start..end])
    };
    let repaired = StringArray::from_iter_values(offsets.windows(2).map(cell));
    let (offsets, data, _) = repaired.into_parts();
    Arc::new(StringArray::new(offsets, data, nulls))
}

fn primitive<T: ArrowPrimitiveType>(cells: &mut Vec<T::Native>, nulls: Option<NullBuffer>) -> ArrayRef {
    Arc::new(PrimitiveArray::<T>::new(ScalarBuffer::from(take(cells)), nulls))
}

/// Takes the content; the next run will need about as much room.
fn take<T>(items: &mut Vec<T>) -> Vec<T> {
    let next = Vec::with_capacity(items.len() + items.len() / 16 + 32);
    mem::replace(items, next)
}

pub(super) fn take_offsets(offsets: &mut Vec<i32>) -> OffsetBuffer<i32> {
    let finished = take(offsets);
    offsets.push(0);
    OffsetBuffer::new(ScalarBuffer::from(finished))
}
