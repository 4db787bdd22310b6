//! Decided cuts: nothing is completed before its decision, and whoever comes next makes the same files.

use std::collections::BTreeMap;

use lakeward_api::config::ConfigMap;
use lakeward_api::cuts::{self, ClockBase, Cut, Decision, Opening, Recorded};
use lakeward_api::record::Position;
use lakeward_api::sink::SinkTask as _;
use lakeward_api::value::Value;

use super::rig::{Rig, dynamic, texts, topic_partitions};

const SCHEDULE: [(&str, &str); 3] =
    [("rotate.schedule.interval.ms", "60000"), ("timezone", "UTC"), ("flush.size", "1000")];

const WALL_CLOCK: [(&str, &str); 6] = [
    ("partitioner.class", "TimeBasedPartitioner"),
    ("path.format", "'minute'=mm"),
    ("partition.duration.ms", "60000"),
    ("locale", "en"),
    ("timezone", "UTC"),
    ("flush.size", "6"),
];

fn names(rig: &Rig) -> Vec<String> {
    rig.objects().into_iter().map(|(name, _)| name).collect()
}

fn decisions(rig: &mut Rig) -> Vec<Decision> {
    let mut decisions = Vec::new();
    rig.task.take_decisions(&mut decisions);
    decisions
}

fn opening(committed: i64, cuts: Vec<Cut>) -> [Opening; 1] {
    [Opening { partition: topic_partitions(&[0]).remove(0), committed: Some(committed), cuts }]
}

#[test]
fn files_are_completed_when_their_decision_is_acknowledged_and_not_before() {
    let mut rig = Rig::new(&SCHEDULE);
    rig.open(&[0]);
    rig.put(0, 0..2);
    rig.work().unwrap();
    rig.now.wall_ms = 60_000;
    rig.work().unwrap();
    let decided = decisions(&mut rig);
    assert_eq!((decided.len(), decided[0].cut.end, decided[0].replaces), (1, 2, false));
    for _ in 0..3 {
        rig.work().unwrap();
    }
    assert!(rig.objects().is_empty() && rig.durable().is_empty());
    assert!(rig.task.buffered_bytes() > 0, "held files count");
    rig.task.decided(&decided[0].partition, 2).unwrap();
    rig.work().unwrap();
    assert_eq!((names(&rig).len(), rig.durable()), (1, vec![(0, 2)]));
    assert_eq!(rig.task.buffered_bytes(), 0);
}

#[test]
fn what_is_not_acknowledged_when_a_partition_goes_is_dropped() {
    let mut rig = Rig::new(&[("s3.part.size", "5242880"), SCHEDULE[0], SCHEDULE[1], SCHEDULE[2]]);
    rig.open(&[0]);
    let long = Value::String("x".repeat(6 << 20).into());
    rig.task.put(dynamic(0, vec![0], vec![long]), rig.now).unwrap();
    rig.work().unwrap();
    rig.now.wall_ms = 60_000;
    rig.work().unwrap();
    let decided = decisions(&mut rig);
    rig.task.close(&topic_partitions(&[0]));
    rig.task.decided(&decided[0].partition, 1).unwrap();
    rig.work().unwrap();
    assert!(rig.objects().is_empty() && rig.task.is_settled(&topic_partitions(&[0])));
    assert_eq!((*rig.store.aborted_count.lock().unwrap(), rig.task.buffered_bytes()), (1, 0));
}

#[test]
fn a_task_that_holds_too_much_has_no_room() {
    let mut rig = Rig::new(&[SCHEDULE[0], SCHEDULE[1], ("flush.size", "1")]);
    rig.open(&[0]);
    rig.put(0, 0..1023);
    assert!(rig.task.no_room().is_none());
    rig.put(0, 1023..1024);
    assert!(rig.task.no_room().is_some());
    rig.acknowledge();
    assert!(rig.task.no_room().is_none());
}

#[test]
fn decided_cuts_are_repeated_whatever_flush_size_and_the_clock_say() {
    let mut rig = Rig::new(&[SCHEDULE[0], SCHEDULE[1], ("flush.size", "4")]);
    rig.now.wall_ms = 1_000_000;
    let cut = |end| Cut { end, clock: Vec::new() };
    rig.task.open_at(&opening(10, vec![cut(13), cut(19)])).unwrap();
    rig.put(0, 10..14);
    rig.now.wall_ms = 9_000_000;
    rig.put(0, 14..25);
    rig.work().unwrap();
    let starts = ["0000000010.json", "0000000013.json"];
    let stored = names(&rig);
    assert!(
        stored.len() == 2 && starts.iter().zip(&stored).all(|(end, name)| name.ends_with(end)),
        "{stored:?}"
    );
    assert_eq!(rig.durable(), [(0, 19)]);
    assert_eq!(decisions(&mut rig)[0].cut.end, 23, "behind them, flush.size counts again");
}

