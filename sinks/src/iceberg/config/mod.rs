//! The configuration of the Iceberg sink: Java's keys, and what follows from them.
//!
//! Owns names, defaults and cross checks. Keys without a definition (`iceberg.catalog.*`, `iceberg.table.*`
//! and the like) are read by their prefix, as Java does.
//!
//! Source: `IcebergSinkConfig`, iceberg-kafka-connect 1.10.

mod keys;
mod partition_by;
mod per_table;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::thread::available_parallelism;
use std::time::Duration;

use lakeward_api::ConnectError;
use lakeward_api::config::{ConfigDef, ConfigKey, ConfigMap, ConfigValue, DefaultValue};
use lakeward_transforms::JavaRegex;

use super::catalog::CatalogKind;
use super::sql;
use keys::Keys;
pub(super) use partition_by::PartitionBy;
pub(super) use per_table::PerTable;

/// Before the name of a table and a key of its own.
const TABLE: &str = "iceberg.table.";
const ROUTE_REGEX: &str = "route-regex";
const PARTITION_BY: &str = "partition-by";

/// Everything a task needs to know.
#[derive(Clone, Debug)]
pub(super) struct IcebergConfig {
    /// Tables by name, in the order of the configuration; none when records name them.
    pub(super) tables: Vec<String>,
    /// The field in which records name their table.
    pub(super) dynamic_field: Option<String>,
    /// How records find their tables; without it, each goes to all of them.
    pub(super) routing: Option<Routing>,
    /// The catalog's own name: a database holds the tables of several.
    pub(super) catalog_name: String,
    /// Properties of the catalog, without prefix. Some are secrets.
    pub(super) catalog: BTreeMap<String, String>,
    /// Under which the tables keep positions.
    pub(super) group_id: String,
    /// Between two commits.
    pub(super) commit_interval: Duration,
    /// Columns are found whatever the case of their names.
    pub(super) ignores_case: bool,
    /// What may be done to tables for records that do not fit.
    pub(super) shaping: Shaping,
    /// Settings of single tables, and what counts without one.
    pub(super) per_table: PerTable,
}

/// Whether tables are made and changed, and how.
#[derive(Clone, Debug, Default)]
pub(super) struct Shaping {
    /// Tables that are missing are made.
    pub(super) creates: bool,
    /// Columns are added and widened.
    pub(super) evolves: bool,
    /// No new column is required.
    pub(super) force_optional: bool,
    /// Properties of tables that are made.
    pub(super) properties: BTreeMap<String, String>,
}

/// `iceberg.tables.route-field` and the patterns of the tables.
#[derive(Clone, Debug)]
pub(super) struct Routing {
    /// Names from the record to the field, with dots between them.
    pub(super) field: String,
    /// One per table, in their order.
    pub(super) patterns: Vec<Option<String>>,
}

impl IcebergConfig {
    /// The configuration of a task of `connector`.
    ///
    /// # Errors
    /// `Config`, in Java's words where Java has any.
    pub(super) fn parse(props: &ConfigMap, connector: &str) -> Result<Self, ConnectError> {
        let joined = |values: Vec<ConfigValue>| {
            let problems: Vec<String> = values.into_iter().flat_map(|value| value.errors).collect();
            ConnectError::config(problems.join("; "))
        };
        let values = validate(props);
        if values.iter().any(|value| !value.errors.is_empty()) {
            return Err(joined(values));
        }
        let keys = Keys::parse(props).map_err(joined)?;
        let catalog = with_prefix(props, "iceberg.catalog.");
        if catalog.is_empty() {
            return Err(ConnectError::config("Must specify Iceberg catalog properties"));
        }
        let (tables, dynamic_field) = match (keys.tables, keys.is_dynamic) {
            (Some(_), true) => {
                return Err(ConnectError::config("Cannot specify both static and dynamic table names"));
            }
            (Some(tables), false) => (tables, None),
            (None, true) if keys.route_field.is_none() => {
                let said = "Must specify a route field if using dynamic table names";
                return Err(ConnectError::config(said));
            }
            (None, true) => (Vec::new(), keys.route_field.clone()),
            (None, false) => return Err(ConnectError::config("Must specify table name(s)")),
        };
        let pattern = |table: &String| props.get(&format!("{TABLE}{table}.{ROUTE_REGEX}")).cloned();
        let patterns = tables.iter().map(pattern).collect();
        Ok(Self {
            routing: keys.route_field.map(|field| Routing { field, patterns }),
            dynamic_field,
            tables,
            catalog_name: keys.catalog,
            catalog,
            group_id: keys.group_id.unwrap_or_else(|| format!("connect-{connector}")),
            commit_interval: Duration::from_millis(u64::try_from(keys.commit_interval_ms).unwrap_or(0)),
            ignores_case: keys.ignores_case,
            shaping: Shaping {
                creates: keys.auto_create,
                evolves: keys.evolves,
                force_optional: keys.force_optional,
                properties: with_prefix(props, "iceberg.tables.auto-create-props."),
            },
            per_table: PerTable {
                given: with_prefix(props, TABLE),
                id_columns: keys.id_columns,
                partition_by: keys.partition_by,
                branch: keys.commit_branch,
            },
        })
    }
}

