//! Payloads to a column. Source: `*Deserializer` of the Kafka clients, Kafka 4.1.

use std::sync::Arc;

use arrow_array::types::{ArrowPrimitiveType, Float32Type, Float64Type, Int16Type, Int32Type, Int64Type};
use arrow_array::{Array, ArrayRef, BinaryArray, BooleanArray, PrimitiveArray};
use arrow_buffer::{BooleanBuffer, BooleanBufferBuilder, NullBufferBuilder};
use lakeward_api::batch::Values;
use lakeward_api::converter::{Decoded, Run};
use lakeward_api::schema::Schema;
use lakeward_api::{ConnectError, ErrorClass};

use super::Primitive;

pub(super) fn decode(primitive: Primitive, schema: &Arc<Schema>, payloads: &[Option<&[u8]>]) -> Decoded {
    let mut rows = Rows::new(payloads.len());
    let array = match primitive {
        Primitive::Boolean => booleans(&mut rows, payloads),
        Primitive::Double => numbers::<Float64Type, 8>(&mut rows, payloads, f64::from_be_bytes, ""),
        Primitive::Float => numbers::<Float32Type, 4>(&mut rows, payloads, f32::from_be_bytes, ""),
        Primitive::Integer => numbers::<Int32Type, 4>(&mut rows, payloads, i32::from_be_bytes, "Integer"),
        Primitive::Long => numbers::<Int64Type, 8>(&mut rows, payloads, i64::from_be_bytes, "Long"),
        Primitive::Short => numbers::<Int16Type, 2>(&mut rows, payloads, i16::from_be_bytes, "Short"),
    };
    let runs = if rows.rows.is_empty() {
        Vec::new()
    } else {
        vec![Run { rows: rows.rows, values: Values::Typed { schema: Arc::clone(schema), array } }]
    };
    let errors = rows.failed.into_iter().map(|(row, cause)| (row, failure(primitive, cause))).collect();
    Decoded { runs, errors }
}

/// The numbers of a column whose payloads all are there and have the right size: one pass over its bytes.
/// `None` when some have not.
pub(super) fn regular(primitive: Primitive, schema: &Arc<Schema>, payloads: &BinaryArray) -> Option<Decoded> {
    let array = match primitive {
        Primitive::Boolean => flags(payloads),
        Primitive::Double => swapped::<Float64Type, 8>(payloads, f64::from_be_bytes),
        Primitive::Float => swapped::<Float32Type, 4>(payloads, f32::from_be_bytes),
        Primitive::Integer => swapped::<Int32Type, 4>(payloads, i32::from_be_bytes),
        Primitive::Long => swapped::<Int64Type, 8>(payloads, i64::from_be_bytes),
        Primitive::Short => swapped::<Int16Type, 2>(payloads, i16::from_be_bytes),
    }?;
    // A range of known length: an open one is not vectorised.
    let rows = (0..u32::try_from(payloads.len()).expect("a batch has fewer than 2^32 rows")).collect();
    let run = Run { rows, values: Values::Typed { schema: Arc::clone(schema), array } };
    Some(Decoded { runs: vec![run], errors: Vec::new() })
}

fn swapped<T: ArrowPrimitiveType, const SIZE: usize>(
    payloads: &BinaryArray,
    number: fn([u8; SIZE]) -> T::Native,
) -> Option<ArrayRef> {
    let bytes = of_one_size(payloads, SIZE)?;
    let cells: Vec<T::Native> = bytes.as_chunks::<SIZE>().0.iter().map(|bytes| number(*bytes)).collect();
    Some(Arc::new(PrimitiveArray::<T>::new(cells.into(), None)))
}

fn flags(payloads: &BinaryArray) -> Option<ArrayRef> {
    let bytes = of_one_size(payloads, 1)?;
    let is_regular = bytes.iter().fold(true, |all, byte| all & (*byte <= 1));
    is_regular.then(|| Arc::new(BooleanArray::new(packed(bytes), None)) as ArrayRef)
}

