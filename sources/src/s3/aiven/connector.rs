//! The connector: keys, task configurations, offsets that a person may store.

use std::sync::Arc;
use std::time::Duration;

use lakeward_api::ConnectError;
use lakeward_api::config::{ConfigDef, ConfigMap, ConfigValue, Password};
use lakeward_api::source::{
    ExactlyOnceSupport, OffsetsAltered, SourceConnector, SourceMap, SourceTask, SourceTaskContext,
};
use lakeward_formats::file::read::{Content, Packing};
use lakeward_objectstore::credentials::{Provider, Role};

use super::keys::{BucketKeys, ReadKeys};
use super::template::Template;
use crate::s3;
use crate::s3::hash::task_of;
use crate::s3::objects::{BucketPlan, BucketSettings, Choice, Chosen, check_offset};
use crate::s3::plan::OnDamage;
use crate::s3::store::{Store, StoreSettings};
use crate::s3::task::ObjectTask;

/// `io.aiven.kafka.connect.s3.source.S3SourceConnector`.
#[derive(Clone, Copy, Debug, Default)]
pub struct AivenS3SourceConnector;

/// All keys, parsed.
struct Config {
    bucket: BucketKeys,
    read: ReadKeys,
    template: Option<Template>,
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
        let bucket = BucketKeys::parse(props).map_err(problem)?;
        let read = ReadKeys::parse(props).map_err(problem)?;
        let template = template(&read).transpose().map_err(ConnectError::config)?;
        Ok(Self { bucket, read, template })
    }

    fn open(&self, connector: &str) -> Result<Store, ConnectError> {
        let keys = &self.bucket;
        let region = keys.region.as_deref().unwrap_or("us-east-1");
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let provider = match &keys.role_arn {
            None => Provider::Default,
            Some(arn) => Provider::Role(Role {
                arn: arn.clone(),
                session_name: text(&keys.role_session_name),
                external_id: text(&keys.role_external_id),
                region: Some(region.to_owned()),
            }),
        };
        let settings = StoreSettings {
            url: keys.endpoint.as_deref(),
            bucket: &keys.bucket,
            region,
            path_style: keys.endpoint.is_some(),
            wan_mode: false,
            access_key_id: keys.access_key_id.as_ref().map_or("", Password::expose),
            secret_access_key: keys.secret_access_key.as_ref(),
            provider: &provider,
            sts_endpoint: Some(keys.sts_endpoint.as_str()).filter(|endpoint| *endpoint != STS_OF_ALL),
            customer_key: None,
            proxy_url: "",
            proxy_user: None,
            proxy_password: None,
            tries_max: keys.retries_max + 1,
            retry_pause: Duration::from_millis(keys.backoff_ms),
        };
        Ok(Store::open(&settings, connector)?)
    }

    fn content(&self) -> Content {
        match self.read.format.to_ascii_lowercase().as_str() {
            "avro" => Content::Avro,
            "parquet" => Content::Parquet,
            "jsonl" => Content::Json { envelope: false },
            _ => Content::Chunks(self.read.chunk_bytes),
        }
    }
}

/// The objects that a template describes.
struct Templated {
    /// `None`: nothing is read, as in Java.
    template: Option<Template>,
    /// The topic of all objects; `None`: that of their names.
    topic: Option<Arc<str>>,
    /// Divide by partition instead of by hash.
    by_partition: bool,
    packing: Packing,
    task: u32,
    tasks: u32,
}

impl Choice for Templated {
    fn choose(&self, name: &str) -> Option<Chosen> {
        let parts = self.template.as_ref()?.read(name)?;
        let topic = self.topic.clone().or(parts.topic)?;
        let task = match parts.partition {
            Some(partition) if self.by_partition => partition.unsigned_abs() % self.tasks,
            _ => task_of(name, self.tasks),
        };
        (task == self.task).then(|| Chosen {
            topic,
            partition: parts.partition,
            key: Some(bytes::Bytes::copy_from_slice(name.as_bytes())),
            packing: self.packing,
        })
    }
}

/// The template of prefix and name; `None` without one.
fn template(keys: &ReadKeys) -> Option<Result<Template, String>> {
    let name = keys.name_template.as_deref().filter(|name| !name.is_empty())?;
    let prefix = keys.prefix_template.as_deref().unwrap_or_default();
    Some(Template::parse(&format!("{prefix}{name}")))
}

