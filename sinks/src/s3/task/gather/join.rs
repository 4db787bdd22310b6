//! Joins stretches of columns into one column.
//!
//! Arrow's `concat` wants an array per stretch, of every column within. With hundreds of stretches of columns
//! that left the caches, counting who holds those takes longer than copying what is in them: here nothing is
//! counted, and texts are looked at once more instead.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::builder::BooleanBufferBuilder;
use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowPrimitiveType, BinaryType, ByteArrayType, Utf8Type};
use arrow_array::{
    Array, ArrayRef, GenericByteArray, ListArray, PrimitiveArray, StructArray, downcast_primitive,
};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_schema::{ArrowError, DataType, FieldRef, Fields};

/// Neighbouring rows of a column.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stretch {
    /// Its number among the columns.
    pub(super) column: u32,
    pub(super) start: u32,
    pub(super) rows: u32,
}

impl Stretch {
    fn column(self) -> usize {
        self.column as usize
    }

    pub(super) fn range(self) -> Range<usize> {
        self.start as usize..(self.start + self.rows) as usize
    }
}

/// The rows of `stretches`, in their order.
///
/// # Errors
/// When the columns differ in type, or the rows exceed Arrow's limits.
pub(super) fn join(columns: &[&dyn Array], stretches: &[Stretch]) -> Result<ArrayRef, ArrowError> {
    let of = columns[0].data_type();
    if columns.iter().any(|column| column.data_type() != of) {
        return slices(columns, stretches);
    }
    join_alike(columns, stretches)
}

/// The same of columns of one type.
fn join_alike(columns: &[&dyn Array], stretches: &[Stretch]) -> Result<ArrayRef, ArrowError> {
    let of = columns[0].data_type();
    macro_rules! numbers {
        ($type:ty) => {
            Ok(Arc::new(primitives::<$type>(columns, stretches)))
        };
    }
    downcast_primitive! {
        of => (numbers),
        DataType::Binary => Ok(Arc::new(bytes::<BinaryType>(columns, stretches)?)),
        DataType::List(item) => Ok(Arc::new(lists(item, columns, stretches)?)),
        DataType::Struct(fields) => Ok(Arc::new(structs(fields, columns, stretches)?)),
        DataType::Utf8 => Ok(Arc::new(bytes::<Utf8Type>(columns, stretches)?)),
        _ => slices(columns, stretches),
    }
}

fn count(stretches: &[Stretch]) -> usize {
    stretches.iter().map(|one| one.rows as usize).sum()
}

/// As Arrow does it.
fn slices(columns: &[&dyn Array], stretches: &[Stretch]) -> Result<ArrayRef, ArrowError> {
    let slice = |one: &Stretch| columns[one.column()].slice(one.start as usize, one.rows as usize);
    let slices: Vec<ArrayRef> = stretches.iter().map(slice).collect();
    arrow_select::concat::concat(&slices.iter().map(|slice| &**slice).collect::<Vec<_>>())
}

fn nulls(columns: &[&dyn Array], stretches: &[Stretch]) -> Option<NullBuffer> {
    if columns.iter().all(|column| column.null_count() == 0) {
        return None;
    }
    let mut builder = BooleanBufferBuilder::new(count(stretches));
    for one in stretches {
        match columns[one.column()].nulls().map(NullBuffer::inner) {
            Some(bits) => {
                let Range { start, end } = one.range();
                builder.append_packed_range(start + bits.offset()..end + bits.offset(), bits.values());
            }
            None => builder.append_n(one.rows as usize, true),
        }
    }
    Some(NullBuffer::new(builder.finish()))
}

fn primitives<T: ArrowPrimitiveType>(columns: &[&dyn Array], stretches: &[Stretch]) -> PrimitiveArray<T> {
    let sources: Vec<&[T::Native]> =
        columns.iter().map(|column| &**column.as_primitive::<T>().values()).collect();
    let mut values = Vec::with_capacity(count(stretches));
    for one in stretches {
        values.extend_from_slice(&sources[one.column()][one.range()]);
    }
    PrimitiveArray::new(values.into(), nulls(columns, stretches))
        .with_data_type(columns[0].data_type().clone())
}

