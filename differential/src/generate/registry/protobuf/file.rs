//! Protobuf files: what a file says, and its text.

use std::fmt::Write as _;

use crate::random::Random;

/// A file.
pub(super) struct File {
    /// Its text.
    pub(super) text: String,
    /// All messages; a field refers to messages before its own.
    pub(super) messages: Vec<Message>,
    /// Numbers of every enum.
    pub(super) enums: Vec<Vec<i32>>,
}

/// A message.
pub(super) struct Message {
    /// Fields in any order.
    pub(super) fields: Vec<Field>,
    /// Where the message is found in the file.
    pub(super) path: Vec<i32>,
    /// Names by which it can be referred to, and the scope where that is so.
    names: Names,
}

/// A field.
#[derive(Clone)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) number: u32,
    pub(super) kind: Kind,
    pub(super) is_repeated: bool,
    pub(super) is_required: bool,
    /// The oneof it is a member of.
    pub(super) oneof: Option<usize>,
    label: &'static str,
    options: String,
}

impl Field {
    /// A field of a file whose text is given.
    pub(super) fn given(number: u32, kind: Kind) -> Self {
        let (is_repeated, is_required, oneof) = (matches!(kind, Kind::Map(..)), false, None);
        let (name, label, options) = (format!("f{number}"), "", String::new());
        Self { name, number, kind, is_repeated, is_required, oneof, label, options }
    }

    /// As [`Field::given`], without which there is no message.
    pub(super) fn given_required(number: u32, kind: Kind) -> Self {
        Self { is_required: true, ..Self::given(number, kind) }
    }

    /// As [`Field::given`], a list.
    pub(super) fn given_list(number: u32, kind: Kind) -> Self {
        Self { is_repeated: true, ..Self::given(number, kind) }
    }
}

impl Message {
    /// The message at the top of a file whose text is given.
    pub(super) fn given(at: i32, fields: Vec<Field>) -> Self {
        let names = Names { scope: String::new(), simple: String::new(), full: String::new() };
        Self { fields, path: vec![at], names }
    }
}

