//! Converters: bytes of a topic to Connect values, a batch at a time.
//!
//! One module per converter class of Kafka Connect. They must not reach the network; a converter that needs
//! a schema registry gets its schemas handed in.

mod byte_array;
pub mod json;
mod string;

use std::sync::Arc;

use lakeward_api::plugin::ConverterPlugin;

pub use byte_array::ByteArrayConverterPlugin;
pub use json::JsonConverterPlugin;
pub use string::StringConverterPlugin;

/// Every converter class of this crate, for the registry of the worker.
pub fn converters() -> Vec<Arc<dyn ConverterPlugin>> {
    vec![Arc::new(ByteArrayConverterPlugin), Arc::new(JsonConverterPlugin), Arc::new(StringConverterPlugin)]
}

/// The Kafka release whose behaviour the built-in converters reproduce; REST answers show it.
const VERSION: &str = "4.1.0";
