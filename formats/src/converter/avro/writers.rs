//! The writers of a converter: an Avro schema per Connect schema, and where it is registered.

use std::sync::Arc;
use std::task::Poll;

use lakeward_api::ConnectError;
use lakeward_api::schema::Schema;
use lakeward_registry::{RegisteredSchema, Registry, SchemaText, SchemaType};

use super::anything;
use super::fault::Fault;
use super::mapping::from_connect;
use super::readers::{Rules, parse_registered, record_name};
use super::schema::{AvroSchema, parse, print};
use super::write::Writer;

/// The writers made so far, those used last in front.
///
/// # Memory
/// At most `entries_max` Connect schemas and [`SUBJECTS_MAX`] subjects each.
#[derive(Default)]
pub(super) struct Writers {
    plans: Vec<Plan>,
}

/// How values of one Connect schema are written.
pub(super) struct Plan {
    /// `None` is schemaless.
    schema: Option<Arc<Schema>>,
    made: Result<Made, Box<Fault>>,
    targets: Vec<Target>,
}

struct Made {
    avro: AvroSchema,
    text: SchemaText,
    name: Option<String>,
}

/// A subject and the schema to write with there.
struct Target {
    topic: Arc<str>,
    state: State,
}

/// What the registry said about a subject.
pub(super) enum State {
    /// It refused; the next batch asks again.
    Failed(Arc<ConnectError>),
    /// The schema cannot be used.
    Refused(Box<Fault>),
    /// Payloads can be written; no writer for schemaless data.
    Ready { registered: Arc<RegisteredSchema>, writer: Option<Box<Writer>> },
}

impl Writers {
    /// Makes sure that [`Writers::state`] is known for values of `schema` in `topic`.
    pub(super) fn poll_ready(
        &mut self,
        registry: &mut dyn Registry,
        topic: &str,
        schema: Option<&Arc<Schema>>,
        rules: Rules,
    ) -> Poll<()> {
        let plan = self.plan(schema, rules);
        let Ok(made) = &plan.made else { return Poll::Ready(()) };
        let subject = match rules.subjects.of(topic, made.name.as_deref()) {
            Ok(subject) => subject,
            Err(fault) => {
                plan.set(topic, State::Refused(fault));
                return Poll::Ready(());
            }
        };
        let state = match registry.for_writing(&subject, &made.text) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Err(error)) => State::Failed(Arc::new(error)),
            Poll::Ready(Ok(registered)) => {
                if let Some(State::Ready { registered: known, .. }) = plan.state(topic)
                    && (Arc::ptr_eq(known, &registered) || *known == registered)
                {
                    return Poll::Ready(());
                }
                ready(made, registered, schema, rules)
            }
        };
        plan.set(topic, state);
        Poll::Ready(())
    }

    /// How values of `schema` are written to `topic`, once [`Writers::poll_ready`] has answered.
    pub(super) fn state(&self, topic: &str, schema: Option<&Arc<Schema>>) -> Option<Result<&State, &Fault>> {
        let plan = self.plans.iter().find(|plan| plan.is_for(schema))?;
        match &plan.made {
            Ok(_) => plan.state(topic).map(Ok),
            Err(fault) => Some(Err(fault)),
        }
    }

    fn plan(&mut self, schema: Option<&Arc<Schema>>, rules: Rules) -> &mut Plan {
        let found = self.plans.iter().position(|plan| plan.is_same(schema));
        let found = found.or_else(|| self.plans.iter().position(|plan| plan.is_for(schema)));
        match found {
            Some(at) => self.plans[..=at].rotate_right(1),
            None => {
                self.plans.truncate(rules.entries_max.max(1) - 1);
                self.plans.insert(0, Plan::new(schema, rules));
            }
        }
        // The next batch most likely shares this very schema.
        self.plans[0].schema = schema.cloned();
        &mut self.plans[0]
    }
}

impl Plan {
    fn new(schema: Option<&Arc<Schema>>, rules: Rules) -> Self {
        let made = match schema {
            None => Ok(Made {
                avro: AvroSchema::default(),
                text: text_of(anything::text()),
                name: Some("io.confluent.connect.avro.Anything".to_owned()),
            }),
            Some(schema) => from_connect(schema, rules.mapping).and_then(|avro| {
                let text: Arc<str> = print(&avro).into();
                // Two types of one name are one in the text, so values are written by what the text says.
                let avro = parse(&text, std::iter::empty())?;
                Ok(Made { text: text_of(text), name: record_name(&avro), avro })
            }),
        };
        Self { schema: schema.cloned(), made, targets: Vec::new() }
    }

    fn is_same(&self, schema: Option<&Arc<Schema>>) -> bool {
        match (&self.schema, schema) {
            (Some(known), Some(schema)) => Arc::ptr_eq(known, schema),
            (None, None) => true,
            _ => false,
        }
    }

    fn is_for(&self, schema: Option<&Arc<Schema>>) -> bool {
        self.is_same(schema) || self.schema.as_ref() == schema
    }

    fn state(&self, topic: &str) -> Option<&State> {
        self.targets.iter().find(|target| &*target.topic == topic).map(|target| &target.state)
    }

    fn set(&mut self, topic: &str, state: State) {
        self.targets.retain(|target| &*target.topic != topic);
        self.targets.truncate(SUBJECTS_MAX - 1);
        self.targets.insert(0, Target { topic: topic.into(), state });
    }
}

fn ready(
    made: &Made,
    registered: Arc<RegisteredSchema>,
    schema: Option<&Arc<Schema>>,
    rules: Rules,
) -> State {
    let Some(schema) = schema else { return State::Ready { registered, writer: None } };
    let writer = if registered.schema.text == made.text.text {
        Writer::new(&made.avro, schema, rules.mapping)
    } else {
        parse_registered(&registered).and_then(|avro| Writer::new(&avro, schema, rules.mapping))
    };
    match writer {
        Ok(writer) => State::Ready { registered, writer: Some(Box::new(writer)) },
        Err(fault) => State::Refused(fault),
    }
}

fn text_of(text: Arc<str>) -> SchemaText {
    SchemaText { kind: SchemaType::Avro, text, references: Vec::new() }
}

/// Topics that one schema is written to.
const SUBJECTS_MAX: usize = 64;
