//! Partitions on their way in. A sink that repeats decided cuts is told what the group committed before it
//! gets a record: that is read from the coordinator on another thread, and fetching starts where it says.
//!
//! The membership waits meanwhile: the group hands nothing over before an assignment is accepted or given
//! back.

use std::time::{Duration, Instant};

use lakeward_api::ConnectError;
use lakeward_api::cuts::{self, Cut, Fingerprint, Opening, Recorded};
use lakeward_api::failpoint;
use lakeward_api::handover::OpenState;
use lakeward_api::record::{CommittedPosition, Position, TopicPartition};
use lakeward_kafka::KafkaError;

use super::Pipeline;

/// The coordinator answers within this time, or is asked again.
const READ_TIMEOUT: Duration = Duration::from_secs(10);
const READ_PAUSE: Duration = Duration::from_secs(1);

type Answer = Result<Found, KafkaError>;
/// How a partition is opened, and what is open of it already.
type HandedOver = (Opening, Box<dyn OpenState>);

/// What is known of assigned partitions.
pub(super) struct Found {
    pub(super) committed: Vec<CommittedPosition>,
    /// Where those start that have no committed position, or one that their topic lost.
    pub(super) starts: Vec<Position>,
}

/// Assigned partitions whose committed positions are not known yet.
#[derive(Default)]
pub(super) struct Openings {
    partitions: Vec<TopicPartition>,
    answer: Option<flume::Receiver<Answer>>,
    due: Option<Instant>,
}

impl Openings {
    /// These went away.
    pub(super) fn forget(&mut self, partitions: &[TopicPartition]) {
        self.partitions.retain(|partition| !partitions.contains(partition));
    }

    /// Takes everything that waits.
    pub(super) fn take(&mut self) -> Vec<TopicPartition> {
        self.answer = None;
        self.due = None;
        std::mem::take(&mut self.partitions)
    }
}

impl Pipeline {
    /// Partitions were assigned: opens them, or asks for their committed positions first.
    pub(super) fn assigned(&mut self, partitions: Vec<TopicPartition>) -> Result<(), ConnectError> {
        self.was_assigned = true;
        let must_ask = self.fingerprint.is_some() || self.handover.is_some() || self.consumer.starts_by_age();
        if !must_ask || partitions.is_empty() {
            if !partitions.is_empty() {
                self.ledger.open(&partitions);
                self.meter.assigned(&self.ledger, Instant::now());
                self.task.open(&partitions)?;
            }
            self.consumer.confirm_assigned(&partitions)?;
            return self.pause_new(&partitions);
        }
        self.openings.partitions.extend(partitions);
        self.read_committed();
        Ok(())
    }

    /// Opens what the coordinator has answered about.
    pub(super) fn advance_openings(&mut self, now: Instant) -> Result<(), ConnectError> {
        if self.openings.due.is_some_and(|due| due <= now) {
            self.read_committed();
        }
        let Some(answer) = self.openings.answer.as_ref().and_then(|answer| answer.try_recv().ok()) else {
            return Ok(());
        };
        match answer {
            Ok(found) => {
                let partitions = self.openings.take();
                self.open_at(&partitions, &found)
            }
            Err(error) => {
                let error = ConnectError::from(error);
                tracing::warn!(task = %self.id, error = %error.trace().trim_end(),
                    "the committed offsets of new partitions cannot be read; they are asked for again");
                self.openings.answer = None;
                self.openings.due = Some(now + READ_PAUSE);
                Ok(())
            }
        }
    }

    /// Accepts what waits without working on it: it goes back with everything else.
    pub(super) fn give_openings_back(&mut self) -> Result<(), ConnectError> {
        let partitions = self.openings.take();
        if !partitions.is_empty() {
            self.ledger.open(&partitions);
            self.consumer.confirm_assigned(&partitions)?;
        }
        Ok(())
    }

    fn read_committed(&mut self) {
        let (sender, answer) = flume::bounded(1);
        self.openings.answer = Some(answer);
        self.openings.due = None;
        let reader = self.consumer.committed_reader();
        let partitions = self.openings.partitions.clone();
        let control = std::sync::Arc::clone(&self.control);
        self.bridge.spawn_blocking(move || {
            let answer = reader.read(&partitions, READ_TIMEOUT).and_then(|committed| {
                let starts = reader.starts(&partitions, &committed, READ_TIMEOUT)?;
                Ok(Found { committed, starts })
            });
            // The last holder of a client joins its threads: not the shard that waits for the answer.
            drop(reader);
            if sender.send(answer).is_err() {
                tracing::debug!("nobody waits for these committed offsets any more");
            }
            control.wake();
        });
    }

