//! Templates of object names: text with `{{variable}}` and `{{variable:parameter=value}}`.
//!
//! Owns parsing, what a set of variables means for grouping, and the text that comes out.
//!
//! Source: `TemplateParser`, `Template`, `RecordGrouperFactory`, `FilenameTemplateVariable` of the Aiven
//! connectors.

use std::collections::BTreeSet;

use lakeward_api::{ConnectError, ErrorClass};

/// A parsed template.
#[derive(Clone, Debug)]
pub(super) struct Template {
    text: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug)]
enum Part {
    Text(String),
    Variable(Variable),
}

/// A place in a template.
#[derive(Clone, Debug)]
struct Variable {
    name: String,
    parameter: Option<Parameter>,
    /// As it stands in the template.
    placeholder: String,
}

/// What stands behind the colon. Names do not matter to what comes out, as in Java.
#[derive(Clone, Debug)]
struct Parameter {
    name: String,
    value: String,
}

impl Variable {
    /// The value of its parameter.
    fn value(&self) -> Option<&str> {
        self.parameter.as_ref().map(|parameter| parameter.value.as_str())
    }
}

/// Which records share a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Grouping {
    /// The last one of each key.
    Key,
    /// The last one of each key, with names that may hold topic and partition.
    KeyAndTopicPartition,
    /// Those of a topic-partition.
    TopicPartition,
    /// Those of a topic-partition that have one key.
    TopicPartitionKey,
}

impl Grouping {
    /// Whether a file holds the last of its records only.
    pub(super) fn keeps_last(self) -> bool {
        matches!(self, Self::Key | Self::KeyAndTopicPartition)
    }

    /// Whether names hold keys.
    pub(super) fn has_keys(self) -> bool {
        self != Self::TopicPartition
    }

    fn binds(self, name: &str) -> bool {
        match self {
            Self::Key => name == "key",
            Self::KeyAndTopicPartition => matches!(name, "key" | "partition" | "topic"),
            Self::TopicPartition => matches!(name, "partition" | "start_offset" | "timestamp" | "topic"),
            Self::TopicPartitionKey => true,
        }
    }
}

/// A unit of the variable `timestamp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Day,
    Hour,
    Month,
    Year,
}

impl Unit {
    fn named(name: &str) -> Option<Self> {
        match name {
            "HH" => Some(Self::Hour),
            "MM" => Some(Self::Month),
            "dd" => Some(Self::Day),
            "yyyy" => Some(Self::Year),
            _ => None,
        }
    }
}

/// What variables stand for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bindings<'a> {
    pub(super) topic: &'a str,
    pub(super) partition: i32,
    pub(super) start_offset: i64,
    pub(super) key: &'a str,
    /// The texts of the units of [`Template::units`], in that order.
    pub(super) times: &'a [&'a str],
    /// A day, for `utc_date` and `local_date`; `None` where they mean nothing.
    pub(super) date: Option<&'a str>,
    /// Which variables count; `None` for the old way of naming.
    pub(super) grouping: Option<Grouping>,
}

impl Template {
    /// Parses `text`.
    ///
    /// # Errors
    /// Class `Config`, `IllegalArgumentException` in Java's words.
    pub(super) fn parse(text: &str) -> Result<Self, ConnectError> {
        let (mut parts, mut plain, mut rest) = (Vec::new(), String::new(), text);
        while let Some(start) = rest.find("{{") {
            let (before, place) = rest.split_at(start);
            plain.push_str(before);
            match Place::at(place) {
                Some(found) => {
                    parts.push(Part::Text(std::mem::take(&mut plain)));
                    parts.push(Part::Variable(found.variable(text)?));
                    rest = &place[found.length..];
                }
                None => {
                    plain.push('{');
                    rest = &place[1..];
                }
            }
        }
        plain.push_str(rest);
        parts.push(Part::Text(plain));
        Ok(Self { text: text.to_owned(), parts })
    }

