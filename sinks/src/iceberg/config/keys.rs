//! The keys that the Java connector defines, with its descriptions: REST answers show them.

use lakeward_api::config::ConfigDef;

/// Every key, in Java's order.
#[derive(ConfigDef, Debug)]
#[expect(dead_code, reason = "keys that are only accepted or refused are parsed, not used")]
pub(super) struct Keys {
    /// Comma-delimited list of destination tables
    #[config(name = "iceberg.tables", kind = "list", default = null,
             importance = "high")]
    pub(super) tables: Option<Vec<String>>,
    /// Enable dynamic routing to tables based on a record value
    #[config(
        name = "iceberg.tables.dynamic-enabled",
        kind = "boolean",
        default = "false",
        importance = "medium"
    )]
    pub(super) is_dynamic: bool,
    /// Source record field for routing records to tables
    #[config(name = "iceberg.tables.route-field", kind = "string", default = null,
             importance = "medium")]
    pub(super) route_field: Option<String>,
    /// Default branch for commits
    #[config(name = "iceberg.tables.default-commit-branch", kind = "string", default = null,
             importance = "medium")]
    pub(super) commit_branch: Option<String>,
    /// Default ID columns for tables, comma-separated
    #[config(name = "iceberg.tables.default-id-columns", kind = "string", default = null,
             importance = "medium")]
    pub(super) id_columns: Option<String>,
    /// Default partition spec to use when creating tables, comma-separated
    #[config(name = "iceberg.tables.default-partition-by", kind = "string", default = null,
             importance = "medium")]
    pub(super) partition_by: Option<String>,
    /// Set to true to automatically create destination tables, false otherwise
    #[config(
        name = "iceberg.tables.auto-create-enabled",
        kind = "boolean",
        default = "false",
        importance = "medium"
    )]
    pub(super) auto_create: bool,
    /// Set to true to set columns as optional during table create and evolution, false to respect
    /// schema
    #[config(
        name = "iceberg.tables.schema-force-optional",
        kind = "boolean",
        default = "false",
        importance = "medium"
    )]
    pub(super) force_optional: bool,
    /// Set to true to look up table columns by case-insensitive name, false for case-sensitive
    #[config(
        name = "iceberg.tables.schema-case-insensitive",
        kind = "boolean",
        default = "false",
        importance = "medium"
    )]
    pub(super) ignores_case: bool,
    /// Set to true to add any missing record fields to the table schema, false otherwise
    #[config(
        name = "iceberg.tables.evolve-schema-enabled",
        kind = "boolean",
        default = "false",
        importance = "medium"
    )]
    pub(super) evolves: bool,
    /// Iceberg catalog name
    #[config(name = "iceberg.catalog", kind = "string", default = "iceberg", importance = "medium")]
    pub(super) catalog: String,
    /// Name of the control topic
    #[config(
        name = "iceberg.control.topic",
        kind = "string",
        default = "control-iceberg",
        importance = "medium"
    )]
    pub(super) control_topic: String,
    /// Prefix of the control consumer group
    #[config(
        name = "iceberg.control.group-id-prefix",
        kind = "string",
        default = "cg-control-",
        importance = "low"
    )]
    pub(super) control_group_prefix: String,
    /// Name of the Connect consumer group, should not be set under normal conditions
    #[config(name = "iceberg.connect.group-id", kind = "string", default = null,
             importance = "low")]
    pub(super) group_id: Option<String>,
    /// Coordinator interval for performing Iceberg table commits, in millis
    #[config(
        name = "iceberg.control.commit.interval-ms",
        kind = "int",
        default = "300000",
        importance = "medium"
    )]
    pub(super) commit_interval_ms: i32,
    /// Coordinator time to wait for worker responses before committing, in millis
    #[config(
        name = "iceberg.control.commit.timeout-ms",
        kind = "int",
        default = "30000",
        importance = "medium"
    )]
    pub(super) commit_timeout_ms: i32,
    /// Coordinator threads to use for table commits, default is (cores * 2)
    #[config(name = "iceberg.control.commit.threads", kind = "int", default = "8", importance = "medium")]
    pub(super) commit_threads: i32,
    /// Optional prefix of the transactional id for the coordinator
    #[config(name = "iceberg.coordinator.transactional.prefix", kind = "string", default = null,
             importance = "low")]
    pub(super) transactional_prefix: Option<String>,
    /// If specified, Hadoop config files in this directory will be loaded
    #[config(name = "iceberg.hadoop-conf-dir", kind = "string", default = null,
             importance = "medium")]
    pub(super) hadoop_conf_dir: Option<String>,
    /// Config to control coordinator executor keep alive time
    #[config(
        name = "iceberg.coordinator-executor-keep-alive-timeout-ms",
        kind = "long",
        default = "120000",
        importance = "low"
    )]
    pub(super) executor_keep_alive_ms: i64,
}