/// The type of a field.
#[derive(Clone)]
pub(super) enum Kind {
    Scalar(&'static str),
    Enum(usize),
    Message(usize),
    /// A message that everybody has.
    Known(&'static str),
    Map(&'static str, Box<Kind>),
}

/// How messages and enums are called.
#[derive(Clone)]
struct Names {
    /// Where the type can be called by its simple name: inside of this message, or everywhere in the file.
    scope: String,
    simple: String,
    full: String,
}

pub(super) const SCALARS: [&str; 15] = [
    "double", "float", "int32", "int64", "uint32", "uint64", "sint32", "sint64", "fixed32", "fixed64",
    "sfixed32", "sfixed64", "bool", "string", "bytes",
];
const KEYS: [&str; 8] = ["string", "string", "int32", "bool", "uint64", "sint64", "fixed32", "sfixed64"];
pub(super) const KNOWN: [&str; 13] = [
    "google.protobuf.Timestamp",
    "google.type.TimeOfDay",
    "google.type.Date",
    "confluent.type.Decimal",
    "google.protobuf.DoubleValue",
    "google.protobuf.FloatValue",
    "google.protobuf.Int64Value",
    "google.protobuf.UInt64Value",
    "google.protobuf.Int32Value",
    "google.protobuf.UInt32Value",
    "google.protobuf.BoolValue",
    "google.protobuf.StringValue",
    "google.protobuf.BytesValue",
];
const IMPORTS: [&str; 6] = [
    "google/protobuf/timestamp.proto",
    "google/protobuf/wrappers.proto",
    "google/type/date.proto",
    "google/type/timeofday.proto",
    "confluent/type/decimal.proto",
    "confluent/meta.proto",
];
const STEMS: [&str; 9] = ["f", "foo_bar", "fooBar", "URL", "a_b_c", "_x", "value", "Key", "a1"];

/// A file of some messages; the last of them at the top is the richest.
pub(super) fn file(random: &mut Random) -> File {
    let package = random.pick(&["", "a", "a.b", "Pack"]);
    let mut maker = Maker::new(random, package);
    for _ in 0..1 + maker.random.below(2) {
        maker.enumeration("");
    }
    for _ in 0..maker.random.below(3) {
        maker.message("", 1);
    }
    maker.message("", 0);
    File { text: maker.text(), messages: maker.messages, enums: maker.enums }
}

struct Maker<'r> {
    random: &'r mut Random,
    proto3: bool,
    package: &'static str,
    messages: Vec<Message>,
    enums: Vec<Vec<i32>>,
    enum_names: Vec<Names>,
    /// Definitions at the top of the file.
    top: Vec<String>,
    top_messages: i32,
    types: usize,
    fields: usize,
}

impl<'r> Maker<'r> {
    fn new(random: &'r mut Random, package: &'static str) -> Self {
        let proto3 = !random.once_in(3);
        let (messages, enums, enum_names, top) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (top_messages, types, fields) = (0, 0, 0);
        Self { random, proto3, package, messages, enums, enum_names, top, top_messages, types, fields }
    }

    /// The text of the file, its definitions in any order: messages keep theirs, since paths count them.
    fn text(&mut self) -> String {
        let mut text = match (self.proto3, self.random.once_in(4)) {
            (true, _) => "syntax = \"proto3\"; ".to_owned(),
            (false, true) => String::new(),
            (false, false) => "syntax = \"proto2\"; ".to_owned(),
        };
        if !self.package.is_empty() {
            put(&mut text, format_args!("package {}; ", self.package));
        }
        IMPORTS.iter().for_each(|name| put(&mut text, format_args!("import \"{name}\"; ")));
        text + &self.top.join("\n")
    }

    fn names(&mut self, scope: &str, prefix: &str) -> Names {
        self.types += 1;
        let simple = format!("{prefix}{}", self.types);
        let full = join(&[self.package, scope, &simple]);
        Names { scope: join(&[self.package, scope]), simple, full }
    }

    /// A number for every symbol; an enum of proto3 starts with zero.
    fn enumeration(&mut self, scope: &str) -> String {
        let names = self.names(scope, "E");
        let first = if self.proto3 { 0 } else { self.random.pick(&[0, 1, 3, -2]) };
        let mut numbers = vec![first];
        for number in [1, 2, -5, 70_000, i32::MAX, i32::MIN, 1] {
            if self.random.once_in(3) {
                numbers.push(number);
            }
        }
        let mut text = format!("enum {} {{ option allow_alias = true; ", names.simple);
        for (at, number) in numbers.iter().enumerate() {
            put(&mut text, format_args!("{}_S{at} = {number}; ", names.simple));
        }
        text.push_str("}\n");
        self.enums.push(numbers);
        self.enum_names.push(names);
        if scope.is_empty() {
            self.top.push(text);
            return String::new();
        }
        text
    }

    /// A message with messages and enums inside. Recursion is bounded by `depth`.
    fn message(&mut self, scope: &str, depth: usize) -> String {
        let path = vec![self.top_messages];
        self.top_messages += 1;
        self.message_at(scope, depth, path)
    }

    fn message_at(&mut self, scope: &str, depth: usize, path: Vec<i32>) -> String {
        let names = self.names(scope, "M");
        let inner = join(&[scope, &names.simple]);
        let mut text = format!("message {} {{ ", names.simple);
        let mut nested = 0;
        while depth < 3 && self.random.once_in(3) {
            let path = [path.clone(), vec![nested]].concat();
            text += &self.message_at(&inner, depth + 1, path);
            nested += 1;
        }
        if self.random.once_in(6) {
            text += &self.enumeration(&inner);
        }
        let fields = self.fields(&inner, depth, &mut text);
        text.push_str("}\n");
        self.messages.push(Message { fields, path, names });
        if scope.is_empty() {
            self.top.push(text);
            return String::new();
        }
        text
    }

    fn fields(&mut self, scope: &str, depth: usize, text: &mut String) -> Vec<Field> {
        let mut fields = Vec::new();
        let mut number = 1;
        let mut oneofs = 0;
        for _ in 0..self.random.below(7) + usize::from(depth == 0) {
            if self.random.once_in(8) {
                let stem = self.random.pick(&["u", "choice", "one_of"]);
                put(text, format_args!("oneof {stem}{oneofs} {{ "));
                for _ in 0..1 + self.random.below(3) {
                    let kind = self.kind(scope);
                    let mut field = self.field(&mut number, kind);
                    field.oneof = Some(oneofs);
                    put(text, format_args!("{}; ", self.field_text(scope, &field)));
                    fields.push(field);
                }
                text.push_str("} ");
                oneofs += 1;
                continue;
            }
            let field = self.labelled(scope, &mut number);
            put(text, format_args!("{}; ", self.field_text(scope, &field)));
            fields.push(field);
        }
        fields
    }

    fn labelled(&mut self, scope: &str, number: &mut u32) -> Field {
        let mut kind = self.kind(scope);
        if self.random.once_in(7) {
            kind = Kind::Map(self.random.pick(&KEYS), Box::new(kind));
        }
        let is_map = matches!(kind, Kind::Map(..));
        let mut field = self.field(number, kind);
        field.is_repeated = is_map || self.random.once_in(5);
        if is_map {
            return field;
        }
        field.label = match (field.is_repeated, self.proto3) {
            (true, _) => "repeated ",
            (false, true) if self.random.once_in(3) => "optional ",
            (false, true) => "",
            (false, false) if self.random.once_in(6) => "required ",
            (false, false) => "optional ",
        };
        field.is_required = field.label == "required ";
        let is_packable = match &field.kind {
            Kind::Scalar(name) => !matches!(*name, "string" | "bytes"),
            Kind::Enum(_) => true,
            _ => false,
        };
        if field.is_repeated && is_packable && self.random.once_in(4) {
            field.options = format!("packed = {}", self.random.once_in(2));
        } else if !field.is_repeated && !self.proto3 && field.options.is_empty() {
            field.options = self.default(&field.kind);
        }
        field
    }

    fn field(&mut self, number: &mut u32, kind: Kind) -> Field {
        self.fields += 1;
        let skip = match self.random.below(12) {
            0 => 40,
            1 => 500,
            2 => 3,
            _ => 0,
        };
        *number += skip;
        let name = format!("{}{}", self.random.pick(&STEMS), self.fields);
        let options = self.meta(&kind);
        let (is_repeated, is_required, oneof, label) = (false, false, None, "");
        let field = Field { name, number: *number, kind, is_repeated, is_required, oneof, label, options };
        *number += 1;
        field
    }

    fn meta(&mut self, kind: &Kind) -> String {
        let params = match kind {
            Kind::Scalar("int32" | "sint32" | "sfixed32") if self.random.once_in(4) => {
                let name = self.random.pick(&["int8", "int16", "int32"]);
                format!("{{ key: \"connect.type\", value: \"{name}\" }}")
            }
            Kind::Known("confluent.type.Decimal") if !self.random.once_in(4) => {
                "{ value: \"9\", key: \"precision\" }, { value: \"2\", key: \"scale\" }".to_owned()
            }
            Kind::Known("confluent.type.Decimal") => "{ key: \"scale\", value: \"0\" }".to_owned(),
            _ => return String::new(),
        };
        format!("(confluent.field_meta) = {{ params: [ {params} ] }}")
    }

    /// What fields of proto2 have when a message does not say.
    fn default(&mut self, kind: &Kind) -> String {
        if !self.random.once_in(3) {
            return String::new();
        }
        let Kind::Scalar(name) = kind else { return String::new() };
        let value = match *name {
            "bool" => self.random.pick(&["true", "false"]),
            "double" | "float" => self.random.pick(&["-1.5e3", "0", "inf", "-inf", "nan", "0.25"]),
            "fixed32" | "uint32" => self.random.pick(&["7", "0x10", "4294967295", "017"]),
            "fixed64" | "uint64" => self.random.pick(&["7", "0xFF", "18446744073709551615"]),
            "string" => self.random.pick(&["\"\"", "\"a\\\"b\"", "\"é\"", "'single'"]),
            "bytes" => self.random.pick(&["\"\"", "\"abc\""]),
            _ => self.random.pick(&["-7", "0", "2147483647", "-0x10"]),
        };
        format!("default = {value}")
    }

    fn kind(&mut self, scope: &str) -> Kind {
        match self.random.below(14) {
            0..2 => Kind::Known(self.random.pick(&KNOWN)),
            2..4 => Kind::Enum(self.random.below(self.enums.len())),
            4..6 => {
                // A message cannot contain itself.
                let scope = join(&[self.package, scope]);
                let around =
                    |full: &str| scope == full || scope.starts_with(&format!("{full}.")) || full.is_empty();
                let others: Vec<usize> =
                    (0..self.messages.len()).filter(|at| !around(&self.messages[*at].names.full)).collect();
                if others.is_empty() {
                    Kind::Scalar("string")
                } else {
                    Kind::Message(self.random.pick(&others))
                }
            }
            _ => Kind::Scalar(self.random.pick(&SCALARS)),
        }
    }

    fn field_text(&mut self, scope: &str, field: &Field) -> String {
        let kind = self.kind_text(scope, &field.kind);
        let options = if field.options.is_empty() { String::new() } else { format!(" [{}]", field.options) };
        format!("{}{kind} {} = {}{options}", field.label, field.name, field.number)
    }

    fn kind_text(&mut self, scope: &str, kind: &Kind) -> String {
        let names = match kind {
            Kind::Scalar(name) | Kind::Known(name) => return (*name).to_owned(),
            Kind::Map(key, value) => return format!("map<{key}, {}>", self.kind_text(scope, value)),
            Kind::Enum(at) => &self.enum_names[*at],
            Kind::Message(at) => &self.messages[*at].names,
        };
        let scope = join(&[self.package, scope]);
        let sees = scope == names.scope || scope.starts_with(&format!("{}.", names.scope));
        let sees = sees || names.scope.is_empty();
        if sees && !self.random.once_in(4) { names.simple.clone() } else { format!(".{}", names.full) }
    }
}

fn join(parts: &[&str]) -> String {
    parts.iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join(".")
}

fn put(text: &mut String, form: std::fmt::Arguments<'_>) {
    text.write_fmt(form).expect("writing to a String cannot fail");
}
