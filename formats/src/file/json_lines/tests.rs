//! The exact text of JSON lines.

use std::io::Read;

use arrow_array::cast::AsArray;
use lakeward_api::config::ConfigMap;
use lakeward_api::decimal::Decimal;
use lakeward_api::plugin::{ConverterContext, ConverterPlugin, ConverterRole};
use lakeward_api::rows::ColumnWriter;
use lakeward_api::schema::Field;
use lakeward_api::value::Value;

use super::*;
use crate::converter::{JsonConverterPlugin, StringConverterPlugin};

/// The values of records: envelopes when `schema` is empty, else plain JSON under `lakeward.schema`.
fn decoded(schema: &str, records: &[&str]) -> Values {
    let enable = if schema.is_empty() { "true" } else { "false" };
    let settings = ConfigMap::from([("schemas.enable".to_owned(), enable.to_owned())]);
    let schema = if schema == "none" { "" } else { schema };
    let connector = ConfigMap::from([("lakeward.schema".to_owned(), schema.to_owned())]);
    let mut converter = JsonConverterPlugin
        .new_converter(&ConverterContext {
            role: ConverterRole::Value,
            settings: &settings,
            connector: &connector,
            network: None,
        })
        .unwrap();
    let payloads: Vec<Option<&[u8]>> = records.iter().map(|record| Some(record.as_bytes())).collect();
    let mut decoded = converter.decode("t", &payloads).unwrap();
    assert!(decoded.errors.is_empty(), "{:?}", decoded.errors);
    decoded.runs.remove(0).values
}

fn lines(options: JsonLinesOptions, values: &Values) -> Vec<u8> {
    let mut part = JsonLinesFormat::new(options).new_part(values.schema()).unwrap();
    part.write(values).unwrap();
    let mut bytes = part.take_ready();
    bytes.extend(part.finish().unwrap());
    bytes.concat()
}

fn written(values: &Values) -> String {
    String::from_utf8(lines(JsonLinesOptions::default(), values)).unwrap()
}

#[test]
fn structs_are_written_as_json_converter_does() {
    let schema = r#"{"type":"record","name":"R","fields":[
        {"name":"i","type":"int"},{"name":"f","type":"float"},{"name":"d","type":["null","double"]},
        {"name":"s","type":["null","string"]},{"name":"y","type":["null","bytes"]},
        {"name":"dec","type":["null",{"type":"bytes","logicalType":"decimal","scale":2}]},
        {"name":"t","type":["null",{"type":"int","logicalType":"date"}]},
        {"name":"a","type":["null",{"type":"array","items":["null","boolean"]}]},
        {"name":"m","type":["null",{"type":"map","values":"long"}]},
        {"name":"o","type":["null",{"type":"record","name":"O","fields":[{"name":"x\"","type":"int"}]}]}]}"#;
    let records = [
        r#"{"i":1,"f":12.34,"d":1e10,"s":"a/é\u0001\n😀","y":"AQI=","dec":10,"t":3,
            "a":[true,null],"m":{"b":1,"a":2},"o":{"x\"":1}}"#,
        r#"{"i":-1,"f":1}"#,
    ];
    let values = decoded(schema, &records);
    let expected = concat!(
        r#"{"i":1,"f":12.34,"d":1.0E10,"s":"a/é\u0001\n\uD83D\uDE00","y":"AQI=","dec":"A+g=","t":3,"#,
        r#""a":[true,null],"m":{"a":2,"b":1},"o":{"x\"":1}}"#,
        "\n",
        r#"{"i":-1,"f":1.0,"d":null,"s":null,"y":null,"dec":null,"t":null,"a":null,"m":null,"o":null}"#,
        "\n"
    );
    assert_eq!(written(&values), expected);
    let numeric = JsonLinesOptions { decimals: DecimalFormat::Numeric, ..Default::default() };
    assert!(String::from_utf8(lines(numeric, &values)).unwrap().contains("\"dec\":10.00,"));
}

