//! The keys of groups "Connector", "Storage", "Partitioner" and "Lakeward", which the sinks of other stores
//! share. Owns definitions only; what values mean together is decided in the parent module.
//!
//! Source: `StorageSinkConnectorConfig`, `StorageCommonConfig` and `PartitionerConfig` of the Confluent S3
//! sink.

use std::time::Duration;

use lakeward_api::config::ConfigDef;

use super::validators;

/// Group "Connector", first part: up to `allow.optional.map.keys`.
#[derive(ConfigDef, Debug)]
#[expect(dead_code, reason = "keys that are only accepted or refused are parsed, not used")]
pub(crate) struct ConnectorKeys {
    /// Format class to use when writing data to the store.
    #[config(name = "format.class", kind = "class", default = required, importance = "high",
             group = "Connector", display = "Format class", validate = custom(validators::any_format_class))]
    pub(crate) format_class: String,
    /// Number of records of one topic-partition, summed over its open files, after which all of them are
    /// completed.
    #[config(name = "flush.size", kind = "int", default = required, importance = "high", group = "Connector",
             width = "long", display = "Flush Size")]
    pub(crate) flush_size: i32,
    /// Record-time span in milliseconds after which the open files of a topic-partition are completed. Acts
    /// only with a time-based partitioner.
    #[config(
        name = "rotate.interval.ms",
        kind = "long",
        default = "-1",
        importance = "high",
        group = "Connector",
        width = "medium",
        display = "Rotate Interval (ms)"
    )]
    pub(crate) rotate_interval_ms: i64,
    /// Wall-clock interval in milliseconds, aligned to midnight of `timezone`, at which open files are
    /// completed. Files that depend on the wall clock are at-least-once: a file written again after a restart
    /// may replace one of the same name.
    #[config(
        name = "rotate.schedule.interval.ms",
        kind = "long",
        default = "-1",
        importance = "medium",
        group = "Connector",
        width = "medium",
        display = "Rotate Schedule Interval (ms)"
    )]
    pub(crate) rotate_schedule_interval_ms: i64,
    /// Size of the schema cache of the Avro converter. Accepted for compatibility.
    #[config(
        name = "schemas.cache.config",
        kind = "int",
        default = "1000",
        importance = "low",
        group = "Connector",
        width = "long",
        display = "Schema Cache Size"
    )]
    pub(crate) schemas_cache_size: i32,
    /// Keep enums and namespaces in Avro schemas. Acts on Avro output and on enums in Parquet output.
    #[config(
        name = "enhanced.avro.schema.support",
        kind = "boolean",
        default = "true",
        importance = "low",
        group = "Connector",
        width = "short",
        display = "Enhanced Avro Support"
    )]
    pub(crate) enhanced_avro: bool,
    /// Keep Connect's own attributes in Avro schemas. Acts on Avro output and on the Avro schema in the
    /// footer of Parquet output.
    #[config(
        name = "connect.meta.data",
        kind = "boolean",
        default = "true",
        importance = "low",
        group = "Connector",
        width = "short",
        display = "Connect Metadata"
    )]
    pub(crate) connect_metadata: bool,
    /// Pause in milliseconds before a task that failed with a retriable error is tried again.
    #[config(
        name = "retry.backoff.ms",
        kind = "long",
        default = "5000",
        importance = "low",
        group = "Connector",
        width = "medium",
        display = "Retry Backoff (ms)"
    )]
    pub(crate) retry_backoff_ms: i64,
    /// Width to which offsets in file names are padded with zeros; 0 pads nothing.
    #[config(name = "filename.offset.zero.pad.width", kind = "int", default = "10", importance = "low",
             group = "Connector", width = "long", display = "Filename Offset Zero Pad Width",
             validate = at_least(0))]
    pub(crate) offset_pad_width: u32,
    /// Compression codec of Avro output.
    #[config(name = "avro.codec", kind = "string", default = "null", importance = "low", group = "Connector",
             width = "medium", display = "Avro Compression Codec",
             validate = one_of("null", "deflate", "snappy", "bzip2"),
             recommended("null", "deflate", "snappy", "bzip2"))]
    pub(crate) avro_codec: String,
    /// Write maps with optional string keys as maps instead of lists of entries, in Avro and Parquet output.
    #[config(
        name = "allow.optional.map.keys",
        kind = "boolean",
        default = "false",
        importance = "low",
        group = "Connector",
        width = "short",
        display = "Allow Optional Map Keys"
    )]
    pub(crate) allow_optional_map_keys: bool,
    /// What happens when the schema of a record differs from its file's: NONE starts new files, the other
    /// modes bring records to the file's schema where they can.
    #[config(
        name = "schema.compatibility",
        kind = "string",
        default = "NONE",
        importance = "high",
        group = "Schema",
        width = "short",
        display = "Schema Compatibility",
        recommended("NONE", "BACKWARD", "FORWARD", "FULL")
    )]
    pub(crate) schema_compatibility: String,
    /// Compression codec of Parquet output.
    #[config(name = "parquet.codec", kind = "string", default = "snappy", importance = "low",
             group = "Connector", width = "medium", display = "Parquet Compression Codec",
             validate = custom(validators::parquet_codec),
             recommended("none", "snappy", "gzip", "brotli", "lz4", "lz4_raw", "zstd"))]
    pub(crate) parquet_codec: String,
}

