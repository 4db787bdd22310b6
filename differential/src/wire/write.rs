//! Requests.

use std::sync::Arc;

use super::{HAS_DEFAULT, HAS_VERSION, OPTIONAL, RECURSIVE, tag};
use crate::case::{Case, Items};
use crate::model::{Kind, Record, Schema, Side, Typed, Value};

/// Builds one request frame, without its length.
#[derive(Default)]
pub(crate) struct Writer {
    out: Vec<u8>,
    /// Addresses of the schemas of the case at hand, in order of definition. The case keeps them alive.
    schemas: Vec<*const Schema>,
}

impl Writer {
    /// The frame.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.out
    }

    /// One byte.
    pub(crate) fn u8(&mut self, number: u8) {
        self.out.push(number);
    }

    /// A 32-bit number.
    pub(crate) fn i32(&mut self, number: i32) {
        self.out.extend(number.to_be_bytes());
    }

    fn i64(&mut self, number: i64) {
        self.out.extend(number.to_be_bytes());
    }

    fn len(&mut self, count: usize) {
        self.i32(i32::try_from(count).expect("frames are far below 2 GiB"));
    }

    fn bytes(&mut self, bytes: Option<&[u8]>) {
        match bytes {
            Some(bytes) => {
                self.len(bytes.len());
                self.out.extend(bytes);
            }
            None => self.i32(-1),
        }
    }

    fn text(&mut self, text: &str) {
        self.bytes(Some(text.as_bytes()));
    }

    fn optional_text(&mut self, text: Option<&str>) {
        self.bytes(text.map(str::as_bytes));
    }

    /// A case with all its items.
    pub(crate) fn case(&mut self, case: &Case) {
        self.schemas.clear();
        self.u8(case.items.kind());
        self.text(&case.setup.class);
        self.len(case.setup.settings.len());
        for (name, value) in &case.setup.settings {
            self.text(name);
            self.text(value);
        }
        self.u8(u8::from(case.setup.is_key));
        self.text(&case.setup.topic);
        self.len(case.setup.schemas.len());
        case.setup.schemas.iter().for_each(|schema| self.text(schema));
        self.len(case.items.len());
        match &case.items {
            Items::Decode(payloads) | Items::Recode(payloads) => {
                for payload in payloads {
                    self.optional_text(None);
                    self.bytes(payload.as_deref());
                }
            }
            Items::Encode(values) => {
                for value in values {
                    self.optional_text(None);
                    self.typed(value);
                }
            }
            Items::DecodeHeader(headers) => {
                for (name, payload) in headers {
                    self.text(name);
                    self.bytes(payload.as_deref());
                }
            }
            Items::EncodeHeader(headers) => {
                for header in headers {
                    self.text(&header.name);
                    self.typed(&header.value);
                }
            }
            Items::Chain(records) | Items::Transform(records) | Items::Predicate(records) => {
                records.iter().for_each(|record| self.record(record));
            }
        }
    }

    fn typed(&mut self, typed: &Typed) {
        self.schema(typed.schema.as_ref());
        self.value(&typed.value);
    }

    fn schema(&mut self, schema: Option<&Arc<Schema>>) {
        let Some(schema) = schema else { return self.i32(0) };
        if let Kind::Recursive(levels) = &schema.kind {
            self.i32(RECURSIVE);
            self.u8(u8::from(schema.optional));
            return self.len(*levels);
        }
        let address = Arc::as_ptr(schema);
        if let Some(known) = self.schemas.iter().position(|one| *one == address) {
            return self.len(known + 2);
        }
        self.i32(1);
        self.u8(type_number(&schema.kind));
        let mut flags = if schema.optional { OPTIONAL } else { 0 };
        flags |= if schema.default.is_some() { HAS_DEFAULT } else { 0 };
        flags |= if schema.version.is_some() { HAS_VERSION } else { 0 };
        self.u8(flags);
        if let Some(version) = schema.version {
            self.i32(version);
        }
        self.optional_text(schema.name.as_deref());
        self.optional_text(schema.doc.as_deref());
        self.len(schema.parameters.len());
        for (name, value) in &schema.parameters {
            self.text(name);
            self.text(value);
        }
        match &schema.kind {
            Kind::Array(item) => self.schema(item.as_ref()),
            Kind::Map(key, value) => {
                self.schema(key.as_ref());
                self.schema(value.as_ref());
            }
            Kind::Struct(fields) => {
                self.len(fields.len());
                for field in fields {
                    self.text(&field.name);
                    self.schema(Some(&field.schema));
                }
            }
            _ => {}
        }
        if let Some(default) = &schema.default {
            self.value(default);
        }
        self.schemas.push(address);
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.u8(tag::NULL),
            Value::Boolean(truth) => self.out.extend([tag::BOOLEAN, u8::from(*truth)]),
            Value::Int8(number) => {
                self.u8(tag::INT8);
                self.out.extend(number.to_be_bytes());
            }
            Value::Int16(number) => {
                self.u8(tag::INT16);
                self.out.extend(number.to_be_bytes());
            }
            Value::Int32(number) => {
                self.u8(tag::INT32);
                self.i32(*number);
            }
            Value::Int64(number) => {
                self.u8(tag::INT64);
                self.i64(*number);
            }
            Value::Float32(number) => {
                self.u8(tag::FLOAT32);
                self.out.extend(number.to_bits().to_be_bytes());
            }
            Value::Float64(number) => {
                self.u8(tag::FLOAT64);
                self.out.extend(number.to_bits().to_be_bytes());
            }
            Value::String(text) => {
                self.u8(tag::STRING);
                self.text(text);
            }
            Value::Bytes(bytes) => {
                self.u8(tag::BINARY);
                self.bytes(Some(bytes));
            }
            Value::List(items) => self.values(tag::LIST, items),
            Value::Struct(items) => self.values(tag::STRUCT, items),
            Value::Map(entries) => {
                self.u8(tag::MAP);
                self.len(entries.len());
                for (key, value) in entries {
                    self.value(key);
                    self.value(value);
                }
            }
            Value::Date(ms) => {
                self.u8(tag::DATE);
                self.i64(*ms);
            }
            Value::Decimal { unscaled, scale } => {
                self.u8(tag::DECIMAL);
                self.bytes(Some(unscaled));
                self.i32(*scale);
            }
            Value::Other(class) => panic!("an object of {class} is never an input"),
        }
    }

    fn values(&mut self, tag: u8, items: &[Value]) {
        self.u8(tag);
        self.len(items.len());
        items.iter().for_each(|item| self.value(item));
    }

    fn record(&mut self, record: &Record) {
        self.u8(u8::from(record.side == Side::Source));
        self.optional_text(record.topic.as_deref());
        self.u8(u8::from(record.partition.is_some()));
        if let Some(partition) = record.partition {
            self.i32(partition);
        }
        self.typed(&record.key);
        self.typed(&record.value);
        self.u8(u8::from(record.timestamp_ms.is_some()));
        if let Some(timestamp) = record.timestamp_ms {
            self.i64(timestamp);
        }
        self.u8(record.timestamp_type as u8);
        self.i64(record.offset);
        self.len(record.headers.len());
        for header in &record.headers {
            self.text(&header.name);
            self.typed(&header.value);
        }
    }
}

/// The ordinal of Java's `Schema.Type`.
fn type_number(kind: &Kind) -> u8 {
    match kind {
        Kind::Int8 => 0,
        Kind::Int16 => 1,
        Kind::Int32 => 2,
        Kind::Int64 => 3,
        Kind::Float32 => 4,
        Kind::Float64 => 5,
        Kind::Boolean => 6,
        Kind::String => 7,
        Kind::Bytes => 8,
        Kind::Array(_) => 9,
        Kind::Map(..) => 10,
        Kind::Recursive(_) => unreachable!("a reference, not a definition"),
        Kind::Struct(_) => 11,
    }
}
