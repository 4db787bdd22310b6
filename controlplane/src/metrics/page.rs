//! The text that Prometheus scrapes, in the names of the rules that are in use for Kafka Connect.
//!
//! Owns names, escaping and the limit on the size; must not know what is counted. Series of one name stand
//! together. Source: Prometheus text format 0.0.4, the JMX exporter's default names, its example rules for
//! Kafka Connect, Strimzi's metrics reporter.

use std::fmt::Write;

use super::paper::SHEET_BYTES;

/// How names are made out of group and attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// A JMX exporter without rules: numbers only.
    Jmx,
    /// Strimzi's metrics reporter: texts too, as labels.
    Reporter,
    /// A JMX exporter with the usual rules: short names, statuses as labels.
    Rules,
}

/// The setting that chooses the styles of a page.
pub(crate) const STYLE: &str = "lakeward.metrics.style";
/// Its values.
pub(crate) const STYLES: [&str; 4] = ["both", "jmx", "reporter", "rules"];

impl Style {
    /// The styles that a value of [`STYLE`] stands for. Those of `both` have no name in common.
    pub(crate) fn parse(text: &str) -> Option<&'static [Self]> {
        match text {
            "both" => Some(&[Self::Jmx, Self::Rules]),
            "jmx" => Some(&[Self::Jmx]),
            "reporter" => Some(&[Self::Reporter]),
            "rules" => Some(&[Self::Rules]),
            _ => None,
        }
    }
}

/// Labels of a series: names as in JMX, and values.
#[derive(Clone, Debug, Default)]
pub(crate) struct Labels(String);

impl Labels {
    /// Labels in this order.
    pub(crate) fn new(labels: &[(&str, &str)]) -> Self {
        let mut text = String::new();
        for (name, value) in labels {
            push_label(&mut text, name, value);
        }
        Self(text)
    }
}

/// Where the pieces of a page go, in their order, each for an empty sheet; the last one of a page comes from
/// [`Page::finish`]. `None` when nobody wants more of it.
pub(crate) type Pieces<'a> = &'a mut dyn FnMut(String) -> Option<String>;

/// A page under construction. Memory: one piece.
pub(crate) struct Page<'a> {
    style: Style,
    text: String,
    pieces: Pieces<'a>,
    bytes_gone: usize,
    bytes_max: usize,
    left_out: u64,
    is_wanted: bool,
}

impl<'a> Page<'a> {
    /// At most about `bytes_max` bytes, the first ones on the empty sheet `text`; what does not fit is
    /// counted.
    pub(crate) fn new(bytes_max: usize, text: String, pieces: Pieces<'a>) -> Self {
        Self { style: Style::Jmx, text, pieces, bytes_gone: 0, bytes_max, left_out: 0, is_wanted: true }
    }

    /// Whether somebody still waits for it.
    pub(crate) fn is_wanted(&self) -> bool {
        self.is_wanted
    }

    /// What follows is named in this style.
    pub(crate) fn set_style(&mut self, style: Style) {
        self.style = style;
    }

    /// All series of a numeric attribute.
    pub(crate) fn numbers<'s>(
        &mut self,
        group: &str,
        attribute: &str,
        series: impl Iterator<Item = (&'s Labels, f64)>,
    ) {
        let Some((name, kind)) = number_name(self.style, group, attribute) else { return };
        let mut is_new = true;
        for (labels, value) in series {
            if self.begin(&name, kind, &mut is_new) {
                self.push(&name, labels, None, value);
            }
        }
    }

    /// All series of a numeric attribute of a Kafka client.
    pub(crate) fn client_numbers<'s>(
        &mut self,
        group: &str,
        attribute: &str,
        series: impl Iterator<Item = (&'s Labels, f64)>,
    ) {
        let (name, kind) = client_name(self.style, group, attribute);
        let mut is_new = true;
        for (labels, value) in series {
            if self.begin(&name, kind, &mut is_new) {
                self.push(&name, labels, None, value);
            }
        }
    }

