//! The readers of a topic's schemas, made once per schema id.

use std::collections::HashMap;
use std::sync::Arc;
use std::task::Poll;

use lakeward_api::ConnectError;
use lakeward_api::schema::Schema;
use lakeward_registry::{RegisteredSchema, Registry, SchemaType};
use serde_json::Value as Json;

use super::super::json::RegisteredReader;
use super::config::{Mapping, Rules};
use super::document::{Texts, load};
use super::fault::{Converted, Fault, invalid};
use super::to_connect::ToConnect;
use super::union::is_union;

/// What is known about a schema id.
pub(super) enum Slot {
    /// The registry did not answer with a schema this time.
    Failed(Arc<ConnectError>),
    /// Payloads can be read.
    Reader(Box<RegisteredReader>),
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

impl Readers {
    /// Starts a batch.
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

    /// Makes sure that something is known about `id`.
    pub(super) fn poll_slot(
        &mut self,
        registry: &mut dyn Registry,
        topic: &str,
        id: i32,
        rules: Rules,
    ) -> Poll<()> {
        if self.slot(id).is_some() {
            return Poll::Ready(());
        }
        let slot = match poll_schema(registry, topic, id, rules) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Err(slot)) => slot,
            Poll::Ready(Ok(registered)) => match connect_schema(&registered, rules.mapping) {
                Ok(schema) => Slot::Reader(Box::new(RegisteredReader::new(Arc::new(schema), is_union))),
                Err(fault) => Slot::Refused(fault),
            },
        };
        self.slots.insert(id, (slot, self.clock));
        Poll::Ready(())
    }
}

/// Asks for schema `id` with its version, which counts under the subject that the strategy names: that may
/// need the schema itself.
fn poll_schema(
    registry: &mut dyn Registry,
    topic: &str,
    id: i32,
    rules: Rules,
) -> Poll<Result<Arc<RegisteredSchema>, Slot>> {
    let by_schema = rules.strategy.needs_record_name();
    let first = if by_schema { Ok(String::new()) } else { subject(rules, topic, None) };
    let asked = registry.by_id(&first.unwrap_or_default(), id);
    let registered = match asked {
        Poll::Pending => return Poll::Pending,
        Poll::Ready(Err(error)) => return Poll::Ready(Err(Slot::Failed(Arc::new(error)))),
        Poll::Ready(Ok(registered)) => registered,
    };
    if !by_schema {
        return Poll::Ready(Ok(registered));
    }
    let named = parse(&registered.schema.text).and_then(|json| subject(rules, topic, title(&json)));
    match named {
        Err(fault) => Poll::Ready(Err(Slot::Refused(fault))),
        Ok(subject) => {
            registry.by_id(&subject, id).map(|answer| answer.map_err(|error| Slot::Failed(Arc::new(error))))
        }
    }
}

/// The subject of a schema in `topic`; `title` is its name.
///
/// # Errors
/// A `SerializationException` when the strategy needs a name and there is none.
pub(super) fn subject(rules: Rules, topic: &str, title: Option<&str>) -> Converted<String> {
    let subject = rules.strategy.subject(topic, rules.is_key, title);
    let subject = subject.map_err(|error| Box::new(Fault::Serialization(error.to_string())))?;
    Ok(subject.into_owned())
}

/// The name that strategies use.
pub(super) fn title(json: &Json) -> Option<&str> {
    json.get("title")?.as_str()
}

/// The Connect schema of a registered one.
///
/// # Errors
/// When it is no JSON Schema or has no Connect form.
pub(super) fn connect_schema(registered: &RegisteredSchema, mapping: Mapping) -> Converted<Schema> {
    if registered.schema.kind != SchemaType::Json {
        return Err(Box::new(Fault::Serialization(format!(
            "Error retrieving JSON schema for id {}: it is of type {}",
            registered.id,
            registered.schema.kind.as_str()
        ))));
    }
    let root = parse(&registered.schema.text)?;
    let named = registered.dependencies.iter().map(|(name, text)| Ok((name.clone(), parse(text)?)));
    let named = named.collect::<Converted<Vec<_>>>()?;
    let document = load(&Texts::new(&root, &named))?;
    ToConnect::new(&document, mapping).root(registered.version)
}

fn parse(text: &str) -> Converted<Json> {
    serde_json::from_str(text).map_err(invalid)
}
