//! What the connectors decide: which objects are read, where their records go, what is stored about them.

use std::sync::Arc;

use bytes::Bytes;
use lakeward_api::ConnectError;
use lakeward_api::source::SourceMap;
use lakeward_formats::file::read::{Content, Packing};

/// Where the records of one object go.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) topic: Arc<str>,
    /// `None` leaves it to the producer.
    pub(super) partition: Option<i32>,
    /// The key of each record.
    pub(super) key: Option<Bytes>,
    /// The source partition of its records.
    pub(super) source: SourceMap,
    /// How the object is packed.
    pub(super) packing: Packing,
    /// Records that were produced before.
    pub(super) skip: u64,
}

/// What becomes of a listed object.
#[derive(Clone, Debug)]
pub(super) enum Verdict {
    /// It is no concern of this task, or was read.
    Leave,
    /// It is read.
    Read(Target),
    /// It should be read and cannot be: why.
    Refuse(String),
}

/// What becomes of the records of an object that cannot be read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OnDamage {
    /// The task fails.
    Fail,
    /// The rest of the object is left out.
    Ignore,
    /// The same, with a line in the log.
    Log,
}

/// The decisions of one task. Names are those of the bucket, in the order of their bytes.
pub(super) trait Plan {
    /// The directory that is listed; `None` is the whole bucket.
    fn directory(&self) -> Option<&str>;

    /// The name after which the next look through the bucket begins.
    fn begin(&mut self) -> Option<String>;

    /// What becomes of an object.
    ///
    /// # Errors
    /// `Fatal` for stored offsets that make no sense.
    fn judge(&mut self, name: &str) -> Result<Verdict, ConnectError>;

    /// Whether an object that was modified then, in milliseconds, is left out unseen.
    fn is_too_old(&self, _modified_ms: i64) -> bool {
        false
    }

    /// The name after which listing goes on when nothing was read of a whole page that ended with `last`.
    fn leap(&self, last: &str) -> String {
        last.to_owned()
    }

    /// A look through the bucket has ended. True when the next one should begin at once.
    fn end_look(&mut self) -> bool {
        false
    }

    /// Notes that `rows` records of an object were handed over, and that nothing
    /// follows them when `complete`.
    fn progress(&mut self, target: &Target, name: &str, rows: u64, complete: bool);

    /// What is stored with record number `rows` (from 1) of an object.
    fn offset(&self, name: &str, rows: u64, complete: bool) -> SourceMap;

    /// Whether records say in headers which object they are from.
    fn names_objects(&self) -> bool {
        false
    }

    /// What objects hold.
    fn content(&self) -> &Content;

    /// What becomes of objects that cannot be read.
    fn on_damage(&self) -> OnDamage;
}
