//! Patterns and what `java.util.regex` does with them.

use super::JavaRegex;

/// Pattern, text, replacement; the syntax error, or whether the whole text matches and what
/// `Matcher#replaceFirst` returns. Printed by JDK 17.
type Case = (
    &'static str,
    &'static str,
    &'static str,
    Result<(bool, Result<&'static str, &'static str>), &'static str>,
);

const CASES: &[Case] = &[
    (".*", "topic", "x", Ok((true, Ok("x")))),
    ("(.*)-(eu)", "orders-eu", "$2.$1", Ok((true, Ok("eu.orders")))),
    ("(?<a>\\w+)\\.(?<b>.*)", "db.table", "${b}-${a}", Ok((true, Ok("table-db")))),
    ("(?i)TOPIC", "tOpIc", "x", Ok((true, Ok("x")))),
    ("a|ab", "ab", "<$0>", Ok((true, Ok("<a>b")))),
    ("(a|ab)(c|bcd)(d*)", "abcd", "$1,$2,$3", Ok((true, Ok("a,bcd,")))),
    (".*+x", "aax", "y", Ok((false, Ok("aax")))),
    (".*?x", "aaxx", "y", Ok((true, Ok("yx")))),
    ("(?>a+)ab", "aaab", "y", Ok((false, Ok("aaab")))),
    ("a++b", "aab", "y", Ok((true, Ok("y")))),
    ("(\\w)\\1", "zz", "$1", Ok((true, Ok("z")))),
    ("(\\w)\\1", "za", "$1", Ok((false, Ok("za")))),
    ("(?<c>.)\\k<c>", "zz", "${c}", Ok((true, Ok("z")))),
    ("(a)(b)?", "a", "[$2]", Ok((true, Ok("[]")))),
    ("(?=t)topic", "topic", "x", Ok((true, Ok("x")))),
    ("(?!o).*", "orders", "x", Ok((false, Ok("ox")))),
    ("(?<=-)eu", "orders-eu", "us", Ok((false, Ok("orders-us")))),
    ("(?<!-)eu", "orders-eu", "us", Ok((false, Ok("orders-eu")))),
    ("(?<=a{1,3})b", "aaab", "x", Ok((false, Ok("aaax")))),
    ("[a-z&&[^x]]+", "abc", "y", Ok((true, Ok("y")))),
    ("[a-z&&[^x]]+", "axc", "y", Ok((false, Ok("yxc")))),
    ("[^a-c&&[b-z]]", "d", "y", Ok((true, Ok("y")))),
    ("[]a]+", "a]", "y", Ok((true, Ok("y")))),
    ("[a-]+", "a-", "y", Ok((true, Ok("y")))),
    ("[\\w.-]+", "a.b-c", "y", Ok((true, Ok("y")))),
    ("\\Qa.b\\E", "a.b", "y", Ok((true, Ok("y")))),
    ("\\Qa.b\\E", "axb", "y", Ok((false, Ok("axb")))),
    ("\\d{2,3}", "1234", "y", Ok((false, Ok("y4")))),
    ("\\d{2}+\\d", "123", "y", Ok((true, Ok("y")))),
    ("\\d{2,}?", "123", "y", Ok((true, Ok("y3")))),
    ("\\p{L}+", "\u{e9}t\u{e9}", "y", Ok((true, Ok("y")))),
    ("\\w+", "\u{e9}t\u{e9}", "y", Ok((false, Ok("\u{e9}y\u{e9}")))),
    ("(?U)\\w+", "\u{e9}t\u{e9}", "y", Ok((true, Ok("y")))),
    ("(?i)\u{c9}", "\u{e9}", "y", Ok((false, Ok("\u{e9}")))),
    ("(?iu)\u{c9}", "\u{e9}", "y", Ok((true, Ok("y")))),
    ("\\p{Lower}+", "abC", "y", Ok((false, Ok("yC")))),
    ("(?i)\\p{Lower}+", "abC", "y", Ok((true, Ok("y")))),
    ("\\p{javaUpperCase}+", "AB", "y", Ok((true, Ok("y")))),
    ("\\p{IsLatin}+", "ab\u{e9}", "y", Ok((true, Ok("y")))),
    ("\\p{IsAlphabetic}+", "ab", "y", Ok((true, Ok("y")))),
    ("\\p{InGreek}", "\u{3b1}", "y", Ok((true, Ok("y")))),
    ("\\p{Sc}", "$", "y", Ok((true, Ok("y")))),
    ("\\P{L}+", "123", "y", Ok((true, Ok("y")))),
    ("\\pL\\PL", "a1", "y", Ok((true, Ok("y")))),
    ("\\p{Punct}+", "-._", "y", Ok((true, Ok("y")))),
    ("[\\p{L}&&[^\\p{Lu}]]+", "abc", "y", Ok((true, Ok("y")))),
    (".", "\n", "y", Ok((false, Ok("\n")))),
    ("(?s).", "\n", "y", Ok((true, Ok("y")))),
    ("(?d).", "\r", "y", Ok((true, Ok("y")))),
    ("a$", "a\n", "y", Ok((false, Ok("y\n")))),
    ("a\\z", "a\n", "y", Ok((false, Ok("a\n")))),
    ("a\\Z", "a\r\n", "y", Ok((false, Ok("y\r\n")))),
    ("(?m)^b$", "a\nb\nc", "y", Ok((false, Ok("a\ny\nc")))),
    ("^b", "a\nb", "y", Ok((false, Ok("a\nb")))),
    ("\\R", "\r\n", "y", Ok((true, Ok("y")))),
    ("\\R\\n", "\r\n", "y", Ok((true, Ok("y")))),
    ("\\h+\\v", "\t\u{a0}\n", "y", Ok((true, Ok("y")))),
    ("\\bfoo\\b", "a foo b", "bar", Ok((false, Ok("a bar b")))),
    ("\\Boo", "foo", "x", Ok((false, Ok("fx")))),
    ("(?x) a b # c", "ab", "y", Ok((true, Ok("y")))),
    ("(?x)[a b]+", "a b", "y", Ok((false, Ok("y b")))),
    ("(?i:a)b", "Ab", "y", Ok((true, Ok("y")))),
    ("(?i:a)b", "AB", "y", Ok((false, Ok("AB")))),
    ("(?i)a(?-i)b", "AB", "y", Ok((false, Ok("AB")))),
    ("\\x41\\u0042\\x{43}\\0104", "ABCD", "y", Ok((true, Ok("y")))),
    ("\\cA", "\u{1}", "y", Ok((true, Ok("y")))),
    ("\\t\\n\\r\\f\\a\\e", "\t\n\r\u{c}\u{7}\u{1b}", "y", Ok((true, Ok("y")))),
    ("(a*)*", "aaa", "[$1]", Ok((true, Ok("[]")))),
    ("(a?)*b", "aab", "[$1]", Ok((true, Ok("[]")))),
    ("(a|b)*?c", "abc", "[$1]", Ok((true, Ok("[b]")))),
    ("(?:(a)|b)*", "ab", "[$1]", Ok((true, Ok("[a]")))),
    ("()*", "", "[$1]", Ok((true, Ok("[]")))),
    ("(|a)+", "aa", "[$1]", Ok((true, Ok("[]aa")))),
    ("(a{2}){2}", "aaaa", "[$1]", Ok((true, Ok("[aa]")))),
    ("a{0}b", "b", "y", Ok((true, Ok("y")))),
    ("a{2}{3}", "aa", "y", Ok((true, Ok("y")))),
    ("x*", "baaac", "-", Ok((false, Ok("-baaac")))),
    ("\\G.", "ab", "-", Ok((false, Ok("-b")))),
    ("(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)", "abcdefghijk", "$11-$12-$1", Ok((true, Ok("k-a2-a")))),
    ("(a)", "a", "$12", Ok((true, Ok("a2")))),
    ("a", "a", "\\$1", Ok((true, Ok("$1")))),
    ("a", "a", "$", Ok((true, Err("Illegal group reference: group index is missing")))),
    ("a", "a", "\\", Ok((true, Err("character to be escaped is missing")))),
    ("a", "a", "$x", Ok((true, Err("Illegal group reference")))),
    ("a", "a", "${", Ok((true, Err("named capturing group has 0 length name")))),
    ("a", "a", "${x", Ok((true, Err("named capturing group is missing trailing '}'")))),
    ("a", "a", "${x}", Ok((true, Err("No group with name {x}")))),
    ("a", "a", "${1x}", Ok((true, Err("capturing group name {1x} starts with digit character")))),
    ("a", "a", "$1", Ok((true, Err("No group 1")))),
    ("a", "b", "$1", Ok((false, Ok("b")))),
    ("(?<n>a)", "a", "${n}${n}", Ok((true, Ok("aa")))),
    ("(", "a", "", Err("Unclosed group near index 1\n(")),
    (")", "a", "", Err("Unmatched closing ')'\n)")),
    ("a)", "a", "", Err("Unmatched closing ')' near index 0\na)\n^")),
    ("[", "a", "", Err("Unclosed character class near index 0\n[\n^")),
    ("[a", "a", "", Err("Unclosed character class near index 1\n[a\n ^")),
    ("[]", "a", "", Err("Unclosed character class near index 1\n[]\n ^")),
    ("*", "a", "", Err("Dangling meta character '*' near index 0\n*\n^")),
    ("a**", "a", "", Err("Dangling meta character '*' near index 2\na**\n  ^")),
    ("+a", "a", "", Err("Dangling meta character '+' near index 0\n+a\n^")),
    ("a|*", "a", "", Err("Dangling meta character '*' near index 2\na|*\n  ^")),
    ("{", "a", "", Err("Illegal repetition near index 1\n{")),
    ("a{", "a", "", Err("Illegal repetition near index 2\na{")),
    ("a{,2}", "a", "", Err("Illegal repetition near index 2\na{,2}\n  ^")),
    ("a{1", "a", "", Err("Unclosed counted closure near index 3\na{1")),
    ("a{2,1}", "a", "", Err("Illegal repetition range near index 5\na{2,1}\n     ^")),
    ("a{99999999999}", "a", "", Err("Illegal repetition range near index 11\na{99999999999}\n           ^")),
    ("\\", "a", "", Err("Unexpected internal error near index 1\n\\")),
    ("\\y", "a", "", Err("Illegal/unsupported escape sequence near index 1\n\\y\n ^")),
    ("\\p", "a", "", Err("Unknown character property name {\u{0}} near index 2\n\\p")),
    ("\\p{", "a", "", Err("Unclosed character family near index 3\n\\p{")),
    ("\\p{}", "a", "", Err("Empty character family near index 3\n\\p{}\n   ^")),
    ("\\p{Nope}", "a", "", Err("Unknown character property name {Nope} near index 7\n\\p{Nope}\n       ^")),
    (
        "\\p{IsNope}",
        "a",
        "",
        Err("Unknown character property name {IsNope} near index 9\n\\p{IsNope}\n         ^"),
    ),
    (
        "\\p{InNope}",
        "a",
        "",
        Err("Unknown character property name {InNope} near index 9\n\\p{InNope}\n         ^"),
    ),
    ("\\p{sc=Latin}", "a", "x", Ok((true, Ok("x")))),
    (
        "\\p{x=y}",
        "a",
        "",
        Err("Unknown Unicode property {name=<x>, value=<y>} near index 6\n\\p{x=y}\n      ^"),
    ),
    ("\\x4", "a", "", Err("Illegal hexadecimal escape sequence near index 3\n\\x4")),
    ("\\x{110000}", "a", "", Err("Hexadecimal codepoint is too big near index 8\n\\x{110000}\n        ^")),
    ("\\u12", "a", "", Err("Illegal Unicode escape sequence near index 4\n\\u12")),
    ("\\08", "a", "", Err("Illegal octal escape sequence near index 2\n\\08\n  ^")),
    ("\\c", "a", "", Err("Illegal control escape sequence near index 1\n\\c\n ^")),
    (
        "(?<1a>x)",
        "a",
        "",
        Err("capturing group name does not start with a Latin letter near index 3\n(?<1a>x)\n   ^"),
    ),
    ("(?<a", "a", "", Err("named capturing group is missing trailing '>' near index 4\n(?<a")),
    (
        "(?<a>x)(?<a>y)",
        "a",
        "",
        Err("Named capturing group <a> is already defined near index 11\n(?<a>x)(?<a>y)\n           ^"),
    ),
    ("\\k<x>", "a", "", Err("named capturing group <x> does not exist near index 4\n\\k<x>\n    ^")),
    ("\\k", "a", "", Err("\\k is not followed by '<' for named capturing group near index 2\n\\k")),
    ("(?z)", "a", "", Err("Unknown inline modifier near index 2\n(?z)\n  ^")),
    ("(?", "a", "", Err("Unknown inline modifier near index 2\n(?")),
    ("(?@a)", "a", "", Err("Unknown group type near index 2\n(?@a)\n  ^")),
    ("(?<=a*?)b", "a", "", Ok((false, Ok("a")))),
    (
        "(?<=(a|b)*)c",
        "c",
        "",
        Err("Look-behind group does not have an obvious maximum length near index 9\n(?<=(a|b)*)c\n\
             \x20        ^"),
    ),
    ("[b-a]", "a", "", Err("Illegal character range near index 3\n[b-a]\n   ^")),
    ("[a-\\d]", "a", "", Err("Illegal character range near index 4\n[a-\\d]\n    ^")),
    ("[a&&]", "a", "y", Ok((true, Ok("y")))),
    ("[&&a]", "a", "y", Ok((true, Ok("y")))),
    ("[[a]b", "a", "", Err("Unclosed character class near index 4\n[[a]b\n    ^")),
    ("\\E", "a", "", Err("Illegal/unsupported escape sequence near index 1\n\\E\n ^")),
    ("\\1", "a", "x", Ok((false, Ok("a")))),
    ("(?<=a", "a", "", Err("Unclosed group near index 5\n(?<=a")),
    ("a]", "a]", "y", Ok((true, Ok("y")))),
    ("a}", "a}", "y", Ok((true, Ok("y")))),
];

