//! Default values in JSON.

use super::schema::Type;
use crate::generate::text;
use crate::random::Random;

/// The default of a field. Only there a text may stand for a number.
pub(super) fn of_field(random: &mut Random, made: &Type) -> String {
    if matches!(made, Type::Float | Type::Double) && random.once_in(4) {
        return random.pick(&["\"NaN\"", "\"Infinity\"", "\"-Infinity\""]).to_owned();
    }
    value(random, made)
}

/// A value of a type.
pub(super) fn value(random: &mut Random, made: &Type) -> String {
    match made {
        Type::Null | Type::Enclosing(_) => "null".to_owned(),
        Type::Boolean => random.pick(&["true", "false"]).to_owned(),
        Type::Int => random.pick(&["0", "1", "-1", "100", "2147483647", "-2147483648"]).to_owned(),
        Type::Long => random.pick(&["0", "7", "-7", "9223372036854775807", "1700000000000"]).to_owned(),
        Type::Float | Type::Double => random.pick(&["0.0", "1.5", "-2.25", "3", "1e10"]).to_owned(),
        Type::String => serde_json::Value::from(text::text(random)).to_string(),
        Type::Bytes => bytes(random, None),
        Type::Fixed(size) => bytes(random, Some(*size)),
        Type::Enum(symbols) => format!("\"{}\"", random.pick(symbols)),
        Type::Array(items) => {
            let items: Vec<String> = (0..random.below(3)).map(|_| value(random, items)).collect();
            format!("[{}]", items.join(","))
        }
        Type::Map(values) => {
            let entry = |at: usize, random: &mut Random| format!("\"k{at}\":{}", value(random, values));
            let entries: Vec<String> = (0..random.below(3)).map(|at| entry(at, random)).collect();
            format!("{{{}}}", entries.join(","))
        }
        // That of its first branch.
        Type::Union(branches) => match branches.first() {
            Some(first) => value(random, first),
            None => "null".to_owned(),
        },
        Type::Record(fields) => {
            let fields: Vec<String> =
                fields.iter().map(|(name, made)| format!("\"{name}\":{}", value(random, made))).collect();
            format!("{{{}}}", fields.join(","))
        }
    }
}

/// Bytes are texts of the characters up to U+00FF.
fn bytes(random: &mut Random, size: Option<usize>) -> String {
    let size = size.unwrap_or_else(|| random.below(5));
    let text: String =
        (0..size).map(|_| char::from(random.pick(&[0u8, 1, b'a', 0x7f, 0x80, 0xff]))).collect();
    serde_json::Value::from(text).to_string()
}
