//! Connect schemas and values that become Protobuf messages.

use std::sync::Arc;

use crate::generate::{schema, value};
use crate::model::{Field, Kind, Schema, Value};
use crate::random::Random;

const NAMESPACE: &str = "io.confluent.connect.protobuf.";
const GENERALIZED: &str = "org.apache.kafka.connect.data.";
const STEMS: [&str; 8] = ["f", "foo_bar", "fooBar", "URL", "a_b_c", "value", "Key", "x"];
/// Names that are valid only after `scrub.invalid.names`.
const ODD: [&str; 7] = ["a-b", "1x", "é", "_y", "x y", "a.b", "%"];
/// Declared types of whole numbers.
const DECLARED_32: [&str; 2] = ["sint32", "sfixed32"];
const DECLARED_64: [&str; 6] = ["uint32", "fixed32", "uint64", "fixed64", "sint64", "sfixed64"];

/// Schemas with a number that is part of the names in them, so that no two are the same by chance.
#[derive(Default)]
pub(super) struct Namer {
    next: usize,
    /// Whether names may be invalid without `scrub.invalid.names`.
    pub(super) odd: bool,
    /// Whether unions and enums are those of `generalized.sum.type.support`.
    pub(super) generalized: bool,
    /// Whether enums are those of the other way.
    pub(super) mixes_enums: bool,
}

impl Namer {
    /// What a topic has: a STRUCT mostly.
    pub(super) fn root(&mut self, random: &mut Random) -> Schema {
        let mut schema = match random.below(16) {
            0 => schema::logical(random),
            // Java writes the root of a declared type in a message that is not that of its schema.
            1 => Schema { parameters: Vec::new(), ..self.scalar(random) },
            2 if random.once_in(4) => Schema::new(Kind::Array(Some(Arc::new(self.scalar(random))))),
            _ => self.structure(random, 3),
        };
        if random.once_in(12) {
            schema.optional = true;
        }
        schema
    }

    fn word(&mut self, random: &mut Random) -> String {
        self.next += 1;
        let stem = if self.odd && random.once_in(6) { random.pick(&ODD) } else { random.pick(&STEMS) };
        format!("{stem}{}", self.next)
    }

    fn structure(&mut self, random: &mut Random, depth: usize) -> Schema {
        let mut fields = Vec::new();
        let tagged = random.once_in(3);
        let mut tag = 0;
        let mut next_tag = |random: &mut Random| {
            tag += if random.once_in(8) { random.pick(&[2, 30, 2000]) } else { 1 };
            tag
        };
        for _ in 0..random.below(6) + usize::from(depth == 3) {
            let name = self.word(random);
            // Members of unions have numbers; beside them everything has.
            if tagged && random.once_in(5) {
                let mut union = self.union(random, depth, &name);
                if let Kind::Struct(members) = &mut union.kind {
                    for member in members {
                        let tag = next_tag(random);
                        let schema = Arc::make_mut(&mut member.schema);
                        schema.parameters.push((format!("{NAMESPACE}Tag"), tag.to_string()));
                    }
                }
                fields.push(Field { name, schema: Arc::new(union) });
                continue;
            }
            let mut schema = self.field(random, depth);
            if tagged {
                schema.parameters.push((format!("{NAMESPACE}Tag"), next_tag(random).to_string()));
            } else if random.once_in(400) {
                let tag = random.pick(&["0", "-1", "1", "19500", "x"]);
                schema.parameters.push((format!("{NAMESPACE}Tag"), tag.to_owned()));
            }
            fields.push(Field { name, schema: Arc::new(schema) });
        }
        let mut schema = Schema::new(Kind::Struct(fields));
        let name = self.word(random);
        schema.name = match random.below(6) {
            0 => None,
            1 => Some(name),
            2 => Some(format!("a.b.{name}")),
            3 if random.once_in(20) => Some(String::new()),
            _ => Some(format!("pack.{name}")),
        };
        schema
    }

    fn union(&mut self, random: &mut Random, depth: usize, name: &str) -> Schema {
        let mut members = Vec::new();
        for _ in 0..1 + random.below(3) {
            let name = self.word(random);
            let mut schema = self.single(random, depth.saturating_sub(1));
            schema.optional = true;
            schema.default = None;
            if random.once_in(4) {
                schema.parameters.push((format!("{NAMESPACE}Wrapper"), "true".to_owned()));
            }
            members.push(Field { name, schema: Arc::new(schema) });
        }
        let mut schema = Schema::new(Kind::Struct(members));
        schema.optional = true;
        let simple = name.replace(|letter: char| !letter.is_ascii_alphanumeric(), "");
        if self.generalized {
            schema.name = Some(format!("u{simple}"));
            schema.parameters.push((format!("{GENERALIZED}Union"), format!("u{simple}")));
        } else {
            let package = random.pick(&["", "pack.Message."]);
            schema.name = Some(format!("{NAMESPACE}Union.{package}u{simple}"));
        }
        schema
    }

    fn field(&mut self, random: &mut Random, depth: usize) -> Schema {
        let mut schema = match random.below(9) {
            0 => {
                let item = if random.once_in(60) {
                    Schema::new(Kind::Array(Some(Arc::new(self.scalar(random)))))
                } else {
                    self.single(random, depth)
                };
                Schema::new(Kind::Array(Some(Arc::new(item))))
            }
            1 => {
                let key = Schema::new(random.pick(&[
                    Kind::String,
                    Kind::String,
                    Kind::Int32,
                    Kind::Int64,
                    Kind::Boolean,
                    Kind::Int8,
                ]));
                let value = self.single(random, depth);
                let mut map = Schema::new(Kind::Map(Some(Arc::new(key)), Some(Arc::new(value))));
                map.name = (!random.once_in(4)).then(|| self.word(random));
                map
            }
            _ => return self.single(random, depth),
        };
        schema.optional = random.once_in(2);
        schema
    }

