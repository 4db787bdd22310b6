//! Rows that wait in the columns of their batches until enough of them are together to be encoded at once.
//!
//! An encoder costs as much for one row as for a hundred, and a batch may have rows for ten thousand files.
//! So a file takes down which rows are its own, and the columns live as long as somebody wants a row of them.
//! Rows that are neighbours are joined as whole stretches: who adds them sees to it while they are in the
//! caches of the processor.
//!
//! # Memory
//! Columns are counted once, by their task; a file counts 12 bytes per stretch and 8 per batch.

mod join;

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::{Array, ArrayRef, ListArray, StructArray, UInt32Array};
use arrow_buffer::{BooleanBuffer, NullBuffer, OffsetBuffer};
use arrow_schema::{ArrowError, DataType};
use lakeward_api::ConnectError;
use lakeward_api::batch::Values;
use lakeward_api::schema::Schema;

use crate::s3::rotation::Rows;
use join::{Stretch, join};

/// Rows that are together are encoded from here on, if they are worth it to the encoder.
pub(super) const GATHER_ROWS: usize = 1024;
/// Rows of one batch that need not wait for others.
pub(super) const DIRECT_ROWS: usize = 512;
/// Rows of a stretch, on average, from which on stretches are copied as wholes; shorter ones row by row.
pub(super) const STRETCH_ROWS: usize = 4;

/// Bytes of all columns that are shared by files of one task.
#[derive(Clone, Debug, Default)]
pub(super) struct SharedBytes(Rc<Cell<u64>>);

impl SharedBytes {
    pub(super) fn get(&self) -> u64 {
        self.0.get()
    }
}

/// Values of a batch that files want rows of.
#[derive(Debug)]
pub(super) struct SharedColumn {
    schema: Arc<Schema>,
    array: ArrayRef,
    bytes: u64,
    total: SharedBytes,
}

impl SharedColumn {
    /// All rows of `array`.
    pub(super) fn new(schema: &Arc<Schema>, array: ArrayRef, total: &SharedBytes) -> Rc<Self> {
        let bytes = array.get_array_memory_size() as u64;
        total.0.set(total.0.get() + bytes);
        Rc::new(Self { schema: Arc::clone(schema), array, bytes, total: total.clone() })
    }

    /// A copy of some rows, in the order of `rows`.
    ///
    /// # Errors
    /// Class `Fatal` when the columns would exceed Arrow's limits.
    pub(super) fn of_rows(
        schema: &Arc<Schema>,
        array: &ArrayRef,
        rows: Vec<u32>,
        total: &SharedBytes,
    ) -> Result<Rc<Self>, ConnectError> {
        let copy = copy_rows(array, &UInt32Array::from(rows)).map_err(broken)?;
        Ok(Self::new(schema, copy, total))
    }

    fn row_bytes(&self) -> u64 {
        self.bytes / (self.array.len() as u64).max(1)
    }
}

impl Drop for SharedColumn {
    fn drop(&mut self) {
        self.total.0.set(self.total.0.get() - self.bytes);
    }
}

/// The rows of one file that wait, in order.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    columns: Vec<Rc<SharedColumn>>,
    stretches: Vec<Stretch>,
    rows: usize,
    bytes: u64,
}

