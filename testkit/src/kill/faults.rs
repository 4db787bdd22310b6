//! Faults: which ones, in which order, and how they strike whoever leads.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};

use super::cluster::{Cluster, is_abort};
use super::mode::Mode;
use super::summary::Summary;
use crate::install;

/// Sessions end, tasks start, backlogs are read; a loaded machine needs most of it.
const LEADER_PATIENCE: Duration = Duration::from_secs(120);
/// A place that is not passed within this is tried again later.
const END_PATIENCE: Duration = Duration::from_secs(20);
const TRIES: u32 = 3;
/// The longest pause before a signal strikes a leader.
const DELAY_MS_MAX: u64 = 3_000;
const LOOK_INTERVAL: Duration = Duration::from_millis(100);
/// Between changes of configurations while a place of the config topic is waited for.
const CHANGE_INTERVAL: Duration = Duration::from_secs(2);

/// What happens to a worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It ends at a failpoint that is passed for the `number`th time.
    End {
        name: String,
        number: u64,
        /// How often this place was waited for in vain.
        tries: u32,
    },
    /// SIGKILL.
    Kill,
    /// Nothing.
    None,
    /// SIGSTOP until the other worker has taken over and stored something.
    Stop,
    /// SIGTERM: it drains.
    Term,
}

/// A fault and how long a leader leads before it.
#[derive(Clone, Debug)]
pub(super) struct Planned {
    pub(super) fault: Fault,
    delay: Duration,
}

/// The order of faults: every failpoint in turn with signals between them, then at random.
pub(super) struct Schedule {
    random: Random,
    names: Vec<String>,
    turn: Vec<Fault>,
    signals_count: usize,
    faults_count: usize,
}

/// `splitmix64`: small, and the same for the same seed on every machine.
struct Random(u64);

impl Fault {
    pub(super) fn name(&self) -> &str {
        match self {
            Self::End { name, .. } => name,
            Self::Kill => "kill",
            Self::None => "none",
            Self::Stop => "stop",
            Self::Term => "term",
        }
    }

    /// What the environment of the process says.
    pub(super) fn place(&self) -> Option<String> {
        match self {
            Self::End { name, number, .. } => Some(format!("{name}:{number}")),
            _ => None,
        }
    }
}

impl Planned {
    pub(super) fn none() -> Self {
        Self { fault: Fault::None, delay: Duration::ZERO }
    }
}

impl Schedule {
    /// The schedule of `seed` over the failpoints that `modes` pass.
    pub(super) fn new(seed: u64, modes: &[Mode]) -> anyhow::Result<Self> {
        let names: Vec<String> =
            failpoints()?.into_iter().filter(|name| modes.iter().any(|mode| passes(*mode, name))).collect();
        ensure!(!names.is_empty(), "no failpoint is passed");
        let mut random = Random(seed);
        let mut turn: Vec<Fault> = names.iter().map(|name| random.end_at(name)).collect();
        random.shuffle(&mut turn);
        Ok(Self { random, names, turn, signals_count: 0, faults_count: 0 })
    }

    /// The failpoints.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// Two failpoints, then a signal.
    fn next(&mut self) -> Planned {
        self.faults_count += 1;
        let fault = if self.faults_count.is_multiple_of(3) {
            self.next_signal()
        } else if let Some(fault) = self.turn.pop() {
            fault
        } else {
            let name = self.names[self.random.below(self.names.len() as u64) as usize].clone();
            self.random.end_at(&name)
        };
        self.with_delay(fault)
    }

    fn next_signal(&mut self) -> Fault {
        let signals = [Fault::Stop, Fault::Kill, Fault::Term];
        let fault = signals[self.signals_count % signals.len()].clone();
        self.signals_count += 1;
        fault
    }

    /// For a process that has no failpoint armed.
    fn signal(&mut self) -> Planned {
        let fault = self.next_signal();
        self.with_delay(fault)
    }

    fn with_delay(&mut self, fault: Fault) -> Planned {
        Planned { fault, delay: Duration::from_millis(self.random.below(DELAY_MS_MAX)) }
    }

