//! The Connect schema of a message, and the columns that follow it.
//!
//! Source: `ProtobufData#toConnectSchema`.

use std::collections::HashMap;

use lakeward_api::schema::{Field as Member, Kind as Connect, Logical, Schema};

use super::super::descriptor::{Field, Kind, Message, Pool};
use super::super::fault::{Converted, data};
use super::super::read::{Absent, Column, Constant, MessageCells, Target, build};
use super::cycles::Cycles;
use super::default_in::default_of;
use super::names::map_name;
use super::{
    CONNECT_PRECISION, CONNECT_TYPE, DATE, DECIMAL, GENERALIZED_UNION, Mapping, PRECISION, SCALE, TAG, TIME,
    TIMESTAMP, TYPE, UNION, WRAPPER, kind_name, wrapped_kind,
};

/// Schema and columns of the message `id`, and the columns of the messages inside that contain themselves.
///
/// # Errors
/// A `DataException` for types that have no columns.
pub(in super::super) fn to_connect(
    pool: &Pool,
    id: usize,
    mapping: Mapping,
    version: Option<i32>,
) -> Converted<(Schema, Column, Vec<Column>)> {
    let message = &pool.messages[id];
    let cycles = Cycles::new(format!("{version:?} {mapping:?} {}", message.full_name), version);
    let mut walk =
        Walk { pool, mapping, open: Vec::new(), tags: HashMap::new(), cycles, nodes_left: NODES_MAX };
    let wrapped = wrapped_kind(&message.full_name).filter(|_| mapping.raw_wrappers);
    let (mut schema, column) = match wrapped {
        Some(kind) => {
            let schema = Schema::new(scalar_kind(&kind, &[]));
            let column = build::scalar(&kind, &schema, Constant::default())?;
            (schema, column.wrapped())
        }
        None => walk.message(id)?,
    };
    schema.version = version;
    Ok((schema, column, walk.cycles.columns()))
}

struct Walk<'a> {
    pool: &'a Pool,
    mapping: Mapping,
    /// Messages around the place at hand.
    open: Vec<usize>,
    cycles: Cycles,
    /// Messages seen: Java shares their schema, so that the tag of the first place shows in later ones.
    tags: HashMap<usize, Option<u32>>,
    nodes_left: usize,
}

