//! The records of a log on their way to its callback: each once, in offset order per partition, whoever
//! brings it.
//!
//! Owns how far each partition was handed out. Must not know where records come from: the reader fetches
//! them, and a writer of this process may bring its own when it is their turn.

use std::sync::{Mutex, PoisonError};

use lakeward_api::record::RawRecord;
use tokio::sync::watch;

/// How far each partition was read. `next_offset` only moves forward.
#[derive(Clone, Debug, Default)]
pub(super) struct Progress {
    pub(super) partitions: Vec<PartitionProgress>,
    pub(super) failure: Option<String>,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PartitionProgress {
    /// Offset of the next record.
    pub(super) next_offset: i64,
    /// Ends reached so far; a new one proves that everything before it was handed out.
    pub(super) ends_seen: u64,
}

type OnRecord = Box<dyn FnMut(i32, RawRecord<'_>) + Send>;

/// The way to the callback.
pub(super) struct Delivery {
    /// Held from the look at the progress until the record counts in it.
    on_record: Mutex<OnRecord>,
    progress: watch::Sender<Progress>,
}

impl Delivery {
    /// Nothing was handed out; the receiver tells what was.
    pub(super) fn new(
        partition_count: usize,
        on_record: impl FnMut(i32, RawRecord<'_>) + Send + 'static,
    ) -> (Self, watch::Receiver<Progress>) {
        let partitions = vec![PartitionProgress::default(); partition_count];
        let (progress, receiver) = watch::channel(Progress { partitions, failure: None });
        (Self { on_record: Mutex::new(Box::new(on_record)), progress }, receiver)
    }

    /// A record that was read: offsets may have gaps. One that was handed out before is left out.
    pub(super) fn hand_out(&self, partition: i32, record: RawRecord<'_>) {
        self.hand_out_if(partition, record, |next, offset| next <= offset);
    }

    /// A record of this process that is known to be stored: only when everything before it was handed out.
    pub(super) fn hand_out_own(&self, partition: i32, record: RawRecord<'_>) {
        self.hand_out_if(partition, record, |next, offset| next == offset);
    }

    fn hand_out_if(&self, partition: i32, record: RawRecord<'_>, is_turn: impl FnOnce(i64, i64) -> bool) {
        let mut on_record = self.on_record.lock().unwrap_or_else(PoisonError::into_inner);
        let next = usize::try_from(partition)
            .ok()
            .and_then(|partition| Some(self.progress.borrow().partitions.get(partition)?.next_offset));
        if next.is_some_and(|next| is_turn(next, record.offset)) {
            let offset = record.offset;
            (*on_record)(partition, record);
            self.update(partition, |here| here.next_offset = offset + 1);
        }
    }

    /// The end of a partition was reached.
    pub(super) fn end_seen(&self, partition: i32) {
        self.update(partition, |here| here.ends_seen += 1);
    }

    /// Nothing will be read any more. The first reason stays.
    pub(super) fn fail(&self, reason: String) {
        self.progress.send_modify(|progress| {
            progress.failure.get_or_insert(reason);
        });
    }

    fn update(&self, partition: i32, change: impl FnOnce(&mut PartitionProgress)) {
        self.progress.send_modify(|progress| {
            if let Some(here) = progress.partitions.get_mut(partition as usize) {
                change(here);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn record(offset: i64) -> RawRecord<'static> {
        RawRecord { offset, timestamp_ms: None, key: None, value: None }
    }

    type Seen = Arc<Mutex<Vec<(i32, i64)>>>;

    fn delivery() -> (Delivery, watch::Receiver<Progress>, Seen) {
        let seen = Seen::default();
        let target = Arc::clone(&seen);
        let (delivery, progress) = Delivery::new(2, move |partition, record| {
            target.lock().unwrap().push((partition, record.offset));
        });
        (delivery, progress, seen)
    }

    #[test]
    fn an_own_record_is_handed_out_once_and_only_in_its_turn() {
        let (delivery, progress, seen) = delivery();
        delivery.hand_out(0, record(3));
        delivery.hand_out_own(0, record(5));
        assert_eq!(*seen.lock().unwrap(), [(0, 3)], "another writer's record comes first");
        delivery.hand_out(0, record(4));
        delivery.hand_out_own(0, record(5));
        delivery.hand_out_own(0, record(5));
        delivery.hand_out(0, record(5));
        delivery.hand_out(0, record(6));
        delivery.hand_out_own(0, record(6));
        assert_eq!(*seen.lock().unwrap(), [(0, 3), (0, 4), (0, 5), (0, 6)]);
        assert_eq!(progress.borrow().partitions[0].next_offset, 7);
    }

    #[test]
    fn partitions_have_their_own_turns_and_unknown_ones_none() {
        let (delivery, progress, seen) = delivery();
        delivery.hand_out_own(1, record(0));
        delivery.hand_out_own(2, record(0));
        delivery.hand_out_own(-1, record(0));
        delivery.hand_out_own(0, record(-1));
        assert_eq!(*seen.lock().unwrap(), [(1, 0)]);
        assert_eq!(progress.borrow().partitions[0].next_offset, 0);
    }
}
