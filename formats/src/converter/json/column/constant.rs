//! Defaults in place of nulls.

use super::super::fault::{Parsed, data};
use super::append::row_count;
use super::{Cells, Column};
use lakeward_api::rows::DAY_MS;
use lakeward_api::value::Value;

impl Column {
    /// Appends `value`, which has the type of the column's schema.
    pub(super) fn append_constant(&mut self, value: &Value) -> Parsed<()> {
        match (&mut self.cells, value) {
            (_, Value::Null) => return self.append_converted_null(),
            (Cells::Boolean(flags), Value::Boolean(flag)) => flags.push(*flag),
            (Cells::Bytes(cells) | Cells::Decimal { unscaled: cells, .. }, Value::Bytes(bytes)) => {
                cells.items.extend_from_slice(bytes);
                cells.end_cell()?;
            }
            (Cells::Date(numbers) | Cells::Int32(numbers) | Cells::Time(numbers), Value::Int32(number)) => {
                numbers.push(*number);
            }
            (Cells::Date(numbers), Value::Date(ms)) => numbers.push(ms.div_euclid(DAY_MS) as i32),
            (Cells::Time(numbers), Value::Date(ms)) => numbers.push(*ms as i32),
            (Cells::Timestamp(numbers), Value::Date(ms)) => numbers.push(*ms),
            (Cells::Decimal { unscaled, scale }, Value::Decimal(decimal)) if decimal.scale == *scale => {
                unscaled.items.extend_from_slice(&decimal.unscaled);
                unscaled.end_cell()?;
            }
            (Cells::Float32(numbers), Value::Float32(number)) => numbers.push(*number),
            (Cells::Float64(numbers), Value::Float64(number)) => numbers.push(*number),
            (Cells::Int16(numbers), Value::Int16(number)) => numbers.push(*number),
            (Cells::Int64(numbers) | Cells::Timestamp(numbers), Value::Int64(number)) => {
                numbers.push(*number)
            }
            (Cells::Int8(numbers), Value::Int8(number)) => numbers.push(*number),
            (Cells::List { offsets, item }, Value::Array(values)) => {
                values.iter().try_for_each(|value| item.append_constant(value))?;
                offsets.push(row_count(item)?);
            }
            (Cells::Map { offsets, entries }, Value::Map(pairs)) => {
                for (key, value) in pairs {
                    entries.0.append_constant(key)?;
                    entries.1.append_constant(value)?;
                }
                offsets.push(row_count(&entries.1)?);
            }
            (Cells::Recursive(recursion), value) => recursion.append_constant(value)?,
            (Cells::String(texts), Value::String(text)) => {
                texts.items.extend_from_slice(text.as_bytes());
                texts.end_cell()?;
            }
            (Cells::Struct(record) | Cells::Union(record), Value::Struct(values)) => {
                record.append_row(|at, column| {
                    let value = values.get(at).unwrap_or(&Value::Null);
                    column.append_constant(value)
                })?
            }
            _ => return Err(data("The default of a field does not have the type of its schema.")),
        }
        Ok(())
    }
}
