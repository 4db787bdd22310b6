//! The writers of a converter: a JSON Schema per Connect schema, and where it is registered.

use std::sync::Arc;
use std::task::Poll;

use lakeward_api::ConnectError;
use lakeward_api::schema::Schema;
use lakeward_registry::{RegisteredSchema, Registry, SchemaText, SchemaType};

use super::config::Rules;
use super::fault::{Converted, Fault};
use super::from_connect::from_connect;
use super::members::print;
use super::readers::{subject, title};

/// The writers made so far, those used last in front.
///
/// # Memory
/// At most `entries_max` Connect schemas and [`TOPICS_MAX`] topics each.
#[derive(Default)]
pub(super) struct Writers {
    plans: Vec<Plan>,
}

/// How values of one Connect schema are written.
struct Plan {
    schema: Arc<Schema>,
    made: Converted<Made>,
    targets: Vec<(Arc<str>, State)>,
}

struct Made {
    text: SchemaText,
    title: Option<String>,
}

/// What the registry said about a subject.
pub(super) enum State {
    /// It refused; the next batch asks again.
    Failed {
        /// What it said.
        cause: Arc<ConnectError>,
        /// The schema that was asked for.
        text: Arc<str>,
    },
    /// The schema cannot be used.
    Refused(Box<Fault>),
    /// Payloads are written with this schema's id.
    Ready(Arc<RegisteredSchema>),
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
        let subject = match subject(rules, topic, made.title.as_deref()) {
            Ok(subject) => subject,
            Err(fault) => {
                plan.set(topic, State::Refused(fault));
                return Poll::Ready(());
            }
        };
        let state = match registry.for_writing(&subject, &made.text) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Err(error)) => {
                State::Failed { cause: Arc::new(error), text: Arc::clone(&made.text.text) }
            }
            Poll::Ready(Ok(registered)) => {
                if matches!(plan.state(topic), Some(State::Ready(known)) if Arc::ptr_eq(known, &registered)) {
                    return Poll::Ready(());
                }
                State::Ready(registered)
            }
        };
        plan.set(topic, state);
        Poll::Ready(())
    }

    /// How values of `schema` are written to `topic`, once [`Writers::poll_ready`] has answered.
    pub(super) fn state(&self, topic: &str, schema: &Arc<Schema>) -> Option<Result<&State, &Fault>> {
        let plan = self.plans.iter().find(|plan| plan.is_for(schema))?;
        match &plan.made {
            Ok(_) => plan.state(topic).map(Ok),
            Err(fault) => Some(Err(fault)),
        }
    }

    fn plan(&mut self, schema: &Arc<Schema>, rules: Rules) -> &mut Plan {
        let found = self.plans.iter().position(|plan| Arc::ptr_eq(&plan.schema, schema));
        let found = found.or_else(|| self.plans.iter().position(|plan| plan.is_for(schema)));
        match found {
            Some(at) => self.plans[..=at].rotate_right(1),
            None => {
                self.plans.truncate(rules.entries_max - 1);
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
        let made = from_connect(schema, rules.mapping).map(|json| {
            let mut text = String::new();
            print(&json, &mut text);
            let text = SchemaText { kind: SchemaType::Json, text: text.into(), references: Vec::new() };
            Made { text, title: title(&json).map(str::to_owned) }
        });
        Self { schema: Arc::clone(schema), made, targets: Vec::new() }
    }

    fn is_for(&self, schema: &Arc<Schema>) -> bool {
        Arc::ptr_eq(&self.schema, schema) || self.schema == *schema
    }

    fn state(&self, topic: &str) -> Option<&State> {
        self.targets.iter().find(|(known, _)| &**known == topic).map(|(_, state)| state)
    }

    fn set(&mut self, topic: &str, state: State) {
        self.targets.retain(|(known, _)| &**known != topic);
        self.targets.truncate(TOPICS_MAX - 1);
        self.targets.insert(0, (topic.into(), state));
    }
}

/// Topics that one schema is written to.
const TOPICS_MAX: usize = 64;
