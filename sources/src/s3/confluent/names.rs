//! Names of a backup: `<topics.dir>/<topic>/<encoded partition>/<topic>+<partition>+<offset><extension>`.
//!
//! Source: section "Object names" and partitioners of the Confluent S3 sink; documentation of the Confluent
//! S3 source: other extensions are ignored, names that do not match and objects in other places are errors.

use std::sync::Arc;

use fancy_regex::Regex;

/// What the objects hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileKind {
    Avro,
    Bytes,
    /// Of mode GENERIC only.
    Csv,
    Json,
    Parquet,
}

impl FileKind {
    /// The format of a full or simple class name.
    pub(super) fn from_class(class: &str) -> Option<Self> {
        let known = [
            ("io.confluent.connect.s3.format.avro.AvroFormat", Self::Avro),
            ("io.confluent.connect.s3.format.bytearray.ByteArrayFormat", Self::Bytes),
            ("io.confluent.connect.s3.format.json.JsonFormat", Self::Json),
            ("io.confluent.connect.s3.format.parquet.ParquetFormat", Self::Parquet),
        ];
        by_class(known, class)
    }

    /// The same, with the classes that only GENERIC has.
    pub(super) fn of_generic(class: &str) -> Option<Self> {
        let known = [
            ("io.confluent.connect.cloud.storage.source.format.CloudStorageAvroFormat", Self::Avro),
            ("io.confluent.connect.cloud.storage.source.format.CloudStorageByteArrayFormat", Self::Bytes),
            ("io.confluent.connect.cloud.storage.source.format.CloudStorageCsvFormat", Self::Csv),
            ("io.confluent.connect.cloud.storage.source.format.CloudStorageJsonFormat", Self::Json),
            ("io.confluent.connect.cloud.storage.source.format.CloudStorageParquetFormat", Self::Parquet),
        ];
        Self::from_class(class).or_else(|| by_class(known, class))
    }
}

/// What lies between the topic's directory and the objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// `partition=<n>`.
    Default,
    /// `<field>=<value>` for each field; values may hold anything.
    Fields(Vec<String>),
    /// Directories of time.
    Time {
        /// How many.
        directories: usize,
    },
}

impl Layout {
    /// The layout that the sink's partitioner of a full or simple class name made.
    pub(super) fn from_class(class: &str, fields: &[String], path_format: &str) -> Option<Self> {
        let given = path_format.trim_matches('/');
        let directories = if given.is_empty() { 0 } else { given.split('/').count() };
        let known = [
            ("io.confluent.connect.storage.partitioner.DailyPartitioner", Self::Time { directories: 3 }),
            ("io.confluent.connect.storage.partitioner.DefaultPartitioner", Self::Default),
            ("io.confluent.connect.storage.partitioner.FieldPartitioner", Self::Fields(fields.to_vec())),
            ("io.confluent.connect.storage.partitioner.HourlyPartitioner", Self::Time { directories: 4 }),
            ("io.confluent.connect.storage.partitioner.TimeBasedPartitioner", Self::Time { directories }),
        ];
        by_class(known, class)
    }

    /// Whether objects of `partition` can be in `encoded`, the directories below that of the topic.
    fn fits(&self, encoded: &[&str], partition: i32) -> bool {
        // The sink may put the name of the schema in front or behind.
        let encoded = match encoded {
            [first, rest @ ..] if first.starts_with(SCHEMA_NAME) => rest,
            [rest @ .., last] if last.starts_with(SCHEMA_NAME) => rest,
            all => all,
        };
        match self {
            Self::Default => {
                matches!(encoded, [one] if one.strip_prefix("partition=") == Some(&partition.to_string()))
            }
            Self::Fields(fields) => {
                let mut directories = encoded.iter();
                let is_there = |field: &String| {
                    directories.any(|directory| {
                        directory.strip_prefix(field.as_str()).is_some_and(|rest| rest.starts_with('='))
                    })
                };
                fields.iter().all(is_there)
            }
            Self::Time { directories } => encoded.len() == *directories,
        }
    }
}

/// `filename.regex`.
#[derive(Clone, Debug)]
pub(super) struct NamePattern(Regex);

impl NamePattern {
    /// # Errors
    /// What is wrong with the expression.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let regex = Regex::new(text).map_err(|err| format!("not a regular expression: {err}"))?;
        match regex.captures_len() {
            0..=2 => Err("it needs two groups: the topic and the partition".to_owned()),
            _ => Ok(Self(regex)),
        }
    }

    /// The topic and the partition of a file name, and the number behind them: the offset.
    fn read<'a>(&self, file: &'a str) -> Option<(Arc<str>, i32, &'a str)> {
        let groups = self.0.captures(file).ok().flatten()?;
        let partition = groups.get(2)?;
        let offset = digits(&file[partition.end()..]);
        let partition = partition.as_str().parse().ok().filter(|partition| *partition >= 0)?;
        Some((groups.get(1)?.as_str().into(), partition, offset))
    }
}