    /// `{{timestamp:unit=YYYY}}` was the year once.
    pub(super) fn without_old_years(text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some(start) = rest.find("{{") {
            out.push_str(&rest[..start]);
            rest = &rest[start..];
            let is_old = |place: &Place<'_>| {
                let digest: String = place.text.split(is_blank).collect();
                digest == "{{timestamp:unit=YYYY}}"
            };
            let end = rest.find("}}").map(|end| end + 2);
            match end.map(|end| Place { text: &rest[..end], ..Place::default() }).filter(is_old) {
                Some(place) => {
                    out.push_str(&place.text.replace("YYYY", "yyyy"));
                    rest = &rest[place.text.len()..];
                }
                None => {
                    out.push_str("{{");
                    rest = &rest[2..];
                }
            }
        }
        out.push_str(rest);
        if out != text {
            tracing::warn!(
                "{{{{timestamp:unit=YYYY}}}} is no longer supported, please use {{{{timestamp:unit=yyyy}}}} \
                 instead. It was automatically replaced: {out}"
            );
        }
        out
    }

    /// The text that was parsed.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    fn variables(&self) -> impl Iterator<Item = &Variable> {
        self.parts.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Variable(variable) => Some(variable),
        })
    }

    /// What the variables say about grouping.
    ///
    /// # Errors
    /// Class `Config`, `IllegalArgumentException` in Java's words.
    pub(super) fn grouping(&self) -> Result<Grouping, ConnectError> {
        let names: BTreeSet<&str> = self.variables().map(|variable| variable.name.as_str()).collect();
        if names.is_empty() {
            return Err(illegal(format!(
                "RecordGrouper requires that the template [{}] has variables defined. Supported variables \
                 are: {SUPPORTED}",
                self.text
            )));
        }
        // Whatever else there is counts only beside a variable that may be there.
        let fits = |required: &[&str], optional: &[&str]| {
            let mut others = names.iter().filter(|name| !required.contains(name)).peekable();
            required.iter().all(|name| names.contains(name))
                && (others.peek().is_none() || others.any(|name| optional.contains(name)))
        };
        let partition = ["topic", "partition", "start_offset"];
        if fits(&["topic", "partition", "key", "start_offset"], &["timestamp"]) {
            Ok(Grouping::TopicPartitionKey)
        } else if fits(&partition, &["timestamp"]) {
            Ok(Grouping::TopicPartition)
        } else if fits(&["key"], &[]) {
            Ok(Grouping::Key)
        } else if fits(&["key"], &["topic", "partition"]) {
            Ok(Grouping::KeyAndTopicPartition)
        } else {
            Err(illegal(format!("{UNSUPPORTED} {SUPPORTED}")))
        }
    }

    /// Refuses units of time that Java fails at with the first record.
    ///
    /// # Errors
    /// Class `Config`.
    pub(super) fn check_units(&self, key: &str) -> Result<(), ConnectError> {
        let unit = |variable: &Variable| variable.value().and_then(Unit::named);
        let wrong = self.variables().find(|place| place.name == "timestamp" && unit(place).is_none());
        match wrong {
            None => Ok(()),
            Some(place) => Err(ConnectError::config(format!(
                "Invalid value {} for configuration {key}: {} needs a unit: yyyy, MM, dd or HH",
                self.text, place.placeholder
            ))),
        }
    }

    /// What the sinks of GCS and Azure say of a template before they look at grouping.
    ///
    /// # Errors
    /// What is wrong, in Java's words. Source: `FilenameTemplateValidator`.
    pub(super) fn check_parameters(&self) -> Result<(), String> {
        const KNOWN: [&str; 5] = ["key", "partition", "start_offset", "timestamp", "topic"];
        if self.variables().any(|variable| !KNOWN.contains(&variable.name.as_str())) {
            return Err(format!("{UNSUPPORTED} {SUPPORTED}"));
        }
        for variable in self.variables() {
            let Some(Parameter { name, value }) = &variable.parameter else { continue };
            let fits = match variable.name.as_str() {
                "partition" | "start_offset" => {
                    name == "padding" && matches!(value.as_str(), "true" | "false")
                }
                "timestamp" => name == "unit" && Unit::named(value).is_some(),
                _ => true,
            };
            if !fits {
                return Err("unsupported set of template variables parameters, supported sets are: \
                            partition:padding=true|false,start_offset:padding=true|false,\
                            timestamp:unit=yyyy|MM|dd|HH"
                    .to_owned());
            }
        }
        match self.variables().any(|variable| variable.name == "timestamp" && variable.parameter.is_none()) {
            true => Err("parameter unit is required for the the variable timestamp, supported values are: \
                         yyyy|MM|dd|HH"
                .to_owned()),
            false => Ok(()),
        }
    }

    /// The units of time of the template, in order; repeated ones are repeated.
    pub(super) fn units(&self) -> Vec<Unit> {
        let times = self.variables().filter(|variable| variable.name == "timestamp");
        times.filter_map(|variable| Unit::named(variable.value()?)).collect()
    }

    /// Whether one of the variables is there.
    pub(super) fn has_any(&self, names: &[&str]) -> bool {
        self.variables().any(|variable| names.contains(&variable.name.as_str()))
    }

    /// The text with values in the places of variables; what means nothing stays as it is.
    pub(super) fn render(&self, bindings: &Bindings<'_>) -> String {
        let mut out = String::with_capacity(self.text.len() + 32);
        let mut times = bindings.times.iter();
        for part in &self.parts {
            let variable = match part {
                Part::Text(text) => {
                    out.push_str(text);
                    continue;
                }
                Part::Variable(variable) => variable,
            };
            let is_padded = variable.value().is_some_and(|value| value.eq_ignore_ascii_case("true"));
            let Bindings { partition, start_offset, .. } = bindings;
            let is_bound = bindings.grouping.is_none_or(|grouping| grouping.binds(&variable.name));
            match variable.name.as_str() {
                _ if !is_bound => out.push_str(&variable.placeholder),
                "key" if bindings.grouping.is_some() => out.push_str(bindings.key),
                "local_date" | "utc_date" if bindings.date.is_some() => out.extend(bindings.date),
                // The old way of naming never pads partitions.
                "partition" if is_padded && bindings.grouping.is_some() => {
                    out.push_str(&format!("{partition:010}"));
                }
                "partition" => out.push_str(&partition.to_string()),
                "start_offset" if is_padded => out.push_str(&format!("{start_offset:020}")),
                "start_offset" => out.push_str(&start_offset.to_string()),
                "timestamp" => out.extend(times.next().copied()),
                "topic" => out.push_str(bindings.topic),
                _ => out.push_str(&variable.placeholder),
            }
        }
        out
    }
}

