//! The laws of chains. Texts of errors were printed by Kafka 4.1.

use std::sync::Arc;

use lakeward_api::batch::{SinkBatch, Values};
use lakeward_api::header::Header;
use lakeward_api::schema::{Kind, Schema};
use lakeward_api::value::Value;

use super::{Applied, Chain};
use crate::sample::{batch, config, map, registry, rows, shaped, structure, text, typed};

const FILTER: &str = "org.apache.kafka.connect.transforms.Filter";

fn chain(pairs: &[(&str, &str)]) -> Chain {
    Chain::from_config(&config(pairs), &registry()).unwrap()
}

fn problem(pairs: &[(&str, &str)]) -> String {
    let err = Chain::from_config(&config(pairs), &registry()).err().expect("the chain is wrong");
    format!("{}: {err}", err.java_class().rsplit('.').next().unwrap())
}

fn with_header(mut batch: SinkBatch, wanted: &[usize]) -> SinkBatch {
    let rows = batch.rows();
    let lists = batch.headers.lists_mut(rows);
    for row in wanted {
        lists[*row].push(Header { key: "h".into(), schema: None, value: Value::Int8(1) });
    }
    batch
}

fn offsets(applied: &Applied) -> Vec<Vec<i64>> {
    applied.batches.iter().map(|batch| batch.offsets.clone()).collect()
}

#[test]
fn no_transforms_change_nothing() {
    let mut chain = chain(&[]);
    assert!(chain.is_empty());
    let applied = chain.apply(batch(Values::Dynamic(vec![text("a"), text("b")]))).unwrap();
    assert_eq!(offsets(&applied), [[10, 11]]);
    assert!(applied.errors.is_empty() && applied.dropped.is_empty());
}

#[test]
fn dropped_records_are_named_and_the_rest_stays_one_batch() {
    let by_header = [
        ("transforms", "f"),
        ("transforms.f.type", "Filter"),
        ("transforms.f.predicate", "p"),
        ("predicates", "p"),
        ("predicates.p.type", "HasHeaderKey"),
        ("predicates.p.name", "h"),
    ];
    let values = || typed(Schema::new(Kind::Int32), &[1, 2, 3, 4, 5].map(Value::Int32));
    let input = with_header(batch(values()), &[0, 2, 3]);
    let applied = chain(&by_header).apply(input.clone()).unwrap();
    assert_eq!(offsets(&applied), [[11, 14]]);
    assert_eq!(applied.dropped, [10, 12, 13]);
    assert_eq!(rows(&applied.batches[0].values), [Value::Int32(2), Value::Int32(5)]);

    let mut negated = by_header.to_vec();
    negated.push(("transforms.f.negate", " TRUE "));
    let applied = chain(&negated).apply(input).unwrap();
    assert_eq!(applied.dropped, [11, 14]);

    let applied = chain(&by_header).apply(with_header(batch(values()), &[0, 1, 2, 3, 4])).unwrap();
    assert!(applied.batches.is_empty() && applied.dropped.len() == 5);
}

#[test]
fn rows_that_a_predicate_spares_keep_their_place() {
    let mut chain = chain(&[
        ("transforms", "r, h"),
        ("transforms.r.type", "RegexRouter"),
        ("transforms.r.regex", "t"),
        ("transforms.r.replacement", "routed"),
        ("transforms.r.predicate", "p"),
        ("transforms.h.type", "InsertHeader"),
        ("transforms.h.header", "x"),
        ("transforms.h.value.literal", "1"),
        ("transforms.h.predicate", "p"),
        ("predicates", "p"),
        ("predicates.p.type", "HasHeaderKey"),
        ("predicates.p.name", "h"),
    ]);
    let values = Values::Dynamic((0..6).map(Value::Int8).collect());
    let applied = chain.apply(with_header(batch(values), &[1, 2, 4])).unwrap();
    assert_eq!(offsets(&applied), [vec![10], vec![11, 12], vec![13], vec![14], vec![15]]);
    let topics: Vec<_> = applied.batches.iter().map(|batch| batch.topic.to_string()).collect();
    assert_eq!(topics, ["t", "routed", "t", "routed", "t"]);
    assert_eq!(applied.batches[1].headers.row(1).len(), 2);
    assert_eq!(rows(&applied.batches[3].values), [Value::Int8(4)]);
}

#[test]
fn spared_rows_come_back_into_one_batch_when_nothing_tells_them_apart() {
    let mut chain = chain(&[
        ("transforms", "h"),
        ("transforms.h.type", "InsertHeader"),
        ("transforms.h.header", "x"),
        ("transforms.h.value.literal", "1"),
        ("transforms.h.predicate", "p"),
        ("predicates", "p"),
        ("predicates.p.type", "HasHeaderKey"),
        ("predicates.p.name", "h"),
    ]);
    let schema = structure(vec![("a", Schema::optional(Kind::String))]);
    let values: Vec<_> = ["a", "b", "c"].map(|name| Value::Struct(vec![text(name)])).to_vec();
    let applied = chain.apply(with_header(batch(typed(schema, &values)), &[1])).unwrap();
    assert_eq!(offsets(&applied), [[10, 11, 12]]);
    assert_eq!(rows(&applied.batches[0].values), values);
    let headers: Vec<_> = (0..3).map(|row| applied.batches[0].headers.row(row).len()).collect();
    assert_eq!(headers, [0, 2, 0]);
}

