//! The headers of records as a column: a list of names and texts per record.
//!
//! Source: `RecordViews.HeaderRecordView`.

use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::{ArrayRef, ListArray, StructArray};
use arrow_buffer::OffsetBuffer;
use arrow_schema::DataType;
use lakeward_api::batch::{SinkBatch, Values};
use lakeward_api::header::Header;
use lakeward_api::schema::{Field, Kind, Schema};
use lakeward_api::{ConnectError, literal};

use super::companions::shown;
use super::rejects::Rejects;

/// Makes columns of headers.
pub(super) struct HeaderColumn {
    list: Schema,
    /// The schema of rows: the list, or a record with it.
    schema: Arc<Schema>,
    is_enveloped: bool,
}

impl HeaderColumn {
    /// Columns of lists, or of records that hold them.
    pub(super) fn new(is_enveloped: bool) -> Self {
        let text = |name: &str| field(name, Schema::new(Kind::String));
        let header = Schema::new(Kind::Struct(vec![text("key"), text("value")]));
        let list = Schema::new(Kind::Array(Arc::new(header)));
        let schema = match is_enveloped {
            true => Schema::new(Kind::Struct(vec![field("headers", list.clone())])).named("RecordHeaders"),
            false => list.clone(),
        };
        Self { list, schema: Arc::new(schema), is_enveloped }
    }

    /// The schema of rows.
    pub(super) fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// The rows of `batch` whose headers can be stored, and these headers.
    ///
    /// # Errors
    /// Class `Record` when a row has none or one that is null, and records may not be left out.
    pub(super) fn of(
        &self,
        batch: &SinkBatch,
        rejects: &mut Rejects,
    ) -> Result<(Vec<u32>, Values), ConnectError> {
        let mut kept = Vec::with_capacity(batch.rows());
        let (mut keys, mut values) = (StringBuilder::new(), StringBuilder::new());
        let mut lengths = Vec::with_capacity(batch.rows());
        for (row, number) in (0..batch.rows()).zip(0u32..) {
            let headers = batch.headers.row(row);
            match texts(batch, row, &headers) {
                Ok(texts) => {
                    kept.push(number);
                    lengths.push(headers.len());
                    headers.iter().for_each(|header| keys.append_value(&header.key));
                    texts.iter().for_each(|text| values.append_value(text));
                }
                Err(error) => rejects.add_row(batch, row, error)?,
            }
        }
        let pairs: Vec<ArrayRef> = vec![Arc::new(keys.finish()), Arc::new(values.finish())];
        let DataType::List(item) = self.list.arrow_type() else { unreachable!("it is an ARRAY") };
        let DataType::Struct(fields) = item.data_type().clone() else { unreachable!("of STRUCTs") };
        let pairs = StructArray::new(fields, pairs, None);
        let lists = ListArray::new(item, OffsetBuffer::from_lengths(lengths), Arc::new(pairs), None);
        let array: ArrayRef = match self.is_enveloped {
            true => Arc::new(StructArray::new(self.schema.arrow_fields(), vec![Arc::new(lists)], None)),
            false => Arc::new(lists),
        };
        Ok((kept, Values::Typed { schema: Arc::clone(&self.schema), array }))
    }
}

/// The values of headers as texts. Source: `Values#convertToString`, `Struct#put`.
fn texts(batch: &SinkBatch, row: usize, headers: &[Header]) -> Result<Vec<String>, ConnectError> {
    if headers.is_empty() {
        let record = shown(batch, row);
        return Err(ConnectError::data(format!("Headers cannot be null for SinkRecord: {record}")));
    }
    let text = |header: &Header| match header.value.is_null() {
        true => Err(ConnectError::data(
            "Invalid value: null used for required field: \"value\", schema type: STRING",
        )),
        false => literal::to_text(header.schema.as_deref(), &header.value),
    };
    headers.iter().map(text).collect()
}

fn field(name: &str, schema: Schema) -> Field {
    Field { name: name.into(), schema: Arc::new(schema) }
}
