//! Schemaless rows of one shape and header columns through predicates.

use lakeward_api::batch::{SinkBatch, Values};
use lakeward_api::config::ConfigMap;
use lakeward_api::header::{HeaderColumn, HeaderRows, HeaderValues};
use lakeward_api::schema::{Kind, Schema};
use lakeward_api::value::Value;

use super::{Applied, Chain};
use crate::sample::{batch, config, map, registry, rows, shaped, text, typed};

/// `InsertField` of offsets for the records whose value is, or is not, a tombstone.
fn insert_where(negate: &str) -> ConfigMap {
    config(&[
        ("transforms", "i"),
        ("transforms.i.type", "org.apache.kafka.connect.transforms.InsertField$Key"),
        ("transforms.i.offset.field", "o"),
        ("transforms.i.predicate", "p"),
        ("transforms.i.negate", negate),
        ("predicates", "p"),
        ("predicates.p.type", "RecordIsTombstone"),
    ])
}

/// Keys of one shape; every row whose number `is_null` names is a tombstone.
fn keyed(count: i64, is_null: impl Fn(i64) -> bool) -> SinkBatch {
    let keys: Vec<_> = (0..count).map(|row| map(&[("a", Value::Int64(row)), ("n", Value::Null)])).collect();
    let value = |row| if is_null(row) { Value::Null } else { Value::Int64(row) };
    let values: Vec<_> = (0..count).map(value).collect();
    SinkBatch { keys: shaped(&keys), ..batch(typed(Schema::optional(Kind::Int64), &values)) }
}

fn apply(settings: &ConfigMap, batch: SinkBatch) -> Applied {
    let applied = Chain::from_config(settings, &registry()).unwrap().apply(batch).unwrap();
    applied.batches.iter().for_each(SinkBatch::assert_consistent);
    applied
}

fn keys(applied: &Applied) -> Vec<Value> {
    applied.batches.iter().flat_map(|batch| rows(&batch.keys)).collect()
}

#[test]
fn shapes_that_alternate_are_one_batch_of_rows() {
    let input = keyed(9, |row| row % 2 == 0);
    let applied = apply(&insert_where("false"), input.clone());
    assert_eq!(applied.batches.len(), 1);
    assert!(matches!(applied.batches[0].keys, Values::Dynamic(_)));
    let mut apart = input;
    apart.keys.unshape();
    assert_eq!(keys(&applied), keys(&apply(&insert_where("false"), apart)));
    let [first, second, ..] = &keys(&applied)[..] else { panic!("nine rows") };
    assert_eq!((first.get("o"), second.get("o")), (Some(&Value::Int64(10)), None));
}

#[test]
fn long_runs_of_a_shape_stay_columns() {
    let input = keyed(90, |row| row / 30 == 1);
    let applied = apply(&insert_where("false"), input.clone());
    let shaped = applied.batches.iter().filter(|batch| matches!(batch.keys, Values::Shaped(_))).count();
    assert_eq!((applied.batches.len(), shaped), (3, 3));
    let mut apart = input;
    apart.keys.unshape();
    assert_eq!(keys(&applied), keys(&apply(&insert_where("false"), apart)));
}

#[test]
fn header_columns_come_back_together() {
    let settings = config(&[
        ("transforms", "m"),
        ("transforms.m.type", "org.apache.kafka.connect.transforms.InsertField$Key"),
        ("transforms.m.static.field", "a"),
        ("transforms.m.static.value", "x"),
        ("transforms.m.predicate", "p"),
        ("predicates", "p"),
        ("predicates.p.type", "RecordIsTombstone"),
    ]);
    let column = |key: &str, values| HeaderColumn { key: key.into(), values };
    let numbers = typed(Schema::new(Kind::Int8), &(0..9).map(Value::Int8).collect::<Vec<_>>());
    let constant = HeaderValues::Constant { schema: None, value: text("c") };
    let texts = Values::Dynamic((0..9).map(|row| text(&row.to_string())).collect());
    let headers = [
        column("typed", HeaderValues::Rows(numbers)),
        column("constant", constant),
        column("typed", HeaderValues::Rows(shaped(&rows(&texts)))),
        column("dynamic", HeaderValues::Rows(texts)),
    ];
    let mut input = keyed(9, |row| row % 2 == 0);
    input.headers = HeaderRows::of_columns(headers.to_vec());
    let applied = apply(&settings, input.clone());
    assert_eq!(applied.batches.len(), 1);
    let merged = &applied.batches[0].headers;
    assert!(merged.columns().is_some());
    for row in 0..9 {
        assert_eq!(merged.row(row), input.headers.row(row));
    }
    let mixed = HeaderValues::Mixed((0..9).map(|row| (None, Value::Int8(row))).collect());
    input.headers.push(9, column("mixed", mixed));
    let applied = apply(&settings, input.clone());
    assert!(applied.batches[0].headers.columns().is_some());
    for row in 0..9 {
        assert_eq!(applied.batches[0].headers.row(row), input.headers.row(row));
    }
}