    /// A place that was not passed comes again, with the first pass.
    fn put_back(&mut self, fault: Fault) {
        if let Fault::End { name, tries, .. } = fault
            && tries + 1 < TRIES
        {
            self.turn.insert(0, Fault::End { name, number: 1, tries: tries + 1 });
        }
    }
}

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last as u64 + 1) as usize);
        }
    }

    /// An end at a pass that comes within seconds of load.
    fn end_at(&mut self, name: &str) -> Fault {
        let passes = match name {
            _ if name.starts_with("config.") || name.ends_with("_abort") => 2,
            _ if name.starts_with("source.produce.") => 300,
            _ if name.contains("begin") || name.contains("part") || name.contains("complete") => 2,
            _ => 8,
        };
        Fault::End { name: name.to_owned(), number: 1 + self.below(passes), tries: 0 }
    }
}

/// All names, as the worker tells them.
fn failpoints() -> anyhow::Result<Vec<String>> {
    let mut command = Command::new(install::worker_with_failpoints()?);
    let output = command.arg("failpoints").stdin(Stdio::null()).output().context("asking for failpoints")?;
    ensure!(output.status.success(), "asking for failpoints ended with {}", output.status);
    let text = String::from_utf8(output.stdout).context("names of failpoints")?;
    Ok(text.lines().map(str::to_owned).collect())
}

/// Whether a connector of `mode` makes its worker pass a place.
fn passes(mode: Mode, name: &str) -> bool {
    const PARTS: [&str; 3] = ["begin", "part", "complete"];
    if name.starts_with("config.") || name.starts_with("status.") {
        return true;
    }
    if name.starts_with("source.") {
        return mode == Mode::Source;
    }
    if name.starts_with("table.") {
        // The namespace of its tables is made once.
        return mode == Mode::Iceberg && !name.ends_with("_namespace");
    }
    let are_large = matches!(mode, Mode::Handover | Mode::Parts);
    match name.split_once("sink.upload.") {
        _ if mode == Mode::Source => false,
        _ if mode == Mode::Iceberg => name.starts_with("sink.commit."),
        _ if name.starts_with("sink.handover.") || name.ends_with("_abort") => mode == Mode::Handover,
        _ if name.starts_with("sink.dead_letter.") => mode == Mode::DeadLetters,
        _ if name.starts_with("sink.decision.") => matches!(mode, Mode::Schedule | Mode::Wallclock),
        Some((_, step)) if PARTS.iter().any(|part| step.ends_with(part)) => are_large,
        Some(_) => !are_large,
        None => true,
    }
}

/// Lets faults strike until `deadline`.
pub(super) fn strike(
    cluster: &mut Cluster,
    schedule: &mut Schedule,
    deadline: Instant,
    summary: &mut Summary,
) -> anyhow::Result<()> {
    for member in &mut cluster.members {
        member.plan = schedule.signal();
    }
    while Instant::now() < deadline {
        let Some(leader) = wait_for_leader(cluster, schedule, summary)? else { continue };
        let plan = cluster.members[leader].plan.clone();
        match plan.fault {
            Fault::End { .. } => wait_for_the_end(cluster, leader, schedule, summary)?,
            Fault::Kill | Fault::None => {
                cluster.pass(plan.delay);
                cluster.members[leader].worker.kill();
                summary.struck("kill");
                cluster.replace(leader, schedule.next())?;
            }
            Fault::Stop => {
                cluster.pass(plan.delay);
                freeze_and_thaw(cluster, leader, schedule, summary)?;
            }
            Fault::Term => {
                cluster.pass(plan.delay);
                let status = cluster.members[leader].worker.terminate()?;
                if !status.success() {
                    summary.problem(format!("a drain ended with {status}"));
                }
                summary.struck("term");
                cluster.replace(leader, schedule.next())?;
            }
        }
    }
    Ok(())
}

/// Waits until tasks run; `None` when a worker ended meanwhile.
fn wait_for_leader(
    cluster: &mut Cluster,
    schedule: &mut Schedule,
    summary: &mut Summary,
) -> anyhow::Result<Option<usize>> {
    let deadline = Instant::now() + LEADER_PATIENCE;
    loop {
        if reap(cluster, schedule, summary)? {
            return Ok(None);
        }
        if let Some(leader) = cluster.leader() {
            return Ok(Some(leader));
        }
        if Instant::now() > deadline {
            cluster.keep_logs();
            bail!("no worker runs all tasks after {LEADER_PATIENCE:?}: {:?}", cluster.failed_tasks());
        }
        std::thread::sleep(LOOK_INTERVAL);
    }
}

