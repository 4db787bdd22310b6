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
use arrow_buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, Fields};

use super::cells::VarCells;
use super::{Cells, Column};

impl Column {
    /// Takes the rows; the column is empty afterwards.
    pub(super) fn finish(&mut self) -> ArrayRef {
        let rows = mem::take(&mut self.rows);
        let nulls = self.nulls.as_mut().and_then(|nulls| nulls.take_others(rows)).map(NullBuffer::new);
        match &mut self.cells {
            Cells::Boolean(cells) => Arc::new(BooleanArray::new(cells.take(rows), nulls)),
            Cells::Bytes(cells) | Cells::Decimal { cells, .. } | Cells::Packed { cells, .. } => {
                let (offsets, data) = cells.take();
                Arc::new(BinaryArray::new(offsets, data, nulls))
            }
            Cells::Date { cells, .. } => primitive::<Date32Type>(cells, nulls),
            Cells::Double(cells) => primitive::<Float64Type>(cells, nulls),
            Cells::EnumText { cells, .. } | Cells::Text { cells, .. } => {
                let (offsets, data) = cells.take();
                Arc::new(StringArray::new(offsets, data, nulls))
            }
            Cells::Float(cells) => primitive::<Float32Type>(cells, nulls),
            Cells::Int16(cells, _) => primitive::<Int16Type>(cells, nulls),
            Cells::EnumNumber { cells, .. } | Cells::Int32(cells, _) => primitive::<Int32Type>(cells, nulls),
            Cells::Int64(cells, _) => primitive::<Int64Type>(cells, nulls),
            Cells::Int8(cells, _) => primitive::<Int8Type>(cells, nulls),
            Cells::List { offsets, item, field } => {
                Arc::new(ListArray::new(Arc::clone(field), take_offsets(offsets), item.finish(), nulls))
            }
            Cells::Map(map) => {
                let (offsets, key, value) = map.finish();
                let DataType::Struct(fields) = map.field.data_type() else {
                    unreachable!("entries are structs")
                };
                let entries = StructArray::new(fields.clone(), vec![key, value], None);
                let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
                Arc::new(MapArray::new(Arc::clone(&map.field), offsets, entries, nulls, false))
            }
            Cells::Message(message) => structure(&mut message.columns, &message.fields, rows, nulls),
            Cells::Time { cells, .. } => primitive::<Time32MillisecondType>(cells, nulls),
            Cells::Timestamp { cells, .. } => {
                let cells = PrimitiveArray::<TimestampMillisecondType>::new(take(cells).into(), nulls);
                Arc::new(cells.with_timezone("UTC"))
            }
            Cells::Values { .. } => unreachable!("values aside become packed cells"),
            Cells::Union { members, fields, .. } => structure(members, fields, rows, nulls),
        }
    }
}

impl VarCells {
    fn take(&mut self) -> (OffsetBuffer<i32>, Buffer) {
        (take_offsets(&mut self.offsets), Buffer::from_vec(take(&mut self.data)))
    }
}

fn structure(columns: &mut [Column], fields: &Fields, rows: usize, nulls: Option<NullBuffer>) -> ArrayRef {
    if columns.is_empty() {
        return Arc::new(StructArray::new_empty_fields(rows, nulls));
    }
    let columns = columns.iter_mut().map(Column::finish).collect();
    Arc::new(StructArray::new(fields.clone(), columns, nulls))
}

fn primitive<T: ArrowPrimitiveType>(cells: &mut Vec<T::Native>, nulls: Option<NullBuffer>) -> ArrayRef {
    Arc::new(PrimitiveArray::<T>::new(ScalarBuffer::from(take(cells)), nulls))
}

/// Takes the content; the next run will need about as much room.
fn take<T>(items: &mut Vec<T>) -> Vec<T> {
    let next = Vec::with_capacity(items.len() + items.len() / 16 + 32);
    mem::replace(items, next)
}

fn take_offsets(offsets: &mut Vec<i32>) -> OffsetBuffer<i32> {
    let finished = take(offsets);
    offsets.push(0);
    OffsetBuffer::new(ScalarBuffer::from(finished))
}
