//! Where things are: the workspace root, its install folder and cargo's target folder.
//!
//! Must not create anything; commands create what they own.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, ensure};
use serde_json::Value;

/// The workspace this tool was started in.
pub(crate) struct Workspace {
    /// Folder of the root `Cargo.toml`.
    pub(crate) root: PathBuf,
}

impl Workspace {
    /// Finds the workspace: cargo tells a running tool where its package is.
    pub(crate) fn locate() -> anyhow::Result<Self> {
        let package = std::env::var_os("CARGO_MANIFEST_DIR")
            .context("CARGO_MANIFEST_DIR is not set: start this tool as `cargo xtask …`")?;
        let root = PathBuf::from(package).join("..").canonicalize().context("workspace folder")?;
        Ok(Self { root })
    }

    /// Where `setup` installs: ignored by git, safe to delete.
    pub(crate) fn installs(&self) -> PathBuf {
        self.root.join(".lakeward")
    }

    /// `cargo metadata` of the workspace members, without their dependencies.
    pub(crate) fn metadata(&self) -> anyhow::Result<Value> {
        let output = Command::new(cargo())
            .args(["metadata", "--no-deps", "--format-version", "1"])
            .current_dir(&self.root)
            .output()
            .context("running cargo metadata")?;
        ensure!(
            output.status.success(),
            "cargo metadata: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
        serde_json::from_slice(&output.stdout).context("reading the answer of cargo metadata")
    }

    /// Cargo's target folder, wherever the user's configuration puts it.
    pub(crate) fn target(&self) -> anyhow::Result<PathBuf> {
        let metadata = self.metadata()?;
        let folder =
            metadata["target_directory"].as_str().context("cargo metadata names no target folder")?;
        Ok(PathBuf::from(folder))
    }
}

/// The cargo that started this tool, so that the pinned toolchain stays the same.
pub(crate) fn cargo() -> PathBuf {
    std::env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from)
}
