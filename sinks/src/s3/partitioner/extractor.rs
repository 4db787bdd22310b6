//! Timestamp extractors: the time of each record.
//!
//! Source: `TimeBasedPartitioner` and its extractors. Texts without an offset are taken as UTC (Java takes
//! the JVM's default zone). Failures but for a missing timestamp of a record are of class `Fatal`: Java
//! extracts the time outside the guarded step, so neither `errors.tolerance` nor a dead letter queue applies.

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type, TimestampMillisecondType};
use arrow_schema::{DataType, TimeUnit};
use lakeward_api::batch::{SinkBatch, Values};
use lakeward_api::shaped;
use lakeward_api::value::Value;

use super::Times;
use super::field::{Column, find_column};
use super::iso_time;
use crate::s3::config::ExtractorKind;
use crate::s3::error::S3SinkError;

/// Where the time of a record comes from.
#[derive(Debug)]
pub(crate) enum Extractor {
    /// The record's Kafka timestamp.
    Record,
    /// A field of the value.
    RecordField {
        /// Dotted path.
        path: String,
    },
    /// The clock.
    Wallclock,
}

impl Extractor {
    /// The extractor of `kind`; `path` matters to RecordField only.
    pub(crate) fn new(kind: ExtractorKind, path: &str) -> Self {
        match kind {
            ExtractorKind::Record => Self::Record,
            ExtractorKind::RecordField => Self::RecordField { path: path.to_owned() },
            ExtractorKind::Wallclock => Self::Wallclock,
        }
    }

    /// The time of every row of `batch`.
    pub(super) fn times(&self, batch: &SinkBatch, now_ms: i64) -> Result<Times, S3SinkError> {
        match self {
            Self::Wallclock => Ok(Times::Uniform(now_ms)),
            Self::Record => {
                let times: Option<Vec<i64>> = batch.timestamps_ms.iter().copied().collect();
                times.map(Times::PerRow).ok_or_else(timeless)
            }
            Self::RecordField { path } => field_times(&batch.values, path).map(Times::PerRow),
        }
    }
}

/// A record has no time. Java notices that in the guarded step: such records may be left out.
pub(crate) fn timeless() -> S3SinkError {
    S3SinkError::Partition {
        message:
            "Unable to determine timestamp using timestamp.extractor Record: the record has no timestamp"
                .to_owned(),
    }
}

fn field_times(values: &Values, path: &str) -> Result<Vec<i64>, S3SinkError> {
    match values {
        Values::Dynamic(values) => values.iter().map(|value| dynamic_time(value, path)).collect(),
        Values::Shaped(array) => {
            shaped::values(array).iter().map(|value| dynamic_time(value, path)).collect()
        }
        Values::Null { .. } => Err(not_a_container(path)),
        Values::Typed { .. } => {
            let (schema, records) = values.as_struct().ok_or_else(|| not_a_container(path))?;
            let column = find_column(schema, records, path)?.ok_or_else(|| missing(path))?;
            column_times(&column, path)
        }
    }
}

fn column_times(column: &Column, path: &str) -> Result<Vec<i64>, S3SinkError> {
    let rows = 0..column.array.len();
    if rows.clone().any(|row| column.is_null(row)) {
        return Err(missing(path));
    }
    match column.array.data_type() {
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            Ok(column.array.as_primitive::<TimestampMillisecondType>().values().to_vec())
        }
        DataType::Int64 => Ok(column.array.as_primitive::<Int64Type>().values().to_vec()),
        DataType::Int32 => {
            let numbers = column.array.as_primitive::<Int32Type>().values();
            Ok(numbers.iter().map(|number| i64::from(*number)).collect())
        }
        DataType::Utf8 => {
            let texts = column.array.as_string::<i32>();
            rows.map(|row| text_time(texts.value(row), path)).collect()
        }
        _ => Err(wrong_type(path)),
    }
}

fn dynamic_time(value: &Value, path: &str) -> Result<i64, S3SinkError> {
    let mut found = value;
    for segment in path.split('.') {
        if !matches!(found, Value::Map(_)) {
            return Err(if std::ptr::eq(found, value) { not_a_container(path) } else { missing(path) });
        }
        found = found.get(segment).ok_or_else(|| missing(path))?;
    }
    match found {
        Value::Int8(number) => Ok(i64::from(*number)),
        Value::Int16(number) => Ok(i64::from(*number)),
        Value::Int32(number) => Ok(i64::from(*number)),
        Value::Int64(number) => Ok(*number),
        // Java's `Number#longValue`: truncates and saturates, as `as` does.
        Value::Float32(number) => Ok(*number as i64),
        Value::Float64(number) => Ok(*number as i64),
        Value::String(text) => text_time(text, path),
        Value::Null => Err(missing(path)),
        _ => Err(wrong_type(path)),
    }
}

fn text_time(text: &str, path: &str) -> Result<i64, S3SinkError> {
    iso_time::parse(text).ok_or_else(|| S3SinkError::Time {
        message: format!("the text of timestamp.field '{path}' is neither a number nor an ISO-8601 time"),
    })
}

fn missing(path: &str) -> S3SinkError {
    S3SinkError::Time { message: format!("The field named '{path}' of timestamp.field is missing or null") }
}

fn wrong_type(path: &str) -> S3SinkError {
    S3SinkError::Time {
        message: format!(
            "Error extracting timestamp from record field '{path}': \
             it is not a Timestamp, INT32, INT64 or STRING"
        ),
    }
}

fn not_a_container(path: &str) -> S3SinkError {
    S3SinkError::Time {
        message: format!("Error encoding partition: the value holds no field '{path}': not a Struct or Map"),
    }
}
