//! Credentials that clients of this process were given, and texts of the client library without them.
//!
//! The library's texts name brokers and protocol steps; what a plugin, a broker or a TLS library puts into
//! them is not known, so none reaches the log unseen. A text is told by a client's own thread, perhaps before
//! the client exists: hence one collection for all clients.
//!
//! Memory: the last [`KEPT`] credentials.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use lakeward_api::secrets::Secrets;

/// Kafka's text for a value that is not shown.
const SHOWN: &str = "[hidden]";
/// Credentials beyond this push the oldest out.
const KEPT: usize = 4_096;
/// The library's settings that are credentials.
const NAMES: [&str; 2] = ["sasl.password", "ssl.key.pem"];
/// Java's settings that are credentials, or hold some, as they are given.
pub(crate) const SETTINGS: [&str; 6] = [
    "sasl.jaas.config",
    "sasl.oauthbearer.client.credentials.client.secret",
    "ssl.key.password",
    "ssl.keystore.key",
    "ssl.keystore.password",
    "ssl.truststore.password",
];

#[derive(Default)]
struct Known {
    values: VecDeque<String>,
    secrets: Secrets,
}

static KNOWN: Mutex<Option<Known>> = Mutex::new(None);

/// True for a library setting whose value is a credential.
pub(crate) fn is_credential(library_name: &str) -> bool {
    NAMES.contains(&library_name)
}

/// Texts do not show this value from now on.
pub(crate) fn remember(value: &str) {
    if value.trim().is_empty() {
        return;
    }
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let known = known.get_or_insert_default();
    if known.values.iter().any(|found| found == value) {
        return;
    }
    if known.values.len() == KEPT {
        known.values.pop_front();
    }
    known.values.push_back(value.to_owned());
    known.secrets = Secrets::new(known.values.iter().map(|value| (value.clone(), SHOWN.to_owned())));
}

/// A text of the library as it may be shown.
pub(crate) fn hide(text: &str) -> String {
    let secrets = {
        let known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        known.as_ref().map(|known| known.secrets.clone())
    };
    secrets.map_or_else(|| text.to_owned(), |secrets| secrets.hide(text).into_owned())
}

#[cfg(test)]
mod tests {
    use lakeward_api::config::ConfigMap;

    use super::*;
    use crate::settings::{ClientKind, translate};

    #[test]
    fn texts_of_the_library_show_no_credential_of_any_client() {
        let line = "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"al\" \
                    password=\"open-sesame-1\";";
        let key = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkq\n-----END PRIVATE KEY-----";
        let props: ConfigMap = [
            ("sasl.jaas.config", line),
            ("sasl.mechanism", "PLAIN"),
            ("ssl.key.password", "open-sesame-2"),
            ("ssl.keystore.key", key),
            ("ssl.keystore.type", "PKCS12"),
            ("ssl.keystore.location", "/k.p12"),
            ("ssl.keystore.password", "open-sesame-3"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        translate(ClientKind::Producer, &props).unwrap();
        let text = format!(
            "login as al with open-sesame-1 failed; open-sesame-2 and open-sesame-3 do not open \
             MIIEvQIBADANBgkq; the line was {line}"
        );
        let shown = hide(&text);
        assert!(!shown.contains("open-sesame") && !shown.contains("MIIE"), "{shown}");
        assert!(shown.starts_with("login as al with [hidden] failed"), "{shown}");
    }
}
