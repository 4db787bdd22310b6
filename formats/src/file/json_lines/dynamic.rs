//! Dynamic values as Jackson writes the Java objects, maps in the order of Java's `HashMap`.

use lakeward_api::value::Value;

use super::text;

/// Appends `value` as JSON text.
pub(super) fn append(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Array(items) | Value::Struct(items) => {
            append_list(out, items.iter(), append);
        }
        Value::Boolean(flag) => out.extend_from_slice(if *flag { b"true" } else { b"false" }),
        Value::Bytes(bytes) => text::append_base64(out, bytes),
        Value::Date(ms) => out.extend_from_slice(itoa::Buffer::new().format(*ms).as_bytes()),
        Value::Decimal(decimal) => out.extend_from_slice(decimal.to_java_text().as_bytes()),
        Value::Float32(number) => text::append_float(out, *number),
        Value::Float64(number) => text::append_double(out, *number),
        Value::Int16(number) => text::append_integer(out, i64::from(*number)),
        Value::Int32(number) => text::append_integer(out, i64::from(*number)),
        Value::Int64(number) => text::append_integer(out, *number),
        Value::Int8(number) => text::append_integer(out, i64::from(*number)),
        Value::Map(entries) => append_map(out, entries),
        Value::Null => out.extend_from_slice(b"null"),
        Value::String(string) => text::append_quoted(out, string),
    }
}

/// Appends items in brackets.
pub(super) fn append_list<T>(
    out: &mut Vec<u8>,
    items: impl Iterator<Item = T>,
    append_item: impl Fn(&mut Vec<u8>, T),
) {
    out.push(b'[');
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        append_item(out, item);
    }
    out.push(b']');
}

fn append_map(out: &mut Vec<u8>, entries: &[(Value, Value)]) {
    if entries.iter().any(|(key, _)| key.as_str().is_none()) {
        return append_list(out, entries.iter(), |out, (key, value)| {
            append_list(out, [key, value].into_iter(), append);
        });
    }
    out.push(b'{');
    let key = |index: usize| entries[index].0.as_str().unwrap_or_default();
    for (position, index) in hash_order(entries.len(), key).into_iter().enumerate() {
        if position > 0 {
            out.push(b',');
        }
        text::append_quoted(out, key(index));
        out.push(b':');
        append(out, &entries[index].1);
    }
    out.push(b'}');
}

/// The order in which Java's `HashMap` iterates over `count` string keys that were put in index order.
pub(super) fn hash_order<'a>(count: usize, key: impl Fn(usize) -> &'a str) -> Vec<usize> {
    let mut buckets = 16usize;
    while count * 4 > buckets * 3 {
        buckets *= 2;
    }
    let bucket = |index: &usize| {
        let hash = key(*index)
            .encode_utf16()
            .fold(0u32, |hash, unit| hash.wrapping_mul(31).wrapping_add(u32::from(unit)));
        (hash ^ (hash >> 16)) as usize & (buckets - 1)
    };
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by_cached_key(bucket);
    order
}
