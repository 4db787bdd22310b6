//! Values out of the environment of this process.
//!
//! Source: `EnvVarConfigProvider`, Kafka 4.1. Unlike Java it demands `allowlist.pattern`.

use lakeward_api::ConnectError;
use lakeward_transforms::JavaRegex;

use super::{ConfigProvider, Found};

/// Reads environment variables whose whole name matches a pattern.
pub(super) struct EnvVarConfigProvider {
    pattern: JavaRegex,
}

impl EnvVarConfigProvider {
    /// The `Err` is the message of Java's `PatternSyntaxException`.
    pub(super) fn new(pattern: &str) -> Result<Self, String> {
        Ok(Self { pattern: JavaRegex::new(pattern)? })
    }
}

impl ConfigProvider for EnvVarConfigProvider {
    fn get(&self, path: &str, keys: &[&str]) -> Result<Found, ConnectError> {
        if !path.is_empty() {
            return Err(ConnectError::config(format!(
                "Path is not supported for EnvVarConfigProvider, invalid value '{path}'"
            )));
        }
        let mut found = Found::new();
        for key in keys {
            // Names the system could never have make its look-up panic.
            if key.is_empty() || key.contains(['=', '\0']) || !self.pattern.matches(key)? {
                continue;
            }
            if let Ok(value) = std::env::var(key) {
                found.insert((*key).to_owned(), value);
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_match_as_a_whole_are_read() {
        let provider = EnvVarConfigProvider::new("HO.*|ATH").unwrap();
        let found = provider.get("", &["HOME", "PATH", "HOLLOW_LAKEWARD", "a=b", "", "HO\0"]).unwrap();
        assert_eq!(found.keys().collect::<Vec<_>>(), ["HOME"]);
    }

    #[test]
    fn a_path_and_a_broken_pattern_are_refused_in_javas_words() {
        let provider = EnvVarConfigProvider::new(".*").unwrap();
        let err = provider.get("/x", &["HOME"]).unwrap_err();
        assert_eq!(err.to_string(), "Path is not supported for EnvVarConfigProvider, invalid value '/x'");
        assert!(EnvVarConfigProvider::new("(").err().unwrap().contains("Unclosed group"));
    }
}
