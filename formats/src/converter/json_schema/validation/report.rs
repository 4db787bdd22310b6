//! What is wrong with a value, in Java's words.

use serde_json::Value as Json;

/// One thing that is wrong.
#[derive(Clone, Debug)]
pub(super) struct Violation {
    /// Pointer into the value, with `#`.
    pointer: String,
    /// Pointer into the schema, with `#`.
    location: String,
    keyword: Option<&'static str>,
    message: String,
    causes: Vec<Self>,
}

impl Violation {
    pub(super) fn new(pointer: &str, location: &str, keyword: Option<&'static str>, message: String) -> Self {
        Self {
            pointer: pointer.to_owned(),
            location: location.to_owned(),
            keyword,
            message,
            causes: Vec::new(),
        }
    }

    pub(super) fn with(self, causes: Vec<Self>) -> Self {
        Self { causes, ..self }
    }

    /// The message of the exception.
    pub(super) fn message_with_pointer(&self) -> String {
        format!("{}: {}", self.pointer, self.message)
    }

    /// Prints it as `JSONObject#toString(2)` does, where `indent` blanks stand before each line. Recursion is
    /// bounded by the depth to which values are checked.
    pub(super) fn print(&self, out: &mut String, indent: usize) {
        let text = |text: &str| Json::from(text).to_string();
        let line = |out: &mut String, name: &str| {
            out.push_str(if out.ends_with('{') { "\n" } else { ",\n" });
            out.extend(std::iter::repeat_n(' ', indent + 2));
            out.push_str(&format!("\"{name}\": "));
        };
        out.push('{');
        line(out, "schemaLocation");
        out.push_str(&text(&self.location));
        line(out, "pointerToViolation");
        out.push_str(&text(&self.pointer));
        line(out, "causingExceptions");
        match self.causes.as_slice() {
            [] => out.push_str("[]"),
            [only] => {
                out.push('[');
                only.print(out, indent + 2);
                out.push(']');
            }
            several => {
                for (at, cause) in several.iter().enumerate() {
                    out.push_str(if at == 0 { "[\n" } else { ",\n" });
                    out.extend(std::iter::repeat_n(' ', indent + 4));
                    cause.print(out, indent + 4);
                }
                out.push('\n');
                out.extend(std::iter::repeat_n(' ', indent + 2));
                out.push(']');
            }
        }
        if let Some(keyword) = self.keyword {
            line(out, "keyword");
            out.push_str(&text(keyword));
        }
        line(out, "message");
        out.push_str(&text(&self.message));
        out.push('\n');
        out.extend(std::iter::repeat_n(' ', indent));
        out.push('}');
    }

    fn count(&self) -> usize {
        if self.causes.is_empty() { 1 } else { self.causes.iter().map(Self::count).sum() }
    }
}

/// Several violations of the schema at `location` as one.
pub(super) fn summed_up(mut all: Vec<Violation>, pointer: &str, location: &str) -> Option<Violation> {
    if all.len() < 2 {
        return all.pop();
    }
    let count: usize = all.iter().map(Violation::count).sum();
    Some(Violation::new(pointer, location, None, format!("{count} schema violations found")).with(all))
}
