//! Empty columns.

use std::sync::Arc;

use arrow_schema::DataType;
use lakeward_api::schema::{Kind as Connect, Logical, Schema};

use super::super::descriptor::{Enum, Kind};
use super::super::fault::{Converted, data};
use super::cells::{Marks, VarCells};
use super::logical::Parts;
use super::map::MapCells;
use super::{Absent, Cells, Column, Constant, MessageCells, Names, Number};

impl Column {
    fn new(cells: Cells, wire: u8, constant: Constant, width: usize) -> Self {
        Self {
            cells,
            rows: 0,
            is_set: false,
            nulls: None,
            wire,
            is_wrapper: false,
            is_required: false,
            absent: Absent::Default,
            constant,
            width,
        }
    }

    /// A column of messages.
    pub(in super::super) fn of_message(message: MessageCells) -> Self {
        let width = message.width;
        Self::new(Cells::Message(Box::new(message)), 2, Constant::default(), width)
    }

    /// A column of messages that contain themselves, of the type `target`.
    pub(in super::super) fn of_packed(target: usize) -> Self {
        Self::new(Cells::Packed { cells: VarCells::new(), target }, 2, Constant::default(), 1)
    }

    /// A column of the oneof that `schema` stands for; it is null in messages that have none of the members.
    pub(in super::super) fn of_union(members: Vec<Self>, schema: &Schema) -> Self {
        let width = 1 + members.iter().map(|member| member.width).sum::<usize>();
        let cells = Cells::Union { members, fields: schema.arrow_fields(), chosen: None };
        let mut column = Self::new(cells, 2, Constant::default(), width);
        column.absent = Absent::Null;
        column.set_optional(true);
        column
    }

    /// A column of lists of `item`.
    pub(in super::super) fn of_list(item: Self, schema: &Schema) -> Self {
        let mut item = item;
        let Connect::Array(inner) = &schema.kind else { unreachable!("lists are arrays") };
        item.set_optional(inner.optional);
        let field = Arc::new(inner.arrow_field("item"));
        Self::new(Cells::List { offsets: vec![0], item: Box::new(item), field }, 2, Constant::default(), 1)
    }

    /// A column of maps.
    ///
    /// # Errors
    /// A `DataException` when the keys are messages.
    pub(in super::super) fn of_map(key: Self, value: Self, schema: &Schema) -> Converted<Self> {
        if matches!(key.cells, Cells::Message(_) | Cells::Packed { .. }) || key.is_wrapper {
            return Err(data("A map has messages as keys, which columns cannot hold"));
        }
        let (Connect::Map { key: of_key, value: of_value }, DataType::Map(field, _)) =
            (&schema.kind, schema.arrow_type())
        else {
            unreachable!("maps are maps")
        };
        let mut key = key;
        key.set_optional(false);
        let map = MapCells::new(key, value, [Arc::clone(of_key), Arc::clone(of_value)], field);
        Ok(Self::new(Cells::Map(Box::new(map)), 2, Constant::default(), 1))
    }

    /// The column of wrapper messages around such values.
    pub(in super::super) fn wrapped(self) -> Self {
        Self { is_wrapper: true, wire: 2, ..self }
    }

    /// The column with null where there is no value.
    pub(in super::super) fn or_null(self) -> Self {
        Self { absent: Absent::Null, ..self }
    }

    /// Makes the column nullable or not; it has no rows yet.
    pub(in super::super) fn set_optional(&mut self, is_optional: bool) {
        self.nulls = is_optional.then(Marks::default);
    }
}

/// A column of the scalar type `kind`, whose Connect schema is `schema`.
///
/// # Errors
/// Types that do not belong together.
pub(in super::super) fn scalar(kind: &Kind, schema: &Schema, constant: Constant) -> Converted<Column> {
    let form = match kind {
        Kind::Fixed32 => Number::Fixed32,
        Kind::Sfixed32 => Number::Sfixed32,
        Kind::Fixed64 | Kind::Sfixed64 => Number::Fixed64,
        Kind::Uint32 => Number::Uint32,
        Kind::Sint32 => Number::Zigzag32,
        Kind::Sint64 => Number::Zigzag64,
        _ => Number::Varint,
    };
    let cells = match (kind, &schema.kind) {
        (Kind::Bool, _) => Cells::Boolean(Marks::default()),
        (Kind::Bytes, _) => Cells::Bytes(VarCells::new()),
        (Kind::String { strict }, _) => Cells::Text { cells: VarCells::new(), strict: *strict },
        (Kind::Double, _) => Cells::Double(Vec::new()),
        (Kind::Float, _) => Cells::Float(Vec::new()),
        (_, Connect::Int8) => Cells::Int8(Vec::new(), form),
        (_, Connect::Int16) => Cells::Int16(Vec::new(), form),
        (_, Connect::Int32) => Cells::Int32(Vec::new(), form),
        (_, Connect::Int64) => Cells::Int64(Vec::new(), form),
        _ => return Err(data(format!("Protobuf {} has no column", kind.word()))),
    };
    Ok(Column::new(cells, kind.wire(), constant, 1))
}

/// A column of an enum, as names or as numbers.
pub(in super::super) fn enumeration(
    definition: &Enum,
    schema: &Schema,
    constant: Constant,
    is_closed: bool,
) -> Column {
    let name = |(name, number): &(String, i32)| (*number, name.as_bytes().into());
    let mut by_number: Vec<(i32, Box<[u8]>)> = definition.values.iter().map(name).collect();
    // Of several names the first counts: the order of equal numbers stays.
    by_number.sort_by_key(|(number, _)| *number);
    by_number.dedup_by_key(|(number, _)| *number);
    let names = Box::new(Names { by_number, enum_name: definition.name.clone(), is_closed });
    let cells = match schema.kind {
        Connect::Int32 => Cells::EnumNumber { cells: Vec::new(), names },
        _ => Cells::EnumText { cells: VarCells::new(), names },
    };
    Column::new(cells, 0, constant, 1)
}

/// A column of a logical type, which is a message.
pub(in super::super) fn logical(logical: Logical) -> Column {
    let parts = Parts::default();
    let cells = match logical {
        Logical::Date => Cells::Date { cells: Vec::new(), parts },
        Logical::Time => Cells::Time { cells: Vec::new(), parts },
        Logical::Timestamp => Cells::Timestamp { cells: Vec::new(), parts },
        Logical::Decimal { scale } => {
            Cells::Decimal { cells: VarCells::new(), scale, parts, unscaled: Vec::new() }
        }
    };
    Column::new(cells, 2, Constant::default(), 1)
}
