//! Column builders for an Avro schema and its Connect schema, which follow each other type by type.

use std::sync::Arc;

use arrow_schema::DataType;
use lakeward_api::schema::{Kind, Logical, Schema};

use super::super::fault::{Converted, data};
use super::super::mapping::{Mapping, branch_name, is_map_entry, is_union};
use super::super::schema::{AvroSchema, Shape, Type, TypeId};
use super::bits::Bits;
use super::map::MapCells;
use super::tree::Tree;
use super::{Cells, Column, Presence, VarCells};

/// The column of `id`, whose Connect schema is `schema`.
pub(super) fn column(
    avro: &Arc<AvroSchema>,
    id: TypeId,
    schema: &Schema,
    mapping: Mapping,
) -> Converted<Column> {
    let kind = avro.get(id);
    if let Shape::Union(branches) = &kind.shape
        && !is_union(schema)
    {
        let (branch, union) = match (branches.as_slice(), avro.nullable(branches)) {
            ([only], _) => (*only, Presence::Single),
            (_, Some((branch, null))) => (branch, Presence::Nullable { null: u8::from(null == 1) }),
            _ => return Err(disagree(kind, schema)),
        };
        let column = column(avro, branch, schema, mapping)?;
        return Ok(Column { union, bytes_min: 1, ..column });
    }
    let (cells, width, bytes_min) = cells(avro, id, schema, mapping)?;
    let nulls = schema.optional.then(Bits::default);
    Ok(Column { cells, union: Presence::Plain, nulls, width, bytes_min })
}

/// Cells, the cells of a null, and the bytes a value takes at least.
fn cells(
    avro: &Arc<AvroSchema>,
    id: TypeId,
    schema: &Schema,
    mapping: Mapping,
) -> Converted<(Cells, usize, usize)> {
    let kind = avro.get(id);
    if let Some(why) = refusal(avro, kind, schema) {
        let (cells, width, bytes_min) = accepted_cells(avro, id, schema, mapping)?;
        let nulls = schema.optional.then(Bits::default);
        let cells = Box::new(Column { cells, union: Presence::Plain, nulls, width, bytes_min });
        return Ok((Cells::Refused { why: why.into(), cells }, width, bytes_min));
    }
    accepted_cells(avro, id, schema, mapping)
}

/// Cells of values that Java reads.
fn accepted_cells(
    avro: &Arc<AvroSchema>,
    id: TypeId,
    schema: &Schema,
    mapping: Mapping,
) -> Converted<(Cells, usize, usize)> {
    let kind = avro.get(id);
    let cells = match (&kind.shape, &schema.kind, schema.logical()) {
        (Shape::Record(_), Kind::Recursive(recursive), _) => {
            let tree = Box::new(Tree::new(avro, id, *recursive, mapping));
            Cells::Recursive { tree, packed: Vec::new(), cells: VarCells::new() }
        }
        (Shape::Boolean, Kind::Boolean, _) => Cells::Boolean(Bits::default()),
        (Shape::Bytes, Kind::Bytes, Some(Logical::Decimal { .. })) => Cells::Decimal(VarCells::new()),
        (Shape::Bytes, Kind::Bytes, _) => Cells::Bytes(VarCells::new()),
        (Shape::Double, Kind::Float64, _) => return Ok((Cells::Double(Vec::new()), 1, 8)),
        (Shape::Float, Kind::Float32, _) => return Ok((Cells::Float(Vec::new()), 1, 4)),
        (Shape::Int, Kind::Int32, Some(Logical::Date)) => Cells::Date(Vec::new()),
        (Shape::Int, Kind::Int32, Some(Logical::Time)) => Cells::Time(Vec::new()),
        (Shape::Int, Kind::Int32, _) => Cells::Int32(Vec::new()),
        (Shape::Int, Kind::Int16, _) => Cells::Int16(Vec::new()),
        (Shape::Int, Kind::Int8, _) => Cells::Int8(Vec::new()),
        (Shape::Long, Kind::Int64, Some(Logical::Timestamp)) => Cells::Timestamp(Vec::new()),
        (Shape::Long, Kind::Int64, _) => Cells::Int64(Vec::new()),
        (Shape::String, Kind::String, _) => Cells::String(VarCells::new()),
        (Shape::Enum { symbols, .. }, Kind::String, _) => {
            let symbols = symbols.iter().map(|symbol| symbol.as_bytes().into()).collect();
            Cells::Enum { symbols, texts: VarCells::new() }
        }
        (Shape::Fixed(size), Kind::Bytes, logical) => {
            let (size, cells) = (*size, VarCells::new());
            let is_decimal = matches!(logical, Some(Logical::Decimal { .. }));
            let cells =
                if is_decimal { Cells::FixedDecimal { size, cells } } else { Cells::Fixed { size, cells } };
            return Ok((cells, 1, size));
        }
        (Shape::Array(item), Kind::Array(schema), _) => {
            let field = Arc::new(schema.arrow_field("item"));
            let item = Box::new(column(avro, *item, schema, mapping)?);
            Cells::List { offsets: vec![0], item, field }
        }
        (Shape::Array(item), Kind::Map { .. }, _) if is_map_entry(avro.get(*item)) => {
            entries(avro, avro.get(*item), schema, mapping)?
        }
        (Shape::Map(id), Kind::Map { value, .. }, _) => {
            let value = column(avro, *id, value, mapping)?;
            let key = Column::texts();
            Cells::Map(Box::new(MapCells::new(key, value, false, map_field(schema))))
        }
        (Shape::Record(_), Kind::Struct(_), _) => return record(avro, kind, schema, mapping),
        (Shape::Union(branches), Kind::Struct(_), _) => return union(avro, branches, schema, mapping),
        _ => return Err(disagree(kind, schema)),
    };
    Ok((cells, 1, 1))
}

