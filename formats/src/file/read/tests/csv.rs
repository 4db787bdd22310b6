//! CSV: the rows that opencsv 5.9 reads of the same texts, and what columns become.

use super::*;
use crate::file::read::{CsvNulls, CsvOptions};

/// opencsv's `CSVReader` over an `RFC4180Parser`, with fields of text.
const PLAIN: CsvOptions = CsvOptions {
    skip_lines: 0,
    separator: ',',
    quote: '"',
    keep_returns: false,
    nulls: CsvNulls::Neither,
    has_header: false,
    ignore_case: true,
    escapes: None,
    schema: None,
};

/// Rows of texts, however the bytes come and wherever reading begins; null is `NULL`.
fn texts(csv: &CsvOptions, file: &str) -> Result<Vec<Vec<String>>, FormatError> {
    let options = options(Content::Csv(csv.clone()));
    let all = read(&options, file.as_bytes(), 0, 100)?;
    for skip in 0..=all.len() {
        assert_eq!(read(&options, file.as_bytes(), skip as u64, 1)?, all[skip..], "{file:?}");
    }
    let text = |value: &Value| match value {
        Value::Null => "NULL".to_owned(),
        Value::String(text) => text.to_string(),
        other => panic!("{other:?}"),
    };
    let row = |(_, row): &(Option<Arc<Schema>>, Value)| match row {
        Value::Struct(cells) => cells.iter().map(text).collect(),
        other => panic!("{other:?}"),
    };
    Ok(all.iter().map(row).collect())
}

#[test]
fn rows_are_those_of_opencsv() {
    let golden: [(&str, &[&[&str]]); 15] = [
        ("a,b\nc,d\n", &[&["a", "b"], &["c", "d"]]),
        ("a,b\r\nc,d", &[&["a", "b"], &["c", "d"]]),
        ("\"a,1\",\"say \"\"hi\"\"\"\n", &[&["a,1", "say \"hi\""]]),
        ("\"two\nlines\",x\n", &[&["two\nlines", "x"]]),
        ("\"two\r\nlines\",x\r\n", &[&["two\nlines", "x"]]),
        (" \"a\" ,b\n", &[&[" \"a\" ", "b"]]),
        ("a,,\"\",\n", &[&["a", "", "", ""]]),
        (",\n", &[&["", ""]]),
        ("\n", &[&[""]]),
        ("\"\"\"\"\n", &[&["\""]]),
        ("\"a\"\"\",b\n", &[&["a\"", "b"]]),
        ("é,\u{1F600}\n", &[&["é", "\u{1F600}"]]),
        ("\"a\n\nb\",c\n", &[&["a\n\nb", "c"]]),
        ("'a',b\n", &[&["'a'", "b"]]),
        ("\"a\" x \"b\",c\n", &[&["a\" x \"b", "c"]]),
    ];
    for (file, rows) in golden {
        assert_eq!(texts(&PLAIN, file).unwrap(), rows, "{file:?}");
    }
    for unterminated in
        ["a\"b,c\"d\n", "\"a\"b,c\n", "\"open,x\ny", "a\\,b\\\"c\n", "\"a\",\"b\" \n", "a,\"b\"\"\n"]
    {
        assert!(texts(&PLAIN, unterminated).is_err(), "{unterminated:?}");
    }
    let keeping = CsvOptions { keep_returns: true, ..PLAIN };
    assert_eq!(texts(&keeping, "a,b\r\nc,d").unwrap(), [["a", "b"], ["c", "d"]]);
    assert_eq!(texts(&keeping, "\"two\r\nlines\",x\r\n").unwrap(), [["two\r\nlines", "x"]]);
    assert_eq!(texts(&keeping, "a\rb,c\n").unwrap(), [["a\rb", "c"]]);
    assert_eq!(texts(&PLAIN, "a,b\rc,d").unwrap(), [["a", "b"], ["c", "d"]]);
}

