//! Schema names that Avro accepts.
//!
//! Source: `io.debezium.schema.SchemaNameAdjuster`, `SchemaNameAdjustmentMode`.

use std::fmt::Write as _;

/// `schema.name.adjustment.mode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Adjustment {
    /// Characters that Avro refuses become `_`.
    Avro,
    /// Characters that Avro refuses, and `_`, become `_uXXXX`, one per UTF-16 unit.
    AvroUnicode,
    /// Names stay as they are.
    None,
}

/// Every mode under its name.
pub(super) const MODES: [(&str, Adjustment); 3] =
    [("avro", Adjustment::Avro), ("avro_unicode", Adjustment::AvroUnicode), ("none", Adjustment::None)];

impl Adjustment {
    /// `name` under this mode.
    pub(super) fn adjust(self, name: &str) -> String {
        if self == Self::None {
            return name.to_owned();
        }
        let mut text = String::with_capacity(name.len());
        for (at, unit) in name.encode_utf16().enumerate() {
            match u8::try_from(unit) {
                Ok(byte) if self.allows(byte, at == 0) => text.push(char::from(byte)),
                // Names that differ in their first digit alone stay apart.
                Ok(byte) if self == Self::Avro && at == 0 && byte.is_ascii_digit() => {
                    text.push('_');
                    text.push(char::from(byte));
                }
                _ if self == Self::Avro => text.push('_'),
                _ => write!(text, "_u{unit:04x}").expect("writing to a String cannot fail"),
            }
        }
        text
    }

    fn allows(self, byte: u8, is_first: bool) -> bool {
        byte.is_ascii_alphabetic()
            || (byte == b'_' && self == Self::Avro)
            || (!is_first && (byte.is_ascii_digit() || byte == b'.'))
    }
}
