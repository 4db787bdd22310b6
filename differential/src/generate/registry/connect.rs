//! Values of Connect for a schema registry: the names in their schemas are good ones most of the time.

use std::sync::Arc;

use crate::generate::{schema, value};
use crate::model::{Field, Kind, Schema, Typed, Value};
use crate::random::Random;

const FIELDS: [&str; 8] = ["a", "b", "c", "id", "ts", "name_1", "_x", "Key"];
const ODD_FIELDS: [&str; 8] = ["x y", "a.b", "x/é", "1st", "", "a-b", "x😀", "key"];
const STRUCTS: [&str; 6] = ["org.example.Order", "Customer", "org.example.Item", "a.b.c.D", "N1", "N2"];
const ODD_STRUCTS: [&str; 6] = ["x y", "1st", "org.example.x y", "org.example.my-name", "x-é", ""];

/// Values of one to three schemas, of none, and null; `attributes` adds parameters that the language knows.
pub(super) fn values(random: &mut Random, attributes: fn(&mut Random, &mut Schema)) -> Vec<Typed> {
    let mut values = Vec::new();
    let count = 1 + random.below(12);
    while values.len() < count {
        let schema = (!random.once_in(8)).then(|| Arc::new(named(random, attributes)));
        for _ in 0..1 + random.below(6) {
            let value = match &schema {
                _ if random.once_in(20) => Value::Null,
                Some(schema) => value::value(random, schema),
                None => value::dynamic(random, 3),
            };
            // A required column holds no null; without a schema it is a tombstone.
            let schema = schema.clone().filter(|schema| value != Value::Null || schema.optional);
            values.push(Typed { schema, value });
        }
    }
    values
}

/// A schema with names that fit most of the time: all of them, or all but a few.
fn named(random: &mut Random, attributes: fn(&mut Random, &mut Schema)) -> Schema {
    let mut schema = if random.once_in(3) { schema::schema(random, 3) } else { schema::structure(random, 2) };
    let mut namer = Namer { random, attributes, structs: 0, odd: false };
    namer.odd = namer.random.once_in(8);
    namer.name(&mut schema);
    schema
}

struct Namer<'a> {
    random: &'a mut Random,
    attributes: fn(&mut Random, &mut Schema),
    structs: usize,
    odd: bool,
}

impl Namer<'_> {
    fn name(&mut self, schema: &mut Schema) {
        match &mut schema.kind {
            Kind::Array(item) => self.inner(item),
            Kind::Map(key, value) => {
                self.inner(key);
                self.inner(value);
            }
            Kind::Struct(fields) => self.fields(fields),
            _ => {}
        }
        let is_struct = matches!(schema.kind, Kind::Struct(_));
        if schema.logical().is_none() && (is_struct || schema.name.is_some()) {
            schema.name = self.struct_name();
        }
        // What parameters ask for would have to fit the default, too.
        if schema.default.is_none() {
            (self.attributes)(self.random, schema);
        }
    }

    fn inner(&mut self, schema: &mut Option<Arc<Schema>>) {
        if let Some(schema) = schema {
            self.name(Arc::make_mut(schema));
        }
    }

    fn fields(&mut self, fields: &mut [Field]) {
        let (mut left, mut odd) = (FIELDS.to_vec(), ODD_FIELDS.to_vec());
        for field in fields {
            let good = left.swap_remove(self.random.below(left.len()));
            field.name = good.to_owned();
            if self.odd && self.random.once_in(4) && !odd.is_empty() {
                field.name = odd.swap_remove(self.random.below(odd.len())).to_owned();
            }
            self.name(Arc::make_mut(&mut field.schema));
        }
    }

    /// A name of its own, now and then one that another struct has, or none.
    fn struct_name(&mut self) -> Option<String> {
        self.structs += 1;
        match self.random.below(12) {
            0 if self.odd => Some(self.random.pick(&ODD_STRUCTS).to_owned()),
            0..3 => None,
            3 if self.random.once_in(8) => Some(self.random.pick(&STRUCTS).to_owned()),
            _ => Some(format!("{}{}", self.random.pick(&STRUCTS), self.structs)),
        }
    }
}