#[test]
fn empty_fields_are_null_as_the_indicator_says() {
    for (nulls, row) in [
        (CsvNulls::Both, ["a", "NULL", "NULL", "NULL"]),
        (CsvNulls::EmptySeparators, ["a", "NULL", "", "NULL"]),
        (CsvNulls::EmptyQuotes, ["a", "", "NULL", ""]),
    ] {
        assert_eq!(texts(&CsvOptions { nulls, ..PLAIN }, "a,,\"\",\n").unwrap(), [row]);
    }
}

#[test]
fn names_of_columns_are_in_the_first_row_or_numbers() {
    let names = |csv: &CsvOptions, file: &str| -> Vec<String> {
        let rows = read(&options(Content::Csv(csv.clone())), file.as_bytes(), 0, 10).unwrap();
        assert_eq!(rows.len(), 1, "{rows:?}");
        let schema = rows[0].0.as_ref().unwrap();
        schema.fields().iter().map(|field| field.name.to_string()).collect()
    };
    assert_eq!(names(&PLAIN, "a,b\n"), ["column01", "column02"]);
    let header = CsvOptions { has_header: true, skip_lines: 2, separator: '¦', quote: '\'', ..PLAIN };
    assert_eq!(names(&header, "junk \"\r\n\nid¦'the ¦ name'\n1¦x\n\n"), ["id", "the ¦ name"]);
    let none = |file: &str| read(&options(Content::Csv(header.clone())), file.as_bytes(), 0, 10).unwrap();
    assert!(none("").is_empty() && none("one line").is_empty() && none("a\nb\nid\n").is_empty());
    for damaged in ["1\n2\na¦a\n1¦2\n", "1\n2\na¦b\n1\n"] {
        assert!(
            read(&options(Content::Csv(header.clone())), damaged.as_bytes(), 0, 10).is_err(),
            "{damaged}"
        );
    }
}

#[test]
fn columns_go_to_the_fields_of_a_schema() {
    let field = |name: &str, schema: Schema| Field { name: name.into(), schema: Arc::new(schema) };
    let schema = Schema::new(Kind::Struct(vec![
        field("Id", Schema::new(Kind::Int64)),
        field("rate", Schema::optional(Kind::Float64)),
        field("ok", Schema::optional(Kind::Boolean)),
        field("gone", Schema::optional(Kind::String)),
    ]));
    let typed = CsvOptions { has_header: true, schema: Some(Arc::new(schema.named("x.Y"))), ..PLAIN };
    let rows_of = |csv: &CsvOptions, file: &str| {
        let mut rows = Rows::new();
        let end = read_into(&mut rows, &options(Content::Csv(csv.clone())), file.as_bytes(), 0, 10);
        assert!(rows.iter().all(|(schema, _)| *schema == typed.schema));
        (rows.into_iter().map(|(_, row)| row).collect::<Vec<_>>(), end.is_err())
    };
    let row = |id: i64, rate: Value, ok: Value| Value::Struct(vec![Value::Int64(id), rate, ok, Value::Null]);
    let first = row(1, Value::Float64(1e-3), Value::Boolean(true));
    let second = row(-2, Value::Null, Value::Null);
    let file = "OK,other,id,RATE\nTRUE,x,1,1e-3\n,,-2,\n";
    assert_eq!(rows_of(&typed, file), (vec![first.clone(), second.clone()], false));
    // The rows before a damaged one count.
    for damaged in ["yes,x,3,1\n", ",x,,1\n", ",x,3.0,1\n", ",x,3\n"] {
        assert_eq!(rows_of(&typed, &format!("{file}{damaged}")), (vec![first.clone(), second.clone()], true));
    }
    assert_eq!(rows_of(&CsvOptions { ignore_case: false, ..typed.clone() }, file), (Vec::new(), true));
    let by_place = CsvOptions { has_header: false, ..typed.clone() };
    assert_eq!(rows_of(&by_place, "1,0.001,true,,more\n").0.len(), 1);
}

#[test]
fn a_field_that_does_not_end_takes_no_memory() {
    let options = ReadOptions { content: Content::Csv(PLAIN), packing: Packing::Gzip };
    let error = read(&options, &packed_bomb(b"\""), 0, 10).unwrap_err();
    assert!(error.to_string().contains("longer than"), "{error}");
}
