//! The rows of the Java sink's rotation rules, one by one.

mod model;

use super::*;
use crate::s3::partitioner::zone::Zone;
use lakeward_api::schema::Kind;

const HOUR_MS: i64 = 3_600_000;

/// A topic-partition whose operations are shown as short texts.
struct Rig {
    rotation: Rotation,
    next_offset: i64,
    names: HashMap<PartId, String>,
    /// What ended parts, cut by cut.
    ends: Vec<FileEnd>,
}

impl Rig {
    fn new(settings: RotationSettings) -> Self {
        Self {
            rotation: Rotation::new(Arc::new(settings)),
            next_offset: 0,
            names: HashMap::new(),
            ends: Vec::new(),
        }
    }

    /// Puts rows of (encoded partition, time); `open a@0`, `a 0 1`, `cut 2` are operations over offsets.
    fn put_at(&mut self, now_ms: i64, schema: Option<&Arc<Schema>>, rows: &[(&str, i64)]) -> Vec<String> {
        let mut names: Vec<Arc<str>> = Vec::new();
        let mut ids = Vec::new();
        for (name, _) in rows {
            let known = names.iter().position(|known| &**known == *name);
            ids.push(known.unwrap_or(names.len()) as u32);
            if known.is_none() {
                names.push((*name).into());
            }
        }
        let ids = if names.len() == 1 { Ids::Uniform } else { Ids::PerRow(ids) };
        let times = Times::PerRow(rows.iter().map(|(_, time)| *time).collect());
        self.put_encoded(now_ms, schema, rows.len(), Encoded { names, ids, times })
    }

    fn put_encoded(
        &mut self,
        now_ms: i64,
        schema: Option<&Arc<Schema>>,
        rows: usize,
        encoded: Encoded,
    ) -> Vec<String> {
        let offsets: Vec<i64> = (self.next_offset..).take(rows).collect();
        self.next_offset += rows as i64;
        let mut ops = Vec::new();
        let view = BatchView { offsets: &offsets, encoded: &encoded, schema, may_refuse: false };
        let end = self.rotation.put(view, 0, now_ms, &mut ops);
        assert_eq!(end, rows);
        ops.iter().map(|op| self.show(op, &offsets)).collect()
    }

    fn put(&mut self, rows: &[(&str, i64)]) -> Vec<String> {
        self.put_at(0, None, rows)
    }

    fn tick(&mut self, now_ms: i64) -> Vec<String> {
        let mut ops = Vec::new();
        self.rotation.tick(now_ms, &mut ops);
        ops.iter().map(|op| self.show(op, &[])).collect()
    }

    fn show(&mut self, op: &Op, offsets: &[i64]) -> String {
        match op {
            Op::Open { part, encoded_partition, start_offset } => {
                self.names.insert(*part, encoded_partition.to_string());
                format!("open {encoded_partition}@{start_offset}")
            }
            Op::Refuse { rows } => format!("refused {}", shown(rows, offsets)),
            Op::Rest { parts, end } => {
                self.ends.push(*end);
                let names: Vec<&str> = parts.iter().map(|part| &*self.names[part]).collect();
                format!("rest {}", names.join(" "))
            }
            Op::Rotate { next_offset, end } => {
                self.ends.push(*end);
                format!("cut {next_offset}")
            }
            Op::Write { part, rows } => format!("{} {}", self.names[part], shown(rows, offsets)),
        }
    }
}

fn shown(rows: &Rows, offsets: &[i64]) -> String {
    let rows: Vec<usize> = match rows {
        Rows::Indices(rows) => rows.iter().map(|row| *row as usize).collect(),
        Rows::Range { start, rows } => (*start..start + rows).collect(),
    };
    let rows: Vec<String> = rows.iter().map(|row| offsets[*row].to_string()).collect();
    rows.join(" ")
}

fn flush(flush_records: u64) -> RotationSettings {
    RotationSettings {
        flush_records,
        interval: None,
        schedule: None,
        groups: None,
        open_parts_max: None,
        tombstone_partition: None,
        compatibility: Compatibility::None,
    }
}

