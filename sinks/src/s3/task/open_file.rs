//! One object being written: rows that wait, its encoder, and the finished bytes that wait until they are
//! worth a request.
//!
//! Finished bytes stay here, counted as open, until a whole piece of `s3.part.size` is together: what was
//! handed to the upload is always on its way, so the in-flight budget can never be held by bytes that wait
//! for more records.
//!
//! In file order: encoded bytes on disk, encoded bytes in memory, the encoder, rows on disk, rows that wait.
//! A file whose schema grows has rows and nothing else until it ends (`merging.rs`).

use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;

use arrow_array::Array as _;
use bytes::Bytes;
use lakeward_api::ConnectError;
use lakeward_api::batch::Values;
use lakeward_api::schema::Schema;
use lakeward_api::spill::Loading;
use lakeward_formats::file::PartEncoder;
use object_store::path::Path;

use super::encoder::Encoder;
use super::gather::{GATHER_ROWS, SharedBytes, SharedColumn, Waiting};
use super::merging::{Growing, Moving, Next};
use super::spilled::{Spiller, Stored, load_rows, store_rows};
use crate::s3::rotation::Rows;
use crate::s3::store::Contents;
use crate::s3::upload::{UploadHandle, UploadId, Uploader, next_piece_bytes};

/// An object of one topic-partition.
pub(super) struct OpenFile {
    name: Path,
    encoder: Encoder,
    waiting: Waiting,
    ready: Vec<Bytes>,
    ready_bytes: usize,
    on_disk: Option<Box<OnDisk>>,
    /// All of its rows, when its schema grows with them; they are encoded when it ends.
    growing: Option<Box<Growing>>,
    upload: Option<UploadHandle>,
    part_bytes: usize,
    sent_bytes: u64,
}

/// A file that nobody owns for now: it shares nothing with others, so that it may move to another shard.
pub(super) struct ParkedFile {
    name: Path,
    encoder: Encoder,
    rows: Option<Values>,
    growing: Option<Moving>,
    ready: Vec<Bytes>,
    ready_bytes: usize,
    pub(super) upload: Option<UploadHandle>,
    part_bytes: usize,
    sent_bytes: u64,
}

/// What a file has on disk.
#[derive(Default)]
struct OnDisk {
    /// Encoded bytes; what was read back of them.
    encoded: VecDeque<Stored>,
    encoded_bytes: u64,
    back: Vec<Bytes>,
    /// Rows, and their schema.
    rows: VecDeque<Stored>,
    rows_bytes: u64,
    schema: Option<Arc<Schema>>,
    loading: Option<Loading>,
}

/// Whether a call started the upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Started {
    Already,
    Now,
}

/// Whether everything of a file is in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Recalled {
    All,
    /// A bounded part of it: the rest can follow at once.
    Part,
    /// The disk has to answer first.
    NotYet,
}

impl OpenFile {
    /// The object `name`, sent in pieces of `part_bytes` or more.
    pub(super) fn new(name: Path, encoder: Box<dyn PartEncoder>, part_bytes: usize) -> Self {
        Self {
            name,
            encoder: Encoder::new(encoder),
            waiting: Waiting::default(),
            ready: Vec::new(),
            ready_bytes: 0,
            on_disk: None,
            growing: None,
            upload: None,
            part_bytes,
            sent_bytes: 0,
        }
    }

    /// The same, with a schema that grows by that of each record.
    pub(super) fn growing(mut self, rows: Growing) -> Self {
        self.growing = Some(Box::new(rows));
        self
    }

    /// The file as it may move; `None` when something of it is on disk, or its rows cannot be put together.
    pub(super) fn park(mut self) -> Option<ParkedFile> {
        if self.on_disk.is_some() {
            return None;
        }
        Some(ParkedFile {
            rows: self.waiting.gather().ok()?,
            growing: match self.growing {
                Some(growing) => Some(growing.park()?),
                None => None,
            },
            name: self.name,
            encoder: self.encoder,
            ready: self.ready,
            ready_bytes: self.ready_bytes,
            upload: self.upload,
            part_bytes: self.part_bytes,
            sent_bytes: self.sent_bytes,
        })
    }

