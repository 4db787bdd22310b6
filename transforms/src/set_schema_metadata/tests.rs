//! Schemas get a name and a version; values stay.

use super::*;
use crate::sample::{batch, both_ways, map, only, rows, shaped, structure, text, transform, typed};
use lakeward_api::value::Value;

#[test]
fn only_name_and_version_change() {
    let mut leaf = Schema::optional(Kind::Int8);
    leaf.default = Some(Value::Int8(9));
    let mut input = structure(vec![("a", leaf)]).named("old");
    input.optional = true;
    input.doc = Some("doc".into());
    let row = |value| Value::Struct(vec![value]);
    let input_batch = batch(typed(input.clone(), &[row(Value::Null), Value::Null]));
    let settings = [("schema.name", "new"), ("schema.version", "3")];
    let found = only(transform("SetSchemaMetadata$Value", &settings).apply(input_batch.clone()).unwrap());
    let expected = Schema { version: Some(3), ..input.named("new") };
    assert_eq!(**found.values.schema().unwrap(), expected);
    assert_eq!(rows(&found.values), [row(Value::Int8(9)), Value::Null]);

    let settings = [("schema.version", "3"), ("replace.null.with.default", "false")];
    let found = only(transform("SetSchemaMetadata$Value", &settings).apply(input_batch).unwrap());
    assert_eq!(found.values.schema().unwrap().name.as_deref(), Some("old"));
    assert_eq!(rows(&found.values)[0], row(Value::Null));
}

#[test]
fn values_without_a_struct_schema_fail_and_tombstones_pass() {
    let mut set = transform("SetSchemaMetadata$Value", &[("schema.name", "n")]);
    let values = typed(Schema::new(Kind::Int8), &[Value::Int8(1)]);
    let outcome = set.apply(batch(values)).unwrap();
    assert_eq!(outcome.errors[0].1.to_string(), "Cannot list fields on non-struct type");

    let outcome = set.apply(batch(Values::Dynamic(vec![text("x"), Value::Null]))).unwrap();
    assert_eq!(outcome.errors[0].1.to_string(), "Schema required for [updating schema metadata]");
    assert_eq!(outcome.batches[0].offsets, [11]);
    assert_eq!(only(set.apply(batch(Values::Null { rows: 2 })).unwrap()).rows(), 2);
}

#[test]
fn shaped_rows_fail_unless_null() {
    let row = map(&[("a", Value::Null)]);
    let input = batch(shaped(&[row.clone(), Value::Null, row]));
    let outcome = both_ways("SetSchemaMetadata$Value", &[("schema.name", "n")], &input);
    assert_eq!(outcome.errors.len(), 2);
    assert_eq!(rows(&outcome.batches[0].values), [Value::Null]);
}
