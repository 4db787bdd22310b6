//! The order in which Java's `HashMap` iterates.
//!
//! Source: `java.util.HashMap` (a table of at least 16 buckets, doubled beyond three quarters; inside of a
//! bucket the order of insertion) and the `hashCode` of the key classes, JDK 17.

use lakeward_api::value::Value;

/// Calls `each` with the indices of `count` keys that were put in index order, in the map's order.
pub(crate) fn in_order<E>(
    count: usize,
    hash: impl Fn(usize) -> u32,
    mut each: impl FnMut(usize, usize) -> Result<(), E>,
) -> Result<(), E> {
    let mut buckets = 16usize;
    while count * 4 > buckets * 3 {
        buckets *= 2;
    }
    let bucket = |index: usize| {
        let hash = hash(index);
        (hash ^ (hash >> 16)) as usize & (buckets - 1)
    };
    if buckets > 16 {
        let mut order: Vec<usize> = (0..count).collect();
        order.sort_by_cached_key(|index| bucket(*index));
        return order.into_iter().enumerate().try_for_each(|(position, index)| each(position, index));
    }
    // At most twelve keys: no allocation.
    let mut order = [(0u8, 0u8); 12];
    for index in 0..count {
        let mut at = index;
        let own = bucket(index) as u8;
        while at > 0 && order[at - 1].0 > own {
            order[at] = order[at - 1];
            at -= 1;
        }
        order[at] = (own, index as u8);
    }
    order[..count]
        .iter()
        .enumerate()
        .try_for_each(|(position, (_, index))| each(position, usize::from(*index)))
}

/// `String#hashCode`.
pub(crate) fn of_text(text: &str) -> u32 {
    let step = |hash: u32, unit: u32| hash.wrapping_mul(31).wrapping_add(unit);
    if text.is_ascii() {
        return text.bytes().fold(0, |hash, byte| step(hash, u32::from(byte)));
    }
    text.encode_utf16().fold(0, |hash, unit| step(hash, u32::from(unit)))
}

/// `Long#hashCode`, also of `java.util.Date`.
pub(crate) fn of_long(number: i64) -> u32 {
    (number ^ (number >> 32)) as u32
}

/// `Boolean#hashCode`.
pub(crate) fn of_boolean(flag: bool) -> u32 {
    if flag { 1231 } else { 1237 }
}

/// `Float#hashCode`.
pub(crate) fn of_float(number: f32) -> u32 {
    if number.is_nan() { f32::NAN.to_bits() } else { number.to_bits() }
}

/// `Double#hashCode`.
pub(crate) fn of_double(number: f64) -> u32 {
    of_long(if number.is_nan() { f64::NAN.to_bits() } else { number.to_bits() } as i64)
}

/// `hashCode` of the Java object for `value`. Bytes and STRUCTs have none that outlives a JVM: 0.
pub(crate) fn of_value(value: &Value) -> u32 {
    match value {
        Value::Array(items) => {
            items.iter().fold(1, |hash: u32, item| hash.wrapping_mul(31).wrapping_add(of_value(item)))
        }
        Value::Boolean(flag) => of_boolean(*flag),
        Value::Bytes(_) | Value::Null | Value::Struct(_) => 0,
        Value::Date(ms) => of_long(*ms),
        Value::Decimal(decimal) => {
            let unscaled = decimal.unscaled();
            let words = unscaled.magnitude().iter_u32_digits().rev();
            let magnitude = words.fold(0u32, |hash, word| hash.wrapping_mul(31).wrapping_add(word));
            let negative = decimal.unscaled.first().is_some_and(|byte| byte & 0x80 != 0);
            let hash = if negative { magnitude.wrapping_neg() } else { magnitude };
            hash.wrapping_mul(31).wrapping_add(decimal.scale as u32)
        }
        Value::Float32(number) => of_float(*number),
        Value::Float64(number) => of_double(*number),
        Value::Int16(number) => i32::from(*number) as u32,
        Value::Int32(number) => *number as u32,
        Value::Int64(number) => of_long(*number),
        Value::Int8(number) => i32::from(*number) as u32,
        Value::Map(entries) => entries
            .iter()
            .fold(0, |hash: u32, (key, value)| hash.wrapping_add(of_value(key) ^ of_value(value))),
        Value::String(text) => of_text(text),
    }
}
