//! Files whose schema grows with their records (`lakeward.schema.evolution=merge`, decision 0015).
//!
//! Rows wait until their file ends: only then its schema is known. Until then they are in memory, and on disk
//! when there is too little of it (decision 0010).
//!
//! # Memory
//! Rows in memory as columns, and some 50 bytes for each piece on disk. Going to disk and coming back takes a
//! piece at a time.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, UInt32Array};
use lakeward_api::ConnectError;
use lakeward_api::batch::Values;
use lakeward_api::schema::Schema;
use lakeward_api::spill::Loading;
use lakeward_formats::FormatError;
use lakeward_formats::file::{FileFormat, PartEncoder};

use super::spilled::{Spiller, Stored, load_rows, store_rows};
use crate::s3::compatibility::{merged, project};

/// The rows of one file, in their order: those on disk, those in memory.
pub(super) struct Growing {
    format: Arc<dyn FileFormat>,
    /// Holds every row so far.
    schema: Arc<Schema>,
    /// The schema that was looked at last, and whether the format takes all of its values.
    known: Option<(Arc<Schema>, bool)>,
    has_ended: bool,
    on_disk: VecDeque<(Stored, Arc<Schema>)>,
    on_disk_bytes: u64,
    loading: Option<Loading>,
    in_memory: VecDeque<Chunk>,
    in_memory_bytes: u64,
}

/// The rows of a file on their way to another shard: none of them is on disk.
pub(super) struct Moving {
    format: Arc<dyn FileFormat>,
    schema: Arc<Schema>,
    known: Option<(Arc<Schema>, bool)>,
    in_memory: VecDeque<Chunk>,
    in_memory_bytes: u64,
}

impl Moving {
    /// Bytes held.
    pub(super) fn bytes(&self) -> u64 {
        self.in_memory_bytes
    }
}

/// Rows of one schema.
struct Chunk {
    schema: Arc<Schema>,
    array: ArrayRef,
    /// That went on already: the array is whole as long as a row of it stays.
    gone: usize,
    bytes: u64,
}

/// What comes next of a file that ended.
pub(super) enum Next {
    /// These rows, in the schema of the file.
    Rows(Values),
    /// Rows that are on their way from disk.
    OnTheWay,
    /// Nothing: those were all.
    End,
}

impl Growing {
    /// The rows of a file of `format` whose first one has `schema`.
    pub(super) fn new(format: Arc<dyn FileFormat>, schema: &Arc<Schema>) -> Self {
        Self {
            format,
            schema: Arc::clone(schema),
            known: None,
            has_ended: false,
            on_disk: VecDeque::new(),
            on_disk_bytes: 0,
            loading: None,
            in_memory: VecDeque::new(),
            in_memory_bytes: 0,
        }
    }

    /// The rows as they may move; `None` when some are on disk, or on their way to the store.
    pub(super) fn park(self) -> Option<Moving> {
        let Self { format, schema, known, has_ended, on_disk, in_memory, in_memory_bytes, .. } = self;
        let is_whole = !has_ended && on_disk.is_empty();
        is_whole.then_some(Moving { format, schema, known, in_memory, in_memory_bytes })
    }

    /// Rows that go on.
    pub(super) fn unpark(moving: Moving) -> Self {
        let Moving { format, schema, known, in_memory, in_memory_bytes } = moving;
        Self { known, in_memory, in_memory_bytes, ..Self::new(format, &schema) }
    }

    /// Adds rows.
    ///
    /// # Errors
    /// Class `Record` when the format refuses one, or the file cannot hold their schema: nothing was added.
    pub(super) fn write(&mut self, values: &Values) -> Result<(), ConnectError> {
        let Values::Typed { schema, array } = values else {
            let message = "a record has no schema, its file has".to_owned();
            return Err(FormatError::Data { message }.into());
        };
        if !self.admit(schema)? {
            self.format.new_part(Some(schema))?.write(values)?;
        }
        self.push(schema, own(array)?);
        self.join_small()
    }

