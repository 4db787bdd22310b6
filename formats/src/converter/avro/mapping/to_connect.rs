//! Avro schemas as Connect schemas.
//!
//! Source: `AvroData#toConnectSchema`.

use std::sync::Arc;

use lakeward_api::schema::{Field, Kind, Logical, Schema};
use serde_json::Value as Json;

use super::super::fault::{Converted, Fault, data};
use super::super::schema::{AvroSchema, RecordField, Shape, Type, TypeId};
use super::cycles::Cycles;
use super::default_in::{Default, default_value, field_default};
use super::*;

/// Turns the types of one Avro schema into Connect schemas.
pub(in super::super) struct ToConnect<'a> {
    avro: &'a AvroSchema,
    mapping: Mapping,
    /// Unions named so far by this converter, for `connect_union_<n>`.
    unions: &'a mut u32,
    /// Records that others may refer to.
    cycles: Cycles,
    /// Entries of maps that are being converted, outermost first.
    entries: Vec<TypeId>,
    nodes_left: usize,
    depth: usize,
}

/// What a field says about its type.
#[derive(Clone, Copy, std::default::Default)]
struct Context<'a> {
    optional: bool,
    default: Option<&'a Default>,
    doc: Option<&'a str>,
    version: Option<i32>,
}

impl<'a> ToConnect<'a> {
    pub(in super::super) fn new(avro: &'a AvroSchema, mapping: Mapping, unions: &'a mut u32) -> Self {
        let (cycles, entries) = (Cycles::default(), Vec::new());
        Self { avro, mapping, unions, cycles, entries, nodes_left: NODES_MAX, depth: 0 }
    }

    /// The Connect schema of the whole Avro schema, which the registry knows as `version`.
    ///
    /// # Errors
    /// A `DataException` for types that Connect does not have.
    pub(in super::super) fn schema(mut self, version: Option<i32>) -> Converted<Schema> {
        let root = self.avro.root;
        self.cycles.set_walk(self.mapping, version, *self.unions);
        self.convert(root, Context { version, ..Context::default() })
    }

    fn convert(&mut self, id: TypeId, context: Context<'_>) -> Converted<Schema> {
        let Some(nodes_left) = self.nodes_left.checked_sub(1) else {
            return Err(data(format!("The Avro schema stands for more than {NODES_MAX} fields and types")));
        };
        self.nodes_left = nodes_left;
        if let Some(recursive) = self.cycles.refer(self.avro, id)? {
            let kind = self.avro.get(id);
            let mut place = recursive.place(context.optional, None);
            set_name(kind, &mut place)?;
            return Ok(place);
        }
        if self.depth == DEPTH_MAX {
            return Err(data(format!("The Avro schema is nested more than {DEPTH_MAX} levels deep")));
        }
        self.depth += 1;
        let schema = self.convert_shallow(id, context);
        self.depth -= 1;
        schema
    }

    /// [`Self::convert`] without its limits.
    fn convert_shallow(&mut self, id: TypeId, context: Context<'_>) -> Converted<Schema> {
        let avro = self.avro;
        let kind = avro.get(id);
        let mut schema = match &kind.shape {
            Shape::Boolean => Schema::new(Kind::Boolean),
            Shape::Bytes => bytes(kind)?,
            Shape::Fixed(size) => {
                let mut schema = bytes(kind)?;
                schema.parameters.insert(FIXED_SIZE.to_owned(), size.to_string());
                schema
            }
            Shape::Double => Schema::new(Kind::Float64),
            Shape::Float => Schema::new(Kind::Float32),
            Shape::Int => int(kind)?,
            Shape::Long if has_logical(kind, "timestamp-millis") => Schema::logical_of(Logical::Timestamp),
            Shape::Long => Schema::new(Kind::Int64),
            Shape::String => Schema::new(Kind::String),
            Shape::Array(item) => self.array(*item)?,
            Shape::Map(value) => {
                let value = Arc::new(self.convert(*value, Context::default())?);
                Schema::new(Kind::Map { key: Arc::new(Schema::new(Kind::String)), value })
            }
            Shape::Record(fields) => self.record(id, kind, fields)?,
            Shape::Enum { symbols, default } => self.enumeration(kind, symbols, default.as_deref()),
            Shape::Union(branches) => {
                let (branch, optional) = match (branches.as_slice(), avro.nullable(branches)) {
                    ([only], _) if self.mapping.flatten_singletons => (*only, false),
                    (_, Some((branch, _))) => (branch, true),
                    _ => {
                        let schema = union(self, branches)?;
                        return self.finish(kind, schema, context);
                    }
                };
                return self.convert(branch, Context { optional, doc: context.doc, ..Context::default() });
            }
            Shape::Null => return Err(data("Standalone null schemas are not supported by this converter")),
        };
        schema.optional = false;
        let schema = self.finish(kind, schema, context)?;
        self.cycles.leave(id, &schema);
        Ok(schema)
    }

