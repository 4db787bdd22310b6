//! Partitions whose next owner goes on with open files: names and contents are those of an undisturbed task.

use lakeward_api::batch::SinkBatch;
use lakeward_api::cuts::{Cut, Opening};
use lakeward_api::handover::OpenState;
use lakeward_api::sink::SinkTask as _;
use lakeward_api::value::Value;

use super::companions::{numbered, text_keys};
use super::rig::{Failure, Mood, Rig, cities, dynamic, topic_partitions};

const ON: (&str, &str) = ("lakeward.handover.ms", "60000");
const LARGE: [(&str, &str); 3] = [ON, ("s3.part.size", "5242880"), ("flush.size", "3")];

fn opening(committed: i64) -> Opening {
    let partition = topic_partitions(&[0]).remove(0);
    Opening { partition, committed: Some(committed), cuts: Vec::new() }
}

/// As a pipeline does when a partition is revoked.
fn part_with(rig: &mut Rig) -> Option<Box<dyn OpenState>> {
    let partitions = topic_partitions(&[0]);
    let state = rig.task.part_with(&partitions[0]);
    rig.task.close(&partitions);
    state
}

fn large(offset: i64) -> SinkBatch {
    let letter = char::from(b'a' + u8::try_from(offset).unwrap());
    dynamic(0, vec![offset], vec![Value::String(letter.to_string().repeat(6 << 20).into())])
}

#[test]
fn an_owner_goes_on_behind_the_last_record_of_the_one_before() {
    let mut rig = Rig::new(&[ON]);
    rig.open(&[0]);
    rig.put(0, 0..5);
    let state = part_with(&mut rig).unwrap();
    assert_eq!((state.since(), state.next_offset()), (Some(3), 5));
    assert!(rig.task.buffered_bytes() == 0 && state.bytes() > 0 && state.is_sound());
    rig.turn().unwrap();
    assert_eq!(rig.durable(), [(0, 3)]);
    assert!(rig.task.is_settled(&topic_partitions(&[0])));
    let mut next = rig.beside(&[ON]);
    next.task.adopt(&opening(3), state).unwrap();
    assert!(next.task.buffered_bytes() > 0);
    next.put(0, 5..7);
    next.turn().unwrap();
    assert_eq!(next.durable(), [(0, 6)]);
    assert_eq!(next.objects()[1].1, "\"3\"\n\"4\"\n\"5\"\n");
    assert_eq!(next.task.hands_over(), Some(std::time::Duration::from_mins(1)));
    assert_eq!(Rig::new(&[]).task.hands_over(), None);
}

#[test]
fn an_upload_goes_on_when_the_task_that_began_it_is_gone() {
    let mut rig = Rig::new(&LARGE);
    rig.open(&[0]);
    rig.task.put(large(0), rig.now).unwrap();
    rig.task.put(large(1), rig.now).unwrap();
    rig.turn().unwrap();
    let state = part_with(&mut rig).unwrap();
    assert!(rig.task.is_settled(&topic_partitions(&[0])), "an upload without an owner is not waited for");
    rig.task.stop();
    rig.run_bridge();
    let mut next = rig.beside(&LARGE);
    next.task.adopt(&opening(0), state).unwrap();
    next.task.put(large(2), next.now).unwrap();
    rig.run_bridge();
    next.turn().unwrap();
    rig.run_bridge();
    next.turn().unwrap();
    assert_eq!((next.durable(), *rig.store.aborted_count.lock().unwrap()), (vec![(0, 3)], 0));
    let [(_, content)] = &next.objects()[..] else { panic!("one object") };
    assert_eq!(content.len(), 3 * ((6 << 20) + 3));
    assert_eq!((next.in_flight.used_bytes(), next.task.buffered_bytes()), (0, 0));
}

#[test]
fn what_is_given_up_is_aborted() {
    let mut rig = Rig::new(&LARGE);
    rig.open(&[0]);
    rig.task.put(large(0), rig.now).unwrap();
    rig.turn().unwrap();
    let state = part_with(&mut rig).unwrap();
    rig.block_on(state.give_up());
    assert_eq!(*rig.store.aborted_count.lock().unwrap(), 1);
    assert!(rig.objects().is_empty() && rig.in_flight.used_bytes() == 0);
}

