//! Protobuf schemas as far as a registry needs them: messages, fields and enums by number.
//!
//! Source: the proto2 and proto3 language specifications; Confluent's list of compatible changes. Options,
//! services, extensions and imports are passed over.

mod parse;

use std::collections::BTreeMap;

/// A file: messages by full name inside the file, enums by the same.
#[derive(Debug, Default, PartialEq)]
struct File {
    messages: BTreeMap<String, BTreeMap<u32, Field>>,
    enums: Vec<String>,
}

#[derive(Debug, PartialEq)]
struct Field {
    name: String,
    /// Type name as written.
    kind: String,
    label: Label,
    oneof: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Label {
    Single,
    Repeated,
    Required,
}

/// Checks that `text` is a Protobuf file by the parts that are read here.
pub(crate) fn validate(text: &str) -> Result<(), String> {
    File::parse(text).map(drop)
}

/// Why `reader` may misread data of `writer`; empty when it cannot.
pub(crate) fn differences(reader: &str, writer: &str) -> Vec<String> {
    match (File::parse(reader), File::parse(writer)) {
        (Ok(reader), Ok(writer)) => compare(&reader, &writer),
        (Err(problem), _) | (_, Err(problem)) => vec![problem],
    }
}

fn compare(new: &File, old: &File) -> Vec<String> {
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
                None if field.label == Label::Required => report("REQUIRED_FIELD_REMOVED", &path),
                None if field.oneof.is_some() => report("ONEOF_FIELD_REMOVED", &path),
                None => {}
                Some(now) => {
                    if wire(&now.kind, new) != wire(&field.kind, old) {
                        report("FIELD_KIND_CHANGED", &path);
                    } else if wire(&now.kind, new) == Wire::Message
                        && simple(&now.kind) != simple(&field.kind)
                    {
                        report("FIELD_NAMED_TYPE_CHANGED", &path);
                    }
                    let repeated = |field: &Field| field.label == Label::Repeated;
                    if repeated(now) != repeated(field) && wire(&now.kind, new).is_number() {
                        report("FIELD_NUMERIC_LABEL_CHANGED", &path);
                    }
                }
            }
        }
        for (number, field) in now {
            if field.label == Label::Required && !before.contains_key(number) {
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

fn wire(kind: &str, file: &File) -> Wire {
    match kind {
        "int32" | "int64" | "uint32" | "uint64" | "bool" => Wire::Varint,
        "sint32" | "sint64" => Wire::Zigzag,
        "fixed32" | "sfixed32" => Wire::Fixed32,
        "fixed64" | "sfixed64" => Wire::Fixed64,
        "float" => Wire::Float,
        "double" => Wire::Double,
        "string" | "bytes" => Wire::Text,
        named if file.enums.iter().any(|name| simple(name) == simple(named)) => Wire::Varint,
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
        for text in
            ["message {", "message M { int32 = 1; }", "message M { int32 a = x; }", "{}", &deep, &twice]
        {
            assert!(validate(text).is_err(), "{text}");
        }
    }
}
