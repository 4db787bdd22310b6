//! Keys that belong to the mode GENERIC. Owns definitions only: they are accepted and have no effect in
//! RESTORE_BACKUP; those that begin with `csv.` have one with CSV only.
//!
//! Source: the configuration that the Confluent S3 source publishes.

use lakeward_api::config::ConfigDef;

use super::{checks, csv};

/// Keys of GENERIC.
#[derive(ConfigDef, Debug)]
#[expect(dead_code, reason = "keys that are only accepted are parsed, not used")]
pub(super) struct GenericKeys {
    /// Pairs of topic and regular expression, `topic:regex`, for GENERIC: the first expression that matches
    /// the whole name of an object says its topic; other objects are left out.
    #[config(name = "topic.regex.list", kind = "list", default = "", importance = "high", group = "Topic",
             validate = custom(checks::topic_regexes))]
    pub(super) topic_regexes: Vec<String>,
    /// Accepted for compatibility: objects are read one after the other.
    #[config(
        name = "task.batch.size",
        kind = "int",
        default = "10",
        importance = "medium",
        group = "Storage"
    )]
    pub(super) task_batch: i32,
    /// Objects that were modified before this time are left out, for GENERIC: seconds or milliseconds since
    /// 1970.
    #[config(
        name = "file.discovery.starting.timestamp",
        kind = "long",
        default = "0",
        importance = "medium",
        group = "Storage"
    )]
    pub(super) starting_timestamp: i64,
    /// Accepted for compatibility: listings are read page by page.
    #[config(
        name = "bucket.listing.max.objects.threshold",
        kind = "int",
        default = "-1",
        importance = "medium",
        group = "Connector"
    )]
    pub(super) listing_threshold: i32,
    /// Refused where it would have an effect (behavior.on.error other than fail): objects that cannot be read
    /// are named in the log, not on a topic.
    #[config(
        name = "parse.error.topic.prefix",
        kind = "string",
        default = "error",
        importance = "medium",
        group = "Connector"
    )]
    pub(super) error_topic_prefix: String,
    /// Accepted for compatibility: listings need no threads.
    #[config(
        name = "bucket.scan.executor.threads",
        kind = "int",
        default = "5",
        importance = "medium",
        group = "Connector"
    )]
    pub(super) scan_threads: i32,
    /// Schema of CSV rows, for GENERIC: JSON with name, type STRUCT, isOptional and fieldSchemas, whose types
    /// are STRING, BOOLEAN, INT8 to INT64, FLOAT32 and FLOAT64. Without it each column is a field of optional
    /// text.
    #[config(
        name = "value.schema",
        kind = "string",
        default = "",
        importance = "medium",
        group = "csv",
        validate = custom(csv::value_schema)
    )]
    pub(super) value_schema: String,
    /// Lines of CSV to leave out, for GENERIC.
    #[config(
        name = "csv.skip.lines",
        kind = "int",
        default = "0",
        importance = "low",
        group = "csv",
        validate = at_least(0)
    )]
    pub(super) csv_skip: usize,
    /// Code point between CSV fields, for GENERIC.
    #[config(
        name = "csv.separator.char",
        kind = "int",
        default = "44",
        importance = "low",
        group = "csv",
        validate = custom(csv::code_point)
    )]
    pub(super) csv_separator: i32,
    /// Code point around CSV fields, for GENERIC.
    #[config(
        name = "csv.quote.char",
        kind = "int",
        default = "34",
        importance = "low",
        group = "csv",
        validate = custom(csv::code_point)
    )]
    pub(super) csv_quote: i32,
    /// Code point before escaped CSV characters; 0 for none. No effect with RFC 4180.
    #[config(
        name = "csv.escape.char",
        kind = "int",
        default = "92",
        importance = "low",
        group = "csv",
        validate = custom(csv::escape_point)
    )]
    pub(super) csv_escape: i32,
    /// Characters outside of quotes do not count. No effect with RFC 4180.
    #[config(
        name = "csv.strict.quotes",
        kind = "boolean",
        default = "false",
        importance = "low",
        group = "csv"
    )]
    pub(super) csv_strict: bool,
    /// White space in front of a quote does not count. No effect with RFC 4180.
    #[config(
        name = "csv.ignore.leading.whitespace",
        kind = "boolean",
        default = "true",
        importance = "low",
        group = "csv"
    )]
    pub(super) csv_whitespace: bool,
    /// Quotes are characters. No effect with RFC 4180.
    #[config(
        name = "csv.ignore.quotations",
        kind = "boolean",
        default = "false",
        importance = "low",
        group = "csv"
    )]
    pub(super) csv_ignore_quotes: bool,
    /// Carriage returns at the ends of lines are kept, for GENERIC.
    #[config(
        name = "csv.keep.carriage.return",
        kind = "boolean",
        default = "false",
        importance = "low",
        group = "csv"
    )]
    pub(super) csv_returns: bool,
    /// Which CSV fields are null, for GENERIC.
    #[config(
        name = "csv.null.field.indicator",
        kind = "string",
        default = "NEITHER",
        importance = "low",
        group = "csv",
        validate = one_of("NEITHER", "BOTH", "EMPTY_SEPARATORS", "EMPTY_QUOTES")
    )]
    pub(super) csv_nulls: String,
    /// The first row of CSV has the names of fields, for GENERIC.
    #[config(
        name = "csv.first.row.as.header",
        kind = "boolean",
        default = "true",
        importance = "medium",
        group = "csv"
    )]
    pub(super) csv_header: bool,
    /// Character set of CSV, for GENERIC.
    #[config(
        name = "csv.file.charset",
        kind = "string",
        default = "UTF-8",
        importance = "low",
        group = "csv",
        validate = custom(csv::charset)
    )]
    pub(super) csv_charset: String,
    /// Names of CSV fields differ by case, for GENERIC.
    #[config(
        name = "csv.case.sensitive.field.names",
        kind = "boolean",
        default = "false",
        importance = "low",
        group = "csv"
    )]
    pub(super) csv_case: bool,
    /// CSV follows RFC 4180, for GENERIC. Otherwise it is read as opencsv's older parser reads it, with
    /// csv.escape.char, csv.strict.quotes, csv.ignore.leading.whitespace and csv.ignore.quotations.
    #[config(
        name = "csv.rfc.4180.parser.enabled",
        kind = "boolean",
        default = "true",
        importance = "low",
        group = "csv"
    )]
    pub(super) csv_rfc: bool,
}
