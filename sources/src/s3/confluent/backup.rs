//! The plan of RESTORE_BACKUP: the objects of the folders that belong to a task, each topic-partition of a
//! folder in the order of names.
//!
//! What is stored: `{"bucket", "folder", "topic", "partition"}` → `{"object", "rows", "complete"}`. The
//! sink's offsets ascend per topic-partition and folder, so one name says what was read of them.
//!
//! Listings come in the order of names, which is that of offsets while these have equally many digits. Names
//! of more digits (10 billion records, or a smaller `filename.offset.zero.pad.width`) wait until a look
//! through the bucket has met nothing else of their topic-partition that is unread.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use lakeward_api::ConnectError;
use lakeward_api::source::{SourceMap, StoredOffsets};
use lakeward_api::value::Value;
use lakeward_formats::file::read::{Content, Packing};

use super::names::{Found, Layout, Names};
use crate::position;
use crate::s3::hash::task_of;
use crate::s3::plan::{OnDamage, Plan, Target, Verdict};

/// What was read of a topic-partition in a folder.
#[derive(Clone, Debug, Default)]
struct Done {
    /// The newest object; empty before the first one.
    object: String,
    rows: u64,
    complete: bool,
}

/// Keys of the maps that are stored, shared between them.
struct Keys {
    bucket: Arc<str>,
    folder: Arc<str>,
    topic: Arc<str>,
    partition: Arc<str>,
    object: Arc<str>,
    rows: Arc<str>,
    complete: Arc<str>,
}

/// The decisions of one task.
///
/// # Memory
/// A name per folder and topic-partition that the task has, twice where names of another width wait.
pub(super) struct Backup {
    names: Names,
    content: Content,
    on_damage: OnDamage,
    bucket: Arc<str>,
    task: u32,
    tasks: u32,
    offsets: Arc<dyn StoredOffsets>,
    done: HashMap<SourceKey, Done>,
    /// How many digits the offsets of names have that are read now.
    widths: HashMap<SourceKey, usize>,
    /// The first unread object of another width that this look has met.
    waiting: HashMap<SourceKey, String>,
    /// Of which this look has met objects to read.
    met: HashSet<SourceKey>,
    keys: Keys,
}

/// Folder, topic, partition.
type SourceKey = (Arc<str>, Arc<str>, i32);

/// What makes a plan.
pub(super) struct BackupSettings {
    pub(super) names: Names,
    pub(super) content: Content,
    pub(super) on_damage: OnDamage,
    pub(super) bucket: Arc<str>,
    pub(super) task: u32,
    pub(super) tasks: u32,
}

impl Backup {
    pub(super) fn new(settings: BackupSettings, offsets: Arc<dyn StoredOffsets>) -> Self {
        let keys = Keys {
            bucket: "bucket".into(),
            folder: "folder".into(),
            topic: "topic".into(),
            partition: "partition".into(),
            object: "object".into(),
            rows: "rows".into(),
            complete: "complete".into(),
        };
        Self {
            content: settings.content,
            names: settings.names,
            on_damage: settings.on_damage,
            bucket: settings.bucket,
            task: settings.task,
            tasks: settings.tasks,
            offsets,
            done: HashMap::new(),
            widths: HashMap::new(),
            waiting: HashMap::new(),
            met: HashSet::new(),
            keys,
        }
    }

    fn is_mine(&self, folder: &str) -> bool {
        task_of(folder, self.tasks) == self.task
    }

    fn source(&self, (folder, topic, partition): &SourceKey) -> SourceMap {
        let text = |text: &Arc<str>| Value::String(Arc::clone(text));
        position::map([
            (&self.keys.bucket, text(&self.bucket)),
            (&self.keys.folder, text(folder)),
            (&self.keys.topic, text(topic)),
            (&self.keys.partition, Value::Int64(i64::from(*partition))),
        ])
    }

    /// What earlier runs, or this one, read of the folder's topic-partition.
    fn done(&mut self, key: &SourceKey) -> Result<Done, ConnectError> {
        if let Some(done) = self.done.get(key) {
            return Ok(done.clone());
        }
        let done = match self.offsets.offset(&self.source(key)) {
            Some(offset) if !offset.is_null() => stored(&offset)?,
            _ => Done::default(),
        };
        self.done.insert(key.clone(), done.clone());
        Ok(done)
    }

    fn key(found: &Found<'_>) -> SourceKey {
        (found.folder.into(), Arc::clone(&found.topic), found.partition)
    }

    /// Whether all names of more digits come behind this one.
    fn is_padded(&self, name: &str) -> bool {
        matches!(self.names.read(name), Ok(Some(found)) if found.offset.starts_with('0'))
    }

    /// The object `name` beside that one, both of one topic-partition and folder.
    fn compare(&self, (name, found): (&str, &Found<'_>), other: &str) -> Ordering {
        let extension_at = name.rfind('.').filter(|_| name.len() == other.len());
        if extension_at.is_some_and(|at| name.as_bytes()[at..] == other.as_bytes()[at..]) {
            // As many digits: the usual case, and a bucket has many names.
            return name.cmp(other);
        }
        match self.names.read(other) {
            Ok(Some(of_other)) => found.place(name).cmp(&of_other.place(other)),
            // It was read under other settings.
            Ok(None) | Err(_) => name.cmp(other),
        }
    }

    /// Whether it is the turn of an unread object: the listing has no earlier one behind it.
    fn is_next(&mut self, key: &SourceKey, name: &str, found: &Found<'_>, done: &Done) -> bool {
        let width = found.offset.len();
        let known = self.widths.get(key).copied().or_else(|| match self.names.read(&done.object) {
            Ok(Some(of_done)) => Some(of_done.offset.len()),
            // Fewer digits would not be padded.
            _ => (width == 0 || found.offset.starts_with('0')).then_some(width),
        });
        if let Some(known) = known {
            self.widths.insert(key.clone(), known);
        }
        if known == Some(width) {
            self.met.insert(key.clone());
            return true;
        }
        let is_first = match self.waiting.get(key) {
            Some(first) => self.compare((name, found), first) == Ordering::Less,
            None => true,
        };
        if is_first {
            self.waiting.insert(key.clone(), name.to_owned());
        }
        false
    }
}

impl Plan for Backup {
    fn directory(&self) -> Option<&str> {
        Some(self.names.topics_dir.as_str()).filter(|directory| !directory.is_empty())
    }

