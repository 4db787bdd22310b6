//! Unfinished uploads that a dead task left behind: found when partitions are assigned, given up when they
//! are old enough.
//!
//! Never touches what this connector would not have named itself: directory, topic, partition, partitioner
//! and extension must fit, and the partition must be one that was just assigned, so that nobody else writes
//! it. What cannot be told apart stays, as do objects of keys and headers: they are small, and rarely
//! uploaded in parts. A failure is a line in the log.
//!
//! Source: Amazon S3, "ListMultipartUploads", "ListParts".

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::Method;
use http::header::HeaderMap;
use lakeward_api::record::TopicPartition;
use object_store::multipart::MultipartStore as _;
use object_store::path::Path;
use serde::Deserialize;

use super::Store;
use super::s3::S3Side;
use super::signed::{self, SignedRequest};
use crate::s3::config::PartitionerKind;
use crate::s3::partitioner::joda::{Locality, Pattern};
use crate::s3::settings::Settings;

/// What is given up, and when.
#[derive(Debug)]
pub(crate) struct Sweeper {
    names: OwnNames,
    age_min: Duration,
}

impl Sweeper {
    /// `None` when `config` wants none of this, or makes names that cannot be told from others.
    /// `extension` is that of the files, with its dot.
    pub(crate) fn new(config: &Settings, extension: &str) -> Option<Self> {
        let age_ms = u64::try_from(config.output.orphan_age_ms).ok()?;
        let names = OwnNames::new(config, extension);
        if names.is_none() {
            tracing::warn!(
                "lakeward.s3.abort.orphans.after.ms has no effect: names with words for months or days, or \
                 with the name of the schema, are not recognised"
            );
        }
        Some(Self { names: names?, age_min: Duration::from_millis(age_ms) })
    }
}

impl Store {
    /// Gives up unfinished uploads of files of `partitions` that are old enough.
    pub(crate) async fn sweep_orphans(&self, sweeper: &Sweeper, partitions: &[TopicPartition]) {
        let Some(s3) = &self.s3 else { return };
        let mut topics: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
        for one in partitions {
            topics.entry(&one.topic).or_default().push(one.partition);
        }
        for (topic, numbers) in topics {
            match sweeper.sweep(s3, topic, &numbers).await {
                Ok(0) => {}
                Ok(count) => tracing::info!(topic, count, "unfinished uploads of earlier tasks given up"),
                Err(err) => {
                    tracing::warn!(
                        topic, error = %err,
                        "unfinished uploads of earlier tasks not found (s3:ListBucketMultipartUploads, \
                         s3:AbortMultipartUpload); a lifecycle rule may have to remove them"
                    );
                }
            }
        }
    }
}

impl Sweeper {
    async fn sweep(&self, s3: &S3Side, topic: &str, partitions: &[i32]) -> object_store::Result<usize> {
        let is_orphan = |upload: &Unfinished, now| {
            let partition = self.names.partition_of(topic, &upload.key);
            partition.is_some_and(|own| partitions.contains(&own))
                && upload.age(now).is_some_and(|age| age >= self.age_min)
        };
        give_up(s3, &self.names.directory(topic), Parts::Any, is_orphan).await
    }
}

/// Gives up unfinished uploads of exactly `name` that were begun since `since` and have no part; answers how
/// many. The caller has none of that name. An upload whose number nobody knows gets no part: one that has
/// some is that of another owner of the partition.
///
/// # Errors
/// When the store does not list them, or keeps one.
pub(super) async fn give_up_since(s3: &S3Side, name: &Path, since: Instant) -> object_store::Result<usize> {
    // Dates of stores have no fractions.
    let age_max = since.elapsed() + Duration::from_secs(2);
    let is_lost = |upload: &Unfinished, now| {
        upload.key == name.as_ref() && upload.age(now).is_some_and(|age| age <= age_max)
    };
    give_up(s3, name.as_ref(), Parts::None, is_lost).await
}

/// What uploads may have that are given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Parts {
    Any,
    None,
}

