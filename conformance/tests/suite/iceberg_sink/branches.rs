//! Snapshots on a branch: the main one stays as it is, and positions are those of the branch.

use lakeward_conformance::scenario::Scenario;
use lakeward_testkit::unique;
use serde_json::json;

use super::{IDS, Rig};

impl Rig {
    /// Ids in the main branch and in `branch`, and what `branch` is.
    fn ids_by_branch(&self, branch: &str) -> serde_json::Value {
        let script = "table = catalog.load_table(args[0])\n\
                      ref = table.metadata.refs.get(args[1])\n\
                      ids = lambda id: sorted(table.scan(snapshot_id=id).to_arrow()['id'].to_pylist())\n\
                      main = table.current_snapshot()\n\
                      answer([ids(main.snapshot_id) if main else None, \
                      ids(ref.snapshot_id) if ref else None, \
                      [ref.snapshot_ref_type, ref.min_snapshots_to_keep] if ref else None])";
        self.catalog.python(script, &[&self.table, branch]).expect("pyiceberg reads the table")
    }

    fn reconfigure(&self, pairs: &[(&str, &str)]) {
        let path = format!("/connectors/{}/config", self.scenario.connector);
        let config = self.config().with(pairs).json();
        self.scenario.worker.rest.put(&path, &config).expect("the worker answers").expect_status(200);
    }
}

#[test]
fn snapshots_go_to_the_branch_and_no_row_twice() {
    let rig = Rig::start(2, IDS);
    let branch = format!("iceberg.table.{}.commit-branch", rig.table);
    rig.produce_ids(0..20, 2);
    rig.scenario
        .create(&rig.config().with(&[("iceberg.tables.default-commit-branch", "other"), (&branch, "audit")]));
    for partition in 0..2 {
        rig.scenario.wait_for_commit(partition, 10);
    }
    let ids = |end: i64| (0..end).collect::<Vec<i64>>();
    assert_eq!(rig.ids_by_branch("audit"), json!([null, ids(20), ["branch", null]]));
    assert_eq!(rig.ids_by_branch("other")[1], json!(null));
    // Its own settings stay, main goes its own way, and a group without offsets repeats nothing.
    rig.python(
        "import pyarrow\n\
         table = catalog.load_table(args[0])\n\
         head = table.metadata.refs['audit'].snapshot_id\n\
         table.manage_snapshots().create_branch(head, 'audit', min_snapshots_to_keep=7).commit()\n\
         rows = pyarrow.table({'id': [1000]}, schema=pyarrow.schema([('id', pyarrow.int64(), False)]))\n\
         catalog.load_table(args[0]).append(rows)\n\
         answer(None)",
    );
    rig.scenario
        .worker
        .rest
        .delete(&format!("/connectors/{}", rig.scenario.connector))
        .expect("it is deleted");
    let group = format!("connect-{}", rig.scenario.connector);
    let again = Rig { scenario: Scenario { connector: unique("again"), ..rig.scenario }, ..rig };
    let config = again.config().with(&[("iceberg.connect.group-id", &group), (&branch, "audit")]);
    again.scenario.create(&config);
    again.produce_ids(20..30, 2);
    for partition in 0..2 {
        again.scenario.wait_for_commit(partition, 15);
    }
    assert_eq!(again.ids_by_branch("audit"), json!([[1000], ids(30), ["branch", 7]]));
}

#[test]
fn a_branch_that_is_missing_begins_with_what_main_holds() {
    let rig = Rig::start(1, IDS);
    rig.produce_ids(0..10, 1);
    rig.scenario.create(&rig.config().with(&[("tasks.max", "1")]));
    rig.scenario.wait_for_commit(0, 10);
    rig.reconfigure(&[("tasks.max", "1"), ("iceberg.tables.default-commit-branch", "next")]);
    rig.produce_ids(10..20, 1);
    rig.scenario.wait_for_commit(0, 20);
    let ids = |end: i64| (0..end).collect::<Vec<i64>>();
    assert_eq!(rig.ids_by_branch("next"), json!([ids(10), ids(20), ["branch", null]]));
}

#[test]
fn a_tag_is_never_moved() {
    let rig = Rig::start(1, IDS);
    rig.produce_ids(0..10, 1);
    rig.scenario.create(&rig.config().with(&[("tasks.max", "1")]));
    rig.scenario.wait_for_commit(0, 10);
    rig.python(
        "table = catalog.load_table(args[0])\n\
         table.manage_snapshots().create_tag(table.current_snapshot().snapshot_id, 'gold').commit()\n\
         answer(None)",
    );
    rig.reconfigure(&[("tasks.max", "1"), ("iceberg.tables.default-commit-branch", "gold")]);
    rig.produce_ids(10..20, 1);
    let trace = rig.scenario.worker.wait_for_failure(&rig.scenario.connector);
    assert!(trace.contains("gold is a tag") && trace.contains("commit-branch"), "{trace}");
    let ids = (0..10).collect::<Vec<i64>>();
    assert_eq!(rig.ids_by_branch("gold"), json!([ids, ids, ["tag", null]]));
}
