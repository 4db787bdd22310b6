//! `ByLogicalTableRouter`: change events of several tables go to one topic, told apart by a field in the key.
//!
//! The topic of a batch is one, so its new name is computed once per batch; schemas are renamed, columns
//! stay. Envelopes without `before`, which Debezium 3.6 fails on, are taken as Debezium 3.7 takes them.
//!
//! Source: `io.debezium.transforms.ByLogicalTableRouter`, Debezium 3.6.0.Final.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, StringArray};
use lakeward_api::ConnectError;
use lakeward_api::batch::{SinkBatch, Values};
use lakeward_api::config::{ConfigDef, ConfigKey, ConfigMap, ConfigType, Importance};
use lakeward_api::schema::{Kind, Schema};
use lakeward_api::transform::{Transform, Transformed};
use lakeward_api::value::Value;

use super::adjust::{Adjustment, MODES};
use super::{VERSION, open_envelope};
use crate::columns::{self, copy_of, fail_all, not_a_struct};
use crate::java_regex::JavaRegex;
use crate::plugin::TransformClass;
use crate::settings::with_default;
use crate::{merge, routing, side};

const PURPOSE: &str = "Updating schema";
const KEY_FIELD: &str = "key.field.name";
const KEY_REGEX: &str = "key.field.regex";
const KEY_REPLACEMENT: &str = "key.field.replacement";
const KEY_UNIQUE: &str = "key.enforce.uniqueness";
const KEPT: &str = "logical.table.cache.size";
const MODE: &str = "schema.name.adjustment.mode";
const TOPIC_REGEX: &str = "topic.regex";
const TOPIC_REPLACEMENT: &str = "topic.replacement";

/// The class of this file.
pub(super) fn class() -> TransformClass {
    TransformClass {
        class: "io.debezium.transforms.ByLogicalTableRouter",
        version: VERSION,
        config_def,
        new: |given| Ok(Box::new(ByLogicalTableRouter::new(given)?)),
    }
}

fn config_def() -> ConfigDef {
    let text = |name, doc| with_default(name, ConfigType::String, None, Importance::Low, doc);
    ConfigDef::new(vec![
        text(TOPIC_REGEX, "The pattern of the topics whose records are routed."),
        text(TOPIC_REPLACEMENT, "What the match of topic.regex becomes: the new topic."),
        with_default(
            KEY_UNIQUE,
            ConfigType::Boolean,
            Some("true"),
            Importance::Low,
            "Whether keys get a field that names the table, so that equal keys of two tables stay apart.",
        ),
        text(KEY_REGEX, "The pattern that the old topic's name is matched with for that field."),
        text(KEY_REPLACEMENT, "What the match of key.field.regex becomes: the field's text."),
        with_default(
            KEPT,
            ConfigType::Int,
            Some("16"),
            Importance::Low,
            "How many schemas of keys, and of values, are kept.",
        ),
    ])
}

/// [`config_def`] and the keys that Debezium reads without declaring them.
fn all_keys() -> ConfigDef {
    let hidden = |name, default| -> ConfigKey {
        with_default(name, ConfigType::String, Some(default), Importance::Low, "")
    };
    let mut def = config_def();
    def.define(hidden(KEY_FIELD, "__dbz__physicalTableIdentifier"));
    def.define(hidden(MODE, "none"));
    def
}

struct ByLogicalTableRouter {
    rules: Rules,
    /// The latest topic and where its records go.
    last: Option<(Arc<str>, Routed)>,
    keys: Renamed,
    values: Renamed,
}

struct Rules {
    topic: (JavaRegex, String),
    key: Option<(JavaRegex, String)>,
    is_unique: bool,
    key_field: Arc<str>,
    mode: Adjustment,
    /// Schemas kept of each kind.
    kept: usize,
}

/// `None`: the record stays where it is.
type Routed = Result<Option<Arc<Target>>, ConnectError>;

struct Target {
    topic: Arc<str>,
    /// What the key's field says. The error is that of every record with a key.
    table: Result<Arc<str>, ConnectError>,
}

/// Old schemas and what they became, the one used last at the end. As in Debezium, the topic that comes with
/// a schema first names it.
struct Renamed {
    known: Vec<(Arc<Schema>, Arc<Schema>)>,
    size: usize,
}

impl ByLogicalTableRouter {
    fn new(given: &ConfigMap) -> Result<Self, ConnectError> {
        let rules = Rules::new(given).map_err(super::invalid)?;
        let size = rules.kept;
        Ok(Self { rules, last: None, keys: Renamed::new(size), values: Renamed::new(size) })
    }

    fn target(&mut self, topic: &Arc<str>) -> Routed {
        if self.last.as_ref().is_none_or(|(last, _)| last != topic) {
            self.last = Some((Arc::clone(topic), self.rules.target(topic)));
        }
        match &self.last {
            Some((_, Ok(target))) => Ok(target.clone()),
            Some((_, Err(err))) => Err(copy_of(err)),
            None => Ok(None),
        }
    }

