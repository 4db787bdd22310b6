//! JSON that brings its schema along: `{"schema":…,"payload":…}`.
//!
//! A schema is read once: records that start with the same bytes up to their payload as the one before go
//! straight to the columns, other known schema texts are found in a cache of `schemas.cache.size` entries.
//!
//! Source: `JsonConverter#toConnectData` with `schemas.enable=true`, Kafka 4.1.

use std::collections::HashMap;
use std::sync::Arc;

use lakeward_api::ConnectError;
use lakeward_api::converter::Decoded;
use lakeward_api::schema::Schema;
use lakeward_api::value::Value;

use super::Reader;
use super::assembly::{Assembly, Table};
use super::checked;
use super::column::{NullRule, Reading, Strictness};
use super::connect_schema::read_schema;
use super::cursor::Cursor;
use super::dynamic::DynamicReader;
use super::fault::{Parsed, data};

/// Decodes envelopes.
///
/// # Memory
/// The cache keeps each schema text and schema it knows; texts longer than [`CACHED_TEXT_BYTES_MAX`] are not
/// kept.
#[derive(Debug)]
pub(super) struct EnvelopeReader {
    schemas: HashMap<Box<[u8]>, Cached>,
    cache_entries_max: usize,
    /// Counts look-ups, to find the entry that was not used for longest.
    clock: u64,
    table: Option<Table>,
    /// How the last record began, up to its payload; `table` has its schema. Empty when there was none.
    prefix: Vec<u8>,
    reading: Reading,
    dynamic: DynamicReader,
}

#[derive(Debug)]
struct Cached {
    schema: Option<Arc<Schema>>,
    used: u64,
}

/// An envelope taken apart.
struct Parts<'a> {
    schema: &'a [u8],
    payload: Cursor<'a>,
    /// The bytes before the payload decide the schema: one schema member, then one payload member, nothing
    /// else.
    prefix: Option<&'a [u8]>,
}

enum Row {
    Dynamic(Value),
    Null,
    Typed,
}

impl EnvelopeReader {
    pub(super) fn new(cache_entries_max: usize, nulls: NullRule) -> Self {
        Self {
            schemas: HashMap::new(),
            cache_entries_max: cache_entries_max.max(1),
            clock: 0,
            table: None,
            prefix: Vec::new(),
            reading: Reading { strictness: Strictness::Envelope, nulls },
            dynamic: DynamicReader::default(),
        }
    }

    fn read(&mut self, payload: &[u8], assembly: &mut Assembly) -> Parsed<Row> {
        let mut cursor = checked(payload)?;
        if !self.prefix.is_empty()
            && cursor.bytes[cursor.pos..].starts_with(&self.prefix)
            && let Some(table) = &mut self.table
        {
            cursor.pos += self.prefix.len();
            let reading = self.reading;
            let mut envelope_ended = false;
            let appended = table.append_row(|root| {
                root.append_value(&mut cursor, reading)?;
                envelope_ended = cursor.token() == b'}';
                if envelope_ended { Ok(()) } else { Err(data(NOT_AN_ENVELOPE)) }
            });
            // Anything but the end goes the long way round, which knows what to say about it.
            if envelope_ended {
                return appended.map(|()| Row::Typed);
            }
        }
        self.read_unpredicted(checked(payload)?, assembly)
    }

    #[cold]
    fn read_unpredicted(&mut self, cursor: Cursor<'_>, assembly: &mut Assembly) -> Parsed<Row> {
        let mut parts = take_apart(cursor)?;
        let Some(schema) = self.schema_of(parts.schema)? else {
            let value = self.dynamic.value(&mut parts.payload)?;
            return Ok(if value.is_null() { Row::Null } else { Row::Dynamic(value) });
        };
        let current = self.table.as_ref().is_some_and(|table| table.schema == schema);
        if !current {
            assembly.close(self.table.as_mut());
            self.table = Some(Table::new(schema));
        }
        self.prefix.clear();
        self.prefix.extend_from_slice(parts.prefix.unwrap_or_default());
        let table = self.table.as_mut().expect("a table was just made");
        let reading = self.reading;
        table.append_row(|root| root.append_value(&mut parts.payload, reading))?;
        Ok(Row::Typed)
    }

