//! Where `cargo xtask setup` put the real components, and where the worker binary is.
//!
//! Must not install anything itself: a missing component is an error that names the command to run.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};

/// The workspace of the running test.
fn workspace() -> anyhow::Result<PathBuf> {
    let package = std::env::var_os("CARGO_MANIFEST_DIR")
        .context("CARGO_MANIFEST_DIR is not set: run the tests through cargo")?;
    let mut folder = PathBuf::from(package);
    while !folder.join("Cargo.lock").is_file() {
        ensure!(folder.pop(), "no Cargo.lock above the package of this test");
    }
    Ok(folder)
}

/// The folder `.lakeward` of the workspace.
pub fn installs() -> anyhow::Result<PathBuf> {
    Ok(workspace()?.join(".lakeward"))
}

fn installed(path: &str) -> anyhow::Result<PathBuf> {
    let full = installs()?.join(path);
    ensure!(full.exists(), "{path} is not installed: run `cargo xtask setup`");
    Ok(full)
}

/// The Java class path of Apache Kafka and Kafka Connect.
pub fn kafka_class_path() -> anyhow::Result<String> {
    Ok(installed("kafka/libs")?.join("*").display().to_string())
}

/// The Java class path of the formats of a schema registry, Avro among them.
pub fn registry_class_path() -> anyhow::Result<String> {
    Ok(format!("{}:{}", installed("registry/libs")?.join("*").display(), kafka_class_path()?))
}

/// The Java class path of parquet-avro and the readers of Parquet.
pub fn parquet_class_path() -> anyhow::Result<String> {
    Ok(format!("{}:{}", installed("parquet/libs")?.join("*").display(), registry_class_path()?))
}

/// The Java class path of Apache Iceberg.
pub fn iceberg_class_path() -> anyhow::Result<String> {
    Ok(installed("iceberg/libs")?.join("*").display().to_string())
}

/// The Java class path of Apache Iceberg and of drivers for its SQL catalogs.
pub fn jdbc_class_path() -> anyhow::Result<String> {
    Ok(format!("{}:{}", installed("jdbc/libs")?.join("*").display(), iceberg_class_path()?))
}

/// The folder of the programs of PostgreSQL. Debian keeps those of servers outside `PATH`.
pub fn postgres() -> anyhow::Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let releases = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    folders.extend(releases.map(|release| release.path().join("bin")));
    let found = folders
        .into_iter()
        .find(|folder| ["initdb", "postgres"].iter().all(|name| folder.join(name).is_file()));
    found.context("PostgreSQL is not installed: run `cargo xtask setup`")
}

/// The S3 server binary.
pub fn versitygw() -> anyhow::Result<PathBuf> {
    installed("versitygw/versitygw")
}

/// The server of Google Cloud Storage.
pub fn fake_gcs_server() -> anyhow::Result<PathBuf> {
    installed("fake-gcs-server/fake-gcs-server")
}

/// The program of the Azure Blob Storage server, for Node.js.
pub fn azurite() -> anyhow::Result<PathBuf> {
    installed("azurite/node_modules/azurite/dist/src/blob/main.js")
}

/// The Python interpreter that has pyarrow.
pub fn python() -> anyhow::Result<PathBuf> {
    installed("python/bin/python")
}

/// The worker binary: `LAKEWARD_BIN`, or the one beside the running test in cargo's target folder.
pub fn worker() -> anyhow::Result<PathBuf> {
    if let Some(path) = std::env::var_os("LAKEWARD_BIN") {
        let path = PathBuf::from(path);
        ensure!(path.is_file(), "LAKEWARD_BIN names {}, which is no file", path.display());
        return Ok(path);
    }
    let test = std::env::current_exe().context("path of the running test")?;
    // target/<profile>/deps/<test>: the binary is in target/<profile>.
    let candidates = test.ancestors().skip(1).take(2).map(|folder| folder.join("lakeward"));
    match candidates.into_iter().find(|candidate| candidate.is_file()) {
        Some(path) => Ok(path),
        None => bail!("the worker is not built: run `cargo build -p lakeward-worker` or `cargo xtask test`"),
    }
}

/// The worker binary with failpoints: `LAKEWARD_FAILPOINTS_BIN`, or the one that `cargo xtask kill-test` and
/// `cargo xtask test` build in cargo's target folder.
pub fn worker_with_failpoints() -> anyhow::Result<PathBuf> {
    if let Some(path) = std::env::var_os("LAKEWARD_FAILPOINTS_BIN") {
        let path = PathBuf::from(path);
        ensure!(path.is_file(), "LAKEWARD_FAILPOINTS_BIN names {}, which is no file", path.display());
        return Ok(path);
    }
    let test = std::env::current_exe().context("path of the running test")?;
    // target/<profile>/deps/<test>: the binary is in target/failpoints/<profile>.
    let candidates = test.ancestors().skip(2).take(2).map(|folder| folder.join("failpoints/debug/lakeward"));
    match candidates.into_iter().find(|candidate| candidate.is_file()) {
        Some(path) => Ok(path),
        None => bail!("the worker with failpoints is not built: run `cargo xtask kill-test --minutes 0`"),
    }
}

/// True when `path` exists below the install folder; for tests of this crate.
pub fn has(path: impl AsRef<Path>) -> bool {
    installs().is_ok_and(|base| base.join(path).exists())
}