impl Walk<'_> {
    /// Recursion is bounded by [`DEPTH_MAX`], and ends where a message contains itself.
    fn message(&mut self, id: usize) -> Converted<(Schema, Column)> {
        let message = &self.pool.messages[id];
        if self.open.len() == DEPTH_MAX {
            return Err(data(format!("The Protobuf schema is nested more than {DEPTH_MAX} levels deep")));
        }
        self.tags.entry(id).or_insert(None);
        self.open.push(id);
        let mut made = Made::default();
        for (index, oneof) in message.oneofs.iter().enumerate() {
            let fields: Vec<&Field> =
                message.fields.iter().filter(|field| field.oneof == Some(index)).collect();
            if fields.is_empty() {
                continue;
            }
            if self.mapping.flatten_unions {
                let first = made.columns.len();
                for field in &fields {
                    let (schema, column) = self.field(field, true)?;
                    let column = column.or_null();
                    made.add(&field.name, schema, column, field.number, Some(first..first + fields.len()));
                }
            } else {
                self.union(message, index, oneof, &fields, &mut made)?;
            }
        }
        for field in message.fields.iter().filter(|field| field.oneof.is_none()) {
            let (schema, column) = self.field(field, false)?;
            made.add(&field.name, schema, column, field.number, None);
        }
        self.open.pop();
        let mut schema = Schema::new(Connect::Struct(made.members)).named(self.name_of(message));
        let cells = MessageCells::new(made.columns, &schema, made.targets);
        let column = Column::of_message(cells);
        self.cycles.complete(id, &self.open, &mut schema, &column);
        Ok((schema, column))
    }

    fn name_of<'m>(&self, message: &'m Message) -> &'m str {
        if self.mapping.enhanced { &message.full_name } else { &message.name }
    }

    /// The place where the message `id`, which is open, contains itself. It is like the schema around it,
    /// with what the first place of the message added to that.
    fn cycle(&mut self, id: usize) -> Converted<(Schema, Column)> {
        let around = self.open.iter().position(|open| *open == id).unwrap_or(0);
        let (place, target) = self.cycles.place(self.pool, id, &self.open[..around])?;
        let schema = Schema { name: Some(self.name_of(&self.pool.messages[id]).into()), ..place };
        Ok((schema, Column::of_packed(target)))
    }

    fn union(
        &mut self,
        message: &Message,
        index: usize,
        name: &str,
        fields: &[&Field],
        made: &mut Made,
    ) -> Converted<()> {
        let mut members = Vec::new();
        let mut columns = Vec::new();
        for (at, field) in fields.iter().enumerate() {
            let (schema, column) = self.field(field, true)?;
            members.push(Member { name: field.name.as_str().into(), schema: schema.into() });
            columns.push(column.or_null());
            made.targets
                .push((field.number, Target { column: made.columns.len(), member: Some(at), rivals: None }));
        }
        let mut schema = Schema::optional(Connect::Struct(members));
        if self.mapping.generalized_sums {
            schema = schema.named(name);
            schema.parameters.insert(GENERALIZED_UNION.to_owned(), name.to_owned());
        } else if self.mapping.enhanced {
            schema = schema.named(&format!("{UNION}.{}.{name}", message.full_name));
        } else {
            schema = schema.named(&format!("{UNION}.{name}"));
        }
        let column = Column::of_union(columns, &schema);
        let name = if self.mapping.union_index { format!("{name}_{index}") } else { name.to_owned() };
        made.members.push(Member { name: name.into(), schema: schema.into() });
        made.columns.push(column);
        Ok(())
    }

    fn field(&mut self, field: &Field, in_oneof: bool) -> Converted<(Schema, Column)> {
        self.nodes_left = self
            .nodes_left
            .checked_sub(1)
            .ok_or_else(|| data(format!("The Protobuf schema stands for more than {NODES_MAX} fields")))?;
        let (mut schema, mut column, is_wrapper) = match &field.kind {
            Kind::Message(id) => self.message_field(field, *id)?,
            Kind::Enum(id) => {
                let schema = self.enum_schema(*id);
                let constant = default_of(self.pool, field);
                let column = build::enumeration(&self.pool.enums[*id], &schema, constant, field.is_closed);
                (schema, column, false)
            }
            Kind::Unknown(name) => {
                return Err(data(format!("The type {name} of the field {} is not defined", field.name)));
            }
            kind => {
                let mut schema = Schema::new(scalar_kind(kind, &field.params));
                if !matches!((kind, &schema.kind), (Kind::Int32 | Kind::Int64, _))
                    && matches!(schema.kind, Connect::Int32 | Connect::Int64)
                {
                    schema.parameters.insert(TYPE.to_owned(), kind.word().to_owned());
                }
                let column = build::scalar(kind, &schema, default_of(self.pool, field))?;
                (schema, column, false)
            }
        };
        if field.is_repeated && !matches!(schema.kind, Connect::Map { .. }) {
            schema.optional = true;
            let list = Schema::optional(Connect::Array(schema.into()));
            column = Column::of_list(column, &list);
            schema = list;
        }
        if in_oneof {
            schema.optional = true;
            if self.mapping.wrappers && is_wrapper {
                schema.parameters.insert(WRAPPER.to_owned(), "true".to_owned());
            }
        } else if self.mapping.optionals {
            schema.optional |= field.has_optional;
        } else if !self.mapping.wrappers {
            schema.optional = true;
        }
        schema.parameters.insert(TAG.to_owned(), field.number.to_string());
        column.set_optional(schema.optional);
        column.is_required = field.is_required;
        column.absent = self.absent(field, &schema);
        Ok((schema, column))
    }

    /// What stands for a field that a message does not have.
    fn absent(&self, field: &Field, schema: &Schema) -> Absent {
        let is_message = matches!(field.kind, Kind::Message(_)) && !field.is_repeated;
        let is_optional = field.has_optional && (field.proto3 || self.mapping.proto2_optionals);
        let is_endless = is_message && matches!(schema.kind, Connect::Recursive(_));
        if self.mapping.null_structs && is_endless {
            Absent::Refused(format!(
                "The field {} has no value, and generate.struct.for.nulls would fill it with messages of its \
                 own type without end",
                field.name
            ))
        } else if self.mapping.null_structs || !(is_message || is_optional) {
            Absent::Default
        } else if schema.optional {
            Absent::Null
        } else {
            Absent::Refused(format!(
                "Invalid value: null used for required field: \"{}\", schema type: {}",
                field.name,
                kind_name(&schema.kind)
            ))
        }
    }

    fn message_field(&mut self, field: &Field, id: usize) -> Converted<(Schema, Column, bool)> {
        let message = &self.pool.messages[id];
        let logical = match message.full_name.as_str() {
            DATE => Some(Logical::Date),
            TIME => Some(Logical::Time),
            TIMESTAMP => Some(Logical::Timestamp),
            DECIMAL => {
                let scale = param(field, SCALE).and_then(|scale| scale.parse().ok()).unwrap_or(0);
                Some(Logical::Decimal { scale })
            }
            _ => None,
        };
        let (mut schema, column, is_wrapper) = if let Some(logical) = logical {
            let mut schema = Schema::logical_of(logical);
            let precision = param(field, PRECISION).and_then(|precision| precision.parse::<i32>().ok());
            if let (Logical::Decimal { .. }, Some(precision)) = (logical, precision) {
                schema.parameters.insert(CONNECT_PRECISION.to_owned(), precision.to_string());
            }
            (schema, build::logical(logical), false)
        } else if let Some(kind) = self.wrapped(&message.full_name) {
            let schema = Schema::new(scalar_kind(&kind, &[]));
            let column = build::scalar(&kind, &schema, Constant::default())?;
            (schema, column.wrapped(), true)
        } else if let Some(entry) = self.pool.map_entry(field) {
            let (key, key_column) = self.field(&entry.fields[0], false)?;
            let (value, value_column) = self.field(&entry.fields[1], false)?;
            let name = map_name(if self.mapping.enhanced { &entry.full_name } else { &entry.name });
            let schema = Schema::new(Connect::Map { key: key.into(), value: value.into() }).named(&name);
            let column = Column::of_map(key_column, value_column, &schema)?;
            (schema, column, false)
        } else {
            let first = self.tags.get(&id).copied();
            self.tags.entry(id).or_insert((!field.is_repeated).then_some(field.number));
            let (mut schema, column) =
                if self.open.contains(&id) { self.cycle(id)? } else { self.message(id)? };
            // A later place inherits what the first one added.
            if let Some(Some(tag)) = first {
                schema.parameters.insert(TAG.to_owned(), tag.to_string());
            }
            (schema, column, false)
        };
        schema.optional = true;
        let is_map = matches!(schema.kind, Connect::Map { .. });
        let mut column = column;
        if !is_map {
            column.set_optional(true);
        }
        Ok((schema, column, is_wrapper))
    }

    /// The scalar that stands for a wrapper message.
    fn wrapped(&self, full_name: &str) -> Option<Kind> {
        wrapped_kind(full_name).filter(|_| self.mapping.wrappers || self.mapping.raw_wrappers)
    }

    fn enum_schema(&self, id: usize) -> Schema {
        let definition = &self.pool.enums[id];
        let kind = if self.mapping.int_enums { Connect::Int32 } else { Connect::String };
        let name = if self.mapping.enhanced { &definition.full_name } else { &definition.name };
        let mut schema = Schema::optional(kind).named(name);
        let param = self.mapping.enum_param();
        schema.parameters.insert(param.to_owned(), definition.name.clone());
        for (symbol, number) in &definition.values {
            schema.parameters.insert(format!("{param}.{symbol}"), number.to_string());
        }
        schema
    }
}

