//! What Java checks when it builds schemas and structs.

use lakeward_api::schema::{Kind, Logical, Schema};
use lakeward_api::{ConnectError, ErrorClass};

/// Whether the name is that of a logical type, whatever the base type.
pub(crate) fn has_logical_name(schema: &Schema) -> bool {
    let name = schema.name.as_deref().and_then(|name| name.strip_prefix("org.apache.kafka.connect.data."));
    name.is_some_and(|name| ["Date", "Decimal", "Time", "Timestamp"].contains(&name))
}

/// The failure of a schema whose default is not of its type.
///
/// Source: `SchemaBuilder#defaultValue`.
pub(crate) fn invalid_default() -> ConnectError {
    let class = "org.apache.kafka.connect.errors.SchemaBuilderException";
    ConnectError::new(ErrorClass::Record, class, "Invalid default value")
}

/// The failure of a key of a schemaless map that is no text.
pub(crate) fn not_a_string(class: &str) -> ConnectError {
    let java_class = "java.lang.ClassCastException";
    let text = format!(
        "class {class} cannot be cast to class java.lang.String ({class} and java.lang.String are in module \
         java.base of loader 'bootstrap')"
    );
    ConnectError::new(ErrorClass::Record, java_class, text)
}

/// A required schema of a logical type, or an optional one.
pub(crate) fn logical(logical: Logical, optional: bool) -> Schema {
    Schema { optional, ..Schema::logical_of(logical) }
}

/// A schema as Java prints it: `Schema{name:TYPE}`.
pub(crate) fn printed(schema: &Schema) -> String {
    let kind = schema.kind.name();
    match &schema.name {
        Some(name) => format!("Schema{{{name}:{kind}}}"),
        None => format!("Schema{{{kind}}}"),
    }
}

/// The fields of a schema; the failure is Java's for schemas that have none.
pub(crate) fn fields(schema: &Schema) -> Result<&[lakeward_api::schema::Field], ConnectError> {
    match &schema.kind {
        Kind::Struct(fields) => Ok(fields),
        _ => Err(ConnectError::data("Cannot list fields on non-struct type")),
    }
}
