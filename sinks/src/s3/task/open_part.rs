//! One part being written: a file of values, and files of keys and headers beside it where those are stored.
//!
//! The files of a part hold the same records in the same order: what one of them cannot take goes to none.

use std::borrow::Cow;
use std::sync::Arc;

use arrow_array::Array as _;

use lakeward_api::ConnectError;
use lakeward_api::batch::Values;
use lakeward_api::metrics::FileEnd;
use lakeward_api::schema::Schema;
use lakeward_formats::file::FileFormat;

use super::companions::{self, KeyFile};
use super::gather::{DIRECT_ROWS, SharedColumn};
use super::nulls::select_values;
use super::open_file::{FinishedFile, OpenFile, Recalled};
use super::spilled::Spiller;
use super::taken::Taken;
use crate::s3::compatibility::project;
use crate::s3::error::S3SinkError;
use crate::s3::naming::NO_VALUE_WRITER;
use crate::s3::null_rows::present_rows;
use crate::s3::rotation::Rows;
use crate::s3::store::Contents;

/// A part of one topic-partition, in files `F`.
pub(super) struct OpenPart<F = OpenFile> {
    /// `None`: only null values belong here.
    values: Option<F>,
    /// The value schema of its first record; every other record is brought to it.
    schema: Option<Arc<Schema>>,
    keys: Option<KeyFile<F>>,
    headers: Option<F>,
    contents: Contents,
    /// Bytes of its values before they were encoded, more or less; counted where files end by them.
    pub(super) plain_bytes: u64,
    /// The call of `put` that wrote to it last.
    pub(super) turn: u64,
    /// What ended it, when that was not the cut.
    pub(super) end: Option<FileEnd>,
    /// What is on disk is being brought back.
    pub(super) is_recalled: bool,
}

/// The files of a new part.
pub(super) struct Files {
    pub(super) values: Option<OpenFile>,
    pub(super) keys: Option<KeyFile>,
    pub(super) headers: Option<OpenFile>,
}

impl<F> OpenPart<F> {
    /// Its files: values, keys, headers.
    pub(super) fn files(&self) -> impl Iterator<Item = &F> {
        let keys = self.keys.as_ref().map(|keys| &keys.file);
        [self.values.as_ref(), keys, self.headers.as_ref()].into_iter().flatten()
    }

    /// The same part in files as `change` makes them; `None` when it makes none of one of them.
    pub(super) fn with_files<G>(self, mut change: impl FnMut(F) -> Option<G>) -> Option<OpenPart<G>> {
        let keys = match self.keys {
            Some(KeyFile { file, kind, schema }) => Some(KeyFile { file: change(file)?, kind, schema }),
            None => None,
        };
        let mut changed = |file: Option<F>| match file {
            Some(file) => change(file).map(Some),
            None => Some(None),
        };
        Some(OpenPart {
            values: changed(self.values)?,
            schema: self.schema,
            keys,
            headers: changed(self.headers)?,
            contents: self.contents,
            plain_bytes: self.plain_bytes,
            turn: self.turn,
            end: self.end,
            is_recalled: self.is_recalled,
        })
    }
}

impl OpenPart {
    /// A part of `files` whose first record has `start_offset`, and values of `schema`.
    pub(super) fn new(files: Files, schema: Option<Arc<Schema>>, start_offset: i64) -> Self {
        let contents = Contents { first_offset: start_offset, last_offset: start_offset, records: 0 };
        let Files { values, keys, headers } = files;
        Self {
            values,
            schema,
            keys,
            headers,
            contents,
            plain_bytes: 0,
            turn: 0,
            end: None,
            is_recalled: false,
        }
    }

    /// The same, to be changed.
    pub(super) fn files_mut(&mut self) -> impl Iterator<Item = &mut OpenFile> {
        let keys = self.keys.as_mut().map(|keys| &mut keys.file);
        [self.values.as_mut(), keys, self.headers.as_mut()].into_iter().flatten()
    }

    /// Bytes held here.
    pub(super) fn buffered_bytes(&self) -> u64 {
        self.files().map(OpenFile::buffered_bytes).sum()
    }

    /// All of its bytes, in memory and on disk, more or less.
    pub(super) fn all_bytes(&self) -> u64 {
        self.files().map(OpenFile::all_bytes).sum()
    }

    /// Appends rows of a batch. Values that few others of the batch go with wait, when all can be written.
    ///
    /// # Errors
    /// Class `Record` when a record has no form in the formats: nothing of `rows` was written.
    pub(super) fn write(&mut self, taken: &Taken, rows: &Rows) -> Result<(), ConnectError> {
        let (batch, headers) = (&taken.batch, taken.headers.as_ref());
        let keys = match &self.keys {
            Some(file) => Some(file.fit(selected(&batch.keys, rows))?),
            None => None,
        };
        match &mut self.values {
            Some(file) => write_values(file, self.schema.as_ref(), taken, rows)?,
            None => {
                let present = present_rows(&selected(&batch.values, rows));
                if !present.is_some_and(|present| present.is_empty()) {
                    return Err(no_value_writer().into());
                }
            }
        }
        if let (Some(file), Some(keys)) = (&mut self.keys, keys) {
            file.file.write(&keys).map_err(companions::misplaced)?;
        }
        if let (Some(file), Some(headers)) = (&mut self.headers, headers) {
            file.write(&selected(headers, rows)).map_err(companions::misplaced)?;
        }
        Ok(())
    }

