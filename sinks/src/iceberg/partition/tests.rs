//! Values of partitions beside those of Java (iceberg-core 1.10), and rows by partition.

use arrow_array::{Int64Array, StringArray, StructArray};
use arrow_schema::{DataType, Field};

use super::*;

fn field(of: PrimitiveType, transform: Transform) -> PartitionedBy {
    PartitionedBy { name: "p q".to_owned(), transform, path: vec![0], of }
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap()).collect()
}

fn cell(of: &PrimitiveType, text: &str) -> Cell {
    match of {
        PrimitiveType::Binary | PrimitiveType::Fixed(_) => Cell::Bytes(bytes(text)),
        PrimitiveType::Date | PrimitiveType::Int => Cell::Int(text.parse().unwrap()),
        PrimitiveType::Decimal { .. } => Cell::Decimal(text.parse().unwrap()),
        PrimitiveType::String => Cell::Text(String::from_utf8(bytes(text)).unwrap()),
        PrimitiveType::Uuid => Cell::Uuid(text.parse::<uuid::Uuid>().unwrap().as_u128()),
        _ => Cell::Long(text.parse().unwrap()),
    }
}

/// Made by `Transforms.fromString(type, transform).bind(type).apply(value)`: texts and bytes in hex, decimals
/// without their point, times as numbers.
#[test]
fn transforms_are_javas() {
    let golden = include_str!("golden.tsv");
    assert_eq!(golden.lines().count(), 121);
    for line in golden.lines() {
        let [of, transform, value, expected] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        let of: PrimitiveType = serde_json::from_value(of.into()).unwrap();
        let result = match transform.split_once('[').map_or(transform, |(name, _)| name) {
            "truncate" => of.clone(),
            _ => PrimitiveType::Int,
        };
        let made = field(of.clone(), transform.parse().unwrap()).transformed(cell(&of, value));
        assert_eq!(made, Some(cell(&result, expected)), "{line}");
    }
}

#[test]
fn dates_that_no_calendar_has_are_bad_records_and_no_panics() {
    for transform in [Transform::Month, Transform::Year] {
        assert_eq!(field(PrimitiveType::Date, transform).transformed(Cell::Int(i32::MAX)), None);
    }
    for (transform, is_possible) in
        [(Transform::Hour, false), (Transform::Day, true), (Transform::Year, false)]
    {
        let made = field(PrimitiveType::Timestamp, transform).transformed(Cell::Long(i64::MIN));
        assert_eq!(made.is_some(), is_possible, "{transform}");
    }
    let wrapped = field(PrimitiveType::Long, Transform::Truncate(3)).transformed(Cell::Long(i64::MIN));
    assert_eq!(wrapped, Some(Cell::Long(i64::MIN.wrapping_sub(i64::MIN.rem_euclid(3)))));
}

#[test]
fn rows_are_taken_by_all_fields_through_structs_and_nulls_are_a_partition() {
    let inner: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), Some(1), None, Some(1), Some(2)]));
    let inner_field = Arc::new(Field::new("n", DataType::Int64, true));
    let valid = vec![true, true, true, false, true].into();
    let outer: ArrayRef = Arc::new(StructArray::new(vec![inner_field].into(), vec![inner], Some(valid)));
    let texts: ArrayRef = Arc::new(StringArray::from(vec!["a/..", "a/..", "b", "b", "a/.."]));
    let nested = PartitionedBy { path: vec![1, 0], ..field(PrimitiveType::Long, Transform::Identity) };
    let by_text = PartitionedBy { path: vec![0], ..field(PrimitiveType::String, Transform::Identity) };
    let by = Partitioning { spec_id: 0, fields: [by_text, nested].into() };
    let groups = by.split(vec![texts, outer]).unwrap();
    let seen: Vec<_> = groups.iter().map(|(of, columns)| (by.path(of), columns[0].len())).collect();
    let expected = [("p+q=a%2F../p+q=1/", 2), ("p+q=b/p+q=null/", 2), ("p+q=a%2F../p+q=2/", 1)];
    assert_eq!(seen, expected.map(|(path, rows)| (path.to_owned(), rows)));
    assert_eq!(groups[1].0.values()[1], None);
}

#[test]
fn numbers_with_a_fraction_are_one_partition_when_their_bits_are_the_same() {
    let column: ArrayRef = Arc::new(arrow_array::Float64Array::from(vec![0.0, -0.0, f64::NAN, f64::NAN]));
    let by_number = field(PrimitiveType::Double, Transform::Identity);
    let by = Partitioning { spec_id: 0, fields: [by_number].into() };
    let rows: Vec<usize> =
        by.split(vec![column]).unwrap().iter().map(|(_, columns)| columns[0].len()).collect();
    assert_eq!(rows, [1, 1, 2]);
}

#[test]
fn times_are_readable_in_paths() {
    let text = |of, transform, cell| field(of, transform).text(&cell);
    let at = PrimitiveType::Timestamptz;
    assert_eq!(text(at.clone(), Transform::Year, Cell::Int(-1)), "1969");
    assert_eq!(text(at.clone(), Transform::Month, Cell::Int(-1)), "1969-12");
    assert_eq!(text(at.clone(), Transform::Day, Cell::Int(19_782)), "2024-02-29");
    assert_eq!(text(at.clone(), Transform::Hour, Cell::Int(-1)), "1969-12-31-23");
    assert_eq!(text(at, Transform::Identity, Cell::Long(1_000_001)), "1970-01-01T00:00:01.000001+00:00");
    assert_eq!(text(PrimitiveType::Date, Transform::Identity, Cell::Int(i32::MAX)), i32::MAX.to_string());
    assert_eq!(text(PrimitiveType::Int, Transform::Identity, Cell::Int(7)), "7");
}

#[test]
fn a_name_that_avro_does_not_know_is_refused() {
    for (name, is_known) in
        [("a_b1", true), ("_é", true), ("a.b", false), ("a-b", false), ("1a", false), ("", false)]
    {
        assert_eq!(is_avro_name(name), is_known, "{name}");
    }
}
