//! The contract, record by record: which file a record goes to, and when files end.

use std::collections::BTreeMap;

use chrono::DateTime;

/// A record; its value is `{city, n: offset}` and, in version 2, `extra`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record {
    pub(super) offset: i64,
    pub(super) time_ms: i64,
    pub(super) city: &'static str,
    pub(super) version: i32,
}

impl Record {
    pub(super) fn extra(&self) -> Option<String> {
        (self.version == 2 && self.offset % 2 == 0).then(|| format!("e{}", self.offset))
    }

    /// The row in a file of `version`.
    pub(super) fn row(&self, version: i32) -> String {
        let row = format!("{}|{}", self.city, self.offset);
        match version {
            1 => row,
            _ => format!("{row}|{}", self.extra().unwrap_or_else(|| "null".to_owned())),
        }
    }
}

/// A file: its columns, and its rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct File {
    pub(super) columns: Vec<String>,
    pub(super) rows: Vec<String>,
}

/// Files by their names.
pub(super) type Listing = BTreeMap<String, File>;

/// One combination.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) format: &'static str,
    pub(super) pairs: Vec<(&'static str, &'static str)>,
    partitioner: &'static str,
    compatibility: &'static str,
    has_companions: bool,
}

impl Settings {
    pub(super) fn new(
        format: &'static str,
        partitioner: &'static str,
        rotation: &[(&'static str, &'static str)],
        compatibility: &'static str,
        has_companions: bool,
    ) -> Self {
        let mut pairs = vec![
            ("format.class", format),
            ("partitioner.class", partitioner),
            ("partition.field.name", "city"),
            ("path.format", "'half'=HH-mm"),
            ("partition.duration.ms", "1800000"),
            ("timestamp.extractor", "Record"),
            ("locale", "en"),
            ("timezone", "UTC"),
            ("schema.compatibility", compatibility),
        ];
        pairs.extend(rotation);
        if has_companions {
            pairs.extend([("store.kafka.keys", "true"), ("keys.format.class", "JsonFormat")]);
            pairs.extend([("store.kafka.headers", "true"), ("headers.format.class", "JsonFormat")]);
        }
        Self { format, pairs, partitioner, compatibility, has_companions }
    }

    fn number(&self, name: &str) -> Option<i64> {
        self.pairs.iter().find(|pair| pair.0 == name).map(|pair| pair.1.parse().unwrap())
    }

    fn is_time_based(&self) -> bool {
        !matches!(self.partitioner, "DefaultPartitioner" | "FieldPartitioner")
    }

    fn directory(&self, record: &Record) -> String {
        let duration_ms = match self.partitioner {
            "DailyPartitioner" => 86_400_000,
            "HourlyPartitioner" => 3_600_000,
            _ => 1_800_000,
        };
        let start_ms = record.time_ms / duration_ms * duration_ms;
        let start = DateTime::from_timestamp_millis(start_ms).unwrap();
        match self.partitioner {
            "DefaultPartitioner" => "partition=0".to_owned(),
            "FieldPartitioner" => format!("city={}", record.city),
            "DailyPartitioner" => start.format("year=%Y/month=%m/day=%d").to_string(),
            "HourlyPartitioner" => start.format("year=%Y/month=%m/day=%d/hour=%H").to_string(),
            _ => start.format("half=%H-%M").to_string(),
        }
    }

    fn extension(&self) -> &'static str {
        match self.format {
            "AvroFormat" => ".avro",
            "ByteArrayFormat" => ".bin",
            "JsonFormat" => ".json",
            _ => ".snappy.parquet",
        }
    }

    fn fits(&self, record: i32, file: i32) -> bool {
        match self.compatibility {
            "NONE" => record == file,
            "FORWARD" => record >= file,
            _ => record <= file,
        }
    }
}

struct Open {
    directory: String,
    version: i32,
    records: Vec<Record>,
}

/// What a sink of `Settings` stores.
pub(super) struct Model<'a> {
    settings: &'a Settings,
    open: Vec<Open>,
    base_ms: Option<i64>,
    last_directory: Option<String>,
    files: Listing,
    durable: Option<i64>,
}

impl<'a> Model<'a> {
    pub(super) fn new(settings: &'a Settings) -> Self {
        let files = Listing::new();
        Self { settings, open: Vec::new(), base_ms: None, last_directory: None, files, durable: None }
    }

    pub(super) fn take(&mut self, record: &Record) {
        let directory = self.settings.directory(record);
        while self.must_rotate(record, &directory) {
            self.rotate();
        }
        let at = self.open.iter().position(|open| open.directory == directory).unwrap_or_else(|| {
            let version = record.version;
            self.open.push(Open { directory: directory.clone(), version, records: Vec::new() });
            self.open.len() - 1
        });
        self.open[at].records.push(*record);
        self.last_directory = Some(directory);
        if self.count() >= self.settings.number("flush.size").unwrap() {
            self.rotate();
        }
    }

    fn count(&self) -> i64 {
        self.open.iter().map(|open| open.records.len() as i64).sum()
    }

    fn must_rotate(&mut self, record: &Record, directory: &str) -> bool {
        let base_ms = *self.base_ms.get_or_insert(record.time_ms);
        if self.count() == 0 {
            return false;
        }
        let interval_ms = self.settings.number("rotate.interval.ms");
        if let Some(interval_ms) = interval_ms.filter(|_| self.settings.is_time_based()) {
            let keeps = self.settings.pairs.contains(&("rotate.file.on.partition.change", "false"));
            let is_late = record.time_ms - base_ms >= interval_ms;
            if is_late || (!keeps && self.last_directory.as_deref() != Some(directory)) {
                return true;
            }
        }
        match self.open.iter().find(|open| open.directory == directory) {
            Some(open) => !self.settings.fits(record.version, open.version),
            None => {
                let most = self.settings.number("partitioner.max.open.files");
                most.is_some_and(|most| self.open.len() as i64 == most)
            }
        }
    }

    fn rotate(&mut self) {
        for open in self.open.drain(..) {
            let first = open.records[0].offset;
            let base = format!("topics/t/{}/t+0+{first:010}", open.directory);
            let columns: &[&str] = match (self.settings.format, open.version) {
                ("ByteArrayFormat", _) => &[],
                (_, 1) => &["city", "n"],
                _ => &["city", "n", "extra"],
            };
            let columns = columns.iter().map(|column| (*column).to_owned()).collect();
            let rows = open.records.iter().map(|record| record.row(open.version)).collect();
            self.files.insert(format!("{base}{}", self.settings.extension()), File { columns, rows });
            if self.settings.has_companions {
                let companion = |row: fn(i64) -> String| {
                    let rows = open.records.iter().map(|record| row(record.offset)).collect();
                    File { columns: Vec::new(), rows }
                };
                let keys = companion(|offset| format!("\"k{offset}\""));
                let headers =
                    companion(|offset| format!("{{\"headers\":[{{\"key\":\"o\",\"value\":\"{offset}\"}}]}}"));
                self.files.insert(format!("{base}.keys.json"), keys);
                self.files.insert(format!("{base}.headers.json"), headers);
            }
            let next = open.records.last().map(|record| record.offset + 1);
            self.durable = self.durable.max(next);
        }
        self.base_ms = None;
    }

    /// The files that are complete.
    pub(super) fn listing(&self) -> Listing {
        self.files.clone()
    }

    /// The position that may be committed.
    pub(super) fn durable(&self) -> Option<i64> {
        self.durable
    }
}
