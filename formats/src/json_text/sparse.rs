//! Columns of structs that leave out fields without a text: unions that may not be null and hold nothing.
//!
//! Source: `JsonSchemaData#fromConnectData`.

use std::ops::Range;

use super::bind::Any;
use super::block::Written;
use super::cells::Cells;
use super::text;

/// STRUCT of whose fields some may be absent.
#[derive(Default)]
pub(super) struct Sparse<'a> {
    /// Each behind its name and a colon.
    fields: Vec<(Vec<u8>, Any<'a>)>,
}

impl<'a> Sparse<'a> {
    pub(super) fn push(&mut self, name: &str, column: Any<'a>) {
        let mut before = Vec::new();
        text::append_quoted(&mut before, name);
        before.push(b':');
        self.fields.push((before, column));
    }
}

impl Cells for Sparse<'_> {
    fn width(&self) -> usize {
        let marks = self.fields.len() + 2;
        self.fields.iter().fold(marks, |width, (before, column)| width + before.len() + column.width())
    }

    fn prepare(&mut self, range: Range<usize>) {
        for (_, column) in &mut self.fields {
            column.prepare(range.clone());
        }
    }

    fn extra(&self, range: Range<usize>) -> usize {
        self.fields.iter().map(|(_, column)| column.extra(range.clone())).sum()
    }

    fn add_extra(&self, first: usize, rooms: &mut [usize]) {
        for (_, column) in &self.fields {
            column.add_extra(first, rooms);
        }
    }

    fn value(&self, out: &mut [u8], at: usize, index: usize) -> Written {
        let start = at + 1;
        let mut at = start;
        out[at - 1] = b'{';
        for (before, column) in &self.fields {
            if column.is_absent(index) {
                continue;
            }
            if at > start {
                out[at] = b',';
                at += 1;
            }
            out[at..at + before.len()].copy_from_slice(before);
            at = column.value(out, at + before.len(), index)?;
        }
        out[at] = b'}';
        Ok(at + 1)
    }
}
