//! Values of places where a type contains itself: read as trees of values, which their cells hold packed.
//!
//! What is read and refused is what columns (`append`) read and refuse.

use std::collections::HashSet;
use std::sync::Arc;

use bytes::Bytes;
use lakeward_api::decimal::Decimal;
use lakeward_api::packed;
use lakeward_api::recursion::Recursive;
use lakeward_api::rows::DAY_MS;
use lakeward_api::schema::{Kind, Logical, Schema};
use lakeward_api::value::Value;

use super::super::super::utf8;
use super::super::fault::{Converted, bare, data, malformed};
use super::super::mapping::{Mapping, branch_name, is_map_entry, is_union};
use super::super::schema::{AvroSchema, Shape, TypeId};
use super::build::{disagree, refusal};
use super::{Cursor, shortest};

/// Reads values of one place.
pub(super) struct Tree {
    avro: Arc<AvroSchema>,
    id: TypeId,
    recursive: Recursive,
    mapping: Mapping,
    /// Schemas that places stand for, as far as they were looked up.
    known: Vec<(Recursive, Arc<Schema>)>,
}

impl Tree {
    pub(super) fn new(avro: &Arc<AvroSchema>, id: TypeId, recursive: Recursive, mapping: Mapping) -> Self {
        Self { avro: Arc::clone(avro), id, recursive, mapping, known: Vec::new() }
    }

    /// Reads the value at the cursor and appends its packed form to `out`.
    pub(super) fn read(&mut self, cursor: &mut Cursor<'_>, out: &mut Vec<u8>) -> Converted<()> {
        let schema = self.resolve(self.recursive);
        let (id, depth_left) = (self.id, packed::DEPTH_MAX);
        let value = self.present(id, &schema, cursor, depth_left)?;
        packed::pack(&value, out).map_err(|error| data(error.to_string()))
    }

    fn resolve(&mut self, recursive: Recursive) -> Arc<Schema> {
        if let Some((_, schema)) = self.known.iter().find(|(known, _)| *known == recursive) {
            return Arc::clone(schema);
        }
        let schema = recursive.resolve();
        self.known.push((recursive, Arc::clone(&schema)));
        schema
    }

    /// The next value of type `id`. Recursion is bounded by `depth_left`.
    fn value(
        &mut self,
        id: TypeId,
        schema: &Schema,
        cursor: &mut Cursor<'_>,
        depth_left: usize,
    ) -> Converted<Value> {
        let avro = Arc::clone(&self.avro);
        let kind = avro.get(id);
        let Shape::Union(branches) = &kind.shape else {
            return self.present(id, schema, cursor, depth_left);
        };
        if is_union(schema) {
            return self.branch(branches, schema, cursor, depth_left);
        }
        match (branches.as_slice(), avro.nullable(branches)) {
            ([only], _) => {
                cursor.branch(1)?;
                self.present(*only, schema, cursor, depth_left)
            }
            (_, Some((branch, null))) => {
                if cursor.branch(2)? == null {
                    return Ok(Value::Null);
                }
                self.present(branch, schema, cursor, depth_left)
            }
            _ => Err(disagree(kind, schema)),
        }
    }

