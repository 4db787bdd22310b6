//! Registration, look-up and the compatibility check before it.

use std::sync::Arc;

use super::{Mode, Store, StoredSchema, SubjectVersion, Version, VersionId};
use crate::compatibility::{self, CompatibilityLevel};
use crate::{RegistryError, SchemaText};

impl Store {
    /// Registers a schema under `subject`. The same schema is registered once per subject and has one id over
    /// all subjects. `id` is for mode IMPORT.
    ///
    /// # Errors
    /// 42201 for what is no schema, 409 for what is incompatible, 42205 when the mode forbids it.
    pub fn register(
        &mut self,
        subject: &str,
        schema: StoredSchema,
        normalize: bool,
        id: Option<i32>,
    ) -> Result<SubjectVersion, RegistryError> {
        self.check_writable(subject)?;
        let importing = self.mode(Some(subject)) == Mode::Import;
        if id.is_some() != importing {
            let not = if importing { "in" } else { "not in" };
            return Err(RegistryError::refused(42205, format!("Subject {subject} is {not} import mode")));
        }
        let schema = self.accept(subject, schema, normalize)?;
        if let Some((number, version)) = self.same(subject, &schema, false) {
            return self.subject_version(subject, number, version);
        }
        if !importing {
            self.check(subject, &schema.schema)?;
        }
        let id = self.id_for(schema, id)?;
        let versions = self.subjects.entry(subject.to_owned()).or_default();
        let number = versions.keys().last().map_or(1, |last| last.saturating_add(1));
        let version = Version { id, deleted: false };
        versions.insert(number, version);
        self.subject_version(subject, number, version)
    }

    /// Finds a schema under `subject`.
    ///
    /// # Errors
    /// 40401 without such a subject, 40403 when it does not have the schema, 42201 for what is no schema.
    pub fn lookup(
        &self,
        subject: &str,
        schema: StoredSchema,
        normalize: bool,
        deleted: bool,
    ) -> Result<SubjectVersion, RegistryError> {
        self.versions(subject, deleted)?;
        let schema = self.accept(subject, schema, normalize)?;
        match self.same(subject, &schema, deleted) {
            Some((number, version)) => self.subject_version(subject, number, version),
            None => Err(RegistryError::refused(40403, "Schema not found")),
        }
    }

    /// What stops `schema` from following `version` of `subject` (all that count when `None`) at the level
    /// that applies; empty when nothing does.
    ///
    /// # Errors
    /// 40401 and 40402 when `version` is named and not there, 42201 for what is no schema.
    pub fn incompatibilities(
        &self,
        subject: &str,
        version: Option<VersionId>,
        schema: StoredSchema,
        normalize: bool,
    ) -> Result<Vec<String>, RegistryError> {
        let schema = self.accept(subject, schema, normalize)?.schema;
        match version {
            Some(version) => {
                let (number, version) = self.find(subject, version, false)?;
                self.against(self.level(Some(subject)), &schema, number, version.id)
            }
            None => self.against_all(subject, &schema),
        }
    }

    /// Checks that a schema is one and answers it in the form in which it is kept.
    fn accept(
        &self,
        subject: &str,
        mut schema: StoredSchema,
        normalize: bool,
    ) -> Result<StoredSchema, RegistryError> {
        if subject.is_empty() || subject.chars().any(char::is_control) {
            return Err(RegistryError::refused(
                42208,
                format!("The specified subject '{subject}' is not a valid."),
            ));
        }
        let dependencies = self.dependencies(&schema.schema)?;
        compatibility::validate((&schema.schema, &dependencies)).map_err(|problem| {
            let kind = schema.schema.kind.as_str();
            RegistryError::refused(42201, format!("Invalid schema of type {kind}, details: {problem}"))
        })?;
        schema.schema.text = compatibility::canonical(&schema.schema, normalize);
        Ok(schema)
    }

    /// The version of `subject` that is this very schema. A schema without metadata and rules is also found
    /// under a version that has them, as look-ups by converters know neither.
    fn same(&self, subject: &str, schema: &StoredSchema, deleted: bool) -> Option<(i32, Version)> {
        let versions = self.subjects.get(subject)?;
        let bare = schema.metadata.is_none() && schema.rule_set.is_none();
        let found = versions.iter().rev().find(|(_, version)| {
            (deleted || !version.deleted)
                && self
                    .schemas
                    .get(&version.id)
                    .is_some_and(|known| **known == *schema || (bare && known.schema == schema.schema))
        });
        found.map(|(number, version)| (*number, *version))
    }

    fn id_for(&mut self, schema: StoredSchema, wanted: Option<i32>) -> Result<i32, RegistryError> {
        let known = self.ids.get(&schema).copied();
        let id = match (wanted, known) {
            (Some(wanted), _) => match self.schemas.get(&wanted) {
                Some(there) if **there != schema => {
                    let message = format!("Overwrite new schema with id {wanted} is not permitted.");
                    return Err(RegistryError::refused(42205, message));
                }
                _ => wanted,
            },
            (None, Some(known)) => known,
            (None, None) => self
                .last_id
                .checked_add(1)
                .ok_or_else(|| RegistryError::refused(50001, "every schema id is taken"))?,
        };
        self.last_id = self.last_id.max(id);
        self.schemas.entry(id).or_insert_with(|| Arc::new(schema.clone()));
        self.ids.entry(schema).or_insert(id);
        Ok(id)
    }

    /// # Errors
    /// 409 with everything that is in the way.
    fn check(&self, subject: &str, schema: &SchemaText) -> Result<(), RegistryError> {
        let found = self.against_all(subject, schema)?;
        if found.is_empty() {
            return Ok(());
        }
        let message = format!(
            "Schema being registered is incompatible with an earlier schema for subject \"{subject}\", \
             details: [{}]",
            found.join(", ")
        );
        Err(RegistryError::refused(409, message))
    }

    fn against_all(&self, subject: &str, schema: &SchemaText) -> Result<Vec<String>, RegistryError> {
        let level = self.level(Some(subject));
        let versions = self.subjects.get(subject).into_iter().flatten();
        let live = versions.filter(|(_, version)| !version.deleted).rev();
        for (number, version) in live.take(if level.is_transitive() { usize::MAX } else { 1 }) {
            let found = self.against(level, schema, *number, version.id)?;
            if !found.is_empty() {
                return Ok(found);
            }
        }
        Ok(Vec::new())
    }

    fn against(
        &self,
        level: CompatibilityLevel,
        schema: &SchemaText,
        number: i32,
        id: i32,
    ) -> Result<Vec<String>, RegistryError> {
        let old = &self.schema(id)?.schema;
        let (dependencies, old_dependencies) = (self.dependencies(schema)?, self.dependencies(old)?);
        let mut found = level.differences((schema, &dependencies), (old, &old_dependencies));
        if !found.is_empty() {
            found.push(format!("{{oldSchemaVersion: {number}}}"));
            found.push(format!("{{oldSchema: '{}'}}", old.text));
            found.push(format!("{{compatibility: '{}'}}", level.as_str()));
        }
        Ok(found)
    }
}
