//! SQLite: a file beside the worker, opened for each statement.
//!
//! Source: addresses and defaults of Xerial's JDBC driver.

use std::collections::BTreeMap;
use std::time::Duration;

use rusqlite::{Connection, Error, ErrorCode, OpenFlags, params_from_iter};

use super::super::error::{CatalogError, DatabaseFault};
use super::setting;

/// How long others may hold the file, unless `busy_timeout` says it: the driver's default.
const BUSY_TIME: Duration = Duration::from_secs(3);

/// A database in a file.
pub(super) struct Sqlite {
    file: String,
    busy_time: Duration,
}

impl Sqlite {
    /// The file that `address` names: what is behind `jdbc:sqlite:`. `user` and `password` mean nothing, as
    /// with the driver: SQLite has none.
    ///
    /// # Errors
    /// `Setting`.
    pub(super) fn new(address: &str, mut given: BTreeMap<String, String>) -> Result<Self, CatalogError> {
        let (file, query) = address.split_once('?').unwrap_or((address, ""));
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            given.insert(name.to_owned(), value.to_owned());
        }
        if file.is_empty() || file.ends_with(":memory:") {
            return Err(setting(
                "iceberg.catalog.uri must name a file: a SQLite database in memory is gone with its \
                 connection",
            ));
        }
        let mut busy_time = BUSY_TIME;
        for (name, value) in given {
            match name.as_str() {
                "busy_timeout" => {
                    let time = value.parse().map(Duration::from_millis);
                    busy_time = time.map_err(|_| setting("jdbc.busy_timeout must be milliseconds"))?;
                }
                "password" | "user" => {}
                _ => {
                    return Err(setting(format!(
                        "iceberg.catalog.jdbc.{name}: Lakeward does not know this setting of SQLite; remove \
                         it there or from iceberg.catalog.uri"
                    )));
                }
            }
        }
        Ok(Self { file: file.to_owned(), busy_time })
    }

    pub(super) async fn first(
        &self,
        sql: &str,
        values: &[&str],
    ) -> Result<Option<Option<String>>, CatalogError> {
        self.run(sql, values, |connection, sql, values| {
            let mut statement = connection.prepare(sql)?;
            let mut rows = statement.query(params_from_iter(values))?;
            rows.next()?.map(|row| row.get(0)).transpose()
        })
        .await
    }

    pub(super) async fn change(&self, sql: &str, values: &[&str]) -> Result<u64, CatalogError> {
        self.run(sql, values, |connection, sql, values| {
            Ok(connection.execute(sql, params_from_iter(values))? as u64)
        })
        .await
    }

    /// Does `work` where it may wait for the disk and for others.
    async fn run<A: Send + 'static>(
        &self,
        sql: &str,
        values: &[&str],
        work: impl FnOnce(&Connection, &str, &[String]) -> rusqlite::Result<A> + Send + 'static,
    ) -> Result<A, CatalogError> {
        // A `$1` of SQLite is a name, a `?1` a number.
        let (file, busy_time, sql) = (self.file.clone(), self.busy_time, sql.replace('$', "?"));
        let values: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
        let done = tokio::task::spawn_blocking(move || {
            let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
                | OpenFlags::SQLITE_OPEN_CREATE
                | OpenFlags::SQLITE_OPEN_URI
                | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let connection = Connection::open_with_flags(&file, flags)?;
            connection.busy_timeout(busy_time)?;
            work(&connection, &sql, &values)
        });
        match done.await {
            Ok(outcome) => outcome.map_err(failure),
            Err(gone) => Err(CatalogError::Database {
                fault: DatabaseFault::Unanswered,
                message: "the statement was given up".to_owned(),
                source: gone.into(),
            }),
        }
    }
}

/// What an error of SQLite means.
fn failure(err: Error) -> CatalogError {
    let fault = match err.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => DatabaseFault::Busy,
        Some(ErrorCode::ConstraintViolation) => DatabaseFault::Taken,
        // How far it came is not told.
        Some(ErrorCode::SystemIoFailure) => DatabaseFault::Unanswered,
        Some(
            ErrorCode::CannotOpen
            | ErrorCode::NotADatabase
            | ErrorCode::PermissionDenied
            | ErrorCode::ReadOnly
            | ErrorCode::Unknown,
        ) => DatabaseFault::Denied,
        _ => DatabaseFault::Failed,
    };
    CatalogError::Database { fault, message: err.to_string(), source: err.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sqlite(address: &str, given: &[(&str, &str)]) -> Result<Sqlite, String> {
        let given = given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Sqlite::new(address, given.collect()).map_err(|err| err.to_string())
    }

    #[test]
    fn an_address_names_a_file() {
        let found = sqlite("/a/b.db?busy_timeout=7", &[("user", "u"), ("password", "p")]).unwrap();
        assert_eq!((found.file.as_str(), found.busy_time), ("/a/b.db", Duration::from_millis(7)));
        for (address, given) in [
            ("", ("user", "u")),
            (":memory:", ("user", "u")),
            ("file::memory:?cache=shared", ("user", "u")),
            ("a.db?journal_mode=WAL", ("user", "u")),
            ("a.db", ("busy_timeout", "soon")),
            ("a.db", ("journal_mode", "WAL")),
        ] {
            assert!(sqlite(address, &[given]).is_err(), "{address} {given:?}");
        }
    }

    #[tokio::test]
    async fn a_file_that_is_locked_is_busy_and_one_that_is_none_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.db");
        let sqlite = sqlite(path.to_str().unwrap(), &[("busy_timeout", "1")]).unwrap();
        sqlite.change("CREATE TABLE t(a VARCHAR(9), b VARCHAR(9))", &[]).await.unwrap();
        sqlite.change("INSERT INTO t VALUES ($2, $1)", &["x", "y"]).await.unwrap();
        // Places are numbers, whatever their order.
        let found = sqlite.first("SELECT a FROM t WHERE b = $1", &["x"]).await.unwrap();
        assert_eq!(found, Some(Some("y".to_owned())));
        let fault = |err: CatalogError| match err {
            CatalogError::Database { fault, .. } => fault,
            other => panic!("{other}"),
        };
        sqlite.change("CREATE TABLE k(a VARCHAR(9) PRIMARY KEY)", &[]).await.unwrap();
        sqlite.change("INSERT INTO k VALUES ($1)", &["x"]).await.unwrap();
        let taken = sqlite.change("INSERT INTO k VALUES ($1)", &["x"]).await.unwrap_err();
        assert_eq!(fault(taken), DatabaseFault::Taken);
        let holder = Connection::open(&path).unwrap();
        holder.execute_batch("BEGIN EXCLUSIVE").unwrap();
        let busy = sqlite.change("UPDATE t SET a = 'z'", &[]).await.unwrap_err();
        assert_eq!(fault(busy), DatabaseFault::Busy);
        holder.execute_batch("ROLLBACK").unwrap();
        std::fs::write(&path, "this is no database, as everybody can see").unwrap();
        assert_eq!(fault(sqlite.first("SELECT a FROM t", &[]).await.unwrap_err()), DatabaseFault::Denied);
    }
}
