//! Which rows of a table go to the same files: values of its partition spec, and rows by their values.
//!
//! Hashes of buckets come from the library; the other transforms are computed here, for every date and time
//! that a column can hold.
//!
//! Source: the specification of Iceberg, partition transforms; paths as `PartitionSpec#partitionToPath` has
//! them.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{
    Date32Type, Decimal128Type, Float32Type, Float64Type, Int32Type, Int64Type, Time64MicrosecondType,
    TimestampMicrosecondType, TimestampNanosecondType,
};
use arrow_array::{Array as _, ArrayRef, UInt32Array};
use arrow_select::take::take;
use base64::Engine as _;
use chrono::{DateTime, Datelike as _, NaiveDate, TimeDelta};
use iceberg::spec::{
    Datum, Literal, NestedFieldRef, PrimitiveLiteral, PrimitiveType, Struct, TableMetadata, Transform, Type,
};
use iceberg::transform::create_transform_function;
use lakeward_api::ConnectError;
use url::form_urlencoded::byte_serialize;

use super::columns::broken;
use super::error::CatalogError;

/// Longer values are cut in paths, which mean nothing to readers.
const PATH_CHARS_MAX: usize = 60;

const HOUR_SECONDS: i64 = 3600;
const DAY_SECONDS: i64 = 24 * HOUR_SECONDS;

/// The partition spec that a table writes with.
#[derive(Clone, Debug)]
pub(super) struct Partitioning {
    pub(super) spec_id: i32,
    fields: Arc<[PartitionedBy]>,
}

#[derive(Debug)]
struct PartitionedBy {
    name: String,
    transform: Transform,
    /// Where the column is: its place in the table, then in the struct there, and so on. Not looked at when
    /// the transform is void.
    path: Vec<usize>,
    of: PrimitiveType,
}

/// The values that the rows of a file share, in the order of the spec.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Partition(Vec<Option<Cell>>);

/// One value; numbers with a fraction are told apart by their bits.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Cell {
    Boolean(bool),
    Bytes(Vec<u8>),
    Decimal(i128),
    Double(u64),
    Float(u32),
    Int(i32),
    Long(i64),
    Text(String),
    Uuid(u128),
}

/// Rows of one partition, as columns of the table.
pub(super) type Group = (Partition, Vec<ArrayRef>);

impl Partitioning {
    /// The default spec of a table.
    ///
    /// # Errors
    /// When it has a transform that is not known.
    pub(super) fn of(metadata: &TableMetadata) -> Result<Self, CatalogError> {
        let spec = metadata.default_partition_spec();
        let columns = metadata.current_schema().as_struct().fields();
        let field = |field: &iceberg::spec::PartitionField| {
            let transform = field.transform;
            if !is_avro_name(&field.name) {
                // The library writes it as it is, and readers then fail to read the whole table.
                let message = format!(
                    "The partition field {} cannot be written yet: its name has other characters than \
                     letters, digits and _",
                    field.name
                );
                return Err(CatalogError::Setting { message });
            }
            let found = place(columns, field.source_id);
            let (path, of) = match (found, transform) {
                (_, Transform::Void) => (Vec::new(), PrimitiveType::Boolean),
                (Some((path, of)), _)
                    if !matches!(transform, Transform::Bucket(0) | Transform::Truncate(0))
                        && transform.result_type(&Type::Primitive(of.clone())).is_ok() =>
                {
                    (path, of)
                }
                _ => {
                    let message =
                        format!("The partition field {} ({transform}) cannot be written yet", field.name);
                    return Err(CatalogError::Setting { message });
                }
            };
            Ok(PartitionedBy { name: field.name.clone(), transform, path, of })
        };
        let fields = spec.fields().iter().map(field).collect::<Result<_, _>>()?;
        Ok(Self { spec_id: spec.spec_id(), fields })
    }

