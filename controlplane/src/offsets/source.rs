//! Offsets of source connectors: entries of the offsets store, as JSON.
//!
//! The bytes of a key are the identity of a source partition, so that a partition that is stored keeps its
//! bytes. Source: `Worker#modifySourceConnectorOffsets`, `OffsetUtils#validateFormat`, Kafka 4.1.

use std::sync::Arc;

use bytes::Bytes;
use lakeward_api::offset_store::{OffsetEntry, OffsetStore};
use lakeward_api::source::{OffsetsAltered, SourceConnector, SourceMap};
use lakeward_api::value::Value as ConnectValue;
use lakeward_controlplane_core::java_json;
use lakeward_controlplane_core::offsets::{OffsetMap, parse_key};
use serde_json::{Number, Value, json};

use super::{OffsetChange, OffsetItem, OffsetsOf, RawMap, failed};
use crate::herder::RequestError;
use crate::java_text;

/// A stored partition, with its key as stored.
struct Stored {
    key: Bytes,
    partition: OffsetMap,
    offset: Bytes,
}

pub(super) async fn list(of: &OffsetsOf<'_>) -> Result<Vec<Value>, RequestError> {
    let problem = || format!("Failed to retrieve offsets for source connector {}", of.name);
    let store = open(of).await.map_err(|err| failed(problem(), &err))?;
    let mut offsets = Vec::new();
    for stored in stored(of, store.as_ref()) {
        let offset: Value = serde_json::from_slice(&stored.offset).map_err(|err| failed(problem(), &err))?;
        // A null is an offset that was removed.
        let Value::Object(offset) = offset else { continue };
        let partition = stored.partition.map_or(Value::Null, |map| Value::Object(in_hash_order(map)));
        offsets.push(json!({ "partition": partition, "offset": in_hash_order(offset) }));
    }
    Ok(offsets)
}

/// The store, read to its end.
async fn open(of: &OffsetsOf<'_>) -> Result<Arc<dyn OffsetStore>, lakeward_api::ConnectError> {
    let store = of.parts.offsets.connector(of.name, of.config).await?;
    store.read_to_end().await?;
    Ok(store)
}

/// The connector's entries, by key.
fn stored(of: &OffsetsOf<'_>, store: &dyn OffsetStore) -> Vec<Stored> {
    let own = store.entries().into_iter().filter_map(|(key, offset)| {
        let (connector, partition) = parse_key(Some(&key))?;
        (connector == of.name).then_some(Stored { key, partition, offset })
    });
    let mut own: Vec<Stored> = own.collect();
    own.sort_by(|left, right| left.key.cmp(&right.key));
    own
}

pub(super) async fn change(
    of: &OffsetsOf<'_>,
    source: &dyn SourceConnector,
    change: OffsetChange,
) -> Result<OffsetsAltered, RequestError> {
    let store = open(of).await.map_err(|err| {
        let message = format!(
            "Timed out while trying to read to the end of the offsets topic prior to modifying offsets for \
             source connector {}",
            of.name
        );
        failed(message, &err)
    })?;
    let known = stored(of, store.as_ref());
    let items = match change {
        OffsetChange::Alter(items) => unique(items)?,
        OffsetChange::Reset => {
            known.iter().map(|one| OffsetItem { partition: one.partition.clone(), offset: None }).collect()
        }
    };
    let pairs: Vec<(SourceMap, Option<SourceMap>)> =
        items.iter().map(|item| (as_value(item.partition.as_ref()), as_offset(item))).collect();
    let altered =
        source.alter_offsets(of.config, &pairs).map_err(|err| RequestError::Internal(err.to_string()))?;
    let mut entries = Vec::with_capacity(items.len());
    for item in &items {
        entries.push(entry(of.name, &known, item)?);
    }
    if !entries.is_empty() {
        let problem = || format!("Failed to modify offsets for source connector {}", of.name);
        store.write(entries).await.map_err(|err| failed(problem(), &err))?;
    }
    Ok(altered)
}

/// Items with numbers and order as Java's converter leaves them; of equal partitions the last counts.
fn unique(items: Vec<OffsetItem>) -> Result<Vec<OffsetItem>, RequestError> {
    let mut unique: Vec<OffsetItem> = Vec::with_capacity(items.len());
    for item in items {
        let partition = item.partition.map(normalized).transpose()?;
        let offset = item.offset.map(normalized).transpose()?;
        match unique.iter_mut().find(|known| known.partition == partition) {
            Some(known) => known.offset = offset,
            None => unique.push(OffsetItem { partition, offset }),
        }
    }
    Ok(unique)
}

fn normalized(map: RawMap) -> Result<RawMap, RequestError> {
    let numbers = map.into_iter().map(|(name, value)| Ok((name, number_as_java(value)?)));
    Ok(in_hash_order(numbers.collect::<Result<_, RequestError>>()?))
}

