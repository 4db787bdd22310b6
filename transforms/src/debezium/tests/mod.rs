//! The answers of Debezium 3.6.0.Final to random events and settings. `EventRouter` answered as a source's
//! transform: in a sink, Debezium's fails for want of a partition.

use crate::golden::check;

#[test]
fn extract_new_record_state_answers_as_java() {
    check(include_str!("unwrap.jsonl"));
}

#[test]
fn by_logical_table_router_answers_as_java() {
    check(include_str!("router.jsonl"));
}

#[test]
fn event_router_answers_as_java() {
    check(include_str!("outbox.jsonl"));
}
