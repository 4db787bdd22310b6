//! The task: looks through the bucket, reads one object after the other, waits, looks again.
//!
//! # Memory
//! One page of a listing, one object being read as its reader says, two batches, and what the plan knows.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow_array::BinaryArray;
use chrono::{DateTime, Utc};
use lakeward_api::batch::Values;
use lakeward_api::bridge::{Bridge, Waker};
use lakeward_api::header::HeaderRows;
use lakeward_api::schema::{Kind, Schema};
use lakeward_api::sink::Now;
use lakeward_api::source::{Polled, SourceBatch, SourcePosition, SourceTask, SourceTaskContext};
use lakeward_api::{ConnectError, ErrorClass};
use lakeward_formats::FormatError;
use object_store::ObjectMeta;

use super::error::S3SourceError;
use super::metadata;
use super::plan::{OnDamage, Plan, Verdict};
use super::reading::{Next, Reading};
use super::store::{Missed, Page, Store};
use crate::blocking::{self, Pending};

/// The task of a plan.
pub(super) struct ObjectTask<P> {
    plan: P,
    store: Store,
    rows_max: usize,
    poll_interval: Duration,
    /// Records without schemas have keys of bytes without one.
    keys_have_schema: bool,
    stage: Stage,
    asked: Option<Asked>,
    page: VecDeque<ObjectMeta>,
    /// Objects of the page that were not left.
    page_reads: usize,
    page_is_last: bool,
    /// The last name of the page.
    last: Option<String>,
    /// The object that was listed and was not there, and how often in a row.
    missed: Option<(String, u32)>,
    /// Nothing is asked of the store before.
    not_before: Option<Instant>,
    bridge: Arc<dyn Bridge>,
    waker: Waker,
}

enum Stage {
    /// It is not known whether the bucket is there.
    Opening,
    /// Through with the page; the next one is wanted.
    Listing,
    /// A page is at hand.
    Choosing,
    /// An object is read.
    Reading(Box<Reading>),
}

/// A request under way.
enum Asked {
    Check(Pending<Result<(), S3SourceError>>),
    Fetch(Pending<Result<Vec<bytes::Bytes>, Missed>>),
    List(Pending<Result<Page, S3SourceError>>),
}

/// How a step ended.
enum Turn {
    Again,
    Wait,
    Records(Vec<SourceBatch>),
}

impl<P: Plan> ObjectTask<P> {
    pub(super) fn new(
        plan: P,
        store: Store,
        rows_max: usize,
        poll_interval: Duration,
        keys_have_schema: bool,
        context: SourceTaskContext,
    ) -> Self {
        Self {
            plan,
            store,
            rows_max,
            poll_interval,
            keys_have_schema,
            stage: Stage::Opening,
            asked: None,
            page: VecDeque::new(),
            page_reads: 0,
            page_is_last: false,
            last: None,
            missed: None,
            not_before: None,
            bridge: context.bridge,
            waker: context.waker,
        }
    }

    /// Takes an answer that arrived; false while one is on its way.
    fn take_answer(&mut self, now: Now) -> Result<bool, ConnectError> {
        let Some(asked) = self.asked.take() else { return Ok(true) };
        match asked {
            Asked::Check(pending) => match pending.take()? {
                None => self.asked = Some(Asked::Check(pending)),
                Some(answer) => {
                    self.accept(answer, now)?;
                    self.stage = Stage::Listing;
                }
            },
            Asked::List(pending) => match pending.take()? {
                None => self.asked = Some(Asked::List(pending)),
                Some(answer) => {
                    let page = self.accept(answer, now)?;
                    self.last = page.last;
                    self.page = page.objects.into();
                    (self.page_reads, self.page_is_last) = (0, page.is_last);
                    self.stage = Stage::Choosing;
                    self.leave_out(&page.unnameable)?;
                }
            },
            Asked::Fetch(pending) => match pending.take()? {
                None => self.asked = Some(Asked::Fetch(pending)),
                Some(Err(Missed::Store(err))) => {
                    self.accept::<()>(Err(err), now)?;
                }
                Some(Err(Missed::Changed)) => self.look_for_it_again(now),
                Some(Err(Missed::Gone)) => self.miss(now)?,
                Some(Ok(pieces)) => {
                    if let Stage::Reading(reading) = &mut self.stage {
                        reading.feed(pieces);
                    }
                }
            },
        }
        Ok(self.asked.is_none())
    }

    /// An answer of the store. After a failure that may heal the same thing is asked again, later.
    fn accept<T>(&mut self, answer: Result<T, S3SourceError>, now: Now) -> Result<T, ConnectError> {
        answer.map_err(|err| {
            if err.class() == ErrorClass::Retriable {
                self.not_before = Some(now.monotonic + ASK_AGAIN);
            }
            err.into()
        })
    }

