//! Types that Avro has and Connect knows by parameters: enums, fixed bytes, unions, maps with other keys.

use arrow_array::builder::StringBuilder;
use arrow_array::{FixedSizeBinaryArray, MapArray};

use super::*;

fn with(mut schema: Schema, parameters: &[(&str, &str)]) -> Schema {
    for (key, value) in parameters {
        schema.parameters.insert((*key).to_owned(), (*value).to_owned());
    }
    schema
}

fn color() -> Schema {
    let key = "io.confluent.connect.avro.Enum";
    with(
        Schema::optional(Kind::String),
        &[(key, "shop.Color"), (&format!("{key}.RED"), "RED"), (&format!("{key}.BLUE"), "BLUE")],
    )
}

fn fixed(name: &str, size: &str) -> Schema {
    with(Schema::new(Kind::Bytes).named(name), &[("connect.fixed.size", size)])
}

fn binary(values: &[Option<&[u8]>]) -> ArrayRef {
    Arc::new(arrow_array::BinaryArray::from_opt_vec(values.to_vec()))
}

#[test]
fn enums_and_fixed_bytes_have_types_of_their_own() {
    let schema = record(vec![
        field("color", color()),
        field("id", fixed("shop.Id", "4")),
        field("ids", list(fixed("shop.Id", "4"))),
        field(
            "price",
            with(
                Schema::logical_of(Logical::Decimal { scale: 2 }),
                &[("connect.fixed.size", "4"), ("connect.decimal.precision", "9")],
            ),
        ),
    ]);
    let colors: ArrayRef = Arc::new(StringArray::from(vec![Some("RED"), None]));
    let ids = binary(&[Some(b"abcd"), Some(b"efgh")]);
    let mut lists =
        arrow_array::builder::ListBuilder::new(BinaryBuilder::new()).with_field(item_field(&schema, 2));
    lists.values().append_value(b"ijkl");
    lists.append(true);
    lists.append(false);
    let prices = binary(&[Some(&[0x30, 0x39]), Some(&[0xff])]);
    let columns = vec![colors, ids, Arc::new(lists.finish()) as ArrayRef, prices];
    let values = typed(&schema, columns);
    let file = write(ParquetOptions::default(), &schema, std::slice::from_ref(&values));
    assert_eq!(
        schema_text(&file).lines().skip(1).collect::<Vec<_>>(),
        [
            "  OPTIONAL BYTE_ARRAY color (ENUM);",
            "  REQUIRED FIXED_LEN_BYTE_ARRAY (4) id;",
            "  OPTIONAL group ids (LIST) {",
            "    REPEATED FIXED_LEN_BYTE_ARRAY (4) array;",
            "  }",
            "  REQUIRED FIXED_LEN_BYTE_ARRAY (4) price (DECIMAL(9,2));",
            "}",
        ]
    );
    let row = SerializedFileReader::new(file.clone()).unwrap().get_row_iter(None).unwrap().next();
    let row = row.unwrap().unwrap().to_string();
    assert!(row.contains("price: 123.45"), "{row}");
    let batch = &read(&file)[0];
    let ids: &FixedSizeBinaryArray = batch.column(1).as_fixed_size_binary();
    assert_eq!((ids.value(0), ids.value(1)), (&b"abcd"[..], &b"efgh"[..]));
    assert_eq!(batch.column(2).as_list::<i32>().value(0).as_fixed_size_binary().value(0), b"ijkl");
    let plain = ParquetOptions { enhanced: false, ..Default::default() };
    let file = write(plain, &schema, std::slice::from_ref(&values));
    assert!(schema_text(&file).contains("OPTIONAL BYTE_ARRAY color (STRING);"));
}

fn item_field(schema: &Schema, field: usize) -> arrow_schema::FieldRef {
    match schema.arrow_fields()[field].data_type() {
        arrow_schema::DataType::List(item) => Arc::clone(item),
        other => panic!("{other} is no list"),
    }
}

#[test]
fn fixed_bytes_of_another_length_are_refused_before_anything_is_written() {
    let schema = record(vec![field("id", fixed("Id", "2"))]);
    let mut part = ParquetFormat::new(ParquetOptions::default()).new_part(Some(&schema)).unwrap();
    part.write(&typed(&schema, vec![binary(&[Some(b"ab")])])).unwrap();
    let err = part.write(&typed(&schema, vec![binary(&[Some(b"cd"), Some(b"efg")])])).unwrap_err();
    assert_eq!(
        (err.class(), err.to_string().as_str()),
        (ErrorClass::Record, "3 bytes do not fit a fixed of 2")
    );
    part.write(&typed(&schema, vec![binary(&[Some(b"hi")])])).unwrap();
    let file = Bytes::from(part.finish().unwrap().concat());
    assert_eq!(read(&file)[0].num_rows(), 2);
}

