//! Payloads that are broken, hostile, or both.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use lakeward_api::rows;

use super::super::super::registry_framing::dump;
use super::super::mapping::{Mapping, ToConnect};
use super::super::read::{Outcome, Reader};
use super::super::schema::parse;
use crate::random::Random;

fn reader(avro: &str) -> Reader {
    let avro = parse(avro, std::iter::empty()).unwrap();
    let mapping = Mapping::default();
    let schema = ToConnect::new(&avro, mapping, &mut 0).schema(None).unwrap();
    Reader::new(&avro, Arc::new(schema), mapping).unwrap()
}

/// Reads `payload` and answers the value; rows that fail must leave no trace.
fn outcome(reader: &mut Reader, payload: &[u8]) -> Option<String> {
    let outcome = reader.read(payload);
    let array = reader.finish();
    assert_eq!(array.len(), usize::from(outcome == Ok(Outcome::Value)), "a failed row left a trace");
    (array.len() == 1).then(|| dump::value(&rows::value_at(&reader.schema, &array, 0)))
}

#[test]
fn damaged_payloads_fail_without_a_trace_or_are_other_values() {
    let seed = std::env::var("LAKEWARD_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let mut random = Random(seed);
    for line in include_str!("golden.tsv").lines() {
        let parts: Vec<&str> = line.split('\t').collect();
        if !parts[0].is_empty() || parts[4] == "error" {
            continue;
        }
        let mut reader = reader(parts[1]);
        for payload in parts[3].split_terminator('|').map(dump::unhex) {
            let sound = outcome(&mut reader, &payload);
            for _ in 0..40 {
                let mut damaged = payload.clone();
                for _ in 0..=random.below(3) {
                    let at = random.below(damaged.len() + 1);
                    match random.below(4) {
                        0 => damaged.truncate(at),
                        1 => damaged.insert(at, random.next() as u8),
                        2 if at < damaged.len() => damaged[at] = random.next() as u8,
                        _ => damaged.splice(at.., [0xff; 9]).for_each(drop),
                    }
                }
                outcome(&mut reader, &damaged);
                assert_eq!(outcome(&mut reader, &payload), sound, "seed {seed}: damage outlived its record");
            }
        }
    }
}

#[test]
fn every_truncation_of_a_record_fails() {
    let mut reader = reader(
        r#"{"type":"record","name":"R","fields":[{"name":"a","type":"string"},{"name":"b","type":
        {"type":"map","values":"double"}},{"name":"c","type":{"type":"fixed","name":"F","size":3}}]}"#,
    );
    let payload = [&[4, b'h', b'i', 2, 2, b'k'][..], &1.5_f64.to_le_bytes(), &[0, 7, 8, 9]].concat();
    assert_eq!(outcome(&mut reader, &payload).unwrap(), "(\"hi\",{\"k\":d:3ff8000000000000,},x070809,)");
    for end in 0..payload.len() {
        assert_eq!(outcome(&mut reader, &payload[..end]), None, "{end} bytes");
    }
    // Java does not look at what follows a value.
    assert!(outcome(&mut reader, &[payload.as_slice(), &[1, 2, 3]].concat()).is_some());
}

#[test]
fn counts_without_bytes_are_bounded() {
    let mut reader = reader(r#"{"type":"array","items":{"type":"record","name":"E","fields":[]}}"#);
    // 2^40 items that take no bytes, and the smallest negative count.
    assert_eq!(outcome(&mut reader, &[0x80, 0x80, 0x80, 0x80, 0x80, 0x40, 0]), None);
    assert_eq!(
        outcome(&mut reader, &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 0, 0]),
        None
    );
    assert_eq!(outcome(&mut reader, &[6, 0]).unwrap(), "[(),(),(),]");
    let mut longs = self::reader(r#"{"type":"array","items":"long"}"#);
    assert_eq!(outcome(&mut longs, &[0xfe, 0xff, 0xff, 0xff, 0x0f, 2, 0]), None);
    // A negative count has the size of its block after it.
    assert_eq!(outcome(&mut longs, &[3, 4, 2, 4, 2, 6, 0]).unwrap(), "[1l,2l,3l,]");
}

#[test]
fn few_bytes_cannot_stand_for_endless_nulls() {
    let fields: Vec<String> = (0..1000).map(|at| format!(r#"{{"name":"f{at}","type":"long"}}"#)).collect();
    let wide = format!(r#"{{"type":"record","name":"W","fields":[{}]}}"#, fields.join(","));
    let mut reader = reader(&format!(r#"{{"type":"array","items":["null",{wide}]}}"#));
    let payload = [&[0xa0, 0x8d, 0x06][..], &vec![0; 50_000], &[0]].concat();
    assert_eq!(outcome(&mut reader, &payload), None);
}

#[test]
fn types_that_multiply_are_refused() {
    let mut fields = String::from(r#"{"name":"f0","type":{"type":"record","name":"R0","fields":[]}}"#);
    for at in 1..40 {
        let last = at - 1;
        fields += &format!(
            r#",{{"name":"f{at}","type":{{"type":"record","name":"R{at}","fields":[
            {{"name":"a","type":"R{last}"}},{{"name":"b","type":"R{last}"}}]}}}}"#
        );
    }
    let text = format!(r#"{{"type":"record","name":"Top","fields":[{fields}]}}"#);
    let avro = parse(&text, std::iter::empty()).unwrap();
    assert!(ToConnect::new(&avro, Mapping::default(), &mut 0).schema(None).is_err());
}

#[test]
fn the_last_of_repeated_keys_counts() {
    let mut reader = reader(r#"{"type":"map","values":"int"}"#);
    let entry = |key: u8, value: u8| [2, key, value];
    let mut payload = vec![60];
    (0..30).for_each(|at| payload.extend(entry(b'a' + at % 3, at * 2)));
    payload.push(0);
    assert_eq!(outcome(&mut reader, &payload).unwrap(), "{\"a\":27i,\"b\":28i,\"c\":29i,}");
}

#[test]
fn broken_texts_are_repaired_as_in_java() {
    let mut reader = reader("\"string\"");
    let payloads: [&[u8]; 3] = [&[4, b'a', 0xff], &[2, b'b'], &[4, 0xc3, b'c']];
    for payload in payloads {
        assert_eq!(reader.read(payload), Ok(Outcome::Value));
    }
    let array = reader.finish();
    let texts: Vec<_> = array.as_string::<i32>().iter().map(Option::unwrap).collect();
    assert_eq!(texts, ["a\u{fffd}", "b", "\u{fffd}c"]);
}
