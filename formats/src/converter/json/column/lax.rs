//! Numbers of unusual form and values of another JSON type: what Java makes of them under an envelope's
//! schema, what a declared schema tolerates, and base64.
//!
//! Source: `JsonConverter.TO_CONNECT_CONVERTERS` and `LOGICAL_CONVERTERS`, Kafka 4.1; Jackson's `JsonNode`.

use super::super::cursor::Cursor;
use super::super::fault::{Fault, Parsed, data, field};
use super::super::number::{self, Number};
use super::append::row_count;
use super::base64;
use super::{Cells, Column, Reading, Strictness};

impl Column {
    /// Appends a number to a column that is not plain INT64 or FLOAT64, or one of unusual form.
    #[cold]
    pub(super) fn append_unusual_number(&mut self, number: Number<'_>, reading: Reading) -> Parsed<()> {
        let strictness = reading.strictness;
        let number = reading.number(number);
        match &mut self.cells {
            Cells::Decimal { unscaled, scale } => {
                let bytes = number::unscaled(number, *scale).ok_or_else(|| decimal_mismatch(*scale))?;
                unscaled.items.extend_from_slice(&bytes);
                unscaled.end_cell()?;
            }
            Cells::Date(numbers) => numbers.push(int32_of(number, "Date", strictness)?),
            Cells::Float32(numbers) => numbers.push(number.to_f32()),
            Cells::Float64(numbers) => numbers.push(number.to_f64()),
            Cells::Int16(numbers) => numbers.push(match strictness {
                Strictness::Envelope | Strictness::Registered => number.low_bits() as i16,
                _ => narrow(number, strictness, "INT16")?,
            }),
            Cells::Int32(numbers) => numbers.push(match strictness {
                Strictness::Envelope | Strictness::Registered => number.low_bits() as i32,
                _ => narrow(number, strictness, "INT32")?,
            }),
            Cells::Int64(numbers) => numbers.push(match strictness {
                Strictness::Envelope | Strictness::Registered => number.low_bits(),
                _ => narrow(number, strictness, "INT64")?,
            }),
            Cells::Int8(numbers) => numbers.push(match strictness {
                Strictness::Envelope | Strictness::Registered => number.low_bits() as i8,
                _ => narrow(number, strictness, "INT8")?,
            }),
            Cells::Time(numbers) => numbers.push(time_of_day(number, strictness)?),
            Cells::Timestamp(numbers) => numbers.push(timestamp(number, strictness)?),
            _ => return self.append_number_elsewhere(strictness),
        }
        Ok(())
    }

    /// A number where none is expected.
    fn append_number_elsewhere(&mut self, strictness: Strictness) -> Parsed<()> {
        match strictness {
            Strictness::Declared => {
                Err(field(format!("expected {} but found a JSON NUMBER", self.type_name())))
            }
            Strictness::Envelope | Strictness::Registered => self.append_lax_scalar("NUMBER", strictness),
            Strictness::Inferred => Err(Box::new(Fault::Misfit)),
        }
    }

    /// A value of JSON type `found` that is no number, in a column of another type, as Java converts it.
    pub(super) fn append_lax(
        &mut self,
        cursor: &mut Cursor<'_>,
        found: &'static str,
        reading: Reading,
    ) -> Parsed<()> {
        if let Cells::List { offsets, item } = &mut self.cells
            && found == "OBJECT"
        {
            // Java iterates over whatever it finds, and iterating over an object gives its values.
            let mut more = cursor.enter(b'}');
            while more {
                cursor.member_name()?;
                item.append_value(cursor, reading).map_err(|fault| fault.within("element of array "))?;
                more = cursor.has_more(b'}')?;
            }
            offsets.push(row_count(item)?);
            return Ok(());
        }
        cursor.skip_value()?;
        self.append_lax_scalar(found, reading.strictness)
    }

