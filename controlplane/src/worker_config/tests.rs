//! Worker files: required keys, problems with remedies, derived values.

use super::*;

fn props(extra: &[(&str, &str)]) -> ConfigMap {
    let base = [
        ("bootstrap.servers", "b:9092"),
        ("key.converter", "org.apache.kafka.connect.json.JsonConverter"),
        ("value.converter", "org.apache.kafka.connect.json.JsonConverter"),
        ("group.id", "g"),
        ("config.storage.topic", "c"),
        ("offset.storage.topic", "o"),
        ("status.storage.topic", "s"),
    ];
    base.iter().chain(extra).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn distributed(extra: &[(&str, &str)]) -> Result<WorkerConfig, ControlPlaneError> {
    WorkerConfig::from_props(props(extra), WorkerMode::Distributed)
}

#[test]
fn javas_defaults_apply() {
    let config = distributed(&[]).unwrap();
    assert_eq!(config.listeners(), [Listener { scheme: Scheme::Http, host: String::new(), port: 8083 }]);
    assert_eq!(config.text("offset.storage.partitions"), Some("25"));
    assert_eq!(config.text("config.storage.replication.factor"), Some("3"));
    assert_eq!(config.task_shutdown_timeout(), Duration::from_secs(5));
    assert_eq!(config.override_policy(), OverridePolicy::All);
    assert!(config.unknown().is_empty());
}

#[test]
fn every_problem_is_reported_at_once() {
    let err = WorkerConfig::from_props(
        [("status.storage.partitions".to_owned(), "0".to_owned())].into(),
        WorkerMode::Distributed,
    )
    .unwrap_err();
    let text = err.to_string();
    for part in [
        "Missing required configuration \"group.id\" which has no default value.",
        "Missing required configuration \"key.converter\"",
        "Invalid value 0 for configuration status.storage.partitions",
    ] {
        assert!(text.contains(part), "{part} is missing in: {text}");
    }
}

#[test]
fn unknown_keys_are_kept_and_known_prefixes_are_not_unknown() {
    let config =
        distributed(&[("wibble", "1"), ("consumer.fetch.min.bytes", "1"), ("ssl.protocol", "x")]).unwrap();
    assert_eq!(config.unknown(), ["wibble"]);
    assert_eq!(config.props()["wibble"], "1");
}

#[test]
fn what_is_not_supported_is_refused_with_a_remedy() {
    for (name, value) in
        [("rest.extension.classes", "a.B"), ("connector.client.config.override.policy", "com.example.Mine")]
    {
        let text = distributed(&[(name, value)]).unwrap_err().to_string();
        assert!(text.contains(&format!("Invalid value {value} for configuration {name}: ")), "{text}");
    }
}

#[test]
fn topic_settings_leave_out_what_is_fixed() {
    let config = distributed(&[
        ("config.storage.min.insync.replicas", "2"),
        ("config.storage.cleanup.policy", "delete"),
        ("config.storage.partitions", "7"),
    ])
    .unwrap();
    assert_eq!(
        config.topic_settings("config.storage."),
        [("min.insync.replicas".to_owned(), "2".to_owned())].into()
    );
}

#[test]
fn the_worker_id_prefers_the_advertised_address() {
    let id = |extra: &[(&str, &str)]| distributed(extra).unwrap().worker_id(4711);
    assert_eq!(id(&[("listeners", "http://127.0.0.1:0")]), "127.0.0.1:4711");
    assert_eq!(id(&[("rest.advertised.host.name", "w1"), ("rest.advertised.port", "9")]), "w1:9");
}

#[test]
fn standalone_needs_its_offset_file() {
    let text = WorkerConfig::from_props(props(&[]), WorkerMode::Standalone).unwrap_err().to_string();
    assert!(text.contains("offset.storage.file.filename"), "{text}");
}

#[test]
fn variables_are_replaced_and_problems_show_the_variables() {
    let providers = [
        ("config.providers", "env"),
        ("config.providers.env.class", "org.apache.kafka.common.config.provider.EnvVarConfigProvider"),
        ("config.providers.env.param.allowlist.pattern", "PATH"),
    ];
    let path = std::env::var("PATH").unwrap();
    let given = |extra: (&'static str, &'static str)| distributed(&[&providers[..], &[extra]].concat());
    let config = given(("consumer.client.rack", "${env:PATH}${env:NONE}")).unwrap();
    assert_eq!(config.props()["consumer.client.rack"], format!("{path}${{env:NONE}}"));
    let config = given(("group.id", "${env:PATH}")).unwrap();
    assert_eq!((config.required("group.id"), config.shown("group.id")), (path.as_str(), "${env:PATH}"));
    assert_eq!(config.hide(&format!("in group {path}")), "in group ${env:PATH}");
    let text = given(("rebalance.timeout.ms", "${env:PATH}")).unwrap_err().to_string();
    assert!(text.contains("Invalid value ${env:PATH} for configuration rebalance.timeout.ms"), "{text}");
    assert!(!text.contains(&path), "{text}");
}

#[test]
fn a_provider_without_an_allow_list_is_a_problem_of_the_worker_file() {
    let text = distributed(&[
        ("config.providers", "file"),
        ("config.providers.file.class", "org.apache.kafka.common.config.provider.FileConfigProvider"),
    ])
    .unwrap_err()
    .to_string();
    assert!(text.contains("config.providers.file.param.allowed.paths"), "{text}");
}

#[test]
fn algorithms_of_signatures_are_checked() {
    let problem = |extra: &[(&str, &str)]| distributed(extra).map(drop).unwrap_err().to_string();
    for (name, value, part) in [
        ("inter.worker.key.generation.algorithm", "foo", "the algorithm is not supported"),
        ("inter.worker.key.size", "39", "Key length must be at least 40 bits"),
        ("inter.worker.key.ttl.ms", "-1", "Value must be at least 0"),
        ("inter.worker.signature.algorithm", "HmacSHA1", "Signature algorithm must be present in"),
        ("inter.worker.verification.algorithms", "foo", "Invalid value [foo] for configuration"),
        ("inter.worker.verification.algorithms", "", "At least one signature verification algorithm"),
        ("inter.worker.verification.algorithms", "HmacSHA1", "Signature algorithm must be present in"),
    ] {
        let text = problem(&[(name, value)]);
        assert!(text.contains(part) && text.contains(name.rsplit('.').next().unwrap()), "{text}");
    }
    let pair = [
        ("inter.worker.verification.algorithms", "HmacSHA1, HmacSHA512"),
        ("inter.worker.signature.algorithm", "HmacSHA512"),
    ];
    distributed(&pair).unwrap();
}
