//! Catalogs in SQL databases: what Java's `JdbcCatalog` keeps there is read and changed, and Java reads and
//! changes what we left. pyiceberg asks Java, over REST.

use std::sync::Arc;

use lakeward_conformance::scenario::Scenario;
use lakeward_conformance::sink_config::SinkConfig;
use lakeward_testkit::child::RunFolder;
use lakeward_testkit::iceberg::{IcebergCatalog, LostAnswers, SQL_CATALOG};
use lakeward_testkit::postgres::{PASSWORD, Postgres, PostgresProxy, USER};
use lakeward_testkit::wait::wait_for;
use lakeward_testkit::{python, unique};
use serde_json::json;

use super::creation::{
    CREATES, assert_made_after_deaths, assert_made_for_the_first_record, assert_made_once,
};
use super::{IDS, PATIENCE, Rig};

/// Properties of a SQL catalog, as Java and the sink take them.
type Properties = Vec<(String, String)>;

fn properties(pairs: &[(&str, &str)]) -> Properties {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// A catalog in a file of `folder`.
fn sqlite(folder: &RunFolder, file: &str) -> Properties {
    let uri = format!("jdbc:sqlite:{}", folder.file(file).display());
    properties(&[("uri", &uri), ("warehouse", &format!("file://{}", folder.path().display()))])
}

/// A catalog in the server at `authority`.
fn postgres(folder: &RunFolder, authority: &str, more: &[(&str, &str)]) -> Properties {
    let warehouse = format!("file://{}", folder.path().display());
    let uri = format!("jdbc:postgresql://{authority}/postgres");
    let given = [
        ("uri", &*uri),
        ("warehouse", &*warehouse),
        ("jdbc.user", USER),
        ("jdbc.password", PASSWORD),
        ("jdbc.schema-version", "V1"),
    ];
    properties(&[&given[..], more].concat())
}

/// A worker, and a table that Java made in the catalog.
fn rig(folder: &RunFolder, java: &Properties, partitions: i32) -> Rig {
    let rig = without_table(java, partitions);
    make_table(&rig, folder);
    rig
}

/// The same without a table, and without its namespace.
fn without_table(java: &Properties, partitions: i32) -> Rig {
    let scenario = Scenario::start(partitions);
    let catalog = IcebergCatalog::start_sql(java).expect("the catalog starts");
    let table = format!("{}.events", unique("d").replace('-', "_"));
    Rig { scenario, catalog: Arc::new(catalog), table }
}

fn make_table(rig: &Rig, folder: &RunFolder) {
    let script = format!(
        "catalog.create_namespace(args[0].split('.')[0])\n\
         catalog.create_table(args[0], {IDS}, location=args[1])\n\
         answer(None)"
    );
    let location = format!("file://{}/{}", folder.path().display(), unique("t"));
    rig.catalog.python(&script, &[&rig.table, &location]).expect("Java makes the table");
}

fn config(rig: &Rig, catalog: &Properties) -> SinkConfig {
    let mut config = rig.config().with(&[("iceberg.catalog.type", "jdbc"), ("iceberg.catalog", SQL_CATALOG)]);
    for (name, value) in catalog {
        config = config.with(&[(&format!("iceberg.catalog.{name}"), value)]);
    }
    config
}

/// Appends the row `id` as Java's library commits it.
fn append_with_java(rig: &Rig, id: i32) {
    rig.python(&format!(
        "import pyarrow\n\
         rows = pyarrow.table({{'id': [{id}]}}, schema=pyarrow.schema([('id', pyarrow.int64(), False)]))\n\
         from pyiceberg.exceptions import CommitFailedException\n\
         while True:\n\
         \x20   try:\n\
         \x20       catalog.load_table(args[0]).append(rows)\n\
         \x20       break\n\
         \x20   except CommitFailedException:\n\
         \x20       pass\n\
         answer(None)"
    ));
}

/// Both write by turns, and our worker dies between.
fn both_write(mut rig: Rig, catalog: &Properties) {
    rig.scenario.create(&config(&rig, catalog));
    for round in 0..3 {
        rig.produce_ids(round * 20..round * 20 + 20, 2);
        append_with_java(&rig, 1000 + round);
        let rows = usize::try_from((round + 1) * 21).expect("it is small");
        rig.wait_for_rows(rows);
        rig.scenario.worker.kill();
        rig.scenario.worker.restart().expect("the worker starts again");
    }
    for partition in 0..2 {
        rig.scenario.wait_for_commit(partition, 30);
    }
    assert_eq!(rig.ids(), (0..60).chain(1000..1003).collect::<Vec<i64>>());
    // Java keeps the files of metadata before this one in order, and so do we.
    let found = rig.python(
        "table = catalog.load_table(args[0])\n\
         names = [entry.metadata_file for entry in table.metadata.metadata_log] + [table.metadata_location]\n\
         numbers = [int(name.rsplit('/', 1)[1].split('-')[0]) for name in names]\n\
         answer([numbers == list(range(len(numbers))), len(numbers) > 6])",
    );
    assert_eq!(found, json!([true, true]));
}

#[test]
fn sqlite_catalogs_are_shared_with_java() {
    let folder = RunFolder::new("sqlite").expect("a folder");
    let catalog = sqlite(&folder, "catalog.db");
    both_write(rig(&folder, &catalog, 2), &catalog);
}

#[test]
fn postgres_catalogs_are_shared_with_java() {
    let folder = RunFolder::new("postgres-lake").expect("a folder");
    let server = Postgres::start().expect("PostgreSQL starts");
    let catalog = postgres(&folder, &server.authority(), &[]);
    both_write(rig(&folder, &catalog, 2), &catalog);
}

#[test]
fn tables_of_an_empty_database_are_made_as_java_makes_them() {
    let folder = RunFolder::new("sqlite").expect("a folder");
    let second = properties(&[("jdbc.schema-version", "V1")]);
    let java = [&sqlite(&folder, "java.db")[..], &second].concat();
    let mut rig = rig(&folder, &java, 1);
    let start = |name: &str, catalog: &Properties| {
        rig.scenario.worker.create(name, &config(&rig, catalog).with(&[("tasks.max", "1")]).json());
        let trace = rig.scenario.worker.wait_for_failure(name);
        assert!(trace.contains("NoSuchTableException"), "{trace}");
    };
    start(&unique("second"), &[&sqlite(&folder, "second.db")[..], &second].concat());
    let first = sqlite(&folder, "first.db");
    start(&rig.scenario.connector, &first);
    let script = "import json, sqlite3, sys\n\
                  forms = [sorted(sqlite3.connect(name).execute('select name, sql from sqlite_master \
                  where sql is not null').fetchall()) for name in sys.argv[1:]]\n\
                  json.dump([len(forms[0]), forms[0] == forms[1], forms], sys.stdout)";
    let files = ["java.db", "second.db"].map(|name| folder.file(name).display().to_string());
    let forms = python::run(script, &files).expect("Python reads the databases");
    assert_eq!((&forms[0], &forms[1]), (&json!(2), &json!(true)), "{}", forms[2]);
    // Java goes on with what we made. It must neither look for the tables nor find the second form: it never
    // ends the statements by which it does, and SQLite lets nobody write meanwhile.
    let given = [&first[..], &properties(&[("jdbc.init-catalog-tables", "false")])].concat();
    rig.catalog = Arc::new(IcebergCatalog::start_sql(&given).expect("the catalog starts"));
    make_table(&rig, &folder);
    rig.produce_ids(0..10, 1);
    let path = format!("/connectors/{}/tasks/0/restart", rig.scenario.connector);
    rig.scenario.worker.rest.post_empty(&path).expect("the worker answers").expect_status(204);
    rig.wait_for_rows(10);
    assert_eq!(rig.ids(), (0..10).collect::<Vec<i64>>());
}

/// Rows arrive once, and each commit that took place is one snapshot.
#[test]
fn a_commit_whose_answer_the_database_lost_is_settled_by_the_table() {
    let folder = RunFolder::new("postgres-lake").expect("a folder");
    let server = Postgres::start().expect("PostgreSQL starts");
    let rig = rig(&folder, &postgres(&folder, &server.authority(), &[]), 1);
    let proxy = PostgresProxy::start(&server).expect("the proxy starts");
    let catalog = postgres(&folder, &proxy.authority(), &[("jdbc.sslmode", "disable")]);
    rig.scenario.create(&config(&rig, &catalog).with(&[("tasks.max", "1")]));
    let mut end = 0;
    for lost in [LostAnswers::ToDone, LostAnswers::ToUndone] {
        for count in 1..=2 {
            proxy.lose_answers(lost, count);
            wait_for("all answers to be lost", PATIENCE, || {
                rig.produce_ids(end..end + 10, 1);
                end += 10;
                rig.wait_for_rows(usize::try_from(end).expect("it is small"));
                let left = proxy.answers_to_lose();
                if left == 0 { Ok(()) } else { Err(format!("{left} to come")) }
            });
        }
    }
    rig.scenario.wait_for_commit(0, i64::from(end));
    assert_eq!(rig.ids(), (0..i64::from(end)).collect::<Vec<_>>());
    let commits = rig.python(
        "ids = [s.summary.additional_properties['kafka.connect.commit-id'] \
         for s in catalog.load_table(args[0]).snapshots()]\n\
         answer(len(ids) == len(set(ids)))",
    );
    assert_eq!(commits, json!(true), "a commit that took place was made again");
    let log = rig.scenario.worker.log();
    assert!(log.contains("a commit starts over"), "no answer was lost");
    assert!(!log.contains("RetriableException"), "a lost answer failed the task");
}

#[test]
fn tables_are_made_for_the_schema_of_their_first_record() {
    let folder = RunFolder::new("lake").expect("a folder");
    let server = Postgres::start().expect("PostgreSQL starts");
    // SQLite has the first form, PostgreSQL the second.
    for catalog in [sqlite(&folder, "catalog.db"), postgres(&folder, &server.authority(), &[])] {
        assert_made_for_the_first_record(without_table(&catalog, 1), |rig| config(rig, &catalog));
    }
}

#[test]
fn tables_that_we_made_are_java_s_to_write_and_to_drop() {
    let folder = RunFolder::new("postgres-lake").expect("a folder");
    let server = Postgres::start().expect("PostgreSQL starts");
    let catalog = postgres(&folder, &server.authority(), &[]);
    let rig = without_table(&catalog, 1);
    let defaults = [
        CREATES,
        ("tasks.max", "1"),
        ("iceberg.catalog.table-default.a", "of the catalog"),
        ("iceberg.catalog.table-default.b", "of the catalog"),
        ("iceberg.catalog.table-override.c", "of the catalog"),
        ("iceberg.tables.auto-create-props.b", "of the connector"),
        ("iceberg.tables.auto-create-props.c", "of the connector"),
    ];
    rig.scenario.create(&config(&rig, &catalog).with(&defaults));
    rig.scenario.produce_json(&[json!({"id": 1})]);
    rig.scenario.wait_for_commit(0, 1);
    let found = rig.python(
        "import pyarrow\n\
         table = catalog.load_table(args[0])\n\
         table.append(pyarrow.table({'id': [2]}))\n\
         namespace = args[0].split('.')[0]\n\
         names = ('a', 'b', 'c', 'write.parquet.compression-codec')\n\
         answer([[table.properties.get(name) for name in names], \
         catalog.namespace_exists(namespace), table.location().endswith(args[0].replace('.', '/')), \
         table.metadata_location.rsplit('/', 1)[1].split('-')[0]])",
    );
    let properties = ["of the catalog", "of the connector", "of the catalog", "zstd"];
    assert_eq!(found, json!([properties, true, true, "00002"]));
    rig.wait_for_rows(2);
    assert_eq!(rig.ids(), [1, 2]);
    rig.python("catalog.drop_table(args[0])\nanswer(None)");
    rig.scenario.produce_json(&[json!({"id": 3})]);
    rig.scenario.wait_for_commit(0, 2);
    assert_eq!(rig.ids(), [3], "it is made again, and its former rows are gone with it");
}

#[test]
fn tasks_that_race_for_a_database_and_answers_that_get_lost_make_one_table() {
    let folder = RunFolder::new("postgres-lake").expect("a folder");
    let server = Postgres::start().expect("PostgreSQL starts");
    let java = postgres(&folder, &server.authority(), &[]);
    for lost in [LostAnswers::ToDone, LostAnswers::ToUndone] {
        let rig = without_table(&java, 4);
        let proxy = PostgresProxy::start(&server).expect("the proxy starts");
        let catalog = postgres(&folder, &proxy.authority(), &[("jdbc.sslmode", "disable")]);
        proxy.lose_answers(lost, 3);
        assert_made_once(&rig, config(&rig, &catalog));
        assert_eq!(proxy.answers_to_lose(), 0, "no answer was lost");
    }
}

#[test]
fn a_worker_that_dies_while_it_makes_a_table_in_a_database_fills_it_once() {
    let folder = RunFolder::new("sqlite").expect("a folder");
    let catalog = sqlite(&folder, "catalog.db");
    assert_made_after_deaths(without_table(&catalog, 2), |rig| config(rig, &catalog));
}

#[test]
fn certificates_and_passwords_of_a_server_are_looked_at() {
    let folder = RunFolder::new("postgres-lake").expect("a folder");
    let server = Postgres::start().expect("PostgreSQL starts");
    let certificate = server.certificate().display().to_string();
    let verified = [("jdbc.sslmode", "verify-full"), ("jdbc.sslrootcert", &*certificate)];
    // PostgreSQL's own driver takes the same.
    let catalog = postgres(&folder, &server.authority(), &verified);
    let rig = rig(&folder, &catalog, 1);
    rig.scenario.create(&config(&rig, &catalog).with(&[("tasks.max", "1")]));
    rig.produce_ids(0..10, 1);
    rig.wait_for_rows(10);
    // By its number the host is not the one that the certificate names.
    let number = server.authority().replace("localhost", "127.0.0.1");
    let by_number = format!("jdbc:postgresql://{number}/postgres");
    for (pairs, words) in [
        (vec![("iceberg.catalog.uri", &*by_number)], "not valid for name"),
        (vec![("iceberg.catalog.jdbc.password", "wr0ng-one")], "password authentication failed"),
    ] {
        let name = unique("refused");
        let config = config(&rig, &catalog).with(&[("tasks.max", "1")]).with(&pairs);
        rig.scenario.worker.create(&name, &config.json());
        let trace = wait_for(words, PATIENCE, || {
            let log = rig.scenario.worker.log();
            if log.contains(words) { Ok(log) } else { Err("not yet") }
        });
        assert!(!trace.contains("wr0ng-one"), "the secret is told");
    }
}
