//! Connect schemas as Avro schemas.
//!
//! Source: `AvroData#fromConnectSchema`.

use std::collections::HashSet;
use std::sync::Arc;

use lakeward_api::recursion::Recursive;
use lakeward_api::schema::{Kind, Logical, Schema};
use serde_json::{Map, Value as Json};

use super::super::fault::{Converted, Fault, bare, data};
use super::super::schema::{AvroSchema, FullName, Shape, Type, TypeId};
use super::default_out::default_json;
use super::*;

/// The Avro schema that values of `schema` are written with.
///
/// # Errors
/// Avro's own exceptions for names it does not allow and unions with two branches of one type.
pub(in super::super) fn from_connect(schema: &Schema, mapping: Mapping) -> Converted<AvroSchema> {
    let referred = referred(schema);
    let mut from = FromConnect {
        referred: &referred,
        records: Vec::new(),
        opened: Vec::new(),
        avro: AvroSchema::default(),
        mapping,
        known: Vec::new(),
        seen: HashSet::new(),
        unnamed: 0,
    };
    from.avro.root = from.convert(schema, false)?;
    Ok(from.avro)
}

pub(super) struct FromConnect<'a> {
    pub(super) avro: AvroSchema,
    pub(super) mapping: Mapping,
    /// Required schemas that have a type: a named type must be defined once only.
    known: Vec<(&'a Schema, TypeId)>,
    /// What places of recursion stand for.
    referred: &'a [(Recursive, Arc<Schema>)],
    /// Records by the names of their schemas, also those that are still without fields: what places of
    /// recursion mean, as in Java.
    pub(super) records: Vec<(&'a str, TypeId)>,
    /// Places around without a name, which are written out.
    opened: Vec<Recursive>,
    /// Names of field schemas so far.
    pub(super) seen: HashSet<String>,
    unnamed: usize,
}

impl<'a> FromConnect<'a> {
    /// The type of `schema`; with `required` null is left to a union around it.
    pub(super) fn convert(&mut self, schema: &'a Schema, required: bool) -> Converted<TypeId> {
        if let Kind::Recursive(recursive) = schema.kind {
            let record = self.place(schema, recursive)?;
            if !schema.optional || required {
                return Ok(record);
            }
            let null = self.avro.add(Type::new(Shape::Null));
            return self.union(vec![null, record]);
        }
        if let Kind::Struct(fields) = &schema.kind {
            if is_union(schema) {
                let mut branches = Vec::with_capacity(fields.len() + 1);
                if schema.optional {
                    branches.push(self.avro.add(Type::new(Shape::Null)));
                }
                for field in fields {
                    branches.push(self.convert(&field.schema, true)?);
                }
                return self.union(branches);
            }
            let record = match self.begun(schema).filter(|_| !self.opened.is_empty()) {
                Some(begun) => begun,
                None => self.named(schema, |from| from.record(schema))?,
            };
            return if schema.optional && !required {
                let null = self.avro.add(Type::new(Shape::Null));
                self.union(vec![null, record])
            } else {
                Ok(record)
            };
        }
        let id = self.named(schema, |from| {
            let mut kind = from.base(schema)?;
            from.annotate(schema, &mut kind);
            Ok(from.avro.add(kind))
        })?;
        if !schema.optional || required {
            return Ok(id);
        }
        let null = self.avro.add(Type::new(Shape::Null));
        // A default must be of the first branch.
        self.union(if schema.default.is_some() { vec![id, null] } else { vec![null, id] })
    }

    /// The record that a place of recursion means.
    fn place(&mut self, schema: &'a Schema, recursive: Recursive) -> Converted<TypeId> {
        if let Some(begun) = self.begun(schema) {
            return Ok(begun);
        }
        let name = schema.name.as_deref();
        // Java writes a STRUCT without a name out again, down to the next one with a name.
        if name.is_none() && self.opened.contains(&recursive) {
            return Err(data("A schema without a name contains itself, which Avro cannot"));
        }
        let Some((_, schema)) = self.referred.iter().find(|(known, _)| *known == recursive) else {
            return Err(data(format!("The schema {} is not known", name.unwrap_or_default())));
        };
        self.opened.extend(name.is_none().then_some(recursive));
        let record = self.named(schema, |from| from.record(schema));
        self.opened.truncate(self.opened.len() - usize::from(name.is_none()));
        record
    }

    /// The record of the name of `schema`, which may still be without fields.
    fn begun(&self, schema: &Schema) -> Option<TypeId> {
        let name = schema.name.as_deref()?;
        self.records.iter().find(|(known, _)| *known == name).map(|(_, id)| *id)
    }

    /// The type that an equal schema already has, or the one that `make` makes.
    fn named(
        &mut self,
        schema: &'a Schema,
        make: impl FnOnce(&mut Self) -> Converted<TypeId>,
    ) -> Converted<TypeId> {
        if is_plain(schema) {
            return make(self);
        }
        // An optional struct is null or its required twin.
        let equal = |known: &Schema| match &schema.kind {
            Kind::Struct(_) => equal_but_optional(known, schema),
            _ => !schema.optional && known == schema,
        };
        if let Some((_, id)) = self.known.iter().find(|(known, _)| equal(known)) {
            return Ok(*id);
        }
        let id = make(self)?;
        if !schema.optional || matches!(schema.kind, Kind::Struct(_)) {
            self.known.push((schema, id));
        }
        Ok(id)
    }

    fn union(&mut self, branches: Vec<TypeId>) -> Converted<TypeId> {
        let mut keys = HashSet::new();
        for branch in &branches {
            let key = self.avro.get(*branch).branch_key();
            if !keys.insert(key.clone()) {
                return Err(bare(
                    "org.apache.avro.AvroRuntimeException",
                    format!("Duplicate in union:{key}"),
                ));
            }
        }
        Ok(self.avro.add(Type::new(Shape::Union(branches))))
    }

    fn base(&mut self, schema: &'a Schema) -> Converted<Type> {
        Ok(match &schema.kind {
            Kind::Boolean => Type::new(Shape::Boolean),
            Kind::Bytes => self.bytes(schema)?,
            Kind::Float32 => Type::new(Shape::Float),
            Kind::Float64 => Type::new(Shape::Double),
            Kind::Int8 | Kind::Int16 | Kind::Int32 => Type::new(Shape::Int),
            Kind::Int64 => Type::new(Shape::Long),
            Kind::String => self.string(schema)?,
            Kind::Array(item) => Type::new(Shape::Array(self.convert(item, false)?)),
            Kind::Map { key, value } if self.mapping.is_avro_map(key) => {
                Type::new(Shape::Map(self.convert(value, false)?))
            }
            Kind::Map { key, value } => Type::new(Shape::Array(self.entries(schema, key, value)?)),
            Kind::Recursive(_) | Kind::Struct(_) => unreachable!("the caller handles them"),
        })
    }

    fn string(&mut self, schema: &Schema) -> Converted<Type> {
        if !(self.mapping.generalized_sums || self.mapping.enhanced) || !is_enum(schema) {
            return Ok(Type::new(Shape::String));
        }
        let param = self.mapping.enum_param();
        let prefix = format!("{param}.");
        let names = schema.parameters.iter().filter_map(|(key, _)| key.strip_prefix(&prefix));
        let symbols: Vec<String> = names.map(str::to_owned).collect();
        let Some(name) = schema.parameters.get(param) else {
            return Err(bare("org.apache.avro.SchemaParseException", "No name for the enum".to_owned()));
        };
        let simple = self.name_or_default(schema.name.as_deref()).simple;
        let (doc, default) = if self.mapping.discard_docs {
            (schema.parameters.get(CONNECT_ENUM_DOC), None)
        } else {
            let param = |prefix: &str| schema.parameters.get(&format!("{prefix}{simple}"));
            (param(ENUM_DOC), param(ENUM_DEFAULT))
        };
        let mut kind = Type::new(Shape::Enum { symbols, default: default.cloned() });
        kind.doc = doc.cloned();
        kind.name = Some(checked(FullName::new(name, None, ""))?);
        Ok(kind)
    }

    fn bytes(&mut self, schema: &Schema) -> Converted<Type> {
        let mut kind = Type::new(Shape::Bytes);
        if let Some(size) = fixed_size(schema) {
            let size = size.parse::<i32>().ok().and_then(|size| usize::try_from(size).ok());
            let size = size.ok_or_else(|| no_number(FIXED_SIZE))?;
            kind.shape = Shape::Fixed(size);
            kind.name = Some(checked(self.name_or_default(schema.name.as_deref()))?);
        }
        if let Some(Logical::Decimal { scale }) = schema.logical() {
            let precision = schema.parameters.get(DECIMAL_PRECISION).map(|text| text.parse::<i32>());
            let precision = precision.unwrap_or(Ok(PRECISION_DEFAULT as i32));
            let precision = precision.map_err(|_| no_number(DECIMAL_PRECISION))?;
            if (precision, scale) == (0, 0) {
                return Err(bare(
                    "java.lang.IllegalArgumentException",
                    "Invalid decimal precision: 0 (must be positive)".to_owned(),
                ));
            }
            kind.props.insert("scale".to_owned(), scale.into());
            kind.props.insert("precision".to_owned(), precision.into());
        }
        Ok(kind)
    }

    /// Attributes that keep what Avro has no place for.
    pub(super) fn annotate(&self, schema: &Schema, kind: &mut Type) {
        let mut put = |key: &str, value: Json| {
            kind.props.insert(key.to_owned(), value);
        };
        if self.mapping.meta_data {
            if let Some(doc) = &schema.doc {
                put(CONNECT_DOC, doc.to_string().into());
            }
            if let Some(version) = schema.version {
                put(CONNECT_VERSION, version.into());
            }
            if let Some(params) = self.parameters(schema) {
                put(CONNECT_PARAMETERS, params);
            }
            let of_field = !self.mapping.discard_docs && schema.parameters.contains_key(FIELD_DEFAULT);
            if let Some(default) = schema.default.as_ref().filter(|_| !of_field)
                && let Some(default) = default_json(schema, default, self.mapping)
            {
                put(CONNECT_DEFAULT, default);
            }
            if let Some(name) = &schema.name {
                put(CONNECT_NAME, name.to_string().into());
            }
            match schema.kind {
                Kind::Int8 => put(CONNECT_TYPE, "int8".into()),
                Kind::Int16 => put(CONNECT_TYPE, "int16".into()),
                _ => {}
            }
        }
        let logical = schema.logical().map(|logical| match logical {
            Logical::Date => "date",
            Logical::Decimal { .. } => "decimal",
            Logical::Time => "time-millis",
            Logical::Timestamp => "timestamp-millis",
        });
        if let Some(logical) = logical {
            put(LOGICAL_TYPE, logical.into());
        }
        for (key, value) in schema.parameters.iter().filter(|(key, _)| key.starts_with(AVRO_PROP)) {
            put(key, value.clone().into());
        }
    }

    /// `connect.parameters`, `None` when there are none.
    pub(super) fn parameters(&self, schema: &Schema) -> Option<Json> {
        let keep = |key: &&String| self.mapping.discard_docs || key.as_str() != FIELD_DEFAULT;
        let kept = schema.parameters.iter().filter(|(key, _)| keep(key));
        let kept: Map<String, Json> = kept.map(|(key, value)| (key.clone(), value.clone().into())).collect();
        (!kept.is_empty()).then_some(Json::Object(kept))
    }

    /// The name of a type, numbered when the schema has none.
    pub(super) fn name_or_default(&mut self, name: Option<&str>) -> FullName {
        if let Some(name) = name {
            let (namespace, simple) = split(name, self.mapping.scrub);
            return FullName { namespace: namespace.unwrap_or_default(), simple };
        }
        self.unnamed += 1;
        let number = if self.unnamed > 1 { self.unnamed.to_string() } else { String::new() };
        FullName { namespace: NAMESPACE.to_owned(), simple: format!("{DEFAULT_NAME}{number}") }
    }
}

/// What the places of recursion within `schema` stand for, also those within that.
fn referred(schema: &Schema) -> Vec<(Recursive, Arc<Schema>)> {
    fn collect(schema: &Schema, found: &mut Vec<(Recursive, Arc<Schema>)>) {
        match &schema.kind {
            Kind::Array(item) => collect(item, found),
            Kind::Map { key, value } => {
                collect(key, found);
                collect(value, found);
            }
            Kind::Recursive(recursive) if !found.iter().any(|(known, _)| known == recursive) => {
                found.push((*recursive, recursive.resolve()));
            }
            Kind::Struct(fields) => fields.iter().for_each(|field| collect(&field.schema, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    collect(schema, &mut found);
    let mut at = 0;
    while let Some((_, schema)) = found.get(at) {
        let schema = Arc::clone(schema);
        collect(&schema, &mut found);
        at += 1;
    }
    found
}

/// Whether the type of `schema` holds no named type, so that it may appear any number of times.
fn is_plain(schema: &Schema) -> bool {
    match &schema.kind {
        Kind::Array(_) | Kind::Map { .. } | Kind::Struct(_) => false,
        Kind::String | Kind::Bytes => schema.parameters.is_empty(),
        _ => true,
    }
}

fn equal_but_optional(left: &Schema, right: &Schema) -> bool {
    left.kind == right.kind
        && left.default == right.default
        && left.name == right.name
        && left.version == right.version
        && left.doc == right.doc
        && left.parameters == right.parameters
}

/// A parameter that must be a number.
#[cold]
fn no_number(name: &str) -> Box<Fault> {
    bare("java.lang.NumberFormatException", format!("{name} is no number"))
}

/// A name that Avro allows.
pub(super) fn checked(name: FullName) -> Converted<FullName> {
    check_name(&name.simple)?;
    Ok(name)
}

/// Source: `org.apache.avro.Schema#validateName`.
pub(super) fn check_name(name: &str) -> Converted<()> {
    let mut letters = name.chars();
    let problem = match letters.next() {
        None => Some("Empty name".to_owned()),
        Some(first) if !(first.is_alphabetic() || first == '_') => {
            Some(format!("Illegal initial character: {name}"))
        }
        Some(_) if !letters.all(|letter| letter.is_alphanumeric() || letter == '_') => {
            Some(format!("Illegal character in: {name}"))
        }
        Some(_) => None,
    };
    problem.map_or(Ok(()), |problem| Err(bare("org.apache.avro.SchemaParseException", problem)))
}
