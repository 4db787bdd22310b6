//! JSON objects and arrays of pairs in MAP columns.
//!
//! Source: `JsonConverter.TO_CONNECT_CONVERTERS`, MAP: objects when keys are strings, else arrays of pairs.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::super::cursor::Cursor;
use super::super::fault::{Parsed, data, field, syntax};
use super::append::{json_type, row_count};
use super::entries;
use super::{Cells, Column, Reading, Runs, Strictness};

impl Column {
    /// Appends the map at the cursor, whose first byte is `token`.
    pub(super) fn append_map(&mut self, cursor: &mut Cursor<'_>, token: u8, reading: Reading) -> Parsed<()> {
        let found = json_type(token).ok_or_else(|| syntax("unexpected character", cursor.pos))?;
        let Cells::Map { offsets, entries } = &mut self.cells else { unreachable!("only called for maps") };
        let (keys, values) = &mut **entries;
        let names_only = reading.strictness != Strictness::Registered || !keys.optional;
        if let Cells::String(names) = &mut keys.cells
            && names_only
        {
            if token != b'{' {
                return Err(wrong_map(
                    "Maps with string fields should be encoded as JSON objects",
                    found,
                    reading,
                ));
            }
            let first = values.rows();
            let start = cursor.pos;
            let mut more = cursor.enter(b'}');
            while more {
                cursor.member_name()?.append_to(&mut names.items);
                names.end_cell()?;
                values.append_value(cursor, reading).map_err(|fault| fault.within("value of map "))?;
                more = cursor.has_more(b'}')?;
            }
            if has_duplicates(names, first) {
                keys.truncate(first);
                values.truncate(first);
                let object = Cursor { bytes: &cursor.bytes[..cursor.pos], pos: start };
                append_unique(keys, values, object, reading)?;
            }
        } else {
            if token != b'[' {
                let rule = match reading.strictness {
                    Strictness::Registered => {
                        "Maps with non-string fields should be encoded as JSON array of objects"
                    }
                    _ => "Maps with non-string fields should be encoded as JSON array of tuples",
                };
                return Err(wrong_map(rule, found, reading));
            }
            if reading.strictness == Strictness::Registered {
                entries::append_entries(keys, values, cursor, reading)?;
                offsets.push(row_count(values)?);
                return Ok(());
            }
            let (first, mut start) = (values.rows(), cursor.clone());
            let mut more = cursor.enter(b']');
            while more {
                append_pair(keys, values, cursor, reading)?;
                more = cursor.has_more(b']')?;
            }
            if let Some(sources) = last_values(keys, first) {
                keys.truncate(first);
                values.truncate(first);
                append_unique_pairs(keys, values, &mut start, reading, &sources)?;
            }
        }
        offsets.push(row_count(values)?);
        Ok(())
    }
}

fn append_pair(
    keys: &mut Column,
    values: &mut Column,
    cursor: &mut Cursor<'_>,
    reading: Reading,
) -> Parsed<()> {
    let token = cursor.token();
    if token != b'[' {
        let found = json_type(token).unwrap_or("NULL");
        return Err(data(format!("Found invalid map entry instead of array tuple: {found}")));
    }
    let start = cursor.clone();
    append_both(keys, values, cursor, reading).map_err(|fault| match count_items(start) {
        Ok(2) | Err(_) => fault,
        Ok(count) => data(format!("Found invalid map entry, expected length 2 but found :{count}")),
    })
}

fn append_both(
    keys: &mut Column,
    values: &mut Column,
    cursor: &mut Cursor<'_>,
    reading: Reading,
) -> Parsed<()> {
    if !cursor.enter(b']') {
        return Err(syntax("an empty pair", cursor.pos));
    }
    keys.append_value(cursor, reading).map_err(|fault| fault.within("key of map "))?;
    if keys.nulls.is_valid(keys.rows() - 1) && cursor.has_more(b']')? {
        values.append_value(cursor, reading).map_err(|fault| fault.within("value of map "))?;
        return if cursor.has_more(b']')? { Err(syntax("a long pair", cursor.pos)) } else { Ok(()) };
    }
    Err(data("A map key is null"))
}

/// The number of items of the array at the cursor.
fn count_items(mut cursor: Cursor<'_>) -> Parsed<usize> {
    let mut count = 0;
    let mut more = cursor.enter(b']');
    while more {
        cursor.skip_value()?;
        count += 1;
        more = cursor.has_more(b']')?;
    }
    Ok(count)
}

