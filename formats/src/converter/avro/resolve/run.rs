//! Runs a program over a payload.

use std::ops::Range;

use super::super::fault::{Converted, malformed, mistyped};
use super::super::read::Cursor;
use super::super::write::{write_bytes, write_long};
use super::{Part, Program, Record, Source, Step, StepId};

/// What a run writes; kept between runs.
#[derive(Default)]
pub(super) struct Buffers {
    out: Vec<u8>,
    /// Where fields that change their order are in `out`.
    spans: Vec<Range<usize>>,
    /// A record in its new order.
    sorted: Vec<u8>,
}

impl Buffers {
    pub(super) fn clear(&mut self) {
        self.out.clear();
        self.spans.clear();
    }

    pub(super) fn out(&self) -> &[u8] {
        &self.out
    }
}

/// Reads the value at the cursor and appends what it becomes.
pub(super) fn value(program: &Program, cursor: &mut Cursor<'_>, buffers: &mut Buffers) -> Converted<()> {
    step(program, program.root, cursor, buffers, DEPTH_MAX)
}

/// A payload that is bytes, of which something else is made.
pub(super) fn raw<'a>(program: &Program, payload: &[u8], buffers: &'a mut Buffers) -> Converted<&'a [u8]> {
    let mut framed = Vec::with_capacity(payload.len() + 10);
    write_bytes(&mut framed, payload);
    value(program, &mut Cursor::new(&framed), buffers)?;
    Ok(&buffers.out)
}

/// Recursion is bounded by `depth_left`: a schema may contain itself.
fn step(
    program: &Program,
    id: StepId,
    cursor: &mut Cursor<'_>,
    buffers: &mut Buffers,
    depth_left: usize,
) -> Converted<()> {
    let Some(depth_left) = depth_left.checked_sub(1) else {
        return Err(malformed(format!("Values are nested more than {DEPTH_MAX} levels deep")));
    };
    let out = &mut buffers.out;
    match &program.steps[id] {
        Step::Boolean => out.push(u8::from(cursor.boolean()?)),
        Step::Bytes => write_bytes(out, cursor.bytes()?),
        Step::Double => out.extend_from_slice(cursor.take(8)?),
        Step::Enum(symbols) => {
            let index = cursor.int()?;
            let symbol = usize::try_from(index).ok().and_then(|index| symbols.get(index));
            match symbol.ok_or_else(|| malformed(format!("Enum index out of bounds ({index})")))? {
                Ok(symbol) => write_long(out, *symbol),
                Err(symbol) => return Err(mistyped(format!("No match for {symbol}"))),
            }
        }
        Step::Error(message) => return Err(mistyped(message.clone())),
        Step::Fixed(size) => out.extend_from_slice(cursor.take(*size)?),
        Step::Float => out.extend_from_slice(cursor.take(4)?),
        Step::FloatToDouble => out.extend_from_slice(&f64::from(cursor.float()?).to_le_bytes()),
        Step::Int => write_long(out, i64::from(cursor.int()?)),
        Step::IntToDouble => out.extend_from_slice(&f64::from(cursor.int()?).to_le_bytes()),
        Step::IntToFloat => out.extend_from_slice(&(cursor.int()? as f32).to_le_bytes()),
        Step::Long => write_long(out, cursor.long()?),
        Step::LongToDouble => out.extend_from_slice(&(cursor.long()? as f64).to_le_bytes()),
        Step::LongToFloat => out.extend_from_slice(&(cursor.long()? as f32).to_le_bytes()),
        Step::Null => {}
        Step::Array { item, bytes_min } => {
            blocks(cursor, buffers, *bytes_min, |cursor, buffers| {
                step(program, *item, cursor, buffers, depth_left)
            })?;
        }
        Step::Map { value } => blocks(cursor, buffers, 1, |cursor, buffers| {
            write_bytes(&mut buffers.out, cursor.bytes()?);
            step(program, *value, cursor, buffers, depth_left)
        })?,
        Step::Branch { index, value } => {
            write_long(out, *index);
            step(program, *value, cursor, buffers, depth_left)?;
        }
        Step::Union(branches) => {
            let branch = cursor.branch(branches.len())?;
            step(program, branches[branch], cursor, buffers, depth_left)?;
        }
        Step::Record(one) => record(program, one, cursor, buffers, depth_left)?,
    }
    Ok(())
}

/// The blocks of an array or map, each as it was but for the sizes that blocks may have.
fn blocks(
    cursor: &mut Cursor<'_>,
    buffers: &mut Buffers,
    bytes_min: usize,
    mut item: impl FnMut(&mut Cursor<'_>, &mut Buffers) -> Converted<()>,
) -> Converted<()> {
    loop {
        let count = cursor.block(bytes_min)?;
        write_long(&mut buffers.out, i64::try_from(count).unwrap_or(i64::MAX));
        if count == 0 {
            return Ok(());
        }
        for _ in 0..count {
            item(cursor, buffers)?;
            if buffers.out.len() > BYTES_MAX {
                return Err(malformed(format!("The resolved payload is longer than {BYTES_MAX} bytes")));
            }
        }
    }
}

fn record(
    program: &Program,
    record: &Record,
    cursor: &mut Cursor<'_>,
    buffers: &mut Buffers,
    depth_left: usize,
) -> Converted<()> {
    let (start, first) = (buffers.out.len(), buffers.spans.len());
    for part in &record.parts {
        let before = buffers.out.len();
        match part {
            Part::Constant(bytes) => buffers.out.extend_from_slice(bytes),
            Part::Field(id) => {
                step(program, *id, cursor, buffers, depth_left)?;
                if record.order.is_some() {
                    buffers.spans.push(before..buffers.out.len());
                }
            }
            Part::Skipped(id) => {
                step(program, *id, cursor, buffers, depth_left)?;
                buffers.out.truncate(before);
            }
        }
    }
    let Some(order) = &record.order else { return Ok(()) };
    let Buffers { out, spans, sorted } = buffers;
    sorted.clear();
    for source in order {
        match source {
            Source::Constant(bytes) => sorted.extend_from_slice(bytes),
            Source::Field(number) => sorted.extend_from_slice(&out[spans[first + number].clone()]),
        }
    }
    out.truncate(start);
    out.extend_from_slice(sorted);
    spans.truncate(first);
    Ok(())
}

/// Types inside types, of which recursive ones have many.
const DEPTH_MAX: usize = 512;

/// A default is written for each record that lacks it, so few bytes may become many.
const BYTES_MAX: usize = 64 << 20;