    fn array(&mut self, item: TypeId) -> Converted<Schema> {
        if !is_map_entry(self.avro.get(item)) {
            return Ok(Schema::new(Kind::Array(Arc::new(self.convert(item, Context::default())?))));
        }
        let Some((key, value)) = entry_fields(self.avro, item) else {
            return Err(data(
                "Found map encoded as array of key-value pairs, but array elements do not match the expected \
                 format.",
            ));
        };
        // The entries are no record of the outcome, which places could refer to: Java's stack overflows.
        if self.entries.contains(&item) {
            let name = self.avro.get(item).full_name();
            return Err(data(format!(
                "The Avro type {name} contains itself, but as an entry of a map it is no type of Connect. \
                 Read the topic as bytes, or write it with a record around the map."
            )));
        }
        self.entries.push(item);
        let key = Arc::new(self.convert(key, Context::default())?);
        let value = Arc::new(self.convert(value, Context::default())?);
        self.entries.pop();
        Ok(Schema::new(Kind::Map { key, value }))
    }

    fn record(&mut self, id: TypeId, kind: &Type, fields: &[RecordField]) -> Converted<Schema> {
        self.cycles.enter(id);
        let keeps_docs = self.mapping.meta_data && !self.mapping.discard_docs;
        let mut schema = Schema::new(Kind::Struct(Vec::new()));
        if let Some(doc) = kind.doc.as_ref().filter(|_| keeps_docs) {
            schema.parameters.insert(RECORD_DOC.to_owned(), doc.clone());
        }
        let mut members = Vec::with_capacity(fields.len());
        for field in fields {
            if let Some(doc) = field.doc.as_ref().filter(|_| keeps_docs) {
                schema.parameters.insert(format!("{FIELD_DOC}{}", field.name), doc.clone());
            }
            let default = field_default(self.avro, field);
            let context =
                Context { default: default.as_ref(), doc: field.doc.as_deref(), ..Context::default() };
            let mut member = self.convert(field.kind, context)?;
            if self.mapping.meta_data
                && let Some(Json::Object(params)) = field.props.get(CONNECT_PARAMETERS)
            {
                member.parameters.extend(params.iter().map(|(key, value)| (key.clone(), plain_text(value))));
            }
            members.push(Field { name: field.name.as_str().into(), schema: Arc::new(member) });
        }
        schema.kind = Kind::Struct(members);
        Ok(schema)
    }

    fn enumeration(&self, kind: &Type, symbols: &[String], default: Option<&str>) -> Schema {
        let mut schema = Schema::new(Kind::String);
        let simple = kind.name.as_ref().map(|name| name.simple.as_str()).unwrap_or_default();
        let discard = self.mapping.discard_docs;
        if let Some(doc) = kind.doc.as_ref().filter(|_| self.mapping.meta_data) {
            let param = if discard { CONNECT_ENUM_DOC.to_owned() } else { format!("{ENUM_DOC}{simple}") };
            schema.parameters.insert(param, doc.clone());
        }
        if let Some(default) = default.filter(|_| self.mapping.meta_data && !discard) {
            schema.parameters.insert(format!("{ENUM_DEFAULT}{simple}"), default.to_owned());
        }
        let param = self.mapping.enum_param();
        schema.parameters.insert(param.to_owned(), kind.full_name());
        for (at, symbol) in symbols.iter().enumerate() {
            let value = if self.mapping.generalized_sums { at.to_string() } else { symbol.clone() };
            schema.parameters.insert(format!("{param}.{symbol}"), value);
        }
        schema
    }

