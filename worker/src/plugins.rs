//! The registry: every plugin of this binary, one line per kind.

use lakeward_api::plugin::PluginRegistry;

/// All plugins that were compiled in.
pub(crate) fn registry() -> PluginRegistry {
    let mut registry = PluginRegistry::default();
    for sink in lakeward_sinks::connectors() {
        registry.add_sink(sink);
    }
    for source in lakeward_sources::connectors() {
        registry.add_source(source);
    }
    lakeward_formats::register(&mut registry);
    lakeward_transforms::register(&mut registry);
    registry
}
