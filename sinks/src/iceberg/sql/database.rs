//! The database of a catalog: statements with texts as parameters, and the forms of its two tables.

use std::collections::BTreeMap;

use super::super::error::CatalogError;
use super::postgres::Postgres;
use super::sqlite::Sqlite;
use super::{JDBC, OWN_KEYS, setting};

/// A database.
pub(super) enum Database {
    Postgres(Box<Postgres>),
    Sqlite(Sqlite),
}

/// A part of the catalog's form that may be missing.
#[derive(Clone, Copy, Debug)]
pub(super) enum Piece {
    /// The table of properties of namespaces.
    Namespaces,
    /// The table of tables.
    Tables,
    /// Its column that tells views apart.
    Types,
}

impl Piece {
    /// What makes it. Java's text: SQLite keeps it as it is.
    pub(super) fn statement(self) -> &'static str {
        match self {
            Self::Namespaces => {
                "CREATE TABLE iceberg_namespace_properties(catalog_name VARCHAR(255) NOT NULL,\
                 namespace VARCHAR(255) NOT NULL,property_key VARCHAR(255),property_value VARCHAR(1000),\
                 PRIMARY KEY (catalog_name, namespace, property_key))"
            }
            Self::Tables => {
                "CREATE TABLE iceberg_tables(catalog_name VARCHAR(255) NOT NULL,\
                 table_namespace VARCHAR(255) NOT NULL,table_name VARCHAR(255) NOT NULL,\
                 metadata_location VARCHAR(1000),previous_metadata_location VARCHAR(1000),\
                 PRIMARY KEY (catalog_name, table_namespace, table_name))"
            }
            Self::Types => "ALTER TABLE iceberg_tables ADD COLUMN iceberg_type VARCHAR(5)",
        }
    }
}

impl Database {
    /// The database that `uri` and `jdbc.*` name.
    ///
    /// # Errors
    /// `Setting`: an address or a property that cannot be used.
    pub(super) fn new(properties: &BTreeMap<String, String>) -> Result<Self, CatalogError> {
        let uri = properties.get("uri").map_or("", |uri| uri.trim());
        let own = |name: &str| OWN_KEYS.contains(&name);
        let driver = properties.iter().filter_map(|(name, value)| Some((name.strip_prefix(JDBC)?, value)));
        let driver: BTreeMap<String, String> = driver
            .filter(|(name, _)| !own(name))
            .map(|(name, value)| (name.to_owned(), value.clone()))
            .collect();
        if let Some(address) = uri.strip_prefix("jdbc:postgresql:") {
            Postgres::new(address, driver).map(Box::new).map(Self::Postgres)
        } else if let Some(address) = uri.strip_prefix("jdbc:sqlite:") {
            Sqlite::new(address, driver).map(Self::Sqlite)
        } else {
            Err(setting(
                "iceberg.catalog.uri must begin with jdbc:postgresql: or jdbc:sqlite:: Lakeward speaks with \
                 no other databases yet",
            ))
        }
    }

    /// The first column of the first row.
    pub(super) async fn first(
        &self,
        sql: &str,
        values: &[&str],
    ) -> Result<Option<Option<String>>, CatalogError> {
        match self {
            Self::Postgres(postgres) => postgres.first(sql, values).await,
            Self::Sqlite(sqlite) => sqlite.first(sql, values).await,
        }
    }

    /// Changes rows in a transaction of its own; answers how many.
    ///
    /// # Errors
    /// [`CatalogError::of_commit`] tells whether it may have happened.
    pub(super) async fn change(&self, sql: &str, values: &[&str]) -> Result<u64, CatalogError> {
        match self {
            Self::Postgres(postgres) => postgres.change(sql, values).await,
            Self::Sqlite(sqlite) => sqlite.change(sql, values).await,
        }
    }

    /// Whether texts have the lengths that columns were made with.
    pub(super) fn bounds_names(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }

    /// Whether a piece is there.
    pub(super) async fn has(&self, piece: Piece) -> Result<bool, CatalogError> {
        let sql = match (self, piece) {
            (Self::Postgres(_), Piece::Namespaces) => {
                "SELECT 'x'::varchar WHERE to_regclass('iceberg_namespace_properties') IS NOT NULL"
            }
            (Self::Postgres(_), Piece::Tables) => {
                "SELECT 'x'::varchar WHERE to_regclass('iceberg_tables') IS NOT NULL"
            }
            (Self::Postgres(_), Piece::Types) => {
                "SELECT 'x'::varchar FROM pg_attribute WHERE attrelid = to_regclass('iceberg_tables') \
                 AND attname = 'iceberg_type' AND NOT attisdropped"
            }
            (Self::Sqlite(_), Piece::Namespaces) => {
                "SELECT name FROM sqlite_master WHERE name = 'iceberg_namespace_properties'"
            }
            (Self::Sqlite(_), Piece::Tables) => {
                "SELECT name FROM sqlite_master WHERE name = 'iceberg_tables'"
            }
            (Self::Sqlite(_), Piece::Types) => {
                "SELECT name FROM pragma_table_info('iceberg_tables') WHERE name = 'iceberg_type'"
            }
        };
        Ok(self.first(sql, &[]).await?.is_some())
    }
}