    /// The same of a type that is no union with null.
    fn present(
        &mut self,
        id: TypeId,
        schema: &Schema,
        cursor: &mut Cursor<'_>,
        depth_left: usize,
    ) -> Converted<Value> {
        let avro = Arc::clone(&self.avro);
        let kind = avro.get(id);
        if let Some(why) = refusal(&avro, kind, schema) {
            return Err(data(why));
        }
        let logical = schema.logical();
        Ok(match (&kind.shape, &schema.kind) {
            (Shape::Record(_), Kind::Recursive(recursive)) => {
                let schema = self.resolve(*recursive);
                return self.present(id, &schema, cursor, depth_left);
            }
            (Shape::Array(item), Kind::Array(schema)) => {
                let depth_left = deeper(depth_left)?;
                let mut values = Vec::new();
                self.items(*item, cursor, |tree, cursor| {
                    values.push(tree.value(*item, schema, cursor, depth_left)?);
                    Ok(())
                })?;
                Value::Array(values)
            }
            (Shape::Map(_) | Shape::Array(_), Kind::Map { key, value }) => {
                self.map(id, (key, value), cursor, deeper(depth_left)?)?
            }
            (Shape::Record(fields), Kind::Struct(members)) => {
                let depth_left = deeper(depth_left)?;
                let pairs = fields.iter().zip(members);
                let values = pairs
                    .map(|(field, member)| self.value(field.kind, &member.schema, cursor, depth_left))
                    .collect::<Converted<_>>()?;
                Value::Struct(values)
            }
            (Shape::Union(branches), Kind::Struct(_)) => {
                return self.branch(branches, schema, cursor, depth_left);
            }
            (shape, _) => return leaf(shape, schema, logical, cursor),
        })
    }

    /// A STRUCT of which one field has a value.
    fn branch(
        &mut self,
        branches: &[TypeId],
        schema: &Schema,
        cursor: &mut Cursor<'_>,
        depth_left: usize,
    ) -> Converted<Value> {
        let depth_left = deeper(depth_left)?;
        let at = cursor.branch(branches.len())?;
        let avro = Arc::clone(&self.avro);
        let kind = avro.get(branches[at]);
        if matches!(kind.shape, Shape::Null) {
            return Ok(Value::Null);
        }
        let name = branch_name(kind, at, self.mapping);
        let Some((index, member)) = schema.field(&name) else { return Err(disagree(kind, schema)) };
        let mut values = vec![Value::Null; schema.fields().len()];
        values[index] = self.value(branches[at], &member.schema, cursor, depth_left)?;
        Ok(Value::Struct(values))
    }

    fn items<'a>(
        &mut self,
        item: TypeId,
        cursor: &mut Cursor<'a>,
        mut read: impl FnMut(&mut Self, &mut Cursor<'a>) -> Converted<()>,
    ) -> Converted<()> {
        let bytes_min = usize::from(takes_bytes(&self.avro, item, &mut Vec::new()));
        loop {
            let count = cursor.block(bytes_min)?;
            if count == 0 {
                return Ok(());
            }
            for _ in 0..count {
                read(self, cursor)?;
            }
        }
    }

    fn map(
        &mut self,
        id: TypeId,
        (key_schema, value_schema): (&Schema, &Schema),
        cursor: &mut Cursor<'_>,
        depth_left: usize,
    ) -> Converted<Value> {
        let avro = Arc::clone(&self.avro);
        let kind = avro.get(id);
        let mut entries: Vec<(Vec<u8>, Value, Value)> = Vec::new();
        match &kind.shape {
            Shape::Map(value) => self.items(id, cursor, |tree, cursor| {
                let key = cursor.bytes()?;
                let name = Value::String(utf8::text(key).into());
                entries.push((key.to_vec(), name, tree.value(*value, value_schema, cursor, depth_left)?));
                Ok(())
            })?,
            Shape::Array(item) if is_map_entry(avro.get(*item)) => {
                let Shape::Record(fields) = &avro.get(*item).shape else {
                    return Err(disagree(kind, key_schema));
                };
                self.items(*item, cursor, |tree, cursor| {
                    let (mut bytes, mut key, mut value) = (Vec::new(), Value::Null, Value::Null);
                    for field in fields {
                        if field.name == "key" {
                            let before = cursor.rest();
                            key = tree.value(field.kind, key_schema, cursor, depth_left)?;
                            bytes = before[..before.len() - cursor.rest().len()].to_vec();
                        } else {
                            value = tree.value(field.kind, value_schema, cursor, depth_left)?;
                        }
                    }
                    if key.is_null() {
                        return Err(data("A map has null as a key, which columns cannot hold"));
                    }
                    entries.push((bytes, key, value));
                    Ok(())
                })?;
            }
            _ => return Err(disagree(kind, key_schema)),
        }
        // Of entries with one key the last one counts.
        let mut seen = HashSet::new();
        let mut kept: Vec<bool> = entries.iter().rev().map(|(key, ..)| seen.insert(key.as_slice())).collect();
        kept.reverse();
        let kept = entries.iter().zip(kept).filter(|(_, kept)| *kept);
        Ok(Value::Map(kept.map(|((_, key, value), _)| (key.clone(), value.clone())).collect()))
    }
}

