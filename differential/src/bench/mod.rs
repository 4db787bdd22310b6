//! Figures: how many records a second of CPU time is worth in a class of Java and in ours.
//!
//! Both sides get the same batch, prepared beforehand, and must give the same answers before they are timed.
//! One thread does the work and its CPU time counts, so that other programs on the machine matter little.
//! Java's converters get the byte arrays that its consumer has copied out of a fetch; ours get the column
//! that the data plane copies the payloads into (`Converter::takes_columns`), or their slices.
//! Each Java class runs in a process of its own after a warm-up with all compiler tiers: the best it can do.
//!
//! A figure near the mark, on either side, is the one in the middle of three.
//!
//! Converters of a schema registry find every schema in their caches on both sides, as in a running worker.
//! What is Java's there (`java/registry/`):
//! - Avro: all of it is a library. Avro's reader and writer, kept per schema, around `AvroData` of a
//!   descendant of Confluent's converter, with its own caches.
//! - Protobuf and JSON Schema: protobuf-java's `DynamicMessage` and Jackson's trees are libraries; what maps
//!   them to Kafka's STRUCTs and back is our own Java, as no open library has it. It keeps schemas and
//!   descriptors and leaves out all checks of the differential test, but Confluent's may be faster or slower:
//!   these ratios are an indication, and the table marks them.

mod clock;
mod data;
mod registered;
mod subjects;
mod table;

use std::time::Duration;

use anyhow::{Context, bail, ensure};

pub(crate) use clock::{Clock, thread_ns};
pub use table::{json, line, table};

use crate::case::{Answer, Case};
use crate::compare::difference;
use crate::java::{Java, Purpose, Timing};
use crate::model::Show;
use crate::ours::Ours;

/// What is to be measured, and for how long.
#[derive(Clone, Debug)]
pub struct Options {
    /// Subjects whose name contains one of these; all when there is none.
    pub only: Vec<String>,
    /// CPU time of a timed run.
    pub duration: Duration,
    /// CPU time before it.
    pub warm_up: Duration,
    /// Leaves Java out: for a profiler.
    pub java: WithJava,
}

/// Whether Java is measured, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WithJava {
    /// It is.
    Yes,
    /// Only our side runs.
    No,
}

/// Something to measure.
pub(crate) struct Subject {
    /// Class and settings.
    pub(crate) name: String,
    /// What the records look like.
    pub(crate) shape: &'static str,
    /// The plugin and one batch.
    pub(crate) case: Case,
    /// What Java's figure stands for.
    pub(crate) reference: Reference,
}

/// What Java's figure stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reference {
    /// Classes of Kafka alone.
    Kafka,
    /// Libraries alone, beside Kafka's classes.
    Libraries,
    /// Libraries and a mapping of our own: an indication.
    Indication,
}

/// What was measured for one subject.
#[derive(Clone, Debug)]
pub struct Figure {
    /// Class and settings.
    pub name: String,
    /// What the records look like.
    pub shape: &'static str,
    /// Our records per CPU second.
    pub ours: f64,
    /// The same with the time to free what went in and came out.
    pub ours_freed: f64,
    /// Java's records per CPU second of its thread: without garbage collection. 0 when it did not run.
    pub java: f64,
    /// The same per CPU second of its process: with garbage collection.
    pub java_process: f64,
    /// What Java's figures stand for.
    pub reference: Reference,
}

impl Figure {
    /// How many times Java's records per CPU second.
    pub fn ratio(&self) -> f64 {
        self.ours / self.java
    }

    /// The same with the cost of memory on both sides.
    pub fn ratio_freed(&self) -> f64 {
        self.ours_freed / self.java_process
    }
}

/// CPU time of our side.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct OurTiming {
    /// Records done.
    pub(crate) items: u64,
    /// CPU time of the calls in ns.
    pub(crate) call_ns: u64,
    /// CPU time of the calls and of freeing their results in ns.
    pub(crate) all_ns: u64,
}

