//! One handler per path.

use hyper::Method;
use serde_json::{Map, Value, json};

use super::request::{Ask, Reply};
use crate::store::{Mode, Store, StoredSchema, SubjectVersion, VersionId};
use crate::{CompatibilityLevel, Guid, Reference, RegistryError, SchemaType};

type Answered = Result<Option<Reply>, RegistryError>;

/// Answers a request; `None` when nothing is there for its method.
pub(super) fn route(store: &mut Store, method: &Method, path: &[&str], ask: &Ask<'_>) -> Answered {
    match (method.as_str(), path) {
        ("GET", []) => json(json!({})),
        ("GET", ["contexts"]) => json(json!(["."])),
        (_, ["subjects", rest @ ..]) => subjects(store, method.as_str(), rest, ask),
        ("GET", ["associations", "resources", cluster, topic]) => associations(store, cluster, topic, ask),
        ("GET", ["schemas", rest @ ..]) => schemas(store, rest, ask),
        (_, ["config", subject @ ..]) if subject.len() < 2 => {
            config(store, method.as_str(), subject.first().copied(), ask)
        }
        (_, ["mode", subject @ ..]) if subject.len() < 2 => {
            mode(store, method.as_str(), subject.first().copied(), ask)
        }
        ("POST", ["compatibility", "subjects", subject, "versions"]) => compatible(store, subject, None, ask),
        ("POST", ["compatibility", "subjects", subject, "versions", version]) => {
            compatible(store, subject, Some(VersionId::parse(version)?), ask)
        }
        _ => Ok(None),
    }
}

/// True for paths that some method answers.
pub(super) fn is_path(path: &[&str]) -> bool {
    matches!(
        path,
        [] | ["contexts" | "subjects" | "schemas" | "config" | "mode"]
            | ["subjects" | "config" | "mode", _]
            | ["subjects", _, "versions" | "metadata"]
            | ["subjects", _, "versions", _]
            | ["subjects", _, "versions", _, "schema" | "referencedby"]
            | ["schemas", "types"]
            | ["schemas", "guids" | "ids", _]
            | ["schemas", "guids", _, "ids"]
            | ["schemas", "ids", _, "schema" | "subjects" | "versions"]
            | ["compatibility", "subjects", _, "versions"]
            | ["compatibility", "subjects", _, "versions", _]
    )
}

fn json(value: Value) -> Answered {
    Ok(Some(Reply::Json(value)))
}

fn subjects(store: &mut Store, method: &str, path: &[&str], ask: &Ask<'_>) -> Answered {
    let (deleted, permanent) = (ask.is_set("deleted"), ask.is_set("permanent"));
    let normalize = ask.is_set("normalize");
    match (method, path) {
        ("GET", []) => {
            let mut names = store.subjects(deleted);
            names.retain(|name| name.starts_with(ask.query("subjectPrefix").unwrap_or_default()));
            json(json!(names))
        }
        ("POST", [subject]) => json(version(&store.lookup(subject, ask.schema()?, normalize, deleted)?)),
        ("DELETE", [subject]) => json(json!(store.delete_subject(subject, permanent)?)),
        ("GET", [subject, "metadata"]) => {
            json(version(&store.latest_with_metadata(subject, &ask.metadata(), deleted)?))
        }
        ("GET", [subject, "versions"]) => json(json!(store.versions(subject, deleted)?)),
        ("POST", [subject, "versions"]) => {
            let id = ask.json()?["id"].as_i64().and_then(|id| i32::try_from(id).ok()).filter(|id| *id >= 0);
            let registered = store.register(subject, ask.schema()?, normalize, id)?;
            json(json!({"id": registered.id, "guid": registered.schema.guid().to_string()}))
        }
        ("GET", [subject, "versions", wanted]) => {
            json(version(&store.version(subject, VersionId::parse(wanted)?, deleted)?))
        }
        ("DELETE", [subject, "versions", wanted]) => {
            json(json!(store.delete_version(subject, VersionId::parse(wanted)?, permanent)?))
        }
        ("GET", [subject, "versions", wanted, "schema"]) => {
            let found = store.version(subject, VersionId::parse(wanted)?, deleted)?;
            Ok(Some(Reply::Text(found.schema.schema.text.to_string())))
        }
        ("GET", [subject, "versions", wanted, "referencedby"]) => {
            json(json!(store.referenced_by(subject, VersionId::parse(wanted)?)?))
        }
        _ => Ok(None),
    }
}

