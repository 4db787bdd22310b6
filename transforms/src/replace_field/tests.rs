//! Fields are kept, dropped and renamed.

use lakeward_api::schema::Kind;

use super::*;
use crate::sample::{batch, both_ways, map, only, rows, shaped, structure, text, transform, typed};

#[test]
fn columns_are_dropped_and_renamed_without_a_copy() {
    let mut input = structure(vec![
        ("a", Schema::new(Kind::Int8)),
        ("b", Schema::new(Kind::String)),
        ("c", Schema::new(Kind::Boolean)),
    ])
    .named("n");
    input.optional = true;
    let values = [Value::Struct(vec![Value::Int8(1), text("x"), Value::Boolean(true)]), Value::Null];
    let input = batch(typed(input, &values));
    let settings = [("exclude", "a"), ("include", "a,c,b"), ("renames", "b:z")];
    let outcome = transform("ReplaceField$Value", &settings).apply(input.clone()).unwrap();
    assert_eq!(outcome.batches.len(), 2, "null rows keep their schema");
    let found = &outcome.batches[0];
    assert_eq!(rows(&found.values), [Value::Struct(vec![text("x"), Value::Boolean(true)])]);
    let schema = found.values.schema().unwrap();
    assert_eq!(schema.fields().iter().map(|field| &*field.name).collect::<Vec<_>>(), ["z", "c"]);
    assert_eq!((schema.name.as_deref(), schema.optional), (Some("n"), false));
    assert_eq!(outcome.batches[1].values.schema(), input.values.schema());
}

#[test]
fn names_that_meet_fail_with_a_schema_and_the_last_stays_without() {
    let input = structure(vec![("a", Schema::new(Kind::Int8)), ("b", Schema::new(Kind::Int8))]);
    let values = typed(input, &[Value::Struct(vec![Value::Int8(1), Value::Int8(2)])]);
    let mut replace = transform("ReplaceField$Value", &[("renames", "a:b")]);
    let outcome = replace.apply(batch(values)).unwrap();
    let (_, err) = &outcome.errors[0];
    assert_eq!(err.java_class(), "org.apache.kafka.connect.errors.SchemaBuilderException");
    assert_eq!(err.to_string(), "Cannot create field because of field name duplication b");

    let values = Values::Dynamic(vec![map(&[("b", Value::Int8(2)), ("a", Value::Int8(1))])]);
    let found = only(replace.apply(batch(values)).unwrap());
    assert_eq!(rows(&found.values), [map(&[("b", Value::Int8(2))])]);
}

#[test]
fn a_column_of_another_field_must_fit() {
    // The lookup of `n` by its old name finds the excluded `a`.
    let input = structure(vec![("a", Schema::optional(Kind::Int8)), ("n", Schema::new(Kind::Int8))]);
    let row = |a| Value::Struct(vec![a, Value::Int8(7)]);
    let values = typed(input, &[row(Value::Int8(1)), row(Value::Null)]);
    let settings = [("renames", "a:n"), ("exclude", "a")];
    let outcome = transform("ReplaceField$Value", &settings).apply(batch(values)).unwrap();
    assert_eq!(rows(&outcome.batches[0].values), [Value::Struct(vec![Value::Int8(1)])]);
    let message = outcome.errors[0].1.to_string();
    assert_eq!(message, "Invalid value: null used for required field: \"n\", schema type: INT8");
}

#[test]
fn a_struct_of_another_field_must_have_its_schema() {
    let inner = structure(vec![("x", Schema::optional(Kind::Int8))]);
    let input = structure(vec![("a", structure(Vec::new())), ("n", inner)]);
    let row = Value::Struct(vec![Value::Struct(Vec::new()), Value::Struct(vec![Value::Null])]);
    let settings = [("renames", "a:n"), ("exclude", "a")];
    let outcome = transform("ReplaceField$Value", &settings).apply(batch(typed(input, &[row]))).unwrap();
    assert_eq!(outcome.errors[0].1.to_string(), "Struct schemas do not match.");
}

#[test]
fn a_key_that_is_no_text_fails() {
    let values = Values::Dynamic(vec![Value::Map(vec![(Value::Int32(5), Value::Null)]), Value::Null]);
    let outcome = transform("ReplaceField$Value", &[("exclude", "a")]).apply(batch(values)).unwrap();
    assert_eq!(outcome.errors[0].1.java_class(), "java.lang.ClassCastException");
    assert_eq!(rows(&outcome.batches[0].values), [Value::Null]);
}

#[test]
fn shaped_rows_keep_their_columns() {
    let row = |a, b| map(&[("a", a), ("b", b), ("c", Value::Null)]);
    let values = [row(Value::Int8(1), text("x")), Value::Null, row(Value::Null, text("y"))];
    let input = batch(shaped(&values));
    let settings: [&[(&str, &str)]; 9] = [
        &[("exclude", "a,z"), ("renames", "b:key")],
        &[("include", "c,a")],
        &[("exclude", "a,b,c")],
        &[("include", "z")],
        &[("renames", "a:b")],
        &[("renames", "b:a")],
        &[("renames", "a:c,b:c")],
        &[("renames", "a:b,b:a"), ("exclude", "c")],
        &[("renames", "a:x,b:x"), ("exclude", "a")],
    ];
    for settings in settings {
        let output = only(both_ways("ReplaceField$Value", settings, &input));
        assert!(matches!(output.values, Values::Shaped(_)), "{settings:?}");
        only(both_ways("ReplaceField$Value", settings, &batch(shaped(&[map(&[]), Value::Null, map(&[])]))));
    }
    let output = only(both_ways("ReplaceField$Value", settings[0], &input));
    assert_eq!(rows(&output.values)[0], map(&[("key", text("x")), ("c", Value::Null)]));
    let output = only(both_ways("ReplaceField$Value", settings[2], &input));
    assert_eq!(rows(&output.values), [map(&[]), Value::Null, map(&[])]);
    let outcome = both_ways("ReplaceField$Value", settings[0], &batch(shaped(&[text("x"), Value::Null])));
    assert_eq!(outcome.errors.len(), 1);
}

#[test]
fn members_of_shaped_rows_take_the_order_of_java() {
    let names: Vec<String> = (0..14).map(|number| format!("field-{number}")).collect();
    let row: Vec<_> = names.iter().map(|name| (name.as_str(), text(name))).collect();
    let input = batch(shaped(&[map(&row), Value::Null, map(&row)]));
    for renames in ["field-3:field-9", "field-9:field-3", "field-1:field-2,field-2:field-3,field-3:field-1"] {
        only(both_ways("ReplaceField$Value", &[("renames", renames)], &input));
    }
}
