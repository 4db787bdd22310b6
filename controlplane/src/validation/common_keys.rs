//! The keys every connector has, and those every sink connector has.
//!
//! Source: `ConnectorConfig`, `SinkConnectorConfig`, Kafka 4.1.

use lakeward_api::config::{ConfigDef, ConfigKey, ConfigType, DefaultValue, Importance, Validator, Width};
use lakeward_transforms::JavaRegex;

const COMMON: &str = "Common";
const ERRORS: &str = "Error Handling";

pub(super) struct Place {
    group: &'static str,
    order: i32,
    width: Width,
    display: &'static str,
}

pub(super) fn key(
    name: &str,
    kind: ConfigType,
    default: Option<&str>,
    importance: Importance,
    place: Place,
    documentation: &str,
) -> ConfigKey {
    let default = default.map_or(DefaultValue::Null, |text| DefaultValue::Text(text.to_owned()));
    ConfigKey {
        group: Some(place.group.to_owned()),
        order: place.order,
        width: place.width,
        display_name: place.display.to_owned(),
        documentation: documentation.to_owned(),
        ..ConfigKey::new(name, kind, default, importance)
    }
}

pub(super) fn place(group: &'static str, order: i32, width: Width, display: &'static str) -> Place {
    Place { group, order, width, display }
}

/// The keys of every connector, in Java's order.
pub(super) fn common() -> Vec<ConfigKey> {
    let mut keys = identity();
    keys.extend(converters());
    keys.extend(chains());
    keys.extend(error_handling());
    keys
}

fn identity() -> Vec<ConfigKey> {
    use ConfigType::{Boolean, Int, String};
    let required = |key: ConfigKey| ConfigKey { default: DefaultValue::Required, ..key };
    let checked = |key: ConfigKey, validator| ConfigKey { validator, ..key };
    vec![
        checked(
            required(key(
                "name",
                String,
                None,
                Importance::High,
                place(COMMON, 1, Width::Medium, "Connector name"),
                "Globally unique name to use for this connector.",
            )),
            Validator::Custom(name_without_control_characters),
        ),
        required(key(
            "connector.class",
            String,
            None,
            Importance::High,
            place(COMMON, 2, Width::Long, "Connector class"),
            "Name or alias of the class for this connector. Must be a subclass of \
             org.apache.kafka.connect.connector.Connector. If the connector is \
             org.apache.kafka.connect.file.FileStreamSinkConnector, you can either specify this full name,  \
             or use \"FileStreamSink\" or \"FileStreamSinkConnector\" to make the configuration a bit \
             shorter",
        )),
        key(
            "connector.plugin.version",
            String,
            None,
            Importance::Medium,
            place(COMMON, 3, Width::Medium, "Connector version"),
            "Version of the connector.",
        ),
        checked(
            key(
                "tasks.max",
                Int,
                Some("1"),
                Importance::High,
                place(COMMON, 4, Width::Short, "Tasks max"),
                "Maximum number of tasks to use for this connector.",
            ),
            Validator::AtLeast(1),
        ),
        key(
            "tasks.max.enforce",
            Boolean,
            Some("true"),
            Importance::Low,
            place(COMMON, 5, Width::Short, "Enforce tasks max"),
            "(Deprecated) Whether to enforce that the tasks.max property is respected by the connector. By \
             default, connectors that generate too many tasks will fail, and existing sets of tasks that \
             exceed the tasks.max property will also be failed. If this property is set to false, then \
             connectors will be allowed to generate more than the maximum number of tasks, and existing \
             sets of tasks that exceed the tasks.max property will be allowed to run. This property is \
             deprecated and will be removed in an upcoming major release.",
        ),
    ]
}

fn converters() -> Vec<ConfigKey> {
    let entry = |side: &str, order: i32, display: &'static str, kind: &str, controls: &str| {
        let more = match side {
            "header" => {
                " By default, the SimpleHeaderConverter is used to serialize header values to strings and \
                 deserialize them by inferring the schemas."
            }
            _ => "",
        };
        key(
            &format!("{side}.converter"),
            ConfigType::Class,
            None,
            Importance::Low,
            place(COMMON, order, Width::Short, display),
            &format!(
                "{kind} class used to convert between Kafka Connect format and the serialized form that is \
                 written to Kafka. This controls the format of the {controls} in messages written to or read \
                 from Kafka, and since this is independent of connectors it allows any connector to work \
                 with any serialization format. Examples of common formats include JSON and Avro.{more}"
            ),
        )
    };
    let version = |side: &str, order: i32, display: &'static str| {
        key(
            &format!("{side}.converter.plugin.version"),
            ConfigType::String,
            None,
            Importance::Low,
            place(COMMON, order, Width::Short, display),
            &format!("Version of the {side} converter."),
        )
    };
    vec![
        entry("key", 6, "Key converter class", "Converter", "keys"),
        version("key", 7, "Key converter version"),
        entry("value", 8, "Value converter class", "Converter", "values"),
        version("value", 9, "Value converter version"),
        entry("header", 10, "Header converter class", "HeaderConverter", "header values"),
        version("header", 11, "Header converter version"),
    ]
}

