//! Settings of `ProtobufConverter`.
//!
//! Source: `ProtobufDataConfig` and `ProtobufConverterConfig` of Confluent Schema Registry 8.

use lakeward_api::ConnectError;
use lakeward_api::config::{ConfigDef, ConfigKey, Importance};
use lakeward_api::converter::Converter;
use lakeward_api::plugin::{ConverterContext, ConverterPlugin};

use super::super::registry_framing::{
    GENERALIZED_SUMS, IGNORE_DEFAULTS, OwnSettings, VERSION, config_def, connected, flag,
};
use super::convert::Protobuf;
use super::mapping::Mapping;

/// `io.confluent.connect.protobuf.ProtobufConverter`.
#[derive(Clone, Copy, Debug)]
pub struct ProtobufConverterPlugin;

impl ConverterPlugin for ProtobufConverterPlugin {
    fn class(&self) -> &'static str {
        "io.confluent.connect.protobuf.ProtobufConverter"
    }

    fn version(&self) -> &str {
        VERSION
    }

    fn config_def(&self) -> ConfigDef {
        config_def::<Protobuf>()
    }

    fn new_converter(&self, context: &ConverterContext<'_>) -> Result<Box<dyn Converter>, ConnectError> {
        connected::<Protobuf>(context)
    }
}

/// The keys that change how schemas are mapped.
pub(super) fn keys() -> Vec<ConfigKey> {
    use Importance::{Low, Medium};
    vec![
        flag(ENHANCED, false, Medium, "Whether names keep their package"),
        flag(SCRUB, false, Medium, "Whether characters that Protobuf does not allow in names are replaced"),
        flag(INT_ENUMS, false, Medium, "Whether enums are integers"),
        flag(OPTIONALS, false, Medium, "Whether fields that may be null have the label optional"),
        flag(PROTO2_OPTIONALS, true, Medium, "Whether optional fields of proto2 may be null"),
        flag(WRAPPERS, false, Medium, "Whether scalars that may be null are wrapper messages"),
        flag(
            RAW_WRAPPERS,
            true,
            Medium,
            "Whether a wrapper message that is the whole value is a plain scalar",
        ),
        flag(NULL_STRUCTS, false, Medium, "Whether an absent message is one without fields"),
        flag(UNION_INDEX, true, Low, "Whether the names of oneofs end with their index"),
        flag(FLATTEN_UNIONS, false, Low, "Whether members of oneofs are fields of the message"),
    ]
}

/// How schemas are mapped.
pub(super) fn mapping(settings: &OwnSettings) -> Mapping {
    Mapping {
        generalized_sums: settings.flag(GENERALIZED_SUMS),
        ignore_defaults: settings.flag(IGNORE_DEFAULTS),
        enhanced: settings.flag(ENHANCED),
        scrub: settings.flag(SCRUB),
        int_enums: settings.flag(INT_ENUMS),
        optionals: settings.flag(OPTIONALS),
        proto2_optionals: settings.flag(PROTO2_OPTIONALS),
        wrappers: settings.flag(WRAPPERS),
        raw_wrappers: settings.flag(RAW_WRAPPERS),
        null_structs: settings.flag(NULL_STRUCTS),
        union_index: settings.flag(UNION_INDEX),
        flatten_unions: settings.flag(FLATTEN_UNIONS),
    }
}

const ENHANCED: &str = "enhanced.protobuf.schema.support";
const FLATTEN_UNIONS: &str = "flatten.unions";
const INT_ENUMS: &str = "int.for.enums";
const NULL_STRUCTS: &str = "generate.struct.for.nulls";
const OPTIONALS: &str = "optional.for.nullables";
const PROTO2_OPTIONALS: &str = "optional.for.proto2";
const RAW_WRAPPERS: &str = "wrapper.for.raw.primitives";
const SCRUB: &str = "scrub.invalid.names";
const UNION_INDEX: &str = "generate.index.for.unions";
const WRAPPERS: &str = "wrapper.for.nullables";
