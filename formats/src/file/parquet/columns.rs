//! Columns as the file's schema wants them, where Connect's own columns differ: fixed bytes, maps that Avro
//! has as lists of entries, and fields with defaults, of which Java's `Struct#get` never answers null.
//!
//! Source: `AvroData#fromConnectData`; what a value must be like is what the Avro converter says.

use std::sync::Arc;

use arrow_array::builder::FixedSizeBinaryBuilder;
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, BinaryArray, BooleanArray, ListArray, MapArray, Scalar, StructArray};
use arrow_schema::{ArrowError, DataType, Field as ArrowField, FieldRef, Fields};
use arrow_select::zip::zip;
use lakeward_api::rows;
use lakeward_api::schema::{Kind, Logical, Schema};

use crate::FormatError;
use crate::converter::avro::{AvroOnly, DatumOptions, is_avro_map};

/// How the columns of a schema become those of a file.
#[derive(Debug)]
pub(super) enum Stored {
    /// As they are.
    Same,
    /// Fields that are null have this value, the one row of a column of Connect's.
    Defaulted { default: ArrayRef, present: Box<Self> },
    /// BYTES of one length; numbers are filled up with their sign.
    Fixed { size: i32, is_number: bool },
    /// Items.
    List(Box<Self>),
    /// A map whose values change.
    Map(Box<Self>),
    /// A map that becomes a list of entries.
    Entries { key: Box<Self>, value: Box<Self>, key_optional: bool },
    /// Fields.
    Struct(Vec<Self>),
}

impl Stored {
    /// How the column of a field of `schema` is stored.
    pub(super) fn of_field(schema: &Schema, datum: DatumOptions) -> Self {
        let present = Self::of(schema, datum);
        let default = schema.default.as_ref().filter(|default| schema.optional && !default.is_null());
        match default.map(|default| rows::constant(schema, default, 1)) {
            Some(Ok(default)) => Self::Defaulted { default, present: Box::new(present) },
            // As with Avro, a default that is no value of its schema stands for nothing.
            Some(Err(_)) | None => present,
        }
    }

    /// How columns of `schema` are stored.
    pub(super) fn of(schema: &Schema, datum: DatumOptions) -> Self {
        if let Some(AvroOnly::Fixed(size)) = AvroOnly::of(schema, datum) {
            let is_number = matches!(schema.logical(), Some(Logical::Decimal { .. }));
            return Self::Fixed { size: i32::try_from(size).unwrap_or(i32::MAX), is_number };
        }
        let stored = match &schema.kind {
            Kind::Array(item) => Self::List(Box::new(Self::of(item, datum))),
            Kind::Map { key, value } if is_avro_map(key, datum) => {
                Self::Map(Box::new(Self::of(value, datum)))
            }
            Kind::Map { key, value } => {
                return Self::Entries {
                    key: Box::new(Self::of(key, datum)),
                    value: Box::new(Self::of(value, datum)),
                    key_optional: key.optional,
                };
            }
            Kind::Struct(fields) => {
                // Of the branches of a union one counts, whatever the defaults of the others.
                let is_union = AvroOnly::of(schema, datum) == Some(AvroOnly::Union);
                let of = if is_union { Self::of } else { Self::of_field };
                Self::Struct(fields.iter().map(|field| of(&field.schema, datum)).collect())
            }
            _ => Self::Same,
        };
        if stored.is_same() { Self::Same } else { stored }
    }

    /// True when nothing within changes.
    pub(super) fn is_same(&self) -> bool {
        match self {
            Self::Same => true,
            Self::List(item) | Self::Map(item) => item.is_same(),
            Self::Struct(fields) => fields.iter().all(Self::is_same),
            Self::Defaulted { .. } | Self::Entries { .. } | Self::Fixed { .. } => false,
        }
    }

    /// True when there is no value that has no stored form.
    pub(super) fn takes_all(&self) -> bool {
        match self {
            Self::Same => true,
            Self::Defaulted { present, .. } => present.takes_all(),
            Self::List(item) | Self::Map(item) => item.takes_all(),
            Self::Struct(fields) => fields.iter().all(Self::takes_all),
            Self::Entries { .. } | Self::Fixed { .. } => false,
        }
    }

