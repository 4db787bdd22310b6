//! The readers of a topic's schemas, made once per schema id.

use std::collections::HashMap;
use std::sync::Arc;
use std::task::Poll;

use lakeward_api::ConnectError;
use lakeward_registry::settings::SubjectNameStrategy;
use lakeward_registry::{RegisteredSchema, Registry, SchemaType};

use super::anything::is_anything;
use super::fault::{Converted, Fault};
use super::mapping::{Mapping, ToConnect};
use super::read::Reader;
use super::schema::{AvroSchema, Shape, parse};

/// What is known about a schema id.
pub(super) enum Slot {
    /// The schema of schemaless data.
    Anything,
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
    slots: HashMap<i32, (Slot, u64)>,
    /// Counts batches, to find the readers that were not used for longest.
    clock: u64,
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

    /// The subject of a schema in `topic`; `record` is its name.
    ///
    /// # Errors
    /// A `SerializationException` when the strategy needs a name and there is none.
    pub(super) fn of(self, topic: &str, record: Option<&str>) -> Converted<String> {
        let subject = self.strategy.subject(topic, self.is_key, record);
        let subject = subject.map_err(|error| Box::new(Fault::Serialization(error.to_string())))?;
        Ok(subject.into_owned())
    }
}

impl Readers {
    /// Starts a batch: schemas that failed are asked for again.
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

    /// What is known about `id`.
    pub(super) fn slot(&mut self, id: i32) -> Option<&mut Slot> {
        let (slot, used) = self.slots.get_mut(&id)?;
        *used = self.clock;
        Some(slot)
    }

    /// Makes sure that something is known about `id`; `unions` counts generalised unions.
    pub(super) fn poll_slot(
        &mut self,
        registry: &mut dyn Registry,
        topic: &str,
        id: i32,
        rules: Rules,
        unions: &mut u32,
    ) -> Poll<()> {
        if self.slot(id).is_some() {
            return Poll::Ready(());
        }
        let is_named_by_schema = rules.subjects.strategy.needs_record_name();
        let subject = if is_named_by_schema { Ok(String::new()) } else { rules.subjects.of(topic, None) };
        let slot = match registry.by_id(&subject.unwrap_or_default(), id) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Err(error)) => Slot::Failed(Arc::new(error)),
            Poll::Ready(Ok(registered)) if !is_named_by_schema => {
                make_slot(&registered, rules.mapping, unions)
            }
            Poll::Ready(Ok(registered)) => {
                // The version counts under the subject that the schema names.
                let name = parse_registered(&registered).map(|avro| record_name(&avro));
                match name.and_then(|name| rules.subjects.of(topic, name.as_deref())) {
                    Err(fault) => Slot::Refused(fault),
                    Ok(subject) => match registry.by_id(&subject, id) {
                        Poll::Pending => return Poll::Pending,
                        Poll::Ready(Err(error)) => Slot::Failed(Arc::new(error)),
                        Poll::Ready(Ok(registered)) => make_slot(&registered, rules.mapping, unions),
                    },
                }
            }
        };
        self.slots.insert(id, (slot, self.clock));
        Poll::Ready(())
    }
}

/// The full name that strategies use: of a record, enum or fixed.
pub(super) fn record_name(avro: &AvroSchema) -> Option<String> {
    let root = avro.root_type();
    match (&root.shape, &root.name) {
        (Shape::Union(_), _) => None,
        (_, Some(name)) => Some(name.full()),
        (_, None) => None,
    }
}

/// The types of a registered schema.
pub(super) fn parse_registered(registered: &RegisteredSchema) -> Converted<AvroSchema> {
    if registered.schema.kind != SchemaType::Avro {
        return Err(Box::new(Fault::Serialization(format!(
            "Error retrieving Avro schema for id {}: it is of type {}",
            registered.id,
            registered.schema.kind.as_str()
        ))));
    }
    parse(&registered.schema.text, registered.dependencies.iter().map(|(_, text)| &**text))
}

fn make_slot(registered: &RegisteredSchema, mapping: Mapping, unions: &mut u32) -> Slot {
    let made = parse_registered(registered).and_then(|avro| {
        if is_anything(&avro) {
            return Ok(Slot::Anything);
        }
        let schema = ToConnect::new(&avro, mapping, unions).schema(registered.version)?;
        Ok(Slot::Reader(Box::new(Reader::new(&avro, Arc::new(schema), mapping)?)))
    });
    made.unwrap_or_else(Slot::Refused)
}
