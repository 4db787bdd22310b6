//! `lakeward bench flat`: what a record costs with one and with many topic-partitions and output partitions.
//!
//! Owns: the comparison. All files of all shapes have the same number of rows, and none ends by the clock:
//! what a file costs, and what a worker costs that waits, does not count against the number of partitions.
//! Must not: measure (`bench.rs` does), or compare shapes whose files differ.

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::{Result, bail, ensure};
use clap::Args;
use serde_json::{Value, json};

use super::bench::{DrainArgs, drain};
use super::block_on;

/// Settings of the comparison.
#[derive(Args)]
pub(crate) struct FlatArgs {
    /// Events per measurement: a multiple of 1,000 times the rows per file, so that every file is whole.
    #[arg(long, default_value_t = 2_000_000, value_parser = clap::value_parser!(u64).range(1..))]
    records: u64,
    /// Rows of each file.
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..))]
    rows_per_file: u32,
    /// How often each topic is drained; the median counts.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// Fail when a record costs more than 10 % more or less than with one of each.
    #[arg(long)]
    gate: bool,
}

/// Topic-partitions and output partitions of each; the first measurement is what the others compare to.
const SHAPES: [(u32, u32); 3] = [(1, 1), (1, 100), (1000, 1)];
const DIFFERENCE_MAX: f64 = 0.10;

/// Runs the comparison and prints one JSON object as the last line.
pub(crate) fn run(args: FlatArgs) -> ExitCode {
    block_on(Box::pin(flat(args)))
}

async fn flat(args: FlatArgs) -> Result<()> {
    let whole = 1000 * u64::from(args.rows_per_file);
    ensure!(
        args.records.is_multiple_of(whole),
        "--records {} is no multiple of {whole}: files of some shapes would have fewer than {} rows",
        args.records,
        args.rows_per_file
    );
    let mut measured: Vec<Value> = Vec::new();
    for shape in SHAPES {
        let mut figures = drain(&DrainArgs::flat(args.records, args.rows_per_file, args.runs, shape)).await?;
        let rate = |figures: &Value| figures["records_per_cpu_second"].as_f64().unwrap_or_default();
        let first = measured.first().map_or_else(|| rate(&figures), rate);
        figures["cost_compared"] = json!((first / rate(&figures) * 1000.0).round() / 1000.0);
        measured.push(figures);
    }
    let far = |figures: &&Value| {
        figures["cost_compared"].as_f64().is_none_or(|cost| (cost - 1.0).abs() > DIFFERENCE_MAX)
    };
    let far_count = measured.iter().filter(far).count();
    writeln!(
        std::io::stdout().lock(),
        "{}",
        json!({ "rows_per_file": args.rows_per_file, "shapes": measured })
    )?;
    if args.gate && far_count > 0 {
        bail!("{far_count} of {} shapes cost more than 10 % more or less per record", SHAPES.len());
    }
    Ok(())
}
