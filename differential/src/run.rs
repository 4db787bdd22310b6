//! Runs targets, judges their answers, and counts.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use crate::accepted::{Finding, Known, known};
use crate::case::{Answer, Case};
use crate::compare::{Kind, difference};
use crate::java::{Java, Purpose};
use crate::model::Show;
use crate::ours::Ours;
use crate::random::Random;
use crate::shrink::shrink;
use crate::target::Target;

/// Items per round trip: enough to make its cost negligible.
const BATCH_ITEMS: usize = 500;
/// Differences that are made small per signature; later ones are taken for what those were.
const SHRUNK_PER_SIGNATURE: u64 = 6;
/// Longest text of an answer or an input in a report.
const TEXT_MAX: usize = 400;

/// How much to run.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Seed of everything.
    pub seed: u64,
    /// Items in all, shared evenly by the targets.
    pub items: u64,
    /// Goes on until then, whatever `items` says.
    pub duration: Option<Duration>,
    /// Only this case of every target.
    pub replay: Option<u64>,
    /// Reports every difference as it came and whole, also the accepted ones, and makes none small.
    pub every: bool,
}

/// What happened.
#[derive(Debug, Default)]
pub struct Report {
    /// Counts per target.
    pub targets: Vec<Count>,
    /// New differences, minimised: one line each, one per signature.
    pub lines: Vec<String>,
    /// Items per accepted difference, by name.
    pub known: BTreeMap<&'static str, KnownCount>,
}

/// How often an accepted difference was seen.
#[derive(Debug)]
pub struct KnownCount {
    /// Items.
    pub items: u64,
    /// Why it is as it is.
    pub reason: &'static str,
}

/// Counts of one target.
#[derive(Clone, Debug)]
pub struct Count {
    /// Target name.
    pub name: &'static str,
    /// Items compared.
    pub items: u64,
    /// Items that Java answered with an exception.
    pub failures: u64,
    /// Items that differ in a way that is not accepted.
    pub new: u64,
}

impl Report {
    /// Items compared.
    pub fn items(&self) -> u64 {
        self.targets.iter().map(|count| count.items).sum()
    }

    fn count(&mut self, known: &'static Known) {
        let new = || KnownCount { items: 0, reason: known.reason };
        self.known.entry(known.name).or_insert_with(new).items += 1;
    }

    /// Items that differ without being accepted.
    pub fn differences(&self) -> u64 {
        self.targets.iter().map(|count| count.new).sum()
    }
}

/// Both sides, ready to answer.
pub(crate) struct Sides {
    java: Java,
    ours: Ours,
}

impl Sides {
    /// Java's and our answers to every item of every case.
    pub(crate) fn answers(&mut self, cases: &[Case]) -> anyhow::Result<Vec<Vec<(Answer, Answer)>>> {
        self.java.send(cases)?;
        let ours: Vec<Vec<Answer>> = cases.iter().map(|case| self.ours.answers(case)).collect();
        let java = self.java.receive(cases)?;
        Ok(java.into_iter().zip(ours).map(|(java, ours)| java.into_iter().zip(ours).collect()).collect())
    }
}

