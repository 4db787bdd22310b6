//! Names, contents and cuts of the task, step by step.

mod rig;
mod schemas;

use std::sync::Arc;

use lakeward_api::cuts::{ClockBase, Cut};
use lakeward_api::sink::SinkTask as _;

use rig::{Rig, hourly, keyed};

const RAW: (&str, &str) = ("format.output.fields.value.encoding", "none");
const EVENT: (&str, &str) = ("file.name.timestamp.source", "EVENT");
const HOURS: (&str, &str) =
    ("file.name.template", "{{timestamp:unit=HH}}/{{topic}}-{{partition}}-{{start_offset}}");
const KEYS: (&str, &str) = ("file.name.template", "{{key}}");
const KEYED_FILES: (&str, &str) = ("file.name.template", "{{key}}-{{topic}}-{{partition}}-{{start_offset}}");

#[test]
fn a_file_of_each_topic_partition_ends_with_the_interval() {
    let mut rig = Rig::new(&[RAW]);
    rig.put(keyed(0, 0, &[None, None])).unwrap();
    rig.put(keyed(1, 5, &[None])).unwrap();
    rig.put(keyed(0, 2, &[None])).unwrap();
    rig.turn();
    assert!(rig.texts().is_empty() && rig.durable().is_empty());
    rig.flush();
    assert_eq!(rig.texts(), ["logs-0-0=v0\nv1\nv2", "logs-1-5=v5"]);
    assert_eq!(rig.durable(), [(0, 3), (1, 6)]);
    rig.put(keyed(0, 3, &[None])).unwrap();
    rig.flush();
    assert_eq!(rig.texts(), ["logs-0-0=v0\nv1\nv2", "logs-0-3=v3", "logs-1-5=v5"]);
}

#[test]
fn nothing_is_completed_before_its_decision() {
    let mut rig = Rig::new(&[RAW]);
    rig.put(keyed(0, 0, &[None])).unwrap();
    rig.wall_ms += rig::FLUSH_MS;
    for _ in 0..3 {
        rig.turn();
    }
    assert!(rig.texts().is_empty() && rig.durable().is_empty());
    assert_eq!(rig.decide().len(), 1);
    assert_eq!((rig.texts().len(), rig.durable()), (1, vec![(0, 1)]));
}

#[test]
fn full_files_end_and_say_their_first_offset() {
    let mut rig = Rig::new(&[RAW, ("file.max.records", "2")]);
    rig.put(keyed(0, 0, &[None; 5])).unwrap();
    rig.decide();
    assert_eq!(rig.texts(), ["logs-0-0=v0\nv1", "logs-0-2=v2\nv3"], "full ones do not wait");
    rig.flush();
    assert_eq!(rig.texts(), ["logs-0-0=v0\nv1", "logs-0-2=v2\nv3", "logs-0-4=v4"]);
}

#[test]
fn files_of_other_hours_are_called_after_the_same_first_record() {
    let mut rig = Rig::new(&[RAW, HOURS, EVENT]);
    rig.put(hourly(0, &[7, 8, 7])).unwrap();
    rig.put(hourly(3, &[8])).unwrap();
    rig.flush();
    assert_eq!(rig.texts(), ["07/logs-0-0=v0\nv2", "08/logs-0-0=v1\nv3"]);
    assert_eq!(rig.durable(), [(0, 4)]);
}

#[test]
fn a_record_for_a_full_file_gives_all_hours_a_new_first_record() {
    // Java's order of events: 07 is full with its second record; the others go on until it gets a third.
    let mut rig = Rig::new(&[RAW, HOURS, EVENT, ("file.max.records", "2")]);
    rig.put(hourly(0, &[7, 8, 7, 8, 7, 8])).unwrap();
    rig.decide();
    rig.flush();
    assert_eq!(rig.texts(), ["07/logs-0-0=v0\nv2", "07/logs-0-4=v4", "08/logs-0-0=v1\nv3", "08/logs-0-4=v5"]);
}

#[test]
fn an_object_of_a_key_holds_its_last_record() {
    let mut rig = Rig::new(&[RAW, KEYS]);
    rig.put(keyed(0, 0, &[Some("a"), Some("b"), Some("a")])).unwrap();
    rig.put(keyed(0, 3, &[Some("b"), None])).unwrap();
    rig.flush();
    assert_eq!(rig.texts(), ["a=v2", "b=v3", "null=v4"]);
    rig.put(keyed(0, 5, &[Some("a")])).unwrap();
    rig.flush();
    assert_eq!(
        (rig.texts(), rig.durable()),
        (vec!["a=v5".into(), "b=v3".into(), "null=v4".into()], vec![(0, 6)])
    );
    assert_eq!(
        rig.task.delivery().unwrap(),
        "the last record of each key (decided cuts: offset.flush.interval.ms)"
    );
}

