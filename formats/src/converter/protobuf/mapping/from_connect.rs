//! The Protobuf message of a Connect schema: its text for the registry and how its values are written.
//!
//! Source: `ProtobufData#fromConnectSchema` and `#fromConnectData`.

use std::collections::HashSet;

use lakeward_api::schema::{Kind as Connect, Logical, Schema};

use super::super::descriptor::Kind;
use super::super::fault::{Converted, Fault, argument, data};
use super::design::{Design, FieldDesign, Form, MessageDesign, Presence};
use super::names::{map_entry_name, scrub};
use super::print::{EnumText, FieldText, MessageText, file};
use super::{
    CONNECT_PRECISION, CONNECT_TYPE, DATE, DECIMAL, ENUM, GENERALIZED_ENUM, GENERALIZED_UNION, Mapping,
    PRECISION, SCALE, TAG, TIME, TIMESTAMP, TYPE, UNION, WRAPPER, is_union, kind_name,
};

/// The message of `schema`.
///
/// # Errors
/// The exceptions of `ProtobufData` for schemas that have no message.
pub(in super::super) fn from_connect(schema: &Schema, mapping: Mapping) -> Converted<Design> {
    let mut walk = Walk { mapping, names: 0, imports: Vec::new(), needs_wrappers: false, depth: 0 };
    let full_name = walk.name_of(schema);
    if !matches!(schema.kind, Connect::Struct(_)) {
        return raw(schema);
    }
    let parts: Vec<String> =
        full_name.trim_end_matches('.').split('.').map(|part| scrub(part, mapping.scrub)).collect();
    let full_name = parts.join(".");
    let (name, package) =
        parts.split_last().map_or(("", &[][..]), |(name, package)| (name.as_str(), package));
    let package = (!package.is_empty()).then(|| package.join("."));
    let (text, message) = walk.message(name, schema)?;
    if walk.needs_wrappers {
        walk.import(WRAPPERS_FILE);
    }
    let text = file(package.as_deref(), &walk.imports, &text);
    Ok(Design { text, full_name, root: Form::Message(message) })
}

/// A value that is no STRUCT, in one of Google's wrapper messages.
fn raw(schema: &Schema) -> Converted<Design> {
    let (kind, name) = match &schema.kind {
        Connect::Int8 | Connect::Int16 | Connect::Int32 => (Kind::Int32, "Int32Value"),
        Connect::Int64 => (Kind::Int64, "Int64Value"),
        Connect::Float32 => (Kind::Float, "FloatValue"),
        Connect::Float64 => (Kind::Double, "DoubleValue"),
        Connect::Boolean => (Kind::Bool, "BoolValue"),
        Connect::String => (Kind::String { strict: true }, "StringValue"),
        Connect::Bytes => (Kind::Bytes, "BytesValue"),
        other => return Err(argument(format!("Unsupported root schema of type {}", kind_name(other)))),
    };
    // The message of a logical type is not in that file; Java writes it all the same.
    let root = schema.logical().map_or(Form::Wrapper(kind), Form::Logical);
    Ok(Design { text: WRAPPERS.to_owned(), full_name: format!("google.protobuf.{name}"), root })
}

struct Walk {
    mapping: Mapping,
    /// Schemas without a name so far.
    names: u32,
    imports: Vec<&'static str>,
    /// The file of wrapper messages comes last among the imports, unless it is there already.
    needs_wrappers: bool,
    depth: usize,
}

/// A message under construction.
#[derive(Default)]
struct Draft {
    text: MessageText,
    fields: Vec<FieldDesign>,
    /// Messages of this one that fields refer to by name.
    known: HashSet<String>,
    next_number: u32,
    /// The type that the message is made of, unless it is the entry of a map.
    of: Option<Connect>,
    has_cycle: bool,
}

impl Walk {
    fn name_of(&mut self, schema: &Schema) -> String {
        match schema.name.as_deref() {
            Some(name) if !name.is_empty() => name.to_owned(),
            _ => {
                self.names += 1;
                format!("ConnectDefault{}", self.names)
            }
        }
    }

    fn simple_name_of(&mut self, schema: &Schema) -> String {
        let full = self.name_of(schema);
        scrub(full.rsplit('.').next().unwrap_or(&full), self.mapping.scrub)
    }

