//! `add.fields` and `add.headers`: parts of a change event that go along with its row.
//!
//! Source: `AbstractExtractNewRecordState.FieldReference`.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, StructArray};
use lakeward_api::ConnectError;
use lakeward_api::schema::{Kind, Schema};

use super::super::{failed, null_pointer};
use crate::columns;

/// An item of `add.fields` or `add.headers`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FieldReference {
    /// The STRUCT of the envelope that holds the field; `None` when the envelope itself does.
    parent: Option<String>,
    /// The field's name.
    pub(super) field: String,
    /// The name it goes on under.
    pub(super) name: Arc<str>,
}

/// Where a reference leads in envelopes of one schema.
pub(super) struct Found {
    /// The name it goes on under.
    pub(super) name: Arc<str>,
    /// Optional, without default.
    pub(super) schema: Arc<Schema>,
    /// The STRUCT that must not be null for the value to be there.
    parent: Option<usize>,
    /// Index in the parent, or in the envelope.
    index: usize,
    is_in_parent: bool,
}

/// The items of a comma-separated list.
///
/// # Errors
/// `Config` when an item has two colons or no name.
pub(super) fn parse(prefix: &str, text: &str) -> Result<Vec<FieldReference>, ConnectError> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    // Java's `split` forgets empty items at the end.
    text.trim_end_matches(',').split(',').map(|item| parse_item(prefix, item.trim())).collect()
}

fn parse_item(prefix: &str, item: &str) -> Result<FieldReference, ConnectError> {
    let (path, alias) = match item.trim_end_matches(':').split(':').collect::<Vec<_>>()[..] {
        [path] => (path, None),
        [path, alias] => (path, Some(alias)),
        _ => return Err(refused(format!("Unexpected field name: {item}"))),
    };
    let steps: Vec<&str> = match path {
        "" => vec![""],
        path => path.trim_end_matches('.').split('.').collect(),
    };
    if path.trim_end_matches('.').is_empty() && !path.is_empty() {
        return Err(refused(format!("Unexpected field name: {item}")));
    }
    let (parent, field) = match steps[..] {
        [field] => (parent_of(field).map(str::to_owned), field),
        _ => (Some(steps[0].to_owned()), steps[1]),
    };
    let name = match (alias, &parent) {
        (Some(alias), _) => format!("{prefix}{alias}"),
        (None, Some(parent)) if steps.len() > 1 => format!("{prefix}{parent}_{field}"),
        (None, _) => format!("{prefix}{field}"),
    };
    Ok(FieldReference { parent, field: field.to_owned(), name: name.into() })
}

fn refused(message: String) -> ConnectError {
    ConnectError::new(lakeward_api::ErrorClass::Config, "java.lang.IllegalArgumentException", message)
}

/// The STRUCT that holds a field named without one.
fn parent_of(field: &str) -> Option<&'static str> {
    match field {
        "id" | "data_collection_order" | "total_order" => Some("transaction"),
        "op" | "ts_ms" | "ts_us" | "ts_ns" => None,
        "updateDescription" => Some("updateDescription"),
        _ => Some("source"),
    }
}

impl FieldReference {
    /// Where the field is in envelopes of `envelope`; `None` when they have none.
    pub(super) fn find(&self, envelope: &Schema) -> Result<Option<Found>, ConnectError> {
        let parent = match &self.parent {
            None => None,
            Some(name) => match envelope.field(name) {
                Some((index, field)) => Some((index, &field.schema)),
                None => {
                    return Err(null_pointer(format!(
                        "The event has no field \"{name}\", where \"{}\" is looked for",
                        self.field
                    )));
                }
            },
        };
        let inner = match parent {
            None => None,
            Some((_, schema)) if matches!(schema.kind, Kind::Struct(_)) => schema.field(&self.field),
            Some(_) => return Err(ConnectError::data("Cannot look up fields on non-struct type")),
        };
        let is_in_parent = inner.is_some();
        let Some((index, field)) = inner.or_else(|| envelope.field(&self.field)) else { return Ok(None) };
        let mut schema = (*field.schema).clone();
        schema.optional = true;
        schema.default = None;
        Ok(Some(Found {
            name: Arc::clone(&self.name),
            schema: Arc::new(schema),
            parent: parent.map(|(index, _)| index),
            index,
            is_in_parent,
        }))
    }
}

impl Found {
    /// The values in `envelope`, whose rows are all there.
    ///
    /// # Errors
    /// `Record` when one of them is a STRUCT: Debezium cannot copy those.
    pub(super) fn column(&self, envelope: &StructArray) -> Result<ArrayRef, ConnectError> {
        let parent = self.parent.map(|index| envelope.column(index));
        let nulls = parent.and_then(|parent| parent.nulls());
        let column = match parent {
            Some(parent) if self.is_in_parent => parent.as_struct().column(self.index),
            _ => envelope.column(self.index),
        };
        let column = columns::under_parent(column, nulls)?;
        if matches!(self.schema.kind, Kind::Struct(_)) && column.null_count() < column.len() {
            return Err(failed(
                "org.apache.kafka.connect.errors.DataException",
                "Struct schemas do not match.",
            ));
        }
        Ok(column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<(Option<String>, String, String)> {
        let parsed = parse("__", text).unwrap();
        parsed.into_iter().map(|item| (item.parent, item.field, item.name.to_string())).collect()
    }

    #[test]
    fn items_name_a_struct_or_are_looked_for_by_name() {
        let item = |parent: Option<&str>, field: &str, name: &str| {
            (parent.map(str::to_owned), field.to_owned(), name.to_owned())
        };
        assert_eq!(names("op, ts_ms"), [item(None, "op", "__op"), item(None, "ts_ms", "__ts_ms")]);
        assert_eq!(names("lsn"), [item(Some("source"), "lsn", "__lsn")]);
        assert_eq!(names("source.ts_ms:at,,"), [item(Some("source"), "ts_ms", "__at")]);
        assert_eq!(names("source.ts_ms"), [item(Some("source"), "ts_ms", "__source_ts_ms")]);
        assert_eq!(names("total_order:"), [item(Some("transaction"), "total_order", "__total_order")]);
    }

    #[test]
    fn items_with_two_names_are_refused() {
        for text in ["a:b:c", "."] {
            assert!(parse("__", text).is_err(), "{text}");
        }
        assert_eq!(parse("", "").unwrap(), []);
    }
}