#[test]
fn an_upload_that_fails_without_an_owner_is_not_sound() {
    let mut rig = Rig::new(&LARGE);
    rig.open(&[0]);
    rig.task.put(large(0), rig.now).unwrap();
    rig.set_mood(Mood::Failing(Failure::Denied));
    let state = part_with(&mut rig).unwrap();
    assert!(state.is_sound());
    rig.run_bridge();
    assert!(!state.is_sound());
    rig.work().unwrap();
    // Whoever takes it all the same is told.
    rig.task.adopt(&opening(0), state).unwrap();
    rig.work().unwrap_err();
}

#[test]
fn an_upload_that_failed_before_its_partition_went_is_told_to_its_task() {
    let mut rig = Rig::new(&LARGE);
    rig.open(&[0]);
    rig.task.put(large(0), rig.now).unwrap();
    rig.set_mood(Mood::Failing(Failure::Denied));
    rig.run_bridge();
    assert!(part_with(&mut rig).is_none());
    // Nobody depends on it any more.
    rig.work().unwrap();
    assert!(rig.task.is_settled(&topic_partitions(&[0])));
}

#[test]
fn nothing_goes_over_that_another_owner_would_cut_elsewhere() {
    let schedule = [ON, ("rotate.schedule.interval.ms", "60000"), ("timezone", "UTC"), ("flush.size", "4")];
    let mut rig = Rig::new(&schedule);
    rig.task.open_at(&[Opening { cuts: vec![Cut { end: 9, clock: Vec::new() }], ..opening(0) }]).unwrap();
    rig.put(0, 0..3);
    assert!(part_with(&mut rig).is_none(), "a decided cut is repeated");
    rig.open(&[0]);
    rig.put(0, 0..6);
    assert!(part_with(&mut rig).is_none(), "a cut waits for its acknowledgement");
    assert_eq!(rig.task.buffered_bytes(), 0);
    rig.open(&[0]);
    rig.put(0, 0..4);
    rig.acknowledge();
    assert!(part_with(&mut rig).is_none(), "nothing is open");
    rig.open(&[0]);
    rig.put(0, 4..6);
    assert!(part_with(&mut rig).is_some());
    let mut off = Rig::new(&[]);
    off.open(&[0]);
    off.put(0, 0..2);
    assert!(part_with(&mut off).is_none(), "nobody asked for it");
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
        choices[usize::try_from(self.below(choices.len() as u64)).unwrap()]
    }
}

fn settings(random: &mut Seeded) -> Vec<(&'static str, &'static str)> {
    let mut settings = vec![
        ON,
        ("flush.size", random.pick(&["2", "7", "40", "1000"])),
        ("path.format", "mm"),
        ("partition.duration.ms", "60000"),
        ("locale", "en"),
        ("timezone", "UTC"),
        ("timestamp.extractor", random.pick(&["Record", "Wallclock"])),
        ("rotate.interval.ms", random.pick(&["-1", "90000"])),
        ("rotate.schedule.interval.ms", random.pick(&["-1", "-1", "100000"])),
        ("partitioner.max.open.files", random.pick(&["-1", "3"])),
        ("behavior.on.null.values", "ignore"),
        ("lakeward.schema.evolution", random.pick(&["none", "none", "merge"])),
    ];
    match random.below(3) {
        0 => settings.push(("partitioner.class", "TimeBasedPartitioner")),
        1 => settings.extend([("partitioner.class", "FieldPartitioner"), ("partition.field.name", "city")]),
        _ => {}
    }
    if random.below(3) == 0 {
        settings.extend([
            ("store.kafka.keys", "true"),
            ("keys.format.class", "JsonFormat"),
            ("store.kafka.headers", "true"),
            ("headers.format.class", "AvroFormat"),
        ]);
    }
    settings
}

