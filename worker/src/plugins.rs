//! The registry: every plugin of this binary, one line per kind.

use lakeward_api::plugin::PluginRegistry;

/// All plugins that were compiled in.
pub(crate) fn registry() -> PluginRegistry {
    let mut registry = PluginRegistry::default();
    for sink in lakeward_sinks::connectors() {
        registry.add_sink(sink);
    }
    for converter in lakeward_formats::converter::converters() {
        registry.add_converter(converter);
    }
    registry
}
