//! Source partitions and offsets: maps with text keys.

use std::sync::Arc;

use lakeward_api::source::SourceMap;
use lakeward_api::value::Value;

/// `{name: value, …}` in the given order. Keys are shared between maps.
pub(crate) fn map<const N: usize>(entries: [(&Arc<str>, Value); N]) -> SourceMap {
    Arc::new(Value::Map(
        entries.into_iter().map(|(name, value)| (Value::String(Arc::clone(name)), value)).collect(),
    ))
}

#[cfg(any(feature = "source-datagen", feature = "source-s3", feature = "source-test"))]
/// The whole number under `name`; `None` when there is none.
pub(crate) fn long(map: &Value, name: &str) -> Option<i64> {
    match map.get(name) {
        Some(Value::Int64(number)) => Some(*number),
        _ => None,
    }
}
