//! Namespaces and tables that are made in a database.
//!
//! A table is there with its row, whose key lets one of those who race win. Its metadata file comes first;
//! the file of whoever loses is removed, and that of a worker that dies in between is one that nobody names.
//!
//! Source: `JdbcCatalog#createNamespace`, `JdbcTableOperations#createTable`, `JdbcUtil`,
//! `BaseMetastoreCatalog` and `TableMetadata#newTableMetadata`, iceberg-core 1.10.

use std::collections::HashMap;

use iceberg::io::Storage as _;
use iceberg::spec::{FormatVersion, SortOrder, TableMetadata, TableMetadataBuilder, TableProperties};
use iceberg::{NamespaceIdent, TableIdent};
use lakeward_api::failpoint;

use super::super::error::{CatalogError, DatabaseFault};
use super::super::rest::{LoadedTable, NewTable};
use super::{ONLY_TABLES, Sql, metadata_file, setting};

/// A namespace is there when it has a property, or when it or one below it has a table or a property.
const TABLE_OF_NAMESPACE: &str = "SELECT table_namespace FROM iceberg_tables WHERE catalog_name = $1 \
                                  AND (table_namespace = $2 OR table_namespace LIKE $3 ESCAPE '!') LIMIT 1";
const PROPERTY_OF_NAMESPACE: &str = "SELECT namespace FROM iceberg_namespace_properties \
                                     WHERE catalog_name = $1 \
                                     AND (namespace = $2 OR namespace LIKE $3 ESCAPE '!') LIMIT 1";
const CREATE_NAMESPACE: &str = "INSERT INTO iceberg_namespace_properties \
                                (catalog_name, namespace, property_key, property_value) \
                                VALUES ($1, $2, 'exists', 'true')";
const CREATE: &str = "INSERT INTO iceberg_tables \
                      (catalog_name, table_namespace, table_name, metadata_location, \
                      previous_metadata_location) VALUES ($1, $2, $3, $4, NULL)";
const CREATE_TYPED: &str = "INSERT INTO iceberg_tables \
                            (catalog_name, table_namespace, table_name, metadata_location, \
                            previous_metadata_location, iceberg_type) \
                            VALUES ($1, $2, $3, $4, NULL, 'TABLE')";
const ANY_OF_NAME: &str = "SELECT table_name FROM iceberg_tables \
                           WHERE catalog_name = $1 AND table_namespace = $2 AND table_name = $3";

/// What columns of a database take, unless it is SQLite.
const NAME_CHARS_MAX: usize = 255;
/// Java writes it into new tables.
const CODEC: (&str, &str) = ("write.parquet.compression-codec", "zstd");

impl Sql {
    /// Makes `namespace`.
    ///
    /// # Errors
    /// `Conflict` when it is there; `Unknown` when it may be, or somebody else had the database.
    pub(in super::super) async fn create_namespace(
        &self,
        namespace: &NamespaceIdent,
    ) -> Result<(), CatalogError> {
        self.only_tables().await?;
        let name = self.name_of(namespace)?;
        let below = name.replace('!', "!!").replace('_', "!_").replace('%', "!%") + ".%";
        for sql in [TABLE_OF_NAMESPACE, PROPERTY_OF_NAMESPACE] {
            if self.database.first(sql, &[&self.name, &name, &below]).await?.is_some() {
                // Java's words.
                return Err(CatalogError::Conflict { message: format!("Namespace already exists: {name}") });
            }
        }
        match self.database.change(CREATE_NAMESPACE, &[&self.name, &name]).await {
            Ok(_) => Ok(()),
            Err(busy @ CatalogError::Database { fault: DatabaseFault::Busy, .. }) => {
                Err(CatalogError::Unknown { source: Box::new(busy) })
            }
            Err(err) => Err(err.of_commit()),
        }
    }