    /// Opens `partitions`, of which this was found.
    pub(super) fn open_at(
        &mut self,
        partitions: &[TopicPartition],
        found: &Found,
    ) -> Result<(), ConnectError> {
        let start = |partition: &TopicPartition| {
            let start = found.starts.iter().find(|start| start.partition == *partition);
            start.map(|start| start.next_offset)
        };
        let (mut openings, mut starts, mut handed_over) = (Vec::new(), Vec::new(), Vec::new());
        for partition in partitions {
            let known = found.committed.iter().find(|known| known.position.partition == *partition);
            // A position that the topic lost says nothing about what comes now.
            let known = known.filter(|_| start(partition).is_none());
            let cuts = known.zip(self.fingerprint.as_ref());
            let opening = Opening {
                partition: partition.clone(),
                committed: known.map(|known| known.position.next_offset),
                cuts: cuts.map_or_else(Vec::new, |(known, fingerprint)| repeated(fingerprint, known)),
            };
            let state = self.handover.as_ref().and_then(|handover| handover.take(partition, known));
            let next = state.as_ref().map(|state| state.next_offset());
            starts.push((partition.clone(), next.or(opening.committed).or(start(partition))));
            match state {
                Some(state) => handed_over.push((opening, state)),
                None => openings.push(opening),
            }
        }
        if !openings.is_empty() {
            self.open_partitions(&openings)?;
        }
        self.go_on(handed_over)?;
        self.consumer.confirm_assigned_at(&starts)?;
        self.pause_new(partitions)
    }

    fn open_partitions(&mut self, openings: &[Opening]) -> Result<(), ConnectError> {
        self.ledger.open_at(openings);
        self.meter.assigned(&self.ledger, Instant::now());
        self.task.open_at(openings)
    }

    /// Goes on where earlier owners in this process parted with their partitions.
    fn go_on(&mut self, handed_over: Vec<HandedOver>) -> Result<(), ConnectError> {
        if handed_over.is_empty() {
            return Ok(());
        }
        tracing::info!(task = %self.id, partitions = handed_over.len(),
            "open files of the owners before are gone on with");
        for (opening, state) in handed_over {
            failpoint!("sink.handover.before_take");
            self.ledger.open_at(std::slice::from_ref(&opening));
            self.task.adopt(&opening, state)?;
            failpoint!("sink.handover.after_take");
        }
        self.meter.assigned(&self.ledger, Instant::now());
        Ok(())
    }

    fn pause_new(&mut self, partitions: &[TopicPartition]) -> Result<(), ConnectError> {
        if self.is_fetch_paused && !partitions.is_empty() {
            self.consumer.pause(partitions)?;
        }
        Ok(())
    }
}

/// The cuts to repeat behind a committed position.
fn repeated(fingerprint: &Fingerprint, committed: &CommittedPosition) -> Vec<Cut> {
    let CommittedPosition { position, metadata } = committed;
    let partition = &position.partition;
    match cuts::parse(position.next_offset, metadata) {
        Recorded::Nothing => Vec::new(),
        Recorded::Cuts { fingerprint: recorded, cuts } => {
            let changed = fingerprint.changed(&recorded);
            if changed.is_empty() {
                tracing::info!(%partition, from = position.next_offset, count = cuts.len(),
                    "cuts that were decided before are repeated");
                return cuts;
            }
            tracing::warn!(%partition, from = position.next_offset, changed = changed.join(", "),
                "settings changed since cuts were decided: they are not repeated, and records from this \
                 offset on may be stored twice, under the old settings and the new ones");
            Vec::new()
        }
        Recorded::Foreign => {
            tracing::warn!(%partition, offset = position.next_offset,
                "the committed offset has metadata of another origin; it is ignored");
            Vec::new()
        }
        Recorded::Unreadable => {
            tracing::warn!(%partition, from = position.next_offset,
                "the committed offset has decided cuts that cannot be read: records from this offset on may \
                 be stored twice");
            Vec::new()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_cuts_of_the_same_settings_are_repeated() {
        let mut fingerprint = Fingerprint::default();
        fingerprint.add("timezone", "UTC");
        let cuts = [Cut { end: 9, clock: Vec::new() }];
        let with = |metadata: String| CommittedPosition {
            position: Position { partition: TopicPartition::new("t", 0), next_offset: 5 },
            metadata,
        };
        let (text, _) = cuts::write(&fingerprint.text(), 5, &cuts);
        assert_eq!(repeated(&fingerprint, &with(text)), cuts);
        let (text, _) = cuts::write("xyz", 5, &cuts);
        assert!(repeated(&fingerprint, &with(text)).is_empty());
        for junk in ["", "by another worker", "lakeward-cuts-9;x"] {
            assert!(repeated(&fingerprint, &with(junk.to_owned())).is_empty());
        }
    }
}
