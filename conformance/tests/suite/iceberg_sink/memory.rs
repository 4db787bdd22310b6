//! Memory: what open files of a table hold stays within the worker's limit.

use lakeward_conformance::scenario::Scenario;
use lakeward_testkit::broker::KafkaBroker;
use lakeward_testkit::records::Record;
use lakeward_testkit::store::Versitygw;
use serde_json::json;

use super::Rig;

/// The least that a worker takes.
const LIMIT_BYTES: u64 = 128 << 20;
/// Of 6 KB each. When what open files hold is not counted, a worker takes more than it may.
const ROWS: i32 = 15_000;

#[test]
fn hundreds_of_open_partitions_fit_into_the_limit() {
    let rig = assert_fits(200, "1");
    let found = rig.python(
        "ids = catalog.load_table(args[0]).scan(selected_fields=('id',)).to_arrow()['id'].to_pylist()\n\
         answer([len(ids), len(set(ids))])",
    );
    assert_eq!(found, json!([ROWS, ROWS]));
}

/// Each task has all partitions open, with some 75 KB of rows each.
#[test]
fn hundreds_of_open_partitions_in_each_of_two_tasks_fit_into_the_limit() {
    assert_fits(600, "2");
}

fn assert_fits(places: i32, tasks: &str) -> Rig {
    let settings = [("lakeward.memory.limit", &*LIMIT_BYTES.to_string())];
    let scenario = Scenario::start_on(KafkaBroker::shared(), Versitygw::shared(), 2, &settings);
    let rig = Rig::on(
        scenario,
        "Schema(NestedField(1, 'id', LongType(), required=True), NestedField(2, 'place', IntegerType()), \
         NestedField(3, 'text', StringType())), \
         partition_spec=PartitionSpec(PartitionField(2, 1000, IdentityTransform(), 'place'))",
    );
    for first in (0..ROWS).step_by(5_000) {
        let row = |id: i32| {
            let text = format!("{id:09} ").repeat(600);
            Record::json(&json!({"id": id, "place": id / 2 % places, "text": text})).in_partition(id % 2)
        };
        rig.scenario.produce(&(first..first + 5_000).map(row).collect::<Vec<_>>());
    }
    rig.scenario
        .create(&rig.config().with(&[("tasks.max", tasks), ("iceberg.control.commit.interval-ms", "30000")]));
    rig.wait_for_rows(usize::try_from(ROWS).expect("it is positive"));
    // Both ask the kernel how much memory the worker ever had.
    for partition in 0..2 {
        rig.scenario.wait_for_commit(partition, i64::from(ROWS / 2));
    }
    let found = rig.python(
        "files = [task.file for task in catalog.load_table(args[0]).scan().plan_files()]\n\
         answer([sum(file.record_count for file in files), len({file.partition[0] for file in files})])",
    );
    assert_eq!(found, json!([ROWS, places]));
    rig
}
