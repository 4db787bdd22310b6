//! Property: whatever the batches and the rotation settings, every row is in exactly one object or not
//! durable yet.

use std::collections::BTreeMap;

use lakeward_api::sink::SinkTask as _;

use super::rig::{Rig, texts, topic_partitions};

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
}

fn settings(random: &mut Seeded) -> Vec<(&'static str, &'static str)> {
    let pick =
        |random: &mut Seeded, choices: &[&'static str]| choices[random.below(choices.len() as u64) as usize];
    vec![
        ("flush.size", pick(random, &["0", "1", "2", "7", "100"])),
        ("partitioner.class", pick(random, &["DefaultPartitioner", "TimeBasedPartitioner"])),
        ("path.format", "mm"),
        ("partition.duration.ms", "60000"),
        ("locale", "en"),
        ("timezone", "UTC"),
        ("timestamp.extractor", pick(random, &["Record", "Wallclock"])),
        ("rotate.interval.ms", pick(random, &["-1", "5000", "90000"])),
        ("rotate.file.on.partition.change", pick(random, &["true", "false"])),
        ("rotate.schedule.interval.ms", pick(random, &["-1", "30000"])),
        ("partitioner.max.open.files", pick(random, &["-1", "1", "2"])),
    ]
}

#[test]
fn every_row_is_stored_once_or_not_durable() {
    let mut stored_count = 0;
    for seed in 0..150 {
        let mut random = Seeded(seed);
        let settings = settings(&mut random);
        let mut rig = Rig::new(&settings);
        rig.open(&[0, 1]);
        let mut next = [0_i64; 2];
        let mut durable = [0_i64; 2];
        let mut given: [Vec<i64>; 2] = [Vec::new(), Vec::new()];
        for _ in 0..random.below(12) {
            let partition = random.below(2) as usize;
            let mut offsets = Vec::new();
            for _ in 0..random.below(25) {
                next[partition] += 1 + (random.below(8) / 7) as i64 * 90;
                offsets.push(next[partition]);
            }
            let mut batch = texts(partition as i32, offsets.iter().copied());
            for time in &mut batch.timestamps_ms {
                *time = Some(random.below(300_000) as i64);
            }
            given[partition].extend(offsets);
            rig.now.wall_ms += random.below(40_000) as i64;
            rig.task.put(batch, rig.now).unwrap();
            rig.turn().unwrap();
        }
        rig.turn().unwrap();
        for (partition, position) in rig.durable() {
            durable[partition as usize] = position;
        }
        rig.task.close(&topic_partitions(&[0, 1]));
        rig.turn().unwrap();

        let mut stored: BTreeMap<usize, Vec<i64>> = BTreeMap::new();
        for (name, content) in rig.objects() {
            let partition = usize::from(name.contains("/t+1+"));
            let rows: Vec<i64> =
                content.lines().map(|line| line.trim_matches('"').parse().unwrap()).collect();
            let start: i64 = name.rsplit('+').next().unwrap().trim_end_matches(".json").parse().unwrap();
            assert_eq!(rows[0], start, "seed {seed}: {name} starts with its name's offset");
            stored.entry(partition).or_default().extend(rows);
        }
        for partition in 0..2 {
            let mut rows = stored.remove(&partition).unwrap_or_default();
            rows.sort_unstable();
            let expected: Vec<i64> =
                given[partition].iter().copied().filter(|row| *row < durable[partition]).collect();
            assert_eq!(rows, expected, "seed {seed}: {settings:?}");
            stored_count += rows.len();
        }
    }
    assert!(stored_count > 1000, "the settings must store rows, or nothing was tested");
}
