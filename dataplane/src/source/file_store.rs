//! The offsets of a standalone worker: one file, in the format of Java's worker, so that either can go on
//! with it.
//!
//! The file is Java's serialised `HashMap<byte[], byte[]>`. It is written whole, beside the old one, and
//! then takes its place; where that is not possible (a file mounted alone into a container) it is
//! overwritten as Java does.
//!
//! Source: `FileOffsetBackingStore`, Kafka 4.1; Java Object Serialization Specification, section 6.

mod java_map;

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use lakeward_api::ConnectError;
use lakeward_api::config::ConfigMap;
use lakeward_api::offset_store::{OffsetEntry, OffsetStore, OffsetStores, StoreFuture};
use tokio::sync::OnceCell;

/// The file's entries; a value of `None` is Java's null.
type Entries = BTreeMap<Bytes, Option<Bytes>>;

/// The stores of a standalone worker: all connectors share the file.
pub struct FileOffsetStores {
    path: PathBuf,
    store: OnceCell<Arc<FileOffsetStore>>,
}

/// The file and what it holds.
pub struct FileOffsetStore {
    path: Arc<Path>,
    entries: Arc<Mutex<Entries>>,
}

impl FileOffsetStores {
    /// `path` is `offset.storage.file.filename`; it is read when it is asked for.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), store: OnceCell::new() }
    }

    async fn open(&self) -> Result<Arc<FileOffsetStore>, ConnectError> {
        let open = || async {
            let path = self.path.clone();
            let entries = run(move || load(&path).map_err(|err| io_error("read", &path, err))).await?;
            let entries = Arc::new(Mutex::new(entries));
            Ok::<_, ConnectError>(Arc::new(FileOffsetStore { path: self.path.as_path().into(), entries }))
        };
        Ok(Arc::clone(self.store.get_or_try_init(open).await?))
    }
}

impl OffsetStores for FileOffsetStores {
    fn worker(&self) -> StoreFuture<'_, Arc<dyn OffsetStore>> {
        Box::pin(async move { Ok(self.open().await? as Arc<dyn OffsetStore>) })
    }

    fn connector<'a>(
        &'a self,
        _connector: &'a str,
        _config: &'a ConfigMap,
    ) -> StoreFuture<'a, Arc<dyn OffsetStore>> {
        self.worker()
    }
}

impl FileOffsetStore {
    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OffsetStore for FileOffsetStore {
    fn read_to_end(&self) -> StoreFuture<'_, ()> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn get(&self, key: &[u8]) -> Option<Bytes> {
        self.entries().get(key).cloned().flatten()
    }

    fn entries(&self) -> Vec<(Bytes, Bytes)> {
        let entries = Self::entries(self);
        entries.iter().filter_map(|(key, value)| Some((key.clone(), value.clone()?))).collect()
    }

    fn write(&self, new: Vec<OffsetEntry>) -> StoreFuture<'_, ()> {
        let (path, entries) = (Arc::clone(&self.path), Arc::clone(&self.entries));
        Box::pin(run(move || {
            // Held while the file is written: whoever comes next writes these entries, too.
            let mut entries = entries.lock().unwrap_or_else(PoisonError::into_inner);
            entries.extend(
                new.into_iter().map(|OffsetEntry { key, value }| (key.into(), value.map(Bytes::from))),
            );
            save(&path, &java_map::to_bytes(&entries)).map_err(|err| io_error("write", &path, err))
        }))
    }
}

async fn run<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ConnectError> + Send + 'static,
) -> Result<T, ConnectError> {
    let outcome = tokio::task::spawn_blocking(work).await;
    outcome.map_err(|err| ConnectError::fatal("work on the offsets file was aborted").with_source(err))?
}

fn io_error(action: &str, path: &Path, err: io::Error) -> ConnectError {
    ConnectError::fatal(format!(
        "cannot {action} {}; check offset.storage.file.filename and its permissions",
        path.display()
    ))
    .with_source(err)
}

/// A missing or empty file holds nothing.
fn load(path: &Path) -> io::Result<Entries> {
    match fs::read(path) {
        Ok(bytes) if bytes.is_empty() => Ok(Entries::new()),
        Ok(bytes) => java_map::from_bytes(&bytes)
            .map_err(|problem| io::Error::new(io::ErrorKind::InvalidData, problem)),
        Err(err) if err.kind() == io::ErrorKind::NotFound => Ok(Entries::new()),
        Err(err) => Err(err),
    }
}

fn save(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    let replaced = (|| {
        let mut file = fs::File::create(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, path)
    })();
    match replaced {
        Ok(()) => Ok(()),
        Err(_) => fs::write(path, bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(key: &str, value: Option<&str>) -> OffsetEntry {
        OffsetEntry { key: key.to_owned(), value: value.map(str::to_owned) }
    }

    #[tokio::test]
    async fn offsets_outlive_their_store() {
        let folder = std::env::temp_dir().join(format!("lakeward-offsets-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("offsets");
        let store = FileOffsetStores::new(&path).worker().await.unwrap();
        assert!(store.entries().is_empty());
        store.write(vec![entry("a", Some("1")), entry("b", Some("2"))]).await.unwrap();
        store.write(vec![entry("a", None)]).await.unwrap();
        let again = FileOffsetStores::new(&path).worker().await.unwrap();
        assert_eq!(again.entries(), [("b".into(), "2".into())]);
        fs::write(&path, b"junk").unwrap();
        assert!(FileOffsetStores::new(&path).worker().await.is_err());
        fs::remove_dir_all(&folder).unwrap();
    }
}