    /// The rows of `columns` by partition, in the order in which partitions come first.
    ///
    /// # Errors
    /// Class `Record` for a time that no calendar has.
    pub(super) fn split(&self, columns: Vec<ArrayRef>) -> Result<Vec<Group>, ConnectError> {
        let rows = columns.first().map_or(0, |column| column.len());
        let mut rows_of: Vec<(Partition, Vec<u32>)> = Vec::new();
        let mut known: HashMap<Partition, usize> = HashMap::new();
        for (row, number) in (0..rows).zip(0u32..) {
            if self.fields.is_empty() && row > 0 {
                break;
            }
            let cells = self.fields.iter().map(|field| field.cell(&columns, row));
            let partition = Partition(cells.collect::<Result<_, _>>()?);
            let index = *known.entry(partition).or_insert_with_key(|partition| {
                rows_of.push((partition.clone(), Vec::new()));
                rows_of.len() - 1
            });
            rows_of[index].1.push(number);
        }
        if let [(partition, _)] = &rows_of[..] {
            return Ok(vec![(partition.clone(), columns)]);
        }
        let group = |(partition, rows): (Partition, Vec<u32>)| {
            let rows = UInt32Array::from(rows);
            let taken = columns.iter().map(|column| take(column, &rows, None).map_err(broken));
            Ok((partition, taken.collect::<Result<_, ConnectError>>()?))
        };
        rows_of.into_iter().map(group).collect()
    }

    /// The folder of the files of `partition`, with a slash behind it; nothing when there are no fields.
    pub(super) fn path(&self, partition: &Partition) -> String {
        let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
        let folder = |(field, cell): (&PartitionedBy, &Option<Cell>)| {
            let text = cell.as_ref().map_or_else(|| "null".to_owned(), |cell| field.text(cell));
            let cut: String = text.chars().take(PATH_CHARS_MAX).collect();
            format!("{}={}/", encoded(&field.name), encoded(&cut))
        };
        self.fields.iter().zip(&partition.0).map(folder).collect()
    }
}

impl Partition {
    /// The values as metadata has them.
    pub(super) fn values(&self) -> Struct {
        self.0.iter().map(|cell| cell.as_ref().map(Cell::literal)).collect()
    }
}

fn is_avro_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_alphabetic() || first == '_')
        && name.chars().all(|letter| letter.is_alphanumeric() || letter == '_')
}

/// The place of the column `id`, through structs, and its type.
fn place(columns: &[NestedFieldRef], id: i32) -> Option<(Vec<usize>, PrimitiveType)> {
    columns.iter().enumerate().find_map(|(index, column)| match &*column.field_type {
        Type::Primitive(of) if column.id == id => Some((vec![index], of.clone())),
        Type::Struct(of) => {
            let (mut path, of) = place(of.fields(), id)?;
            path.insert(0, index);
            Some((path, of))
        }
        _ => None,
    })
}

impl PartitionedBy {
    fn cell(&self, columns: &[ArrayRef], row: usize) -> Result<Option<Cell>, ConnectError> {
        let Some((first, inner)) = self.path.split_first() else { return Ok(None) };
        let mut column = &columns[*first];
        for index in inner {
            if column.is_null(row) {
                return Ok(None);
            }
            column = column.as_struct().column(*index);
        }
        if column.is_null(row) {
            return Ok(None);
        }
        let out_of_range = || {
            let what = format!("A value is out of the range of the partition field {}", self.name);
            ConnectError::data(what)
        };
        self.transformed(read(&self.of, column, row)).ok_or_else(out_of_range).map(Some)
    }

    fn transformed(&self, cell: Cell) -> Option<Cell> {
        match self.transform {
            Transform::Bucket(_) => self.bucket(&cell),
            Transform::Day => self.day(&cell).map(Cell::Int),
            Transform::Hour => {
                i32::try_from(self.seconds(&cell)?.div_euclid(HOUR_SECONDS)).ok().map(Cell::Int)
            }
            Transform::Month => {
                let day = date(self.day(&cell)?)?;
                Some(Cell::Int((day.year() - 1970) * 12 + day.month0().cast_signed()))
            }
            Transform::Truncate(width) => Some(truncated(cell, width)),
            Transform::Year => Some(Cell::Int(date(self.day(&cell)?)?.year() - 1970)),
            _ => Some(cell),
        }
    }

