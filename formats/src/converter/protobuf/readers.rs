//! The readers of a topic's messages, made once per schema id and path.

use std::collections::HashMap;
use std::sync::Arc;
use std::task::Poll;

use lakeward_api::ConnectError;
use lakeward_registry::settings::SubjectNameStrategy;
use lakeward_registry::{RegisteredSchema, Registry, SchemaType};

use super::descriptor::Pool;
use super::fault::{Converted, Fault, unusable};
use super::mapping::Mapping;
use super::read::Reader;
use super::wire;

/// What is known about a schema id and a path.
pub(super) enum Slot {
    /// The registry did not answer with a schema this time.
    Failed(Arc<ConnectError>),
    /// Payloads can be read.
    Reader(Box<Reader>),
    /// The schema has no Connect form.
    Refused(Box<Fault>),
}

/// The readers of one topic.
///
/// # Memory
/// At most `entries_max` readers, and more only while one batch needs more.
#[derive(Default)]
pub(super) struct Readers {
    slots: HashMap<(i32, Box<[u8]>), Entry>,
    /// Counts batches, to find the readers that were not used for longest.
    clock: u64,
}

struct Entry {
    slot: Slot,
    used: u64,
}

/// How schemas are found and mapped.
#[derive(Clone, Copy)]
pub(super) struct Rules {
    pub(super) mapping: Mapping,
    pub(super) subjects: Subjects,
    pub(super) entries_max: usize,
}

/// Names the subjects of one side of a topic.
#[derive(Clone, Copy)]
pub(super) struct Subjects {
    pub(super) strategy: SubjectNameStrategy,
    pub(super) is_key: bool,
}

impl Subjects {
    /// `key` or `value`, for messages.
    pub(super) fn side(self) -> &'static str {
        if self.is_key { "key" } else { "value" }
    }

    /// The subject of a schema in `topic`; `message` is its name.
    ///
    /// # Errors
    /// A `SerializationException` when the strategy needs a name and there is none.
    pub(super) fn of(self, topic: &str, message: Option<&str>) -> Converted<String> {
        let subject = self.strategy.subject(topic, self.is_key, message);
        let subject = subject.map_err(|error| Box::new(Fault::Serialization(error.to_string())))?;
        Ok(subject.into_owned())
    }
}

impl Readers {
    /// Starts a batch: readers that were not used for long go when there are too many.
    pub(super) fn start_batch(&mut self, entries_max: usize) {
        self.clock += 1;
        if self.slots.len() > entries_max {
            let mut used: Vec<u64> = self.slots.values().map(|entry| entry.used).collect();
            used.sort_unstable();
            let oldest_kept = used[used.len() - entries_max.max(1)];
            self.slots.retain(|_, entry| entry.used >= oldest_kept);
        }
    }

    /// Forgets failures, so that a retry asks again.
    pub(super) fn forget_failures(&mut self) {
        self.slots.retain(|_, entry| !matches!(entry.slot, Slot::Failed(_)));
    }

    /// What is known about `id` and `path`.
    pub(super) fn slot(&mut self, id: i32, path: &[u8]) -> Option<&mut Slot> {
        let entry = self.slots.get_mut(&(id, Box::from(path)))?;
        entry.used = self.clock;
        Some(&mut entry.slot)
    }

    /// Makes sure that something is known about `id` and `path`.
    pub(super) fn poll_slot(
        &mut self,
        registry: &mut dyn Registry,
        topic: &str,
        (id, path): (i32, &[u8]),
        rules: Rules,
    ) -> Poll<()> {
        if self.slot(id, path).is_some() {
            return Poll::Ready(());
        }
        let is_named_by_schema = rules.subjects.strategy.needs_record_name();
        let subject = if is_named_by_schema { Ok(String::new()) } else { rules.subjects.of(topic, None) };
        let slot = match registry.by_id(&subject.unwrap_or_default(), id) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Err(error)) => Slot::Failed(Arc::new(error)),
            Poll::Ready(Ok(registered)) if !is_named_by_schema => make_slot(&registered, path, rules.mapping),
            Poll::Ready(Ok(registered)) => {
                // The version counts under the subject that the message names.
                let subject = find(&registered, path).and_then(|(pool, message)| {
                    rules.subjects.of(topic, Some(&pool.messages[message].full_name))
                });
                match subject {
                    Err(fault) => Slot::Refused(fault),
                    Ok(subject) => match registry.by_id(&subject, id) {
                        Poll::Pending => return Poll::Pending,
                        Poll::Ready(Err(error)) => Slot::Failed(Arc::new(error)),
                        Poll::Ready(Ok(registered)) => make_slot(&registered, path, rules.mapping),
                    },
                }
            }
        };
        self.slots.insert((id, path.into()), Entry { slot, used: self.clock });
        Poll::Ready(())
    }
}

/// The types of a registered schema.
pub(super) fn parse_registered(registered: &RegisteredSchema) -> Converted<Pool> {
    if registered.schema.kind != SchemaType::Protobuf {
        return Err(Box::new(Fault::Serialization(format!(
            "Error retrieving Protobuf schema for id {}: it is of type {}",
            registered.id,
            registered.schema.kind.as_str()
        ))));
    }
    Pool::parse(&registered.schema.text, &registered.dependencies)
}

fn find(registered: &RegisteredSchema, path: &[u8]) -> Converted<(Pool, usize)> {
    let pool = parse_registered(registered)?;
    let indexes = wire::indexes(path)?;
    let message = pool.message_at(&indexes);
    let message = message.ok_or_else(|| unusable(format!("Invalid message indexes: {indexes:?}")))?;
    Ok((pool, message))
}

fn make_slot(registered: &RegisteredSchema, path: &[u8], mapping: Mapping) -> Slot {
    let made = find(registered, path)
        .and_then(|(pool, message)| Reader::new(&pool, message, mapping, registered.version));
    made.map_or_else(Slot::Refused, |reader| Slot::Reader(Box::new(reader)))
}
