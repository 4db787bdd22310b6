//! Schemas that contain themselves.
//!
//! A type may hold itself (a tree, a list of nodes). Connect's converters then put a stand-in at the place
//! of the recursion: a schema with its own `optional` that refers to the schema it stands for. Here that
//! stand-in is [`Kind::Recursive`] with a [`Recursive`]: a number, because schemas are trees of `Arc`s in
//! which a cycle would never be freed, and because a transform that rebuilds the enclosing STRUCT must not
//! change what stands below the place of the recursion.
//!
//! What a number means stands in one table of the process. It only grows, up to [`DEFINITIONS_MAX`]; the same
//! type read again (another task, another partition) gets the same number, so that schemas stay equal.
//!
//! Columns cannot contain themselves either: the cells of such a place are packed ([`crate::packed`]).
//!
//! Source: `CyclicSchemaWrapper` of the Avro converter, `SchemaWrapper` of the Protobuf and JSON Schema ones.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, OnceLock, PoisonError};

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, StructArray};

use crate::ConnectError;
use crate::packed;
use crate::rows::ColumnWriter;
use crate::schema::{Field, Kind, Logical, Schema};
use crate::value::Value;

/// Schemas that places of recursion may refer to, for the life of the process.
pub const DEFINITIONS_MAX: usize = 1024;

/// What stands at the place of a recursion. Equal numbers mean the same schema.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Recursive(u32);

impl Recursive {
    /// Says what it stands for. What was said first stays: the same key always makes the same schema.
    pub fn define(self, schema: &Arc<Schema>) {
        DEFINED[self.0 as usize].get_or_init(|| Arc::clone(schema));
    }

    /// The schema it stands for, with the `optional` of its definition.
    ///
    /// # Panics
    /// Before it is defined: a decoder defines all places before it hands out the schema they are in.
    pub fn resolve(self) -> Arc<Schema> {
        Arc::clone(DEFINED[self.0 as usize].get().expect("a recursive schema is defined before it is used"))
    }

    /// The schema of a place that stands for it, with the name that it has. A decoder adds version, doc and
    /// parameters where they are known.
    pub fn place(self, optional: bool, name: Option<&str>) -> Schema {
        let mut schema = Schema::new(Kind::Recursive(self));
        schema.optional = optional;
        schema.name = name.map(Into::into);
        schema
    }

    /// Its number, for text that leaves the program.
    pub(crate) fn number(self) -> u32 {
        self.0
    }

    /// The one of that number, if there is one that is defined.
    pub(crate) fn numbered(number: u32) -> Option<Self> {
        DEFINED.get(number as usize)?.get().map(|_| Self(number))
    }
}

/// The numbers that one walk over a type hands out, in its order.
///
/// A walk of the same key gets the same numbers, also when two run at once or one fails midway. So a decoder
/// may walk the type each time and build what else it needs on the way.
pub struct Definitions {
    key: Arc<str>,
    next: usize,
}

impl Definitions {
    /// For the walk over the type that `key` says: format, registered text with its references, the name of
    /// the type, and every setting that changes the schema.
    pub fn new(key: &str) -> Self {
        Self { key: key.into(), next: 0 }
    }

    /// The next number of this walk; it must be defined before the walk ends.
    ///
    /// # Errors
    /// `Record` (`DataException`) when the process has [`DEFINITIONS_MAX`].
    pub fn reserve(&mut self) -> Result<Recursive, ConnectError> {
        let mut table = table();
        let known = table.by_key.get(&self.key).and_then(|numbers| numbers.get(self.next)).copied();
        let recursive = match known {
            Some(known) => known,
            None => table.add(&self.key)?,
        };
        self.next += 1;
        Ok(recursive)
    }
}

/// The schema that a place of recursion stands for, with the `optional` of its definition; `None` for any
/// other schema.
pub fn resolved(place: &Schema) -> Option<Arc<Schema>> {
    match place.kind {
        Kind::Recursive(recursive) => Some(recursive.resolve()),
        _ => None,
    }
}

/// The schema of a column that [`open`] makes of a column of `place`; `None` when the place is not recursive.
pub fn opened(place: &Schema) -> Option<Arc<Schema>> {
    let schema = resolved(place)?;
    if schema.optional == place.optional {
        return Some(schema);
    }
    Some(Arc::new(Schema { optional: place.optional, ..(*schema).clone() }))
}

/// The rows of a recursive place as a column of the schema it stands for; deeper places stay packed.
///
/// # Errors
/// `Fatal` when the column would exceed Arrow's limits.
///
/// # Panics
/// When the column is not one of packed cells: columns and schemas are made together.
pub fn open(cells: &dyn Array, recursive: Recursive) -> Result<ArrayRef, ConnectError> {
    let cells = cells.as_binary::<i32>();
    let mut column = ColumnWriter::new(&recursive.resolve());
    for row in 0..cells.len() {
        if cells.is_null(row) {
            column.append_null();
        } else {
            column.append(&packed::unpack(cells.value(row)))?;
        }
    }
    column.finish()
}

