//! Source connectors, one folder each. None ships yet: the source contract of `lakeward-api` comes with the
//! first one.
//!
//! A source must not commit a position before the records up to it are acknowledged by the broker.
