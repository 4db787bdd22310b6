//! Object names. A name is a function of topic, partition, encoded partition, first offset and configuration,
//! and of nothing else: that is what makes files written again replace themselves.
//!
//! Source: `TopicPartitionWriter#getCommitFilename`, `FileUtils#fileKeyToCommit`, Confluent S3 sink.

use lakeward_api::record::TopicPartition;

use super::error::S3SinkError;
use super::settings::Settings;

/// Makes object names from a configuration.
#[derive(Clone, Debug)]
pub(crate) struct ObjectNames {
    topics_dir: String,
    directory_delim: String,
    file_delim: String,
    offset_pad_width: usize,
    extensions: Extensions,
    tombstone_partition: String,
    writes_tombstones: bool,
}

/// Ends of names, each with its dot; `None`: such objects are not stored.
#[derive(Clone, Debug)]
pub(crate) struct Extensions {
    /// Of values.
    pub(crate) values: String,
    /// Of keys.
    pub(crate) keys: Option<String>,
    /// Of headers.
    pub(crate) headers: Option<String>,
}

/// The names of the objects of one part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileNames {
    /// `None`: its records have null values, which are not stored.
    pub(crate) values: Option<String>,
    /// `None`: keys are not stored.
    pub(crate) keys: Option<String>,
    /// `None`: headers are not stored.
    pub(crate) headers: Option<String>,
}

impl ObjectNames {
    /// Names as `settings` say.
    pub(crate) fn new(settings: &Settings, extensions: Extensions) -> Self {
        Self {
            topics_dir: settings.layout.topics_dir.clone(),
            directory_delim: settings.layout.directory_delim.clone(),
            file_delim: settings.layout.file_delim.clone(),
            offset_pad_width: usize::try_from(settings.connector.offset_pad_width)
                .unwrap_or(OBJECT_NAME_BYTES_MAX),
            extensions,
            tombstone_partition: settings.output.tombstone_partition.clone(),
            writes_tombstones: settings.tombstone_partition().is_some(),
        }
    }

    /// The names of the objects whose first record has `start_offset`.
    ///
    /// # Errors
    /// Class `Record` when S3 cannot hold a name; class `Fatal` when that of values contains the text of
    /// `tombstone.encoded.partition` (Java finds no value writer for such a name, so the task fails there
    /// too).
    pub(crate) fn of_part(
        &self,
        partition: &TopicPartition,
        encoded_partition: &str,
        start_offset: i64,
    ) -> Result<FileNames, S3SinkError> {
        let Self { topics_dir, directory_delim: dd, file_delim: fd, extensions, .. } = self;
        let TopicPartition { topic, partition } = partition;
        let width = self.offset_pad_width.min(OBJECT_NAME_BYTES_MAX);
        let top = if topics_dir.is_empty() { String::new() } else { format!("{topics_dir}{dd}") };
        let base = format!(
            "{top}{topic}{dd}{encoded_partition}{dd}{topic}{fd}{partition}{fd}{start_offset:0width$}"
        );
        let holds_values = !(self.writes_tombstones && encoded_partition == self.tombstone_partition);
        let names = FileNames {
            values: holds_values.then(|| format!("{base}{}", extensions.values)),
            keys: extensions.keys.as_ref().map(|extension| format!("{base}.keys{extension}")),
            headers: extensions.headers.as_ref().map(|extension| format!("{base}.headers{extension}")),
        };
        let longest =
            [&names.values, &names.keys, &names.headers].into_iter().flatten().map(String::len).max();
        if let Some(length) = longest.filter(|length| *length > OBJECT_NAME_BYTES_MAX) {
            return Err(S3SinkError::Name {
                message: format!(
                    "an object name of {length} bytes is longer than the {OBJECT_NAME_BYTES_MAX} that S3 \
                     allows; check partition.field.name"
                ),
            });
        }
        let name = names.values.as_deref().unwrap_or_default();
        if !self.tombstone_partition.is_empty() && name.contains(&self.tombstone_partition) {
            return Err(S3SinkError::Invariant {
                message: format!(
                    "{NO_VALUE_WRITER}: the object name contains the text of tombstone.encoded.partition; \
                     set that key to a text that no topic, directory or field value contains"
                ),
            });
        }
        Ok(names)
    }
}

/// What Java says of a value that goes to the place of tombstones.
pub(crate) const NO_VALUE_WRITER: &str = "Value writer not configured for SinkRecord";

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
            extensions: Extensions { values: ".snappy.parquet".to_owned(), keys: None, headers: None },
            tombstone_partition: "tombstone".to_owned(),
            writes_tombstones: false,
        }
    }

    #[test]
    fn names_are_the_java_sinks() {
        let orders = TopicPartition::new("orders", 0);
        let name = |names: &ObjectNames, offset| {
            names.of_part(&orders, "partition=0", offset).unwrap().values.unwrap()
        };
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
        let long = names().of_part(&orders, &"x".repeat(1000), 0).unwrap_err();
        assert_eq!(long.class(), ErrorClass::Record);
        let tombstone = names().of_part(&orders, "kind=tombstone", 0).unwrap_err();
        assert_eq!(tombstone.class(), ErrorClass::Fatal);
        assert!(tombstone.to_string().starts_with("Value writer not configured for SinkRecord"));
    }

    #[test]
    fn keys_and_headers_are_beside_values_and_alone_for_tombstones() {
        let orders = TopicPartition::new("orders", 0);
        let extensions = Extensions {
            values: ".json.gz".to_owned(),
            keys: Some(".avro".to_owned()),
            headers: Some(".json.gz".to_owned()),
        };
        let names = ObjectNames { extensions, writes_tombstones: true, ..names() };
        let found = names.of_part(&orders, "partition=0", 12).unwrap();
        let base = "topics/orders/partition=0/orders+0+0000000012";
        assert_eq!(found.values, Some(format!("{base}.json.gz")));
        assert_eq!(found.keys, Some(format!("{base}.keys.avro")));
        assert_eq!(found.headers, Some(format!("{base}.headers.json.gz")));
        let found = names.of_part(&orders, "tombstone", 12).unwrap();
        let base = "topics/orders/tombstone/orders+0+0000000012";
        assert_eq!(found.values, None);
        assert_eq!(found.keys, Some(format!("{base}.keys.avro")));
        assert_eq!(found.headers, Some(format!("{base}.headers.json.gz")));
        assert_eq!(names.of_part(&orders, "a/tombstone", 0).unwrap_err().class(), ErrorClass::Fatal);
        let unwritten = ObjectNames { writes_tombstones: false, ..names };
        assert_eq!(unwritten.of_part(&orders, "tombstone", 0).unwrap_err().class(), ErrorClass::Fatal);
    }
}