#[test]
fn a_decided_cut_is_made_when_its_end_was_passed_without_a_record() {
    let mut rig = Rig::new(&SCHEDULE);
    let cut = |end| Cut { end, clock: Vec::new() };
    rig.task.open_at(&opening(0, vec![cut(5), cut(8)])).unwrap();
    rig.put(0, [1, 3]);
    rig.work().unwrap();
    assert!(rig.objects().is_empty());
    // Everything up to 9 was compacted away, or is a marker of a transaction.
    let partition = topic_partitions(&[0]).remove(0);
    rig.task.passed(&Position { partition, next_offset: 9 });
    rig.work().unwrap();
    rig.work().unwrap();
    assert_eq!(names(&rig), ["topics/t/partition=0/t+0+0000000001.json"]);
    assert_eq!(rig.durable(), [(0, 9)]);
}

#[test]
fn wall_clock_directories_are_those_of_the_first_time() {
    let mut rig = Rig::new(&WALL_CLOCK);
    rig.open(&[0]);
    rig.put(0, 0..2);
    rig.now.wall_ms = 60_000;
    rig.put(0, 2..4);
    rig.now.wall_ms = 119_000;
    rig.put(0, 4..9);
    let decided = rig.acknowledge();
    let base = |offset, wall_ms| ClockBase { offset, wall_ms };
    assert_eq!(decided[0].cut, Cut { end: 6, clock: vec![base(0, 0), base(2, 60_000)] });
    rig.work().unwrap();
    let stored = rig.objects();
    assert_eq!(stored.len(), 2);

    let mut next = rig.beside(&WALL_CLOCK);
    next.now.wall_ms = 7_000_000;
    next.task.open_at(&opening(0, vec![decided[0].cut.clone()])).unwrap();
    next.put(0, 0..9);
    next.work().unwrap();
    assert_eq!(next.objects(), stored, "the same names and contents");
    assert_eq!(next.durable(), [(0, 6)]);
    next.put(0, 9..12);
    assert_eq!(decisions(&mut next)[0].cut, Cut { end: 12, clock: vec![base(6, 7_000_000)] });
}

#[test]
fn a_clock_that_changes_directories_too_often_ends_the_cut() {
    let mut rig = Rig::new(
        &[WALL_CLOCK[0], WALL_CLOCK[1], WALL_CLOCK[2], WALL_CLOCK[3], WALL_CLOCK[4]]
            .into_iter()
            .chain([("flush.size", "1000")])
            .collect::<Vec<_>>(),
    );
    rig.open(&[0]);
    for offset in 0..40 {
        rig.now.wall_ms = 60_000 * offset;
        rig.put(0, [offset]);
    }
    let decided = rig.acknowledge();
    assert_eq!((decided.len(), decided[0].cut.end, decided[0].cut.clock.len()), (1, 32, 32));
    let (text, count) = cuts::write(&"A".repeat(130), 0, [&decided[0].cut]);
    assert!(count == 1 && text.len() < cuts::METADATA_BYTES_MAX);
}

#[test]
fn records_that_fit_no_decided_file_end_the_repetition() {
    let mut rig = Rig::new(&[("format.class", "AvroFormat"), SCHEDULE[0], SCHEDULE[1], SCHEDULE[2]]);
    rig.task.open_at(&opening(0, vec![Cut { end: 6, clock: Vec::new() }])).unwrap();
    rig.task.put(super::rig::cities(&["a", "b"]), rig.now).unwrap();
    let structs = super::fixture::structs(&[1, 2], &["x", "y"]);
    let mut other = dynamic(0, vec![2, 3], vec![Value::Null; 2]);
    other.values = structs;
    rig.task.put(other, rig.now).unwrap();
    let decided = decisions(&mut rig);
    assert_eq!((decided.len(), decided[0].cut.end, decided[0].replaces), (1, 2, true));
}

/// A small seeded generator (splitmix64).
struct Seeded(u64);

