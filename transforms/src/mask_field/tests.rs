//! Masked fields keep their type and lose their content.

use super::*;
use crate::sample::{batch, map, only, rows, shaped, structure, text, transform, typed};
use crate::shape_fields::tests::check_both_ways;

#[test]
fn masked_columns_hold_zeros_and_keep_their_nulls() {
    let list = Schema::new(Kind::Array(Arc::new(Schema::new(Kind::Int8))));
    let mut flag = Schema::optional(Kind::Boolean);
    flag.default = Some(Value::Boolean(true));
    let input = structure(vec![
        ("n", Schema::optional(Kind::Int64)),
        ("t", Schema::new(Kind::String)),
        ("l", list),
        ("f", flag),
        ("d", Schema::logical_of(Logical::Date)),
        ("keep", Schema::new(Kind::Int8)),
    ]);
    let row =
        |n, t, l, f, d| Value::Struct(vec![n, text(t), Value::Array(l), f, Value::Date(d), Value::Int8(9)]);
    let day = 86_400_000;
    let values = [
        row(Value::Int64(5), "x", vec![Value::Int8(1)], Value::Null, day),
        row(Value::Null, "", Vec::new(), Value::Boolean(true), 0),
    ];
    let mut mask = transform("MaskField$Value", &[("fields", "n,t,l,f,d,absent")]);
    let found = only(mask.apply(batch(typed(input.clone(), &values))).unwrap());
    let zero = |n, f| row(n, "", Vec::new(), f, 0);
    let expected = [zero(Value::Int64(0), Value::Boolean(false)), zero(Value::Null, Value::Boolean(false))];
    assert_eq!(rows(&found.values), expected);
    assert_eq!(**found.values.schema().unwrap(), input);

    // A smaller and a larger batch after the first.
    let found = only(mask.apply(batch(typed(input.clone(), &values[1..]))).unwrap());
    assert_eq!(rows(&found.values), expected[1..]);
    let many = [values.clone(), values].concat();
    assert_eq!(rows(&only(mask.apply(batch(typed(input, &many))).unwrap()).values).len(), 4);
}

#[test]
fn replacements_take_the_type_of_the_value() {
    let input = map(&[
        ("byte", Value::Int8(1)),
        ("float", Value::Float32(1.0)),
        ("text", text("x")),
        ("null", Value::Null),
    ]);
    let settings = [("fields", "byte,float,text,null,absent"), ("replacement", "300.7")];
    let mut mask = transform("MaskField$Value", &settings);
    let found = only(mask.apply(batch(Values::Dynamic(vec![input]))).unwrap());
    let expected = map(&[
        ("byte", Value::Int8(44)),
        ("float", Value::Float32(300.7)),
        ("text", text("300.7")),
        ("null", Value::Null),
        ("absent", Value::Null),
    ]);
    assert_eq!(rows(&found.values), [expected]);
}

#[test]
fn values_without_a_mask_fail_alone() {
    let input = structure(vec![("b", Schema::optional(Kind::Bytes))]);
    let row = |value| Value::Struct(vec![value]);
    let values = [row(Value::Null), row(Value::Bytes(Bytes::new()))];
    let mut mask = transform("MaskField$Value", &[("fields", "b")]);
    let outcome = mask.apply(batch(typed(input, &values))).unwrap();
    assert_eq!(rows(&outcome.batches[0].values), [row(Value::Null)]);
    assert_eq!(outcome.errors[0].1.to_string(), "Cannot mask value of type: class [B");

    let input = structure(vec![("n", Schema::new(Kind::Int8))]);
    let settings = [("fields", "n"), ("replacement", "abc")];
    let values = typed(input, &[row(Value::Int8(1))]);
    let outcome = transform("MaskField$Value", &settings).apply(batch(values)).unwrap();
    let message = outcome.errors[0].1.to_string();
    assert_eq!(message, "Unable to convert abc (class java.lang.String) to a number");
}

#[test]
fn decimals_must_keep_the_scale_of_their_schema() {
    let decimal = |number: u8, scale| Value::Decimal(Decimal { unscaled: vec![number].into(), scale });
    for (scale, replacement, expected) in
        [(0, None, Some(decimal(0, 0))), (2, None, None), (1, Some("1.5"), Some(decimal(15, 1)))]
    {
        let input = structure(vec![("d", Schema::logical_of(Logical::Decimal { scale }))]);
        let values = typed(input, &[Value::Struct(vec![decimal(7, scale)])]);
        let mut settings = vec![("fields", "d")];
        settings.extend(replacement.map(|text| ("replacement", text)));
        let outcome = transform("MaskField$Value", &settings).apply(batch(values)).unwrap();
        match expected {
            Some(expected) => {
                assert_eq!(rows(&only(outcome).values), [Value::Struct(vec![expected])]);
            }
            None => {
                assert!(outcome.errors[0].1.to_string().starts_with("Decimal value has mismatching scale"))
            }
        }
    }
}

#[test]
fn nulls_fail() {
    let outcome = transform("MaskField$Value", &[("fields", "a")]).apply(batch(Values::Null { rows: 1 }));
    assert!(outcome.unwrap().errors[0].1.to_string().ends_with("[mask fields], found: null"));
}

#[test]
fn shaped_rows_are_masked_as_single_ones() {
    let plain = "boolean,int8,int16,int32,int64,float32,float64,text,null,absent";
    for name in plain.split(',').chain(["bytes", "date", "list", "map", "empty"]) {
        let fields = ("fields", name);
        check_both_ways(
            "MaskField$Value",
            &[&[fields], &[fields, ("replacement", "300.7")], &[fields, ("replacement", "x")]],
        );
    }
    let numbers = ("fields", "int8,text,float32,absent,null");
    check_both_ways("MaskField$Value", &[&[("fields", plain)], &[numbers, ("replacement", "7")]]);
    check_both_ways("MaskField$Value", &[&[("fields", "bytes,list,map,text"), ("replacement", "7")]]);
}

#[test]
fn shaped_rows_stay_shaped_in_batches_of_any_size() {
    let row = map(&[("n", Value::Int64(5)), ("l", Value::Array(vec![Value::Int8(1)]))]);
    let zero = map(&[("n", Value::Int64(0)), ("l", Value::Array(Vec::new())), ("x", Value::Null)]);
    let mut mask = transform("MaskField$Value", &[("fields", "n,l,x")]);
    for count in [2, 1, 5] {
        let found = only(mask.apply(batch(shaped(&vec![row.clone(); count]))).unwrap());
        assert!(matches!(found.values, Values::Shaped(_)));
        assert_eq!(rows(&found.values), vec![zero.clone(); count]);
    }
}
