//! Single message transforms and predicates, one file each, over whole batches.
//!
//! A transform looks at the schema of a batch once, computes what it does to the schema and to each column,
//! and keeps that plan until the schema changes. Rows of schemaless data are changed in place. A record that
//! fails alone becomes an entry of [`Transformed::errors`](lakeward_api::transform::Transformed), never the
//! failure of its batch.
//!
//! Source: `org.apache.kafka.connect.transforms`, Kafka 4.1.

mod plugin;
mod side;

use std::sync::Arc;

use lakeward_api::plugin::PluginRegistry;

use plugin::{PredicateClass, TransformClass};

/// Adds every transform and predicate of this crate.
pub fn register(registry: &mut PluginRegistry) {
    let transforms: [Vec<TransformClass>; 0] = [];
    for class in transforms.into_iter().flatten() {
        registry.add_transform(Arc::new(class));
    }
    let predicates: Vec<PredicateClass> = Vec::new();
    for class in predicates {
        registry.add_predicate(Arc::new(class));
    }
}