impl Waiting {
    pub(super) fn is_empty(&self) -> bool {
        self.rows == 0
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// About what the rows hold in their columns.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// What is held beside the columns.
    pub(super) fn index_bytes(&self) -> u64 {
        let stretches = self.stretches.capacity() * size_of::<Stretch>();
        (stretches + self.columns.capacity() * size_of::<usize>()) as u64
    }

    /// Adds `rows` of `column`.
    pub(super) fn push(&mut self, column: &Rc<SharedColumn>, rows: &Rows) {
        if !self.columns.last().is_some_and(|last| Rc::ptr_eq(last, column)) {
            self.columns.push(Rc::clone(column));
        }
        match rows {
            Rows::Indices(rows) => rows.iter().for_each(|row| self.push_stretch(*row, 1)),
            Rows::Range { start, rows } => {
                let number = |row| u32::try_from(row).expect("a batch has fewer rows than u32::MAX");
                self.push_stretch(number(*start), number(*rows));
            }
        }
        self.rows += rows.count();
        self.bytes += column.row_bytes() * rows.count() as u64;
    }

    /// Adds rows of the last column.
    fn push_stretch(&mut self, start: u32, rows: u32) {
        let column = u32::try_from(self.columns.len() - 1).expect("fewer columns than rows wait");
        match self.stretches.last_mut() {
            Some(last) if last.column == column && last.start + last.rows == start => last.rows += rows,
            _ => self.stretches.push(Stretch { column, start, rows }),
        }
    }

    /// All rows, together; nothing waits any more.
    ///
    /// # Errors
    /// Class `Fatal` when the columns would exceed Arrow's limits.
    pub(super) fn gather(&mut self) -> Result<Option<Values>, ConnectError> {
        let Self { columns, stretches, rows, .. } = std::mem::take(self);
        let Some(first) = columns.first() else { return Ok(None) };
        let arrays: Vec<&dyn Array> = columns.iter().map(|column| &*column.array).collect();
        let joined = match stretches.len() * STRETCH_ROWS <= rows {
            true => join(&arrays, &stretches),
            false => join_rows(&arrays, &stretches),
        };
        let array = joined.map_err(broken)?;
        Ok(Some(Values::Typed { schema: Arc::clone(&first.schema), array }))
    }
}

fn join_rows(columns: &[&dyn Array], stretches: &[Stretch]) -> Result<ArrayRef, ArrowError> {
    let rows = |one: &Stretch| {
        let column = one.column as usize;
        one.range().map(move |row| (column, row))
    };
    let rows: Vec<(usize, usize)> = stretches.iter().flat_map(rows).collect();
    arrow_select::interleave::interleave(columns, &rows)
}

/// `rows` of `array`, of which none is null.
///
/// Structs without nulls come out without them, which encoders need not look at then, and items of lists are
/// taken at once: Arrow's own `take` goes through both row by row.
fn copy_rows(array: &ArrayRef, rows: &UInt32Array) -> Result<ArrayRef, ArrowError> {
    let validity = array.nulls().filter(|nulls| nulls.null_count() > 0);
    let nulls = |validity: &NullBuffer| {
        let is_valid = |place: usize| validity.is_valid(rows.value(place) as usize);
        NullBuffer::new(BooleanBuffer::collect_bool(rows.len(), is_valid))
    };
    match array.data_type() {
        DataType::List(item) => {
            let list = array.as_list::<i32>();
            let offsets = list.value_offsets();
            let range =
                |row: u32| offsets[row as usize].unsigned_abs()..offsets[row as usize + 1].unsigned_abs();
            let items: Vec<u32> = rows.values().iter().flat_map(|row| range(*row)).collect();
            let items = copy_rows(list.values(), &UInt32Array::from(items))?;
            let lengths = OffsetBuffer::from_lengths(rows.values().iter().map(|row| range(*row).len()));
            let list = ListArray::try_new(Arc::clone(item), lengths, items, validity.map(nulls))?;
            Ok(Arc::new(list))
        }
        DataType::Struct(fields) => {
            let columns = array.as_struct().columns().iter().map(|column| copy_rows(column, rows));
            let columns = columns.collect::<Result<Vec<_>, _>>()?;
            let nulls = validity.map(nulls);
            Ok(Arc::new(StructArray::try_new_with_length(fields.clone(), columns, nulls, rows.len())?))
        }
        _ => arrow_select::take::take(array, rows, None),
    }
}

fn broken(err: ArrowError) -> ConnectError {
    ConnectError::fatal("rows could not be gathered").with_source(err)
}

#[cfg(test)]
mod tests {
    use arrow_array::Int64Array;
    use arrow_array::builder::{Int64Builder, ListBuilder, StringBuilder};
    use arrow_array::types::Int64Type;
    use arrow_schema::Field;
    use lakeward_api::schema::Kind;

    use super::*;

