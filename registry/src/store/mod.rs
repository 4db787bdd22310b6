//! The state of a registry: subjects, versions, ids, levels and modes. Pure: no IO, no clock.
//!
//! Owns what the development server serves and what [`crate::local`] answers from. It is complete in memory
//! and forgets everything with the process. Source: Confluent's REST interface reference; error codes and
//! messages are its.

mod delete;
mod read;
#[cfg(test)]
mod tests;
mod write;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};
use serde_json::Value;

use crate::{CompatibilityLevel, Guid, RegistryError, SchemaText};

/// References followed from one schema, and schemas reached that way.
pub(crate) const MAX_REFERENCE_DEPTH: usize = 32;
pub(crate) const MAX_DEPENDENCIES: usize = 1000;

/// A registry's whole state.
#[derive(Debug, Default)]
pub struct Store {
    schemas: BTreeMap<i32, Arc<StoredSchema>>,
    ids: HashMap<StoredSchema, i32>,
    subjects: BTreeMap<String, BTreeMap<i32, Version>>,
    last_id: i32,
    level: CompatibilityLevel,
    levels: BTreeMap<String, CompatibilityLevel>,
    mode: Mode,
    modes: BTreeMap<String, Mode>,
    /// Subjects by topic, and whether they are of keys.
    associations: BTreeMap<(String, bool), String>,
}

/// What one id stands for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StoredSchema {
    /// The schema, its text canonical.
    pub schema: SchemaText,
    /// `metadata` of the registration, kept as it came.
    pub metadata: Option<Value>,
    /// `ruleSet` of the registration, kept as it came; rules are not run.
    pub rule_set: Option<Value>,
}

impl StoredSchema {
    /// What names the schema in every registry: a digest of everything that makes it up.
    pub fn guid(&self) -> Guid {
        let mut digest = Context::new(&SHA256);
        let mut part = |text: &str| {
            digest.update(&u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
            digest.update(text.as_bytes());
        };
        part(self.schema.kind.as_str());
        part(&self.schema.text);
        for reference in &self.schema.references {
            part(&reference.to_json().to_string());
        }
        for more in [&self.metadata, &self.rule_set] {
            part(&more.as_ref().map(Value::to_string).unwrap_or_default());
        }
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest.finish().as_ref()[..16]);
        Guid(bytes)
    }
}

impl From<SchemaText> for StoredSchema {
    fn from(schema: SchemaText) -> Self {
        Self { schema, metadata: None, rule_set: None }
    }
}

#[derive(Clone, Copy, Debug)]
struct Version {
    id: i32,
    deleted: bool,
}

/// A schema under its subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubjectVersion {
    /// Subject.
    pub subject: String,
    /// Version, from 1.
    pub version: i32,
    /// Global id.
    pub id: i32,
    /// True after a soft delete.
    pub deleted: bool,
    /// The schema.
    pub schema: Arc<StoredSchema>,
}

/// Which version of a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VersionId {
    /// The highest one that is not deleted.
    Latest,
    /// That one.
    Number(i32),
}

impl VersionId {
    /// `latest`, `-1` or a number from 1.
    ///
    /// # Errors
    /// 42202 for anything else.
    pub fn parse(text: &str) -> Result<Self, RegistryError> {
        match text.parse() {
            _ if text == "latest" => Ok(Self::Latest),
            Ok(-1) => Ok(Self::Latest),
            Ok(number) if number > 0 => Ok(Self::Number(number)),
            _ => Err(RegistryError::refused(
                42202,
                format!(
                    "The specified version '{text}' is not a valid version id. Allowed values are between \
                     [1, 2^31-1] and the string \"latest\""
                ),
            )),
        }
    }
}

/// What may be changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Everything.
    #[default]
    ReadWrite,
    /// Nothing.
    ReadOnly,
    /// Registrations name their id.
    Import,
}

