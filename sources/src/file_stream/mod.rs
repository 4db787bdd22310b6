//! `FileStreamSourceConnector`: the lines of a text file, or of the standard input, as they are appended.
//!
//! One task, one record per line. Source partition `{"filename": path}`, source offset `{"position": bytes}`:
//! the bytes before the next line. Records have no key, a STRING value and the time of reading as timestamp.
//! Files are read in pieces on blocking threads; a line that is not complete yet waits in memory, up to 64
//! MiB.
//!
//! Differences from Java: positions count bytes (Java counts UTF-16 units, but seeks in bytes: after a
//! restart it repeats parts of lines that are not ASCII); a file that cannot be read, a directory for one,
//! fails the task.
//!
//! Source: `FileStreamSourceConnector` and `FileStreamSourceTask`, Kafka 4.1.

mod connector;
mod lines;
mod reader;
mod task;
#[cfg(test)]
mod tests;

pub use connector::FileStreamSourceConnector;
