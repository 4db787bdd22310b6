//! Record headers.

use std::borrow::Cow;
use std::sync::Arc;

use crate::ConnectError;
use crate::batch::Values;
use crate::rows;
use crate::schema::Schema;
use crate::shaped;
use crate::value::Value;

/// A converted header. Headers are ordered and keys may repeat.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    /// Header name.
    pub key: Arc<str>,
    /// Schema of the value; `None` when schemaless.
    pub schema: Option<Arc<Schema>>,
    /// The value.
    pub value: Value,
}

/// A header that every row of a batch has at the same place of its list.
#[derive(Clone, Debug)]
pub struct HeaderColumn {
    /// Header name.
    pub key: Arc<str>,
    /// One value per row.
    pub values: HeaderValues,
}

/// The values of one header, row by row.
#[derive(Clone, Debug)]
pub enum HeaderValues {
    /// Every row has this one.
    Constant {
        /// Schema of the value; `None` when schemaless.
        schema: Option<Arc<Schema>>,
        /// The value.
        value: Value,
    },
    /// A value per row, all of one schema or all schemaless.
    Rows(Values),
    /// Whole numbers, each of the smallest integer type that holds it, as they are read from texts.
    Smallest(SmallestIntegers),
    /// Rows of several schemas.
    Mixed(MixedHeaders),
}

/// Whole numbers without a type of their own: INT8, INT16, INT32 or INT64 by their size.
#[derive(Clone, Debug)]
pub struct SmallestIntegers {
    /// INT8, INT16, INT32, INT64.
    pub schemas: Arc<[Arc<Schema>; 4]>,
    /// One per row.
    pub numbers: Vec<i64>,
}

impl SmallestIntegers {
    fn row(&self, row: usize) -> (Option<Arc<Schema>>, Value) {
        let number = self.numbers[row];
        let (width, value) = if let Ok(number) = i8::try_from(number) {
            (0, Value::Int8(number))
        } else if let Ok(number) = i16::try_from(number) {
            (1, Value::Int16(number))
        } else if let Ok(number) = i32::try_from(number) {
            (2, Value::Int32(number))
        } else {
            (3, Value::Int64(number))
        };
        (Some(Arc::clone(&self.schemas[width])), value)
    }
}

/// The values of one header whose schemas differ from row to row. Few schemas come again and again, so each
/// row names its schema by a number.
#[derive(Clone, Debug, Default)]
pub struct MixedHeaders {
    schemas: Vec<Option<Arc<Schema>>>,
    /// Place of the schema in `schemas`, and value.
    rows: Vec<(u32, Value)>,
}

impl MixedHeaders {
    /// No row yet, room for `rows`.
    pub fn with_capacity(rows: usize) -> Self {
        Self { schemas: Vec::new(), rows: Vec::with_capacity(rows) }
    }

    /// The number of a schema; `None` is schemaless. Ask for one number per schema.
    pub fn add_schema(&mut self, schema: Option<Arc<Schema>>) -> u32 {
        self.schemas.push(schema);
        u32::try_from(self.schemas.len() - 1).expect("there are fewer schemas than rows")
    }

    /// Appends a row; `schema` is a number that [`MixedHeaders::add_schema`] gave.
    pub fn push(&mut self, schema: u32, value: Value) {
        debug_assert!((schema as usize) < self.schemas.len(), "the schema was not added");
        self.rows.push((schema, value));
    }

    /// Appends a row and finds the number of its schema among the latest few.
    pub fn push_with(&mut self, schema: Option<Arc<Schema>>, value: Value) {
        let latest = self.schemas.iter().enumerate().rev().take(8);
        let known = latest.into_iter().find(|(_, known)| **known == schema);
        let number = known.map(|(at, _)| at);
        let number = match number.and_then(|at| u32::try_from(at).ok()) {
            Some(number) => number,
            None => self.add_schema(schema),
        };
        self.rows.push((number, value));
    }

    fn row(&self, row: usize) -> (Option<Arc<Schema>>, Value) {
        let (schema, value) = &self.rows[row];
        (self.schemas[*schema as usize].clone(), value.clone())
    }

    fn take(&self, rows: &[u32]) -> Self {
        let rows = rows.iter().map(|row| self.rows[*row as usize].clone()).collect();
        Self { schemas: self.schemas.clone(), rows }
    }
}

impl FromIterator<(Option<Arc<Schema>>, Value)> for MixedHeaders {
    fn from_iter<I: IntoIterator<Item = (Option<Arc<Schema>>, Value)>>(rows: I) -> Self {
        let mut mixed = Self::default();
        rows.into_iter().for_each(|(schema, value)| mixed.push_with(schema, value));
        mixed
    }
}

