//! Where and for whom times are printed: a zone with its names, and a language.
//!
//! Source: `DateTimeZone#getID`, `#getName`, `#getShortName`; `DefaultNameProvider`; Joda-Time 2.13, JDK 17.
//! `zones.txt` and `names.gz` are written by `generate/JodaTables.java`.

use std::io::Read as _;
use std::sync::OnceLock;

use super::words::{Length, Words};
use crate::s3::partitioner::zone::Zone;

/// A time zone and a language.
#[derive(Clone, Debug)]
pub(crate) struct Locality {
    pub(crate) zone: Zone,
    pub(super) words: Words,
    id: String,
    /// `None` for zones without a name.
    locale: Option<String>,
    /// Of times at the standard offset, and of others; an offset takes the place of an empty name. Few
    /// patterns ask for them, and the table is long.
    names: OnceLock<[Names; 2]>,
}

#[derive(Clone, Debug, Default)]
struct Names {
    short: String,
    long: String,
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
        let words = Words::of(locale);
        let locale = is_named.then(|| locale.to_lowercase());
        Some(Self { zone, words, id, locale, names: OnceLock::new() })
    }

    /// The id of the zone, which may be another than the one that was asked for.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// The name of the zone at `utc_ms`.
    pub(super) fn zone_name(&self, utc_ms: i64, length: Length) -> String {
        let Some(locale) = &self.locale else { return self.id.clone() };
        let names = self.names.get_or_init(|| names(&self.id, locale));
        let names = &names[usize::from(!self.zone.is_standard(utc_ms))];
        match if length == Length::Short { &*names.short } else { &*names.long } {
            "" => offset_text(self.zone.offset_ms(utc_ms)),
            name => name.to_owned(),
        }
    }
}

/// The zone that the id is a link to, or itself.
fn canonical(id: &str) -> &str {
    TABLE
        .lines()
        .filter_map(|line| line.split_once('\t').filter(|(_, zone)| !zone.contains('\t')))
        .find(|(link, _)| *link == id)
        .map_or(id, |(_, zone)| zone)
}

/// The names of a zone in a language, and those of no language where Java does not know it.
fn names(id: &str, language: &str) -> [Names; 2] {
    let groups = TABLE.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    let groups = groups.filter(|columns| columns.len() == COLUMNS);
    let is_its = |columns: &[&str]| columns[COLUMNS - 1].split(' ').any(|one| one == id);
    let Some((number, columns)) = groups.enumerate().find(|(_, columns)| is_its(columns)) else {
        return Default::default();
    };
    let (english, none) = (&columns[..4], &columns[4..8]);
    let own = if language == "en" { None } else { names_in(language, number) };
    let name = |at: usize| match &own {
        _ if language == "en" => english[at].to_owned(),
        Some(own) if own[at] == "=" => english[at].to_owned(),
        Some(own) => own[at].clone(),
        None => none[at].to_owned(),
    };
    [Names { short: name(0), long: name(1) }, Names { short: name(2), long: name(3) }]
}

/// The names of the group `number` in a language that Java knows.
fn names_in(language: &str, number: usize) -> Option<Vec<String>> {
    let mut table = String::new();
    let unpacked = flate2::read::GzDecoder::new(NAMES).read_to_string(&mut table);
    unpacked.expect("the table is part of the program");
    let mut blocks = table.split('#').filter_map(|block| block.split_once('\n'));
    let (_, lines) = blocks.find(|(languages, _)| languages.split(',').any(|one| one == language))?;
    let line = lines.lines().nth(number).expect("a language has names for all groups");
    Some(line.split('\t').map(str::to_owned).collect())
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
/// gzip: the languages that share names, and below them those of each group of zones; `=` is the English one.
const NAMES: &[u8] = include_bytes!("names.gz");
/// Names in English and in no language; ids.
const COLUMNS: usize = 9;
