//! Records as rows of Avro and Parquet files: a record `connector_records` with the chosen fields, or the one
//! field itself.
//!
//! Differences from Java: records without headers among others that have some hold an empty map (Java: a type
//! of their own, which does not fit into the file), and a map that is unwrapped may have other keys than the
//! one before it (a new file begins).
//!
//! Source: `SinkSchemaBuilder`, `SinkRecordConverter` of the Aiven connectors.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, Int64Array, StructArray};
use lakeward_api::batch::{SinkBatch, Values};
use lakeward_api::header::Header;
use lakeward_api::rows::{self, ColumnWriter};
use lakeward_api::schema::{Field, Kind, Schema};
use lakeward_api::value::Value;
use lakeward_api::{ConnectError, ErrorClass};
use lakeward_formats::file::RecordField;

/// What is made of a batch: its rows, and which of them have none.
pub(super) type Rows = (Values, Vec<(usize, ConnectError)>);

/// Makes rows.
pub(super) struct RecordRows {
    fields: Vec<RecordField>,
    is_enveloped: bool,
    /// Of the record around fields.
    name: &'static str,
    /// The schema of header values; a batch without headers has that of the last one.
    header: Arc<Schema>,
    /// The last record around fields.
    record: Option<Arc<Schema>>,
}

impl RecordRows {
    /// Rows of `fields` in records called `name`, or, without an envelope, of the one field.
    pub(super) fn new(fields: &[RecordField], is_enveloped: bool, name: &'static str) -> Self {
        let mut distinct = Vec::new();
        for field in fields {
            if !distinct.contains(field) {
                distinct.push(*field);
            }
        }
        let header = Arc::new(Schema::optional(Kind::String));
        Self { fields: distinct, is_enveloped, name, header, record: None }
    }

    /// The rows of `batch`; those that failed have meaningless ones.
    ///
    /// # Errors
    /// Class `Record` when the whole batch has no rows; class `Fatal` when columns exceed Arrow's limits.
    pub(super) fn of(&mut self, batch: &SinkBatch) -> Result<Rows, ConnectError> {
        if batch.keys.schema().is_none() || batch.values.schema().is_none() {
            return Err(ConnectError::new(
                ErrorClass::Record,
                "org.apache.kafka.connect.errors.SchemaProjectorException",
                "Record must have schemas for key and value",
            ));
        }
        let mut failed = Vec::new();
        let mut columns = Vec::with_capacity(self.fields.len());
        for field in self.fields.clone() {
            let (schema, array) = self.column(field, batch, &mut failed)?;
            columns.push((field.name(), schema, array));
        }
        if !self.is_enveloped
            && let [(_, schema, array)] = columns.as_slice()
            && !schema.optional
        {
            match &schema.kind {
                Kind::Struct(_) => {
                    let (schema, array) = (Arc::clone(schema), Arc::clone(array));
                    return Ok((Values::Typed { schema, array }, failed));
                }
                Kind::Map { key, value } if key.kind == Kind::String => {
                    let rows = unwrapped(schema, array, value, &mut failed)?;
                    return Ok((self.record(rows), failed));
                }
                _ => {}
            }
        }
        let columns = columns.into_iter().map(|(name, schema, array)| (name.into(), schema, array));
        Ok((self.record(columns.collect()), failed))
    }

    /// Records of these columns. The schema is the last one's if nothing differs.
    fn record(&mut self, columns: Vec<Column>) -> Values {
        let rows = columns.first().map_or(0, |(_, _, array)| array.len());
        let field = |(name, schema, _): &Column| Field { name: Arc::clone(name), schema: Arc::clone(schema) };
        let fields: Vec<Field> = columns.iter().map(field).collect();
        let is_last = |last: &Arc<Schema>| last.fields() == fields.as_slice();
        let schema = match self.record.take().filter(is_last) {
            Some(last) => last,
            None => Arc::new(Schema::new(Kind::Struct(fields)).named(self.name)),
        };
        self.record = Some(Arc::clone(&schema));
        let arrays: Vec<ArrayRef> = columns.into_iter().map(|(_, _, array)| array).collect();
        let array: ArrayRef = match arrays.is_empty() {
            true => Arc::new(StructArray::new_empty_fields(rows, None)),
            false => Arc::new(StructArray::new(schema.arrow_fields(), arrays, None)),
        };
        Values::Typed { schema, array }
    }

