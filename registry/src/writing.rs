//! How a converter chooses the schema it writes with, and the checks of that choice; and the version that it
//! reads payloads as.
//!
//! Source: `AbstractKafkaSchemaSerDeConfig` and its serializers' rules, Confluent 8.

use crate::compatibility::readable;
use crate::{RegisteredSchema, RegistryError, SchemaText};

/// How [`crate::Registry::for_writing`] answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Writing {
    /// Where the schema comes from.
    pub choice: Choice,
    /// `normalize.schemas`.
    pub normalize: bool,
}

/// Where the schema to write with comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    /// Register the data's schema; the default.
    #[default]
    Register,
    /// Look the data's schema up; it must be registered.
    LookUp,
    /// The subject's latest version; `strict` checks that it reads what the data's schema writes.
    Latest {
        /// `latest.compatibility.strict`.
        strict: bool,
    },
    /// The subject's latest version with these metadata properties, which is not checked against the data's
    /// schema.
    LatestWithMetadata {
        /// Properties that must all be there.
        properties: Vec<(String, String)>,
    },
    /// The schema of that id.
    Id {
        /// `use.schema.id`.
        id: i32,
        /// `id.compatibility.strict`.
        strict: bool,
    },
}

/// The version that payloads are read as, whichever they were written with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Reading {
    /// The one they were written with; the default.
    #[default]
    AsWritten,
    /// The subject's latest.
    Latest,
    /// The subject's latest with these metadata properties.
    LatestWithMetadata {
        /// Properties that must all be there.
        properties: Vec<(String, String)>,
    },
}

impl Writing {
    /// Checks that data of `schema` can be written with what was chosen.
    ///
    /// # Errors
    /// [`RegistryError::Incompatible`], naming the setting that turns the check off.
    pub(crate) fn check(&self, chosen: &RegisteredSchema, schema: &SchemaText) -> Result<(), RegistryError> {
        let key = match self.choice {
            Choice::Id { strict: true, .. } => "id.compatibility.strict",
            Choice::Latest { strict: true } => "latest.compatibility.strict",
            _ => return Ok(()),
        };
        let found = readable((&chosen.schema, &chosen.dependencies), (schema, &chosen.dependencies));
        // Without shared names the data's schema may define what the chosen one refers to.
        if found.is_empty() || readable((&chosen.schema, &chosen.dependencies), (schema, &[])).is_empty() {
            return Ok(());
        }
        let message = format!(
            "Incompatible schema {} with refs {} of type {} for schema {}. Set {key}=false to disable \
             this check",
            chosen.schema.text,
            references(&chosen.schema),
            chosen.schema.kind.as_str(),
            schema.text
        );
        Err(RegistryError::Incompatible { message })
    }
}

/// A schema's references as Java prints them.
fn references(schema: &SchemaText) -> String {
    let one = |reference: &crate::Reference| {
        format!(
            "{{name='{}', subject='{}', version={}}}",
            reference.name, reference.subject, reference.version
        )
    };
    format!("[{}]", schema.references.iter().map(one).collect::<Vec<_>>().join(", "))
}