/// How the names of one backup are read.
#[derive(Clone, Debug)]
pub(super) struct Names {
    pub(super) kind: FileKind,
    pub(super) layout: Layout,
    pub(super) pattern: NamePattern,
    /// Empty for none.
    pub(super) topics_dir: String,
    pub(super) delimiter: String,
    pub(super) bytes_extension: String,
}

/// An object of a backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found<'a> {
    /// Everything before the file name.
    pub(super) folder: &'a str,
    pub(super) topic: Arc<str>,
    pub(super) partition: i32,
    /// The digits of its first offset; empty when its name has none.
    pub(super) offset: &'a str,
    /// The object is gzip.
    pub(super) is_gzip: bool,
}

impl Found<'_> {
    /// Where it is among the objects of its topic-partition and folder: by offset, then by name. Names alone
    /// do not tell: offsets may have more digits than they are padded to.
    pub(super) fn place<'a>(&'a self, name: &'a str) -> (usize, &'a str, &'a str) {
        let number = self.offset.trim_start_matches('0');
        (number.len(), number, name)
    }
}

impl Names {
    /// What an object is; `None` when it is none of this format.
    ///
    /// # Errors
    /// Why the name is none of a backup.
    pub(super) fn read<'a>(&self, name: &'a str) -> Result<Option<Found<'a>>, String> {
        let Some((stem, is_gzip)) = self.stem(name) else { return Ok(None) };
        if self.is_beside_values(stem) {
            return Ok(None);
        }
        let (folder, file) = name.rsplit_once(self.delimiter.as_str()).unwrap_or(("", name));
        let Some((topic, partition, offset)) = self.pattern.read(file) else {
            return Err("its name does not match filename.regex".to_owned());
        };
        let mut directories = folder.split(self.delimiter.as_str());
        if !self.topics_dir.is_empty() {
            let top =
                self.topics_dir.split(self.delimiter.as_str()).all(|part| directories.next() == Some(part));
            if !top {
                return Ok(None);
            }
        }
        let is_topics = directories.next() == Some(&*topic);
        let encoded: Vec<&str> = directories.collect();
        if !is_topics || !self.layout.fits(&encoded, partition) {
            return Err(format!(
                "it is not where partitioner.class would have put records of topic {topic}, partition \
                 {partition}"
            ));
        }
        Ok(Some(Found { folder, topic, partition, offset, is_gzip }))
    }

    /// Whether a name without its extension is that of keys or headers. Parquet's extension names the codec
    /// first: `.keys.snappy.parquet`.
    fn is_beside_values(&self, stem: &str) -> bool {
        let codecs: &[&str] = match self.kind {
            FileKind::Parquet => &PARQUET_CODECS,
            FileKind::Avro | FileKind::Bytes | FileKind::Csv | FileKind::Json => &[],
        };
        let stem = codecs.iter().find_map(|codec| stem.strip_suffix(codec)).unwrap_or(stem);
        stem.ends_with(".keys") || stem.ends_with(".headers")
    }

    /// The name without its extension, and whether that is one of gzip.
    fn stem<'a>(&self, name: &'a str) -> Option<(&'a str, bool)> {
        let extension = match self.kind {
            FileKind::Avro => ".avro",
            FileKind::Bytes => &self.bytes_extension,
            FileKind::Csv => ".csv",
            FileKind::Json => ".json",
            FileKind::Parquet => ".parquet",
        };
        let may_be_gzip = matches!(self.kind, FileKind::Bytes | FileKind::Json);
        if let Some(stem) = name.strip_suffix(extension) {
            return Some((stem, false));
        }
        let stem = name.strip_suffix(".gz").filter(|_| may_be_gzip)?.strip_suffix(extension)?;
        Some((stem, true))
    }
}

/// The first run of digits.
fn digits(text: &str) -> &str {
    let start = text.find(|c: char| c.is_ascii_digit()).unwrap_or(text.len());
    let rest = &text[start..];
    &rest[..rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len())]
}

/// The entry whose full or simple class name is `class`.
fn by_class<T, const N: usize>(known: [(&str, T); N], class: &str) -> Option<T> {
    let is_it = |full: &str| full == class || full.rsplit('.').next() == Some(class);
    known.into_iter().find(|(full, _)| is_it(full)).map(|(_, kind)| kind)
}

/// What the names of Parquet objects have in front of their extension, but for those of codec `none`.
const PARQUET_CODECS: [&str; 7] = [".snappy", ".gz", ".zstd", ".lz4hadoop", ".lz4raw", ".br", ".lzo"];