fn bytes<T: ByteArrayType<Offset = i32>>(
    columns: &[&dyn Array],
    stretches: &[Stretch],
) -> Result<GenericByteArray<T>, ArrowError> {
    let arrays = columns.iter().map(|column| column.as_bytes::<T>());
    let sources: Vec<(&[i32], &[u8])> =
        arrays.map(|array| (array.value_offsets(), array.value_data())).collect();
    let ends = |one: &Stretch| {
        let (offsets, Range { start, end }) = (sources[one.column()].0, one.range());
        (offsets[start], offsets[end])
    };
    let total: i64 = stretches.iter().map(ends).map(|(first, last)| i64::from(last - first)).sum();
    let total = i32::try_from(total).map_err(|_| ArrowError::OffsetOverflowError(i32::MAX as usize))?;
    let mut offsets = Vec::with_capacity(count(stretches) + 1);
    let mut values = Vec::with_capacity(total.unsigned_abs() as usize);
    let mut end = 0;
    offsets.push(end);
    for one in stretches {
        let (first, last) = ends(one);
        let (source, data) = sources[one.column()];
        let Range { start, end: behind } = one.range();
        offsets.extend(source[start + 1..=behind].iter().map(|offset| offset - first + end));
        values.extend_from_slice(&data[first.unsigned_abs() as usize..last.unsigned_abs() as usize]);
        end += last - first;
    }
    GenericByteArray::try_new(OffsetBuffer::new(offsets.into()), values.into(), nulls(columns, stretches))
}

fn structs(
    fields: &Fields,
    columns: &[&dyn Array],
    stretches: &[Stretch],
) -> Result<StructArray, ArrowError> {
    let field = |number: usize| {
        let children: Vec<&dyn Array> =
            columns.iter().map(|column| &**column.as_struct().column(number)).collect();
        join_alike(&children, stretches)
    };
    let children = (0..fields.len()).map(field).collect::<Result<Vec<_>, _>>()?;
    StructArray::try_new_with_length(fields.clone(), children, nulls(columns, stretches), count(stretches))
}

fn lists(item: &FieldRef, columns: &[&dyn Array], stretches: &[Stretch]) -> Result<ListArray, ArrowError> {
    let sources: Vec<&ListArray> = columns.iter().map(|column| column.as_list::<i32>()).collect();
    let mut offsets = Vec::with_capacity(count(stretches) + 1);
    let mut end = 0_i32;
    offsets.push(end);
    let mut within = Vec::with_capacity(stretches.len());
    for one in stretches {
        let source = &sources[one.column()].value_offsets()[one.start as usize..=one.range().end];
        let (first, last) = (source[0], source[source.len() - 1]);
        // What is added before the sum of all is known to fit is taken back with the error.
        offsets.extend(source[1..].iter().map(|offset| (offset - first).wrapping_add(end)));
        let items = last - first;
        end = end.checked_add(items).ok_or(ArrowError::OffsetOverflowError(i32::MAX as usize))?;
        if items > 0 {
            within.push(Stretch {
                column: one.column,
                start: first.unsigned_abs(),
                rows: items.unsigned_abs(),
            });
        }
    }
    let items: Vec<&dyn Array> = sources.iter().map(|source| &**source.values()).collect();
    let items = if within.is_empty() { items[0].slice(0, 0) } else { join_alike(&items, &within)? };
    let nulls = nulls(columns, stretches);
    ListArray::try_new(Arc::clone(item), OffsetBuffer::new(offsets.into()), items, nulls)
}

#[cfg(test)]
mod tests {
    use arrow_array::builder::{
        BinaryBuilder, BooleanBuilder, Int64Builder, ListBuilder, StringBuilder, TimestampMillisecondBuilder,
    };
    use arrow_array::{Int32Array, StringArray};
    use arrow_schema::Field;

