//! The columns that records ask for: a table's own, and what is new or wider in the records.
//!
//! A draft begins with the columns of a table, or with none, and sees records. What it saw is taken over by
//! another draft of the same table, as it is when the catalog is asked: somebody else may have been faster.
//!
//! Source: `SchemaUtils`, `SchemaUpdate` and `RecordConverter`, iceberg-kafka-connect 1.10: new columns are
//! optional, with what is inside them as the record says; `int` becomes `long`, `float` becomes `double` and
//! required columns optional where the schema of a record says so, not where only a value does. What is
//! inside null structs, empty lists and empty maps of typed records is seen, too, as in later releases.

mod kinds;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use iceberg::spec::{
    ListType, MapType, NestedField, NestedFieldRef, PrimitiveType, Schema, SchemaRef, StructType, Type,
};
use lakeward_api::ConnectError;
use lakeward_api::batch::Values;
use lakeward_api::schema::{self as connect, Field, Kind};
use lakeward_api::value::Value;

use super::columns::Names;
use super::rows::not_a_record;

/// A table gets no further column when it has so many, those in structs counted. Keys of maps that became
/// columns by mistake would otherwise add columns without end.
const COLUMNS_MAX: usize = 10_000;

/// How records become columns.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    pub(super) names: Names,
    /// No new column is required, at any depth.
    pub(super) force_optional: bool,
}

/// Columns of one table.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    columns: Vec<Column>,
    rules: Rules,
    /// The table's schema; without one, required fields of records make required columns.
    before: Option<SchemaRef>,
}

/// A column, a field of a struct, an element, a key or a value.
#[derive(Clone, Debug)]
struct Column {
    name: String,
    required: bool,
    of: Node,
    /// As the table has it; `None` for a new one.
    was: Option<NestedFieldRef>,
}

#[derive(Clone, Debug)]
enum Node {
    List(Box<Column>),
    Map(Box<Column>, Box<Column>),
    Primitive(PrimitiveType),
    Struct(Vec<Column>),
}

impl Draft {
    /// A table that is to be made.
    pub(super) fn of_new_table(rules: Rules) -> Self {
        Self { columns: Vec::new(), rules, before: None }
    }

    /// A table that has the columns of `schema`.
    pub(super) fn of_table(schema: &SchemaRef, rules: Rules) -> Self {
        let columns = schema.as_struct().fields().iter().map(Column::of_field).collect();
        Self { columns, rules, before: Some(Arc::clone(schema)) }
    }

    /// A table that has the columns of `schema`, for the same records as this one.
    pub(super) fn of_same_rules(&self, schema: &SchemaRef) -> Self {
        Self::of_table(schema, self.rules)
    }

    /// Whether anything differs from the table.
    pub(super) fn has_changes(&self) -> bool {
        self.columns.iter().any(Column::has_changes)
    }

    /// Takes in what `values` need; tombstones need nothing.
    ///
    /// # Errors
    /// Class `Record`: what they need cannot be. The draft is as it was.
    pub(super) fn see(&mut self, values: &Values) -> Result<(), ConnectError> {
        let before = self.columns.clone();
        let seen = self.see_all(values).and_then(|()| self.check());
        if seen.is_err() {
            self.columns = before;
        }
        seen
    }

    fn see_all(&mut self, values: &Values) -> Result<(), ConnectError> {
        let seeing = Seeing { rules: self.rules, new_are_optional: self.before.is_some() };
        match values {
            Values::Null { .. } => Ok(()),
            Values::Typed { schema, array } if array.null_count() < array.len() => {
                let Kind::Struct(fields) = &schema.kind else { return Err(not_a_record()) };
                seeing.fields(&mut self.columns, fields)
            }
            Values::Typed { .. } => Ok(()),
            Values::Dynamic(_) | Values::Shaped(_) => {
                for value in values.dynamic().unwrap_or_default().iter().filter(|value| !value.is_null()) {
                    let Value::Map(entries) = value else { return Err(not_a_record()) };
                    seeing.entries(&mut self.columns, entries)?;
                }
                Ok(())
            }
        }
    }

    fn check(&self) -> Result<(), ConnectError> {
        if !self.has_changes() {
            return Ok(());
        }
        if self.columns.iter().map(Column::count).sum::<usize>() > COLUMNS_MAX {
            let message = format!("With this record the table would have more than {COLUMNS_MAX} columns");
            return Err(ConnectError::data(message));
        }
        let refused = |err| ConnectError::data("The columns for this record cannot be").with_source(err);
        self.schema(0).map(drop).map_err(refused)
    }