fn chains() -> Vec<ConfigKey> {
    let non_null = |key: ConfigKey| ConfigKey { validator: Validator::NonNull, ..key };
    vec![
        non_null(key(
            "transforms",
            ConfigType::List,
            Some(""),
            Importance::Low,
            place("Transforms", 12, Width::Long, "Transforms"),
            "Aliases for the transformations to be applied to records.",
        )),
        non_null(key(
            "predicates",
            ConfigType::List,
            Some(""),
            Importance::Low,
            place("Predicates", 13, Width::Long, "Predicates"),
            "Aliases for the predicates used by transformations.",
        )),
        ConfigKey {
            validator: Validator::OneOf(&["none", "restart"]),
            ..key(
                "config.action.reload",
                ConfigType::String,
                Some("restart"),
                Importance::Low,
                place(COMMON, 14, Width::Medium, "Reload Action"),
                "The action that Connect should take on the connector when changes in external configuration \
                 providers result in a change in the connector's configuration properties. A value of 'none' \
                 indicates that Connect will do nothing. A value of 'restart' indicates that Connect should \
                 restart/reload the connector with the updated configuration properties.The restart may \
                 actually be scheduled in the future if the external configuration provider indicates that \
                 a configuration value will expire in the future.",
            )
        },
    ]
}

fn error_handling() -> Vec<ConfigKey> {
    use ConfigType::{Boolean, Long, String};
    vec![
        key(
            "errors.retry.timeout",
            Long,
            Some("0"),
            Importance::Medium,
            place(ERRORS, 1, Width::Medium, "Retry Timeout for Errors"),
            "The maximum duration in milliseconds that a failed operation will be reattempted. The default \
             is 0, which means no retries will be attempted. Use -1 for infinite retries.",
        ),
        key(
            "errors.retry.delay.max.ms",
            Long,
            Some("60000"),
            Importance::Medium,
            place(ERRORS, 2, Width::Medium, "Maximum Delay Between Retries for Errors"),
            "The maximum duration in milliseconds between consecutive retry attempts. Jitter will be added \
             to the delay once this limit is reached to prevent thundering herd issues.",
        ),
        ConfigKey {
            validator: Validator::OneOf(&["none", "all"]),
            ..key(
                "errors.tolerance",
                String,
                Some("none"),
                Importance::Medium,
                place(ERRORS, 3, Width::Short, "Error Tolerance"),
                "Behavior for tolerating errors during connector operation. 'none' is the default value and \
                 signals that any error will result in an immediate connector task failure; 'all' changes \
                 the behavior to skip over problematic records.",
            )
        },
        key(
            "errors.log.enable",
            Boolean,
            Some("false"),
            Importance::Medium,
            place(ERRORS, 4, Width::Short, "Log Errors"),
            "If true, write each error and the details of the failed operation and problematic record to the \
             Connect application log. This is 'false' by default, so that only errors that are not \
             tolerated are reported.",
        ),
        key(
            "errors.log.include.messages",
            Boolean,
            Some("false"),
            Importance::Medium,
            place(ERRORS, 5, Width::Short, "Log Error Details"),
            "Whether to include in the log the Connect record that resulted in a failure. For sink records, \
             the topic, partition, offset, and timestamp will be logged. For source records, the key and \
             value (and their schemas), all headers, and the timestamp, Kafka topic, Kafka partition, \
             source partition, and source offset will be logged. This is 'false' by default, which will \
             prevent record keys, values, and headers from being written to log files.",
        ),
    ]
}

/// The keys of every sink connector, in Java's order.
pub(super) fn sink() -> Vec<ConfigKey> {
    use ConfigType::{Boolean, List, Short, String};
    vec![
        key(
            "topics",
            List,
            Some(""),
            Importance::High,
            place(COMMON, 4, Width::Long, "Topics"),
            "List of topics to consume, separated by commas",
        ),
        ConfigKey {
            validator: Validator::CustomOrNull(JavaRegex::check_setting),
            ..key(
                "topics.regex",
                String,
                Some(""),
                Importance::High,
                place(COMMON, 4, Width::Long, "Topics regex"),
                "Regular expression giving topics to consume. Under the hood, the regex is compiled to a \
                 <code>java.util.regex.Pattern</code>. Only one of topics or topics.regex should be \
                 specified.",
            )
        },
        key(
            "errors.deadletterqueue.topic.name",
            String,
            Some(""),
            Importance::Medium,
            place(ERRORS, 6, Width::Medium, "Dead Letter Queue Topic Name"),
            "The name of the topic to be used as the dead letter queue (DLQ) for messages that result in an \
             error when processed by this sink connector, or its transformations or converters. The topic \
             name is blank by default, which means that no messages are to be recorded in the DLQ.",
        ),
        key(
            "errors.deadletterqueue.topic.replication.factor",
            Short,
            Some("3"),
            Importance::Medium,
            place(ERRORS, 7, Width::Medium, "Dead Letter Queue Topic Replication Factor"),
            "Replication factor used to create the dead letter queue topic when it doesn't already exist.",
        ),
        key(
            "errors.deadletterqueue.context.headers.enable",
            Boolean,
            Some("false"),
            Importance::Medium,
            place(ERRORS, 8, Width::Medium, "Enable Error Context Headers"),
            "If true, add headers containing error context to the messages written to the dead letter \
             queue. To avoid clashing with headers from the original record, all error context header keys, \
             all error context header keys will start with <code>__connect.errors.</code>",
        ),
    ]
}

/// Common and sink keys together.
pub(super) fn sink_definition() -> ConfigDef {
    ConfigDef::new(common().into_iter().chain(sink()).collect())
}

fn name_without_control_characters(_: &str, text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Err("String may not be empty".to_owned());
    }
    let controls: Vec<String> =
        text.chars().filter(|c| c.is_control()).map(|c| (c as u32).to_string()).collect();
    if controls.is_empty() {
        return Ok(());
    }
    Err(format!(
        "String may not contain control sequences but had the following ASCII chars: {}",
        controls.join(", ")
    ))
}
