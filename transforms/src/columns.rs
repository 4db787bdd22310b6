//! Operations over whole columns and rows that transforms share.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, BooleanArray, Scalar, StructArray};
use arrow_buffer::NullBuffer;
use lakeward_api::batch::{SinkBatch, Values};
use lakeward_api::schema::{Field, Kind, Schema};
use lakeward_api::transform::Transformed;
use lakeward_api::value::Value;
use lakeward_api::{ConnectError, ErrorClass, rows};

use crate::merge;

/// What was computed for the latest schemas. Java's transforms keep 16, too.
pub(crate) struct Plans<P>(Vec<(Arc<Schema>, P)>);

const PLANS: usize = 16;

impl<P> Default for Plans<P> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<P> Plans<P> {
    /// The plan for `schema`; made when neither this schema nor an equal one was seen lately.
    pub(crate) fn get(
        &mut self,
        schema: &Arc<Schema>,
        make: impl FnOnce() -> Result<P, ConnectError>,
    ) -> Result<&P, ConnectError> {
        let same = self.0.iter().position(|(known, _)| Arc::ptr_eq(known, schema));
        let at = match same.or_else(|| self.0.iter().position(|(known, _)| known == schema)) {
            Some(at) => at,
            None => {
                if self.0.len() == PLANS {
                    self.0.remove(0);
                }
                self.0.push((Arc::clone(schema), make()?));
                self.0.len() - 1
            }
        };
        Ok(&self.0[at].1)
    }
}

/// `child` with null wherever its parent is null.
pub(crate) fn under_parent(child: &ArrayRef, parent: Option<&NullBuffer>) -> Result<ArrayRef, ConnectError> {
    let Some(parent) = parent.filter(|nulls| nulls.null_count() > 0) else { return Ok(Arc::clone(child)) };
    let hidden = BooleanArray::new(!parent.inner(), None);
    arrow_select::nullif::nullif(child, &hidden)
        .map_err(|err| ConnectError::fatal("nulls could not be merged").with_source(err))
}

/// `column` with the default of `schema`, if there is one, in place of its nulls.
pub(crate) fn with_default(schema: &Schema, column: &ArrayRef) -> Result<ArrayRef, ConnectError> {
    let (Some(default), Some(nulls)) = (&schema.default, column.nulls()) else {
        return Ok(Arc::clone(column));
    };
    if nulls.null_count() == 0 {
        return Ok(Arc::clone(column));
    }
    let default = Scalar::new(rows::constant(schema, default, 1)?);
    let is_valid = BooleanArray::new(nulls.inner().clone(), None);
    arrow_select::zip::zip(&is_valid, column, &default)
        .map_err(|err| ConnectError::fatal("defaults could not be filled in").with_source(err))
}

/// Appends a field to the fields of a new STRUCT.
///
/// Source: `SchemaBuilder#field`.
pub(crate) fn add_field(
    fields: &mut Vec<Field>,
    name: &str,
    schema: Arc<Schema>,
) -> Result<(), ConnectError> {
    let problem = if name.is_empty() {
        "fieldName cannot be null.".to_owned()
    } else if fields.iter().any(|field| &*field.name == name) {
        format!("Cannot create field because of field name duplication {name}")
    } else {
        fields.push(Field { name: name.into(), schema });
        return Ok(());
    };
    Err(ConnectError::new(
        ErrorClass::Record,
        "org.apache.kafka.connect.errors.SchemaBuilderException",
        problem,
    ))
}

/// A required STRUCT of `fields` with name, version, doc and parameters of `like`.
///
/// Source: `SchemaUtil#copySchemaBasics`.
pub(crate) fn struct_like(like: &Schema, fields: Vec<Field>) -> Schema {
    Schema {
        kind: Kind::Struct(fields),
        optional: false,
        default: None,
        name: like.name.clone(),
        version: like.version,
        doc: like.doc.clone(),
        parameters: like.parameters.clone(),
    }
}

