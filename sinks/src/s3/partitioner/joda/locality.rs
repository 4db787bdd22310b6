//! Where and for whom times are printed: a zone with its names, and a language.
//!
//! Source: `DateTimeZone#getID`, `#getName`, `#getShortName`; `DefaultNameProvider`; Joda-Time 2.13, JDK 17.
//! `zones.txt` is written by `generate/JodaTables.java`.

use super::words::{self, Length, Words};
use crate::s3::partitioner::zone::Zone;

/// A time zone and a language.
#[derive(Clone, Debug)]
pub(crate) struct Locality {
    pub(crate) zone: Zone,
    pub(super) words: Words,
    id: String,
    /// Of times at the standard offset, and of others; an offset takes the place of an empty name.
    names: Option<[Names; 2]>,
}

#[derive(Clone, Copy, Debug)]
struct Names {
    short: &'static str,
    long: &'static str,
}

impl Locality {
    /// The zone `id` and the locale `locale`, as their settings have them; `None` for no zone.
    pub(crate) fn new(id: &str, locale: &str) -> Option<Self> {
        let zone = Zone::parse(id)?;
        let id = match zone {
            Zone::Fixed { offset_ms: 0 } => "UTC".to_owned(),
            Zone::Fixed { offset_ms } => offset_text(offset_ms),
            Zone::Region(_) => canonical(id).to_owned(),
        };
        let is_named = id == "UTC" || matches!(zone, Zone::Region(_));
        let names = is_named.then(|| names(&id, locale.eq_ignore_ascii_case("en")));
        Some(Self { zone, words: Words::of(locale), id, names })
    }

    /// The id of the zone, which may be another than the one that was asked for.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// The name of the zone at `utc_ms`.
    pub(super) fn zone_name(&self, utc_ms: i64, length: Length) -> String {
        let Some(names) = self.names else { return self.id.clone() };
        let names = names[usize::from(!self.zone.is_standard(utc_ms))];
        match if length == Length::Short { names.short } else { names.long } {
            "" => offset_text(self.zone.offset_ms(utc_ms)),
            name => name.to_owned(),
        }
    }
}

/// Whether the names of time zones are known in the language of `locale`: in English, and where Java has no
/// words.
pub(crate) fn has_zone_names(locale: &str) -> bool {
    locale.eq_ignore_ascii_case("en") || !words::is_known(locale)
}

/// The zone that the id is a link to, or itself.
fn canonical(id: &str) -> &str {
    TABLE
        .lines()
        .filter_map(|line| line.split_once('\t').filter(|(_, zone)| !zone.contains('\t')))
        .find(|(link, _)| *link == id)
        .map_or(id, |(_, zone)| zone)
}

/// The names of a zone. The table has those in English first.
fn names(id: &str, is_english: bool) -> [Names; 2] {
    let columns = TABLE.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    let found = columns
        .filter(|columns| columns.len() == COLUMNS)
        .find(|columns| columns[COLUMNS - 1].split(' ').any(|one| one == id));
    let first = if is_english { 0 } else { 4 };
    let name = |at: usize| found.as_ref().map_or("", |columns| columns[first + at]);
    [Names { short: name(0), long: name(1) }, Names { short: name(2), long: name(3) }]
}

/// `+hh:mm`, and seconds and milliseconds where there are any. Source: `DateTimeZone#printOffset`.
fn offset_text(offset_ms: i64) -> String {
    let sign = if offset_ms < 0 { '-' } else { '+' };
    let ms = offset_ms.abs();
    let mut text = format!("{sign}{:02}:{:02}", ms / 3_600_000, ms / 60_000 % 60);
    if ms % 60_000 != 0 {
        text += &format!(":{:02}", ms / 1000 % 60);
    }
    if ms % 1000 != 0 {
        text += &format!(".{:03}", ms % 1000);
    }
    text
}

const TABLE: &str = include_str!("zones.txt");
/// Names in English and in no language; ids.
const COLUMNS: usize = 9;
