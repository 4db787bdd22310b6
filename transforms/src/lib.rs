//! Single message transforms and predicates, one file each, over whole batches.
//!
//! A transform looks at the schema of a batch once, computes what it does to the schema and to each column,
//! and keeps that plan until the schema changes. Schemaless rows of one shape are columns, too; other ones
//! are changed in place. A record that fails alone becomes an entry of
//! [`Transformed::errors`](lakeward_api::transform::Transformed), never the failure of its batch.
//!
//! Source: `org.apache.kafka.connect.transforms`, Kafka 4.1.

mod aiven;
mod cast;
mod cast_column;
mod cast_decimal;
mod cast_number;
mod cast_value;
mod chain;
mod columns;
mod confluent;
mod debezium;
mod drop_headers;
mod extract_field;
mod field_path;
mod filter;
mod flatten;
#[cfg(test)]
mod golden;
mod hash_order;
mod header_from;
mod hoist_field;
mod insert_field;
mod insert_header;
mod java_regex;
mod layout;
mod mask_field;
mod merge;
mod null_rows;
mod plugin;
mod predicates;
#[cfg(test)]
mod recursion;
mod regex_router;
mod replace_field;
mod routing;
#[cfg(test)]
mod sample;
mod schemas;
mod set_schema_metadata;
mod settings;
mod shape_fields;
mod side;
mod simple_date_format;
mod timestamp_converter;
mod timestamp_router;
mod value_to_key;

use std::sync::Arc;

use lakeward_api::plugin::PluginRegistry;

pub use chain::{Applied, Chain, ChainError};
pub use java_regex::JavaRegex;
use plugin::TransformClass;

/// Adds every transform and predicate of this crate.
pub fn register(registry: &mut PluginRegistry) {
    let transforms: Vec<Vec<TransformClass>> = vec![
        aiven::classes(),
        confluent::classes(),
        debezium::classes(),
        drop_headers::classes(),
        extract_field::classes(),
        filter::classes(),
        header_from::classes(),
        hoist_field::classes(),
        insert_field::classes(),
        insert_header::classes(),
        regex_router::classes(),
        timestamp_router::classes(),
        cast::classes(),
        flatten::classes(),
        mask_field::classes(),
        replace_field::classes(),
        set_schema_metadata::classes(),
        timestamp_converter::classes(),
        value_to_key::classes(),
    ];
    for class in transforms.into_iter().flatten() {
        registry.add_transform(Arc::new(class));
    }
    for class in predicates::classes() {
        registry.add_predicate(Arc::new(class));
    }
}