    /// Recursion is bounded by [`DEPTH_MAX`].
    fn message(&mut self, name: &str, schema: &Schema) -> Converted<(MessageText, MessageDesign)> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(data(format!("The schema is nested more than {DEPTH_MAX} levels deep")));
        }
        check_name(name)?;
        let mut draft = Draft { next_number: 1, of: Some(schema.kind.clone()), ..Draft::default() };
        name.clone_into(&mut draft.text.name);
        for (column, member) in schema.fields().iter().enumerate() {
            let number = number_of(&member.schema)?.unwrap_or_else(|| {
                draft.next_number += 1;
                draft.next_number - 1
            });
            if is_union(&member.schema) {
                self.union(&mut draft, column, &member.schema)?;
                continue;
            }
            let name = scrub(&member.name, self.mapping.scrub);
            let place = Place { number, column, member: None };
            let text = self.field(&mut draft, &name, &member.schema, place)?;
            draft.text.fields.push(text);
        }
        check(&draft)?;
        draft.fields.sort_by_key(|field| field.number);
        self.depth -= 1;
        Ok((draft.text, MessageDesign { fields: draft.fields, has_cycle: draft.has_cycle }))
    }

    fn union(&mut self, draft: &mut Draft, column: usize, schema: &Schema) -> Converted<()> {
        let name = if self.mapping.generalized_sums {
            schema.parameters.get(GENERALIZED_UNION).cloned().unwrap_or_default()
        } else {
            let full = schema.name.as_deref().unwrap_or_default();
            let full = full.get(UNION.len() + 1..).unwrap_or_default();
            scrub(full.rsplit('.').next().unwrap_or(full), self.mapping.scrub)
        };
        let mut fields = Vec::new();
        for (at, member) in schema.fields().iter().enumerate() {
            let number = number_of(&member.schema)?.unwrap_or(0);
            let place = Place { number, column, member: Some(at) };
            let name = scrub(&member.name, self.mapping.scrub);
            fields.push(self.field(draft, &name, &member.schema, place)?);
        }
        draft.text.oneofs.push((name, fields));
        Ok(())
    }

    fn field(
        &mut self,
        draft: &mut Draft,
        name: &str,
        schema: &Schema,
        place: Place,
    ) -> Converted<FieldText> {
        let is_list = matches!(schema.kind, Connect::Array(_));
        let is_repeated = is_list || matches!(schema.kind, Connect::Map { .. });
        let is_marked = !is_repeated && self.mapping.optionals && schema.optional;
        let inner = match &schema.kind {
            Connect::Array(item) => item,
            _ => schema,
        };
        if is_list && matches!(inner.kind, Connect::Map { .. }) {
            return Err(argument(format!(
                "The field {name} is an array of maps, which Protobuf cannot hold"
            )));
        }
        let mut params = Vec::new();
        let (kind, form) = self.form(draft, name, inner, place.member.is_some(), &mut params)?;
        let is_explicit = place.member.is_some() || (is_marked && place.column != ENTRY);
        let default =
            schema.default.clone().filter(|_| !self.mapping.ignore_defaults && place.column != ENTRY);
        draft.fields.push(FieldDesign {
            number: place.number,
            column: place.column,
            member: place.member,
            is_list,
            presence: if is_explicit { Presence::Explicit } else { Presence::Implicit },
            form,
            default: default.map(|value| (schema.clone(), value)),
        });
        let label = match (is_repeated, is_marked && place.member.is_none() && place.column != ENTRY) {
            (true, _) => Some("repeated"),
            (false, true) => Some("optional"),
            (false, false) => None,
        };
        Ok(FieldText { label, kind, name: name.to_owned(), number: place.number, params })
    }

    fn form(
        &mut self,
        draft: &mut Draft,
        name: &str,
        schema: &Schema,
        in_oneof: bool,
        params: &mut Vec<(String, String)>,
    ) -> Converted<(String, Form)> {
        if let Some(found) = self.logical(schema, params) {
            return Ok(found);
        }
        match &schema.kind {
            Connect::Array(_) => Err(argument("Array cannot be nested")),
            Connect::Map { key, value } => {
                let entry = map_entry_name(&self.simple_name_of(schema));
                check_name(&entry)?;
                let mut inner = Draft::default();
                entry.clone_into(&mut inner.text.name);
                for (name, number, schema) in [("key", 1, key), ("value", 2, value)] {
                    let place = Place { number, column: ENTRY, member: None };
                    let text = self.field(&mut inner, name, schema, place)?;
                    inner.text.fields.push(text);
                }
                check(&inner)?;
                draft.has_cycle |= inner.has_cycle;
                draft.text.messages.push(inner.text);
                let (Some(value), Some(key)) = (inner.fields.pop(), inner.fields.pop()) else {
                    return Err(data("A map has no key"));
                };
                Ok((entry, Form::Map { key: Box::new(key), value: Box::new(value) }))
            }
            Connect::Struct(_) => self.structure(draft, name, schema, schema),
            Connect::Recursive(recursive) => self.structure(draft, name, schema, &recursive.resolve()),
            _ => self.scalar(draft, schema, in_oneof, params),
        }
    }

    /// The message of `schema`, which is that of `place` or what it stands for.
    fn structure(
        &mut self,
        draft: &mut Draft,
        name: &str,
        place: &Schema,
        schema: &Schema,
    ) -> Converted<(String, Form)> {
        let mut kind = self.simple_name_of(schema);
        if kind == name {
            kind.push_str("Message");
        }
        if let Connect::Recursive(recursive) = place.kind {
            let is_own = kind == draft.text.name;
            if is_own && draft.of.as_ref() == Some(&schema.kind) {
                draft.has_cycle = true;
                return Ok((kind, Form::Recursive(recursive)));
            }
            // A message beside a field of its name has a name of its own, inside of which the cycle closes.
            if !is_own && kind.strip_suffix("Message").is_none_or(|stem| stem != name) {
                return Err(data(format!(
                    "The schema {kind} contains itself through another message or a map, and no Protobuf \
                     schema can be made of that"
                )));
            }
        }
        let is_known = kind == draft.text.name || draft.known.contains(&kind);
        let names = self.names;
        let (text, design) = self.message(&kind, schema)?;
        draft.has_cycle |= design.has_cycle;
        if is_known {
            self.names = names;
        } else {
            draft.known.insert(kind.clone());
            draft.text.messages.push(text);
        }
        Ok((kind, Form::Message(design)))
    }

    /// A logical type, with the import of its message.
    fn logical(&mut self, schema: &Schema, params: &mut Vec<(String, String)>) -> Option<(String, Form)> {
        let logical = schema.logical()?;
        let (kind, import) = match logical {
            Logical::Date => (DATE, "google/type/date.proto"),
            Logical::Time => (TIME, "google/type/timeofday.proto"),
            Logical::Timestamp => (TIMESTAMP, "google/protobuf/timestamp.proto"),
            Logical::Decimal { .. } => {
                for (from, to) in [(CONNECT_PRECISION, PRECISION), (SCALE, SCALE)] {
                    params.extend(schema.parameters.get(from).map(|value| (to.to_owned(), value.clone())));
                }
                (DECIMAL, "confluent/type/decimal.proto")
            }
        };
        self.import(import);
        Some((kind.to_owned(), Form::Logical(logical)))
    }

    fn import(&mut self, import: &'static str) {
        if !self.imports.contains(&import) {
            self.imports.push(import);
        }
    }

    fn scalar(
        &mut self,
        draft: &mut Draft,
        schema: &Schema,
        in_oneof: bool,
        params: &mut Vec<(String, String)>,
    ) -> Converted<(String, Form)> {
        let declared = schema.parameters.get(TYPE).map(String::as_str);
        let is_text = matches!(schema.kind, Connect::String);
        let generalized = schema.parameters.get(GENERALIZED_ENUM).filter(|_| is_text);
        let is_whole = matches!(schema.kind, Connect::Int32) || is_text;
        if let Some(kind) = generalized.or(schema.parameters.get(ENUM).filter(|_| is_whole)) {
            return self.enumeration(draft, schema, kind);
        }
        let is_beside_enum =
            schema.parameters.contains_key(ENUM) || schema.parameters.contains_key(GENERALIZED_ENUM);
        if is_beside_enum {
            // Java defines the enum beside a field that does not refer to it.
            self.enumeration(draft, schema, "")?;
        }
        let (kind, wrapper) = match &schema.kind {
            Connect::Int8 | Connect::Int16 => {
                let word = if matches!(schema.kind, Connect::Int8) { "int8" } else { "int16" };
                params.push((CONNECT_TYPE.to_owned(), word.to_owned()));
                ("int32", "Int32Value")
            }
            Connect::Int32 => (declared.unwrap_or("int32"), "Int32Value"),
            Connect::Int64 => match declared.unwrap_or("int64") {
                kind @ ("uint32" | "fixed32") => (kind, "UInt32Value"),
                kind @ ("uint64" | "fixed64") => (kind, "UInt64Value"),
                kind => (kind, "Int64Value"),
            },
            Connect::Float32 => ("float", "FloatValue"),
            Connect::Float64 => ("double", "DoubleValue"),
            Connect::Boolean => ("bool", "BoolValue"),
            Connect::Bytes => ("bytes", "BytesValue"),
            _ => ("string", "StringValue"),
        };
        let is_marked = schema.parameters.get(WRAPPER).is_some_and(|mark| mark.eq_ignore_ascii_case("true"));
        if self.mapping.wrappers && schema.optional && (!in_oneof || is_marked) {
            if is_beside_enum {
                self.needs_wrappers = true;
            } else {
                self.import(WRAPPERS_FILE);
            }
            let inner = match (&schema.kind, wrapper) {
                (Connect::Int64, "UInt32Value") => Kind::Sfixed32,
                (Connect::Int64, _) => Kind::Int64,
                _ => Kind::scalar(kind, true).unwrap_or(Kind::Int32),
            };
            let inner = match inner {
                Kind::Sfixed32 | Kind::Sint32 => Kind::Int32,
                other => other,
            };
            return Ok((format!("google.protobuf.{wrapper}"), Form::Wrapper(inner)));
        }
        let form = Kind::scalar(kind, true).filter(|form| fits(form, &schema.kind)).ok_or_else(|| {
            argument(format!("Invalid protobuf schema definition: \"{kind}\" is not a type"))
        })?;
        Ok((kind.to_owned(), Form::Scalar(form)))
    }

    fn enumeration(&mut self, draft: &mut Draft, schema: &Schema, kind: &str) -> Converted<(String, Form)> {
        let name = self.simple_name_of(schema);
        let prefix = format!("{}.", self.mapping.enum_param());
        let mut values = Vec::new();
        for (key, number) in &schema.parameters {
            if let Some(symbol) = key.strip_prefix(&prefix) {
                values.push((symbol.to_owned(), whole_number(number)?));
            }
        }
        let by_name = values.iter().map(|(symbol, number)| (symbol.as_bytes().into(), *number)).collect();
        let form = Form::Enum {
            by_name,
            numbers: values.iter().map(|(_, number)| *number).collect(),
            default: values.first().map_or(0, |(_, number)| *number),
        };
        if !draft.text.enums.iter().any(|known| known.name == name) {
            draft.text.enums.push(EnumText { name, values });
        }
        Ok((kind.to_owned(), form))
    }
}