    /// Whether values of `schema`, which is new here or not, need not be looked at one by one.
    fn admit(&mut self, schema: &Arc<Schema>) -> Result<bool, FormatError> {
        if let Some((known, takes_all)) = &self.known
            && (Arc::ptr_eq(known, schema) || known == schema)
        {
            return Ok(*takes_all);
        }
        let both = merged(&self.schema, schema).ok_or_else(|| FormatError::Data {
            message: "the schema of the record cannot be merged with that of its file".to_owned(),
        })?;
        self.format.new_part(Some(&both))?;
        let takes_all = self.format.takes_all(schema);
        self.schema = both;
        self.known = Some((Arc::clone(schema), takes_all));
        Ok(takes_all)
    }

    fn push(&mut self, schema: &Arc<Schema>, array: ArrayRef) {
        let bytes = array.get_array_memory_size() as u64;
        self.in_memory_bytes += bytes;
        self.in_memory.push_back(Chunk { schema: Arc::clone(schema), array, gone: 0, bytes });
    }

    /// Makes one array of many: each costs as much as some hundred rows, and schemas may take turns.
    fn join_small(&mut self) -> Result<(), ConnectError> {
        // Those that are large already stay as they are.
        let large = self.in_memory.iter().rposition(|chunk| chunk.rows() >= SMALL_ROWS);
        let from = large.map_or(0, |at| at + 1);
        if self.in_memory.len() - from < CHUNKS_MAX {
            return Ok(());
        }
        let small = self.in_memory.split_off(from);
        self.in_memory_bytes -= small.iter().map(|chunk| chunk.bytes).sum::<u64>();
        let array = self.joined(small.into_iter().map(Chunk::rest))?;
        let schema = Arc::clone(&self.schema);
        self.push(&schema, array);
        Ok(())
    }

    /// The rows as one array of the schema of the file so far. What it becomes later says the same of them:
    /// numbers only widen, fields only come.
    fn joined(&self, parts: impl Iterator<Item = Values>) -> Result<ArrayRef, ConnectError> {
        let mut arrays = Vec::new();
        for part in parts {
            if let Values::Typed { array, .. } = project(&part, &self.schema)? {
                arrays.push(array);
            }
        }
        let arrays: Vec<&dyn Array> = arrays.iter().map(|array| &**array).collect();
        arrow_select::concat::concat(&arrays)
            .map_err(|err| ConnectError::fatal("rows could not be joined").with_source(err))
    }

    /// Takes some of the rows in memory, the first ones: about [`PIECE_BYTES`] of a large array, or small
    /// ones together.
    fn take_piece(&mut self) -> Result<Option<Values>, ConnectError> {
        let is_alone = self.in_memory.len() == 1;
        let Some(first) = self.in_memory.front_mut() else { return Ok(None) };
        if first.rows() >= SMALL_ROWS || first.gone > 0 || is_alone {
            let piece = first.take_first();
            if first.rows() == 0 {
                self.in_memory_bytes -= first.bytes;
                self.in_memory.pop_front();
            }
            return Ok(Some(piece));
        }
        let (mut small, mut rows, mut bytes) = (Vec::new(), 0, 0);
        while rows < SMALL_ROWS
            && bytes < PIECE_BYTES
            && let Some(chunk) = self.in_memory.pop_front_if(|chunk| chunk.rows() < SMALL_ROWS)
        {
            self.in_memory_bytes -= chunk.bytes;
            (rows, bytes) = (rows + chunk.rows(), bytes + chunk.bytes);
            small.push(chunk.rest());
        }
        let array = self.joined(small.into_iter())?;
        Ok(Some(Values::Typed { schema: Arc::clone(&self.schema), array }))
    }

    /// Brings rows to disk, the first ones in memory: some MiB of them.
    ///
    /// # Errors
    /// Class `Fatal` when they have no form there.
    pub(super) fn spill(&mut self, spiller: &mut Spiller) -> Result<(), ConnectError> {
        assert!(!self.has_ended, "a file that ended is on its way to the store");
        let mut bytes = 0;
        while bytes < SPILL_BYTES
            && let Some(piece) = self.take_piece()?
        {
            let stored = store_rows(&piece, spiller)?;
            bytes += stored.bytes();
            let Values::Typed { schema, .. } = piece else { unreachable!("columns are taken") };
            self.on_disk.push_back((stored, schema));
        }
        self.on_disk_bytes += bytes;
        Ok(())
    }

