//! Writers for a Connect schema and the Avro schema its values are written with: the one made from it, or one
//! of the registry whose fields and branches have the same names.

use lakeward_api::recursion::Recursive;
use lakeward_api::rows;
use lakeward_api::schema::{Kind, Logical, Schema};

use super::super::fault::{Converted, Fault, data, mistyped};
use super::super::mapping::{Mapping, branch_name, is_union, scrub_field};
use super::super::schema::{AvroSchema, RecordField, Shape, Type, TypeId};
use super::{Bound, Branch, Form, Node};

/// Places of recursion that have writers, by number.
type Places = Vec<(TypeId, Recursive)>;

/// The writer of values of `schema`, and those of the places of recursion in it.
pub(super) fn all(avro: &AvroSchema, schema: &Schema, mapping: Mapping) -> Converted<(Node, Vec<Node>)> {
    let mut places = Places::new();
    let root = node(avro, avro.root, schema, mapping, &mut places)?;
    let mut writers = Vec::new();
    while let Some((id, recursive)) = places.get(writers.len()).copied() {
        let schema = recursive.resolve();
        writers.push(Node {
            union: None,
            default: None,
            form: form(avro, id, &schema, mapping, &mut places)?,
        });
    }
    Ok((root, writers))
}

/// The writer of values of `schema` with type `id`.
fn node(
    avro: &AvroSchema,
    id: TypeId,
    schema: &Schema,
    mapping: Mapping,
    places: &mut Places,
) -> Converted<Node> {
    let kind = avro.get(id);
    let Shape::Union(branches) = &kind.shape else {
        return Ok(Node { union: None, default: None, form: form(avro, id, schema, mapping, places)? });
    };
    if is_union(schema) {
        let form = union(avro, branches, schema, mapping, places)?;
        return Ok(Node { union: None, default: None, form });
    }
    let index = |at: usize| u8::try_from(at * 2).ok().filter(|index| *index < 0x80);
    let null = branches.iter().position(|branch| matches!(avro.get(*branch).shape, Shape::Null));
    let mut refused = None;
    for (at, branch) in branches.iter().enumerate() {
        match node(avro, *branch, schema, mapping, places) {
            Ok(node) => {
                let value = index(at).ok_or_else(|| data("A union has too many branches"))?;
                let union = Some(Branch { value, null: null.and_then(index) });
                return Ok(Node { union, ..node });
            }
            Err(fault) if !matches!(avro.get(*branch).shape, Shape::Null) => refused = Some(fault),
            Err(_) => {}
        }
    }
    Err(refused.unwrap_or_else(|| disagree(kind, schema)))
}