impl HeaderValues {
    /// Schema and value of row `row`.
    pub fn row(&self, row: usize) -> (Option<Arc<Schema>>, Value) {
        match self {
            Self::Constant { schema, value } => (schema.clone(), value.clone()),
            Self::Mixed(values) => values.row(row),
            Self::Smallest(values) => values.row(row),
            Self::Rows(Values::Dynamic(values)) => (None, values[row].clone()),
            Self::Rows(Values::Null { .. }) => (None, Value::Null),
            Self::Rows(Values::Shaped(array)) => (None, shaped::value_at(array, row)),
            Self::Rows(Values::Typed { schema, array }) => {
                (Some(Arc::clone(schema)), rows::value_at(schema, array, row))
            }
        }
    }

    fn take(&self, rows: &[u32]) -> Result<Self, ConnectError> {
        Ok(match self {
            Self::Constant { .. } => self.clone(),
            Self::Rows(values) => Self::Rows(values.take(rows)?),
            Self::Mixed(values) => Self::Mixed(values.take(rows)),
            Self::Smallest(values) => {
                let numbers = rows.iter().map(|row| values.numbers[*row as usize]).collect();
                Self::Smallest(SmallestIntegers { schemas: Arc::clone(&values.schemas), numbers })
            }
        })
    }

    fn fits(&self, rows: usize) -> bool {
        match self {
            Self::Constant { .. } => true,
            Self::Rows(values) => values.rows() == rows,
            Self::Mixed(values) => values.rows.len() == rows,
            Self::Smallest(values) => values.numbers.len() == rows,
        }
    }
}

/// The headers of a batch.
///
/// Most topics have none, which costs nothing. Where every row has headers of the same names in the same
/// order (a producer that always adds a trace id, a transform that adds a constant), there is a column per
/// header; rows that differ have a list each.
#[derive(Clone, Debug, Default)]
pub struct HeaderRows(Form);

#[derive(Clone, Debug, Default)]
enum Form {
    #[default]
    None,
    /// At least one.
    Columns(Vec<HeaderColumn>),
    /// One list per row.
    Lists(Vec<Vec<Header>>),
}

impl HeaderRows {
    /// Headers of every row; forgets the lists when all are empty.
    pub fn new(rows: Vec<Vec<Header>>) -> Self {
        let any = rows.iter().any(|headers| !headers.is_empty());
        Self(if any { Form::Lists(rows) } else { Form::None })
    }

    /// The same headers on every row, in that order.
    pub fn of_columns(columns: Vec<HeaderColumn>) -> Self {
        Self(if columns.is_empty() { Form::None } else { Form::Columns(columns) })
    }

    /// True when no row has headers.
    pub fn is_empty(&self) -> bool {
        matches!(self.0, Form::None)
    }