/// Integers have 64 bits; other numbers are doubles, as Java writes them.
fn number_as_java(value: Value) -> Result<Value, RequestError> {
    let Value::Number(number) = &value else { return Ok(value) };
    let text = number.to_string();
    if text.contains(['.', 'e', 'E']) {
        let double = java_text::double(text.parse().unwrap_or(f64::INFINITY));
        let number: Result<Number, _> = double.parse();
        return number.map(Value::Number).map_err(|_| too_large(&text));
    }
    if text.parse::<i64>().is_err() {
        return Err(too_large(&text));
    }
    Ok(value)
}

fn too_large(text: &str) -> RequestError {
    RequestError::Internal(format!("Couldn't convert {text} to JSON: it does not fit into 64 bits."))
}

/// The order in which a Java hash map walks the members.
fn in_hash_order(map: RawMap) -> RawMap {
    let mut members: Vec<(String, Value)> = map.into_iter().collect();
    java_text::hash_order(&mut members, |(name, _)| name);
    members.into_iter().collect()
}

fn entry(connector: &str, known: &[Stored], item: &OffsetItem) -> Result<OffsetEntry, RequestError> {
    only_primitives(item.partition.as_ref())?;
    only_primitives(item.offset.as_ref())?;
    let stored = known.iter().find(|one| one.partition == item.partition);
    let key = stored.and_then(|one| std::str::from_utf8(&one.key).ok().map(str::to_owned));
    let key = key.unwrap_or_else(|| java_json::to_text(&(connector, &item.partition)));
    Ok(OffsetEntry { key, value: item.offset.as_ref().map(java_json::to_text) })
}

fn only_primitives(map: Option<&RawMap>) -> Result<(), RequestError> {
    let nested = map.into_iter().flatten().find_map(|(field, value)| match value {
        Value::Array(_) => Some((field, "ARRAY")),
        Value::Object(_) => Some((field, "MAP")),
        _ => None,
    });
    match nested {
        None => Ok(()),
        Some((field, kind)) => Err(RequestError::Internal(format!(
            "Offsets may only contain primitive types as values, but field {field} contains {kind}"
        ))),
    }
}

fn as_offset(item: &OffsetItem) -> Option<SourceMap> {
    item.offset.as_ref().map(|offset| as_value(Some(offset)))
}

fn as_value(map: Option<&RawMap>) -> SourceMap {
    Arc::new(map.map_or(ConnectValue::Null, |map| connect_value(&Value::Object(map.clone()))))
}

/// The depth of `value` is limited by the reader of request bodies.
fn connect_value(value: &Value) -> ConnectValue {
    match value {
        Value::Null => ConnectValue::Null,
        Value::Bool(flag) => ConnectValue::Boolean(*flag),
        Value::Number(number) => match number.as_i64() {
            Some(number) => ConnectValue::Int64(number),
            None => ConnectValue::Float64(number.as_f64().unwrap_or(f64::NAN)),
        },
        Value::String(text) => ConnectValue::String(text.as_str().into()),
        Value::Array(values) => ConnectValue::Array(values.iter().map(connect_value).collect()),
        Value::Object(members) => ConnectValue::Map(
            members
                .iter()
                .map(|(name, value)| (ConnectValue::String(name.as_str().into()), connect_value(value)))
                .collect(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(text: &str) -> Option<RawMap> {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_stored_partition_keeps_the_bytes_of_its_key() {
        let key = Bytes::from_static(b"[\"a\", {\"y\":1,\"x\":2}]");
        let stored = Stored { key, partition: map(r#"{"y":1,"x":2}"#), offset: Bytes::new() };
        let item = OffsetItem { partition: map(r#"{"x":2,"y":1}"#), offset: map(r#"{"p":1}"#) };
        let entry = entry("a", &[stored], &item).unwrap();
        assert_eq!(entry.key, "[\"a\", {\"y\":1,\"x\":2}]");
        assert_eq!(entry.value.as_deref(), Some(r#"{"p":1}"#));
    }

    #[test]
    fn numbers_are_longs_or_doubles_and_the_last_of_equal_partitions_counts() {
        let item = |offset: &str| OffsetItem { partition: map(r#"{"f":"z"}"#), offset: map(offset) };
        let items = unique(vec![item(r#"{"p":1}"#), item(r#"{"p":1e2}"#)]).unwrap();
        assert_eq!(java_json::to_text(&items[0].offset), r#"{"p":100.0}"#);
        assert_eq!(items.len(), 1);
        assert!(unique(vec![item(r#"{"p":99999999999999999999}"#)]).is_err());
    }

    #[test]
    fn nested_values_are_refused_with_their_kind() {
        let item = OffsetItem { partition: map(r#"{"f":{}}"#), offset: None };
        let problem = "Offsets may only contain primitive types as values, but field f contains MAP";
        assert_eq!(entry("a", &[], &item), Err(RequestError::Internal(problem.to_owned())));
    }
}