    /// The object at hand is not there. One that is missed again and again is listed under another name than
    /// its own: the client drops a slash at the ends of names.
    fn miss(&mut self, now: Now) -> Result<(), ConnectError> {
        let Stage::Reading(reading) = &self.stage else { return Ok(()) };
        let (target, rows) = (reading.target.clone(), reading.rows);
        let object = reading.object.location.to_string();
        let count = match self.missed.take() {
            Some((missed, count)) if missed == object => count + 1,
            _ => 1,
        };
        if count == MISSES_MAX {
            self.stage = Stage::Choosing;
            self.damaged(&object, MISSED)?;
            self.plan.progress(&target, &object, rows, true);
            return Ok(());
        }
        self.missed = Some((object, count));
        self.look_for_it_again(now);
        Ok(())
    }

    /// The object at hand is not the one that was listed: the look through the bucket begins anew, after a
    /// moment.
    fn look_for_it_again(&mut self, now: Now) {
        if let Stage::Reading(reading) = &self.stage {
            let object = &reading.object.location;
            tracing::warn!(%object, "the object was replaced or removed; it is looked for again");
        }
        self.page.clear();
        self.last = None;
        self.stage = Stage::Listing;
        self.not_before = Some(now.monotonic + self.poll_interval.min(ASK_AGAIN));
    }

    fn step(&mut self, now: Now) -> Result<Turn, ConnectError> {
        match &mut self.stage {
            Stage::Opening => {
                let check = self.store.clone().check(self.plan.directory().map(str::to_owned));
                self.asked = Some(Asked::Check(blocking::ask(&*self.bridge, &self.waker, check)));
                Ok(Turn::Wait)
            }
            Stage::Listing => {
                let after = match &self.last {
                    Some(last) if self.page_reads == 0 => Some(self.plan.leap(last)),
                    Some(last) => Some(last.clone()),
                    None => self.plan.begin(),
                };
                let page = self.store.clone().page(self.plan.directory().map(str::to_owned), after);
                self.asked = Some(Asked::List(blocking::ask(&*self.bridge, &self.waker, page)));
                Ok(Turn::Wait)
            }
            Stage::Choosing => self.choose(now),
            Stage::Reading(reading) => match reading.next(self.rows_max) {
                Next::Need(ranges) => {
                    let fetch = self.store.clone().fetch(reading.object.clone(), ranges);
                    self.asked = Some(Asked::Fetch(blocking::ask(&*self.bridge, &self.waker, fetch)));
                    Ok(Turn::Wait)
                }
                Next::Rows { parts, is_last } => Ok(Turn::Records(self.hand_over(parts, is_last))),
                Next::End => {
                    let (name, rows) = (reading.object.location.to_string(), reading.rows);
                    self.plan.progress(&reading.target, &name, rows, true);
                    self.stage = Stage::Choosing;
                    Ok(Turn::Again)
                }
                Next::Damaged(err) => {
                    let (name, rows) = (reading.object.location.to_string(), reading.rows);
                    let target = reading.target.clone();
                    self.stage = Stage::Choosing;
                    self.damaged(&name, &trace(err))?;
                    self.plan.progress(&target, &name, rows, true);
                    Ok(Turn::Again)
                }
            },
        }
    }

    /// Takes the next object of the page that is to be read.
    fn choose(&mut self, now: Now) -> Result<Turn, ConnectError> {
        for _ in 0..JUDGED_AT_ONCE {
            let Some(object) = self.page.pop_front() else {
                if self.page_is_last {
                    self.last = None;
                    let pause = if self.plan.end_look() { Duration::ZERO } else { self.poll_interval };
                    self.not_before = Some(now.monotonic + pause);
                }
                self.stage = Stage::Listing;
                return Ok(Turn::Again);
            };
            if self.plan.is_too_old(object.last_modified.timestamp_millis()) {
                continue;
            }
            let name = object.location.to_string();
            match self.plan.judge(&name)? {
                Verdict::Leave => {}
                Verdict::Refuse(problem) => self.damaged(&name, &problem)?,
                Verdict::Read(target) => {
                    self.page_reads += 1;
                    match Reading::new(object, target.clone(), self.plan.content()) {
                        Ok(reading) => {
                            self.stage = Stage::Reading(Box::new(reading));
                            return Ok(Turn::Again);
                        }
                        Err(err) => {
                            self.damaged(&name, &trace(err))?;
                            self.plan.progress(&target, &name, target.skip, true);
                        }
                    }
                }
            }
        }
        // Others on this shard have their turn.
        self.waker.wake();
        Ok(Turn::Wait)
    }

