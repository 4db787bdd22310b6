//! Definition and words, beside those of Java (Aiven's cloud storage connectors at 89e55a98).

use lakeward_api::config::Password;
use lakeward_api::config::{ConfigDef, ConfigKey, ConfigMap, ConfigValue, DefaultValue};
use lakeward_formats::file::FileCompression;
use lakeward_objectstore::http::Growth;

use super::*;
use crate::azure::Identity;
use crate::gcs::Credentials;
use crate::s3::config::S3Config;

fn props(pairs: &[(&str, &str)]) -> ConfigMap {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// The definitions, what validation says, and both as Java has them: S3, GCS, Azure.
const SINKS: [(Definition, Validate, &str, &str); 3] = [
    (s3::config_def, s3::validate, include_str!("golden_s3.tsv"), include_str!("golden_s3_problems.tsv")),
    (gcs::config_def, gcs::validate, include_str!("golden_gcs.tsv"), include_str!("golden_gcs_problems.tsv")),
    (
        azure::config_def,
        azure::validate,
        include_str!("golden_azure.tsv"),
        include_str!("golden_azure_problems.tsv"),
    ),
];

type Definition = fn() -> ConfigDef;
/// The template, the compression, and that of Parquet.
type Named = (String, Option<FileCompression>, &'static str);
type Pairs = &'static [(&'static str, &'static str)];
type Validate = fn(&ConfigMap) -> Vec<ConfigValue>;

/// What validation says of one value.
fn problems(validate: Validate, name: &str, value: &str) -> Vec<String> {
    let needed = [("gcs.bucket.name", "b"), ("azure.storage.container.name", "c")];
    let props = props(&[&needed[..], &[(name, value)]].concat());
    validate(&props).into_iter().flat_map(|value| value.errors).collect()
}

#[test]
fn the_definitions_are_javas() {
    let default = |default: &DefaultValue| match default {
        DefaultValue::Null => "null".to_owned(),
        DefaultValue::Required => "REQ".to_owned(),
        DefaultValue::Text(text) => text.clone(),
    };
    let row = |key: &ConfigKey| {
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
    };
    for (config_def, _, golden, _) in SINKS {
        let ours: Vec<String> = config_def().keys().iter().map(row).collect();
        assert_eq!(ours.join("\n"), golden.trim_end());
    }
}

#[test]
fn problems_of_single_values_are_in_javas_words() {
    for (_, validate, _, golden) in SINKS {
        for line in golden.lines() {
            let [name, value, problem] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line}") };
            let found = problems(validate, name, &value.replace("\\t", "\t")).join(", ");
            match problem.strip_suffix("...") {
                Some(start) => assert!(found.starts_with(start), "{found}"),
                None => assert_eq!(found, problem, "{name} = {value}"),
            }
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
        assert_eq!(problems(s3::validate, name, value), [""; 0], "{name} = {value}");
    }
}

fn told(error: ConnectError) -> String {
    error.trace().trim_end().to_owned()
}

fn start(pairs: &[(&str, &str)]) -> Result<(AivenConfig, S3Config), String> {
    let bucket = [("aws.s3.bucket.name", "abc")];
    s3::parse(&props(&[&bucket, pairs].concat())).map_err(told)
}

#[test]
fn what_keys_mean_together_is_judged_at_the_start() {
    const CONFIG: &str = "org.apache.kafka.common.config.ConfigException: ";
    let none = told(s3::parse(&ConfigMap::new()).unwrap_err());
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
        let (config, _) = start(pairs).unwrap();
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
    let (config, s3) = s3::parse(&props(&old)).unwrap();
    assert_eq!(config.fields, [RecordField::Key, RecordField::Offset]);
    assert_eq!((s3.bucket.bucket.as_str(), s3.bucket.region.as_str()), ("old-bucket", "eu-west-1"));
    assert_eq!((s3.store_url.as_deref(), s3.companion.path_style), (Some("http://old:1"), true));
    assert_eq!(s3.bucket.access_key_id, "", "old credentials have no effect, as in Java");
    let new =
        [("aws.s3.bucket.name", "new-bucket"), ("aws.access.key.id", "id"), ("aws.secret.access.key", "s")];
    let (_, s3) = s3::parse(&props(&[old.as_slice(), &new].concat())).unwrap();
    assert_eq!((s3.bucket.bucket.as_str(), s3.bucket.access_key_id.as_str()), ("new-bucket", "id"));
}

#[test]
fn a_role_is_assumed_when_it_has_a_session() {
    let role = [("aws.sts.role.arn", "arn:aws:iam::1:role/lake"), ("aws.s3.region", "eu-west-1")];
    let provider = |pairs: &[(&str, &str)]| start(pairs).unwrap().1.provider;
    assert_eq!(provider(&role), lakeward_objectstore::credentials::Provider::Default);
    let full = [role.as_slice(), &[("aws.sts.role.session.name", "s")]].concat();
    let lakeward_objectstore::credentials::Provider::Role(role) = provider(&full) else { panic!("no role") };
    assert_eq!((role.session_name.as_str(), role.external_id.as_str()), ("s", ""));
    assert_eq!(role.region.as_deref(), Some("eu-west-1"));
}

/// A valid configuration of the GCS and the Azure sink.
const STORE: [(&str, &str); 3] = [
    ("gcs.bucket.name", "lake"),
    ("azure.storage.container.name", "lake"),
    ("azure.storage.connection.string", "AccountName=lake;AccountKey=c2VjcmV0"),
];

#[test]
fn gcs_and_azure_judge_together_what_java_judges_together() {
    const CONFIG: &str = "org.apache.kafka.common.config.ConfigException: ";
    let parse = |pairs: &[(&str, &str)]| {
        let props = props(&[&STORE[..], pairs].concat());
        let gcs = gcs::parse(&props).map(|(config, ..)| config).map_err(told);
        (gcs, azure::parse(&props).map(|(config, ..)| config).map_err(told))
    };
    let usual = "{{topic}}-{{partition}}-{{start_offset}}";
    let (zstd, snappy) = (Some(FileCompression::Zstd), Some(FileCompression::Snappy));
    let cases: [(Pairs, Named); 5] = [
        (&[], (usual.to_owned(), None, "none")),
        (&[("format.output.envelope", "false")], (usual.to_owned(), None, "none")),
        (
            &[("file.compression.type", "zstd"), ("format.output.type", "AVRO")],
            (format!("{usual}.avro.zst"), zstd, "zstd"),
        ),
        (
            &[("file.compression.type", "snappy"), ("format.output.type", "parquet")],
            (format!("{usual}.snappy"), None, "snappy"),
        ),
        (&[("file.compression.type", "snappy")], (format!("{usual}.snappy"), snappy, "snappy")),
    ];
    for (pairs, expected) in cases {
        let (gcs, azure) = parse(pairs);
        for config in [gcs.unwrap(), azure.unwrap()] {
            let found = (config.template.text().to_owned(), config.compression, config.parquet_codec);
            assert_eq!(found, expected, "{pairs:?}");
        }
    }
    let one_field = "When format.output.envelope is false, format.output.fields must contain only one field";
    let one_record = "When file.name.template is {{key}}, file.max.records must be either 1 or not set";
    let pause = "Invalid value -1 for configuration kafka.retry.backoff.ms: Value must be at least 0";
    let refusals: [(Pairs, &str); 3] = [
        (&[("format.output.envelope", "false"), ("format.output.fields", "key,value")], one_field),
        (&[("file.name.template", "{{key}}"), ("file.max.records", "2")], one_record),
        (&[("kafka.retry.backoff.ms", "-1")], pause),
    ];
    for (pairs, problem) in refusals {
        let (gcs, azure) = parse(pairs);
        assert_eq!([gcs.unwrap_err(), azure.unwrap_err()], [0, 1].map(|_| format!("{CONFIG}{problem}")));
    }
    let years = ("file.name.template", "{{topic}}{{partition}}{{start_offset}}{{timestamp:unit=YYYY}}");
    let (gcs, azure) = parse(&[years]);
    let texts = [gcs.unwrap(), azure.unwrap()].map(|config| config.template.text().to_owned());
    assert!(texts.iter().all(|text| text.ends_with("{{timestamp:unit=yyyy}}")), "{texts:?}");
    let none = azure::parse(&props(&STORE[..2])).map(drop).map_err(told).unwrap_err();
    assert_eq!(none, format!("{CONFIG}The configuration azure.storage.connection.string cannot be null."));
}

#[test]
fn gcs_takes_one_kind_of_credentials_and_none() {
    let parse = |pairs: &[(&str, &str)]| {
        let parsed = gcs::parse(&props(&[&STORE[..1], pairs].concat()));
        parsed.map(|(_, _, bucket)| bucket).map_err(told)
    };
    let credentials = |pairs: &[(&str, &str)]| parse(pairs).unwrap().credentials;
    assert!(matches!(credentials(&[]), Credentials::None));
    assert!(matches!(credentials(&[("gcs.credentials.default", "false")]), Credentials::None));
    assert!(matches!(credentials(&[("gcs.credentials.default", "true")]), Credentials::Default));
    assert!(
        matches!(credentials(&[("gcs.credentials.path", "/k")]), Credentials::File(path) if path == "/k")
    );
    let json = ("gcs.credentials.json", "{}");
    assert!(matches!(credentials(&[json]), Credentials::Json(json) if json == Password::new("{}")));
    let only_one = "org.apache.kafka.common.config.ConfigException: Only one of gcs.credentials.default, \
                    gcs.credentials.json, and gcs.credentials.path can be non-null.";
    for other in [("gcs.credentials.path", "/x"), ("gcs.credentials.default", "false")] {
        assert_eq!(parse(&[json, other]).unwrap_err(), only_one);
    }
}

#[test]
fn requests_are_repeated_as_often_as_the_keys_say() {
    let tries = |pairs: &[(&str, &str)]| {
        let parsed = gcs::parse(&props(&[&STORE[..], pairs].concat()));
        parsed.map(|(_, _, bucket)| bucket.patience.tries_max).map_err(told)
    };
    let (attempts, total) = ("gcs.retry.backoff.max.attempts", "gcs.retry.backoff.total.timeout.ms");
    assert_eq!(tries(&[]), Ok(6), "1 + 2 + 4 + 8 + 16 s are within 50 s");
    assert_eq!(tries(&[(total, "7000")]), Ok(4));
    assert_eq!(tries(&[(attempts, "0")]), Ok(6), "63 s would be too much");
    assert_eq!(tries(&[(attempts, "9"), (total, "0")]), Ok(9));
    let multiplier = "gcs.retry.backoff.delay.multiplier";
    assert_eq!(tries(&[(multiplier, "1"), (attempts, "0"), (total, "5000")]), Ok(6));
    let refused = tries(&[(multiplier, "1.3")]).unwrap_err();
    assert!(refused.contains(multiplier) && refused.contains("not supported by Lakeward"), "{refused}");
    let (_, _, account) = azure::parse(&props(&STORE[1..])).unwrap();
    let up_to = std::time::Duration::from_secs(32);
    assert_eq!((account.patience.tries_max, account.patience.growth), (7, Growth::Doubled { up_to }));
    assert!(matches!(account.identity, Identity::Key(_)));
    assert_eq!((account.name.as_str(), account.user_agent), ("lake", None));
}

#[test]
fn what_asks_about_the_store_is_where_all_names_begin() {
    let home = |pairs: &[(&str, &str)]| start(pairs).unwrap().0.home();
    assert_eq!(home(&[]), "");
    assert_eq!(home(&[("file.name.template", "a/b/c-{{topic}}-{{partition}}-{{start_offset}}")]), "a/b");
    assert_eq!(home(&[("aws.s3.prefix", "raw/{{topic}}/")]), "raw");
    let prefixed = [&STORE[..], &[("file.name.prefix", "lake/a-")]].concat();
    assert_eq!(gcs::parse(&props(&prefixed)).unwrap().0.home(), "lake");
}
