//! Questions to a store that change nothing.

use std::collections::HashSet;
use std::sync::Arc;

use super::{
    MAX_DEPENDENCIES, MAX_REFERENCE_DEPTH, Store, StoredSchema, SubjectVersion, Version, VersionId,
    no_subject, no_version,
};
use crate::{Guid, RegisteredSchema, RegistryError, SchemaText};

impl Store {
    /// The schema of `id`, also when every version of it is soft deleted.
    ///
    /// # Errors
    /// 40403 when no schema has that id.
    pub fn schema(&self, id: i32) -> Result<&Arc<StoredSchema>, RegistryError> {
        self.schemas.get(&id).ok_or_else(|| RegistryError::refused(40403, format!("Schema {id} not found")))
    }

    /// The id of the schema that `guid` names.
    ///
    /// # Errors
    /// 40403 when there is none.
    pub fn id_of(&self, guid: Guid) -> Result<i32, RegistryError> {
        let found = self.schemas.iter().find(|(_, schema)| schema.guid() == guid).map(|(id, _)| *id);
        found.ok_or_else(|| RegistryError::refused(40403, format!("Schema {guid} not found")))
    }

    /// Every id, ascending.
    pub fn ids(&self) -> impl Iterator<Item = i32> + '_ {
        self.schemas.keys().copied()
    }

    /// The schema of `id` with all it refers to; its version when `subject` has it.
    ///
    /// # Errors
    /// 40403 when no schema has that id, 42201 when a reference leads nowhere.
    pub fn registered(&self, subject: Option<&str>, id: i32) -> Result<RegisteredSchema, RegistryError> {
        let stored = self.schema(id)?;
        let (guid, schema) = (Some(stored.guid()), stored.schema.clone());
        let versions = subject.and_then(|subject| self.subjects.get(subject));
        let version = versions.and_then(|versions| versions.iter().rfind(|(_, version)| version.id == id));
        let dependencies = self.dependencies(&schema)?;
        Ok(RegisteredSchema { id, guid, version: version.map(|(number, _)| *number), schema, dependencies })
    }

    /// Everything `schema` refers to, directly or not, a schema after those it needs.
    ///
    /// # Errors
    /// 42201 when a reference leads nowhere or references nest too deep.
    pub fn dependencies(&self, schema: &SchemaText) -> Result<Vec<(String, Arc<str>)>, RegistryError> {
        let mut found = Vec::new();
        self.follow(schema, 0, &mut HashSet::new(), &mut found)?;
        Ok(found)
    }

    fn follow(
        &self,
        schema: &SchemaText,
        depth: usize,
        seen: &mut HashSet<String>,
        found: &mut Vec<(String, Arc<str>)>,
    ) -> Result<(), RegistryError> {
        if depth > MAX_REFERENCE_DEPTH || found.len() > MAX_DEPENDENCIES {
            return Err(RegistryError::refused(42201, "Invalid schema: too many references"));
        }
        for reference in &schema.references {
            if !seen.insert(reference.name.clone()) {
                continue;
            }
            let (subject, version) = (&reference.subject, reference.version);
            let id = match VersionId::parse(&version.to_string()) {
                Ok(wanted) => self.find(subject, wanted, true).map(|(_, version)| version.id),
                Err(error) => Err(error),
            };
            let target = id.and_then(|id| self.schema(id)).map_err(|_| {
                let message = format!(
                    "Invalid schema: no schema reference found for subject \"{subject}\" and version \
                     {version}"
                );
                RegistryError::refused(42201, message)
            })?;
            self.follow(&target.schema, depth + 1, seen, found)?;
            found.push((reference.name.clone(), Arc::clone(&target.schema.text)));
        }
        Ok(())
    }

    /// Subjects with a version, by name; with `deleted` also those whose versions are all soft deleted.
    pub fn subjects(&self, deleted: bool) -> Vec<String> {
        let shown = self
            .subjects
            .iter()
            .filter(|(_, versions)| versions.values().any(|version| deleted || !version.deleted));
        shown.map(|(subject, _)| subject.clone()).collect()
    }

    /// Versions of `subject`, ascending.
    ///
    /// # Errors
    /// 40401 when there are none to show.
    pub fn versions(&self, subject: &str, deleted: bool) -> Result<Vec<i32>, RegistryError> {
        let versions = self.subjects.get(subject).into_iter().flatten();
        let shown: Vec<i32> =
            versions.filter(|(_, version)| deleted || !version.deleted).map(|(number, _)| *number).collect();
        if shown.is_empty() { Err(no_subject(subject)) } else { Ok(shown) }
    }

    /// One version of `subject`; soft deleted ones only with `deleted`.
    ///
    /// # Errors
    /// 40401 without such a subject, 40402 without such a version.
    pub fn version(
        &self,
        subject: &str,
        version: VersionId,
        deleted: bool,
    ) -> Result<SubjectVersion, RegistryError> {
        let (number, version) = self.find(subject, version, deleted)?;
        self.subject_version(subject, number, version)
    }

    /// Every version of every subject, by subject and version.
    pub fn all(&self, deleted: bool) -> Vec<SubjectVersion> {
        let mut found = Vec::new();
        for (subject, versions) in &self.subjects {
            for (number, version) in versions.iter().filter(|(_, version)| deleted || !version.deleted) {
                found.extend(self.subject_version(subject, *number, *version));
            }
        }
        found
    }

    /// The highest version of `subject` whose metadata has all of `wanted`.
    ///
    /// # Errors
    /// 40401 without such a subject, 40403 when no version has them.
    pub fn latest_with_metadata(
        &self,
        subject: &str,
        wanted: &[(String, String)],
        deleted: bool,
    ) -> Result<SubjectVersion, RegistryError> {
        for number in self.versions(subject, deleted)?.into_iter().rev() {
            let version = self.version(subject, VersionId::Number(number), deleted)?;
            let properties = version.schema.metadata.as_ref().and_then(|metadata| metadata.get("properties"));
            let has = |(key, value): &(String, String)| {
                properties.and_then(|properties| properties.get(key)).and_then(|found| found.as_str())
                    == Some(value)
            };
            if wanted.iter().all(has) {
                return Ok(version);
            }
        }
        Err(RegistryError::refused(40403, "Schema not found"))
    }

    /// Subjects and versions that use `id`.
    ///
    /// # Errors
    /// 40403 when no schema has that id.
    pub fn uses(&self, id: i32, deleted: bool) -> Result<Vec<(String, i32)>, RegistryError> {
        self.schema(id)?;
        let all = self.all(deleted).into_iter().filter(|version| version.id == id);
        Ok(all.map(|version| (version.subject, version.version)).collect())
    }

    /// Ids of schemas that refer to a version, ascending.
    ///
    /// # Errors
    /// 40401 without such a subject, 40402 without such a version.
    pub fn referenced_by(&self, subject: &str, version: VersionId) -> Result<Vec<i32>, RegistryError> {
        let (number, _) = self.find(subject, version, true)?;
        let mut ids: Vec<i32> = Vec::new();
        for user in self.all(false) {
            let references = &user.schema.schema.references;
            let refers = |version: i32| version == number || version == -1;
            if references.iter().any(|one| one.subject == subject && refers(one.version)) {
                ids.push(user.id);
            }
        }
        ids.sort_unstable();
        ids.dedup();
        Ok(ids)
    }

    pub(super) fn find(
        &self,
        subject: &str,
        version: VersionId,
        deleted: bool,
    ) -> Result<(i32, Version), RegistryError> {
        let shown = self.versions(subject, deleted)?;
        let versions = self.subjects.get(subject).ok_or_else(|| no_subject(subject))?;
        let number = match version {
            VersionId::Latest => {
                let live = versions.iter().rfind(|(_, version)| !version.deleted);
                live.map(|(number, _)| *number)
                    .or(shown.last().copied())
                    .ok_or_else(|| no_subject(subject))?
            }
            VersionId::Number(number) if shown.contains(&number) => number,
            VersionId::Number(number) => return Err(no_version(number)),
        };
        Ok((number, versions[&number]))
    }

    pub(super) fn subject_version(
        &self,
        subject: &str,
        number: i32,
        version: Version,
    ) -> Result<SubjectVersion, RegistryError> {
        Ok(SubjectVersion {
            subject: subject.to_owned(),
            version: number,
            id: version.id,
            deleted: version.deleted,
            schema: Arc::clone(self.schema(version.id)?),
        })
    }
}
