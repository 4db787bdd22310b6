//! Schemaless data: the record `Anything`, which holds one member of whatever type a value has.
//!
//! Source: `AvroData.ANYTHING_SCHEMA`, `#maybeWrapSchemaless`.

use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use lakeward_api::value::Value;

use super::fault::{Converted, data, malformed};
use super::read::Cursor;
use super::schema::{AvroSchema, parse, print};
use super::write::{write_bytes, write_long};

/// The schema text, as Java registers it.
pub(super) const TEXT: &str = concat!(
    r#"{"type":"record","name":"Anything","namespace":"io.confluent.connect.avro","fields":["#,
    r#"{"name":"boolean","type":["null","boolean"],"default":null},"#,
    r#"{"name":"bytes","type":["null","bytes"],"default":null},"#,
    r#"{"name":"double","type":["null","double"],"default":null},"#,
    r#"{"name":"float","type":["null","float"],"default":null},"#,
    r#"{"name":"int","type":["null","int"],"default":null},"#,
    r#"{"name":"long","type":["null","long"],"default":null},"#,
    r#"{"name":"string","type":["null","string"],"default":null},"#,
    r#"{"name":"array","type":["null",{"type":"array","items":"Anything"}],"default":null},"#,
    r#"{"name":"map","type":["null",{"type":"array","items":{"type":"record","name":"MapEntry","fields":["#,
    r#"{"name":"key","type":"Anything"},{"name":"value","type":"Anything"}]}}],"default":null}]}"#,
);

/// Whether `schema` is that of schemaless data.
pub(super) fn is_anything(schema: &AvroSchema) -> bool {
    schema.root_type().full_name() == "io.confluent.connect.avro.Anything"
        && ANYTHING.as_deref().is_some_and(|anything| anything == print(schema))
}

static ANYTHING: LazyLock<Option<String>> =
    LazyLock::new(|| parse(TEXT, std::iter::empty()).ok().map(|schema| print(&schema)));

/// Reads the value at the cursor. Of several members the first counts.
pub(super) fn read(cursor: &mut Cursor<'_>) -> Converted<Value> {
    read_nested(cursor, DEPTH_MAX)
}

fn read_nested(cursor: &mut Cursor<'_>, depth_left: usize) -> Converted<Value> {
    let Some(depth_left) = depth_left.checked_sub(1) else {
        return Err(malformed(format!("Values are nested more than {DEPTH_MAX} levels deep")));
    };
    let mut found = None;
    for member in 0..MEMBERS {
        if cursor.branch(2)? == 0 {
            continue;
        }
        let value = match member {
            0 => Value::Boolean(cursor.boolean()?),
            1 => Value::Bytes(Bytes::copy_from_slice(cursor.bytes()?)),
            2 => Value::Float64(cursor.double()?),
            3 => Value::Float32(cursor.float()?),
            4 => Value::Int32(cursor.int()?),
            5 => Value::Int64(cursor.long()?),
            6 => Value::String(super::super::utf8::text(cursor.bytes()?).into()),
            7 => Value::Array(items(cursor, MEMBERS, |cursor| read_nested(cursor, depth_left))?),
            _ => {
                let entry = |cursor: &mut Cursor<'_>| {
                    Ok((read_nested(cursor, depth_left)?, read_nested(cursor, depth_left)?))
                };
                Value::Map(last_of_each(items(cursor, 2 * MEMBERS, entry)?))
            }
        };
        found.get_or_insert(value);
    }
    Ok(found.unwrap_or(Value::Null))
}

fn items<T>(
    cursor: &mut Cursor<'_>,
    bytes_min: usize,
    mut item: impl FnMut(&mut Cursor<'_>) -> Converted<T>,
) -> Converted<Vec<T>> {
    let mut items = Vec::new();
    loop {
        let count = cursor.block(bytes_min)?;
        if count == 0 {
            return Ok(items);
        }
        for _ in 0..count {
            items.push(item(cursor)?);
        }
    }
}

/// Entries with unique keys, as a `HashMap` keeps them.
fn last_of_each(entries: Vec<(Value, Value)>) -> Vec<(Value, Value)> {
    let mut places = std::collections::HashMap::new();
    let mut unique: Vec<(Value, Value)> = Vec::with_capacity(entries.len());
    for (key, value) in entries {
        let place = *places.entry(format!("{key:?}")).or_insert(unique.len());
        match unique.get_mut(place) {
            Some(entry) => entry.1 = value,
            None => unique.push((key, value)),
        }
    }
    unique
}

/// Appends `value`.
///
/// # Errors
/// A `DataException` for values Java does not take without a schema: bytes, decimals and dates.
pub(super) fn write(value: &Value, out: &mut Vec<u8>) -> Converted<()> {
    write_nested(value, out, DEPTH_MAX)
}

fn write_nested(value: &Value, out: &mut Vec<u8>, depth_left: usize) -> Converted<()> {
    let Some(depth_left) = depth_left.checked_sub(1) else {
        return Err(data(format!("Values are nested more than {DEPTH_MAX} levels deep")));
    };
    let refused = |class: &str| Err(data(format!("Unknown Java type for schemaless data: class {class}")));
    let member = match value {
        Value::Null => {
            out.extend_from_slice(&[0; MEMBERS]);
            return Ok(());
        }
        Value::Boolean(_) => 0,
        Value::Float64(_) => 2,
        Value::Float32(_) => 3,
        Value::Int8(_) | Value::Int16(_) | Value::Int32(_) => 4,
        Value::Int64(_) => 5,
        Value::String(_) => 6,
        Value::Array(_) => 7,
        Value::Map(_) => 8,
        Value::Bytes(_) => return refused("[B"),
        Value::Date(_) => return refused("java.util.Date"),
        Value::Decimal(_) => return refused("java.math.BigDecimal"),
        Value::Struct(_) => return refused("org.apache.kafka.connect.data.Struct"),
    };
    out.extend_from_slice(&[0; MEMBERS][..member]);
    out.push(2);
    match value {
        Value::Boolean(flag) => out.push(u8::from(*flag)),
        Value::Float64(number) => out.extend_from_slice(&number.to_le_bytes()),
        Value::Float32(number) => out.extend_from_slice(&number.to_le_bytes()),
        Value::Int8(number) => write_long(out, i64::from(*number)),
        Value::Int16(number) => write_long(out, i64::from(*number)),
        Value::Int32(number) => write_long(out, i64::from(*number)),
        Value::Int64(number) => write_long(out, *number),
        Value::String(text) => write_bytes(out, text.as_bytes()),
        Value::Array(values) => {
            write_count(out, values.len());
            for value in values {
                write_nested(value, out, depth_left)?;
            }
            write_end(out, values.len());
        }
        Value::Map(entries) => {
            write_count(out, entries.len());
            for (key, value) in entries {
                write_nested(key, out, depth_left)?;
                write_nested(value, out, depth_left)?;
            }
            write_end(out, entries.len());
        }
        _ => {}
    }
    out.extend_from_slice(&[0; MEMBERS][member + 1..]);
    Ok(())
}

fn write_count(out: &mut Vec<u8>, count: usize) {
    write_long(out, i64::try_from(count).unwrap_or(i64::MAX));
}

/// Ends an array; the count of an empty one is its end.
fn write_end(out: &mut Vec<u8>, count: usize) {
    if count > 0 {
        out.push(0);
    }
}

/// Members of the record, which are also its bytes when all are null.
const MEMBERS: usize = 9;

/// Containers in containers.
const DEPTH_MAX: usize = 256;

/// The schema of schemaless data, for the registry.
pub(super) fn text() -> Arc<str> {
    TEXT.into()
}
