//! Protobuf schemas: the text of files, and what makes one file follow another.
//!
//! Source: the proto2 and proto3 language specifications; Confluent's list of compatible changes. Services,
//! extensions, groups and most options are passed over.

mod model;
mod options;
mod parse;
mod tokens;

use std::collections::{BTreeMap, HashSet};

pub use model::{EnumDef, FieldDef, FieldKind, File, Label, MessageDef, TypeDef};

/// What the comparison looks at: messages by full name inside the file, their fields by number.
#[derive(Default)]
struct Outline<'a> {
    messages: BTreeMap<String, BTreeMap<u32, Member<'a>>>,
    /// Without what stands before the last point.
    enums: HashSet<&'a str>,
}

struct Member<'a> {
    /// Type name as written; of maps that of the values.
    kind: &'a str,
    is_repeated: bool,
    is_required: bool,
    is_in_oneof: bool,
}

impl<'a> Outline<'a> {
    fn new(file: &'a File) -> Self {
        let mut outline = Self::default();
        outline.add("", &file.types);
        outline
    }

    /// Recursion is bounded by the depth that the parser allows.
    fn add(&mut self, outer: &str, types: &'a [TypeDef]) {
        for definition in types {
            match definition {
                TypeDef::Enum(definition) => drop(self.enums.insert(simple(&definition.name))),
                TypeDef::Message(message) => {
                    let dot = if outer.is_empty() { "" } else { "." };
                    let name = format!("{outer}{dot}{}", message.name);
                    let fields = message.fields.iter().map(|field| (field.number, Member::new(field)));
                    self.messages.insert(name.clone(), fields.collect());
                    self.add(&name, &message.types);
                }
            }
        }
    }
}

impl<'a> Member<'a> {
    fn new(field: &'a FieldDef) -> Self {
        let (kind, is_map) = match &field.kind {
            FieldKind::Map(_, value) => (value, true),
            FieldKind::Named(kind) => (kind, false),
        };
        Self {
            kind,
            is_repeated: is_map || field.label == Some(Label::Repeated),
            is_required: field.label == Some(Label::Required),
            is_in_oneof: field.oneof.is_some(),
        }
    }
}

/// Checks that `text` is a Protobuf file by the parts that are read here.
pub(crate) fn validate(text: &str) -> Result<(), String> {
    File::parse(text).map(drop)
}

/// Why `reader` may misread data of `writer`; empty when it cannot.
pub(crate) fn differences(reader: &str, writer: &str) -> Vec<String> {
    match (File::parse(reader), File::parse(writer)) {
        (Ok(reader), Ok(writer)) => compare(&Outline::new(&reader), &Outline::new(&writer)),
        (Err(problem), _) | (_, Err(problem)) => vec![problem],
    }
}

fn compare(new: &Outline<'_>, old: &Outline<'_>) -> Vec<String> {
    let mut found = Vec::new();
    let mut report = |kind: &str, path: &str| {
        found.push(format!("{{errorType:'{kind}', description:'at path '{path}''}}"));
    };
    for (name, before) in &old.messages {
        let Some(now) = new.messages.get(name) else {
            report("MESSAGE_REMOVED", &format!("#/{name}"));
            continue;
        };
        for (number, field) in before {
            let path = format!("#/{name}/{number}");
            match now.get(number) {
                None if field.is_required => report("REQUIRED_FIELD_REMOVED", &path),
                None if field.is_in_oneof => report("ONEOF_FIELD_REMOVED", &path),
                None => {}
                Some(now) => {
                    if wire(now.kind, new) != wire(field.kind, old) {
                        report("FIELD_KIND_CHANGED", &path);
                    } else if wire(now.kind, new) == Wire::Message && simple(now.kind) != simple(field.kind) {
                        report("FIELD_NAMED_TYPE_CHANGED", &path);
                    }
                    if now.is_repeated != field.is_repeated && wire(now.kind, new).is_number() {
                        report("FIELD_NUMERIC_LABEL_CHANGED", &path);
                    }
                }
            }
        }
        for (number, field) in now {
            if field.is_required && !before.contains_key(number) {
                report("REQUIRED_FIELD_ADDED", &format!("#/{name}/{number}"));
            }
        }
    }
    found
}

fn simple(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

/// Types that read each other's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wire {
    Varint,
    Zigzag,
    Fixed32,
    Fixed64,
    Float,
    Double,
    Text,
    Message,
}

impl Wire {
    fn is_number(self) -> bool {
        !matches!(self, Self::Text | Self::Message)
    }
}

fn wire(kind: &str, file: &Outline<'_>) -> Wire {
    match kind {
        "int32" | "int64" | "uint32" | "uint64" | "bool" => Wire::Varint,
        "sint32" | "sint64" => Wire::Zigzag,
        "fixed32" | "sfixed32" => Wire::Fixed32,
        "fixed64" | "sfixed64" => Wire::Fixed64,
        "float" => Wire::Float,
        "double" => Wire::Double,
        "string" | "bytes" => Wire::Text,
        named if file.enums.contains(simple(named)) => Wire::Varint,
        _ => Wire::Message,
    }
}

#[cfg(test)]
mod tests {
    use super::{differences, validate};

    fn proto(fields: &str) -> String {
        format!("syntax = \"proto3\"; package a; message M {{ {fields} }}")
    }

    #[test]
    fn fields_come_and_go_but_keep_their_meaning() {
        let old = proto("int32 a = 1; string b = 2;");
        let compatible = |fields: &str| differences(&proto(fields), &old).is_empty();
        assert!(compatible("int32 a = 1; string b = 2; Other c = 3;"));
        assert!(compatible("int64 renamed = 1;"));
        assert!(!compatible("string a = 1; string b = 2;"));
        assert!(!compatible("repeated int32 a = 1; string b = 2;"));
        let other = "syntax = \"proto3\"; message N { int32 a = 1; }";
        assert!(differences(other, &old)[0].contains("MESSAGE_REMOVED"));
    }

    #[test]
    fn files_are_read_past_what_does_not_matter() {
        let text = r#"
            // comment
            syntax = "proto3"; package a.b; import "x.proto"; option java_package = "a;b";
            message M /* { */ {
              reserved 4, 5 to 7; option deprecated = true;
              enum Kind { UNKNOWN = 0; }
              message Inner { map<string, Inner> all = 1; }
              Kind kind = 1 [deprecated = true, (my.option) = { a: "}" }];
              oneof choice { string s = 2; Inner i = 3; }
              extensions 100 to max;
            }
            extend google.protobuf.FieldOptions { string my = 50000; }
            service S { rpc Call (M) returns (stream M) { option x = 1; } }
        "#;
        assert_eq!(validate(text), Ok(()));
        let without = text.replace("string s = 2;", "");
        assert!(differences(&without, text)[0].contains("ONEOF_FIELD_REMOVED"));
        assert!(differences(text, &text.replace("Kind kind = 1", "int32 kind = 1")).is_empty());
    }

    #[test]
    fn malformed_files_are_refused() {
        let deep = format!("{}{}", "message M {".repeat(200), "}".repeat(200));
        let twice = proto("int32 a = 1; int32 b = 1;");
        for text in [
            "message {",
            "message M { int32 = 1; }",
            "enum E { A = --9223372036854775808; }",
            "message M { int32 a = x; }",
            "{}",
            &deep,
            &twice,
        ] {
            assert!(validate(text).is_err(), "{text}");
        }
    }
}
