//! The accepted differences: every case that is for one target only is a row of `conformance/DIFFERENCES.md`.

use anyhow::{bail, ensure};

use super::script::Script;

/// The names of the cases in the rows of the table: the first cell, in backquotes.
pub fn names(text: &str) -> Vec<&str> {
    text.lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` |"))
        .map(|(name, _)| name)
        .collect()
}

/// Checks that cases and rows name each other.
///
/// # Errors
/// Names the case without a row, or the row without a case.
pub fn check(scripts: &[Script], text: &str) -> anyhow::Result<()> {
    let rows = names(text);
    let cases = || scripts.iter().flat_map(|script| &script.cases);
    for case in cases().filter(|case| case.only.is_some()) {
        ensure!(rows.contains(&case.name.as_str()), "{} is for one target, but no row says why", case.name);
    }
    for row in rows {
        if !cases().any(|case| case.name == row && case.only.is_some()) {
            bail!("a row of DIFFERENCES.md names {row}, which is no case for one target");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_cases_must_name_each_other() {
        let scripts = [Script::parse("== a\nonly java\nGET /\n< 200\n== b\nGET /\n< 200\n").unwrap()];
        check(&scripts, "| case | why |\n|---|---|\n| `a` | so |\n").unwrap();
        check(&scripts, "").unwrap_err();
        check(&scripts, "| `a` | so |\n| `b` | not |\n").unwrap_err();
    }
}