    /// The stored form of a field of Connect's columns.
    pub(super) fn field(&self, field: &FieldRef) -> FieldRef {
        if self.is_same() {
            return Arc::clone(field);
        }
        let data_type = self.data_type(field.data_type());
        Arc::new(ArrowField::new(field.name(), data_type, field.is_nullable()))
    }

    fn data_type(&self, from: &DataType) -> DataType {
        match (self, from) {
            (Self::Defaulted { present, .. }, _) => present.data_type(from),
            (Self::Fixed { size, .. }, _) => DataType::FixedSizeBinary(*size),
            (Self::List(item), DataType::List(field)) => DataType::List(item.field(field)),
            (Self::Struct(stored), DataType::Struct(fields)) => {
                DataType::Struct(struct_fields(stored, fields))
            }
            (Self::Map(value), DataType::Map(entries, sorted)) => {
                DataType::Map(map_entries(value, entries), *sorted)
            }
            (Self::Entries { key, value, key_optional }, DataType::Map(entries, _)) => {
                DataType::List(list_entries(key, value, *key_optional, entries))
            }
            (_, same) => same.clone(),
        }
    }

    /// The stored form of a column of Connect's.
    ///
    /// # Errors
    /// Class `Record` when bytes do not have the size that their schema says.
    pub(super) fn column(&self, array: &ArrayRef) -> Result<ArrayRef, FormatError> {
        Ok(match self {
            Self::Defaulted { default, present } => present.column(&filled(array, default)?)?,
            Self::Fixed { size, is_number } => fixed(array.as_binary(), *size, *is_number)?,
            _ if self.is_same() => Arc::clone(array),
            Self::List(item) => {
                let DataType::List(field) = array.data_type() else { return Err(unexpected(array)) };
                let list = array.as_list::<i32>();
                let items = item.column(list.values())?;
                let nulls = list.nulls().cloned();
                let field = item.field(field);
                Arc::new(ListArray::try_new(field, list.offsets().clone(), items, nulls).map_err(broken)?)
            }
            Self::Struct(stored) => self::fields(stored, array.as_struct())?,
            Self::Map(value) => {
                let DataType::Map(field, sorted) = array.data_type() else { return Err(unexpected(array)) };
                let map = array.as_map();
                let field = map_entries(value, field);
                let columns = vec![Arc::clone(map.keys()), value.column(map.values())?];
                let entries = entries(&field, columns)?;
                let (offsets, nulls) = (map.offsets().clone(), map.nulls().cloned());
                Arc::new(MapArray::try_new(field, offsets, entries, nulls, *sorted).map_err(broken)?)
            }
            Self::Entries { key, value, key_optional } => {
                let DataType::Map(field, _) = array.data_type() else { return Err(unexpected(array)) };
                let map = array.as_map();
                let field = list_entries(key, value, *key_optional, field);
                let columns = vec![key.column(map.keys())?, value.column(map.values())?];
                let entries = Arc::new(entries(&field, columns)?);
                let (offsets, nulls) = (map.offsets().clone(), map.nulls().cloned());
                Arc::new(ListArray::try_new(field, offsets, entries, nulls).map_err(broken)?)
            }
            Self::Same => Arc::clone(array),
        })
    }
}

/// The column with `default` in place of nulls.
fn filled(array: &ArrayRef, default: &ArrayRef) -> Result<ArrayRef, FormatError> {
    let Some(nulls) = array.nulls().filter(|nulls| nulls.null_count() > 0) else {
        return Ok(Arc::clone(array));
    };
    let nulls = BooleanArray::new(!nulls.inner(), None);
    zip(&nulls, &Scalar::new(Arc::clone(default)), array).map_err(broken)
}

/// The fields of a record in their stored form.
pub(super) fn struct_fields(stored: &[Stored], fields: &Fields) -> Fields {
    stored.iter().zip(fields).map(|(stored, field)| stored.field(field)).collect()
}

fn fields(stored: &[Stored], record: &StructArray) -> Result<ArrayRef, FormatError> {
    let columns = stored.iter().zip(record.columns()).map(|(stored, column)| stored.column(column));
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    let fields = struct_fields(stored, record.fields());
    let nulls = record.nulls().cloned();
    Ok(Arc::new(StructArray::try_new_with_length(fields, columns, nulls, record.len()).map_err(broken)?))
}