    /// A file that goes on; its rows are counted in `total`.
    pub(super) fn unpark(file: ParkedFile, uploader: &mut Uploader, total: &SharedBytes) -> Self {
        let mut waiting = Waiting::default();
        if let Some(Values::Typed { schema, array }) = file.rows {
            let rows = Rows::Range { start: 0, rows: array.len() };
            waiting.push(&SharedColumn::new(&schema, array, total), &rows);
        }
        Self {
            name: file.name,
            encoder: file.encoder,
            waiting,
            ready: file.ready,
            ready_bytes: file.ready_bytes,
            on_disk: None,
            growing: file.growing.map(|rows| Box::new(Growing::unpark(rows))),
            upload: file.upload.map(|upload| uploader.adopt(upload)),
            part_bytes: file.part_bytes,
            sent_bytes: file.sent_bytes,
        }
    }

    /// Whether something of it is on disk, where no other shard can read it.
    pub(super) fn is_on_disk(&self) -> bool {
        self.on_disk.is_some() || self.growing.as_ref().is_some_and(|rows| rows.on_disk_bytes() > 0)
    }

    /// The upload, once it was started.
    pub(super) fn upload(&self) -> Option<&UploadHandle> {
        self.upload.as_ref()
    }

    /// Its number.
    pub(super) fn upload_id(&self) -> Option<UploadId> {
        self.upload.as_ref().map(|upload| upload.id)
    }

    /// Bytes held here; columns that rows wait in are counted by their task.
    pub(super) fn buffered_bytes(&self) -> u64 {
        let growing = self.growing.as_ref().map_or(0, |rows| rows.buffered_bytes());
        let encoded = self.encoder.buffered_bytes() + self.ready_bytes as u64;
        FILE_BYTES + encoded + self.waiting.index_bytes() + growing
    }

    /// What relief could free here, more or less.
    pub(super) fn relief_bytes(&self) -> u64 {
        self.buffered_bytes() + self.waiting.bytes()
    }

    /// All of it, in memory and on disk, more or less.
    pub(super) fn all_bytes(&self) -> u64 {
        let on_disk = self.on_disk.as_ref().map_or(0, |disk| disk.encoded_bytes + disk.rows_bytes);
        let growing = self.growing.as_ref().map_or(0, |rows| rows.on_disk_bytes());
        self.relief_bytes() + on_disk + growing
    }

    /// Whether rows wait, so that later ones have to.
    pub(super) fn has_waiting(&self) -> bool {
        !self.waiting.is_empty() || self.has_rows_on_disk()
    }

    fn has_rows_on_disk(&self) -> bool {
        self.on_disk.as_ref().is_some_and(|disk| !disk.rows.is_empty())
    }

    /// Appends rows.
    ///
    /// # Errors
    /// Class `Record` when a value has no form in the format: nothing was written.
    pub(super) fn write(&mut self, values: &Values) -> Result<(), ConnectError> {
        assert!(!self.has_waiting(), "rows stay in their order");
        if let Some(growing) = &mut self.growing {
            return growing.write(values);
        }
        self.encode(values)
    }

    /// Lets rows wait for others, and encodes them when they are worth it together: a file that ends before
    /// that never has an open encoder beside others.
    ///
    /// # Errors
    /// Those of encoding rows that waited.
    pub(super) fn add(&mut self, column: &Rc<SharedColumn>, rows: &Rows) -> Result<(), ConnectError> {
        self.waiting.push(column, rows);
        let is_enough =
            self.waiting.rows() >= GATHER_ROWS && self.waiting.bytes() >= self.encoder.worth_bytes();
        if is_enough { self.let_none_wait() } else { Ok(()) }
    }

    /// Encodes rows that wait, unless some before them are on disk: many more come, which need not wait.
    ///
    /// # Errors
    /// Those of encoding them.
    pub(super) fn let_none_wait(&mut self) -> Result<(), ConnectError> {
        if self.has_rows_on_disk() { Ok(()) } else { self.encode_waiting() }
    }

    fn encode_waiting(&mut self) -> Result<(), ConnectError> {
        match self.waiting.gather()? {
            Some(values) => self.encode(&values),
            None => Ok(()),
        }
    }