#[test]
fn failed_records_leave_the_batch_alone() {
    let mut chain = chain(&[
        ("transforms", "e,k"),
        ("transforms.e.type", "org.apache.kafka.connect.transforms.ExtractField$Value"),
        ("transforms.e.field", "a"),
        ("transforms.k.type", "ValueToKey"),
        ("transforms.k.fields", "id"),
    ]);
    let inner = map(&[("id", Value::Int64(7))]);
    let values = vec![text("no map"), map(&[("a", inner.clone())]), map(&[("a", Value::Int8(1))])];
    let applied = chain.apply(batch(Values::Dynamic(values))).unwrap();
    assert_eq!(offsets(&applied), [[11]]);
    assert_eq!(rows(&applied.batches[0].keys), [inner]);
    let errors: Vec<_> =
        applied.errors.iter().map(|err| (err.offset, err.class, err.error.to_string())).collect();
    let text = "Only Map objects supported in absence of schema for";
    assert_eq!(
        errors,
        [
            (
                10,
                "org.apache.kafka.connect.transforms.ExtractField$Value",
                format!("{text} [field extraction], found: java.lang.String")
            ),
            (
                12,
                "org.apache.kafka.connect.transforms.ValueToKey",
                format!("{text} [copying fields from value to key], found: java.lang.Byte")
            ),
        ]
    );
}

#[test]
fn tombstones_are_found_in_every_form() {
    let pairs = [
        ("transforms", "f"),
        ("transforms.f.type", "Filter"),
        ("transforms.f.predicate", "p"),
        ("predicates", "p"),
        ("predicates.p.type", "RecordIsTombstone"),
    ];
    let forms = [
        Values::Null { rows: 2 },
        Values::Dynamic(vec![Value::Null, Value::Null]),
        shaped(&[map(&[]), Value::Null, Value::Null]).slice(1, 2),
        typed(Schema::optional(Kind::Int8), &[Value::Null, Value::Null]),
    ];
    for form in forms {
        assert_eq!(chain(&pairs).apply(batch(form)).unwrap().dropped, [10, 11]);
    }
    let mixed = typed(Schema::optional(Kind::Int8), &[Value::Int8(1), Value::Null]);
    assert_eq!(chain(&pairs).apply(batch(mixed)).unwrap().dropped, [11]);
}

#[test]
fn topics_are_matched_as_records_say_them() {
    let mut chain = chain(&[
        ("transforms", "f"),
        ("transforms.f.type", "Filter"),
        ("transforms.f.predicate", "p"),
        ("predicates", "p"),
        ("predicates.p.type", "TopicNameMatches"),
        ("predicates.p.pattern", "(?!x)r.*"),
    ]);
    let mut routed = batch(Values::Dynamic(vec![Value::Null]));
    assert_eq!(chain.apply(routed.clone()).unwrap().dropped, [0i64; 0]);
    routed.topic = Arc::from("routed");
    assert_eq!(chain.apply(routed).unwrap().dropped, [10]);
}

#[test]
fn wrong_chains_are_refused_in_kafkas_words() {
    let filter = [("transforms", "a"), ("transforms.a.type", FILTER)];
    let with = |more: &[(&'static str, &'static str)]| problem(&[&filter[..], more].concat());
    assert_eq!(
        problem(&[("transforms", "a")]),
        "ConfigException: Invalid value null for configuration transforms.a.type: Not a Transformation"
    );
    for name in ["nope", "", "ExtractField$Key", "Key"] {
        assert_eq!(
            problem(&[("transforms", "a"), ("transforms.a.type", name)]),
            format!(
                "ConfigException: Invalid value {name} for configuration transforms.a.type: Class {name} \
                 could not be found."
            )
        );
    }
    let extract = "org.apache.kafka.connect.transforms.ExtractField";
    assert_eq!(
        problem(&[("transforms", "a"), ("transforms.a.type", extract)]),
        format!(
            "ConfigException: This class is abstract and cannot be created. Did you mean {extract}$Key, \
             {extract}$Value?"
        )
    );
    assert_eq!(
        problem(&[("transforms", "a"), ("transforms.a.type", "RecordIsTombstone")]),
        "ConfigException: Class class org.apache.kafka.connect.transforms.predicates.RecordIsTombstone does \
         not implement the Transformation interface"
    );
    assert_eq!(
        problem(&[("transforms", "a,a"), ("transforms.a.type", FILTER)]),
        "ConfigException: Invalid value [a, a] for configuration transforms: Duplicate alias provided."
    );
    assert_eq!(
        with(&[("transforms.a.negate", "false")]),
        "ConfigException: Config 'transforms.a.negate' was provided but there is no config \
         'transforms.a.predicate' defining a predicate to be negated."
    );
    assert_eq!(
        with(&[("transforms.a.predicate", "zz")]),
        "ConnectException: org.apache.kafka.connect.errors.ConnectException: \
         org.apache.kafka.common.config.ConfigException: Unknown configuration 'predicates.zz.plugin.version'"
    );
    assert_eq!(
        with(&[("transforms.a.plugin.version", "9.1.0")]),
        "VersionedPluginLoadingException: Plugin org.apache.kafka.connect.transforms.Filter not found that \
         matches the version range [9.1.0,9.1.0], available versions: [4.1.0]"
    );
}

