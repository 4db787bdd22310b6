//! One form of timestamps to another: single values and whole columns.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Int64Type, Time32MillisecondType, TimestampMillisecondType};
use arrow_array::{Array, ArrayRef, PrimitiveArray};
use arrow_schema::DataType;
use lakeward_api::rows::DAY_MS;
use lakeward_api::schema::{Logical, Schema};
use lakeward_api::value::Value;
use lakeward_api::{ConnectError, ErrorClass};

use crate::cast_column::text_column;
use crate::null_rows::Failures;
use crate::shape_fields::sample;
use crate::simple_date_format::SimpleDateFormat;

/// Forms of timestamps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Date,
    Text,
    Time,
    Timestamp,
    Unix,
}

/// Units of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Precision {
    Microseconds,
    Milliseconds,
    Nanoseconds,
    Seconds,
}

/// How timestamps are read and written.
pub(super) struct Converter {
    pub(super) target: Form,
    pub(super) precision: Precision,
    pub(super) format: Option<SimpleDateFormat>,
}

impl Precision {
    /// A number as ms: parts of them are cut off, too large numbers become the largest.
    fn to_ms(self, number: i64) -> i64 {
        match self {
            Self::Microseconds => number / 1_000,
            Self::Milliseconds => number,
            Self::Nanoseconds => number / 1_000_000,
            Self::Seconds => number.saturating_mul(1_000),
        }
    }

    fn of_ms(self, ms: i64) -> i64 {
        match self {
            Self::Microseconds => ms.saturating_mul(1_000),
            Self::Milliseconds => ms,
            Self::Nanoseconds => ms.saturating_mul(1_000_000),
            Self::Seconds => ms / 1_000,
        }
    }
}

impl Converter {
    /// A schemaless value; what it is follows from its type.
    pub(super) fn dynamic(&self, value: &Value) -> Result<Value, ConnectError> {
        let form = match value {
            Value::Null => return Ok(Value::Null),
            Value::Date(_) => Form::Timestamp,
            Value::Int64(_) => Form::Unix,
            Value::String(_) => Form::Text,
            _ => return Err(no_timestamp(value)),
        };
        self.value(form, value)
    }

    /// A value of a known form; null stays null.
    pub(super) fn value(&self, form: Form, value: &Value) -> Result<Value, ConnectError> {
        let ms = match (form, value) {
            (_, Value::Null) => return Ok(Value::Null),
            (Form::Unix, Value::Int64(number)) => self.precision.to_ms(*number),
            (Form::Text, Value::String(text)) => self.parse(text)?,
            (Form::Date | Form::Time | Form::Timestamp, Value::Date(ms)) => *ms,
            _ => return Err(wrong_class(form, value.java_class())),
        };
        Ok(match self.target {
            Form::Date => Value::Date(ms.wrapping_sub(ms.rem_euclid(DAY_MS))),
            Form::Text => Value::String(self.pattern().text(ms).into()),
            Form::Time => Value::Date(ms.rem_euclid(DAY_MS)),
            Form::Timestamp => Value::Date(ms),
            Form::Unix => Value::Int64(self.precision.of_ms(ms)),
        })
    }

    /// A column of a known form as a column of the target's type. Null stays null; rows that cannot be
    /// converted are added to `failures` and hold any value.
    pub(super) fn column(
        &self,
        form: Form,
        schema: &Schema,
        array: &ArrayRef,
        failures: &mut Failures,
    ) -> Result<ArrayRef, ConnectError> {
        let instants = self.instants(form, schema, array, failures);
        Ok(match self.target {
            // Days beyond 32 bits wrap, as they do in Java when they are written.
            Form::Date => Arc::new(instants.unary::<_, Date32Type>(|ms| ms.div_euclid(DAY_MS) as i32)),
            Form::Time => {
                Arc::new(instants.unary::<_, Time32MillisecondType>(|ms| ms.rem_euclid(DAY_MS) as i32))
            }
            Form::Timestamp => Arc::new(dates(&instants).with_timezone("UTC")),
            Form::Text => self.written(&instants)?,
            Form::Unix => self.counted(instants),
        })
    }

    /// As [`Converter::column`], of a shaped column: what its values are follows from their type. A column
    /// of nothing but nulls stays as it is.
    pub(super) fn shaped(&self, array: &ArrayRef, failures: &mut Failures) -> Result<ArrayRef, ConnectError> {
        let instants = match array.data_type() {
            DataType::Int64 => self.numbers(array),
            DataType::Timestamp(..) => same_numbers(array.as_primitive::<TimestampMillisecondType>()),
            DataType::Utf8 => self.texts(array, failures),
            DataType::Null => return Ok(Arc::clone(array)),
            other => {
                let value = sample(other);
                failures.add_valid(array, || no_timestamp(&value));
                return Ok(Arc::clone(array));
            }
        };
        Ok(match self.target {
            Form::Date => Arc::new(dates(&instants.unary(|ms| ms.wrapping_sub(ms.rem_euclid(DAY_MS))))),
            Form::Time => Arc::new(dates(&instants.unary(|ms| ms.rem_euclid(DAY_MS)))),
            Form::Timestamp => Arc::new(dates(&instants)),
            Form::Text => self.written(&instants)?,
            Form::Unix => self.counted(instants),
        })
    }

