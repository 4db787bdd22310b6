//! Plain JSON under a schema that is inferred from the stream (`lakeward.schema=infer`).
//!
//! Every value can be read back from the columns; only null and missing become the same.
//!
//! | seen | column |
//! |---|---|
//! | integers within 64 bits | INT64 |
//! | numbers with fraction or exponent; those and integers up to 2^53 | FLOAT64 |
//! | integers beyond 64 bits, numbers beyond FLOAT64 | JSON text |
//! | integers beyond 2^53 together with fractions | JSON text |
//! | texts, booleans | STRING, BOOLEAN |
//! | objects, arrays | STRUCT, ARRAY |
//! | values of different types | JSON text |
//! | containers deeper than 64 levels, objects that would need more than 4096 columns | JSON text |
//! | no scalar in a container so far (`{}`, `[]`, `{"a":null}`) | JSON text, until one shows the type |
//! | null only | no column |
//!
//! JSON text is a STRING with the exact source text of the value, under a schema name of its own: a text
//! column that becomes JSON text is a schema change, and Parquet files annotate it as JSON. All columns are
//! nullable; new ones are appended. The schema of a topic is kept between calls and only ever widens. A
//! record that would need more than 4096 columns at the top level is an error of that record, and so is one
//! that is no object.

mod shape;

use std::collections::HashMap;
use std::sync::Arc;

use lakeward_api::ConnectError;
use lakeward_api::converter::Decoded;

use super::Reader;
use super::assembly::{Assembly, Table};
use super::checked;
use super::column::{NullRule, Reading, Strictness};
use super::cursor::Cursor;
use super::fault::{Fault, Parsed, data};
use shape::RootShape;

/// Decodes plain JSON and infers its schema, a topic at a time.
///
/// # Memory
/// Per topic the shape and one set of columns: at most 4096 columns, names included.
#[derive(Debug, Default)]
pub(super) struct InferReader {
    topics: HashMap<String, TopicReader>,
}

impl Reader for InferReader {
    fn decode(&mut self, topic: &str, payloads: &[Option<&[u8]>]) -> Result<Decoded, ConnectError> {
        if !self.topics.contains_key(topic) {
            self.topics.insert(topic.to_owned(), TopicReader::new());
        }
        let reader = self.topics.get_mut(topic).expect("the topic was just added");
        Ok(reader.decode(payloads))
    }

    fn json_text_columns(&self) -> Vec<String> {
        let mut columns: Vec<String> =
            self.topics.values().flat_map(|reader| reader.text_columns.iter().cloned()).collect();
        columns.sort();
        columns.dedup();
        columns
    }
}

#[derive(Debug)]
struct TopicReader {
    shape: RootShape,
    table: Table,
    text_columns: Vec<String>,
}

/// What to do with the first record that does not fit.
#[derive(Clone, Copy, PartialEq, Eq)]
enum OnMisfit {
    /// The whole batch was looked at: it is an error of the record.
    Fail,
    /// Give up: the batch will be looked at as a whole.
    Stop,
}

impl TopicReader {
    fn new() -> Self {
        let mut shape = RootShape::default();
        let plan = shape.plan();
        let table = Table { schema: Arc::new(plan.schema), root: plan.column };
        Self { shape, table, text_columns: Vec::new() }
    }

    /// Decodes with the schema known so far; if a record does not fit, looks at the whole batch and decodes
    /// once more.
    fn decode(&mut self, payloads: &[Option<&[u8]>]) -> Decoded {
        if let Some(decoded) = self.try_decode(payloads, OnMisfit::Stop) {
            return decoded;
        }
        for payload in payloads.iter().flatten() {
            self.observe(payload);
        }
        let plan = self.shape.plan();
        if *self.table.schema != plan.schema {
            self.table.schema = Arc::new(plan.schema);
        }
        self.table.root = plan.column;
        self.text_columns = plan.text_columns;
        self.try_decode(payloads, OnMisfit::Fail).expect("misfits do not stop the second pass")
    }

    fn try_decode(&mut self, payloads: &[Option<&[u8]>], on_misfit: OnMisfit) -> Option<Decoded> {
        let mut assembly = Assembly::default();
        for (row, payload) in payloads.iter().enumerate() {
            let Some(payload) = payload.filter(|payload| !super::is_blank(payload)) else {
                assembly.null(row, Some(&mut self.table));
                continue;
            };
            match self.append(payload) {
                Ok(true) => assembly.typed(row),
                Ok(false) => assembly.null(row, Some(&mut self.table)),
                Err(fault) if matches!(*fault, Fault::Misfit) && on_misfit == OnMisfit::Stop => {
                    self.table.root.truncate(0);
                    return None;
                }
                Err(fault) => assembly.failed(row, fault),
            }
        }
        Some(assembly.finish(Some(&mut self.table)))
    }

    /// Appends a record; false if it is the text `null`.
    fn append(&mut self, payload: &[u8]) -> Parsed<bool> {
        let mut cursor = checked(payload)?;
        match cursor.token() {
            b'{' => {}
            b'n' => {
                cursor.word(b"null")?;
                cursor.end_of_record()?;
                return Ok(false);
            }
            _ => {
                cursor.skip_value()?;
                return Err(data("A schema can be inferred for JSON objects only, but the record is none."));
            }
        }
        self.table.append_row(|root| root.append_value(&mut cursor, READING))?;
        Ok(true)
    }

    /// Widens the shape by a record; records that are no JSON objects are left to the second pass.
    fn observe(&mut self, payload: &[u8]) {
        let Ok(mut cursor) = checked(payload) else { return };
        if cursor.token() != b'{' {
            return;
        }
        let mut whole = cursor.clone();
        if whole.skip_value().is_ok() {
            let record = Cursor { bytes: &payload[..whole.pos], pos: cursor.pos };
            self.shape.observe(record).expect("the record was passed as a whole before");
        }
    }
}

const READING: Reading = Reading { strictness: Strictness::Inferred, nulls: NullRule::Keep };
