//! The keys about files: groups "File", as S3 has it, and "Format". Owns definitions only.
//!
//! Source: `FileNameFragment`, `OutputFormatFragment` and `S3SinkConfig` of the Aiven connectors.

use lakeward_api::config::{ConfigDef, DefaultValue, Validator};

use super::validators;

/// Names and contents of objects.
#[derive(ConfigDef, Debug)]
#[expect(dead_code, reason = "keys that are only accepted are parsed, not used")]
pub(crate) struct FileKeys {
    /// Object names, with the variables topic, partition, start_offset, timestamp and key. They also say
    /// which records share a file: see decision 0013.
    #[config(name = "file.name.template", kind = "string", default = null, importance = "medium",
             group = "File", width = "long", display = "file.name.template")]
    pub(crate) name_template: Option<String>,
    /// For sources; no effect here.
    #[config(name = "file.prefix.template", kind = "string", default = null, importance = "medium",
             group = "File", width = "long", display = "file.prefix.template")]
    pub(crate) prefix_template: Option<String>,
    /// Compression of files: none, gzip, snappy or zstd. Without it gzip, but nothing for Parquet.
    #[config(name = "file.compression.type", kind = "string", default = null, importance = "medium",
             group = "File", display = "file.compression.type",
             recommended("none", "gzip", "snappy", "zstd"))]
    pub(crate) compression: Option<String>,
    /// Most records of one file; 0 for no limit.
    #[config(name = "file.max.records", kind = "int", default = "0", importance = "medium", group = "File",
             width = "short", display = "file.max.records", validate = between(0, 2147483647))]
    pub(crate) records_max: u64,
    /// Time zone of the variable timestamp.
    #[config(name = "file.name.timestamp.timezone", kind = "string", default = "Z", importance = "low",
             group = "File", width = "short", display = "file.name.timestamp.timezone",
             validate = custom(validators::time_zone))]
    pub(crate) time_zone: String,
    /// Where the variable timestamp comes from: WALLCLOCK or EVENT, the timestamp of the record.
    #[config(name = "file.name.timestamp.source", kind = "string", default = "WALLCLOCK",
             importance = "low", group = "File", width = "short", display = "file.name.timestamp.source",
             validate = custom(validators::time_source))]
    pub(crate) time_source: String,
}

/// Group "Format", the same for every store.
#[derive(ConfigDef, Debug)]
pub(crate) struct FormatKeys {
    /// Format of files: avro, csv, json, jsonl or parquet.
    #[config(
        name = "format.output.type",
        kind = "string",
        default = "csv",
        importance = "medium",
        group = "Format",
        display = "format.output.type",
        recommended("avro", "csv", "json", "jsonl", "parquet")
    )]
    pub(crate) format: String,
    /// Which parts of a record are stored: key, value, offset, timestamp, headers.
    #[config(name = "format.output.fields", kind = "list", default = null, importance = "medium",
             group = "Format", display = "format.output.fields",
             validate = custom(validators::output_fields),
             recommended("key", "value", "offset", "timestamp", "headers"))]
    pub(crate) output_fields: Option<Vec<String>>,
    /// How values stand in csv: base64, or none for their bytes as they are.
    #[config(name = "format.output.fields.value.encoding", kind = "string", default = "base64",
             importance = "medium", group = "Format", display = "format.output.fields.value.encoding",
             validate = custom(validators::value_encoding), recommended("none", "base64"))]
    pub(crate) value_encoding: String,
    /// Whether a single field has an object or record around it.
    #[config(
        name = "format.output.envelope",
        kind = "boolean",
        default = "true",
        importance = "medium",
        group = "Format",
        width = "short",
        display = "format.output.envelope"
    )]
    pub(crate) envelope: bool,
}

impl FormatKeys {
    /// The definition as it is where a store's own old names count for fields.
    pub(super) fn definition() -> ConfigDef {
        let mut def = Self::config_def();
        for (name, order) in [
            ("format.output.type", 0),
            ("format.output.fields", 0),
            ("format.output.fields.value.encoding", 1),
            ("format.output.envelope", 2),
        ] {
            let mut key = def.key(name).expect("it is one of them").clone();
            key.order = order;
            if name == "format.output.type" {
                key.validator = Validator::CustomWords(validators::format);
            }
            def.define(key);
        }
        def
    }

    /// The same with the fields that are stored unless others are asked for.
    pub(super) fn with_usual_fields() -> ConfigDef {
        let mut def = Self::definition();
        let mut fields = def.key("format.output.fields").expect("it is one of them").clone();
        fields.default = DefaultValue::Text("value".to_owned());
        def.define(fields);
        def
    }
}

/// The clock of the old way of naming.
#[derive(ConfigDef, Debug)]
pub(crate) struct OldClockKeys {
    /// Time zone of the variable timestamp of aws.s3.prefix.
    #[config(name = "timestamp.timezone", kind = "string", default = "Z", importance = "low",
             group = "File", width = "short", display = "timestamp.timezone",
             validate = custom(validators::time_zone))]
    pub(crate) time_zone: String,
    /// Where the variable timestamp of aws.s3.prefix comes from: WALLCLOCK or EVENT.
    #[config(name = "timestamp.source", kind = "string", default = "WALLCLOCK", importance = "low",
             group = "File", width = "short", display = "timestamp.source",
             validate = custom(validators::time_source))]
    pub(crate) time_source: String,
}
