//! The catalog that tables are asked of: a REST service, or a SQL database.
//!
//! Owns which one it is. Both change a table by compare-and-set, and neither repeats a change: whether one
//! whose answer was lost took place is settled by looking at the table (`commit.rs`).

use std::collections::BTreeMap;

use iceberg::table::Table;
use iceberg::{NamespaceIdent, TableIdent, TableRequirement, TableUpdate};
use lakeward_api::failpoint;

use super::error::CatalogError;
use super::rest::{LoadedTable, NewTable, Rest};
use super::sql::Sql;

/// A kind of catalog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CatalogKind {
    Rest,
    Sql,
}

impl CatalogKind {
    /// What `iceberg.catalog.type` or `iceberg.catalog.catalog-impl` say; `None` when it is neither.
    pub(super) fn of(properties: &BTreeMap<String, String>) -> Option<Self> {
        let kind = properties.get("type").map(|kind| kind.to_ascii_lowercase());
        match (kind.as_deref(), properties.get("catalog-impl").map(String::as_str)) {
            (Some("rest"), _) | (None, Some("org.apache.iceberg.rest.RESTCatalog")) => Some(Self::Rest),
            (Some("jdbc"), None) | (None, Some("org.apache.iceberg.jdbc.JdbcCatalog")) => Some(Self::Sql),
            _ => None,
        }
    }
}

/// A catalog. Makes no request before the first question.
pub(super) enum Catalog {
    Rest(Rest),
    Sql(Sql),
}

impl Catalog {
    /// The catalog `name` with these properties.
    ///
    /// # Errors
    /// `Setting`.
    pub(super) fn new(name: &str, properties: BTreeMap<String, String>) -> Result<Self, CatalogError> {
        match CatalogKind::of(&properties) {
            Some(CatalogKind::Sql) => Sql::new(name, properties).map(Self::Sql),
            Some(CatalogKind::Rest) | None => Rest::new(properties).map(Self::Rest),
        }
    }

    /// The properties with what the catalog adds.
    pub(super) async fn properties(&self) -> Result<&BTreeMap<String, String>, CatalogError> {
        match self {
            Self::Rest(rest) => rest.properties().await,
            Self::Sql(sql) => Ok(sql.properties()),
        }
    }

    /// The table `ident`.
    ///
    /// # Errors
    /// Class `Config` when there is none.
    pub(super) async fn load(&self, ident: &TableIdent) -> Result<LoadedTable, CatalogError> {
        match self {
            Self::Rest(rest) => rest.load(ident).await,
            Self::Sql(sql) => sql.load(ident).await,
        }
    }

    /// Changes the table that was `base` if the requirements hold.
    ///
    /// # Errors
    /// `Conflict` when they do not; `Unknown` when it may have happened.
    pub(super) async fn commit(
        &self,
        base: &Table,
        requirements: &[TableRequirement],
        updates: &[TableUpdate],
    ) -> Result<LoadedTable, CatalogError> {
        match self {
            Self::Rest(rest) => rest.commit(base.identifier(), requirements, updates).await,
            Self::Sql(sql) => sql.commit(base, requirements, updates).await,
        }
    }

    /// Makes a namespace.
    ///
    /// # Errors
    /// `Conflict` when it is there, `Unknown` when it may be.
    pub(super) async fn create_namespace(&self, namespace: &NamespaceIdent) -> Result<(), CatalogError> {
        failpoint!("table.create.before_namespace");
        let outcome = match self {
            Self::Rest(rest) => rest.create_namespace(namespace).await,
            Self::Sql(sql) => sql.create_namespace(namespace).await,
        };
        failpoint!("table.create.after_namespace");
        outcome
    }

    /// Makes the table `ident`.
    ///
    /// # Errors
    /// `Conflict` when it is there, `Unknown` when it may have happened.
    pub(super) async fn create_table(
        &self,
        ident: &TableIdent,
        new: &NewTable<'_>,
    ) -> Result<LoadedTable, CatalogError> {
        match self {
            Self::Rest(rest) => rest.create_table(ident, new).await,
            Self::Sql(sql) => sql.create_table(ident, new).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_named_as_in_java() {
        let of = |pairs: &[(&str, &str)]| {
            let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            CatalogKind::of(&pairs.collect())
        };
        assert_eq!(of(&[("type", "JDBC")]), Some(CatalogKind::Sql));
        assert_eq!(of(&[("catalog-impl", "org.apache.iceberg.jdbc.JdbcCatalog")]), Some(CatalogKind::Sql));
        assert_eq!(of(&[("type", "rest")]), Some(CatalogKind::Rest));
        assert_eq!(of(&[("type", "jdbc"), ("catalog-impl", "x")]), None);
        assert_eq!(of(&[("type", "hive")]), None);
    }
}