    /// Whether there is something to bring to disk.
    pub(super) fn can_spill(&self) -> bool {
        !self.in_memory.is_empty()
    }

    /// No more rows come, and the schema is known: an encoder for what [`Growing::next`] answers.
    ///
    /// # Errors
    /// None that [`Growing::write`] has not told.
    pub(super) fn end(&mut self) -> Result<Box<dyn PartEncoder>, FormatError> {
        self.has_ended = true;
        self.format.new_part(Some(&self.schema))
    }

    /// Whether no more rows come.
    pub(super) fn has_ended(&self) -> bool {
        self.has_ended
    }

    /// Asks for the first piece on disk.
    pub(super) fn prefetch(&mut self, spiller: &Spiller) {
        if let Some((stored, _)) = self.on_disk.front() {
            self.loading.get_or_insert_with(|| spiller.load(stored));
        }
    }

    /// The next rows of a file that ended.
    ///
    /// # Errors
    /// Class `Fatal` when what comes back from disk is damaged.
    pub(super) fn next(&mut self, spiller: Option<&Spiller>) -> Result<Next, ConnectError> {
        let piece = match (self.on_disk.front(), spiller) {
            (Some((stored, schema)), Some(spiller)) => {
                let loading = self.loading.get_or_insert_with(|| spiller.load(stored));
                let Some(bytes) = loading.take() else { return Ok(Next::OnTheWay) };
                let rows = load_rows(schema, &bytes)?;
                self.loading = None;
                self.on_disk_bytes -= stored.bytes();
                self.on_disk.pop_front();
                Some(rows)
            }
            _ => self.take_piece()?,
        };
        Ok(match piece {
            Some(rows) => Next::Rows(project(&rows, &self.schema)?),
            None => Next::End,
        })
    }

    /// Bytes held in memory.
    pub(super) fn buffered_bytes(&self) -> u64 {
        let places = self.on_disk.capacity() * size_of::<(Stored, Arc<Schema>)>()
            + self.in_memory.capacity() * size_of::<Chunk>();
        self.in_memory_bytes + places as u64
    }

    /// Bytes on disk.
    pub(super) fn on_disk_bytes(&self) -> u64 {
        self.on_disk_bytes
    }
}

impl Chunk {
    fn rows(&self) -> usize {
        self.array.len() - self.gone
    }

    /// All rows that are left.
    fn rest(self) -> Values {
        let array = self.array.slice(self.gone, self.rows());
        Values::Typed { schema: self.schema, array }
    }

    /// The first of the rows that are left, about [`PIECE_BYTES`] of them.
    fn take_first(&mut self) -> Values {
        let all = self.array.len().max(1) as u64;
        let row_bytes = (self.bytes / all).max(1);
        let rows =
            usize::try_from(PIECE_BYTES / row_bytes).unwrap_or(usize::MAX).clamp(1, self.rows().max(1));
        let rows = rows.min(self.rows());
        let array = self.array.slice(self.gone, rows);
        self.gone += rows;
        Values::Typed { schema: Arc::clone(&self.schema), array }
    }
}

/// The rows of `array`, without what it is a small part of.
fn own(array: &ArrayRef) -> Result<ArrayRef, ConnectError> {
    let all_bytes = array.get_array_memory_size();
    let is_most = array.to_data().get_slice_memory_size().is_ok_and(|bytes| bytes >= all_bytes / 2);
    if is_most || array.is_empty() || all_bytes < SMALL_BYTES {
        return Ok(Arc::clone(array));
    }
    let rows = UInt32Array::from_iter_values((0..).take(array.len()));
    arrow_select::take::take(array, &rows, None)
        .map_err(|err| ConnectError::fatal("rows could not be copied").with_source(err))
}

/// What goes to disk and comes back at once.
const PIECE_BYTES: u64 = 256 << 10;
/// What goes to disk in one call: a few milliseconds.
const SPILL_BYTES: u64 = 8 << 20;
/// Arrays of fewer rows are joined when there are many, and on their way.
const SMALL_ROWS: usize = 1024;
const CHUNKS_MAX: usize = 64;
/// Buffers of fewer bytes are not worth a copy.
const SMALL_BYTES: usize = 4 << 10;