/// The column of a STRUCT schema without null rows.
pub(crate) fn struct_column(
    schema: &Schema,
    columns: Vec<ArrayRef>,
    rows: usize,
) -> Result<ArrayRef, ConnectError> {
    if columns.is_empty() {
        return Ok(Arc::new(StructArray::new_empty_fields(rows, None)));
    }
    let column = StructArray::try_new(schema.arrow_fields(), columns, None)
        .map_err(|err| ConnectError::fatal("columns do not fit their schema").with_source(err))?;
    Ok(Arc::new(column))
}

/// The same failure for every row.
pub(crate) fn fail_all(batch: &SinkBatch, err: &ConnectError) -> Transformed {
    let errors = batch.offsets.iter().map(|offset| (*offset, copy_of(err))).collect();
    Transformed { batches: Vec::new(), errors }
}

/// An error of the same class, name and text.
pub(crate) fn copy_of(err: &ConnectError) -> ConnectError {
    ConnectError::new(err.class(), err.java_class(), err.to_string())
}

/// `batch` without the rows that failed, which become errors. `failed` ascends by row.
pub(crate) fn without(
    mut batch: SinkBatch,
    failed: Vec<(usize, ConnectError)>,
) -> Result<Transformed, ConnectError> {
    if failed.is_empty() {
        return Ok(Transformed::one(batch));
    }
    let mut bad = failed.iter().map(|(row, _)| *row).peekable();
    let is_good = |row: &u32| bad.next_if_eq(&(*row as usize)).is_none();
    let good: Vec<u32> = (0u32..).take(batch.rows()).filter(is_good).collect();
    let errors = failed.into_iter().map(|(row, err)| (batch.offsets[row], err)).collect();
    let batches = if good.is_empty() { Vec::new() } else { vec![merge::move_rows(&mut batch, &good)?] };
    Ok(Transformed { batches, errors })
}

/// The rows that hold a value and the rows that are null, each in order.
pub(crate) fn by_nulls(array: &dyn Array) -> (Vec<u32>, Vec<u32>) {
    let all = (0u32..).take(array.len());
    match array.logical_nulls() {
        Some(nulls) => all.partition(|row| nulls.is_valid(*row as usize)),
        None => (all.collect(), Vec::new()),
    }
}

/// The members of a schemaless value. `Err` names what was found instead.
///
/// Source: `Requirements#requireMap`.
pub(crate) fn require_map<'a>(
    value: &'a mut Value,
    purpose: &str,
) -> Result<&'a mut Vec<(Value, Value)>, ConnectError> {
    match value {
        Value::Map(members) => Ok(members),
        other => Err(not_a_map(other, purpose)),
    }
}

/// The failure of a schemaless value that is no MAP.
pub(crate) fn not_a_map(found: &Value, purpose: &str) -> ConnectError {
    ConnectError::data(format!(
        "Only Map objects supported in absence of schema for [{purpose}], found: {}",
        found.java_class()
    ))
}

/// The failure of a value with a schema that is null where a STRUCT is needed.
pub(crate) fn not_a_struct(found: &str, purpose: &str) -> ConnectError {
    ConnectError::data(format!("Only Struct objects supported for [{purpose}], found: {found}"))
}

/// Puts a member into a MAP: an older one of that key is replaced in place.
pub(crate) fn put(members: &mut Vec<(Value, Value)>, key: &Arc<str>, value: Value) {
    match members.iter_mut().find(|(name, _)| name.as_str() == Some(key)) {
        Some((_, old)) => *old = value,
        None => members.push((Value::String(Arc::clone(key)), value)),
    }
}

/// The rows of values without schema, to change in place; shaped ones are taken apart.
pub(crate) fn dynamic_rows(values: &mut Values) -> Option<&mut Vec<Value>> {
    if let Values::Null { rows } = values {
        *values = Values::Dynamic(vec![Value::Null; *rows]);
    }
    match values.unshape() {
        Values::Dynamic(values) => Some(values),
        Values::Null { .. } | Values::Shaped(_) | Values::Typed { .. } => None,
    }
}
