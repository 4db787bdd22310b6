//! The connector: keys, task configurations, offsets that a person may store.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use lakeward_api::ConnectError;
use lakeward_api::config::{ConfigDef, ConfigMap, ConfigValue};
use lakeward_api::source::{
    ExactlyOnceSupport, OffsetsAltered, SourceConnector, SourceMap, SourceTask, SourceTaskContext,
};
use lakeward_formats::file::read::Content;
use lakeward_objectstore::credentials::Provider;

use super::backup::{Backup, BackupSettings, check_offset};
use super::checks;
use super::csv;
use super::generic::{Listed, Topics, starting_ms};
use super::generic_keys::GenericKeys;
use super::keys::{BackupKeys, StoreKeys};
use super::names::{FileKind, Layout, NamePattern, Names};
use crate::s3;
use crate::s3::objects::{self, BucketPlan, BucketSettings};
use crate::s3::plan::OnDamage;
use crate::s3::store::{Store, StoreSettings};
use crate::s3::task::ObjectTask;

/// `io.confluent.connect.s3.source.S3SourceConnector`.
#[derive(Clone, Copy, Debug, Default)]
pub struct S3SourceConnector;

/// All keys that have an effect, parsed.
#[derive(Debug)]
struct Config {
    backup: BackupKeys,
    generic: GenericKeys,
    store: StoreKeys,
    provider: Provider,
    /// What follows each record of ByteArrayFormat, untrimmed.
    separator: String,
}

impl Config {
    /// Parses `props`; all problems become one error of class `Config`.
    fn parse(props: &ConfigMap) -> Result<Self, ConnectError> {
        let problem = |values: Vec<ConfigValue>| {
            let problems: Vec<String> = values.into_iter().flat_map(|value| value.errors).collect();
            ConnectError::config(problems.join("; "))
        };
        let values = validate(props);
        if values.iter().any(|value| !value.errors.is_empty()) {
            return Err(problem(values));
        }
        Ok(Self {
            backup: BackupKeys::parse(props).map_err(problem)?,
            generic: GenericKeys::parse(props).map_err(problem)?,
            store: StoreKeys::parse(props).map_err(problem)?,
            provider: Provider::parse(props).map_err(ConnectError::config)?,
            separator: props.get("format.bytearray.separator").cloned().unwrap_or_default(),
        })
    }

    fn names(&self) -> Result<Names, ConnectError> {
        let keys = &self.backup;
        let layout = Layout::from_class(&keys.partitioner_class, &keys.partition_fields, &keys.path_format);
        Ok(Names {
            kind: self.kind(),
            layout: layout.expect("validated by partitioner_class"),
            pattern: NamePattern::parse(&self.store.filename_regex).map_err(ConnectError::config)?,
            topics_dir: keys.topics_dir.trim_matches('/').to_owned(),
            delimiter: keys.delimiter.clone(),
            bytes_extension: keys.bytes_extension.clone(),
        })
    }

    fn kind(&self) -> FileKind {
        FileKind::of_generic(&self.store.format_class).expect("validated by format_class")
    }

    fn content(&self) -> Result<Content, ConnectError> {
        Ok(match self.kind() {
            FileKind::Avro => Content::Avro,
            FileKind::Bytes if self.separator.is_empty() => Content::Records { separator: b"\n".to_vec() },
            FileKind::Bytes => Content::Records { separator: self.separator.as_bytes().to_vec() },
            FileKind::Csv => Content::Csv(csv::options(&self.generic).map_err(ConnectError::config)?),
            FileKind::Json => Content::Json { envelope: self.backup.json_schema },
            FileKind::Parquet => Content::Parquet,
        })
    }

    fn on_damage(&self) -> OnDamage {
        match self.backup.on_error.to_ascii_lowercase().as_str() {
            "ignore" => OnDamage::Ignore,
            "log" => OnDamage::Log,
            _ => OnDamage::Fail,
        }
    }

    /// The plan of GENERIC.
    fn generic_plan(&self, store: &Store, context: &SourceTaskContext) -> Result<BucketPlan, ConnectError> {
        let keys = &self.backup;
        let choice = Listed {
            topics: Topics::parse(&self.generic.topic_regexes).map_err(ConnectError::config)?,
            kind: self.kind(),
            delimiter: keys.delimiter.clone(),
            task: context.task,
            tasks: s3::tasks(&context.config),
        };
        let directory = keys.topics_dir.trim_matches('/');
        let settings = BucketSettings {
            bucket: Arc::clone(store.bucket()),
            prefix: if directory.is_empty() { String::new() } else { format!("{directory}/") },
            choice: Box::new(choice),
            start_key: None,
            // Names may come in any order.
            ring_size: usize::MAX,
            oldest_ms: starting_ms(self.generic.starting_timestamp),
            names_objects: self.store.metadata_headers,
            content: self.content()?,
            on_damage: self.on_damage(),
        };
        Ok(BucketPlan::new(settings, Arc::clone(&context.offsets)))
    }

