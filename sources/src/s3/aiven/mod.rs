//! `io.aiven.kafka.connect.s3.source.S3SourceConnector`: objects whose names a template describes, to a
//! topic.
//!
//! Source: Aiven's cloud storage connectors, S3 source: `{"bucket", "objectKey"}` → `{"recordCount"}` is
//! stored, keys of records are names of objects, tasks divide objects by hash or by partition.

mod connector;
mod keys;
mod template;

pub use connector::AivenS3SourceConnector;
