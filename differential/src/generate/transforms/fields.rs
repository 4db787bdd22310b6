//! Transforms that name fields.

use super::super::records::{Shape, field, field_where};
use super::super::text;
use super::{Settings, list, on_part, usual};
use crate::case::Case;
use crate::model::{Kind, Schema};
use crate::random::Random;

const CASTS: [&str; 10] =
    ["int8", "int16", "int32", "int64", "float32", "float64", "boolean", "string", "INT32", "String"];
const WRONG_CASTS: [&str; 4] = ["bytes", "decimal", "array", ""];

fn is_plain(schema: &Schema) -> bool {
    !matches!(schema.kind, Kind::Array(_) | Kind::Map(..) | Kind::Recursive(_) | Kind::Struct(_))
}

/// `Cast`: values and whole records.
pub(crate) fn cast(random: &mut Random) -> Case {
    on_part(random, "Cast", |random, shape, settings| {
        let plain = shape.schema.as_ref().is_none_or(|schema| is_plain(schema));
        let spec = if random.once_in(if plain { 2 } else { 10 }) {
            usual(random, &CASTS, &WRONG_CASTS).to_owned()
        } else {
            let entry = |random: &mut Random| {
                let name = field_where(random, shape, is_plain);
                let name_of_type = usual(random, &CASTS, &WRONG_CASTS);
                format!("{name}:{name_of_type}")
            };
            let entries: Vec<String> = (0..1 + random.below(3)).map(|_| entry(random)).collect();
            list(random, &entries)
        };
        let odd =
            ["", "a:", ":int8", "a:int8:b", "a:int8,int32", "int8,int16", "a:int8,a:int16", "nope", "a:nope"];
        settings.set("spec", if random.once_in(40) { random.pick(&odd).to_owned() } else { spec });
        settings.null_rule(random);
    })
}

/// `ExtractField`, with both syntaxes of paths.
pub(crate) fn extract_field(random: &mut Random) -> Case {
    on_part(random, "ExtractField", |random, shape, settings| {
        let mut path = field(random, shape);
        if random.once_in(8) {
            path = format!("`{path}`");
        }
        if random.once_in(8) {
            path = format!("{path}.{}", text::name(random));
        }
        if random.once_in(20) {
            let odd =
                ["", ".", "a.", "`a", "`a`b`.c", "`a\\`.b`.c", "a`.`b", "`a`.`b`", "``", "a..b", "`a.b`"];
            path = random.pick(&odd).to_owned();
        }
        settings.set("field", path);
        if random.once_in(2) {
            settings.set("field.syntax.version", usual(random, &["V1", "V2", "v2", "V2"], &["V3", "", "2"]));
        }
        settings.null_rule(random);
    })
}

/// `InsertField`.
pub(crate) fn insert_field(random: &mut Random) -> Case {
    on_part(random, "InsertField", |random, shape, settings| {
        let options = ["topic.field", "partition.field", "offset.field", "timestamp.field", "static.field"];
        for option in options {
            if random.once_in(3) {
                let name = if random.once_in(12) { field(random, shape) } else { format!("new_{option}") };
                settings.set(option, format!("{name}{}", random.pick(&["", "", "!", "?", "!?"])));
            }
        }
        let is_static = settings.0.last().is_some_and(|(name, _)| name == "static.field");
        if is_static != random.once_in(40) {
            settings.set("static.value", text::text(random));
        }
        if settings.0.is_empty() && !random.once_in(8) {
            settings.set("topic.field", "new_topic");
        }
        settings.null_rule(random);
    })
}

/// `MaskField`, with and without a replacement.
pub(crate) fn mask_field(random: &mut Random) -> Case {
    on_part(random, "MaskField", |random, shape, settings| {
        let masked = |schema: &Schema| is_plain(schema) && schema.kind != Kind::Bytes;
        let names: Vec<String> =
            (0..1 + random.below(3)).map(|_| field_where(random, shape, masked)).collect();
        let names = list(random, &names);
        settings.set("fields", names);
        if random.once_in(2) {
            let good =
                ["0", "7", "-129", "40000", "3000000000", "1.5", "1e3", "xxx", " ", "NaN", "+5", "0x1p3"];
            settings.set("replacement", usual(random, &good, &["", "5f", "true"]));
        }
        settings.null_rule(random);
    })
}

/// `ReplaceField`.
pub(crate) fn replace_field(random: &mut Random) -> Case {
    on_part(random, "ReplaceField", |random, shape, settings| {
        let names = |random: &mut Random, shape: &Shape| -> Vec<String> {
            (0..random.below(4)).map(|_| field(random, shape)).collect()
        };
        for option in ["exclude", "include"] {
            if random.once_in(2) {
                let names = names(random, shape);
                let names = list(random, &names);
                settings.set(option, names);
            }
        }
        if random.once_in(2) {
            let renames: Vec<String> = names(random, shape)
                .into_iter()
                .map(|name| match random.below(100) {
                    0 => name,
                    1 => format!("{name}:a:b"),
                    2 => format!("{name}:"),
                    3..20 => format!("{name}:{}", text::name(random)),
                    _ => format!("{name}:renamed_{name}"),
                })
                .collect();
            let renames = list(random, &renames);
            settings.set("renames", renames);
        }
        settings.null_rule(random);
    })
}

/// `ValueToKey`.
pub(crate) fn value_to_key(random: &mut Random) -> Case {
    let mut case = on_part(random, "ValueToKey", |random, shape, settings: &mut Settings| {
        let names: Vec<String> = (0..1 + random.below(3)).map(|_| field(random, shape)).collect();
        let names = list(random, &names);
        settings.set("fields", names);
        settings.null_rule(random);
    });
    let end = case.setup.class.find('$').unwrap_or(case.setup.class.len());
    case.setup.class.truncate(end);
    case
}