/// [`opened`] and [`open`] of a column of `schema`; any other column as it is.
///
/// # Errors
/// As [`open`].
pub fn opened_column(schema: &Arc<Schema>, array: ArrayRef) -> Result<(Arc<Schema>, ArrayRef), ConnectError> {
    match (&schema.kind, opened(schema)) {
        (Kind::Recursive(recursive), Some(shown)) => Ok((shown, open(&array, *recursive)?)),
        _ => Ok((Arc::clone(schema), array)),
    }
}

/// A STRUCT column without recursive places among its own fields: each is opened.
///
/// # Errors
/// As [`open`].
pub fn opened_fields(
    schema: &Arc<Schema>,
    array: &ArrayRef,
) -> Result<(Arc<Schema>, ArrayRef), ConnectError> {
    let is_place = |field: &Field| matches!(field.schema.kind, Kind::Recursive(_));
    if !schema.fields().iter().any(is_place) {
        return Ok((Arc::clone(schema), Arc::clone(array)));
    }
    let (mut fields, mut columns) = (Vec::new(), Vec::new());
    for (field, column) in schema.fields().iter().zip(array.as_struct().columns()) {
        let (inner, column) = opened_column(&field.schema, Arc::clone(column))?;
        fields.push(Field { name: Arc::clone(&field.name), schema: inner });
        columns.push(column);
    }
    let schema = Schema { kind: Kind::Struct(fields), ..(**schema).clone() };
    let column = StructArray::try_new(schema.arrow_fields(), columns, array.nulls().cloned())
        .map_err(|err| ConnectError::fatal("columns do not fit their schema").with_source(err))?;
    Ok((Arc::new(schema), Arc::new(column)))
}

/// Whether `schema` has a place where a schema contains itself. Recursion is bounded by the depth of the
/// schema.
pub fn is_recursive(schema: &Schema) -> bool {
    match &schema.kind {
        Kind::Array(item) => is_recursive(item),
        Kind::Map { key, value } => is_recursive(key) || is_recursive(value),
        Kind::Recursive(_) => true,
        Kind::Struct(fields) => fields.iter().any(|field| is_recursive(&field.schema)),
        _ => false,
    }
}

/// Whether `value` has the form that a row of `schema` has; null fits everywhere. Recursion is bounded by the
/// depth of the value.
pub fn fits(schema: &Schema, value: &Value) -> bool {
    match (schema.logical(), value) {
        (_, Value::Null) => return true,
        (Some(Logical::Decimal { scale }), Value::Decimal(decimal)) => return decimal.scale == scale,
        (Some(Logical::Date | Logical::Time | Logical::Timestamp), Value::Date(_)) => return true,
        (Some(_), _) => return false,
        (None, _) => {}
    }
    match (&schema.kind, value) {
        (Kind::Array(item), Value::Array(items)) => items.iter().all(|value| fits(item, value)),
        (Kind::Map { key, value }, Value::Map(entries)) => {
            entries.iter().all(|(name, member)| fits(key, name) && fits(value, member))
        }
        (Kind::Recursive(recursive), _) => fits(&recursive.resolve(), value),
        (Kind::Struct(fields), Value::Struct(values)) => {
            fields.len() == values.len()
                && fields.iter().zip(values).all(|(field, value)| fits(&field.schema, value))
        }
        (Kind::Boolean, Value::Boolean(_))
        | (Kind::Bytes, Value::Bytes(_))
        | (Kind::Float32, Value::Float32(_))
        | (Kind::Float64, Value::Float64(_))
        | (Kind::Int16, Value::Int16(_))
        | (Kind::Int32, Value::Int32(_))
        | (Kind::Int64, Value::Int64(_))
        | (Kind::Int8, Value::Int8(_))
        | (Kind::String, Value::String(_)) => true,
        _ => false,
    }
}

/// What the numbers mean.
static DEFINED: [OnceLock<Arc<Schema>>; DEFINITIONS_MAX] = [const { OnceLock::new() }; DEFINITIONS_MAX];

/// The numbers that were handed out.
#[derive(Default)]
struct Table {
    by_key: HashMap<Arc<str>, Vec<Recursive>>,
    count: usize,
}

impl Table {
    fn add(&mut self, key: &Arc<str>) -> Result<Recursive, ConnectError> {
        if self.count == DEFINITIONS_MAX {
            return Err(ConnectError::data(format!(
                "This worker has read {DEFINITIONS_MAX} recursive types and takes no more until it is \
                 restarted"
            )));
        }
        let recursive = Recursive(u32::try_from(self.count).expect("there are few definitions"));
        self.count += 1;
        self.by_key.entry(Arc::clone(key)).or_default().push(recursive);
        Ok(recursive)
    }
}

fn table() -> MutexGuard<'static, Table> {
    static TABLE: LazyLock<Mutex<Table>> = LazyLock::new(Mutex::default);
    // Nothing panics while the table is held, and every state of it is a whole one.
    TABLE.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
