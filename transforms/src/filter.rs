//! `Filter`: drops every record it sees. Predicates choose which ones those are.
//!
//! Source: `org.apache.kafka.connect.transforms.Filter`, Kafka 4.1.

use lakeward_api::ConnectError;
use lakeward_api::batch::SinkBatch;
use lakeward_api::config::ConfigDef;
use lakeward_api::transform::{Transform, Transformed};

use crate::plugin::{KAFKA_VERSION, TransformClass};

/// The class of which a chain knows that it needs no records.
pub(crate) const CLASS: &str = "org.apache.kafka.connect.transforms.Filter";

/// The classes of this file.
pub(crate) fn classes() -> Vec<TransformClass> {
    vec![TransformClass {
        class: CLASS,
        version: KAFKA_VERSION,
        config_def: ConfigDef::default,
        new: |_| Ok(Box::new(Filter)),
    }]
}

struct Filter;

impl Transform for Filter {
    fn apply(&mut self, _: SinkBatch) -> Result<Transformed, ConnectError> {
        Ok(Transformed::default())
    }
}
