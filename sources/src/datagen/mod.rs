//! `DatagenConnector`: records made up from an Avro schema whose types say how (`arg.properties`).
//!
//! Each task makes `iterations` records, or goes on for ever, one per pause of at most `max.interval` ms, or
//! as fast as it can. Source partition `{"task.id": n}`; source offset `{"task.generation", "random.seed",
//! "current.iteration"}`: a task goes on where the one before it ended. The same seed gives the same data,
//! but not the data that Java's generator makes of it.
//!
//! The ready-made schemas have the names, fields and ranges of Confluent's; most texts are our own.
//! Not built: unions of more than null and one type, and options from a file.
//!
//! Source: `DatagenConnector` 0.7 and the schema annotations of `avro-random-generator` 0.4.

mod avro;
mod avro_types;
mod connector;
mod generate;
mod iteration;
mod keys;
mod options;
mod pattern;
mod quickstart;
mod random;
mod recipe;
mod task;
#[cfg(test)]
mod tests;

pub use connector::DatagenConnector;
