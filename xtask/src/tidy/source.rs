//! Rules for one Rust file: sizes, module docs, forbidden words, unsafe code, lint exceptions.

use std::path::Path;

use super::Problem;
use super::code::{Code, word_positions};

const FILE_LINES_MAX: usize = 500;
const FUNCTION_LINES_MAX: usize = 70;
const LINE_COLUMNS_MAX: usize = 110;

/// Folders that may hold unsafe code: the crossings to C and to the kernel.
const UNSAFE_FOLDERS: [&str; 2] = ["dataplane/src/sys", "kafka/src/sys"];
/// Module names that say nothing about what is inside.
const EMPTY_NAMES: [&str; 6] = ["common", "helper", "helpers", "types", "util", "utils"];
/// Text that must not be in code, and why. Split, so that this table does not break its own rules.
const FORBIDDEN: [(&str, &str); 4] = [
    (concat!("todo", "!("), "unfinished code does not belong here"),
    (concat!("unimplemented", "!("), "unfinished code does not belong here"),
    (concat!("dbg", "!("), "debugging output"),
    (concat!("#[", "ignore"), "a test that does not run is not a test"),
];

/// Appends every problem of the file at `path`.
pub(super) fn check(path: &str, source: &str, problems: &mut Vec<Problem>) {
    let code = Code::of(source);
    let mut report = |line: usize, text: String| problems.push(Problem { path: path.to_owned(), line, text });
    let line_count = source.lines().count();
    if line_count > FILE_LINES_MAX {
        report(line_count, format!("{line_count} lines; at most {FILE_LINES_MAX}: split the file"));
    }
    for (index, line) in source.lines().enumerate() {
        let columns = line.chars().count();
        if columns > LINE_COLUMNS_MAX {
            report(index + 1, format!("{columns} columns; at most {LINE_COLUMNS_MAX}"));
        }
    }
    if let Some(stem) = Path::new(path).file_stem().and_then(|stem| stem.to_str())
        && EMPTY_NAMES.contains(&stem)
    {
        report(1, format!("the module name `{stem}` says nothing; name the domain thing"));
    }
    if !starts_with_module_docs(source) {
        report(1, "the module does not start with `//!` docs".to_owned());
    }
    for (index, line) in code.lines.iter().enumerate() {
        for (word, reason) in FORBIDDEN.iter().filter(|(word, _)| line.contains(word)) {
            report(index + 1, format!("`{word}`: {reason}"));
        }
    }
    for function in functions(&code.lines) {
        if function.lines > FUNCTION_LINES_MAX {
            report(
                function.line,
                format!("fn {} has {} lines; at most {FUNCTION_LINES_MAX}", function.name, function.lines),
            );
        }
    }
    unsafe_code(path, &code, &mut report);
    lint_exceptions(&code, &mut report);
}

/// True when the first line that is neither blank nor an inner attribute is a module doc.
fn starts_with_module_docs(source: &str) -> bool {
    let first = source.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with("#!["));
    first.is_some_and(|line| line.starts_with("//!"))
}

/// A function with a body.
#[derive(Debug, PartialEq, Eq)]
struct Function {
    name: String,
    /// Line of the word `fn`, from 1.
    line: usize,
    /// Lines from there to the closing brace, both included.
    lines: usize,
}

/// Finds the functions of a file, inner ones too, by matching braces after the word `fn`.
fn functions(lines: &[String]) -> Vec<Function> {
    let mut found = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        for start in word_positions(line, "fn") {
            let name: String =
                line[start + 2..].trim_start().chars().take_while(|c| super::code::is_word(*c)).collect();
            // `fn(u8) -> u8` is a type, not a function.
            if name.is_empty() {
                continue;
            }
            if let Some(last) = body_end(lines, index, start) {
                found.push(Function { name, line: index + 1, lines: last - index + 1 });
            }
        }
    }
    found
}

/// The line of the brace that closes the body; `None` for a declaration without body.
fn body_end(lines: &[String], first: usize, column: usize) -> Option<usize> {
    let (mut brackets, mut braces) = (0usize, 0usize);
    for (index, line) in lines.iter().enumerate().skip(first) {
        let from = if index == first { column } else { 0 };
        for c in line[from..].chars() {
            match c {
                '(' | '[' if braces == 0 => brackets += 1,
                ')' | ']' if braces == 0 => brackets = brackets.saturating_sub(1),
                ';' if braces == 0 && brackets == 0 => return None,
                '{' => braces += 1,
                '}' if braces <= 1 => return (braces == 1).then_some(index),
                '}' => braces -= 1,
                _ => {}
            }
        }
    }
    None
}

/// Unsafe code stays in its folders, and every use says why it is sound.
fn unsafe_code(path: &str, code: &Code, report: &mut impl FnMut(usize, String)) {
    let allowed = UNSAFE_FOLDERS
        .iter()
        .any(|folder| path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/') || rest == ".rs"));
    for (index, line) in code.lines.iter().enumerate() {
        let positions = word_positions(line, "unsafe");
        if positions.is_empty() {
            continue;
        }
        // The declaration of an unsafe function burdens its callers; the blocks inside it explain themselves.
        let declares = |at: &usize| {
            let rest = line[at + "unsafe".len()..].trim_start();
            rest.starts_with("fn ") || rest.starts_with("extern ")
        };
        if !allowed {
            report(index + 1, format!("unsafe code is allowed only in {}", UNSAFE_FOLDERS.join(" and ")));
        } else if !positions.iter().all(declares) && !has_safety_note(code, index) {
            report(index + 1, "unsafe code without a SAFETY comment right above it".to_owned());
        }
    }
}

/// A note on the line itself or in the comment (and attribute) lines directly above it, or above the
/// statement it continues.
fn has_safety_note(code: &Code, line: usize) -> bool {
    let is_note = |index: usize| {
        let comment = &code.comments[index];
        comment.contains("SAFETY:") || comment.contains("# Safety")
    };
    let mut index = line;
    while !is_note(index) {
        let Some(above) = index.checked_sub(1) else { return false };
        let text = code.lines[above].trim();
        let part_of_the_statement =
            text.starts_with('#') || text.ends_with(['=', '(']) || text.ends_with("=>");
        let comment_only = text.is_empty() && !code.comments[above].is_empty();
        if !comment_only && !part_of_the_statement {
            return false;
        }
        index = above;
    }
    true
}

/// An exception from a lint says why.
fn lint_exceptions(code: &Code, report: &mut impl FnMut(usize, String)) {
    let openings = ["#[allow(", "#![allow(", "#[expect(", "#![expect("];
    for (index, line) in code.lines.iter().enumerate() {
        if !openings.iter().any(|opening| line.trim_start().starts_with(opening)) {
            continue;
        }
        let end = (index..code.lines.len()).find(|at| code.lines[*at].contains(']')).unwrap_or(index);
        if !code.lines[index..=end].iter().any(|part| part.contains("reason")) {
            report(index + 1, "a lint exception without `reason = \"…\"`".to_owned());
        }
    }
}

#[cfg(test)]
mod tests;