/// Where a variable may stand: `{{ name:parameter=value }}`.
#[derive(Clone, Copy, Debug, Default)]
struct Place<'a> {
    text: &'a str,
    name: &'a str,
    has_colon: bool,
    parameter: &'a str,
    length: usize,
}

impl<'a> Place<'a> {
    /// The place at the start of `text`, which begins with two braces.
    fn at(text: &'a str) -> Option<Self> {
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let rest = text[2..].trim_start_matches(is_blank);
        let (name, rest) = rest.split_at(rest.find(|c| !is_word(c))?);
        let (has_colon, rest) = rest.strip_prefix(':').map_or((false, rest), |rest| (true, rest));
        let (parameter, rest) = rest.split_at(rest.find(|c| !is_word(c) && c != '=')?);
        let rest = rest.trim_start_matches(is_blank).strip_prefix("}}")?;
        let length = text.len() - rest.len();
        Some(Self { text: &text[..length], name, has_colon, parameter, length })
    }

    fn variable(self, template: &str) -> Result<Variable, ConnectError> {
        let Self { name, has_colon, parameter, .. } = self;
        if name.is_empty() {
            return Err(illegal(format!("Variable name hasn't been set for template: {template}")));
        }
        if has_colon && parameter.is_empty() {
            return Err(illegal("Wrong variable with parameter definition".to_owned()));
        }
        let variable = |parameter: Option<(&str, &str)>| Variable {
            name: name.to_owned(),
            parameter: parameter
                .map(|(name, value)| Parameter { name: name.to_owned(), value: value.to_owned() }),
            placeholder: self.text.to_owned(),
        };
        if parameter.is_empty() {
            return Ok(variable(None));
        }
        let (own, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let value = value.split('=').next().unwrap_or_default();
        if own.is_empty() {
            return Err(illegal(format!("Parameter name for variable `{name}` has not been set")));
        }
        if value.is_empty() {
            return Err(illegal(format!(
                "Parameter value for variable `{name}` and parameter `{own}` has not been set"
            )));
        }
        Ok(variable(Some((own, value))))
    }
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\u{b}' | '\u{c}' | '\r')
}

fn illegal(message: String) -> ConnectError {
    ConnectError::new(ErrorClass::Config, "java.lang.IllegalArgumentException", message)
}

const UNSUPPORTED: &str = "unsupported set of template variables, supported sets are:";
const SUPPORTED: &str = "topic,partition,start_offset,timestamp; topic,partition,key,start_offset,timestamp; \
                         key; key,topic,partition";

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> String {
        let template = Template::parse(text);
        let error = template.and_then(|template| template.grouping()).unwrap_err();
        assert_eq!(error.java_class(), "java.lang.IllegalArgumentException");
        error.to_string()
    }