    /// What Java makes of a value of JSON type `found` that has no useful content for this column.
    fn append_lax_scalar(&mut self, found: &'static str, strictness: Strictness) -> Parsed<()> {
        let refuse = |what: &str| Err(data(format!("{what} but was {found}")));
        match &mut self.cells {
            Cells::Boolean(flags) => flags.push(false),
            // Java takes the node for a decimal, which is no bytes.
            Cells::Bytes(_) if strictness == Strictness::Registered => {
                return Err(Box::new(Fault::NoBytes { location: String::new(), located: false }));
            }
            Cells::Bytes(_) | Cells::String(_) => return self.append_converted_null(),
            Cells::Date(_) => {
                return refuse("Invalid type for Date, underlying representation should be integer");
            }
            Cells::Decimal { .. } => {
                return refuse(
                    "Invalid type for Decimal, underlying representation should be numeric or bytes",
                );
            }
            Cells::Float32(numbers) => numbers.push(0.0),
            Cells::Float64(numbers) => numbers.push(0.0),
            Cells::Int16(numbers) => numbers.push(0),
            Cells::Int32(numbers) => numbers.push(0),
            Cells::Int64(numbers) => numbers.push(0),
            Cells::Int8(numbers) => numbers.push(0),
            Cells::List { offsets, .. } => offsets.push(offsets.last().copied().unwrap_or(0)),
            Cells::Struct(_) => {
                return Err(data(format!("Structs should be encoded as JSON objects, but found {found}")));
            }
            Cells::Time(_) => {
                return refuse("Invalid type for Time, underlying representation should be integer");
            }
            Cells::Timestamp(_) => {
                return refuse("Invalid type for Timestamp, underlying representation should be integral");
            }
            Cells::Absent
            | Cells::JsonText { .. }
            | Cells::Map { .. }
            | Cells::Recursive(_)
            | Cells::Union(_) => return Err(Box::new(Fault::Misfit)),
        }
        Ok(())
    }

    /// A text in a column of bytes: base64.
    pub(super) fn append_base64(&mut self, cursor: &mut Cursor<'_>) -> Parsed<()> {
        let text = cursor.string()?.resolved();
        let is_decimal = matches!(self.cells, Cells::Decimal { .. });
        let (cells, problem) = match &mut self.cells {
            Cells::Bytes(cells) => (cells, "Invalid bytes field"),
            Cells::Decimal { unscaled, .. } => (unscaled, "Invalid bytes for Decimal field"),
            _ => return Err(Box::new(Fault::Misfit)),
        };
        let before = cells.items.len();
        base64::append(&text, &mut cells.items).ok_or_else(|| data(problem))?;
        if is_decimal && cells.items.len() == before {
            return Err(data(problem));
        }
        cells.end_cell()?;
        Ok(())
    }
}

/// An exact integer of a narrower type, for schemas the user declared.
fn narrow<T: TryFrom<i64>>(number: Number<'_>, strictness: Strictness, kind: &str) -> Parsed<T> {
    if strictness == Strictness::Inferred && !matches!(number, Number::Integer(_)) {
        return Err(Box::new(Fault::Misfit));
    }
    number
        .exact_integer()
        .and_then(|integer| T::try_from(integer).ok())
        .ok_or_else(|| field(format!("the number does not fit {kind}")))
}

/// Logical types on INT32 accept integers of that width only.
fn int32_of(number: Number<'_>, logical: &str, strictness: Strictness) -> Parsed<i32> {
    match number {
        Number::Integer(integer) if let Ok(narrow) = i32::try_from(integer) => Ok(narrow),
        _ if strictness == Strictness::Declared => {
            Err(field(format!("the number does not fit {logical} (INT32)")))
        }
        _ => Err(data(format!(
            "Invalid type for {logical}, underlying representation should be integer but was NUMBER"
        ))),
    }
}

fn time_of_day(number: Number<'_>, strictness: Strictness) -> Parsed<i32> {
    let ms = int32_of(number, "Time", strictness)?;
    if !(0..=86_400_000).contains(&ms) {
        return Err(data(
            "Time values must use number of milliseconds greater than 0 and less than 86400000",
        ));
    }
    Ok(ms)
}

fn timestamp(number: Number<'_>, strictness: Strictness) -> Parsed<i64> {
    match (number, strictness) {
        (Number::Integer(ms), _) => Ok(ms),
        (Number::Big(_), Strictness::Envelope | Strictness::Registered) => Ok(number.low_bits()),
        (_, Strictness::Declared) => narrow(number, strictness, "Timestamp (INT64)"),
        _ => Err(data(
            "Invalid type for Timestamp, underlying representation should be integral but was NUMBER",
        )),
    }
}

fn decimal_mismatch(scale: i32) -> Box<Fault> {
    data(format!(
        "Decimal value has mismatching scale for given Decimal schema. Schema has scale {scale}, value \
        has more digits."
    ))
}
