//! Converted records of one topic-partition, as a sink task receives them.

use std::borrow::Cow;
use std::sync::Arc;

use arrow_array::{ArrayRef, StructArray, UInt32Array};
use arrow_schema::DataType;

use crate::ConnectError;
use crate::header::HeaderRows;
use crate::record::TopicPartition;
use crate::recursion;
use crate::schema::Schema;
use crate::shaped;
use crate::value::Value;

/// The keys or the values of a batch.
#[derive(Clone, Debug)]
pub enum Values {
    /// Connect would be schemaless: one dynamic value per row.
    Dynamic(Vec<Value>),
    /// Every row is null and has no schema (no keys; tombstones).
    Null {
        /// Row count.
        rows: usize,
    },
    /// Connect would be schemaless and every row has the same shape: columns as [`crate::shaped`] says, not
    /// of type `Null` (see [`Values::of_shape`]).
    Shaped(ArrayRef),
    /// Every row has the same schema.
    Typed {
        /// The Connect schema of each row.
        schema: Arc<Schema>,
        /// One element per row, of type `schema.arrow_type()`; null only where the schema is optional.
        array: ArrayRef,
    },
}

impl Values {
    /// Rows of a field that becomes a whole key, value or header: where a schema contains itself, the column
    /// of what stands there.
    ///
    /// # Errors
    /// `Fatal` when the column would exceed Arrow's limits.
    pub fn of_field(schema: &Arc<Schema>, array: ArrayRef) -> Result<Self, ConnectError> {
        let (schema, array) = recursion::opened_column(schema, array)?;
        Ok(Self::Typed { schema, array })
    }

    /// Row count.
    pub fn rows(&self) -> usize {
        match self {
            Self::Dynamic(values) => values.len(),
            Self::Null { rows } => *rows,
            Self::Shaped(array) | Self::Typed { array, .. } => array.len(),
        }
    }

    /// Schemaless rows of the shape `array` has.
    pub fn of_shape(array: ArrayRef) -> Self {
        // Nothing but nulls is no shape: their column has no null buffer to look at.
        match array.data_type() {
            DataType::Null => Self::Dynamic(vec![Value::Null; array.len()]),
            _ => Self::Shaped(array),
        }
    }

    /// Schemaless rows: shaped when they all have one shape.
    pub fn schemaless(rows: Vec<Value>) -> Self {
        match shaped::from_values(&rows) {
            Some(array) => Self::of_shape(array),
            None => Self::Dynamic(rows),
        }
    }

