//! What makes a task of another connector: everything that is stored, and under which names.
//!
//! The Confluent sink has partitioners, object names, null policies and companions; others bring a
//! [`Layout`] of their own. Cuts, uploads and positions are the same for all.

use std::sync::Arc;

use lakeward_api::ConnectError;
use lakeward_api::batch::SinkBatch;
use lakeward_api::config::ConfigMap;
use lakeward_api::cuts::Fingerprint;
use lakeward_api::record::TopicPartition;
use lakeward_formats::file::FileFormat;

use super::guarantee::{self, Guarantee};
use super::rejects::Rejects;
use super::setup;
use super::taken::Taken;
use crate::s3::error::S3SinkError;
use crate::s3::naming::FileNames;
use crate::s3::partitioner::Encoded;
use crate::s3::rotation::RotationSettings;
use crate::s3::settings::Settings;

/// What a task stores and promises.
pub(crate) struct Design {
    pub(crate) format: Box<dyn FileFormat>,
    pub(crate) guarantee: Guarantee,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) rotation: RotationSettings,
    /// The directory that all objects are below; empty for none.
    pub(crate) home: String,
    /// `None`: as the Confluent sink.
    pub(crate) layout: Option<Box<dyn Layout>>,
}

impl Design {
    /// That of the Confluent sink.
    pub(super) fn of(config: &Settings, props: &ConfigMap) -> Result<Self, ConnectError> {
        Ok(Self {
            format: setup::file_format(config, config.format())?,
            guarantee: Guarantee::of(config),
            fingerprint: guarantee::fingerprint(props),
            rotation: setup::rotation_settings(config),
            home: config.layout.topics_dir.clone(),
            layout: None,
        })
    }
}

/// Where records go and what is written of them.
pub(crate) trait Layout {
    /// The rows of `batch` that are stored, in the form in which the format takes them, and the parts that
    /// they go to. `None` when nothing is left. Names depend on the clock only as [`Layout::clock_name`]
    /// says.
    ///
    /// # Errors
    /// Class `Record` when a row cannot be stored and none may be left out.
    fn admit(
        &mut self,
        batch: SinkBatch,
        now_ms: i64,
        rejects: &mut Rejects,
    ) -> Result<Option<(SinkBatch, Encoded)>, ConnectError>;

    /// What the clock adds to names at `now_ms`; `None` when nothing.
    fn clock_name(&self, now_ms: i64) -> Option<Arc<str>>;

    /// The name of a new object.
    ///
    /// # Errors
    /// Class `Record` when the store cannot hold it.
    fn names(&self, part: &NewPart<'_>) -> Result<FileNames, S3SinkError>;

    /// Whether a part holds the last of its records only.
    fn keeps_last(&self) -> bool;

    /// Bytes from which a file ends, with all others of its topic-partition; `None`: size has no part in it.
    fn file_bytes_max(&self) -> Option<u64>;
}

/// A part that is being named.
pub(crate) struct NewPart<'a> {
    /// The topic that its records say, and their partition.
    pub(crate) target: &'a TopicPartition,
    /// Its encoded partition.
    pub(crate) directory: &'a str,
    /// The offset that it is called after.
    pub(crate) start_offset: i64,
    pub(super) taken: &'a Taken,
}

impl NewPart<'_> {
    /// The clock.
    pub(crate) fn now_ms(&self) -> i64 {
        self.taken.now_ms
    }

    /// The timestamp of the record at [`NewPart::start_offset`], if it is in the batch at hand.
    pub(crate) fn start_time_ms(&self) -> Option<i64> {
        let batch = &self.taken.batch;
        let row = batch.offsets.binary_search(&self.start_offset).ok()?;
        batch.timestamps_ms[row]
    }
}