    /// The schema that `text` describes, `None` for JSON null.
    fn schema_of(&mut self, text: &[u8]) -> Parsed<Option<Arc<Schema>>> {
        self.clock += 1;
        if let Some(cached) = self.schemas.get_mut(text) {
            cached.used = self.clock;
            return Ok(cached.schema.clone());
        }
        let schema = read_schema(text, self.reading.nulls)?.map(Arc::new);
        if text.len() <= CACHED_TEXT_BYTES_MAX {
            if self.schemas.len() >= self.cache_entries_max {
                let oldest = self.schemas.iter().min_by_key(|(_, cached)| cached.used);
                if let Some(oldest) = oldest.map(|(text, _)| text.clone()) {
                    self.schemas.remove(&oldest);
                }
            }
            self.schemas.insert(text.into(), Cached { schema: schema.clone(), used: self.clock });
        }
        Ok(schema)
    }
}

impl Reader for EnvelopeReader {
    fn decode(&mut self, _topic: &str, payloads: &[Option<&[u8]>]) -> Result<Decoded, ConnectError> {
        let mut assembly = Assembly::default();
        for (row, payload) in payloads.iter().enumerate() {
            let Some(payload) = payload else {
                assembly.null(row, self.table.as_mut());
                continue;
            };
            match self.read(payload, &mut assembly) {
                Ok(Row::Typed) => assembly.typed(row),
                Ok(Row::Null) => assembly.null(row, self.table.as_mut()),
                Ok(Row::Dynamic(value)) => assembly.dynamic(row, value, self.table.as_mut()),
                Err(fault) => assembly.failed(row, fault),
            }
        }
        Ok(assembly.finish(self.table.as_mut()))
    }
}

/// Finds the schema and payload members, in any order; of members with the same name the last one counts.
fn take_apart(mut cursor: Cursor<'_>) -> Parsed<Parts<'_>> {
    if cursor.token() != b'{' {
        cursor
            .skip_value()
            .and_then(|()| cursor.end_of_record())
            .or_else(|fault| if super::is_blank(cursor.bytes) { Ok(()) } else { Err(fault) })?;
        return Err(data(NOT_AN_ENVELOPE));
    }
    let start = cursor.pos;
    let (mut schema, mut payload) = (None, None);
    let mut members = 0;
    let mut in_order = true;
    let mut more = cursor.enter(b'}');
    let mut others = false;
    while more {
        let name = cursor.member_name()?.resolved();
        cursor.token();
        let value = cursor.clone();
        let raw = cursor.raw_value()?;
        match &*name {
            b"schema" => {
                in_order &= members == 0;
                schema = Some(raw);
            }
            b"payload" => {
                in_order &= members == 1;
                payload = Some(value);
            }
            _ => others = true,
        }
        members += 1;
        more = cursor.has_more(b'}')?;
    }
    match (schema, payload) {
        (Some(schema), Some(payload)) if !others => {
            let prefix = in_order.then(|| &payload.bytes[start..payload.pos]);
            Ok(Parts { schema, payload, prefix })
        }
        _ => Err(data(NOT_AN_ENVELOPE)),
    }
}

/// Schemas are a few kilobytes; the cache must not keep megabytes that a hostile producer sends as schemas.
const CACHED_TEXT_BYTES_MAX: usize = 256 * 1024;

const NOT_AN_ENVELOPE: &str = "JsonConverter with schemas.enable requires \"schema\" and \"payload\" \
    fields and may not \
    contain additional fields. If you are trying to deserialize plain JSON data, set \
    schemas.enable=false in your \
    converter configuration.";
