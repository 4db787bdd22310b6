//! The keys of `EventRouter`.

use lakeward_api::ConnectError;
use lakeward_api::config::{ConfigDef, ConfigKey, ConfigMap, ConfigType, Importance};

use super::super::parse_option;
use crate::java_regex::JavaRegex;
use crate::settings::{Settings, with_default};

const ADDITIONAL: &str = "table.fields.additional.placement";
const ADDITIONAL_MISSING: &str = "table.field.additional.missing";
const EXPAND: &str = "table.expand.json.payload";
const EXPAND_NULLS: &str = "table.json.payload.null.behavior";
const EVENT_ID: &str = "table.field.event.id";
const EVENT_KEY: &str = "table.field.event.key";
const EVENT_PAYLOAD: &str = "table.field.event.payload";
const EVENT_TIMESTAMP: &str = "table.field.event.timestamp";
const EVENT_VERSION: &str = "table.field.event.schema.version";
const INVALID: &str = "table.op.invalid.behavior";
const ROUTE: &str = "route.by.field";
const ROUTE_REGEX: &str = "route.topic.regex";
const ROUTE_REPLACEMENT: &str = "route.topic.replacement";
const ROUTE_TOMBSTONES: &str = "route.tombstone.on.empty.payload";

/// The settings.
pub(super) struct Rules {
    pub(super) id: String,
    pub(super) key: String,
    pub(super) payload: String,
    pub(super) timestamp: Option<String>,
    pub(super) version: Option<String>,
    pub(super) additional: Vec<Additional>,
    /// Whether additional fields may be missing.
    pub(super) may_miss: bool,
    pub(super) route: String,
    pub(super) regex: JavaRegex,
    pub(super) replacement: String,
    pub(super) tombstones: bool,
    /// Whether an update fails instead of being dropped.
    pub(super) is_fatal: bool,
    pub(super) expand: bool,
    pub(super) nulls_as_bytes: bool,
}

/// An item of `table.fields.additional.placement`.
pub(super) struct Additional {
    pub(super) field: String,
    pub(super) alias: String,
    pub(super) placement: Placement,
}

/// Where an additional field goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Placement {
    Envelope,
    Header,
    /// The partition that a source's record goes to; a sink's records keep theirs.
    Partition,
}

impl Rules {
    /// Reads the settings.
    ///
    /// # Errors
    /// `Config`.
    pub(super) fn new(given: &ConfigMap) -> Result<Self, ConnectError> {
        let settings = Settings::read(&config_def(), given)?;
        let option = |key: &str, options: &[(&str, bool)]| {
            let text = settings.text(key);
            parse_option(text, options).ok_or_else(|| {
                let names: Vec<&str> = options.iter().map(|(name, _)| *name).collect();
                refused(key, text, &format!("Value must be one of {}", names.join(", ")))
            })
        };
        let regex = settings.text(ROUTE_REGEX);
        let regex = JavaRegex::new(regex).map_err(|problem| {
            refused(ROUTE_REGEX, regex, &format!("A valid regular expressions is expected, but {problem}"))
        })?;
        let named = |key: &str| settings.get(key).map(str::to_owned);
        Ok(Self {
            id: settings.text(EVENT_ID).to_owned(),
            key: settings.text(EVENT_KEY).to_owned(),
            payload: settings.text(EVENT_PAYLOAD).to_owned(),
            timestamp: named(EVENT_TIMESTAMP),
            version: named(EVENT_VERSION),
            additional: additional(&settings)?,
            may_miss: option(ADDITIONAL_MISSING, &[("ignore", true), ("error", false)])?,
            route: settings.text(ROUTE).to_owned(),
            regex,
            replacement: settings.text(ROUTE_REPLACEMENT).to_owned(),
            tombstones: settings.flag(ROUTE_TOMBSTONES),
            is_fatal: option(INVALID, &[("warn", false), ("error", false), ("fatal", true)])?,
            expand: settings.flag(EXPAND),
            nulls_as_bytes: option(EXPAND_NULLS, &[("ignore", false), ("optional_bytes", true)])?,
        })
    }

    /// Whether values are STRUCTs of the payload and additional fields.
    pub(super) fn has_envelope(&self) -> bool {
        self.additional.iter().any(|item| item.placement == Placement::Envelope)
    }
}

