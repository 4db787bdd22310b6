//! Decided cuts as the metadata text of a committed offset.
//!
//! `lakeward-cuts-1;<fingerprint>;<cut>;<cut>…` with cuts as `<records>[@<ms>[,<records>:<ms>]…]`.
//! Numbers are distances: ends from the end before (the first one from the committed offset), offsets of
//! clock bases from the beginning of their cut, times from the time before (the first one from the epoch).

use std::fmt::Write as _;

use super::{ClockBase, Cut};

/// Brokers take 4,096 bytes unless told otherwise (`offset.metadata.max.bytes`).
pub const METADATA_BYTES_MAX: usize = 3 * 1024;

/// A longer text is not looked at.
const READ_BYTES_MAX: usize = 64 * 1024;

const TAG: &str = "lakeward-cuts-1";
const FAMILY: &str = "lakeward-cuts-";

/// What the metadata of a committed offset says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// Cuts that were decided with the settings of this fingerprint.
    Cuts {
        /// Its text.
        fingerprint: String,
        /// Ascending, all beyond the committed offset.
        cuts: Vec<Cut>,
    },
    /// Something of another origin.
    Foreign,
    /// Nothing.
    Nothing,
    /// Decided cuts in a form that this version does not know, or broken ones.
    Unreadable,
}

/// The text for as many of `cuts` as fit into [`METADATA_BYTES_MAX`], and how many that are. They ascend, all
/// beyond `committed`. Empty without cuts.
pub fn write<'a>(
    fingerprint: &str,
    committed: i64,
    cuts: impl IntoIterator<Item = &'a Cut>,
) -> (String, usize) {
    let mut text = format!("{TAG};{fingerprint}");
    let (mut start, mut last_ms, mut count) = (committed, 0, 0);
    for cut in cuts {
        let before = text.len();
        write_cut(&mut text, cut, start, &mut last_ms);
        if text.len() > METADATA_BYTES_MAX {
            text.truncate(before);
            break;
        }
        start = cut.end;
        count += 1;
    }
    if count == 0 { (String::new(), 0) } else { (text, count) }
}

fn write_cut(text: &mut String, cut: &Cut, start: i64, last_ms: &mut i64) {
    assert!(cut.end > start, "cuts ascend from the committed offset");
    const INFALLIBLE: &str = "writing to a text cannot fail";
    write!(text, ";{}", cut.end - start).expect(INFALLIBLE);
    for (index, base) in cut.clock.iter().enumerate() {
        let ms = base.wall_ms.wrapping_sub(*last_ms);
        *last_ms = base.wall_ms;
        if index == 0 {
            write!(text, "@{ms}").expect(INFALLIBLE);
        } else {
            write!(text, ",{}:{ms}", base.offset - start).expect(INFALLIBLE);
        }
    }
}

/// Reads the metadata of an offset committed at `committed`. Takes any text: costs no more than its length.
pub fn parse(committed: i64, metadata: &str) -> Recorded {
    if metadata.is_empty() {
        return Recorded::Nothing;
    }
    if !metadata.starts_with(FAMILY) {
        return Recorded::Foreign;
    }
    if metadata.len() > READ_BYTES_MAX {
        return Recorded::Unreadable;
    }
    let mut fields = metadata.split(';');
    let (tag, fingerprint) = (fields.next(), fields.next());
    let (Some(TAG), Some(fingerprint)) = (tag, fingerprint) else { return Recorded::Unreadable };
    let (mut start, mut last_ms) = (committed, 0);
    let mut cuts = Vec::new();
    for field in fields {
        let Some(cut) = parse_cut(field, start, &mut last_ms) else { return Recorded::Unreadable };
        start = cut.end;
        cuts.push(cut);
    }
    Recorded::Cuts { fingerprint: fingerprint.to_owned(), cuts }
}

fn parse_cut(field: &str, start: i64, last_ms: &mut i64) -> Option<Cut> {
    let (records, clock) = match field.split_once('@') {
        Some((records, clock)) => (records, Some(clock)),
        None => (field, None),
    };
    let records: i64 = records.parse().ok().filter(|records| *records > 0)?;
    let mut cut = Cut { end: start.checked_add(records)?, clock: Vec::new() };
    for (index, base) in clock.into_iter().flat_map(|clock| clock.split(',')).enumerate() {
        let (offset, ms) = if index == 0 { ("0", base) } else { base.split_once(':')? };
        let offset = start.checked_add(offset.parse().ok()?)?;
        let is_behind = cut.clock.last().is_none_or(|last| last.offset < offset);
        if !is_behind || offset >= cut.end {
            return None;
        }
        *last_ms = last_ms.checked_add(ms.parse().ok()?)?;
        cut.clock.push(ClockBase { offset, wall_ms: *last_ms });
    }
    Some(cut)
}
