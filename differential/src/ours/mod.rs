//! Our side: the same cases through the plugins of this workspace, in batches as the data plane makes them.

mod convert;
mod converters;
mod registered;
mod schemas;
mod timing;
mod transforms;

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use lakeward_api::ConnectError;
use lakeward_api::config::ConfigMap;
use lakeward_api::plugin::PluginRegistry;

use crate::case::{Answer, Case, Failure, Items};

thread_local! {
    /// Whether a panic on this thread becomes an answer, so that its message need not be printed.
    static PANICS_ARE_ANSWERS: Cell<bool> = const { Cell::new(false) };
}

/// Keeps panics that become answers from printing a message each.
fn silence_answers() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !PANICS_ARE_ANSWERS.get() {
                usual(panic);
            }
        }));
    });
}

/// All plugins under test.
pub(crate) struct Ours {
    registry: PluginRegistry,
}

impl Default for Ours {
    fn default() -> Self {
        silence_answers();
        let mut registry = PluginRegistry::default();
        lakeward_formats::register(&mut registry);
        lakeward_transforms::register(&mut registry);
        Self { registry }
    }
}

impl Ours {
    /// One answer per item. A panic is an answer, too.
    pub(crate) fn answers(&self, case: &Case) -> Vec<Answer> {
        PANICS_ARE_ANSWERS.set(true);
        let outcome = catch_unwind(AssertUnwindSafe(|| self.run(case)));
        PANICS_ARE_ANSWERS.set(false);
        let answers = outcome.unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
            let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
            vec![Answer::Broken(format!("panic: {text}")); case.items.len()]
        });
        if answers.len() == case.items.len() {
            return answers;
        }
        let text = format!("{} answers for {} items", answers.len(), case.items.len());
        vec![Answer::Broken(text); case.items.len()]
    }

    fn run(&self, case: &Case) -> Vec<Answer> {
        let setup = &case.setup;
        let settings: ConfigMap = setup.settings.iter().cloned().collect();
        if let Some(kind) = registered::language(&setup.class) {
            let answers = registered::run(kind, setup, &settings, &case.items);
            return answers.unwrap_or_else(|answer| vec![answer; case.items.len()]);
        }
        let outcome = match &case.items {
            Items::Decode(payloads) => {
                self.converter(setup, &settings).map(|mut one| converters::decode(&mut *one, setup, payloads))
            }
            Items::Encode(values) => {
                self.converter(setup, &settings).map(|mut one| converters::encode(&mut *one, setup, values))
            }
            Items::Recode(payloads) => {
                self.converter(setup, &settings).map(|mut one| converters::recode(&mut *one, setup, payloads))
            }
            Items::DecodeHeader(headers) => self
                .header_converter(setup, &settings)
                .map(|mut one| converters::decode_headers(&mut *one, setup, headers)),
            Items::EncodeHeader(headers) => self
                .header_converter(setup, &settings)
                .map(|mut one| converters::encode_headers(&mut *one, setup, headers)),
            Items::Chain(records) => {
                self.chain(&settings).map(|mut chain| transforms::apply_chain(&mut chain, records))
            }
            Items::Transform(records) => {
                self.transform(setup, &settings).map(|mut one| transforms::apply(&mut *one, records))
            }
            Items::Predicate(records) => {
                self.predicate(setup, &settings).map(|mut one| transforms::test(&mut *one, records))
            }
        };
        outcome.unwrap_or_else(|answer| vec![answer; case.items.len()])
    }
}

/// The failure a user would see.
fn failure(err: &ConnectError) -> Failure {
    let mut causes = Vec::new();
    let mut cause = std::error::Error::source(err);
    while let Some(each) = cause {
        causes.push(match each.downcast_ref::<ConnectError>() {
            Some(one) => (one.java_class().to_owned(), Some(one.to_string())),
            None => (String::new(), Some(each.to_string())),
        });
        cause = each.source();
    }
    Failure { class: err.java_class().to_owned(), message: Some(err.to_string()), causes }
}

fn not_configured(err: &ConnectError) -> Answer {
    Answer::NotConfigured(failure(err))
}

/// The answer when this binary has no such class.
fn absent(class: &str) -> Answer {
    Answer::Broken(format!("there is no {class}"))
}
