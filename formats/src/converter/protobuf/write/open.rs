//! Columns with packed messages as columns without: each place of recursion is taken apart as deep as its
//! values go.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, ListArray, MapArray, StructArray};
use arrow_schema::{DataType, Field, FieldRef};
use lakeward_api::recursion;

use super::super::fault::{Converted, data};
use super::super::mapping::{FieldDesign, Form, MessageDesign};

/// The messages of `array`, taken apart. Recursion is bounded by the depth of the schema and of packed
/// values.
pub(super) fn open_message(design: &MessageDesign, array: &ArrayRef) -> Converted<ArrayRef> {
    if !design.has_cycle {
        return Ok(Arc::clone(array));
    }
    let messages = array.as_struct();
    let mut columns = messages.columns().to_vec();
    for field in &design.fields {
        let column = &columns[field.column];
        columns[field.column] = match field.member {
            None => open_field(field, design, column)?,
            Some(member) => {
                let union = column.as_struct();
                let mut members = union.columns().to_vec();
                members[member] = open_field(field, design, &members[member])?;
                Arc::new(with_columns(union, members))
            }
        };
    }
    Ok(Arc::new(with_columns(messages, columns)))
}

fn open_field(field: &FieldDesign, around: &MessageDesign, array: &ArrayRef) -> Converted<ArrayRef> {
    if !field.is_list {
        return open_value(&field.form, around, array);
    }
    let list = array.as_list::<i32>();
    let items = open_value(&field.form, around, list.values())?;
    let DataType::List(item) = list.data_type() else { unreachable!("lists are lists") };
    let item = of_type(item, &items);
    Ok(Arc::new(ListArray::new(item, list.offsets().clone(), items, list.nulls().cloned())))
}

fn open_value(form: &Form, around: &MessageDesign, array: &ArrayRef) -> Converted<ArrayRef> {
    match form {
        Form::Recursive(_) if array.null_count() == array.len() => Ok(Arc::clone(array)),
        Form::Recursive(recursive) => {
            let opened = recursion::open(array, *recursive).map_err(|error| data(error.to_string()))?;
            open_message(around, &opened)
        }
        Form::Message(design) => open_message(design, array),
        Form::Map { value, .. } => {
            let map = array.as_map();
            let entries = map.entries();
            let values = open_field(value, around, map.values())?;
            let entries = with_columns(entries, vec![Arc::clone(map.keys()), values]);
            let DataType::Map(field, _) = map.data_type() else { unreachable!("maps are maps") };
            let field = Arc::new(field.as_ref().clone().with_data_type(entries.data_type().clone()));
            Ok(Arc::new(MapArray::new(field, map.offsets().clone(), entries, map.nulls().cloned(), false)))
        }
        Form::Enum { .. } | Form::Logical(_) | Form::Scalar(_) | Form::Wrapper(_) => Ok(Arc::clone(array)),
    }
}

fn with_columns(array: &StructArray, columns: Vec<ArrayRef>) -> StructArray {
    let fields: Vec<FieldRef> =
        array.fields().iter().zip(&columns).map(|(field, column)| of_type(field, column)).collect();
    match columns.is_empty() {
        true => array.clone(),
        false => StructArray::new(fields.into(), columns, array.nulls().cloned()),
    }
}

fn of_type(field: &Field, column: &ArrayRef) -> FieldRef {
    Arc::new(field.clone().with_data_type(column.data_type().clone()))
}
