//! Parsing of configuration texts into typed values, with Kafka's rules and words.
//!
//! Source: `ConfigDef#parseType` and its validators, Kafka 4.1.

use super::{ConfigType, Password, Validator};

/// A Rust type that a configuration text parses into. The text is already normalised for the key's type.
pub trait FromConfig: Sized {
    /// Parses `text`; the error completes `Invalid value x for configuration k: `.
    fn from_config(text: &str) -> Result<Self, String>;
}

impl FromConfig for String {
    fn from_config(text: &str) -> Result<Self, String> {
        Ok(text.to_owned())
    }
}

impl FromConfig for bool {
    fn from_config(text: &str) -> Result<Self, String> {
        Ok(text == "true")
    }
}

impl FromConfig for Password {
    fn from_config(text: &str) -> Result<Self, String> {
        Ok(Password::new(text))
    }
}

impl FromConfig for Vec<String> {
    fn from_config(text: &str) -> Result<Self, String> {
        Ok(parse_list(text))
    }
}

macro_rules! number_from_config {
    ($($number:ty),*) => {$(
        impl FromConfig for $number {
            fn from_config(text: &str) -> Result<Self, String> {
                text.parse().map_err(|_| format!("{text} is out of range"))
            }
        }
    )*};
}
number_from_config!(i16, i32, i64, u16, u32, u64, f64, usize);

/// Splits a LIST text at commas, trimming blanks; the empty text is the empty list.
pub fn parse_list(text: &str) -> Vec<String> {
    let text = java_trim(text);
    if text.is_empty() {
        Vec::new()
    } else {
        text.split(',').map(|item| java_trim(item).to_owned()).collect()
    }
}

/// The canonical text of `text` as a value of type `kind`, or Kafka's complaint.
pub(super) fn normalise(kind: ConfigType, name: &str, text: &str) -> Result<String, String> {
    let trimmed = java_trim(text);
    let invalid = |problem: &str| Err(format!("Invalid value {text} for configuration {name}: {problem}"));
    match kind {
        ConfigType::Boolean if trimmed.eq_ignore_ascii_case("true") => Ok("true".to_owned()),
        ConfigType::Boolean if trimmed.eq_ignore_ascii_case("false") => Ok("false".to_owned()),
        ConfigType::Boolean => invalid("Expected value to be either true or false"),
        ConfigType::Short => match trimmed.parse::<i16>() {
            Ok(number) => Ok(number.to_string()),
            Err(_) => invalid("Not a number of type SHORT"),
        },
        ConfigType::Int => match trimmed.parse::<i32>() {
            Ok(number) => Ok(number.to_string()),
            Err(_) => invalid("Not a number of type INT"),
        },
        ConfigType::Long => match trimmed.parse::<i64>() {
            Ok(number) => Ok(number.to_string()),
            Err(_) => invalid("Not a number of type LONG"),
        },
        ConfigType::Double => match trimmed.parse::<f64>() {
            Ok(_) => Ok(trimmed.to_owned()),
            Err(_) => invalid("Not a number of type DOUBLE"),
        },
        ConfigType::List => Ok(parse_list(trimmed).join(",")),
        ConfigType::Password => Ok(text.to_owned()),
        ConfigType::Class | ConfigType::String => Ok(trimmed.to_owned()),
    }
}

/// `String#trim`: control characters are blanks, blanks beyond ASCII are not.
pub fn java_trim(text: &str) -> &str {
    text.trim_matches(|letter: char| letter <= ' ')
}

/// Applies a validator to a canonical text.
pub(super) fn check(kind: ConfigType, validator: &Validator, name: &str, text: &str) -> Result<(), String> {
    let number = || text.parse::<i64>().unwrap_or_default();
    let problem = match validator {
        Validator::AtLeast(min) if number() < *min => format!("Value must be at least {min}"),
        Validator::Between(min, _) if number() < *min => format!("Value must be at least {min}"),
        Validator::Between(_, max) if number() > *max => format!("Value must be no more than {max}"),
        Validator::NonEmpty if text.is_empty() => "String must be non-empty".to_owned(),
        Validator::OneOf(allowed) if !allowed.contains(&text) => {
            format!("String must be one of: {}", allowed.join(", "))
        }
        Validator::OneOfIgnoreCase(allowed) if !allowed.iter().any(|one| one.eq_ignore_ascii_case(text)) => {
            format!("String must be one of (case insensitive): {}", allowed.join(", "))
        }
        Validator::Custom(check) => match check(name, text) {
            Ok(()) => return Ok(()),
            Err(problem) => problem,
        },
        Validator::CustomOrNull(check) => match check(name, Some(text)) {
            Ok(()) => return Ok(()),
            Err(problem) => problem,
        },
        Validator::CustomWords(check) => return check(name, text),
        _ => return Ok(()),
    };
    let shown = match kind {
        ConfigType::List => format!("[{}]", parse_list(text).join(", ")),
        _ => text.to_owned(),
    };
    Err(format!("Invalid value {shown} for configuration {name}: {problem}"))
}

/// Applies a validator to no value at all.
pub(super) fn check_null(kind: ConfigType, validator: &Validator, name: &str) -> Result<(), String> {
    let is_list = kind == ConfigType::List;
    let problem = match validator {
        Validator::AtLeast(_) | Validator::Between(..) => Some("Value must be non-null".to_owned()),
        Validator::OneOf(allowed) => Some(format!("String must be one of: {}", allowed.join(", "))),
        Validator::OneOfIgnoreCase(allowed) => {
            Some(format!("String must be one of (case insensitive): {}", allowed.join(", ")))
        }
        Validator::NonNull => Some("entry must be non null".to_owned()),
        Validator::CustomOrNull(check) => check(name, None).err(),
        // Checks of lists take a missing one for an empty one.
        Validator::Custom(check) if is_list => check(name, "").err(),
        Validator::CustomWords(check) if is_list => return check(name, ""),
        Validator::Any | Validator::Custom(_) | Validator::CustomWords(_) | Validator::NonEmpty => None,
    };
    problem.map_or(Ok(()), |problem| Err(format!("Invalid value null for configuration {name}: {problem}")))
}