fn interval(interval_ms: i64, on_partition_change: PartitionChange) -> RotationSettings {
    RotationSettings { interval: Some(Interval { interval_ms, on_partition_change }), ..flush(1000) }
}

#[test]
fn flush_size_counts_over_all_open_parts() {
    let mut rig = Rig::new(flush(3));
    assert_eq!(
        rig.put(&[("a", 0), ("b", 0), ("a", 0), ("b", 0)]),
        ["open a@0", "open b@1", "a 0 2", "b 1", "cut 3", "open b@3", "b 3"]
    );
    assert_eq!(rig.put(&[("a", 0), ("b", 0)]), ["open a@4", "b 5", "a 4", "cut 6"]);
    assert!(rig.rotation.is_empty());
}

#[test]
fn a_whole_batch_is_one_write_when_nothing_can_split_it() {
    let mut rig = Rig::new(flush(4));
    let encoded = |times| Encoded { names: vec!["p".into()], ids: Ids::Uniform, times };
    assert_eq!(rig.put_encoded(0, None, 3, encoded(Times::None)), ["open p@0", "p 0 1 2"]);
    assert_eq!(
        rig.put_encoded(0, None, 6, encoded(Times::Uniform(5))),
        ["p 3", "cut 4", "open p@4", "p 4 5 6 7", "cut 8", "open p@8", "p 8"]
    );
}

#[test]
fn flush_size_one_cuts_after_every_record() {
    let mut rig = Rig::new(flush(1));
    assert_eq!(rig.put(&[("a", 0), ("b", 0)]), ["open a@0", "a 0", "cut 1", "open b@1", "b 1", "cut 2"]);
}

#[test]
fn the_record_that_triggers_the_interval_opens_the_next_part() {
    let mut rig = Rig::new(interval(10, PartitionChange::Rotate));
    assert_eq!(
        rig.put(&[("a", 100), ("a", 109), ("a", 110), ("a", 119), ("a", 120)]),
        ["open a@0", "a 0 1", "cut 2", "open a@2", "a 2 3", "cut 4", "open a@4", "a 4"]
    );
    assert_eq!(rig.put(&[("a", 129)]), ["a 5"]);
    assert_eq!(rig.put(&[("a", 130)]), ["cut 6", "open a@6", "a 6"]);
}

#[test]
fn backward_time_never_triggers_the_interval() {
    let mut rig = Rig::new(interval(10, PartitionChange::Keep));
    assert_eq!(rig.put(&[("a", 100), ("b", i64::MIN), ("a", 109)]), ["open a@0", "open b@1", "a 0 2", "b 1"]);
}

#[test]
fn a_partition_change_rotates_only_when_asked_to() {
    let rows = [("a", 0), ("b", 1), ("b", 2), ("a", 3)];
    let mut rotating = Rig::new(interval(1000, PartitionChange::Rotate));
    assert_eq!(
        rotating.put(&rows),
        ["open a@0", "a 0", "cut 1", "open b@1", "b 1 2", "cut 3", "open a@3", "a 3"]
    );
    assert_eq!(rotating.put(&[("a", 4)]), ["a 4"]);
    assert_eq!(rotating.put(&[("b", 5)]), ["cut 5", "open b@5", "b 5"]);
    let mut keeping = Rig::new(interval(1000, PartitionChange::Keep));
    assert_eq!(keeping.put(&rows), ["open a@0", "open b@1", "a 0 3", "b 1 2"]);
    let mut without_interval = Rig::new(flush(1000));
    assert_eq!(without_interval.put(&rows), ["open a@0", "open b@1", "a 0 3", "b 1 2"]);
}

