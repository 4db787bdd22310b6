//! What files have on disk: rows as Arrow columns, and encoded bytes as they are.
//!
//! Pieces of many files share one write; a piece is known by where it is in it.

use std::cell::OnceCell;
use std::rc::Rc;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_buffer::Buffer;
use arrow_ipc::reader::read_record_batch;
use arrow_ipc::writer::{DictionaryTracker, IpcDataGenerator, IpcWriteOptions};
use arrow_ipc::{MetadataVersion, root_as_message};
use arrow_schema::{ArrowError, Field, Schema as ArrowSchema, SchemaRef};
use lakeward_api::ConnectError;
use lakeward_api::batch::Values;
use lakeward_api::schema::Schema;
use lakeward_api::spill::{Extent, Loading, SpillDevice};

/// A write has about this many bytes.
const WRITE_BYTES: usize = 1 << 20;
/// More is not on its way to disk at a time.
const WRITING_BYTES_MAX: u64 = 16 << 20;

/// Collects pieces for a device.
pub(super) struct Spiller {
    device: Rc<dyn SpillDevice>,
    buffer: Vec<u8>,
    /// The extent that the buffer will be.
    extent: Rc<OnceCell<Extent>>,
}

/// A piece on disk.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    extent: Rc<OnceCell<Extent>>,
    start: usize,
    bytes: usize,
}

impl Spiller {
    pub(super) fn new(device: Rc<dyn SpillDevice>) -> Self {
        Self { device, buffer: Vec::new(), extent: Rc::default() }
    }

    /// Adds a piece; it can be loaded after [`Spiller::flush`].
    pub(super) fn add(&mut self, parts: &[&[u8]]) -> Stored {
        let start = self.buffer.len();
        parts.iter().for_each(|part| self.buffer.extend_from_slice(part));
        let stored = Stored { extent: Rc::clone(&self.extent), start, bytes: self.buffer.len() - start };
        if self.buffer.len() >= WRITE_BYTES {
            self.flush();
        }
        stored
    }

    /// Hands over what was collected.
    pub(super) fn flush(&mut self) {
        if self.buffer.is_empty() {
            return;
        }
        let extent = self.device.store(std::mem::take(&mut self.buffer));
        let known = std::mem::take(&mut self.extent).set(extent);
        known.expect("an extent is set with its only write");
    }

    pub(super) fn load(&self, stored: &Stored) -> Loading {
        let extent = stored.extent.get().expect("whoever adds pieces flushes before he returns");
        self.device.load(&extent.part(stored.start, stored.bytes))
    }

    /// Whether the disk does not keep up: what is written later is as well off where it is.
    pub(super) fn is_busy(&self) -> bool {
        self.device.writing_bytes() >= WRITING_BYTES_MAX
    }

    pub(super) fn take_failure(&self) -> Option<ConnectError> {
        self.device.take_failure()
    }
}

impl Stored {
    pub(super) fn bytes(&self) -> u64 {
        self.bytes as u64
    }
}

/// Writes rows: the length of the header, the header, the columns.
///
/// # Errors
/// Class `Fatal` when they have no such form.
pub(super) fn store_rows(values: &Values, spiller: &mut Spiller) -> Result<Stored, ConnectError> {
    let Values::Typed { schema, array } = values else {
        return Err(ConnectError::fatal("only columns go to disk as rows"));
    };
    let batch = RecordBatch::try_new(column_schema(schema), vec![Arc::clone(array)]).map_err(broken)?;
    let options = IpcWriteOptions::try_new(8, false, MetadataVersion::V5).map_err(broken)?;
    let mut dictionaries = DictionaryTracker::new(false);
    let (_, encoded) = IpcDataGenerator::default()
        .encode(&batch, &mut dictionaries, &options, &mut Default::default())
        .map_err(broken)?;
    let length = (encoded.ipc_message.len() as u64).to_le_bytes();
    Ok(spiller.add(&[&length, &encoded.ipc_message, &encoded.arrow_data]))
}

/// Reads what [`store_rows`] wrote of rows of `schema`.
///
/// # Errors
/// Class `Fatal` when the bytes are others.
pub(super) fn load_rows(schema: &Arc<Schema>, bytes: &[u8]) -> Result<Values, ConnectError> {
    let damaged = || ConnectError::fatal("what was read back from lakeward.spill.dir is damaged");
    let (length, rest) = bytes.split_first_chunk().ok_or_else(damaged)?;
    let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| damaged())?;
    let header = rest.get(..length).ok_or_else(damaged)?;
    let message = root_as_message(header).map_err(|_| damaged())?;
    let columns = message.header_as_record_batch().ok_or_else(damaged)?;
    let version = message.version();
    let start = size_of::<u64>() + length;
    let data = Buffer::from(&bytes[start..]);
    let batch = read_record_batch(&data, columns, column_schema(schema), &Default::default(), None, &version);
    let array: ArrayRef = Arc::clone(batch.map_err(broken)?.column(0));
    Ok(Values::Typed { schema: Arc::clone(schema), array })
}

fn column_schema(schema: &Schema) -> SchemaRef {
    Arc::new(ArrowSchema::new(vec![Field::new("v", schema.arrow_type(), true)]))
}

fn broken(err: ArrowError) -> ConnectError {
    ConnectError::fatal("rows could not be brought to disk or back").with_source(err)
}
