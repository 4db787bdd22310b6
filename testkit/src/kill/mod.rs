//! The kill test: workers die, hang and drain under load in every way we know, and an oracle counts records.
//!
//! Two workers of one cluster run one connector per way of cutting files, and a source. Whoever leads meets
//! its fault: it ends at a failpoint, is killed, is told to stop, or is frozen until the other one has taken
//! over and then goes on as a zombie. The order of the faults is a function of the seed; when exactly they
//! strike is up to the machine. At the end everything that was sent must be stored once.

mod cluster;
mod faults;
mod load;
mod mode;
mod summary;
mod verdict;

use std::time::{Duration, Instant};

use anyhow::Context;

use crate::broker::KafkaBroker;
use crate::store::Versitygw;
use cluster::Cluster;
use faults::Schedule;
use load::Load;
pub use mode::Mode;
pub use summary::Summary;

/// What a run is asked for.
#[derive(Clone, Debug)]
pub struct Options {
    /// How long faults go on.
    pub time: Duration,
    /// Decides their order.
    pub seed: u64,
    /// What runs; each mode at most once.
    pub modes: Vec<Mode>,
}

/// Sessions that end soon let dead members go soon; brokers refuse such short ones unless told otherwise.
const BROKER_SETTINGS: [(&str, &str); 1] = [("group.min.session.timeout.ms", "1000")];

/// Runs to the end; progress goes to the standard error.
///
/// # Errors
/// When a part of the test itself fails. What the workers did wrong is in the summary.
pub fn run(options: &Options) -> anyhow::Result<Summary> {
    let began = Instant::now();
    let broker = KafkaBroker::start_with_settings(&BROKER_SETTINGS).context("starting the broker")?;
    let store = Versitygw::start().context("starting the store")?;
    let mut cluster = Cluster::start(&broker)?;
    let connectors = mode::connectors(&options.modes, &broker, &store)?;
    for connector in &connectors {
        cluster.create(connector)?;
    }
    let mut schedule = Schedule::new(options.seed, &options.modes)?;
    say(began, &format!("{} failpoints, seed {}", schedule.names().len(), options.seed));
    let load = Load::start(&broker, &connectors)?;
    let mut summary = Summary::new(options.seed);
    faults::strike(&mut cluster, &mut schedule, began + options.time, &mut summary)?;
    say(began, "faults are over; the rest is stored");
    let sent = load.finish()?;
    cluster.calm_down()?;
    verdict::settle(&broker, &mut cluster, &connectors, sent, &mut summary)?;
    summary.close(&mut cluster, &schedule, began.elapsed());
    Ok(summary)
}

fn say(began: Instant, text: &str) {
    eprintln!("{:7.1} s  {text}", began.elapsed().as_secs_f64());
}
