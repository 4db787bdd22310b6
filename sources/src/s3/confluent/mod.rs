//! `io.confluent.connect.s3.source.S3SourceConnector`. Mode RESTORE_BACKUP: what the S3 sink wrote goes back
//! to the topics and partitions it came from. Mode GENERIC: objects of any name go to topics. Values only, as
//! with Java: objects of keys and headers are left out.
//!
//! Source: documentation of the Confluent S3 source, its published configuration; names and formats are those
//! of the Confluent S3 sink. Java's offsets are not documented, so ours are our own (decision 0012).

mod backup;
mod checks;
mod connector;
mod csv;
mod generic;
mod generic_keys;
mod keys;
mod names;

pub use connector::S3SourceConnector;