    /// Rows whose keys are all null or all there.
    fn route(&mut self, mut batch: SinkBatch, target: &Target) -> Result<Transformed, ConnectError> {
        if let Err(err) = self.key(&mut batch, target) {
            return Ok(fail_all(&batch, &err));
        }
        batch.topic = Arc::clone(&target.topic);
        let Some(schema) = open_envelope(&mut batch.values)? else { return Ok(Transformed::one(batch)) };
        let Values::Typed { array, .. } = &batch.values else { return Ok(Transformed::one(batch)) };
        if array.null_count() > 0 {
            let (there, null) = columns::by_nulls(array);
            let tombstones = merge::move_rows(&mut batch, &null)?;
            let mut parts = vec![Transformed::one(tombstones)];
            if !there.is_empty() {
                let there = merge::move_rows(&mut batch, &there)?;
                parts.push(self.envelopes(there, target, &schema)?);
            }
            return routing::combine(parts);
        }
        self.envelopes(batch, target, &schema)
    }

    fn envelopes(
        &mut self,
        mut batch: SinkBatch,
        target: &Target,
        schema: &Arc<Schema>,
    ) -> Result<Transformed, ConnectError> {
        let rules = &self.rules;
        let new = match self.values.get(schema, || rules.envelope(schema, &target.topic)) {
            Ok(new) => new,
            Err(err) => return Ok(fail_all(&batch, &err)),
        };
        let Values::Typed { array, .. } = &batch.values else { return Ok(Transformed::one(batch)) };
        let filled: Result<Vec<ArrayRef>, ConnectError> = (schema.fields().iter())
            .zip(array.as_struct().columns())
            .map(|(field, column)| columns::with_default(&field.schema, column))
            .collect();
        let array = columns::struct_column(&new, filled?, batch.rows())?;
        batch.values = Values::Typed { schema: new, array };
        Ok(Transformed::one(batch))
    }

    fn key(&mut self, batch: &mut SinkBatch, target: &Target) -> Result<(), ConnectError> {
        let (schema, array) = match batch.keys.unshape() {
            Values::Shaped(_) => unreachable!("just taken apart"),
            Values::Null { .. } => return Ok(()),
            Values::Typed { array, .. } if array.null_count() == array.len() => {
                batch.keys = Values::Null { rows: array.len() };
                return Ok(());
            }
            Values::Typed { schema, array } => (Arc::clone(schema), Arc::clone(array)),
            Values::Dynamic(keys) => {
                if let Some(key) = keys.iter().find(|key| !key.is_null()) {
                    return Err(not_a_struct(key.java_class(), PURPOSE));
                }
                batch.keys = Values::Null { rows: keys.len() };
                return Ok(());
            }
        };
        let old = side::require_struct(&schema, &array, PURPOSE)?;
        let rules = &self.rules;
        let new = self.keys.get(&schema, || rules.key(&schema, &target.topic))?;
        let mut all = old.columns().to_vec();
        if rules.is_unique {
            let table = target.table.as_ref().map_err(copy_of)?;
            let table = std::iter::repeat_n(&**table, array.len());
            all.push(Arc::new(StringArray::from_iter_values(table)));
        }
        let array = columns::struct_column(&new, all, array.len())?;
        batch.keys = Values::Typed { schema: new, array };
        Ok(())
    }
}

impl Transform for ByLogicalTableRouter {
    fn apply(&mut self, mut batch: SinkBatch) -> Result<Transformed, ConnectError> {
        let target = match self.target(&batch.topic) {
            Ok(Some(target)) => target,
            Ok(None) => return Ok(Transformed::one(batch)),
            Err(err) => return Ok(fail_all(&batch, &err)),
        };
        let (there, null): (Vec<u32>, Vec<u32>) = match &batch.keys {
            Values::Null { .. } => (Vec::new(), Vec::new()),
            Values::Typed { array, .. } if array.null_count() == 0 => (Vec::new(), Vec::new()),
            Values::Typed { array, .. } => columns::by_nulls(array),
            Values::Shaped(array) => columns::by_nulls(array),
            Values::Dynamic(keys) => (0u32..).take(keys.len()).partition(|row| {
                let key: &Value = &keys[*row as usize];
                !key.is_null()
            }),
        };
        if there.is_empty() || null.is_empty() {
            return self.route(batch, &target);
        }
        let null = merge::move_rows(&mut batch, &null)?;
        let there = merge::move_rows(&mut batch, &there)?;
        let parts = vec![self.route(there, &target)?, self.route(null, &target)?];
        routing::combine(parts)
    }
}

