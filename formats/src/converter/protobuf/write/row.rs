//! The inner loop: one row out of its columns.

use arrow_buffer::NullBuffer;

use super::super::super::registry_framing::append_leading;
use super::super::descriptor::Kind;
use super::super::fault::{Converted, Fault, argument, data};
use super::super::mapping::Form;
use super::bind::{Bound, Cells};
use super::logical;

/// Appends the fields of a message.
#[inline]
pub(super) fn write_fields(fields: &[Bound<'_>], row: usize, out: &mut Vec<u8>) -> Converted<()> {
    for field in fields {
        field.write(row, out)?;
    }
    Ok(())
}

impl Bound<'_> {
    /// Appends the field, unless it is absent. Recursion is bounded by the depth of the schema.
    #[inline]
    fn write(&self, row: usize, out: &mut Vec<u8>) -> Converted<()> {
        if let Some(union) = &self.union {
            let is_null = |nulls: &Option<&NullBuffer>| nulls.is_some_and(|nulls| nulls.is_null(row));
            if is_null(&union.nulls) {
                return Ok(());
            }
            if !union.members.is_empty() && union.members.iter().all(is_null) {
                return Err(data("Cannot find non-null field"));
            }
            if is_null(&self.nulls) || !self.before.iter().all(is_null) {
                return Ok(());
            }
        } else if self.is_null(row) {
            out.extend_from_slice(self.default.as_deref().unwrap_or_default());
            return Ok(());
        }
        self.write_value(row, out)
    }

    #[inline]
    fn is_null(&self, row: usize) -> bool {
        self.nulls.is_some_and(|nulls| nulls.is_null(row))
    }

    /// Appends the field of a row that is not null.
    pub(super) fn write_value(&self, row: usize, out: &mut Vec<u8>) -> Converted<()> {
        match &self.cells {
            Cells::List { offsets, item } => item.write_items(range(offsets, row), out),
            Cells::Map { offsets, key, value } => {
                for entry in range(offsets, row) {
                    tag(self.number, 2, out);
                    sized(out, |out| {
                        key.write(entry, out)?;
                        value.write(entry, out)
                    })?;
                }
                Ok(())
            }
            _ => {
                let start = out.len();
                tag(self.number, self.wire(), out);
                let is_default = self.write_bare(row, out)?;
                if (is_default && self.is_implicit) || self.is_unknown_number(row) {
                    out.truncate(start);
                }
                Ok(())
            }
        }
    }

    /// Whether the enum does not have the number: Java leaves such fields out.
    fn is_unknown_number(&self, row: usize) -> bool {
        match (self.form, &self.cells) {
            (Form::Enum { numbers, .. }, Cells::Int32(cells)) => !numbers.contains(&cells[row]),
            _ => false,
        }
    }

    /// Appends the value of the whole payload.
    pub(super) fn write_root(&self, row: usize, out: &mut Vec<u8>) -> Converted<()> {
        match self.form {
            Form::Logical(kind) => logical::write(*kind, self, row, out),
            _ => self.write_wrapped(row, out),
        }
    }

    fn write_items(&self, rows: std::ops::Range<usize>, out: &mut Vec<u8>) -> Converted<()> {
        if rows.clone().any(|row| self.is_null(row)) {
            return Err(Box::new(Fault::Bare {
                class: "java.lang.NullPointerException",
                message: "An array has null as an element, which Protobuf cannot hold".to_owned(),
            }));
        }
        if rows.is_empty() {
            return Ok(());
        }
        if self.wire() == 2 {
            for row in rows {
                tag(self.number, 2, out);
                self.write_bare(row, out)?;
            }
            return Ok(());
        }
        tag(self.number, 2, out);
        sized(out, |out| {
            for row in rows {
                self.write_bare(row, out)?;
            }
            Ok(())
        })
    }

    fn wire(&self) -> u8 {
        match self.form {
            Form::Scalar(kind) => kind.wire(),
            Form::Enum { .. } => 0,
            _ => 2,
        }
    }

    /// Appends the value behind its tag; true when it is the default of its type.
    #[inline]
    fn write_bare(&self, row: usize, out: &mut Vec<u8>) -> Converted<bool> {
        match (self.form, &self.cells) {
            (Form::Scalar(_), Cells::Var { offsets, data }) => {
                let length = range(offsets, row).len();
                varint(length as u64, out);
                append_leading(out, &data[offsets[row] as usize..], length);
                Ok(length == 0)
            }
            (Form::Scalar(kind), _) => Ok(self.write_scalar(kind, row, out)),
            (Form::Message(_) | Form::Recursive(_), Cells::Message(fields)) => {
                sized(out, |out| write_fields(fields, row, out))?;
                Ok(false)
            }
            (Form::Logical(kind), _) => {
                sized(out, |out| logical::write(*kind, self, row, out))?;
                Ok(false)
            }
            (Form::Wrapper(_), _) => {
                sized(out, |out| self.write_wrapped(row, out))?;
                Ok(false)
            }
            (Form::Enum { by_name, default, .. }, Cells::Var { offsets, data }) => {
                let name = &data[range(offsets, row)];
                let Some(number) = by_name.get(name) else {
                    return Err(argument("A value is none of the symbols of its enum"));
                };
                varint(i64::from(*number).cast_unsigned(), out);
                Ok(number == default)
            }
            (Form::Enum { default, .. }, Cells::Int32(cells)) => {
                let number = cells[row];
                varint(i64::from(number).cast_unsigned(), out);
                Ok(number == *default)
            }
            _ => unreachable!("columns and schemas are made together"),
        }
    }

    /// Appends the field of a wrapper message.
    fn write_wrapped(&self, row: usize, out: &mut Vec<u8>) -> Converted<()> {
        let (Form::Wrapper(kind) | Form::Scalar(kind)) = self.form else {
            return Err(data("The schema has no root message"));
        };
        let start = out.len();
        tag(1, kind.wire(), out);
        let is_default = if let Cells::Var { offsets, data } = &self.cells {
            let bytes = &data[range(offsets, row)];
            varint(bytes.len() as u64, out);
            out.extend_from_slice(bytes);
            bytes.is_empty()
        } else {
            self.write_scalar(kind, row, out)
        };
        if is_default {
            out.truncate(start);
        }
        Ok(())
    }

    #[inline]
    fn write_scalar(&self, kind: &Kind, row: usize, out: &mut Vec<u8>) -> bool {
        let number = match &self.cells {
            Cells::Double(cells) => {
                out.extend_from_slice(&cells[row].to_le_bytes());
                return cells[row].to_bits() == 0;
            }
            Cells::Float(cells) => {
                out.extend_from_slice(&cells[row].to_le_bytes());
                return cells[row].to_bits() == 0;
            }
            Cells::Boolean(cells) => i64::from(cells.value(row)),
            Cells::Int16(cells) => i64::from(cells[row]),
            Cells::Int32(cells) => i64::from(cells[row]),
            Cells::Int64(cells) => cells[row],
            Cells::Int8(cells) => i64::from(cells[row]),
            _ => unreachable!("columns and schemas are made together"),
        };
        match kind {
            Kind::Fixed32 | Kind::Sfixed32 => {
                out.extend_from_slice(&(number as i32).to_le_bytes());
                return number as i32 == 0;
            }
            Kind::Fixed64 | Kind::Sfixed64 => out.extend_from_slice(&number.to_le_bytes()),
            Kind::Sint32 | Kind::Sint64 => {
                varint((number.cast_unsigned() << 1) ^ (number >> 63).cast_unsigned(), out);
            }
            Kind::Uint32 => {
                varint(u64::from(number as u32), out);
                return number as u32 == 0;
            }
            Kind::Int32 => {
                varint(i64::from(number as i32).cast_unsigned(), out);
                return number as i32 == 0;
            }
            _ => varint(number.cast_unsigned(), out),
        }
        number == 0
    }
}

