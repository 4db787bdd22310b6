//! What the schema of an outbox table's events decides.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef, StructArray};
use lakeward_api::ConnectError;
use lakeward_api::schema::{Field, Kind, Schema};

use super::super::{any_field, failed, typed_field};
use super::config::{Placement, Rules};
use crate::columns;

/// Where the parts of events are.
pub(super) struct Plan {
    /// The row's image in the envelope, and its schema.
    pub(super) after: usize,
    pub(super) event: Arc<Schema>,
    pub(super) id: usize,
    pub(super) key: usize,
    pub(super) payload: usize,
    pub(super) route: usize,
    pub(super) version: Option<usize>,
    /// Field index and alias.
    pub(super) headers: Vec<(usize, Arc<str>)>,
    pub(super) envelope: Vec<(usize, Arc<str>)>,
    /// The column of the partition; as in Debezium, the last one counts.
    pub(super) partition: Option<usize>,
    /// `ts_ms` of the envelope. The error is that of events that need it.
    processed: Result<usize, ConnectError>,
    timestamp: Option<(usize, Unit)>,
}

/// What the timestamp column counts.
#[derive(Clone, Copy)]
enum Unit {
    /// Times this many are a millisecond.
    PerMs(i64),
    /// A schema that says nothing about time.
    Unknown,
}

impl Plan {
    /// The plan for events of `envelope`. The error is that of every event.
    pub(super) fn new(envelope: &Schema, rules: &Rules) -> Result<Self, ConnectError> {
        let Some((after, field)) = envelope.field("after") else {
            return Err(failed("java.lang.IllegalArgumentException", "Unknown field: after"));
        };
        let event = Arc::clone(&field.schema);
        let Kind::Struct(_) = event.kind else {
            return Err(columns::not_a_struct(event.java_class(), "Read Outbox Event"));
        };
        let missing =
            |what: &str, name: &str| failed(CONNECT, format!("Unable to find {what} field {name} in event"));
        let payload = event.field(&rules.payload).ok_or_else(|| missing("payload", &rules.payload))?.0;
        let processed = typed_field(envelope, "ts_ms", &Kind::Int64);
        let timestamp = match &rules.timestamp {
            None => None,
            Some(name) => {
                event.field(name).ok_or_else(|| missing("timestamp", name))?;
                let index = typed_field(&event, name, &Kind::Int64)?;
                Some((index, unit_of(&event.fields()[index].schema)))
            }
        };
        let version = rules.version.as_deref().filter(|_| rules.has_envelope());
        let mut plan = Self {
            after,
            id: any_field(&event, &rules.id)?,
            key: any_field(&event, &rules.key)?,
            payload,
            route: typed_field(&event, &rules.route, &Kind::String)?,
            version: version.map(|name| typed_field(&event, name, &Kind::Int32)).transpose()?,
            headers: Vec::new(),
            envelope: Vec::new(),
            partition: None,
            processed,
            timestamp,
            event,
        };
        plan.place(rules)?;
        Ok(plan)
    }

    fn place(&mut self, rules: &Rules) -> Result<(), ConnectError> {
        for item in &rules.additional {
            if rules.may_miss && self.event.field(&item.field).is_none() {
                continue;
            }
            let alias: Arc<str> = item.alias.as_str().into();
            match item.placement {
                Placement::Envelope => {
                    let Some((index, _)) = self.event.field(&item.field) else {
                        return Err(failed(CONNECT, format!("Unable to find field {} in event", item.field)));
                    };
                    self.envelope.push((index, alias));
                }
                Placement::Header => self.headers.push((any_field(&self.event, &item.field)?, alias)),
                Placement::Partition => {
                    self.partition = Some(typed_field(&self.event, &item.field, &Kind::Int32)?);
                }
            }
        }
        Ok(())
    }

    /// The column of a field of the row, defaults in place of nulls.
    pub(super) fn column(&self, event: &StructArray, index: usize) -> Result<ArrayRef, ConnectError> {
        columns::with_default(&self.event.fields()[index].schema, event.column(index))
    }

    /// The timestamp of event `row`, in ms.
    pub(super) fn timestamp_ms(
        &self,
        envelope: &StructArray,
        row: usize,
    ) -> Result<Option<i64>, ConnectError> {
        if let Some((index, unit)) = self.timestamp {
            let column = envelope.column(self.after).as_struct().column(index);
            if column.is_valid(row) {
                let Unit::PerMs(count) = unit else { return Err(self.unknown_unit(index)) };
                return Ok(Some(column.as_primitive::<Int64Type>().value(row) / count));
            }
        }
        let processed = *self.processed.as_ref().map_err(columns::copy_of)?;
        let processed = envelope.column(processed).as_primitive::<Int64Type>();
        Ok(processed.is_valid(row).then(|| processed.value(row)))
    }

    fn unknown_unit(&self, index: usize) -> ConnectError {
        let schema = &self.event.fields()[index].schema;
        if schema.logical().is_some() {
            return failed(
                "java.lang.ClassCastException",
                "class java.util.Date cannot be cast to class java.lang.Long",
            );
        }
        let problem = match &schema.name {
            None => "INT64 (without logical schema name)",
            Some(name) => name,
        };
        failed(CONNECT, format!("Unsupported field type {problem} for event timestamp"))
    }

    /// The schema of values that hold a payload of `payload` and additional fields.
    pub(super) fn value_schema(
        &self,
        payload: &Arc<Schema>,
        routed: &str,
        version: Option<i32>,
    ) -> Result<Schema, ConnectError> {
        let mut fields: Vec<Field> = Vec::with_capacity(1 + self.envelope.len());
        columns::add_field(&mut fields, "payload", Arc::clone(payload))?;
        for (index, alias) in &self.envelope {
            columns::add_field(&mut fields, alias, Arc::clone(&self.event.fields()[*index].schema))?;
        }
        let name = match self.event.name.as_deref().map(|name| (name, name.rfind('.'))) {
            None => routed.to_owned(),
            Some((name, None)) => format!("{routed}.{name}"),
            Some((name, Some(dot))) => format!("{}.{routed}.{}", &name[..dot], &name[dot + 1..]),
        };
        Ok(Schema { version, ..Schema::new(Kind::Struct(fields)).named(&name) })
    }
}

const CONNECT: &str = "org.apache.kafka.connect.errors.ConnectException";

fn unit_of(schema: &Schema) -> Unit {
    match schema.name.as_deref() {
        Some("io.debezium.time.Timestamp") => Unit::PerMs(1),
        Some("io.debezium.time.MicroTimestamp") => Unit::PerMs(1_000),
        Some("io.debezium.time.NanoTimestamp") => Unit::PerMs(1_000_000),
        _ => Unit::Unknown,
    }
}
