//! Where credentials come from. Owns the class names and the keys below `s3.credentials.provider.`, which are
//! not part of the definition: as in Java, they belong to the provider.
//!
//! Source: `S3SinkConnectorConfig#getCredentialsProvider`, `AwsAssumeRoleCredentialsProvider`.

use lakeward_api::config::ConfigMap;

/// Which provider a configuration names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Provider {
    /// The configured key, or what the environment has.
    Default,
    /// A role, assumed with what [`Provider::Default`] gives.
    Role(Role),
}

/// A role to assume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// Its ARN.
    pub arn: String,
    /// Name of the session.
    pub session_name: String,
    /// The external ID that the role asks for; empty for none.
    pub external_id: String,
    /// Region of the token service; the environment's when not given.
    pub region: Option<String>,
}

impl Provider {
    /// The provider of `props`.
    ///
    /// # Errors
    /// A problem to show on [`PROVIDER_CLASS`].
    pub fn parse(props: &ConfigMap) -> Result<Self, String> {
        let class = props.get(PROVIDER_CLASS).map_or("", |class| class.trim());
        if class.is_empty() || DEFAULT_CLASSES.contains(&class) {
            return Ok(Self::Default);
        }
        if class != ROLE_CLASS {
            return Err(format!(
                "Invalid value {class} for configuration {PROVIDER_CLASS}: not supported by Lakeward; use {} \
                 (environment, web identity, profile, container, instance), {ROLE_CLASS}, or \
                 aws.access.key.id with aws.secret.access.key",
                DEFAULT_CLASSES[0]
            ));
        }
        let text = |name: &str| props.get(&format!("{PREFIX}{name}")).map(|text| text.trim().to_owned());
        let required = |name: &str| {
            // Kafka's words, with the name as it stands in the configuration.
            text(name).ok_or_else(|| {
                format!("Missing required configuration \"{PREFIX}{name}\" which has no default value.")
            })
        };
        Ok(Self::Role(Role {
            external_id: required("sts.role.external.id")?,
            arn: required("sts.role.arn")?,
            session_name: required("sts.role.session.name")?,
            region: text("sts.region").filter(|region| !region.is_empty()),
        }))
    }
}

/// The key that names the provider.
pub const PROVIDER_CLASS: &str = "s3.credentials.provider.class";

const PREFIX: &str = "s3.credentials.provider.";

const ROLE_CLASS: &str = "io.confluent.connect.s3.auth.AwsAssumeRoleCredentialsProvider";

/// Classes that stand for the default chain.
const DEFAULT_CLASSES: [&str; 2] = [
    "software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider",
    "com.amazonaws.auth.DefaultAWSCredentialsProviderChain",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(pairs: &[(&str, &str)]) -> Result<Provider, String> {
        Provider::parse(&pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect())
    }

    const ROLE: [(&str, &str); 4] = [
        ("s3.credentials.provider.class", ROLE_CLASS),
        ("s3.credentials.provider.sts.role.arn", "arn:aws:iam::1:role/lake"),
        ("s3.credentials.provider.sts.role.session.name", "lake"),
        ("s3.credentials.provider.sts.role.external.id", "42"),
    ];

    #[test]
    fn the_default_chain_has_two_names() {
        assert_eq!(parse(&[]), Ok(Provider::Default));
        for class in DEFAULT_CLASSES {
            assert_eq!(parse(&[(PROVIDER_CLASS, class)]), Ok(Provider::Default));
        }
    }

    #[test]
    fn a_role_needs_its_name_its_session_and_its_external_id() {
        let role = Role {
            arn: "arn:aws:iam::1:role/lake".to_owned(),
            session_name: "lake".to_owned(),
            external_id: "42".to_owned(),
            region: None,
        };
        assert_eq!(parse(&ROLE), Ok(Provider::Role(role.clone())));
        let region = ("s3.credentials.provider.sts.region", "eu-west-1");
        let given = [ROLE.as_slice(), &[region]].concat();
        assert_eq!(parse(&given), Ok(Provider::Role(Role { region: Some("eu-west-1".to_owned()), ..role })));
        for missing in 1..4 {
            let mut given = ROLE.to_vec();
            let (name, _) = given.remove(missing);
            let problem = parse(&given).unwrap_err();
            assert_eq!(
                problem,
                format!("Missing required configuration \"{name}\" which has no default value.")
            );
        }
    }

    #[test]
    fn another_class_is_refused_with_the_remedy() {
        let problem = parse(&[(PROVIDER_CLASS, "com.example.Mine")]).unwrap_err();
        assert!(problem.contains("com.example.Mine") && problem.contains(ROLE_CLASS), "{problem}");
    }
}
