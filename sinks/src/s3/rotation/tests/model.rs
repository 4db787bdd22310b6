//! A model that takes one record at a time and knows only the rules, against the real state machine, and
//! rules about whole files.

use std::sync::Arc;

use lakeward_api::schema::{Kind, Schema};

use crate::s3::compatibility::Compatibility;
use crate::s3::partitioner::zone::Zone;
use crate::s3::partitioner::{Encoded, Ids, Times};
use crate::s3::rotation::{
    BatchView, Interval, Op, PartId, PartitionChange, Refusals, Rotation, RotationSettings, Rows, Schedule,
};

const HOUR_MS: i64 = 3_600_000;

/// A closed file: its encoded partition, its first offset and all its offsets.
type File = (String, i64, Vec<i64>);

/// The files that were closed together, and the position behind them.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Cut {
    files: Vec<File>,
    next_offset: i64,
}

/// Carries operations out as the task does.
struct Files {
    rotation: Rotation,
    open: Vec<(PartId, File)>,
    cuts: Vec<Cut>,
    /// Offsets of records that no file takes; `None` when files take everything.
    refused: Option<Vec<i64>>,
}

impl Files {
    fn new(settings: RotationSettings) -> Self {
        let rotation = Rotation::new(Arc::new(settings));
        Self { rotation, open: Vec::new(), cuts: Vec::new(), refused: None }
    }

    fn put(&mut self, offsets: &[i64], encoded: &Encoded, schema: Option<&Arc<Schema>>, now_ms: i64) {
        let may_refuse = self.refused.is_some();
        let view = BatchView { offsets, encoded, schema, may_refuse };
        let mut row = 0;
        while row < offsets.len() {
            let mut ops = Vec::new();
            row = self.rotation.put(view, row, now_ms, &mut ops);
            let refusals = self.carry_out(ops, offsets);
            if may_refuse {
                let mut ops = Vec::new();
                let emptied = self.rotation.settle(view, row, &refusals, &mut ops);
                self.open.retain(|(id, _)| !emptied.contains(id));
                self.carry_out(ops, offsets);
            }
            assert!(may_refuse || row == offsets.len());
        }
        assert_eq!(self.rotation.is_empty(), self.open.is_empty());
    }

    fn tick(&mut self, now_ms: i64) {
        let mut ops = Vec::new();
        self.rotation.tick(now_ms, &mut ops);
        self.carry_out(ops, &[]);
        assert_eq!(self.rotation.is_empty(), self.open.is_empty());
    }

    fn carry_out(&mut self, ops: Vec<Op>, offsets: &[i64]) -> Refusals {
        let mut refusals = Refusals::default();
        for op in ops {
            match op {
                Op::Open { part, encoded_partition, start_offset } => {
                    assert!(self.open.iter().all(|(id, _)| *id != part), "a part id came twice");
                    self.open.push((part, (encoded_partition.to_string(), start_offset, Vec::new())));
                }
                Op::Refuse { .. } => panic!("every schema of this model can be judged"),
                Op::Rest { .. } => panic!("no part of this model is full"),
                Op::Rotate { next_offset, .. } => {
                    let files = self.open.drain(..).map(|(_, file)| file).collect();
                    self.cuts.push(Cut { files, next_offset });
                }
                Op::Write { part, rows } => {
                    let (_, file) = self.open.iter_mut().find(|(id, _)| *id == part).unwrap();
                    let rows: Vec<u32> = match rows {
                        Rows::Indices(rows) => rows,
                        Rows::Range { start, rows } => (start as u32..).take(rows).collect(),
                    };
                    let offset = |row: &u32| offsets[*row as usize];
                    let known = self.refused.as_deref().unwrap_or_default();
                    let takes = |row: &u32| known.binary_search(&offset(row)).is_err();
                    let (taken, refused): (Vec<u32>, Vec<u32>) = rows.into_iter().partition(takes);
                    file.2.extend(taken.iter().map(offset));
                    refusals.add(part, refused);
                }
            }
        }
        refusals
    }
}

/// What a time-based partitioner answers for `rows` of (encoded partition, time).
fn encode(rows: &[(&str, i64)]) -> Encoded {
    let mut names: Vec<Arc<str>> = Vec::new();
    let mut ids = Vec::new();
    for (name, _) in rows {
        let known = names.iter().position(|known| **known == **name);
        ids.push(known.unwrap_or(names.len()) as u32);
        if known.is_none() {
            names.push((*name).into());
        }
    }
    let ids = if names.len() == 1 { Ids::Uniform } else { Ids::PerRow(ids) };
    Encoded { names, ids, times: Times::PerRow(rows.iter().map(|(_, time)| *time).collect()) }
}

fn settings(flush_records: u64) -> RotationSettings {
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

/// The rules as they are written down: row by row, no columns, no caches.
struct Model {
    settings: RotationSettings,
    open: Vec<(File, Option<Arc<Schema>>)>,
    record_count: u64,
    base_time: Option<i64>,
    last_name: Option<String>,
    last_offset: i64,
    next_strike: Option<i64>,
    cuts: Vec<Cut>,
}

/// One record as the model sees it.
struct Record<'a> {
    offset: i64,
    name: &'a str,
    time: Option<i64>,
    schema: Option<&'a Arc<Schema>>,
    /// No file takes it.
    is_refused: bool,
}