    /// The attributes that every type can have.
    fn finish(&self, kind: &Type, mut schema: Schema, context: Context<'_>) -> Converted<Schema> {
        let (meta_data, discard) = (self.mapping.meta_data, self.mapping.discard_docs);
        if discard {
            let doc = context.doc.or(kind.doc.as_deref()).or_else(|| kind.text_prop(CONNECT_DOC));
            schema.doc = doc.map(Into::into);
            if let Some(doc) = kind.doc.as_ref().filter(|_| meta_data) {
                schema.parameters.insert(CONNECT_RECORD_DOC.to_owned(), doc.clone());
            }
        } else if meta_data {
            schema.doc = kind.text_prop(CONNECT_DOC).map(Into::into);
        }
        set_version(kind, &mut schema, context.version)?;
        if let Some(params) = kind.props.get(CONNECT_PARAMETERS).filter(|_| meta_data) {
            let Json::Object(params) = params else {
                return Err(data("Expected JSON object for schema parameters but found another type"));
            };
            for (key, value) in params {
                let Json::String(value) = value else {
                    return Err(data(format!("Expected schema parameter values to be strings: {key}")));
                };
                schema.parameters.insert(key.clone(), value.clone());
            }
        }
        for (key, value) in kind.props.iter().filter(|(key, _)| key.starts_with(AVRO_PROP)) {
            schema.parameters.insert(key.clone(), plain_text(value));
        }
        let annotated = kind.props.get(CONNECT_DEFAULT).cloned().map(Default::Annotation);
        if context.default.is_some() && !discard && meta_data && annotated.is_none() {
            schema.parameters.insert(FIELD_DEFAULT.to_owned(), "true".to_owned());
        }
        if let Some(default) = context.default.or(annotated.as_ref()) {
            schema.default = default_value(self.avro, kind, &schema, default, self.mapping);
        }
        set_name(kind, &mut schema)?;
        schema.optional |= context.optional;
        Ok(schema)
    }
}

/// The STRUCT of a union that is more than "or null".
fn union(to: &mut ToConnect<'_>, branches: &[TypeId]) -> Converted<Schema> {
    let mut schema = Schema::new(Kind::Struct(Vec::new()));
    if to.mapping.generalized_sums {
        let name = format!("{GENERALIZED_NAME}{}", to.unions);
        *to.unions += 1;
        schema.parameters.insert(GENERALIZED_UNION.to_owned(), name.clone());
        schema.name = Some(name.into());
    } else {
        schema.name = Some(AVRO_UNION.into());
    }
    let mut fields: Vec<Field> = Vec::new();
    for (at, branch) in branches.iter().enumerate() {
        let kind = to.avro.get(*branch);
        if matches!(kind.shape, Shape::Null) {
            schema.optional = true;
            continue;
        }
        let name = branch_name(kind, at, to.mapping);
        if fields.iter().any(|field| *field.name == *name) {
            return Err(data("Multiple union schemas map to the Connect union field name"));
        }
        let member = to.convert(*branch, Context { optional: true, ..Context::default() })?;
        fields.push(Field { name: name.into(), schema: Arc::new(member) });
    }
    schema.kind = Kind::Struct(fields);
    Ok(schema)
}

/// The field that stands for the branch `kind` at `index` of a union.
pub(in super::super) fn branch_name(kind: &Type, index: usize, mapping: Mapping) -> String {
    if mapping.generalized_sums {
        return format!("{GENERALIZED_FIELD}{index}");
    }
    match &kind.name {
        Some(name) if mapping.enhanced => name.full(),
        Some(name) => split(&name.simple, mapping.scrub).1,
        None => kind.word().to_owned(),
    }
}

/// Whether an array of `item` is a map.
pub(in super::super) fn is_map_entry(item: &Type) -> bool {
    let Some(name) = item.name.as_ref().filter(|_| matches!(item.shape, Shape::Record(_))) else {
        return false;
    };
    (name.namespace == NAMESPACE && name.simple == MAP_ENTRY)
        || item.text_prop(INTERNAL_TYPE) == Some(MAP_ENTRY)
}

/// The types of the fields `key` and `value`, the only ones.
fn entry_fields(avro: &AvroSchema, item: TypeId) -> Option<(TypeId, TypeId)> {
    let Shape::Record(fields) = &avro.get(item).shape else { return None };
    let find = |name: &str| fields.iter().find(|field| field.name == name).map(|field| field.kind);
    (fields.len() == 2).then_some(())?;
    Some((find("key")?, find("value")?))
}

