//! The answers of Aiven's classes, built from the source of 1.7.0-SNAPSHOT, to random records and settings.

use crate::golden::check;

#[test]
fn transforms_answer_as_java() {
    check(include_str!("golden.jsonl"));
}
