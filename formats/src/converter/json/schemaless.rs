//! Plain JSON without a schema: columns for runs of records that look alike, dynamic values for all others.
//!
//! What a record is does not depend on the ones before it; only how it is held does. Two shapes are kept,
//! the current one and the one before, so that a stray record costs a run of its own and no more. Streams
//! without a steady shape are left alone for a while, because a failed attempt costs time and so does every
//! short run.
//!
//! Source: `JsonConverter` with `schemas.enable=false`; see `dynamic` for the values.

use std::mem;

use lakeward_api::ConnectError;
use lakeward_api::batch::Values;
use lakeward_api::converter::Decoded;
use lakeward_api::value::Value;

use super::Reader;
use super::assembly::{Assembly, row_number};
use super::dynamic::DynamicReader;
use super::template::{Fit, Template};

/// Decodes plain JSON to shaped columns where it can and to dynamic values elsewhere.
///
/// # Memory
/// Two [`Template`]s.
#[derive(Debug, Default)]
pub(super) struct SchemalessReader {
    values: DynamicReader,
    current: Option<Template>,
    /// The shape before the current one. Has no rows.
    other: Option<Template>,
    /// Input rows in the current template.
    rows: Vec<u32>,
    patience: Patience,
}

impl Reader for SchemalessReader {
    fn decode(&mut self, _topic: &str, payloads: &[Option<&[u8]>]) -> Result<Decoded, ConnectError> {
        let mut assembly = Assembly::default();
        self.rows.reserve(payloads.len());
        for (row, payload) in payloads.iter().enumerate() {
            let Some(payload) = payload.filter(|payload| !super::is_blank(payload)) else {
                self.push_null(row, &mut assembly);
                continue;
            };
            // One value is made faster than columns of one row.
            if payloads.len() == 1 || self.patience.is_exhausted() {
                self.append_dynamic(row, payload, &mut assembly);
            } else if append(&mut self.current, payload) == Fit::Appended {
                self.rows.push(row_number(row));
            } else {
                self.append_misfit(row, payload, &mut assembly);
            }
        }
        self.end_run(&mut assembly);
        Ok(assembly.finish(None))
    }
}

impl SchemalessReader {
    /// A record that does not have the current shape.
    #[cold]
    fn append_misfit(&mut self, row: usize, payload: &[u8], assembly: &mut Assembly) {
        if append(&mut self.other, payload) == Fit::Misfit {
            let value = match self.values.read(payload) {
                Ok(Value::Null) => return self.push_null(row, assembly),
                Ok(value) => value,
                Err(fault) => return assembly.failed(row, fault),
            };
            let mut fresh = Template::of(&value);
            if append(&mut fresh, payload) == Fit::Misfit {
                self.patience.lose(MISFIT_ROWS);
                return self.push_value(row, value, assembly);
            }
            self.other = fresh;
        }
        self.end_run(assembly);
        // The first shape of all is no change.
        if self.current.is_some() {
            self.patience.lose(MISFIT_ROWS);
        }
        mem::swap(&mut self.current, &mut self.other);
        self.rows.push(row_number(row));
    }

    fn append_dynamic(&mut self, row: usize, payload: &[u8], assembly: &mut Assembly) {
        match self.values.read(payload) {
            Ok(Value::Null) => self.push_null(row, assembly),
            Ok(value) => self.push_value(row, value, assembly),
            Err(fault) => assembly.failed(row, fault),
        }
    }

    fn push_value(&mut self, row: usize, value: Value, assembly: &mut Assembly) {
        self.end_run(assembly);
        assembly.dynamic(row, value, None);
    }

    fn push_null(&mut self, row: usize, assembly: &mut Assembly) {
        if !self.rows.is_empty() {
            self.end_run(assembly);
            self.patience.lose(RUN_ROWS);
        }
        assembly.null(row, None);
    }

    /// Ends the run of shaped rows.
    fn end_run(&mut self, assembly: &mut Assembly) {
        if let Some(template) = &mut self.current
            && !self.rows.is_empty()
        {
            let next = Vec::with_capacity(self.rows.len());
            let rows = mem::replace(&mut self.rows, next);
            self.patience.gain(rows.len());
            assembly.complete(rows, Values::of_shape(template.finish()));
        }
    }
}

fn append(template: &mut Option<Template>, payload: &[u8]) -> Fit {
    template.as_mut().map_or(Fit::Misfit, |template| template.append(payload))
}

/// Decides whether looking for shapes pays.
#[derive(Debug)]
struct Patience {
    /// Grows by one with each shaped row and falls with each run.
    credit: usize,
    /// Records that are read without looking for a shape.
    pause: usize,
    next_pause: usize,
}

impl Default for Patience {
    fn default() -> Self {
        Self { credit: CREDIT_FIRST, pause: 0, next_pause: PAUSE_MIN }
    }
}

impl Patience {
    /// Whether the next record is read without looking for a shape.
    #[inline]
    fn is_exhausted(&mut self) -> bool {
        let is_exhausted = self.pause > 0;
        self.pause -= usize::from(is_exhausted);
        is_exhausted
    }

    /// A run of shaped rows ended.
    fn gain(&mut self, rows: usize) {
        self.credit = (self.credit + rows).min(CREDIT_MAX);
        if self.credit == CREDIT_MAX {
            self.next_pause = PAUSE_MIN;
        }
    }

    /// Something happened that costs about as much as `rows` shaped rows gain.
    fn lose(&mut self, rows: usize) {
        self.credit = self.credit.saturating_sub(rows);
        if self.credit == 0 {
            self.pause = self.next_pause;
            self.next_pause = (self.next_pause * 2).min(PAUSE_MAX);
            self.credit = CREDIT_FIRST;
        }
    }
}

/// What a run costs: its arrays.
const RUN_ROWS: usize = 4;

/// What a record costs that has another shape than the one before, or none: failed attempts, and one more
/// run for everything downstream.
const MISFIT_ROWS: usize = 32;
const CREDIT_FIRST: usize = 8 * MISFIT_ROWS;
const CREDIT_MAX: usize = 32 * MISFIT_ROWS;

/// Attempts after a pause cost less than a hundredth of the records in it.
const PAUSE_MIN: usize = 1 << 12;
const PAUSE_MAX: usize = 1 << 18;
