//! What a configuration guarantees, and which settings that depends on.
//!
//! Names and contents repeat after a crash when they are a function of the records and the settings alone.
//! Where the clock has a part, cuts are decided (decision 0009). Neither covers a change of settings between
//! the crash and the repetition: the fingerprint tells.

use std::fmt;

use lakeward_api::config::ConfigMap;
use lakeward_api::cuts::Fingerprint;

use crate::s3::config::ExtractorKind;
use crate::s3::settings::Settings;

/// How records get stored exactly once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Guarantee {
    /// The clock has a part in cuts or names; these settings bring it in.
    Decided(Vec<&'static str>),
    /// Names and contents are a function of records and settings.
    Deterministic,
    /// Names are keys of records: an object is replaced by the next record of its key. These settings say
    /// when.
    Latest(Vec<&'static str>),
}

impl Guarantee {
    /// That of `config`.
    pub(crate) fn of(config: &Settings) -> Self {
        let mut causes = Vec::new();
        if config.connector.rotate_schedule_interval_ms > 0 {
            causes.push("rotate.schedule.interval.ms");
        }
        if config.partitioner_kind().is_time_based() && config.extractor() == ExtractorKind::Wallclock {
            causes.push("timestamp.extractor");
        }
        if causes.is_empty() { Self::Deterministic } else { Self::Decided(causes) }
    }

    /// Whether cuts are decided before their files are completed.
    pub(super) fn is_decided(&self) -> bool {
        matches!(self, Self::Decided(_) | Self::Latest(_))
    }
}

impl fmt::Display for Guarantee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Decided(causes) => write!(f, "exactly once (decided cuts: {})", causes.join(", ")),
            Self::Latest(causes) => {
                write!(f, "the last record of each key (decided cuts: {})", causes.join(", "))
            }
            Self::Deterministic => f.write_str("exactly once (names and contents follow from the records)"),
        }
    }
}

/// Settings that shape names and contents of files whose cuts are given. Those that only say where to cut are
/// none of them: decided cuts are repeated whatever they say by then.
const SHAPING: [&str; 47] = [
    "allow.optional.map.keys",
    "avro.codec",
    "az.compression.type",
    "azblob.account.name",
    "azblob.container.name",
    "azure.datalake.gen2.account.name",
    "behavior.on.null.values",
    "connect.meta.data",
    "directory.delim",
    "enhanced.avro.schema.support",
    "errors.tolerance",
    "file.delim",
    "filename.offset.zero.pad.width",
    "format.bytearray.extension",
    "format.bytearray.separator",
    "format.class",
    "gcs.bucket.name",
    "gcs.compression.type",
    "header.converter",
    "headers.format.class",
    "json.decimal.format",
    "key.converter",
    "key.converter.schemas.enable",
    "keys.format.class",
    "locale",
    "parquet.codec",
    "partition.duration.ms",
    "partition.field.name",
    "partitioner.class",
    "path.format",
    "s3.bucket.name",
    "s3.compression.level",
    "s3.compression.type",
    "s3.region",
    "s3.schema.partition.affix.type",
    "schema.compatibility",
    "store.kafka.headers",
    "store.kafka.keys",
    "store.url",
    "timestamp.extractor",
    "timestamp.field",
    "timezone",
    "tombstone.encoded.partition",
    "topics.dir",
    "transforms",
    "value.converter",
    "value.converter.schemas.enable",
];

/// The settings of `props` that shape what is stored. A setting that is not there is not the same as one that
/// says its default: that costs a warning, never a record.
pub(super) fn fingerprint(props: &ConfigMap) -> Fingerprint {
    let mut fingerprint = fingerprint_of(&SHAPING, props);
    // Only where it is used: cuts that were recorded before there was such a setting stay comparable.
    if let Some(evolution) = props.get(EVOLUTION).filter(|evolution| evolution.trim() != "none") {
        fingerprint.add(EVOLUTION, evolution.trim());
    }
    fingerprint
}

const EVOLUTION: &str = "lakeward.schema.evolution";

/// The settings `shaping` of `props`, and the transforms.
pub(crate) fn fingerprint_of(shaping: &[&'static str], props: &ConfigMap) -> Fingerprint {
    let mut fingerprint = Fingerprint::default();
    for name in shaping {
        fingerprint.add(*name, props.get(*name).map_or("", |value| value.trim()));
    }
    let of_chain = |name: &str| name.starts_with("transforms.") || name.starts_with("predicates.");
    let chain: Vec<String> = props
        .iter()
        .filter(|(name, _)| of_chain(name))
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    fingerprint.add("transforms.*, predicates.*", &chain.join("\n"));
    fingerprint
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::s3::config::S3Config;

    fn config(pairs: &[(&str, &str)]) -> ConfigMap {
        let base = [
            ("format.class", "JsonFormat"),
            ("flush.size", "3"),
            ("s3.bucket.name", "bucket"),
            ("storage.class", "S3Storage"),
            ("locale", "en"),
            ("timezone", "UTC"),
            ("path.format", "'hour'=HH"),
            ("partition.duration.ms", "3600000"),
        ];
        base.iter().chain(pairs).map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    fn guarantee(pairs: &[(&str, &str)]) -> String {
        Guarantee::of(&S3Config::parse(&config(pairs)).unwrap().settings).to_string()
    }

    #[test]
    fn the_clock_has_a_part_in_schedules_and_wall_clock_directories() {
        let deterministic = "exactly once (names and contents follow from the records)";
        assert_eq!(guarantee(&[]), deterministic);
        assert_eq!(guarantee(&[("timestamp.extractor", "Wallclock")]), deterministic, "nobody asks it");
        let time = ("partitioner.class", "TimeBasedPartitioner");
        assert_eq!(guarantee(&[time, ("timestamp.extractor", "Record")]), deterministic);
        let wall = "exactly once (decided cuts: timestamp.extractor)";
        assert_eq!(guarantee(&[time]), wall, "the default extractor");
        assert_eq!(
            guarantee(&[time, ("rotate.schedule.interval.ms", "1000")]),
            "exactly once (decided cuts: rotate.schedule.interval.ms, timestamp.extractor)"
        );
    }

    #[test]
    fn where_to_cut_is_no_part_of_the_fingerprint_and_what_to_store_is() {
        let before = fingerprint(&config(&[])).text();
        let changed = |pairs: &[(&str, &str)]| {
            let now = fingerprint(&config(pairs));
            now.changed(&before).into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        assert!(changed(&[("flush.size", "9"), ("rotate.schedule.interval.ms", "5")]).is_empty());
        assert_eq!(changed(&[("path.format", "'day'=dd")]), ["path.format"]);
        assert!(changed(&[(EVOLUTION, "none")]).is_empty());
        assert!(changed(&[(EVOLUTION, "merge")]).contains(&EVOLUTION.to_owned()));
        assert_eq!(changed(&[("transforms.a.type", "x")]), ["transforms.*, predicates.*"]);
    }
}
