//! Shaped rows of every kind, for the transforms that change fields.

use lakeward_api::batch::{SinkBatch, Values};

use super::*;
use crate::sample::{batch, both_ways, map, rows, shaped, text, transform};

/// A value of every kind that shapes have, under its name.
fn kinds() -> Vec<(&'static str, Value)> {
    let list = Value::Array(vec![Value::Int64(1), Value::Null]);
    let place = map(&[("lat", Value::Float64(1.5)), ("at", Value::Null)]);
    vec![
        ("boolean", Value::Boolean(true)),
        ("int8", Value::Int8(-7)),
        ("int16", Value::Int16(300)),
        ("int32", Value::Int32(-70_000)),
        ("int64", Value::Int64(1_704_164_645_678)),
        ("float32", Value::Float32(0.1)),
        ("float64", Value::Float64(-123.75)),
        ("text", text("2024-01-02")),
        ("number", text("12")),
        ("bytes", Value::Bytes(Bytes::from_static(b"\x00\xff"))),
        ("date", Value::Date(1_704_164_645_678)),
        ("list", list),
        ("map", map(&[("os", text("x")), ("place", place)])),
        ("empty", map(&[])),
        ("null", Value::Null),
    ]
}

/// `value` with each value in it null in one of `one_in` cases, and itself, too.
fn sparse(value: &Value, one_in: u64, state: &mut u64) -> Value {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    if (*state >> 33).is_multiple_of(one_in) {
        return Value::Null;
    }
    match value {
        Value::Int64(number) => Value::Int64(number - (*state >> 20).cast_signed()),
        Value::Array(items) => Value::Array(items.iter().map(|item| sparse(item, one_in, state)).collect()),
        Value::Map(members) => Value::Map(
            members.iter().map(|(key, member)| (key.clone(), sparse(member, one_in, state))).collect(),
        ),
        other => other.clone(),
    }
}

/// Rows of maps and bare columns: without nulls, with one null per row, with null rows, with null columns,
/// with few and with many nulls at every level.
pub(crate) fn batches() -> Vec<SinkBatch> {
    let kinds = kinds();
    let full = map(&kinds);
    let mut single: Vec<Value> = (0..kinds.len())
        .map(|null| {
            let mut members = kinds.clone();
            members[null].1 = Value::Null;
            map(&members)
        })
        .collect();
    single.push(full.clone());
    let nulls: Vec<(&str, Value)> = kinds.iter().map(|(name, _)| (*name, Value::Null)).collect();
    let mut all = vec![
        vec![full.clone(), full.clone()],
        single,
        vec![full.clone(), Value::Null, full.clone(), Value::Null],
        vec![map(&nulls), Value::Null, map(&nulls)],
        vec![map(&[]), Value::Null, map(&[])],
    ];
    for one_in in [2, 8] {
        let mut state = one_in;
        all.push((0..20).map(|_| sparse(&full, one_in, &mut state)).collect());
    }
    let bare = kinds.into_iter().filter(|(_, value)| !value.is_null());
    all.extend(bare.map(|(_, value)| vec![value.clone(), Value::Null, value]));
    all.iter().map(|rows| batch(shaped(rows))).collect()
}

/// Checks a transform with each of the settings against its work on the same rows taken apart.
pub(crate) fn check_both_ways(simple: &str, settings: &[&[(&str, &str)]]) {
    for settings in settings {
        for batch in &batches() {
            both_ways(simple, settings, batch);
            let Values::Shaped(array) = &batch.values else { panic!("the batches are shaped") };
            let none = crate::sample::batch(Values::Shaped(array.slice(0, 0)));
            let outcome = transform(simple, settings).apply(none).unwrap();
            assert_eq!(outcome.errors.len(), 0);
            assert!(outcome.batches.iter().all(|batch| rows(&batch.values).is_empty()));
        }
    }
}

#[test]
fn found_fields_are_changed_in_place_and_missing_ones_added() {
    let values = [map(&[("a", Value::Int8(1)), ("b", Value::Int8(2))]), Value::Null];
    let values = shaped(&values);
    let old = crate::layout::maps(&values).unwrap();
    let wanted: [Arc<str>; 3] = ["x".into(), "b".into(), "y".into()];
    let changes = FieldChanges::new(old, &wanted, |name| name, |_, shape| shape.clone());
    let mut found = Vec::new();
    let changed = changes
        .apply(old, |shape, column| {
            found.push(shape.clone());
            assert!(column.is_null(1), "its row is null");
            Ok(Arc::new(NullArray::new(column.len())))
        })
        .unwrap();
    assert_eq!(found, [DataType::Int8]);
    let null = Value::Null;
    let expected = map(&[("a", Value::Int8(1)), ("b", null.clone()), ("x", null.clone()), ("y", null)]);
    assert_eq!(rows(&Values::Shaped(changed)), [expected, Value::Null]);
}
