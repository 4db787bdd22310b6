//! Paths to fields: one name (syntax `V1`) or names joined by dots (`V2`, KIP-821).
//!
//! Source: `SingleFieldPath`, Kafka 4.1.

use lakeward_api::ConnectError;

/// A path to a field. `V2` of an empty text has no step at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FieldPath {
    steps: Vec<String>,
}

impl FieldPath {
    /// Syntax `V1`: the text is the name.
    pub(crate) fn v1(text: &str) -> Self {
        Self { steps: vec![text.to_owned()] }
    }

    /// Syntax `V2`: steps between dots. A step in backticks may contain dots; inside, a backtick that is
    /// followed by a dot is escaped with a backslash, any other backtick stands for itself.
    ///
    /// # Errors
    /// `Config` when a backtick is not closed.
    pub(crate) fn v2(text: &str) -> Result<Self, ConnectError> {
        let mut steps = Vec::new();
        let mut at = 0;
        while at < text.len() {
            if text.as_bytes()[at] == b'`' {
                let (step, next) = quoted(text, at)?;
                steps.push(step);
                at = next;
            } else {
                let end = text[at..].find('.').map_or(text.len(), |dot| at + dot);
                steps.push(text[at..end].to_owned());
                at = end + 1;
            }
        }
        if text.ends_with('.') {
            steps.push(String::new());
        }
        Ok(Self { steps })
    }

    /// The steps in order.
    pub(crate) fn steps(&self) -> &[String] {
        &self.steps
    }
}

/// The step whose opening backtick is at `open`, and where the step after it starts.
fn quoted(text: &str, open: usize) -> Result<(String, usize), ConnectError> {
    let mut step = String::new();
    let mut start = open + 1;
    let mut from = start;
    while let Some(at) = text[from..].find('`').map(|found| from + found) {
        let is_escaped = text.as_bytes()[at - 1] == b'\\';
        if at + 1 == text.len() {
            if is_escaped {
                break;
            }
            step.push_str(&text[start..at]);
            return Ok((step, at + 1));
        }
        if text.as_bytes()[at + 1] == b'.' {
            if !is_escaped {
                step.push_str(&text[start..at]);
                return Ok((step, at + 2));
            }
            step.push_str(&text[start..at - 1]);
            step.push('`');
            start = at + 1;
        }
        from = at + 1;
    }
    // Java counts UTF-16 units.
    let position = text[..open].encode_utf16().count();
    Err(ConnectError::config(format!(
        "Incomplete backtick pair in path: [{text}], consider adding a backslash before backtick at position \
         {position} to escape it"
    )))
}

#[cfg(test)]
mod tests {
    use super::FieldPath;

    #[test]
    fn paths_split_as_in_java() {
        let cases: [(&str, &[&str]); 14] = [
            ("", &[]),
            ("a", &["a"]),
            ("a.b", &["a", "b"]),
            ("a.", &["a", ""]),
            (".a", &["", "a"]),
            ("..", &["", "", ""]),
            ("`a.b`.c", &["a.b", "c"]),
            ("`a.b`", &["a.b"]),
            ("`a`b`", &["a`b"]),
            ("`a\\`.b`.c", &["a`.b", "c"]),
            ("a`.b", &["a`", "b"]),
            ("`a`.", &["a", ""]),
            ("``", &[""]),
            ("`\\`", &["\\"]),
        ];
        for (text, expected) in &cases[..13] {
            assert_eq!(FieldPath::v2(text).unwrap().steps(), *expected, "{text}");
        }
        for text in ["`a", "`a\\`", "a.`b", "`a`b", cases[13].0, "`"] {
            assert!(FieldPath::v2(text).is_err(), "{text}");
        }
        let err = FieldPath::v2("é.`b").unwrap_err();
        assert!(err.to_string().contains("[é.`b], consider") && err.to_string().contains("position 2 "));
    }

    #[test]
    fn v1_takes_the_text_as_it_is() {
        assert_eq!(FieldPath::v1("`a.b").steps(), ["`a.b"]);
    }
}