fn form(
    avro: &AvroSchema,
    id: TypeId,
    schema: &Schema,
    mapping: Mapping,
    places: &mut Places,
) -> Converted<Form> {
    let kind = avro.get(id);
    if let (Kind::Recursive(recursive), Shape::Record(_)) = (&schema.kind, &kind.shape) {
        let place = (id, *recursive);
        let known = places.iter().position(|known| *known == place);
        return Ok(Form::Recursive(known.unwrap_or_else(|| {
            places.push(place);
            places.len() - 1
        })));
    }
    let is_decimal = matches!(schema.logical(), Some(Logical::Decimal { .. }));
    let mut inner = |id: TypeId, schema: &Schema| node(avro, id, schema, mapping, places).map(Box::new);
    Ok(match (&schema.kind, &kind.shape) {
        (Kind::Boolean, Shape::Boolean) => Form::Boolean,
        (Kind::Bytes, Shape::Bytes) if is_decimal => Form::Decimal,
        (Kind::Bytes, Shape::Bytes) => Form::Bytes,
        (Kind::Bytes, Shape::Fixed(size)) if is_decimal => Form::DecimalFixed { size: *size },
        (Kind::Bytes, Shape::Fixed(size)) => Form::Fixed { size: *size },
        (Kind::Float32, Shape::Float) => Form::Float,
        (Kind::Float64, Shape::Double) => Form::Double,
        // Ints and longs are written alike.
        (Kind::Int8 | Kind::Int16 | Kind::Int32, Shape::Int | Shape::Long) | (Kind::Int64, Shape::Long) => {
            Form::Integer { is_date: schema.logical() == Some(Logical::Date) }
        }
        (Kind::String, Shape::String) => Form::String,
        (Kind::String, Shape::Enum { symbols, .. }) => {
            let symbols =
                symbols.iter().zip(0..).map(|(symbol, at)| (symbol.as_bytes().into(), at)).collect();
            Form::Enum { symbols }
        }
        (Kind::Array(item), Shape::Array(id)) => Form::List(inner(*id, item)?),
        (Kind::Map { key, value }, Shape::Map(id)) if matches!(key.kind, Kind::String) => {
            let key = Box::new(Node { union: None, default: None, form: Form::String });
            Form::Map { key, value: inner(*id, value)? }
        }
        (Kind::Map { key, value }, Shape::Array(id)) => {
            let Shape::Record(fields) = &avro.get(*id).shape else { return Err(disagree(kind, schema)) };
            let [first, second] = fields.as_slice() else { return Err(disagree(kind, schema)) };
            let value_first = first.name == "value";
            let (of_key, of_value) = if value_first { (second, first) } else { (first, second) };
            Form::Entries { key: inner(of_key.kind, key)?, value: inner(of_value.kind, value)?, value_first }
        }
        (Kind::Struct(_), Shape::Record(fields)) if !is_union(schema) => {
            let members = fields.iter().map(|field| member(avro, field, schema, mapping, places));
            let form = Form::Struct(members.collect::<Converted<_>>()?);
            if schema.fields().len() > fields.len() {
                return Err(mistyped(format!("{} has fewer fields than the data", kind.full_name())));
            }
            form
        }
        _ => return Err(disagree(kind, schema)),
    })
}

fn member(
    avro: &AvroSchema,
    field: &RecordField,
    schema: &Schema,
    mapping: Mapping,
    places: &mut Places,
) -> Converted<(usize, Node)> {
    let same = |name: &str| scrub_field(name, mapping.scrub) == field.name;
    let found = schema.fields().iter().enumerate().find(|(_, member)| same(&member.name));
    let Some((at, member)) = found else {
        return Err(mistyped(format!("The data have no field {}, which the schema names", field.name)));
    };
    let mut writer = node(avro, field.kind, &member.schema, mapping, places)?;
    if let Some(default) = member.schema.default.as_ref().filter(|_| !mapping.ignore_defaults)
        && let Ok(column) = rows::constant(&member.schema, default, 1)
    {
        let mut encoded = Vec::new();
        Bound::new(&writer, &column, &[]).write(0, &mut encoded)?;
        writer.default = Some(encoded.into());
    }
    Ok((at, writer))
}

/// The writer of a STRUCT that stands for a union: the first field with a value is the branch.
fn union(
    avro: &AvroSchema,
    branches: &[TypeId],
    schema: &Schema,
    mapping: Mapping,
    places: &mut Places,
) -> Converted<Form> {
    let is_null = |branch: &TypeId| matches!(avro.get(*branch).shape, Shape::Null);
    let null = branches.iter().position(is_null);
    let mut writers = Vec::with_capacity(schema.fields().len());
    for (position, field) in schema.fields().iter().enumerate() {
        // The branch of the field's name; names of generalised unions count the fields.
        let named = branches.iter().enumerate().find(|(at, branch)| {
            !is_null(branch)
                && !mapping.generalized_sums
                && branch_name(avro.get(**branch), *at, mapping) == *field.name
        });
        let nth = || branches.iter().enumerate().filter(|(_, branch)| !is_null(branch)).nth(position);
        let Some((at, branch)) = named.or_else(nth) else {
            return Err(mistyped(format!("The union has no branch for the field {}", field.name)));
        };
        let index = i64::try_from(at).map_err(|_| data("A union has too many branches"))?;
        writers.push((index, node(avro, *branch, &field.schema, mapping, places)?));
    }
    Ok(Form::Union { null: null.and_then(|null| i64::try_from(null).ok()), branches: writers })
}

fn disagree(kind: &Type, schema: &Schema) -> Box<Fault> {
    mistyped(format!("{} cannot be written as Avro {}", schema.kind.name(), kind.word()))
}