/// The definition of every key, in Java's order.
pub(super) fn config_def() -> ConfigDef {
    let cores = available_parallelism().map_or(1, usize::from);
    let with_cores = |mut key: ConfigKey| {
        if key.name == "iceberg.control.commit.threads" {
            key.default = DefaultValue::Text((cores * 2).to_string());
        }
        key
    };
    ConfigDef::new(Keys::config_def().keys().iter().cloned().map(with_cores).collect())
}

/// Validates every key; what is not supported yet is refused by name.
pub(super) fn validate(props: &ConfigMap) -> Vec<ConfigValue> {
    let mut values = config_def().validate(props);
    for value in &mut values {
        if let Some(problem) = refusal(&value.name, props) {
            value.errors.push(problem);
        }
    }
    values
}

/// Why the value of the key `name` cannot be followed yet.
fn refusal(name: &str, props: &ConfigMap) -> Option<String> {
    let text = |name: &str| props.get(name).map_or("", |text| text.trim());
    let is_given = !text(name).is_empty();
    let not_yet = |what: &str| Some(format!("{name}: Lakeward does not {what} yet"));
    match name {
        "iceberg.catalog" => catalog_refusal(&with_prefix(props, "iceberg.catalog.")),
        "iceberg.tables" => table_refusal(&with_prefix(props, TABLE)),
        "iceberg.hadoop-conf-dir" if is_given => not_yet("read Hadoop configurations"),
        "iceberg.tables.default-partition-by" => {
            PartitionBy::items(text(name)).err().map(|problem| format!("{name}: {problem}"))
        }
        _ => None,
    }
}

/// REST catalogs and SQL databases can be asked.
fn catalog_refusal(catalog: &BTreeMap<String, String>) -> Option<String> {
    match CatalogKind::of(catalog) {
        Some(CatalogKind::Rest) => rest_refusal(catalog),
        Some(CatalogKind::Sql) => sql::refusal(catalog),
        None => (!catalog.is_empty()).then(|| {
            "iceberg.catalog.type: Lakeward only speaks with catalogs of type rest \
             (org.apache.iceberg.rest.RESTCatalog) or jdbc (org.apache.iceberg.jdbc.JdbcCatalog) yet"
                .to_owned()
        }),
    }
}

fn rest_refusal(catalog: &BTreeMap<String, String>) -> Option<String> {
    let is_signed = catalog.get("rest.sigv4-enabled").is_some_and(|text| text.eq_ignore_ascii_case("true"));
    let auth = catalog.get("rest.auth.type").map_or("oauth2", String::as_str);
    if !is_signed && ["none", "oauth2"].contains(&auth) {
        return None;
    }
    let key = if is_signed { "rest.sigv4-enabled" } else { "rest.auth.type" };
    Some(format!("iceberg.catalog.{key}: Lakeward does not authenticate itself in this way yet"))
}

/// Keys of single tables, without their prefix.
fn table_refusal(keys: &BTreeMap<String, String>) -> Option<String> {
    let problem = |(key, text): (&String, &String)| {
        let problem = match key.rsplit_once('.')?.1 {
            PARTITION_BY => PartitionBy::items(text).err()?,
            ROUTE_REGEX => format!("Invalid regex: {}", JavaRegex::new(text).err()?),
            _ => return None,
        };
        Some(format!("{TABLE}{key}: {problem}"))
    };
    keys.iter().find_map(problem)
}

fn with_prefix(props: &ConfigMap, prefix: &str) -> BTreeMap<String, String> {
    let cut = |(name, value): (&String, &String)| {
        name.strip_prefix(prefix).map(|name| (name.to_owned(), value.clone()))
    };
    props.iter().filter_map(cut).collect()
}
