//! Transforms and predicates.

use super::{Known, accepted, class, message};
use crate::case::{Answer, Items};
use crate::compare::Kind;
use crate::model::{Show, Typed, Value};

pub(super) const KNOWN: &[Known] = &[
    accepted(
        "settings-of-chains",
        "our chain checks all settings of a connector before it makes a plugin, as Java's worker does; here \
         Java's classes are made one by one: they complain in another order and without prefixes",
        |finding| {
            matches!(finding.case.items, Items::Chain(_))
                && matches!(finding.java, Answer::NotConfigured(_))
                && matches!(finding.ours, Answer::NotConfigured(_))
        },
    ),
    accepted(
        "renamed-onto-another",
        "of two members of a schemaless value that get one name the last in a hash table stays; how large \
         the table is that MaskField made before is not known",
        |finding| {
            let settings = &finding.case.setup.settings;
            let masks = settings.iter().any(|(_, value)| value.contains(".MaskField$"));
            let (Answer::Record(java), Answer::Record(ours)) = (finding.java, finding.ours) else {
                return false;
            };
            finding.kind == Kind::Value
                && masks
                && differ_where_renamed(&java.key, &ours.key, settings)
                && differ_where_renamed(&java.value, &ours.value, settings)
        },
    ),
    accepted(
        "endless-schemas",
        "Java's stack overflows where it writes out a schema that contains itself, which ends the task: here \
         the record is refused",
        |finding| {
            class(finding.java) == "java.lang.StackOverflowError"
                && message(finding.ours).contains("contains itself")
        },
    ),
    accepted(
        "cast-under-logical-name",
        "Cast to the base type of a logical type keeps the schema: in Java the object becomes a number all \
         the same, and whoever reads it fails or not; a column of that schema holds dates",
        |finding| {
            let casts = |class: &str| class.contains(".Cast$");
            let settings = &finding.case.setup.settings;
            (casts(&finding.case.setup.class) || settings.iter().any(|(_, value)| casts(value)))
                && match finding.kind {
                    Kind::Value => {
                        finding.java.shown().contains("#~") && finding.ours.shown().contains("date@")
                    }
                    Kind::Message => message(finding.ours).contains("java.util.Date"),
                    _ => false,
                }
        },
    ),
    accepted(
        "list-of-another-field",
        "ReplaceField can name a list or map like another field and keep that field's schema: in Java an \
         empty one fits whatever its items are, and else an item is named as the fault; here the whole",
        |finding| {
            let replaces = |class: &str| class.contains(".ReplaceField$");
            let settings = &finding.case.setup.settings;
            let ours = message(finding.ours);
            (replaces(&finding.case.setup.class) || settings.iter().any(|(_, value)| replaces(value)))
                && ours.starts_with("Invalid Java object for schema")
                && ["ARRAY: class java.util.ArrayList", "MAP: class java.util.HashMap"]
                    .iter()
                    .any(|part| ours.contains(part))
        },
    ),
    accepted(
        "logical-name-of-another-type",
        "SetSchemaMetadata can call a schema like a logical type of another base: Java fails when such a \
         value gets into a struct, here it is what its type says",
        |finding| {
            let start = "Invalid Java object for schema \"org.apache.kafka.connect.data.";
            matches!(finding.case.items, Items::Chain(_)) && message(finding.java).starts_with(start)
        },
    ),
    accepted(
        "map-class",
        "Java names the class of its map, which a transform before may have changed; ours is always HashMap",
        |finding| {
            let java = message(finding.java);
            java.contains("LinkedHashMap")
                && java.replace("LinkedHashMap", "HashMap")
                    == message(finding.ours).replace("LinkedHashMap", "HashMap")
        },
    ),
    accepted(
        "first-fault-of-a-map",
        "of several members that a chain cannot flatten Java names the first of its hash table, whose size \
         depends on the transforms before",
        |finding| {
            let start = "Flatten transformation was passed a value of type class ";
            matches!(finding.case.items, Items::Chain(_)) && finding.messages_start(start, start)
        },
    ),
    accepted(
        "zone-after-parse",
        "Java's SimpleDateFormat keeps the time zone of the last text it read and writes in it until it \
         reads another; ours writes UTC whatever came before",
        |finding| {
            let zone = |pattern: &str| pattern.contains(['z', 'Z', 'X']);
            let settings = &finding.case.setup.settings;
            let has = |end: &str, test: &dyn Fn(&str) -> bool| {
                settings.iter().any(|(name, value)| name.ends_with(end) && test(value))
            };
            finding.kind == Kind::Value
                && has("target.type", &|value| value == "string")
                && has("format", &zone)
        },
    ),
    accepted(
        "null-pointer",
        "where Java fails by accident (NullPointerException, ClassCastException), the message is our own",
        |finding| {
            let accident = ["java.lang.NullPointerException", "java.lang.ClassCastException"];
            accident.contains(&class(finding.java)) && !class(finding.ours).is_empty()
        },
    ),
    accepted("record-in-message", "messages hold no contents of records", |finding| {
        let start = "Timestamp missing on record: ";
        finding.messages_start(start, start)
    }),
    accepted(
        "untyped-elements",
        "an ARRAY or MAP schema without the schema of its elements, which the parser of literals makes of \
         `[]` and mixed elements, is no schema here: the header is schemaless",
        |finding| {
            let java = finding.java.shown();
            [Kind::Headers, Kind::Schema].contains(&finding.kind)
                && ["array<none>", ",none>", "map<none"].iter().any(|part| java.contains(part))
        },
    ),
    accepted(
        "null-in-required-field",
        "a transform that leaves a required field null fails at once; in Java whoever reads or writes it \
         next fails",
        |finding| {
            let goes_on = matches!(finding.java, Answer::Record(_) | Answer::Dropped);
            let is_chain = matches!(finding.case.items, Items::Chain(_));
            (goes_on || is_chain)
                && message(finding.ours).starts_with("Invalid value: null used for required field")
        },
    ),
    accepted(
        "days",
        "a Date is a number of days of 32 bits: larger ones wrap at once, in Java when they are written",
        |finding| {
            let is_large = |text: &str| {
                let digits: String =
                    text.chars().take_while(|char| *char == '-' || char.is_ascii_digit()).collect();
                digits.parse::<i64>().is_ok_and(|ms| i32::try_from(ms.div_euclid(86_400_000)).is_err())
            };
            let settings = &finding.case.setup.settings;
            finding.kind == Kind::Value
                && settings.iter().any(|(name, value)| name.ends_with("target.type") && value == "Date")
                && finding.java.shown().split("date@").skip(1).any(is_large)
        },
    ),
];

/// Whether two schemaless maps have the same members, and the same values but for new names of `renames`.
fn differ_where_renamed(java: &Typed, ours: &Typed, settings: &[(String, String)]) -> bool {
    let (Value::Map(java), Value::Map(ours)) = (&java.value, &ours.value) else {
        return java.shown() == ours.shown();
    };
    let renames = settings.iter().filter(|(name, _)| name.ends_with(".renames"));
    let is_new = |name: &str| {
        let mut pairs = renames.clone().flat_map(|(_, pairs)| pairs.split(','));
        pairs.any(|pair| pair.split_once(':').is_some_and(|(_, new)| new.trim() == name))
    };
    java.len() == ours.len()
        && java.iter().all(|(key, value)| {
            let found = ours.iter().find(|(other, _)| other == key);
            found.is_some_and(|(_, other)| {
                other == value || matches!(key, Value::String(name) if is_new(name))
            })
        })
}
