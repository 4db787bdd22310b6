//! How much memory an answer takes.

use lakeward_api::batch::Values;
use lakeward_api::value::Value;

/// Bytes of a column; what it shares with others counts, too.
pub(super) fn of_values(values: &Values) -> usize {
    match values {
        Values::Dynamic(values) => values.iter().map(of_value).sum(),
        Values::Null { .. } => 0,
        Values::Shaped(array) | Values::Typed { array, .. } => array.get_buffer_memory_size(),
    }
}

/// Bytes of a value and all it holds. It may be nested deeply: values go through a list, not the stack.
pub(super) fn of_value(value: &Value) -> usize {
    let mut bytes = 0;
    let mut rest = vec![value];
    while let Some(value) = rest.pop() {
        bytes += size_of::<Value>();
        match value {
            Value::String(text) => bytes += text.len(),
            Value::Bytes(content) => bytes += content.len(),
            Value::Decimal(decimal) => bytes += decimal.unscaled.len(),
            Value::Array(items) | Value::Struct(items) => rest.extend(items),
            Value::Map(entries) => rest.extend(entries.iter().flat_map(|(key, value)| [key, value])),
            _ => {}
        }
    }
    bytes
}
