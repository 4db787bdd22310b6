//! Fields of each kind in structs and maps.

use super::*;
use crate::sample::{batch, both_ways, map, only, rows, shaped, structure, text, transform, typed};

const ALL: [(&str, &str); 6] = [
    ("topic.field", "t!"),
    ("partition.field", "p?"),
    ("offset.field", "o"),
    ("timestamp.field", "at"),
    ("static.field", "s"),
    ("static.value", "x"),
];

#[test]
fn fields_are_appended_in_order_and_null_rows_stay() {
    let mut schema = structure(vec![("a", Schema::new(Kind::Int8))]);
    schema.optional = true;
    let row = Value::Struct(vec![Value::Int8(1)]);
    let input = batch(typed(schema, &[row.clone(), Value::Null, row]));
    let outcome = transform("InsertField$Value", &ALL).apply(input).unwrap();
    let offsets: Vec<_> = outcome.batches.iter().map(|batch| batch.offsets.clone()).collect();
    assert_eq!(offsets, [[10], [11], [12]]);
    assert_eq!(
        rows(&outcome.batches[2].values),
        [Value::Struct(vec![
            Value::Int8(1),
            text("t"),
            Value::Int32(3),
            Value::Int64(12),
            Value::Date(3000),
            text("x")
        ])]
    );
    let schema = outcome.batches[2].values.schema().unwrap();
    let optional: Vec<_> = schema.fields().iter().map(|field| field.schema.optional).collect();
    assert_eq!(optional, [false, false, true, true, true, true]);
    assert!(!schema.optional);
    assert_eq!(rows(&outcome.batches[1].values), [Value::Null]);
    assert_eq!(outcome.batches[1].values.schema().unwrap().fields().len(), 1);
}

#[test]
fn members_of_maps_are_replaced_and_timestamps_left_out() {
    let mut input = batch(Values::Dynamic(vec![map(&[("o", text("old"))]), Value::Null]));
    input.timestamps_ms[0] = None;
    let output = only(transform("InsertField$Value", &ALL).apply(input).unwrap());
    let expected =
        map(&[("o", Value::Int64(10)), ("t", text("t")), ("p", Value::Int32(3)), ("s", text("x"))]);
    assert_eq!(rows(&output.values), [expected, Value::Null]);
}

#[test]
fn a_required_timestamp_must_be_there() {
    let schema = structure(vec![("a", Schema::new(Kind::Int8))]);
    let row = Value::Struct(vec![Value::Int8(1)]);
    let mut input = batch(typed(schema, &[row.clone(), row]));
    input.timestamps_ms[1] = None;
    let outcome = transform("InsertField$Value", &[("timestamp.field", "at!")]).apply(input).unwrap();
    assert_eq!(outcome.batches[0].offsets, [10]);
    assert_eq!(outcome.errors[0].0, 11);
}

#[test]
fn equal_names_fail_every_record() {
    let schema = structure(vec![("a", Schema::new(Kind::Int8))]);
    let input = batch(typed(schema, &[Value::Struct(vec![Value::Int8(1)])]));
    let outcome = transform("InsertField$Value", &[("offset.field", "a")]).apply(input).unwrap();
    let err = &outcome.errors[0].1;
    assert_eq!(err.java_class(), "org.apache.kafka.connect.errors.SchemaBuilderException");
    assert_eq!(err.to_string(), "Cannot create field because of field name duplication a");
}

#[test]
fn shaped_rows_get_columns() {
    let old = map(&[("o", text("old")), ("t", Value::Null), ("z", Value::Int8(1))]);
    let input = batch(shaped(&[
        old,
        Value::Null,
        map(&[("o", Value::Null), ("t", Value::Null), ("z", Value::Null)]),
    ]));
    let output = only(both_ways("InsertField$Value", &ALL, &input));
    assert!(matches!(output.values, Values::Shaped(_)));
    let expected = map(&[
        ("o", Value::Int64(10)),
        ("t", text("t")),
        ("z", Value::Int8(1)),
        ("p", Value::Int32(3)),
        ("at", Value::Int64(1000)),
        ("s", text("x")),
    ]);
    let output = rows(&output.values);
    assert_eq!((&output[0], &output[1]), (&expected, &Value::Null));

    let empty = batch(shaped(&[map(&[]), map(&[]), Value::Null]));
    let one_name =
        [("topic.field", "f"), ("offset.field", "g"), ("static.field", "f!"), ("static.value", "x")];
    let output = only(both_ways("InsertField$Value", &one_name, &empty));
    assert_eq!(rows(&output.values)[1], map(&[("f", text("x")), ("g", Value::Int64(11))]));
}

#[test]
fn shaped_rows_without_a_timestamp_lack_the_member() {
    let row = map(&[("at", text("old"))]);
    for missing in [&[1][..], &[0, 1, 2], &[]] {
        let mut input = batch(shaped(&[row.clone(), row.clone(), row.clone()]));
        for at in missing {
            input.timestamps_ms[*at] = None;
        }
        let output = only(both_ways("InsertField$Value", &[("timestamp.field", "at")], &input));
        assert_eq!(matches!(output.values, Values::Shaped(_)), missing.is_empty());
        both_ways("InsertField$Value", &[("timestamp.field", "new")], &input);
    }
}

#[test]
fn shaped_rows_that_are_no_maps_fail() {
    let input = batch(shaped(&[text("x"), Value::Null, text("y")]));
    let outcome = both_ways("InsertField$Value", &ALL, &input);
    assert_eq!((outcome.errors.len(), outcome.batches[0].offsets[0]), (2, 11));
    both_ways("InsertField$Key", &ALL, &SinkBatch { keys: input.values.clone(), ..input });
}