impl Model {
    fn new(settings: RotationSettings) -> Self {
        Self {
            settings,
            open: Vec::new(),
            record_count: 0,
            base_time: None,
            last_name: None,
            last_offset: -1,
            next_strike: None,
            cuts: Vec::new(),
        }
    }

    fn tick(&mut self, now_ms: i64) {
        let Some(schedule) = self.settings.schedule else { return };
        if self.next_strike.is_some_and(|strike| now_ms < strike) {
            return;
        }
        if self.next_strike.is_some() && self.record_count > 0 {
            self.rotate();
        }
        // Days of UTC, interval by interval.
        let midnight = now_ms.div_euclid(24 * HOUR_MS) * 24 * HOUR_MS;
        let mut strike = midnight;
        while strike <= now_ms {
            strike += schedule.interval_ms;
        }
        self.next_strike = Some(strike.min(midnight + 24 * HOUR_MS));
    }

    fn put(&mut self, record: &Record<'_>, now_ms: i64) {
        self.tick(now_ms);
        let known = |model: &Self| model.open.iter().position(|(file, _)| file.0 == record.name);
        let mixes = |one: &Option<Arc<Schema>>| one.is_some() != record.schema.is_some();
        if known(self).is_some_and(|at| mixes(&self.open[at].1)) {
            self.rotate();
        }
        if self.ends_interval(record) {
            self.rotate();
        }
        if known(self).is_some_and(|at| self.open[at].1.as_ref() != record.schema) {
            self.rotate();
        }
        if known(self).is_none() && self.settings.open_parts_max.is_some_and(|max| self.open.len() >= max) {
            self.rotate();
        }
        self.last_offset = record.offset;
        if record.is_refused {
            return;
        }
        if self.settings.interval.is_some() && self.base_time.is_none() {
            self.base_time = record.time;
        }
        let at = known(self).unwrap_or_else(|| {
            let file = (record.name.to_owned(), record.offset, Vec::new());
            self.open.push((file, record.schema.map(Arc::clone)));
            self.open.len() - 1
        });
        self.open[at].0.2.push(record.offset);
        self.last_name = Some(record.name.to_owned());
        self.record_count += 1;
        if self.record_count >= self.settings.flush_records {
            self.rotate();
        }
    }

    fn ends_interval(&self, record: &Record<'_>) -> bool {
        let (Some(interval), Some(time)) = (self.settings.interval, record.time) else { return false };
        let late_enough = self.base_time.is_some_and(|base| time - base >= interval.interval_ms);
        let changes = interval.on_partition_change == PartitionChange::Rotate
            && self.last_name.as_deref().is_some_and(|last| last != record.name);
        self.record_count > 0 && (late_enough || changes)
    }

    fn rotate(&mut self) {
        let files = self.open.drain(..).map(|(file, _)| file).collect();
        self.cuts.push(Cut { files, next_offset: self.last_offset + 1 });
        self.record_count = 0;
        self.base_time = None;
    }
}

/// A seeded generator (splitmix64).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    fn number(&mut self, below: u64) -> i64 {
        self.below(below) as i64
    }
}

fn random_settings(random: &mut Random) -> RotationSettings {
    let on_partition_change = if random.chance(50) { PartitionChange::Rotate } else { PartitionChange::Keep };
    let interval = Interval { interval_ms: 1 + random.number(200), on_partition_change };
    let zone = Zone::parse("UTC").unwrap();
    let schedule = Schedule { interval_ms: 1 + random.number(30 * 24) * HOUR_MS / 24, zone };
    let flush_limit = if random.chance(30) { 5 } else { 100 };
    RotationSettings {
        flush_records: 1 + random.below(flush_limit),
        interval: random.chance(50).then_some(interval),
        // Intervals of milliseconds would only make the model slow.
        schedule: random.chance(40).then_some(schedule).filter(|one| one.interval_ms > HOUR_MS / 24),
        groups: None,
        open_parts_max: random.chance(30).then(|| 1 + random.below(4) as usize),
        tombstone_partition: None,
        compatibility: Compatibility::None,
    }
}

fn random_batch(random: &mut Random, time: &mut i64) -> Encoded {
    let rows = 1 + random.below(40) as usize;
    let names_count = 1 + random.below(4);
    let mut pairs = Vec::new();
    for _ in 0..rows {
        *time += random.number(40) - 8;
        pairs.push((["a", "b", "c", "d"][random.below(names_count) as usize], *time));
    }
    let mut encoded = encode(&pairs);
    match random.below(3) {
        0 => encoded.times = Times::None,
        1 if matches!(encoded.ids, Ids::Uniform) => encoded.times = Times::Uniform(*time),
        _ => {}
    }
    encoded
}

