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
    /// The registry did not answer this time: with the schema, or with the version to read payloads as.
    Failed(Missing, Arc<ConnectError>),
    /// Payloads can be read.
    Reader(R),
    /// The schema has no Connect form.
    Refused(Box<Fault>),
}

/// What the registry did not answer with.
#[derive(Clone, Copy)]
pub(super) enum Missing {
    /// The version that payloads are read as.
    Latest,
    /// The schema that payloads were written with.
    Written,
}

/// What is known about a schema and when it was used.
struct Known<R> {
    slot: Slot<R>,
    /// The last batch that used it.
    used: u64,
    /// The schema that payloads were written with, when they may be read as another one.
    written: Option<Written>,
}

/// A schema that payloads were written with.
struct Written {
    subject: String,
    schema: Arc<RegisteredSchema>,
    /// What they are read as.
    latest: Arc<RegisteredSchema>,
}

/// The readers of one topic by schema and path.
///
/// # Memory
/// At most `entries_max` readers, and more only while one batch needs more.
pub(super) struct Readers<R> {
    slots: HashMap<(SchemaName, Box<[u8]>), Known<R>>,
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
            let mut used: Vec<u64> = self.slots.values().map(|known| known.used).collect();
            used.sort_unstable();
            let oldest_kept = used[used.len() - entries_max.max(1)];
            self.slots.retain(|_, known| known.used >= oldest_kept);
        }
    }

    /// Forgets failures, so that a retry asks again.
    pub(super) fn forget_failures(&mut self) {
        self.slots.retain(|_, known| !matches!(known.slot, Slot::Failed(..)));
    }

    /// What is known about `key`.
    pub(super) fn slot(&mut self, key: Key<'_>) -> Option<&mut Slot<R>> {
        self.known(key).map(|known| &mut known.slot)
    }

    fn known(&mut self, key: Key<'_>) -> Option<&mut Known<R>> {
        let known = self.slots.get_mut(&(key.schema, key.path.into()))?;
        known.used = self.clock;
        Some(known)
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
        let found = match self.known(key) {
            Some(Known { written: None, .. }) => return Poll::Ready(()),
            // The latest version may be another one by now.
            Some(Known { written: Some(written), .. }) => {
                let latest = match poll_latest(registry, &written.subject, &written.schema) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(latest) => latest,
                };
                if latest.as_ref().is_ok_and(|latest| Arc::ptr_eq(latest, &written.latest)) {
                    return Poll::Ready(());
                }
                let (subject, schema) = (written.subject.clone(), Arc::clone(&written.schema));
                latest.map(|latest| (subject, schema, latest))
            }
            None => match poll_schema::<F>(key, registry, topic, rules) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(slot)) => Err(slot),
                Poll::Ready(Ok((subject, schema))) if rules.resolves => {
                    match poll_latest(registry, &subject, &schema) {
                        Poll::Pending => return Poll::Pending,
                        Poll::Ready(latest) => latest.map(|latest| (subject, schema, latest)),
                    }
                }
                Poll::Ready(Ok((subject, schema))) => Ok((subject, Arc::clone(&schema), schema)),
            },
        };
        let known = match found {
            Err(slot) => Known { slot, used: self.clock, written: None },
            Ok((subject, schema, latest)) => {
                let slot = reader(format, key, &schema, &latest, rules);
                let written = rules.resolves.then_some(Written { subject, schema, latest });
                Known { slot, used: self.clock, written }
            }
        };
        self.slots.insert((key.schema, key.path.into()), known);
        Poll::Ready(())
    }
}

/// What reads payloads of `written` as values of `latest`.
fn reader<F: Format>(
    format: &mut F,
    key: Key<'_>,
    written: &RegisteredSchema,
    latest: &RegisteredSchema,
    rules: Rules<F::Mapping>,
) -> Slot<F::Reader> {
    let reader =
        of_its_kind::<F>(written, rules).and_then(|()| of_its_kind::<F>(latest, rules)).and_then(|()| {
            if written.id == latest.id {
                format.reader(written, key.path, rules.mapping)
            } else {
                format.resolver(written, key.path, latest, rules.mapping)
            }
        });
    reader.map_or_else(Slot::Refused, Slot::Reader)
}

/// Asks for the version of `subject` that payloads of `written` are read as.
fn poll_latest<R>(
    registry: &mut dyn Registry,
    subject: &str,
    written: &Arc<RegisteredSchema>,
) -> Poll<Result<Arc<RegisteredSchema>, Slot<R>>> {
    registry.for_reading(subject, written).map(|answer| match answer {
        Ok(latest) => Ok(latest.unwrap_or_else(|| Arc::clone(written))),
        Err(error) => Err(Slot::Failed(Missing::Latest, Arc::new(error))),
    })
}

/// The subject of a schema, and the schema.
type Found = (String, Arc<RegisteredSchema>);

/// Asks for a schema with its version, which counts under the subject that the strategy names; some need the
/// schema itself for that.
fn poll_schema<F: Format>(
    key: Key<'_>,
    registry: &mut dyn Registry,
    topic: &str,
    rules: Rules<F::Mapping>,
) -> Poll<Result<Found, Slot<F::Reader>>> {
    let failed = |error| Slot::Failed(Missing::Written, Arc::new(error));
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
    let mut ask = |subject: String| {
        let answer = match key.schema {
            SchemaName::Guid(guid) => registry.by_guid(&subject, guid),
            SchemaName::Id(id) => registry.by_id(&subject, id),
        };
        answer.map(|answer| answer.map(|schema| (subject, schema)).map_err(failed))
    };
    match ask(first) {
        Poll::Ready(Ok((_, registered))) if is_named_by_schema => {
            let name = of_its_kind::<F>(&registered, rules).and_then(|()| F::name(&registered, key.path));
            let subject =
                name.and_then(|name| subjects.of(topic, name.as_deref()).map_err(|text| F::framing(text)));
            match subject {
                Ok(subject) => ask(subject),
                Err(fault) => Poll::Ready(Err(Slot::Refused(fault))),
            }
        }
        answer => answer,
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
