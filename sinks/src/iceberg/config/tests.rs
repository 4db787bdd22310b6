//! Definition and words, beside those of Java (iceberg-kafka-connect 1.10.0).

use lakeward_api::config::DefaultValue;

use super::*;

fn props(pairs: &[(&str, &str)]) -> ConfigMap {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn problem(pairs: &[(&str, &str)]) -> String {
    IcebergConfig::parse(&props(pairs), "x").unwrap_err().to_string()
}

#[test]
fn the_definition_is_javas() {
    let cores = available_parallelism().map_or(1, usize::from) * 2;
    let ours: Vec<String> = config_def()
        .keys()
        .iter()
        .map(|key| {
            let default = match &key.default {
                DefaultValue::Null => "null".to_owned(),
                DefaultValue::Required => "REQ".to_owned(),
                DefaultValue::Text(text) => text.clone(),
            };
            let group = key.group.clone().unwrap_or_else(|| "null".to_owned());
            let (kind, importance, width) = (key.kind.as_str(), key.importance.as_str(), key.width.as_str());
            let (order, display) = (key.order, &key.display_name);
            let dependents = key.dependents.join(", ");
            format!(
                "{}\t{kind}\t{default}\t{importance}\t{group}\t{order}\t{width}\t{display}\t[{dependents}]",
                key.name
            )
        })
        .collect();
    let golden = include_str!("golden.tsv").replace("CORES*2", &cores.to_string());
    assert_eq!(ours.join("\n"), golden.trim_end());
}

#[test]
fn what_java_refuses_is_refused_in_its_words() {
    assert_eq!(problem(&[("iceberg.tables", "a.b")]), "Must specify Iceberg catalog properties");
    assert_eq!(problem(&[("iceberg.catalog.type", "rest")]), "Must specify table name(s)");
    let dynamic = [("iceberg.tables.dynamic-enabled", "TRUE"), ("iceberg.catalog.type", "rest")];
    assert_eq!(problem(&dynamic), "Must specify a route field if using dynamic table names");
    let both = [dynamic[0], dynamic[1], ("iceberg.tables.route-field", "f"), ("iceberg.tables", "a.b")];
    assert_eq!(problem(&both), "Cannot specify both static and dynamic table names");
}

#[test]
fn positions_are_kept_under_the_consumer_group() {
    let pairs = [("iceberg.tables", "a.b, c.d"), ("iceberg.catalog.type", "rest")];
    let config = IcebergConfig::parse(&props(&pairs), "x").unwrap();
    assert_eq!((config.group_id.as_str(), config.tables.join("|")), ("connect-x", "a.b|c.d".to_owned()));
    assert_eq!(config.commit_interval, Duration::from_mins(5));
    let named = [pairs[0], pairs[1], ("iceberg.connect.group-id", "mine")];
    assert_eq!(IcebergConfig::parse(&props(&named), "x").unwrap().group_id, "mine");
}

#[test]
fn a_table_has_the_pattern_under_its_whole_name() {
    let pairs = [("iceberg.tables", "a.b,c"), ("iceberg.catalog.type", "rest")];
    let config = IcebergConfig::parse(&props(&pairs), "x").unwrap();
    assert!(config.routing.is_none());
    let keys = [
        ("iceberg.tables.route-field", "k.l"),
        ("iceberg.table.a.b.route-regex", "[a"),
        ("iceberg.table.b.route-regex", "z"),
    ];
    let [field, broken, other] = keys;
    let said = problem(&[pairs[0], pairs[1], field, broken]);
    assert!(said.starts_with("iceberg.table.a.b.route-regex: Invalid regex: Unclosed"), "{said}");
    let all = [pairs[0], pairs[1], field, (broken.0, "a+"), other];
    let routing = IcebergConfig::parse(&props(&all), "x").unwrap().routing.unwrap();
    assert_eq!((routing.field.as_str(), routing.patterns), ("k.l", vec![Some("a+".to_owned()), None]));
}

#[test]
fn a_database_is_a_catalog_when_it_can_be_spoken_with() {
    let given = |pairs: &[(&str, &str)]| {
        let all = [&[("iceberg.tables", "a.b"), ("iceberg.catalog.type", "jdbc")], pairs].concat();
        IcebergConfig::parse(&props(&all), "x")
    };
    let uri = "iceberg.catalog.uri";
    let config = given(&[(uri, "jdbc:sqlite:/c.db"), ("iceberg.catalog", "mine")]).unwrap();
    assert_eq!(config.catalog_name, "mine");
    for (address, word) in [
        ("jdbc:mysql://h/d", "jdbc:postgresql:"),
        ("jdbc:postgresql://h/d", "iceberg.catalog.jdbc.user"),
        ("jdbc:sqlite::memory:", "in memory"),
    ] {
        let said = given(&[(uri, address)]).unwrap_err().to_string();
        assert!(said.contains(word), "{said}");
    }
    let makes = given(&[(uri, "jdbc:sqlite:/c.db"), ("iceberg.tables.auto-create-enabled", "true")]);
    assert!(makes.unwrap().shaping.creates);
}

#[test]
fn a_table_has_its_own_settings_or_those_of_all() {
    let config = IcebergConfig::parse(
        &props(&[
            ("iceberg.tables.dynamic-enabled", "true"),
            ("iceberg.tables.route-field", "f"),
            ("iceberg.catalog.type", "rest"),
            ("iceberg.tables.auto-create-props.a.b", "c"),
            ("iceberg.tables.default-partition-by", "x,y"),
            ("iceberg.tables.default-id-columns", "i"),
            ("iceberg.tables.default-commit-branch", "other"),
            ("iceberg.table.a.b.partition-by", "bucket(z, 3)"),
            ("iceberg.table.a.b.id-columns", "j, k"),
            ("iceberg.table.a.b.commit-branch", "main"),
        ]),
        "x",
    )
    .unwrap();
    assert_eq!((config.tables.len(), config.dynamic_field.as_deref()), (0, Some("f")));
    assert_eq!(config.shaping.properties, BTreeMap::from([("a.b".to_owned(), "c".to_owned())]));
    let found = |table: &str| {
        let names: Vec<String> =
            config.per_table.partition_by(table).unwrap().iter().map(PartitionBy::name).collect();
        (names.join(" "), config.per_table.id_columns(table).join(" "), config.per_table.branch(table))
    };
    assert_eq!(found("a.b"), ("z_bucket".to_owned(), "j k".to_owned(), None));
    assert_eq!(found("a.c"), ("x y".to_owned(), "i".to_owned(), Some("other".to_owned())));
}

#[test]
fn partitions_that_cannot_be_refuse_the_configuration_by_their_key() {
    for key in ["iceberg.tables.default-partition-by", "iceberg.table.a.b.partition-by"] {
        let said =
            problem(&[("iceberg.tables", "a.b"), ("iceberg.catalog.type", "rest"), (key, "bucket(x)")]);
        assert!(said.starts_with(&format!("{key}: bucket(x) must name")), "{said}");
    }
}

#[test]
fn what_is_not_there_yet_is_named() {
    let refused = [
        ("iceberg.catalog.rest.auth.type", "basic"),
        ("iceberg.catalog.rest.sigv4-enabled", "true"),
        ("iceberg.catalog.type", "hive"),
        ("iceberg.hadoop-conf-dir", "/etc/hadoop"),
    ];
    for (key, value) in refused {
        let said = problem(&[("iceberg.tables", "a.b"), ("iceberg.catalog.type", "rest"), (key, value)]);
        assert!(said.starts_with(&format!("{key}: Lakeward ")), "{said}");
    }
}
