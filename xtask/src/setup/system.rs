//! System packages: found, or installed through apt when root, or named exactly.

use std::fs;
use std::process::Command;

use anyhow::{Context, bail};

use crate::run::{answer, find_program, run, say};

/// Folders where distributions and the Go installer put programs outside `PATH`.
pub(super) const GO_FOLDERS: [&str; 2] = ["/usr/local/go/bin", "/usr/lib/go/bin"];

/// A program the installs or the build need, and the Debian packages that bring it. `a|b` is the first of
/// them that the distribution has.
struct Tool {
    name: &'static str,
    packages: &'static [&'static str],
    present: fn() -> bool,
}

/// Written when all of `TOOLS` were there; a change of that list changes it.
pub(super) const STAMP: &str = "checked, with javac, npm and PostgreSQL\n";

/// The oldest Java that Apache Kafka 4.1 runs on.
const JAVA_VERSION_MIN: u32 = 17;

const TOOLS: [Tool; 9] = [
    // With its compiler: the differential test brings a Java program.
    Tool {
        name: "a Java 17 or newer development kit",
        packages: &["openjdk-17-jdk-headless|default-jdk-headless"],
        present: || java_is_current() && has("javac"),
    },
    Tool { name: "Maven", packages: &["maven"], present: || has("mvn") },
    Tool {
        name: "Python 3 with venv",
        packages: &["python3", "python3-venv", "python3-pip"],
        present: python_has_venv,
    },
    Tool { name: "Go", packages: &["golang"], present: || find_program("go", &GO_FOLDERS).is_some() },
    Tool { name: "Node.js with npm", packages: &["nodejs", "npm"], present: || has("node") && has("npm") },
    Tool { name: "a PostgreSQL server", packages: &["postgresql"], present: has_postgres },
    // The Kafka client library is built from source: it needs make, a C++ compiler and perl.
    Tool { name: "make", packages: &["make"], present: || has("make") },
    Tool { name: "a C++ compiler", packages: &["g++"], present: || has("c++") || has("g++") },
    Tool { name: "perl", packages: &["perl"], present: || has("perl") },
];

/// Installs what is missing, or fails with the line to run.
pub(super) fn install_missing() -> anyhow::Result<()> {
    let missing: Vec<&Tool> = TOOLS.iter().filter(|tool| !(tool.present)()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = missing.iter().map(|tool| tool.name).collect();
    let packages: Vec<&str> = missing.iter().flat_map(|tool| tool.packages.iter().copied()).collect();
    let apt_get = find_program("apt-get", &[]);
    let (Some(apt_get), true) = (apt_get, is_root()) else {
        bail!(
            "missing: {}. Install them with your package manager; on Debian or Ubuntu:\n  \
             sudo apt-get update && sudo apt-get install -y {}",
            names.join(", "),
            packages.join(" ")
        );
    };
    let mut update = Command::new(&apt_get);
    run(update.env("DEBIAN_FRONTEND", "noninteractive").args(["-q", "update"]))?;
    let packages: Vec<&str> =
        packages.iter().map(|alternatives| first_known(alternatives, apt_knows)).collect();
    say(&format!("installing {} through apt", packages.join(" ")));
    let mut install = Command::new(&apt_get);
    install.env("DEBIAN_FRONTEND", "noninteractive");
    run(install.args(["-q", "install", "-y", "--no-install-recommends"]).args(&packages))?;
    let still_missing: Vec<&str> =
        missing.iter().filter(|tool| !(tool.present)()).map(|tool| tool.name).collect();
    if !still_missing.is_empty() {
        bail!("apt installed {}, but still missing: {}", packages.join(" "), still_missing.join(", "));
    }
    Ok(())
}

/// The first of `a|b|c` that is known; the last one when none is, so that apt explains what is wrong.
fn first_known(alternatives: &str, known: impl Fn(&str) -> bool) -> &str {
    let found = alternatives.split('|').find(|package| known(package));
    found.or_else(|| alternatives.rsplit('|').next()).unwrap_or(alternatives)
}

fn apt_knows(package: &str) -> bool {
    answer(Command::new("apt-cache").args(["show", package])).is_ok()
}

fn has(program: &str) -> bool {
    find_program(program, &[]).is_some()
}

fn is_root() -> bool {
    answer(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

fn python_has_venv() -> bool {
    answer(Command::new("python3").args(["-c", "import venv, ensurepip"])).is_ok()
}

/// Debian keeps the programs of a server outside `PATH`.
fn has_postgres() -> bool {
    let releases = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    has("initdb") || releases.into_iter().any(|release| release.path().join("bin/initdb").is_file())
}

fn java_is_current() -> bool {
    // Java prints its version on standard error.
    let output = Command::new("java").arg("-version").output().context("starting java");
    output.is_ok_and(|output| {
        java_version(&String::from_utf8_lossy(&output.stderr)).is_some_and(|major| major >= JAVA_VERSION_MIN)
    })
}

/// The major version in the answer of `java -version`: `openjdk version "17.0.15" …`.
fn java_version(text: &str) -> Option<u32> {
    let quoted = text.split('"').nth(1)?;
    quoted.split(['.', '-', '+']).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_known_alternative_is_installed() {
        assert_eq!(first_known("old|new", |package| package == "old"), "old");
        assert_eq!(first_known("old|new", |package| package == "new"), "new");
        assert_eq!(first_known("old|new", |_| false), "new");
        assert_eq!(first_known("only", |_| false), "only");
    }

    #[test]
    fn java_versions_are_read_from_every_vendor_line() {
        assert_eq!(java_version("openjdk version \"17.0.15\" 2025-04-15\n"), Some(17));
        assert_eq!(java_version("openjdk version \"21\" 2023-09-19\n"), Some(21));
        assert_eq!(java_version("java version \"25-ea\"\n"), Some(25));
        // Java 8 calls itself 1.8: too old either way.
        assert_eq!(java_version("java version \"1.8.0_402\"\n"), Some(1));
        assert_eq!(java_version("command not found"), None);
    }
}
