//! The writers of a converter: a schema of the registry per Connect schema, and where it is registered.

use std::sync::Arc;
use std::task::Poll;

use lakeward_api::ConnectError;
use lakeward_api::schema::Schema;
use lakeward_registry::{RegisteredSchema, Registry, SchemaText};

use super::fault::Fault;
use super::format::Format;
use super::readers::of_its_kind;
use super::subjects::Rules;

/// The writers made so far, those used last in front. `D` is what a format makes of a Connect schema, `W`
/// what it makes of that and the registered schema.
///
/// # Memory
/// At most `entries_max` Connect schemas and [`TOPICS_MAX`] topics each.
pub(super) struct Writers<D, W> {
    plans: Vec<Plan<D, W>>,
}

/// How values of one Connect schema are written.
struct Plan<D, W> {
    /// `None` is schemaless.
    schema: Option<Arc<Schema>>,
    made: Result<Made<D>, Box<Fault>>,
    targets: Vec<(Arc<str>, State<W>)>,
}

/// A schema made of a Connect schema.
pub(in super::super) struct Made<D> {
    pub(in super::super) design: D,
    pub(in super::super) text: SchemaText,
    /// The name that strategies use.
    pub(in super::super) name: Option<String>,
}

/// What the registry said about a topic.
pub(super) enum State<W> {
    /// It refused; the next batch asks again.
    Failed(Arc<ConnectError>),
    /// The schema cannot be used.
    Refused(Box<Fault>),
    /// Payloads can be written.
    Ready { registered: Arc<RegisteredSchema>, writer: W },
}

/// The schema made, and what the registry said about it; or why none can be made.
pub(super) type Known<'a, D, W> = Result<(&'a Made<D>, &'a State<W>), &'a Fault>;

impl<D, W> Default for Writers<D, W> {
    fn default() -> Self {
        Self { plans: Vec::new() }
    }
}

impl<D, W> Writers<D, W> {
    /// How values of `schema` are written to `topic`, once [`Writers::poll_ready`] has answered.
    pub(super) fn state(&self, topic: &str, schema: Option<&Arc<Schema>>) -> Option<Known<'_, D, W>> {
        let plan = self.plans.iter().find(|plan| plan.is_for(schema))?;
        match &plan.made {
            Ok(made) => plan.state(topic).map(|state| Ok((made, state))),
            Err(fault) => Some(Err(fault)),
        }
    }

    /// Makes sure that [`Writers::state`] is known for values of `schema` in `topic`.
    pub(super) fn poll_ready<F: Format<Design = D, Writer = W>>(
        &mut self,
        registry: &mut dyn Registry,
        topic: &str,
        schema: Option<&Arc<Schema>>,
        rules: Rules<F::Mapping>,
    ) -> Poll<()> {
        let plan = self.plan(schema, rules.entries_max, || F::make(schema, rules.mapping));
        plan.poll_ready::<F>(registry, topic, rules)
    }

    /// The plan of `schema`; `make` makes what a new one starts with.
    fn plan(
        &mut self,
        schema: Option<&Arc<Schema>>,
        entries_max: usize,
        make: impl FnOnce() -> Result<Made<D>, Box<Fault>>,
    ) -> &mut Plan<D, W> {
        let found = self.plans.iter().position(|plan| plan.is_same(schema));
        let found = found.or_else(|| self.plans.iter().position(|plan| plan.is_for(schema)));
        match found {
            Some(at) => self.plans[..=at].rotate_right(1),
            None => {
                self.plans.truncate(entries_max.max(1) - 1);
                self.plans.insert(0, Plan { schema: None, made: make(), targets: Vec::new() });
            }
        }
        // The next batch most likely shares this very schema.
        self.plans[0].schema = schema.cloned();
        &mut self.plans[0]
    }
}

impl<D, W> Plan<D, W> {
    fn poll_ready<F: Format<Design = D, Writer = W>>(
        &mut self,
        registry: &mut dyn Registry,
        topic: &str,
        rules: Rules<F::Mapping>,
    ) -> Poll<()> {
        let Ok(made) = &self.made else { return Poll::Ready(()) };
        let subject = match rules.subjects.poll_associated(registry, topic) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Err(error)) => Err(State::Failed(Arc::new(error))),
            Poll::Ready(Ok(Some(subject))) => Ok(subject.to_string()),
            Poll::Ready(Ok(None)) => {
                let subject = rules.subjects.of(topic, made.name.as_deref());
                subject.map_err(|message| State::Refused(F::framing(message)))
            }
        };
        let state = match subject {
            Err(state) => state,
            Ok(subject) => match registry.for_writing(&subject, &made.text) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(error)) => State::Failed(Arc::new(error)),
                Poll::Ready(Ok(registered)) => {
                    if let Some(State::Ready { registered: known, .. }) = self.state(topic)
                        && (Arc::ptr_eq(known, &registered) || *known == registered)
                    {
                        return Poll::Ready(());
                    }
                    let writer = of_its_kind::<F>(&registered, rules)
                        .and_then(|()| F::writer(made, &registered, self.schema.as_ref(), rules.mapping));
                    match writer {
                        Ok(writer) => State::Ready { registered, writer },
                        Err(fault) => State::Refused(fault),
                    }
                }
            },
        };
        self.targets.retain(|(known, _)| &**known != topic);
        self.targets.truncate(TOPICS_MAX - 1);
        self.targets.insert(0, (topic.into(), state));
        Poll::Ready(())
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

    fn state(&self, topic: &str) -> Option<&State<W>> {
        self.targets.iter().find(|(known, _)| &**known == topic).map(|(_, state)| state)
    }
}

/// Topics that one schema is written to.
const TOPICS_MAX: usize = 64;
