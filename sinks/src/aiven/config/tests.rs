//! Definition and words, beside those of Java (Aiven's cloud storage connectors at 89e55a98).

use lakeward_api::config::{ConfigMap, DefaultValue};
use lakeward_formats::file::FileCompression;

use super::*;

fn props(pairs: &[(&str, &str)]) -> ConfigMap {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// What validation says of one value.
fn problems(name: &str, value: &str) -> Vec<String> {
    validate(&props(&[(name, value)])).into_iter().flat_map(|value| value.errors).collect()
}

#[test]
fn the_definition_is_javas() {
    let golden = include_str!("golden.tsv");
    let default = |default: &DefaultValue| match default {
        DefaultValue::Null => "null".to_owned(),
        DefaultValue::Required => "REQ".to_owned(),
        DefaultValue::Text(text) => text.clone(),
    };
    let ours: Vec<String> = config_def()
        .keys()
        .iter()
        .map(|key| {
            let recommended = match key.recommended_values.is_empty() {
                true => "-".to_owned(),
                false => format!("[{}]", key.recommended_values.join(", ")),
            };
            let group = key.group.clone().unwrap_or_else(|| "null".to_owned());
            format!(
                "{}\t{}\t{}\t{}\t{group}\t{}\t{}\t{}\t[{}]\t{recommended}",
                key.name,
                key.kind.as_str(),
                default(&key.default),
                key.importance.as_str(),
                key.order,
                key.width.as_str(),
                key.display_name,
                key.dependents.join(", "),
            )
        })
        .collect();
    assert_eq!(ours.join("\n"), golden.trim_end());
}

#[test]
fn problems_of_single_values_are_in_javas_words() {
    let golden = include_str!("golden_problems.tsv");
    for line in golden.lines() {
        let [name, value, problem] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let found = problems(name, &value.replace("\\t", "\t")).join(", ");
        match problem.strip_suffix("...") {
            Some(start) => assert!(found.starts_with(start), "{found}"),
            None => assert_eq!(found, problem, "{name} = {value}"),
        }
    }
    for (name, value) in [
        ("file.name.timestamp.timezone", "+2"),
        ("file.name.timestamp.timezone", "UTC+1"),
        ("file.name.timestamp.source", "event"),
        ("file.compression.type", "GZIP"),
        ("format.output.type", "CSV"),
        ("format.output.fields", "KEY,value"),
        ("file.name.template", "{{x}}"),
        ("kafka.retry.backoff.ms", "-1"),
        ("aws.s3.endpoint", "host"),
    ] {
        assert_eq!(problems(name, value), [""; 0], "{name} = {value}");
    }
}

fn start(pairs: &[(&str, &str)]) -> Result<AivenConfig, String> {
    let bucket = [("aws.s3.bucket.name", "abc")];
    AivenConfig::parse(&props(&[&bucket, pairs].concat()))
        .map_err(|error| error.trace().trim_end().to_owned())
}

#[test]
fn what_keys_mean_together_is_judged_at_the_start() {
    const CONFIG: &str = "org.apache.kafka.common.config.ConfigException: ";
    let none = AivenConfig::parse(&ConfigMap::new()).unwrap_err().trace();
    let none = none.trim_end();
    assert_eq!(
        none,
        format!("{CONFIG}Neither aws.s3.bucket.name nor aws_s3_bucket properties have been set")
    );
    let refused = |pairs: &[(&str, &str)]| start(pairs).unwrap_err();
    assert_eq!(
        refused(&[("file.name.template", "{{key}}"), ("file.max.records", "2")]),
        format!(
            "{CONFIG}When file.name.template is {{{{key}}}}, file.max.records must be either 1 or not set"
        )
    );
    let envelope = format!(
        "{CONFIG}When format.output.envelope is false, format.output.fields must contain only one field"
    );
    assert_eq!(refused(&[("format.output.envelope", "false")]), envelope);
    assert_eq!(refused(&[("format.output.envelope", "false"), ("output_fields", "value")]), envelope);
    assert_eq!(
        refused(&[("kafka.retry.backoff.ms", "-1")]),
        format!(
            "{CONFIG}Invalid value -1 for configuration kafka.retry.backoff.ms: Value must be at least 0"
        )
    );
    let role = [
        ("aws.sts.role.arn", "a"),
        ("aws.sts.role.session.name", "b"),
        ("aws.sts.config.endpoint", "http://x"),
    ];
    assert_eq!(
        refused(&role),
        format!("{CONFIG}aws.s3.region should be specified together with aws.sts.config.endpoint")
    );
    assert_eq!(
        refused(&[("aws.s3.prefix", "x{{a:}}")]),
        "java.lang.IllegalArgumentException: Wrong variable with parameter definition"
    );
}

#[test]
fn names_say_the_compression_that_was_asked_for() {
    let named = |pairs: &[(&str, &str)]| {
        let config = start(pairs).unwrap();
        (config.template.text().to_owned(), config.compression, config.parquet_codec)
    };
    let usual = "{{topic}}-{{partition}}-{{start_offset}}";
    let gzip = Some(FileCompression::Gzip);
    assert_eq!(named(&[]), (usual.to_owned(), gzip, "none"));
    assert_eq!(named(&[("file.compression.type", "gzip")]), (format!("{usual}.gz"), gzip, "gzip"));
    assert_eq!(named(&[("format.output.type", "avro")]), (format!("{usual}.avro"), gzip, "none"));
    let old = ("output_compression", "snappy");
    assert_eq!(named(&[old]), (usual.to_owned(), Some(FileCompression::Snappy), "none"));
    assert_eq!(named(&[old, ("format.output.type", "parquet")]), (usual.to_owned(), None, "none"));
    let parquet = [("file.compression.type", "zstd"), ("format.output.type", "parquet")];
    assert_eq!(named(&parquet), (format!("{usual}.zst"), None, "zstd"));
}

#[test]
fn old_names_count_where_new_ones_are_missing() {
    let old = [
        ("aws_s3_bucket", "old-bucket"),
        ("aws_s3_endpoint", "http://old:1"),
        ("aws_s3_region", "eu-west-1"),
        ("aws_access_key_id", "id"),
        ("aws_secret_access_key", "secret"),
        ("output_fields", "key,offset"),
    ];
    let config = AivenConfig::parse(&props(&old)).unwrap();
    assert_eq!(config.fields, [RecordField::Key, RecordField::Offset]);
    let s3 = config.s3().unwrap();
    assert_eq!((s3.bucket.bucket.as_str(), s3.bucket.region.as_str()), ("old-bucket", "eu-west-1"));
    assert_eq!((s3.store_url.as_deref(), s3.companion.path_style), (Some("http://old:1"), true));
    assert_eq!(s3.bucket.access_key_id, "", "old credentials have no effect, as in Java");
    let new =
        [("aws.s3.bucket.name", "new-bucket"), ("aws.access.key.id", "id"), ("aws.secret.access.key", "s")];
    let s3 = AivenConfig::parse(&props(&[old.as_slice(), &new].concat())).unwrap().s3().unwrap();
    assert_eq!((s3.bucket.bucket.as_str(), s3.bucket.access_key_id.as_str()), ("new-bucket", "id"));
}

#[test]
fn a_role_is_assumed_when_it_has_a_session() {
    let role = [("aws.sts.role.arn", "arn:aws:iam::1:role/lake"), ("aws.s3.region", "eu-west-1")];
    let provider = |pairs: &[(&str, &str)]| start(pairs).unwrap().s3().unwrap().provider;
    assert_eq!(provider(&role), lakeward_objectstore::credentials::Provider::Default);
    let full = [role.as_slice(), &[("aws.sts.role.session.name", "s")]].concat();
    let lakeward_objectstore::credentials::Provider::Role(role) = provider(&full) else { panic!("no role") };
    assert_eq!((role.session_name.as_str(), role.external_id.as_str()), ("s", ""));
    assert_eq!(role.region.as_deref(), Some("eu-west-1"));
}
