//! What a client is told when records were not written to the config topic in time.
//!
//! Source: `KafkaConfigBackingStore`, `RestartRequest#toString`,
//! `DistributedHerder#writeToConfigTopicAsLeader`, Kafka 4.1.

use lakeward_controlplane_core::config_log::LogRecord;
use serde_json::Value;

/// The write of a leader that another worker may have fenced.
pub(super) const EXCLUSIVE: &str = "Failed to write to config topic; this may be due to a transient error \
                                    and the request can be safely retried";

/// The text for a batch; the record that it is about decides.
pub(super) fn text(records: &[LogRecord]) -> String {
    // A target state comes with a configuration or alone.
    let is_about = |record: &&LogRecord| !record.key.starts_with("target-state-");
    let Some(record) = records.iter().find(is_about) else {
        return "Error writing target state to Kafka".to_owned();
    };
    let kinds = [
        ("connector-", "connector configuration"),
        ("tasks-fencing-", "task count record"),
        ("session-key", "session key"),
        ("logger-cluster-", "logger level"),
    ];
    if let Some(name) = record.key.strip_prefix("restart-connector-") {
        return format!("Error writing {} to Kafka", restart(name, record));
    }
    if record.value.is_none() && record.key.starts_with("connector-") {
        return "Error removing connector configuration from Kafka".to_owned();
    }
    // What is left are task sets: Java reads to the end first, and calls that the root configuration.
    let kind = kinds.iter().find(|(key, _)| record.key.starts_with(key));
    format!("Error writing {} to Kafka", kind.map_or("root configuration", |(_, kind)| kind))
}

fn restart(name: &str, record: &LogRecord) -> String {
    let request: Value =
        serde_json::from_str(record.value.as_deref().unwrap_or_default()).unwrap_or_default();
    let is_set = |flag: &str| request[flag].as_bool().unwrap_or_default();
    let (failed, tasks) = (is_set("only-failed"), is_set("include-tasks"));
    format!("restart request for {{connectorName='{name}', onlyFailed={failed}, includeTasks={tasks}}}")
}

#[cfg(test)]
mod tests {
    use lakeward_controlplane_core::Properties;
    use lakeward_controlplane_core::config_log::{RestartRequest, TargetState, records};

    use super::*;

    #[test]
    fn every_kind_of_record_has_the_text_of_java() {
        let config = records::connector("a", &Properties::default());
        let state = records::target_state("a", TargetState::Paused);
        let request = RestartRequest { include_tasks: true, only_failed: false };
        for (batch, expected) in [
            (vec![state.clone()], "Error writing target state to Kafka"),
            (vec![state, config], "Error writing connector configuration to Kafka"),
            (records::connector_deletion("a").to_vec(), "Error removing connector configuration from Kafka"),
            (vec![records::commit("a", 0)], "Error writing root configuration to Kafka"),
            (vec![records::task_count("a", 1)], "Error writing task count record to Kafka"),
            (vec![records::log_level("a", "INFO")], "Error writing logger level to Kafka"),
            (
                vec![records::restart("a", request)],
                "Error writing restart request for {connectorName='a', onlyFailed=false, includeTasks=true} \
                 to Kafka",
            ),
        ] {
            assert_eq!(text(&batch), expected);
        }
    }
}
