//! Rows of a batch on their way to files.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::rc::Rc;
use std::sync::Arc;

use arrow_array::Array as _;
use lakeward_api::ConnectError;
use lakeward_api::batch::{SinkBatch, Values};

use super::gather::{DIRECT_ROWS, STRETCH_ROWS, SharedBytes, SharedColumn};
use super::rejects;
use crate::s3::rotation::{Op, Rows};

/// Rows that go to files.
pub(super) struct Taken {
    pub(super) batch: SinkBatch,
    /// Their headers, when these are stored.
    pub(super) headers: Option<Values>,
    /// The clock of these rows.
    pub(super) now_ms: i64,
    /// Whether values may wait for others.
    may_wait: bool,
    /// Those that will, where a copy of them is better than the batch.
    copied: Option<Copied>,
    column: OnceCell<Rc<SharedColumn>>,
    shared_bytes: SharedBytes,
}

impl Taken {
    pub(super) fn new(
        batch: SinkBatch,
        headers: Option<Values>,
        now_ms: i64,
        may_wait: bool,
        shared_bytes: SharedBytes,
    ) -> Self {
        Self { batch, headers, now_ms, may_wait, copied: None, column: OnceCell::new(), shared_bytes }
    }

    /// Looks at what will be done with the rows. A batch of which only a few wait is not held for them, and
    /// rows that will be joined are made neighbours. May be asked again for further rows of the batch.
    pub(super) fn foresee(&mut self, ops: &[Op]) {
        if self.copied.take().is_some() {
            self.column = OnceCell::new();
        }
        let waiting = ops.iter().filter_map(|op| match op {
            Op::Write { rows, .. } if rows.count() < DIRECT_ROWS => Some(rows),
            _ => None,
        });
        let count: usize = waiting.clone().map(Rows::count).sum();
        let scattered = waiting.clone().filter(|rows| matches!(rows, Rows::Indices(_)));
        let scattered_count: usize = scattered.clone().map(Rows::count).sum();
        let is_few = count * 2 < self.batch.rows();
        let is_joined = scattered_count > 0 && scattered_count >= scattered.count() * STRETCH_ROWS;
        if self.may_wait && count > 0 && (is_few || is_joined) {
            let rows: Vec<u32> = waiting.flat_map(rejects::numbers).collect();
            self.copied = Some(Copied::new(rows, self.batch.rows()));
            self.column = OnceCell::new();
        }
    }

    /// Whether values may wait for others: their file takes all of them.
    pub(super) fn may_wait(&self) -> bool {
        self.may_wait
    }

    /// Values of this batch for files to wait in, and where `rows` are in them; `None` when they may not
    /// wait.
    ///
    /// # Errors
    /// Class `Fatal` when the columns would exceed Arrow's limits.
    pub(super) fn column_with<'a>(&self, rows: &'a Rows) -> Result<Option<Placed<'a>>, ConnectError> {
        let Values::Typed { schema, array } = &self.batch.values else { return Ok(None) };
        if !self.may_wait || array.is_empty() {
            return Ok(None);
        }
        let copy = |rows| SharedColumn::of_rows(schema, array, rows, &self.shared_bytes);
        let places = match self.copied.as_ref().map(|copied| copied.places(rows)) {
            Some(Some(places)) => Cow::Owned(places),
            // They were not foreseen to wait: they do behind rows on disk.
            Some(None) => {
                let places = Rows::Range { start: 0, rows: rows.count() };
                return Ok(Some((copy(rejects::numbers(rows))?, Cow::Owned(places))));
            }
            None => Cow::Borrowed(rows),
        };
        if let Some(column) = self.column.get() {
            return Ok(Some((Rc::clone(column), places)));
        }
        let column = match &self.copied {
            Some(copied) => copy(copied.rows.clone())?,
            None => SharedColumn::new(schema, Arc::clone(array), &self.shared_bytes),
        };
        Ok(Some((Rc::clone(self.column.get_or_init(|| column)), places)))
    }

    /// Bytes of the values of `rows` of the batch's rows, more or less.
    pub(super) fn plain_bytes(&self, rows: usize) -> u64 {
        let Values::Typed { array, .. } = &self.batch.values else { return 0 };
        let bytes = array.to_data().get_slice_memory_size().unwrap_or_default();
        (bytes / array.len().max(1) * rows) as u64
    }

    /// Where columns are counted.
    pub(super) fn shared_bytes(&self) -> &SharedBytes {
        &self.shared_bytes
    }
}

