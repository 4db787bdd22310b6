//! The hand-written reader against serde_json.

use super::super::{checked, cursor::Cursor};
use super::*;

/// Whether the reader accepts `text` as one value with nothing after it.
fn accepts(text: &[u8]) -> bool {
    let Ok(mut cursor) = checked(text) else { return false };
    cursor.skip_value().is_ok() && cursor.end_of_record().is_ok() && {
        cursor.token();
        cursor.pos == text.len()
    }
}

/// Texts on which we differ from serde_json on purpose: leading zeros, long numbers, very deep nesting, byte
/// order marks.
fn is_documented_leniency(text: &[u8]) -> bool {
    let number_start =
        |at: usize| at == 0 || !(text[at - 1].is_ascii_digit() || b".eE+".contains(&text[at - 1]));
    let zeros = (0..text.len().saturating_sub(1))
        .any(|at| text[at] == b'0' && text[at + 1].is_ascii_digit() && number_start(at));
    zeros || text.starts_with(b"\xef\xbb\xbf")
}

#[test]
fn a_byte_order_mark_alone_is_text_and_no_json() {
    // Jackson looks for marks in four bytes; with three, the mark is what the text begins with.
    assert!(!super::super::is_blank(b"\xef\xbb\xbf") && !accepts(b"\xef\xbb\xbf"));
    assert!(super::super::is_blank(b"\xef\xbb\xbf ") && accepts(b"\xef\xbb\xbf1"));
    assert!(super::super::is_blank(b""));
}

#[test]
fn mutated_json_is_accepted_exactly_when_serde_json_accepts_it() {
    let mut random = Random(7);
    let mut accepted = 0;
    for _ in 0..20_000 {
        let mut text = random.object(3).into_bytes();
        for _ in 0..random.below(3) {
            let at = random.below(text.len().max(1)).min(text.len().saturating_sub(1));
            match random.below(4) {
                0 => drop(text.splice(at..at, [random.pick(b"{}[],:\"\\0-.eEntf u\x01\xc3")])),
                1 if !text.is_empty() => drop(text.remove(at)),
                2 if !text.is_empty() => text[at] = random.next() as u8,
                _ => text.truncate(at),
            }
        }
        let expected = serde_json::from_slice::<serde::de::IgnoredAny>(&text).is_ok();
        if !is_documented_leniency(&text) {
            // serde_json's skipping reader does not check UTF-8 inside texts.
            let expected = expected && std::str::from_utf8(&text).is_ok();
            assert_eq!(accepts(&text), expected, "{:?}", String::from_utf8_lossy(&text));
        }
        accepted += usize::from(expected);
    }
    assert!((2_000..18_000).contains(&accepted), "the generator makes both kinds: {accepted}");
}

#[test]
fn random_bytes_never_panic_in_any_mode() {
    let schema = r#"{"type":"record","name":"R","fields":[{"name":"a","type":["null","long"]},
        {"name":"b","type":["null",{"type":"array","items":["null","string"]}]},
        {"name":"c","type":["null",{"type":"map","values":"double"}]}]}"#;
    let plain = [("schemas.enable", "false")];
    let mut converters =
        [converter(&plain, ""), converter(&plain, schema), converter(&plain, "infer"), converter(&[], "")];
    let mut random = Random(11);
    for _ in 0..2_000 {
        let records: Vec<Vec<u8>> = (0..4)
            .map(|_| match random.below(3) {
                0 => (0..random.below(40)).map(|_| random.next() as u8).collect(),
                1 => (0..random.below(40)).map(|_| random.pick(b"{}[],:\"\\abc0159-.eEtrufalsn ")).collect(),
                _ => {
                    let mut record = random.object(3).into_bytes();
                    record.truncate(random.below(record.len() + 1));
                    record
                }
            })
            .collect();
        let payloads: Vec<Option<&[u8]>> = records.iter().map(|record| Some(record.as_slice())).collect();
        for converter in &mut converters {
            let decoded = converter.decode("t", &payloads).unwrap();
            let rows: usize = decoded.runs.iter().map(|run| run.values.rows()).sum();
            assert_eq!(rows + decoded.errors.len(), payloads.len());
        }
    }
}

#[test]
fn text_ends_are_found_in_every_lane() {
    for stop in [b'"', b'\\', 0x00, 0x1f] {
        for length in 0..40 {
            let mut text = vec![b'a'; length];
            text.extend([stop, b'"', b'\\']);
            assert_eq!(super::super::cursor::text_end(&text, 0), length);
        }
    }
    let high = "\u{7f}é\u{ff}😀 !#[]".repeat(5);
    assert_eq!(super::super::cursor::text_end(high.as_bytes(), 0), high.len());
}

#[test]
fn skipping_is_linear_and_bounded() {
    let deep = format!("{}1{}", "[".repeat(1024), "]".repeat(1024));
    assert!(Cursor::new(deep.as_bytes()).skip_value().is_ok());
    assert!(Cursor::new("[".repeat(1_000_000).as_bytes()).skip_value().is_err());
    assert!(Cursor::new(format!("\"{}\"", "\\n".repeat(500_000)).as_bytes()).skip_value().is_ok());
}
