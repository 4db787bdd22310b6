//! PostgreSQL: one connection per task, made again when it broke.
//!
//! Source: addresses, properties and defaults of PostgreSQL's JDBC driver 42.7.

use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use tokio::sync::Mutex;
use tokio::time::timeout;
use tokio_postgres::config::SslMode;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Config, Error};
use url::Url;

use super::super::error::{CatalogError, DatabaseFault};
use super::setting;
use super::tls::{Tls, Trust};

/// How long a statement may take.
const STATEMENT_TIME: Duration = Duration::from_mins(1);
/// How long connecting may take, unless `connectTimeout` says it: the driver's default.
const CONNECT_TIME: Duration = Duration::from_secs(10);
/// Between two commits nothing is sent: firewalls must not forget the connection.
const KEEP_ALIVE_TIME: Duration = Duration::from_secs(30);
const PORT: u16 = 5432;

/// A database of a server.
pub(super) struct Postgres {
    config: Config,
    trust: Trust,
    roots: Option<String>,
    client: Mutex<Option<Arc<Client>>>,
}

impl Postgres {
    /// The database that `address` names: what is behind `jdbc:postgresql:`. What the address says is
    /// stronger than what is `given`, as with the driver.
    ///
    /// # Errors
    /// `Setting`.
    pub(super) fn new(address: &str, mut given: BTreeMap<String, String>) -> Result<Self, CatalogError> {
        let mut place = Place::parse(address)?;
        given.append(&mut place.query);
        let mut config = Config::new();
        config.host(&place.host).port(place.port).ssl_mode(SslMode::Prefer);
        config.connect_timeout(CONNECT_TIME).keepalives_idle(KEEP_ALIVE_TIME);
        if !place.database.is_empty() {
            config.dbname(&place.database);
        }
        let (mut trust, mut roots) = (Trust::Anybody, None);
        if given.get("ssl").is_some_and(|wish| wish.is_empty() || wish == "true") {
            given.entry("sslmode".to_owned()).or_insert_with(|| "verify-full".to_owned());
        }
        for (name, value) in given {
            match name.as_str() {
                "ApplicationName" => {
                    config.application_name(value);
                }
                "connectTimeout" => {
                    let time = value.parse().map(Duration::from_secs);
                    config.connect_timeout(time.map_err(|_| setting("jdbc.connectTimeout: no seconds"))?);
                }
                "currentSchema" => {
                    config.options(format!("-c search_path={value}"));
                }
                "password" => {
                    config.password(value);
                }
                "ssl" => {}
                "sslmode" => {
                    let (mode, wish) = ssl_mode(&value)?;
                    config.ssl_mode(mode);
                    trust = wish;
                }
                "sslrootcert" => roots = Some(value),
                "user" => {
                    config.user(value);
                }
                _ => {
                    return Err(setting(format!(
                        "iceberg.catalog.jdbc.{name}: Lakeward does not know this property of PostgreSQL's \
                         driver; remove it there or from iceberg.catalog.uri"
                    )));
                }
            }
        }
        if config.get_user().is_none() {
            return Err(setting("iceberg.catalog.jdbc.user must be set"));
        }
        if trust != Trust::Anybody && roots.is_none() {
            return Err(setting(
                "iceberg.catalog.jdbc.sslrootcert must name a PEM file of trusted certificates: \
                 iceberg.catalog.jdbc.sslmode wants the server's verified",
            ));
        }
        Ok(Self { config, trust, roots, client: Mutex::new(None) })
    }

    /// A connection that broke while nobody used it is made again, once.
    pub(super) async fn first(
        &self,
        sql: &str,
        values: &[&str],
    ) -> Result<Option<Option<String>>, CatalogError> {
        let typed = typed(values);
        let typed = &typed;
        let ask = || self.ask(|client| async move { client.query_typed(sql, typed).await });
        let rows = match ask().await {
            Err(CatalogError::Database { fault: DatabaseFault::Unanswered, .. }) => ask().await?,
            rows => rows?,
        };
        rows.first().map(|row| row.try_get(0)).transpose().map_err(failure)
    }