    use super::*;

    /// Rows of `seed` in a column of each kind; some are null when there are `holes`.
    fn column(seed: usize, holes: bool) -> ArrayRef {
        let is_hole = |row: usize| holds_hole(holes, seed, row);
        let mut lists = ListBuilder::new(StringBuilder::new());
        let mut numbers = Int64Builder::new();
        let mut times = TimestampMillisecondBuilder::new().with_timezone("UTC");
        let mut flags = BooleanBuilder::new();
        let mut blobs = BinaryBuilder::new();
        for row in 0..50 {
            let number = (seed * 1_000 + row) as i64;
            for item in 0..row % 3 {
                lists
                    .values()
                    .append_option((!is_hole(row + item)).then(|| format!("\u{e9}{number}.{item}")));
            }
            lists.append(!is_hole(row + 1));
            numbers.append_option((!is_hole(row + 2)).then_some(number));
            times.append_option((!is_hole(row + 3)).then_some(-number));
            flags.append_option((!is_hole(row + 4)).then_some(row % 2 == 0));
            blobs.append_option((!is_hole(row)).then(|| number.to_le_bytes()));
        }
        let columns: Vec<ArrayRef> = vec![
            Arc::new(lists.finish()),
            Arc::new(numbers.finish()),
            Arc::new(times.finish()),
            Arc::new(flags.finish()),
            Arc::new(blobs.finish()),
        ];
        let inner = record(columns.clone(), None);
        let validity = holes.then(|| (0..50).map(|row| !is_hole(row + 5)).collect());
        record([columns, vec![inner]].concat(), validity)
    }

    fn holds_hole(holes: bool, seed: usize, row: usize) -> bool {
        holes && (row * 7 + seed).is_multiple_of(4)
    }

    fn record(columns: Vec<ArrayRef>, validity: Option<NullBuffer>) -> ArrayRef {
        let field = |(place, column): (usize, &ArrayRef)| {
            Field::new(format!("f{place}"), column.data_type().clone(), true)
        };
        let fields = columns.iter().enumerate().map(field).collect();
        Arc::new(StructArray::new(fields, columns, validity))
    }

    #[test]
    fn what_is_joined_is_what_arrow_joins() {
        for holes in [false, true] {
            // One is a slice, and one of them has no nulls.
            let arrays = [column(1, holes), column(2, holes).slice(3, 40), column(3, false)];
            let columns: Vec<&dyn Array> = arrays.iter().map(|array| &**array).collect();
            let stretch = |number: u32| {
                let (column, start) = (number * number % 3, number * 5 % 31);
                Stretch { column, start, rows: number % 9 }
            };
            let stretches: Vec<Stretch> = (0..40).map(stretch).collect();
            let joined = join(&columns, &stretches).unwrap();
            assert_eq!(&joined, &slices(&columns, &stretches).unwrap(), "holes: {holes}");
            assert_eq!(joined.nulls().is_some(), holes);
            assert_eq!(joined.len(), count(&stretches));
            let none = join(&columns, &stretches[..1]).unwrap();
            assert_eq!((none.len(), none.data_type()), (0, joined.data_type()));
        }
    }

    #[test]
    fn columns_of_two_types_are_refused() {
        let columns: [&dyn Array; 2] = [&Int32Array::from(vec![1]), &StringArray::from(vec!["a"])];
        let stretch = |column| Stretch { column, start: 0, rows: 1 };
        assert!(join(&columns, &[stretch(0), stretch(1)]).is_err());
    }

    #[test]
    fn more_than_arrow_holds_is_an_error() {
        let text = StringArray::from(vec!["x".repeat(1 << 20)]);
        let columns: [&dyn Array; 1] = [&text];
        let stretches = vec![Stretch { column: 0, start: 0, rows: 1 }; 2_048];
        let error = join(&columns, &stretches).unwrap_err();
        assert!(matches!(error, ArrowError::OffsetOverflowError(_)), "{error}");
    }
}