#[test]
fn a_late_object_does_not_replace_its_successor() {
    let mut rig = Rig::new(&[RAW, KEYS]);
    let mut ends = Vec::new();
    for offset in 0..2 {
        rig.put(keyed(0, offset, &[Some("a")])).unwrap();
        rig.wall_ms += rig::FLUSH_MS;
        rig.task.poll(rig.now()).unwrap();
        rig.task.take_decisions(&mut ends);
    }
    for decision in &ends {
        rig.task.decided(&decision.partition, decision.cut.end).unwrap();
    }
    assert_eq!(
        (ends.len(), rig.in_flight.used_bytes()),
        (2, 2),
        "the first one is on its way, the other waits"
    );
    rig.turn();
    rig.turn();
    assert_eq!((rig.texts(), rig.durable()), (vec!["a=v1".to_owned()], vec![(0, 2)]));
}

#[test]
fn keys_that_are_no_names_stay_where_they_belong() {
    let template = ("file.name.template", "in/{{key}}");
    let mut rig = Rig::new(&[RAW, template]);
    rig.put(keyed(0, 0, &[Some("a/b"), Some("../x"), Some("/y"), Some(".."), Some("c\u{1}\0d")])).unwrap();
    rig.flush();
    let names: Vec<String> = rig.objects().into_keys().collect();
    assert_eq!(names, ["in/%2E%2E", "in/%2E%2E/x", "in/%2F/y", "in/a/b", "in/c%01%00d"]);
}

#[test]
fn files_of_keys_are_called_after_the_first_record_of_the_key() {
    let mut rig = Rig::new(&[RAW, KEYED_FILES, ("file.max.records", "2")]);
    rig.put(keyed(0, 0, &[Some("a"), Some("b"), Some("a")])).unwrap();
    rig.put(keyed(0, 3, &[Some("a"), Some("b"), Some("a"), Some("a")])).unwrap();
    rig.turn();
    assert!(rig.texts().is_empty(), "a full file of one key leaves the others alone");
    rig.flush();
    assert_eq!(rig.texts(), ["a-logs-0-0=v0\nv2", "a-logs-0-3=v3\nv5", "a-logs-0-6=v6", "b-logs-0-1=v1\nv4"]);
    assert_eq!(rig.durable(), [(0, 7)]);
    assert_eq!(rig.task.delivery().unwrap(), "exactly once (decided cuts: offset.flush.interval.ms)");
}

#[test]
fn whoever_comes_next_makes_the_same_files() {
    let setups: [&[(&str, &str)]; 4] = [
        &[RAW],
        &[RAW, HOURS],
        &[RAW, HOURS, EVENT, ("file.max.records", "2")],
        &[RAW, KEYED_FILES, ("file.max.records", "2")],
    ];
    let batches = || {
        let mut later = keyed(0, 6, &[Some("b"), Some("a"), Some("b")]);
        later.timestamps_ms = vec![Some(0), Some(3_600_000), Some(0)];
        [keyed(0, 0, &[Some("a"), Some("a"), Some("b"), Some("a")]), keyed(0, 4, &[Some("a"); 2]), later]
    };
    for setup in setups {
        let mut first = Rig::new(setup);
        let mut cuts = Vec::new();
        for batch in batches() {
            first.put(batch).unwrap();
            cuts.extend(first.decide());
            // Names of hours change with the clock.
            first.wall_ms += 3_590_000;
            cuts.extend(first.flush());
        }
        let stored = first.texts();
        let cuts: Vec<Cut> = cuts.into_iter().map(|decision| decision.cut).collect();
        // The next owner gets everything at once, at another time, and stores over what is there.
        let mut second = Rig::over(first.store(), setup, &cuts);
        second.wall_ms = 0;
        for batch in batches() {
            second.put(batch).unwrap();
        }
        assert!(second.decide().is_empty(), "{setup:?}: decided again");
        assert_eq!(second.texts(), stored, "{setup:?}");
        assert_eq!(second.durable(), [(0, 9)], "{setup:?}");
    }
}