/// What the sink's `s3.schema.partition.affix.type` adds.
const SCHEMA_NAME: &str = "schema_name=";

#[cfg(test)]
mod tests {
    use super::*;

    fn names(kind: FileKind, layout: Layout) -> Names {
        Names {
            kind,
            layout,
            pattern: NamePattern::parse(r"(.+)\+(\d+)\+.+$").unwrap(),
            topics_dir: "topics".to_owned(),
            delimiter: "/".to_owned(),
            bytes_extension: ".bin".to_owned(),
        }
    }

    fn found(names: &Names, name: &str) -> Option<(String, i32, bool)> {
        names.read(name).unwrap().map(|found| (found.topic.to_string(), found.partition, found.is_gzip))
    }

    #[test]
    fn names_of_the_default_partitioner_are_read() {
        let json = names(FileKind::Json, Layout::Default);
        let order = Some(("a+b.c".to_owned(), 3, false));
        assert_eq!(found(&json, "topics/a+b.c/partition=3/a+b.c+3+0000000012.json"), order);
        let packed = Some(("t".to_owned(), 0, true));
        assert_eq!(found(&json, "topics/t/partition=0/t+0+0.json.gz"), packed);
        let parquet = names(FileKind::Parquet, Layout::Default);
        let name = "topics/t/partition=0/t+0+0000000000.snappy.parquet";
        assert_eq!(found(&parquet, name), Some(("t".to_owned(), 0, false)));
        let suffixed = "topics/t/partition=0/schema_name=x.Y/t+0+0.json";
        assert!(
            found(&json, suffixed).is_some()
                && found(&json, "topics/t/schema_name=/partition=0/t+0+0.json").is_some()
        );
    }

    #[test]
    fn other_formats_keys_and_headers_are_no_concern() {
        let json = names(FileKind::Json, Layout::Default);
        for other in ["t+0+0.avro", "t+0+0.keys.json", "t+0+0.headers.json.gz", "_SUCCESS", "t+0+0.json.bz2"]
        {
            assert_eq!(found(&json, &format!("topics/t/partition=0/{other}")), None, "{other}");
        }
        assert_eq!(found(&json, "elsewhere/t/partition=0/t+0+0.json"), None);
        let avro = names(FileKind::Avro, Layout::Default);
        assert_eq!(found(&avro, "topics/t/partition=0/t+0+0.avro.gz"), None);
        let parquet = names(FileKind::Parquet, Layout::Default);
        for codec in ["", ".snappy", ".gz", ".zstd", ".lz4hadoop", ".lz4raw", ".br", ".lzo"] {
            let of_values = format!("topics/t.keys/partition=0/t.keys+0+0{codec}.parquet");
            assert_eq!(found(&parquet, &of_values), Some(("t.keys".to_owned(), 0, false)));
            for companion in ["partition=0/t+0+0.keys", "tombstone/t+0+0.keys", "partition=0/t+0+0.headers"] {
                assert_eq!(found(&parquet, &format!("topics/t/{companion}{codec}.parquet")), None, "{codec}");
            }
        }
    }

    #[test]
    fn names_and_places_that_no_sink_writes_are_errors() {
        let json = names(FileKind::Json, Layout::Default);
        for wrong in [
            "topics/t/partition=0/t-0-0.json",
            "topics/t/partition=1/t+0+0.json",
            "topics/u/partition=0/t+0+0.json",
            "topics/t/t+0+0.json",
            "topics/t/deep/partition=0/t+0+0.json",
            "topics/t/partition=0/t+99999999999+0.json",
        ] {
            assert!(json.read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn fields_and_times_have_directories_of_their_own() {
        let fields = Layout::Fields(vec!["country".to_owned(), "a.b".to_owned()]);
        let json = names(FileKind::Json, fields);
        assert!(found(&json, "topics/t/country=a/b=c/d/a.b=1/t+0+0.json").is_some());
        assert!(json.read("topics/t/country=x/t+0+0.json").is_err());
        let daily = Layout::from_class("DailyPartitioner", &[], "").unwrap();
        let json = names(FileKind::Json, daily);
        assert!(found(&json, "topics/t/year=2020/month=01/day=02/t+7+0.json").is_some());
        assert!(json.read("topics/t/year=2020/month=01/t+7+0.json").is_err());
        let class = "io.confluent.connect.storage.partitioner.TimeBasedPartitioner";
        let given = Layout::from_class(class, &[], "'d'=YYYY-MM-dd/HH/");
        assert_eq!(given, Some(Layout::Time { directories: 2 }));
    }

    #[test]
    fn patterns_need_two_groups() {
        assert!(NamePattern::parse("(").is_err() && NamePattern::parse("(a)b").is_err());
        assert!(NamePattern::parse("(a)(b)").is_ok());
    }
}