#[test]
fn wallclock_time_rotates_between_batches() {
    let mut rig = Rig::new(interval(10, PartitionChange::Rotate));
    let encoded = |time| Encoded { names: vec!["p".into()], ids: Ids::Uniform, times: Times::Uniform(time) };
    assert_eq!(rig.put_encoded(0, None, 2, encoded(0)), ["open p@0", "p 0 1"]);
    assert_eq!(rig.put_encoded(9, None, 1, encoded(9)), ["p 2"]);
    assert_eq!(rig.put_encoded(10, None, 1, encoded(10)), ["cut 3", "open p@3", "p 3"]);
}

/// A STRUCT of a version with one field of its own.
fn version(version: i32) -> Arc<Schema> {
    let field = lakeward_api::schema::Field {
        name: format!("f{version}").into(),
        schema: Arc::new(Schema::optional(Kind::String)),
    };
    Arc::new(Schema { version: Some(version), ..Schema::new(Kind::Struct(vec![field])) })
}

#[test]
fn backward_rotates_at_newer_records_and_keeps_older_ones() {
    let mut rig = Rig::new(RotationSettings { compatibility: Compatibility::Backward, ..flush(1000) });
    let (old, new) = (version(1), version(2));
    assert_eq!(rig.put_at(0, Some(&old), &[("a", 0)]), ["open a@0", "a 0"]);
    assert_eq!(rig.put_at(0, Some(&new), &[("a", 0)]), ["cut 1", "open a@1", "a 1"]);
    // Otherwise records of two producers that take turns would each have a file of their own.
    assert_eq!(rig.put_at(0, Some(&old), &[("a", 0), ("a", 0)]), ["a 2 3"]);
    assert_eq!(rig.put_at(0, None, &[("a", 0)]), ["cut 4", "open a@4", "a 4"]);
}

#[test]
fn records_that_cannot_be_judged_are_refused_and_count_nothing() {
    let mut rig = Rig::new(RotationSettings { compatibility: Compatibility::Full, ..flush(3) });
    let bare = Arc::new(Schema::new(Kind::String));
    assert_eq!(rig.put_at(0, Some(&version(1)), &[("a", 0)]), ["open a@0", "a 0"]);
    assert_eq!(rig.put_at(0, Some(&bare), &[("a", 0), ("a", 0)]), ["refused 1 2"]);
    assert_eq!(rig.put_at(0, Some(&bare), &[("b", 0), ("a", 0)]), ["open b@3", "refused 4", "b 3"]);
    assert_eq!(rig.put_at(0, Some(&version(1)), &[("a", 0)]), ["a 5", "cut 6"]);
}

#[test]
fn a_schema_change_rotates_when_its_own_part_is_open() {
    let one = Arc::new(Schema::new(Kind::String));
    let same = Arc::new(Schema::new(Kind::String));
    let other = Arc::new(Schema::new(Kind::Int64));
    let mut rig = Rig::new(flush(1000));
    assert_eq!(rig.put_at(0, Some(&one), &[("a", 0)]), ["open a@0", "a 0"]);
    assert_eq!(rig.put_at(0, Some(&same), &[("a", 0)]), ["a 1"]);
    // Another encoded partition has no part with the old schema, so nothing rotates.
    assert_eq!(rig.put_at(0, Some(&other), &[("b", 0)]), ["open b@2", "b 2"]);
    assert_eq!(rig.put_at(0, Some(&other), &[("a", 0)]), ["cut 3", "open a@3", "a 3"]);
    assert_eq!(rig.put_at(0, None, &[("a", 0)]), ["cut 4", "open a@4", "a 4"]);
    assert_eq!(rig.put_at(0, Some(&one), &[("a", 0)]), ["cut 5", "open a@5", "a 5"]);
}

#[test]
fn the_open_file_limit_rotates_before_a_new_part() {
    let mut rig = Rig::new(RotationSettings { open_parts_max: Some(2), ..flush(1000) });
    assert_eq!(
        rig.put(&[("a", 0), ("b", 0), ("a", 0), ("c", 0), ("a", 0)]),
        ["open a@0", "open b@1", "a 0 2", "b 1", "cut 3", "open c@3", "open a@4", "c 3", "a 4"]
    );
}

