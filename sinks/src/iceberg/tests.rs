//! Values in columns, without a catalog.

use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{Decimal128Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{
    Array as _, ArrayRef, BinaryArray, Int16Array, Int64Array, StructArray, TimestampMillisecondArray,
};
use iceberg::spec::{ListType, NestedField, NestedFieldRef, PrimitiveType, StructType, Type};
use lakeward_api::batch::Values;
use lakeward_api::schema::{Field, Kind, Logical, Schema};
use lakeward_api::value::Value;

use super::columns::Names;
use super::rows;

const EXACT: Names = Names { ignore_case: false };

fn optional(id: i32, name: &str, of: PrimitiveType) -> NestedFieldRef {
    Arc::new(NestedField::optional(id, name, Type::Primitive(of)))
}

/// Typed rows with one field.
fn typed(name: &str, schema: Schema, column: ArrayRef) -> Values {
    let field = Field { name: name.into(), schema: Arc::new(schema) };
    let schema = Arc::new(Schema::new(Kind::Struct(vec![field])));
    let array = StructArray::try_new(schema.arrow_fields(), vec![column], None).unwrap();
    Values::Typed { schema, array: Arc::new(array) }
}

fn map(entries: &[(&str, Value)]) -> Value {
    Value::Map(entries.iter().map(|(key, value)| (Value::String((*key).into()), value.clone())).collect())
}

fn one(field: &NestedFieldRef, values: &Values) -> Result<ArrayRef, String> {
    let columns = rows::columns(std::slice::from_ref(field), values, EXACT);
    columns.map(|columns| columns.expect("rows").remove(0)).map_err(|err| err.to_string())
}

#[test]
fn typed_numbers_are_widened_and_never_cut() {
    let long = optional(1, "n", PrimitiveType::Long);
    let small = Arc::new(Int16Array::from(vec![Some(-7), None]));
    let made = one(&long, &typed("n", Schema::optional(Kind::Int16), small)).unwrap();
    assert_eq!(made.as_primitive::<Int64Type>().iter().collect::<Vec<_>>(), [Some(-7), None]);
    let int = optional(1, "n", PrimitiveType::Int);
    let wide = Arc::new(Int64Array::from(vec![i64::from(i32::MAX) + 1]));
    let problem = one(&int, &typed("n", Schema::new(Kind::Int64), wide)).unwrap_err();
    assert!(problem.contains("too large"), "{problem}");
}

#[test]
fn milliseconds_become_microseconds_and_decimals_take_the_scale_of_the_column() {
    let at = optional(1, "at", PrimitiveType::Timestamptz);
    let ms = Arc::new(TimestampMillisecondArray::from(vec![-1]).with_timezone("UTC"));
    let made = one(&at, &typed("at", Schema::logical_of(Logical::Timestamp), ms)).unwrap();
    assert_eq!(made.as_primitive::<TimestampMicrosecondType>().value(0), -1000);

    let price = |scale| optional(1, "p", PrimitiveType::Decimal { precision: 5, scale });
    let values = |bytes: &[u8]| {
        let column = Arc::new(BinaryArray::from_vec(vec![bytes]));
        typed("p", Schema::logical_of(Logical::Decimal { scale: 1 }), column)
    };
    let number = |made: &ArrayRef| made.as_primitive::<Decimal128Type>().value(0);
    assert_eq!(number(&one(&price(2), &values(&[0xff, 0x7b])).unwrap()), -1330);
    assert_eq!(number(&one(&price(0), &values(&[100])).unwrap()), 10);
    for (scale, bytes) in [(0, &[101][..]), (4, &[0x03, 0xe9]), (1, &[0x01, 0x86, 0xa0]), (1, &[1; 17])] {
        let problem = one(&price(scale), &values(bytes)).unwrap_err();
        assert!(problem.contains("does not fit"), "{problem}");
    }
}

#[test]
fn a_required_column_wants_a_value_in_every_row() {
    let field: NestedFieldRef = Arc::new(NestedField::required(1, "n", Type::Primitive(PrimitiveType::Long)));
    let with_null = Arc::new(Int64Array::from(vec![Some(1), None]));
    assert!(one(&field, &typed("n", Schema::optional(Kind::Int64), with_null)).is_err());
    let other = Arc::new(Int64Array::from(vec![1]));
    assert!(one(&field, &typed("m", Schema::new(Kind::Int64), other)).is_err());
    assert!(one(&field, &Values::Dynamic(vec![map(&[])])).is_err());
}

#[test]
fn a_null_struct_needs_no_value_in_its_required_columns() {
    let inner: NestedFieldRef = Arc::new(NestedField::required(2, "n", Type::Primitive(PrimitiveType::Long)));
    let field: NestedFieldRef =
        Arc::new(NestedField::optional(1, "s", Type::Struct(StructType::new(vec![inner]))));
    let value = |inner: Value| Values::Dynamic(vec![map(&[("s", inner)])]);
    let made = one(&field, &value(Value::Null)).unwrap();
    assert!(made.is_null(0));
    assert_eq!(one(&field, &value(map(&[("n", Value::Int64(3))]))).unwrap().null_count(), 0);
    assert!(one(&field, &value(map(&[]))).is_err());
}

#[test]
fn schemaless_values_are_converted_one_by_one_and_tombstones_left_out() {
    let values = Values::Dynamic(vec![
        map(&[("n", Value::String("12".into()))]),
        Value::Null,
        map(&[("n", Value::Float64(4.0)), ("other", Value::Boolean(true))]),
        map(&[]),
    ]);
    let long = optional(1, "n", PrimitiveType::Long);
    let made = one(&long, &values).unwrap();
    assert_eq!(made.as_primitive::<Int64Type>().iter().collect::<Vec<_>>(), [Some(12), Some(4), None]);
    let text = optional(1, "n", PrimitiveType::String);
    let made = one(&text, &values).unwrap();
    assert_eq!(made.as_string::<i32>().iter().collect::<Vec<_>>(), [Some("12"), Some("4.0"), None]);
    let refused = one(&long, &Values::Dynamic(vec![map(&[("n", Value::Float64(0.5))])])).unwrap_err();
    assert_eq!(refused, "Cannot convert java.lang.Double to the type long of the column n");
    assert!(rows::columns(&[long], &Values::Null { rows: 3 }, EXACT).unwrap().is_none());
}

#[test]
fn schemaless_times_are_texts_or_numbers() {
    let at = optional(1, "t", PrimitiveType::Timestamp);
    for (value, micros) in [
        (Value::Int64(5), 5000),
        (Value::Date(5), 5000),
        (Value::String("1970-01-01T00:00:01".into()), 1_000_000),
        (Value::String("1970-01-01 01:00:00.000001+01:00".into()), 1),
    ] {
        let made = one(&at, &Values::Dynamic(vec![map(&[("t", value)])])).unwrap();
        assert_eq!(made.as_primitive::<TimestampMicrosecondType>().value(0), micros);
    }
    let items =
        ListType::new(Arc::new(NestedField::list_element(2, Type::Primitive(PrimitiveType::Date), true)));
    let field: NestedFieldRef = Arc::new(NestedField::optional(1, "t", Type::List(items)));
    let days = Value::Array(vec![Value::String("1970-01-03".into()), Value::Date(86_400_000)]);
    let made = one(&field, &Values::Dynamic(vec![map(&[("t", days)]), map(&[])])).unwrap();
    assert_eq!((made.as_list::<i32>().value_length(0), made.is_null(1)), (2, true));
}
