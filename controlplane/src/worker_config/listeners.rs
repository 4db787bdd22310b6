//! Where the REST server listens, and the address other workers and clients are told.
//!
//! Source: `RestServerConfig`, `RestServer#advertisedUrl`, Kafka 4.1.

use lakeward_api::config::{ConfigValue, parse_list};
use url::Url;

/// How a listener is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Plain.
    Http,
    /// Over TLS.
    Https,
}

impl Scheme {
    /// As URLs begin.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// One `listeners` entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// Whether connections are encrypted.
    pub scheme: Scheme,
    /// Host to bind; empty means every interface.
    pub host: String,
    /// Port; 0 lets the system choose.
    pub port: u16,
}

impl Listener {
    /// Reads `http://[host]:port`. The error completes `Invalid value x for configuration listeners: `.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let shape = || "a listener is a URL like http://:8083 or http://host:8083".to_owned();
        let (scheme, rest) = text.split_once("://").ok_or_else(shape)?;
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            _ => return Err(format!("unknown scheme {scheme}; use http or https")),
        };
        let authority = rest.split('/').next().unwrap_or_default();
        // The URL parser refuses empty hosts, which are the default here.
        if let Some(port) = authority.strip_prefix(':') {
            let port = port.parse().map_err(|_| shape())?;
            return Ok(Self { scheme, host: String::new(), port });
        }
        let url = Url::parse(&format!("http://{authority}")).map_err(|_| shape())?;
        let host = url.host_str().ok_or_else(shape)?.trim_matches(['[', ']']).to_owned();
        let port = url.port_or_known_default().ok_or_else(shape)?;
        Ok(Self { scheme, host, port })
    }
}

/// The listeners of a setting; `None` when it has no value.
pub(super) fn list(values: &[ConfigValue], name: &str, problems: &mut Vec<String>) -> Option<Vec<Listener>> {
    let given = values.iter().find(|value| value.name == name)?.value.as_deref()?;
    let mut listeners = Vec::new();
    for text in parse_list(given) {
        match Listener::parse(&text) {
            Ok(listener) => listeners.push(listener),
            Err(problem) => {
                problems.push(format!("Invalid value {text} for configuration {name}: {problem}"));
            }
        }
    }
    Some(listeners)
}

/// The name of this machine.
pub(crate) fn machine_name() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .map(|name| name.trim().to_owned())
        .ok()
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "localhost".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listeners_are_urls_with_an_optional_host() {
        let parsed = |text: &str| Listener::parse(text).map(|one| (one.host, one.port));
        assert_eq!(parsed("http://:8083"), Ok((String::new(), 8083)));
        assert_eq!(parsed("HTTP://127.0.0.1:0"), Ok(("127.0.0.1".to_owned(), 0)));
        assert_eq!(parsed("http://[::1]:8083/"), Ok(("::1".to_owned(), 8083)));
        assert_eq!(Listener::parse("https://:8443").unwrap().scheme, Scheme::Https);
        for bad in ["ftp://a:1", ":8083", "http://:x", "http://", "http://:70000"] {
            assert!(parsed(bad).is_err(), "{bad}");
        }
    }
}
