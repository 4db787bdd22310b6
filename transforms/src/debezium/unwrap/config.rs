//! The keys of `ExtractNewRecordState`.

use lakeward_api::config::{ConfigDef, ConfigKey, ConfigType, Importance, Validator};

use crate::settings::{self, with_default};

pub(super) const DELETES: &str = "delete.tombstone.handling.mode";
pub(super) const DROP_COMPATIBLY: &str = "drop.fields.keep.schema.compatible";
pub(super) const DROP_FROM_KEY: &str = "drop.fields.from.key";
pub(super) const DROP_HEADER: &str = "drop.fields.header.name";
pub(super) const FIELDS: &str = "add.fields";
pub(super) const FIELDS_PREFIX: &str = "add.fields.prefix";
pub(super) const HEADERS: &str = "add.headers";
pub(super) const HEADERS_PREFIX: &str = "add.headers.prefix";
pub(super) const ROUTE: &str = "route.by.field";

/// What becomes of delete events and of tombstones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deletes {
    /// Deletes become tombstones without schema, tombstones go.
    DeleteToTombstone,
    /// Both go.
    Drop,
    /// Deletes become their old row with `__deleted`, tombstones go.
    Rewrite,
    /// Deletes become their old row with `__deleted`, tombstones stay.
    RewriteWithTombstone,
    /// Deletes become null under the row's schema, tombstones go.
    Tombstone,
}

/// Every option under its name.
pub(super) const DELETES_OPTIONS: [(&str, Deletes); 5] = [
    ("drop", Deletes::Drop),
    ("tombstone", Deletes::Tombstone),
    ("rewrite-with-tombstone", Deletes::RewriteWithTombstone),
    ("rewrite", Deletes::Rewrite),
    ("delete-to-tombstone", Deletes::DeleteToTombstone),
];

impl Deletes {
    /// Whether rows get `__deleted`.
    pub(super) fn is_rewrite(self) -> bool {
        matches!(self, Self::Rewrite | Self::RewriteWithTombstone)
    }
}

/// The keys that users see.
pub(super) fn config_def() -> ConfigDef {
    let mut keys = vec![deletes_key()];
    keys.push(with_default(
        ROUTE,
        ConfigType::String,
        Some(""),
        Importance::Low,
        "The field of the row whose text becomes the topic. Empty: topics stay.",
    ));
    keys.extend(add_keys(
        [FIELDS_PREFIX, FIELDS],
        "Put before the name of every field that is added.",
        "Parts of the event to add to the row, as \"op\", \"source.ts_ms\" or \"source.ts_ms:newname\".",
    ));
    keys.extend(add_keys(
        [HEADERS_PREFIX, HEADERS],
        "Put before the name of every header that is added.",
        "Parts of the event to add as headers, as \"op\", \"source.ts_ms\" or \"source.ts_ms:newname\".",
    ));
    keys.push(with_default(
        DROP_HEADER,
        ConfigType::String,
        None,
        Importance::Low,
        "The header that holds the list of fields to leave out of the row.",
    ));
    keys.push(with_default(
        DROP_FROM_KEY,
        ConfigType::Boolean,
        Some("false"),
        Importance::Low,
        "Whether these fields are left out of the key, too.",
    ));
    keys.push(with_default(
        DROP_COMPATIBLY,
        ConfigType::Boolean,
        Some("true"),
        Importance::Low,
        "Whether only optional fields are left out, so that old and new schemas stay compatible.",
    ));
    ConfigDef::new(keys)
}

/// [`config_def`] and the key that Debezium reads without declaring it.
pub(super) fn all_keys() -> ConfigDef {
    let mut def = config_def();
    def.define(settings::replace_null_key());
    def
}

fn deletes_key() -> ConfigKey {
    ConfigKey {
        validator: Validator::Custom(|_, text| match super::super::parse_option(text, &DELETES_OPTIONS) {
            Some(_) => Ok(()),
            None => Err(format!("Value must be one of {}", DELETES_OPTIONS.map(|(name, _)| name).join(", "))),
        }),
        ..with_default(
            DELETES,
            ConfigType::String,
            Some("tombstone"),
            Importance::Medium,
            "What becomes of delete events and tombstones. drop: both go. tombstone: deletes become null, \
             tombstones go. rewrite: deletes become the old row with __deleted, tombstones go. \
             rewrite-with-tombstone: as rewrite, tombstones stay. delete-to-tombstone: deletes become \
             tombstones without schema, tombstones go.",
        )
    }
}

fn add_keys([prefix, list]: [&str; 2], prefix_doc: &str, list_doc: &str) -> [ConfigKey; 2] {
    [
        with_default(prefix, ConfigType::String, Some("__"), Importance::Low, prefix_doc),
        with_default(list, ConfigType::List, Some(""), Importance::Low, list_doc),
    ]
}
