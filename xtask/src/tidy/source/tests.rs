//! Every rule for source files, broken on purpose.

use super::*;

fn problems(path: &str, source: &str) -> Vec<String> {
    let mut problems = Vec::new();
    check(path, source, &mut problems);
    problems.iter().map(ToString::to_string).collect()
}

fn assert_one(path: &str, source: &str, expected: &str) {
    let found = problems(path, source);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with(expected), "{} is not {expected}", found[0]);
}

#[test]
fn a_clean_file_has_no_problem() {
    assert!(problems("a/src/lib.rs", "//! Docs.\n\nfn a() {}\n").is_empty());
    assert!(problems("a/src/lib.rs", "#![forbid(x)]\n//! Docs.\n").is_empty());
}

#[test]
fn sizes_are_limited() {
    let long_file = format!("//! Docs.\n{}", "\n".repeat(FILE_LINES_MAX));
    assert_one("a.rs", &long_file, "a.rs:501: 501 lines");
    let wide = format!("//! Docs.\n// {}\n", "é".repeat(LINE_COLUMNS_MAX));
    assert_one("a.rs", &wide, "a.rs:2: 113 columns");
    let exactly = format!("//! Docs.\nfn a() {{\n{}}}\n", "x;\n".repeat(FUNCTION_LINES_MAX - 2));
    assert!(problems("a.rs", &exactly).is_empty());
    let longer = format!("//! Docs.\nfn a() {{\n{}}}\n", "x;\n".repeat(FUNCTION_LINES_MAX - 1));
    assert_one("a.rs", &longer, "a.rs:2: fn a has 71 lines");
}

#[test]
fn functions_are_found_among_look_alikes() {
    let source = "trait T { fn declared(&self) -> [u8; 2]; }\n\
                  type F = fn(u8) -> u8;\n\
                  const TEXT: &str = \"fn fake() {\";\n\
                  // fn comment() {\n\
                  fn outer<const N: usize>(a: [u8; 4])\nwhere\n    T: X,\n{\n    fn inner() { '{'; }\n}\n";
    let found = functions(&Code::of(source).lines);
    let outline: Vec<(&str, usize, usize)> =
        found.iter().map(|function| (function.name.as_str(), function.line, function.lines)).collect();
    assert_eq!(outline, [("outer", 5, 6), ("inner", 9, 1)]);
}

#[test]
fn modules_need_docs_and_speaking_names() {
    assert_one("a/src/rotation.rs", "use x;\n", "a/src/rotation.rs:1: the module does not start");
    assert_one("a/src/utils.rs", "//! Docs.\n", "a/src/utils.rs:1: the module name `utils`");
}

#[test]
fn unfinished_code_and_skipped_tests_are_refused() {
    for (word, _) in FORBIDDEN {
        let found = problems("a.rs", &format!("//! Docs.\n{word}"));
        assert_eq!(found.len(), 1, "{word}: {found:?}");
        assert!(problems("a.rs", &format!("//! Docs.\n// {word}\nconst A: &str = \"{word}\";\n")).is_empty());
    }
}

#[test]
fn unsafe_code_has_its_folders_and_its_reasons() {
    assert_one("a/src/b.rs", "//! Docs.\nunsafe { x() }\n", "a/src/b.rs:2: unsafe code is allowed only in");
    let path = "kafka/src/sys/queue.rs";
    assert_one(path, "//! Docs.\n\nunsafe { x() }\n", "kafka/src/sys/queue.rs:3: unsafe code without");
    for explained in [
        "// SAFETY: x is fine.\nunsafe { x() }",
        "// SAFETY: a long reason\n// over two lines.\nlet y =\n    unsafe { x() };",
        "unsafe extern \"C\" fn x() {}",
    ] {
        let found = problems(path, &format!("//! Docs.\n{explained}\n"));
        assert!(found.is_empty(), "{found:?}");
    }
    assert_one(path, "//! Docs.\n// SAFETY: old.\ny();\nunsafe { x() }\n", "kafka/src/sys/queue.rs:4:");
}

#[test]
fn lint_exceptions_give_a_reason() {
    assert_one("a.rs", "//! Docs.\n#[allow(dead_code)]\n", "a.rs:2: a lint exception");
    assert!(problems("a.rs", "//! Docs.\n#[allow(dead_code, reason = \"x\")]\n").is_empty());
    assert!(problems("a.rs", "//! Docs.\n#[expect(\n    dead_code,\n    reason = \"x\"\n)]\n").is_empty());
}
