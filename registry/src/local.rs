//! A registry straight over a [`Store`], without HTTP: for tests and tools.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use lakeward_api::ConnectError;

use crate::store::{Store, VersionId};
use crate::writing::{Choice, Reading, Writing};
use crate::{Guid, RegisteredSchema, Registry, RegistryError, SchemaText};

/// A [`Registry`] that answers from `store` at once, by the same rules as the HTTP client.
pub fn local(store: Arc<Mutex<Store>>, options: Writing) -> Box<dyn Registry> {
    local_reading(store, options, Reading::default())
}

/// [`local`], whose payloads are read as `reading` says.
pub fn local_reading(store: Arc<Mutex<Store>>, options: Writing, reading: Reading) -> Box<dyn Registry> {
    Box::new(Local { store, options, reading, by_id: HashMap::new(), written: HashMap::new() })
}

struct Local {
    store: Arc<Mutex<Store>>,
    options: Writing,
    reading: Reading,
    /// Answers stay the same values, so that converters can compare them by address.
    by_id: HashMap<(String, i32), Arc<RegisteredSchema>>,
    written: HashMap<(String, SchemaText), Arc<RegisteredSchema>>,
}

impl Registry for Local {
    fn by_id(&mut self, subject: &str, id: i32) -> Poll<Result<Arc<RegisteredSchema>, ConnectError>> {
        let key = (subject.to_owned(), id);
        if let Some(known) = self.by_id.get(&key) {
            return Poll::Ready(Ok(Arc::clone(known)));
        }
        let store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = store.registered(Some(subject), id).map(Arc::new);
        if let Ok(found) = &answer {
            self.by_id.insert(key, Arc::clone(found));
        }
        Poll::Ready(answer.map_err(Into::into))
    }

    fn by_guid(&mut self, subject: &str, guid: Guid) -> Poll<Result<Arc<RegisteredSchema>, ConnectError>> {
        let id = self.store.lock().unwrap_or_else(PoisonError::into_inner).id_of(guid);
        match id {
            Ok(id) => self.by_id(subject, id),
            Err(error) => Poll::Ready(Err(error.into())),
        }
    }

    fn associated(&mut self, topic: &str, is_key: bool) -> Poll<Result<Option<Arc<str>>, ConnectError>> {
        let store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        Poll::Ready(Ok(store.associated(topic, is_key).map(Into::into)))
    }

    fn for_reading(
        &mut self,
        subject: &str,
        _written: &RegisteredSchema,
    ) -> Poll<Result<Option<Arc<RegisteredSchema>>, ConnectError>> {
        let store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        let found = match &self.reading {
            Reading::AsWritten => return Poll::Ready(Ok(None)),
            Reading::Latest => store.version(subject, VersionId::Latest, false),
            Reading::LatestWithMetadata { properties } => {
                store.latest_with_metadata(subject, properties, true)
            }
        };
        let id = match found {
            Ok(found) => found.id,
            Err(error) => return Poll::Ready(Err(error.into())),
        };
        drop(store);
        self.by_id(subject, id).map(|answer| answer.map(Some))
    }

    fn for_writing(
        &mut self,
        subject: &str,
        schema: &SchemaText,
    ) -> Poll<Result<Arc<RegisteredSchema>, ConnectError>> {
        let key = (subject.to_owned(), schema.clone());
        if let Some(known) = self.written.get(&key) {
            return Poll::Ready(Ok(Arc::clone(known)));
        }
        let mut store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = choose(&mut store, &self.options, subject, schema).map(Arc::new);
        if let Ok(found) = &answer {
            self.written.insert(key, Arc::clone(found));
        }
        Poll::Ready(answer.map_err(Into::into))
    }
}

fn choose(
    store: &mut Store,
    options: &Writing,
    subject: &str,
    schema: &SchemaText,
) -> Result<RegisteredSchema, RegistryError> {
    let data = || schema.clone().into();
    let found = match &options.choice {
        Choice::Register => store.register(subject, data(), options.normalize, None)?,
        Choice::LookUp => store.lookup(subject, data(), options.normalize, false)?,
        Choice::Latest { .. } => store.version(subject, VersionId::Latest, false)?,
        Choice::LatestWithMetadata { properties } => {
            store.latest_with_metadata(subject, properties, false)?
        }
        Choice::Id { id, .. } => {
            let chosen = store.registered(Some(subject), *id)?;
            options.check(&chosen, schema)?;
            return Ok(chosen);
        }
    };
    let dependencies = store.dependencies(&found.schema.schema)?;
    let chosen = RegisteredSchema {
        id: found.id,
        guid: Some(found.schema.guid()),
        version: Some(found.version),
        schema: found.schema.schema.clone(),
        dependencies,
    };
    options.check(&chosen, schema)?;
    Ok(chosen)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SchemaType;

    fn avro(text: &str) -> SchemaText {
        SchemaText { kind: SchemaType::Avro, text: text.into(), references: Vec::new() }
    }

    fn ready<T>(poll: Poll<Result<T, ConnectError>>) -> Result<T, String> {
        match poll {
            Poll::Ready(answer) => answer.map_err(|error| error.to_string()),
            Poll::Pending => panic!("a local registry never waits"),
        }
    }

    #[test]
    fn what_was_written_is_read_back() {
        let mut registry = local(Arc::default(), Writing::default());
        let written = ready(registry.for_writing("t-value", &avro("\"int\""))).unwrap();
        let read = ready(registry.by_id("t-value", written.id)).unwrap();
        assert_eq!(written, read);
        assert_eq!((read.id, read.version), (1, Some(1)));
        let again = ready(registry.by_id("t-value", written.id)).unwrap();
        assert!(Arc::ptr_eq(&read, &again));
        assert_eq!(ready(registry.by_id("t-value", 2)).unwrap_err(), "Schema 2 not found; error code: 40403");
    }

    #[test]
    fn the_latest_version_must_read_the_data_when_strict() {
        let store: Arc<Mutex<Store>> = Arc::default();
        let latest = |strict| Writing { choice: Choice::Latest { strict }, normalize: false };
        let mut strict = local(Arc::clone(&store), latest(true));
        assert!(ready(strict.for_writing("s", &avro("\"int\""))).unwrap_err().ends_with("40401"));
        store.lock().unwrap().register("s", avro("\"long\"").into(), false, None).unwrap();
        assert_eq!(&*ready(strict.for_writing("s", &avro("\"int\""))).unwrap().schema.text, "\"long\"");
        let refused = ready(strict.for_writing("s", &avro("\"string\""))).unwrap_err();
        assert!(
            refused.ends_with("Set latest.compatibility.strict=false to disable this check"),
            "{refused}"
        );
        let mut lax = local(store, latest(false));
        assert!(ready(lax.for_writing("s", &avro("\"string\""))).is_ok());
    }

    #[test]
    fn looking_up_does_not_register() {
        let store: Arc<Mutex<Store>> = Arc::default();
        let options = Writing { choice: Choice::LookUp, normalize: false };
        let mut registry = local(Arc::clone(&store), options);
        assert!(ready(registry.for_writing("s", &avro("\"int\""))).is_err());
        assert!(store.lock().unwrap().subjects(true).is_empty());
    }
}
