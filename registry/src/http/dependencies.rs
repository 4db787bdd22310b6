//! Everything a schema refers to, fetched version by version.

use std::collections::HashSet;
use std::sync::Arc;

use super::connection::Connection;
use super::wire::unusable;
use crate::store::{MAX_DEPENDENCIES, MAX_REFERENCE_DEPTH};
use crate::{RegistryError, SchemaText};

/// A schema whose references are being fetched.
struct Open {
    name: String,
    schema: SchemaText,
    /// The reference that is next.
    next: usize,
}

impl Connection {
    /// `(name, text)` of everything `schema` refers to, a schema after those it needs.
    pub(super) async fn dependencies(
        &self,
        schema: &SchemaText,
    ) -> Result<Vec<(String, Arc<str>)>, RegistryError> {
        let mut found = Vec::new();
        let mut seen = HashSet::new();
        let mut open = vec![Open { name: String::new(), schema: schema.clone(), next: 0 }];
        while let Some(top) = open.last_mut() {
            let Some(reference) = top.schema.references.get(top.next).cloned() else {
                if let Some(done) = open.pop()
                    && !open.is_empty()
                {
                    found.push((done.name, done.schema.text));
                }
                continue;
            };
            top.next += 1;
            if !seen.insert(reference.name.clone()) {
                continue;
            }
            if open.len() > MAX_REFERENCE_DEPTH || seen.len() > MAX_DEPENDENCIES {
                return Err(unusable("its references nest too deep or are too many"));
            }
            let schema = self.version(&reference.subject, reference.version).await?;
            open.push(Open { name: reference.name, schema, next: 0 });
        }
        Ok(found)
    }
}
