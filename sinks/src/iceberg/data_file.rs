//! Data files: rows on their way to the store, and what the metadata says of a file that is complete.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::ArrowError;
use arrow_select::concat::concat_batches;
use bytes::{Bytes, BytesMut};
use iceberg::spec::{
    DataContentType, DataFile, DataFileBuilder, DataFileFormat, Datum, PrimitiveType, Schema,
};
use lakeward_api::ConnectError;
use lakeward_api::bridge::{Bridge, Waker};
use lakeward_api::budget::Budget;
use lakeward_formats::file::parquet::{ColumnFacts, ColumnarFile, FinishedFile};
use tokio::sync::Semaphore;

use super::error::CatalogError;
use super::files::PIECE_BYTES;
use super::partition::Partition;
use super::table::TargetTable;
use super::upload::{Piece, Upload};

/// Rows wait until they have this many bytes: a column that is being compressed holds more.
const GATHER_BYTES: u64 = 512 << 10;
/// What a file holds beside rows: its address, a channel and what runs on the bridge.
const FILE_BYTES: u64 = 4 << 10;

/// Where uploads run and what they count against.
#[derive(Clone)]
pub(super) struct Uploads {
    pub(super) bridge: Arc<dyn Bridge>,
    pub(super) waker: Waker,
    pub(super) in_flight: Budget,
    /// Requests of this task that may be under way.
    pub(super) slots: Arc<Semaphore>,
}

/// A file that takes rows.
///
/// # Memory
/// Rows are gathered before they are encoded. What is encoded waits here until it makes a piece of an upload,
/// so that many small files are counted.
pub(super) struct OpenFile {
    target: TargetTable,
    partition: Partition,
    address: String,
    gathered: Vec<RecordBatch>,
    gathered_bytes: u64,
    /// Made for the first rows that are encoded: with many files it is what most of them would hold.
    file: Option<ColumnarFile>,
    waiting: BytesMut,
    sent_bytes: u64,
    pieces: flume::Sender<Piece>,
    stored: Stored,
    in_flight: Budget,
    /// The batch of the task that brought rows last.
    pub(super) used: u64,
}

/// Says that a file is stored.
pub(super) type Stored = flume::Receiver<Result<(), CatalogError>>;

impl OpenFile {
    /// A new file of `target` for rows of `partition`, with the name `name`.
    ///
    /// # Errors
    /// `Config` when its address cannot be used.
    pub(super) fn create(
        target: &TargetTable,
        partition: Partition,
        name: &str,
        uploads: &Uploads,
    ) -> Result<Self, ConnectError> {
        let address = target.data_address(&format!("{}{name}", target.partitioning.path(&partition)));
        let (store, path) = target.files.at(&address).map_err(CatalogError::from)?;
        let (pieces, received) = flume::unbounded();
        let (answer, stored) = flume::bounded(1);
        let waker = uploads.waker.clone();
        let upload = Upload { store, path, slots: Arc::clone(&uploads.slots), waker: waker.clone() };
        uploads.bridge.spawn(Box::pin(async move {
            let outcome = upload.run(received).await.map_err(std::io::Error::other);
            // The task may be gone.
            drop(answer.send(outcome.map_err(|source| CatalogError::Store { source })));
            waker.wake();
        }));
        Ok(Self {
            target: target.clone(),
            partition,
            address,
            gathered: Vec::new(),
            gathered_bytes: 0,
            file: None,
            waiting: BytesMut::new(),
            sent_bytes: 0,
            pieces,
            stored,
            in_flight: uploads.in_flight.clone(),
            used: 0,
        })
    }

    /// Bytes that were encoded so far, those in open row groups left out.
    pub(super) fn bytes(&self) -> u64 {
        self.sent_bytes + self.waiting.len() as u64
    }

    /// Memory that rows hold: gathered ones, and those of the open row group.
    pub(super) fn row_bytes(&self) -> u64 {
        self.gathered_bytes + self.file.as_ref().map_or(0, ColumnarFile::row_group_bytes)
    }

    /// Memory held.
    pub(super) fn buffered_bytes(&self) -> u64 {
        let encoder = self.file.as_ref().map_or(0, ColumnarFile::buffered_bytes);
        self.gathered_bytes + encoder + self.waiting.capacity() as u64 + FILE_BYTES
    }

    /// Appends rows; `columns` are those of the table.
    ///
    /// # Errors
    /// `Fatal` when the encoder broke.
    pub(super) fn write(&mut self, columns: Vec<ArrayRef>) -> Result<(), ConnectError> {
        let rows = RecordBatch::try_new(Arc::clone(&self.target.arrow_schema), columns).map_err(not_made)?;
        self.gathered_bytes += rows.get_array_memory_size() as u64;
        self.gathered.push(rows);
        if self.gathered_bytes >= GATHER_BYTES {
            self.encode()?;
            self.send_pieces();
        }
        Ok(())
    }

