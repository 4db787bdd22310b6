//! Casts of columns and of schemaless rows.

use lakeward_api::decimal::Decimal;
use lakeward_api::schema::Logical;

use super::*;
use crate::sample::{batch, config, map, only, rows, shaped, structure, text, transform, typed};
use crate::shape_fields::tests::check_both_ways;

fn refused(spec: &str) -> String {
    let registry = crate::sample::registry();
    let plugin = registry.transform("org.apache.kafka.connect.transforms.Cast$Value").unwrap();
    let err = plugin.new_transform(&config(&[("spec", spec)])).err().expect("the spec is wrong");
    err.to_string()
}

#[test]
fn columns_follow_javas_narrowing_and_keep_their_optionality() {
    let mut number = Schema::optional(Kind::Int32);
    number.default = Some(Value::Int32(300));
    let input = structure(vec![
        ("a", number),
        ("b", Schema::new(Kind::Float64)),
        ("c", Schema::logical_of(Logical::Timestamp)),
        ("d", Schema::logical_of(Logical::Decimal { scale: 1 })),
        ("e", Schema::new(Kind::Bytes)),
        ("f", Schema::new(Kind::Int8)),
    ]);
    let decimal = |number: i8| Decimal { unscaled: vec![number as u8].into(), scale: 1 };
    let row = |a, b, d| {
        let bytes = Value::Bytes(vec![1, 2].into());
        let ms = Value::Date(86_400_001);
        Value::Struct(vec![a, Value::Float64(b), ms, Value::Decimal(decimal(d)), bytes, Value::Int8(-1)])
    };
    let values = [row(Value::Int32(-1), 1e300, -15), row(Value::Null, f64::NAN, 4)];
    let spec = [("spec", "a:INT8, b:int32,c:string,d:int64,e:string,x:int8")];
    let found = only(transform("Cast$Value", &spec).apply(batch(typed(input, &values))).unwrap());

    let time = text("1970-01-02T00:00:00.001Z");
    let row = |a, b, d| {
        Value::Struct(vec![
            Value::Int8(a),
            Value::Int32(b),
            time.clone(),
            Value::Int64(d),
            text("AQI="),
            Value::Int8(-1),
        ])
    };
    assert_eq!(rows(&found.values), [row(-1, i32::MAX, -1), row(44, 0, 0)]);
    let schema = found.values.schema().unwrap();
    assert_eq!(schema.fields()[0].schema.default, Some(Value::Int8(44)));
    assert!(schema.fields()[0].schema.optional && !schema.fields()[1].schema.optional);
    assert_eq!(*schema.fields()[2].schema, Schema::new(Kind::String));
}

#[test]
fn rows_that_cannot_be_cast_fail_alone_and_null_rows_keep_their_schema() {
    let mut input = structure(vec![("a", Schema::new(Kind::String))]);
    input.optional = true;
    let row = |content| Value::Struct(vec![text(content)]);
    let values = typed(input.clone(), &[row("1"), row("1.5"), Value::Null, row("3")]);
    let outcome = transform("Cast$Value", &[("spec", "a:int16")]).apply(batch(values)).unwrap();
    assert_eq!(outcome.errors.len(), 1);
    assert_eq!(outcome.errors[0].0, 11);
    assert_eq!(outcome.errors[0].1.to_string(), "Value (1.5) was out of range for requested data type");
    let offsets: Vec<_> = outcome.batches.iter().map(|batch| batch.offsets.clone()).collect();
    assert_eq!(offsets, [vec![10], vec![12], vec![13]]);
    assert_eq!(**outcome.batches[1].values.schema().unwrap(), input);
    assert_eq!(rows(&outcome.batches[2].values), [Value::Struct(vec![Value::Int16(3)])]);
}

