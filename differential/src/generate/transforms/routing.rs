//! Transforms of topic names.

use super::super::records::TOPICS;
use super::patterns::pattern;
use super::{on_record, usual};
use crate::case::Case;
use crate::random::Random;

/// Regular expressions of Java.
const REGEXES: [&str; 24] = [
    ".*",
    "topic",
    "(.*)-(eu)",
    "([a-z.]+)",
    "(?<first>[^.]*)\\.(.*)",
    "x|T_1",
    "^o.*u$",
    "[^-]+-.*",
    "\\w+",
    "\\d+-\\w*",
    "(?i)TOPIC",
    "(?=t)topic",
    "(?!o).*",
    ".*+",
    "(a)\\.b\\.c",
    "(.)(.*)\\1?",
    "\\Qa.b.c\\E",
    "\\p{L}+",
    "[a-z&&[^x]]+",
    "t(?:opic)?",
    "(t)(o)(p)(i)(c)",
    "(?<=t)opic",
    ".{1,5}",
    "orders-(?:eu|us)",
];
/// Texts that are no regular expression.
const WRONG_REGEXES: [&str; 6] = ["(", "[", "*", "a{2,1}", "\\", ""];

/// A setting that is a regular expression.
pub(super) fn regex(random: &mut Random) -> String {
    if random.once_in(2) {
        let topic = random.pick(&TOPICS);
        return pattern(random, topic);
    }
    usual(random, &REGEXES, &WRONG_REGEXES).to_owned()
}

/// `RegexRouter`.
pub(crate) fn regex_router(random: &mut Random) -> Case {
    on_record(random, "RegexRouter", |random, settings| {
        settings.set("regex", regex(random));
        let replacements = [
            "new", "$1", "$0-x", "$2-$1", "${first}", "\\$1", "a\\b", "$", "$9", "${none}", "", "x$1y",
            "$11", "pre-$0", "é",
        ];
        settings.set("replacement", random.pick(&replacements));
    })
}

/// `TimestampRouter`.
pub(crate) fn timestamp_router(random: &mut Random) -> Case {
    on_record(random, "TimestampRouter", |random, settings| {
        if random.once_in(2) {
            let formats = [
                "${topic}",
                "${timestamp}-${topic}",
                "fixed",
                "${topic}${topic}-${timestamp}",
                "$topic-{timestamp}",
                "",
                "$1",
            ];
            settings.set("topic.format", random.pick(&formats));
        }
        if random.once_in(2) {
            settings.set("timestamp.format", random.pick(&super::timestamps::PATTERNS));
        }
    })
}
