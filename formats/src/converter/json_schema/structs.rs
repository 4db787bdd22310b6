//! STRUCTs that references name: again, or inside of themselves.
//!
//! In Java all places of a STRUCT share its parameters, among them a number that counts references: the last
//! reference decides. Places that were made before it get the number when everything is made.
//!
//! Source: `JsonSchemaData.ToConnectContext`, `JsonSchemaData.SchemaWrapper`.

use std::collections::HashMap;
use std::sync::Arc;

use lakeward_api::recursion::{Definitions, Recursive};
use lakeward_api::schema::{Kind, Schema};

use super::document::NodeId;
use super::fault::{Converted, data};
use super::members::ID;
use super::to_connect::{ToConnect, too_large};

/// The STRUCTs of one document.
pub(super) struct Structs {
    made: HashMap<NodeId, Made>,
    /// Number of the last reference to each STRUCT that was begun.
    numbers: Vec<Option<u32>>,
    /// References so far.
    references: u32,
    definitions: Definitions,
    /// STRUCTs that contain themselves.
    recursive: Vec<(Recursive, Schema)>,
}

/// A STRUCT that references may name.
enum Made {
    Open {
        /// [`ToConnect::left`] when it began.
        left: usize,
        /// Name, version, documentation and parameters.
        face: Box<Schema>,
        /// Index of its number.
        mark: usize,
        /// What stands for it inside of itself.
        recursive: Option<Recursive>,
    },
    Done {
        schema: Box<Schema>,
        mark: usize,
        /// What it took off [`ToConnect::left`].
        parts: usize,
    },
}

impl Structs {
    /// None yet; `key` is all that decides what they will be.
    pub(super) fn new(key: &str) -> Self {
        Self {
            made: HashMap::new(),
            numbers: Vec::new(),
            references: 0,
            definitions: Definitions::new(key),
            recursive: Vec::new(),
        }
    }

    /// Gives all places in `root` their numbers, and says what the places of recursion stand for.
    pub(super) fn finish(self, root: &mut Schema) {
        set_numbers(root, &self.numbers);
        for (recursive, mut schema) in self.recursive {
            set_numbers(&mut schema, &self.numbers);
            recursive.define(&Arc::new(schema));
        }
    }

    /// Counts one more reference to the STRUCT of `mark`.
    fn count(&mut self, mark: usize) {
        self.references += 1;
        self.numbers[mark] = Some(self.references);
    }
}

impl ToConnect<'_> {
    /// Notes that the STRUCT of `node` is being made, which will look like `face` from outside.
    pub(super) fn open(&mut self, node: NodeId, face: Schema) {
        let mark = self.structs.numbers.len();
        self.structs.numbers.push(None);
        let made = Made::Open { left: self.left, face: Box::new(face), mark, recursive: None };
        self.structs.made.insert(node, made);
    }

    /// Notes that the STRUCT of `node` is made.
    pub(super) fn done(&mut self, node: NodeId, schema: &mut Schema) {
        let structs = &mut self.structs;
        let Some(Made::Open { left, mark, recursive, .. }) = structs.made.get(&node) else { return };
        let (parts, mark) = (1 + left - self.left, *mark);
        // Java's schema shares its parameters with later references, if it has any by now.
        if !schema.parameters.is_empty() || structs.numbers[mark].is_some() {
            schema.parameters.insert(ID.to_owned(), marker(mark));
        }
        structs.recursive.extend(recursive.map(|recursive| (recursive, schema.clone())));
        structs.made.insert(node, Made::Done { schema: Box::new(schema.clone()), mark, parts });
    }

    /// The schema of a reference to `node`.
    pub(super) fn reference(
        &mut self,
        node: NodeId,
        version: Option<i32>,
        force_optional: bool,
    ) -> Converted<Schema> {
        let structs = &mut self.structs;
        let (mut schema, mark) = match structs.made.get_mut(&node) {
            None => return self.schema(node, version, force_optional),
            Some(Made::Open { face, mark, recursive, .. }) => {
                self.left = self.left.checked_sub(1).ok_or_else(too_large)?;
                let recursive = match recursive {
                    Some(known) => *known,
                    None => {
                        let reserved =
                            structs.definitions.reserve().map_err(|error| data(error.to_string()))?;
                        *recursive.insert(reserved)
                    }
                };
                (Schema { kind: Kind::Recursive(recursive), ..(**face).clone() }, *mark)
            }
            Some(Made::Done { schema, mark, parts }) => {
                self.left = self.left.checked_sub(*parts).ok_or_else(too_large)?;
                ((**schema).clone(), *mark)
            }
        };
        structs.count(mark);
        schema.optional = force_optional;
        schema.parameters.insert(ID.to_owned(), marker(mark));
        Ok(schema)
    }
}

/// Stands for the number of the last reference until that is known.
fn marker(mark: usize) -> String {
    format!("\0{mark}")
}

/// Puts the numbers of references in the place of their markers. Recursion is bounded by the depth to which
/// schemas are made.
fn set_numbers(schema: &mut Schema, numbers: &[Option<u32>]) {
    let mark = schema.parameters.get(ID).and_then(|text| text.strip_prefix('\0')?.parse::<usize>().ok());
    match mark.and_then(|mark| numbers.get(mark)) {
        Some(Some(number)) => schema.parameters.insert(ID.to_owned(), format!("#id{number}")),
        Some(None) => {
            let others = schema.parameters.iter().filter(|(name, _)| *name != ID);
            schema.parameters = others.map(|(name, text)| (name.clone(), text.clone())).collect();
        }
        None => {}
    }
    match &mut schema.kind {
        Kind::Array(item) => set_numbers(Arc::make_mut(item), numbers),
        Kind::Map { key, value } => {
            set_numbers(Arc::make_mut(key), numbers);
            set_numbers(Arc::make_mut(value), numbers);
        }
        Kind::Struct(fields) => {
            fields.iter_mut().for_each(|field| set_numbers(Arc::make_mut(&mut field.schema), numbers));
        }
        _ => {}
    }
}
