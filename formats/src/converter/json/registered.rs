//! JSON under a schema that a registry keeps, read as Java's `JsonSchemaData` does.

use std::sync::Arc;

use arrow_array::ArrayRef;
use lakeward_api::rows::value_at;
use lakeward_api::schema::Schema;
use lakeward_api::value::Value;

use super::assembly::Table;
use super::blocks::Blocks;
use super::checked;
use super::column::{Column, NullRule, Reading, Strictness};
use super::cursor::Cursor;
use super::fault::Fault;
use crate::FormatError;

const READING: Reading = Reading { strictness: Strictness::Registered, nulls: NullRule::ReplaceWithDefault };

/// Decodes payloads to the column of one schema.
///
/// # Memory
/// The rows read since [`RegisteredReader::finish`].
#[derive(Debug)]
pub(in crate::converter) struct RegisteredReader {
    table: Table,
    blocks: Blocks,
}

impl RegisteredReader {
    /// A reader of `schema`, in which `is_union` tells the STRUCTs that are unions.
    pub(in crate::converter) fn new(schema: Arc<Schema>, is_union: fn(&Schema) -> bool) -> Self {
        let table = Table { root: Column::with_unions(&schema, is_union), schema };
        Self { table, blocks: Blocks::new() }
    }

    /// The schema of the rows.
    pub(in crate::converter) fn schema(&self) -> &Arc<Schema> {
        &self.table.schema
    }

    /// Appends `payload` as one more row; when it fails, the row leaves no trace.
    ///
    /// # Errors
    /// `Syntax` for text that is not JSON, `Data` for a value that does not fit the schema.
    pub(in crate::converter) fn read(&mut self, payload: &[u8]) -> Result<(), FormatError> {
        let mut cursor = checked(payload)?;
        self.table.append_row(|root| {
            root.append_value(&mut cursor, READING)?;
            cursor.end_of_record()
        })?;
        Ok(())
    }

    /// Appends `payloads` as further rows; `failed` is told the number of each that leaves none, ascending,
    /// and what [`RegisteredReader::read`] says of it.
    pub(in crate::converter) fn read_all<'p>(
        &mut self,
        payloads: impl Iterator<Item = &'p [u8]>,
        mut failed: impl FnMut(usize, FormatError),
    ) {
        let failed = |number, fault: Box<Fault>| failed(number, fault.into());
        self.blocks.read(&mut self.table, READING, payloads, failed);
    }

    /// How many records were not like the ones before.
    #[cfg(test)]
    pub(super) fn read_in_general(&self) -> usize {
        self.blocks.general
    }

    /// Takes the rows out.
    pub(in crate::converter) fn finish(&mut self) -> ArrayRef {
        self.table.root.finish()
    }
}

/// The value of the JSON `text` under `schema`: a default. `None` when Java reads it as a null that a
/// required schema does not allow.
///
/// # Errors
/// Like those of [`RegisteredReader::read`].
pub(in crate::converter) fn registered_constant(
    schema: &Schema,
    text: &str,
) -> Result<Option<Value>, FormatError> {
    let mut column = Column::new(schema);
    match column.append_value(&mut Cursor::new(text.as_bytes()), READING) {
        Ok(()) => Ok(Some(value_at(schema, &column.finish(), 0))),
        Err(fault) if matches!(*fault, Fault::Null { .. }) => Ok(None),
        Err(fault) => Err(fault.into()),
    }
}
