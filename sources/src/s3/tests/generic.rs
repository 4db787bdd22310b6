//! GENERIC: objects of any name to the topics of expressions.

use super::*;

fn config(bucket: &Bucket, more: &[(&str, &str)]) -> ConfigMap {
    let usual =
        [("mode", "GENERIC"), ("topics.dir", "in"), ("topic.regex.list", "a:in/a/.*,b:.*/b[^/]*\\.json")];
    bucket.config(&[&usual, more].concat())
}

#[test]
fn objects_go_to_the_topic_of_the_first_expression_that_matches() {
    let bucket = Bucket::new();
    bucket.lines("in/a/any name", 0..6);
    bucket.lines("in/a/b.json", 6..7);
    bucket.lines("in/deep/er/b1.json", 7..9);
    bucket.lines("in/deep/c.json", 90..91);
    bucket.lines("elsewhere/b.json", 91..92);
    // A sink asks its store with these.
    bucket.lines("in/a/.lakeward-probe", 92..93);
    bucket.lines("in/a/.lakeward-probe-00c0ffee", 93..94);
    let mut rig = start(&config(&bucket, &[]), Stored::default());
    let batches = rig.records_or_idle().unwrap().unwrap();
    assert!(
        batches.iter().all(|batch| batch.partition.is_none() && matches!(batch.keys, Values::Null { .. }))
    );
    let mut all = rows(&batches);
    all.extend(drain(&mut rig));
    assert_eq!(numbers(&all), (0..9).collect::<Vec<_>>());
    let topics: Vec<&str> = all.iter().map(|row| row.0.as_str()).collect();
    assert_eq!(topics, ["a", "a", "a", "a", "a", "a", "a", "b", "b"]);
}

#[test]
fn a_restart_behind_any_record_repeats_and_loses_nothing_and_late_names_are_read() {
    let bucket = Bucket::new();
    bucket.lines("in/a/2", 0..3);
    bucket.lines("in/a/3", 3..8);
    let config = config(&bucket, &[]);
    let all = drain(&mut start(&config, Stored::default()));
    assert_eq!(numbers(&all), (0..8).collect::<Vec<_>>());
    for done in 0..=all.len() {
        let rest = drain(&mut start(&config, stored(&all[..done])));
        assert_eq!(numbers(&rest), numbers(&all[done..]), "behind record {done}");
    }
    let mut rig = start(&config, stored(&all));
    assert!(drain(&mut rig).is_empty());
    bucket.lines("in/a/1", 8..9);
    bucket.lines("in/a/2", 90..99);
    rig.ahead += Duration::from_secs(61);
    assert_eq!(numbers(&drain(&mut rig)), [8], "a name that was read is not read again");
}

#[test]
fn tasks_divide_folders_and_old_objects_are_left_out() {
    let bucket = Bucket::new();
    for folder in 0..9 {
        bucket.lines(&format!("in/a/{folder}/x"), folder * 10..folder * 10 + 1);
        bucket.lines(&format!("in/a/{folder}/y"), folder * 10 + 1..folder * 10 + 2);
    }
    let mut found = Vec::new();
    for (task, config) in CONNECTOR.task_configs(&config(&bucket, &[]), 3).unwrap().iter().enumerate() {
        let mut rig = Rig::start_task(&CONNECTOR, config, u32::try_from(task).unwrap(), Stored::default());
        let numbers = numbers(&drain(&mut rig));
        let starts = numbers.iter().filter(|number| *number % 10 == 0);
        assert!(starts.into_iter().all(|start| numbers.contains(&(start + 1))), "{numbers:?}");
        found.extend(numbers);
    }
    found.sort_unstable();
    assert_eq!(found, (0..9).flat_map(|folder| [folder * 10, folder * 10 + 1]).collect::<Vec<_>>());
    // In the year 2100.
    let later = config(&bucket, &[("file.discovery.starting.timestamp", "4102444800")]);
    assert!(drain(&mut start(&later, Stored::default())).is_empty());
}