/// Replaces workers that ended. True when there was one.
fn reap(cluster: &mut Cluster, schedule: &mut Schedule, summary: &mut Summary) -> anyhow::Result<bool> {
    cluster.sample();
    let mut is_any = false;
    for index in 0..cluster.members.len() {
        let Some(status) = cluster.members[index].worker.ended()? else { continue };
        is_any = true;
        match &cluster.members[index].plan.fault {
            Fault::End { name, .. } if is_abort(status) => summary.ended_at(name),
            fault => {
                let log = cluster.members[index].worker.log();
                let tail: Vec<&str> = log.lines().rev().take(5).collect();
                summary
                    .problem(format!("a worker with fault {} ended with {status}: {tail:?}", fault.name()));
            }
        }
        cluster.replace(index, schedule.next())?;
    }
    Ok(is_any)
}

fn wait_for_the_end(
    cluster: &mut Cluster,
    leader: usize,
    schedule: &mut Schedule,
    summary: &mut Summary,
) -> anyhow::Result<()> {
    let began = Instant::now();
    let fault = cluster.members[leader].plan.fault.clone();
    let mut change_due = began;
    while began.elapsed() < END_PATIENCE {
        if reap(cluster, schedule, summary)? {
            return Ok(());
        }
        if fault.name().starts_with("config.") && Instant::now() >= change_due {
            cluster.change_a_connector();
            change_due = Instant::now() + CHANGE_INTERVAL;
        }
        cluster.move_partitions();
        std::thread::sleep(LOOK_INTERVAL);
    }
    cluster.members[leader].worker.kill();
    summary.struck("kill");
    summary.say(&format!("{} was not passed in time", fault.name()));
    schedule.put_back(fault);
    cluster.replace(leader, schedule.next())
}

/// The frozen worker still believes that it leads when it goes on.
fn freeze_and_thaw(
    cluster: &mut Cluster,
    leader: usize,
    schedule: &mut Schedule,
    summary: &mut Summary,
) -> anyhow::Result<()> {
    cluster.members[leader].worker.freeze()?;
    cluster.members[leader].is_frozen = true;
    let deadline = Instant::now() + LEADER_PATIENCE;
    let other = 1 - leader;
    // The other one ends at its own failpoint, or leads for long enough to store something.
    while !cluster.leads(other) {
        if reap(cluster, schedule, summary)? {
            break;
        }
        if Instant::now() > deadline {
            cluster.keep_logs();
            bail!("nobody took over from a frozen worker: {:?}", cluster.failed_tasks());
        }
        std::thread::sleep(LOOK_INTERVAL);
    }
    cluster.pass(Duration::from_millis(schedule.random.below(2 * DELAY_MS_MAX)));
    cluster.members[leader].worker.thaw()?;
    cluster.members[leader].is_frozen = false;
    summary.struck("stop");
    cluster.members[leader].plan = schedule.signal();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_numbers_and_another_one_others() {
        let numbers = |seed| {
            let mut random = Random(seed);
            [(); 8].map(|()| random.below(1_000))
        };
        assert_eq!(numbers(1), numbers(1));
        assert_ne!(numbers(1), numbers(2));
    }

    #[test]
    fn places_belong_to_modes() {
        assert!(passes(Mode::Parts, "sink.upload.before_part"));
        assert!(!passes(Mode::Count, "sink.upload.before_part"));
        assert!(passes(Mode::Count, "sink.upload.after_put"));
        assert!(passes(Mode::Handover, "sink.handover.after_take"));
        assert!(passes(Mode::Handover, "sink.upload.before_abort"));
        assert!(!passes(Mode::Parts, "sink.handover.after_take"));
        assert!(passes(Mode::Count, "sink.commit.after_ack"));
        assert!(!passes(Mode::Source, "sink.commit.after_ack"));
        assert!(passes(Mode::Source, "source.offsets.after_write"));
        assert!(passes(Mode::Source, "config.before_write"));
        assert!(!passes(Mode::Count, "sink.dead_letter.after_ack"));
    }
}
