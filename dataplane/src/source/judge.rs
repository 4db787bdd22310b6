//! What a record that cannot be sent does: counters, Java's log line, skipped or the end of the task.
//!
//! Source: `RetryWithToleranceOperator#execAndHandleError`, `#executeFailed`, `LogReporter.Source`, Kafka
//! 4.1.

use std::sync::Arc;

use lakeward_api::config::ConfigMap;
use lakeward_api::plugin::PluginRegistry;
use lakeward_api::runtime::TaskSpec;
use lakeward_api::secrets::Secrets;
use lakeward_api::{ConnectError, ErrorClass};
use lakeward_dataplane_core::error_counters::ErrorCounters;
use lakeward_dataplane_core::tolerance::{Stage, Tolerance, Verdict, exceeded};

use super::describe::{Describe, Origin};
use crate::task::{LogLines, TaskStart, read_clocks};

/// The class that failed when the producer gave a record up.
const SOURCE_TASK: &str = "org.apache.kafka.connect.runtime.WorkerSourceTask";

/// How bad records of one task are judged, counted and told.
pub(super) struct Judge {
    task: String,
    tolerance: Tolerance,
    log: LogLines,
    describe: Option<Describe>,
    /// What log lines must not show.
    secrets: Secrets,
    errors: Arc<ErrorCounters>,
}

impl Judge {
    pub(super) fn new(start: &TaskStart) -> Self {
        let TaskSpec { id, connector_config, secrets, .. } = &start.spec;
        let errors = Arc::clone(&start.control.errors);
        let judge = Self::of(&id.to_string(), connector_config, &start.environment.plugins, errors);
        Self { secrets: secrets.clone(), ..judge }
    }

    /// The judge of a task, by its configuration.
    pub(super) fn of(
        task: &str,
        config: &ConfigMap,
        plugins: &PluginRegistry,
        errors: Arc<ErrorCounters>,
    ) -> Self {
        let log = LogLines::from_config(config);
        let describe = match log {
            LogLines::WithRecord => Describe::new(plugins),
            LogLines::Off | LogLines::WithoutRecord => None,
        };
        Self {
            task: task.to_owned(),
            tolerance: Tolerance::from_config(config),
            log,
            describe,
            secrets: Secrets::default(),
            errors,
        }
    }

    /// Whether log lines show records, so that they have to be kept.
    pub(super) fn needs_records(&self) -> bool {
        self.describe.is_some()
    }

    /// A record failed at a transform or converter, for good. `Ok` when it is left out.
    pub(super) fn refuse(
        &mut self,
        stage: Stage,
        class: &str,
        error: ConnectError,
        origin: Option<&Origin<'_>>,
    ) -> Result<(), ConnectError> {
        let verdict = self.tolerance.judge(&error);
        if verdict == Verdict::Broken {
            return Err(error);
        }
        if error.class() == ErrorClass::Retriable {
            // The attempt and its end are counted apart.
            ErrorCounters::count(&self.errors.record_failures);
        }
        self.errors.failed(read_clocks().wall_ms);
        ErrorCounters::count(&self.errors.record_errors);
        self.tell(stage.as_str(), class, &error, origin);
        if verdict == Verdict::Fail {
            return Err(exceeded(error));
        }
        ErrorCounters::count(&self.errors.records_skipped);
        Ok(())
    }

    /// A record is tried again after a pause.
    pub(super) fn tried_again(&self) {
        ErrorCounters::count(&self.errors.record_failures);
        ErrorCounters::count(&self.errors.retries);
    }

    /// The producer gave a record up. `Ok` when it is left out. As in Java it counts as a failure only, not
    /// as a skipped record.
    pub(super) fn not_delivered(
        &mut self,
        error: ConnectError,
        origin: Option<&Origin<'_>>,
    ) -> Result<(), ConnectError> {
        if self.tolerance == Tolerance::None {
            return Err(unrecoverable_report(error));
        }
        self.errors.failed(read_clocks().wall_ms);
        self.tell("KAFKA_PRODUCE", SOURCE_TASK, &error, origin);
        Ok(())
    }

    fn tell(&mut self, stage: &str, class: &str, error: &ConnectError, origin: Option<&Origin<'_>>) {
        if self.log == LogLines::Off {
            return;
        }
        let mut line = format!(
            "Error encountered in task {}. Executing stage '{stage}' with class '{class}'",
            self.task
        );
        if let (Some(describe), Some(origin)) = (&mut self.describe, origin) {
            line.push_str(", where source record is = ");
            line.push_str(&describe.record(origin));
        }
        line.push('.');
        tracing::error!(
            target: "org.apache.kafka.connect.runtime.errors.LogReporter",
            error = %self.secrets.hide(error.trace().trim_end()),
            "{}", self.secrets.hide(&line)
        );
        ErrorCounters::count(&self.errors.errors_logged);
    }
}

/// The end of a task whose producer gave up.
pub(super) fn unrecoverable_report(error: ConnectError) -> ConnectError {
    ConnectError::fatal("Unrecoverable exception from producer send callback").with_source(error)
}
