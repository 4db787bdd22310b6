//! What is written of records, and which file each one goes to.
//!
//! The encoded partition of a record is the text of its time, [`GROUP_MARK`], and the text of its key.
//!
//! Source: the classes of `io.aiven.kafka.connect.common.grouper`; `S3SinkTask#oldFullKey`.

use std::sync::Arc;

use lakeward_api::batch::{SinkBatch, Values};
use lakeward_api::schema::{Kind, Schema};
use lakeward_api::value::Value;
use lakeward_api::{ConnectError, literal, rows};
use lakeward_formats::file::RecordText;
use object_store::path::Path;

use super::config::{AivenConfig, Clock, Format, TimeSource};
use super::rows::{RecordRows, no_time};
use super::template::{Bindings, Grouping, Template, Unit};
use super::times::{self, UNIT_MARK};
use crate::s3::S3SinkError;
use crate::s3::naming::FileNames;
use crate::s3::partitioner::segment::confine;
use crate::s3::partitioner::{Encoded, Ids, Names, Times};
use crate::s3::rotation::GROUP_MARK;
use crate::s3::task::{Layout, NewPart, Rejects};

/// The layout of a configuration.
pub(super) struct AivenLayout {
    contents: Contents,
    template: Template,
    grouping: Grouping,
    units: Vec<Unit>,
    clock: Clock,
    bytes_max: Option<u64>,
    name_prefix: String,
    prefix: Option<Template>,
    prefix_clock: Clock,
}

/// What is written of records.
enum Contents {
    Rows(RecordRows),
    Texts { form: RecordText, schema: Arc<Schema> },
}

impl AivenLayout {
    /// The layout of `config`.
    ///
    /// # Errors
    /// Class `Config`.
    pub(super) fn new(config: &AivenConfig) -> Result<Self, ConnectError> {
        let fields = &config.fields;
        let rows = |name| Contents::Rows(RecordRows::new(fields, config.envelope, name));
        let texts = |form| Contents::Texts { form, schema: Arc::new(Schema::new(Kind::Bytes)) };
        let contents = match config.format {
            Format::Avro => rows("io.aiven.avro.output.schema.connector_records"),
            Format::Csv => texts(RecordText::Csv { fields: fields.clone(), values: config.value_encoding }),
            Format::Json | Format::JsonLines if config.envelope => {
                texts(RecordText::Json { fields: fields.clone() })
            }
            Format::Json | Format::JsonLines => texts(RecordText::JsonBare { field: fields[0] }),
            Format::Parquet => rows("io.aiven.parquet.output.schema.connector_records"),
        };
        Ok(Self {
            contents,
            template: config.template.clone(),
            grouping: config.template.grouping()?,
            // The variable means nothing where the last record of a key counts.
            units: match config.template.grouping()?.keeps_last() {
                true => Vec::new(),
                false => config.template.units(),
            },
            clock: config.clock,
            bytes_max: config.bytes_max,
            name_prefix: config.name_prefix.clone(),
            prefix: config.prefix.clone(),
            prefix_clock: config.prefix_clock,
        })
    }

