//! A model that takes one record at a time and knows only the rules, against the real state machine.

use super::*;

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
            self.base_time = record.time;
        }
        if known(self).is_some_and(|at| self.open[at].1.as_ref() != record.schema) {
            self.rotate();
        }
        if known(self).is_none() && self.settings.open_parts_max.is_some_and(|max| self.open.len() >= max) {
            self.rotate();
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
        self.last_offset = record.offset;
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
    let on_partition_change =
        if random.chance(50) { PartitionChange::Rotate } else { PartitionChange::Keep };
    let interval = Interval { interval_ms: 1 + random.number(200), on_partition_change };
    let zone = Zone::parse("UTC").unwrap();
    let schedule = Schedule { interval_ms: 1 + random.number(30 * 24) * HOUR_MS / 24, zone };
    let flush_limit = if random.chance(30) { 5 } else { 100 };
    RotationSettings {
        flush_records: 1 + random.below(flush_limit),
        interval: random.chance(50).then_some(interval),
        // Intervals of milliseconds would only make the model slow.
        schedule: random.chance(40).then_some(schedule).filter(|one| one.interval_ms > HOUR_MS / 24),
        open_parts_max: random.chance(30).then(|| 1 + random.below(4) as usize),
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
    let (mut rig, mut model) = (Rig::new(settings.clone()), Model::new(settings));
    let [int, long] = schemas();
    let pool = [None, Some(&int), Some(&long)];
    let (mut offset, mut time, mut now, mut schema) = (random.number(50), 1000, 0, None);
    let mut all = Vec::new();
    for _ in 0..30 {
        now += random.number(8 * HOUR_MS as u64);
        if random.chance(30) {
            rig.tick(now);
            model.tick(now);
        }
        if random.chance(30) {
            schema = pool[random.below(3) as usize];
        }
        let encoded = random_batch(&mut random, &mut time);
        let rows = match (&encoded.ids, &encoded.times) {
            (Ids::PerRow(ids), _) => ids.len(),
            (_, Times::PerRow(times)) => times.len(),
            _ => 1 + random.below(150) as usize,
        };
        let mut offsets = Vec::new();
        for _ in 0..rows {
            offset += 1 + i64::from(random.chance(10)) * random.number(5);
            offsets.push(offset);
        }
        rig.put_at(&offsets, &encoded, schema, now);
        for (row, offset) in offsets.iter().enumerate() {
            let id = if let Ids::PerRow(ids) = &encoded.ids { ids[row] as usize } else { 0 };
            let time = super::super::time(&encoded, row);
            model.put(&Record { offset: *offset, name: &encoded.names[id], time, schema }, now);
        }
        all.extend(offsets);
        assert_eq!(rig.cuts, model.cuts, "seed {seed}");
    }
    let open: Vec<File> = rig.open.iter().map(|(_, file)| file.clone()).collect();
    assert_eq!(open, model.open.iter().map(|(file, _)| file.clone()).collect::<Vec<_>>(), "seed {seed}");
    let files = rig.cuts.iter().flat_map(|cut| &cut.files).chain(&open);
    assert!(files.clone().all(|file| file.2.first() == Some(&file.1) && file.2.is_sorted()), "seed {seed}");
    let mut written: Vec<i64> = files.flat_map(|file| file.2.clone()).collect();
    written.sort_unstable();
    assert_eq!(written, all, "every row once, seed {seed}");
}

#[test]
fn cuts_and_files_are_those_of_a_row_by_row_model() {
    for seed in 0..400 {
        compare(seed);
    }
}