impl Seeded {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % limit
    }

    fn pick(&mut self, choices: &[&'static str]) -> &'static str {
        choices[self.below(choices.len() as u64) as usize]
    }
}

fn settings(random: &mut Seeded) -> Vec<(&'static str, &'static str)> {
    vec![
        ("flush.size", random.pick(&["1", "3", "7", "1000"])),
        ("partitioner.class", random.pick(&["DefaultPartitioner", "TimeBasedPartitioner"])),
        ("path.format", "mm"),
        ("partition.duration.ms", "60000"),
        ("locale", "en"),
        ("timezone", "UTC"),
        ("timestamp.extractor", random.pick(&["Record", "Wallclock", "Wallclock"])),
        ("rotate.interval.ms", random.pick(&["-1", "-1", "50000"])),
        ("rotate.schedule.interval.ms", random.pick(&["30000", "90000"])),
        ("partitioner.max.open.files", random.pick(&["-1", "2"])),
        ("behavior.on.null.values", "ignore"),
    ]
}

/// What the group's coordinator keeps of `t-0`, as text.
#[derive(Default)]
struct Coordinator {
    committed: i64,
    metadata: String,
    cuts: Vec<Cut>,
}

impl Coordinator {
    fn write(&mut self) {
        self.cuts.retain(|cut| cut.end > self.committed);
        let (text, count) = cuts::write("AAA", self.committed, &self.cuts);
        assert_eq!(count, self.cuts.len(), "few are pending here");
        self.metadata = text;
    }

    fn opening(&self) -> [Opening; 1] {
        let cuts = match cuts::parse(self.committed, &self.metadata) {
            Recorded::Cuts { cuts, .. } => cuts,
            Recorded::Nothing => Vec::new(),
            other => panic!("{other:?}"),
        };
        opening(self.committed, cuts)
    }

    /// Takes decisions; the owner may die before it hears of that.
    fn decide(&mut self, rig: &mut Rig, is_heard: bool) {
        let decided = decisions(rig);
        for Decision { cut, replaces, .. } in &decided {
            assert!(!replaces);
            self.cuts.push(cut.clone());
        }
        self.write();
        if let (Some(last), true) = (decided.last(), is_heard) {
            rig.task.decided(&last.partition, last.cut.end).unwrap();
        }
    }

    fn commit(&mut self, rig: &mut Rig) {
        if let Some((_, position)) = rig.durable().pop() {
            self.committed = position;
            self.write();
        }
    }
}

/// One owner's life: from the committed position on, until it dies or everything is committed.
fn live(rig: &mut Rig, coordinator: &mut Coordinator, random: &mut Seeded, is_last: bool) {
    rig.task.open_at(&coordinator.opening()).unwrap();
    let mut next = coordinator.committed;
    for turn in 0.. {
        assert!(turn < 2000, "no end");
        if next < RECORDS {
            let end = (next + 1 + random.below(9) as i64).min(RECORDS);
            let mut batch = texts(0, next..end);
            batch.timestamps_ms = (next..end).map(|offset| Some(offset * 7919 % 200_000)).collect();
            if let lakeward_api::batch::Values::Dynamic(values) = &mut batch.values {
                for (value, offset) in values.iter_mut().zip(next..) {
                    if offset % 11 == 5 {
                        *value = Value::Null;
                    }
                }
            }
            rig.task.put(batch, rig.now).unwrap();
            next = end;
        }
        rig.now.wall_ms += random.below(25_000) as i64;
        if !is_last && random.below(12) == 0 {
            if random.below(2) == 0 {
                coordinator.decide(rig, random.below(2) == 0);
            }
            return;
        }
        if is_last || random.below(3) > 0 {
            coordinator.decide(rig, true);
        }
        rig.work().unwrap();
        if is_last || random.below(3) > 0 {
            coordinator.commit(rig);
        }
        if is_last && next == RECORDS && coordinator.committed == RECORDS {
            return;
        }
    }
}

const RECORDS: i64 = 90;

#[test]
fn every_row_is_stored_once_whoever_dies_and_whenever() {
    let (mut repeated, mut zombies_count) = (0, 0);
    for seed in 0..250 {
        let mut random = Seeded(seed);
        let settings = settings(&mut random);
        let mut coordinator = Coordinator::default();
        let mut rig = Rig::new(&settings);
        let lives = 1 + random.below(5);
        for life in 0..=lives {
            live(&mut rig, &mut coordinator, &mut random, life == lives);
            repeated += usize::from(!coordinator.cuts.is_empty());
            if life < lives {
                let before = rig;
                rig = before.beside(&settings);
                if random.below(2) == 0 {
                    // It was frozen; what it completes now, another owner completes, too.
                    let mut zombie = before;
                    zombie.work().unwrap();
                    zombies_count += 1;
                }
            }
        }
        let mut stored: BTreeMap<i64, usize> = BTreeMap::new();
        for (name, content) in rig.objects() {
            let rows: Vec<i64> =
                content.lines().map(|line| line.trim_matches('"').parse().unwrap()).collect();
            let start: i64 = name.rsplit('+').next().unwrap().trim_end_matches(".json").parse().unwrap();
            assert_eq!(rows[0], start, "seed {seed}: {name}");
            for row in rows {
                *stored.entry(row).or_default() += 1;
            }
        }
        let expected = (0..RECORDS).filter(|offset| offset % 11 != 5).map(|offset| (offset, 1)).collect();
        assert_eq!(stored, expected, "seed {seed}: {settings:?}");
    }
    assert!(repeated > 100 && zombies_count > 100, "{repeated} {zombies_count}: too little happened");
}

#[test]
fn the_fingerprint_is_short_enough_for_many_cuts() {
    let rig = Rig::new(&SCHEDULE);
    let text = rig.task.fingerprint().unwrap().text();
    assert!(text.len() < 200 && !text.contains(';'), "{text}");
    assert_ne!(ConfigMap::new().len(), text.len());
}
