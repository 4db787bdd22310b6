//! The inner loop: one value out of its column.

use super::super::super::registry_framing::append_leading;
use super::super::fault::{Converted, data, mistyped};
use super::super::read::shortest;
use super::bind::{Bound, Cells};
use super::{Form, Node, tree, write_bytes, write_long};

impl Bound<'_> {
    /// Appends row `row`. Recursion is bounded by the depth of the schema.
    pub(super) fn write(&self, row: usize, out: &mut Vec<u8>) -> Converted<()> {
        if self.is_null(row) {
            return self.write_null(out);
        }
        if let Some(union) = &self.node.union {
            out.push(union.value);
        }
        match &self.cells {
            Cells::Var { .. } => self.write_var(row, out)?,
            Cells::Int64(cells) => write_long(out, cells[row]),
            Cells::Int32(cells) => write_long(out, i64::from(cells[row])),
            Cells::Double(cells) => out.extend_from_slice(&cells[row].to_le_bytes()),
            Cells::Boolean(cells) => out.push(u8::from(cells.value(row))),
            Cells::Float(cells) => out.extend_from_slice(&cells[row].to_le_bytes()),
            Cells::Int16(cells) => write_long(out, i64::from(cells[row])),
            Cells::Int8(cells) => write_long(out, i64::from(cells[row])),
            Cells::Struct(members) => match &self.node.form {
                Form::Union { null, branches } => {
                    let Some(chosen) = members.iter().position(|member| !member.is_null(row)) else {
                        let null = null.ok_or_else(|| data(NULL))?;
                        write_long(out, null);
                        return Ok(());
                    };
                    write_long(out, branches[chosen].0);
                    members[chosen].write(row, out)?;
                }
                _ => {
                    for member in members {
                        member.write(row, out)?;
                    }
                }
            },
            Cells::List { offsets, item } => {
                let items = range(offsets, row);
                write_long(out, i64::from(offsets[row + 1] - offsets[row]));
                if !items.is_empty() {
                    for at in items {
                        item.write(at, out)?;
                    }
                    out.push(0);
                }
            }
            Cells::Map { offsets, key, value } => {
                let value_first = matches!(self.node.form, Form::Entries { value_first: true, .. });
                let (first, second) = if value_first { (value, key) } else { (key, value) };
                let entries = range(offsets, row);
                write_long(out, i64::from(offsets[row + 1] - offsets[row]));
                if !entries.is_empty() {
                    for at in entries {
                        first.write(at, out)?;
                        second.write(at, out)?;
                    }
                    out.push(0);
                }
            }
        }
        Ok(())
    }

    /// Appends the bytes of row `row` without their length.
    pub(super) fn write_raw(&self, row: usize, out: &mut Vec<u8>) -> Converted<()> {
        let Cells::Var { offsets, data } = &self.cells else { return self.write(row, out) };
        out.extend_from_slice(&data[range(offsets, row)]);
        Ok(())
    }

    #[inline]
    pub(super) fn is_null(&self, row: usize) -> bool {
        self.nulls.is_some_and(|nulls| nulls.is_null(row))
    }

    fn write_null(&self, out: &mut Vec<u8>) -> Converted<()> {
        self.node.write_null(out)
    }

    #[inline]
    fn write_var(&self, row: usize, out: &mut Vec<u8>) -> Converted<()> {
        let Cells::Var { offsets, data } = &self.cells else { unreachable!("called for texts and bytes") };
        let bytes = &data[range(offsets, row)];
        match &self.node.form {
            Form::Recursive(place) => tree::write_place(self.places, *place, bytes, out),
            Form::Bytes | Form::String => {
                write_long(out, i64::from(offsets[row + 1] - offsets[row]));
                append_leading(out, &data[offsets[row] as usize..], bytes.len());
                Ok(())
            }
            form => write_formed(form, bytes, out),
        }
    }
}

impl Node {
    /// Appends what stands for null.
    pub(super) fn write_null(&self, out: &mut Vec<u8>) -> Converted<()> {
        if let Some(default) = &self.default {
            out.extend_from_slice(default);
            return Ok(());
        }
        let null = match (&self.form, &self.union) {
            (Form::Union { null: Some(null), .. }, _) => {
                write_long(out, *null);
                return Ok(());
            }
            (_, Some(union)) => union.null,
            _ => None,
        };
        out.push(null.ok_or_else(|| data(NULL))?);
        Ok(())
    }
}

/// Appends texts or bytes in the way of `form`.
pub(super) fn write_formed(form: &Form, bytes: &[u8], out: &mut Vec<u8>) -> Converted<()> {
    match form {
        Form::Decimal => write_bytes(out, shortest(bytes)),
        Form::DecimalFixed { size } => {
            let bytes = shortest(bytes);
            let Some(padding) = size.checked_sub(bytes.len()) else {
                return Err(data(format!(
                    "Unscaled value byte array length {} is greater than fixed size {size}",
                    bytes.len()
                )));
            };
            let sign = if bytes.first().is_some_and(|first| *first >= 0x80) { 0xff } else { 0 };
            out.resize(out.len() + padding, sign);
            out.extend_from_slice(bytes);
        }
        Form::Fixed { size } if bytes.len() != *size => {
            return Err(mistyped(format!("{} bytes do not fit a fixed of {size}", bytes.len())));
        }
        Form::Fixed { .. } => out.extend_from_slice(bytes),
        Form::Enum { symbols } => {
            let Some(index) = symbols.get(bytes) else {
                return Err(mistyped("A value is not in the enum symbol set of its schema"));
            };
            write_long(out, *index);
        }
        _ => write_bytes(out, bytes),
    }
    Ok(())
}

#[inline]
fn range(offsets: &[i32], row: usize) -> std::ops::Range<usize> {
    // Offsets of an Arrow array ascend from 0 or more.
    offsets[row] as usize..offsets[row + 1] as usize
}

pub(super) const NULL: &str = "Found null value for non-optional schema";
