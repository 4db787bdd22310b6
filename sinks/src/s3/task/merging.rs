//! Files whose schema grows with their records (`lakeward.schema.evolution=merge`, decision 0015).
//!
//! Rows wait until their file ends: only then its schema is known. Bytes come all at once.
//!
//! # Memory
//! All rows of a file, as columns; who makes such files ends them when they hold too much.

use std::mem;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef};
use bytes::Bytes;
use lakeward_api::ConnectError;
use lakeward_api::batch::Values;
use lakeward_api::schema::Schema;
use lakeward_formats::FormatError;
use lakeward_formats::file::{FileFormat, PartEncoder};

use crate::s3::compatibility::{merged, project};

/// The format `inner`, whose files take records of several schemas.
pub(super) struct Merging {
    inner: Arc<dyn FileFormat>,
}

impl Merging {
    pub(super) fn new(inner: Box<dyn FileFormat>) -> Self {
        Self { inner: inner.into() }
    }
}

impl FileFormat for Merging {
    fn extension(&self) -> String {
        self.inner.extension()
    }

    fn new_part(&self, schema: Option<&Arc<Schema>>) -> Result<Box<dyn PartEncoder>, FormatError> {
        // A schema that the format cannot store shows now, not when the file ends.
        let encoder = self.inner.new_part(schema)?;
        let Some(schema) = schema else { return Ok(encoder) };
        Ok(Box::new(MergingEncoder {
            inner: Arc::clone(&self.inner),
            schema: Arc::clone(schema),
            known: None,
            older: Vec::new(),
            rows: Chunk { schema: Arc::clone(schema), arrays: Vec::new() },
            bytes: 0,
        }))
    }

    fn takes_all(&self, schema: &Arc<Schema>) -> bool {
        self.inner.takes_all(schema)
    }
}

/// A file of which nothing is encoded yet.
struct MergingEncoder {
    inner: Arc<dyn FileFormat>,
    /// Holds every row so far.
    schema: Arc<Schema>,
    /// The schema that was looked at last, and whether the format takes all of its values.
    known: Option<(Arc<Schema>, bool)>,
    older: Vec<Chunk>,
    rows: Chunk,
    bytes: u64,
}

/// Rows of one schema.
struct Chunk {
    schema: Arc<Schema>,
    arrays: Vec<ArrayRef>,
}

impl MergingEncoder {
    /// Whether values of `schema`, which is new here or not, may still be refused one by one.
    fn admit(&mut self, schema: &Arc<Schema>) -> Result<bool, FormatError> {
        if let Some((known, takes_all)) = &self.known
            && (Arc::ptr_eq(known, schema) || known == schema)
        {
            return Ok(*takes_all);
        }
        let both = merged(&self.schema, schema).ok_or_else(|| FormatError::Data {
            message: "the schema of the record cannot be merged with that of its file".to_owned(),
        })?;
        self.inner.new_part(Some(&both))?;
        let takes_all = self.inner.takes_all(schema);
        self.schema = both;
        self.known = Some((Arc::clone(schema), takes_all));
        if self.rows.schema != *schema {
            let rows = Chunk { schema: Arc::clone(schema), arrays: Vec::new() };
            self.older.push(mem::replace(&mut self.rows, rows));
        }
        Ok(takes_all)
    }
}

impl PartEncoder for MergingEncoder {
    fn write(&mut self, values: &Values) -> Result<(), FormatError> {
        let Values::Typed { schema, array } = values else {
            return Err(FormatError::Data { message: "a record has no schema, its file has".to_owned() });
        };
        if !self.admit(schema)? {
            self.inner.new_part(Some(schema))?.write(values)?;
        }
        self.rows.arrays.push(Arc::clone(array));
        if self.rows.arrays.len() >= ARRAYS_MAX {
            self.rows.compact()?;
        }
        self.bytes += array.get_array_memory_size() as u64;
        Ok(())
    }

    fn take_ready(&mut self) -> Vec<Bytes> {
        Vec::new()
    }

    fn buffered_bytes(&self) -> u64 {
        self.bytes
    }

    fn flush_early(&mut self) -> Result<(), FormatError> {
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<Vec<Bytes>, FormatError> {
        let mut encoder = self.inner.new_part(Some(&self.schema))?;
        let mut ready = Vec::new();
        let chunks = mem::take(&mut self.older).into_iter().chain([self.rows]);
        for Chunk { schema, arrays } in chunks {
            for array in arrays {
                let values = Values::Typed { schema: Arc::clone(&schema), array };
                let values = project(&values, &self.schema).map_err(converter)?;
                encoder.write(&values)?;
                ready.extend(encoder.take_ready());
            }
        }
        ready.extend(encoder.finish()?);
        Ok(ready)
    }
}

impl Chunk {
    /// Makes one array of many: each costs as much as some hundred rows.
    fn compact(&mut self) -> Result<(), FormatError> {
        // Those that are large already stay as they are.
        let from = self.arrays.iter().rposition(|array| array.len() >= COMPACT_ROWS).map_or(0, |at| at + 1);
        let small: Vec<&dyn Array> = self.arrays[from..].iter().map(|array| &**array).collect();
        if small.len() > 1 {
            let one = arrow_select::concat::concat(&small)
                .map_err(|err| converter(ConnectError::fatal("rows could not be joined").with_source(err)))?;
            self.arrays.truncate(from);
            self.arrays.push(one);
        }
        Ok(())
    }
}

fn converter(source: ConnectError) -> FormatError {
    FormatError::Converter { source }
}

/// More arrays of one schema are made one.
const ARRAYS_MAX: usize = 64;
const COMPACT_ROWS: usize = 1024;