/// Where a field stands and where its values come from.
#[derive(Clone, Copy)]
struct Place {
    number: u32,
    column: usize,
    member: Option<usize>,
}

/// Whether values of a Connect type can be written as `form`.
fn fits(form: &Kind, kind: &Connect) -> bool {
    match kind {
        Connect::Int8 | Connect::Int16 | Connect::Int32 => {
            matches!(form, Kind::Int32 | Kind::Sint32 | Kind::Sfixed32)
        }
        Connect::Int64 => matches!(
            form,
            Kind::Uint32
                | Kind::Fixed32
                | Kind::Int64
                | Kind::Uint64
                | Kind::Sint64
                | Kind::Fixed64
                | Kind::Sfixed64
        ),
        _ => true,
    }
}

fn number_of(schema: &Schema) -> Converted<Option<u32>> {
    let Some(text) = schema.parameters.get(TAG) else { return Ok(None) };
    // What is no field number is refused with the other numbers of the message.
    let number = whole_number(text)?.cast_unsigned();
    Ok(Some(number))
}

/// A number as `Integer.parseInt` reads it.
fn whole_number(text: &str) -> Converted<i32> {
    text.parse().map_err(|_| {
        Box::new(Fault::Bare {
            class: "java.lang.NumberFormatException",
            message: format!("For input string: \"{text}\""),
        })
    })
}