    /// The settings that bring the clock in besides the interval of flushes.
    pub(super) fn clock_settings(&self) -> Vec<&'static str> {
        let mut settings = Vec::new();
        if !self.units.is_empty() && self.clock.source == TimeSource::Wallclock {
            settings.push("file.name.timestamp.source");
        }
        let Some(prefix) = &self.prefix else { return settings };
        if prefix.has_any(&["timestamp"]) && self.prefix_clock.source == TimeSource::Wallclock {
            settings.push("timestamp.source");
        }
        if prefix.has_any(&["local_date", "utc_date"]) {
            settings.push("aws.s3.prefix");
        }
        settings
    }

    /// The texts of time of each row.
    fn times(&self, batch: &SinkBatch, now_ms: i64) -> TimeTexts {
        let text = |ms| times::text(&self.units, self.clock.zone, ms);
        if self.units.is_empty() {
            return TimeTexts::Uniform(String::new());
        }
        if self.clock.source == TimeSource::Wallclock {
            return TimeTexts::Uniform(text(now_ms));
        }
        let (mut texts, mut ids) = (Vec::new(), Vec::with_capacity(batch.rows()));
        let mut stretch = 0..0;
        for time in batch.timestamps_ms.iter().map(|time| time.unwrap_or_default()) {
            if !stretch.contains(&time) {
                stretch = times::stretch(time);
                texts.push(text(time));
            }
            ids.push(texts.len() - 1);
        }
        TimeTexts::PerRow { texts, ids }
    }

    fn encode(&self, batch: &SinkBatch, now_ms: i64) -> Result<Encoded, ConnectError> {
        let times = self.times(batch, now_ms);
        if let (TimeTexts::Uniform(time), false) = (&times, self.grouping.has_keys()) {
            let names = vec![format!("{time}{GROUP_MARK}").into()];
            return Ok(Encoded { names, ids: Ids::Uniform, times: Times::None });
        }
        let (mut names, mut ids) = (Names::default(), Vec::with_capacity(batch.rows()));
        let mut name = String::new();
        for row in 0..batch.rows() {
            name.clear();
            name.push_str(times.at(row));
            name.push(GROUP_MARK);
            if self.grouping.has_keys() {
                name.push_str(&confined(&key_text(&batch.keys, row)?));
            }
            ids.push(names.id(&name));
        }
        Ok(names.finish(ids, Times::None))
    }

    /// What is written of the rows of `batch`, and which rows cannot be.
    fn contents(&mut self, batch: &SinkBatch) -> Result<(Values, Vec<(usize, ConnectError)>), ConnectError> {
        match &mut self.contents {
            Contents::Rows(rows) => rows.of(batch),
            Contents::Texts { form, schema } => {
                let (texts, failed) = form.of(batch)?;
                Ok((Values::Typed { schema: Arc::clone(schema), array: Arc::new(texts) }, failed))
            }
        }
    }

    fn object_name(&self, part: &NewPart<'_>) -> String {
        let (time, key) = part.directory.split_once(GROUP_MARK).unwrap_or((part.directory, ""));
        let bindings = Bindings {
            topic: &part.target.topic,
            partition: part.target.partition,
            start_offset: part.start_offset,
            key,
            times: &time.split(UNIT_MARK).collect::<Vec<&str>>(),
            date: None,
            grouping: Some(self.grouping),
        };
        let Some(prefix) = &self.prefix else {
            return format!("{}{}", self.name_prefix, self.template.render(&bindings));
        };
        let Clock { source, zone } = self.prefix_clock;
        let ms = match source {
            TimeSource::Event => part.start_time_ms().unwrap_or_default(),
            TimeSource::Wallclock => part.now_ms(),
        };
        let time = times::text(&prefix.units(), zone, ms);
        let times = time.split(UNIT_MARK).collect::<Vec<&str>>();
        let day = times::day(part.now_ms());
        prefix.render(&Bindings { times: &times, date: Some(&day), grouping: None, ..bindings })
    }
}

impl Layout for AivenLayout {
    fn admit(
        &mut self,
        batch: SinkBatch,
        now_ms: i64,
        rejects: &mut Rejects,
    ) -> Result<Option<(SinkBatch, Encoded)>, ConnectError> {
        let (values, mut failed) = match self.contents(&batch) {
            Ok(contents) => contents,
            Err(error) => {
                rejects.add_batch(&batch, error)?;
                return Ok(None);
            }
        };
        let needs_times = !self.units.is_empty() && self.clock.source == TimeSource::Event;
        for (row, time) in batch.timestamps_ms.iter().enumerate() {
            if needs_times && time.is_none() && failed.iter().all(|(known, _)| *known != row) {
                failed.push((row, no_time()));
            }
        }
        let batch = SinkBatch { values, ..batch };
        if failed.is_empty() {
            let encoded = self.encode(&batch, now_ms)?;
            return Ok(Some((batch, encoded)));
        }
        failed.sort_by_key(|(row, _)| *row);
        failed.dedup_by_key(|(row, _)| *row);
        let is_kept = |row: &u32| failed.binary_search_by_key(&(*row as usize), |(row, _)| *row).is_err();
        let kept: Vec<u32> = (0u32..).take(batch.rows()).filter(is_kept).collect();
        for (row, error) in failed {
            rejects.add_row(&batch, row, error)?;
        }
        if kept.is_empty() {
            return Ok(None);
        }
        let batch = batch.take(&kept)?;
        let encoded = self.encode(&batch, now_ms)?;
        Ok(Some((batch, encoded)))
    }