fn wrong_map(rule: &str, found: &str, reading: Reading) -> Box<super::super::fault::Fault> {
    match reading.strictness {
        Strictness::Declared => field(format!("expected MAP but found a JSON {found}")),
        Strictness::Envelope | Strictness::Inferred | Strictness::Registered => {
            data(format!("{rule}, but found {found}"))
        }
    }
}

/// Whether two of the keys from row `first` on are equal.
pub(super) fn has_duplicates(names: &Runs<u8>, first: usize) -> bool {
    let name = |row: usize| &names.items[names.offsets[row] as usize..names.offsets[row + 1] as usize];
    let rows = first..names.offsets.len() - 1;
    if rows.len() <= 8 {
        return rows.clone().any(|row| (first..row).any(|earlier| name(earlier) == name(row)));
    }
    let mut sorted: Vec<&[u8]> = rows.map(name).collect();
    sorted.sort_unstable();
    sorted.windows(2).any(|pair| pair[0] == pair[1])
}

/// Appends an object with duplicate names: the first place, the last value.
fn append_unique(
    keys: &mut Column,
    values: &mut Column,
    mut object: Cursor<'_>,
    reading: Reading,
) -> Parsed<()> {
    let mut order = Vec::new();
    let mut last = HashMap::new();
    let mut more = object.enter(b'}');
    while more {
        let name = object.member_name()?.resolved().into_owned();
        if last.insert(name.clone(), object.pos).is_none() {
            order.push(name);
        }
        object.skip_value()?;
        more = object.has_more(b'}')?;
    }
    for name in order {
        object.pos = last[&name];
        if let Cells::String(names) = &mut keys.cells {
            names.items.extend_from_slice(&name);
            names.end_cell()?;
        }
        values.append_value(&mut object, reading)?;
    }
    Ok(())
}

/// For pairs with equal keys: the indices of the pairs that count, each as (key, value): a key keeps its
/// first place and takes its last value. `None` when all keys differ, or are objects that Java compares by
/// identity.
fn last_values(keys: &Column, first: usize) -> Option<Vec<(usize, usize)>> {
    let count = keys.rows() - first;
    if count < 2 {
        return None;
    }
    let mut places: HashMap<u64, usize> = HashMap::with_capacity(count);
    let mut sources: Vec<(usize, usize)> = Vec::with_capacity(count);
    for index in 0..count {
        match places.entry(key_bits(keys, first + index)?) {
            Entry::Occupied(place) => sources[*place.get()].1 = index,
            Entry::Vacant(place) => {
                place.insert(sources.len());
                sources.push((index, index));
            }
        }
    }
    (sources.len() < count).then_some(sources)
}

/// Bits that are equal exactly for equal keys; `None` for keys that are not numbers or booleans.
pub(super) fn key_bits(keys: &Column, row: usize) -> Option<u64> {
    Some(match &keys.cells {
        Cells::Boolean(flags) => u64::from(flags[row]),
        Cells::Date(numbers) | Cells::Int32(numbers) | Cells::Time(numbers) => numbers[row] as u64,
        Cells::Float32(numbers) => u64::from(numbers[row].to_bits()),
        Cells::Float64(numbers) => numbers[row].to_bits(),
        Cells::Int16(numbers) => numbers[row] as u64,
        Cells::Int64(numbers) | Cells::Timestamp(numbers) => numbers[row] as u64,
        Cells::Int8(numbers) => numbers[row] as u64,
        _ => return None,
    })
}

/// Appends the pairs of the array at the cursor that `sources` names.
fn append_unique_pairs(
    keys: &mut Column,
    values: &mut Column,
    cursor: &mut Cursor<'_>,
    reading: Reading,
    sources: &[(usize, usize)],
) -> Parsed<()> {
    let mut pairs = Vec::new();
    let mut more = cursor.enter(b']');
    while more {
        cursor.token();
        pairs.push(cursor.clone());
        cursor.skip_value()?;
        more = cursor.has_more(b']')?;
    }
    for (key, value) in sources {
        let mut pair = pairs[*key].clone();
        pair.enter(b']');
        keys.append_value(&mut pair, reading)?;
        let mut pair = pairs[*value].clone();
        pair.enter(b']');
        pair.skip_value()?;
        pair.has_more(b']')?;
        values.append_value(&mut pair, reading)?;
    }
    Ok(())
}