    /// All series of a counter that Kafka Connect does not have, under its own name in every style.
    pub(crate) fn own_counters<'s>(&mut self, name: &str, series: impl Iterator<Item = (&'s Labels, f64)>) {
        self.own(name, "counter", series);
    }

    /// The same of a value that goes up and down.
    pub(crate) fn own_gauges<'s>(&mut self, name: &str, series: impl Iterator<Item = (&'s Labels, f64)>) {
        self.own(name, "gauge", series);
    }

    fn own<'s>(&mut self, name: &str, kind: &str, series: impl Iterator<Item = (&'s Labels, f64)>) {
        let mut is_new = true;
        for (labels, value) in series {
            if self.begin(name, kind, &mut is_new) {
                self.push(name, labels, None, value);
            }
        }
    }

    /// All series of a text attribute: the text becomes a label.
    pub(crate) fn texts<'s>(
        &mut self,
        group: &str,
        attribute: &str,
        series: impl Iterator<Item = (&'s Labels, &'s str)>,
    ) {
        let Some(name) = text_name(self.style, group, attribute) else { return };
        let mut is_new = true;
        let attribute = attribute.replace('-', "_");
        for (labels, text) in series {
            if self.begin(&name, "gauge", &mut is_new) {
                self.push(&name, labels, Some((&attribute, text)), 1.0);
            }
        }
    }

    /// False when there is no room for another series.
    fn begin(&mut self, name: &str, kind: &str, is_new: &mut bool) -> bool {
        if self.text.len() >= SHEET_BYTES && self.is_wanted {
            self.bytes_gone += self.text.len();
            let next = (self.pieces)(std::mem::take(&mut self.text));
            self.is_wanted = next.is_some();
            self.text = next.unwrap_or_default();
        }
        if self.bytes_gone + self.text.len() >= self.bytes_max || !self.is_wanted {
            self.left_out += 1;
            return false;
        }
        if std::mem::take(is_new) {
            for part in ["# TYPE ", name, " ", kind, "\n"] {
                self.text.push_str(part);
            }
        }
        true
    }

    /// One series: this is the inner loop of a page, so it makes no text besides the page's.
    fn push(&mut self, name: &str, labels: &Labels, more: Option<(&str, &str)>, value: f64) {
        self.text.push_str(name);
        if !labels.0.is_empty() || more.is_some() {
            self.text.push('{');
            let is_rules = self.style == Style::Rules;
            match labels.0.strip_prefix("client-id=") {
                Some(rest) => {
                    self.text.push_str(if is_rules { "clientid=" } else { "client_id=" });
                    self.text.push_str(rest);
                }
                None => self.text.push_str(&labels.0),
            }
            if let Some((label, text)) = more {
                push_next_label(&mut self.text, labels.0.is_empty(), label, text);
            }
            self.text.push('}');
        }
        self.text.push(' ');
        push_number(&mut self.text, value);
        self.text.push('\n');
    }

    /// The last piece, with the number of series that found no room.
    pub(crate) fn finish(mut self) -> String {
        self.text.push_str("# TYPE lakeward_metrics_left_out gauge\n");
        let left_out = self.left_out as f64;
        self.push("lakeward_metrics_left_out", &Labels::default(), None, left_out);
        self.text
    }
}

fn push_number(text: &mut String, value: f64) {
    // Nearly all numbers are counts: integers are much cheaper to write.
    const INTEGER_MAX: f64 = 9_007_199_254_740_992.0;
    let written = match value {
        value if value.is_nan() => text.write_str("NaN"),
        f64::INFINITY => text.write_str("+Inf"),
        f64::NEG_INFINITY => text.write_str("-Inf"),
        0.0 if value.is_sign_positive() => text.write_char('0'),
        value if value.fract() == 0.0 && value.abs() < INTEGER_MAX && value != 0.0 => {
            write!(text, "{}", value as i64)
        }
        value => write!(text, "{value}"),
    };
    written.expect("a String takes every text");
}

