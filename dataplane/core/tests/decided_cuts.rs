//! Property: whatever dies and whenever, decided cuts store every record once.
//!
//! Owners of one topic-partition follow the protocol of decision 0009 with the real ledger, against a model
//! of the group's coordinator (fencing by generation, late and lost answers) and of the store (the last
//! writer of a name wins, also one that lost the partition long ago). The clock is the seed: where an owner
//! cuts is random, and nobody else can know it.
//!
//! Owners run in two processes, and may part with what they have open (decision 0018): it waits in its
//! process while others own the partition, and the next owner there goes on with it, if it may.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use lakeward_api::cuts::{self, Cut, Decision, Opening, Recorded};
use lakeward_api::record::{CommittedPosition, Position, TopicPartition};
use lakeward_dataplane_core::handover::may_go_on;
use lakeward_dataplane_core::ledger::{FailedCommit, PositionLedger};

const RECORDS: i64 = 120;
const SETTINGS: &str = "AAABBB";

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

    fn one_in(&mut self, chances: u64) -> bool {
        self.below(chances) == 0
    }
}

/// What the coordinator keeps, and what is on its way to it.
#[derive(Default)]
struct Coordinator {
    generation: u64,
    committed: Option<CommittedPosition>,
    /// Commits whose sender was told that the outcome is unknown; they may still arrive.
    stale: Vec<(u64, CommittedPosition)>,
}

impl Coordinator {
    fn commit(&mut self, generation: u64, commit: &CommittedPosition) -> bool {
        let is_member = generation == self.generation;
        if is_member {
            self.committed = Some(commit.clone());
        }
        is_member
    }
}

/// One owner: the protocol of a sink that cuts whenever the clock says so.
struct Owner {
    generation: u64,
    ledger: PositionLedger,
    /// Cuts to repeat.
    repeats: VecDeque<Cut>,
    /// Where the next file begins, and the next record.
    start: i64,
    next: i64,
    /// Files that wait for their decision: begin and end.
    held: VecDeque<(i64, i64)>,
    /// Files on their way to the store, and positions that wait for them in order.
    uploads: Vec<(i64, i64)>,
    cuts: VecDeque<i64>,
    in_commit: VecDeque<Vec<CommittedPosition>>,
    now: Instant,
}

fn partition() -> TopicPartition {
    TopicPartition::new("t", 0)
}

/// What an owner had open: records from the position that it stands on up to the next one.
#[derive(Clone, Copy, Debug)]
struct Parked {
    from: i64,
    next: i64,
}

impl Owner {
    /// Joins in a process where something may be `parked`, and goes on with it if it may.
    fn join(coordinator: &mut Coordinator, parked: Option<Parked>) -> Self {
        coordinator.generation += 1;
        let committed = coordinator.committed.clone();
        let parked = parked.filter(|parked| may_go_on(parked.from, committed.as_ref()));
        let start = committed.as_ref().map_or(0, |committed| committed.position.next_offset);
        let cuts = match committed.as_ref().map(|committed| cuts::parse(start, &committed.metadata)) {
            Some(Recorded::Cuts { fingerprint, cuts }) if fingerprint == SETTINGS => cuts,
            None | Some(Recorded::Nothing) => Vec::new(),
            other => panic!("unexpected metadata: {other:?}"),
        };
        let mut ledger = PositionLedger::new(Duration::from_secs(1)).with_fingerprint(SETTINGS.into());
        let committed = committed.map(|_| start);
        ledger.open_at(&[Opening { partition: partition(), committed, cuts: cuts.clone() }]);
        Self {
            generation: coordinator.generation,
            ledger,
            repeats: cuts.into(),
            start: parked.map_or(start, |parked| parked.from),
            next: parked.map_or(start, |parked| parked.next),
            held: VecDeque::new(),
            uploads: Vec::new(),
            cuts: VecDeque::new(),
            in_commit: VecDeque::new(),
            now: Instant::now(),
        }
    }

    /// What it has open, if no cut is pending: for another owner.
    fn part(&self) -> Option<Parked> {
        let is_free = self.repeats.is_empty() && self.held.is_empty() && self.next > self.start;
        is_free.then_some(Parked { from: self.start, next: self.next })
    }

    /// Reads some records, and cuts where it must, or where the clock says. False when it must rejoin.
    fn read(&mut self, random: &mut Seeded) -> bool {
        let end = (self.next + 1 + random.below(7) as i64).min(RECORDS);
        if end > self.next {
            self.ledger.fetched(&partition(), self.next);
        }
        while self.next < end {
            self.next += 1;
            // A file has what was written to it, also when that is beyond the cut.
            if self.repeats.pop_front_if(|cut| cut.end <= self.next).is_some() {
                self.uploads.push((self.start, self.next));
                self.cuts.push_back(self.next);
                self.start = self.next;
            }
        }
        let may_cut = self.repeats.is_empty() && self.next > self.start;
        if may_cut && (random.one_in(3) || self.next == RECORDS) {
            let cut = Cut { end: self.next, clock: Vec::new() };
            self.held.push_back((self.start, self.next));
            self.cuts.push_back(self.next);
            self.start = self.next;
            return self.ledger.decide(Decision { partition: partition(), cut, replaces: false });
        }
        true
    }