#[test]
fn the_clock_in_names_is_decided_with_the_cut() {
    let mut rig = Rig::new(&[RAW, HOURS]);
    rig.put(keyed(0, 0, &[None])).unwrap();
    let decided = rig.flush();
    let clock = vec![ClockBase { offset: 0, wall_ms: 1_700_000_000_000 }];
    assert_eq!(decided[0].cut, Cut { end: 1, clock });
    assert_eq!(rig.texts(), ["22/logs-0-0=v0"]);
    assert_eq!(
        rig.task.delivery().unwrap(),
        "exactly once (decided cuts: offset.flush.interval.ms, file.name.timestamp.source)"
    );
}

#[test]
fn the_old_way_of_naming() {
    let prefix = "x/{{utc_date}}/{{timestamp:unit=YYYY}}-{{ partition:padding=true }}-{{start_offset}}/";
    let old = [("aws.s3.prefix", prefix), ("format.output.fields", "offset")];
    let mut rig = Rig::new(&[old[0], old[1], ("file.compression.type", "gzip")]);
    rig.put(keyed(1, 7, &[None])).unwrap();
    rig.flush();
    let names: Vec<String> = rig.objects().into_keys().collect();
    assert_eq!(names, ["x/2023-11-14/2023-1-7/logs-1-00000000000000000007.gz"]);
    let mut rig = Rig::new(&[old[0], old[1], ("timestamp.source", "event"), HOURS, EVENT]);
    rig.put(hourly(0, &[1, 2])).unwrap();
    rig.flush();
    let names: Vec<String> = rig.objects().into_keys().collect();
    let name = |offset| format!("x/2023-11-14/1970-0-{offset}/logs-0-0000000000000000000{offset}");
    assert_eq!(names, [name(0), name(1)], "each file after its own first record");
}

#[test]
fn many_small_files_end_early_when_memory_is_short() {
    let mut rig = Rig::with_budget(Arc::default(), &[RAW, KEYED_FILES], &[], 20_000);
    for first in 0..300 {
        let key = format!("k{first}");
        rig.put(keyed(0, first, &[Some(&key)])).unwrap();
        assert!(rig.task.buffered_bytes() < 40_000, "{}", rig.task.buffered_bytes());
        rig.decide();
    }
    assert!(rig.objects().len() > 100, "{}", rig.objects().len());
    rig.flush();
    assert_eq!(rig.objects().len(), 300);
}

#[test]
fn bad_records_are_left_out_where_they_may_be_and_fail_the_task_otherwise() {
    let mut bad = keyed(0, 1, &[Some("a")]);
    bad.values = rig::typed(
        lakeward_api::schema::Schema::new(lakeward_api::schema::Kind::String),
        [lakeward_api::value::Value::String("x".into())].into_iter(),
    );
    let mut rig = Rig::new(&[RAW]);
    let error = rig.put(bad.clone()).unwrap_err();
    assert_eq!(error.to_string(), "Record value schema type must be BYTES, STRING given");
    let mut rig = Rig::new(&[RAW, ("errors.deadletterqueue.topic.name", "dlq")]);
    rig.put(keyed(0, 0, &[None])).unwrap();
    rig.put(bad).unwrap();
    rig.put(keyed(0, 2, &[None])).unwrap();
    assert_eq!(rig.rejected(), [1]);
    rig.flush();
    assert_eq!((rig.texts(), rig.durable()), (vec!["logs-0-0=v0\nv2".to_owned()], vec![(0, 3)]));
}

#[test]
fn names_on_gcs_begin_with_their_prefix_and_full_files_end_early() {
    let prefix = ("file.name.prefix", "lake/{{topic}}/");
    let mut rig = Rig::new(&[RAW, ("gcs.bucket.name", "lake"), prefix, ("file.max.bytes", "1000")]);
    rig.put(keyed(0, 0, &[None; 20])).unwrap();
    assert!(rig.decide().is_empty(), "20 records of few bytes are not enough");
    rig.put(keyed(0, 20, &[None; 200])).unwrap();
    rig.put(keyed(1, 0, &[None])).unwrap();
    assert_eq!(rig.decide().len(), 1, "a full file is a cut of its own");
    let names = |rig: &Rig| rig.objects().into_keys().collect::<Vec<_>>();
    assert_eq!(names(&rig), ["lake/{{topic}}/logs-0-0"]);
    assert!(rig.objects()["lake/{{topic}}/logs-0-0"].ends_with(b"v218\nv219"));
    rig.put(keyed(0, 220, &[None])).unwrap();
    rig.flush();
    let all = ["lake/{{topic}}/logs-0-0", "lake/{{topic}}/logs-0-220", "lake/{{topic}}/logs-1-0"];
    assert_eq!(names(&rig), all);
}