    /// Makes the table `ident`.
    ///
    /// # Errors
    /// `Conflict` when it is there; `Unknown` when it may be; `Refused` for a name that no table can have.
    pub(in super::super) async fn create_table(
        &self,
        ident: &TableIdent,
        new: &NewTable<'_>,
    ) -> Result<LoadedTable, CatalogError> {
        let has_types = self.only_tables().await? == ONLY_TABLES;
        let namespace = self.name_of(ident.namespace())?;
        self.check_name(ident.name())?;
        let metadata = self.new_metadata(ident, new)?;
        let (location, bytes) = metadata_file("", &metadata)?;
        self.files.write(&location, bytes.into()).await?;
        let sql = if has_types { CREATE_TYPED } else { CREATE };
        failpoint!("table.create.before_send");
        let outcome = self.database.change(sql, &[&self.name, &namespace, ident.name(), &location]).await;
        failpoint!("table.create.after_answer");
        let Err(err) = outcome else {
            return Ok(LoadedTable {
                metadata_location: Some(location),
                metadata,
                config: HashMap::default(),
            });
        };
        let is_taken = matches!(err, CatalogError::Database { fault: DatabaseFault::Taken, .. });
        let err = err.of_commit();
        if !matches!(err, CatalogError::Unknown { .. }) {
            self.remove(&location).await;
        }
        if is_taken && self.is_view(ident, &namespace).await? {
            // Java's words.
            return Err(setting(format!("View with same name already exists: {ident}")));
        }
        Err(err)
    }

    /// Whether what has the name is no table.
    async fn is_view(&self, ident: &TableIdent, namespace: &str) -> Result<bool, CatalogError> {
        let values = [&*self.name, namespace, ident.name()];
        let tables = format!("{ANY_OF_NAME}{}", self.only_tables().await?);
        Ok(self.database.first(ANY_OF_NAME, &values).await?.is_some()
            && self.database.first(&tables, &values).await?.is_none())
    }

