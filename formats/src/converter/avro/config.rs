//! Settings of `AvroConverter`.
//!
//! Source: `AvroDataConfig` and `AvroConverterConfig` of Confluent Schema Registry 8.

use lakeward_api::ConnectError;
use lakeward_api::config::{ConfigDef, ConfigKey, Importance};
use lakeward_api::converter::Converter;
use lakeward_api::plugin::{ConverterContext, ConverterPlugin};

use super::super::registry_framing::{
    GENERALIZED_SUMS, IGNORE_DEFAULTS, OwnSettings, VERSION, config_def, connected, flag,
};
use super::convert::Avro;
use super::mapping::Mapping;

/// `io.confluent.connect.avro.AvroConverter`.
#[derive(Clone, Copy, Debug)]
pub struct AvroConverterPlugin;

impl ConverterPlugin for AvroConverterPlugin {
    fn class(&self) -> &'static str {
        "io.confluent.connect.avro.AvroConverter"
    }

    fn version(&self) -> &str {
        VERSION
    }

    fn config_def(&self) -> ConfigDef {
        config_def::<Avro>()
    }

    fn new_converter(&self, context: &ConverterContext<'_>) -> Result<Box<dyn Converter>, ConnectError> {
        connected::<Avro>(context)
    }
}

/// The keys that change how schemas are mapped.
pub(super) fn keys() -> Vec<ConfigKey> {
    use Importance::{Low, Medium};
    vec![
        flag(ENHANCED, false, Medium, "Whether enums stay enums and names keep their namespace"),
        flag(SCRUB, false, Medium, "Whether characters that Avro does not allow in names are replaced"),
        flag(META_DATA, true, Low, "Whether Avro schemas are annotated with what Connect knows"),
        flag(DISCARD_DOCS, false, Low, "Whether only the docs and defaults of Avro fields are kept"),
        flag(MAP_KEYS, false, Low, "Whether maps with optional texts as keys are written as Avro maps"),
        flag(FLATTEN_SINGLETONS, true, Low, "Whether a union of one type is that type"),
    ]
}

/// How schemas are mapped.
pub(super) fn mapping(settings: &OwnSettings) -> Mapping {
    Mapping {
        generalized_sums: settings.flag(GENERALIZED_SUMS),
        ignore_defaults: settings.flag(IGNORE_DEFAULTS),
        enhanced: settings.flag(ENHANCED),
        scrub: settings.flag(SCRUB),
        meta_data: settings.flag(META_DATA),
        discard_docs: settings.flag(DISCARD_DOCS),
        optional_map_keys: settings.flag(MAP_KEYS),
        flatten_singletons: settings.flag(FLATTEN_SINGLETONS),
    }
}

const DISCARD_DOCS: &str = "discard.type.doc.default";
const ENHANCED: &str = "enhanced.avro.schema.support";
const FLATTEN_SINGLETONS: &str = "flatten.singleton.unions";
const MAP_KEYS: &str = "allow.optional.map.keys";
const META_DATA: &str = "connect.meta.data";
const SCRUB: &str = "scrub.invalid.names";
