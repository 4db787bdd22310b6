//! Columns of a place where a schema contains itself: packed values, written one by one.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use arrow_array::{Array, BinaryArray};
use lakeward_api::packed;
use lakeward_api::recursion::Recursive;
use lakeward_api::schema::Schema;

use super::Form;
use super::block::Written;
use super::cells::Cells;
use super::value::{append_typed, holds_nothing};
use crate::FormatError;

/// Packed values. Their texts are made when they are prepared, because nothing else tells their lengths.
pub(super) struct Recursives<'a> {
    cells: &'a BinaryArray,
    schema: Arc<Schema>,
    /// Whether the place may be null.
    is_optional: bool,
    form: Form,
    /// Index of the first text.
    first: usize,
    /// `None`: the value has no text.
    texts: VecDeque<Option<Vec<u8>>>,
}

impl<'a> Recursives<'a> {
    pub(super) fn new(cells: &'a BinaryArray, recursive: Recursive, is_optional: bool, form: Form) -> Self {
        let schema = recursive.resolve();
        Self { cells, schema, is_optional, form, first: 0, texts: VecDeque::new() }
    }

    fn text(&self, index: usize) -> Result<Vec<u8>, FormatError> {
        let mut text = Vec::new();
        if self.cells.is_valid(index) {
            append_typed(&mut text, &self.schema, &packed::unpack(self.cells.value(index)), self.form)?;
        }
        Ok(text)
    }
}

impl Cells for Recursives<'_> {
    fn width(&self) -> usize {
        0
    }

    fn prepare(&mut self, range: Range<usize>) {
        // What did not fit into the block before is prepared already.
        let passed = range.start.saturating_sub(self.first).min(self.texts.len());
        self.texts.drain(..passed);
        if range.start != self.first + passed {
            self.texts.clear();
        }
        self.first = range.start;
        for index in range.start + self.texts.len()..range.end {
            self.texts.push_back(self.text(index).ok());
        }
    }

    fn extra(&self, range: Range<usize>) -> usize {
        let texts = self.texts.range(range.start - self.first..range.end - self.first);
        texts.flatten().map(Vec::len).sum()
    }

    fn value(&self, out: &mut [u8], at: usize, index: usize) -> Written {
        let Some(text) = &self.texts[index - self.first] else {
            // The second time tells why.
            return match self.text(index) {
                Err(failure) => Err(Box::new(failure)),
                Ok(_) => unreachable!("a value without a text has none the second time"),
            };
        };
        out[at..at + text.len()].copy_from_slice(text);
        Ok(at + text.len())
    }

    fn is_absent(&self, index: usize) -> bool {
        self.form.dialect.is_union(&self.schema)
            && holds_nothing(
                &self.schema,
                self.is_optional,
                &packed::unpack(self.cells.value(index)),
                self.form,
            )
    }
}
