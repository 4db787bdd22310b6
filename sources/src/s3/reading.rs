//! One object being read: its rows are handed over one step late, so that what is stored with the last of
//! them can say that nothing follows.

use bytes::Bytes;
use lakeward_api::batch::Values;
use lakeward_formats::FormatError;
use lakeward_formats::file::read::{self, Content, FileReader, ReadOptions, Step};
use object_store::ObjectMeta;

use super::plan::Target;

/// An object and how far it was read.
pub(super) struct Reading {
    pub(super) object: ObjectMeta,
    pub(super) target: Target,
    /// Records that were handed over, those of earlier runs included.
    pub(super) rows: u64,
    reader: Box<dyn FileReader>,
    held: Option<Vec<Values>>,
    /// What follows the held rows.
    end: Option<Result<(), FormatError>>,
}

/// What follows.
pub(super) enum Next {
    /// The object was read; nothing was held.
    End,
    /// It cannot be read on.
    Damaged(FormatError),
    /// Bytes.
    Need(Vec<std::ops::Range<u64>>),
    /// Rows; the last ones of the object when `is_last`.
    Rows { parts: Vec<Values>, is_last: bool },
}

impl Reading {
    /// # Errors
    /// Class `Record` for an object that cannot be read.
    pub(super) fn new(object: ObjectMeta, target: Target, content: &Content) -> Result<Self, FormatError> {
        let options = ReadOptions { content: content.clone(), packing: target.packing };
        let reader = read::open(&options, object.size, target.skip)?;
        let rows = target.skip;
        Ok(Self { object, target, rows, reader, held: None, end: None })
    }

    /// The next step.
    pub(super) fn next(&mut self, rows_max: usize) -> Next {
        loop {
            if let Some(end) = self.end.take() {
                return match (self.held.take(), end) {
                    (Some(parts), Ok(())) => {
                        self.end = Some(Ok(()));
                        Next::Rows { parts, is_last: true }
                    }
                    (Some(parts), Err(err)) => {
                        self.end = Some(Err(err));
                        Next::Rows { parts, is_last: false }
                    }
                    (None, Ok(())) => Next::End,
                    (None, Err(err)) => Next::Damaged(err),
                };
            }
            match self.reader.next(rows_max) {
                Ok(Step::Need(ranges)) => return Next::Need(ranges),
                Ok(Step::Rows(parts)) => {
                    if let Some(parts) = self.held.replace(parts) {
                        return Next::Rows { parts, is_last: false };
                    }
                }
                Ok(Step::End) => self.end = Some(Ok(())),
                Err(err) => self.end = Some(Err(err)),
            }
        }
    }

    /// The bytes that were needed.
    pub(super) fn feed(&mut self, pieces: Vec<Bytes>) {
        if let Err(err) = self.reader.feed(pieces) {
            self.end = Some(Err(err));
        }
    }
}
