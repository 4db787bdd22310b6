//! Deletion in two steps: hidden first, gone afterwards.

use super::{Store, VersionId};
use crate::RegistryError;

impl Store {
    /// Deletes one version and answers its number: hides it, or with `permanent` removes a hidden one.
    ///
    /// # Errors
    /// 40401, 40402 when it is not there, 40406 when it is hidden already, 40407 when it must be hidden
    /// first, 42206 when another schema refers to it, 42205 when the mode forbids it.
    pub fn delete_version(
        &mut self,
        subject: &str,
        version: VersionId,
        permanent: bool,
    ) -> Result<i32, RegistryError> {
        self.check_writable(subject)?;
        let (number, found) = self.find(subject, version, true)?;
        if permanent != found.deleted {
            let (code, state) = if permanent {
                (40407, "was not deleted first before being permanently deleted")
            } else {
                (40406, "was soft deleted.Set permanent=true to delete permanently")
            };
            return Err(RegistryError::refused(
                code,
                format!("Subject '{subject}' Version {number} {state}"),
            ));
        }
        self.check_unreferenced(subject, number)?;
        self.remove(subject, number, permanent);
        Ok(number)
    }

    /// Deletes every version of `subject` and answers their numbers: hides the visible ones, or with
    /// `permanent` removes all, which must be hidden.
    ///
    /// # Errors
    /// 40401 when it is not there, 40404 when it is hidden already, 40405 when it must be hidden first, 42206
    /// when another schema refers to one of its versions, 42205 when the mode forbids it.
    pub fn delete_subject(&mut self, subject: &str, permanent: bool) -> Result<Vec<i32>, RegistryError> {
        self.check_writable(subject)?;
        let all = self.versions(subject, true)?;
        let visible = self.versions(subject, false).unwrap_or_default();
        if permanent && !visible.is_empty() {
            let message =
                format!("Subject '{subject}' was not deleted first before being permanently deleted");
            return Err(RegistryError::refused(40405, message));
        }
        if !permanent && visible.is_empty() {
            let message =
                format!("Subject '{subject}' was soft deleted.Set permanent=true to delete permanently");
            return Err(RegistryError::refused(40404, message));
        }
        let numbers = if permanent { all } else { visible };
        for number in &numbers {
            self.check_unreferenced(subject, *number)?;
        }
        for number in &numbers {
            self.remove(subject, *number, permanent);
        }
        self.levels.remove(subject);
        self.modes.remove(subject);
        Ok(numbers)
    }

    fn check_unreferenced(&self, subject: &str, number: i32) -> Result<(), RegistryError> {
        if self.referenced_by(subject, VersionId::Number(number))?.is_empty() {
            return Ok(());
        }
        let message =
            format!("One or more references exist to the schema {{subject={subject},version={number}}}.");
        Err(RegistryError::refused(42206, message))
    }

    /// Hides or removes a version that exists. An id that no version uses any more is forgotten.
    fn remove(&mut self, subject: &str, number: i32, permanent: bool) {
        let Some(versions) = self.subjects.get_mut(subject) else { return };
        if !permanent {
            if let Some(version) = versions.get_mut(&number) {
                version.deleted = true;
            }
            return;
        }
        let Some(version) = versions.remove(&number) else { return };
        if versions.is_empty() {
            self.subjects.remove(subject);
        }
        let used =
            self.subjects.values().flat_map(|versions| versions.values()).any(|one| one.id == version.id);
        if !used && let Some(schema) = self.schemas.remove(&version.id) {
            self.ids.remove(&*schema);
        }
    }
}