fn push_label(text: &mut String, name: &str, value: &str) {
    push_next_label(text, text.is_empty(), name, value);
}

fn push_next_label(text: &mut String, is_first: bool, name: &str, value: &str) {
    if !is_first {
        text.push(',');
    }
    text.push_str(name);
    text.push_str("=\"");
    for c in value.chars() {
        match c {
            '\\' => text.push_str("\\\\"),
            '"' => text.push_str("\\\""),
            '\n' => text.push_str("\\n"),
            c => text.push(c),
        }
    }
    text.push('"');
}

/// Prometheus' letters.
fn plain(text: &str) -> String {
    text.replace(['-', '.'], "_")
}

/// Attributes of task groups that the usual rules let through as gauges, by their last word.
const GAUGE_ENDINGS: [&str; 14] = [
    "avg",
    "count",
    "errors",
    "failures",
    "logged",
    "max",
    "ms",
    "no",
    "rate",
    "ratio",
    "requests",
    "retries",
    "skipped",
    "timestamp",
];

/// Name and type of a number; `None` when the style has no such name.
fn number_name(style: Style, group: &str, attribute: &str) -> Option<(String, &'static str)> {
    let is_total = attribute.ends_with("-total");
    match style {
        Style::Jmx => Some((format!("kafka_connect_{}_{}", plain(group), plain(attribute)), "untyped")),
        Style::Reporter => {
            let attribute = attribute.strip_suffix("-total").unwrap_or(attribute);
            Some((format!("kafka_connect_{}_{}", plain(group), plain(attribute)), "gauge"))
        }
        Style::Rules => {
            let last = attribute.rsplit('-').next().unwrap_or(attribute);
            if group.contains("task") && !is_total && !GAUGE_ENDINGS.contains(&last) {
                return None;
            }
            let kind = if is_total { "counter" } else { "gauge" };
            Some((format!("kafka_connect_{}{}", stem(group), plain(attribute)), kind))
        }
    }
}

/// Name and type of a number of a client's group: JMX has a domain for each kind of client.
fn client_name(style: Style, group: &str, attribute: &str) -> (String, &'static str) {
    let kind = match group.split('-').next() {
        Some("admin") => "admin_client",
        Some(kind) => kind,
        None => group,
    };
    let is_total = attribute.ends_with("-total");
    match style {
        Style::Jmx => (format!("kafka_{kind}_{}_{}", plain(group), plain(attribute)), "untyped"),
        Style::Reporter => {
            let attribute = attribute.strip_suffix("-total").unwrap_or(attribute);
            (format!("kafka_{kind}_{}_{}", plain(group), plain(attribute)), "gauge")
        }
        Style::Rules => {
            let group = group.strip_suffix("-metrics").unwrap_or(group);
            let shape = if is_total { "counter" } else { "gauge" };
            (format!("kafka_{}_{}", plain(group), plain(attribute)), shape)
        }
    }
}

/// Name of a text; `None` when the style shows no such text.
fn text_name(style: Style, group: &str, attribute: &str) -> Option<String> {
    match style {
        Style::Jmx => None,
        Style::Reporter => Some(format!("kafka_connect_{}_{}_info", plain(group), plain(attribute))),
        Style::Rules => {
            let is_shown = match group {
                "connector-metrics" | "connect-worker-rebalance-metrics" => true,
                "connector-task-metrics" => attribute == "status",
                _ => false,
            };
            let name = format!("kafka_connect_{}{}", stem(group), plain(attribute));
            match (group, attribute) {
                ("app-info", "version" | "commit-id") => Some(format!("{name}_info")),
                _ => is_shown.then_some(name),
            }
        }
    }
}

/// The group in the names of the usual rules: without `connect-` and `-metrics`.
fn stem(group: &str) -> String {
    let group = group.strip_suffix("-metrics").unwrap_or(group);
    match group.strip_prefix("connect-").unwrap_or(group) {
        "app-info" => String::new(),
        stem => format!("{}_", plain(stem)),
    }
}