#[test]
fn wrong_predicates_are_refused_in_kafkas_words() {
    let named = |more: &[(&'static str, &'static str)]| {
        let used = [
            ("transforms", "a"),
            ("transforms.a.type", FILTER),
            ("transforms.a.predicate", "p"),
            ("predicates", "p"),
        ];
        problem(&[&used[..], more].concat())
    };
    assert_eq!(
        named(&[]),
        "ConfigException: Invalid value null for configuration predicates.p.type: Not a Predicate"
    );
    let topic = ("predicates.p.type", "TopicNameMatches");
    assert_eq!(
        named(&[topic, ("predicates.p.pattern", "(")]),
        "ConfigException: Invalid value ( for configuration pattern: Invalid regex: Unclosed group near \
         index 1\n("
    );
    assert_eq!(
        named(&[topic]),
        "ConfigException: Missing required configuration \"predicates.p.pattern\" which has no default value."
    );
    assert_eq!(
        named(&[topic, ("predicates.p.pattern", "x"), ("transforms.a.negate", "maybe")]),
        "ConfigException: Invalid value maybe for configuration transforms.a.negate: Expected value to be \
         either true or false"
    );
}

#[test]
fn what_only_constructors_find_is_wrapped() {
    let of = |class: &str, more: &[(&'static str, &'static str)]| {
        let class = format!("org.apache.kafka.connect.transforms.{class}");
        problem(&[&[("transforms", "a"), ("transforms.a.type", &class)][..], more].concat())
    };
    assert_eq!(
        of("InsertField$Value", &[]),
        "ConnectException: org.apache.kafka.common.config.ConfigException: No field insertion configured"
    );
    assert_eq!(
        of("ValueToKey", &[("transforms.a.fields", " ")]),
        "ConfigException: Invalid value [] for configuration fields: Empty list"
    );
    assert_eq!(
        of("HoistField$Key", &[]),
        "ConfigException: Missing required configuration \"transforms.a.field\" which has no default value."
    );
}

#[test]
fn every_row_is_accounted_for_in_order() {
    let predicate = [
        ("predicates", "p"),
        ("predicates.p.type", "HasHeaderKey"),
        ("predicates.p.name", "h"),
        ("transforms", "a"),
        ("transforms.a.predicate", "p"),
    ];
    let transforms: [&[(&str, &str)]; 4] = [
        &[("transforms.a.type", "Filter")],
        &[("transforms.a.type", "TimestampRouter"), ("transforms.a.timestamp.format", "ss")],
        &[("transforms.a.type", "DropHeaders"), ("transforms.a.headers", "h")],
        &[("transforms.a.type", "ValueToKey"), ("transforms.a.fields", "a")],
    ];
    let mut schema = structure(vec![("a", Schema::new(Kind::Int64))]);
    schema.optional = true;
    let structs: Vec<_> = (0..5).map(|row| Value::Struct(vec![Value::Int64(row)])).collect();
    let with_null = [&structs[..4], &[Value::Null]].concat();
    let maps: Vec<_> = (0..5).map(|row| map(&[("a", Value::Int64(row))])).collect();
    let shaped = [shaped(&maps), shaped(&[&maps[..4], &[Value::Null]].concat())];
    let forms = [typed(schema.clone(), &structs), typed(schema, &with_null), Values::Dynamic(maps)];
    let forms = [&forms[..], &shaped].concat();
    for mask in 0..32usize {
        let wanted: Vec<usize> = (0..5).filter(|row| mask >> row & 1 == 1).collect();
        for (form, transform) in forms.iter().flat_map(|form| transforms.map(|one| (form, one))) {
            let mut chain = chain(&[&predicate[..], transform].concat());
            let applied = chain.apply(with_header(batch(form.clone()), &wanted)).unwrap();
            let all = rows(form);
            let mut seen = applied.dropped.clone();
            seen.extend(applied.errors.iter().map(|err| err.offset));
            let mut last = i64::MIN;
            for batch in &applied.batches {
                batch.assert_consistent();
                for (offset, value) in batch.offsets.iter().zip(rows(&batch.values)) {
                    assert!(*offset > last, "{mask} {transform:?}");
                    last = *offset;
                    assert_eq!(value, all[usize::try_from(offset - 10).unwrap()], "{mask} {transform:?}");
                    seen.push(*offset);
                }
            }
            seen.sort_unstable();
            assert_eq!(seen, [10, 11, 12, 13, 14], "{mask} {transform:?}");
        }
    }
}
