//! Partitioned tables: pyiceberg computes the values of every row again and skips files by them.

use serde_json::json;

use super::Rig;

/// Every data file: its partition values, and those that pyiceberg computes for each of its rows.
const COMPARE: &str = "
import pyarrow, pyarrow.parquet
table = catalog.load_table(args[0])
spec, schema = table.spec(), table.schema()
plain = {'at': pyarrow.int64(), 'day': pyarrow.int32(), 'clock': pyarrow.int64()}
differences, partitions, rows = [], set(), 0
for task in table.scan().plan_files():
    held = [task.file.partition[i] for i in range(len(spec.fields))]
    partitions.add(repr(held))
    with table.io.new_input(task.file.file_path).open() as stream:
        read = pyarrow.parquet.read_table(stream)
    assert task.file.record_count == read.num_rows
    for number in range(read.num_rows):
        rows += 1
        for place, field in enumerate(spec.fields):
            source = schema.find_field(field.source_id)
            names = schema.find_column_name(field.source_id).split('.')
            column = read[names[0]]
            for name in names[1:]:
                column = pyarrow.compute.struct_field(column, name)
            value = column.cast(plain.get(source.name, column.type))[number].as_py()
            computed = None if value is None else field.transform.transform(source.field_type)(value)
            if computed != held[place]:
                differences.append([field.name, value, computed, held[place]])
answer([len(partitions), rows, differences])
";

#[test]
fn rows_are_in_files_of_their_partition_and_readers_skip_the_others() {
    let rig = Rig::start(
        1,
        "Schema(NestedField(1, 'id', LongType(), required=True), NestedField(2, 'kind', StringType()), \
         NestedField(3, 'at', TimestamptzType()), NestedField(4, 'day', DateType()), \
         NestedField(5, 'price', DecimalType(12, 2)), NestedField(6, 'ok', BooleanType()), \
         NestedField(7, 'place', StructType(NestedField(8, 'name', StringType())))), \
         partition_spec=PartitionSpec(PartitionField(2, 1000, IdentityTransform(), 'kind'), \
         PartitionField(3, 1001, HourTransform(), 'at_hour'), \
         PartitionField(4, 1002, MonthTransform(), 'm'), \
         PartitionField(1, 1003, BucketTransform(3), 'id_bucket'), \
         PartitionField(5, 1004, TruncateTransform(500), 'price_trunc'), \
         PartitionField(6, 1005, IdentityTransform(), 'ok'), \
         PartitionField(8, 1006, TruncateTransform(2), 'place_trunc'))",
    );
    rig.scenario.create(&rig.config().with(&[("iceberg.control.commit.interval-ms", "3000")]));
    let records: Vec<_> = (0..60_i64)
        .map(|id| {
            let or_null = |value: serde_json::Value| if id % 5 == 0 { json!(null) } else { value };
            json!({"id": id, "kind": or_null(json!(["a/b", "é c", "null"][usize::try_from(id % 3).unwrap()])),
                   "at": or_null(json!(1_700_000_000_000 + (id % 2) * 3_600_000)),
                   "day": or_null(json!(if id % 2 == 0 { "1969-12-31" } else { "2024-02-29" })),
                   "price": or_null(json!(format!("-{}.25", id % 7))), "ok": or_null(json!(id % 2 == 0)),
                   "place": or_null(json!({"name": or_null(json!("Ünit"))}))})
        })
        .collect();
    rig.scenario.produce_json(&records);
    rig.wait_for_rows(60);
    assert_eq!(rig.ids(), (0..60).collect::<Vec<i64>>());
    let compared = rig.python(COMPARE);
    assert_eq!((&compared[1], &compared[2]), (&json!(60), &json!([])));
    let files = compared[0].as_u64().expect("a number");
    assert!(files > 20, "{files}");
    let pruned = rig.python(
        "table = catalog.load_table(args[0])\n\
         def found(filter):\n\
         \x20   scan = table.scan(row_filter=filter)\n\
         \x20   return [len(list(scan.plan_files())), sorted(scan.to_arrow()['id'].to_pylist())]\n\
         answer([found(f) for f in (\"kind = 'a/b'\", 'kind is null', 'id = 7', \
         \"at < '2023-11-14T23:00:00+00:00'\", \"day > '2024-01-01'\")])",
    );
    let of = |wanted: fn(&i64) -> bool| (0..60).filter(wanted).collect::<Vec<i64>>();
    let expected = [
        of(|id| id % 5 != 0 && id % 3 == 0),
        of(|id| id % 5 == 0),
        vec![7],
        of(|id| id % 5 != 0 && id % 2 == 0),
        of(|id| id % 5 != 0 && id % 2 == 1),
    ];
    for (index, ids) in expected.iter().enumerate() {
        assert_eq!(pruned[index][1], json!(ids), "filter {index}");
        assert!(
            pruned[index][0].as_u64() < Some(files),
            "filter {index} reads {} of {files}",
            pruned[index][0]
        );
    }
}

#[test]
fn a_table_whose_partitions_change_meanwhile_gets_each_row_once() {
    let rig = Rig::start(
        1,
        "Schema(NestedField(1, 'id', LongType(), required=True)), \
         partition_spec=PartitionSpec(PartitionField(1, 1000, TruncateTransform(10), 'ten'))",
    );
    rig.scenario.create(&rig.config());
    rig.produce_ids(0..50, 1);
    rig.wait_for_rows(50);
    rig.python(
        "with catalog.load_table(args[0]).update_spec() as update:\n\
         \x20   update.add_field('id', BucketTransform(2), 'half')\n\
         \x20   update.remove_field('ten')\n\
         answer(None)",
    );
    rig.produce_ids(50..100, 1);
    rig.wait_for_rows(100);
    assert_eq!(rig.ids(), (0..100).collect::<Vec<i64>>());
    let compared = rig.python(
        "table = catalog.load_table(args[0])\n\
         answer(sorted({file.file.spec_id for file in table.scan().plan_files()}))",
    );
    assert_eq!(compared, json!([0, 1]));
}
