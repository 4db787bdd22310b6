//! The Iceberg sink: topics to tables of Apache Iceberg, each record once.
//!
//! Owns configuration, the client of the catalog, the columns of a table and commits. Manifests and snapshots
//! are written by the library, data files by our own encoder. There is no coordinator and no control topic
//! (decision 0017).
//!
//! Source: the connector of Apache Iceberg 1.10 (configuration, values), its specification (files, commits).

mod branch;
mod catalog;
mod cells;
mod change;
mod columns;
mod commit;
mod config;
mod data_file;
mod error;
mod files;
mod partition;
mod rest;
mod round;
mod route;
mod rows;
mod schema;
mod sql;
mod table;
mod target;
mod task;
#[cfg(test)]
mod tests;
mod upload;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use lakeward_api::ConnectError;
use lakeward_api::config::{ConfigDef, ConfigMap, ConfigValue};
use lakeward_api::memory::MemoryKind;
use lakeward_api::plugin::SinkConnector;
use lakeward_api::sink::{SinkTask, SinkTaskContext};
use tokio::sync::{Mutex as Turn, Semaphore};

use catalog::Catalog;
use commit::Committer;
use config::IcebergConfig;
use data_file::Uploads;
use round::Office;
use task::IcebergSinkTask;

/// `org.apache.iceberg.connect.IcebergSinkConnector`, also under its older name.
#[derive(Debug)]
pub struct IcebergSinkConnector {
    class: &'static str,
    /// By connector: whose turn it is to commit.
    turns: Mutex<HashMap<Arc<str>, Weak<Turn<()>>>>,
}

impl IcebergSinkConnector {
    /// The connector of Apache Iceberg.
    pub fn apache() -> Self {
        Self { class: "org.apache.iceberg.connect.IcebergSinkConnector", turns: Mutex::default() }
    }

    /// The same under the name that it had before it came to Apache.
    pub fn tabular() -> Self {
        Self { class: "io.tabular.iceberg.connect.IcebergSinkConnector", turns: Mutex::default() }
    }

    fn turn(&self, connector: &Arc<str>) -> Arc<Turn<()>> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(turn) = turns.get(connector).and_then(Weak::upgrade) {
            return turn;
        }
        turns.retain(|_, turn| turn.strong_count() > 0);
        let turn = Arc::new(Turn::new(()));
        turns.insert(Arc::clone(connector), Arc::downgrade(&turn));
        turn
    }
}

impl SinkConnector for IcebergSinkConnector {
    fn class(&self) -> &'static str {
        self.class
    }

    fn version(&self) -> &str {
        VERSION
    }

    fn config_def(&self) -> ConfigDef {
        config::config_def()
    }

    fn validate(&self, props: &ConfigMap) -> Vec<ConfigValue> {
        config::validate(props)
    }

    fn task_configs(&self, props: &ConfigMap, tasks_max: u32) -> Result<Vec<ConfigMap>, ConnectError> {
        Ok((0..tasks_max).map(|_| props.clone()).collect())
    }

    fn new_task(&self, context: SinkTaskContext) -> Result<Box<dyn SinkTask>, ConnectError> {
        let config = IcebergConfig::parse(&context.config, &context.connector)?;
        let office = Office {
            catalog: Arc::new(Catalog::new(&config.catalog_name, config.catalog.clone())?),
            committer: Committer {
                group: config.group_id.clone(),
                task: format!("{}-{}", context.connector, context.task),
                survives_loss: config.shaping.creates || config.dynamic_field.is_some(),
            },
            turn: self.turn(&context.connector),
            bridge: Arc::clone(&context.bridge),
            waker: context.waker.clone(),
        };
        let uploads = Uploads {
            bridge: context.bridge,
            waker: context.waker,
            in_flight: context.in_flight,
            slots: Arc::new(Semaphore::new(UPLOADS_MAX)),
        };
        let share = context.room.memory.share(MemoryKind::Open);
        Ok(Box::new(IcebergSinkTask::new(config, office, uploads, share, context.can_reject)?))
    }
}

/// Requests of one task to the store that may be under way.
const UPLOADS_MAX: usize = 32;

/// The release of Apache Iceberg whose connector is rebuilt here.
const VERSION: &str = "1.10.0";