    fn written(&self, instants: &PrimitiveArray<Int64Type>) -> Result<ArrayRef, ConnectError> {
        let pattern = self.pattern();
        let mut writer = pattern.writer();
        let values = instants.values();
        text_column(instants, pattern.pattern().len() + 2, |row, out| writer.append(out, values[row]))
    }

    fn counted(&self, instants: PrimitiveArray<Int64Type>) -> ArrayRef {
        match self.precision {
            Precision::Milliseconds => Arc::new(instants),
            precision => Arc::new(instants.unary::<_, Int64Type>(|ms| precision.of_ms(ms))),
        }
    }

    /// Milliseconds since the epoch.
    fn instants(
        &self,
        form: Form,
        schema: &Schema,
        array: &ArrayRef,
        failures: &mut Failures,
    ) -> PrimitiveArray<Int64Type> {
        match (form, schema.logical()) {
            (Form::Date, Some(Logical::Date)) => {
                array.as_primitive::<Date32Type>().unary(|day| i64::from(day) * DAY_MS)
            }
            (Form::Time, Some(Logical::Time)) => {
                array.as_primitive::<Time32MillisecondType>().unary(i64::from)
            }
            (Form::Timestamp, Some(Logical::Timestamp)) => {
                same_numbers(array.as_primitive::<TimestampMillisecondType>())
            }
            (Form::Unix, _) => self.numbers(array),
            (Form::Text, _) => self.texts(array, failures),
            _ => {
                // The name of a logical type on another base type.
                failures.add_valid(array, || wrong_class(form, schema.java_class()));
                PrimitiveArray::new(vec![0; array.len()].into(), array.nulls().cloned())
            }
        }
    }

    fn numbers(&self, array: &ArrayRef) -> PrimitiveArray<Int64Type> {
        let numbers = array.as_primitive::<Int64Type>();
        match self.precision {
            Precision::Milliseconds => numbers.clone(),
            precision => numbers.unary(|number| precision.to_ms(number)),
        }
    }

    fn texts(&self, array: &ArrayRef, failures: &mut Failures) -> PrimitiveArray<Int64Type> {
        let texts = array.as_string::<i32>();
        let mut cells = vec![0; texts.len()];
        for (row, cell) in cells.iter_mut().enumerate().filter(|(row, _)| texts.is_valid(*row)) {
            match self.parse(texts.value(row)) {
                Ok(ms) => *cell = ms,
                Err(err) => failures.add(row, || err),
            }
        }
        PrimitiveArray::new(cells.into(), texts.nulls().cloned())
    }

    fn parse(&self, text: &str) -> Result<i64, ConnectError> {
        let Some(format) = &self.format else {
            return Err(ConnectError::new(
                ErrorClass::Record,
                "java.lang.NullPointerException",
                "Cannot invoke \"java.text.SimpleDateFormat.parse(String)\" because \"config.format\" is \
                 null",
            ));
        };
        format.parse(text).ok_or_else(|| {
            ConnectError::data(format!(
                "Could not parse timestamp: value ({text}) does not match pattern ({})",
                format.pattern()
            ))
        })
    }

    fn pattern(&self) -> &SimpleDateFormat {
        self.format.as_ref().expect("a target of texts has a pattern: checked when it was configured")
    }
}

fn dates(instants: &PrimitiveArray<Int64Type>) -> PrimitiveArray<TimestampMillisecondType> {
    PrimitiveArray::new(instants.values().clone(), instants.nulls().cloned())
}

fn same_numbers(dates: &PrimitiveArray<TimestampMillisecondType>) -> PrimitiveArray<Int64Type> {
    PrimitiveArray::new(dates.values().clone(), dates.nulls().cloned())
}

fn no_timestamp(value: &Value) -> ConnectError {
    ConnectError::data(format!(
        "TimestampConverter does not support class {} objects as timestamps",
        value.java_class()
    ))
}

fn wrong_class(form: Form, class: &str) -> ConnectError {
    let expected = match form {
        Form::Date => "Expected Date to be a java.util.Date",
        Form::Text => "Expected string timestamp to be a String",
        Form::Time => "Expected Time to be a java.util.Date",
        Form::Timestamp => "Expected Timestamp to be a java.util.Date",
        Form::Unix => "Expected Unix timestamp to be a Long",
    };
    ConnectError::data(format!("{expected}, but found class {class}"))
}