fn map_entries(value: &Stored, entries: &FieldRef) -> FieldRef {
    let [key, old] = key_value(entries);
    let fields = Fields::from(vec![key, value.field(&old)]);
    Arc::new(ArrowField::new(entries.name(), DataType::Struct(fields), false))
}

fn list_entries(key: &Stored, value: &Stored, key_optional: bool, entries: &FieldRef) -> FieldRef {
    let [old_key, old_value] = key_value(entries);
    let key = key.field(&old_key).as_ref().clone().with_nullable(key_optional);
    let fields = Fields::from(vec![Arc::new(key), value.field(&old_value)]);
    Arc::new(ArrowField::new("item", DataType::Struct(fields), false))
}

fn key_value(entries: &FieldRef) -> [FieldRef; 2] {
    match entries.data_type() {
        DataType::Struct(fields) if fields.len() == 2 => [Arc::clone(&fields[0]), Arc::clone(&fields[1])],
        other => unreachable!("a map of Arrow has entries of two fields, not {other}"),
    }
}

fn entries(field: &FieldRef, columns: Vec<ArrayRef>) -> Result<StructArray, FormatError> {
    let DataType::Struct(fields) = field.data_type() else {
        unreachable!("entries are made with two fields");
    };
    StructArray::try_new(fields.clone(), columns, None).map_err(broken)
}

fn fixed(array: &BinaryArray, size: i32, is_number: bool) -> Result<ArrayRef, FormatError> {
    let mut builder = FixedSizeBinaryBuilder::with_capacity(array.len(), size);
    let length = usize::try_from(size).unwrap_or_default();
    let mut filled = vec![0; length];
    for value in array {
        match value {
            None => builder.append_null(),
            Some(bytes) if bytes.len() == length => builder.append_value(bytes).map_err(broken)?,
            Some(bytes) if is_number => {
                extend_sign(bytes, &mut filled)?;
                builder.append_value(&filled).map_err(broken)?;
            }
            Some(bytes) => {
                let found = bytes.len();
                return Err(FormatError::data(format!("{found} bytes do not fit a fixed of {size}")));
            }
        }
    }
    Ok(Arc::new(builder.finish()))
}

/// Writes a number of two's complement to all of `filled`.
fn extend_sign(bytes: &[u8], filled: &mut [u8]) -> Result<(), FormatError> {
    let sign = if bytes.first().is_some_and(|first| *first >= 0x80) { 0xff } else { 0 };
    let surplus = bytes.len().saturating_sub(filled.len());
    let (dropped, kept) = bytes.split_at(surplus);
    let kept_sign = if kept.first().is_some_and(|first| *first >= 0x80) { 0xff } else { 0 };
    if dropped.iter().any(|byte| *byte != sign) || (surplus > 0 && kept_sign != sign) {
        return Err(FormatError::data(format!(
            "Unscaled value byte array length {} is greater than fixed size {}",
            bytes.len(),
            filled.len()
        )));
    }
    let start = filled.len() - kept.len();
    filled[..start].fill(sign);
    filled[start..].copy_from_slice(kept);
    Ok(())
}

fn unexpected(array: &ArrayRef) -> FormatError {
    broken(ArrowError::SchemaError(format!("a column is of type {}", array.data_type())))
}

fn broken(source: ArrowError) -> FormatError {
    FormatError::Encode { source: source.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_filled_up_with_their_sign_and_never_cut() {
        let stored = |bytes: &[u8]| {
            let mut filled = [7; 3];
            extend_sign(bytes, &mut filled).map(|()| filled.to_vec()).map_err(|err| err.to_string())
        };
        assert_eq!(stored(&[]).unwrap(), [0, 0, 0]);
        assert_eq!(stored(&[0x7f]).unwrap(), [0, 0, 0x7f]);
        assert_eq!(stored(&[0x80]).unwrap(), [0xff, 0xff, 0x80]);
        assert_eq!(stored(&[0, 0, 0, 1]).unwrap(), [0, 0, 1]);
        assert_eq!(stored(&[0xff, 0xff, 0xff, 0xff]).unwrap(), [0xff, 0xff, 0xff]);
        for lost in [&[0, 0x80, 0, 0][..], &[0xff, 0x7f, 0, 0], &[1, 0, 0, 0]] {
            assert_eq!(
                stored(lost).unwrap_err(),
                "Unscaled value byte array length 4 is greater than fixed size 3"
            );
        }
    }
}
