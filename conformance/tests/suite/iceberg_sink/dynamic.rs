//! Tables that records name.

use lakeward_conformance::scenario::Scenario;
use serde_json::{Value, json};

use super::{IDS, Rig};

const DYNAMIC: [(&str, &str); 2] =
    [("iceberg.tables.dynamic-enabled", "true"), ("iceberg.tables.route-field", "to.table")];

impl Rig {
    fn dynamic(&self) -> lakeward_conformance::sink_config::SinkConfig {
        self.config().without("iceberg.tables").with(&DYNAMIC).with(&[("tasks.max", "1")])
    }

    /// The ids in the table `name` of the namespace; `null` when there is none.
    fn ids_of(&self, name: &str) -> Value {
        let script = "answer(sorted(catalog.load_table(args[0]).scan().to_arrow()['id'].to_pylist()) \
                      if catalog.table_exists(args[0]) else None)";
        self.catalog.python(script, &[name]).expect("pyiceberg reads the table")
    }
}

#[test]
fn a_record_goes_to_the_table_that_it_names_and_nowhere_when_there_is_none() {
    let rig = Rig::start(1, IDS);
    let (mut config, namespace) = (rig.dynamic(), rig.namespace());
    for (key, value) in &rig.dead_letters() {
        config = config.with(&[(key, value)]);
    }
    rig.scenario.create(&config);
    let to = |id: i64, table: Value| json!({"id": id, "to": {"table": table}});
    let refused = to(10, json!(format!("{namespace}.refused")));
    let bad = [
        to(4, json!("nodot")),
        to(5, json!(format!("{namespace}..events"))),
        to(6, json!("")),
        json!("text"),
        refused,
    ];
    let mut records = vec![
        to(0, json!(rig.table)),
        to(1, json!(rig.table.to_uppercase())),
        to(2, json!(format!("{namespace}.missing"))),
        to(3, json!(null)),
    ];
    records.extend(bad.clone());
    records.push(to(8, json!(rig.table)));
    records.push(json!({"id": 9}));
    rig.scenario.produce_json(&records);
    rig.scenario.wait_for_commit(0, 11);
    assert_eq!(rig.ids(), [0, 1, 8]);
    assert_eq!(rig.dead(), bad);
    let missing = format!("{namespace}.missing");
    assert_eq!(rig.ids_of(&missing), json!(null));
    assert!(rig.scenario.worker.log().contains("there is no such table"), "nobody was told");
    // A table that is made later gets what comes later.
    let script = format!("catalog.create_table(args[0], {IDS})\nanswer(None)");
    rig.catalog.python(&script, &[&missing]).expect("pyiceberg makes the table");
    let mut end = 11;
    lakeward_testkit::wait::wait_for("a record in the new table", super::PATIENCE, || {
        rig.scenario.produce_json(&[to(end, json!(missing))]);
        end += 1;
        rig.scenario.wait_for_commit(0, end);
        if rig.ids_of(&missing) == json!([]) { Err("it has none".to_owned()) } else { Ok(()) }
    });
}

#[test]
fn tables_are_made_for_the_names_in_records_and_every_row_is_stored_once() {
    let mut rig = Rig::without_table(Scenario::start(2));
    let namespace = rig.namespace().to_owned();
    let keys = format!("iceberg.table.{namespace}.deep.t1.partition-by");
    rig.scenario.create(&rig.dynamic().with(&[
        ("tasks.max", "2"),
        ("iceberg.tables.auto-create-enabled", "true"),
        ("iceberg.tables.evolve-schema-enabled", "true"),
        (&keys, "bucket(id, 2)"),
    ]));
    const TABLES: i64 = 12;
    let name = |id: i64| format!("{namespace}.deep.T{}", id % TABLES);
    for round in 0..3 {
        let record = |id: i64| {
            let value = json!({"id": id, format!("r{round}"): id, "to": {"table": name(id)}});
            let partition = i32::try_from((id / TABLES) % 2).expect("it is small");
            lakeward_testkit::records::Record::json(&value).in_partition(partition)
        };
        let records: Vec<_> = (round * 120..round * 120 + 120).map(record).collect();
        rig.scenario.produce(&records);
        if round < 2 {
            rig.scenario.worker.kill();
            rig.scenario.worker.restart().expect("the worker starts again");
        }
    }
    for partition in 0..2 {
        rig.scenario.wait_for_commit(partition, 180);
    }
    let script = "answer([[sorted(t.scan().to_arrow()['id'].to_pylist()), len(t.schema().fields), \
                  len(t.spec().fields)] for t in \
                  (catalog.load_table(f'{args[0]}.t{n}') for n in range(int(args[1])))])";
    let found = rig
        .catalog
        .python(script, &[&format!("{namespace}.deep"), &TABLES.to_string()])
        .expect("pyiceberg reads the tables");
    for table in 0..TABLES {
        let ids: Vec<i64> = (0..360).filter(|id| id % TABLES == table).collect();
        let expected = json!([ids, 5, i64::from(table == 1)]);
        assert_eq!(found[usize::try_from(table).expect("it is small")], expected, "table {table}");
    }
}
