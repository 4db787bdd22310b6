//! Values of places where a type contains itself: trees of values, which their cells hold packed.

use lakeward_api::packed;
use lakeward_api::rows::DAY_MS;
use lakeward_api::value::Value;

use super::super::fault::{Converted, data};
use super::row::{NULL, write_formed};
use super::{Form, Node, write_long};

/// Appends the value of a cell of place number `place`.
pub(super) fn write_place(places: &[Node], place: usize, cell: &[u8], out: &mut Vec<u8>) -> Converted<()> {
    let node = places.get(place).ok_or_else(|| data("A default contains its own type"))?;
    write_present(places, node, &packed::unpack(cell), out)
}

/// Appends a value or null. Recursion is bounded by the depth of the value.
fn write(places: &[Node], node: &Node, value: &Value, out: &mut Vec<u8>) -> Converted<()> {
    if value.is_null() {
        return node.write_null(out);
    }
    if let Some(union) = &node.union {
        out.push(union.value);
    }
    write_present(places, node, value, out)
}

fn write_present(places: &[Node], node: &Node, value: &Value, out: &mut Vec<u8>) -> Converted<()> {
    match (&node.form, value) {
        (Form::Recursive(place), value) => {
            let node = places.get(*place).ok_or_else(|| data("A default contains its own type"))?;
            write_present(places, node, value, out)?;
        }
        (Form::Boolean, Value::Boolean(flag)) => out.push(u8::from(*flag)),
        (Form::Double, Value::Float64(number)) => out.extend_from_slice(&number.to_le_bytes()),
        (Form::Float, Value::Float32(number)) => out.extend_from_slice(&number.to_le_bytes()),
        (Form::Integer { .. }, Value::Int8(number)) => write_long(out, i64::from(*number)),
        (Form::Integer { .. }, Value::Int16(number)) => write_long(out, i64::from(*number)),
        (Form::Integer { .. }, Value::Int32(number)) => write_long(out, i64::from(*number)),
        (Form::Integer { .. }, Value::Int64(number)) => write_long(out, *number),
        (Form::Integer { is_date }, Value::Date(ms)) => {
            write_long(out, if *is_date { ms.div_euclid(DAY_MS) } else { *ms });
        }
        (form, Value::String(text)) => write_formed(form, text.as_bytes(), out)?,
        (form, Value::Bytes(bytes)) => write_formed(form, bytes, out)?,
        (form, Value::Decimal(decimal)) => write_formed(form, &decimal.unscaled, out)?,
        (Form::List(item), Value::Array(values)) => {
            count(values.len(), out);
            values.iter().try_for_each(|value| write(places, item, value, out))?;
            end(values.len(), out);
        }
        (Form::Map { key, value }, Value::Map(entries)) => {
            entries_of(places, (key, value), entries, false, out)?;
        }
        (Form::Entries { key, value, value_first }, Value::Map(entries)) => {
            entries_of(places, (key, value), entries, *value_first, out)?;
        }
        (Form::Struct(members), Value::Struct(values)) => {
            for (at, member) in members {
                let value = values.get(*at).ok_or_else(|| data(NULL))?;
                write(places, member, value, out)?;
            }
        }
        (Form::Union { null, branches }, Value::Struct(values)) => {
            let chosen = branches.iter().zip(values).find(|(_, value)| !value.is_null());
            match chosen {
                Some(((index, branch), value)) => {
                    write_long(out, *index);
                    write(places, branch, value, out)?;
                }
                None => write_long(out, null.ok_or_else(|| data(NULL))?),
            }
        }
        _ => return Err(data("A value is not of the type of its schema")),
    }
    Ok(())
}

fn entries_of(
    places: &[Node],
    (key, value): (&Node, &Node),
    entries: &[(Value, Value)],
    value_first: bool,
    out: &mut Vec<u8>,
) -> Converted<()> {
    count(entries.len(), out);
    for (name, member) in entries {
        if value_first {
            write(places, value, member, out)?;
        }
        write(places, key, name, out)?;
        if !value_first {
            write(places, value, member, out)?;
        }
    }
    end(entries.len(), out);
    Ok(())
}

fn count(items: usize, out: &mut Vec<u8>) {
    write_long(out, i64::try_from(items).unwrap_or(i64::MAX));
}

/// Ends an array; the count of an empty one is its end.
fn end(items: usize, out: &mut Vec<u8>) {
    if items > 0 {
        out.push(0);
    }
}