/// A column, and which rows of it are meant.
type Placed<'a> = (Rc<SharedColumn>, Cow<'a, Rows>);

/// Rows of a batch that are copied, those of each file together.
struct Copied {
    /// In the order of the copy.
    rows: Vec<u32>,
    /// Where each row of the batch is in the copy; [`Copied::NOWHERE`] when it is not.
    places: Vec<u32>,
}

impl Copied {
    const NOWHERE: u32 = u32::MAX;

    /// `rows` of a batch of `batch_rows`.
    fn new(rows: Vec<u32>, batch_rows: usize) -> Self {
        let mut places = vec![Self::NOWHERE; batch_rows];
        for (place, row) in (0..).zip(&rows) {
            places[*row as usize] = place;
        }
        Self { rows, places }
    }

    /// Where `rows` of the batch are in the copy; `None` when one of them is not.
    fn places(&self, rows: &Rows) -> Option<Rows> {
        let numbers = rejects::numbers(rows);
        let place = |row: u32| self.places[row as usize];
        let first = numbers.first().map_or(0, |row| place(*row));
        if first == Self::NOWHERE {
            return None;
        }
        if (first..).zip(&numbers).all(|(expected, row)| place(*row) == expected) {
            return Some(Rows::Range { start: first as usize, rows: numbers.len() });
        }
        let places: Vec<u32> = numbers.iter().map(|row| place(*row)).collect();
        let is_there = !places.contains(&Self::NOWHERE);
        is_there.then_some(Rows::Indices(places))
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::Int64Array;
    use lakeward_api::header::HeaderRows;
    use lakeward_api::record::TopicPartition;
    use lakeward_api::schema::{Kind, Schema};

    use super::*;
    use crate::s3::rotation::PartId;

    fn taken(rows: u32) -> Taken {
        let partition = TopicPartition::new("orders", 0);
        let rows = i64::from(rows);
        let array = Arc::new(Int64Array::from_iter_values(0..rows));
        let count = usize::try_from(rows).unwrap();
        let batch = SinkBatch {
            topic: Arc::clone(&partition.topic),
            partition,
            offsets: (0..rows).collect(),
            timestamps_ms: vec![None; count],
            keys: Values::Null { rows: count },
            values: Values::Typed { schema: Arc::new(Schema::new(Kind::Int64)), array },
            headers: HeaderRows::default(),
        };
        Taken::new(batch, None, 0, true, SharedBytes::default())
    }

    fn write(part: u64, rows: impl Iterator<Item = u32>) -> Op {
        Op::Write { part: PartId(part), rows: Rows::Indices(rows.collect()) }
    }

    #[test]
    fn rows_of_a_file_are_neighbours_in_the_copy() {
        let mut taken = taken(400);
        let ops: Vec<Op> = (0..40).map(|part| write(u64::from(part), (part..400).step_by(40))).collect();
        taken.foresee(&ops);
        for (part, op) in (0u32..).zip(&ops) {
            let Op::Write { rows, .. } = op else { panic!("{op:?}") };
            let (_, places) = taken.column_with(rows).unwrap().unwrap();
            assert_eq!(rejects::numbers(&places), (part * 10..part * 10 + 10).collect::<Vec<_>>());
        }
        let one = Rows::Indices(vec![41]);
        let (_, places) = taken.column_with(&one).unwrap().unwrap();
        assert_eq!(rejects::numbers(&places), [11], "the second row of the second file");
    }

    /// A record of a large part is written alone after one beside it was rejected.
    #[test]
    fn a_row_that_was_not_foreseen_to_wait_is_found() {
        let mut taken = taken(600);
        taken.foresee(&[write(0, (0..600).filter(|row| row % 50 > 0)), write(1, (0..600).step_by(50))]);
        let (waiting, written) = (Rows::Indices(vec![50, 100]), Rows::Indices(vec![7]));
        let (few, places) = taken.column_with(&waiting).unwrap().unwrap();
        assert_eq!(rejects::numbers(&places), [1, 2]);
        let (other, places) = taken.column_with(&written).unwrap().unwrap();
        assert_eq!(rejects::numbers(&places), [0]);
        assert!(!Rc::ptr_eq(&few, &other));
    }
}