#[test]
fn doubles_are_in_javas_notation() {
    let cases = [
        (1.0, "1.0"),
        (0.0, "0.0"),
        (-0.0, "-0.0"),
        (12.34, "12.34"),
        (1e10, "1.0E10"),
        (1e-7, "1.0E-7"),
        (0.001, "0.001"),
        (0.00099, "9.9E-4"),
        (9999999.0, "9999999.0"),
        (10000000.0, "1.0E7"),
        (123456789.125, "1.23456789125E8"),
        (1e23, "1.0E23"),
        (5e-324, "4.9E-324"),
        (-1.7976931348623157e308, "-1.7976931348623157E308"),
        (100.0, "100.0"),
        (f64::NAN, "\"NaN\""),
        (f64::INFINITY, "\"Infinity\""),
        (f64::NEG_INFINITY, "\"-Infinity\""),
    ];
    for (number, expected) in cases {
        assert_eq!(written(&Values::Dynamic(vec![Value::Float64(number)])), format!("{expected}\n"));
    }
    for (number, expected) in [(3.4028235e38f32, "3.4028235E38"), (1e-45, "1.4E-45"), (0.1, "0.1")] {
        assert_eq!(written(&Values::Dynamic(vec![Value::Float32(number)])), format!("{expected}\n"));
    }
}

