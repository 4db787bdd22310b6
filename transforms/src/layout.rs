//! The columns of shaped rows, laid out anew.
//!
//! Schemaless rows of one shape are maps with the same keys ([`lakeward_api::shaped`]). What a transform does
//! to those keys is the same for every row: it is decided once per shape, and the columns move whole.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, StructArray};
use arrow_schema::{DataType, Field, FieldRef, Fields};
use lakeward_api::ConnectError;
use lakeward_api::batch::Values;

/// What was computed for the latest shapes.
pub(crate) struct ShapePlans<P>(Vec<(DataType, P)>);

/// As many as for schemas.
const PLANS: usize = 16;

impl<P> Default for ShapePlans<P> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<P> ShapePlans<P> {
    /// The plan for `shape`; made when neither this shape nor an equal one was seen lately.
    pub(crate) fn get(&mut self, shape: &DataType, make: impl FnOnce() -> P) -> &P {
        let same = self.0.iter().position(|(known, _)| is_same(known, shape));
        let at = match same.or_else(|| self.0.iter().position(|(known, _)| known == shape)) {
            Some(at) => at,
            None => {
                if self.0.len() == PLANS {
                    self.0.remove(0);
                }
                self.0.push((shape.clone(), make()));
                self.0.len() - 1
            }
        };
        &self.0[at].1
    }
}

/// Whether both are the same list of fields, not only equal ones.
fn is_same(a: &DataType, b: &DataType) -> bool {
    matches!((a, b), (DataType::Struct(a), DataType::Struct(b)) if std::ptr::eq::<[FieldRef]>(&**a, &**b))
}

/// Keys and columns that rows are made of.
#[derive(Default)]
pub(crate) struct Layout {
    fields: Fields,
    sources: Vec<Source>,
}

/// Where a column comes from.
#[derive(Clone, Copy)]
pub(crate) enum Source {
    /// The column of this number among those that the transform adds.
    New(usize),
    /// The column of this number of the rows.
    Old(usize),
}

impl Layout {
    /// Keys in order; each must be there once.
    pub(crate) fn new(columns: Vec<(FieldRef, Source)>) -> Self {
        let (fields, sources): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
        Self { fields: fields.into(), sources }
    }

    /// Every column of a shape in its place.
    pub(crate) fn entries(fields: &Fields) -> Vec<(FieldRef, Source)> {
        fields.iter().enumerate().map(|(index, field)| (Arc::clone(field), Source::Old(index))).collect()
    }

    /// The rows of `old` in this layout; null rows stay null.
    ///
    /// # Errors
    /// `Fatal` when the new columns are not those that the layout was made for.
    pub(crate) fn apply(&self, old: &StructArray, new: &[ArrayRef]) -> Result<ArrayRef, ConnectError> {
        let nulls = old.nulls().cloned();
        if self.sources.is_empty() {
            return Ok(Arc::new(StructArray::new_empty_fields(old.len(), nulls)));
        }
        let column = |source: &Source| match source {
            Source::New(at) => Arc::clone(&new[*at]),
            Source::Old(at) => Arc::clone(old.column(*at)),
        };
        let columns = self.sources.iter().map(column).collect();
        let rows = StructArray::try_new(self.fields.clone(), columns, nulls)
            .map_err(|err| ConnectError::fatal("columns do not fit their shape").with_source(err))?;
        Ok(Arc::new(rows))
    }
}

/// A key of a shape.
pub(crate) fn key(name: &str, kind: DataType) -> FieldRef {
    Arc::new(Field::new(name, kind, true))
}

/// The columns of rows that are maps of one shape or null.
pub(crate) fn maps(values: &Values) -> Option<&StructArray> {
    match values {
        Values::Shaped(array) => array.as_struct_opt(),
        Values::Dynamic(_) | Values::Null { .. } | Values::Typed { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape_fields::tests::check_both_ways;

    #[test]
    fn shaped_rows_of_every_kind_end_as_single_ones() {
        let v2 = ("field.syntax.version", "V2");
        let headers = ("headers", "h,i,j");
        check_both_ways("HoistField$Value", &[&[("field", "text")]]);
        check_both_ways("SetSchemaMetadata$Value", &[&[("schema.name", "n")]]);
        check_both_ways("InsertHeader", &[&[("header", "h"), ("value.literal", "1")]]);
        check_both_ways("ValueToKey", &[&[("fields", "text,z,null")], &[("fields", "map,list,date,text")]]);
        check_both_ways(
            "InsertField$Value",
            &[
                &[("topic.field", "t"), ("partition.field", "int8"), ("timestamp.field", "null!")],
                &[("static.field", "map?"), ("static.value", "x"), ("offset.field", "map")],
            ],
        );
        for (operation, fields) in
            [("copy", "text,z,map"), ("move", "null,null,empty"), ("move", "list,z,date")]
        {
            let settings = [("fields", fields), headers, ("operation", operation)];
            check_both_ways("HeaderFrom$Value", &[&settings]);
        }
        for field in
            ["text", "null", "z", "map", "map.place", "map.place.lat", "map.at.x", "text.x", "list.x", ""]
        {
            check_both_ways("ExtractField$Value", &[&[("field", field)], &[("field", field), v2]]);
        }
        check_both_ways(
            "ReplaceField$Value",
            &[
                &[("include", "text,map,null")],
                &[("exclude", "text,map,z"), ("renames", "date:day,null:none")],
                &[("renames", "text:number,list:map,int8:int16,int16:int8,z:null")],
            ],
        );
    }

    #[test]
    fn plans_are_made_once_per_shape() {
        let shape = |name: &str| DataType::Struct(vec![key(name, DataType::Int8)].into());
        let (one, equal, other) = (shape("a"), shape("a"), shape("b"));
        let mut plans = ShapePlans::default();
        for (number, wanted) in [(&one, 0), (&equal, 0), (&other, 1), (&one, 0)].into_iter().enumerate() {
            let made = plans.0.len();
            assert_eq!(*plans.get(wanted.0, || made), wanted.1, "{number}");
        }
        for number in 0..100 {
            plans.get(&shape(&format!("more {number}")), || 0);
        }
        assert_eq!(plans.0.len(), PLANS);
    }
}