fn schemas(store: &Store, path: &[&str], ask: &Ask<'_>) -> Answered {
    let deleted = ask.is_set("deleted");
    match path {
        [] => {
            let mut all = store.all(deleted);
            all.retain(|one| one.subject.starts_with(ask.query("subjectPrefix").unwrap_or_default()));
            if ask.is_set("latestOnly") {
                let last: Vec<_> = all.iter().map(|one| (one.subject.clone(), one.version)).collect();
                let newer = |one: &SubjectVersion| {
                    last.iter().any(|(subject, version)| *subject == one.subject && *version > one.version)
                };
                all.retain(|one| !newer(one));
            }
            let number = |name: &str| ask.query(name).and_then(|text| text.parse::<usize>().ok());
            let limit = number("limit").unwrap_or(usize::MAX);
            let page = all.iter().skip(number("offset").unwrap_or(0)).take(limit);
            json(page.map(version).collect())
        }
        ["types"] => {
            let types = [SchemaType::Json, SchemaType::Protobuf, SchemaType::Avro];
            json(json!(types.map(SchemaType::as_str)))
        }
        ["guids", guid, rest @ ..] => {
            let guid = Guid::parse(guid).ok_or_else(|| RegistryError::refused(404, "HTTP 404 Not Found"))?;
            let id = store.id_of(guid)?;
            match rest {
                [] => json(Value::Object(schema(store.schema(id)?))),
                ["ids"] => json(json!([{"context": ".", "id": id}])),
                _ => Ok(None),
            }
        }
        ["ids", id, rest @ ..] => {
            let id: i32 = id.parse().map_err(|_| RegistryError::refused(404, "HTTP 404 Not Found"))?;
            let found = store.schema(id)?;
            match rest {
                [] => {
                    let mut answer = schema(found);
                    if ask.is_set("fetchMaxId") {
                        answer.insert("maxId".to_owned(), json!(store.ids().last()));
                    }
                    json(Value::Object(answer))
                }
                ["schema"] => Ok(Some(Reply::Text(found.schema.text.to_string()))),
                ["subjects"] => {
                    let mut names: Vec<_> =
                        store.uses(id, deleted)?.into_iter().map(|(subject, _)| subject).collect();
                    names.dedup();
                    json(json!(names))
                }
                ["versions"] => {
                    let uses = store.uses(id, deleted)?.into_iter();
                    json(
                        uses.map(|(subject, version)| json!({"subject": subject, "version": version}))
                            .collect(),
                    )
                }
                _ => Ok(None),
            }
        }
        _ => Ok(None),
    }
}

/// The subjects of a topic. Without any the answer is 404, as from registries that know no associations.
fn associations(store: &Store, cluster: &str, topic: &str, ask: &Ask<'_>) -> Answered {
    let wanted = ask.all("associationType");
    let one = |side: &str| {
        let subject = store.associated(topic, side == "key")?;
        Some(json!({
            "subject": subject,
            "resourceName": topic,
            "resourceNamespace": cluster,
            "resourceType": "topic",
            "associationType": side,
        }))
    };
    let found: Vec<Value> = wanted.into_iter().filter_map(one).collect();
    if found.is_empty() { Ok(None) } else { json(json!(found)) }
}

fn config(store: &mut Store, method: &str, subject: Option<&str>, ask: &Ask<'_>) -> Answered {
    let level = |level: CompatibilityLevel| json(json!({"compatibilityLevel": level.as_str()}));
    match method {
        "GET" => match subject {
            Some(subject) if !ask.is_set("defaultToGlobal") => level(store.own_level(subject)?),
            _ => level(store.level(subject)),
        },
        "PUT" => {
            let body = ask.json()?;
            let name = body["compatibility"].as_str().unwrap_or_default();
            let Some(wanted) = CompatibilityLevel::from_name(name) else {
                let names = "NONE, BACKWARD, FORWARD, FULL, BACKWARD_TRANSITIVE, FORWARD_TRANSITIVE, and \
                             FULL_TRANSITIVE";
                let message = format!("Invalid compatibility level. Valid values are {names}");
                return Err(RegistryError::refused(42203, message));
            };
            store.set_level(subject, wanted);
            json(json!({"compatibility": wanted.as_str()}))
        }
        "DELETE" => level(store.delete_level(subject)?),
        _ => Ok(None),
    }
}

fn mode(store: &mut Store, method: &str, subject: Option<&str>, ask: &Ask<'_>) -> Answered {
    let mode = |mode: Mode| json(json!({"mode": mode.as_str()}));
    match (method, subject) {
        ("GET", Some(subject)) if !ask.is_set("defaultToGlobal") => mode(store.own_mode(subject)?),
        ("GET", subject) => mode(store.mode(subject)),
        ("PUT", subject) => {
            let body = ask.json()?;
            let Some(wanted) = Mode::from_name(body["mode"].as_str().unwrap_or_default()) else {
                let message = "Invalid mode. Valid values are READWRITE, READONLY, and IMPORT";
                return Err(RegistryError::refused(42204, message));
            };
            store.set_mode(subject, wanted);
            mode(wanted)
        }
        ("DELETE", Some(subject)) => mode(store.delete_mode(subject)?),
        _ => Ok(None),
    }
}

fn compatible(store: &Store, subject: &str, version: Option<VersionId>, ask: &Ask<'_>) -> Answered {
    let found = store.incompatibilities(subject, version, ask.schema()?, ask.is_set("normalize"))?;
    let mut answer = json!({"is_compatible": found.is_empty()});
    if ask.is_set("verbose") && !found.is_empty() {
        answer["messages"] = json!(found);
    }
    json(answer)
}

/// A version in full.
fn version(found: &SubjectVersion) -> Value {
    let mut answer = Map::new();
    answer.insert("subject".to_owned(), json!(found.subject));
    answer.insert("version".to_owned(), json!(found.version));
    answer.insert("id".to_owned(), json!(found.id));
    answer.append(&mut schema(&found.schema));
    if found.deleted {
        answer.insert("deleted".to_owned(), json!(true));
    }
    Value::Object(answer)
}

/// The members that describe a schema. Avro and what is empty are left out.
fn schema(found: &StoredSchema) -> Map<String, Value> {
    let mut answer = Map::new();
    answer.insert("guid".to_owned(), json!(found.guid().to_string()));
    if found.schema.kind != SchemaType::Avro {
        answer.insert("schemaType".to_owned(), json!(found.schema.kind.as_str()));
    }
    if !found.schema.references.is_empty() {
        let references = found.schema.references.iter().map(Reference::to_json);
        answer.insert("references".to_owned(), references.collect());
    }
    answer.insert("schema".to_owned(), json!(&*found.schema.text));
    for (name, part) in [("metadata", &found.metadata), ("ruleSet", &found.rule_set)] {
        if let Some(part) = part {
            answer.insert(name.to_owned(), part.clone());
        }
    }
    answer
}