    /// Anything but a list or a map.
    fn single(&mut self, random: &mut Random, depth: usize) -> Schema {
        let mut schema = match random.below(10) {
            0 | 1 => schema::logical(random),
            2 => self.enumeration(random),
            3 | 4 if depth > 0 => self.structure(random, depth - 1),
            _ => return self.scalar(random),
        };
        if schema.name.as_deref().is_some_and(|name| name.ends_with("Decimal")) && random.once_in(2) {
            schema.parameters.push(("connect.decimal.precision".to_owned(), "7".to_owned()));
        }
        schema.optional = random.once_in(2);
        schema
    }

    fn enumeration(&mut self, random: &mut Random) -> Schema {
        let name =
            format!("E{}", self.word(random).replace(|letter: char| !letter.is_ascii_alphanumeric(), ""));
        let generalized = self.generalized != self.mixes_enums;
        let parameter = format!("{}Enum", if generalized { GENERALIZED } else { NAMESPACE });
        let mut schema = Schema::new(if random.once_in(3) { Kind::Int32 } else { Kind::String });
        if generalized {
            schema.kind = Kind::String;
        }
        schema.parameters.push((parameter.clone(), name.clone()));
        for (at, number) in [0, 1, -5, 70_000, i32::MAX].iter().enumerate() {
            if at < 2 || random.once_in(2) {
                schema.parameters.push((format!("{parameter}.{name}_S{at}"), number.to_string()));
            }
        }
        schema.name = Some(if random.once_in(3) { format!("pack.{name}") } else { name });
        schema
    }

    fn scalar(&mut self, random: &mut Random) -> Schema {
        let mut schema = Schema::new(random.pick(&[
            Kind::Int8,
            Kind::Int16,
            Kind::Int32,
            Kind::Int32,
            Kind::Int64,
            Kind::Int64,
            Kind::Float32,
            Kind::Float64,
            Kind::Boolean,
            Kind::String,
            Kind::String,
            Kind::Bytes,
        ]));
        schema.optional = random.once_in(2);
        let declared = match schema.kind {
            Kind::Int32 => random.pick(&DECLARED_32),
            Kind::Int64 => random.pick(&DECLARED_64),
            _ => "",
        };
        if !declared.is_empty() && random.once_in(3) {
            schema.parameters.push((format!("{NAMESPACE}Type"), declared.to_owned()));
        }
        if random.once_in(10) {
            let required = Schema { optional: false, ..schema.clone() };
            schema.default = Some(value::value(random, &required));
        }
        schema
    }
}

/// A value of a schema that [`Namer`] made.
pub(super) fn value(random: &mut Random, schema: &Schema) -> Value {
    if schema.optional && random.once_in(6) {
        return Value::Null;
    }
    let of = |schema: &Option<Arc<Schema>>| Arc::clone(schema.as_ref().expect("containers have schemas"));
    match &schema.kind {
        _ if schema.logical().is_some() => value::value(random, schema),
        Kind::Struct(members) if is_union(schema) => {
            let chosen = random.below(members.len());
            let empty = random.once_in(60);
            let both = random.once_in(60);
            let mut one = |(at, member): (usize, &Field)| match at == chosen && !empty || both {
                true => present(random, &member.schema),
                false => Value::Null,
            };
            Value::Struct(members.iter().enumerate().map(&mut one).collect())
        }
        Kind::Struct(fields) => {
            Value::Struct(fields.iter().map(|field| self::value(random, &field.schema)).collect())
        }
        Kind::Array(item) => {
            let item = of(item);
            Value::List((0..random.below(4)).map(|_| element(random, &item)).collect())
        }
        Kind::Map(key, member) => {
            let (key, member) = (of(key), of(member));
            let mut entries: Vec<(Value, Value)> = Vec::new();
            for _ in 0..random.below(4) {
                let found = value::value(random, &key);
                if !entries.iter().any(|(known, _)| known.same(&found)) {
                    entries.push((found, self::value(random, &member)));
                }
            }
            Value::Map(entries)
        }
        Kind::Int32 | Kind::String => symbol(random, schema).unwrap_or_else(|| value::value(random, schema)),
        _ => value::value(random, schema),
    }
}

fn present(random: &mut Random, schema: &Schema) -> Value {
    value(random, &Schema { optional: false, ..schema.clone() })
}

/// A list hardly ever has null in it.
fn element(random: &mut Random, schema: &Schema) -> Value {
    if random.once_in(100) { value(random, schema) } else { present(random, schema) }
}

fn is_union(schema: &Schema) -> bool {
    schema.name.as_deref().is_some_and(|name| name.starts_with(&format!("{NAMESPACE}Union")))
        || schema.parameters.iter().any(|(name, _)| name.ends_with("data.Union"))
}

/// A symbol or number of an enum, or one that it does not have.
fn symbol(random: &mut Random, schema: &Schema) -> Option<Value> {
    let symbols: Vec<&(String, String)> =
        schema.parameters.iter().filter(|(name, _)| name.contains("Enum.")).collect();
    let (name, number) = symbols.get(random.below(symbols.len().max(1)))?;
    if random.once_in(40) {
        return Some(if schema.kind == Kind::Int32 { Value::Int32(99) } else { Value::text("nowhere") });
    }
    Some(match schema.kind {
        Kind::Int32 => Value::Int32(number.parse().ok()?),
        _ => Value::text(name.rsplit_once("Enum.")?.1),
    })
}
