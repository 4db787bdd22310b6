//! One-line forms for reports: exact, but short.

use std::fmt::Write as _;
use std::sync::Arc;

use super::{Header, Kind, Record, Schema, Side, Typed, Value};

/// Appends a one-line form.
pub trait Show {
    /// Appends to `out`.
    fn show(&self, out: &mut String);

    /// The form alone.
    fn shown(&self) -> String {
        let mut out = String::new();
        self.show(&mut out);
        out
    }
}

macro_rules! put {
    ($out:expr, $($form:tt)*) => {
        write!($out, $($form)*).expect("writing to a String cannot fail")
    };
}

impl Show for Schema {
    fn show(&self, out: &mut String) {
        match &self.kind {
            Kind::Array(item) => {
                out.push_str("array<");
                item.show(out);
                out.push('>');
            }
            Kind::Map(key, value) => {
                out.push_str("map<");
                key.show(out);
                out.push(',');
                value.show(out);
                out.push('>');
            }
            Kind::Struct(fields) => {
                out.push('{');
                for (at, field) in fields.iter().enumerate() {
                    put!(out, "{}{:?}:", if at == 0 { "" } else { "," }, field.name);
                    field.schema.show(out);
                }
                out.push('}');
            }
            Kind::Recursive(levels) => put!(out, "^{levels}"),
            kind => out.push_str(&format!("{kind:?}").to_lowercase()),
        }
        if self.optional {
            out.push('?');
        }
        if let Some(name) = &self.name {
            put!(out, "#{}", name.replace(super::LOGICAL, "~"));
        }
        if let Some(version) = self.version {
            put!(out, "/v{version}");
        }
        if let Some(doc) = &self.doc {
            put!(out, "/doc={doc:?}");
        }
        if !self.parameters.is_empty() {
            put!(out, "/{:?}", self.parameters);
        }
        if let Some(default) = &self.default {
            out.push('=');
            default.show(out);
        }
    }
}

impl Show for Option<Arc<Schema>> {
    fn show(&self, out: &mut String) {
        match self {
            Some(schema) => schema.show(out),
            None => out.push_str("none"),
        }
    }
}

impl Show for Value {
    fn show(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Boolean(truth) => put!(out, "{truth}"),
            Self::Int8(number) => put!(out, "{number}i8"),
            Self::Int16(number) => put!(out, "{number}i16"),
            Self::Int32(number) => put!(out, "{number}i32"),
            Self::Int64(number) => put!(out, "{number}i64"),
            Self::Float32(number) => put!(out, "{number:?}f32"),
            Self::Float64(number) => put!(out, "{number:?}f64"),
            Self::String(text) => put!(out, "{text:?}"),
            Self::Bytes(bytes) => put!(out, "b\"{}\"", bytes.escape_ascii()),
            Self::List(items) => sequence(out, '[', ']', items),
            Self::Struct(items) => sequence(out, '(', ')', items),
            Self::Map(entries) => {
                out.push('{');
                for (at, (key, value)) in entries.iter().enumerate() {
                    out.push_str(if at == 0 { "" } else { "," });
                    key.show(out);
                    out.push(':');
                    value.show(out);
                }
                out.push('}');
            }
            Self::Date(ms) => put!(out, "date@{ms}"),
            Self::Decimal { unscaled, scale } => {
                out.push_str("decimal(0x");
                unscaled.iter().for_each(|byte| put!(out, "{byte:02x}"));
                put!(out, ",{scale})");
            }
            Self::Other(class) => put!(out, "object of {class}"),
        }
    }
}

fn sequence(out: &mut String, open: char, close: char, items: &[Value]) {
    out.push(open);
    for (at, item) in items.iter().enumerate() {
        out.push_str(if at == 0 { "" } else { "," });
        item.show(out);
    }
    out.push(close);
}

impl Show for Typed {
    fn show(&self, out: &mut String) {
        self.value.show(out);
        if self.schema.is_some() {
            out.push_str(" as ");
            self.schema.show(out);
        }
    }
}

impl Show for Header {
    fn show(&self, out: &mut String) {
        put!(out, "{:?}=", self.name);
        self.value.show(out);
    }
}

impl Show for Record {
    fn show(&self, out: &mut String) {
        out.push_str(if self.side == Side::Sink { "sink(" } else { "source(" });
        put!(out, "{:?}", self.topic.as_deref().unwrap_or("null"));
        match self.partition {
            Some(partition) => put!(out, "-{partition}@{}", self.offset),
            None => put!(out, "-null@{}", self.offset),
        }
        if let Some(timestamp) = self.timestamp_ms {
            put!(out, " t={timestamp}/{:?}", self.timestamp_type);
        }
        if self.key != Typed::null() {
            out.push_str(" key=");
            self.key.show(out);
        }
        out.push_str(" value=");
        self.value.show(out);
        for header in &self.headers {
            out.push_str(" header ");
            header.show(out);
        }
        out.push(')');
    }
}