/// Names of logical types start with this.
const LOGICAL_PREFIX: &str = "org.apache.kafka.connect.data.";

/// Why Java refuses every value of a type but null.
pub(super) fn refusal(avro: &AvroSchema, kind: &Type, schema: &Schema) -> Option<String> {
    let name = schema.name.as_deref().and_then(|name| name.strip_prefix(LOGICAL_PREFIX));
    if let (Some(name @ ("Date" | "Decimal" | "Time" | "Timestamp")), None) = (name, schema.logical()) {
        return Some(format!("Invalid type for {name}: it was Avro {}", kind.word()));
    }
    match (&kind.shape, &schema.kind) {
        // Java reads such maps with texts as keys as if they were Avro maps.
        (Shape::Array(item), Kind::Map { key, .. })
            if is_map_entry(avro.get(*item)) && matches!(key.kind, Kind::String) && !key.optional =>
        {
            Some(
                "Invalid type for MAP: class org.apache.avro.generic.GenericData$Array. Arrays of map \
                 entries need keys of another type than string."
                    .to_owned(),
            )
        }
        _ => None,
    }
}

fn entries(avro: &Arc<AvroSchema>, item: &Type, schema: &Schema, mapping: Mapping) -> Converted<Cells> {
    let (Shape::Record(fields), Kind::Map { key, value }) = (&item.shape, &schema.kind) else {
        return Err(disagree(item, schema));
    };
    let [first, second] = fields.as_slice() else { return Err(disagree(item, schema)) };
    let value_first = first.name == "value";
    let (key_field, value_field) = if value_first { (second, first) } else { (first, second) };
    let key = column(avro, key_field.kind, key, mapping)?;
    let value = column(avro, value_field.kind, value, mapping)?;
    Ok(Cells::Map(Box::new(MapCells::new(key, value, value_first, map_field(schema)))))
}

fn map_field(schema: &Schema) -> arrow_schema::FieldRef {
    match schema.arrow_type() {
        DataType::Map(field, _) => field,
        _ => unreachable!("a MAP is a Map"),
    }
}

fn record(
    avro: &Arc<AvroSchema>,
    kind: &Type,
    schema: &Schema,
    mapping: Mapping,
) -> Converted<(Cells, usize, usize)> {
    let Shape::Record(fields) = &kind.shape else { return Err(disagree(kind, schema)) };
    let pairs = fields.iter().zip(schema.fields());
    let columns: Vec<Column> = pairs
        .map(|(field, member)| column(avro, field.kind, &member.schema, mapping))
        .collect::<Converted<_>>()?;
    let width = columns.iter().map(|column| column.width).sum::<usize>() + 1;
    let bytes_min = columns.iter().map(|column| column.bytes_min).fold(0, usize::saturating_add);
    Ok((Cells::Struct { columns, fields: schema.arrow_fields(), rows: 0 }, width, bytes_min))
}

fn union(
    avro: &Arc<AvroSchema>,
    branches: &[TypeId],
    schema: &Schema,
    mapping: Mapping,
) -> Converted<(Cells, usize, usize)> {
    let mut columns = Vec::with_capacity(branches.len());
    let mut places = Vec::with_capacity(branches.len());
    for (at, branch) in branches.iter().enumerate() {
        let kind = avro.get(*branch);
        if matches!(kind.shape, Shape::Null) {
            places.push(None);
            continue;
        }
        let name = branch_name(kind, at, mapping);
        let Some((_, member)) = schema.field(&name) else { return Err(disagree(kind, schema)) };
        places.push(Some(columns.len()));
        columns.push(column(avro, *branch, &member.schema, mapping)?);
    }
    let width = columns.iter().map(|column| column.width).sum::<usize>() + 1;
    let cells = Cells::Union { branches: places, columns, fields: schema.arrow_fields(), rows: 0 };
    Ok((cells, width, 1))
}

pub(super) fn disagree(kind: &Type, schema: &Schema) -> Box<super::super::fault::Fault> {
    let name = schema.kind.name();
    data(format!("Avro {} cannot be read as {name}", kind.word()))
}

impl Column {
    /// A column of required texts: the keys of Avro maps.
    fn texts() -> Self {
        let cells = Cells::String(VarCells::new());
        Self { cells, union: Presence::Plain, nulls: None, width: 1, bytes_min: 1 }
    }
}
