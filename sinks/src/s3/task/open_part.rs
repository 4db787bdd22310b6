//! One part being written: its encoder, and the finished bytes that wait until they are worth a request.
//!
//! Finished bytes stay here, counted as open, until a whole piece of `s3.part.size` is together: what was
//! handed to the upload is always on its way, so the in-flight budget can never be held by bytes that wait
//! for more records.

use std::sync::Arc;

use bytes::Bytes;
use lakeward_api::ConnectError;
use lakeward_api::batch::Values;
use lakeward_api::schema::Schema;
use lakeward_formats::file::PartEncoder;
use object_store::path::Path;

use super::nulls::select_values;
use crate::s3::compatibility::project;
use crate::s3::rotation::Rows;
use crate::s3::upload::{UploadHandle, UploadId, Uploader};

/// A part of one topic-partition.
pub(super) struct OpenPart {
    name: Path,
    /// The schema of its first record; every other record is brought to it.
    schema: Option<Arc<Schema>>,
    encoder: Box<dyn PartEncoder>,
    ready: Vec<Bytes>,
    ready_bytes: usize,
    upload: Option<UploadHandle>,
    part_bytes: usize,
    pieces_count: u32,
    is_empty: bool,
}

/// Whether a call started the upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Started {
    Already,
    Now,
}

impl OpenPart {
    /// A part that will be the object `name`, sent in pieces of `part_bytes` or more.
    pub(super) fn new(
        name: Path,
        schema: Option<Arc<Schema>>,
        encoder: Box<dyn PartEncoder>,
        part_bytes: usize,
    ) -> Self {
        Self {
            name,
            schema,
            encoder,
            ready: Vec::new(),
            ready_bytes: 0,
            upload: None,
            part_bytes,
            pieces_count: 0,
            is_empty: true,
        }
    }

    /// The upload, once it was started.
    pub(super) fn upload_id(&self) -> Option<UploadId> {
        self.upload.as_ref().map(|upload| upload.id)
    }

    /// Bytes held here.
    pub(super) fn buffered_bytes(&self) -> u64 {
        self.encoder.buffered_bytes() + self.ready_bytes as u64
    }

    /// Appends rows of a batch.
    ///
    /// # Errors
    /// Class `Record` when a value has no form in the format: nothing of `rows` was written.
    pub(super) fn write(&mut self, values: &Values, rows: &Rows) -> Result<(), ConnectError> {
        match rows {
            Rows::Range { start: 0, rows } if *rows == values.rows() => self.encode(values)?,
            Rows::Range { start, rows } => self.encode(&values.slice(*start, *rows))?,
            Rows::Indices(rows) => self.encode(&select_values(values, rows))?,
        }
        self.is_empty = false;
        self.take_ready();
        Ok(())
    }

    fn encode(&mut self, values: &Values) -> Result<(), ConnectError> {
        match (values.schema(), &self.schema) {
            (Some(one), Some(other)) if !Arc::ptr_eq(one, other) && one != other => {
                self.encoder.write(&project(values, other)?)?;
            }
            _ => self.encoder.write(values)?,
        }
        Ok(())
    }

    /// True when no row was written: every one was rejected.
    pub(super) fn is_empty(&self) -> bool {
        self.is_empty
    }

    /// Sends what makes a full piece.
    pub(super) fn send_full_pieces(&mut self, uploader: &mut Uploader) -> Started {
        self.send_if(uploader, self.piece_bytes())
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

    /// Finishes the file; it exists once the upload says so.
    pub(super) fn complete(mut self, uploader: &mut Uploader) -> Result<UploadId, ConnectError> {
        self.ready.extend(self.encoder.finish()?);
        let upload = self.upload.unwrap_or_else(|| uploader.start(self.name));
        let id = upload.id;
        upload.complete(self.ready);
        Ok(id)
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
        self.ready_bytes = 0;
        self.pieces_count += 1;
        started
    }

    /// The size of the next piece: it doubles every 2 000 pieces, so that 10 000 hold any object S3 can (5
    /// TiB).
    fn piece_bytes(&self) -> usize {
        let doublings = (self.pieces_count / 2000).min(7);
        self.part_bytes.saturating_mul(1 << doublings)
    }
}

/// S3 accepts smaller pieces only at the end of an object.
const MULTIPART_BYTES_MIN: usize = 5 << 20;