/// Group "Storage".
#[derive(ConfigDef, Debug)]
#[expect(dead_code, reason = "keys that are only accepted or refused are parsed, not used")]
pub(crate) struct StorageKeys {
    /// The storage class; only the connector's own exists.
    #[config(
        name = "storage.class",
        kind = "class",
        default = required,
        importance = "high",
        group = "Storage",
        display = "Storage Class"
    )]
    pub(crate) storage_class: String,
    /// Top-level directory of all objects; blank for none. It neither begins nor ends with a slash.
    #[config(
        name = "topics.dir",
        kind = "string",
        default = "topics",
        importance = "high",
        group = "Storage",
        display = "Topics directory"
    )]
    pub(crate) topics_dir: String,
    /// Where the store is: null for AWS, `http(s)://host:port` for another S3 service, `file:///directory`
    /// for a local directory in which the bucket is a sub-directory.
    #[config(name = "store.url", kind = "string", default = null, importance = "high", group = "Storage",
             display = "Store URL", validate = custom(validators::store_url))]
    pub(crate) store_url: Option<String>,
    /// Separator of directories in object names.
    #[config(
        name = "directory.delim",
        kind = "string",
        default = "/",
        importance = "medium",
        group = "Storage",
        width = "long",
        display = "Directory Delimiter"
    )]
    pub(crate) directory_delim: String,
    /// Separator of topic, partition and offset in file names.
    #[config(
        name = "file.delim",
        kind = "string",
        default = "+",
        importance = "medium",
        group = "Storage",
        width = "long",
        display = "File Delimiter"
    )]
    pub(crate) file_delim: String,
}

/// Group "Partitioner".
#[derive(ConfigDef, Debug)]
pub(crate) struct PartitionerKeys {
    /// How records are spread over directories.
    #[config(name = "partitioner.class", kind = "class",
             default = "io.confluent.connect.storage.partitioner.DefaultPartitioner", importance = "high",
             group = "Partitioner", width = "long", display = "Partitioner Class",
             validate = custom(validators::partitioner_class),
             dependents("partition.field.name", "partition.duration.ms", "path.format", "locale", "timezone"),
             recommended("io.confluent.connect.storage.partitioner.DefaultPartitioner",
                         "io.confluent.connect.storage.partitioner.HourlyPartitioner",
                         "io.confluent.connect.storage.partitioner.DailyPartitioner",
                         "io.confluent.connect.storage.partitioner.TimeBasedPartitioner",
                         "io.confluent.connect.storage.partitioner.FieldPartitioner"))]
    pub(crate) partitioner_class: String,
    /// Fields, nested ones with dots, that the FieldPartitioner makes directories of. Values appear verbatim,
    /// except that control characters, empty segments and the segments `.` and `..` are percent-encoded.
    #[config(name = "partition.field.name", kind = "list", default = "", importance = "medium",
             group = "Partitioner", display = "Partition Field Name",
             validate = custom(validators::field_paths))]
    pub(crate) field_names: Vec<String>,
    /// Length of a time bucket in milliseconds for the TimeBasedPartitioner.
    #[config(
        name = "partition.duration.ms",
        kind = "long",
        default = "-1",
        importance = "medium",
        group = "Partitioner",
        width = "long",
        display = "Partition Duration (ms)"
    )]
    pub(crate) duration_ms: i64,
    /// Joda-Time pattern of the directories of a time bucket, for the TimeBasedPartitioner.
    #[config(
        name = "path.format",
        kind = "string",
        default = "",
        importance = "medium",
        group = "Partitioner",
        width = "long",
        display = "Path Format"
    )]
    pub(crate) path_format: String,
    /// Locale of time-based directories.
    #[config(
        name = "locale",
        kind = "string",
        default = "",
        importance = "medium",
        group = "Partitioner",
        width = "long",
        display = "Locale"
    )]
    pub(crate) locale: String,
    /// Time zone of time-based directories and of scheduled rotation: `UTC`, `Europe/Paris`, `+02:00`.
    #[config(name = "timezone", kind = "string", default = "", importance = "medium", group = "Partitioner",
             width = "long", display = "Timezone", validate = custom(validators::time_zone))]
    pub(crate) time_zone: String,
    /// Where the time of a record comes from: Wallclock, Record or RecordField.
    #[config(name = "timestamp.extractor", kind = "string", default = "Wallclock", importance = "medium",
             group = "Partitioner", width = "long", display = "Timestamp Extractor",
             validate = custom(validators::timestamp_extractor))]
    pub(crate) timestamp_extractor: String,
    /// The field, nested with dots, that RecordField takes the time from. Texts without an offset are taken
    /// as UTC.
    #[config(name = "timestamp.field", kind = "string", default = "timestamp", importance = "medium",
             group = "Partitioner", width = "long", display = "Record Field for Timestamp Extractor",
             validate = custom(validators::field_paths))]
    pub(crate) timestamp_field: String,
}

