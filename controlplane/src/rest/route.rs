//! Paths and methods of the REST API.
//!
//! Owns which resources exist and which methods they have. Source: `ConnectorsResource`,
//! `ConnectorPluginsResource`, `RootResource`, Jetty's path rules, Kafka 4.1.

use http::Method;
use percent_encoding::percent_decode_str;

/// A resource, with the names of its path decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Resource {
    Connector(String),
    ConnectorConfig(String),
    ConnectorDelivery(String),
    ConnectorFence(String),
    ConnectorOffsets(String),
    ConnectorPause(String),
    ConnectorRestart(String),
    ConnectorResume(String),
    ConnectorStatus(String),
    ConnectorStop(String),
    ConnectorTasks(String),
    ConnectorTopics(String),
    ConnectorTopicsReset(String),
    Connectors,
    Health,
    Logger(String),
    Loggers,
    Metrics,
    PluginConfig(String),
    PluginValidate(String),
    Plugins,
    Root,
    TaskRestart(String, i32),
    TaskStatus(String, i32),
}

/// Why a path leads nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PathError {
    /// The HTTP layer refuses such paths: 400 without a body.
    Refused,
    /// A task's number is none: 404, with the content type of the resource.
    NoNumber,
    /// There is no such resource: 404.
    Unknown,
}

/// Finds the resource of a raw path.
pub(super) fn resource(path: &str) -> Result<Resource, PathError> {
    let trimmed = path.strip_prefix('/').unwrap_or(path);
    let trimmed = trimmed.strip_suffix('/').unwrap_or(trimmed);
    if trimmed.is_empty() {
        return if path.len() <= 1 { Ok(Resource::Root) } else { Err(PathError::Refused) };
    }
    let segments: Vec<String> = trimmed.split('/').map(decode).collect::<Result<_, _>>()?;
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    match segments.as_slice() {
        ["health"] => Ok(Resource::Health),
        ["admin", "loggers"] => Ok(Resource::Loggers),
        ["admin", "loggers", name] => Ok(Resource::Logger((*name).to_owned())),
        ["connectors"] => Ok(Resource::Connectors),
        ["metrics"] => Ok(Resource::Metrics),
        ["connectors", name, rest @ ..] => connector_resource(name, rest),
        ["connector-plugins"] => Ok(Resource::Plugins),
        ["connector-plugins", name, "config"] => Ok(Resource::PluginConfig((*name).to_owned())),
        ["connector-plugins", name, "config", "validate"] => Ok(Resource::PluginValidate((*name).to_owned())),
        _ => Err(PathError::Unknown),
    }
}

fn connector_resource(name: &str, rest: &[&str]) -> Result<Resource, PathError> {
    let name = name.to_owned();
    let number = |text: &str| text.parse::<i32>().map_err(|_| PathError::NoNumber);
    Ok(match rest {
        [] => Resource::Connector(name),
        ["config"] => Resource::ConnectorConfig(name),
        ["delivery"] => Resource::ConnectorDelivery(name),
        ["fence"] => Resource::ConnectorFence(name),
        ["offsets"] => Resource::ConnectorOffsets(name),
        ["pause"] => Resource::ConnectorPause(name),
        ["restart"] => Resource::ConnectorRestart(name),
        ["resume"] => Resource::ConnectorResume(name),
        ["status"] => Resource::ConnectorStatus(name),
        ["stop"] => Resource::ConnectorStop(name),
        ["tasks"] => Resource::ConnectorTasks(name),
        ["tasks", task, "restart"] => Resource::TaskRestart(name, number(task)?),
        ["tasks", task, "status"] => Resource::TaskStatus(name, number(task)?),
        ["topics"] => Resource::ConnectorTopics(name),
        ["topics", "reset"] => Resource::ConnectorTopicsReset(name),
        _ => return Err(PathError::Unknown),
    })
}

/// Decodes one segment. Jetty refuses empty segments, parameters, and encodings that could hide a path.
fn decode(segment: &str) -> Result<String, PathError> {
    if segment.is_empty() || segment.contains(';') {
        return Err(PathError::Refused);
    }
    let decoded = percent_decode_str(segment).decode_utf8().map_err(|_| PathError::Refused)?;
    let hides = |c: char| matches!(c, '/' | '\\' | '%') || c.is_control();
    if decoded.contains(hides) { Err(PathError::Refused) } else { Ok(decoded.into_owned()) }
}