    fn encode(&mut self, values: &Values) -> Result<(), ConnectError> {
        self.encoder.write(values)?;
        // Small pieces are left to the encoder, which has one buffer for them.
        if self.encoder.buffered_bytes() >= TAKE_BYTES {
            self.take_ready();
        }
        Ok(())
    }

    /// Sends what makes a full piece.
    pub(super) fn send_full_pieces(&mut self, uploader: &mut Uploader) -> Started {
        self.send_if(uploader, next_piece_bytes(self.part_bytes, self.sent_bytes))
    }

    /// True when relief would free enough for a request.
    pub(super) fn can_relieve(&self) -> bool {
        self.encoder.buffered_bytes() + self.ready_bytes as u64 >= MULTIPART_BYTES_MIN as u64
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

    /// Brings rows that wait and encoded bytes to disk. A row group is closed for that when it holds
    /// `least_bytes`.
    ///
    /// # Errors
    /// Class `Fatal` when the encoder broke.
    pub(super) fn spill(&mut self, spiller: &mut Spiller, least_bytes: u64) -> Result<(), ConnectError> {
        if let Some(growing) = &mut self.growing {
            return growing.spill(spiller);
        }
        self.take_ready();
        if self.encoder.buffered_bytes() >= least_bytes {
            self.flush_early()?;
        }
        if self.ready_bytes > 0 {
            let parts: Vec<&[u8]> = self.ready.iter().map(|bytes| &**bytes).collect();
            let disk = self.on_disk.get_or_insert_default();
            disk.encoded.push_back(spiller.add(&parts));
            disk.encoded_bytes += self.ready_bytes as u64;
            self.ready = Vec::new();
            self.ready_bytes = 0;
        }
        if let Some(values) = self.waiting.gather()? {
            let stored = store_rows(&values, spiller)?;
            let disk = self.on_disk.get_or_insert_default();
            disk.rows_bytes += stored.bytes();
            disk.schema = values.schema().cloned();
            disk.rows.push_back(stored);
        }
        Ok(())
    }

    /// Whether [`OpenFile::spill`] has left rows: it does a bounded piece of work.
    pub(super) fn can_spill_more(&self) -> bool {
        self.growing.as_ref().is_some_and(|rows| rows.can_spill())
    }

    /// No more rows come: those whose schema grew can be encoded, see [`OpenFile::recall`].
    ///
    /// # Errors
    /// Those of the format.
    pub(super) fn end(&mut self) -> Result<(), ConnectError> {
        if let Some(growing) = &mut self.growing {
            self.encoder = Encoder::new(growing.end()?);
        }
        Ok(())
    }

    /// Whether rows are left whose schema grew.
    pub(super) fn is_growing(&self) -> bool {
        self.growing.is_some()
    }

    /// Asks the disk for the first piece of rows whose schema grew.
    pub(super) fn prefetch(&mut self, spiller: Option<&Spiller>) {
        if let (Some(growing), Some(spiller)) = (&mut self.growing, spiller) {
            growing.prefetch(spiller);
        }
    }

    /// Encodes a piece of the rows whose schema grew.
    fn encode_grown(&mut self, spiller: Option<&Spiller>) -> Result<Recalled, ConnectError> {
        let Some(growing) = self.growing.as_mut().filter(|rows| rows.has_ended()) else {
            return Ok(Recalled::All);
        };
        match growing.next(spiller)? {
            Next::Rows(rows) => {
                self.encode(&rows)?;
                Ok(Recalled::Part)
            }
            Next::OnTheWay => Ok(Recalled::NotYet),
            Next::End => {
                self.growing = None;
                Ok(Recalled::All)
            }
        }
    }

    /// Whether what is on disk should come back although the file goes on.
    pub(super) fn wants_recall(&self) -> bool {
        let piece_bytes = next_piece_bytes(self.part_bytes, self.sent_bytes) as u64;
        self.on_disk.as_ref().is_some_and(|disk| {
            disk.rows_bytes + self.waiting.bytes() >= RECALL_ROWS_BYTES
                || (disk.encoded_bytes > 0 && disk.encoded_bytes + self.ready_bytes as u64 >= piece_bytes)
        })
    }

    /// Brings back what is on disk, in file order, one extent at a time. Of a file that has ended and whose
    /// schema grew a piece is encoded.
    ///
    /// # Errors
    /// Those of encoding rows; class `Fatal` when what comes back is damaged.
    pub(super) fn recall(&mut self, spiller: Option<&Spiller>) -> Result<Recalled, ConnectError> {
        if self.growing.is_some() {
            return self.encode_grown(spiller);
        }
        loop {
            let (Some(disk), Some(spiller)) = (&mut self.on_disk, spiller) else { return Ok(Recalled::All) };
            let Some(next) = disk.encoded.front().or_else(|| disk.rows.front()) else {
                self.on_disk = None;
                return Ok(Recalled::All);
            };
            let loading = disk.loading.get_or_insert_with(|| spiller.load(next));
            let Some(bytes) = loading.take() else { return Ok(Recalled::NotYet) };
            disk.loading = None;
            if disk.encoded.pop_front().is_some() {
                disk.back.push(bytes.into());
                if disk.encoded.is_empty() {
                    let newer = std::mem::take(&mut self.ready);
                    self.ready = std::mem::take(&mut disk.back);
                    self.ready_bytes += usize::try_from(disk.encoded_bytes).unwrap_or(usize::MAX);
                    disk.encoded_bytes = 0;
                    self.ready.extend(newer);
                }
            } else if let (Some(stored), Some(schema)) = (disk.rows.pop_front(), disk.schema.clone()) {
                disk.rows_bytes -= stored.bytes();
                let rows = load_rows(&schema, &bytes)?;
                self.encode(&rows)?;
            }
        }
    }

    /// Finishes the file, all of which is in memory. With `contents` it may be tagged.
    ///
    /// # Errors
    /// Those of encoding rows that waited.
    pub(super) fn finish(mut self, contents: Option<Contents>) -> Result<FinishedFile, ConnectError> {
        assert!(
            self.on_disk.is_none() && self.growing.is_none(),
            "a file is finished when all of it is in memory"
        );
        self.encode_waiting()?;
        self.ready.extend(self.encoder.finish()?);
        Ok(FinishedFile { name: self.name, ready: self.ready, upload: self.upload, contents })
    }

    fn take_ready(&mut self) {
        for bytes in self.encoder.take_ready() {
            self.ready_bytes += bytes.len();
            self.ready.push(bytes);
        }
    }

    fn send_if(&mut self, uploader: &mut Uploader, threshold_bytes: usize) -> Started {
        // What is on disk comes first.
        let has_older = self.on_disk.as_ref().is_some_and(|disk| disk.encoded_bytes > 0);
        if self.ready_bytes < threshold_bytes || has_older {
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

impl ParkedFile {
    /// Memory that it holds.
    pub(super) fn bytes(&self) -> u64 {
        let rows = match &self.rows {
            Some(Values::Typed { array, .. }) => array.get_array_memory_size() as u64,
            _ => 0,
        };
        let growing = self.growing.as_ref().map_or(0, Moving::bytes);
        FILE_BYTES + self.encoder.buffered_bytes() + self.ready_bytes as u64 + rows + growing
    }
}

/// An object whose last bytes are known.
pub(super) struct FinishedFile {
    name: Path,
    ready: Vec<Bytes>,
    upload: Option<UploadHandle>,
    contents: Option<Contents>,
}

impl FinishedFile {
    /// Sends the last bytes; the object exists once the upload says so.
    pub(super) fn complete(self, uploader: &mut Uploader) -> UploadId {
        let upload = self.upload.unwrap_or_else(|| uploader.start(self.name));
        let id = upload.id;
        uploader.complete(upload, self.ready, self.contents);
        id
    }
}

/// S3 accepts smaller pieces only at the end of an object.
const MULTIPART_BYTES_MIN: usize = 5 << 20;
/// What a file holds before it has rows: its names here and where it is looked for.
const FILE_BYTES: u64 = 512;
/// An encoder keeps fewer finished bytes to itself.
const TAKE_BYTES: u64 = 256 << 10;
/// Rows on disk come back when they are worth a row group.
const RECALL_ROWS_BYTES: u64 = 4 << 20;