#[inline]
pub(super) fn tag(number: u32, wire: u8, out: &mut Vec<u8>) {
    varint(u64::from(number << 3 | u32::from(wire)), out);
}

#[inline]
pub(super) fn varint(number: u64, out: &mut Vec<u8>) {
    if number < 0x80 {
        return out.push(number as u8);
    }
    if number < 1 << 56 {
        // Groups of seven bits move to bytes of their own together: halves, pairs of pairs, pairs.
        let groups = (number & 0x0fff_ffff) | ((number & 0x00ff_ffff_f000_0000) << 4);
        let groups = (groups & 0x0000_3fff_0000_3fff) | ((groups & 0x0fff_c000_0fff_c000) << 2);
        let groups = (groups & 0x007f_007f_007f_007f) | ((groups & 0x3f80_3f80_3f80_3f80) << 1);
        let length = (u64::BITS - number.leading_zeros()).div_ceil(7);
        let more = 0x8080_8080_8080_8080 & ((1 << (8 * (length - 1))) - 1);
        let end = out.len() + length as usize;
        out.extend_from_slice(&(groups | more).to_le_bytes());
        return out.truncate(end);
    }
    let mut rest = number;
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

/// Appends what `write` appends, behind its length.
#[inline]
fn sized(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>) -> Converted<()>) -> Converted<()> {
    let start = out.len();
    out.push(0);
    write(out)?;
    let length = out.len() - start - 1;
    if length < 0x80 {
        out[start] = length as u8;
        return Ok(());
    }
    // Longer lengths take more bytes: what was written moves on.
    let mut prefix = [0; 10];
    let (mut rest, mut count) = (length, 0);
    while rest >= 0x80 {
        prefix[count] = rest as u8 | 0x80;
        rest >>= 7;
        count += 1;
    }
    prefix[count] = rest as u8;
    out.splice(start..=start, prefix[..=count].iter().copied());
    Ok(())
}

#[inline]
pub(super) fn range(offsets: &[i32], row: usize) -> std::ops::Range<usize> {
    // Offsets of an Arrow array ascend from 0 or more.
    offsets[row] as usize..offsets[row + 1] as usize
}

#[cfg(test)]
mod tests {
    use super::varint;

    #[test]
    fn varints_of_every_length_are_written() {
        for shift in 0..64 {
            for number in
                [1_u64 << shift, (1 << shift) - 1, 0x5555_5555_5555_5555 >> shift, u64::MAX >> shift]
            {
                let mut expected = b"x".to_vec();
                let mut rest = number;
                while rest >= 0x80 {
                    expected.push(rest as u8 | 0x80);
                    rest >>= 7;
                }
                expected.push(rest as u8);
                let mut out = b"x".to_vec();
                varint(number, &mut out);
                assert_eq!(out, expected, "{number}");
            }
        }
    }
}