    /// Whole numbers hash as one of 64 bits, everything else as bytes.
    fn bucket(&self, cell: &Cell) -> Option<Cell> {
        let hashed = match cell {
            Cell::Bytes(bytes) => Datum::binary(bytes.clone()),
            Cell::Decimal(number) => Datum::binary(shortest(*number)),
            Cell::Int(number) => Datum::long(i64::from(*number)),
            Cell::Long(number) if self.is_in_nanos() => Datum::long(number.div_euclid(1000)),
            Cell::Long(number) => Datum::long(*number),
            Cell::Text(text) => Datum::binary(text.as_bytes().to_vec()),
            Cell::Uuid(number) => Datum::binary(number.to_be_bytes()),
            Cell::Boolean(_) | Cell::Double(_) | Cell::Float(_) => return None,
        };
        let bucket =
            create_transform_function(&self.transform).ok()?.transform_literal_result(&hashed).ok()?;
        match bucket.literal() {
            PrimitiveLiteral::Int(bucket) => Some(Cell::Int(*bucket)),
            _ => None,
        }
    }

    fn is_in_nanos(&self) -> bool {
        matches!(self.of, PrimitiveType::TimestampNs | PrimitiveType::TimestamptzNs)
    }

    /// Since 1970, rounded down.
    fn seconds(&self, cell: &Cell) -> Option<i64> {
        match cell {
            Cell::Long(time) => {
                Some(time.div_euclid(if self.is_in_nanos() { 1_000_000_000 } else { 1_000_000 }))
            }
            _ => None,
        }
    }

    fn day(&self, cell: &Cell) -> Option<i32> {
        match cell {
            Cell::Int(day) => Some(*day),
            cell => i32::try_from(self.seconds(cell)?.div_euclid(DAY_SECONDS)).ok(),
        }
    }

    /// For paths.
    fn text(&self, cell: &Cell) -> String {
        match (self.transform, cell) {
            (Transform::Year, Cell::Int(year)) => format!("{:04}", i64::from(*year) + 1970),
            (Transform::Month, Cell::Int(month)) => {
                format!("{:04}-{:02}", month.div_euclid(12) + 1970, month.rem_euclid(12) + 1)
            }
            (Transform::Hour, Cell::Int(hour)) => {
                format!("{}-{:02}", day_text(hour.div_euclid(24)), hour.rem_euclid(24))
            }
            (Transform::Day, Cell::Int(day)) => day_text(*day),
            (Transform::Identity, Cell::Int(day)) if self.of == PrimitiveType::Date => day_text(*day),
            (Transform::Identity, Cell::Long(time)) => self.time_text(*time),
            (_, cell) => cell.to_string(),
        }
    }

    fn time_text(&self, time: i64) -> String {
        let micros = if self.is_in_nanos() { time.div_euclid(1000) } else { time };
        let at = DateTime::from_timestamp_micros(micros);
        match (&self.of, at) {
            (PrimitiveType::Timestamp | PrimitiveType::TimestampNs, Some(at)) => {
                at.format("%Y-%m-%dT%H:%M:%S%.f").to_string()
            }
            (PrimitiveType::Timestamptz | PrimitiveType::TimestamptzNs, Some(at)) => at.to_rfc3339(),
            (PrimitiveType::Time, Some(at)) => at.format("%H:%M:%S%.f").to_string(),
            _ => time.to_string(),
        }
    }
}

impl Cell {
    fn literal(&self) -> Literal {
        let primitive = |primitive| Literal::Primitive(primitive);
        match self {
            Self::Boolean(is) => Literal::bool(*is),
            Self::Bytes(bytes) => primitive(PrimitiveLiteral::Binary(bytes.clone())),
            Self::Decimal(number) => primitive(PrimitiveLiteral::Int128(*number)),
            Self::Double(bits) => Literal::double(f64::from_bits(*bits)),
            Self::Float(bits) => Literal::float(f32::from_bits(*bits)),
            Self::Int(number) => Literal::int(*number),
            Self::Long(number) => Literal::long(*number),
            Self::Text(text) => Literal::string(text),
            Self::Uuid(number) => primitive(PrimitiveLiteral::UInt128(*number)),
        }
    }
}

