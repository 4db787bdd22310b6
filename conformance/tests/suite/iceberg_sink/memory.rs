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
    assert_fits(200, "1");
}

fn assert_fits(places: i32, tasks: &str) {
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
        "table = catalog.load_table(args[0])\n\
         ids = table.scan(selected_fields=('id',)).to_arrow()['id'].to_pylist()\n\
         places = {task.file.partition[0] for task in table.scan().plan_files()}\n\
         answer([len(ids), len(set(ids)), len(places)])",
    );
    assert_eq!(found, json!([ROWS, ROWS, places]));
}