#[test]
fn damage_is_left_out_and_problems_stand_at_their_keys() {
    let bucket = Bucket::new();
    bucket.put("in/a/1", b"1\n{junk\n");
    bucket.lines("in/a/2", 2..3);
    let config_with = |more: &[(&str, &str)]| config(&bucket, more);
    let tolerant = config_with(&[("behavior.on.error", "log")]);
    assert_eq!(numbers(&drain(&mut start(&tolerant, Stored::default()))), [1, 2]);
    let errors = |more: &[(&str, &str)]| -> Vec<String> {
        let values = CONNECTOR.validate(&config_with(more));
        values.into_iter().filter(|value| !value.errors.is_empty()).map(|value| value.name).collect()
    };
    let package = "io.confluent.connect.cloud.storage.source.format";
    let (json, csv) =
        (format!("{package}.CloudStorageJsonFormat"), format!("{package}.CloudStorageCsvFormat"));
    assert!(errors(&[("format.class", &json)]).is_empty());
    assert!(errors(&[("format.class", &csv)]).is_empty());
    for class in [&json, &csv] {
        assert_eq!(errors(&[("format.class", class), ("mode", "RESTORE_BACKUP")]), ["format.class"]);
    }
    for (key, wrong) in [
        ("value.schema", "{}"),
        ("value.schema", "{\"type\":\"STRUCT\",\"fieldSchemas\":{\"a\":{\"type\":\"ARRAY\"}}}"),
        ("csv.skip.lines", "-1"),
        ("csv.separator.char", "10"),
        ("csv.quote.char", "-1"),
        ("csv.null.field.indicator", "ALL"),
        ("csv.file.charset", "UTF-16"),
        ("csv.escape.char", "10"),
    ] {
        assert_eq!(errors(&[(key, wrong)]), [key], "{wrong}");
    }
    let error_topic = ("parse.error.topic.prefix", "damaged");
    assert!(errors(&[error_topic]).is_empty(), "it has no effect where the task fails");
    for behavior in ["log", "ignore", "LOG"] {
        assert_eq!(errors(&[error_topic, ("behavior.on.error", behavior)]), [error_topic.0]);
    }
    let older = ("csv.rfc.4180.parser.enabled", "false");
    assert!(errors(&[older, ("csv.escape.char", "0")]).is_empty());
    let cases: [(&str, &str, &[&str]); 3] = [
        ("csv.escape.char", "44", &["csv.separator.char", "csv.escape.char"]),
        ("csv.escape.char", "34", &["csv.quote.char", "csv.escape.char"]),
        ("csv.separator.char", "128512", &["csv.separator.char"]),
    ];
    for (key, code, expected) in cases {
        let given = [("format.class", csv.as_str()), (key, code), older];
        let mut found = errors(&given);
        found.sort_by_key(|name| expected.iter().position(|one| one == name));
        assert_eq!(found, expected, "{key} {code}");
        assert!(errors(&given[..2]).is_empty(), "RFC 4180 has no escapes, and every character");
    }
    let same = [("format.class", csv.as_str()), ("csv.quote.char", "44")];
    assert_eq!(errors(&same).len(), 2);
    assert_eq!(errors(&[("topic.regex.list", "")]), ["topic.regex.list"]);
    assert_eq!(errors(&[("topic.regex.list", "a:(")]), ["topic.regex.list"]);
}

#[test]
fn records_say_which_object_they_are_from_on_request() {
    let bucket = Bucket::new();
    bucket.lines("in/a/deep/x y.json", 0..2);
    let modified = std::fs::metadata(bucket.dir.path().join("lake/in/a/deep/x y.json")).unwrap();
    let modified = chrono::DateTime::<chrono::Utc>::from(modified.modified().unwrap());
    let config = config(&bucket, &[("file.metadata.headers.enable", "true")]);
    let batches = start(&config, Stored::default()).records().unwrap();
    let of = |row: usize, key: &str| batches[0].headers.first(row, key).unwrap().1;
    for row in 0..2 {
        assert_eq!(of(row, "source.file.name"), text("x y.json"));
        assert_eq!(of(row, "source.file.path"), text("in/a/deep/x y.json"));
        assert_eq!(of(row, "source.file.size"), Value::Int64(4));
        let Value::String(found) = of(row, "source.file.last_modified") else { panic!("no text") };
        assert!(found.ends_with('Z'), "{found}");
        assert_eq!(chrono::DateTime::parse_from_rfc3339(&found).unwrap(), modified);
    }
}