    pub(super) async fn change(&self, sql: &str, values: &[&str]) -> Result<u64, CatalogError> {
        let typed = typed(values);
        self.ask(|client| async move { client.execute_typed(sql, &typed).await }).await
    }

    /// One statement. After one without an answer the connection is not used again.
    async fn ask<A, F: Future<Output = Result<A, Error>>>(
        &self,
        ask: impl FnOnce(Arc<Client>) -> F,
    ) -> Result<A, CatalogError> {
        let client = self.client().await?;
        let outcome = match timeout(STATEMENT_TIME, ask(client)).await {
            Ok(outcome) => outcome.map_err(failure),
            Err(late) => Err(CatalogError::Database {
                fault: DatabaseFault::Unanswered,
                message: format!("no answer within {} s", STATEMENT_TIME.as_secs()),
                source: late.into(),
            }),
        };
        if let Err(CatalogError::Database { fault: DatabaseFault::Unanswered, .. }) = outcome {
            *self.client.lock().await = None;
        }
        outcome
    }

    async fn client(&self) -> Result<Arc<Client>, CatalogError> {
        let mut known = self.client.lock().await;
        if let Some(client) = known.as_ref().filter(|client| !client.is_closed()) {
            return Ok(Arc::clone(client));
        }
        let tls = Tls::new(self.trust, self.roots.as_deref())
            .map_err(|problem| setting(format!("iceberg.catalog.jdbc.sslrootcert: {problem}")))?;
        let (client, connection) = self.config.connect(tls).await.map_err(failure)?;
        tokio::spawn(async move {
            // Whoever waits for an answer is told, too.
            if let Err(err) = connection.await {
                tracing::debug!(error = %err, "a connection to the database of a catalog broke");
            }
        });
        let client = Arc::new(client);
        *known = Some(Arc::clone(&client));
        Ok(client)
    }
}

/// Parameters as the server is told them; without a prepared statement, which some proxies lose.
fn typed<'a>(values: &'a [&'a str]) -> Vec<(&'a (dyn ToSql + Sync), Type)> {
    values.iter().map(|value| (value as &(dyn ToSql + Sync), Type::VARCHAR)).collect()
}

fn ssl_mode(value: &str) -> Result<(SslMode, Trust), CatalogError> {
    match value {
        "disable" => Ok((SslMode::Disable, Trust::Anybody)),
        "prefer" => Ok((SslMode::Prefer, Trust::Anybody)),
        "require" => Ok((SslMode::Require, Trust::Anybody)),
        "verify-ca" => Ok((SslMode::Require, Trust::Signed)),
        "verify-full" => Ok((SslMode::Require, Trust::SignedAndNamed)),
        _ => Err(setting(
            "iceberg.catalog.jdbc.sslmode must be one of disable, prefer, require, verify-ca, verify-full",
        )),
    }
}

/// What an address says.
struct Place {
    host: String,
    port: u16,
    database: String,
    query: BTreeMap<String, String>,
}

impl Place {
    /// `//host:port/database?name=value` or `database?name=value`.
    fn parse(address: &str) -> Result<Self, CatalogError> {
        let full = match address.strip_prefix("//") {
            Some(rest) => format!("postgresql://{rest}"),
            None => format!("postgresql:///{}", address.trim_start_matches('/')),
        };
        let wrong = |problem: &str| {
            setting(format!("iceberg.catalog.uri must be jdbc:postgresql://host:port/database: {problem}"))
        };
        if full.split('/').nth(2).is_some_and(|hosts| hosts.contains(',')) {
            return Err(wrong("it names several hosts, which Lakeward does not support yet"));
        }
        let url = Url::parse(&full).map_err(|err| wrong(&err.to_string()))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("user and password belong into iceberg.catalog.jdbc.user and .password"));
        }
        let database = percent_decode_str(url.path().trim_start_matches('/')).decode_utf8();
        let query = url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned()));
        let host = url.host_str().filter(|host| !host.is_empty());
        Ok(Self {
            host: host.unwrap_or("localhost").trim_matches(['[', ']']).to_owned(),
            port: url.port().unwrap_or(PORT),
            database: database.map_err(|_| wrong("its database is no UTF-8"))?.into_owned(),
            query: query.collect(),
        })
    }
}

