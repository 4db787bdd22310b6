//! Records that contain themselves: who refers to which.
//!
//! A record is open while its fields are converted; a field of that type, at whatever depth, refers to it.
//! Once somebody did, every later field of the type does, too, also beside the record.
//!
//! Source: `AvroData#toConnectSchemaWithCycles`, `ToConnectContext`.

use std::sync::Arc;

use lakeward_api::recursion::{Definitions, Recursive};
use lakeward_api::schema::Schema;

use super::super::fault::{Converted, data};
use super::super::schema::{AvroSchema, TypeId, print};
use super::Mapping;

/// The records that fields may refer to.
#[derive(Default)]
pub(super) struct Cycles {
    records: Vec<(TypeId, Option<Recursive>)>,
    /// What changes the schemas besides the types: with them the name of what is defined.
    walk: String,
    definitions: Option<Definitions>,
}

impl Cycles {
    /// Says what changes the schemas besides the types.
    pub(super) fn set_walk(&mut self, mapping: Mapping, version: Option<i32>, unions: u32) {
        self.walk = format!("avro {mapping:?} {version:?} {unions}");
    }

    /// A record is open from here on.
    pub(super) fn enter(&mut self, id: TypeId) {
        self.records.push((id, None));
    }

    /// What a field refers to whose type is `id`; `None` when it has the type itself.
    pub(super) fn refer(&mut self, avro: &AvroSchema, id: TypeId) -> Converted<Option<Recursive>> {
        let Some((_, referred)) = self.records.iter_mut().find(|(open, _)| *open == id) else {
            return Ok(None);
        };
        if referred.is_none() {
            let walk = &self.walk;
            let definitions =
                self.definitions.get_or_insert_with(|| Definitions::new(&format!("{walk} {}", print(avro))));
            *referred = Some(definitions.reserve().map_err(|error| data(error.to_string()))?);
        }
        Ok(*referred)
    }

    /// The type `id` is complete.
    pub(super) fn leave(&mut self, id: TypeId, schema: &Schema) {
        let Some(at) = self.records.iter().rposition(|(open, _)| *open == id) else { return };
        match self.records[at].1 {
            None => drop(self.records.remove(at)),
            Some(recursive) => recursive.define(&Arc::new(schema.clone())),
        }
    }
}
