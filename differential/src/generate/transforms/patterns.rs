//! Regular expressions grown along a topic's name, so that many of them match it.
//!
//! Groups are not repeated, so that no pattern takes for ever. Left out is where Java's own engine leaves
//! traces of failed attempts in groups (possessive groups) and where its limits of look-behinds depend on how
//! it compiles their content.

use crate::random::Random;

/// A pattern that matches `topic`, or nearly.
pub(super) fn pattern(random: &mut Random, topic: &str) -> String {
    let mut text = String::new();
    if random.once_in(8) {
        text.push_str(random.pick(&["(?i)", "(?s)", "(?x)", "(?U)", "^", "\\A", "(?iu)", "(?m)"]));
    }
    let letters: Vec<char> = topic.chars().collect();
    along(random, &letters, 0, &mut text);
    if random.once_in(8) {
        text.push_str(random.pick(&["$", "\\z", "\\Z", "|", "|x", ".*", "\\b", "?", "(?!.)", ")", "("]));
    }
    text
}

fn along(random: &mut Random, letters: &[char], depth: usize, text: &mut String) {
    let mut at = 0;
    while at < letters.len() {
        let rest = letters.len() - at;
        let count = 1 + random.below(rest);
        let part = &letters[at..at + count];
        match random.below(12) {
            0..2 if depth < 3 => {
                text.push_str(random.pick(&["(", "(", "(?:", "(?>", "(?i:", "(?<g>", "(?=.)("]));
                along(random, part, depth + 1, text);
                if random.once_in(3) {
                    text.push('|');
                    text.push_str(random.pick(&["x", "", "o", "\\w+", "t.", "[^e]"]));
                }
                text.push(')');
                text.push_str(random.pick(&["", "", "", "?", "??", "{1}", "{0,1}"]));
                at += count;
            }
            2 => {
                text.push_str(random.pick(&[".*", ".+", "\\S*", "[^/]*?", ".*?", "\\w*", "[a-z]+", ".{2,}"]));
                at += count;
            }
            3 => {
                text.push_str(random.pick(&[
                    "\\b",
                    "\\B",
                    "(?=.)",
                    "(?!x)",
                    "(?<=.)",
                    "(?<!x)",
                    "(?<=[a-z]{1,2})",
                    "\\G",
                    "\\1",
                    "\\k<g>",
                ]));
            }
            _ => {
                one(random, letters[at], text);
                text.push_str(random.pick(&["", "", "", "", "", "", "?", "+", "*+", "{1}", "++", "?+"]));
                at += 1;
            }
        }
    }
}

/// What stands for one character.
fn one(random: &mut Random, letter: char, text: &mut String) {
    match random.below(8) {
        0 => text.push('.'),
        1 => text.push_str(random.pick(&[
            "\\w",
            "[a-z]",
            "[^-]",
            "\\S",
            "\\D",
            "[\\w.-]",
            "[a-z&&[^x]]",
            "[^\\s\\d]",
            "\\p{L}",
            "\\p{Alnum}",
            "[\\p{Punct}\\w]",
            "[A-Z[a-z]]",
            "\\p{Lower}",
            "\\p{IsLatin}",
            "\\H",
            "[[a-m][n-z]&&[^q]]",
            "\\P{Lu}",
        ])),
        2 => {
            text.push_str("\\Q");
            text.push(letter);
            text.push_str("\\E");
        }
        3 => text.push_str(&format!("\\x{:02x}", u32::from(letter) & 0xff)),
        4 => text.push_str(&format!("[{letter}x]")),
        5 => text.extend(letter.to_uppercase()),
        _ if letter.is_alphanumeric() => text.push(letter),
        _ => {
            text.push('\\');
            text.push(letter);
        }
    }
}