/// The next records of a topic: structs of cities, with gaps.
fn records(random: &mut Seeded, next: &mut i64) -> SinkBatch {
    let names: Vec<&str> =
        (0..1 + random.below(40)).map(|_| random.pick(&["Oslo", "Rome", "Bern", "Lima"])).collect();
    let mut batch = cities(&names);
    for offset in &mut batch.offsets {
        *next += 1 + i64::from(random.below(9) == 0) * 20;
        *offset = *next - 1;
    }
    let times = batch.offsets.iter().map(|offset| Some(offset * 1000));
    batch.timestamps_ms = times.collect();
    let keys: Vec<String> = batch.offsets.iter().map(|offset| format!("k{offset}")).collect();
    let keys: Vec<Option<&str>> = keys.iter().map(|key| Some(key.as_str())).collect();
    SinkBatch { keys: text_keys(&keys), headers: numbered(&batch.offsets), ..batch }
}

/// Until a file that is whole is stored.
const TURNS: usize = 3;

/// Tasks over one store, one of which owns the partition.
struct Owners {
    rigs: Vec<Rig>,
    owner: usize,
    /// Where the owner began.
    begin: i64,
    committed: i64,
}

impl Owners {
    fn new(settings: &[(&str, &str)], count: usize) -> Self {
        let mut rigs = vec![Rig::new(settings)];
        for _ in 1..count {
            rigs.push(rigs[0].beside(settings));
        }
        rigs[0].task.open_at(&[opening(0)]).unwrap();
        Self { rigs, owner: 0, begin: 0, committed: 0 }
    }

    fn owner(&mut self) -> &mut Rig {
        &mut self.rigs[self.owner]
    }

    /// Lets all that is on its way arrive: files that ended are encoded a piece per turn.
    fn turn(&mut self) {
        let mut left = TURNS;
        while left > 0 {
            self.rigs.iter().for_each(Rig::run_bridge);
            self.rigs.iter_mut().for_each(|rig| rig.turn().unwrap());
            let is_finished = self.rigs.iter().all(|rig| rig.task.finishing.len() == 0);
            left = if is_finished { left - 1 } else { TURNS };
        }
        let durable = self.owner().durable();
        self.committed = durable.last().map_or(self.committed, |(_, next)| *next);
    }

    /// Gives the partition to another task, or the same; false when nothing went over.
    fn rebalance(&mut self, random: &mut Seeded) -> bool {
        let now = self.owner().now;
        let state = part_with(self.owner());
        self.turn();
        self.owner = usize::try_from(random.below(self.rigs.len() as u64)).unwrap();
        let committed = self.committed;
        self.owner().now = now;
        let begin = std::mem::replace(&mut self.begin, committed);
        let Some(state) = state else {
            self.owner().task.open_at(&[opening(committed)]).unwrap();
            return false;
        };
        assert_eq!(state.since().unwrap_or(begin), committed);
        self.owner().task.adopt(&opening(committed), state).unwrap();
        true
    }
}

#[test]
fn objects_are_those_of_a_task_that_nobody_disturbed() {
    let (mut moves, mut objects) = (0, 0);
    for seed in 0..120 {
        let mut random = Seeded(seed);
        let settings = settings(&mut random);
        let mut calm = Owners::new(&settings, 1);
        let mut moved = Owners::new(&settings, 3);
        let mut next = 0;
        for _ in 0..20 {
            let batch = records(&mut random, &mut next);
            let wall_ms = i64::try_from(random.below(40_000)).unwrap();
            for owners in [&mut calm, &mut moved] {
                let rig = owners.owner();
                rig.now.wall_ms += wall_ms;
                let now = rig.now;
                rig.task.put(batch.clone(), now).unwrap();
                owners.turn();
            }
            assert_eq!(moved.committed, calm.committed, "seed {seed}: {settings:?}");
            if random.below(3) == 0 {
                moves += usize::from(moved.rebalance(&mut random));
            }
        }
        let expected = calm.owner().objects();
        objects += expected.len();
        assert_eq!(moved.owner().objects(), expected, "seed {seed}: {settings:?}");
    }
    assert!(moves > 300 && objects > 500, "{moves} moves, {objects} objects: too little was tested");
}