/// Measures every subject that `options` names and tells `progress` each figure.
///
/// # Errors
/// When Java cannot be started, or the two sides do not give the same answers.
pub fn run(options: &Options, progress: &mut dyn FnMut(&Figure)) -> anyhow::Result<Vec<Figure>> {
    let is_wanted = |subject: &Subject| {
        let name = format!("{} {}", subject.name, subject.shape);
        options.only.is_empty() || options.only.iter().any(|part| name.contains(part.as_str()))
    };
    let subjects: Vec<Subject> = subjects::all()?.into_iter().filter(is_wanted).collect();
    ensure!(!subjects.is_empty(), "no subject is called {:?}", options.only);
    let ours = Ours::default();
    let mut figures = Vec::new();
    for subject in &subjects {
        let figure = measured(&ours, subject, options)
            .with_context(|| format!("{} of {}", subject.name, subject.shape))?;
        progress(&figure);
        figures.push(figure);
    }
    Ok(figures)
}

/// The figure of `subject`; where it is near the mark, the one in the middle of three: what Java's compiler
/// makes of a class differs from process to process, by a sixth and more.
fn measured(ours: &Ours, subject: &Subject, options: &Options) -> anyhow::Result<Figure> {
    let first = measure(ours, subject, options)?;
    if options.java == WithJava::No || first.ratio_freed() > NEAR * table::RATIO_MIN {
        return Ok(first);
    }
    let mut three = [first, measure(ours, subject, options)?, measure(ours, subject, options)?];
    three.sort_by(|one, other| one.ratio_freed().total_cmp(&other.ratio_freed()));
    let [_, middle, _] = three;
    Ok(middle)
}

fn measure(ours: &Ours, subject: &Subject, options: &Options) -> anyhow::Result<Figure> {
    let java = match options.java {
        WithJava::Yes => Some(time_java(ours, subject, options)?),
        WithJava::No => None,
    };
    let clock = Clock { warm_up: options.warm_up / 4, duration: options.duration };
    let timing = ours.time(&subject.case, clock)?;
    let per_second = |items: f64, ns: f64| if ns > 0.0 { items * 1e9 / ns } else { 0.0 };
    let items = timing.items as f64;
    let java_items = java.map_or(0.0, |timing| timing.items as f64);
    Ok(Figure {
        name: subject.name.clone(),
        shape: subject.shape,
        reference: subject.reference,
        ours: per_second(items, timing.call_ns as f64),
        ours_freed: per_second(items, timing.all_ns as f64),
        java: per_second(java_items, java.map_or(0.0, |timing| timing.thread_ns as f64)),
        java_process: per_second(java_items, java.map_or(0.0, |timing| timing.process_ns as f64)),
    })
}

fn time_java(ours: &Ours, subject: &Subject, options: &Options) -> anyhow::Result<Timing> {
    let case = &subject.case;
    let ms = |duration: Duration| i32::try_from(duration.as_millis()).context("too long");
    let mut java = Java::start(match subject.reference {
        Reference::Kafka => Purpose::Figures,
        Reference::Libraries | Reference::Indication => Purpose::FiguresOfRegistry,
    })?;
    let cases = std::slice::from_ref(case);
    java.send(cases)?;
    let theirs = java.receive(cases)?.pop().unwrap_or_default();
    for (at, (theirs, ours)) in theirs.iter().zip(ours.answers(case)).enumerate() {
        let is_failure = matches!(theirs, Answer::Failed(_) | Answer::NotConfigured(_));
        if is_failure || difference(theirs, &ours).is_some() {
            let (input, theirs, ours) = (case.items.shown(at), theirs.shown(), ours.shown());
            bail!("not the same work: {input:.600} -> java: {theirs:.600}; ours: {ours:.600}");
        }
    }
    java.time(case, ms(options.warm_up)?, ms(options.duration)?)
}

/// Up to so many times the mark is near it.
const NEAR: f64 = 1.25;