impl SourceConnector for AivenS3SourceConnector {
    fn class(&self) -> &'static str {
        "io.aiven.kafka.connect.s3.source.S3SourceConnector"
    }

    fn version(&self) -> &str {
        env!("CARGO_PKG_VERSION")
    }

    fn config_def(&self) -> ConfigDef {
        let mut def = BucketKeys::config_def();
        ReadKeys::config_def().keys().iter().for_each(|key| def.define(key.clone()));
        def
    }

    fn validate(&self, props: &ConfigMap) -> Vec<ConfigValue> {
        validate(props)
    }

    /// Tasks divide the objects among themselves: each knows how many there are.
    fn task_configs(&self, props: &ConfigMap, tasks_max: u32) -> Result<Vec<ConfigMap>, ConnectError> {
        Config::parse(props)?;
        Ok(s3::task_configs(props, tasks_max))
    }

    fn new_task(&self, context: SourceTaskContext) -> Result<Box<dyn SourceTask>, ConnectError> {
        let config = Config::parse(&context.config)?;
        let store = config.open(&context.connector)?;
        let props = &context.config;
        // The framework's own key: what tolerates records tolerates objects.
        let tolerates = props.get("errors.tolerance").is_some_and(|text| text.trim() == "all");
        let content = config.content();
        let packing = match (&content, config.read.compression.to_ascii_lowercase().as_str()) {
            (Content::Parquet, _) => Packing::None,
            (_, "gzip") => Packing::Gzip,
            (_, "snappy") => Packing::Snappy,
            (_, "zstd") => Packing::Zstd,
            _ => Packing::None,
        };
        let ring_size = match (props.get("ring.buffer.size"), props.get("aws.s3.fetch.buffer.size")) {
            (None, Some(_)) => config.bucket.fetch_buffer_size,
            _ => config.read.ring_size,
        };
        let keys_have_schema = content == Content::Avro;
        let choice = Templated {
            template: config.template,
            topic: config.read.topic.as_deref().filter(|topic| !topic.is_empty()).map(Into::into),
            by_partition: config.read.distribution.eq_ignore_ascii_case("partition"),
            packing,
            task: context.task,
            tasks: s3::tasks(props),
        };
        let settings = BucketSettings {
            bucket: Arc::clone(store.bucket()),
            prefix: config.bucket.prefix.clone().unwrap_or_default(),
            choice: Box::new(choice),
            start_key: config.read.start_key.clone(),
            ring_size,
            oldest_ms: i64::MIN,
            names_objects: false,
            content,
            on_damage: if tolerates { OnDamage::Log } else { OnDamage::Fail },
        };
        let plan = BucketPlan::new(settings, Arc::clone(&context.offsets));
        let rows_max = config.read.rows_max;
        Ok(Box::new(ObjectTask::new(plan, store, rows_max, LOOK_AGAIN, keys_have_schema, context)))
    }

    /// Offsets go with the records, and a record's place in its object does not change.
    fn exactly_once_support(&self, _props: &ConfigMap) -> ExactlyOnceSupport {
        ExactlyOnceSupport::Supported
    }

    fn alter_offsets(
        &self,
        _props: &ConfigMap,
        offsets: &[(SourceMap, Option<SourceMap>)],
    ) -> Result<OffsetsAltered, ConnectError> {
        for (partition, offset) in offsets {
            check_offset(partition, offset.as_deref())?;
        }
        Ok(OffsetsAltered::Done)
    }
}

fn validate(props: &ConfigMap) -> Vec<ConfigValue> {
    let mut values = AivenS3SourceConnector.config_def().validate(props);
    let has = |name: &str| props.get(name).is_some_and(|text| !text.trim().is_empty());
    let mut add = |name: &str, problem: &str| {
        if let Some(value) = values.iter_mut().find(|value| value.name == name) {
            value.errors.push(problem.to_owned());
        }
    };
    if has("aws.access.key.id") != has("aws.secret.access.key") {
        let missing = if has("aws.access.key.id") { "aws.secret.access.key" } else { "aws.access.key.id" };
        add(missing, "aws.access.key.id and aws.secret.access.key must be set together");
    }
    if has("aws.sts.role.arn") && !has("aws.sts.role.session.name") {
        add("aws.sts.role.session.name", "aws.sts.role.arn needs the name of a session");
    }
    let Ok(keys) = ReadKeys::parse(props) else { return values };
    match template(&keys) {
        Some(Err(problem)) => add("file.name.template", &problem),
        Some(Ok(template)) => {
            if !template.has_topic && !has("topic") {
                add("topic", "no topic: set it, or use {{topic}} in file.name.template");
            }
            if !template.has_partition && keys.distribution.eq_ignore_ascii_case("partition") {
                add("distribution.type", "partition needs {{partition}} in file.name.template");
            }
        }
        None => {}
    }
    values
}

/// The token service of all regions; that of the bucket's region answers as well.
const STS_OF_ALL: &str = "https://sts.amazonaws.com";

/// Between two looks for new objects.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
