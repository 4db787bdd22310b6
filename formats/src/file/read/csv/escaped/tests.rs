//! The records that opencsv 5.9 reads of the same texts (`opencsv.jsonl`, made by its `CSVReader` over a
//! `CSVParser` from seeds), however the bytes come.

use bytes::Bytes;
use serde_json::{Value as Json, json};

use super::*;
use crate::file::read::csv::{CsvNulls, CsvOptions};
use crate::file::read::input::Packing;

const GOLDEN: &str = include_str!("opencsv.jsonl");

fn letter(json: &Json) -> Option<char> {
    json.as_str().and_then(|text| text.chars().next())
}

fn is(case: &Json, key: &str) -> bool {
    case[key].as_bool().unwrap()
}

fn decoder(case: &Json) -> (CsvDecoder, CsvEscapes) {
    let escapes = CsvEscapes {
        escape: letter(&case["escape"]),
        strict_quotes: is(case, "strict"),
        ignore_whitespace: is(case, "whitespace"),
        ignore_quotes: is(case, "literal"),
    };
    let options = CsvOptions {
        skip_lines: 0,
        separator: letter(&case["separator"]).unwrap(),
        quote: letter(&case["quote"]).unwrap(),
        keep_returns: is(case, "returns"),
        nulls: match case["nulls"].as_str().unwrap() {
            "BOTH" => CsvNulls::Both,
            "EMPTY_QUOTES" => CsvNulls::EmptyQuotes,
            "EMPTY_SEPARATORS" => CsvNulls::EmptySeparators,
            _ => CsvNulls::Neither,
        },
        has_header: false,
        ignore_case: true,
        escapes: Some(escapes),
        schema: None,
    };
    (CsvDecoder::new(options), escapes)
}

/// All records of `text`, which comes in two pieces, and whether it is damaged behind them.
fn records(case: &Json, text: &str, split: usize) -> (Vec<Json>, bool) {
    let (decoder, escapes) = decoder(case);
    let mut input = Input::new(Packing::None);
    let mut rest = [&text.as_bytes()[..split], &text.as_bytes()[split..]].into_iter();
    let mut records = Vec::new();
    loop {
        let next = match input.bytes().is_empty() {
            true => None,
            false => match decoder.escaped_record(escapes, &input) {
                Ok(next) => next,
                Err(_) => return (records, true),
            },
        };
        if let Some((cells, used)) = next {
            input.consume(used);
            records.push(cells.into_iter().map(Cell::into_text).collect::<Vec<_>>().into());
        } else if input.is_all() {
            return (records, false);
        } else {
            match rest.next() {
                Some(piece) => input.feed(Bytes::copy_from_slice(piece)),
                None => input.end(),
            }
            while !input.is_all() && input.fill().unwrap() && !input.is_all() {}
        }
    }
}

#[test]
fn records_are_those_of_opencsv() {
    let mut damaged = 0;
    for line in GOLDEN.lines() {
        let case: Json = serde_json::from_str(line).unwrap();
        let text = case["text"].as_str().unwrap();
        for split in 0..=text.len() {
            let (rows, is_damaged) = records(&case, text, split);
            assert_eq!(json!(rows), case["rows"], "{line} split at {split}");
            assert_eq!(is_damaged, is(&case, "damaged"), "{line} split at {split}");
        }
        damaged += usize::from(is(&case, "damaged"));
    }
    assert!(GOLDEN.lines().count() > 200 && damaged > 30);
}

#[test]
fn an_empty_line_ends_no_file_with_carriage_returns() {
    let case = json!({
        "separator": ",", "quote": "\"", "escape": "\\", "strict": false, "whitespace": true,
        "literal": false, "returns": true, "nulls": "NEITHER",
    });
    let expected = vec![json!(["a", "b"]), json!([""]), json!([""]), json!(["c", "d"])];
    assert_eq!(records(&case, "a,b\r\n\n\r\nc,d", 3), (expected, false));
}