/// Members of a STRUCT so far.
#[derive(Default)]
struct Made {
    members: Vec<Member>,
    columns: Vec<Column>,
    targets: Vec<(u32, Target)>,
}

impl Made {
    fn add(
        &mut self,
        name: &str,
        schema: Schema,
        column: Column,
        number: u32,
        rivals: Option<std::ops::Range<usize>>,
    ) {
        self.targets.push((number, Target { column: self.columns.len(), member: None, rivals }));
        self.members.push(Member { name: name.into(), schema: schema.into() });
        self.columns.push(column);
    }
}

fn param<'a>(field: &'a Field, name: &str) -> Option<&'a str> {
    field.params.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

fn scalar_kind(kind: &Kind, params: &[(String, String)]) -> Connect {
    match kind {
        Kind::Bool => Connect::Boolean,
        Kind::Bytes => Connect::Bytes,
        Kind::Double => Connect::Float64,
        Kind::Float => Connect::Float32,
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => {
            match params.iter().rev().find(|(key, _)| key == CONNECT_TYPE).map(|(_, value)| value.as_str()) {
                Some("int8") => Connect::Int8,
                Some("int16") => Connect::Int16,
                _ => Connect::Int32,
            }
        }
        Kind::String { .. } => Connect::String,
        _ => Connect::Int64,
    }
}

/// Fields that a schema may stand for, counted where they appear.
const NODES_MAX: usize = 50_000;

/// Messages inside messages; protobuf-java reads no more, either.
const DEPTH_MAX: usize = 100;
