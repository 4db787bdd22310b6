//! Requirements on the version of a plugin: `4.1.0`, `latest`, or ranges such as `[4.0,5.0)`.
//!
//! Source: KIP-891, `PluginUtils#connectorVersionRequirement`, Kafka 4.1, and the version ranges of Maven 3,
//! which it uses.

use std::cmp::Ordering;
use std::fmt;

/// The ranges that a version must be in; one of them is enough.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Requirement(Vec<Range>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Range {
    lower: Bound,
    upper: Bound,
}

/// One end of a range; without a version there is no limit.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Bound {
    version: Option<String>,
    is_inclusive: bool,
}

impl Requirement {
    /// Reads a requirement; `None` for `latest`, which every version meets. A plain version is required
    /// exactly.
    ///
    /// # Errors
    /// What is wrong with the text, in Maven's words.
    pub(crate) fn parse(text: &str) -> Result<Option<Self>, String> {
        let text = text.trim();
        if text == "latest" {
            return Ok(None);
        }
        if text.starts_with(['[', '(']) {
            return ranges(text).map(|ranges| Some(Self(ranges)));
        }
        ranges(&format!("[{text}]")).map(|ranges| Some(Self(ranges)))
    }

    /// Whether `version` is in one of the ranges.
    pub(crate) fn allows(&self, version: &str) -> bool {
        self.0.iter().any(|range| {
            let above = range.lower.admits(version, Ordering::Greater);
            above && range.upper.admits(version, Ordering::Less)
        })
    }
}

impl Bound {
    /// Whether `version` is on the `side` of this bound.
    fn admits(&self, version: &str, side: Ordering) -> bool {
        let Some(limit) = &self.version else { return true };
        match compare(version, limit) {
            Ordering::Equal => self.is_inclusive,
            other => other == side,
        }
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, Range { lower, upper }) in self.0.iter().enumerate() {
            let (comma, open) = (if at == 0 { "" } else { "," }, if lower.is_inclusive { '[' } else { '(' });
            let close = if upper.is_inclusive { ']' } else { ')' };
            let text = |bound: &Bound| bound.version.clone().unwrap_or_default();
            write!(f, "{comma}{open}{},{}{close}", text(lower), text(upper))?;
        }
        Ok(())
    }
}

/// Reads `[1,2),[3]`.
fn ranges(spec: &str) -> Result<Vec<Range>, String> {
    let mut ranges: Vec<Range> = Vec::new();
    let mut rest = spec;
    while rest.starts_with(['[', '(']) {
        let end = rest.find([')', ']']).ok_or_else(|| format!("Unbounded range: {spec}"))?;
        let range = range(&rest[..=end])?;
        if let Some(upper) = ranges.last().and_then(|last| last.upper.version.as_ref()) {
            let starts_after =
                range.lower.version.as_ref().is_some_and(|lower| compare(lower, upper).is_ge());
            if !starts_after {
                return Err(format!("Ranges overlap: {spec}"));
            }
        }
        ranges.push(range);
        rest = rest[end + 1..].trim();
        rest = rest.strip_prefix(',').map_or(rest, str::trim);
    }
    if rest.is_empty() {
        return Ok(ranges);
    }
    Err(format!("Only fully-qualified sets allowed in multiple set scenario: {spec}"))
}

/// Reads one range; `spec` is at least two brackets.
fn range(spec: &str) -> Result<Range, String> {
    let (starts, ends) = (spec.starts_with('['), spec.ends_with(']'));
    let inner = spec[1..spec.len() - 1].trim();
    let bound = |version: Option<&str>, is_inclusive| Bound {
        version: version.map(|text| text.trim().to_owned()),
        is_inclusive,
    };
    let Some((lower, upper)) = inner.split_once(',') else {
        if !starts || !ends {
            return Err(format!("Single version must be surrounded by []: {spec}"));
        }
        return Ok(Range { lower: bound(Some(inner), true), upper: bound(Some(inner), true) });
    };
    let given = |text: &'_ str| !text.trim().is_empty();
    let lower = bound(Some(lower).filter(|text| given(text)), starts);
    let upper = bound(Some(upper).filter(|text| given(text)), ends);
    if let (Some(first), Some(last)) = (&lower.version, &upper.version) {
        let is_wrong = match compare(last, first) {
            Ordering::Less => true,
            Ordering::Equal => !starts || !ends,
            Ordering::Greater => false,
        };
        if is_wrong {
            return Err(format!("Range defies version ordering: {spec}"));
        }
    }
    Ok(Range { lower, upper })
}

/// A piece of a version, with what separates it from the one before.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Piece {
    after_hyphen: bool,
    /// Digits without leading zeros, or a lower-case word.
    text: String,
    is_number: bool,
}

