//! Which tables a task keeps, without a catalog: none of them is ever looked at.

use std::sync::Arc;

use lakeward_api::bridge::{Bridge, BridgeFuture, Waker};
use lakeward_api::budget::Budget;
use lakeward_api::config::ConfigMap;
use lakeward_api::memory::{Memory, MemoryKind};
use tokio::runtime::Handle;
use tokio::sync::{Mutex, Semaphore};

use super::*;
use crate::iceberg::catalog::Catalog;
use crate::iceberg::commit::Committer;

struct OnRuntime(Handle);

impl Bridge for OnRuntime {
    fn spawn(&self, future: BridgeFuture) {
        drop(self.0.spawn(future));
    }
}

fn task() -> IcebergSinkTask {
    let props = [
        ("iceberg.tables.dynamic-enabled", "true"),
        ("iceberg.tables.route-field", "t"),
        ("iceberg.catalog.type", "rest"),
        ("iceberg.catalog.uri", "http://127.0.0.1:1"),
    ];
    let props: ConfigMap = props.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
    let config = IcebergConfig::parse(&props, "c").unwrap();
    let bridge: Arc<dyn Bridge> = Arc::new(OnRuntime(Handle::current()));
    let waker = Waker::new(|| {});
    let office = Office {
        catalog: Arc::new(Catalog::new(&config.catalog_name, config.catalog.clone()).unwrap()),
        committer: Committer { group: "g".into(), task: "c-0".into(), survives_loss: true },
        turn: Arc::new(Mutex::new(())),
        bridge: Arc::clone(&bridge),
        waker: waker.clone(),
    };
    let uploads = Uploads { bridge, waker, in_flight: Budget::new(1), slots: Arc::new(Semaphore::new(1)) };
    let share = Memory::unlimited().share(MemoryKind::Open);
    IcebergSinkTask::new(config, office, uploads, share, false).unwrap()
}

#[tokio::test]
async fn tables_that_got_no_rows_for_the_longest_time_are_let_go() {
    let mut task = task();
    for number in 0..=TABLES_MAX {
        let index = task.index_of(&format!("db.t{number}")).unwrap();
        task.targets[index].used = number as u64;
    }
    // Its files are in a commit: what the table will hold is not known before it is over.
    task.targets[3].is_in_round = true;
    task.make_room_for_tables();
    assert_eq!(task.targets.len(), TABLES_MAX / 2);
    let oldest = task.targets.iter().map(|target| target.used).filter(|used| *used != 3).min();
    assert_eq!(oldest, Some((TABLES_MAX - TABLES_MAX / 2 + 2) as u64));
    assert!(task.targets.iter().any(|target| target.name == "db.t3"));
    task.forget_idle(0);
    assert_eq!(task.targets.len(), 1);
}

#[tokio::test]
async fn a_name_that_is_none_takes_no_place() {
    let mut task = task();
    for name in ["", "t", ".t", "db.", "a..b", "db.t\n", &"x.".repeat(600)] {
        assert!(task.index_of(name).is_err(), "{name}");
    }
    assert!(task.targets.is_empty());
    assert_eq!(task.index_of("a.b.c").unwrap(), task.index_of("a.b.c").unwrap());
}

#[tokio::test]
async fn a_table_with_rows_on_their_way_stays_whatever_the_catalog_refused() {
    let mut task = task();
    for name in ["db.missing", "db.refused", "db.busy", "db.fine"] {
        task.index_of(name).unwrap();
    }
    task.targets[0].is_missing = true;
    task.targets[1].refused = Some("no".to_owned());
    task.targets[2].refused = Some("no".to_owned());
    task.targets[2].is_in_round = true;
    task.forget_missing();
    let left: Vec<_> = task.targets.iter().map(|target| (&*target.name, target.refused.is_some())).collect();
    assert_eq!(left, [("db.busy", false), ("db.fine", false)], "they are asked for again");
}
