//! `lakeward.schema.evolution=merge`: the schema that holds what two schemas hold (decision 0015).
//!
//! A pure function of the two, so that the schema of a file follows from its records alone. Nothing is lost:
//! numbers become wider only where every value has one form in the wider type.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use lakeward_api::schema::{Field, Kind, Schema};

use super::check::meaningful;

/// The schema of a file of schema `file` once it takes a record of schema `record`; `file` itself when it
/// holds the record already. `None`: no file can hold both.
///
/// The last answers are remembered: open files with the same history share one schema, and records whose
/// schemas take turns cost no comparison of fields each.
pub(crate) fn merged(file: &Arc<Schema>, record: &Arc<Schema>) -> Option<Arc<Schema>> {
    if Arc::ptr_eq(file, record) {
        return Some(Arc::clone(file));
    }
    ANSWERS.with_borrow_mut(|answers| {
        let is_asked = |known: &Answer| Arc::ptr_eq(&known.file, file) && Arc::ptr_eq(&known.record, record);
        if let Some(known) = answers.iter().find(|known| is_asked(known)) {
            return known.merged.clone();
        }
        let merged = merge(file, record);
        answers.truncate(ANSWERS_MAX - 1);
        let [file, record] = [file, record].map(Arc::clone);
        answers.push_front(Answer { file, record, merged: merged.clone() });
        merged
    })
}

/// What became of two schemas.
struct Answer {
    file: Arc<Schema>,
    record: Arc<Schema>,
    merged: Option<Arc<Schema>>,
}

thread_local! {
    /// The newest first.
    static ANSWERS: RefCell<VecDeque<Answer>> = const { RefCell::new(VecDeque::new()) };
}

fn merge(file: &Arc<Schema>, record: &Arc<Schema>) -> Option<Arc<Schema>> {
    if file == record {
        return Some(Arc::clone(file));
    }
    let merged = join(file, record, 0)?;
    if merged == **file {
        return Some(Arc::clone(file));
    }
    (fields_count(&merged) <= FIELDS_MAX).then(|| Arc::new(merged))
}

fn join(file: &Schema, record: &Schema, depth: usize) -> Option<Schema> {
    if depth > DEPTH_MAX || file.name != record.name || meaningful(file) != meaningful(record) {
        return None;
    }
    let kind = match (&file.kind, &record.kind) {
        (Kind::Struct(of_file), Kind::Struct(of_record)) => Kind::Struct(fields(of_file, of_record, depth)?),
        (Kind::Array(of_file), Kind::Array(of_record)) => {
            Kind::Array(Arc::new(join(of_file, of_record, depth + 1)?))
        }
        (Kind::Map { key, value }, Kind::Map { key: record_key, value: record_value })
            if key == record_key =>
        {
            let value = Arc::new(join(value, record_value, depth + 1)?);
            Kind::Map { key: Arc::clone(key), value }
        }
        (one, other) if one == other => one.clone(),
        (one, other) if file.name.is_none() => wider(one, other)?,
        _ => return None,
    };
    Some(Schema {
        kind,
        optional: file.optional || record.optional,
        // A default is a value of the narrower type.
        default: file.default.clone().filter(|_| file.kind == record.kind && file.default == record.default),
        version: file.version.max(record.version),
        ..file.clone()
    })
}

/// The fields of the file in their order, then those that only the record has.
fn fields(of_file: &[Field], of_record: &[Field], depth: usize) -> Option<Vec<Field>> {
    let in_record: BTreeMap<&str, &Field> = of_record.iter().map(|field| (&*field.name, field)).collect();
    let in_file: BTreeMap<&str, &Field> = of_file.iter().map(|field| (&*field.name, field)).collect();
    let mut fields = Vec::with_capacity(of_file.len() + 1);
    for field in of_file {
        let schema = match in_record.get(&*field.name) {
            Some(other) => join(&field.schema, &other.schema, depth + 1)?,
            None => missing(&field.schema),
        };
        fields.push(Field { name: Arc::clone(&field.name), schema: Arc::new(schema) });
    }
    let new = of_record.iter().filter(|field| !in_file.contains_key(&*field.name));
    fields.extend(
        new.map(|field| Field { name: Arc::clone(&field.name), schema: Arc::new(missing(&field.schema)) }),
    );
    Some(fields)
}

/// What some records do not have is null there, not its default.
fn missing(schema: &Schema) -> Schema {
    Schema { optional: true, default: None, ..schema.clone() }
}

/// The number type that holds every value of both.
fn wider(one: &Kind, other: &Kind) -> Option<Kind> {
    use Kind::{Float32, Float64, Int8, Int16, Int32, Int64};
    let narrow = |kind: &Kind| matches!(kind, Int8 | Int16);
    Some(match (one, other) {
        (Int8, kind @ (Int16 | Int32 | Int64)) | (kind @ (Int16 | Int32 | Int64), Int8) => kind.clone(),
        (Int16, kind @ (Int32 | Int64)) | (kind @ (Int32 | Int64), Int16) => kind.clone(),
        (Int32, Int64) | (Int64, Int32) => Int64,
        (Float32, Float64) | (Float64, Float32) => Float64,
        (kind, Float32) | (Float32, kind) if narrow(kind) => Float32,
        // 24 bits of FLOAT32 do not hold an INT32; 53 of FLOAT64 do not hold an INT64.
        (Int32, Float32) | (Float32, Int32) => Float64,
        (kind, Float64) | (Float64, kind) if narrow(kind) || *kind == Int32 => Float64,
        _ => return None,
    })
}

/// Fields at all depths.
fn fields_count(schema: &Schema) -> usize {
    match &schema.kind {
        Kind::Struct(fields) => fields.iter().map(|field| 1 + fields_count(&field.schema)).sum(),
        Kind::Array(item) => fields_count(item),
        Kind::Map { value, .. } => fields_count(value),
        _ => 0,
    }
}

/// A schema that grows with every record must end somewhere: its file then does.
const FIELDS_MAX: usize = 2000;
const DEPTH_MAX: usize = 100;
/// Versions of a few topics that meet again and again.
const ANSWERS_MAX: usize = 64;
