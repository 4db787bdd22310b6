//! The laws of a store.

use super::{Mode, Store, StoredSchema, VersionId};
use crate::{CompatibilityLevel, Reference, RegistryError, SchemaText, SchemaType};

fn schema(kind: SchemaType, text: &str) -> StoredSchema {
    SchemaText { kind, text: text.into(), references: Vec::new() }.into()
}

fn avro(text: &str) -> StoredSchema {
    schema(SchemaType::Avro, text)
}

fn record(fields: &[&str]) -> StoredSchema {
    let field = |spec: &&str| match spec.split_once('=') {
        Some((name, value)) => format!(r#"{{"name":"{name}","type":"int","default":{value}}}"#),
        None => format!(r#"{{"name":"{spec}","type":"int"}}"#),
    };
    let fields = fields.iter().map(field).collect::<Vec<_>>().join(",");
    avro(&format!(r#"{{"type":"record","name":"R","fields":[{fields}]}}"#))
}

fn code<T>(answer: Result<T, RegistryError>) -> i32 {
    match answer {
        Err(RegistryError::Refused { code, .. }) => code,
        Err(other) => panic!("{other}"),
        Ok(_) => 0,
    }
}

#[test]
fn a_schema_has_one_id_over_subjects_and_one_version_per_subject() {
    let mut store = Store::new();
    let first = store.register("a", avro(r#"{"type":"string"}"#), false, None).unwrap();
    let again = store.register("a", avro("\"string\""), false, None).unwrap();
    assert_eq!(first, again, "spelling does not matter");
    let other = store.register("b", avro("\"string\""), false, None).unwrap();
    assert_eq!((other.id, other.version), (first.id, 1));
    store.set_level(None, CompatibilityLevel::None);
    let second = store.register("a", avro("\"int\""), false, None).unwrap();
    assert_eq!((second.id, second.version), (2, 2));
    assert_eq!(store.uses(1, false).unwrap(), [("a".to_owned(), 1), ("b".to_owned(), 1)]);
    assert_eq!(store.version("a", VersionId::Latest, false).unwrap(), second);
    assert_eq!(store.lookup("a", avro("\"string\""), false, false).unwrap(), first);
}

#[test]
fn absent_things_have_their_codes() {
    let mut store = Store::new();
    assert_eq!(code(store.versions("a", true)), 40401);
    assert_eq!(code(store.lookup("a", avro("\"int\""), false, false)), 40401);
    store.register("a", avro("\"int\""), false, None).unwrap();
    assert_eq!(code(store.version("a", VersionId::Number(2), false)), 40402);
    assert_eq!(code(store.lookup("a", avro("\"long\""), false, false)), 40403);
    assert_eq!(code(store.schema(7).map(drop)), 40403);
    assert_eq!(code(store.register("a", avro("{"), false, None)), 42201);
    assert_eq!(code(store.own_level("a")), 40408);
    assert_eq!(code(store.own_mode("a")), 40409);
    assert_eq!(code(VersionId::parse("0")), 42202);
}

#[test]
fn deletion_hides_first_and_removes_afterwards() {
    let mut store = Store::new();
    store.register("a", avro("\"int\""), false, None).unwrap();
    assert_eq!(code(store.delete_subject("a", true)), 40405);
    assert_eq!(code(store.delete_version("a", VersionId::Number(1), true)), 40407);
    assert_eq!(store.delete_subject("a", false).unwrap(), [1]);
    assert_eq!(code(store.delete_subject("a", false)), 40404);
    assert_eq!(code(store.delete_version("a", VersionId::Number(1), false)), 40406);
    assert_eq!(code(store.versions("a", false)), 40401);
    assert_eq!(store.versions("a", true).unwrap(), [1]);
    assert!(store.schema(1).is_ok(), "payloads with the id stay readable");
    assert_eq!(code(store.lookup("a", avro("\"int\""), false, false)), 40401);
    assert!(store.lookup("a", avro("\"int\""), false, true).is_ok());
    let back = store.register("a", avro("\"int\""), false, None).unwrap();
    assert_eq!((back.id, back.version), (1, 2));
    assert_eq!(store.delete_version("a", VersionId::Number(1), true).unwrap(), 1);
    assert!(store.schema(1).is_ok());
    store.delete_subject("a", false).unwrap();
    assert_eq!(store.delete_subject("a", true).unwrap(), [2]);
    assert_eq!(code(store.schema(1).map(drop)), 40403);
    assert_eq!(store.register("a", avro("\"long\""), false, None).unwrap().id, 2, "ids are never reused");
}

#[test]
fn levels_decide_what_may_follow() {
    use CompatibilityLevel::{
        Backward, BackwardTransitive, Forward, ForwardTransitive, Full, FullTransitive, None as Off,
    };
    let (one, adds, adds_default) = (["x"], ["x", "y"], ["x", "y=1"]);
    // Level, versions before, the new one, accepted.
    type Fields<'a> = &'a [&'a str];
    let cases: [(CompatibilityLevel, Vec<Fields<'_>>, Fields<'_>, bool); 14] = [
        (Backward, vec![&one], &adds, false),
        (Backward, vec![&one], &adds_default, true),
        (Backward, vec![&adds], &one, true),
        (Forward, vec![&one], &adds, true),
        (Forward, vec![&adds], &one, false),
        (Forward, vec![&adds_default], &one, true),
        (Full, vec![&one], &adds, false),
        (Full, vec![&one], &adds_default, true),
        (Off, vec![&one], &["z"], true),
        // With a default in between the last version is fine and the first is not.
        (Backward, vec![&one, &adds_default], &adds, true),
        (BackwardTransitive, vec![&one, &adds_default], &adds, false),
        (Forward, vec![&adds, &adds_default], &one, true),
        (ForwardTransitive, vec![&adds, &adds_default], &one, false),
        (FullTransitive, vec![&one, &adds_default], &adds, false),
    ];
    for (level, before, new, accepted) in cases {
        let mut store = Store::new();
        store.set_level(None, Off);
        for fields in &before {
            store.register("s", record(fields), false, None).unwrap();
        }
        store.set_level(Some("s"), level);
        let expected = if accepted { 0 } else { 409 };
        let answer = store.register("s", record(new), false, None);
        assert_eq!(code(answer), expected, "{level:?} {before:?} {new:?}");
    }
}

#[test]
fn references_are_resolved_and_protected() {
    let mut store = Store::new();
    let inner = r#"{"type":"fixed","name":"x.F","size":2}"#;
    let mut outer = avro(r#"{"type":"record","name":"x.R","fields":[{"name":"f","type":"x.F"}]}"#);
    assert_eq!(code(store.register("outer", outer.clone(), false, None)), 42201);
    outer.schema.references =
        vec![Reference { name: "x.F".to_owned(), subject: "inner".to_owned(), version: 1 }];
    assert_eq!(code(store.register("outer", outer.clone(), false, None)), 42201);
    store.register("inner", avro(inner), false, None).unwrap();
    let registered = store.register("outer", outer, false, None).unwrap();
    let full = store.registered(Some("outer"), registered.id).unwrap();
    assert_eq!(full.dependencies.len(), 1);
    assert_eq!(full.dependencies[0].0, "x.F");
    assert_eq!(store.referenced_by("inner", VersionId::Latest).unwrap(), [registered.id]);
    assert_eq!(code(store.delete_subject("inner", false)), 42206);
    store.delete_subject("outer", false).unwrap();
    assert!(store.delete_subject("inner", false).is_ok());
}

#[test]
fn modes_guard_writes() {
    let mut store = Store::new();
    store.set_mode(Some("a"), Mode::ReadOnly);
    assert_eq!(code(store.register("a", avro("\"int\""), false, None)), 42205);
    assert_eq!(code(store.register("b", avro("\"int\""), false, Some(7))), 42205);
    store.set_mode(None, Mode::Import);
    assert_eq!(store.register("b", avro("\"int\""), false, Some(7)).unwrap().id, 7);
    assert_eq!(code(store.register("b", avro("\"long\""), false, Some(7))), 42205);
    assert_eq!(store.delete_mode("a").unwrap(), Mode::ReadOnly);
}

#[test]
fn normalising_unites_what_means_the_same() {
    let mut store = Store::new();
    let (one, two) = (r#"{"title":"t","type":"object"}"#, r#"{"type": "object", "title": "t"}"#);
    let json = |text| schema(SchemaType::Json, text);
    assert_eq!(store.register("n", json(one), true, None).unwrap().version, 1);
    assert_eq!(store.register("n", json(two), true, None).unwrap().version, 1);
    assert_eq!(store.register("m", json(one), false, None).unwrap().version, 1);
    assert_eq!(store.register("m", json(two), false, None).unwrap().version, 2);
}

#[test]
fn metadata_and_rules_are_kept_and_found() {
    let mut store = Store::new();
    let mut tagged = avro("\"int\"");
    tagged.metadata = Some(serde_json::json!({"properties": {"owner": "ada"}}));
    let first = store.register("a", tagged, false, None).unwrap();
    assert_eq!(store.lookup("a", avro("\"int\""), false, false).unwrap(), first);
    store.register("a", avro("\"long\""), false, None).unwrap();
    let wanted = [("owner".to_owned(), "ada".to_owned())];
    assert_eq!(store.latest_with_metadata("a", &wanted, false).unwrap(), first);
    assert_eq!(code(store.latest_with_metadata("a", &[("x".into(), "y".into())], false)), 40403);
}