/// What an error means. The server's own errors say that nothing happened, but for those that end the
/// connection.
fn failure(err: Error) -> CatalogError {
    let fault = match err.code().map(|code| code.code()) {
        // Transactions that get in each other's way.
        Some("40001" | "40P01" | "55P03") => DatabaseFault::Busy,
        // A row with that key.
        Some("23505") => DatabaseFault::Taken,
        // A login, a name, a right or a form that is wrong; a server that only reads.
        Some(code) if ["22", "25", "28", "3D", "3F", "42"].iter().any(|class| code.starts_with(class)) => {
            DatabaseFault::Denied
        }
        // The server goes down, or broke.
        Some(code) if ["08", "57", "58", "XX"].iter().any(|class| code.starts_with(class)) => {
            DatabaseFault::Unanswered
        }
        Some(_) => DatabaseFault::Failed,
        None => DatabaseFault::Unanswered,
    };
    let message = match err.as_db_error() {
        Some(said) => said.message().to_owned(),
        None => err.source().map_or_else(|| err.to_string(), |cause| format!("{err}: {cause}")),
    };
    CatalogError::Database { fault, message, source: err.into() }
}

#[cfg(test)]
mod tests {
    use tokio_postgres::config::Host;

    use super::*;

    fn postgres(address: &str, given: &[(&str, &str)]) -> Result<Postgres, String> {
        let given = given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Postgres::new(address, given.collect()).map_err(|err| err.to_string())
    }

    fn place(postgres: &Postgres) -> (String, u16, Option<&str>) {
        let config = &postgres.config;
        let hosts: Vec<String> = config
            .get_hosts()
            .iter()
            .map(|host| match host {
                Host::Tcp(host) => host.clone(),
                Host::Unix(path) => path.display().to_string(),
            })
            .collect();
        (hosts.join(","), config.get_ports()[0], config.get_dbname())
    }

    #[test]
    fn an_address_is_read_as_the_driver_does() {
        let user = ("user", "u");
        let found = postgres("//h:1234/a%20b?user=w&ssl=true&sslrootcert=x.pem", &[user]).unwrap();
        assert_eq!(place(&found), ("h".to_owned(), 1234, Some("a b")));
        assert_eq!((found.config.get_user(), found.trust), (Some("w"), Trust::SignedAndNamed));
        let found = postgres("//[::1]/d", &[user]).unwrap();
        assert_eq!(place(&found), ("::1".to_owned(), PORT, Some("d")));
        for address in ["d", "/d", "///d"] {
            let found = postgres(address, &[user]).unwrap();
            assert_eq!(place(&found), ("localhost".to_owned(), PORT, Some("d")), "{address}");
            assert_eq!(found.config.get_ssl_mode(), SslMode::Prefer);
        }
    }

    #[test]
    fn what_cannot_be_followed_is_refused_by_its_name() {
        let user = ("user", "u");
        for (address, given, word) in [
            ("//a,b/d", user, "several hosts"),
            ("//u:secret@a/d", user, "jdbc.user"),
            ("//a/d", ("password", "p"), "jdbc.user"),
            ("//a/d?sslmode=allow", user, "jdbc.sslmode"),
            ("//a/d?sslmode=verify-ca", user, "jdbc.sslrootcert"),
            ("//a/d?socketFactory=x", user, "jdbc.socketFactory"),
            ("//a/d?connectTimeout=soon", user, "jdbc.connectTimeout"),
        ] {
            let problem = postgres(address, &[given]).err().unwrap();
            assert!(problem.contains(word) && !problem.contains("secret"), "{problem}");
        }
    }
}
