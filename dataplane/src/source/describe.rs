//! A source record as `SourceRecord#toString` shows it, for log lines that a connector asks for
//! (`errors.log.include.messages`).
//!
//! Values get the texts of `StringConverter`, which are those of Java's `toString`. Source: `SourceRecord`,
//! `ConnectRecord`, `ConnectHeaders`, `ConnectHeader`, `ConnectSchema`, Kafka 4.1.

use std::sync::Arc;

use lakeward_api::batch::{SinkBatch, Values};
use lakeward_api::config::ConfigMap;
use lakeward_api::converter::Converter;
use lakeward_api::plugin::{ConverterContext, ConverterRole, PluginRegistry};
use lakeward_api::schema::Schema;
use lakeward_api::source::SourcePosition;
use lakeward_api::transform::NO_PARTITION;
use lakeward_api::value::Value;

const STRING_CONVERTER: &str = "org.apache.kafka.connect.storage.StringConverter";

/// A record before its transforms.
pub(super) struct Origin<'a> {
    pub(super) position: &'a SourcePosition,
    /// What was polled with it; partitions are those that records go to.
    pub(super) batch: &'a SinkBatch,
    pub(super) row: usize,
}

/// Texts of records.
pub(super) struct Describe(Box<dyn Converter>);

impl Describe {
    /// `None` in a worker without `StringConverter`.
    pub(super) fn new(plugins: &PluginRegistry) -> Option<Self> {
        let plugin = plugins.converter(STRING_CONVERTER)?;
        let settings = ConfigMap::new();
        let context = ConverterContext {
            role: ConverterRole::Value,
            settings: &settings,
            connector: &settings,
            network: None,
        };
        plugin.new_converter(&context).ok().map(Self)
    }

    /// The text of one record.
    pub(super) fn record(&mut self, origin: &Origin<'_>) -> String {
        let Origin { position, batch, row } = origin;
        let partition = match batch.partition.partition {
            NO_PARTITION => "null".to_owned(),
            partition => partition.to_string(),
        };
        let timestamp = batch.timestamps_ms[*row].map_or_else(|| "null".to_owned(), |ms| ms.to_string());
        format!(
            "SourceRecord{{sourcePartition={}, sourceOffset={}}} ConnectRecord{{topic='{}', \
             kafkaPartition={partition}, key={}, keySchema={}, value={}, valueSchema={}, \
             timestamp={timestamp}, headers=ConnectHeaders(headers={})}}",
            self.value(&position.partition),
            self.value(&position.offset),
            batch.topic,
            self.row(&batch.keys, *row),
            schema_text(batch.keys.schema()),
            self.row(&batch.values, *row),
            schema_text(batch.values.schema()),
            self.headers(batch, *row)
        )
    }

    fn headers(&mut self, batch: &SinkBatch, row: usize) -> String {
        if batch.headers.is_empty() {
            return String::new();
        }
        let headers = batch.headers.row(row);
        let text = |header: &lakeward_api::header::Header| {
            let schema = header.schema.as_ref();
            format!(
                "ConnectHeader(key={}, value={}, schema={})",
                header.key,
                self.typed(schema, &header.value),
                schema_text(schema)
            )
        };
        let texts: Vec<String> = headers.iter().map(text).collect();
        if texts.is_empty() { String::new() } else { format!("[{}]", texts.join(", ")) }
    }

    fn typed(&mut self, schema: Option<&Arc<Schema>>, value: &Value) -> String {
        let Some(schema) = schema else { return self.value(value) };
        let mut column = lakeward_api::rows::ColumnWriter::new(schema);
        match column.append(value).and_then(|()| column.finish()) {
            Ok(array) => self.row(&Values::Typed { schema: Arc::clone(schema), array }, 0),
            Err(_) => self.value(value),
        }
    }

    fn value(&mut self, value: &Value) -> String {
        self.row(&Values::Dynamic(vec![value.clone()]), 0)
    }

    fn row(&mut self, values: &Values, row: usize) -> String {
        match self.0.encode("", &values.slice(row, 1)) {
            Ok(encoded) if encoded.errors.is_empty() => encoded
                .payload(0)
                .map_or_else(|| "null".to_owned(), |text| String::from_utf8_lossy(text).into()),
            // Nothing has no text; should it ever be so, the line is more useful without it than not at all.
            Ok(_) | Err(_) => "?".to_owned(),
        }
    }
}

fn schema_text(schema: Option<&Arc<Schema>>) -> String {
    let Some(schema) = schema else { return "null".to_owned() };
    let kind = schema.kind.name();
    match &schema.name {
        Some(name) => format!("Schema{{{name}:{kind}}}"),
        None => format!("Schema{{{kind}}}"),
    }
}

#[cfg(test)]
mod tests {
    use lakeward_api::header::{Header, HeaderRows};
    use lakeward_api::record::TopicPartition;
    use lakeward_api::rows::ColumnWriter;
    use lakeward_api::schema::{Field, Kind, Logical};

    use super::*;

    fn typed(schema: Schema, value: &Value) -> Values {
        let mut column = ColumnWriter::new(&schema);
        column.append(value).unwrap();
        Values::Typed { schema: Arc::new(schema), array: column.finish().unwrap() }
    }

    fn header(key: &str, schema: Option<Kind>, value: Value) -> Header {
        Header { key: key.into(), schema: schema.map(|kind| Arc::new(Schema::new(kind))), value }
    }

    /// Printed by Kafka 4.1.
    #[test]
    fn a_record_is_shown_as_java_shows_it() {
        let mut plugins = PluginRegistry::default();
        lakeward_formats::register(&mut plugins);
        let field = |name: &str, schema: Schema| Field { name: name.into(), schema: Arc::new(schema) };
        let fields = vec![
            field("a", Schema::new(Kind::Int32)),
            field("o", Schema::optional(Kind::String)),
            field("d", Schema::logical_of(Logical::Date)),
        ];
        let row = Value::Struct(vec![Value::Int32(1), Value::Null, Value::Date(0)]);
        let batch = SinkBatch {
            partition: TopicPartition::new("t", 3),
            topic: "t".into(),
            offsets: vec![0],
            timestamps_ms: vec![Some(7)],
            keys: typed(Schema::optional(Kind::String), &Value::Null),
            values: typed(Schema::new(Kind::Struct(fields)).named("com.x.R"), &row),
            headers: HeaderRows::new(vec![vec![
                header("h", Some(Kind::String), Value::String("v".into())),
                header("i", Some(Kind::Int32), Value::Int32(4)),
                header("n", None, Value::Null),
            ]]),
        };
        let null = || Arc::new(Value::Null);
        let position = SourcePosition { partition: null(), offset: null() };
        let origin = Origin { position: &position, batch: &batch, row: 0 };
        assert_eq!(
            Describe::new(&plugins).unwrap().record(&origin),
            "SourceRecord{sourcePartition=null, sourceOffset=null} ConnectRecord{topic='t', \
             kafkaPartition=3, key=null, keySchema=Schema{STRING}, \
             value=Struct{a=1,d=Thu Jan 01 00:00:00 UTC 1970}, \
             valueSchema=Schema{com.x.R:STRUCT}, timestamp=7, headers=ConnectHeaders(headers=\
             [ConnectHeader(key=h, value=v, schema=Schema{STRING}), ConnectHeader(key=i, value=4, \
             schema=Schema{INT32}), ConnectHeader(key=n, value=null, schema=null)])}"
        );
    }
}
