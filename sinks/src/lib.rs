//! Sink connectors, one folder and one feature each.

use std::sync::Arc;

use lakeward_api::plugin::SinkConnector;

#[cfg(feature = "sink-s3")]
pub mod s3;

/// Every sink connector of this build.
pub fn connectors() -> Vec<Arc<dyn SinkConnector>> {
    vec![
        #[cfg(feature = "sink-s3")]
        Arc::new(s3::S3SinkConnector),
    ]
}