impl std::fmt::Display for Cell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Boolean(is) => is.fmt(f),
            Self::Bytes(bytes) => f.write_str(&base64::prelude::BASE64_STANDARD.encode(bytes)),
            Self::Decimal(unscaled) => unscaled.fmt(f),
            Self::Double(bits) => f64::from_bits(*bits).fmt(f),
            Self::Float(bits) => f32::from_bits(*bits).fmt(f),
            Self::Int(number) => number.fmt(f),
            Self::Long(number) => number.fmt(f),
            Self::Text(text) => text.fmt(f),
            Self::Uuid(number) => uuid::Uuid::from_u128(*number).fmt(f),
        }
    }
}

fn read(of: &PrimitiveType, column: &ArrayRef, row: usize) -> Cell {
    match of {
        PrimitiveType::Binary => Cell::Bytes(column.as_binary::<i32>().value(row).to_vec()),
        PrimitiveType::Boolean => Cell::Boolean(column.as_boolean().value(row)),
        PrimitiveType::Date => Cell::Int(column.as_primitive::<Date32Type>().value(row)),
        PrimitiveType::Decimal { .. } => Cell::Decimal(column.as_primitive::<Decimal128Type>().value(row)),
        PrimitiveType::Double => Cell::Double(column.as_primitive::<Float64Type>().value(row).to_bits()),
        PrimitiveType::Fixed(_) => Cell::Bytes(column.as_fixed_size_binary().value(row).to_vec()),
        PrimitiveType::Float => Cell::Float(column.as_primitive::<Float32Type>().value(row).to_bits()),
        PrimitiveType::Int => Cell::Int(column.as_primitive::<Int32Type>().value(row)),
        PrimitiveType::Long => Cell::Long(column.as_primitive::<Int64Type>().value(row)),
        PrimitiveType::String => Cell::Text(column.as_string::<i32>().value(row).to_owned()),
        PrimitiveType::Time => Cell::Long(column.as_primitive::<Time64MicrosecondType>().value(row)),
        PrimitiveType::Timestamp | PrimitiveType::Timestamptz => {
            Cell::Long(column.as_primitive::<TimestampMicrosecondType>().value(row))
        }
        PrimitiveType::TimestampNs | PrimitiveType::TimestamptzNs => {
            Cell::Long(column.as_primitive::<TimestampNanosecondType>().value(row))
        }
        PrimitiveType::Uuid => {
            let bytes = column.as_fixed_size_binary().value(row);
            Cell::Uuid(u128::from_be_bytes(bytes.try_into().expect("it has 16 bytes")))
        }
    }
}

/// Numbers are rounded down to a multiple of `width`, and wrap where Java's do; texts keep so many
/// characters, bytes so many bytes.
fn truncated(cell: Cell, width: u32) -> Cell {
    let count = usize::try_from(width).unwrap_or(usize::MAX);
    match cell {
        Cell::Bytes(mut bytes) => {
            bytes.truncate(count);
            Cell::Bytes(bytes)
        }
        Cell::Decimal(number) => Cell::Decimal(number - number.rem_euclid(i128::from(width))),
        Cell::Int(number) => {
            let width = i32::try_from(width).unwrap_or(i32::MAX);
            Cell::Int(number.wrapping_sub(number.rem_euclid(width)))
        }
        Cell::Long(number) => Cell::Long(number.wrapping_sub(number.rem_euclid(i64::from(width)))),
        Cell::Text(text) => Cell::Text(text.chars().take(count).collect()),
        other => other,
    }
}

/// The shortest bytes of a number, the most significant one first.
fn shortest(number: i128) -> Vec<u8> {
    let bytes = number.to_be_bytes();
    let sign = if number < 0 { 0xff } else { 0 };
    let is_spare = |pair: &[u8]| pair[0] == sign && (pair[1] ^ sign) < 0x80;
    let spare = bytes.windows(2).take_while(|pair| is_spare(pair)).count();
    bytes[spare..].to_vec()
}

fn date(day: i32) -> Option<NaiveDate> {
    NaiveDate::default().checked_add_signed(TimeDelta::try_days(i64::from(day))?)
}

fn day_text(day: i32) -> String {
    date(day).map_or_else(|| day.to_string(), |date| date.to_string())
}

#[cfg(test)]
mod tests;