    #[test]
    fn problems_are_in_javas_words() {
        // `new S3SinkConfig(…)` of Aiven's connectors at 89e55a98.
        let unsupported = format!("unsupported set of template variables, supported sets are: {SUPPORTED}");
        for text in [
            "{{x}}",
            "{{topic}}",
            "{{key}}{{timestamp:unit=HH}}",
            "{{topic}}{{partition}}{{start_offset}}{{foo}}",
        ] {
            assert_eq!(problem(text), unsupported, "{text}");
        }
        assert_eq!(
            problem("x"),
            format!(
                "RecordGrouper requires that the template [x] has variables defined. Supported variables \
                 are: {SUPPORTED}"
            )
        );
        let cases = [
            ("{{topic:}}", "Wrong variable with parameter definition"),
            ("{{}}", "Variable name hasn't been set for template: {{}}"),
            ("{{topic:a}}", "Parameter value for variable `topic` and parameter `a` has not been set"),
            ("{{topic:a=}}", "Parameter value for variable `topic` and parameter `a` has not been set"),
            ("{{topic:=b}}", "Parameter name for variable `topic` has not been set"),
            ("{{topica=b}}{{key}}", "Parameter name for variable `topica` has not been set"),
        ];
        for (text, expected) in cases {
            assert_eq!(problem(text), expected);
        }
    }

    #[test]
    fn variables_say_which_records_share_a_file() {
        let grouping = |text: &str| Template::parse(text).unwrap().grouping().unwrap();
        assert_eq!(grouping("{{topic}}-{{partition}}-{{start_offset}}"), Grouping::TopicPartition);
        let with_other = "{{topic}}{{partition}}{{start_offset}}{{foo}}{{timestamp:unit=HH}}";
        assert_eq!(grouping(with_other), Grouping::TopicPartition);
        let with_key = "{{topic}}{{partition}}{{start_offset}}{{key}}";
        assert_eq!(grouping(with_key), Grouping::TopicPartitionKey);
        assert_eq!(grouping("{{ key }}.txt"), Grouping::Key);
        assert_eq!(grouping("{{key}}{{topic}}{{foo}}"), Grouping::KeyAndTopicPartition);
    }

    fn rendered(text: &str, times: &[&str]) -> String {
        let template = Template::parse(text).unwrap();
        let grouping = Some(template.grouping().unwrap());
        let (topic, key) = ("logs", "k");
        template.render(&Bindings { topic, partition: 3, start_offset: 42, key, times, date: None, grouping })
    }

    #[test]
    fn places_are_filled_and_padded() {
        assert_eq!(rendered("{{topic}}-{{ partition }}-{{start_offset}}.gz", &[]), "logs-3-42.gz");
        assert_eq!(
            rendered("{{topic}}-{{partition:padding=true}}-{{start_offset:padding=TRUE}}", &[]),
            "logs-0000000003-00000000000000000042"
        );
        assert_eq!(
            rendered("{{topic}}-{{partition:padding=x}}-{{start_offset:foo=true}}", &[]),
            "logs-3-00000000000000000042"
        );
        let times = "{{timestamp:unit=yyyy}}/{{timestamp:unit=HH}}/{{topic}}-{{partition}}-{{start_offset}}";
        assert_eq!(rendered(times, &["2024", "07"]), "2024/07/logs-3-42");
        assert_eq!(rendered("{{key}}-{{topic}}-{{start_offset}}", &[]), "k-logs-{{start_offset}}");
        assert_eq!(rendered("{{{key}}}{{a b}}", &[]), "{k}{{a b}}");
    }

    #[test]
    fn the_old_year_is_replaced_and_others_are_not() {
        let replaced =
            Template::without_old_years("{{key}} {{ timestamp : unit = YYYY }}{{timestamp:unit=YYYY}}YYYY");
        assert_eq!(replaced, "{{key}} {{ timestamp : unit = yyyy }}{{timestamp:unit=yyyy}}YYYY");
    }

    #[test]
    fn units_of_time_are_checked() {
        for text in ["{{timestamp}}{{key}}", "{{timestamp:unit=mm}}"] {
            let error = Template::parse(text).unwrap().check_units("k").unwrap_err();
            assert!(error.to_string().contains("needs a unit: yyyy, MM, dd or HH"), "{error}");
        }
    }
}