impl Mode {
    /// The name in requests and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ReadWrite => "READWRITE",
            Self::ReadOnly => "READONLY",
            Self::Import => "IMPORT",
        }
    }

    /// The mode of that name, in any case.
    pub fn from_name(name: &str) -> Option<Self> {
        let all = [Self::ReadWrite, Self::ReadOnly, Self::Import];
        all.into_iter().find(|mode| mode.as_str().eq_ignore_ascii_case(name))
    }
}

impl Store {
    /// An empty registry: level BACKWARD, mode READWRITE.
    pub fn new() -> Self {
        Self::default()
    }

    /// Associates the keys or values of a topic with `subject`.
    pub fn associate(&mut self, topic: &str, is_key: bool, subject: &str) {
        self.associations.insert((topic.to_owned(), is_key), subject.to_owned());
    }

    /// The subject that is associated with the keys or values of a topic.
    pub fn associated(&self, topic: &str, is_key: bool) -> Option<&str> {
        self.associations.get(&(topic.to_owned(), is_key)).map(String::as_str)
    }

    /// The level that applies to `subject`, or the global one.
    pub fn level(&self, subject: Option<&str>) -> CompatibilityLevel {
        subject.and_then(|subject| self.levels.get(subject)).copied().unwrap_or(self.level)
    }

    /// The level set for `subject` itself.
    ///
    /// # Errors
    /// 40408 when there is none.
    pub fn own_level(&self, subject: &str) -> Result<CompatibilityLevel, RegistryError> {
        self.levels.get(subject).copied().ok_or_else(|| {
            let message = format!("Subject '{subject}' does not have subject-level compatibility configured");
            RegistryError::refused(40408, message)
        })
    }

    /// Sets the level of `subject`, or the global one.
    pub fn set_level(&mut self, subject: Option<&str>, level: CompatibilityLevel) {
        match subject {
            Some(subject) => drop(self.levels.insert(subject.to_owned(), level)),
            None => self.level = level,
        }
    }

    /// Takes back the level of `subject`, or the global one; answers what it was.
    ///
    /// # Errors
    /// 40408 when the subject has none.
    pub fn delete_level(&mut self, subject: Option<&str>) -> Result<CompatibilityLevel, RegistryError> {
        match subject {
            Some(subject) => {
                let level = self.own_level(subject)?;
                self.levels.remove(subject);
                Ok(level)
            }
            None => Ok(std::mem::take(&mut self.level)),
        }
    }

    /// The mode that applies to `subject`, or the global one.
    pub fn mode(&self, subject: Option<&str>) -> Mode {
        subject.and_then(|subject| self.modes.get(subject)).copied().unwrap_or(self.mode)
    }

    /// The mode set for `subject` itself.
    ///
    /// # Errors
    /// 40409 when there is none.
    pub fn own_mode(&self, subject: &str) -> Result<Mode, RegistryError> {
        self.modes.get(subject).copied().ok_or_else(|| {
            let message = format!("Subject '{subject}' does not have subject-level mode configured");
            RegistryError::refused(40409, message)
        })
    }

    /// Sets the mode of `subject`, or the global one.
    pub fn set_mode(&mut self, subject: Option<&str>, mode: Mode) {
        match subject {
            Some(subject) => drop(self.modes.insert(subject.to_owned(), mode)),
            None => self.mode = mode,
        }
    }

    /// Takes back the mode of `subject`; answers what it was.
    ///
    /// # Errors
    /// 40409 when it has none.
    pub fn delete_mode(&mut self, subject: &str) -> Result<Mode, RegistryError> {
        let mode = self.own_mode(subject)?;
        self.modes.remove(subject);
        Ok(mode)
    }

    /// # Errors
    /// 42205 when nothing may be changed under `subject`.
    fn check_writable(&self, subject: &str) -> Result<(), RegistryError> {
        if self.mode(Some(subject)) == Mode::ReadOnly {
            return Err(RegistryError::refused(42205, format!("Subject {subject} is in read-only mode")));
        }
        Ok(())
    }
}

fn no_subject(subject: &str) -> RegistryError {
    RegistryError::refused(40401, format!("Subject '{subject}' not found."))
}

fn no_version(version: i32) -> RegistryError {
    RegistryError::refused(40402, format!("Version {version} not found."))
}
