//! Records that choose their tables by the text of a field.

use serde_json::json;

use super::Rig;

const COLUMNS: &str = "Schema(NestedField(1, 'id', LongType(), required=True))";

#[test]
fn a_record_goes_to_the_tables_whose_pattern_its_field_matches() {
    let rig = Rig::start(1, COLUMNS);
    rig.python(&format!(
        "for name in ('_b', '_none'):\n\
         \x20   location = catalog.load_table(args[0]).location() + name\n\
         \x20   catalog.create_table(args[0] + name, {COLUMNS}, location=location)\n\
         answer(None)"
    ));
    let table = &rig.table;
    let pattern = |name: &str| format!("iceberg.table.{table}{name}.route-regex");
    rig.scenario.create(&rig.config().with(&[
        ("iceberg.tables", &format!("{table}, {table}_b, {table}_none")),
        ("iceberg.tables.route-field", "to.kind"),
        (&pattern(""), "a|both"),
        (&pattern("_b"), "b(oth)?"),
    ]));
    let kinds = [json!("a"), json!("b"), json!("both"), json!("ab"), json!(null)];
    let record = |id: usize| json!({"id": id, "to": {"kind": kinds[id % 5]}});
    rig.scenario.produce_json(&(0..50).map(record).collect::<Vec<_>>());
    rig.scenario.wait_for_commit(0, 50);
    let found = rig.python(
        "answer([sorted(catalog.load_table(args[0] + name).scan().to_arrow()['id'].to_pylist()) \
         for name in ('', '_b', '_none')])",
    );
    let of = |kinds: [usize; 2]| (0..50).filter(|id| kinds.contains(&(id % 5))).collect::<Vec<usize>>();
    assert_eq!(found, json!([of([0, 2]), of([1, 2]), []]));
}