#[test]
fn the_schedule_strikes_without_records_and_rearms_silently() {
    let schedule = Schedule { interval_ms: HOUR_MS, zone: Zone::Fixed { offset_ms: 0 } };
    let mut rig = Rig::new(RotationSettings { schedule: Some(schedule), ..flush(1000) });
    assert!(rig.tick(0).is_empty());
    assert!(rig.tick(HOUR_MS).is_empty(), "nothing to rotate, armed again");
    assert_eq!(rig.put_at(HOUR_MS + 1, None, &[("a", 0)]), ["open a@0", "a 0"]);
    assert!(rig.tick(2 * HOUR_MS - 1).is_empty());
    assert_eq!(rig.tick(2 * HOUR_MS), ["cut 1"]);
    assert!(rig.tick(2 * HOUR_MS + 1).is_empty());
    assert_eq!(rig.put_at(2 * HOUR_MS + 2, None, &[("a", 0)]), ["open a@1", "a 1"]);
    // A due schedule strikes before the first row of a batch.
    assert_eq!(rig.put_at(3 * HOUR_MS, None, &[("a", 0)]), ["cut 2", "open a@2", "a 2"]);
}

#[test]
fn skipped_offsets_do_not_move_a_cut_beyond_the_last_written_record() {
    let mut rig = Rig::new(flush(2));
    assert_eq!(rig.put(&[("a", 0)]), ["open a@0", "a 0"]);
    rig.next_offset = 100;
    assert_eq!(rig.put(&[("a", 0)]), ["a 100", "cut 101"]);
}

#[test]
fn every_cut_says_what_ended_its_files() {
    let ends = |settings: RotationSettings, rows: &[(&str, i64)]| {
        let mut rig = Rig::new(settings);
        rig.put(rows);
        rig.ends
    };
    assert_eq!(ends(flush(2), &[("a", 0), ("a", 0)]), [FileEnd::Records]);
    let by_time = interval(10, PartitionChange::Rotate);
    assert_eq!(ends(by_time.clone(), &[("a", 0), ("a", 10)]), [FileEnd::Interval]);
    assert_eq!(ends(by_time, &[("a", 0), ("b", 1)]), [FileEnd::PartitionChange]);
    let few = RotationSettings { open_parts_max: Some(1), ..flush(9) };
    assert_eq!(ends(few, &[("a", 0), ("b", 0)]), [FileEnd::OpenFiles]);
    let mut rig = Rig::new(flush(9));
    rig.put_at(0, Some(&version(1)), &[("a", 0)]);
    rig.put_at(0, Some(&version(2)), &[("a", 0)]);
    let mut ops = Vec::new();
    rig.rotation.cut_now(FileEnd::Memory, &mut ops);
    ops.iter().for_each(|op| drop(rig.show(op, &[])));
    assert_eq!(rig.ends, [FileEnd::SchemaChange, FileEnd::Memory]);
    let schedule = Schedule { interval_ms: HOUR_MS, zone: Zone::Fixed { offset_ms: 0 } };
    let mut rig = Rig::new(RotationSettings { schedule: Some(schedule), ..flush(9) });
    rig.put(&[("a", 0)]);
    rig.tick(HOUR_MS);
    assert_eq!(rig.ends, [FileEnd::Schedule]);
}

#[test]
fn full_parts_that_rest_say_so_before_the_cut() {
    let groups = Groups { records_max: Some(1), shares_head: true, on_full: OnFull::Detach };
    let mut rig = Rig::new(RotationSettings { groups: Some(groups), ..flush(9) });
    let rows = [("a", 0), ("a", 0)];
    assert_eq!(rig.put(&rows), ["open a@0", "a 0", "rest a", "open a@1", "a 1"]);
    assert_eq!(rig.put_at(0, Some(&version(1)), &[("a", 0)]), ["rest a", "open a@2", "a 2"]);
    assert_eq!(rig.ends, [FileEnd::Records, FileEnd::Records]);
}
