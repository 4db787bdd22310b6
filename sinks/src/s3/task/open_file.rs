//! One object being written: its encoder, and the finished bytes that wait until they are worth a request.
//!
//! Finished bytes stay here, counted as open, until a whole piece of `s3.part.size` is together: what was
//! handed to the upload is always on its way, so the in-flight budget can never be held by bytes that wait
//! for more records.

use bytes::Bytes;
use lakeward_api::ConnectError;
use lakeward_api::batch::Values;
use lakeward_formats::file::PartEncoder;
use object_store::path::Path;

use crate::s3::store::Contents;
use crate::s3::upload::{UploadHandle, UploadId, Uploader, next_piece_bytes};

/// An object of one topic-partition.
pub(super) struct OpenFile {
    name: Path,
    encoder: Box<dyn PartEncoder>,
    ready: Vec<Bytes>,
    ready_bytes: usize,
    upload: Option<UploadHandle>,
    part_bytes: usize,
    sent_bytes: u64,
}

/// Whether a call started the upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Started {
    Already,
    Now,
}

impl OpenFile {
    /// The object `name`, sent in pieces of `part_bytes` or more.
    pub(super) fn new(name: Path, encoder: Box<dyn PartEncoder>, part_bytes: usize) -> Self {
        Self { name, encoder, ready: Vec::new(), ready_bytes: 0, upload: None, part_bytes, sent_bytes: 0 }
    }

    /// The upload, once it was started.
    pub(super) fn upload_id(&self) -> Option<UploadId> {
        self.upload.as_ref().map(|upload| upload.id)
    }

    /// Bytes held here.
    pub(super) fn buffered_bytes(&self) -> u64 {
        self.encoder.buffered_bytes() + self.ready_bytes as u64
    }

    /// Appends rows.
    ///
    /// # Errors
    /// Class `Record` when a value has no form in the format: nothing was written.
    pub(super) fn write(&mut self, values: &Values) -> Result<(), ConnectError> {
        self.encoder.write(values)?;
        self.take_ready();
        Ok(())
    }

    /// Sends what makes a full piece.
    pub(super) fn send_full_pieces(&mut self, uploader: &mut Uploader) -> Started {
        self.send_if(uploader, next_piece_bytes(self.part_bytes, self.sent_bytes))
    }

    /// True when relief would free enough for a request.
    pub(super) fn can_relieve(&self) -> bool {
        self.buffered_bytes() >= MULTIPART_BYTES_MIN as u64
    }

    /// Finishes the encoder's open row group.
    pub(super) fn flush_early(&mut self) -> Result<(), ConnectError> {
        self.encoder.flush_early()?;
        self.take_ready();
        Ok(())
    }

    /// Sends what the store accepts as a piece, however small.
    pub(super) fn send_relief(&mut self, uploader: &mut Uploader) -> Started {
        self.send_if(uploader, MULTIPART_BYTES_MIN)
    }

    /// Begins the file again, of the same name.
    pub(super) fn restart(&mut self, encoder: Box<dyn PartEncoder>) {
        let name = std::mem::take(&mut self.name);
        *self = Self::new(name, encoder, self.part_bytes);
    }

    /// Finishes the file. With `contents` it may be tagged.
    ///
    /// # Errors
    /// Class `Fatal` when the encoder broke.
    pub(super) fn finish(mut self, contents: Option<Contents>) -> Result<FinishedFile, ConnectError> {
        self.ready.extend(self.encoder.finish()?);
        let bytes = self.ready.iter().map(|bytes| bytes.len() as u64).sum();
        Ok(FinishedFile { name: self.name, ready: self.ready, bytes, upload: self.upload, contents })
    }

    fn take_ready(&mut self) {
        for bytes in self.encoder.take_ready() {
            self.ready_bytes += bytes.len();
            self.ready.push(bytes);
        }
    }

    fn send_if(&mut self, uploader: &mut Uploader, threshold_bytes: usize) -> Started {
        if self.ready_bytes < threshold_bytes {
            return Started::Already;
        }
        let started = if self.upload.is_none() { Started::Now } else { Started::Already };
        let upload = self.upload.get_or_insert_with(|| uploader.start(self.name.clone()));
        upload.send(std::mem::take(&mut self.ready));
        self.sent_bytes += self.ready_bytes as u64;
        self.ready_bytes = 0;
        started
    }
}

/// An object whose last bytes are known.
pub(super) struct FinishedFile {
    name: Path,
    ready: Vec<Bytes>,
    bytes: u64,
    upload: Option<UploadHandle>,
    contents: Option<Contents>,
}

impl FinishedFile {
    /// The upload, when it was started while the file was written.
    pub(super) fn upload_id(&self) -> Option<UploadId> {
        self.upload.as_ref().map(|upload| upload.id)
    }

    /// Bytes held here.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Sends the last bytes; the object exists once the upload says so.
    pub(super) fn complete(self, uploader: &mut Uploader) -> UploadId {
        let upload = self.upload.unwrap_or_else(|| uploader.start(self.name));
        let id = upload.id;
        upload.complete(self.ready, self.contents);
        id
    }
}

/// S3 accepts smaller pieces only at the end of an object.
const MULTIPART_BYTES_MIN: usize = 5 << 20;
