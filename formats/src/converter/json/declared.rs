//! JSON under a schema that the user declared (`lakeward.schema`).
//!
//! Types are strict and humane: a value of the wrong JSON type or a missing required field is an error of
//! that record, members that the schema does not name are ignored.

use std::sync::Arc;

use lakeward_api::ConnectError;
use lakeward_api::converter::Decoded;
use lakeward_api::schema::Schema;

use super::Reader;
use super::assembly::{Assembly, Table};
use super::checked;
use super::column::{NullRule, Reading, Strictness};

/// Decodes plain JSON to columns of one schema.
#[derive(Debug)]
pub(super) struct DeclaredReader {
    table: Table,
    reading: Reading,
}

impl DeclaredReader {
    pub(super) fn new(schema: Schema, nulls: NullRule) -> Self {
        let reading = Reading { strictness: Strictness::Declared, nulls };
        Self { table: Table::new(Arc::new(schema)), reading }
    }
}

impl Reader for DeclaredReader {
    fn decode(&mut self, _topic: &str, payloads: &[Option<&[u8]>]) -> Result<Decoded, ConnectError> {
        let mut assembly = Assembly::default();
        for (row, payload) in payloads.iter().enumerate() {
            let Some(payload) = payload.filter(|payload| !super::is_blank(payload)) else {
                assembly.null(row, Some(&mut self.table));
                continue;
            };
            let reading = self.reading;
            let appended = checked(payload).and_then(|mut cursor| {
                if cursor.token() == b'n' {
                    cursor.word(b"null")?;
                    cursor.end_of_record()?;
                    return Ok(false);
                }
                self.table.append_row(|root| {
                    root.append_value(&mut cursor, reading)?;
                    cursor.end_of_record()
                })?;
                Ok(true)
            });
            match appended {
                Ok(true) => assembly.typed(row),
                Ok(false) => assembly.null(row, Some(&mut self.table)),
                Err(fault) => assembly.failed(row, fault),
            }
        }
        Ok(assembly.finish(Some(&mut self.table)))
    }
}
