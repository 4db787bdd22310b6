//! `cargo xtask setup`: installs what the tests need, once.
//!
//! Owns `.lakeward/` of the workspace. Every install ends with a stamp file that names what was installed, so
//! that a second run is instant and a changed version is installed anew. It must not touch anything else of
//! the machine, except system packages through apt when it runs as root.

mod azurite;
mod jars;
mod python;
mod store;
mod system;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use crate::run::{say, step};
use crate::workspace::Workspace;

/// Something that lands in `.lakeward/<folder>`.
struct Install {
    /// Folder, and the name in progress lines.
    folder: &'static str,
    /// Written to the stamp; a different text means that the install is out of date.
    version: String,
    /// Installs into the folder, which is empty.
    install: fn(&Path) -> anyhow::Result<()>,
}

/// Installs what is missing, the independent parts in parallel: they wait for the network most of the time.
pub(crate) fn setup(workspace: &Workspace) -> anyhow::Result<()> {
    let base = workspace.installs();
    let installs = [
        azurite::install(),
        jars::iceberg(),
        jars::jdbc(),
        jars::kafka(),
        jars::registry(),
        jars::parquet(),
        python::install(),
        store::gcs(),
        store::s3(),
    ];
    let missing: Vec<&Install> = installs.iter().filter(|one| !one.is_current(&base)).collect();
    let system_stamp = base.join("system.stamp");
    let system_is_current = fs::read_to_string(&system_stamp).is_ok_and(|stamp| stamp == system::STAMP);
    if missing.is_empty() && system_is_current {
        say(&format!("setup: everything is in {}", base.display()));
        return Ok(());
    }
    fs::create_dir_all(&base).with_context(|| format!("creating {}", base.display()))?;
    step("setup: system packages", system::install_missing)?;
    fs::write(&system_stamp, system::STAMP).context("writing the stamp of the system packages")?;
    let outcomes: Vec<(&str, anyhow::Result<()>)> = std::thread::scope(|scope| {
        let running: Vec<_> = missing
            .iter()
            .map(|one| {
                (one.folder, scope.spawn(|| step(&format!("setup: {}", one.folder), || one.run(&base))))
            })
            .collect();
        running
            .into_iter()
            .map(|(name, thread)| (name, thread.join().unwrap_or_else(|_| bail!("the installer panicked"))))
            .collect()
    });
    let problems: Vec<String> = outcomes
        .into_iter()
        .filter_map(|(name, outcome)| outcome.err().map(|err| format!("{name}: {err:#}")))
        .collect();
    if !problems.is_empty() {
        bail!("setup is not complete:\n{}", problems.join("\n"));
    }
    Ok(())
}

impl Install {
    fn stamp(&self, base: &Path) -> PathBuf {
        base.join(format!("{}.stamp", self.folder))
    }

    fn is_current(&self, base: &Path) -> bool {
        fs::read_to_string(self.stamp(base)).is_ok_and(|stamp| stamp == self.version)
    }

    /// Starts from an empty folder: what an interrupted run left behind is not trusted.
    fn run(&self, base: &Path) -> anyhow::Result<()> {
        let folder = base.join(self.folder);
        if folder.exists() {
            fs::remove_dir_all(&folder).with_context(|| format!("emptying {}", folder.display()))?;
        }
        fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
        (self.install)(&folder)?;
        fs::write(self.stamp(base), &self.version).context("writing the stamp")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_version_is_installed_anew_and_a_current_one_is_not() {
        let base = std::env::temp_dir().join(format!("xtask-setup-{}", std::process::id()));
        fs::create_dir_all(&base).unwrap();
        let mut thing = Install {
            folder: "thing",
            version: "1".to_owned(),
            install: |folder| Ok(fs::write(folder.join("file"), "x")?),
        };
        assert!(!thing.is_current(&base));
        thing.run(&base).unwrap();
        assert!(thing.is_current(&base));
        fs::write(base.join("thing/left-over"), "x").unwrap();
        thing.version = "2".to_owned();
        assert!(!thing.is_current(&base));
        thing.run(&base).unwrap();
        assert!(!base.join("thing/left-over").exists(), "old files must not survive");
        fs::remove_dir_all(&base).unwrap();
    }
}