    fn clock_name(&self, now_ms: i64) -> Option<Arc<str>> {
        let mut name = String::new();
        for setting in self.clock_settings() {
            match (setting, &self.prefix) {
                ("timestamp.source", Some(prefix)) => {
                    name.push_str(&times::text(&prefix.units(), self.prefix_clock.zone, now_ms));
                }
                ("aws.s3.prefix", _) => name.push_str(&times::day(now_ms)),
                _ => name.push_str(&times::text(&self.units, self.clock.zone, now_ms)),
            }
            name.push(UNIT_MARK);
        }
        (!name.is_empty()).then(|| name.into())
    }

    fn names(&self, part: &NewPart<'_>) -> Result<FileNames, S3SinkError> {
        let name = self.object_name(part);
        if name.len() > OBJECT_NAME_BYTES_MAX {
            return Err(S3SinkError::Name {
                message: format!(
                    "an object name of {} bytes is longer than the {OBJECT_NAME_BYTES_MAX} that are \
                     allowed; check file.name.template",
                    name.len()
                ),
            });
        }
        if let Err(error) = Path::parse(&name) {
            return Err(S3SinkError::Setting {
                message: format!(
                    "an object name cannot be stored; check file.name.template, file.name.prefix and \
                     aws.s3.prefix: {error}"
                ),
            });
        }
        if name.is_empty() {
            return Err(S3SinkError::Name {
                message:
                    "an object name is empty: the key of a record is, and file.name.template says nothing \
                          else"
                        .to_owned(),
            });
        }
        Ok(FileNames { values: Some(name), keys: None, headers: None })
    }

    fn keeps_last(&self) -> bool {
        self.grouping.keeps_last()
    }

    fn file_bytes_max(&self) -> Option<u64> {
        self.bytes_max
    }
}

/// Times of a batch as texts.
enum TimeTexts {
    PerRow { texts: Vec<String>, ids: Vec<usize> },
    Uniform(String),
}

impl TimeTexts {
    fn at(&self, row: usize) -> &str {
        match self {
            Self::PerRow { texts, ids } => &texts[ids[row]],
            Self::Uniform(text) => text,
        }
    }
}

/// The text of a key in names: texts as they are, `null` for none, everything else as `Values` of Kafka
/// Connect writes it. Java takes `Object#toString`, which for bytes says nothing about them.
fn key_text(keys: &Values, row: usize) -> Result<String, ConnectError> {
    let (schema, value) = match keys {
        Values::Null { .. } => (None, Value::Null),
        Values::Dynamic(values) => (None, values[row].clone()),
        Values::Shaped(array) => (None, lakeward_api::shaped::value_at(array, row)),
        Values::Typed { schema, array } => (Some(schema), rows::value_at(schema, array, row)),
    };
    match &value {
        Value::Null => Ok("null".to_owned()),
        Value::String(text) => Ok(text.to_string()),
        value => literal::to_text(schema.map(|schema| &**schema), value),
    }
}

/// A key that stays a part of the name: no control characters, no segment that is empty or leads elsewhere.
fn confined(key: &str) -> String {
    if key.is_empty() {
        return String::new();
    }
    // Behind another segment, so that the first one counts, too.
    let text = confine(&format!("a/{key}")).into_owned();
    text.strip_prefix("a/").map_or_else(|| text[1..].to_owned(), str::to_owned)
}

/// The longest object name of any store.
const OBJECT_NAME_BYTES_MAX: usize = 1024;
