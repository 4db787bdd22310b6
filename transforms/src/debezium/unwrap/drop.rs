//! `drop.fields.*`: fields that a header of the record names are left out of its value and key.
//!
//! Source: `ExtractNewRecordState#dropFields`, `ReplaceField`.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};
use lakeward_api::ConnectError;
use lakeward_api::batch::{SinkBatch, Values};
use lakeward_api::schema::{Kind, Schema};
use lakeward_api::value::Value;

use super::super::{failed, null_pointer};
use super::Shared;
use crate::columns;

/// What to leave out, and from where.
pub(super) struct Drop {
    /// The header that names the fields.
    pub(super) header: String,
    /// Whether keys lose them, too.
    pub(super) from_key: bool,
    /// Whether only optional fields may go.
    pub(super) keep_compatible: bool,
}

impl Drop {
    /// The names in the header of row `row`; `None` when it has none.
    ///
    /// # Errors
    /// `Record` when the header holds no list.
    pub(super) fn names(&self, batch: &SinkBatch, row: usize) -> Result<Option<Vec<Value>>, ConnectError> {
        match batch.headers.first(row, &self.header).map_or(Value::Null, |(_, value)| value) {
            Value::Null => Ok(None),
            Value::Array(names) if names.is_empty() => Ok(None),
            Value::Array(names) => Ok(Some(names)),
            other => Err(failed(
                "java.lang.ClassCastException",
                format!(
                    "class {} cannot be cast to class java.util.List: header {}",
                    other.java_class(),
                    self.header
                ),
            )),
        }
    }

    /// The keys of rows that share `names`; all of them are null, or none is.
    pub(super) fn keys(
        &self,
        keys: &mut Values,
        names: &[Value],
        shared: &mut Shared,
    ) -> Result<(), ConnectError> {
        if !self.from_key {
            return Ok(());
        }
        match keys.unshape() {
            Values::Null { .. } => Ok(()),
            Values::Shaped(_) => unreachable!("just taken apart"),
            Values::Dynamic(values) => self.schemaless(values, names),
            Values::Typed { schema, array } => {
                if array.null_count() > 0 {
                    return Ok(());
                }
                let Kind::Struct(_) = schema.kind else {
                    return Err(ConnectError::data("Cannot list fields on non-struct type"));
                };
                let Some(kept) = self.kept(schema, names) else { return Ok(()) };
                let (new, columns) = reduced(schema, array.as_struct().columns(), &kept)?;
                *array = columns::struct_column(&new, columns, array.len())?;
                *schema = shared.intern(new);
                Ok(())
            }
        }
    }

    fn schemaless(&self, values: &mut [Value], names: &[Value]) -> Result<(), ConnectError> {
        if values.iter().all(Value::is_null) {
            return Ok(());
        }
        if self.keep_compatible {
            return Err(null_pointer("Fields of a key without schema cannot be dropped compatibly"));
        }
        for value in values {
            let members = columns::require_map(value, "field replacement")?;
            members.retain(|(name, _)| !names.contains(name));
        }
        Ok(())
    }

    /// The indices of the fields that stay; `None` when nothing is to be done.
    pub(super) fn kept(&self, schema: &Schema, names: &[Value]) -> Option<Vec<usize>> {
        let is_named = |name: &str| names.iter().any(|known| known.as_str() == Some(name));
        let goes = |index: &usize| {
            let field = &schema.fields()[*index];
            is_named(&field.name) && (field.schema.optional || !self.keep_compatible)
        };
        let (gone, kept): (Vec<usize>, Vec<usize>) = (0..schema.fields().len()).partition(goes);
        // Without the promise of compatibility the value is always rebuilt, with its defaults.
        (!gone.is_empty() || !self.keep_compatible).then_some(kept)
    }
}

/// The fields at `kept`, defaults in place of nulls.
pub(super) fn reduced(
    schema: &Schema,
    all: &[ArrayRef],
    kept: &[usize],
) -> Result<(Schema, Vec<ArrayRef>), ConnectError> {
    let fields = kept.iter().map(|index| schema.fields()[*index].clone()).collect();
    let column = |index: &usize| columns::with_default(&schema.fields()[*index].schema, &all[*index]);
    let columns = kept.iter().map(column).collect::<Result<Vec<_>, _>>()?;
    Ok((columns::struct_like(schema, fields), columns))
}

/// Whether every key of the batch is null or none is, for each run of rows.
pub(super) fn key_is_null(keys: &Values, row: usize) -> bool {
    match keys {
        Values::Null { .. } => true,
        Values::Dynamic(values) => values[row].is_null(),
        Values::Shaped(array) | Values::Typed { array, .. } => array.is_null(row),
    }
}

impl Shared {
    /// `schema`, or the equal one that was made before.
    pub(super) fn intern(&mut self, schema: Schema) -> Arc<Schema> {
        if let Some(known) = self.made.iter().find(|known| ***known == schema) {
            return Arc::clone(known);
        }
        if self.made.len() == MADE {
            self.made.remove(0);
        }
        let schema = Arc::new(schema);
        self.made.push(Arc::clone(&schema));
        schema
    }
}

/// Schemas kept for reuse.
const MADE: usize = 64;