#[test]
fn patterns_match_and_replace_as_in_java() {
    for (pattern, text, replacement, expected) in CASES {
        let ours = JavaRegex::new(pattern);
        let (regex, (whole, replaced)) = match (&ours, expected) {
            (Ok(regex), Ok(expected)) => (regex, expected),
            (ours, expected) => {
                assert_eq!(ours.as_ref().err().map(String::as_str), expected.err(), "{pattern}");
                continue;
            }
        };
        assert_eq!(regex.matches(text).unwrap(), *whole, "{pattern} on {text}");
        let ours = regex.replace_first(text, replacement).map_err(|err| err.to_string());
        assert_eq!(
            ours.as_deref().map_err(String::as_str),
            *replaced,
            "{pattern} on {text} to {replacement}"
        );
    }
}

#[test]
fn catastrophic_patterns_end() {
    let regex = JavaRegex::new("(a+)+b").unwrap();
    let text = "a".repeat(40);
    assert!(regex.matches(&format!("{text}c")).is_err());
    assert!(regex.replace_first(&format!("{text}c"), "").is_err());
}

#[test]
fn patterns_nest_to_a_limit() {
    let deep = |times: usize| format!("{}a{}", "(".repeat(times), ")".repeat(times));
    assert!(JavaRegex::new(&deep(150)).unwrap().matches("a").unwrap());
    assert!(JavaRegex::new(&deep(100_000)).is_err());
    assert!(JavaRegex::new(&"[".repeat(100_000)).is_err());
}