    /// An object that cannot be read: the task fails, or goes on with the next one.
    fn damaged(&self, name: &str, problem: &str) -> Result<(), ConnectError> {
        let (bucket, name, problem) = (self.store.bucket().to_string(), name.to_owned(), problem.to_owned());
        match self.plan.on_damage() {
            OnDamage::Fail => return Err(S3SourceError::Object { bucket, name, problem }.into()),
            OnDamage::Log => {
                tracing::error!(bucket, object = name, problem, "object left out: it cannot be read");
            }
            OnDamage::Ignore => {
                tracing::debug!(bucket, object = name, problem, "object left out: it cannot be read");
            }
        }
        Ok(())
    }

    /// Objects whose names the client has no form for: those that should be read are damage.
    fn leave_out(&mut self, objects: &[(String, DateTime<Utc>)]) -> Result<(), ConnectError> {
        for (name, modified) in objects {
            if self.plan.is_too_old(modified.timestamp_millis()) {
                continue;
            }
            match self.plan.judge(name)? {
                Verdict::Leave => {}
                Verdict::Refuse(problem) => self.damaged(name, &problem)?,
                Verdict::Read(target) => {
                    self.page_reads += 1;
                    self.damaged(name, UNNAMEABLE)?;
                    self.plan.progress(&target, name, target.skip, true);
                }
            }
        }
        Ok(())
    }

    fn hand_over(&mut self, parts: Vec<Values>, is_last: bool) -> Vec<SourceBatch> {
        let Stage::Reading(reading) = &mut self.stage else { return Vec::new() };
        let name = reading.object.location.to_string();
        let end = reading.rows + parts.iter().map(|part| part.rows() as u64).sum::<u64>();
        let headers = match self.plan.names_objects() {
            true => metadata::headers(&reading.object),
            false => HeaderRows::default(),
        };
        let mut batches = Vec::with_capacity(parts.len());
        for values in parts {
            let rows = values.rows();
            let position = |number: u64| SourcePosition {
                partition: Arc::clone(&reading.target.source),
                offset: self.plan.offset(&name, number, is_last && number == end),
            };
            let positions = (reading.rows + 1..=reading.rows + rows as u64).map(position).collect();
            let keys = match &reading.target.key {
                None => Values::Null { rows },
                Some(key) if self.keys_have_schema => Values::Typed {
                    schema: Arc::new(Schema::optional(Kind::Bytes)),
                    array: Arc::new(BinaryArray::from_iter_values(vec![key; rows])),
                },
                Some(key) => Values::Dynamic(vec![lakeward_api::value::Value::Bytes(key.clone()); rows]),
            };
            batches.push(SourceBatch {
                topic: Arc::clone(&reading.target.topic),
                partition: reading.target.partition,
                timestamps_ms: vec![None; rows],
                keys,
                values,
                headers: headers.clone(),
                positions,
            });
            reading.rows += rows as u64;
        }
        self.plan.progress(&reading.target, &name, reading.rows, is_last);
        batches
    }
}

impl<P: Plan> SourceTask for ObjectTask<P> {
    fn has_started(&self) -> bool {
        !matches!(self.stage, Stage::Opening)
    }

    fn poll(&mut self, now: Now) -> Result<Polled, ConnectError> {
        loop {
            if !self.take_answer(now)? {
                return Ok(Polled::Idle { until: None });
            }
            if let Some(time) = self.not_before {
                if now.monotonic < time {
                    return Ok(Polled::Idle { until: Some(time) });
                }
                self.not_before = None;
            }
            match self.step(now)? {
                Turn::Again => {}
                Turn::Wait => return Ok(Polled::Idle { until: None }),
                Turn::Records(batches) => return Ok(Polled::Records(batches)),
            }
        }
    }

    fn stop(&mut self) {
        self.asked = None;
    }
}

/// What is wrong with an object, with its causes in one line.
fn trace(err: FormatError) -> String {
    let err = ConnectError::from(err);
    let mut text = err.to_string();
    let mut cause = std::error::Error::source(&err);
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}

/// What is wrong with names that the client has no form for.
const UNNAMEABLE: &str = "Lakeward reads no objects with empty segments or dots in their names (a//b, \
                           a/./b); copy it to another name";

/// What is wrong with an object that is listed and never there.
const MISSED: &str = "it is listed, but no object of this name can be read; names that begin or end with a \
                      slash are none that Lakeward reads";

const MISSES_MAX: u32 = 4;

/// Pause after a store that did not answer.
const ASK_AGAIN: Duration = Duration::from_secs(5);

/// Objects of a page that are looked at before others have their turn.
const JUDGED_AT_ONCE: usize = 200;
