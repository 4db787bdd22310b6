//! The reading and writing rules of the config topic, from the contract's examples.

use lakeward_api::runtime::TaskId;

use super::*;

fn feed(state: &mut ClusterState, records: &[(&str, Option<&str>)]) -> Vec<ConfigChange> {
    records
        .iter()
        .map(|(key, value)| {
            let offset = state.next_offset();
            state.apply(offset, Some(key.as_bytes()), value.map(str::as_bytes))
        })
        .collect()
}

fn state(records: &[(&str, Option<&str>)]) -> ClusterState {
    let mut state = ClusterState::default();
    feed(&mut state, records);
    state
}

const CONNECTOR: (&str, Option<&str>) =
    ("connector-a", Some(r#"{"properties":{"connector.class":"X","name":"a","k":"v"}}"#));
const TASK_0: (&str, Option<&str>) = ("task-a-0", Some(r#"{"properties":{"task.class":"Y"}}"#));
const TASK_1: (&str, Option<&str>) = ("task-a-1", Some(r#"{"properties":{"task.class":"Y"}}"#));

#[test]
fn tasks_become_visible_with_their_commit() {
    let mut state = state(&[CONNECTOR, TASK_0, TASK_1]);
    assert_eq!(state.task_set("a"), None);
    let changes = feed(&mut state, &[("commit-a", Some(r#"{"tasks":2}"#))]);
    assert_eq!(changes, [ConfigChange::Tasks("a".into())]);
    let set = state.task_set("a").unwrap();
    assert_eq!((set.tasks.len(), set.revision), (2, 3));
    assert_eq!(state.task_generation("a"), Some(1));
    assert_eq!(state.pending_fencing("a"), Some((true, None)));
}

#[test]
fn a_commit_without_all_its_tasks_is_inconsistent_until_the_next_full_set() {
    let mut state = state(&[CONNECTOR, TASK_1, ("commit-a", Some(r#"{"tasks":2}"#))]);
    assert!(state.is_inconsistent("a"));
    assert_eq!(state.task_set("a"), None);
    assert!(state.needs_new_task_set("a", &[]));
    feed(&mut state, &[TASK_0, ("commit-a", Some(r#"{"tasks":1}"#))]);
    assert!(!state.is_inconsistent("a"));
    assert_eq!(state.task_set("a").unwrap().tasks.len(), 1);
}

#[test]
fn extra_task_records_are_dropped_by_the_commit() {
    let state = state(&[CONNECTOR, TASK_0, TASK_1, ("commit-a", Some(r#"{"tasks":1}"#))]);
    assert_eq!(state.task_set("a").unwrap().tasks.len(), 1);
}

#[test]
fn an_empty_commit_is_complete_and_keeps_the_generation() {
    let mut state = state(&[CONNECTOR, TASK_0, ("commit-a", Some(r#"{"tasks":1}"#))]);
    feed(&mut state, &[("commit-a", Some(r#"{"tasks":0}"#))]);
    assert_eq!(state.task_set("a").unwrap().tasks.len(), 0);
    assert_eq!(state.task_generation("a"), Some(1));
}

#[test]
fn deletion_keeps_the_target_state_until_its_own_tombstone() {
    let stopped = ("target-state-a", Some(r#"{"state":"PAUSED","state.v2":"STOPPED"}"#));
    let mut state = state(&[CONNECTOR, TASK_0, ("commit-a", Some(r#"{"tasks":1}"#)), stopped]);
    assert_eq!(state.target_state("a"), Some(TargetState::Stopped));
    assert_eq!(feed(&mut state, &[("connector-a", None)]), [ConfigChange::ConnectorRemoved("a".into())]);
    assert_eq!((state.config("a"), state.target_state("a")), (None, None));
    feed(&mut state, &[CONNECTOR]);
    assert_eq!(state.target_state("a"), Some(TargetState::Stopped));
    assert_eq!(state.task_set("a"), None, "tasks do not survive their connector");
    feed(&mut state, &[("target-state-a", None)]);
    assert_eq!(state.target_state("a"), Some(TargetState::Started));
}

#[test]
fn commits_of_unknown_connectors_drop_the_leftovers() {
    let mut state = state(&[TASK_0, ("commit-a", Some(r#"{"tasks":1}"#)), CONNECTOR]);
    feed(&mut state, &[("commit-a", Some(r#"{"tasks":1}"#))]);
    assert!(state.is_inconsistent("a"));
}

#[test]
fn old_and_broken_target_states_are_read_as_java_does() {
    let cases = [
        (r#"{"state":"PAUSED"}"#, TargetState::Paused),
        (r#"{"state":"PAUSED","state.v2":7}"#, TargetState::Paused),
        (r#"{"state":"STARTED","state.v2":"STOPPED"}"#, TargetState::Stopped),
        (r#"{"state":"SLEEPING"}"#, TargetState::Started),
    ];
    for (value, expected) in cases {
        let state = state(&[CONNECTOR, ("target-state-a", Some(value))]);
        assert_eq!(state.target_state("a"), Some(expected), "{value}");
    }
}

#[test]
fn target_state_changes_are_reported_only_when_they_change_something() {
    let mut state = state(&[("target-state-a", Some(r#"{"state":"PAUSED"}"#)), CONNECTOR]);
    let paused = ("target-state-a", Some(r#"{"state":"PAUSED","state.v2":"PAUSED"}"#));
    let started = ("target-state-a", Some(r#"{"state":"STARTED","state.v2":"STARTED"}"#));
    let changes = feed(&mut state, &[paused, started]);
    assert_eq!(changes, [ConfigChange::Nothing, ConfigChange::TargetState("a".into())]);
}

#[test]
fn the_restart_request_with_the_highest_impact_is_kept() {
    let mut state = state(&[
        CONNECTOR,
        ("restart-connector-a", Some(r#"{"include-tasks":true,"only-failed":true}"#)),
        ("restart-connector-a", Some(r#"{"include-tasks":true,"only-failed":false}"#)),
        ("restart-connector-a", Some(r#"{"include-tasks":1}"#)),
    ]);
    let restarts = state.take_restarts();
    assert_eq!(restarts["a"], RestartRequest { include_tasks: true, only_failed: false });
    assert!(state.take_restarts().is_empty());
}

#[test]
fn names_with_dashes_keep_their_tasks_apart() {
    let state = state(&[
        ("connector-a-1", Some(r#"{"properties":{"name":"a-1"}}"#)),
        ("task-a-1-0", Some(r#"{"properties":{"task.class":"Y"}}"#)),
        ("commit-a-1", Some(r#"{"tasks":1}"#)),
    ]);
    assert_eq!(state.task_set("a-1").unwrap().tasks.len(), 1);
    assert_eq!(state.task_set("a"), None);
}

#[test]
fn junk_is_skipped_counted_and_moves_the_offset() {
    let mut state = ClusterState::default();
    type Raw = Option<&'static [u8]>;
    let junk: [(Raw, Raw); 9] = [
        (None, Some(b"{}")),
        (Some(b"\xff\xfe"), Some(b"{}")),
        (Some(b"task-"), Some(b"{}")),
        (Some(b"task-a-x"), None),
        (Some(b"connector-a"), Some(b"[1]")),
        (Some(b"connector-a"), Some(b"{\"properties\":3}")),
        (Some(b"what-ever"), Some(b"{}")),
        (Some(b"commit-"), Some(b"\xff")),
        (Some(b"session-key"), Some(b"{\"key\":1}")),
    ];
    for (offset, (key, value)) in (10..).zip(junk) {
        assert!(matches!(state.apply(offset, key, value), ConfigChange::Skipped(_)));
    }
    assert_eq!(state.skipped().values().sum::<u64>(), 9);
    assert_eq!(state.next_offset(), 19);
    assert_eq!(state.connectors().count(), 0);
}

#[test]
fn every_prefix_of_a_record_is_harmless() {
    let records = [CONNECTOR, TASK_0, ("commit-a", Some(r#"{"tasks":4294967296}"#))];
    for (key, value) in records {
        let value = value.unwrap();
        for cut in 0..value.len() {
            let mut state = ClusterState::default();
            state.apply(0, Some(key.as_bytes()), Some(&value.as_bytes()[..cut]));
            assert_eq!(state.next_offset(), 1);
        }
    }
}

#[test]
fn a_task_set_is_written_again_when_the_connector_config_differs() {
    let task: Properties = [("task.class".to_owned(), Some("Y".to_owned()))].into_iter().collect();
    let mut state = state(&[CONNECTOR, TASK_0, ("commit-a", Some(r#"{"tasks":1}"#))]);
    assert!(!state.needs_new_task_set("a", std::slice::from_ref(&task)));
    assert!(state.needs_new_task_set("a", &[task.clone(), task.clone()]));
    feed(&mut state, &[("connector-a", Some(r#"{"properties":{"name":"a","k":"w"}}"#))]);
    assert!(state.needs_new_task_set("a", &[task]));
}

#[test]
fn records_are_javas_text() {
    let text = |record: LogRecord| (record.key, record.value.unwrap_or_default());
    let config: Properties = [("connector.class", "X"), ("name", "a"), ("k", "v")]
        .map(|(k, v)| (k.to_owned(), Some(v.to_owned())))
        .into_iter()
        .collect();
    assert_eq!(
        text(records::connector("a", &config)),
        ("connector-a".into(), r#"{"properties":{"connector.class":"X","name":"a","k":"v"}}"#.into())
    );
    assert_eq!(text(records::commit("a", 2)), ("commit-a".into(), r#"{"tasks":2}"#.into()));
    assert_eq!(
        text(records::target_state("a", TargetState::Stopped)),
        ("target-state-a".into(), r#"{"state":"PAUSED","state.v2":"STOPPED"}"#.into())
    );
    let request = RestartRequest { include_tasks: true, only_failed: false };
    assert_eq!(
        text(records::restart("a", request)),
        ("restart-connector-a".into(), r#"{"include-tasks":true,"only-failed":false}"#.into())
    );
    let id = TaskId { connector: "a-b".into(), task: 3 };
    assert_eq!(records::task(&id, &Properties::default()).key, "task-a-b-3");
}

#[test]
fn what_we_write_reads_back() {
    let config: Properties = [("name".to_owned(), Some("ä😀\u{1}".to_owned()))].into_iter().collect();
    let record = records::connector("ä", &config);
    let mut state = ClusterState::default();
    state.apply(0, Some(record.key.as_bytes()), record.value.as_deref().map(str::as_bytes));
    assert_eq!(state.config("ä"), Some(&config));
}

#[test]
fn task_counts_outlive_their_connector_and_may_come_before_it() {
    let count = ("tasks-fencing-a", Some(r#"{"task-count":2}"#));
    let commit = ("commit-a", Some(r#"{"tasks":1}"#));
    let mut state = state(&[count, CONNECTOR]);
    assert_eq!(state.pending_fencing("a"), Some((false, Some(2))));
    feed(&mut state, &[TASK_0, commit]);
    assert_eq!(state.pending_fencing("a"), Some((true, Some(2))));
    assert_eq!(state.task_generation("a"), Some(1));
    feed(&mut state, &[("connector-a", None), ("target-state-a", None), CONNECTOR]);
    assert_eq!(state.pending_fencing("a"), Some((true, Some(2))));
    feed(&mut state, &[TASK_0, commit]);
    assert_eq!(state.task_generation("a"), Some(2), "a generation never repeats");
}

#[test]
fn a_session_key_is_replaced_and_broken_ones_are_not_used() {
    let key = |text: &str| format!(r#"{{"key":"{text}","algorithm":"HmacSHA256","creation-timestamp":17}}"#);
    let (first, second) = (key("AAAA"), key("BBBB"));
    let mut state = state(&[("session-key", Some(&first)), ("session-key", Some(&second))]);
    feed(&mut state, &[("session-key", None), ("session-key", Some(r#"{"key":"CCCC"}"#))]);
    let known = state.session_key().unwrap();
    assert_eq!((known.key.as_str(), known.created_ms), ("BBBB", 17));
    assert!(!format!("{known:?}").contains("BBBB"));
    let record = records::session_key(known);
    assert_eq!((record.key.as_str(), record.value.as_deref()), ("session-key", Some(second.as_str())));
    assert!(!format!("{record:?}").contains("BBBB"));
}
