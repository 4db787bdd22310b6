//! Data files: rows on their way to the store, and what the metadata says of a file that is complete.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use bytes::{Bytes, BytesMut};
use iceberg::spec::{
    DataContentType, DataFile, DataFileBuilder, DataFileFormat, Datum, PrimitiveType, Schema,
};
use lakeward_api::ConnectError;
use lakeward_api::bridge::{Bridge, Waker};
use lakeward_api::budget::{Budget, Permit};
use lakeward_api::failpoint;
use lakeward_formats::file::parquet::{ColumnFacts, ColumnarFile, FinishedFile};
use tokio::io::AsyncWriteExt as _;
use tokio::sync::Semaphore;

use super::error::CatalogError;
use super::files::PIECE_BYTES;
use super::partition::Partition;
use super::table::TargetTable;

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
/// What is encoded waits here until it makes a piece of an upload, so that many small files are counted.
pub(super) struct OpenFile {
    target: TargetTable,
    partition: Partition,
    address: String,
    file: ColumnarFile,
    waiting: BytesMut,
    sent_bytes: u64,
    pieces: flume::Sender<Piece>,
    stored: Stored,
    in_flight: Budget,
}

/// Says that a file is stored.
pub(super) type Stored = flume::Receiver<Result<(), CatalogError>>;

enum Piece {
    Bytes(Bytes, Permit),
    /// Without it, an upload leaves nothing behind.
    End,
}

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
        let mut writer = target.files.create(&address).map_err(CatalogError::from)?;
        let file = ColumnarFile::new(Arc::clone(&target.arrow_schema), &target.parquet_options())?;
        let (pieces, received) = flume::unbounded();
        let (answer, stored) = flume::bounded(1);
        let (waker, slots) = (uploads.waker.clone(), Arc::clone(&uploads.slots));
        uploads.bridge.spawn(Box::pin(async move {
            let mut outcome = Ok(());
            let mut is_whole = false;
            while let Ok(piece) = received.recv_async().await {
                match piece {
                    Piece::Bytes(bytes, permit) => {
                        let _slot = slots.acquire().await;
                        failpoint!("table.file.before_piece");
                        outcome = outcome.and(writer.put(bytes).await.map_err(std::io::Error::other));
                        failpoint!("table.file.after_piece");
                        drop(permit);
                        waker.wake();
                    }
                    Piece::End => is_whole = true,
                }
            }
            let _slot = slots.acquire().await;
            if is_whole && outcome.is_ok() {
                failpoint!("table.file.before_complete");
                outcome = writer.shutdown().await;
                failpoint!("table.file.after_complete");
            } else if let Err(err) = writer.abort().await {
                tracing::debug!(error = %err, "an upload that was given up could not be ended");
            }
            // The task may be gone.
            drop(answer.send(outcome.map_err(|source| CatalogError::Store { source })));
            waker.wake();
        }));
        let in_flight = uploads.in_flight.clone();
        let (target, waiting) = (target.clone(), BytesMut::new());
        Ok(Self { target, partition, address, file, waiting, sent_bytes: 0, pieces, stored, in_flight })
    }

    /// Bytes that were encoded so far, those in open row groups left out.
    pub(super) fn bytes(&self) -> u64 {
        self.sent_bytes + self.waiting.len() as u64
    }

    /// Memory that the row group holds.
    pub(super) fn row_group_bytes(&self) -> u64 {
        self.file.buffered_bytes()
    }

    /// Memory held.
    pub(super) fn buffered_bytes(&self) -> u64 {
        self.row_group_bytes() + self.waiting.capacity() as u64
    }

    /// Appends rows; `columns` are those of the table.
    ///
    /// # Errors
    /// `Fatal` when the encoder broke.
    pub(super) fn write(&mut self, columns: Vec<ArrayRef>) -> Result<(), ConnectError> {
        let rows = RecordBatch::try_new(Arc::clone(&self.target.arrow_schema), columns);
        let rows = rows.map_err(|err| ConnectError::fatal("Rows could not be made").with_source(err))?;
        self.file.write(&rows)?;
        self.send_pieces();
        Ok(())
    }

    /// Closes the open row group and sends what it made.
    ///
    /// # Errors
    /// `Fatal` when the encoder broke.
    pub(super) fn flush_early(&mut self) -> Result<(), ConnectError> {
        self.file.flush_early()?;
        self.send_pieces();
        Ok(())
    }

    /// Sends what makes whole pieces.
    fn send_pieces(&mut self) {
        for bytes in self.file.take_ready() {
            self.waiting.extend_from_slice(&bytes);
        }
        let whole = self.waiting.len() / PIECE_BYTES * PIECE_BYTES;
        if whole > 0 {
            let piece = self.waiting.split_to(whole).freeze();
            // What is left would keep the memory of what was sent.
            self.waiting = BytesMut::from(&self.waiting[..]);
            self.send(piece);
        }
    }

    fn send(&mut self, bytes: Bytes) {
        self.sent_bytes += bytes.len() as u64;
        let permit = self.in_flight.take(bytes.len() as u64);
        // An upload that failed says so in its answer.
        drop(self.pieces.send(Piece::Bytes(bytes, permit)));
    }

    /// Ends the file: what the metadata says of it, and how to learn that it is stored.
    ///
    /// # Errors
    /// `Fatal` when the encoder broke.
    pub(super) fn finish(mut self) -> Result<(DataFile, Stored), ConnectError> {
        self.send_pieces();
        let Self { target, partition, address, file, mut waiting, sent_bytes, pieces, stored, in_flight } =
            self;
        let FinishedFile { rest, rows, row_groups, columns } = file.finish()?;
        rest.iter().for_each(|bytes| waiting.extend_from_slice(bytes));
        let bytes = sent_bytes + waiting.len() as u64;
        let permit = in_flight.take(waiting.len() as u64);
        drop(pieces.send(Piece::Bytes(waiting.freeze(), permit)));
        drop(pieces.send(Piece::End));
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
