//! Required keys, ranges and choices, each with Kafka's words; and checks over stored keys and headers.

use super::*;

/// The first error of `name` when it is set to `text`.
fn problem(name: &str, text: &str) -> String {
    let mut config = minimal();
    config.insert(name.to_owned(), text.to_owned());
    let value = validate(&config).into_iter().find(|value| value.name == name).unwrap();
    value.errors.first().cloned().unwrap_or_default()
}

#[test]
fn every_required_key_is_named_at_once() {
    let missing: Vec<String> = validate(&ConfigMap::new())
        .into_iter()
        .filter(|value| value.errors.iter().any(|error| error.starts_with("Missing required configuration")))
        .map(|value| value.name)
        .collect();
    assert_eq!(missing, ["format.class", "flush.size", "s3.bucket.name", "storage.class"]);
}

#[test]
fn numbers_outside_their_range_are_refused() {
    let cases = [
        ("s3.part.size", "5242879", "Part size must be at least: 5242880 bytes (5MB)"),
        ("s3.part.size", "2147483648", "Not a number of type INT"),
        ("s3.compression.level", "-2", "Value must be at least -1"),
        ("s3.compression.level", "10", "Value must be no more than 9"),
        ("s3.part.retries", "-1", "Value must be at least 0"),
        ("s3.retry.backoff.ms", "-1", "Value must be at least 0"),
        ("filename.offset.zero.pad.width", "-1", "Value must be at least 0"),
        ("s3.elastic.buffer.init.capacity", "4095", "Value must be at least 4096"),
        ("flush.size", "many", "Not a number of type INT"),
        ("rotate.interval.ms", "1.5", "Not a number of type LONG"),
        ("store.kafka.keys", "yes", "Expected value to be either true or false"),
    ];
    for (name, text, expected) in cases {
        assert_eq!(problem(name, text), format!("Invalid value {text} for configuration {name}: {expected}"));
    }
    for (name, text) in [
        ("s3.part.size", "5242880"),
        ("s3.part.size", "2147483647"),
        ("filename.offset.zero.pad.width", "0"),
        ("flush.size", "-1"),
        ("s3.part.retries", "0"),
    ] {
        assert_eq!(problem(name, text), "", "{name}={text}");
    }
}

#[test]
fn choices_keep_javas_rules_of_case_and_its_words() {
    let codecs = "Value must be one of: [none, gzip, snappy, lz4, brotli, lz4_raw, zstd, lzo]";
    let acls = "Value must be one of: [private, public-read, public-read-write, authenticated-read, \
                aws-exec-read, bucket-owner-read, bucket-owner-full-control]";
    for (name, text, expected) in [
        ("s3.compression.type", "GZIP", "Value must be one of: [none, gzip]"),
        ("parquet.codec", "SNAPPY", codecs),
        ("s3.acl.canned", "everybody", acls),
        ("avro.codec", "lzma", "String must be one of: null, deflate, snappy, bzip2"),
        ("s3.ssea.name", "none", "String must be one of: , AES256, aws:kms, aws:kms:dsse"),
        ("s3.schema.partition.affix.type", "prefix", "String must be one of: SUFFIX, PREFIX, NONE"),
        ("json.decimal.format", "HEX", "String must be one of (case insensitive): NUMERIC, BASE64"),
        ("behavior.on.null.values", "skip", "String must be one of: ignore, fail, write"),
        ("s3.object.behavior.on.tagging.error", "skip", "String must be one of: ignore, fail"),
        ("timezone", "Mars/Base", "The datetime zone id 'Mars/Base' is not recognised"),
    ] {
        assert_eq!(problem(name, text), format!("Invalid value {text} for configuration {name}: {expected}"));
    }
    let fields = problem("partition.field.name", "a,b..c");
    assert!(
        fields.ends_with("Field name cannot contain an empty or whitespace-only path segment"),
        "{fields}"
    );
    for (name, text) in [
        ("json.decimal.format", "numeric"),
        ("behavior.on.null.values", "IGNORE"),
        ("s3.object.behavior.on.tagging.error", "FAIL"),
        ("parquet.codec", "lz4_raw"),
    ] {
        assert_eq!(problem(name, text), "", "{name}={text}");
    }
}

/// Source: `S3SinkConnectorValidator`, `FieldPartitionerValidator`.
#[test]
fn what_keys_mean_together_is_told_in_javas_words() {
    let told = |pairs: &[(&str, &str)], name: &str| {
        let mut config = minimal();
        config.extend(props(pairs));
        validate(&config).into_iter().find(|value| value.name == name).unwrap().errors
    };
    let field = "io.confluent.connect.storage.partitioner.FieldPartitioner";
    assert_eq!(
        told(&[("partitioner.class", field)], "partition.field.name"),
        ["Partition field name cannot be null or empty when using FieldPartitioner."]
    );
    for name in ["s3.wan.mode", "s3.path.style.access.enabled"] {
        assert_eq!(
            told(&[("s3.wan.mode", "true")], name),
            ["Both accelerate mode and path style access are being enabled. These options are mutually \
              exclusive and cannot be enabled together. Please disable one of them"]
        );
    }
    for name in ["behavior.on.null.values", "store.kafka.keys"] {
        assert_eq!(
            told(&[("behavior.on.null.values", "write")], name),
            ["Writing Kafka record keys to storage is mandatory when tombstone writing is enabled."]
        );
    }
    assert_eq!(
        told(&[("rotate.schedule.interval.ms", "1")], "timezone"),
        ["timezone configuration must be set when using rotate.schedule.interval.ms"]
    );
}

#[test]
fn classes_that_do_not_exist_are_named() {
    let names = ["format.class", "storage.class", "partitioner.class", "keys.format.class"];
    for name in names {
        let found = problem(name, "com.example.Missing");
        assert!(found.ends_with("Class com.example.Missing could not be found."), "{found}");
    }
}

#[test]
fn gzip_with_stored_avro_keys_or_headers_is_an_error_on_three_keys() {
    for (switch, format) in
        [("store.kafka.keys", "keys.format.class"), ("store.kafka.headers", "headers.format.class")]
    {
        let mut config = minimal();
        config.extend(props(&[("s3.compression.type", "gzip"), (switch, "true")]));
        let mut named: Vec<String> = validate(&config)
            .into_iter()
            .filter(|value| value.errors.iter().any(|error| error.starts_with("Compression Type gzip")))
            .map(|value| value.name)
            .collect();
        named.sort();
        let mut expected = [switch, format, "s3.compression.type"];
        expected.sort_unstable();
        assert_eq!(named, expected);
    }
}

#[test]
fn a_top_directory_that_objects_could_not_be_in_is_refused() {
    for top in ["/topics", "topics/", "a//b", "../a", "a/.", "/"] {
        assert_eq!(refused(&[("topics.dir", top)]), ["topics.dir"], "{top}");
    }
    for top in ["", "a/b", ".a", "a b"] {
        assert!(refused(&[("topics.dir", top)]).is_empty(), "{top}");
    }
    let found = problem("topics.dir", "raw//a/");
    assert!(found.contains("raw//a//<topic>/…") && found.contains("Use 'raw/a'"), "{found}");
}

#[test]
fn a_task_is_refused_with_all_problems_of_its_configuration() {
    let mut config = minimal();
    config.extend(props(&[("s3.part.size", "1"), ("parquet.codec", "lzo")]));
    let err = super::super::S3Config::parse(&config).unwrap_err();
    assert_eq!(err.class(), lakeward_api::ErrorClass::Config);
    assert!(err.to_string().contains("s3.part.size") && err.to_string().contains("LZO"), "{err}");
}
