//! Texts as Java makes them, where Rust makes others.
//!
//! Source: `Double#toString`, `String#hashCode`, `HashMap`, Java 17.

use serde_json::Value;

/// `number` as Java shows a double.
pub(crate) fn double(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    let size = number.abs();
    if size == 0.0 || (1e-3..1e7).contains(&size) {
        return format!("{number:?}");
    }
    let text = format!("{number:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let point = if digits.contains('.') { "" } else { ".0" };
    format!("{digits}{point}E{exponent}")
}

/// A JSON value as the text of the Java object it is read into. Its depth is limited by the reader of bodies.
pub(crate) fn of_json(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => {
            let text = number.to_string();
            let is_integer = !text.contains(['.', 'e', 'E']);
            if is_integer { text } else { double(text.parse().unwrap_or(f64::NAN)) }
        }
        Value::String(text) => text.clone(),
        Value::Array(values) => {
            let values: Vec<String> = values.iter().map(of_json).collect();
            format!("[{}]", values.join(", "))
        }
        Value::Object(members) => {
            let members: Vec<String> =
                members.iter().map(|(name, value)| format!("{name}={}", of_json(value))).collect();
            format!("{{{}}}", members.join(", "))
        }
    }
}

/// Sorts `entries` into the order in which a Java hash map walks them that was given them one by one.
pub(crate) fn hash_order<T>(entries: &mut [T], name: impl Fn(&T) -> &str) {
    let mut buckets = 16_usize;
    while entries.len() * 4 > buckets * 3 {
        buckets *= 2;
    }
    bucket_order(entries, buckets, name);
}

/// Sorts `entries` into the order in which a Java hash map walks them that was made as a copy of them.
pub(crate) fn copy_order<T>(entries: &mut [T], name: impl Fn(&T) -> &str) {
    let buckets = (entries.len() * 4 / 3 + 1).next_power_of_two();
    bucket_order(entries, buckets, name);
}

/// Entries of one bucket keep their order; `buckets` is a power of two.
fn bucket_order<T>(entries: &mut [T], buckets: usize, name: impl Fn(&T) -> &str) {
    entries.sort_by_key(|entry| {
        let hash = name(entry)
            .encode_utf16()
            .fold(0_u32, |hash, unit| hash.wrapping_mul(31).wrapping_add(unit.into()));
        (hash ^ (hash >> 16)) as usize & (buckets - 1)
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_are_shown_as_java_shows_them() {
        let cases = [
            (0.1, "0.1"),
            (0.0, "0.0"),
            (100_000.0, "100000.0"),
            (1e7, "1.0E7"),
            (1e-5, "1.0E-5"),
            (123_456_789.123, "1.23456789123E8"),
            (f64::INFINITY, "Infinity"),
        ];
        for (number, text) in cases {
            assert_eq!(double(number), text);
        }
    }

    #[test]
    fn names_are_walked_in_javas_order() {
        let mut names =
            ["fetch.min.bytes", "max.poll.records", "auto.offset.reset", "foo.bar", "sasl.jaas.config"];
        hash_order(&mut names, |name| name);
        assert_eq!(
            names,
            ["foo.bar", "max.poll.records", "sasl.jaas.config", "fetch.min.bytes", "auto.offset.reset"]
        );
    }

    #[test]
    fn copies_begin_with_as_many_buckets_as_they_need() {
        let mut names = ["a", "name"];
        copy_order(&mut names, |name| name);
        assert_eq!(names, ["name", "a"]);
        hash_order(&mut names, |name| name);
        assert_eq!(names, ["a", "name"]);
    }
}
