//! The order in which Java's hash tables hold texts: it decides which of several failures is reported.
//!
//! Source: `java.util.HashMap`.

use lakeward_api::value::Value;
use num_bigint::Sign;

/// Brings `names` into the iteration order of a table whose first size is `size` (a power of two) and that
/// doubles when it is three quarters full. Of equal names the first stays.
pub(crate) fn sort<T>(names: &mut Vec<T>, size: usize, name: impl Fn(&T) -> &str) {
    let mut seen = std::collections::BTreeSet::new();
    names.retain(|one| seen.insert(name(one).to_owned()));
    let mut size = size;
    while names.len() * 4 > size * 3 {
        size *= 2;
    }
    names.sort_by_key(|one| bucket(hash(name(one)), size));
}

/// Brings the members of a schemaless map into the order in which Java's `HashMap` would hold them.
pub(crate) fn sort_members(members: &mut [(Value, Value)]) {
    let mut size = 16;
    while members.len() * 4 > size * 3 {
        size *= 2;
    }
    members.sort_by_cached_key(|(key, _)| bucket(key_hash(key), size));
}

fn bucket(hash: u32, size: usize) -> usize {
    (hash ^ (hash >> 16)) as usize & (size - 1)
}

fn hash(text: &str) -> u32 {
    let add = |hash: u32, unit: u32| hash.wrapping_mul(31).wrapping_add(unit);
    if text.is_ascii() {
        text.bytes().fold(0, |hash, byte| add(hash, u32::from(byte)))
    } else {
        text.encode_utf16().fold(0, |hash, unit| add(hash, u32::from(unit)))
    }
}

/// `hashCode` of the keys that maps have; keys of other types never pass the transforms that ask.
fn key_hash(key: &Value) -> u32 {
    let long = |bits: u64| (bits ^ (bits >> 32)) as u32;
    match key {
        Value::String(text) => hash(text),
        Value::Boolean(true) => 1231,
        Value::Boolean(false) => 1237,
        Value::Date(ms) => long(*ms as u64),
        Value::Float32(number) => number.to_bits(),
        Value::Float64(number) => long(number.to_bits()),
        Value::Int8(number) => *number as u32,
        Value::Int16(number) => *number as u32,
        Value::Int32(number) => *number as u32,
        Value::Int64(number) => long(*number as u64),
        Value::Decimal(number) => {
            let unscaled = number.unscaled();
            let digits = unscaled.magnitude().iter_u32_digits().rev();
            let hash = digits.fold(0u32, |hash, digit| hash.wrapping_mul(31).wrapping_add(digit));
            let hash = if unscaled.sign() == Sign::Minus { hash.wrapping_neg() } else { hash };
            hash.wrapping_mul(31).wrapping_add(number.scale as u32)
        }
        _ => 0,
    }
}

/// The first size of a table made from a collection of `count` elements.
///
/// Source: `HashSet(Collection)`.
pub(crate) fn size_for(count: usize) -> usize {
    (count * 4 / 3 + 1).max(16).next_power_of_two()
}

#[cfg(test)]
mod tests {
    use lakeward_api::decimal::Decimal;

    use super::*;

    #[test]
    fn order_is_that_of_hash_map() {
        // Printed by Java 17: new HashSet<>(List.of("zeta", "alpha", "b", "a", "id", "name")).
        let mut names = vec!["zeta", "alpha", "b", "a", "id", "name"];
        sort(&mut names, 16, |name| name);
        assert_eq!(names, ["zeta", "a", "b", "alpha", "name", "id"]);
    }

    #[test]
    fn decimals_hash_as_in_java() {
        // Printed by Java 17: new BigDecimal(new BigInteger(text), 2).hashCode().
        let hash = |text: &str| {
            let number = Decimal::of(&text.parse().unwrap(), 2);
            key_hash(&Value::Decimal(number)) as i32
        };
        assert_eq!(hash("0"), 2);
        assert_eq!(hash("-7"), -215);
        assert_eq!(hash("4294967296"), 963);
        assert_eq!(hash("-9223372036854775808"), -2_147_483_646);
        assert_eq!(hash("9223372036854775808"), -2_147_483_646);
        assert_eq!(hash("-225034586178553040877"), 1_038_188_547);
        assert_eq!(hash("123456789012345678901234567890"), -748_148_567);
    }
}
