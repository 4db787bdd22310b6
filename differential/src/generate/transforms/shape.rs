//! Transforms of the whole shape of a record.

use super::super::text;
use super::{on_part, on_record, usual};
use crate::case::Case;
use crate::random::Random;

/// `Filter`.
pub(crate) fn filter(random: &mut Random) -> Case {
    on_record(random, "Filter", |_, _| {})
}

/// `Flatten`.
pub(crate) fn flatten(random: &mut Random) -> Case {
    on_part(random, "Flatten", |random, _, settings| {
        if random.once_in(2) {
            settings.set("delimiter", random.pick(&[".", "_", "", "::", " "]));
        }
    })
}

/// `HoistField`.
pub(crate) fn hoist_field(random: &mut Random) -> Case {
    on_part(random, "HoistField", |random, _, settings| {
        let name = text::name(random);
        settings.set("field", name);
    })
}

/// `SetSchemaMetadata`.
pub(crate) fn set_schema_metadata(random: &mut Random) -> Case {
    on_part(random, "SetSchemaMetadata", |random, _, settings| {
        if !random.once_in(4) {
            let names = ["org.example.Other", "", " ", "n", "org.apache.kafka.connect.data.Date"];
            settings.set("schema.name", random.pick(&names));
        }
        if settings.0.is_empty() != random.once_in(3) {
            settings.set("schema.version", usual(random, &["1", "0", "-7", " 5 "], &["2147483648", "x", ""]));
        }
        settings.null_rule(random);
    })
}