impl Resource {
    /// The methods of the resource, without HEAD and OPTIONS.
    pub(super) fn methods(&self) -> &'static [Method] {
        match self {
            Self::Connector(_) => &[Method::DELETE, Method::GET],
            Self::ConnectorConfig(_) => &[Method::GET, Method::PUT, Method::PATCH],
            Self::ConnectorOffsets(_) => &[Method::DELETE, Method::GET, Method::PATCH],
            Self::ConnectorTasks(_) => &[Method::POST, Method::GET],
            Self::ConnectorFence(_)
            | Self::ConnectorPause(_)
            | Self::ConnectorResume(_)
            | Self::ConnectorStop(_)
            | Self::ConnectorTopicsReset(_)
            | Self::PluginValidate(_) => &[Method::PUT],
            Self::ConnectorRestart(_) | Self::TaskRestart(..) => &[Method::POST],
            Self::Connectors => &[Method::POST, Method::GET],
            Self::Logger(_) => &[Method::GET, Method::PUT],
            Self::ConnectorDelivery(_)
            | Self::ConnectorStatus(_)
            | Self::ConnectorTopics(_)
            | Self::Health
            | Self::Loggers
            | Self::Metrics
            | Self::PluginConfig(_)
            | Self::Plugins
            | Self::Root
            | Self::TaskStatus(..) => &[Method::GET],
        }
    }

    /// The `Allow` list. Java keeps the names in a hash set; this is the order it walks them in.
    pub(super) fn allow(&self) -> String {
        let has = |name: &str| match name {
            "OPTIONS" => true,
            "HEAD" => self.methods().contains(&Method::GET),
            other => self.methods().iter().any(|method| method.as_str() == other),
        };
        let order = ["HEAD", "DELETE", "POST", "GET", "OPTIONS", "PUT", "PATCH"];
        order.into_iter().filter(|name| has(name)).collect::<Vec<_>>().join(",")
    }

    /// Whether bodies must be declared as JSON.
    pub(super) fn wants_json(&self, method: &Method) -> bool {
        !matches!(self, Self::Health | Self::Metrics | Self::Root) && !self.is_internal(method)
    }

    /// Whether only workers ask for it, who sign their requests.
    pub(super) fn is_internal(&self, method: &Method) -> bool {
        match self {
            Self::ConnectorFence(_) => *method == Method::PUT,
            Self::ConnectorTasks(_) => *method == Method::POST,
            _ => false,
        }
    }
}

/// The query of a request: decoded names and values, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// Splits a raw query.
    pub(super) fn parse(raw: Option<&str>) -> Self {
        let pairs = url::form_urlencoded::parse(raw.unwrap_or_default().as_bytes());
        Self(pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
    }

    /// All values of `name`.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// True when `name` is `true` in any case; everything else given is false.
    pub(super) fn flag(&self, name: &str, default: &'static str) -> bool {
        self.all(name).next().unwrap_or(default).eq_ignore_ascii_case("true")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_to_resources() {
        let cases = [
            ("/", Ok(Resource::Root)),
            ("/connectors/", Ok(Resource::Connectors)),
            ("/connectors/src%20one", Ok(Resource::Connector("src one".into()))),
            ("/connectors/a->b/status/", Ok(Resource::ConnectorStatus("a->b".into()))),
            ("/connectors/a/delivery", Ok(Resource::ConnectorDelivery("a".into()))),
            ("/connectors/a/tasks/3/status", Ok(Resource::TaskStatus("a".into(), 3))),
            ("/connectors/a/tasks/-1/status", Ok(Resource::TaskStatus("a".into(), -1))),
            ("/connectors/a/tasks/2147483648/status", Err(PathError::NoNumber)),
            ("/connectors/a/tasks/x/status", Err(PathError::NoNumber)),
            ("/connectors/a/tasks-config", Err(PathError::Unknown)),
            ("/connector-plugins/S3Sink/config/validate", Ok(Resource::PluginValidate("S3Sink".into()))),
            ("/nothing", Err(PathError::Unknown)),
            ("/connectors/a%2Fb", Err(PathError::Refused)),
            ("/connectors/a%0A", Err(PathError::Refused)),
            ("/connectors/50%25", Err(PathError::Refused)),
            ("/connectors/a%5Cb", Err(PathError::Refused)),
            ("/connectors/a;b", Err(PathError::Refused)),
            ("/connectors//status", Err(PathError::Refused)),
            ("//", Err(PathError::Refused)),
            ("/connectors/%ff", Err(PathError::Refused)),
        ];
        for (path, expected) in cases {
            assert_eq!(resource(path), expected, "{path}");
        }
    }

    #[test]
    fn allow_lists_are_in_javas_order() {
        assert_eq!(Resource::Connectors.allow(), "HEAD,POST,GET,OPTIONS");
        assert_eq!(Resource::Connector("a".into()).allow(), "HEAD,DELETE,GET,OPTIONS");
        assert_eq!(Resource::ConnectorPause("a".into()).allow(), "OPTIONS,PUT");
    }
}