/// Gives up the unfinished uploads whose names begin with `prefix` and that `is_orphan` names, at the time of
/// the store, if they have no other `parts`; answers how many.
async fn give_up(
    s3: &S3Side,
    prefix: &str,
    parts: Parts,
    is_orphan: impl Fn(&Unfinished, DateTime<Utc>) -> bool,
) -> object_store::Result<usize> {
    let (mut key_marker, mut id_marker) = (String::new(), String::new());
    let mut aborted_count = 0;
    for _ in 0..PAGES_MAX {
        let page = list(s3, prefix, &key_marker, &id_marker).await?;
        for upload in page.uploads.iter().filter(|upload| is_orphan(upload, page.now)) {
            let Ok(name) = Path::parse(&upload.key) else { continue };
            if parts == Parts::None && has_parts(s3, &name, &upload.upload_id).await? {
                continue;
            }
            match s3.bare.abort_multipart(&name, &upload.upload_id).await {
                Ok(()) => aborted_count += 1,
                // Another task was faster.
                Err(object_store::Error::NotFound { .. }) => {}
                Err(err) => return Err(err),
            }
        }
        if !page.is_truncated || (page.key_marker.is_empty() && page.id_marker.is_empty()) {
            return Ok(aborted_count);
        }
        (key_marker, id_marker) = (page.key_marker, page.id_marker);
    }
    tracing::warn!("too many unfinished uploads: the rest is looked at by later tasks");
    Ok(aborted_count)
}

/// Whether something of an unfinished upload is stored; not of one that is over.
async fn has_parts(s3: &S3Side, name: &Path, id: &str) -> object_store::Result<bool> {
    let request = SignedRequest {
        what: "listing the parts of an unfinished upload",
        method: Method::GET,
        name,
        query: &[("uploadId", id), ("max-parts", "1")],
        headers: HeaderMap::new(),
        body: Bytes::new(),
    };
    let answer = match signed::send(s3, request).await {
        Err(object_store::Error::NotFound { .. }) => return Ok(false),
        other => other?,
    };
    let listed: ListedParts = quick_xml::de::from_reader(&*answer.body)
        .map_err(|err| object_store::Error::Generic { store: "S3", source: Box::new(err) })?;
    Ok(!listed.parts.is_empty())
}

#[derive(Deserialize)]
struct ListedParts {
    #[serde(rename = "Part", default)]
    parts: Vec<StoredPart>,
}

/// What it is called and how large is nobody's business here.
#[derive(Deserialize)]
struct StoredPart {}

/// Some of the unfinished uploads of a bucket.
pub(super) struct PageOfUploads {
    pub(super) uploads: Vec<Unfinished>,
    is_truncated: bool,
    key_marker: String,
    id_marker: String,
    /// By the clock of the store.
    now: DateTime<Utc>,
}