    /// Encodes what was gathered.
    fn encode(&mut self) -> Result<(), ConnectError> {
        let rows = match &self.gathered[..] {
            [] => return Ok(()),
            [rows] => rows.clone(),
            several => concat_batches(&self.target.arrow_schema, several).map_err(not_made)?,
        };
        self.gathered = Vec::new();
        self.gathered_bytes = 0;
        Ok(self.encoder()?.write(&rows)?)
    }

    fn encoder(&mut self) -> Result<&mut ColumnarFile, ConnectError> {
        if self.file.is_none() {
            let schema = Arc::clone(&self.target.arrow_schema);
            self.file = Some(ColumnarFile::new(schema, &self.target.parquet_options())?);
        }
        Ok(self.file.as_mut().expect("it was just made"))
    }

    /// Closes the open row group and sends what it made.
    ///
    /// # Errors
    /// `Fatal` when the encoder broke.
    pub(super) fn flush_early(&mut self) -> Result<(), ConnectError> {
        self.encode()?;
        self.encoder()?.flush_early()?;
        self.send_pieces();
        Ok(())
    }

    /// Sends what makes whole pieces.
    fn send_pieces(&mut self) {
        for bytes in self.file.as_mut().map_or_else(Vec::new, ColumnarFile::take_ready) {
            self.waiting.extend_from_slice(&bytes);
        }
        while self.waiting.len() >= PIECE_BYTES {
            let piece = Bytes::copy_from_slice(&self.waiting[..PIECE_BYTES]);
            // What is left would keep the memory of what was sent.
            self.waiting = BytesMut::from(&self.waiting[PIECE_BYTES..]);
            self.sent_bytes += piece.len() as u64;
            let permit = self.in_flight.take(piece.len() as u64);
            // An upload that failed says so in its answer.
            drop(self.pieces.send(Piece::Part(piece, permit)));
        }
    }

    /// Ends the file: what the metadata says of it, and how to learn that it is stored.
    ///
    /// # Errors
    /// `Fatal` when the encoder broke.
    pub(super) fn finish(mut self) -> Result<(DataFile, Stored), ConnectError> {
        self.encode()?;
        self.encoder()?;
        self.send_pieces();
        let Self { target, partition, address, file, mut waiting, sent_bytes, pieces, stored, .. } = self;
        let file = file.expect("it was made above");
        let FinishedFile { rest, rows, row_groups, columns } = file.finish()?;
        rest.iter().for_each(|bytes| waiting.extend_from_slice(bytes));
        let bytes = sent_bytes + waiting.len() as u64;
        let permit = self.in_flight.take(waiting.capacity() as u64);
        drop(pieces.send(Piece::Last(waiting.freeze(), permit)));
        let metadata = target.table.metadata();
        let mut builder = DataFileBuilder::default();
        builder
            .content(DataContentType::Data)
            .file_path(address)
            .file_format(DataFileFormat::Parquet)
            .partition(partition.values())
            .partition_spec_id(target.partitioning.spec_id)
            .record_count(rows)
            .file_size_in_bytes(bytes)
            .split_offsets(Some(row_groups));
        describe(&mut builder, &columns, metadata.current_schema());
        let made = builder.build();
        let made =
            made.map_err(|err| ConnectError::fatal("A data file could not be described").with_source(err))?;
        Ok((made, stored))
    }
}

#[cfg(test)]
impl OpenFile {
    /// Whether it is the file of this partition of one value.
    pub(super) fn is_of(&self, id: i64) -> bool {
        self.address.contains(&format!("/id={id}/"))
    }

    /// Drops the file; answers how to learn that its upload is over.
    pub(super) fn give_up(self) -> Stored {
        self.stored
    }
}

fn not_made(err: ArrowError) -> ConnectError {
    ConnectError::fatal("Rows could not be made").with_source(err)
}

/// Counts, sizes and bounds of the columns.
fn describe(builder: &mut DataFileBuilder, columns: &[ColumnFacts], schema: &Schema) {
    let counts = |of: fn(&ColumnFacts) -> Option<u64>| {
        columns.iter().filter_map(|column| Some((column.field_id, of(column)?))).collect()
    };
    let bounds = |of: fn(&(Bytes, Bytes)) -> &Bytes| {
        let bound = |column: &ColumnFacts| {
            let field = schema.field_by_id(column.field_id)?;
            Some((
                column.field_id,
                datum(of(column.bounds.as_ref()?), field.field_type.as_primitive_type()?)?,
            ))
        };
        columns.iter().filter_map(bound).collect()
    };
    builder
        .column_sizes(counts(|column| Some(column.bytes)))
        .value_counts(counts(|column| Some(column.values)))
        .null_value_counts(counts(|column| column.nulls))
        .lower_bounds(bounds(|(least, _)| least))
        .upper_bounds(bounds(|(_, most)| most));
}

/// A bound as metadata has it.
fn datum(bytes: &Bytes, of: &PrimitiveType) -> Option<Datum> {
    let mut bytes = bytes.to_vec();
    // Parquet keeps small decimals as plain numbers; metadata wants the most significant byte first.
    if matches!(of, PrimitiveType::Decimal { precision, .. } if *precision <= 18) {
        bytes.reverse();
    }
    Datum::try_from_bytes(&bytes, of.clone()).ok()
}
