//! Keys of formats: keys and headers beside values, tombstones, Parquet.

use lakeward_formats::file::{ParquetCodec, ParquetSorting, ParquetStatistics};

use super::*;
use crate::s3::config::{FormatKind, S3Config};

fn parsed(pairs: &[(&str, &str)]) -> S3Config {
    let mut config = minimal();
    config.extend(props(pairs));
    S3Config::parse(&config).unwrap()
}

/// The errors of `name` when `pairs` are added to a valid configuration.
fn errors(pairs: &[(&str, &str)], name: &str) -> Vec<String> {
    let mut config = minimal();
    config.extend(props(pairs));
    validate(&config).into_iter().find(|value| value.name == name).unwrap().errors
}

#[test]
fn keys_and_headers_have_formats_only_when_they_are_stored() {
    let config = parsed(&[("keys.format.class", "JsonFormat")]);
    let output = &config.settings.output;
    assert_eq!((output.keys_format, output.headers_format), (None, None));
    let config = parsed(&[
        ("store.kafka.keys", "true"),
        ("keys.format.class", "ByteArrayFormat"),
        ("store.kafka.headers", "true"),
    ]);
    assert_eq!(config.settings.output.keys_format, Some(FormatKind::Bytes));
    assert_eq!(config.settings.output.headers_format, Some(FormatKind::Avro));
    let bytes = [("store.kafka.headers", "true"), ("headers.format.class", "ByteArrayFormat")];
    assert_eq!(refused(&bytes), ["store.kafka.headers", "headers.format.class"]);
    assert!(refused(&bytes[1..]).is_empty());
}

#[test]
fn gzip_needs_formats_of_lines_for_everything_that_is_stored() {
    let avro_keys = [("s3.compression.type", "gzip"), ("store.kafka.keys", "true")];
    assert_eq!(refused(&avro_keys), ["s3.compression.type", "store.kafka.keys", "keys.format.class"]);
    let class = "io.confluent.connect.s3.format.avro.AvroFormat";
    assert_eq!(
        errors(&avro_keys, "keys.format.class"),
        [format!("Compression Type gzip not valid for keys format class: ( {class} ).")]
    );
    let json_keys = [avro_keys[0], avro_keys[1], ("keys.format.class", "JsonFormat")];
    assert!(refused(&json_keys).is_empty());
}

#[test]
fn tombstones_need_keys_and_a_directory() {
    let alone = [("behavior.on.null.values", "WRITE")];
    assert_eq!(
        errors(&alone, "behavior.on.null.values"),
        ["Writing Kafka record keys to storage is mandatory when tombstone writing is enabled."]
    );
    let with_keys = [alone[0], ("store.kafka.keys", "true")];
    assert_eq!(parsed(&with_keys).settings.tombstone_partition(), Some("tombstone"));
    assert_eq!(parsed(&with_keys[1..]).settings.tombstone_partition(), None);
    for directory in ["", "/gone", "a//b", "../x"] {
        let named = [with_keys[0], with_keys[1], ("tombstone.encoded.partition", directory)];
        assert_eq!(refused(&named), ["tombstone.encoded.partition"], "{directory}");
        assert!(refused(&named[2..]).is_empty());
    }
}

#[test]
fn lzo_is_refused_with_a_remedy() {
    let given = [("parquet.codec", "lzo")];
    assert_eq!(refused(&given), ["parquet.codec"]);
    assert!(errors(&given, "parquet.codec")[0].contains("Use zstd, snappy or gzip"));
    assert!(refused(&[("parquet.codec", "brotli"), ("allow.optional.map.keys", "true")]).is_empty());
}

#[test]
fn parquet_settings_are_parsed() {
    let config = parsed(&[
        ("lakeward.parquet.column.codecs", "text:zstd, a.b : none"),
        ("lakeward.parquet.sorting.columns", "city, n desc,at asc"),
        ("lakeward.parquet.statistics", "chunk"),
        ("lakeward.parquet.dictionary.enabled", "false"),
        ("lakeward.parquet.bloom.filter.fpp", "0.001"),
    ]);
    let parquet = &config.settings.parquet;
    let codecs = [("text".to_owned(), ParquetCodec::Zstd), ("a.b".to_owned(), ParquetCodec::None)];
    assert_eq!(parquet.codecs(), codecs);
    let by = |column: &str, descending| ParquetSorting { column: column.to_owned(), descending };
    assert_eq!(parquet.sorting(), [by("city", false), by("n", true), by("at", false)]);
    assert_eq!((parquet.statistics(), parquet.dictionary_bytes_max()), (ParquetStatistics::Chunk, None));
    assert!((parquet.bloom_rate - 0.001).abs() < 1e-9);
    let usual = parsed(&[]).settings.parquet;
    assert_eq!((usual.page_bytes, usual.page_rows), (65_536, 20_000));
    assert_eq!(usual.dictionary_bytes_max(), Some(65_536));
    assert!(usual.two_level_lists && usual.sorting().is_empty() && usual.codecs().is_empty());
}

#[test]
fn parquet_settings_that_cannot_be_are_refused() {
    let cases = [
        ("lakeward.parquet.page.bytes", "1023"),
        ("lakeward.parquet.page.rows", "0"),
        ("lakeward.parquet.dictionary.bytes", "12"),
        ("lakeward.parquet.statistics", "row"),
        ("lakeward.parquet.bloom.filter.columns", "a..b"),
        ("lakeward.parquet.bloom.filter.fpp", "0"),
        ("lakeward.parquet.bloom.filter.fpp", "1.0"),
        ("lakeward.parquet.bloom.filter.fpp", "NaN"),
        ("lakeward.parquet.column.codecs", "text"),
        ("lakeward.parquet.column.codecs", "text:lzo"),
        ("lakeward.parquet.column.codecs", ":zstd"),
        ("lakeward.parquet.sorting.columns", "a down"),
        ("lakeward.parquet.write.old.list.structure", "maybe"),
    ];
    for case in cases {
        assert_eq!(refused(&[case]), [case.0], "{case:?}");
    }
}

#[test]
fn sorted_rows_cannot_have_keys_or_headers_beside_them() {
    let sorted = ("lakeward.parquet.sorting.columns", "a");
    let expected = ["store.kafka.keys", "lakeward.parquet.sorting.columns"];
    assert_eq!(refused(&[sorted, ("store.kafka.keys", "true")]), expected);
    let expected = ["store.kafka.headers", "lakeward.parquet.sorting.columns"];
    assert_eq!(refused(&[sorted, ("store.kafka.headers", "true")]), expected);
    assert!(refused(&[sorted]).is_empty());
}
