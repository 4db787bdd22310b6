//! What `#[derive(ConfigDef)]` generates, used as a plugin author uses it.

use lakeward_api::config::{
    ConfigDef, ConfigMap, ConfigType, DefaultValue, Importance, Password, Validator, Width,
};

/// Settings with one key of every shape.
#[derive(ConfigDef, Debug, PartialEq)]
pub struct Settings {
    /// Number of records
    /// per file.
    ///
    /// Second paragraph.
    #[config(name = "flush.size", kind = "int", default = required, importance = "high", group = "Connector",
             width = "long", display = "Flush Size", validate = at_least(1), dependents("rotate.ms"))]
    flush_size: i32,
    /// Rotation.
    #[config(name = "rotate.ms", kind = "long", default = "-1", importance = "medium", group = "Connector")]
    rotate_ms: i64,
    /// Codec.
    #[config(name = "codec", kind = "string", default = null, importance = "low", group = "Format",
             validate = one_of("gzip", "none"), recommended("gzip"))]
    codec: Option<String>,
    /// Secret.
    #[config(name = "secret", kind = "password", default = null, importance = "low")]
    secret: Option<Password>,
    /// Names.
    #[config(name = "names", kind = "list", default = "", importance = "low")]
    names: Vec<String>,
    /// Even number.
    #[config(name = "even", kind = "int", default = "2", importance = "low", validate = custom(even))]
    even: u32,
    /// Switch.
    #[config(name = "switch", kind = "boolean", default = "true", importance = "low")]
    switch: bool,
}

fn even(_name: &str, text: &str) -> Result<(), String> {
    let number: i64 = text.parse().map_err(|_| "no number".to_owned())?;
    if number % 2 == 0 { Ok(()) } else { Err("odd".to_owned()) }
}

fn props(pairs: &[(&str, &str)]) -> ConfigMap {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn definitions_carry_every_attribute() {
    let def = Settings::config_def();
    let key = def.key("flush.size").unwrap();
    assert_eq!(key.kind, ConfigType::Int);
    assert_eq!(key.default, DefaultValue::Required);
    assert_eq!(key.importance, Importance::High);
    assert_eq!(key.documentation, "Number of records per file.\n\nSecond paragraph.");
    assert_eq!((key.group.as_deref(), key.order, key.width), (Some("Connector"), 1, Width::Long));
    assert_eq!(key.display_name, "Flush Size");
    assert_eq!(key.dependents, ["rotate.ms"]);
    assert!(matches!(key.validator, Validator::AtLeast(1)));
    let rotate = def.key("rotate.ms").unwrap();
    assert_eq!((rotate.order, rotate.width, rotate.display_name.as_str()), (2, Width::None, "rotate.ms"));
    let codec = def.key("codec").unwrap();
    assert_eq!((codec.order, &codec.default), (1, &DefaultValue::Null));
    assert_eq!(codec.recommended_values, ["gzip"]);
    let secret = def.key("secret").unwrap();
    assert_eq!((secret.group.as_deref(), secret.order), (None, -1));
}

#[test]
fn values_are_parsed_with_defaults() {
    let given = props(&[("flush.size", " 3 "), ("secret", " s "), ("names", "a, b"), ("switch", "FALSE")]);
    let expected = Settings {
        flush_size: 3,
        rotate_ms: -1,
        codec: None,
        secret: Some(Password::new(" s ")),
        names: vec!["a".to_owned(), "b".to_owned()],
        even: 2,
        switch: false,
    };
    assert_eq!(Settings::parse(&given).unwrap(), expected);
}

#[test]
fn all_problems_are_reported_at_once() {
    let given = props(&[("rotate.ms", "x"), ("codec", "lzo"), ("even", "3")]);
    let problems = Settings::parse(&given).unwrap_err();
    let texts: Vec<(&str, &str)> =
        problems.iter().map(|value| (value.name.as_str(), value.errors[0].as_str())).collect();
    assert_eq!(
        texts,
        [
            ("flush.size", "Missing required configuration \"flush.size\" which has no default value."),
            ("rotate.ms", "Invalid value x for configuration rotate.ms: Not a number of type LONG"),
            ("codec", "Invalid value lzo for configuration codec: String must be one of: gzip, none"),
            ("even", "Invalid value 3 for configuration even: odd"),
        ]
    );
}

#[test]
fn a_value_outside_the_rust_type_is_a_problem() {
    let problems = Settings::parse(&props(&[("flush.size", "1"), ("even", "-2")])).unwrap_err();
    assert_eq!(problems[0].errors, ["Invalid value -2 for configuration even: -2 is out of range"]);
}
