//! Object names. A name is a function of topic, partition, encoded partition, first offset and configuration,
//! and of nothing else: that is what makes files written again replace themselves.
//!
//! Source: `TopicPartitionWriter#getCommitFilename`, `FileUtils#fileKeyToCommit`, Confluent S3 sink.

use lakeward_api::record::TopicPartition;

use super::config::S3Config;
use super::error::S3SinkError;

/// Makes object names from a configuration.
#[derive(Clone, Debug)]
pub(crate) struct ObjectNames {
    topics_dir: String,
    directory_delim: String,
    file_delim: String,
    offset_pad_width: usize,
    extension: String,
    tombstone_partition: String,
}

impl ObjectNames {
    /// Names as `config` says, ending in `extension` (with its dot).
    pub(crate) fn new(config: &S3Config, extension: String) -> Self {
        Self {
            topics_dir: config.storage.topics_dir.clone(),
            directory_delim: config.storage.directory_delim.clone(),
            file_delim: config.storage.file_delim.clone(),
            offset_pad_width: usize::try_from(config.connector.offset_pad_width)
                .unwrap_or(OBJECT_NAME_BYTES_MAX),
            extension,
            tombstone_partition: config.request.tombstone_partition.clone(),
        }
    }

    /// The name of the object whose first record has `start_offset`.
    ///
    /// # Errors
    /// Class `Record` when S3 cannot hold the name; class `Fatal` when it contains the text of
    /// `tombstone.encoded.partition` (Java finds no value writer for such a name, so the task fails there
    /// too).
    pub(crate) fn object_name(
        &self,
        partition: &TopicPartition,
        encoded_partition: &str,
        start_offset: i64,
    ) -> Result<String, S3SinkError> {
        let Self { topics_dir, directory_delim: dd, file_delim: fd, extension, .. } = self;
        let TopicPartition { topic, partition } = partition;
        let width = self.offset_pad_width.min(OBJECT_NAME_BYTES_MAX);
        let top = if topics_dir.is_empty() { String::new() } else { format!("{topics_dir}{dd}") };
        let name = format!(
            "{top}{topic}{dd}{encoded_partition}{dd}\
             {topic}{fd}{partition}{fd}{start_offset:0width$}{extension}"
        );
        if name.len() > OBJECT_NAME_BYTES_MAX {
            return Err(S3SinkError::Name {
                message: format!(
                    "an object name of {} bytes is longer than the {OBJECT_NAME_BYTES_MAX} that S3 allows; \
                     check partition.field.name",
                    name.len()
                ),
            });
        }
        if !self.tombstone_partition.is_empty() && name.contains(&self.tombstone_partition) {
            return Err(S3SinkError::Invariant {
                message: "Value writer not configured for SinkRecord: the object name contains the text of \
                          tombstone.encoded.partition; set that key to a text that no topic, directory or \
                          field value contains"
                    .to_owned(),
            });
        }
        Ok(name)
    }
}

/// The longest object name of S3.
const OBJECT_NAME_BYTES_MAX: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use lakeward_api::ErrorClass;

    fn names() -> ObjectNames {
        ObjectNames {
            topics_dir: "topics".to_owned(),
            directory_delim: "/".to_owned(),
            file_delim: "+".to_owned(),
            offset_pad_width: 10,
            extension: ".snappy.parquet".to_owned(),
            tombstone_partition: "tombstone".to_owned(),
        }
    }

    #[test]
    fn names_are_the_java_sinks() {
        let orders = TopicPartition::new("orders", 0);
        let name = |names: &ObjectNames, offset| names.object_name(&orders, "partition=0", offset).unwrap();
        assert_eq!(name(&names(), 12), "topics/orders/partition=0/orders+0+0000000012.snappy.parquet");
        let wide = 123_456_789_012;
        assert_eq!(name(&names(), wide), "topics/orders/partition=0/orders+0+123456789012.snappy.parquet");
        let unpadded = ObjectNames { offset_pad_width: 0, topics_dir: String::new(), ..names() };
        assert_eq!(name(&unpadded, 12), "orders/partition=0/orders+0+12.snappy.parquet");
        let delims = ObjectNames { directory_delim: "_".to_owned(), file_delim: "-".to_owned(), ..names() };
        assert_eq!(name(&delims, 1), "topics_orders_partition=0_orders-0-0000000001.snappy.parquet");
    }

    #[test]
    fn names_that_cannot_be_stored_are_refused() {
        let orders = TopicPartition::new("orders", 0);
        let long = names().object_name(&orders, &"x".repeat(1000), 0).unwrap_err();
        assert_eq!(long.class(), ErrorClass::Record);
        let tombstone = names().object_name(&orders, "kind=tombstone", 0).unwrap_err();
        assert_eq!(tombstone.class(), ErrorClass::Fatal);
        assert!(tombstone.to_string().starts_with("Value writer not configured for SinkRecord"));
    }
}
