//! Bytes and messages as Java 17 with Kafka 4.1.0 makes them.

use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use arrow_array::{Array, ArrayRef, BinaryArray, BooleanArray, Float64Array, Int32Array, Int64Array};
use lakeward_api::config::ConfigMap;
use lakeward_api::plugin::ConverterRole;
use lakeward_api::value::Value;

use super::*;

fn converter(name: &str) -> Box<dyn Converter> {
    let settings = ConfigMap::new();
    let context = ConverterContext {
        role: ConverterRole::Value,
        settings: &settings,
        connector: &settings,
        network: None,
    };
    let class = format!("org.apache.kafka.connect.converters.{name}Converter");
    let plugin = PrimitiveConverterPlugin::ALL.into_iter().find(|plugin| plugin.class() == class);
    plugin.unwrap().new_converter(&context).unwrap()
}

#[test]
fn good_rows_are_one_run_and_bad_rows_name_the_size() {
    let payloads: [Option<&[u8]>; 4] = [Some(&[0, 0, 1, 0]), Some(&[1]), None, Some(&[0xff; 4])];
    let decoded = converter("Integer").decode("t", &payloads).unwrap();
    let [run] = decoded.runs.as_slice() else { panic!("one run expected") };
    assert_eq!(run.rows, [0, 2, 3]);
    let Values::Typed { schema, array } = &run.values else { panic!("not typed") };
    assert_eq!(**schema, Schema::optional(Kind::Int32));
    let numbers = array.as_primitive::<Int32Type>();
    assert_eq!((numbers.value(0), numbers.is_null(1), numbers.value(2)), (256, true, -1));
    let [(1, error)] = decoded.errors.as_slice() else { panic!("one error expected") };
    let trace = error.trace();
    assert!(trace.contains("DataException: Failed to deserialize integer: \n"), "{trace}");
    assert!(trace.contains("Size of data received by IntegerDeserializer is not 4"), "{trace}");
    let decoded = converter("Double").decode("t", &[Some(&[1])]).unwrap();
    assert!(decoded.errors[0].1.trace().contains("Size of data received by Deserializer is not 8"));
    assert!(decoded.runs.is_empty());
}

#[test]
fn booleans_are_one_byte() {
    let decoded = converter("Boolean").decode("t", &[Some(&[1]), Some(&[0x82]), Some(&[])]).unwrap();
    assert_eq!(decoded.runs[0].rows, [0]);
    assert!(decoded.errors[0].1.trace().contains("Unexpected byte received by BooleanDeserializer: -126"));
    assert!(decoded.errors[1].1.trace().contains("BooleanDeserializer is not 1"));
    let strings = Values::Typed {
        schema: Arc::new(Schema::optional(Kind::String)),
        array: Arc::new(arrow_array::StringArray::new_null(1)),
    };
    let encoded = converter("Boolean").encode("t", &strings).unwrap();
    assert_eq!(encoded.errors[0].1.to_string(), "Invalid schema type for BooleanConverter: STRING");
}

#[test]
fn numbers_are_big_endian_and_checked_by_their_class() {
    let doubles = Values::Typed {
        schema: Arc::new(Schema::optional(Kind::Float64)),
        array: Arc::new(Float64Array::from(vec![Some(1.5), None])),
    };
    let encoded = converter("Double").encode("t", &doubles).unwrap();
    assert_eq!(encoded.payload(0), Some([0x3f, 0xf8, 0, 0, 0, 0, 0, 0].as_slice()));
    assert_eq!(encoded.payload(1), None);
    let integers = Values::Typed {
        schema: Arc::new(Schema::optional(Kind::Int32)),
        array: Arc::new(Int32Array::from(vec![Some(1), None])),
    };
    let encoded = converter("Long").encode("t", &integers).unwrap();
    let [(0, error)] = encoded.errors.as_slice() else { panic!("one error expected") };
    assert_eq!(error.to_string(), "Failed to serialize to long (was class java.lang.Integer): ");
    let values = vec![Value::Int16(258), Value::Null, Value::String("x".into())];
    let encoded = converter("Short").encode("t", &Values::Dynamic(values)).unwrap();
    assert_eq!((encoded.payload(0), encoded.payload(1)), (Some([1, 2].as_slice()), None));
    assert_eq!(encoded.errors.len(), 1);
}

#[test]
fn columns_without_nulls_come_back_whatever_their_length_and_place() {
    let flags: BooleanArray = (0..300).map(|row| Some(row % 3 == 0 || row % 7 == 2)).collect();
    let longs: Int64Array = (0..300).map(|row| Some(row * -7_919_797)).collect();
    let cases: [(&str, Kind, ArrayRef); 2] =
        [("Boolean", Kind::Boolean, Arc::new(flags)), ("Long", Kind::Int64, Arc::new(longs))];
    for (name, kind, all) in cases {
        let mut converter = converter(name);
        // Longer ones after shorter ones and the other way round.
        for (start, rows) in [(0, 5), (3, 64), (1, 0), (61, 130), (7, 129), (8, 8), (299, 1), (0, 300)] {
            let array = all.slice(start, rows);
            let values =
                Values::Typed { schema: Arc::new(Schema::optional(kind.clone())), array: Arc::clone(&array) };
            let encoded = converter.encode("t", &values).unwrap();
            let payloads: BinaryArray = (0..rows).map(|row| encoded.payload(row)).collect();
            let decoded = converter.decode_column("t", &payloads).unwrap();
            let back = decoded.runs.into_iter().next().map(|run| run.values);
            match back {
                Some(Values::Typed { array: back, .. }) => assert_eq!(&back, &array, "{name} {start} {rows}"),
                _ => assert_eq!(rows, 0),
            }
        }
    }
}