    /// Takes over what `other` has and this one has not. Columns of the table are known by their ids, new
    /// ones by name; one that is gone from the table stays gone.
    pub(super) fn adopt(&mut self, other: &Self) {
        adopt(&mut self.columns, &other.columns, self.rules.names, self.before.is_some());
    }

    /// The whole as the schema that follows the table's; new columns have numbers above `last_id`, those of a
    /// struct before what is inside them.
    ///
    /// # Errors
    /// When two columns have one name, or one that identifies rows is not required any more.
    pub(super) fn schema(&self, last_id: i32) -> iceberg::Result<Schema> {
        let known = self.before.as_ref().map_or(0, |before| before.highest_field_id());
        let mut ids = Ids { last: last_id.max(known) };
        let mut builder = Schema::builder().with_fields(ids.fields(&self.columns));
        if let Some(before) = &self.before {
            builder = builder
                .with_schema_id(before.schema_id() + 1)
                .with_identifier_field_ids(before.identifier_field_ids());
        }
        builder.build()
    }
}

impl Column {
    fn of_field(field: &NestedFieldRef) -> Self {
        let inner = |field: &NestedFieldRef| Box::new(Self::of_field(field));
        let of = match &*field.field_type {
            Type::List(list) => Node::List(inner(&list.element_field)),
            Type::Map(map) => Node::Map(inner(&map.key_field), inner(&map.value_field)),
            Type::Primitive(of) => Node::Primitive(of.clone()),
            Type::Struct(of) => Node::Struct(of.fields().iter().map(Self::of_field).collect()),
        };
        Self { name: field.name.clone(), required: field.required, of, was: Some(Arc::clone(field)) }
    }

    fn new(name: &str, required: bool, of: Node) -> Self {
        Self { name: name.to_owned(), required, of, was: None }
    }

    fn inner(&self) -> impl Iterator<Item = &Self> {
        let (columns, boxed): (&[Self], [Option<&Self>; 2]) = match &self.of {
            Node::List(element) => (&[], [Some(element), None]),
            Node::Map(key, value) => (&[], [Some(key), Some(value)]),
            Node::Primitive(_) => (&[], [None, None]),
            Node::Struct(columns) => (columns, [None, None]),
        };
        columns.iter().chain(boxed.into_iter().flatten())
    }

    fn has_changes(&self) -> bool {
        let Some(was) = &self.was else { return true };
        self.required != was.required || self.is_wider(was) || self.inner().any(Self::has_changes)
    }

    fn is_wider(&self, was: &NestedField) -> bool {
        matches!((&self.of, &*was.field_type), (Node::Primitive(of), Type::Primitive(was)) if of != was)
    }

    fn count(&self) -> usize {
        1 + self.inner().map(Self::count).sum::<usize>()
    }

    /// `int` and `float` become wider; not where the table has a default, which is of the narrow type.
    fn widen(&mut self, to: &PrimitiveType) {
        let has_default = |was: &NestedFieldRef| was.initial_default.is_some() || was.write_default.is_some();
        let Node::Primitive(of) = &mut self.of else { return };
        if Some(to) == wider(of).as_ref() && !self.was.as_ref().is_some_and(has_default) {
            *of = to.clone();
        }
    }
}

/// What a number may become.
fn wider(of: &PrimitiveType) -> Option<PrimitiveType> {
    match of {
        PrimitiveType::Float => Some(PrimitiveType::Double),
        PrimitiveType::Int => Some(PrimitiveType::Long),
        _ => None,
    }
}

fn adopt(columns: &mut Vec<Column>, from: &[Column], names: Names, new_are_optional: bool) {
    for other in from {
        let id = other.was.as_ref().map(|was| was.id);
        let is_it = |column: &&mut Column| match id {
            Some(id) => column.was.as_ref().is_some_and(|was| was.id == id),
            None => names.are_equal(&column.name, &other.name),
        };
        match columns.iter_mut().find(is_it) {
            Some(column) => adopt_one(column, other, names),
            None if id.is_none() => {
                let required = other.required && !new_are_optional;
                columns.push(Column { required, ..other.clone() });
            }
            None => {}
        }
    }
}

fn adopt_one(column: &mut Column, other: &Column, names: Names) {
    if let Some(was) = &other.was {
        column.required &= other.required || !was.required;
        if let Node::Primitive(of) = &other.of
            && other.is_wider(was)
        {
            column.widen(of);
        }
    }
    match (&mut column.of, &other.of) {
        (Node::List(element), Node::List(other)) => adopt_one(element, other, names),
        (Node::Map(_, value), Node::Map(_, other)) => adopt_one(value, other, names),
        (Node::Struct(columns), Node::Struct(others)) => adopt(columns, others, names, true),
        _ => {}
    }
}