/// A map with optional STRING keys and one entry `a` of 1.
fn optional_keys() -> (Arc<Schema>, Values) {
    let map = Schema::new(Kind::Map {
        key: Arc::new(Schema::optional(Kind::String)),
        value: Arc::new(Schema::new(Kind::Int64)),
    });
    let schema = record(vec![field("m", map)]);
    let names = MapFieldNames { entry: "key_value".into(), key: "key".into(), value: "value".into() };
    let value_field = arrow_schema::Field::new("value", arrow_schema::DataType::Int64, false);
    let mut builder = MapBuilder::new(Some(names), StringBuilder::new(), Int64Builder::new())
        .with_values_field(value_field);
    builder.keys().append_value("a");
    builder.values().append_value(1);
    builder.append(true).unwrap();
    let map: MapArray = builder.finish();
    let values = typed(&schema, vec![Arc::new(map)]);
    (schema, values)
}

#[test]
fn optional_map_keys_make_lists_of_entries_unless_they_are_allowed() {
    let (schema, values) = optional_keys();
    let file = write(ParquetOptions::default(), &schema, std::slice::from_ref(&values));
    assert!(
        schema_text(&file).contains(
            "REQUIRED group m (LIST) {\n    REPEATED group array {\n      OPTIONAL BYTE_ARRAY key \
             (STRING);\n      REQUIRED INT64 value;"
        ),
        "{}",
        schema_text(&file)
    );
    let batch = &read(&file)[0];
    let entry = batch.column(0).as_list::<i32>().value(0);
    assert_eq!(entry.as_struct().column(0).as_string::<i32>().value(0), "a");
    let allowed = ParquetOptions { optional_map_keys: true, ..Default::default() };
    let file = write(allowed, &schema, std::slice::from_ref(&values));
    assert!(
        schema_text(&file).contains(
            "REQUIRED group m (MAP) {\n    REPEATED group key_value (MAP_KEY_VALUE) {\n      \
             REQUIRED BYTE_ARRAY key (STRING);\n      REQUIRED INT64 value;"
        ),
        "{}",
        schema_text(&file)
    );
    assert_eq!(read(&file)[0].column(0).as_map().keys().as_string::<i32>().value(0), "a");
}

#[test]
fn branches_of_unions_are_members_without_names() {
    let branches =
        vec![field("int", Schema::optional(Kind::Int32)), field("string", Schema::optional(Kind::String))];
    let union = Schema::optional(Kind::Struct(branches)).named("io.confluent.connect.avro.Union");
    let schema = record(vec![field("u", union.clone())]);
    let members: Vec<ArrayRef> = vec![
        Arc::new(arrow_array::Int32Array::from(vec![Some(1), None])),
        Arc::new(StringArray::from(vec![None, Some("x")])),
    ];
    let column = StructArray::new(union.arrow_fields(), members, None);
    let file = write(ParquetOptions::default(), &schema, &[typed(&schema, vec![Arc::new(column)])]);
    assert!(
        schema_text(&file).contains(
            "OPTIONAL group u {\n    OPTIONAL INT32 member0;\n    OPTIONAL BYTE_ARRAY member1 (STRING);"
        ),
        "{}",
        schema_text(&file)
    );
    let format = ParquetFormat::new(ParquetOptions::default());
    let err = format.new_part(Some(&Arc::new(union))).err().unwrap();
    assert_eq!(err.to_string(), "Avro schema must be a record.");
}

#[test]
fn the_footer_says_record_even_where_the_schema_is_optional() {
    let schema = Arc::new(Schema { optional: true, ..(*numbers_schema()).clone() });
    let file = write(ParquetOptions::default(), &schema, &[]);
    let reader = SerializedFileReader::new(file).unwrap();
    let footer = reader.metadata().file_metadata().key_value_metadata().unwrap();
    let avro = footer.iter().find(|pair| pair.key == "parquet.avro.schema").unwrap();
    assert!(avro.value.as_deref().unwrap().starts_with(r#"{"type":"record""#), "{avro:?}");
}
