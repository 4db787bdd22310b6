//! Source connectors, one folder each.
//!
//! They turn the outside world into batches with positions. They must not know Kafka clients or the runtime,
//! and never wait: what blocks runs behind the bridge.

mod blocking;
mod position;
#[cfg(test)]
mod rig;

#[cfg(feature = "source-test")]
mod console;
#[cfg(feature = "source-datagen")]
pub mod datagen;
#[cfg(feature = "source-file")]
pub mod file_stream;
#[cfg(feature = "source-s3")]
pub mod s3;
#[cfg(feature = "source-test")]
pub mod test_plugins;

use std::sync::Arc;

use lakeward_api::source::SourceConnector;

/// The release of Apache Kafka whose connectors are rebuilt here; what REST answers call their version.
const KAFKA_VERSION: &str = "4.1.0";

/// Every source connector of this build.
pub fn connectors() -> Vec<Arc<dyn SourceConnector>> {
    vec![
        #[cfg(feature = "source-datagen")]
        Arc::new(datagen::DatagenConnector),
        #[cfg(feature = "source-file")]
        Arc::new(file_stream::FileStreamSourceConnector),
        #[cfg(feature = "source-s3")]
        // Confluent's comes first: both have the same simple name.
        Arc::new(s3::S3SourceConnector),
        #[cfg(feature = "source-s3")]
        Arc::new(s3::AivenS3SourceConnector),
        #[cfg(feature = "source-test")]
        Arc::new(test_plugins::MockSourceConnector),
        #[cfg(feature = "source-test")]
        Arc::new(test_plugins::SchemaSourceConnector),
        #[cfg(feature = "source-test")]
        Arc::new(test_plugins::VerifiableSourceConnector),
    ]
}
