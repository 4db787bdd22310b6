//! The readers of a topic's schemas, made once per schema.

use std::collections::HashMap;
use std::sync::Arc;
use std::task::Poll;

use lakeward_api::ConnectError;
use lakeward_registry::{RegisteredSchema, Registry};

use super::fault::{Converted, Fault};
use super::format::Format;
use super::subjects::Rules;
use super::wire::{Key, SchemaName};

/// What is known about a schema; `R` reads its payloads.
pub(super) enum Slot<R> {
    /// The registry did not answer with a schema this time.
    Failed(Arc<ConnectError>),
    /// Payloads can be read.
    Reader(R),
    /// The schema has no Connect form.
    Refused(Box<Fault>),
}

/// A slot and the batch that used it last.
type Used<R> = (Slot<R>, u64);

/// The readers of one topic by schema and path.
///
/// # Memory
/// At most `entries_max` readers, and more only while one batch needs more.
pub(super) struct Readers<R> {
    slots: HashMap<(SchemaName, Box<[u8]>), Used<R>>,
    /// Counts batches, to find the readers that were not used for longest.
    clock: u64,
}

impl<R> Default for Readers<R> {
    fn default() -> Self {
        Self { slots: HashMap::new(), clock: 0 }
    }
}

impl<R> Readers<R> {
    /// Starts a batch: readers that were not used for long go when there are too many.
    pub(super) fn start_batch(&mut self, entries_max: usize) {
        self.clock += 1;
        if self.slots.len() > entries_max {
            let mut used: Vec<u64> = self.slots.values().map(|(_, used)| *used).collect();
            used.sort_unstable();
            let oldest_kept = used[used.len() - entries_max.max(1)];
            self.slots.retain(|_, (_, used)| *used >= oldest_kept);
        }
    }

    /// Forgets failures, so that a retry asks again.
    pub(super) fn forget_failures(&mut self) {
        self.slots.retain(|_, (slot, _)| !matches!(slot, Slot::Failed(_)));
    }

    /// What is known about `key`.
    pub(super) fn slot(&mut self, key: Key<'_>) -> Option<&mut Slot<R>> {
        let (slot, used) = self.slots.get_mut(&(key.schema, key.path.into()))?;
        *used = self.clock;
        Some(slot)
    }

    /// Makes sure that something is known about `key`.
    pub(super) fn poll_slot<F: Format<Reader = R>>(
        &mut self,
        key: Key<'_>,
        registry: &mut dyn Registry,
        topic: &str,
        format: &mut F,
        rules: Rules<F::Mapping>,
    ) -> Poll<()> {
        if self.slot(key).is_some() {
            return Poll::Ready(());
        }
        let slot = match poll_schema::<F>(key, registry, topic, rules) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Err(slot)) => slot,
            Poll::Ready(Ok(registered)) => {
                let reader = of_its_kind::<F>(&registered, rules)
                    .and_then(|()| format.reader(&registered, key.path, rules.mapping));
                reader.map_or_else(Slot::Refused, Slot::Reader)
            }
        };
        self.slots.insert((key.schema, key.path.into()), (slot, self.clock));
        Poll::Ready(())
    }
}

/// Asks for a schema with its version, which counts under the subject that the strategy names; some need the
/// schema itself for that.
fn poll_schema<F: Format>(
    key: Key<'_>,
    registry: &mut dyn Registry,
    topic: &str,
    rules: Rules<F::Mapping>,
) -> Poll<Result<Arc<RegisteredSchema>, Slot<F::Reader>>> {
    let failed = |error| Slot::Failed(Arc::new(error));
    let subjects = rules.subjects;
    let associated = match subjects.poll_associated(registry, topic) {
        Poll::Pending => return Poll::Pending,
        Poll::Ready(Err(error)) => return Poll::Ready(Err(failed(error))),
        Poll::Ready(Ok(subject)) => subject,
    };
    let is_named_by_schema = associated.is_none() && subjects.strategy.needs_record_name();
    let first = match associated {
        Some(subject) => subject.to_string(),
        None if is_named_by_schema => String::new(),
        None => match subjects.of(topic, None) {
            Ok(subject) => subject,
            Err(message) => return Poll::Ready(Err(Slot::Refused(F::framing(message)))),
        },
    };
    let mut ask = |subject: &str| match key.schema {
        SchemaName::Guid(guid) => registry.by_guid(subject, guid),
        SchemaName::Id(id) => registry.by_id(subject, id),
    };
    match ask(&first) {
        Poll::Ready(Ok(registered)) if is_named_by_schema => {
            let name = of_its_kind::<F>(&registered, rules).and_then(|()| F::name(&registered, key.path));
            let subject =
                name.and_then(|name| subjects.of(topic, name.as_deref()).map_err(|text| F::framing(text)));
            match subject {
                Ok(subject) => ask(&subject).map(|answer| answer.map_err(failed)),
                Err(fault) => Poll::Ready(Err(Slot::Refused(fault))),
            }
        }
        answer => answer.map(|answer| answer.map_err(failed)),
    }
}

/// Refuses schemas of other formats.
pub(super) fn of_its_kind<F: Format>(
    registered: &RegisteredSchema,
    rules: Rules<F::Mapping>,
) -> Converted<()> {
    let found = registered.schema.kind;
    if found == F::KIND {
        return Ok(());
    }
    let retrieving = F::retrieving(rules.subjects.side(), &registered.id.to_string());
    Err(F::framing(format!("{retrieving}: it is of type {}", found.as_str())))
}