/// A value without others inside.
fn leaf(
    shape: &Shape,
    schema: &Schema,
    logical: Option<Logical>,
    cursor: &mut Cursor<'_>,
) -> Converted<Value> {
    Ok(match (shape, &schema.kind, logical) {
        (Shape::Boolean, Kind::Boolean, _) => Value::Boolean(cursor.boolean()?),
        (Shape::Bytes, Kind::Bytes, Some(Logical::Decimal { scale })) => decimal(cursor.bytes()?, scale)?,
        (Shape::Bytes, Kind::Bytes, _) => Value::Bytes(Bytes::copy_from_slice(cursor.bytes()?)),
        (Shape::Double, Kind::Float64, _) => Value::Float64(cursor.double()?),
        (Shape::Float, Kind::Float32, _) => Value::Float32(cursor.float()?),
        (Shape::Int, Kind::Int32, Some(Logical::Date)) => Value::Date(i64::from(cursor.int()?) * DAY_MS),
        (Shape::Int, Kind::Int32, Some(Logical::Time)) => {
            Value::Date(i64::from(super::append::time(cursor)?))
        }
        (Shape::Int, Kind::Int32, _) => Value::Int32(cursor.int()?),
        // Java keeps the low bits, too.
        (Shape::Int, Kind::Int16, _) => Value::Int16(cursor.int()? as i16),
        (Shape::Int, Kind::Int8, _) => Value::Int8(cursor.int()? as i8),
        (Shape::Long, Kind::Int64, Some(Logical::Timestamp)) => Value::Date(cursor.long()?),
        (Shape::Long, Kind::Int64, _) => Value::Int64(cursor.long()?),
        (Shape::String, Kind::String, _) => Value::String(utf8::text(cursor.bytes()?).into()),
        (Shape::Enum { symbols, .. }, Kind::String, _) => {
            let index = cursor.int()?;
            let symbol = usize::try_from(index).ok().and_then(|index| symbols.get(index));
            let symbol = symbol.ok_or_else(|| malformed(format!("Enum index out of bounds ({index})")))?;
            Value::String(symbol.as_str().into())
        }
        (Shape::Fixed(size), Kind::Bytes, Some(Logical::Decimal { scale })) => {
            decimal(cursor.take(*size)?, scale)?
        }
        (Shape::Fixed(size), Kind::Bytes, _) => Value::Bytes(Bytes::copy_from_slice(cursor.take(*size)?)),
        _ => return Err(data(format!("A value cannot be read as {}", schema.kind.name()))),
    })
}

fn decimal(bytes: &[u8], scale: i32) -> Converted<Value> {
    if bytes.is_empty() {
        return Err(bare("java.lang.NumberFormatException", "Zero length BigInteger".to_owned()));
    }
    Ok(Value::Decimal(Decimal { unscaled: Bytes::copy_from_slice(shortest(bytes)), scale }))
}

/// One level more.
fn deeper(depth_left: usize) -> Converted<usize> {
    depth_left.checked_sub(1).ok_or_else(|| {
        data(format!("A recursive value is nested more than {} levels deep", packed::DEPTH_MAX))
    })
}

/// Whether every value of type `id` takes a byte at least.
fn takes_bytes(avro: &AvroSchema, id: TypeId, open: &mut Vec<TypeId>) -> bool {
    match &avro.get(id).shape {
        Shape::Null | Shape::Fixed(0) => false,
        Shape::Record(fields) if !open.contains(&id) => {
            open.push(id);
            let takes = fields.iter().any(|field| takes_bytes(avro, field.kind, open));
            open.pop();
            takes
        }
        Shape::Record(_) => false,
        _ => true,
    }
}
