//! `ExtractTimestamp`: the record's timestamp becomes a field of its key or value.
//!
//! Source: `io.aiven.kafka.connect.transforms.ExtractTimestamp`.

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Int64Type, Time32MillisecondType, TimestampMillisecondType};
use arrow_array::{Array, ArrayRef};
use lakeward_api::batch::{SinkBatch, Values};
use lakeward_api::config::{ConfigDef, ConfigKey, ConfigMap, ConfigType, Importance, Validator};
use lakeward_api::rows::{DAY_MS, value_at};
use lakeward_api::schema::{Kind, Logical, Schema};
use lakeward_api::transform::{Transform, Transformed};
use lakeward_api::value::Value;
use lakeward_api::{ConnectError, shaped};

use super::VERSION;
use crate::columns;
use crate::plugin::TransformClass;
use crate::settings::{Settings, required, with_default};
use crate::side::Side;

const FIELD: &str = "field.name";
const RESOLUTION: &str = "timestamp.resolution";

/// The classes of this file.
pub(super) fn classes() -> Vec<TransformClass> {
    vec![
        TransformClass {
            class: "io.aiven.kafka.connect.transforms.ExtractTimestamp$Key",
            version: VERSION,
            config_def,
            new: |given| Ok(Box::new(ExtractTimestamp::new(Side::Key, given)?)),
        },
        TransformClass {
            class: "io.aiven.kafka.connect.transforms.ExtractTimestamp$Value",
            version: VERSION,
            config_def,
            new: |given| Ok(Box::new(ExtractTimestamp::new(Side::Value, given)?)),
        },
    ]
}

fn config_def() -> ConfigDef {
    ConfigDef::new(vec![
        ConfigKey {
            validator: Validator::NonEmpty,
            ..required(
                FIELD,
                ConfigType::String,
                Importance::High,
                "The field that becomes the timestamp: an INT64 or a date, never null.",
            )
        },
        ConfigKey {
            validator: Validator::Custom(|_, text| match text {
                "milliseconds" | "seconds" => Ok(()),
                _ => {
                    Err(format!("Unsupported resolution type '{text}'. Supported are: milliseconds, seconds"))
                }
            }),
            ..with_default(
                RESOLUTION,
                ConfigType::String,
                Some("milliseconds"),
                Importance::Low,
                "What an INT64 counts since 1970: milliseconds or seconds.",
            )
        },
    ])
}

struct ExtractTimestamp {
    side: Side,
    field: String,
    /// What an INT64 is multiplied by.
    unit_ms: i64,
}

impl ExtractTimestamp {
    fn new(side: Side, given: &ConfigMap) -> Result<Self, ConnectError> {
        let settings = Settings::read(&config_def(), given)?;
        let unit_ms = if settings.text(RESOLUTION) == "seconds" { 1_000 } else { 1 };
        Ok(Self { side, field: settings.text(FIELD).to_owned(), unit_ms })
    }

    fn dynamic(&self, value: &Value) -> Result<i64, ConnectError> {
        let found = match value {
            Value::Null => return Err(self.null()),
            Value::Map(_) => value.get(&self.field),
            _ => return Err(self.unsuitable()),
        };
        match found {
            None | Some(Value::Null) => Err(self.missing()),
            Some(Value::Int64(number)) => Ok(number.saturating_mul(self.unit_ms)),
            Some(Value::Date(ms)) => Ok(*ms),
            Some(_) => Err(self.mistyped()),
        }
    }

    /// The column of the field and how to read it. The error is that of every record that is not null.
    fn column(&self, schema: &Schema, array: &ArrayRef) -> Result<(ArrayRef, Read), ConnectError> {
        let Some((index, field)) = schema.field(&self.field) else { return Err(self.missing()) };
        let read = match (field.schema.logical(), &field.schema.kind) {
            (Some(Logical::Date), _) => Read::Days,
            (Some(Logical::Time), _) => Read::Time,
            (Some(Logical::Timestamp), _) => Read::Timestamp,
            (None, Kind::Int64) => Read::Whole,
            _ => Read::Mistyped,
        };
        Ok((columns::with_default(&field.schema, array.as_struct().column(index))?, read))
    }

    fn typed(&self, schema: &Schema, array: &ArrayRef) -> Vec<Result<i64, ConnectError>> {
        let rows = 0..array.len();
        match &schema.kind {
            Kind::Map { .. } => rows.map(|row| self.dynamic(&value_at(schema, array, row))).collect(),
            Kind::Struct(_) => {
                let found = self.column(schema, array);
                let read = |row: usize| {
                    if array.is_null(row) {
                        return Err(self.null());
                    }
                    let (column, read) = found.as_ref().map_err(columns::copy_of)?;
                    if column.is_null(row) {
                        return Err(self.missing());
                    }
                    read.at(column, row, self.unit_ms).ok_or_else(|| self.mistyped())
                };
                rows.map(read).collect()
            }
            _ => {
                let answer = |row: usize| if array.is_null(row) { self.null() } else { self.unsuitable() };
                rows.map(|row| Err(answer(row))).collect()
            }
        }
    }

    fn null(&self) -> ConnectError {
        ConnectError::data(format!("{} can't be null", self.side.place()))
    }

    fn unsuitable(&self) -> ConnectError {
        ConnectError::data(format!("{} type must be STRUCT or MAP", self.side.place()))
    }

    fn missing(&self) -> ConnectError {
        ConnectError::data(format!("{} field must be present and its value can't be null", self.field))
    }

    fn mistyped(&self) -> ConnectError {
        let field = &self.field;
        ConnectError::data(format!("{field} field must be INT64 or org.apache.kafka.connect.data.Timestamp"))
    }
}

/// How a column holds instants.
#[derive(Clone, Copy)]
enum Read {
    Days,
    Mistyped,
    Time,
    Timestamp,
    Whole,
}

impl Read {
    fn at(self, column: &ArrayRef, row: usize, unit_ms: i64) -> Option<i64> {
        Some(match self {
            Self::Days => i64::from(column.as_primitive::<Date32Type>().value(row)) * DAY_MS,
            Self::Mistyped => return None,
            Self::Time => i64::from(column.as_primitive::<Time32MillisecondType>().value(row)),
            Self::Timestamp => column.as_primitive::<TimestampMillisecondType>().value(row),
            Self::Whole => column.as_primitive::<Int64Type>().value(row).saturating_mul(unit_ms),
        })
    }
}

impl Transform for ExtractTimestamp {
    fn apply(&mut self, mut batch: SinkBatch) -> Result<Transformed, ConnectError> {
        let found: Vec<Result<i64, ConnectError>> = match self.side.of(&batch) {
            Values::Null { rows } => (0..*rows).map(|_| Err(self.null())).collect(),
            Values::Dynamic(values) => values.iter().map(|value| self.dynamic(value)).collect(),
            Values::Shaped(array) => {
                (0..array.len()).map(|row| self.dynamic(&shaped::value_at(array, row))).collect()
            }
            Values::Typed { schema, array } => self.typed(schema, array),
        };
        let mut failed = Vec::new();
        for (row, found) in found.into_iter().enumerate() {
            match found {
                Ok(ms) => batch.timestamps_ms[row] = Some(ms),
                Err(err) => failed.push((row, err)),
            }
        }
        columns::without(batch, failed)
    }
}