    /// The rows one by one when they are schemaless (tombstones are not); shaped rows are taken apart.
    pub fn dynamic(&self) -> Option<Cow<'_, [Value]>> {
        match self {
            Self::Dynamic(values) => Some(Cow::Borrowed(values)),
            Self::Shaped(array) => Some(Cow::Owned(shaped::values(array))),
            Self::Null { .. } | Self::Typed { .. } => None,
        }
    }

    /// The same rows for code that looks at schemaless ones one by one: shaped ones taken apart.
    pub fn apart(&self) -> Cow<'_, Self> {
        match self {
            Self::Shaped(array) => Cow::Owned(Self::Dynamic(shaped::values(array))),
            other => Cow::Borrowed(other),
        }
    }

    /// Takes shaped rows apart, for code that looks at schemaless rows one by one.
    pub fn unshape(&mut self) -> &mut Self {
        if let Self::Shaped(array) = self {
            *self = Self::Dynamic(shaped::values(array));
        }
        self
    }

    /// The schema every row shares; `None` when schemaless.
    pub fn schema(&self) -> Option<&Arc<Schema>> {
        match self {
            Self::Typed { schema, .. } => Some(schema),
            Self::Dynamic(_) | Self::Null { .. } | Self::Shaped(_) => None,
        }
    }

    /// Rows `start .. start + rows`; typed columns are shared, not copied.
    #[must_use]
    pub fn slice(&self, start: usize, rows: usize) -> Self {
        match self {
            Self::Dynamic(values) => Self::Dynamic(values[start..start + rows].to_vec()),
            Self::Null { .. } => Self::Null { rows },
            Self::Shaped(array) => Self::Shaped(array.slice(start, rows)),
            Self::Typed { schema, array } => {
                Self::Typed { schema: Arc::clone(schema), array: array.slice(start, rows) }
            }
        }
    }

    /// The given rows, in that order. A run of neighbours is shared, not copied.
    ///
    /// # Errors
    /// `Fatal` when the columns would exceed Arrow's limits.
    pub fn take(&self, rows: &[u32]) -> Result<Self, ConnectError> {
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Ok(self.slice(0, 0)) };
        let is_run = rows.windows(2).all(|pair| pair[0].checked_add(1) == Some(pair[1]));
        if is_run && *last - *first < u32::MAX {
            return Ok(self.slice(*first as usize, rows.len()));
        }
        Ok(match self {
            Self::Dynamic(all) => Self::Dynamic(rows.iter().map(|row| all[*row as usize].clone()).collect()),
            Self::Null { .. } => Self::Null { rows: rows.len() },
            Self::Shaped(array) => Self::Shaped(take_rows(array, rows)?),
            Self::Typed { schema, array } => {
                Self::Typed { schema: Arc::clone(schema), array: take_rows(array, rows)? }
            }
        })
    }

    /// The columns when every row is a STRUCT.
    pub fn as_struct(&self) -> Option<(&Arc<Schema>, &StructArray)> {
        match self {
            Self::Typed { schema, array } => array.as_any().downcast_ref().map(|array| (schema, array)),
            Self::Dynamic(_) | Self::Null { .. } | Self::Shaped(_) => None,
        }
    }
}

fn take_rows(array: &ArrayRef, rows: &[u32]) -> Result<ArrayRef, ConnectError> {
    arrow_select::take::take(array, &UInt32Array::from(rows.to_vec()), None)
        .map_err(|err| ConnectError::fatal("rows could not be selected").with_source(err))
}

/// Records of one topic-partition after conversion and transforms, in offset order.
///
/// All rows share one topic, one key schema and one value schema; a change starts a new batch. Offsets ascend
/// but may have gaps (compaction, transaction markers, dropped records).
#[derive(Clone, Debug)]
pub struct SinkBatch {
    /// Where the records came from. Transforms do not change it: positions are counted here.
    pub partition: TopicPartition,
    /// The topic the records say: that of `partition`, until a transform routes them elsewhere.
    pub topic: Arc<str>,
    /// Offset per row.
    pub offsets: Vec<i64>,
    /// Record timestamp per row in ms since the epoch.
    pub timestamps_ms: Vec<Option<i64>>,
    /// Keys, one per row.
    pub keys: Values,
    /// Values, one per row.
    pub values: Values,
    /// Headers per row.
    pub headers: HeaderRows,
}

impl SinkBatch {
    /// Row count.
    pub fn rows(&self) -> usize {
        self.offsets.len()
    }

    /// The given rows, in that order.
    ///
    /// # Errors
    /// `Fatal` when the columns would exceed Arrow's limits.
    pub fn take(&self, rows: &[u32]) -> Result<Self, ConnectError> {
        Ok(Self {
            partition: self.partition.clone(),
            topic: Arc::clone(&self.topic),
            offsets: rows.iter().map(|row| self.offsets[*row as usize]).collect(),
            timestamps_ms: rows.iter().map(|row| self.timestamps_ms[*row as usize]).collect(),
            keys: self.keys.take(rows)?,
            values: self.values.take(rows)?,
            headers: self.headers.take(rows)?,
        })
    }

    /// Panics when the columns disagree about the row count: a batch like that would lose records.
    pub fn assert_consistent(&self) {
        assert_eq!(self.offsets.len(), self.timestamps_ms.len(), "timestamps do not match offsets");
        assert_eq!(self.offsets.len(), self.keys.rows(), "keys do not match offsets");
        assert_eq!(self.offsets.len(), self.values.rows(), "values do not match offsets");
        assert!(self.headers.fits(self.offsets.len()), "headers do not match offsets");
    }
}
