//! Timestamps in every form become every other form.

use super::*;
use crate::sample::{batch, config, map, only, rows, shaped, structure, text, transform, typed};
use crate::shape_fields::tests::check_both_ways;

const MS: i64 = 1_704_164_645_678;

fn optional(logical: Logical) -> Schema {
    schemas::logical(logical, true)
}

#[test]
fn every_form_becomes_every_other() {
    let pattern = ("format", "yyyy-MM-dd HH:mm:ss.SSS");
    let (day, time) = (1_704_153_600_000, 11_045_678);
    let sources = [
        (Schema::optional(Kind::String), text("2024-01-02 03:04:05.678")),
        (Schema::optional(Kind::Int64), Value::Int64(MS * 1_000)),
        (optional(Logical::Timestamp), Value::Date(MS)),
    ];
    let targets = [
        ("string", Schema::optional(Kind::String), text("2024-01-02 03:04:05.678")),
        ("unix", Schema::optional(Kind::Int64), Value::Int64(MS * 1_000)),
        ("Date", optional(Logical::Date), Value::Date(day)),
        ("Time", optional(Logical::Time), Value::Date(time)),
        ("Timestamp", optional(Logical::Timestamp), Value::Date(MS)),
    ];
    for (schema, value) in &sources {
        for (name, expected_schema, expected) in &targets {
            let settings = [pattern, ("target.type", *name), ("unix.precision", "microseconds")];
            let mut convert = transform("TimestampConverter$Value", &settings);
            let values = typed(schema.clone(), &[value.clone(), Value::Null]);
            let found = only(convert.apply(batch(values)).unwrap());
            assert_eq!(**found.values.schema().unwrap(), *expected_schema);
            assert_eq!(rows(&found.values), [expected.clone(), Value::Null], "{name} of {value:?}");

            let values = Values::Dynamic(vec![value.clone(), Value::Null]);
            let found = only(convert.apply(batch(values)).unwrap());
            assert_eq!(rows(&found.values), [expected.clone(), Value::Null], "{name} of {value:?}");
        }
    }
}

#[test]
fn only_the_field_changes_with_its_part_of_the_default() {
    let mut at = Schema::optional(Kind::Int64);
    at.default = Some(Value::Int64(1_500));
    let mut input = structure(vec![("at", at), ("b", Schema::new(Kind::Int8))]);
    input.optional = true;
    let row = |at| Value::Struct(vec![at, Value::Int8(1)]);
    input.default = Some(row(Value::Int64(-1)));
    let settings = [("field", "at"), ("target.type", "Timestamp"), ("unix.precision", "seconds")];
    let values = typed(input, &[row(Value::Int64(2)), Value::Null, row(Value::Null)]);
    let mut convert = transform("TimestampConverter$Value", &settings);
    let found = only(convert.apply(batch(values)).unwrap());
    let date = |ms| row(Value::Date(ms));
    assert_eq!(rows(&found.values), [date(2_000), Value::Null, date(1_500_000)]);
    let schema = found.values.schema().unwrap();
    assert_eq!((schema.optional, &schema.default), (true, &Some(date(-1_000))));
}

#[test]
fn texts_that_do_not_match_fail_alone() {
    let settings = [("target.type", "unix"), ("format", "yyyy")];
    let values = typed(Schema::new(Kind::String), &[text("1970"), text("x")]);
    let outcome = transform("TimestampConverter$Value", &settings).apply(batch(values)).unwrap();
    assert_eq!(rows(&outcome.batches[0].values), [Value::Int64(0)]);
    let message = outcome.errors[0].1.to_string();
    assert_eq!(message, "Could not parse timestamp: value (x) does not match pattern (yyyy)");
}

#[test]
fn what_is_no_timestamp_fails() {
    let mut convert = transform("TimestampConverter$Value", &[("target.type", "unix"), ("field", "a")]);
    let values =
        typed(structure(vec![("a", Schema::new(Kind::Int32))]), &[Value::Struct(vec![Value::Int32(1)])]);
    let (_, err) = convert.apply(batch(values)).unwrap().errors.remove(0);
    assert_eq!(err.java_class(), "org.apache.kafka.connect.errors.ConnectException");
    assert_eq!(err.to_string(), "Schema Schema{INT32} does not correspond to a known timestamp type format");

    let values = Values::Dynamic(vec![map(&[("a", Value::Boolean(true))]), map(&[])]);
    let outcome = convert.apply(batch(values)).unwrap();
    let message = outcome.errors[0].1.to_string();
    assert_eq!(message, "TimestampConverter does not support class java.lang.Boolean objects as timestamps");
    assert_eq!(rows(&outcome.batches[0].values), [map(&[("a", Value::Null)])]);
}

#[test]
fn targets_of_texts_need_a_pattern() {
    let registry = crate::sample::registry();
    let plugin = registry.transform("org.apache.kafka.connect.transforms.TimestampConverter$Key").unwrap();
    for (pairs, expected) in [
        (&[("target.type", "string")][..], "requires format option to be specified"),
        (&[("target.type", "unix"), ("format", "b")], "Illegal pattern character 'b' for configuration"),
        (&[("target.type", "Strin")], "String must be one of: string, unix, Date, Time, Timestamp"),
    ] {
        let err = plugin.new_transform(&config(pairs)).err().expect("the settings are wrong");
        assert!(err.to_string().contains(expected), "{err}");
    }
}

#[test]
fn shaped_rows_are_converted_as_single_ones() {
    for target in ["string", "unix", "Date", "Time", "Timestamp"] {
        let target = [("target.type", target), ("format", "yyyy-MM-dd")];
        check_both_ways("TimestampConverter$Value", &[&target]);
        for field in ["int64", "date", "text", "number", "null", "absent", "int32", "map", "list"] {
            let settings = [&target[..], &[("field", field)]].concat();
            check_both_ways("TimestampConverter$Value", &[&settings]);
        }
        for precision in ["seconds", "microseconds", "nanoseconds"] {
            let settings = [&target[..], &[("field", "int64"), ("unix.precision", precision)]].concat();
            check_both_ways("TimestampConverter$Value", &[&settings]);
        }
    }
}

#[test]
fn shaped_rows_stay_shaped() {
    let values = [map(&[("at", Value::Int64(MS)), ("b", text("x"))]), Value::Null];
    let settings = [("field", "at"), ("target.type", "string"), ("format", "HH:mm")];
    let found = only(transform("TimestampConverter$Value", &settings).apply(batch(shaped(&values))).unwrap());
    assert!(matches!(found.values, Values::Shaped(_)));
    assert_eq!(rows(&found.values), [map(&[("at", text("03:04")), ("b", text("x"))]), Value::Null]);
}
