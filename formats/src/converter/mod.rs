//! Converters: bytes of a topic to Connect values, a batch at a time.
//!
//! One module per converter class of Kafka Connect. They must not reach the network; a converter that needs
//! a schema registry gets its schemas handed in.

mod around;
pub mod avro;
mod byte_array;
mod charset;
mod header;
pub(crate) mod java_string;
pub mod json;
pub mod json_schema;
mod primitive;
pub mod protobuf;
mod registry_framing;
mod simple_header;
mod string;
mod utf8;

use std::sync::Arc;

use lakeward_api::plugin::{ConverterPlugin, HeaderConverterPlugin, PluginRegistry};

pub use avro::AvroConverterPlugin;
pub use byte_array::ByteArrayConverterPlugin;
pub use header::HeaderAdapterPlugin;
pub use json::JsonConverterPlugin;
pub use json_schema::JsonSchemaConverterPlugin;
pub use primitive::PrimitiveConverterPlugin;
pub use protobuf::ProtobufConverterPlugin;
pub use simple_header::SimpleHeaderConverterPlugin;
pub use string::StringConverterPlugin;

/// Every converter class of this crate, for the registry of the worker.
pub fn converters() -> Vec<Arc<dyn ConverterPlugin>> {
    let mut all: Vec<Arc<dyn ConverterPlugin>> = vec![
        Arc::new(AvroConverterPlugin),
        Arc::new(ByteArrayConverterPlugin),
        Arc::new(JsonConverterPlugin),
        Arc::new(JsonSchemaConverterPlugin),
        Arc::new(ProtobufConverterPlugin),
        Arc::new(StringConverterPlugin),
    ];
    all.extend(PrimitiveConverterPlugin::ALL.map(|plugin| Arc::new(plugin) as Arc<dyn ConverterPlugin>));
    all
}

/// Every header converter class of this crate.
pub fn header_converters() -> Vec<Arc<dyn HeaderConverterPlugin>> {
    let mut all: Vec<Arc<dyn HeaderConverterPlugin>> = vec![
        Arc::new(HeaderAdapterPlugin(ByteArrayConverterPlugin)),
        Arc::new(HeaderAdapterPlugin(JsonConverterPlugin)),
        Arc::new(HeaderAdapterPlugin(StringConverterPlugin)),
        Arc::new(SimpleHeaderConverterPlugin),
    ];
    for plugin in PrimitiveConverterPlugin::ALL {
        all.push(Arc::new(HeaderAdapterPlugin(plugin)));
    }
    all
}

/// Adds every converter and header converter of this crate to the registry of the worker.
pub fn register(registry: &mut PluginRegistry) {
    converters().into_iter().for_each(|converter| registry.add_converter(converter));
    header_converters().into_iter().for_each(|converter| registry.add_header_converter(converter));
}

/// The Kafka release whose behaviour the built-in converters reproduce; REST answers show it.
const VERSION: &str = "4.1.0";
