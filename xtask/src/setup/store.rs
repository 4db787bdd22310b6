//! Object stores of the tests that Go builds.
//!
//! versitygw is the S3 server: it checks signatures and implements conditional writes and multipart uploads
//! strictly, which lenient emulators do not. fake-gcs-server speaks the JSON interface of Google Cloud
//! Storage with its conditions and resumable uploads; it asks nobody who they are.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};
use serde_json::Value;

use super::Install;
use super::system::GO_FOLDERS;
use crate::run::{answer, find_program, run, say};

const S3_MODULE: &str = "github.com/versity/versitygw/cmd/versitygw@v1.8.0";
const GCS_MODULE: &str = "github.com/fsouza/fake-gcs-server@v1.56.1";
/// The oldest Go minor version that fetches the toolchain a module asks for by itself.
const GO_MINOR_SELF_UPGRADING: u32 = 21;
/// Used when the installed Go is older than that (Debian 12 has 1.19). The modules ask for 1.26.
const TOOLCHAIN: &str = "golang.org/toolchain@v0.0.1-go1.26.0";

/// `.lakeward/versitygw`: the server binary.
pub(super) fn s3() -> Install {
    Install { folder: "versitygw", version: S3_MODULE.to_owned(), install: build_s3 }
}

/// `.lakeward/fake-gcs-server`: the server binary.
pub(super) fn gcs() -> Install {
    Install { folder: "fake-gcs-server", version: GCS_MODULE.to_owned(), install: build_gcs }
}

fn build_s3(folder: &Path) -> anyhow::Result<()> {
    build(folder, S3_MODULE)?;
    run(Command::new(folder.join("versitygw")).arg("--version"))
}

fn build_gcs(folder: &Path) -> anyhow::Result<()> {
    build(folder, GCS_MODULE)?;
    answer(Command::new(folder.join("fake-gcs-server")).arg("-help")).map(drop)
}

/// Builds the program of `module` into `folder`.
fn build(folder: &Path, module: &str) -> anyhow::Result<()> {
    let go = find_program("go", &GO_FOLDERS).context("Go is not installed")?;
    let version = answer(Command::new(&go).args(["env", "GOVERSION"]))?;
    let minor = go_minor(&version).with_context(|| format!("unknown Go version `{}`", version.trim()))?;
    let mut command = if minor >= GO_MINOR_SELF_UPGRADING {
        let mut command = Command::new(&go);
        command.env("GOTOOLCHAIN", "auto");
        command
    } else {
        say(&format!("Go 1.{minor} is too old for {module}: fetching a newer toolchain as a module"));
        let root = fetch_toolchain(&go)?;
        let mut command = Command::new(root.join("bin").join("go"));
        command.env("GOROOT", &root).env("GOTOOLCHAIN", "local");
        command
    };
    run(command.env("GOBIN", folder).env("CGO_ENABLED", "0").args(["install", module]))
}

/// Fetches a Go toolchain through the module proxy, as newer releases do, and returns its GOROOT.
fn fetch_toolchain(go: &Path) -> anyhow::Result<PathBuf> {
    let platform = answer(Command::new(go).args(["env", "GOOS", "GOARCH"]))?;
    let platform = platform.split_whitespace().collect::<Vec<_>>().join("-");
    let text =
        answer(Command::new(go).args(["mod", "download", "-json", &format!("{TOOLCHAIN}.{platform}")]))?;
    let module: Value = serde_json::from_str(&text).context("reading the answer of go mod download")?;
    let root = PathBuf::from(module["Dir"].as_str().context("go mod download names no folder")?);
    // Module archives carry no permissions: the programs must be made executable.
    let tools = root.join("pkg").join("tool").join(platform.replace('-', "_"));
    for folder in [root.join("bin"), tools] {
        let mut count = 0;
        for entry in fs::read_dir(&folder).with_context(|| format!("listing {}", folder.display()))? {
            let path = entry?.path();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755))
                .with_context(|| format!("making {} executable", path.display()))?;
            count += 1;
        }
        ensure!(count > 0, "{} is empty", folder.display());
    }
    Ok(root)
}

/// The minor version of `go1.26.8`.
fn go_minor(version: &str) -> Option<u32> {
    let digits = version.trim().strip_prefix("go1.")?;
    digits.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn go_versions_are_read() {
        assert_eq!(go_minor("go1.19.8\n"), Some(19));
        assert_eq!(go_minor("go1.26rc1"), Some(26));
        assert_eq!(go_minor("devel"), None);
    }
}
