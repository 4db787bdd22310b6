//! Rules for every text file: nothing of one machine may be in it.

use super::Problem;

/// Starts of paths that exist on one machine only. Split, so that this table does not break its own rule.
const MACHINE_PATHS: [&str; 4] =
    [concat!("/ho", "me/"), concat!("/ro", "ot/"), concat!("/Us", "ers/"), concat!("/wo", "rk/")];

/// Appends every problem of the file at `path`.
pub(super) fn check(path: &str, content: &str, problems: &mut Vec<Problem>) {
    for (index, line) in content.lines().enumerate() {
        for machine_path in MACHINE_PATHS.iter().filter(|start| names_path(line, start)) {
            let text = format!("`{machine_path}…` is a path of one machine");
            problems.push(Problem { path: path.to_owned(), line: index + 1, text });
        }
    }
}

/// True when `start` begins an absolute path: it follows a blank, a quote or the like, not a name.
fn names_path(line: &str, start: &str) -> bool {
    line.match_indices(start).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        before.is_none_or(|c| c.is_whitespace() || "\"'`(=:<[,".contains(c))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_one_machine_are_refused_and_urls_are_not() {
        let mut problems = Vec::new();
        let line = format!("see \"{}me/notes\"\nhttps://example.org{}me/page\n", "/ho", "/ho");
        check("a.md", &line, &mut problems);
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].line, 1);
    }
}