    #[test]
    fn rows_come_in_the_order_in_which_they_were_added_and_columns_go_with_their_last_row() {
        let schema = Arc::new(Schema::new(Kind::Int64));
        let numbers = |from: i64| -> ArrayRef { Arc::new(Int64Array::from_iter_values(from..from + 10)) };
        let total = SharedBytes::default();
        let whole = SharedColumn::new(&schema, numbers(0), &total);
        let some = SharedColumn::of_rows(&schema, &numbers(10), vec![2, 7, 5], &total).unwrap();
        assert_eq!(total.get(), whole.bytes + some.bytes);
        assert!(some.bytes < whole.bytes);
        let (mut one, mut other) = (Waiting::default(), Waiting::default());
        one.push(&whole, &Rows::Indices(vec![1, 8]));
        one.push(&some, &Rows::Indices(vec![0, 1]));
        other.push(&whole, &Rows::Range { start: 3, rows: 2 });
        let mut third = Waiting::default();
        third.push(&whole, &Rows::Range { start: 1, rows: 4 });
        third.push(&whole, &Rows::Indices(vec![5, 6]));
        third.push(&some, &Rows::Range { start: 0, rows: 3 });
        assert_eq!((third.rows(), third.stretches.len()), (9, 2), "neighbours are one stretch");
        drop((whole, some));
        let gathered = |waiting: &mut Waiting| match waiting.gather().unwrap() {
            Some(Values::Typed { array, .. }) => array.as_primitive::<Int64Type>().values().to_vec(),
            other => panic!("{other:?}"),
        };
        assert_eq!(gathered(&mut one), [1, 8, 12, 17]);
        assert!(one.is_empty() && one.gather().unwrap().is_none() && total.get() > 0);
        assert_eq!(gathered(&mut other), [3, 4]);
        assert!(total.get() > 0, "somebody wants them still");
        assert_eq!(gathered(&mut third), [1, 2, 3, 4, 5, 6, 12, 17, 15]);
        assert_eq!(total.get(), 0);
    }

    /// Lists and structs within each other, `holes` of them null.
    fn nested(holes: bool) -> ArrayRef {
        let is_hole = |row: usize, every: usize| holes && row.is_multiple_of(every);
        let mut numbers = ListBuilder::new(ListBuilder::new(Int64Builder::new()));
        let mut texts = StringBuilder::new();
        for row in 0..40 {
            for number in 0..row % 4 {
                let inner = numbers.values();
                inner.values().append_option((!is_hole(row + number, 5)).then_some(number as i64));
                inner.values().append_value(row as i64);
                inner.append(!is_hole(row, 6));
            }
            numbers.append(!is_hole(row, 7));
            texts.append_option((!is_hole(row, 3)).then(|| format!("text {row}")));
        }
        let columns: Vec<ArrayRef> = vec![Arc::new(numbers.finish()), Arc::new(texts.finish())];
        let field = |(place, column): (usize, &ArrayRef)| {
            Field::new(format!("f{place}"), column.data_type().clone(), true)
        };
        let fields = columns.iter().enumerate().map(field).collect();
        let validity = holes.then(|| (0..40).map(|row| row % 9 != 1).collect());
        Arc::new(StructArray::new(fields, columns, validity))
    }

    #[test]
    fn copies_are_those_of_arrow_and_have_no_nulls_where_there_are_none() {
        for (array, has_nulls) in [(nested(false), false), (nested(true), true)] {
            for array in [array.slice(0, 40), array.slice(7, 30)] {
                let rows = UInt32Array::from_iter_values((0..60).map(|row| row * 7 % 30));
                let copy = copy_rows(&array, &rows).unwrap();
                assert_eq!(&copy, &arrow_select::take::take(&array, &rows, None).unwrap());
                assert_eq!(copy.nulls().is_some(), has_nulls);
                assert_eq!(copy.as_struct().column(0).nulls().is_some(), has_nulls);
            }
        }
        let none = copy_rows(&nested(true), &UInt32Array::from(Vec::<u32>::new())).unwrap();
        assert!(none.is_empty());
    }
}
