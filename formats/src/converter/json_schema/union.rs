//! Which STRUCTs are unions.

use lakeward_api::schema::Schema;

use super::members::{GENERAL_UNION, ONE_OF};

/// Whether rows of `schema` hold one field each. Source: `JsonSchemaData#isUnionSchema`.
pub(super) fn is_union(schema: &Schema) -> bool {
    schema.name.as_deref() == Some(ONE_OF) || schema.parameters.contains_key(GENERAL_UNION)
}