fn additional(settings: &Settings) -> Result<Vec<Additional>, ConnectError> {
    if settings.get(ADDITIONAL).is_none() {
        return Ok(Vec::new());
    }
    let read = |item: &String| {
        let problem = "A comma-separated list of valid String pairs or trios is expected but got";
        placement(item).ok_or_else(|| refused(ADDITIONAL, item, &format!("{problem}: [{item}]")))
    };
    settings.list(ADDITIONAL).iter().map(read).collect()
}

fn placement(item: &str) -> Option<Additional> {
    let parts: Vec<&str> = item.split(':').map(str::trim).collect();
    let (field, placement, alias) = match parts[..] {
        [field, placement] => (field, placement, field),
        [field, placement, alias] => (field, placement, alias),
        _ => return None,
    };
    let options = [
        ("header", Placement::Header),
        ("envelope", Placement::Envelope),
        ("partition", Placement::Partition),
    ];
    let placement = parse_option(placement, &options)?;
    Some(Additional { field: field.to_owned(), alias: alias.to_owned(), placement })
}

fn refused(key: &str, value: &str, problem: &str) -> ConnectError {
    ConnectError::config(format!(
        "Invalid value {value} for configuration {key}: The '{key}' value is invalid: {problem}"
    ))
}

/// The keys.
pub(super) fn config_def() -> ConfigDef {
    let mut keys = table_keys();
    let low = Importance::Low;
    let high = Importance::High;
    let text = ConfigType::String;
    keys.extend(grouped(
        "Router",
        vec![
            with_default(ROUTE, text, Some("aggregatetype"), high, "The column that decides the topic."),
            with_default(
                ROUTE_REGEX,
                text,
                Some("(?<routedByValue>.*)"),
                low,
                "The pattern that the text of route.by.field is matched with.",
            ),
            with_default(
                ROUTE_REPLACEMENT,
                text,
                Some("outbox.event.${routedByValue}"),
                high,
                "What the match becomes: the topic.",
            ),
            with_default(
                ROUTE_TOMBSTONES,
                ConfigType::Boolean,
                Some("false"),
                high,
                "Whether an event with an empty payload becomes a tombstone.",
            ),
        ],
    ));
    let tracing = "Accepted for compatibility; traces are not written.";
    keys.extend(grouped(
        "Tracing",
        vec![
            with_default("tracing.span.context.field", text, Some("tracingspancontext"), high, tracing),
            with_default("tracing.operation.name", text, Some("debezium-read"), high, tracing),
            with_default(
                "tracing.with.context.field.only",
                ConfigType::Boolean,
                Some("false"),
                high,
                tracing,
            ),
        ],
    ));
    ConfigDef::new(keys)
}

fn table_keys() -> Vec<ConfigKey> {
    let medium = Importance::Medium;
    let text = ConfigType::String;
    let column = |name, default, doc| with_default(name, text, default, Importance::Low, doc);
    grouped(
        "Table",
        vec![
            column(EVENT_ID, Some("id"), "The column of the event's id."),
            column(EVENT_KEY, Some("aggregateid"), "The column that becomes the key."),
            column("table.field.event.type", Some("type"), "The column of the event's type."),
            column(EVENT_PAYLOAD, Some("payload"), "The column that becomes the value."),
            with_default(
                EVENT_TIMESTAMP,
                text,
                None,
                medium,
                "The column that becomes the timestamp. Without it: when the event was processed.",
            ),
            with_default(
                ADDITIONAL,
                ConfigType::List,
                None,
                Importance::High,
                "More columns to keep: column:header, column:envelope or column:partition, each with an \
                 optional :alias.",
            ),
            with_default(
                ADDITIONAL_MISSING,
                text,
                Some("error"),
                medium,
                "Whether a missing additional column is an error or is left out (ignore).",
            ),
            column(EVENT_VERSION, None, "The column that becomes the version of the value's schema."),
            with_default(
                INVALID,
                text,
                Some("warn"),
                medium,
                "What happens to an update: dropped (warn, error) or failed (fatal).",
            ),
            with_default(
                EXPAND,
                ConfigType::Boolean,
                Some("false"),
                medium,
                "Whether a payload that is the text of a JSON object becomes a STRUCT.",
            ),
            with_default(
                EXPAND_NULLS,
                text,
                Some("ignore"),
                medium,
                "Whether null members of such objects are left out (ignore) or kept as optional_bytes.",
            ),
        ],
    )
}

fn grouped(group: &str, mut keys: Vec<ConfigKey>) -> Vec<ConfigKey> {
    for (key, order) in keys.iter_mut().zip(1..) {
        key.group = Some(group.to_owned());
        key.order = order;
    }
    keys
}
