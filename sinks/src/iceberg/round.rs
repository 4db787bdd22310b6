//! One round of commits of a task: waits for its files, then makes a snapshot of each table that has some.

use std::sync::Arc;

use iceberg::TableIdent;
use lakeward_api::bridge::{Bridge, Waker};
use lakeward_api::budget::Permit;
use tokio::sync::Mutex;

use super::catalog::Catalog;
use super::change::Wish;
use super::commit::{Append, Committer};
use super::data_file::Stored;
use super::error::CatalogError;
use super::table::{Positions, TargetTable};

/// What the tasks of one connector share, and who this one is.
#[derive(Clone)]
pub(super) struct Office {
    pub(super) catalog: Arc<Catalog>,
    pub(super) committer: Committer,
    /// Held during a commit: tasks of one connector in one process never get in each other's way.
    pub(super) turn: Arc<Mutex<()>>,
    pub(super) bridge: Arc<dyn Bridge>,
    pub(super) waker: Waker,
}

/// Tables as they are after it.
pub(super) type Tables = Vec<(TableIdent, Found)>;

/// A table as it was found; `None` where there is none.
pub(super) type Found = Result<Option<TargetTable>, Refusal>;

/// What the catalog says of a name, or of columns, that it cannot take.
#[derive(Debug)]
pub(super) struct Refusal(pub(super) String);

/// Work on the bridge whose answer is waited for.
pub(super) type Answer = flume::Receiver<Result<Tables, CatalogError>>;

/// A round that is under way.
pub(super) struct Round {
    pub(super) answer: Answer,
    /// Everything below is stored when it is over.
    pub(super) covered: Positions,
    /// Memory that its files' descriptions take.
    _held: Permit,
}

/// What it means that a table is not there.
#[derive(Clone, Copy, Debug)]
pub(super) enum Absence {
    /// It is a mistake.
    Fails,
    /// It will be made, or its records are left out.
    IsFine,
}

impl Office {
    /// Loads tables.
    pub(super) fn load(&self, idents: Vec<TableIdent>, absence: Absence) -> Answer {
        let catalog = Arc::clone(&self.catalog);
        self.ask(async move {
            // Without tables, at least the catalog is there.
            catalog.properties().await?;
            let mut tables = Tables::new();
            for ident in idents {
                let table = match absence {
                    Absence::Fails => Some(TargetTable::load(&catalog, &ident).await?),
                    Absence::IsFine => TargetTable::find(&catalog, &ident).await?,
                };
                tables.push((ident, Ok(table)));
            }
            Ok(tables)
        })
    }

    /// Makes and changes tables.
    pub(super) fn change(&self, wishes: Vec<Wish>) -> Answer {
        let office = self.clone();
        self.ask(async move {
            let mut tables = Tables::new();
            for wish in wishes {
                // Not during all of them: others may commit in between.
                let _turn = office.turn.lock().await;
                let found = match wish.fulfil(&office.catalog).await {
                    // One record must not stop all the others.
                    Err(CatalogError::Refused { status: 400, message }) if wish.is_of_records => {
                        Err(Refusal(message))
                    }
                    found => Ok(found?),
                };
                tables.push((wish.ident, found));
            }
            Ok(tables)
        })
    }

    /// Commits `appends` when all files are stored.
    pub(super) fn commit(
        &self,
        appends: Vec<Append>,
        stored: Vec<Stored>,
        covered: Positions,
        held: Permit,
    ) -> Round {
        let office = self.clone();
        let answer = self.ask(async move {
            for file in stored {
                let gone = CatalogError::Store { source: std::io::ErrorKind::BrokenPipe.into() };
                file.recv_async().await.unwrap_or(Err(gone))?;
            }
            let _turn = office.turn.lock().await;
            let mut tables = Tables::new();
            for append in &appends {
                let table = office.committer.commit(&office.catalog, append).await?;
                tables.push((append.ident.clone(), Ok(Some(table))));
            }
            Ok(tables)
        });
        Round { answer, covered, _held: held }
    }

    fn ask(&self, work: impl Future<Output = Result<Tables, CatalogError>> + Send + 'static) -> Answer {
        let (answer, receiver) = flume::bounded(1);
        let waker = self.waker.clone();
        self.bridge.spawn(Box::pin(async move {
            let outcome = work.await;
            // The task may be gone.
            drop(answer.send(outcome));
            waker.wake();
        }));
        receiver
    }
}
