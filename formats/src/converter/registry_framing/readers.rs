//! The readers of a topic's schemas, made once per schema.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;
use std::task::Poll;

use lakeward_api::ConnectError;
use lakeward_registry::{RegisteredSchema, Registry};

use super::Subjects;

/// What is known about a schema; `R` reads its payloads, `F` is the fault of a format.
pub(in super::super) enum Slot<R, F> {
    /// The registry did not answer with a schema this time.
    Failed(Arc<ConnectError>),
    /// Payloads can be read.
    Reader(R),
    /// The schema has no Connect form.
    Refused(Box<F>),
}

/// The readers of one topic by `K`, which names a schema.
///
/// # Memory
/// At most `entries_max` readers, and more only while one batch needs more.
pub(in super::super) struct Readers<K, R, F> {
    slots: HashMap<K, (Slot<R, F>, u64)>,
    /// Counts batches, to find the readers that were not used for longest.
    clock: u64,
}

impl<K, R, F> Default for Readers<K, R, F> {
    fn default() -> Self {
        Self { slots: HashMap::new(), clock: 0 }
    }
}

impl<K: Eq + Hash, R, F> Readers<K, R, F> {
    /// Starts a batch: readers that were not used for long go when there are too many.
    pub(in super::super) fn start_batch(&mut self, entries_max: usize) {
        self.clock += 1;
        if self.slots.len() > entries_max {
            let mut used: Vec<u64> = self.slots.values().map(|(_, used)| *used).collect();
            used.sort_unstable();
            let oldest_kept = used[used.len() - entries_max.max(1)];
            self.slots.retain(|_, (_, used)| *used >= oldest_kept);
        }
    }

    /// Forgets failures, so that a retry asks again.
    pub(in super::super) fn forget_failures(&mut self) {
        self.slots.retain(|_, (slot, _)| !matches!(slot, Slot::Failed(_)));
    }

    /// What is known about `key`.
    pub(in super::super) fn slot(&mut self, key: &K) -> Option<&mut Slot<R, F>> {
        let (slot, used) = self.slots.get_mut(key)?;
        *used = self.clock;
        Some(slot)
    }

    /// Makes sure that something is known about `key`: `ask` finds the schema, `make` makes its reader.
    pub(in super::super) fn poll_slot(
        &mut self,
        key: K,
        ask: impl FnOnce() -> Poll<Result<Arc<RegisteredSchema>, Slot<R, F>>>,
        make: impl FnOnce(&RegisteredSchema) -> Result<R, Box<F>>,
    ) -> Poll<()> {
        if self.slot(&key).is_some() {
            return Poll::Ready(());
        }
        let slot = match ask() {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Err(slot)) => slot,
            Poll::Ready(Ok(registered)) => make(&registered).map_or_else(Slot::Refused, Slot::Reader),
        };
        self.slots.insert(key, (slot, self.clock));
        Poll::Ready(())
    }
}

/// Asks for schema `id` with its version, which counts under the subject that the strategy names: `name`
/// finds that subject when it needs the schema itself.
pub(in super::super) fn poll_schema<R, F>(
    registry: &mut dyn Registry,
    topic: &str,
    id: i32,
    subjects: Subjects,
    name: impl FnOnce(&RegisteredSchema) -> Result<String, Box<F>>,
) -> Poll<Result<Arc<RegisteredSchema>, Slot<R, F>>> {
    let failed = |error| Slot::Failed(Arc::new(error));
    let is_named_by_schema = subjects.strategy.needs_record_name();
    let first = if is_named_by_schema { Ok(String::new()) } else { subjects.of(topic, None) };
    match registry.by_id(&first.unwrap_or_default(), id) {
        Poll::Ready(Ok(registered)) if is_named_by_schema => match name(&registered) {
            Ok(subject) => registry.by_id(&subject, id).map(|answer| answer.map_err(failed)),
            Err(fault) => Poll::Ready(Err(Slot::Refused(fault))),
        },
        answer => answer.map(|answer| answer.map_err(failed)),
    }
}