    fn begin(&mut self) -> Option<String> {
        None
    }

    fn judge(&mut self, name: &str) -> Result<Verdict, ConnectError> {
        let found = match self.names.read(name) {
            Ok(Some(found)) => found,
            Ok(None) => return Ok(Verdict::Leave),
            Err(problem) => {
                let (folder, _) = name.rsplit_once(self.names.delimiter.as_str()).unwrap_or(("", name));
                // One task says so.
                return Ok(if self.is_mine(folder) { Verdict::Refuse(problem) } else { Verdict::Leave });
            }
        };
        if !self.is_mine(found.folder) {
            return Ok(Verdict::Leave);
        }
        let key = Self::key(&found);
        let done = self.done(&key)?;
        let skip = match self.compare((name, &found), &done.object) {
            Ordering::Less => return Ok(Verdict::Leave),
            Ordering::Equal if done.complete => return Ok(Verdict::Leave),
            Ordering::Equal => done.rows,
            Ordering::Greater => 0,
        };
        if !self.is_next(&key, name, &found, &done) {
            return Ok(Verdict::Leave);
        }
        Ok(Verdict::Read(Target {
            partition: Some(found.partition),
            key: None,
            packing: if found.is_gzip { Packing::Gzip } else { Packing::None },
            source: self.source(&key),
            topic: found.topic,
            skip,
        }))
    }

    /// The objects of a folder of another task are left behind, and with one topic-partition per folder what
    /// was read of it. What lies deeper is not: it may belong to this task. Values of fields may go on deeper
    /// in any way.
    fn leap(&self, last: &str) -> String {
        let Ok(Some(found)) = self.names.read(last) else { return last.to_owned() };
        if matches!(self.names.layout, Layout::Fields(_)) {
            return last.to_owned();
        }
        if !self.is_mine(found.folder) {
            // Behind all file names that begin with the topic.
            let behind = format!("{}{}{}~", found.folder, self.names.delimiter, found.topic);
            return behind.max(last.to_owned());
        }
        let key = Self::key(&found);
        match self.done.get(&key) {
            Some(done)
                if self.names.layout == Layout::Default
                    && done.object.as_str() > last
                    && !self.waiting.contains_key(&key)
                    && self.is_padded(&done.object) =>
            {
                done.object.clone()
            }
            _ => last.to_owned(),
        }
    }

    /// Where nothing else was unread, the objects that wait have their turn.
    fn end_look(&mut self) -> bool {
        let looks_again = !self.waiting.is_empty();
        for (key, name) in std::mem::take(&mut self.waiting) {
            let width = self.names.read(&name).ok().flatten().map(|found| found.offset.len());
            if let (Some(width), false) = (width, self.met.contains(&key)) {
                self.widths.insert(key, width);
            }
        }
        self.met.clear();
        looks_again
    }

    fn progress(&mut self, _target: &Target, name: &str, rows: u64, complete: bool) {
        if let Ok(Some(found)) = self.names.read(name) {
            self.done.insert(Self::key(&found), Done { object: name.to_owned(), rows, complete });
        }
    }

    fn offset(&self, name: &str, rows: u64, complete: bool) -> SourceMap {
        position::map([
            (&self.keys.object, Value::String(name.into())),
            (&self.keys.rows, Value::Int64(i64::try_from(rows).unwrap_or(i64::MAX))),
            (&self.keys.complete, Value::Boolean(complete)),
        ])
    }

    fn content(&self) -> &Content {
        &self.content
    }

    fn on_damage(&self) -> OnDamage {
        self.on_damage
    }
}

/// # Errors
/// `Fatal` for an offset that this connector does not store.
fn stored(offset: &Value) -> Result<Done, ConnectError> {
    let rows = position::long(offset, "rows").and_then(|rows| u64::try_from(rows).ok());
    match (offset.get("object"), rows, offset.get("complete")) {
        (Some(Value::String(object)), Some(rows), Some(Value::Boolean(complete))) => {
            Ok(Done { object: object.to_string(), rows, complete: *complete })
        }
        _ => Err(ConnectError::fatal(WRONG_OFFSET)),
    }
}

/// Checks an offset that a person wants to store.
///
/// # Errors
/// What is wrong with it.
pub(super) fn check_offset(partition: &Value, offset: Option<&Value>) -> Result<(), ConnectError> {
    let has = |name: &str| matches!(partition.get(name), Some(Value::String(_)));
    if !(has("bucket") && has("folder") && has("topic") && position::long(partition, "partition").is_some()) {
        return Err(ConnectError::fatal(
            "Partition objects should contain the keys 'bucket', 'folder' and 'topic' with texts and \
             'partition' with a number",
        ));
    }
    match offset.filter(|offset| !offset.is_null()) {
        Some(offset) => stored(offset).map(|_| ()),
        None => Ok(()),
    }
}

const WRONG_OFFSET: &str = "Offset objects should either be null or contain the keys 'object' with a text, \
    'rows' with a number that is not negative and 'complete' with true or false";
