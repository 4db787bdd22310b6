//! A Protobuf file as it is written: types, fields and options in the order of the text, names unresolved.

/// A file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct File {
    /// True when the text says `syntax = "proto3"`; everything else is read as proto2.
    pub proto3: bool,
    /// Package; empty when there is none.
    pub package: String,
    /// Imported files, public ones too.
    pub imports: Vec<String>,
    /// Messages and enums.
    pub types: Vec<TypeDef>,
    /// `java_string_check_utf8`: texts of a proto2 file must be UTF-8.
    pub checks_utf8: bool,
}

/// A message or an enum.
#[derive(Clone, Debug, PartialEq)]
pub enum TypeDef {
    /// An enum.
    Enum(EnumDef),
    /// A message.
    Message(MessageDef),
}

/// A message.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MessageDef {
    /// Simple name.
    pub name: String,
    /// Types defined inside.
    pub types: Vec<TypeDef>,
    /// Fields, those of oneofs too; groups are left out.
    pub fields: Vec<FieldDef>,
    /// Names of the oneofs.
    pub oneofs: Vec<String>,
    /// `option map_entry = true`.
    pub is_map_entry: bool,
}

/// A field.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldDef {
    /// Name.
    pub name: String,
    /// Number, 1 to 2^29 - 1.
    pub number: u32,
    /// Type.
    pub kind: FieldKind,
    /// Label, as written.
    pub label: Option<Label>,
    /// Index of the oneof it belongs to.
    pub oneof: Option<usize>,
    /// `default`, without quotes and escapes.
    pub default: Option<String>,
    /// Parameters of `confluent.field_meta`.
    pub params: Vec<(String, String)>,
}

/// The type of a field, as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// `map<key, value>`.
    Map(String, String),
    /// A scalar type, or the name of a message or an enum.
    Named(String),
}

/// The label of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    /// `optional`.
    Optional,
    /// `repeated`.
    Repeated,
    /// `required`.
    Required,
}

/// An enum.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EnumDef {
    /// Simple name.
    pub name: String,
    /// Names and numbers.
    pub values: Vec<(String, i32)>,
}

impl TypeDef {
    /// Simple name.
    pub fn name(&self) -> &str {
        match self {
            Self::Enum(definition) => &definition.name,
            Self::Message(definition) => &definition.name,
        }
    }

    /// The message, when it is one.
    pub fn as_message(&self) -> Option<&MessageDef> {
        match self {
            Self::Enum(_) => None,
            Self::Message(message) => Some(message),
        }
    }
}
