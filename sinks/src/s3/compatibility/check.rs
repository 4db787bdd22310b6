//! Whether values of one schema can be brought to another.

use std::collections::BTreeMap;

use lakeward_api::schema::{Kind, Schema};

/// Whether every value of `record` has a form under `file`.
pub(super) fn can_project(record: &Schema, file: &Schema) -> bool {
    let fits_here = (same_type(&record.kind, &file.kind) || is_promotable(&record.kind, &file.kind))
        && record.name == file.name
        && parameters_fit(record, file)
        && (!record.optional || file.optional || file.default.is_some());
    fits_here
        && match (&record.kind, &file.kind) {
            (Kind::Struct(_), Kind::Struct(_)) => fields_fit(record, file),
            (Kind::Array(record), Kind::Array(file)) => can_project(record, file),
            (Kind::Map { key, value }, Kind::Map { key: file_key, value: file_value }) => {
                can_project(key, file_key) && can_project(value, file_value)
            }
            // What stands for a schema that contains itself is one with its equals only.
            (Kind::Recursive(record), Kind::Recursive(file)) => record == file,
            _ => true,
        }
}

/// Fields of the record that the file does not have are left out; the other way round they need a value.
fn fields_fit(record: &Schema, file: &Schema) -> bool {
    file.fields().iter().all(|field| match record.field(&field.name) {
        Some((_, of_record)) => can_project(&of_record.schema, &field.schema),
        None => field.schema.optional || field.schema.default.is_some(),
    })
}

fn same_type(one: &Kind, other: &Kind) -> bool {
    std::mem::discriminant(one) == std::mem::discriminant(other)
}

/// A number of `from` is one of `to`, as Java orders them.
pub(super) fn is_promotable(from: &Kind, to: &Kind) -> bool {
    matches!((width(from), width(to)), (Some(from), Some(to)) if from <= to)
}

fn width(kind: &Kind) -> Option<u8> {
    Some(match kind {
        Kind::Int8 => 0,
        Kind::Int16 => 1,
        Kind::Int32 => 2,
        Kind::Int64 => 3,
        Kind::Float32 => 4,
        Kind::Float64 => 5,
        _ => return None,
    })
}

/// Symbols of enums may be fewer than the file's; everything else that matters must be equal.
fn parameters_fit(record: &Schema, file: &Schema) -> bool {
    let (of_record, of_file) = (meaningful(record), meaningful(file));
    if is_enum(record) && is_enum(file) {
        of_record.iter().all(|(name, value)| of_file.get(name) == Some(value))
    } else {
        of_record == of_file
    }
}

/// The parameters that are no documentation.
pub(super) fn meaningful(schema: &Schema) -> BTreeMap<&str, &str> {
    let is_documentation = |name: &str| {
        matches!(name, "connect.record.doc" | "connect.record.aliases" | "connect.record.namespace")
            || name.starts_with("io.confluent.connect.avro.field.doc.")
    };
    let all = schema.parameters.iter().map(|(name, value)| (&**name, &**value));
    all.filter(|(name, _)| !is_documentation(name)).collect()
}

fn is_enum(schema: &Schema) -> bool {
    [
        "io.confluent.connect.avro.Enum",
        "io.confluent.connect.protobuf.Enum",
        "org.apache.kafka.connect.data.Enum",
    ]
    .into_iter()
    .any(|name| schema.parameters.contains_key(name))
}