/// Names and numbers of one message.
fn check(draft: &Draft) -> Converted<()> {
    let (mut numbers, mut names) = (HashSet::new(), HashSet::new());
    let message = &draft.text.name;
    for definition in &draft.text.enums {
        check_name(&definition.name)?;
        definition.values.iter().try_for_each(|(symbol, _)| check_name(symbol))?;
        if definition.values.is_empty() {
            let (problem, name) = ("Enums must contain at least one value.", &definition.name);
            return Err(argument(format!("Invalid protobuf schema definition: {message}.{name}: {problem}")));
        }
    }
    let in_oneofs = draft.text.oneofs.iter().flat_map(|(_, fields)| fields);
    for field in draft.text.fields.iter().chain(in_oneofs) {
        check_name(&field.name)?;
        let problem = if !(1..1 << 29).contains(&field.number) {
            "Field numbers must be positive integers.".to_owned()
        } else if !numbers.insert(field.number) {
            format!("Field number {} has already been used.", field.number)
        } else if !names.insert(&field.name) {
            "The name is already defined.".to_owned()
        } else {
            continue;
        };
        let name = &field.name;
        return Err(argument(format!("Invalid protobuf schema definition: {message}.{name}: {problem}")));
    }
    Ok(())
}

fn check_name(name: &str) -> Converted<()> {
    let is_valid = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if !name.is_empty()
        && name.bytes().all(is_valid)
        && !name.starts_with(|first: char| first.is_ascii_digit())
    {
        return Ok(());
    }
    Err(argument(format!(
        "Invalid protobuf schema definition: {name}: \"{name}\" is not a valid identifier."
    )))
}

/// The column of keys and values, which is known from their place.
const ENTRY: usize = usize::MAX;

/// STRUCTs inside STRUCTs.
const DEPTH_MAX: usize = 100;

const WRAPPERS_FILE: &str = "google/protobuf/wrappers.proto";

/// Google's file of wrapper messages, as it is registered.
const WRAPPERS: &str = include_str!("wrappers.proto");
