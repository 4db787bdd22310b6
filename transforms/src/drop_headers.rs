//! `DropHeaders`: removes the headers of some names.
//!
//! Source: `org.apache.kafka.connect.transforms.DropHeaders`, Kafka 4.1.

use lakeward_api::ConnectError;
use lakeward_api::batch::SinkBatch;
use lakeward_api::config::{ConfigDef, ConfigMap};
use lakeward_api::transform::{Transform, Transformed};

use crate::plugin::{KAFKA_VERSION, TransformClass};
use crate::settings::{Settings, non_empty_list};

/// The classes of this file.
pub(crate) fn classes() -> Vec<TransformClass> {
    vec![TransformClass {
        class: "org.apache.kafka.connect.transforms.DropHeaders",
        version: KAFKA_VERSION,
        config_def,
        new: |given| Ok(Box::new(DropHeaders::new(given)?)),
    }]
}

fn config_def() -> ConfigDef {
    ConfigDef::new(vec![non_empty_list("headers", "The name of the headers to be removed.")])
}

struct DropHeaders {
    names: Vec<String>,
}

impl DropHeaders {
    fn new(given: &ConfigMap) -> Result<Self, ConnectError> {
        Ok(Self { names: Settings::read(&config_def(), given)?.list("headers") })
    }
}

impl Transform for DropHeaders {
    fn apply(&mut self, mut batch: SinkBatch) -> Result<Transformed, ConnectError> {
        batch.headers.retain(|header| !self.names.iter().any(|name| name == header));
        Ok(Transformed::one(batch))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{batch, only, transform};
    use lakeward_api::batch::Values;

    #[test]
    fn headers_come_and_go_in_order() {
        let add = |name, literal| transform("InsertHeader", &[("header", name), ("value.literal", literal)]);
        let mut values = batch(Values::Null { rows: 2 });
        for (name, literal) in [("a", "1"), ("b", "x"), ("a", "true")] {
            values = only(add(name, literal).apply(values).unwrap());
        }
        let keys = |batch: &SinkBatch, row| {
            batch.headers.row(row).iter().map(|header| header.key.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(keys(&values, 1), ["a", "b", "a"]);
        values = only(transform("DropHeaders", &[("headers", "a, z")]).apply(values).unwrap());
        assert_eq!(keys(&values, 0), ["b"]);
        values = only(transform("DropHeaders", &[("headers", "b")]).apply(values).unwrap());
        assert!(values.headers.is_empty());
    }
}
