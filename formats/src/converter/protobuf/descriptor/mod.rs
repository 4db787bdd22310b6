//! Messages and enums of a file and everything it imports, names resolved.
//!
//! Source: `ProtobufSchema#toDynamicSchema`; protobuf-java's `Descriptors`.

mod builtin;
mod resolve;

/// Types by index.
#[derive(Debug, Default)]
pub(super) struct Pool {
    pub(super) messages: Vec<Message>,
    pub(super) enums: Vec<Enum>,
    /// The messages at the top of the file, in order.
    pub(super) top: Vec<usize>,
}

/// A message.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) name: String,
    pub(super) full_name: String,
    pub(super) fields: Vec<Field>,
    pub(super) oneofs: Vec<String>,
    /// Messages defined inside, in order.
    pub(super) nested: Vec<usize>,
}

/// A field.
#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) number: u32,
    pub(super) kind: Kind,
    pub(super) is_repeated: bool,
    pub(super) is_required: bool,
    /// Whether an absent field differs from one that holds the default because of its `optional`: always in
    /// proto3, and for fields of proto2 outside of oneofs.
    pub(super) has_optional: bool,
    /// In a proto3 file.
    pub(super) proto3: bool,
    pub(super) oneof: Option<usize>,
    pub(super) default: Option<String>,
    pub(super) params: Vec<(String, String)>,
    /// Enum numbers without a name are not values of the field.
    pub(super) is_closed: bool,
}

/// A type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Bool,
    Bytes,
    Double,
    Enum(usize),
    Fixed32,
    Fixed64,
    Float,
    Int32,
    Int64,
    Message(usize),
    Sfixed32,
    Sfixed64,
    Sint32,
    Sint64,
    String {
        strict: bool,
    },
    Uint32,
    Uint64,
    /// A name that nothing defines.
    Unknown(String),
}

/// An enum.
#[derive(Debug)]
pub(super) struct Enum {
    pub(super) name: String,
    pub(super) full_name: String,
    pub(super) values: Vec<(String, i32)>,
}

impl Pool {
    /// The message at `path`.
    pub(super) fn message_at(&self, path: &[i32]) -> Option<usize> {
        let mut types = &self.top;
        let mut found = None;
        for index in path {
            let message = *types.get(usize::try_from(*index).ok()?)?;
            types = &self.messages[message].nested;
            found = Some(message);
        }
        found
    }

    /// The path of the message called `full_name`; parts of the name that are no message are its package.
    pub(super) fn path_of(&self, full_name: &str) -> Vec<i32> {
        let mut types = &self.top;
        let mut path = Vec::new();
        for part in full_name.split('.') {
            let found = types.iter().zip(0..).find(|(message, _)| self.messages[**message].name == part);
            if let Some((message, index)) = found {
                path.push(index);
                types = &self.messages[*message].nested;
            }
        }
        if path.is_empty() { vec![0] } else { path }
    }

    /// The entry message when a field stands for a map.
    pub(super) fn map_entry(&self, field: &Field) -> Option<&Message> {
        let Kind::Message(id) = field.kind else { return None };
        let entry = &self.messages[id];
        let [key, value] = entry.fields.as_slice() else { return None };
        let is_entry = field.is_repeated
            && entry.name.ends_with("Entry")
            && (key.name.as_str(), value.name.as_str()) == ("key", "value")
            && !key.is_repeated
            && !value.is_repeated;
        is_entry.then_some(entry)
    }
}

impl Kind {
    /// The scalar type of that name.
    pub(super) fn scalar(name: &str, strict: bool) -> Option<Self> {
        Some(match name {
            "bool" => Self::Bool,
            "bytes" => Self::Bytes,
            "double" => Self::Double,
            "fixed32" => Self::Fixed32,
            "fixed64" => Self::Fixed64,
            "float" => Self::Float,
            "int32" => Self::Int32,
            "int64" => Self::Int64,
            "sfixed32" => Self::Sfixed32,
            "sfixed64" => Self::Sfixed64,
            "sint32" => Self::Sint32,
            "sint64" => Self::Sint64,
            "string" => Self::String { strict },
            "uint32" => Self::Uint32,
            "uint64" => Self::Uint64,
            _ => return None,
        })
    }

    /// The name of a scalar type.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::Bytes => "bytes",
            Self::Double => "double",
            Self::Enum(_) => "enum",
            Self::Fixed32 => "fixed32",
            Self::Fixed64 => "fixed64",
            Self::Float => "float",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::Message(_) | Self::Unknown(_) => "message",
            Self::Sfixed32 => "sfixed32",
            Self::Sfixed64 => "sfixed64",
            Self::Sint32 => "sint32",
            Self::Sint64 => "sint64",
            Self::String { .. } => "string",
            Self::Uint32 => "uint32",
            Self::Uint64 => "uint64",
        }
    }

    /// The wire type of one value.
    pub(super) fn wire(&self) -> u8 {
        match self {
            Self::Fixed64 | Self::Sfixed64 | Self::Double => 1,
            Self::Bytes | Self::Message(_) | Self::String { .. } | Self::Unknown(_) => 2,
            Self::Fixed32 | Self::Sfixed32 | Self::Float => 5,
            _ => 0,
        }
    }
}