    fn open(&self, connector: &str) -> Result<Store, ConnectError> {
        let keys = &self.store;
        let settings = StoreSettings {
            url: self.backup.store_url.as_deref().filter(|url| !url.trim().is_empty()),
            bucket: &keys.bucket,
            region: &keys.region,
            path_style: keys.path_style,
            wan_mode: keys.wan_mode,
            access_key_id: &keys.access_key_id,
            secret_access_key: keys.secret_access_key.as_ref(),
            provider: &self.provider,
            sts_endpoint: None,
            customer_key: keys.sse_customer_key.as_ref(),
            proxy_url: &keys.proxy_url,
            proxy_user: keys.proxy_user.as_deref(),
            proxy_password: keys.proxy_password.as_ref(),
            tries_max: keys.tries_max,
            retry_pause: Duration::from_millis(keys.retry_backoff_ms),
        };
        Ok(Store::open(&settings, connector)?)
    }
}

impl SourceConnector for S3SourceConnector {
    fn class(&self) -> &'static str {
        "io.confluent.connect.s3.source.S3SourceConnector"
    }

    fn version(&self) -> &str {
        env!("CARGO_PKG_VERSION")
    }

    /// In Java's order; orders count within groups.
    fn config_def(&self) -> ConfigDef {
        let parts = [BackupKeys::config_def(), GenericKeys::config_def(), StoreKeys::config_def()];
        let mut orders: HashMap<Option<String>, i32> = HashMap::new();
        let mut def = ConfigDef::default();
        for key in parts.iter().flat_map(ConfigDef::keys) {
            let mut key = key.clone();
            let order = orders.entry(key.group.clone()).or_insert(0);
            *order += 1;
            key.order = *order;
            def.define(key);
        }
        def
    }

    fn validate(&self, props: &ConfigMap) -> Vec<ConfigValue> {
        validate(props)
    }

    /// Tasks divide the folders among themselves: each knows how many there are.
    fn task_configs(&self, props: &ConfigMap, tasks_max: u32) -> Result<Vec<ConfigMap>, ConnectError> {
        Config::parse(props)?;
        Ok(s3::task_configs(props, tasks_max))
    }

    fn new_task(&self, context: SourceTaskContext) -> Result<Box<dyn SourceTask>, ConnectError> {
        let config = Config::parse(&context.config)?;
        let store = config.open(&context.connector)?;
        let interval = Duration::from_millis(config.store.poll_interval_ms);
        let rows_max = config.backup.batch_rows_max;
        if checks::is_generic(&config.backup.mode) {
            let plan = config.generic_plan(&store, &context)?;
            return Ok(Box::new(ObjectTask::new(plan, store, rows_max, interval, false, context)));
        }
        let settings = BackupSettings {
            names: config.names()?,
            content: config.content()?,
            on_damage: config.on_damage(),
            bucket: Arc::clone(store.bucket()),
            task: context.task,
            tasks: s3::tasks(&context.config),
        };
        let plan = Backup::new(settings, Arc::clone(&context.offsets));
        Ok(Box::new(ObjectTask::new(plan, store, rows_max, interval, false, context)))
    }

    /// Offsets go with the records, and a record's place in its object does not change.
    fn exactly_once_support(&self, _props: &ConfigMap) -> ExactlyOnceSupport {
        ExactlyOnceSupport::Supported
    }

    fn alter_offsets(
        &self,
        props: &ConfigMap,
        offsets: &[(SourceMap, Option<SourceMap>)],
    ) -> Result<OffsetsAltered, ConnectError> {
        let is_generic = props.get("mode").is_some_and(|mode| checks::is_generic(mode));
        for (partition, offset) in offsets {
            match is_generic {
                true => objects::check_offset(partition, offset.as_deref())?,
                false => check_offset(partition, offset.as_deref())?,
            }
        }
        Ok(OffsetsAltered::Done)
    }
}

fn validate(props: &ConfigMap) -> Vec<ConfigValue> {
    let mut values = S3SourceConnector.config_def().validate(props);
    checks::apply(&mut values, props);
    values
}
