//! Protobuf files as Confluent's client prints them.
//!
//! Source: `ProtobufSchemaUtils#toString`.

/// A message.
#[derive(Clone, Debug, Default)]
pub(super) struct MessageText {
    pub(super) name: String,
    pub(super) fields: Vec<FieldText>,
    pub(super) oneofs: Vec<(String, Vec<FieldText>)>,
    pub(super) messages: Vec<MessageText>,
    pub(super) enums: Vec<EnumText>,
}

/// A field.
#[derive(Clone, Debug)]
pub(super) struct FieldText {
    pub(super) label: Option<&'static str>,
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) number: u32,
    pub(super) params: Vec<(String, String)>,
}

/// An enum.
#[derive(Clone, Debug)]
pub(super) struct EnumText {
    pub(super) name: String,
    pub(super) values: Vec<(String, i32)>,
}

/// A proto3 file of one message.
pub(super) fn file(package: Option<&str>, imports: &[&str], message: &MessageText) -> String {
    let mut out = String::from("syntax = \"proto3\";\n");
    if let Some(package) = package {
        append(&mut out, &format!("package {package};\n"));
    }
    if !imports.is_empty() {
        out.push('\n');
        imports.iter().for_each(|import| append(&mut out, &format!("import \"{import}\";\n")));
    }
    out.push('\n');
    out.push_str(&message.to_text());
    out
}

impl MessageText {
    /// Recursion is bounded by the depth of the schema.
    fn to_text(&self) -> String {
        let mut out = format!("message {} {{", self.name);
        if !self.fields.is_empty() {
            out.push('\n');
            self.fields.iter().for_each(|field| indented(&mut out, &field.to_text()));
        }
        let oneofs: Vec<_> = self.oneofs.iter().filter(|(_, fields)| !fields.is_empty()).collect();
        if !oneofs.is_empty() {
            out.push('\n');
            for (name, fields) in oneofs {
                let mut text = format!("oneof {name} {{\n");
                fields.iter().for_each(|field| indented(&mut text, &field.to_text()));
                indented(&mut out, &(text + "}\n"));
            }
        }
        if !self.messages.is_empty() || !self.enums.is_empty() {
            out.push('\n');
            self.messages.iter().for_each(|message| indented(&mut out, &message.to_text()));
            self.enums.iter().for_each(|definition| indented(&mut out, &definition.to_text()));
        }
        out + "}\n"
    }
}

impl EnumText {
    fn to_text(&self) -> String {
        let mut out = format!("enum {} {{", self.name);
        if !self.values.is_empty() {
            out.push('\n');
        }
        self.values.iter().for_each(|(name, number)| indented(&mut out, &format!("{name} = {number};\n")));
        out + "}\n"
    }
}

impl FieldText {
    fn to_text(&self) -> String {
        let label = self.label.map(|label| format!("{label} ")).unwrap_or_default();
        let mut out = format!("{label}{} {} = {}", self.kind, self.name, self.number);
        if !self.params.is_empty() {
            let mut list = String::from("params: [\n");
            for (at, (key, value)) in self.params.iter().enumerate() {
                // Precision and scale have their value first, for older readers.
                let entry = if matches!(key.as_str(), "precision" | "scale") {
                    format!("{{\n  value: {},\n  key: {}\n}}", quoted(value), quoted(key))
                } else {
                    format!("{{\n  key: {},\n  value: {}\n}}", quoted(key), quoted(value))
                };
                let comma = if at + 1 < self.params.len() { "," } else { "" };
                indented(&mut list, &(entry + comma));
            }
            list.push(']');
            out.push_str(" [(confluent.field_meta) = {\n");
            indented(&mut out, &list);
            out.push_str("}]");
        }
        out + ";\n"
    }
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => out.extend(['\\', letter]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            letter => out.push(letter),
        }
    }
    out + "\""
}

fn append(out: &mut String, text: &str) {
    out.push_str(text);
}

fn indented(out: &mut String, text: &str) {
    for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
        out.push_str("  ");
        out.push_str(line);
        out.push('\n');
    }
}