    /// Forgets the records so far: only later ones count, of `schema`. Where an upload was begun it is
    /// given up.
    pub(super) fn restart(
        &mut self,
        format: &dyn FileFormat,
        schema: Option<&Arc<Schema>>,
    ) -> Result<(), ConnectError> {
        if let Some(values) = &mut self.values {
            values.restart(format.new_part(schema)?);
            self.schema = schema.cloned();
        }
        Ok(())
    }

    /// Counts rows that were written.
    pub(super) fn count(&mut self, offsets: &[i64], rows: &Rows) {
        let (last, rows) = match rows {
            Rows::Range { start, rows } => (offsets[start + rows - 1], *rows),
            Rows::Indices(rows) => {
                let last = rows.last().expect("rotation writes at least one row");
                (offsets[*last as usize], rows.len())
            }
        };
        self.contents.last_offset = last;
        self.contents.records += rows as u64;
    }

    /// True when no row was written: every one was rejected.
    pub(super) fn is_empty(&self) -> bool {
        self.contents.records == 0
    }

    /// Brings back what its files have on disk.
    ///
    /// # Errors
    /// Those of [`OpenFile::recall`].
    pub(super) fn recall(&mut self, spiller: Option<&Spiller>) -> Result<Recalled, ConnectError> {
        for file in self.files_mut() {
            let recalled = file.recall(spiller)?;
            if recalled != Recalled::All {
                return Ok(recalled);
            }
        }
        Ok(Recalled::All)
    }

    /// No more records come, and it will be recalled.
    ///
    /// # Errors
    /// Those of the formats.
    pub(super) fn end(&mut self) -> Result<(), ConnectError> {
        self.files_mut().try_for_each(OpenFile::end)
    }

    /// Asks the disk for what [`OpenPart::recall`] will want first of rows whose schema grew.
    pub(super) fn prefetch(&mut self, spiller: Option<&Spiller>) {
        self.files_mut().for_each(|file| file.prefetch(spiller));
    }

    /// Whether rows are left that are encoded when they are recalled.
    pub(super) fn is_growing(&self) -> bool {
        self.files().any(OpenFile::is_growing)
    }

    /// Finishes the files.
    pub(super) fn finish(self) -> Result<Vec<FinishedFile>, ConnectError> {
        let contents = self.contents;
        let keys = self.keys.map(|keys| keys.file);
        // Java tags the objects of values only.
        let files = [(self.values, Some(contents)), (keys, None), (self.headers, None)];
        files.into_iter().filter_map(|(file, contents)| Some(file?.finish(contents))).collect()
    }
}

fn write_values(
    file: &mut OpenFile,
    schema: Option<&Arc<Schema>>,
    taken: &Taken,
    rows: &Rows,
) -> Result<(), ConnectError> {
    let values = &taken.batch.values;
    if let (Some(one), Some(other)) = (values.schema(), schema)
        && !Arc::ptr_eq(one, other)
        && one != other
    {
        let projected = project(&selected(values, rows), other)?;
        return match &projected {
            Values::Typed { schema, array } if file.has_waiting() => {
                // Rows wait before these.
                let column = SharedColumn::new(schema, Arc::clone(array), taken.shared_bytes());
                file.add(&column, &Rows::Range { start: 0, rows: array.len() })
            }
            _ => file.write(&projected),
        };
    }
    if rows.count() >= DIRECT_ROWS {
        file.let_none_wait()?;
    }
    if (rows.count() < DIRECT_ROWS || file.has_waiting())
        && let Some((column, places)) = taken.column_with(rows)?
    {
        return file.add(&column, &places);
    }
    file.write(&selected(values, rows))
}

fn selected<'a>(values: &'a Values, rows: &Rows) -> Cow<'a, Values> {
    match rows {
        Rows::Range { start: 0, rows } if *rows == values.rows() => Cow::Borrowed(values),
        Rows::Range { start, rows } => Cow::Owned(values.slice(*start, *rows)),
        Rows::Indices(rows) => Cow::Owned(select_values(values, rows)),
    }
}

fn no_value_writer() -> S3SinkError {
    S3SinkError::Invariant {
        message: format!(
            "{NO_VALUE_WRITER}: its encoded partition is that of tombstone.encoded.partition; set that key \
             to a text that no encoded partition is"
        ),
    }
}
