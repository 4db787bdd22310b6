//! Nested structs and maps come out flat.

use super::*;
use crate::sample::{batch, both_ways, map, only, rows, shaped, structure, text, transform, typed};
use crate::shape_fields::tests::check_both_ways;

#[test]
fn leaves_are_null_and_optional_where_something_around_them_is() {
    let mut leaf = Schema::optional(Kind::Int8);
    leaf.default = Some(Value::Int8(9));
    let mut inner = structure(vec![("x", Schema::new(Kind::String)), ("y", leaf)]);
    inner.optional = true;
    inner.default = Some(Value::Struct(vec![text("d"), Value::Int8(1)]));
    let input = structure(vec![("a", Schema::new(Kind::Int8)), ("in", inner)]).named("n");
    let row = |inner| Value::Struct(vec![Value::Int8(1), inner]);
    let full = |y| row(Value::Struct(vec![text("t"), y]));
    let values = [full(Value::Int8(2)), row(Value::Null), full(Value::Null)];
    let mut flatten = transform("Flatten$Value", &[("delimiter", "_")]);
    let found = only(flatten.apply(batch(typed(input, &values))).unwrap());
    let leaves = |x, y| Value::Struct(vec![Value::Int8(1), x, y]);
    let expected = [
        leaves(text("t"), Value::Int8(2)),
        leaves(Value::Null, Value::Null),
        leaves(text("t"), Value::Int8(9)),
    ];
    assert_eq!(rows(&found.values), expected);
    let schema = found.values.schema().unwrap();
    assert_eq!(schema.name.as_deref(), Some("n"));
    let (_, x) = schema.field("in_x").unwrap();
    assert_eq!((x.schema.optional, &x.schema.default), (true, &Some(text("d"))));
    assert_eq!(schema.field("in_y").unwrap().1.schema.default, Some(Value::Int8(9)));
}

#[test]
fn maps_under_a_schema_fail_and_null_rows_pass() {
    let plain = || Arc::new(Schema::new(Kind::String));
    let inner = structure(vec![("m", Schema::new(Kind::Map { key: plain(), value: plain() }))]);
    let mut input = structure(vec![("in", inner)]);
    input.optional = true;
    let values = [Value::Struct(vec![Value::Struct(vec![Value::Map(Vec::new())])]), Value::Null];
    let outcome = transform("Flatten$Value", &[]).apply(batch(typed(input, &values))).unwrap();
    assert_eq!(outcome.batches[0].offsets, [11]);
    assert_eq!(
        outcome.errors[0].1.to_string(),
        "Flatten transformation does not support MAP for record with schemas (for field in.m)."
    );
}

#[test]
fn members_of_members_come_up() {
    let list = Value::Array(vec![Value::Int8(1)]);
    let inner = map(&[("y", Value::Null), ("z", list.clone()), ("e", map(&[]))]);
    let values = vec![map(&[("a", Value::Int8(1)), ("x", inner)]), Value::Null, text("t")];
    let outcome = transform("Flatten$Value", &[]).apply(batch(Values::Dynamic(values))).unwrap();
    let found = rows(&outcome.batches[0].values);
    assert_eq!(found[0].get("a"), Some(&Value::Int8(1)));
    assert_eq!(found[0].get("x.y"), Some(&Value::Null));
    assert_eq!(found[0].get("x.z"), Some(&list));
    assert_eq!(found[0].get("x.e"), None);
    assert_eq!(found[1], Value::Null);
    assert!(outcome.errors[0].1.to_string().ends_with("[flattening], found: java.lang.String"));
}

#[test]
fn many_members_and_equal_names_keep_one_place_each() {
    let mut members: Vec<(String, Value)> =
        (0..40).map(|number| (format!("k.{number}"), Value::Int8(1))).collect();
    let inner: Vec<(String, Value)> = (0..40).map(|number| (number.to_string(), Value::Int8(2))).collect();
    let borrowed: Vec<(&str, Value)> = inner.iter().map(|(name, value)| (&**name, value.clone())).collect();
    members.push(("k".to_owned(), map(&borrowed)));
    let borrowed: Vec<(&str, Value)> = members.iter().map(|(name, value)| (&**name, value.clone())).collect();
    let values = Values::Dynamic(vec![map(&borrowed)]);
    let found = only(transform("Flatten$Value", &[]).apply(batch(values)).unwrap());
    let Value::Map(flat) = &rows(&found.values)[0] else { panic!("a map") };
    assert_eq!(flat.len(), 40);
}

#[test]
fn nesting_has_a_limit() {
    let mut value = Value::Int8(1);
    for _ in 0..LEVELS + 2 {
        value = map(&[("a", value)]);
    }
    let outcome = transform("Flatten$Value", &[]).apply(batch(Values::Dynamic(vec![value]))).unwrap();
    assert_eq!(outcome.errors.len(), 1);
}

#[test]
fn shaped_rows_come_out_as_single_ones() {
    check_both_ways("Flatten$Value", &[&[], &[("delimiter", "")], &[("delimiter", "_-")]]);
    let place = |lat: Value| map(&[("lat", lat), ("é", Value::Null)]);
    let inner = |place: Value| map(&[("os", text("x")), ("place", place), ("", Value::Int8(2))]);
    let row = |client: Value| map(&[("id", Value::Int64(1)), ("client", client), ("", inner(Value::Null))]);
    let full = row(inner(place(Value::Float64(0.5))));
    let no_client = row(Value::Null);
    let no_place = row(inner(Value::Null));
    let no_lat = row(inner(place(Value::Null)));
    let equal = |inner: Value| map(&[("a.b", Value::Int8(1)), ("a", inner), ("a.c", map(&[]))]);
    let b = equal(map(&[("b", Value::Int8(2)), ("c", map(&[("d", Value::Int8(3))]))]));
    for rows in [
        vec![full.clone(), no_lat.clone(), full.clone()],
        vec![full.clone(), no_lat, Value::Null],
        vec![no_place.clone(), full.clone(), Value::Null, no_client.clone(), full],
        vec![no_client.clone(), no_client],
        vec![no_place.clone(), Value::Null, no_place],
        vec![b.clone(), b.clone()],
        vec![b, equal(Value::Null), equal(map(&[("b", Value::Null), ("c", Value::Null)]))],
    ] {
        both_ways("Flatten$Value", &[], &batch(shaped(&rows)));
        both_ways("Flatten$Value", &[("delimiter", "")], &batch(shaped(&rows)));
    }
}

#[test]
fn shaped_rows_stay_shaped_unless_a_map_is_null() {
    let row = |inner: Value| map(&[("a", Value::Int8(1)), ("in", inner)]);
    let full = row(map(&[("x", Value::Null), ("y", text("t"))]));
    let mut flatten = transform("Flatten$Value", &[]);
    let found = only(flatten.apply(batch(shaped(&[full.clone(), Value::Null]))).unwrap());
    assert!(matches!(found.values, Values::Shaped(_)));
    let flat = map(&[("a", Value::Int8(1)), ("in.x", Value::Null), ("in.y", text("t"))]);
    assert_eq!(rows(&found.values), [flat.clone(), Value::Null]);

    let found = only(flatten.apply(batch(shaped(&[full, row(Value::Null)]))).unwrap());
    assert!(matches!(found.values, Values::Dynamic(_)));
    assert_eq!(rows(&found.values), [flat, row(Value::Null)]);
}