    fn send(&mut self) {
        self.now += Duration::from_millis(400);
        let commits = self.ledger.take_due(self.now);
        if !commits.is_empty() {
            self.in_commit.push_back(commits);
        }
    }

    /// The coordinator takes a commit, its answer may be lost. False when the owner must rejoin or is fenced.
    fn deliver(&mut self, coordinator: &mut Coordinator, random: &mut Seeded) -> bool {
        let Some(commits) = self.in_commit.pop_front() else { return true };
        if random.one_in(12) {
            // Unknown to the owner: taken, still on its way, or never to arrive.
            match random.below(3) {
                0 => drop(coordinator.commit(self.generation, &commits[0])),
                1 => coordinator.stale.push((self.generation, commits[0].clone())),
                _ => {}
            }
            return self.ledger.commit_failed(FailedCommit::Unknown, self.now);
        }
        if random.one_in(12) {
            return self.ledger.commit_failed(FailedCommit::Refused, self.now);
        }
        if !coordinator.commit(self.generation, &commits[0]) {
            return false;
        }
        if let Some(end) = self.ledger.committed(&commits[0], self.now) {
            while let Some(file) = self.held.pop_front_if(|file| file.1 <= end) {
                self.uploads.push(file);
            }
        }
        true
    }

    /// A file is stored; positions follow in order.
    fn store(&mut self, store: &mut BTreeMap<i64, i64>, random: &mut Seeded) {
        if self.uploads.is_empty() {
            return;
        }
        let (start, end) = self.uploads.swap_remove(random.below(self.uploads.len() as u64) as usize);
        store.insert(start, end);
        let first_open = self.uploads.iter().chain(&self.held).map(|file| file.1).min();
        while let Some(end) = self.cuts.pop_front_if(|end| first_open.is_none_or(|open| *end < open)) {
            self.ledger.durable(&Position { partition: partition(), next_offset: end }, self.now);
        }
    }
}

/// Lets owners come, die, freeze and thaw until one commits everything. Answers how often it mattered.
fn run(seed: u64) -> [usize; 4] {
    let mut random = Seeded(seed);
    let mut coordinator = Coordinator::default();
    let mut store = BTreeMap::new();
    let mut owner = Owner::join(&mut coordinator, None);
    let mut lots: [Option<Parked>; 2] = [None; 2];
    let mut zombies: Vec<Owner> = Vec::new();
    let mut told = [0; 4];
    let mut turns = 0;
    loop {
        turns += 1;
        assert!(turns < 100_000, "seed {seed}: no end");
        let is_done = coordinator.committed.as_ref().is_some_and(|committed| {
            committed.position.next_offset == RECORDS && committed.metadata.is_empty()
        });
        if is_done && zombies.is_empty() {
            break;
        }
        let mut goes_on = match random.below(5) {
            0 => owner.read(&mut random),
            1 => {
                owner.send();
                true
            }
            2 | 3 => owner.deliver(&mut coordinator, &mut random),
            _ => {
                owner.store(&mut store, &mut random);
                true
            }
        };
        if let Some(zombie) = zombies.last_mut() {
            // It does not know yet: its uploads go on, its commits are refused.
            match random.below(4) {
                0 if !zombie.deliver(&mut coordinator, &mut random) => drop(zombies.pop()),
                1 => zombie.send(),
                2 => drop(zombie.read(&mut random)),
                _ if random.one_in(6) => drop(zombies.pop()),
                _ => zombie.store(&mut store, &mut random),
            }
        }
        if let Some((generation, commit)) = coordinator.stale.pop_if(|_| random.one_in(4)) {
            coordinator.commit(generation, &commit);
        }
        goes_on &= !random.one_in(40);
        if !goes_on {
            // It parts with what it has open, or just dies.
            let place = usize::from(random.one_in(2));
            if random.one_in(2) {
                lots[place] = owner.part();
            }
            let place = usize::from(random.one_in(2));
            let next = Owner::join(&mut coordinator, lots[place].take());
            told[3] += usize::from(next.next > next.start);
            told[0] += 1;
            told[1] += usize::from(!next.repeats.is_empty());
            told[2] += usize::from(next.repeats.len() > 1);
            let before = std::mem::replace(&mut owner, next);
            if random.one_in(2) && zombies.len() < 2 {
                zombies.push(before);
            }
        }
    }
    let mut reached = 0;
    for (start, end) in store {
        assert_eq!(start, reached, "seed {seed}: records are missing or doubled");
        reached = end;
    }
    assert_eq!(reached, RECORDS, "seed {seed}");
    told
}

#[test]
fn every_record_is_stored_once_whoever_dies_and_whenever() {
    let mut told = [0; 4];
    for seed in 0..3000 {
        for (sum, one) in told.iter_mut().zip(run(seed)) {
            *sum += one;
        }
    }
    let [owners, repeating, several, going_on] = told;
    let is_much = owners > 10_000 && repeating > 2000 && several > 200 && going_on > 300;
    assert!(is_much, "{told:?}: too little happened");
}
