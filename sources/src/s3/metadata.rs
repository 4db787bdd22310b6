//! Headers that say which object a record is from.
//!
//! Source: names and texts as a public test of the Confluent S3 source (`file.metadata.headers.enable`) looks
//! for them. It reads them as text, so that whether Java has `source.file.size` as INT64 or as STRING is not
//! known; the bytes are the same with the header converters of Kafka Connect.

use std::sync::Arc;

use chrono::SecondsFormat;
use lakeward_api::header::{HeaderColumn, HeaderRows, HeaderValues};
use lakeward_api::schema::{Kind, Schema};
use lakeward_api::value::Value;
use object_store::ObjectMeta;

/// The headers of every record of `object`: name without directories, whole name, modification, bytes.
pub(super) fn headers(object: &ObjectMeta) -> HeaderRows {
    let path = object.location.as_ref();
    let name = path.rsplit('/').next().unwrap_or(path);
    let modified = object.last_modified.to_rfc3339_opts(SecondsFormat::AutoSi, true);
    let text = |text: &str| (Kind::String, Value::String(text.into()));
    let bytes = i64::try_from(object.size).unwrap_or(i64::MAX);
    let headers = [
        ("source.file.name", text(name)),
        ("source.file.path", text(path)),
        ("source.file.last_modified", text(&modified)),
        ("source.file.size", (Kind::Int64, Value::Int64(bytes))),
    ];
    let column = |(key, (kind, value)): (&str, (Kind, Value))| HeaderColumn {
        key: key.into(),
        values: HeaderValues::Constant { schema: Some(Arc::new(Schema::new(kind))), value },
    };
    HeaderRows::of_columns(headers.into_iter().map(column).collect())
}
