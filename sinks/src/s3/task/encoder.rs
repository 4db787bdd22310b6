//! The encoder of a file, which knows what it holds without asking each of its columns.
//!
//! A batch may have rows for hundreds of files, most of which only wait: what their encoders hold is asked
//! for before and after, and changes when they encode.

use bytes::Bytes;
use lakeward_api::batch::Values;
use lakeward_formats::FormatError;
use lakeward_formats::file::PartEncoder;

/// An encoder and what it held after the last call.
pub(super) struct Encoder {
    part: Box<dyn PartEncoder>,
    bytes: u64,
}

impl Encoder {
    pub(super) fn new(part: Box<dyn PartEncoder>) -> Self {
        let bytes = part.buffered_bytes();
        Self { part, bytes }
    }

    /// See [`PartEncoder::write`].
    pub(super) fn write(&mut self, values: &Values) -> Result<(), FormatError> {
        self.change(|part| part.write(values))
    }

    /// See [`PartEncoder::take_ready`].
    pub(super) fn take_ready(&mut self) -> Vec<Bytes> {
        self.change(|part| part.take_ready())
    }

    /// See [`PartEncoder::flush_early`].
    pub(super) fn flush_early(&mut self) -> Result<(), FormatError> {
        self.change(|part| part.flush_early())
    }

    /// See [`PartEncoder::finish`].
    pub(super) fn finish(self) -> Result<Vec<Bytes>, FormatError> {
        self.part.finish()
    }

    /// See [`PartEncoder::buffered_bytes`].
    pub(super) fn buffered_bytes(&self) -> u64 {
        self.bytes
    }

    /// See [`PartEncoder::worth_bytes`].
    pub(super) fn worth_bytes(&self) -> u64 {
        self.part.worth_bytes()
    }

    fn change<T>(&mut self, call: impl FnOnce(&mut dyn PartEncoder) -> T) -> T {
        let answer = call(&mut *self.part);
        self.bytes = self.part.buffered_bytes();
        answer
    }
}