#[test]
fn composite_values_fail_unless_they_are_null() {
    let list = Schema::optional(Kind::Array(Arc::new(Schema::new(Kind::Int8))));
    let row = |value| Value::Struct(vec![value]);
    let values = typed(structure(vec![("a", list)]), &[row(Value::Null), row(Value::Array(Vec::new()))]);
    let outcome = transform("Cast$Value", &[("spec", "a:string")]).apply(batch(values)).unwrap();
    assert_eq!(rows(&outcome.batches[0].values), [row(Value::Null)]);
    assert_eq!(
        outcome.errors[0].1.to_string(),
        "Cast transformation does not support casting from ARRAY; supported types are [INT8, INT16, INT32, \
         INT64, FLOAT32, FLOAT64, BOOLEAN, STRING, BYTES]"
    );
}

#[test]
fn whole_values_keep_name_and_optionality() {
    let mut input = Schema::new(Kind::Int64).named("n");
    input.optional = true;
    input.default = Some(Value::Int64(257));
    let values = typed(input, &[Value::Int64(-1)]);
    let found = only(transform("Cast$Value", &[("spec", "int8")]).apply(batch(values)).unwrap());
    let mut expected = Schema::optional(Kind::Int8).named("n");
    expected.default = Some(Value::Int8(1));
    assert_eq!(**found.values.schema().unwrap(), expected);
    assert_eq!(rows(&found.values), [Value::Int8(-1)]);
}

#[test]
fn members_are_cast_in_place_and_missing_ones_are_null() {
    let values = vec![
        map(&[("a", Value::Boolean(true)), ("c", text("x"))]),
        Value::Null,
        Value::Int64(5),
        map(&[("a", Value::Date(0))]),
    ];
    let spec = [("spec", "a:float32,b:string")];
    let outcome = transform("Cast$Value", &spec).apply(batch(Values::Dynamic(values))).unwrap();
    let expected = map(&[("a", Value::Float32(1.0)), ("c", text("x")), ("b", Value::Null)]);
    assert_eq!(rows(&outcome.batches[0].values), [expected, Value::Null]);
    let errors: Vec<_> = outcome.errors.iter().map(|(offset, err)| (*offset, err.to_string())).collect();
    assert_eq!(errors[0].0, 12);
    assert!(errors[0].1.ends_with("absence of schema for [cast types], found: java.lang.Long"), "{errors:?}");
    assert!(errors[1].1.contains("a value of type class java.util.Date which is not supported"));
}

#[test]
fn wrong_specs_are_refused_in_javas_words() {
    assert_eq!(refused(""), "Must specify at least one field to cast.");
    assert!(refused("a:bytes").starts_with("Cast transformation does not support casting to BYTES;"));
    assert!(refused("a:foo").ends_with("Invalid type found in casting spec: foo"));
    assert!(refused("int8,a:int8").ends_with("may only specify a single cast in their spec"));
    assert_eq!(
        refused("a:b:c,d:int8"),
        "Invalid value [a:b:c, d:int8] for configuration renames: Invalid rename mapping: a:b:c"
    );
    assert_eq!(refused("::"), "Index 1 out of bounds for length 0");
}

#[test]
fn shaped_rows_are_cast_as_single_ones() {
    let fields = "boolean int8 int16 int32 int64 float32 float64 number null absent text bytes date list map";
    for target in ["boolean", "int8", "int16", "int32", "int64", "float32", "float64", "string"] {
        let every: Vec<String> = fields.split(' ').map(|name| format!("{name}:{target}")).collect();
        let (plain, rest) = every.split_at(10);
        // Those that fail hide what comes after them.
        let mut specs = vec![target.to_owned(), plain.join(","), every.join(",")];
        specs.extend_from_slice(rest);
        for spec in specs {
            check_both_ways("Cast$Value", &[&[("spec", &spec)]]);
        }
    }
}

#[test]
fn shaped_rows_stay_shaped() {
    let rows = [map(&[("a", Value::Float64(0.25)), ("b", text("x"))]), Value::Null];
    let mut cast = transform("Cast$Value", &[("spec", "a:string,c:int8")]);
    for _ in 0..2 {
        let found = only(cast.apply(batch(shaped(&rows))).unwrap());
        assert!(matches!(found.values, Values::Shaped(_)));
        let expected = map(&[("a", text("0.25")), ("b", text("x")), ("c", Value::Null)]);
        assert_eq!(crate::sample::rows(&found.values), [expected, Value::Null]);
    }
}
