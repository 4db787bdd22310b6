//! Plain JSON without schema as columns: whatever becomes one must read as the record alone.

use arrow_schema::DataType;

use super::super::dynamic::DynamicReader;
use super::*;
use crate::FormatError;

fn schemaless() -> Box<dyn Converter> {
    converter(&[("schemas.enable", "false")], "")
}

/// What each record is when it is read alone, by the reader that knows no shapes.
fn alone(records: &[Vec<u8>]) -> Vec<Result<Value, String>> {
    let mut reader = DynamicReader::default();
    let mut read = |record: &Vec<u8>| {
        if super::super::is_blank(record) {
            return Ok(Value::Null);
        }
        reader
            .read(record)
            .map_err(|fault| lakeward_api::ConnectError::from(FormatError::from(fault)).trace())
    };
    records.iter().map(&mut read).collect()
}

/// Decodes the records in batches of `batch` and compares every one with what it is alone. Returns the
/// runs.
fn assert_same(converter: &mut dyn Converter, records: &[Vec<u8>], batch: usize) -> Vec<Values> {
    let mut runs = Vec::new();
    for records in records.chunks(batch) {
        let payloads: Vec<Option<&[u8]>> = records.iter().map(|record| Some(record.as_slice())).collect();
        let decoded = converter.decode("t", &payloads).unwrap();
        let all = values(&decoded, records.len());
        let shown = |row: usize| String::from_utf8_lossy(&records[row]).into_owned();
        for (row, expected) in alone(records).into_iter().enumerate() {
            let failed = decoded.errors.iter().find(|(at, _)| *at == row).map(|(_, err)| err.trace());
            let actual = match (all[row].clone(), failed) {
                (Some(value), None) => Ok(value),
                (None, Some(trace)) => Err(trace),
                other => panic!("not in one place: {other:?}"),
            };
            // NaN does not occur, and the sign of a zero counts.
            assert_eq!(format!("{actual:?}"), format!("{expected:?}"), "{}", shown(row));
        }
        let mut rows: Vec<u32> = Vec::new();
        for run in &decoded.runs {
            rows.extend(&run.rows);
        }
        assert!(rows.is_sorted(), "runs are in the order of the rows");
        runs.extend(decoded.runs.into_iter().map(|run| run.values));
    }
    runs
}

fn bytes(records: &[&str]) -> Vec<Vec<u8>> {
    records.iter().map(|record| record.as_bytes().to_vec()).collect()
}

/// The one column of records that look alike.
fn column(records: &[&str]) -> ArrayRef {
    let runs = assert_same(schemaless().as_mut(), &bytes(records), records.len());
    let [Values::Shaped(array)] = runs.as_slice() else { panic!("no single column: {runs:?}") };
    assert_eq!(array.len(), records.len());
    array.to_data().validate_full().unwrap();
    Arc::clone(array)
}

#[test]
fn records_that_look_alike_are_one_column() {
    let array = column(&[
        r#"{"n":null,"i":1,"f":0.5,"t":"a","b":true,"l":[1,2],"o":{"x":"y","e":{}},"z":[]}"#,
        r#"{"n":null,"i":-2,"f":-1e3,"t":"","b":false,"l":[],"o":{"x":null,"e":{}},"z":[]}"#,
        r#"{"n":null,"i":null,"f":null,"t":null,"b":null,"l":null,"o":null,"z":null}"#,
        r#"{"n":null,"i":12345678901234567890,"f":-0.0,"t":null,"b":null,"l":[null],"o":null,"z":[]}"#,
        r#"{"n":null,"i":0,"f":1E+2,"t":"\u00e9","b":true,"l":[7],"o":{"x":"ü","e":null},"z":[]}"#,
    ]);
    let DataType::Struct(fields) = array.data_type() else { panic!("no struct") };
    let names: Vec<&str> = fields.iter().map(|field| field.name().as_str()).collect();
    assert_eq!(names, ["n", "i", "f", "t", "b", "l", "o", "z"]);
    assert_eq!(*fields[0].data_type(), DataType::Null);
    assert_eq!(*fields[1].data_type(), DataType::Int64);
    assert_eq!(*fields[2].data_type(), DataType::Float64);
    assert_eq!(array.as_struct().column(1).null_count(), 1);
    for records in [vec!["{}", "{}"], vec!["1", "-7"], vec!["[]", "[null]"], vec!["\"a\"", "\"\""]] {
        column(&records);
    }
}