/// Group "Lakeward": keys that the Java sink does not have.
#[derive(ConfigDef, Debug)]
pub(crate) struct LakewardKeys {
    /// The schema of JSON record values: `infer`, an Avro schema, or a JSON Schema. Used by the JSON
    /// converter.
    #[config(name = "lakeward.schema", kind = "string", default = null, importance = "medium",
             group = "Lakeward", width = "long", display = "Record Schema")]
    #[expect(
        dead_code,
        reason = "read by the JSON converter from the connector configuration, defined here"
    )]
    pub(crate) schema: Option<String>,
    /// What another schema of the values does to the open file: `none` leaves that to schema.compatibility,
    /// `merge` lets the file grow by new fields and wider numbers. Rows then wait until their file ends, in
    /// memory and, when there is too little of it, in lakeward.spill.dir.
    #[config(name = "lakeward.schema.evolution", kind = "string", default = "none", importance = "low",
             group = "Lakeward", display = "Schema Evolution", validate = one_of("none", "merge"),
             recommended("none", "merge"))]
    pub(crate) schema_evolution: String,
    /// Bytes of memory after which a Parquet row group is closed.
    #[config(name = "lakeward.parquet.row.group.bytes", kind = "long", default = "16777216",
             importance = "low", group = "Lakeward", display = "Parquet Row Group Bytes",
             validate = at_least(65536))]
    pub(crate) row_group_bytes: u64,
    /// How many parts of one file are uploaded at a time.
    #[config(name = "lakeward.uploads.in.flight", kind = "int", default = "4", importance = "low",
             group = "Lakeward", display = "Uploads In Flight", validate = between(1, 64))]
    pub(crate) uploads_in_flight: usize,
    /// How long one try of a request to the store may take in all, in milliseconds. The default is enough for
    /// a part of 25 MiB at 2 Mbit/s; larger parts get more in proportion.
    #[config(name = "lakeward.request.timeout.ms", kind = "long", default = "120000", importance = "low",
             group = "Lakeward", display = "Store Request Timeout ms", validate = at_least(1000))]
    pub(crate) request_timeout_ms: u64,
    /// How long open files wait for the next owner of their partition in this worker, in milliseconds, when a
    /// rebalance, a restart of tasks or another tasks.max takes it away; 0 for not at all: they are dropped,
    /// and their records are read again. Longer than a rebalance takes is enough (60000); meanwhile they
    /// count against lakeward.memory.limit, and go first when it is short.
    #[config(name = "lakeward.handover.ms", kind = "long", default = "0", importance = "low",
             group = "Lakeward", display = "Hand-over of Open Files (ms)", validate = between(0, 3_600_000))]
    pub(crate) handover_ms: u64,
    /// Whether the store is asked at start, once per bucket and worker process, what it does about
    /// conditional writes, so that GET /connectors/<name>/delivery can say so. It is asked with an empty
    /// object, .lakeward-probe below topics.dir, that is deleted again. Nothing depends on the answer,
    /// and an identity that may not is left in peace; false is for buckets where such a request is a
    /// nuisance (alarms on refusals, events on every object, retention).
    #[config(
        name = "lakeward.probe.conditional.writes",
        kind = "boolean",
        default = "true",
        importance = "low",
        group = "Lakeward",
        display = "Probe Conditional Writes"
    )]
    pub(crate) probe_conditions: bool,
}

impl LakewardKeys {
    /// How long open files wait for another owner; `None`: they do not.
    pub(crate) fn handover(&self) -> Option<Duration> {
        (self.handover_ms > 0).then(|| Duration::from_millis(self.handover_ms))
    }
}

/// Group "Lakeward", the key that only S3 has.
#[derive(ConfigDef, Debug)]
pub(super) struct OrphanKeys {
    /// Age in milliseconds from which unfinished uploads of this connector's own files are given up when
    /// their partition is assigned; -1 for never, which is the default: it needs
    /// s3:ListBucketMultipartUploads, which the Java sink does not ask for, it cannot be undone, and many
    /// buckets have a lifecycle rule for it. It must be longer than any file stays open, in case another
    /// cluster writes the same names.
    #[config(name = "lakeward.s3.abort.orphans.after.ms", kind = "long", default = "-1", importance = "low",
             group = "Lakeward", display = "Abort Orphaned Uploads After (ms)", validate = at_least(-1))]
    pub(super) age_ms: i64,
}
