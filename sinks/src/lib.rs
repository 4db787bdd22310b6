//! Sink connectors, one folder and one feature each.

use std::sync::Arc;

use lakeward_api::plugin::SinkConnector;

#[cfg(feature = "sink-aiven")]
pub mod aiven;
#[cfg(feature = "sink-azure")]
pub mod azure;
#[cfg(feature = "sink-file")]
pub mod file_stream;
#[cfg(feature = "sink-gcs")]
pub mod gcs;
#[cfg(feature = "sink-iceberg")]
pub mod iceberg;
#[cfg(any(feature = "sink-file", feature = "sink-test"))]
mod lines;
#[cfg(test)]
mod rig;
#[cfg(feature = "sink-s3")]
pub mod s3;
#[cfg(feature = "sink-test")]
pub mod test_plugins;
#[cfg(any(feature = "sink-file", feature = "sink-iceberg", feature = "sink-test"))]
mod texts;

/// The release of Apache Kafka whose connectors are rebuilt here; what REST answers call their version.
#[cfg(any(feature = "sink-file", feature = "sink-test"))]
const KAFKA_VERSION: &str = "4.1.0";

/// Every sink connector of this build.
pub fn connectors() -> Vec<Arc<dyn SinkConnector>> {
    vec![
        #[cfg(feature = "sink-azure")]
        Arc::new(azure::AzureBlobStorageSinkConnector),
        #[cfg(feature = "sink-azure")]
        Arc::new(azure::AzureDataLakeGen2SinkConnector),
        #[cfg(feature = "sink-file")]
        Arc::new(file_stream::FileStreamSinkConnector),
        #[cfg(feature = "sink-gcs")]
        // Confluent's comes before Aiven's: both have the same simple name.
        Arc::new(gcs::GcsSinkConnector),
        #[cfg(feature = "sink-aiven")]
        Arc::new(aiven::AivenAzureBlobSinkConnector),
        #[cfg(feature = "sink-aiven")]
        Arc::new(aiven::AivenGcsSinkConnector),
        #[cfg(feature = "sink-aiven")]
        Arc::new(aiven::AivenS3SinkConnector),
        #[cfg(feature = "sink-iceberg")]
        Arc::new(iceberg::IcebergSinkConnector::apache()),
        #[cfg(feature = "sink-iceberg")]
        Arc::new(iceberg::IcebergSinkConnector::tabular()),
        #[cfg(feature = "sink-s3")]
        Arc::new(s3::S3SinkConnector),
        #[cfg(feature = "sink-test")]
        Arc::new(test_plugins::MockSinkConnector),
        #[cfg(feature = "sink-test")]
        Arc::new(test_plugins::VerifiableSinkConnector),
    ]
}