    fn new_metadata(&self, ident: &TableIdent, new: &NewTable<'_>) -> Result<TableMetadata, CatalogError> {
        let of_catalog = |prefix: &'static str| {
            let pairs = self.properties.iter();
            pairs
                .filter_map(move |(name, value)| Some((name.strip_prefix(prefix)?.to_owned(), value.clone())))
        };
        let mut properties = HashMap::from([(CODEC.0.to_owned(), CODEC.1.to_owned())]);
        properties.extend(of_catalog("table-default."));
        properties.extend(new.properties.clone());
        properties.extend(of_catalog("table-override."));
        let version = match properties.get("format-version").map(String::as_str) {
            None | Some("2") => FormatVersion::V2,
            Some("1") => FormatVersion::V1,
            Some("3") => FormatVersion::V3,
            Some(other) => {
                return Err(setting(format!(
                    "iceberg.tables.auto-create-props.format-version: there is no version {other} of tables"
                )));
            }
        };
        properties.retain(|name, _| !TableProperties::RESERVED_PROPERTIES.contains(&name.as_str()));
        let warehouse = self.properties.get("warehouse").map_or("", |folder| folder.trim_end_matches('/'));
        let location = format!("{warehouse}/{}/{}", ident.namespace().join("/"), ident.name());
        let builder = TableMetadataBuilder::new(
            new.schema.clone(),
            new.spec.clone(),
            SortOrder::unsorted_order(),
            location,
            version,
            properties,
        )?;
        Ok(builder.build()?.metadata)
    }

    /// The text that stands for `namespace` in the database.
    fn name_of(&self, namespace: &NamespaceIdent) -> Result<String, CatalogError> {
        let name = namespace.join(".");
        self.check_name(&name)?;
        Ok(name)
    }

    fn check_name(&self, name: &str) -> Result<(), CatalogError> {
        if self.database.bounds_names() && name.chars().count() > NAME_CHARS_MAX {
            let message = format!("A name of more than {NAME_CHARS_MAX} characters: {name}");
            return Err(CatalogError::Refused { status: 400, message });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use iceberg::spec::{NestedField, PartitionSpec, PrimitiveType, Schema, Type};

    use super::*;

    fn sql(folder: &tempfile::TempDir) -> Sql {
        let folder = folder.path().display();
        let given = [
            ("uri", format!("jdbc:sqlite:{folder}/c.db")),
            ("warehouse", format!("file://{folder}/lake/")),
            ("jdbc.schema-version", "V1".to_owned()),
        ];
        Sql::new("c", given.map(|(name, value)| (name.to_owned(), value)).into()).unwrap()
    }

    async fn create(sql: &Sql, name: &str, properties: &[(&str, &str)]) -> Result<LoadedTable, CatalogError> {
        let field = NestedField::required(7, "id", Type::Primitive(PrimitiveType::Long));
        let schema = Schema::builder().with_fields([field.into()]).build().unwrap();
        let spec = PartitionSpec::unpartition_spec().into_unbound();
        let pairs = properties.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let properties: BTreeMap<String, String> = pairs.collect();
        let ident = TableIdent::from_strs(["a", "b", name]).unwrap();
        sql.create_table(&ident, &NewTable { schema: &schema, spec: &spec, properties: &properties }).await
    }

    fn files(folder: &tempfile::TempDir, table: &str) -> usize {
        std::fs::read_dir(folder.path().join("lake/a/b").join(table).join("metadata")).unwrap().count()
    }

    #[tokio::test]
    async fn one_of_those_who_make_a_table_wins_and_the_files_of_others_are_gone() {
        let folder = tempfile::tempdir().unwrap();
        let sql = sql(&folder);
        let made = create(&sql, "t", &[("format-version", "1"), ("x", "y")]).await.unwrap();
        assert_eq!(made.metadata.format_version(), FormatVersion::V1);
        let properties = [(CODEC.0, CODEC.1), ("x", "y")].map(|(name, value)| (name.into(), value.into()));
        assert_eq!(made.metadata.properties(), &HashMap::from(properties));
        assert!(matches!(create(&sql, "t", &[]).await, Err(CatalogError::Conflict { .. })));
        assert_eq!(files(&folder, "t"), 1);
        let found = sql.load(&TableIdent::from_strs(["a", "b", "t"]).unwrap()).await.unwrap();
        assert_eq!(found.metadata, made.metadata);
        let said = create(&sql, "u", &[("format-version", "9")]).await.unwrap_err().to_string();
        assert!(said.contains("iceberg.tables.auto-create-props.format-version"), "{said}");
    }

    #[tokio::test]
    async fn a_view_of_that_name_refuses_and_a_namespace_is_made_once() {
        let folder = tempfile::tempdir().unwrap();
        let sql = sql(&folder);
        create(&sql, "v", &[]).await.unwrap();
        sql.database.change("UPDATE iceberg_tables SET iceberg_type = 'VIEW'", &[]).await.unwrap();
        let said = create(&sql, "v", &[]).await.unwrap_err();
        assert!(matches!(&said, CatalogError::Setting { message } if message.contains("View")), "{said}");
        assert_eq!(files(&folder, "v"), 1);
        // What is below makes a namespace be there; a name that only looks like one of it does not.
        for (name, is_new) in
            [("a", false), ("a.b", false), ("a.x_y", true), ("a.x_y", false), ("a.xxy", true)]
        {
            let namespace = NamespaceIdent::from_strs(name.split('.')).unwrap();
            let made = sql.create_namespace(&namespace).await;
            assert_eq!(made.is_ok(), is_new, "{name}");
            assert!(is_new || matches!(made, Err(CatalogError::Conflict { .. })));
        }
        sql.create_namespace(&NamespaceIdent::from_strs(["n%", "m"]).unwrap()).await.unwrap();
        sql.create_namespace(&NamespaceIdent::from_strs(["nn"]).unwrap()).await.unwrap();
        assert!(sql.create_namespace(&NamespaceIdent::from_strs(["n%"]).unwrap()).await.is_err());
    }
}
