//! Classes that a client setting may name: those that come with Kafka's clients.
//!
//! Names alone matter here: a setting with a class is read and has no effect. Source: `ConfigDef.parseType`
//! and the classes of `kafka-clients`, Kafka 4.1.

/// Packages, and the classes in them.
const KNOWN: &[(&str, &[&str])] = &[
    ("org.apache.kafka.clients.producer", &["RoundRobinPartitioner"]),
    (
        "org.apache.kafka.common.security.authenticator",
        &["AbstractLogin$DefaultLoginCallbackHandler", "DefaultLogin", "SaslClientCallbackHandler"],
    ),
    ("org.apache.kafka.common.security.kerberos", &["KerberosClientCallbackHandler", "KerberosLogin"]),
    (
        "org.apache.kafka.common.security.oauthbearer",
        &[
            "BrokerJwtValidator",
            "ClientCredentialsJwtRetriever",
            "ClientJwtValidator",
            "DefaultJwtRetriever",
            "DefaultJwtValidator",
            "FileJwtRetriever",
            "JwtBearerJwtRetriever",
            "OAuthBearerLoginCallbackHandler",
            "OAuthBearerValidatorCallbackHandler",
        ],
    ),
    (
        "org.apache.kafka.common.security.oauthbearer.internals",
        &["OAuthBearerRefreshingLogin", "OAuthBearerSaslClientCallbackHandler"],
    ),
    ("org.apache.kafka.common.security.oauthbearer.internals.secured", &["HttpJwtRetriever"]),
    (
        "org.apache.kafka.common.security.oauthbearer.internals.unsecured",
        &["OAuthBearerUnsecuredLoginCallbackHandler", "OAuthBearerUnsecuredValidatorCallbackHandler"],
    ),
    (
        "org.apache.kafka.common.security.ssl",
        &["CommonNameLoggingSslEngineFactory", "DefaultSslEngineFactory"],
    ),
    ("org.apache.kafka.connect.json", &["JsonDeserializer", "JsonSerializer"]),
];

/// Of each there are `<name>Serializer` and `<name>Deserializer`.
const SERIALIZED: &[&str] = &[
    "Boolean",
    "ByteArray",
    "ByteBuffer",
    "Bytes",
    "Double",
    "Float",
    "Integer",
    "List",
    "Long",
    "Short",
    "String",
    "UUID",
    "Void",
];

/// Whether there is such a class; blanks around the name do not count.
pub(super) fn is_known(name: &str) -> bool {
    let Some((package, class)) = name.trim().rsplit_once('.') else { return false };
    // Java itself has thousands; whoever names one meant a class that is there.
    if package.starts_with("java.") {
        return true;
    }
    if package == "org.apache.kafka.common.serialization" {
        let kind = class.strip_suffix("Deserializer").or_else(|| class.strip_suffix("Serializer"));
        return kind.is_some_and(|kind| SERIALIZED.contains(&kind));
    }
    KNOWN.iter().any(|(known, classes)| *known == package && classes.contains(&class))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_of_kafkas_clients_are_known() {
        for (name, is_there) in [
            ("org.apache.kafka.clients.producer.RoundRobinPartitioner", true),
            (" org.apache.kafka.common.serialization.UUIDDeserializer ", true),
            ("org.apache.kafka.common.serialization.ByteArraySerializer", true),
            ("org.apache.kafka.common.serialization.Serializer", false),
            ("org.apache.kafka.clients.producer.roundRobinPartitioner", false),
            ("RoundRobinPartitioner", false),
            ("java.lang.String", true),
            ("no.Such", false),
            ("", false),
        ] {
            assert_eq!(is_known(name), is_there, "{name}");
        }
    }
}
