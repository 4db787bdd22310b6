//! The task: values to lines; the writer does the rest.

use lakeward_api::ConnectError;
use lakeward_api::batch::SinkBatch;
use lakeward_api::record::{Position, TopicPartition};
use lakeward_api::sink::{Now, SinkTask, SinkTaskContext};

use super::Keys;
use crate::lines::{LineWriter, Target};
use crate::texts::Texts;

/// The task of a file or of the standard output.
pub(super) struct FileStreamSinkTask {
    texts: Texts,
    writer: LineWriter,
}

impl FileStreamSinkTask {
    /// # Errors
    /// `Config` when keys are wrong. A file that cannot be opened is told by a later call.
    pub(super) fn new(context: &SinkTaskContext) -> Result<Self, ConnectError> {
        let keys = Keys::parse(&context.config).map_err(|values| {
            let problems: Vec<String> = values.into_iter().flat_map(|value| value.errors).collect();
            ConnectError::config(problems.join("; "))
        })?;
        let target = match keys.file.filter(|file| !file.is_empty()) {
            Some(path) => Target::File(path),
            None => Target::StandardOutput,
        };
        Ok(Self { texts: Texts::new()?, writer: LineWriter::new(target, context) })
    }
}

impl SinkTask for FileStreamSinkTask {
    fn has_started(&self) -> bool {
        self.writer.is_open()
    }

    fn open(&mut self, _partitions: &[TopicPartition]) -> Result<(), ConnectError> {
        Ok(())
    }

    fn put(&mut self, batch: SinkBatch, _now: Now) -> Result<(), ConnectError> {
        let Some(last) = batch.offsets.last() else { return Ok(()) };
        let encoded = self.texts.of(&batch.topic, &batch.values)?;
        for row in 0..batch.rows() {
            self.writer.line(&[encoded.payload(row).unwrap_or(b"null")]);
        }
        self.writer.cover(Position { partition: batch.partition, next_offset: last + 1 });
        Ok(())
    }

    fn passed(&mut self, position: &Position) {
        self.writer.cover(position.clone());
    }

    fn poll(&mut self, _now: Now) -> Result<(), ConnectError> {
        self.writer.turn()
    }

    fn take_durable(&mut self, out: &mut Vec<Position>) {
        self.writer.take_durable(out);
    }

    /// What was put is written all the same: it is on its way, and the disk takes it at once.
    fn close(&mut self, _partitions: &[TopicPartition]) {}

    fn is_settled(&self, partitions: &[TopicPartition]) -> bool {
        !self.writer.covers(partitions)
    }

    fn buffered_bytes(&self) -> u64 {
        self.writer.waiting_bytes()
    }

    fn stop(&mut self) {
        self.writer.stop();
    }
}