pub(super) async fn list(
    s3: &S3Side,
    prefix: &str,
    key_marker: &str,
    id_marker: &str,
) -> object_store::Result<PageOfUploads> {
    let mut query = vec![("uploads", ""), ("max-uploads", "1000"), ("prefix", prefix)];
    if !key_marker.is_empty() {
        query.push(("key-marker", key_marker));
    }
    if !id_marker.is_empty() {
        query.push(("upload-id-marker", id_marker));
    }
    let request = SignedRequest {
        what: "listing unfinished uploads",
        method: Method::GET,
        name: &Path::default(),
        query: &query,
        headers: HeaderMap::new(),
        body: Bytes::new(),
    };
    let answer = signed::send(s3, request).await?;
    let listed: Listed = quick_xml::de::from_reader(&*answer.body)
        .map_err(|err| object_store::Error::Generic { store: "S3", source: Box::new(err) })?;
    let date = answer.date.as_ref().and_then(|date| date.to_str().ok());
    let now = date.and_then(|date| DateTime::parse_from_rfc2822(date).ok());
    Ok(PageOfUploads {
        uploads: listed.uploads,
        is_truncated: listed.is_truncated,
        key_marker: listed.next_key_marker,
        id_marker: listed.next_upload_id_marker,
        now: now.map_or_else(Utc::now, |now| now.to_utc()),
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[derive(Default)]
struct Listed {
    is_truncated: bool,
    next_key_marker: String,
    next_upload_id_marker: String,
    #[serde(rename = "Upload")]
    uploads: Vec<Unfinished>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Unfinished {
    pub(super) key: String,
    upload_id: String,
    initiated: String,
}

impl Unfinished {
    /// How long ago it was begun; nothing when that seems to lie ahead.
    fn age(&self, now: DateTime<Utc>) -> Option<Duration> {
        let begun = DateTime::parse_from_rfc3339(&self.initiated).ok()?;
        Some((now - begun.to_utc()).to_std().unwrap_or_default())
    }
}

/// The names that a configuration makes.
#[derive(Debug)]
struct OwnNames {
    top: String,
    directory_delim: String,
    file_delim: String,
    extension: String,
    directories: Directories,
}

/// What partitioners make, as far as names tell.
#[derive(Debug)]
enum Directories {
    Fields(Vec<String>),
    Partition,
    /// A time, digits replaced.
    Time(String),
}

impl OwnNames {
    fn new(config: &Settings, extension: &str) -> Option<Self> {
        let delim = &config.layout.directory_delim;
        let top = &config.layout.topics_dir;
        if config.output.schema_affix != "NONE" || delim.is_empty() {
            return None;
        }
        let directories = match config.partitioner_kind() {
            PartitionerKind::Default => Directories::Partition,
            PartitionerKind::Field => Directories::Fields(config.partitioner.field_names.clone()),
            PartitionerKind::Daily => time(&format!("'year'=YYYY{delim}'month'=MM{delim}'day'=dd"))?,
            PartitionerKind::Hourly => {
                time(&format!("'year'=YYYY{delim}'month'=MM{delim}'day'=dd{delim}'hour'=HH"))?
            }
            PartitionerKind::TimeBased => {
                let format = &config.partitioner.path_format;
                time(format.strip_suffix(delim.as_str()).unwrap_or(format))?
            }
        };
        Some(Self {
            top: if top.is_empty() { String::new() } else { format!("{top}{delim}") },
            directory_delim: delim.clone(),
            file_delim: config.layout.file_delim.clone(),
            extension: extension.to_owned(),
            directories,
        })
    }

    fn directory(&self, topic: &str) -> String {
        format!("{}{topic}{}", self.top, self.directory_delim)
    }

    /// The partition of `topic` whose file `key` is; `None` when this configuration does not make the name.
    fn partition_of(&self, topic: &str, key: &str) -> Option<i32> {
        let rest = key.strip_prefix(&self.directory(topic))?;
        let (directories, file) = rest.rsplit_once(&self.directory_delim)?;
        let numbers = file.strip_suffix(&self.extension)?.strip_prefix(topic)?;
        let (partition, offset) = numbers.strip_prefix(&self.file_delim)?.split_once(&self.file_delim)?;
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number(partition) || !is_number(offset) {
            return None;
        }
        let is_own = match &self.directories {
            Directories::Partition => directories == format!("partition={partition}"),
            Directories::Time(shape) => shape_of(directories) == *shape,
            Directories::Fields(names) => self.are_fields(directories, names),
        };
        is_own.then(|| partition.parse().ok())?
    }

    /// Whether the fields stand there in their order. Values may hold delimiters.
    fn are_fields(&self, directories: &str, names: &[String]) -> bool {
        let mut rest = Some(format!("{}{directories}", self.directory_delim));
        for name in names {
            let start = format!("{}{name}=", self.directory_delim);
            rest = rest.and_then(|rest| match name == &names[0] {
                true => rest.strip_prefix(&start).map(str::to_owned),
                false => rest.split_once(&start).map(|(_, rest)| rest.to_owned()),
            });
        }
        rest.is_some()
    }
}

/// `None` for patterns with words: their lengths and letters vary.
fn time(pattern: &str) -> Option<Directories> {
    let pattern = Pattern::parse(pattern).ok().filter(|pattern| !pattern.has_words())?;
    let mut printed = String::new();
    pattern.print(0, &Locality::new("UTC", "en")?, &mut printed)?;
    Some(Directories::Time(shape_of(&printed)))
}

/// The text with one digit for each number.
fn shape_of(text: &str) -> String {
    let mut shape = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '0'..='9' if shape.ends_with('0') => {}
            '0'..='9' => shape.push('0'),
            c => shape.push(c),
        }
    }
    shape
}

/// A hundred thousand uploads.
const PAGES_MAX: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::s3::config::S3Config;

    fn names(pairs: &[(&str, &str)]) -> Option<OwnNames> {
        let base = [
            ("format.class", "JsonFormat"),
            ("flush.size", "3"),
            ("s3.bucket.name", "lake"),
            ("storage.class", "S3Storage"),
            ("locale", "en"),
            ("timezone", "UTC"),
            ("partition.duration.ms", "3600000"),
        ];
        let props = base.iter().chain(pairs).map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        OwnNames::new(&S3Config::parse(&props.collect()).unwrap().settings, ".json")
    }

    fn owners(pairs: &[(&str, &str)], keys: &[&str]) -> Vec<Option<i32>> {
        let names = names(pairs).unwrap();
        keys.iter().map(|key| names.partition_of("orders", key)).collect()
    }

    #[test]
    fn only_names_that_the_connector_makes_are_its_own() {
        let keys = [
            "topics/orders/partition=7/orders+7+0000000042.json",
            "topics/orders/partition=7/orders+8+0000000042.json",
            "topics/orders/partition=7/orders+7+0000000042.avro",
            "topics/orders/partition=7/orders+7+0000000042.keys.json",
            "topics/orders/partition=7/orders+7+.json",
            "topics/orders/partition=7/other+7+0000000042.json",
            "topics/orders/year=2026/orders+7+0000000042.json",
            "topics/orders2/partition=7/orders2+7+0000000042.json",
            "elsewhere/orders/partition=7/orders+7+0000000042.json",
            "topics/orders/orders+7+0000000042.json",
        ];
        let own = owners(&[], &keys);
        assert_eq!(own[0], Some(7));
        assert!(own[1..].iter().all(Option::is_none), "{own:?}");
        assert_eq!(owners(&[("topics.dir", "")], &["orders/partition=1/orders+1+5.json"]), [Some(1)]);
    }

    #[test]
    fn directories_of_times_are_known_by_their_shape() {
        const TIME: (&str, &str) =
            ("partitioner.class", "io.confluent.connect.storage.partitioner.TimeBasedPartitioner");
        const HOURLY: (&str, &str) =
            ("partitioner.class", "io.confluent.connect.storage.partitioner.HourlyPartitioner");
        let keys = [
            "topics/orders/year=2026/month=02/day=28/hour=05/orders+1+5.json",
            "topics/orders/2026-02-28/orders+1+5.json",
            "topics/orders/partition=1/orders+1+5.json",
        ];
        assert_eq!(owners(&[HOURLY], &keys), [Some(1), None, None]);
        assert_eq!(owners(&[TIME, ("path.format", "YYYY-MM-dd/")], &keys), [None, Some(1), None]);
        assert!(names(&[TIME, ("path.format", "YYYY/MMM")]).is_none());
    }

    #[test]
    fn directories_of_fields_are_known_by_their_names() {
        let fields = [
            ("partitioner.class", "io.confluent.connect.storage.partitioner.FieldPartitioner"),
            ("partition.field.name", "city,a.b"),
        ];
        let keys = [
            "topics/orders/city=Oslo/a.b=1/orders+1+5.json",
            "topics/orders/city=x/y/a.b=1/orders+1+5.json",
            "topics/orders/a.b=1/city=Oslo/orders+1+5.json",
            "topics/orders/city=Oslo/orders+1+5.json",
            "topics/orders/partition=1/orders+1+5.json",
        ];
        assert_eq!(owners(&fields, &keys), [Some(1), Some(1), None, None, None]);
    }

    #[test]
    fn lists_without_uploads_and_with_many_are_read() {
        let none: Listed = quick_xml::de::from_str(
            "<ListMultipartUploadsResult><Bucket>b</Bucket><IsTruncated>false</IsTruncated>\
             </ListMultipartUploadsResult>",
        )
        .unwrap();
        assert!(none.uploads.is_empty() && !none.is_truncated);
        let some: Listed = quick_xml::de::from_str(
            "<ListMultipartUploadsResult><NextKeyMarker>k</NextKeyMarker><IsTruncated>true</IsTruncated>\
             <Upload><Key>a&amp;b</Key><UploadId>1</UploadId><Initiator><ID>x</ID></Initiator>\
             <Initiated>2026-02-28T05:00:00.000Z</Initiated></Upload>\
             <Upload><Key>c</Key><UploadId>2</UploadId><Initiated>2026-02-28T05:00:01Z</Initiated></Upload>\
             </ListMultipartUploadsResult>",
        )
        .unwrap();
        let keys: Vec<&str> = some.uploads.iter().map(|upload| upload.key.as_str()).collect();
        assert_eq!((keys, some.is_truncated, some.next_key_marker.as_str()), (vec!["a&b", "c"], true, "k"));
    }
}
