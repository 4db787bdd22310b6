//! The answers of Debezium 3.6.0.Final to random events and settings. `EventRouter` answered as a source's
//! transform: in a sink, Debezium's fails for want of a partition.

use std::sync::Arc;

use lakeward_api::batch::SinkBatch;
use lakeward_api::record::TopicPartition;
use lakeward_api::schema::{Field, Kind, Schema};
use lakeward_api::transform::NO_PARTITION;
use lakeward_api::value::Value;

use crate::Chain;
use crate::golden::check;
use crate::sample::{batch, config, registry, structure, text, typed};

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

/// Events of an outbox table whose column `part` says these numbers.
fn outbox(parts: &[Option<i32>]) -> SinkBatch {
    let text_schema = || Schema::new(Kind::String);
    let after = structure(vec![
        ("id", text_schema()),
        ("aggregatetype", text_schema()),
        ("aggregateid", text_schema()),
        ("payload", text_schema()),
        ("part", Schema::optional(Kind::Int32)),
    ]);
    let field = |name: &str, schema| Field { name: name.into(), schema: Arc::new(schema) };
    let fields = vec![
        field("after", Schema { optional: true, ..after }),
        field("op", text_schema()),
        field("ts_ms", Schema::new(Kind::Int64)),
    ];
    let event = |part: &Option<i32>| {
        let texts = ["1", "Order", "7", "{}"].map(text);
        let part = part.map_or(Value::Null, Value::Int32);
        let after = Value::Struct(texts.into_iter().chain([part]).collect());
        Value::Struct(vec![after, text("c"), Value::Int64(5)])
    };
    let rows: Vec<Value> = parts.iter().map(event).collect();
    let mut batch = batch(typed(Schema::new(Kind::Struct(fields)).named("s.Envelope"), &rows));
    batch.partition = TopicPartition::new("t", NO_PARTITION);
    batch
}

/// The partitions of what comes out, and how many rows go to each.
fn routed(more: &[(&str, &str)], batch: SinkBatch) -> Vec<(i32, usize)> {
    let mut pairs =
        vec![("transforms", "o"), ("transforms.o.type", "io.debezium.transforms.outbox.EventRouter")];
    pairs.extend(more);
    let mut chain = Chain::from_config(&config(&pairs), &registry()).unwrap().of_source();
    let applied = chain.apply(batch).unwrap();
    assert!(applied.errors.is_empty() && applied.dropped.is_empty(), "{:?}", applied.errors);
    applied.batches.iter().map(|batch| (batch.partition.partition, batch.rows())).collect()
}

#[test]
fn in_a_source_a_column_says_to_which_partition_an_event_goes() {
    let placed = [("transforms.o.table.fields.additional.placement", "part:partition")];
    let parts = [Some(2), Some(2), None, Some(0)];
    assert_eq!(routed(&placed, outbox(&parts)), [(2, 2), (NO_PARTITION, 1), (0, 1)]);
}

#[test]
fn in_a_source_without_that_column_the_producer_chooses() {
    let mut batch = outbox(&[Some(2), None]);
    batch.partition.partition = 4;
    assert_eq!(routed(&[], batch), [(NO_PARTITION, 2)]);
}