#[test]
fn schemaless_maps_have_the_order_of_javas_hash_map() {
    // "zebra", "BB" and "Aa" share bucket 0, where the order is that of insertion; "a" is in 1, "b" in 2.
    let values = decoded("none", &[r#"{"zebra":1,"BB":[{}],"Aa":null,"b":"x","a":1.5}"#]);
    let expected = "{\"zebra\":1,\"BB\":[{}],\"Aa\":null,\"a\":1.5,\"b\":\"x\"}\n";
    assert_eq!(written(&values), expected);
    // Thirteen entries double the table to 32 buckets.
    let members: Vec<String> = (0..13).map(|at| format!("\"{}\":0", char::from(b'Z' - at))).collect();
    let values = decoded("none", &[&format!("{{{}}}", members.join(","))]);
    let written = written(&values);
    let names: String = written.chars().filter(char::is_ascii_uppercase).collect();
    assert_eq!(names, "NOPQRSTUVWXYZ");
}

#[test]
fn everything_else_is_plain_json() {
    let mut strings = StringConverterPlugin
        .new_converter(&ConverterContext {
            role: ConverterRole::Value,
            settings: &ConfigMap::new(),
            connector: &ConfigMap::new(),
            network: None,
        })
        .unwrap();
    let decoded = strings.decode("t", &[Some(b"a\"b"), None]).unwrap();
    assert_eq!(written(&decoded.runs[0].values), "\"a\\\"b\"\nnull\n");
    assert_eq!(written(&Values::Null { rows: 2 }), "null\nnull\n");
    let bytes = Value::Bytes(vec![1, 2].into());
    let pairs = Value::Map(vec![(Value::Int32(1), Value::Boolean(true))]);
    assert_eq!(written(&Values::Dynamic(vec![bytes, pairs])), "\"AQI=\"\n{\"1\":true}\n");
}

fn typed(schema: Schema, rows: &[Value]) -> Values {
    let mut column = ColumnWriter::new(&schema);
    rows.iter().for_each(|row| column.append(row).unwrap());
    Values::Typed { schema: Arc::new(schema), array: column.finish().unwrap() }
}

/// What `ObjectMapper` of Jackson 2.19 writes.
#[test]
fn maps_are_objects_whatever_their_keys() {
    let map = |keys: Vec<Value>| Value::Map(keys.into_iter().map(|key| (key, Value::Int32(1))).collect());
    let decimal = Decimal { unscaled: vec![1].into(), scale: -5 };
    let cases = [
        (map(vec![Value::Int32(1), Value::Int32(20), Value::Int32(3)]), r#"{"1":1,"3":1,"20":1}"#),
        (map(vec![Value::Int64(1), Value::Int64(-5)]), r#"{"1":1,"-5":1}"#),
        (map(vec![Value::Boolean(true)]), r#"{"true":1}"#),
        (map(vec![Value::Float64(1e10)]), r#"{"1.0E10":1}"#),
        (map(vec![Value::Float32(1.5)]), r#"{"1.5":1}"#),
        (map(vec![Value::Bytes(vec![1, 2].into())]), r#"{"AQI=":1}"#),
        (map(vec![Value::Date(5)]), r#"{"1970-01-01T00:00:00.005+00:00":1}"#),
        (map(vec![Value::Decimal(decimal)]), r#"{"1E+5":1}"#),
        (map(vec![Value::Array(vec![Value::Int32(1), Value::String("x".into())])]), r#"{"[1, x]":1}"#),
        (map(vec![map(vec![Value::String("a".into())])]), r#"{"{a=1}":1}"#),
    ];
    for (value, expected) in cases {
        assert_eq!(written(&Values::Dynamic(vec![value])), format!("{expected}\n"));
    }
    let nulls = Values::Dynamic(vec![map(vec![Value::Null])]);
    let error = JsonLinesFormat::new(JsonLinesOptions::default()).new_part(None).unwrap().write(&nulls);
    assert!(error.unwrap_err().to_string().starts_with("Null key for a Map not allowed in JSON"));
}

/// As above: for Java they are no STRUCTs, so `JsonConverter` is not asked.
#[test]
fn roots_with_a_schema_are_written_as_their_java_objects() {
    let optional = |kind| Schema { optional: true, ..Schema::new(kind) };
    let logical = |kind, name: &str| optional(kind).named(&format!("org.apache.kafka.connect.data.{name}"));
    let mut money = logical(Kind::Bytes, "Decimal");
    money.parameters.insert("scale".to_owned(), "3".to_owned());
    let decimal =
        |unscaled: &[u8], scale| Value::Decimal(Decimal { unscaled: unscaled.to_vec().into(), scale });
    let defaulted = Schema { default: Some(Value::Int32(7)), ..optional(Kind::Int32) };
    let items = |item: Schema| optional(Kind::Array(Arc::new(item)));
    let map =
        Kind::Map { key: Arc::new(Schema::new(Kind::Int32)), value: Arc::new(Schema::new(Kind::Boolean)) };
    let cases = [
        (optional(Kind::String), Value::String("é\"/".into()), r#""é\"/""#),
        (optional(Kind::Int64), Value::Int64(-3), "-3"),
        (optional(Kind::Float64), Value::Float64(f64::NAN), r#""NaN""#),
        (optional(Kind::Bytes), Value::Bytes(vec![1, 2].into()), r#""AQI=""#),
        (logical(Kind::Int32, "Date"), Value::Date(259_200_000), "259200000"),
        (logical(Kind::Int32, "Time"), Value::Date(5), "5"),
        (logical(Kind::Int64, "Timestamp"), Value::Date(5), "5"),
        (money, decimal(&[0x30, 0x34], 3), "12.340"),
        (items(logical(Kind::Int32, "Date")), Value::Array(vec![Value::Date(86_400_000)]), "[86400000]"),
        (optional(map), Value::Map(vec![(Value::Int32(1), Value::Boolean(true))]), r#"{"1":true}"#),
        (defaulted.clone(), Value::Null, "null"),
        (items(defaulted), Value::Array(vec![Value::Null]), "[null]"),
    ];
    for (schema, value, expected) in cases {
        assert_eq!(written(&typed(schema, &[value, Value::Null])), format!("{expected}\nnull\n"));
    }
}

/// Java's task fails for these.
#[test]
fn structs_inside_of_roots_are_written_as_json_converter_does() {
    let field = Field { name: "a".into(), schema: Arc::new(Schema::new(Kind::Int32)) };
    let items = Schema::new(Kind::Array(Arc::new(Schema::new(Kind::Struct(vec![field])))));
    let rows = [Value::Array(vec![Value::Struct(vec![Value::Int32(1)])])];
    assert_eq!(written(&typed(items, &rows)), "[{\"a\":1}]\n");
}

#[test]
fn defaults_stand_in_for_nulls() {
    let schema =
        r#"{"type":"struct","fields":[{"type":"string","optional":true,"default":"dflt","field":"s"}]}"#;
    let record = format!("{{\"schema\":{schema},\"payload\":{{\"s\":\"x\"}}}}");
    let values = decoded("", &[&record]);
    let Values::Typed { schema, array } = values else { panic!("not typed") };
    let nulls = arrow_array::new_null_array(array.as_struct().column(0).data_type(), 1);
    let array = arrow_array::StructArray::new(schema.arrow_fields(), vec![nulls], None);
    assert_eq!(written(&Values::Typed { schema, array: Arc::new(array) }), "{\"s\":\"dflt\"}\n");
}

#[test]
fn gzip_parts_hold_the_same_lines() {
    let options =
        JsonLinesOptions { compression: LineCompression::Gzip { level: Some(9) }, ..Default::default() };
    assert_eq!(JsonLinesFormat::new(options).extension(), ".json.gz");
    let values = Values::Dynamic(vec![Value::Int64(7); 1000]);
    let compressed = lines(options, &values);
    let mut text = String::new();
    flate2::read::GzDecoder::new(compressed.as_slice()).read_to_string(&mut text).unwrap();
    assert_eq!(text, "7\n".repeat(1000));
    assert_eq!(JsonLinesFormat::new(JsonLinesOptions::default()).extension(), ".json");
}
