//! The plan of a bucket whose names tell nothing about order: every object has a position of its own.
//! `{"bucket", "objectKey"}` → `{"recordCount", "complete"}` is stored.
//!
//! Newest names are kept in a ring, so that a name that appears among them later is still found; below the
//! ring nothing is looked for again. `complete` stands beside Java's `recordCount` with the last record of an
//! object, so that a restart does not read every object to learn that.

use std::collections::BTreeSet;
use std::sync::Arc;

use lakeward_api::ConnectError;
use lakeward_api::source::{SourceMap, StoredOffsets};
use lakeward_api::value::Value;
use lakeward_formats::file::read::{Content, Packing};

use super::plan::{OnDamage, Plan, Target, Verdict};
use crate::position;

/// What makes a plan.
pub(super) struct BucketSettings {
    pub(super) bucket: Arc<str>,
    /// What names begin with; empty for all.
    pub(super) prefix: String,
    /// Which objects are read, and where they go.
    pub(super) choice: Box<dyn Choice>,
    pub(super) start_key: Option<String>,
    pub(super) ring_size: usize,
    /// Objects that were modified before, in milliseconds, are left out.
    pub(super) oldest_ms: i64,
    /// Records say in headers which object they are from.
    pub(super) names_objects: bool,
    pub(super) content: Content,
    pub(super) on_damage: OnDamage,
}

/// What a connector makes of names.
pub(super) trait Choice {
    /// An object of this task; `None` for others.
    fn choose(&self, name: &str) -> Option<Chosen>;
}

/// An object that is to be read.
pub(super) struct Chosen {
    pub(super) topic: Arc<str>,
    /// `None` leaves it to the producer.
    pub(super) partition: Option<i32>,
    /// The key of each record.
    pub(super) key: Option<bytes::Bytes>,
    pub(super) packing: Packing,
}

/// The decisions of one task.
///
/// # Memory
/// The names of the ring.
pub(super) struct BucketPlan {
    settings: BucketSettings,
    directory: Option<String>,
    offsets: Arc<dyn StoredOffsets>,
    ring: BTreeSet<String>,
    /// Nothing up to this name is looked for.
    floor: Option<String>,
    /// The object at hand.
    partial: Option<(String, u64)>,
    bucket_key: Arc<str>,
    object_key: Arc<str>,
    count_key: Arc<str>,
    complete_key: Arc<str>,
}

impl BucketPlan {
    pub(super) fn new(settings: BucketSettings, offsets: Arc<dyn StoredOffsets>) -> Self {
        Self {
            directory: settings.prefix.rsplit_once('/').map(|(directory, _)| directory.to_owned()),
            floor: settings.start_key.clone(),
            settings,
            offsets,
            ring: BTreeSet::new(),
            partial: None,
            bucket_key: "bucket".into(),
            object_key: "objectKey".into(),
            count_key: COUNT.into(),
            complete_key: "complete".into(),
        }
    }

    fn source(&self, name: &str) -> SourceMap {
        position::map([
            (&self.bucket_key, Value::String(Arc::clone(&self.settings.bucket))),
            (&self.object_key, Value::String(name.into())),
        ])
    }

    fn remember(&mut self, name: &str) {
        self.ring.insert(name.to_owned());
        if self.ring.len() > self.settings.ring_size {
            self.floor = self.ring.pop_first().max(self.floor.take());
        }
    }
}

/// Whether an object is no data: a sink asks its store with it what the store does, and deletes it again
/// (decision 0011). It is empty, which files of most formats never are.
fn asks_only(name: &str) -> bool {
    name.rsplit('/').next().is_some_and(|file| file.starts_with(".lakeward-probe"))
}

impl Plan for BucketPlan {
    fn directory(&self) -> Option<&str> {
        self.directory.as_deref().filter(|directory| !directory.is_empty())
    }

    fn begin(&mut self) -> Option<String> {
        self.floor.clone()
    }

    fn judge(&mut self, name: &str) -> Result<Verdict, ConnectError> {
        if !name.starts_with(&self.settings.prefix) || asks_only(name) {
            return Ok(Verdict::Leave);
        }
        let Some(chosen) = self.settings.choice.choose(name).filter(|_| !self.ring.contains(name)) else {
            return Ok(Verdict::Leave);
        };
        let source = self.source(name);
        let mut skip = match self.offsets.offset(&source) {
            Some(offset) if !offset.is_null() => {
                if matches!(offset.get("complete"), Some(Value::Boolean(true))) {
                    self.remember(name);
                    return Ok(Verdict::Leave);
                }
                stored(&offset)?
            }
            _ => 0,
        };
        if let Some((partial, rows)) = &self.partial
            && partial == name
        {
            skip = *rows;
        }
        let Chosen { topic, partition, key, packing } = chosen;
        Ok(Verdict::Read(Target { topic, partition, key, source, packing, skip }))
    }

    fn is_too_old(&self, modified_ms: i64) -> bool {
        modified_ms < self.settings.oldest_ms
    }

    fn progress(&mut self, _target: &Target, name: &str, rows: u64, complete: bool) {
        if complete {
            self.partial = None;
            self.remember(name);
        } else {
            self.partial = Some((name.to_owned(), rows));
        }
    }

    fn offset(&self, _name: &str, rows: u64, complete: bool) -> SourceMap {
        let count = (&self.count_key, Value::Int64(i64::try_from(rows).unwrap_or(i64::MAX)));
        match complete {
            true => position::map([count, (&self.complete_key, Value::Boolean(true))]),
            false => position::map([count]),
        }
    }

    fn names_objects(&self) -> bool {
        self.settings.names_objects
    }

    fn content(&self) -> &Content {
        &self.settings.content
    }

    fn on_damage(&self) -> OnDamage {
        self.settings.on_damage
    }
}

/// # Errors
/// `Fatal` for an offset that this connector does not store.
fn stored(offset: &Value) -> Result<u64, ConnectError> {
    let count = position::long(offset, COUNT).and_then(|count| u64::try_from(count).ok());
    count.ok_or_else(|| {
        ConnectError::fatal("Offset objects should contain the key 'recordCount' with a number")
    })
}

/// Checks an offset that a person wants to store.
///
/// # Errors
/// What is wrong with it.
pub(super) fn check_offset(partition: &Value, offset: Option<&Value>) -> Result<(), ConnectError> {
    let has = |name: &str| matches!(partition.get(name), Some(Value::String(_)));
    if !(has("bucket") && has("objectKey")) {
        return Err(ConnectError::fatal(
            "Partition objects should contain the keys 'bucket' and 'objectKey'",
        ));
    }
    match offset.filter(|offset| !offset.is_null()) {
        Some(offset) => stored(offset).map(|_| ()),
        None => Ok(()),
    }
}

const COUNT: &str = "recordCount";