/// Runs `targets` as `options` say.
///
/// # Errors
/// When the Java side cannot be compiled, started or talked to.
pub fn run(targets: &[&'static Target], options: Options) -> anyhow::Result<Report> {
    let sides = Sides { java: Java::start(Purpose::Answers)?, ours: Ours::default() };
    let mut runner = Runner { sides, options, report: Report::default(), signatures: BTreeMap::new() };
    let count = |target: &&'static Target| Count { name: target.name, items: 0, failures: 0, new: 0 };
    runner.report.targets = targets.iter().map(count).collect();
    let share = options.items.div_ceil(u64::try_from(targets.len().max(1))?);
    let started = Instant::now();
    let mut next_case = vec![0u64; targets.len()];
    loop {
        let mut idle = true;
        for (at, target) in targets.iter().enumerate() {
            let enough = match (options.replay, options.duration) {
                (Some(_), _) => next_case[at] > 0,
                (None, Some(duration)) => started.elapsed() >= duration,
                (None, None) => runner.report.targets[at].items >= share,
            };
            if !enough {
                idle = false;
                let cases = make_cases(target, options, &mut next_case[at]);
                runner.batch(at, &cases)?;
            }
        }
        if idle {
            return Ok(runner.report);
        }
    }
}

/// The next cases of a target, with their numbers.
fn make_cases(target: &Target, options: Options, next: &mut u64) -> Vec<(u64, Case)> {
    let mut cases = Vec::new();
    let mut items = 0;
    while items < BATCH_ITEMS {
        let number = options.replay.unwrap_or(*next);
        let case = (target.make)(&mut Random::part(options.seed, target.name, number));
        items += case.items.len();
        cases.push((number, case));
        *next += 1;
        if options.replay.is_some() {
            break;
        }
    }
    cases
}

struct Runner {
    sides: Sides,
    options: Options,
    report: Report,
    /// What was seen of each signature.
    signatures: BTreeMap<String, Seen>,
}

impl Runner {
    /// Runs and judges cases of the target at `at`.
    fn batch(&mut self, at: usize, numbered: &[(u64, Case)]) -> anyhow::Result<()> {
        let cases: Vec<Case> = numbered.iter().map(|(_, case)| case.clone()).collect();
        let answers = self.sides.answers(&cases)?;
        for ((number, case), answers) in numbered.iter().zip(&answers) {
            self.report.targets[at].items += u64::try_from(answers.len())?;
            for (item, (java, ours)) in answers.iter().enumerate() {
                if matches!(java, Answer::Failed(_) | Answer::NotConfigured(_)) {
                    self.report.targets[at].failures += 1;
                }
                if let Some(kind) = difference(java, ours) {
                    let target = self.report.targets[at].name;
                    let finding = Finding { target, case, item, java, ours, kind };
                    self.judge(at, *number, &finding)?;
                }
            }
        }
        Ok(())
    }

    fn judge(&mut self, at: usize, number: u64, finding: &Finding<'_>) -> anyhow::Result<()> {
        let signature = signature(finding.target, finding.kind, finding.java, finding.ours);
        let head = format!("{} seed {} case {number}", finding.target, self.options.seed);
        if self.options.every {
            self.report.lines.push(whole(&head, finding));
        }
        if let Some(known) = known(finding) {
            self.report.count(known);
            return Ok(());
        }
        let seen = self.signatures.entry(signature).or_default();
        if self.options.every {
            self.report.targets[at].new += 1;
            return Ok(());
        }
        if seen.tried >= SHRUNK_PER_SIGNATURE {
            match seen.known {
                Some(known) if seen.new == 0 => self.report.count(known),
                _ => self.report.targets[at].new += 1,
            }
            return Ok(());
        }
        seen.tried += 1;
        let small = shrink(&mut self.sides, finding)?;
        // Two known differences at once explain each other only when one of them is gone.
        let (java, ours) = (&small.java, &small.ours);
        let (case, item, kind) = (&small.case, small.item, small.kind);
        if let Some(known) = known(&Finding { target: finding.target, case, item, java, ours, kind }) {
            seen.known = Some(known);
            self.report.count(known);
            return Ok(());
        }
        seen.new += 1;
        self.report.targets[at].new += 1;
        if seen.new == 1 {
            self.report.lines.push(line(&head, &small));
        }
        Ok(())
    }
}

/// What became of the differences of one signature.
#[derive(Default)]
struct Seen {
    /// How many were made small.
    tried: u64,
    /// How many of them were new.
    new: u64,
    /// What explained one of the others.
    known: Option<&'static Known>,
}

/// A difference after shrinking.
pub(crate) struct Small {
    pub(crate) case: Case,
    pub(crate) item: usize,
    pub(crate) java: Answer,
    pub(crate) ours: Answer,
    pub(crate) kind: Kind,
}

/// What makes two differences the same in a report: everything but the data.
pub(crate) fn signature(target: &str, kind: Kind, java: &Answer, ours: &Answer) -> String {
    // What Java would have said does not matter where our side does not get that far.
    let java = if kind == Kind::Broken { String::new() } else { shape(java) };
    format!("{target} {kind:?} {java} {}", shape(ours))
}

fn shape(answer: &Answer) -> String {
    match answer {
        Answer::Failed(failure) | Answer::NotConfigured(failure) => {
            let message = failure.message.as_deref().unwrap_or_default();
            // Data in messages comes after the first quote, colon or digit.
            let is_data = |c: char| c.is_ascii_digit() || "\"':([".contains(c);
            let words = message.split(is_data).next();
            format!("{} {}", failure.class, words.unwrap_or_default())
        }
        Answer::Bytes(bytes) => format!("bytes {}", bytes.is_some()),
        Answer::Dropped => "dropped".to_owned(),
        Answer::Broken(text) => {
            format!("broken {}", text.split(|c: char| c.is_ascii_digit()).next().unwrap_or_default())
        }
        Answer::Record(_) => "record".to_owned(),
        Answer::Registered { .. } => "registered".to_owned(),
        Answer::Truth(truth) => format!("{truth}"),
        Answer::Typed(typed) => {
            let value = format!("{:?}", typed.value);
            format!("{} {}", typed.schema.is_some(), value.split('(').next().unwrap_or_default())
        }
    }
}

fn line(head: &str, small: &Small) -> String {
    let mut text = format!("{:?} {head}: ", small.kind);
    let class = small.case.setup.class.rsplit('.').next().unwrap_or_default();
    write!(text, "{class}{:?}", small.case.setup.settings).expect("writing to a String cannot fail");
    if small.case.setup.is_key {
        text.push_str(" key");
    }
    for at in 0..small.case.items.len() {
        write!(text, " | {}", cut(&small.case.items.shown(at))).expect("writing to a String cannot fail");
    }
    let (java, ours) = (small.java.shown(), small.ours.shown());
    write!(text, " | item {} -> java: {}; ours: {}", small.item, cut(&java), cut(&ours))
        .expect("writing to a String cannot fail");
    text
}

/// All there is to say of a difference, and the entry that accepts it.
fn whole(head: &str, finding: &Finding<'_>) -> String {
    let name = known(finding).map_or("new", |known| known.name);
    let (setup, items) = (&finding.case.setup, &finding.case.items);
    format!(
        "{name} {:?} {head}: {:?} of {:?} | item {} {} -> java: {}; ours: {}",
        finding.kind,
        setup.settings,
        setup.schemas,
        finding.item,
        items.shown(finding.item),
        finding.java.shown(),
        finding.ours.shown(),
    )
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(TEXT_MAX) {
        Some((at, _)) => format!("{}… ({} characters)", &text[..at], text.chars().count()),
        None => text.to_owned(),
    }
}