impl Piece {
    /// Zeros and the words for a release say nothing.
    fn is_null(&self) -> bool {
        match self.is_number {
            true => self.text.is_empty(),
            false => rank(&self.text) == rank(""),
        }
    }

    /// What a missing piece in the place of this one would be.
    fn padding(&self) -> Self {
        Self { text: String::new(), ..self.clone() }
    }

    fn class(&self) -> u8 {
        match (self.is_number, self.after_hyphen) {
            (false, _) => 0,
            (true, true) => 1,
            (true, false) => 2,
        }
    }

    fn cmp(&self, other: &Self) -> Ordering {
        self.class().cmp(&other.class()).then_with(|| match self.is_number {
            true => (self.text.len(), &self.text).cmp(&(other.text.len(), &other.text)),
            false => rank(&self.text).cmp(&rank(&other.text)),
        })
    }
}

/// Words in the order of a release's life; unknown ones come after a release, alphabetically.
fn rank(word: &str) -> (usize, &str) {
    let known = ["alpha", "beta", "milestone", "rc", "snapshot", "", "sp"];
    let word = match word {
        "cr" => "rc",
        "final" | "ga" | "release" => "",
        other => other,
    };
    known.iter().position(|one| *one == word).map_or((known.len(), word), |at| (at, ""))
}

fn pieces(version: &str) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut start_new = Some(false);
    for c in version.to_lowercase().chars() {
        if matches!(c, '.' | '-') {
            start_new = Some(c == '-');
            continue;
        }
        let is_number = c.is_ascii_digit();
        let turned = pieces.last().is_some_and(|last| last.is_number != is_number);
        if start_new.is_some() || turned {
            let after_hyphen = start_new.unwrap_or(true);
            pieces.push(Piece { after_hyphen, text: String::new(), is_number });
            start_new = None;
        }
        if let Some(last) = pieces.last_mut()
            && !(is_number && c == '0' && last.text.is_empty())
        {
            last.text.push(c);
        }
    }
    trimmed(pieces)
}

/// Without pieces that say nothing, at the end and before hyphens.
fn trimmed(pieces: Vec<Piece>) -> Vec<Piece> {
    let mut kept: Vec<Piece> = Vec::new();
    let drop_nulls = |kept: &mut Vec<Piece>| {
        while kept.last().is_some_and(Piece::is_null) {
            kept.pop();
        }
    };
    for piece in pieces {
        if piece.after_hyphen {
            drop_nulls(&mut kept);
        }
        kept.push(piece);
    }
    drop_nulls(&mut kept);
    kept
}

fn compare(left: &str, right: &str) -> Ordering {
    let (left, right) = (pieces(left), pieces(right));
    (0..left.len().max(right.len()))
        .map(|at| match (left.get(at), right.get(at)) {
            (Some(one), Some(other)) => one.cmp(other),
            (Some(one), None) => one.cmp(&one.padding()),
            (None, Some(other)) => other.padding().cmp(other),
            (None, None) => Ordering::Equal,
        })
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requirements_are_met_as_java_meets_them() {
        let cases = [
            ("4.1.0", true),
            ("4.1", true),
            ("4.1.0.0", true),
            ("4.0.0", false),
            ("", false),
            ("foo(", false),
            ("[4.0,5.0)", true),
            ("(4.1,4.2]", false),
            ("[4.0,4.0.5],[4.1,4.2)", true),
            ("[4.1.0-rc1,4.1.0]", true),
            ("[4.1.0-foo,)", false),
            ("(,4.1.0-1)", true),
            ("[4.0,)", true),
            ("[4.1.0-sp,)", false),
            ("[4.1.0-final,4.1.0-ga]", true),
            ("[04.01,4.10.0)", true),
        ];
        for (text, expected) in cases {
            let requirement = Requirement::parse(text).unwrap().unwrap();
            assert_eq!(requirement.allows("4.1.0"), expected, "{text}");
        }
        assert_eq!(Requirement::parse(" latest "), Ok(None));
    }

    #[test]
    fn requirements_are_shown_and_refused_in_mavens_words() {
        for (text, shown) in
            [("4.0", "[4.0,4.0]"), ("", "[,]"), ("(4.1,]", "(4.1,]"), ("foo(", "[foo(,foo(]")]
        {
            assert_eq!(Requirement::parse(text).unwrap().unwrap().to_string(), shown);
        }
        for (text, problem) in [
            ("[4.0", "Unbounded range: [4.0"),
            ("[5,4]", "Range defies version ordering: [5,4]"),
            ("[4.1.0)", "Single version must be surrounded by []: [4.1.0)"),
            ("[4,5],[4,6]", "Ranges overlap: [4,5],[4,6]"),
            ("[4,5] foo", "Only fully-qualified sets allowed in multiple set scenario: [4,5] foo"),
        ] {
            assert_eq!(Requirement::parse(text), Err(problem.to_owned()));
        }
    }
}
