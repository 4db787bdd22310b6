//! JSON objects and arrays of pairs in MAP columns.
//!
//! Source: `JsonConverter.TO_CONNECT_CONVERTERS`, MAP: objects when keys are strings, else arrays of pairs.

use std::collections::HashMap;

use super::super::cursor::Cursor;
use super::super::fault::{Parsed, data, field, syntax};
use super::append::{json_type, row_count};
use super::{Cells, Column, Reading, Runs, Strictness};

impl Column {
    /// Appends the map at the cursor, whose first byte is `token`.
    pub(super) fn append_map(&mut self, cursor: &mut Cursor<'_>, token: u8, reading: Reading) -> Parsed<()> {
        let found = json_type(token).ok_or_else(|| syntax("unexpected character", cursor.pos))?;
        let Cells::Map { offsets, entries } = &mut self.cells else { unreachable!("only called for maps") };
        let (keys, values) = &mut **entries;
        if let Cells::String(names) = &mut keys.cells {
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
                keys.nulls.append_non_null();
                values.append_value(cursor, reading).map_err(|fault| fault.inside("{}"))?;
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
                let rule = "Maps with non-string fields should be encoded as JSON arrays of tuples";
                return Err(wrong_map(rule, found, reading));
            }
            let mut more = cursor.enter(b']');
            while more {
                append_pair(keys, values, cursor, reading)?;
                more = cursor.has_more(b']')?;
            }
        }
        offsets.push(row_count(values)?);
        self.nulls.append_non_null();
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
    let wrong_length = || data("Found invalid map entry, expected length 2");
    if !cursor.enter(b']') {
        return Err(wrong_length());
    }
    keys.append_value(cursor, reading)?;
    if keys.nulls.is_valid(keys.rows() - 1) && cursor.has_more(b']')? {
        values.append_value(cursor, reading)?;
        return if cursor.has_more(b']')? { Err(wrong_length()) } else { Ok(()) };
    }
    Err(if keys.nulls.is_valid(keys.rows() - 1) { wrong_length() } else { data("A map key is null") })
}

fn wrong_map(rule: &str, found: &str, reading: Reading) -> Box<super::super::fault::Fault> {
    match reading.strictness {
        Strictness::Declared => field(format!("expected MAP but found a JSON {found}")),
        Strictness::Envelope | Strictness::Inferred => data(format!("{rule}, but found {found}")),
    }
}

/// Whether two of the keys from row `first` on are equal.
fn has_duplicates(names: &Runs<u8>, first: usize) -> bool {
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
            keys.nulls.append_non_null();
        }
        values.append_value(&mut object, reading)?;
    }
    Ok(())
}
