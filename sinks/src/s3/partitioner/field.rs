//! Directories of field values: `name=value` per field.
//!
//! A field that a schema does not have is a problem of every record, one of a type that makes no directory
//! only of records that have a value there: `null` is a directory whatever the type. In Java a schema without
//! the field fails the task also where bad records may be left out; here its records are left out.
//!
//! Source: `FieldPartitioner#encodePartition`. Values are verbatim except for what `segment.rs` escapes.

use std::fmt::Write as _;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int8Type, Int16Type, Int32Type, Int64Type};
use arrow_array::{Array, ArrayRef, StructArray};
use arrow_schema::DataType;
use lakeward_api::ConnectError;
use lakeward_api::batch::SinkBatch;
use lakeward_api::recursion;
use lakeward_api::schema::Schema;

use super::segment::confine;
use super::{Encoded, Names, Times};
use crate::s3::compatibility::filled;
use crate::s3::error::S3SinkError;

/// Partitions by the values of fields of STRUCT records.
#[derive(Debug)]
pub(crate) struct FieldPartitioner {
    paths: Vec<String>,
    delim: String,
}

/// A column together with the structs it is nested in: a row is null when any of them is.
pub(super) struct Column {
    pub(super) array: ArrayRef,
    schema: Arc<Schema>,
    parents: Vec<StructArray>,
}

impl Column {
    /// True when the value of `row` is null.
    pub(super) fn is_null(&self, row: usize) -> bool {
        self.array.is_null(row) || self.parents.iter().any(|parent| parent.is_null(row))
    }

    /// Whether values of its type are directories.
    fn makes_directories(&self) -> bool {
        let is_plain = self.schema.logical().is_none();
        is_plain
            && matches!(
                self.array.data_type(),
                DataType::Boolean
                    | DataType::Int8
                    | DataType::Int16
                    | DataType::Int32
                    | DataType::Int64
                    | DataType::Utf8
            )
    }
}

impl FieldPartitioner {
    /// Partitions by `paths` (nested fields with dots), directories joined by `delim`.
    pub(super) fn new(paths: &[String], delim: &str) -> Self {
        Self { paths: paths.to_vec(), delim: delim.to_owned() }
    }

    /// Encodes every row of `batch`.
    pub(super) fn encode(&self, batch: &SinkBatch) -> Result<Encoded, S3SinkError> {
        let (schema, records) = batch.values.as_struct().ok_or(S3SinkError::Partition {
            message: "Error encoding partition: the value is not a Struct".to_owned(),
        })?;
        let columns = self
            .paths
            .iter()
            .map(|path| {
                let column = find_column(schema, records, path)?.ok_or_else(|| S3SinkError::Partition {
                    message: format!("the field '{path}' of partition.field.name does not exist"),
                })?;
                match column.makes_directories() || (0..batch.rows()).all(|row| column.is_null(row)) {
                    true => Ok(column),
                    false => Err(S3SinkError::Partition {
                        message: format!(
                            "Error encoding partition: the field '{path}' is not an integer, a string or a \
                             boolean"
                        ),
                    }),
                }
            })
            .collect::<Result<Vec<_>, S3SinkError>>()?;
        let mut names = Names::default();
        let mut ids = Vec::with_capacity(batch.rows());
        let mut text = String::new();
        for row in 0..batch.rows() {
            text.clear();
            for (path, column) in self.paths.iter().zip(&columns) {
                if !text.is_empty() {
                    text.push_str(&self.delim);
                }
                text.push_str(path);
                text.push('=');
                push_value(column, row, &mut text);
            }
            ids.push(names.id(&text));
        }
        Ok(names.finish(ids, Times::None))
    }

    /// The rows of `batch` that make no directory.
    pub(super) fn unplaceable_rows(&self, batch: &SinkBatch) -> Result<Vec<u32>, S3SinkError> {
        let rows = (0u32..).take(batch.rows());
        let Some((schema, records)) = batch.values.as_struct() else { return Ok(rows.collect()) };
        let mut columns = Vec::new();
        for path in &self.paths {
            let Some(column) = find_column(schema, records, path)? else { return Ok(rows.collect()) };
            if !column.makes_directories() {
                columns.push(column);
            }
        }
        Ok(rows.filter(|row| columns.iter().any(|column| !column.is_null(*row as usize))).collect())
    }
}

/// The column at the dotted `path` of `records`, also below a place where their schema contains itself. Nulls
/// of a field with a default are that default, as `Struct#get` answers in Java.
///
/// # Errors
/// Class `Fatal` when such a column would exceed Arrow's limits.
pub(super) fn find_column(
    schema: &Arc<Schema>,
    records: &StructArray,
    path: &str,
) -> Result<Option<Column>, S3SinkError> {
    let mut parents = Vec::new();
    let mut records = records.clone();
    let mut schema = Arc::clone(schema);
    let invariant = |err: ConnectError| S3SinkError::Invariant { message: err.to_string() };
    let mut segments = path.split('.').peekable();
    while let Some((index, field)) = segments.next().and_then(|segment| schema.field(segment)) {
        let array = Arc::clone(records.column(index));
        parents.push(records);
        let (inner, array) = recursion::opened_column(&field.schema, array).map_err(invariant)?;
        if segments.peek().is_none() {
            let array = match &field.schema.default {
                Some(default) => filled(&array, &inner, default).map_err(invariant)?,
                None => array,
            };
            return Ok(Some(Column { array, schema: inner, parents }));
        }
        let Some(inside) = array.as_struct_opt() else { return Ok(None) };
        records = inside.clone();
        schema = inner;
    }
    Ok(None)
}

fn push_value(column: &Column, row: usize, out: &mut String) {
    if column.is_null(row) {
        out.push_str("null");
        return;
    }
    let number = match column.array.data_type() {
        DataType::Boolean => {
            out.push_str(if column.array.as_boolean().value(row) { "true" } else { "false" });
            return;
        }
        DataType::Utf8 => {
            out.push_str(&confine(column.array.as_string::<i32>().value(row)));
            return;
        }
        DataType::Int8 => i64::from(column.array.as_primitive::<Int8Type>().value(row)),
        DataType::Int16 => i64::from(column.array.as_primitive::<Int16Type>().value(row)),
        DataType::Int32 => i64::from(column.array.as_primitive::<Int32Type>().value(row)),
        _ => column.array.as_primitive::<Int64Type>().value(row),
    };
    write!(out, "{number}").expect("writing to a String cannot fail");
}