    fn column(
        &mut self,
        field: RecordField,
        batch: &SinkBatch,
        failed: &mut Vec<(usize, ConnectError)>,
    ) -> Result<(Arc<Schema>, ArrayRef), ConnectError> {
        let long = || Arc::new(Schema::new(Kind::Int64));
        Ok(match field {
            RecordField::Headers => self.headers(batch, failed)?,
            RecordField::Key => typed(&batch.keys),
            RecordField::Offset => (long(), Arc::new(Int64Array::from(batch.offsets.clone()))),
            RecordField::Timestamp => {
                for (row, time) in batch.timestamps_ms.iter().enumerate() {
                    if time.is_none() {
                        failed.push((row, no_time()));
                    }
                }
                let times = batch.timestamps_ms.iter().map(|time| time.unwrap_or_default());
                (long(), Arc::new(Int64Array::from_iter_values(times)))
            }
            RecordField::Value => typed(&batch.values),
        })
    }

    /// Maps of headers; of those with one name the last one counts.
    fn headers(
        &mut self,
        batch: &SinkBatch,
        failed: &mut Vec<(usize, ConnectError)>,
    ) -> Result<(Arc<Schema>, ArrayRef), ConnectError> {
        let first = (0..batch.rows()).find_map(|row| batch.headers.row(row).first()?.schema.clone());
        self.header = first.unwrap_or_else(|| Arc::clone(&self.header));
        let schema = Schema::new(Kind::Map {
            key: Arc::new(Schema::new(Kind::String)),
            value: Arc::clone(&self.header),
        });
        let mut column = ColumnWriter::new(&schema);
        for row in 0..batch.rows() {
            let headers = batch.headers.row(row);
            let entries = match misfit(&headers, &self.header) {
                None => entries(&headers),
                Some(error) => {
                    failed.push((row, error));
                    Vec::new()
                }
            };
            column.append(&Value::Map(entries))?;
        }
        Ok((Arc::new(schema), column.finish()?))
    }
}

/// Name, schema and rows of a field.
type Column = (Arc<str>, Arc<Schema>, ArrayRef);

fn typed(values: &Values) -> (Arc<Schema>, ArrayRef) {
    match values {
        Values::Typed { schema, array } => (Arc::clone(schema), Arc::clone(array)),
        Values::Dynamic(_) | Values::Null { .. } | Values::Shaped(_) => {
            unreachable!("schemas were asked for")
        }
    }
}

/// Why headers cannot stand in a map of `schema`.
fn misfit(headers: &[Header], schema: &Schema) -> Option<ConnectError> {
    let wrong =
        headers.iter().find(|header| header.schema.as_ref().is_none_or(|own| own.kind != schema.kind));
    let header = wrong?;
    let Some(own) = &header.schema else {
        return Some(ConnectError::data(format!("Header {} without schema", header.key)));
    };
    Some(ConnectError::data(format!(
        "Header schema Schema{{{}}} for '{}' is not the same as the already defined map type: Schema{{{}}}. \
         To force the same type, consider using StringConverter or similar.",
        own.kind.name(),
        header.key,
        schema.kind.name()
    )))
}

fn entries(headers: &[Header]) -> Vec<(Value, Value)> {
    let mut entries: Vec<(Value, Value)> = Vec::with_capacity(headers.len());
    for Header { key, value, .. } in headers {
        let key = Value::String(Arc::clone(key));
        match entries.iter_mut().find(|(known, _)| *known == key) {
            Some((_, known)) => *known = value.clone(),
            None => entries.push((key, value.clone())),
        }
    }
    entries
}

/// The entries of maps as fields: those of the first row, by name. Rows with other entries fail.
fn unwrapped(
    schema: &Schema,
    maps: &ArrayRef,
    value: &Arc<Schema>,
    failed: &mut Vec<(usize, ConnectError)>,
) -> Result<Vec<Column>, ConnectError> {
    let row_at = |row: usize| {
        let Value::Map(mut entries) = rows::value_at(schema, maps, row) else { return Vec::new() };
        entries.sort_by(|one, other| one.0.as_str().cmp(&other.0.as_str()));
        entries
    };
    let name = |(key, _): &(Value, Value)| key.as_str().map(Arc::<str>::from).unwrap_or_default();
    let names: Vec<Arc<str>> =
        if maps.is_empty() { Vec::new() } else { row_at(0).iter().map(name).collect() };
    let mut columns: Vec<ColumnWriter> = names.iter().map(|_| ColumnWriter::new(value)).collect();
    for row in 0..maps.len() {
        let entries = row_at(row);
        if entries.iter().map(name).ne(names.iter().cloned()) {
            failed.push((row, ConnectError::data("A map has other keys than the first one of its file")));
            columns.iter_mut().for_each(ColumnWriter::append_null);
            continue;
        }
        for (column, (_, value)) in columns.iter_mut().zip(&entries) {
            column.append(value)?;
        }
    }
    let column = |(name, column): (Arc<str>, ColumnWriter)| Ok((name, Arc::clone(value), column.finish()?));
    names.into_iter().zip(columns).map(column).collect()
}

/// Java fails at the missing number.
pub(super) fn no_time() -> ConnectError {
    ConnectError::new(ErrorClass::Record, "java.lang.NullPointerException", "The record has no timestamp")
}