/// Looks at records.
#[derive(Clone, Copy)]
struct Seeing {
    rules: Rules,
    /// Columns that are added at the place that is looked at.
    new_are_optional: bool,
}

impl Seeing {
    fn within(self) -> Self {
        Self { new_are_optional: true, ..self }
    }

    fn fields(self, columns: &mut Vec<Column>, fields: &[Field]) -> Result<(), ConnectError> {
        for field in fields {
            let is_it = |column: &&mut Column| self.rules.names.are_equal(&column.name, &field.name);
            if let Some(column) = columns.iter_mut().find(is_it) {
                column.required &= !field.schema.optional;
                self.within().schema(column, &field.schema)?;
            } else {
                let required = !(self.new_are_optional || self.rules.force_optional || field.schema.optional);
                let of = kinds::of_schema(&field.schema, self.rules.force_optional)?;
                columns.push(Column::new(&field.name, required, of));
            }
        }
        Ok(())
    }

    fn schema(self, column: &mut Column, schema: &connect::Schema) -> Result<(), ConnectError> {
        match (&mut column.of, &schema.kind) {
            (Node::List(element), Kind::Array(item)) => self.schema(element, item),
            (Node::Map(_, of), Kind::Map { value, .. }) => self.schema(of, value),
            (Node::Struct(columns), Kind::Struct(fields)) => self.fields(columns, fields),
            (Node::Primitive(_), Kind::Float64) => {
                column.widen(&PrimitiveType::Double);
                Ok(())
            }
            (Node::Primitive(_), Kind::Int64) if schema.logical().is_none() => {
                column.widen(&PrimitiveType::Long);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn entries(self, columns: &mut Vec<Column>, entries: &[(Value, Value)]) -> Result<(), ConnectError> {
        for (key, value) in entries {
            let Some(name) = key.as_str() else { continue };
            let is_it = |column: &&mut Column| self.rules.names.are_equal(&column.name, name);
            if let Some(column) = columns.iter_mut().find(is_it) {
                self.within().value(&mut column.of, value)?;
            } else if let Some(mut of) = kinds::of_value(value) {
                // Not only the first element of a list counts.
                self.within().value(&mut of, value)?;
                columns.push(Column::new(name, false, of));
            }
        }
        Ok(())
    }

    fn value(self, of: &mut Node, value: &Value) -> Result<(), ConnectError> {
        match (of, value) {
            (Node::List(element), Value::Array(items)) => {
                items.iter().try_for_each(|item| self.value(&mut element.of, item))
            }
            (Node::Map(_, of), Value::Map(entries)) => {
                entries.iter().try_for_each(|(_, value)| self.value(&mut of.of, value))
            }
            (Node::Struct(columns), Value::Map(entries)) => self.entries(columns, entries),
            _ => Ok(()),
        }
    }
}

/// Numbers new columns.
struct Ids {
    last: i32,
}

impl Ids {
    fn next(&mut self) -> i32 {
        self.last += 1;
        self.last
    }

    fn id(&mut self, column: &Column) -> i32 {
        column.was.as_ref().map_or_else(|| self.next(), |was| was.id)
    }

    fn fields(&mut self, columns: &[Column]) -> Vec<NestedFieldRef> {
        let ids: Vec<i32> = columns.iter().map(|column| self.id(column)).collect();
        columns.iter().zip(ids).map(|(column, id)| self.field(column, id)).collect()
    }

    fn field(&mut self, column: &Column, id: i32) -> NestedFieldRef {
        let field_type = match &column.of {
            Node::List(element) => {
                let id = self.id(element);
                Type::List(ListType::new(self.field(element, id)))
            }
            Node::Map(key, value) => {
                let (key_id, value_id) = (self.id(key), self.id(value));
                Type::Map(MapType::new(self.field(key, key_id), self.field(value, value_id)))
            }
            Node::Primitive(of) => Type::Primitive(of.clone()),
            Node::Struct(columns) => Type::Struct(StructType::new(self.fields(columns))),
        };
        let (required, name) = (column.required, column.name.clone());
        Arc::new(match &column.was {
            Some(was) => NestedField { required, field_type: Box::new(field_type), ..(**was).clone() },
            None => NestedField::new(id, name, field_type, required),
        })
    }
}