impl Rules {
    fn new(given: &ConfigMap) -> Result<Self, ConnectError> {
        let settings = crate::settings::Settings::read(&all_keys(), given)?;
        let required = |key: &str| {
            settings.get(key).filter(|text| !text.is_empty()).ok_or_else(|| {
                ConnectError::config(format!("The '{key}' value is invalid: A value is required"))
            })
        };
        let regex = |key: &str, text: &str| {
            JavaRegex::new(text).map_err(|problem| {
                ConnectError::config(format!(
                    "The '{key}' value '{text}' is invalid: A valid regular expressions is expected, but \
                     {problem}"
                ))
            })
        };
        let topic = (regex(TOPIC_REGEX, required(TOPIC_REGEX)?)?, required(TOPIC_REPLACEMENT)?.to_owned());
        let key = match settings.text(KEY_REGEX) {
            "" => None,
            text => match settings.text(KEY_REPLACEMENT) {
                "" => {
                    return Err(ConnectError::config(format!(
                        "The '{KEY_REPLACEMENT}' value is invalid: {KEY_REPLACEMENT} must be non-empty if \
                         {KEY_REGEX} is set."
                    )));
                }
                replacement => Some((regex(KEY_REGEX, text)?, replacement.to_owned())),
            },
        };
        let mode = settings.text(MODE);
        let mode = super::parse_option(mode, &MODES).ok_or_else(|| {
            ConnectError::config(format!(
                "The '{MODE}' value '{mode}' is invalid: Value must be one of none, avro_unicode, avro"
            ))
        })?;
        Ok(Self {
            topic,
            key,
            is_unique: settings.flag(KEY_UNIQUE),
            key_field: settings.text(KEY_FIELD).into(),
            mode,
            kept: settings.text(KEPT).parse().unwrap_or(0),
        })
    }

    /// Where records of `topic` go; `None` when they stay.
    fn target(&self, topic: &Arc<str>) -> Routed {
        let (regex, replacement) = &self.topic;
        if !regex.matches(topic)? {
            return Ok(None);
        }
        let new = regex.replace_first(topic, replacement)?;
        if new.is_empty() {
            return Ok(None);
        }
        Ok(Some(Arc::new(Target { topic: new.into(), table: self.table(topic) })))
    }

    fn table(&self, topic: &Arc<str>) -> Result<Arc<str>, ConnectError> {
        Ok(match &self.key {
            Some((regex, replacement)) if self.is_unique && regex.matches(topic)? => {
                regex.replace_first(topic, replacement)?.into()
            }
            _ => Arc::clone(topic),
        })
    }

    fn key(&self, old: &Schema, topic: &str) -> Result<Schema, ConnectError> {
        let mut fields = old.fields().to_vec();
        if self.is_unique {
            columns::add_field(&mut fields, &self.key_field, Arc::new(Schema::new(Kind::String)))?;
        }
        Ok(self.renamed(old, Kind::Struct(fields), topic, "Key"))
    }

    /// `before` and `after` get one schema, that of `before`.
    fn envelope(&self, old: &Schema, topic: &str) -> Result<Schema, ConnectError> {
        let image = old.field("before").or_else(|| old.field("after"));
        let Some((_, image)) = image else {
            return Ok(self.renamed(old, old.kind.clone(), topic, "Envelope"));
        };
        let Kind::Struct(_) = image.schema.kind else {
            return Err(ConnectError::data("Cannot list fields on non-struct type"));
        };
        let value = Arc::new(self.renamed(&image.schema, image.schema.kind.clone(), topic, "Value"));
        let mut fields = old.fields().to_vec();
        for field in fields.iter_mut().filter(|field| matches!(&*field.name, "before" | "after")) {
            if field.schema.arrow_type() != value.arrow_type() {
                return Err(ConnectError::data("before and after are of different fields"));
            }
            field.schema = Arc::clone(&value);
        }
        Ok(self.renamed(old, Kind::Struct(fields), topic, "Envelope"))
    }

    /// `old` with other fields and the name that belongs to `topic`.
    fn renamed(&self, old: &Schema, kind: Kind, topic: &str, what: &str) -> Schema {
        Schema {
            kind,
            optional: old.optional,
            default: None,
            name: Some(self.mode.adjust(&format!("{topic}.{what}")).into()),
            version: old.version,
            doc: old.doc.clone(),
            parameters: old.parameters.clone(),
        }
    }
}

impl Renamed {
    fn new(size: usize) -> Self {
        Self { known: Vec::new(), size }
    }

    fn get(
        &mut self,
        old: &Arc<Schema>,
        make: impl FnOnce() -> Result<Schema, ConnectError>,
    ) -> Result<Arc<Schema>, ConnectError> {
        let known = self.known.iter().position(|(known, _)| Arc::ptr_eq(known, old) || known == old);
        let pair = match known {
            Some(at) => self.known.remove(at),
            None => (Arc::clone(old), Arc::new(make()?)),
        };
        let new = Arc::clone(&pair.1);
        self.known.push(pair);
        if self.known.len() > self.size {
            self.known.remove(0);
        }
        Ok(new)
    }
}