/// Feeds the same random batches and ticks to both and compares every cut.
fn compare(seed: u64) {
    let mut random = Random(seed);
    let settings = random_settings(&mut random);
    let (mut files, mut model) = (Files::new(settings.clone()), Model::new(settings));
    files.refused = random.chance(50).then(Vec::new);
    let refused_percent = [2, 20, 70][random.below(3) as usize];
    let [int, long] = [Kind::Int32, Kind::Int64].map(|kind| Arc::new(Schema::new(kind)));
    let pool = [None, Some(&int), Some(&long)];
    let (mut offset, mut time, mut now, mut schema) = (random.number(50), 1000, 0, None);
    let mut all: Vec<i64> = Vec::new();
    for _ in 0..30 {
        now += random.number(8 * HOUR_MS as u64);
        if random.chance(30) {
            files.tick(now);
            model.tick(now);
        }
        if random.chance(30) {
            schema = pool[random.below(3) as usize];
        }
        let encoded = random_batch(&mut random, &mut time);
        let rows = match (&encoded.ids, &encoded.times) {
            (Ids::PerRow(ids), _) => ids.len(),
            (_, Times::PerRow(times)) => times.len(),
            (_, Times::Sparse(times)) => times.len(),
            _ => 1 + random.below(150) as usize,
        };
        let mut offsets = Vec::new();
        for _ in 0..rows {
            offset += 1 + i64::from(random.chance(10)) * random.number(5);
            offsets.push(offset);
            if let Some(refused) = files.refused.as_mut().filter(|_| random.chance(refused_percent)) {
                refused.push(offset);
            }
        }
        files.put(&offsets, &encoded, schema, now);
        for (row, offset) in offsets.iter().enumerate() {
            let id = if let Ids::PerRow(ids) = &encoded.ids { ids[row] as usize } else { 0 };
            let time = crate::s3::rotation::time(&encoded, row);
            let is_refused = files.refused.as_ref().is_some_and(|all| all.binary_search(offset).is_ok());
            model.put(&Record { offset: *offset, name: &encoded.names[id], time, schema, is_refused }, now);
        }
        let refused = files.refused.as_deref().unwrap_or_default();
        all.extend(offsets.iter().filter(|offset| refused.binary_search(offset).is_err()));
        assert_eq!(files.cuts, model.cuts, "seed {seed}");
    }
    let open: Vec<File> = files.open.iter().map(|(_, file)| file.clone()).collect();
    assert_eq!(open, model.open.iter().map(|(file, _)| file.clone()).collect::<Vec<_>>(), "seed {seed}");
    let all_files = files.cuts.iter().flat_map(|cut| &cut.files).chain(&open);
    assert!(
        all_files.clone().all(|file| file.2.first() == Some(&file.1) && file.2.is_sorted()),
        "seed {seed}"
    );
    let mut written: Vec<i64> = all_files.flat_map(|file| file.2.clone()).collect();
    written.sort_unstable();
    assert_eq!(written, all, "every row once, seed {seed}");
}

#[test]
fn cuts_and_files_are_those_of_a_row_by_row_model() {
    for seed in 0..400 {
        compare(seed);
    }
}

#[test]
fn files_of_a_cut_close_in_the_order_of_their_first_records() {
    let mut files = Files::new(settings(4));
    let offsets = [5, 9, 10, 12];
    files.put(&offsets, &encode(&[("b", 0), ("a", 0), ("b", 0), ("c", 0)]), None, 0);
    let closed = |name: &str, offsets: Vec<i64>| (name.to_owned(), offsets[0], offsets);
    let expected = vec![closed("b", vec![5, 10]), closed("a", vec![9]), closed("c", vec![12])];
    assert_eq!(files.cuts, [Cut { files: expected, next_offset: 13 }]);
}

#[test]
fn the_schedule_follows_local_midnight_on_short_and_long_days() {
    // Paris: 2024-03-31 has 23 hours, 2024-10-27 has 25: there the interval ends first, midnight strikes too.
    for (midnight, expected) in [(1_711_839_600_000, vec![23]), (1_729_980_000_000, vec![24, 25])] {
        let zone = Zone::parse("Europe/Paris").unwrap();
        let schedule = Some(Schedule { interval_ms: 24 * HOUR_MS, zone });
        let mut files = Files::new(RotationSettings { schedule, ..settings(1000) });
        files.tick(midnight);
        let mut strikes = Vec::new();
        for hour in 1..=30 {
            files.put(&[hour], &encode(&[("a", 0)]), None, midnight + hour * HOUR_MS - 1);
            let before = files.cuts.len();
            files.tick(midnight + hour * HOUR_MS);
            strikes.extend((files.cuts.len() > before).then_some(hour));
        }
        assert_eq!(strikes, expected);
    }
}

#[test]
#[should_panic(expected = "offsets of a topic-partition ascend")]
fn a_record_that_comes_again_breaks_an_invariant() {
    let mut files = Files::new(settings(1000));
    files.put(&[5], &encode(&[("a", 0)]), None, 0);
    files.put(&[5], &encode(&[("a", 0)]), None, 0);
}