fn has_logical(kind: &Type, name: &str) -> bool {
    kind.text_prop(LOGICAL_TYPE).is_some_and(|found| found.eq_ignore_ascii_case(name))
}

fn bytes(kind: &Type) -> Converted<Schema> {
    if !has_logical(kind, "decimal") {
        return Ok(Schema::new(Kind::Bytes));
    }
    let scale = kind.props.get("scale").and_then(Json::as_i64).unwrap_or(0);
    let scale = i32::try_from(scale).map_err(|_| data("The scale of a decimal is out of range"))?;
    let mut schema = Schema::logical_of(Logical::Decimal { scale });
    match kind.props.get("precision") {
        None => {}
        Some(Json::Number(precision)) => {
            let precision = precision.as_i64().unwrap_or(PRECISION_DEFAULT);
            if precision != PRECISION_DEFAULT {
                schema.parameters.insert(DECIMAL_PRECISION.to_owned(), precision.to_string());
            }
        }
        Some(_) => {
            return Err(data(
                "precision property must be a JSON Integer. \
                 https://avro.apache.org/docs/1.9.1/spec.html#Decimal",
            ));
        }
    }
    Ok(schema)
}

fn int(kind: &Type) -> Converted<Schema> {
    if kind.text_prop(LOGICAL_TYPE).is_some() {
        return Ok(if has_logical(kind, "date") {
            Schema::logical_of(Logical::Date)
        } else if has_logical(kind, "time-millis") {
            Schema::logical_of(Logical::Time)
        } else {
            Schema::new(Kind::Int32)
        });
    }
    match kind.text_prop(CONNECT_TYPE) {
        None => Ok(Schema::new(Kind::Int32)),
        Some("int8") => Ok(Schema::new(Kind::Int8)),
        Some("int16") => Ok(Schema::new(Kind::Int16)),
        Some(_) => Err(data("Connect type annotation for Avro int field is null")),
    }
}

fn set_version(kind: &Type, schema: &mut Schema, registered: Option<i32>) -> Result<(), Box<Fault>> {
    let version = match kind.props.get(CONNECT_VERSION) {
        None => registered,
        Some(version) => {
            let number = version.as_i64().or_else(|| version.as_f64().map(|number| number as i64));
            let number = number.filter(|_| version.is_number());
            Some(
                number
                    .map(|number| number as i32)
                    .ok_or_else(|| data(format!("Invalid Connect version found: {}", plain_text(version))))?,
            )
        }
    };
    let Some(version) = version.filter(|version| *version >= 0) else { return Ok(()) };
    match schema.version {
        Some(set) if set != version => Err(data(format!(
            "Mismatched versions: version already added to SchemaBuilder ({set}) differs from version in \
             source \
             schema ({version})"
        ))),
        _ => {
            schema.version = Some(version);
            Ok(())
        }
    }
}

fn set_name(kind: &Type, schema: &mut Schema) -> Result<(), Box<Fault>> {
    let name = match kind.props.get(CONNECT_NAME) {
        Some(Json::String(name)) => Some(name.clone()),
        Some(other) => return Err(data(format!("Invalid schema name: {}", plain_text(other)))),
        // A fixed that is a decimal keeps the name of decimals.
        None if schema.name.as_deref() == Some(DECIMAL_NAME) => None,
        None => kind.name.as_ref().map(|_| kind.full_name()),
    };
    let Some(name) = name.filter(|name| !name.starts_with(DEFAULT_FULL_NAME)) else { return Ok(()) };
    match &schema.name {
        Some(set) if **set != *name => Err(data(format!(
            "Mismatched names: name already added to SchemaBuilder ({set}) differs from name in source \
             schema \
             ({name})"
        ))),
        _ => {
            schema.name = Some(name.into());
            Ok(())
        }
    }
}

/// A text as it is, anything else as JSON.
fn plain_text(json: &Json) -> String {
    json.as_str().map_or_else(|| json.to_string(), str::to_owned)
}

/// Types that refer to others twice each stand for exponentially many columns.
pub(in super::super) const NODES_MAX: usize = 50_000;

/// Levels of types; named types may refer to each other much further than the text is nested.
const DEPTH_MAX: usize = 128;
