//! Maps as arrays of `{"key":…,"value":…}` objects.
//!
//! Source: `JsonSchemaData.TO_CONNECT_CONVERTERS`, MAP with keys that are no required texts.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::super::cursor::Cursor;
use super::super::fault::{Parsed, data};
use super::append::json_type;
use super::map::key_bits;
use super::{Cells, Column, Reading};

/// Appends the entries of the array at the cursor. Of equal keys the first place and the last value count.
pub(super) fn append_entries(
    keys: &mut Column,
    values: &mut Column,
    cursor: &mut Cursor<'_>,
    reading: Reading,
) -> Parsed<()> {
    let first = keys.rows();
    let mut start = cursor.clone();
    let mut more = cursor.enter(b']');
    while more {
        append_entry(keys, values, cursor, reading)?;
        more = cursor.has_more(b']')?;
    }
    let Some(sources) = last_values(keys, first) else { return Ok(()) };
    let mut entries = Vec::new();
    let mut more = start.enter(b']');
    while more {
        start.token();
        entries.push(start.clone());
        start.skip_value()?;
        more = start.has_more(b']')?;
    }
    keys.truncate(first);
    values.truncate(first);
    for (key, value) in sources {
        // The other half of each is taken back.
        let rows = keys.rows();
        append_entry(keys, values, &mut entries[value].clone(), reading)?;
        keys.truncate(rows);
        append_entry(keys, values, &mut entries[key].clone(), reading)?;
        values.truncate(rows + 1);
    }
    Ok(())
}

fn append_entry(
    keys: &mut Column,
    values: &mut Column,
    cursor: &mut Cursor<'_>,
    reading: Reading,
) -> Parsed<()> {
    let token = cursor.token();
    if token != b'{' {
        let found = json_type(token).unwrap_or("NULL");
        return Err(data(format!("Found invalid map entry instead of object: {found}")));
    }
    let (key_rows, value_rows) = (keys.rows(), values.rows());
    let start = cursor.clone();
    let mut others = false;
    let mut more = cursor.enter(b'}');
    while more {
        let name = cursor.member_name()?.resolved();
        match &*name {
            b"key" => {
                keys.truncate(key_rows);
                keys.append_value(cursor, reading).map_err(|fault| fault.within("key of map "))?;
            }
            b"value" => {
                values.truncate(value_rows);
                values.append_value(cursor, reading).map_err(|fault| fault.within("value of map "))?;
            }
            _ => {
                others = true;
                cursor.skip_value()?;
            }
        }
        more = cursor.has_more(b'}')?;
    }
    if others || keys.rows() == key_rows || values.rows() == value_rows {
        let count = count_names(start)?;
        if count != 2 {
            return Err(data(format!("Found invalid map entry, expected length 2 but found :{count}")));
        }
    }
    // Members of other names only count: what they stand in for is absent.
    if keys.rows() == key_rows {
        keys.append_absent(reading).map_err(|fault| fault.within("key of map "))?;
    }
    if values.rows() == value_rows {
        values.append_absent(reading).map_err(|fault| fault.within("value of map "))?;
    }
    if keys.nulls.is_valid(key_rows) { Ok(()) } else { Err(data("A map key is null")) }
}

/// The number of different names in the object at the cursor.
fn count_names(mut cursor: Cursor<'_>) -> Parsed<usize> {
    let mut names = std::collections::HashSet::new();
    let mut more = cursor.enter(b'}');
    while more {
        names.insert(cursor.member_name()?.resolved());
        cursor.skip_value()?;
        more = cursor.has_more(b'}')?;
    }
    Ok(names.len())
}

/// For entries with equal keys: the indices of the entries that count, each as (key, value). `None` when all
/// keys differ, or are containers.
fn last_values(keys: &Column, first: usize) -> Option<Vec<(usize, usize)>> {
    let count = keys.rows() - first;
    if count < 2 {
        return None;
    }
    let mut places: HashMap<KeyId<'_>, usize> = HashMap::with_capacity(count);
    let mut sources: Vec<(usize, usize)> = Vec::with_capacity(count);
    for index in 0..count {
        match places.entry(key_id(keys, first + index)?) {
            Entry::Occupied(place) => sources[*place.get()].1 = index,
            Entry::Vacant(place) => {
                place.insert(sources.len());
                sources.push((index, index));
            }
        }
    }
    (sources.len() < count).then_some(sources)
}

#[derive(PartialEq, Eq, Hash)]
enum KeyId<'a> {
    Bits(u64),
    Text(&'a [u8]),
}

fn key_id(keys: &Column, row: usize) -> Option<KeyId<'_>> {
    match &keys.cells {
        Cells::String(texts) | Cells::Decimal { unscaled: texts, .. } => {
            Some(KeyId::Text(&texts.items[texts.offsets[row] as usize..texts.offsets[row + 1] as usize]))
        }
        _ => key_bits(keys, row).map(KeyId::Bits),
    }
}
