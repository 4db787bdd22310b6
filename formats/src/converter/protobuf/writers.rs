//! The designs of a converter: a message per Connect schema, and where it is registered.

use std::sync::Arc;
use std::task::Poll;

use lakeward_api::ConnectError;
use lakeward_api::schema::Schema;
use lakeward_registry::{RegisteredSchema, Registry, SchemaText, SchemaType};

use super::super::registry_framing;
use super::descriptor::Pool;
use super::fault::{Converted, Fault};
use super::mapping::{Design, Form, from_connect};
use super::readers::{Rules, parse_registered};
use super::wire;

/// The designs made so far, those used last in front.
///
/// # Memory
/// At most `entries_max` Connect schemas and [`SUBJECTS_MAX`] subjects each.
#[derive(Default)]
pub(super) struct Writers {
    plans: Vec<Plan>,
}

/// How values of one Connect schema are written.
struct Plan {
    schema: Arc<Schema>,
    made: Result<Made, Box<Fault>>,
    targets: Vec<Target>,
}

struct Made {
    design: Design,
    text: SchemaText,
}

/// A topic and the schema to write with there.
struct Target {
    topic: Arc<str>,
    state: State,
}

/// What the registry said about a subject.
pub(super) enum State {
    /// It refused; the next batch asks again.
    Failed(Arc<ConnectError>),
    /// Payloads can be written.
    Ready {
        registered: Arc<RegisteredSchema>,
        /// Schema id and path, in front of every message.
        prefix: Vec<u8>,
    },
    /// The schema cannot be used.
    Refused(Box<Fault>),
}

impl Writers {
    /// Makes sure that [`Writers::state`] is known for values of `schema` in `topic`.
    pub(super) fn poll_ready(
        &mut self,
        registry: &mut dyn Registry,
        topic: &str,
        schema: &Arc<Schema>,
        rules: Rules,
    ) -> Poll<()> {
        let plan = self.plan(schema, rules);
        let Ok(made) = &plan.made else { return Poll::Ready(()) };
        let subject = match rules.subjects.of(topic, Some(&made.design.full_name)) {
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
                match prefix(made, &registered) {
                    Ok(prefix) => State::Ready { registered, prefix },
                    Err(fault) => State::Refused(fault),
                }
            }
        };
        plan.set(topic, state);
        Poll::Ready(())
    }

    /// How values of `schema` are written to `topic`, once [`Writers::poll_ready`] has answered.
    pub(super) fn state(&self, topic: &str, schema: &Arc<Schema>) -> Option<Result<(&Form, &State), &Fault>> {
        let plan = self.plans.iter().find(|plan| plan.is_for(schema))?;
        match &plan.made {
            Ok(made) => plan.state(topic).map(|state| Ok((&made.design.root, state))),
            Err(fault) => Some(Err(fault)),
        }
    }

    fn plan(&mut self, schema: &Arc<Schema>, rules: Rules) -> &mut Plan {
        let found = self.plans.iter().position(|plan| Arc::ptr_eq(&plan.schema, schema));
        let found = found.or_else(|| self.plans.iter().position(|plan| plan.is_for(schema)));
        match found {
            Some(at) => self.plans[..=at].rotate_right(1),
            None => {
                self.plans.truncate(rules.entries_max.max(1) - 1);
                self.plans.insert(0, Plan::new(schema, rules));
            }
        }
        // The next batch most likely shares this very schema.
        self.plans[0].schema = Arc::clone(schema);
        &mut self.plans[0]
    }
}

impl Plan {
    fn new(schema: &Arc<Schema>, rules: Rules) -> Self {
        let made = from_connect(schema, rules.mapping).map(|design| {
            let text = design.text.as_str().into();
            Made { text: SchemaText { kind: SchemaType::Protobuf, text, references: Vec::new() }, design }
        });
        Self { schema: Arc::clone(schema), made, targets: Vec::new() }
    }

    fn is_for(&self, schema: &Arc<Schema>) -> bool {
        Arc::ptr_eq(&self.schema, schema) || self.schema == *schema
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

/// What stands in front of every message. The path is that of the registered file, whose messages may come in
/// another order.
fn prefix(made: &Made, registered: &RegisteredSchema) -> Converted<Vec<u8>> {
    let pool = if registered.schema.text == made.text.text {
        Pool::parse(&made.text.text, &[])?
    } else {
        parse_registered(registered)?
    };
    let path = match &made.design.root {
        Form::Logical(_) => vec![0],
        _ => pool.path_of(&made.design.full_name),
    };
    let mut prefix = Vec::new();
    registry_framing::write(registered.id, &mut prefix);
    prefix.extend(wire::path_of(&path));
    Ok(prefix)
}

/// Topics that one schema is written to.
const SUBJECTS_MAX: usize = 64;
