//! Named fields of shaped rows, changed column by column.

use std::cell::OnceCell;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, NullArray, StructArray};
use arrow_schema::DataType;
use bytes::Bytes;
use lakeward_api::ConnectError;
use lakeward_api::value::Value;

use crate::columns::under_parent;
use crate::layout::{Layout, Source, key};

/// What happens to the fields that a transform names, for one shape. Those that are missing are added as
/// null.
pub(crate) struct FieldChanges<P> {
    /// Columns and what they need, in the order of the settings.
    found: Vec<(usize, P)>,
    missing: Vec<Arc<str>>,
    /// Known once columns were changed: their types are those of every batch of the shape.
    layout: OnceCell<Layout>,
}

impl<P> FieldChanges<P> {
    /// Looks up the `wanted` fields; `plan` says what a column of the type that was found needs.
    pub(crate) fn new<T>(
        rows: &StructArray,
        wanted: &[T],
        name: impl Fn(&T) -> &Arc<str>,
        plan: impl Fn(&T, &DataType) -> P,
    ) -> Self {
        let (mut found, mut missing) = (Vec::new(), Vec::new());
        for one in wanted {
            match rows.fields().iter().position(|field| **field.name() == **name(one)) {
                Some(at) => found.push((at, plan(one, rows.column(at).data_type()))),
                None => missing.push(Arc::clone(name(one))),
            }
        }
        Self { found, missing, layout: OnceCell::new() }
    }

    /// `rows` with `change` applied to each column that was found, in the order of the settings. It is given
    /// columns that are null where their row is.
    ///
    /// # Errors
    /// Those of `change`.
    pub(crate) fn apply(
        &self,
        rows: &StructArray,
        mut change: impl FnMut(&P, &ArrayRef) -> Result<ArrayRef, ConnectError>,
    ) -> Result<ArrayRef, ConnectError> {
        let mut changed = Vec::with_capacity(self.found.len() + 1);
        for (at, plan) in &self.found {
            changed.push(change(plan, &under_parent(rows.column(*at), rows.nulls())?)?);
        }
        if !self.missing.is_empty() {
            changed.push(Arc::new(NullArray::new(rows.len())));
        }
        self.layout.get_or_init(|| self.layout(rows, &changed)).apply(rows, &changed)
    }

    fn layout(&self, rows: &StructArray, changed: &[ArrayRef]) -> Layout {
        let mut entries = Layout::entries(rows.fields());
        for (number, ((at, _), column)) in self.found.iter().zip(changed).enumerate() {
            let (field, source) = &mut entries[*at];
            *field = key(field.name(), column.data_type().clone());
            *source = Source::New(number);
        }
        let added = Source::New(self.found.len());
        entries.extend(self.missing.iter().map(|name| (key(name, DataType::Null), added)));
        Layout::new(entries)
    }
}

/// A value of a shape: its class, and an empty one or zero.
pub(crate) fn sample(shape: &DataType) -> Value {
    match shape {
        DataType::Binary => Value::Bytes(Bytes::new()),
        DataType::Boolean => Value::Boolean(false),
        DataType::Float32 => Value::Float32(0.0),
        DataType::Float64 => Value::Float64(0.0),
        DataType::Int8 => Value::Int8(0),
        DataType::Int16 => Value::Int16(0),
        DataType::Int32 => Value::Int32(0),
        DataType::Int64 => Value::Int64(0),
        DataType::List(_) => Value::Array(Vec::new()),
        DataType::Null => Value::Null,
        DataType::Struct(_) => Value::Map(Vec::new()),
        DataType::Timestamp(..) => Value::Date(0),
        DataType::Utf8 => Value::String("".into()),
        other => unreachable!("{other} is no shape"),
    }
}

#[cfg(test)]
pub(crate) mod tests;
