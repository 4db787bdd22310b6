//! Files to a pool: every file that is imported is read once, then the names of field types are looked up
//! from the innermost scope outwards.

use std::collections::HashMap;
use std::collections::HashSet;
use std::sync::Arc;

use lakeward_registry::protobuf::{FieldDef, FieldKind, File, Label, MessageDef, TypeDef};

use super::super::fault::{Converted, unusable};
use super::super::mapping::map_entry_name;
use super::{Enum, Field, Kind, Message, Pool, builtin};

#[derive(Clone, Copy)]
enum Symbol {
    Enum { id: usize, proto3: bool },
    Message(usize),
}

/// A message whose fields are not resolved yet.
struct Open<'a> {
    id: usize,
    definition: &'a MessageDef,
    file: &'a File,
}

impl Pool {
    /// The types of `text`, which imports files of `dependencies` and those everybody has.
    pub(in super::super) fn parse(text: &str, dependencies: &[(String, Arc<str>)]) -> Converted<Self> {
        let files = files(text, dependencies)?;
        let mut pool = Self::default();
        let mut symbols = HashMap::new();
        let mut open = Vec::new();
        for (at, file) in files.iter().enumerate() {
            let top = pool.define(file, &file.package, &file.types, &mut symbols, &mut open);
            if at == 0 {
                pool.top = top;
            }
        }
        for Open { id, definition, file } in open {
            let scope = pool.messages[id].full_name.clone();
            let mut fields = Vec::new();
            // Fields of oneofs come first, as in Java's descriptors.
            let (ours, rest): (Vec<_>, Vec<_>) = definition.fields.iter().partition(|f| f.oneof.is_some());
            for field in ours.into_iter().chain(rest) {
                fields.push(pool.field(field, file, &scope, &symbols));
            }
            pool.messages[id].fields = fields;
        }
        Ok(pool)
    }

    /// Adds the types of one scope and answers its messages.
    fn define<'a>(
        &mut self,
        file: &'a File,
        scope: &str,
        types: &'a [TypeDef],
        symbols: &mut HashMap<String, Symbol>,
        open: &mut Vec<Open<'a>>,
    ) -> Vec<usize> {
        let mut messages = Vec::new();
        for definition in types {
            let full_name = join(scope, definition.name());
            match definition {
                TypeDef::Enum(definition) => {
                    let id = self.enums.len();
                    symbols.entry(full_name.clone()).or_insert(Symbol::Enum { id, proto3: file.proto3 });
                    let (name, values) = (definition.name.clone(), definition.values.clone());
                    self.enums.push(Enum { name, full_name, values });
                }
                TypeDef::Message(definition) => {
                    let id = self.add(&definition.name, full_name.clone(), &definition.oneofs);
                    symbols.entry(full_name.clone()).or_insert(Symbol::Message(id));
                    open.push(Open { id, definition, file });
                    self.messages[id].nested =
                        self.define(file, &full_name, &definition.types, symbols, open);
                    messages.push(id);
                }
            }
        }
        messages
    }

    fn add(&mut self, name: &str, full_name: String, oneofs: &[String]) -> usize {
        let (name, oneofs) = (name.to_owned(), oneofs.to_vec());
        self.messages.push(Message { name, full_name, fields: Vec::new(), oneofs, nested: Vec::new() });
        self.messages.len() - 1
    }

    fn field(
        &mut self,
        definition: &FieldDef,
        file: &File,
        scope: &str,
        symbols: &HashMap<String, Symbol>,
    ) -> Field {
        let label = definition.label;
        let is_plain =
            definition.oneof.is_none() && !matches!(label, Some(Label::Repeated | Label::Required));
        let mut field = Field {
            name: definition.name.clone(),
            number: definition.number,
            kind: Kind::Bool,
            is_repeated: label == Some(Label::Repeated),
            is_required: label == Some(Label::Required) && !file.proto3,
            has_optional: is_plain && (!file.proto3 || label == Some(Label::Optional)),
            proto3: file.proto3,
            oneof: definition.oneof,
            default: definition.default.clone(),
            params: definition.params.clone(),
            is_closed: false,
        };
        match &definition.kind {
            FieldKind::Named(name) => (field.kind, field.is_closed) = kind(name, file, scope, symbols),
            FieldKind::Map(key, value) => {
                let name = map_entry_name(&definition.name);
                let id = self.add(&name, join(scope, &name), &[]);
                let scope = join(scope, &name);
                let member = |name: &str, number: u32, type_name: &str| {
                    let (kind, is_closed) = kind(type_name, file, &scope, symbols);
                    // Texts of maps are always checked, also in proto2.
                    let kind =
                        if let Kind::String { .. } = kind { Kind::String { strict: true } } else { kind };
                    Field {
                        name: name.to_owned(),
                        number,
                        kind,
                        is_closed,
                        has_optional: !file.proto3,
                        default: None,
                        params: Vec::new(),
                        ..field.clone()
                    }
                };
                self.messages[id].fields = vec![member("key", 1, key), member("value", 2, value)];
                (field.kind, field.is_repeated, field.has_optional) = (Kind::Message(id), true, false);
            }
        }
        field
    }
}

fn kind(name: &str, file: &File, scope: &str, symbols: &HashMap<String, Symbol>) -> (Kind, bool) {
    if let Some(scalar) = Kind::scalar(name, file.proto3 || file.checks_utf8) {
        return (scalar, false);
    }
    match lookup(name, scope, symbols) {
        Some(Symbol::Enum { id, proto3 }) => (Kind::Enum(id), !proto3 || !file.proto3),
        Some(Symbol::Message(id)) => (Kind::Message(id), false),
        None => (Kind::Unknown(name.to_owned()), false),
    }
}

fn lookup(name: &str, scope: &str, symbols: &HashMap<String, Symbol>) -> Option<Symbol> {
    if let Some(absolute) = name.strip_prefix('.') {
        return symbols.get(absolute).copied();
    }
    let mut scope = scope;
    loop {
        if let Some(found) = symbols.get(&join(scope, name)) {
            return Some(*found);
        }
        if scope.is_empty() {
            return None;
        }
        scope = scope.rsplit_once('.').map_or("", |(outer, _)| outer);
    }
}

/// The file of `text` and what it imports, each once. Imports that nobody has are left out, as in Java.
fn files(text: &str, dependencies: &[(String, Arc<str>)]) -> Converted<Vec<File>> {
    let parse =
        |text: &str| File::parse(text).map_err(|err| unusable(format!("Could not parse Protobuf - {err}")));
    let mut files = vec![parse(text)?];
    let mut seen = HashSet::new();
    let mut at = 0;
    while at < files.len() {
        for import in files[at].imports.clone() {
            if !seen.insert(import.clone()) {
                continue;
            }
            let given = dependencies.iter().find(|(name, _)| *name == import).map(|(_, text)| &**text);
            if let Some(text) = given.or_else(|| builtin::file(&import)) {
                files.push(parse(text)?);
            }
        }
        at += 1;
    }
    Ok(files)
}

fn join(scope: &str, name: &str) -> String {
    if scope.is_empty() { name.to_owned() } else { format!("{scope}.{name}") }
}