#[test]
fn a_key_that_was_null_so_far_takes_the_kind_of_its_first_value() {
    let values = ["1", "1.5", "\"x\"", "false", "[[1],null]", r#"{"c":{"d":null}}"#];
    for value in values {
        let first = r#"{"a":null,"b":[]}"#.to_owned();
        let records = [first.clone(), first, format!(r#"{{"a":{value},"b":[{value}]}}"#)];
        let records: Vec<&str> = records.iter().map(String::as_str).collect();
        column(&records);
    }
}

#[test]
fn spelling_makes_no_difference() {
    column(&[
        r#"{"a":1,"long name of a member":"x","c":[1,2],"d":{"e":true}}"#,
        r#"{"a": 1, "long name of a member": "y", "c": [1, 2], "d": {"e": true}}"#,
        r#"  {  "a"  :  1  ,  "long name of a member":"x","c" : [ 1 , 2 ] , "d" : { "e" : false } }  "#,
        "{\n\t\"\\u0061\":\r\n 007,\"long name of a\\u0020member\":\"\\\"\",\"c\":[ ],\
            \"d\":{\"e\":null\n}\n}\n",
        r#"{"a":1,"long name of a member":"x","c":[1,2],"d":{"e":true}}"#,
    ]);
}

#[test]
fn texts_and_numbers_of_every_length_are_read() {
    let mut records = Vec::new();
    for length in 0..70 {
        for tail in ["", "\\n", "ü", "\\ud83d\\ude00", "\u{7f}"] {
            let text = "x".repeat(length);
            let digits = &"1234567890123456789012345678901234567890"[..1 + length % 40];
            let part = &"0010203040506070809010203040506"[..1 + length % 30];
            let numbers = format!(
                r#""i":{digits},"n":-{digits},"f":{digits}.{part},"g":-0.{part},"e":{digits}.5e-{length}"#
            );
            records.push(format!(r#"{{"t":"{text}{tail}",{numbers},"s":"{tail}{text}"}}"#));
        }
    }
    let records: Vec<&str> = records.iter().map(String::as_str).collect();
    column(&records);
}

#[test]
fn records_that_differ_keep_their_values() {
    let same = r#"{"a":1,"b":"x"}"#;
    for odd in [
        r#"{"a":1.0,"b":"x"}"#,
        r#"{"a":1,"b":2}"#,
        r#"{"b":"x","a":1}"#,
        r#"{"a":1}"#,
        r#"{"a":1,"b":"x","c":1}"#,
        r#"{"a":1,"b":"x","a":2}"#,
        r#"{"a":1,"b":"x"} trailing"#,
        "{\"a\":1,\"b\":\"x\"}\0",
        r#"{"a":[1,"x"],"b":"x"}"#,
        r#"{"a":1,"b":"x""#,
        r#"{"a":1,"b":"x"#,
        r#"{"a":1e2,"b":"x"}"#,
        r#"{"a":tru"#,
        r#"{"a":nul,"b":"x"}"#,
        "\u{feff}{\"a\":1,\"b\":\"x\"}",
        "[1,2]",
        "5",
        "5x",
        "null",
        " null ",
        "",
        "?",
    ] {
        for at in 0..3 {
            let mut records = bytes(&[same; 40]);
            records[at] = odd.as_bytes().to_vec();
            let runs = assert_same(schemaless().as_mut(), &records, 40);
            let shaped = |run: &Values| if let Values::Shaped(array) = run { array.len() } else { 0 };
            assert!(runs.iter().map(shaped).max().unwrap() >= 37, "{odd}: {runs:?}");
        }
    }
    let mut broken = bytes(&[same; 3]);
    broken[1] = b"{\"a\":1,\"b\":\"\xff\"}".to_vec();
    broken[2] = b"{\"a\":1,\"b\":\"\xc3\"}".to_vec();
    assert_same(schemaless().as_mut(), &broken, 3);
}

#[test]
fn a_new_shape_and_the_one_before_are_both_kept() {
    let of = |shape: usize, row: usize| format!(r#"{{"id{shape}":{row}}}"#).into_bytes();
    let records: Vec<Vec<u8>> = (0..1000).map(|row| of(row / 100 % 3, row)).collect();
    let runs = assert_same(schemaless().as_mut(), &records, 500);
    assert!(runs.iter().all(|run| matches!(run, Values::Shaped(array) if array.len() == 100)), "{runs:?}");
}

#[test]
fn streams_without_a_steady_shape_stay_dynamic() {
    let alternating = |row: usize| format!(r#"{{"id{}":{row}}}"#, row % 2);
    let mixed = |row: usize| format!(r#"{{"list":[{row},"x"]}}"#);
    let keyed = |row: usize| format!(r#"{{"key{row}":{row}}}"#);
    for record in [&alternating as &dyn Fn(usize) -> String, &mixed, &keyed] {
        let records: Vec<Vec<u8>> = (0..2000).map(|row| record(row).into_bytes()).collect();
        let runs = assert_same(schemaless().as_mut(), &records, 500);
        assert!(runs.len() < 32, "{} runs", runs.len());
        assert!(matches!(runs.last(), Some(Values::Dynamic(rows)) if rows.len() == 500));
    }
    // The shape is found when there is one at last.
    let mut reader = schemaless();
    let late = |row: usize| if row < 200 { alternating(row) } else { alternating(0) };
    let records: Vec<Vec<u8>> = (0..9000).map(|row| late(row).into_bytes()).collect();
    let runs = assert_same(reader.as_mut(), &records, 1000);
    assert!(matches!(runs.last(), Some(Values::Shaped(array)) if array.len() == 1000));
}

#[test]
fn what_is_too_deep_or_too_wide_stays_dynamic() {
    let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    let wide = |members: usize| {
        let members: Vec<String> = (0..members).map(|at| format!("\"m{at}\":1")).collect();
        format!("{{{}}}", members.join(","))
    };
    for (record, is_shaped) in [
        (nested(64), true),
        (nested(65), false),
        (nested(256), false),
        (wide(1000), true),
        (wide(1100), false),
    ] {
        let runs = assert_same(schemaless().as_mut(), &bytes(&[&record, &record]), 2);
        assert_eq!(matches!(runs[..], [Values::Shaped(_)]), is_shaped, "{:.40}", record);
    }
    let opened = [r#"{"a":null}"#.to_owned(), format!(r#"{{"a":{}}}"#, nested(64))];
    assert_same(schemaless().as_mut(), &bytes(&[&opened[0], &opened[1], &opened[0]]), 3);
}

/// A value of the kind that `kind` says, or sometimes another one.
fn random_value(random: &mut Random, kind: usize, depth: usize) -> String {
    let kind = if random.below(40) == 0 { random.below(7) } else { kind % 7 };
    if random.below(12) == 0 {
        return "null".to_owned();
    }
    match kind {
        0 => ((random.next() >> random.below(64)) as i64 >> 1).to_string(),
        1 => format!("{:?}", random.below(100_000) as f64 / 64.0 - 100.0),
        2 => format!("\"{}\"", "aé\\\"b ".chars().cycle().take(6 * random.below(8)).collect::<String>()),
        3 => (random.below(2) == 0).to_string(),
        4 if depth > 0 => random_object(random, kind + depth, depth - 1),
        5 if depth > 0 => {
            let items: Vec<String> =
                (0..random.below(4)).map(|_| random_value(random, depth, depth - 1)).collect();
            format!("[{}]", items.join(if random.below(20) == 0 { " , " } else { "," }))
        }
        _ => "\"plain\"".to_owned(),
    }
}

fn random_object(random: &mut Random, kind: usize, depth: usize) -> String {
    let count = if random.below(60) == 0 { random.below(4) } else { 3 };
    let blank = if random.below(20) == 0 { " " } else { "" };
    let member = |at| format!("\"key{at}\":{blank}{}", random_value(random, kind + at, depth));
    let members: Vec<String> = (0..count).map(member).collect();
    format!("{{{}}}", members.join(","))
}

#[test]
fn random_records_read_as_they_do_alone() {
    for seed in 0..60 {
        let mut random = Random(seed);
        let mut records: Vec<Vec<u8>> =
            (0..300).map(|_| random_object(&mut random, seed as usize, 3).into_bytes()).collect();
        // Some are broken.
        for record in &mut records {
            if random.below(25) == 0 {
                let at = random.below(record.len());
                match random.below(4) {
                    0 => record[at] = random.below(256) as u8,
                    1 => record.truncate(at),
                    2 => drop(record.remove(at)),
                    _ => record.insert(at, b"\"\\{}[],:0n \0"[random.below(12)]),
                }
            }
        }
        let batch = 1 + random.below(150);
        assert_same(schemaless().as_mut(), &records, batch);
    }
}
