//! What the schema of change events decides.

use std::sync::Arc;

use arrow_array::{Array, StructArray};
use lakeward_api::ConnectError;
use lakeward_api::schema::{Field, Kind, Schema};

use super::super::{failed, typed_field};
use super::fields::{FieldReference, Found};
use super::{Change, Rules};
use crate::columns::{self, copy_of, not_a_struct};

/// The plan for envelopes of one schema. Errors are those of every record that needs the part.
pub(super) struct Plan {
    /// `after`: its index and schema.
    pub(super) after: Result<(usize, Arc<Schema>), ConnectError>,
    /// `before`: its index.
    pub(super) before: Result<usize, ConnectError>,
    /// What `add.headers` found.
    pub(super) headers: Result<Vec<Found>, ConnectError>,
    /// Inserts and updates.
    pub(super) upsert: Result<Shape, ConnectError>,
    /// Deletes that stay as rows.
    pub(super) rewrite: Result<Shape, ConnectError>,
    /// `before` and the field in it that names the topic of a delete.
    pub(super) delete_route: Option<Result<(usize, usize), ConnectError>>,
}

/// What rows of one kind become.
pub(super) struct Shape {
    /// Index of the row's image in the envelope.
    pub(super) row: usize,
    /// The image, with `__deleted` when events are rewritten.
    pub(super) bare: Schema,
    /// [`Shape::bare`] with the fields of `add.fields`.
    pub(super) schema: Arc<Schema>,
    /// The fields of `add.fields`.
    pub(super) sources: Vec<Found>,
    /// The column that names the topic.
    pub(super) route: Option<usize>,
}

impl Plan {
    /// The plan for envelopes of `envelope`.
    pub(super) fn new(envelope: &Schema, rules: &Rules) -> Self {
        let image = |name: &str| match envelope.field(name) {
            Some((index, field)) => Ok((index, Arc::clone(&field.schema))),
            None => Err(failed("java.lang.IllegalArgumentException", format!("Unknown field: {name}"))),
        };
        let (before, after) = (image("before"), image("after"));
        let shape = |found: &Result<(usize, Arc<Schema>), ConnectError>| match found {
            Ok((index, schema)) => Shape::new(*index, schema, envelope, rules),
            Err(err) => Err(copy_of(err)),
        };
        let delete_route = rules.route.as_ref().map(|route| {
            let (index, schema) = before.as_ref().map_err(copy_of)?;
            Ok((*index, typed_field(schema, route, &Kind::String)?))
        });
        Self {
            headers: find_all(&rules.headers, envelope),
            upsert: shape(&after),
            rewrite: shape(&before),
            delete_route,
            before: before.map(|(index, _)| index),
            after,
        }
    }

    /// The rows of each kind that occurs.
    pub(super) fn kinds(&self, envelope: &StructArray) -> Vec<(Change, Vec<u32>)> {
        let Ok((after, _)) = &self.after else {
            return by_kind(envelope, |row| match envelope.is_null(row) {
                true => Change::Tombstone,
                false => Change::Upsert,
            });
        };
        let after = envelope.column(*after);
        if envelope.null_count() == 0 && after.null_count() == 0 {
            return vec![(Change::Upsert, Vec::new())];
        }
        let before = self.before.as_ref().ok().map(|index| envelope.column(*index));
        by_kind(envelope, |row| {
            if envelope.is_null(row) {
                Change::Tombstone
            } else if after.is_valid(row) {
                Change::Upsert
            } else if before.is_some_and(|before| before.is_valid(row)) {
                Change::Delete
            } else {
                Change::Truncate
            }
        })
    }
}

fn by_kind(envelope: &StructArray, kind_of: impl Fn(usize) -> Change) -> Vec<(Change, Vec<u32>)> {
    let mut kinds: Vec<(Change, Vec<u32>)> = Vec::new();
    for (row, at) in (0..envelope.len()).zip(0u32..) {
        let kind = kind_of(row);
        match kinds.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, rows)) => rows.push(at),
            None => kinds.push((kind, vec![at])),
        }
    }
    kinds
}

impl Shape {
    fn new(row: usize, image: &Schema, envelope: &Schema, rules: &Rules) -> Result<Self, ConnectError> {
        let Kind::Struct(_) = image.kind else {
            return Err(not_a_struct(image.java_class(), "source field insertion"));
        };
        let mut fields = image.fields().to_vec();
        if rules.deletes.is_rewrite() {
            let text = Arc::new(Schema::optional(Kind::String));
            columns::add_field(&mut fields, "__deleted", text)?;
        }
        let bare = columns::struct_like(image, fields.clone());
        let route = rules.route.as_ref().map(|route| typed_field(&bare, route, &Kind::String)).transpose()?;
        let sources = find_all(&rules.fields, envelope)?;
        add_sources(&mut fields, &sources)?;
        let schema = Arc::new(columns::struct_like(image, fields));
        Ok(Self { row, bare, schema, sources, route })
    }
}

/// Appends what `add.fields` found.
pub(super) fn add_sources(fields: &mut Vec<Field>, sources: &[Found]) -> Result<(), ConnectError> {
    for source in sources {
        columns::add_field(fields, &source.name, Arc::clone(&source.schema))?;
    }
    Ok(())
}

fn find_all(references: &[FieldReference], envelope: &Schema) -> Result<Vec<Found>, ConnectError> {
    let mut found = Vec::with_capacity(references.len());
    for reference in references {
        found.extend(reference.find(envelope)?);
    }
    Ok(found)
}