    /// The headers of row `row`.
    pub fn row(&self, row: usize) -> Cow<'_, [Header]> {
        match &self.0 {
            Form::None => Cow::Borrowed(&[]),
            Form::Lists(rows) => Cow::Borrowed(&rows[row]),
            Form::Columns(columns) => columns.iter().map(|column| header(column, row)).collect(),
        }
    }

    /// Schema and value of the first header of row `row` that is called `key`.
    pub fn first(&self, row: usize, key: &str) -> Option<(Option<Arc<Schema>>, Value)> {
        self.find(row, |headers| headers.iter().position(|name| ***name == *key))
    }

    /// Schema and value of the last header of row `row` that is called `key`.
    pub fn last(&self, row: usize, key: &str) -> Option<(Option<Arc<Schema>>, Value)> {
        self.find(row, |headers| headers.iter().rposition(|name| ***name == *key))
    }

    fn find(
        &self,
        row: usize,
        place: impl Fn(&[&Arc<str>]) -> Option<usize>,
    ) -> Option<(Option<Arc<Schema>>, Value)> {
        match &self.0 {
            Form::None => None,
            Form::Lists(lists) => {
                let keys: Vec<_> = lists[row].iter().map(|header| &header.key).collect();
                place(&keys).map(|at| (lists[row][at].schema.clone(), lists[row][at].value.clone()))
            }
            Form::Columns(columns) => {
                let keys: Vec<_> = columns.iter().map(|column| &column.key).collect();
                place(&keys).map(|at| columns[at].values.row(row))
            }
        }
    }

    /// The columns, when every row has the same names; empty when there are none.
    pub fn columns(&self) -> Option<&[HeaderColumn]> {
        match &self.0 {
            Form::None => Some(&[]),
            Form::Columns(columns) => Some(columns),
            Form::Lists(_) => None,
        }
    }

    /// Adds a header to each of `rows` rows, behind those that are there.
    pub fn push(&mut self, rows: usize, column: HeaderColumn) {
        debug_assert!(column.values.fits(rows), "a header column does not match the batch");
        match &mut self.0 {
            Form::None => self.0 = Form::Columns(vec![column]),
            Form::Columns(columns) => columns.push(column),
            Form::Lists(lists) => {
                for (row, list) in lists.iter_mut().enumerate() {
                    list.push(header(&column, row));
                }
            }
        }
    }

    /// Keeps the headers whose name `keep` says so.
    pub fn retain(&mut self, keep: impl Fn(&str) -> bool) {
        match std::mem::take(&mut self.0) {
            Form::None => {}
            Form::Columns(mut columns) => {
                columns.retain(|column| keep(&column.key));
                *self = Self::of_columns(columns);
            }
            Form::Lists(mut lists) => {
                lists.iter_mut().for_each(|list| list.retain(|header| keep(&header.key)));
                *self = Self::new(lists);
            }
        }
    }

    /// A list for each of `rows` rows.
    pub fn into_lists(self, rows: usize) -> Vec<Vec<Header>> {
        match self.0 {
            Form::None => vec![Vec::new(); rows],
            Form::Lists(lists) => lists,
            Form::Columns(columns) => {
                let list = |row| columns.iter().map(|column| header(column, row)).collect();
                (0..rows).map(list).collect()
            }
        }
    }

    /// The lists of `rows` rows, to change in place; columns become lists.
    pub fn lists_mut(&mut self, rows: usize) -> &mut [Vec<Header>] {
        if !matches!(self.0, Form::Lists(_)) {
            self.0 = Form::Lists(std::mem::take(self).into_lists(rows));
        }
        match &mut self.0 {
            Form::Lists(lists) => lists,
            Form::None | Form::Columns(_) => unreachable!("just made lists"),
        }
    }

    /// The given rows, in that order.
    ///
    /// # Errors
    /// `Fatal` when the columns would exceed Arrow's limits.
    pub fn take(&self, rows: &[u32]) -> Result<Self, ConnectError> {
        Ok(match &self.0 {
            Form::None => Self::default(),
            Form::Lists(all) => Self::new(rows.iter().map(|row| all[*row as usize].clone()).collect()),
            Form::Columns(columns) => {
                let take = |column: &HeaderColumn| {
                    Ok(HeaderColumn { key: Arc::clone(&column.key), values: column.values.take(rows)? })
                };
                Self::of_columns(columns.iter().map(take).collect::<Result<_, ConnectError>>()?)
            }
        })
    }

    /// True when there are as many as a batch of `rows` rows needs.
    pub fn fits(&self, rows: usize) -> bool {
        match &self.0 {
            Form::None => true,
            Form::Lists(lists) => lists.len() == rows,
            Form::Columns(columns) => columns.iter().all(|column| column.values.fits(rows)),
        }
    }
}

fn header(column: &HeaderColumn, row: usize) -> Header {
    let (schema, value) = column.values.row(row);
    Header { key: Arc::clone(&column.key), schema, value }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn constant(key: &str, value: i8) -> HeaderColumn {
        let values = HeaderValues::Constant { schema: None, value: Value::Int8(value) };
        HeaderColumn { key: key.into(), values }
    }

    #[test]
    fn columns_and_lists_hold_the_same_headers() {
        let per_row =
            HeaderValues::Mixed([(None, Value::Int8(7)), (None, Value::Null)].into_iter().collect());
        let mut columns = HeaderRows::of_columns(vec![constant("a", 1)]);
        columns.push(2, HeaderColumn { key: "b".into(), values: per_row.clone() });
        let mut lists = HeaderRows::new(HeaderRows::of_columns(vec![constant("a", 1)]).into_lists(2));
        lists.push(2, HeaderColumn { key: "b".into(), values: per_row });
        assert!(columns.columns().is_some() && lists.columns().is_none());
        for row in 0..2 {
            assert_eq!(columns.row(row), lists.row(row));
        }
        assert_eq!(columns.row(1)[1].value, Value::Null);
        for headers in [&mut columns, &mut lists] {
            let taken = headers.take(&[1, 0]).unwrap();
            assert_eq!(taken.row(1)[1].value, Value::Int8(7));
            headers.retain(|name| name == "b");
            assert_eq!(headers.row(0).len(), 1);
            headers.retain(|_| false);
            assert!(headers.is_empty() && headers.fits(5));
        }
    }
}
