//! `InsertHeader`: adds the same header to every record.
//!
//! Source: `org.apache.kafka.connect.transforms.InsertHeader`, Kafka 4.1.

use std::sync::Arc;

use lakeward_api::batch::SinkBatch;
use lakeward_api::config::{ConfigDef, ConfigKey, ConfigMap, ConfigType, Importance, Validator};
use lakeward_api::header::{HeaderColumn, HeaderValues};
use lakeward_api::transform::{Transform, Transformed};
use lakeward_api::{ConnectError, literal};

use crate::plugin::{KAFKA_VERSION, TransformClass};
use crate::settings::{Settings, required};

/// The classes of this file.
pub(crate) fn classes() -> Vec<TransformClass> {
    vec![TransformClass {
        class: "org.apache.kafka.connect.transforms.InsertHeader",
        version: KAFKA_VERSION,
        config_def,
        new: |given| Ok(Box::new(InsertHeader::new(given)?)),
    }]
}

fn config_def() -> ConfigDef {
    let present = |key: ConfigKey| ConfigKey { validator: Validator::NonNull, ..key };
    ConfigDef::new(vec![
        present(required("header", ConfigType::String, Importance::High, "The name of the header.")),
        present(required(
            "value.literal",
            ConfigType::String,
            Importance::High,
            "The literal value that is to be set as the header value on all records.",
        )),
    ])
}

struct InsertHeader {
    header: HeaderColumn,
}

impl InsertHeader {
    fn new(given: &ConfigMap) -> Result<Self, ConnectError> {
        let settings = Settings::read(&config_def(), given)?;
        let (schema, value) = literal::parse(settings.text("value.literal"))?;
        let values = HeaderValues::Constant { schema, value };
        Ok(Self { header: HeaderColumn { key: Arc::from(settings.text("header")), values } })
    }
}

impl Transform for InsertHeader {
    fn apply(&mut self, mut batch: SinkBatch) -> Result<Transformed, ConnectError> {
        let rows = batch.rows();
        batch.headers.push(rows, self.header.clone());
        Ok(Transformed::one(batch))
    }
}