/// One bit for each byte, which is 0 or 1.
fn packed(bytes: &[u8]) -> BooleanBuffer {
    /// Moves bit 0 of byte `n` to bit `56 + n`; no two of the 64 sums of places are the same, so nothing
    /// carries.
    const GATHER: u64 = 0x0102_0408_1020_4080;
    let gathered = |bytes: [u8; 8]| (u64::from_le_bytes(bytes).wrapping_mul(GATHER) >> 56) as u8;
    let (eights, rest) = bytes.as_chunks::<8>();
    let mut bits: Vec<u8> = eights.iter().map(|bytes| gathered(*bytes)).collect();
    if !rest.is_empty() {
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        bits.push(gathered(last));
    }
    BooleanBuffer::new(bits.into(), 0, bytes.len())
}

/// The bytes of all payloads when each has `size` of them.
fn of_one_size(payloads: &BinaryArray, size: usize) -> Option<&[u8]> {
    let offsets = payloads.value_offsets();
    let size = i32::try_from(size).ok()?;
    // Folded rather than searched, so that it is vectorised.
    let is_regular = offsets.windows(2).fold(true, |all, pair| all & (pair[1] - pair[0] == size));
    if payloads.is_empty() || payloads.null_count() > 0 || !is_regular {
        return None;
    }
    Some(&payloads.value_data()[offsets[0] as usize..offsets[payloads.len()] as usize])
}

/// Which rows could be read.
struct Rows {
    rows: Vec<u32>,
    nulls: NullBufferBuilder,
    failed: Vec<(usize, String)>,
}

impl Rows {
    fn new(count: usize) -> Self {
        Self { rows: Vec::with_capacity(count), nulls: NullBufferBuilder::new(count), failed: Vec::new() }
    }

    #[inline]
    fn push(&mut self, row: usize, valid: bool) {
        self.rows.push(u32::try_from(row).expect("a batch has fewer than 2^32 rows"));
        self.nulls.append(valid);
    }

    #[cold]
    fn fail(&mut self, row: usize, cause: String) {
        self.failed.push((row, cause));
    }
}

fn numbers<T: ArrowPrimitiveType, const SIZE: usize>(
    rows: &mut Rows,
    payloads: &[Option<&[u8]>],
    number: fn([u8; SIZE]) -> T::Native,
    name: &str,
) -> ArrayRef {
    let mut cells = Vec::with_capacity(payloads.len());
    for (row, payload) in payloads.iter().enumerate() {
        match payload.map(<[u8; SIZE]>::try_from) {
            Some(Ok(bytes)) => {
                cells.push(number(bytes));
                rows.push(row, true);
            }
            None => {
                cells.push(T::Native::default());
                rows.push(row, false);
            }
            Some(Err(_)) => rows.fail(row, wrong_size(name, SIZE)),
        }
    }
    Arc::new(PrimitiveArray::<T>::new(cells.into(), rows.nulls.finish()))
}

fn booleans(rows: &mut Rows, payloads: &[Option<&[u8]>]) -> ArrayRef {
    let mut cells = BooleanBufferBuilder::new(payloads.len());
    for (row, payload) in payloads.iter().enumerate() {
        match payload {
            Some([byte @ (0 | 1)]) => {
                cells.append(*byte == 1);
                rows.push(row, true);
            }
            None => {
                cells.append(false);
                rows.push(row, false);
            }
            Some([byte]) => {
                let byte = *byte as i8;
                rows.fail(row, format!("Unexpected byte received by BooleanDeserializer: {byte}"));
            }
            Some(_) => rows.fail(row, wrong_size("Boolean", 1)),
        }
    }
    Arc::new(BooleanArray::new(cells.finish(), rows.nulls.finish()))
}

/// Java's deserializers of doubles and floats do not say their name.
fn wrong_size(name: &str, size: usize) -> String {
    format!("Size of data received by {name}Deserializer is not {size}")
}

fn failure(primitive: Primitive, cause: String) -> ConnectError {
    let class = "org.apache.kafka.common.errors.SerializationException";
    let cause = ConnectError::new(ErrorClass::Record, class, cause);
    ConnectError::data(format!("Failed to deserialize {}: ", primitive.word())).with_source(cause)
}
